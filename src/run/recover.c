/* Devices that are found, that hang, and that are reset. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/file.h"
#include "run/runner.h"

static const double POLL = 50e-6; /* seconds between looks at STATUS */
static const double QUIET = 5e-3; /* seconds without a result behind which none is on its way any more */

bool ts_run_halt(tessera_runner *r, int64_t until, tessera_error *error)
{
    pthread_mutex_lock(&r->control);
    pthread_mutex_lock(&r->lock);
    r->halted = true;
    while ((r->sending || r->taking) && ts_run_now() < until)
        ts_run_wait_changed(r, until);
    const bool ok = !r->sending && !r->taking;
    if (!ok)
        r->halted = false;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (!ok) {
        pthread_mutex_unlock(&r->control);
        ts_run_fail(error, TESSERA_TIMED_OUT, "another call is inside of a device and does not come back");
    }
    return ok;
}

void ts_run_go_on(tessera_runner *r)
{
    pthread_mutex_lock(&r->lock);
    r->halted = false;
    r->send_since = 0;
    r->moved = ts_run_now();
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_mutex_unlock(&r->control);
}

/* ---- What devices say */

static size_t add(char *text, size_t room, size_t at, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static size_t add(char *text, size_t room, size_t at, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    const int n = at < room ? vsnprintf(text + at, room - at, fmt, list) : 0;
    va_end(list);
    return n > 0 ? at + (size_t)n : at;
}

/* Two counters, latched. */
static bool stalls(ts_run_device *d, uint64_t count[2], tessera_error *error)
{
    return ts_run_write(d, TS_RUN_REG_COMMAND, TS_RUN_COMMAND_LATCH, error) && ts_run_counter(d, TS_RUN_REG_STALL_IN, &count[0], error) &&
           ts_run_counter(d, TS_RUN_REG_STALL_OUT, &count[1], error);
}

static const char *grows(uint64_t before, uint64_t now)
{
    return now > before ? "grows" : "stands";
}

static size_t describe(ts_run_device *d, char *text, size_t room, size_t at)
{
    tessera_error met = {TESSERA_OK, ""};
    uint32_t status;
    uint64_t before[2], now[2], events;
    if (!ts_run_read(d, TS_RUN_REG_STATUS, &status, &met) || !stalls(d, before, &met) || !stalls(d, now, &met) ||
        !ts_run_counter(d, TS_RUN_REG_EVENTS, &events, &met))
        return add(text, room, at, "; %s", met.message);
    return add(text, room, at, "; %s: STATUS 0x%02x at 0x%03x%s%s%s, EVENTS %llu, STALL_IN %s, STALL_OUT %s", d->name, status,
               TS_RUN_REG_STATUS, status & TS_RUN_STATUS_IDLE ? " (idle)" : "", status & TS_RUN_STATUS_FAULT ? " (FAULT)" : "",
               status & TS_RUN_STATUS_PAGE_ERROR ? " (PAGE_ERROR)" : "", (unsigned long long)events, grows(before[0], now[0]),
               grows(before[1], now[1]));
}

void ts_run_describe_hang(tessera_runner *r, tessera_error *error)
{
    char text[sizeof error->message];
    size_t at = add(text, sizeof text, 0, "%s", error->message);
    for (int i = 0; i < r->devices; i++)
        at = describe(r->device[i], text, sizeof text, at);
    add(text, sizeof text, at, "; tessera_run_reset is next");
    ts_run_fail(error, error->code, "%s", text);
}

/* ---- Draining */

/* One result of what is inside, into its event or away. */
static ts_run_move drain_one(tessera_runner *r, tessera_error *error)
{
    ts_run_device *d = r->device[r->devices - 1];
    pthread_mutex_lock(&r->lock);
    ts_run_slot *s = ts_run_first(r, TS_RUN_SENT);
    pthread_mutex_unlock(&r->lock);
    uint8_t *own = s ? NULL : malloc(d->most_out);
    size_t size = 0;
    unsigned flags = 0;
    if (!s && !own) {
        ts_run_fail_memory(error, d->most_out);
        return TS_RUN_BROKEN;
    }
    ts_run_move move = d->kind->take(d, s ? s->out : own, d->most_out, &size, &flags, error);
    free(own);
    if (move == TS_RUN_BROKEN)
        ts_run_fail_in(error, "%s", d->name);
    if (move == TS_RUN_MOVED) {
        pthread_mutex_lock(&r->lock);
        r->inside -= r->inside > 0;
        if (s && !ts_run_arrived(r, s, size, flags, error))
            move = TS_RUN_BROKEN;
        pthread_mutex_unlock(&r->lock);
    }
    return move;
}

bool ts_run_drain(tessera_runner *r, int64_t until, tessera_error *error)
{
    ts_run_device *d = r->device[r->devices - 1];
    for (;;) {
        pthread_mutex_lock(&r->lock);
        const int inside = r->inside;
        pthread_mutex_unlock(&r->lock);
        if (inside == 0)
            return true;
        const ts_run_move move = drain_one(r, error);
        if (move == TS_RUN_BROKEN)
            return false;
        if (move == TS_RUN_BUSY) {
            if (ts_run_now() >= until)
                return ts_run_fail(error, TESSERA_TIMED_OUT, "%s: %d event(s) do not come out of the devices", d->name, inside);
            d->kind->wait(d, 1e-3);
        }
    }
}

/* ---- Starting */

static bool wait_status(ts_run_device *d, uint32_t mask, uint32_t wanted, int64_t until, uint32_t *status, tessera_error *error)
{
    for (;;) {
        if (!ts_run_read(d, TS_RUN_REG_STATUS, status, error))
            return false;
        if ((*status & mask) == wanted)
            return true;
        if (ts_run_now() >= until)
            return ts_run_fail(error, TESSERA_TIMED_OUT, "%s: STATUS at 0x%03x stays 0x%02x%s", d->name, TS_RUN_REG_STATUS, *status,
                               *status & TS_RUN_STATUS_RESETTING ? ": a soft reset does not end, an event inside does not come out" : "");
        ts_run_pause(POLL);
    }
}

static bool check_build(const tessera_runner *r, ts_run_device *d, tessera_error *error)
{
    const uint64_t wanted = r->package.part[d->number].build;
    uint32_t magic, map, low, high;
    if (!ts_run_read(d, TS_RUN_REG_MAGIC, &magic, error))
        return false;
    if (magic != 0x41534554)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "%s: MAGIC at 0x%03x is 0x%08x and not 0x41534554: no tessera engine is there",
                           d->name, TS_RUN_REG_MAGIC, magic);
    if (!ts_run_read(d, TS_RUN_REG_MAP, &map, error) || !ts_run_read(d, TS_RUN_REG_BUILD_LO, &low, error) ||
        !ts_run_read(d, TS_RUN_REG_BUILD_HI, &high, error))
        return false;
    if (map >> 16 != 1)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "%s: MAP at 0x%03x says version %u.%u of the register map, this library knows 1",
                           d->name, TS_RUN_REG_MAP, map >> 16, map & 0xffff);
    if (((uint64_t)high << 32 | low) == wanted)
        return true;
    return ts_run_fail(error, TESSERA_NO_DEVICE, "%s: BUILD at 0x%03x is %08x%08x, %s is of build %016llx: load its bitstream", d->name,
                       TS_RUN_REG_BUILD_LO, high, low, r->package.dir, (unsigned long long)wanted);
}

