#include "run/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/format.h"

static const struct {
    const char *name;
    ts_run_open_devices *open;
    bool whole;   /* one opening makes all devices of the package */
    bool library; /* it computes with libtessera */
} kinds[] = {{"emulator", ts_run_open_emulator, true, true},
             {"sim", ts_run_open_sim, true, false},
             {"uio", ts_run_open_uio, false, false},
             {"xrt", ts_run_open_xrt, false, false}};
enum { KINDS = sizeof kinds / sizeof *kinds, ARGUMENTS = 1024 };

/* One back end's text: "uio:a,b", up to a semicolon. */
static int kind_of(const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);
    const size_t name = colon ? (size_t)(colon - text) : length;
    for (int k = 0; k < KINDS; k++)
        if (strlen(kinds[k].name) == name && memcmp(kinds[k].name, text, name) == 0)
            return k;
    return -1;
}

bool ts_run_backend_needs_library(const char *backend)
{
    const int kind = kind_of(backend, strcspn(backend, ";"));
    return kind >= 0 && kinds[kind].library;
}

void ts_run_device_begin(ts_run_device *d, const ts_run_device_kind *kind, const ts_run_opening *o, int number)
{
    const ts_run_package *p = o->package;
    d->kind = kind;
    d->number = number;
    d->timeout = o->timeout;
    snprintf(d->name, sizeof d->name, "device %d (%s)", number, p->part[number].device);
    d->most_in = ts_run_stream_size(&p->in, p->max_tokens);
    d->most_out = ts_run_result_most(p, ts_run_word_rows(p, p->max_tokens));
}

bool ts_run_argument(const char **at, char *key, char *value, size_t room)
{
    if (!**at)
        return false;
    const size_t length = strcspn(*at, ","), name = strcspn(*at, ",=");
    const char *behind = name < length ? *at + name + 1 : *at + length;
    snprintf(key, room, "%.*s", (int)name, *at);
    snprintf(value, room, "%.*s", (int)(*at + length - behind), behind);
    *at += length;
    *at += **at == ',';
    return true;
}

/* text: of one back end, [length]. */
static bool open_one(const ts_run_opening *o, const char *text, size_t length, int first, int count, ts_run_device **devices,
                     tessera_error *error)
{
    char arguments[ARGUMENTS] = "";
    const int kind = kind_of(text, length);
    const char *colon = memchr(text, ':', length);
    if (kind < 0 || length >= ARGUMENTS)
        return ts_run_fail(error, TESSERA_USAGE, "backend: there is no \"%.*s\"; there are emulator, sim, uio and xrt", (int)length, text);
    if (colon)
        snprintf(arguments, sizeof arguments, "%.*s", (int)(text + length - colon - 1), colon + 1);
    ts_run_opening own = *o;
    own.arguments = arguments;
    return kinds[kind].open(&own, first, count, devices, error);
}

bool ts_run_open_backend(const ts_run_opening *o, const char *backend, ts_run_device **devices, tessera_error *error)
{
    const int count = o->package->devices;
    int given = 1;
    for (const char *c = backend; *c; c++)
        given += *c == ';';
    const int kind = kind_of(backend, strcspn(backend, ";"));
    if (given == 1 && (count == 1 || (kind >= 0 && kinds[kind].whole)))
        return open_one(o, backend, strlen(backend), 0, count, devices, error);
    if (given != count)
        return ts_run_fail(error, TESSERA_USAGE, "backend: \"%s\" names %d device(s), the package has %d: one each, with ; in between",
                           backend, given, count);
    for (int i = 0; i < count; i++) {
        const size_t length = strcspn(backend, ";");
        const int one = kind_of(backend, length);
        if (one >= 0 && kinds[one].whole)
            return ts_run_fail(error, TESSERA_USAGE, "backend: %s is for all devices together", kinds[one].name);
        if (!open_one(o, backend, length, i, 1, &devices[i], error))
            return false;
        backend += length + 1;
    }
    return true;
}
