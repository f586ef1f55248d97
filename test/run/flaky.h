/* Devices for tests, that compute something simple, and fail in the ways that devices do. A row of results is {first value of the hit, 3 *
   second value + hits of the event}; a pooled one would be of another device. */
#ifndef TS_FLAKY_H
#define TS_FLAKY_H
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "run/runner.h"

enum { FLAKY_MAX_TOKENS = 12, FLAKY_HELD = 4 };

/* What goes wrong with a chain of devices; all zero: nothing. */
typedef struct flaky_faults {
    bool no_results; /* nothing comes out: a ring that stands */
    bool no_hits;    /* nothing is taken */
    bool no_registers;
    bool broken_stream; /* taking fails with an error */
    bool short_result;  /* the next result lacks its last row */
    bool swallow;       /* the next event never comes out */
    bool no_restart;    /* there is no hard reset */
    bool stuck_reset;   /* a soft reset does not end */
    double slow;        /* seconds that an event takes */
} flaky_faults;

typedef struct flaky_event {
    uint8_t bytes[1024];
    size_t size;
    int64_t ready;
} flaky_event;

typedef struct flaky_chain {
    pthread_mutex_t lock;
    flaky_faults faults;
    flaky_event held[FLAKY_HELD];
    int first, count;
    uint64_t events, stall;
    bool resetting, enabled;
    uint64_t build;
    int restarts, resets, opened;
} flaky_chain;

typedef struct flaky_device {
    ts_run_device device;
    flaky_chain *chain;
} flaky_device;

static inline flaky_chain *flaky_of(ts_run_device *d)
{
    return ((flaky_device *)d)->chain;
}

static bool flaky_read(ts_run_device *d, uint32_t at, uint32_t *value, tessera_error *error)
{
    flaky_chain *c = flaky_of(d);
    pthread_mutex_lock(&c->lock);
    const bool ok = !c->faults.no_registers || ts_run_fail(error, TESSERA_NO_DEVICE, "SLVERR");
    *value = at == TS_RUN_REG_MAGIC       ? 0x41534554
             : at == TS_RUN_REG_MAP       ? 1 << 16
             : at == TS_RUN_REG_BUILD_LO  ? (uint32_t)(c->build + (uint64_t)d->number)
             : at == TS_RUN_REG_BUILD_HI  ? (uint32_t)(c->build >> 32)
             : at == TS_RUN_REG_EVENTS    ? (uint32_t)c->events
             : at == TS_RUN_REG_STALL_OUT ? (uint32_t)(c->stall += c->faults.no_results)
             : at == TS_RUN_REG_STATUS
                 ? (c->count ? 0 : (uint32_t)TS_RUN_STATUS_IDLE) | (c->resetting ? (uint32_t)TS_RUN_STATUS_RESETTING : 0)
                 : 0;
    if (c->count == 0 && !c->faults.stuck_reset)
        c->resetting = false;
    pthread_mutex_unlock(&c->lock);
    return ok;
}

static bool flaky_write(ts_run_device *d, uint32_t at, uint32_t value, tessera_error *error)
{
    flaky_chain *c = flaky_of(d);
    pthread_mutex_lock(&c->lock);
    const bool ok = !c->faults.no_registers || ts_run_fail(error, TESSERA_NO_DEVICE, "SLVERR");
    if (at == TS_RUN_REG_COMMAND && (value & TS_RUN_COMMAND_RESET)) {
        c->resetting = true;
        c->resets++;
    }
    if (at == TS_RUN_REG_CONTROL)
        c->enabled = value & 1;
    pthread_mutex_unlock(&c->lock);
    return ok;
}