bool ts_run_stop_pages(const tessera_runner *r, ts_run_device *d, int64_t until, tessera_error *error)
{
    uint32_t status;
    return r->package.part[d->number].loaders == 0 ||
           (ts_run_write(d, TS_RUN_REG_PAGE_RUN, 0, error) &&
            wait_status(d, TS_RUN_STATUS_PAGE_IDLE, TS_RUN_STATUS_PAGE_IDLE, until, &status, error));
}

bool ts_run_place_pages(const tessera_runner *r, ts_run_device *d, int loader, const uint8_t *image, size_t size, tessera_error *error)
{
    enum { NEXT_LOADER = 0x20 }; /* between the registers of one loader and the next */
    const ts_run_part *part = &r->package.part[d->number];
    const uint32_t registers = TS_RUN_REG_PAGE_BASE_LO + NEXT_LOADER * (uint32_t)loader;
    uint64_t at = 0;
    if (loader >= part->loaders || (long long)size != part->image[loader].bytes)
        return ts_run_fail(error, TESSERA_BAD_FILE, "%s: %zu bytes of pages for loader %d: they are of another design", d->name, size,
                           loader);
    if (!d->kind->place)
        return ts_run_fail(error, TESSERA_UNSUPPORTED, "%s: its weights are pages in external memory, back end %s has none", d->name,
                           d->kind->name);
    if (!d->kind->place(d, loader, image, size, (size_t)part->image[loader].alignment, &at, error))
        return ts_run_fail_in(error, "%s: pages", d->name);
    if (at % (uint64_t)part->image[loader].alignment != 0)
        return ts_run_fail(error, TESSERA_NO_DEVICE, "%s: pages are at 0x%llx, which is no multiple of %lld", d->name,
                           (unsigned long long)at, part->image[loader].alignment);
    return ts_run_write(d, registers, (uint32_t)at, error) && ts_run_write(d, registers + 4, (uint32_t)(at >> 32), error);
}

