/* A handle, opened and closed. */
#include <stdlib.h>
#include <string.h>

#include "run/runner.h"

enum { DEPTH = 16, DEPTH_MOST = 1 << 16 };
static const double TIMEOUT = 10;

/* The caller's options as this version has them. */
static bool take_options(const tessera_run_open_options *given, tessera_run_open_options *o, tessera_error *error)
{
    memset(o, 0, sizeof *o);
    if (!given || given->size < sizeof given->size)
        return ts_run_fail(error, TESSERA_USAGE, "the options' size is not set: TESSERA_INIT(tessera_run_open_options) does");
    memcpy(o, given, given->size < sizeof *o ? given->size : sizeof *o);
    o->depth = o->depth ? o->depth : DEPTH;
    o->timeout = o->timeout != 0 ? o->timeout : TIMEOUT;
    if (!o->package || !o->backend)
        return ts_run_fail(error, TESSERA_USAGE, "package and backend are needed");
    if (o->depth < 1 || o->depth > DEPTH_MOST)
        return ts_run_fail(error, TESSERA_USAGE, "depth %d: 1 to %d", o->depth, DEPTH_MOST);
    return (o->timeout > 0 && o->timeout < 1e9) || ts_run_fail(error, TESSERA_USAGE, "timeout: seconds above 0");
}

bool ts_run_make(tessera_runner *r, const tessera_run_open_options *o, tessera_error *error)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->control, NULL);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    r->timeout = o->timeout;
    r->backend = strdup(o->backend);
    r->weights = o->weights ? strdup(o->weights) : NULL;
    r->slot = calloc((size_t)o->depth, sizeof *r->slot);
    if (!r->backend || (o->weights && !r->weights) || !r->slot)
        return ts_run_fail_memory(error, (size_t)o->depth * sizeof *r->slot);
    r->depth = o->depth;
    return true;
}

bool ts_run_make_room(tessera_runner *r, tessera_error *error)
{
    const size_t in = r->device[0]->most_in, out = r->device[r->devices - 1]->most_out;
    for (int i = 0; i < r->depth; i++) {
        ts_run_slot *s = &r->slot[i];
        s->in = malloc(in);
        s->out = malloc(out);
        if (!s->in || !s->out)
            return ts_run_fail_memory(error, in + out);
    }
    return true;
}

/* libtessera, where something is computed by it. */
static bool open_library(tessera_runner *r, const tessera_run_open_options *o, tessera_error *error)
{
    const bool assisted = r->package.assisted, emulated = ts_run_backend_needs_library(o->backend);
    if (!assisted && !emulated)
        return true;
    if (!ts_run_library_open(o, &r->library, error))
        return false;
    if (!assisted)
        return true;
    const size_t room = strlen(r->package.dir) + sizeof "/emulator";
    char *path = malloc(room);
    if (!path)
        return ts_run_fail_memory(error, room);
    memcpy(path, r->package.dir, room - sizeof "/emulator");
    memcpy(path + room - sizeof "/emulator", "/emulator", sizeof "/emulator");
    const bool ok = ts_run_engine_open(&r->library, path, NULL, &r->engine, error);
    free(path);
    return ok;
}

static bool open_all(tessera_runner *r, const tessera_run_open_options *o, tessera_error *error)
{
    if (!ts_run_make(r, o, error) || !ts_run_package_open(o->package, &r->package, error) || !open_library(r, o, error))
        return false;
    r->devices = r->package.devices;
    const ts_run_opening opening = {&r->package, &r->library, "", r->timeout};
    return ts_run_open_backend(&opening, o->backend, r->device, error) && ts_run_make_room(r, error) && ts_run_open_with(r, error);
}

tessera_code tessera_run_open(const tessera_run_open_options *options, tessera_runner **runner, tessera_error *error)
{
    tessera_error own = {TESSERA_OK, ""};
    tessera_run_open_options o;
    *runner = NULL;
    if (take_options(options, &o, &own)) {
        tessera_runner *r = calloc(1, sizeof *r);
        if (!r)
            ts_run_fail_memory(&own, sizeof *r);
        else if (open_all(r, &o, &own))
            *runner = r;
        else
            ts_run_destroy(r);
    }
    if (error)
        *error = own;
    return own.code;
}

void ts_run_destroy(tessera_runner *r)
{
    for (int i = 0; i < TS_RUN_DEVICES; i++)
        if (r->device[i])
            r->device[i]->kind->close(r->device[i]);
    for (int i = 0; i < r->depth; i++) {
        free(r->slot[i].values);
        free(r->slot[i].in);
        free(r->slot[i].out);
    }
    free(r->slot);
    free(r->backend);
    free(r->weights);
    if (r->engine)
        r->library.call.engine_free(r->engine);
    ts_run_library_close(&r->library);
    ts_run_package_close(&r->package);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->control);
    free(r);
}

/* The next process finds devices without events, where that does not take long. */
void tessera_run_close(tessera_runner *r)
{
    tessera_error unused = {TESSERA_OK, ""};
    const double patience = r && r->timeout < 1 ? r->timeout : 1;
    if (!r)
        return;
    const int64_t until = ts_run_until(r, patience);
    if (ts_run_halt(r, until, &unused)) {
        if (r->inside > 0)
            ts_run_drain(r, until, &unused);
        ts_run_go_on(r);
    }
    ts_run_destroy(r);
}

bool tessera_run_describe(const tessera_runner *r, tessera_run_info *info)
{
    if (!r || !info || info->size < sizeof info->size)
        return false;
    const ts_run_package *p = &r->package;
    const tessera_run_info made = {.size = info->size,
                                   .model = p->model,
                                   .backend = r->backend,
                                   .devices = r->devices,
                                   .features = p->features,
                                   .sample = p->sample,
                                   .column = p->column,
                                   .outputs = p->outputs,
                                   .output = p->output,
                                   .pooled = p->rows_pooled,
                                   .argmax = p->argmax,
                                   .assisted = p->assisted,
                                   .max_tokens = p->max_tokens,
                                   .word_features = p->in.values,
                                   .word_outputs = p->out.values,
                                   .input_bits = p->in.value_bits,
                                   .depth = r->depth,
                                   .timeout = r->timeout};
    memcpy(info, &made, info->size < sizeof made ? info->size : sizeof made);
    return true;
}

const char *tessera_run_version(void)
{
    return TESSERA_VERSION;
}

const char *tessera_run_code_name(tessera_code code)
{
    static const char *const names[] = {
#define CODE(name, text) [TESSERA_##name] = (text),
#include "base/code_names.def"
#undef CODE
    };
    const size_t at = (size_t)code;
    return at < sizeof names / sizeof *names && names[at] ? names[at] : "unknown";
}