static ts_run_move flaky_send(ts_run_device *d, const uint8_t *bytes, size_t size, tessera_error *error)
{
    flaky_chain *c = flaky_of(d);
    CHECK_THAT(d->number == 0 && size % 4 == 0 && size <= d->most_in && size > 0);
    pthread_mutex_lock(&c->lock);
    const bool room = !c->faults.no_hits && c->count < FLAKY_HELD && !c->resetting && c->enabled;
    if (room && c->faults.swallow) {
        c->faults.swallow = false;
        c->faults.no_results = true; /* what is behind it does not come either: results leave in the order of the events */
    } else if (room) {
        flaky_event *e = &c->held[(c->first + c->count++) % FLAKY_HELD];
        const int hits = (int)(size / 4);
        for (int i = 0; i < hits; i++) {
            int16_t in[2];
            memcpy(in, bytes + 4 * i, 4);
            const int32_t out[2] = {in[0], 3 * in[1] + hits};
            memcpy(e->bytes + 8 * i, out, 8);
        }
        e->size = 8 * (size_t)hits;
        e->ready = ts_run_now() + (int64_t)(c->faults.slow * 1e9);
    }
    pthread_mutex_unlock(&c->lock);
    return room ? TS_RUN_MOVED : TS_RUN_BUSY;
}

static ts_run_move flaky_take(ts_run_device *d, uint8_t *bytes, size_t room, size_t *size, unsigned *flags, tessera_error *error)
{
    flaky_chain *c = flaky_of(d);
    pthread_mutex_lock(&c->lock);
    const flaky_event *e = &c->held[c->first];
    const bool some = c->count > 0 && !c->faults.no_results && ts_run_now() >= e->ready, broken = c->faults.broken_stream;
    if (broken)
        ts_run_fail(error, TESSERA_NO_DEVICE, "DMA: decode error");
    if (some && !broken) {
        CHECK_THAT(e->size <= room);
        *size = e->size - (c->faults.short_result ? 8 : 0);
        memcpy(bytes, e->bytes, *size);
        *flags = 0;
        c->faults.short_result = false;
        c->first = (c->first + 1) % FLAKY_HELD;
        c->count--;
        c->events++;
    }
    pthread_mutex_unlock(&c->lock);
    return broken ? TS_RUN_BROKEN : some ? TS_RUN_MOVED : TS_RUN_BUSY;
}

static void flaky_wait(ts_run_device *d, double seconds)
{
    ts_run_pause(seconds < 20e-6 ? seconds : 20e-6);
}

static bool flaky_restart(ts_run_device *d, tessera_error *error)
{
    flaky_chain *c = flaky_of(d);
    pthread_mutex_lock(&c->lock);
    const bool ok = !c->faults.no_restart || ts_run_fail(error, TESSERA_UNSUPPORTED, "the reset is not connected");
    if (ok) {
        c->restarts += d->number == 0;
        c->count = 0;
        c->events = 0;
        c->resetting = false;
        c->faults = (flaky_faults){.slow = c->faults.slow};
    }
    pthread_mutex_unlock(&c->lock);
    return ok;
}

static void flaky_close(ts_run_device *d)
{
    flaky_of(d)->opened--;
    free(d);
}

static const ts_run_device_kind flaky_kind = {"flaky",    flaky_read, flaky_write,   flaky_send, flaky_take,
                                              flaky_wait, NULL,       flaky_restart, NULL,       flaky_close};

static inline void flaky_chain_make(flaky_chain *c)
{
    *c = (flaky_chain){.build = 0x0123456789abcdf0, .enabled = true};
    pthread_mutex_init(&c->lock, NULL);
}

static bool flaky_status_word; /* of packages that are made from now on */

/* A package's manifest for so many of them, in a directory of its own; returns its path. */
static inline const char *flaky_package(int devices)
{
    static char dir[64];
    char path[96];
    if (!*dir) {
        strcpy(dir, "/tmp/tessera-run-XXXXXX");
        CHECK_THAT(mkdtemp(dir));
    }
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    FILE *f = fopen(path, "w");
    CHECK_THAT(f);
    fprintf(f,
            "{\"tessera_manifest\": 2, \"model\": \"flaky\", \"run\": {\"version\": 1, \"max_tokens\": %d,\n"
            " \"hits\": {\"bus_bits\": 64, \"values\": 2, \"lanes\": 2, \"lane_bits\": 16, \"transfers\": 1, \"value_bits\": 16, "
            "\"scale\": [1, 0.5]},\n"
            " \"results\": {\"bus_bits\": 64, \"values\": 2, \"lanes\": 2, \"lane_bits\": 32, \"transfers\": 1, \"value_bits\": 32, "
            "\"pooled\": false, "
            "\"argmax\": false, \"status_word\": %s, \"outputs\": 2, \"scale\": [1, 0.25]},\n \"devices\": [",
            FLAKY_MAX_TOKENS, flaky_status_word ? "true" : "false");
    for (int i = 0; i < devices; i++)
        fprintf(f,
                "%s{\"device\": \"board%d\", \"top\": \"flaky_board\", \"directory\": \".\", \"build\": \"0123456789abcdf%d\", \"loads\": "
                "false, \"rings\": 1}",
                i ? ", " : "", i, i);
    fprintf(f,
            "],\n \"inputs\": {\"inputs\": [{\"column\": \"x\", \"mean\": 1, \"std\": 2}, {\"column\": \"y\"}], \"task\": \"regression\", "
            "\"outputs\": [\"u\", \"v\"]}}}\n");
    fclose(f);
    return dir;
}