bool ts_run_start_pages(const tessera_runner *r, ts_run_device *d, int64_t until, tessera_error *error)
{
    uint32_t status;
    return r->package.part[d->number].loaders == 0 ||
           (ts_run_write(d, TS_RUN_REG_COMMAND, TS_RUN_COMMAND_RESET, error) &&
            wait_status(d, TS_RUN_STATUS_RESETTING, 0, until, &status, error) && ts_run_write(d, TS_RUN_REG_PAGE_RUN, 1, error));
}

/* The package's own images. */
static bool place_images(const tessera_runner *r, ts_run_device *d, tessera_error *error)
{
    const ts_run_part *part = &r->package.part[d->number];
    bool ok = true;
    for (int i = 0; ok && i < part->loaders; i++) {
        size_t size = 0;
        char *path = ts_run_path(r->package.dir, part->image[i].file, error);
        char *image = path ? ts_run_file(path, (size_t)part->image[i].bytes, &size, error) : NULL;
        ok = image && ts_run_place_pages(r, d, i, (const uint8_t *)image, size, error);
        free(image);
        free(path);
    }
    return ok;
}

static bool reset_all(tessera_runner *r, int64_t until, tessera_error *error)
{
    uint32_t status;
    for (int i = 0; i < r->devices; i++)
        if (!ts_run_write(r->device[i], TS_RUN_REG_COMMAND, TS_RUN_COMMAND_RESET, error))
            return false;
    for (int i = 0; i < r->devices; i++) {
        if (!wait_status(r->device[i], TS_RUN_STATUS_RESETTING | TS_RUN_STATUS_FAULT, 0, until, &status, error) ||
            !ts_run_write(r->device[i], TS_RUN_REG_INTERRUPT, 0xffffffff, error))
            return false;
    }
    return true;
}

bool ts_run_start(tessera_runner *r, int64_t until, tessera_error *error)
{
    for (int i = 0; i < r->devices; i++)
        if (!check_build(r, r->device[i], error))
            return false;
    for (int i = 0; i < r->devices; i++)
        if (!ts_run_stop_pages(r, r->device[i], until, error) || !place_images(r, r->device[i], error) ||
            !ts_run_start_pages(r, r->device[i], until, error) ||
            !ts_run_write(r->device[i], TS_RUN_REG_CONTROL, TS_RUN_CONTROL_ENABLE, error))
            return false;
    return ts_run_write_weights(r, r->weights, until, error);
}

/* Whether no device has an event inside. */
static bool all_idle(tessera_runner *r, bool *idle, tessera_error *error)
{
    *idle = true;
    for (int i = 0; i < r->devices; i++) {
        uint32_t status;
        if (!ts_run_read(r->device[i], TS_RUN_REG_STATUS, &status, error))
            return false;
        *idle = *idle && (status & TS_RUN_STATUS_IDLE);
    }
    return true;
}

/* What another process has left in devices is thrown away. An event of which it did not send the end is ended by one more hit. */
static bool throw_away(tessera_runner *r, int64_t until, tessera_error *error)
{
    ts_run_device *first = r->device[0], *last = r->device[r->devices - 1];
    uint8_t *scratch = calloc(1, last->most_out + first->most_in);
    const int64_t begin = ts_run_now();
    int64_t quiet = begin;
    bool ok = scratch != NULL || ts_run_fail_memory(error, last->most_out), ended = false, idle = false;
    while (ok) {
        size_t size;
        unsigned flags;
        const ts_run_move move = last->kind->take(last, scratch, last->most_out, &size, &flags, error);
        const int64_t now = ts_run_now();
        ok = move != TS_RUN_BROKEN && all_idle(r, &idle, error);
        if (!ok)
            break;
        if (move == TS_RUN_MOVED || !idle)
            quiet = now;
        if ((double)(now - quiet) * 1e-9 > QUIET)
            break;
        if (!ended && now - begin > (until - begin) / 2) {
            ended = true;
            memset(scratch, 0, ts_run_stream_size(&r->package.in, 1));
            ok = first->kind->send(first, scratch, ts_run_stream_size(&r->package.in, 1), error) != TS_RUN_BROKEN;
        }
        if (ok && now >= until)
            ok = ts_run_fail(error, TESSERA_TIMED_OUT, "%s: events of somebody before do not come out", last->name);
        if (ok && move == TS_RUN_BUSY)
            last->kind->wait(last, 1e-3);
    }
    free(scratch);
    return ok;
}

static bool was_used(tessera_runner *r, bool *used, tessera_error *error)
{
    uint64_t events;
    ts_run_device *d = r->device[r->devices - 1];
    bool idle;
    if (!ts_run_write(d, TS_RUN_REG_COMMAND, TS_RUN_COMMAND_LATCH, error) || !ts_run_counter(d, TS_RUN_REG_EVENTS, &events, error) ||
        !all_idle(r, &idle, error))
        return false;
    *used = events > 0 || !idle;
    return true;
}

/* Everything to power-up but the bitstream. */
static bool hard_reset(tessera_runner *r, const tessera_error *why, int64_t until, tessera_error *error)
{
    for (int i = 0; i < r->devices; i++) {
        ts_run_device *d = r->device[i];
        if (!d->kind->restart)
            return ts_run_fail(error, why->code, "%s; back end %s has no hard reset: reset %s from outside, or load its bitstream again",
                               why->message, d->kind->name, d->name);
        if (!d->kind->restart(d, error))
            return ts_run_fail_in(error, "%s: hard reset", d->name);
    }
    pthread_mutex_lock(&r->lock);
    r->inside = 0;
    for (ts_run_slot *s = r->first; s; s = s->next)
        if (s->state == TS_RUN_SENT) {
            s->state = TS_RUN_HERE;
            s->status = TESSERA_RUN_LOST;
            s->here = ts_run_now();
            r->lost++;
            r->lost_to = *why;
        }
    pthread_mutex_unlock(&r->lock);
    return ts_run_start(r, until, error);
}

bool ts_run_soft_reset(tessera_runner *r, int64_t until, tessera_error *error)
{
    tessera_error why = {TESSERA_OK, ""};
    const int64_t now = ts_run_now();
    if (ts_run_drain(r, now + (until - now) / 2, &why) && reset_all(r, until, &why))
        return true;
    /* A hard reset takes no time to speak of, but for what is loaded behind it. */
    return hard_reset(r, &why, until + (int64_t)(r->timeout * 1e9), error);
}

bool ts_run_open_with(tessera_runner *r, tessera_error *error)
{
    const int64_t until = ts_run_until(r, -1);
    tessera_error why = {TESSERA_OK, ""};
    bool used = false;
    for (int i = 0; i < r->devices; i++)
        if (!check_build(r, r->device[i], error))
            return false;
    if (!was_used(r, &used, error))
        return false;
    if (used && !(ts_run_write(r->device[0], TS_RUN_REG_CONTROL, TS_RUN_CONTROL_ENABLE, &why) && throw_away(r, until, &why) &&
                  reset_all(r, until, &why)))
        return hard_reset(r, &why, until + (int64_t)(r->timeout * 1e9), error);
    return ts_run_start(r, until, error);
}