static inline void flaky_package_remove(const char *dir)
{
    char path[96];
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    unlink(path);
    rmdir(dir);
}

/* A handle on them; NULL with an error. */
static inline tessera_runner *flaky_open(flaky_chain *c, int devices, int depth, double timeout, tessera_error *error)
{
    tessera_runner *r = calloc(1, sizeof *r);
    const tessera_run_open_options o = {
        .size = sizeof o, .package = flaky_package(devices), .backend = "flaky", .depth = depth, .timeout = timeout};
    CHECK_THAT(r);
    *error = (tessera_error){TESSERA_OK, ""};
    bool ok = ts_run_make(r, &o, error) && ts_run_package_open(o.package, &r->package, error);
    if (ok) {
        const ts_run_opening opening = {&r->package, NULL, "", timeout};
        r->devices = devices;
        for (int i = 0; i < devices; i++) {
            flaky_device *d = calloc(1, sizeof *d);
            CHECK_THAT(d);
            d->chain = c;
            ts_run_device_begin(&d->device, &flaky_kind, &opening, i);
            r->device[i] = &d->device;
            c->opened++;
        }
        ok = ts_run_make_room(r, error) && ts_run_open_with(r, error);
    }
    if (ok)
        return r;
    ts_run_destroy(r);
    return NULL;
}

/* An event that no other has: words {id, index of the hit}. */
static inline tessera_code flaky_submit(tessera_runner *r, int id, int hits, double seconds, uint64_t *number, tessera_error *error)
{
    int32_t words[2 * 2 * FLAKY_MAX_TOKENS];
    tessera_run_event e = TESSERA_INIT(tessera_run_event);
    for (int i = 0; i < hits; i++) {
        words[2 * i] = id;
        words[2 * i + 1] = i;
    }
    e.hits = hits;
    e.words = words;
    e.user = (void *)(intptr_t)(id * 100 + hits);
    return tessera_run_submit(r, &e, seconds, number, error);
}

/* Its result, which must be that of the event which `user` says. Returns the code. */
static inline tessera_code flaky_wait_for(tessera_runner *r, uint64_t number, double seconds, tessera_run_result *result,
                                          tessera_error *error)
{
    int32_t words[2 * FLAKY_MAX_TOKENS];
    double values[2 * FLAKY_MAX_TOKENS];
    *result = (tessera_run_result)TESSERA_INIT(tessera_run_result);
    result->words = words;
    result->values = values;
    result->room = FLAKY_MAX_TOKENS;
    const tessera_code code = tessera_run_wait(r, number, seconds, result, error);
    if (code != TESSERA_OK)
        return code;
    const int id = (int)(intptr_t)result->user / 100, hits = (int)(intptr_t)result->user % 100;
    if (hits > FLAKY_MAX_TOKENS) {
        CHECK_THAT(result->status == TESSERA_RUN_REFUSED && result->rows == 0);
        return code;
    }
    CHECK_THAT(result->status == TESSERA_RUN_DONE && result->rows == hits);
    for (int i = 0; i < hits; i++) {
        CHECK_THAT(words[2 * i] == id && words[2 * i + 1] == 3 * i + hits);
        CHECK_THAT(values[2 * i] >= id && values[2 * i] <= id);
        CHECK_THAT(values[2 * i + 1] * 4 >= 3 * i + hits && values[2 * i + 1] * 4 <= 3 * i + hits);
    }
    return code;
}

#endif
