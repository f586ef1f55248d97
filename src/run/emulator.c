/* Back end "emulator": the integer model behind the registers and streams of a board. Of several devices all are the model together: the
   first one takes hits, the last one gives results, each one has its registers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "run/backend.h"
#include "run/file.h"
#include "run/format.h"

enum { HELD = 8 /* events between in and out, as a ring would have */ };

typedef struct result {
    uint8_t *bytes; /* [most_out] */
    size_t size;
    unsigned flags;
} result;

/* What the devices of a package share. */
typedef struct model {
    pthread_mutex_t lock; /* of what is below, but for the engine, which is for any number of threads */
    pthread_cond_t moved;
    const ts_run_library *library;
    const ts_run_package *package;
    tessera_engine *engine;
    char *design; /* its directory */
    int width;    /* values of a row as the engine gives them */
    int32_t *in, *out, *best;
    result held[HELD];
    int first, count;
    uint64_t events, refused;
    uint64_t latched_events, latched_refused;
    bool enabled;
    int users;
} model;

typedef struct emulated {
    ts_run_device device;
    model *model;
    uint32_t control[0x400 / 4]; /* registers that are written and read, and nothing more */
} emulated;

static bool read_register(ts_run_device *d, uint32_t at, uint32_t *value, tessera_error *error)
{
    emulated *e = (emulated *)d;
    model *m = e->model;
    const ts_run_package *p = m->package;
    const ts_run_part *part = &p->part[d->number];
    const bool first = d->number == 0, last = d->number == p->devices - 1;
    pthread_mutex_lock(&m->lock);
    switch (at) {
    case TS_RUN_REG_MAGIC:
        *value = 0x41534554;
        break;
    case TS_RUN_REG_MAP:
        *value = 1 << 16;
        break;
    case TS_RUN_REG_BUILD_LO:
        *value = (uint32_t)part->build;
        break;
    case TS_RUN_REG_BUILD_HI:
        *value = (uint32_t)(part->build >> 32);
        break;
    case TS_RUN_REG_CAPABILITIES:
        *value = (first ? (uint32_t)TS_RUN_CAPABILITIES_FIRST : 0) | (last ? (uint32_t)TS_RUN_CAPABILITIES_LAST : 0);
        break;
    case TS_RUN_REG_STATUS:
        *value = (uint32_t)TS_RUN_STATUS_PAGE_IDLE | (m->count == 0 ? (uint32_t)TS_RUN_STATUS_IDLE : 0);
        break;
    case TS_RUN_REG_MAX_TOKENS:
        *value = (uint32_t)p->max_tokens;
        break;
    case TS_RUN_REG_EVENTS:
        *value = (uint32_t)m->latched_events;
        break;
    case TS_RUN_REG_EVENTS + 4:
        *value = (uint32_t)(m->latched_events >> 32);
        break;
    case TS_RUN_REG_REFUSED:
        *value = (uint32_t)m->latched_refused;
        break;
    case TS_RUN_REG_REFUSED + 4:
        *value = (uint32_t)(m->latched_refused >> 32);
        break;
    default:
        *value = at < sizeof e->control ? e->control[at / 4] : 0;
    }
    pthread_mutex_unlock(&m->lock);
    return true;
}

static bool write_register(ts_run_device *d, uint32_t at, uint32_t value, tessera_error *error)
{
    emulated *e = (emulated *)d;
    model *m = e->model;
    if (at == TS_RUN_REG_WEIGHT_COMMIT)
        return ts_run_fail(error, TESSERA_UNSUPPORTED, "the emulator takes files of weights whole: tessera_run_load");
    pthread_mutex_lock(&m->lock);
    if (at == TS_RUN_REG_COMMAND && (value & TS_RUN_COMMAND_LATCH)) {
        m->latched_events = m->events;
        m->latched_refused = m->refused;
    }
    if (at == TS_RUN_REG_CONTROL)
        m->enabled = value & TS_RUN_CONTROL_ENABLE;
    if (at != TS_RUN_REG_COMMAND && at != TS_RUN_REG_INTERRUPT && at < sizeof e->control)
        e->control[at / 4] = value;
    pthread_mutex_unlock(&m->lock);
    return true;
}

/* As rtl/ts_argmax.v does: the largest value, its lowest index. */
static void arg_max(const model *m, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++) {
        const int32_t *y = &m->out[r * m->width];
        int at = 0;
        for (int i = 1; i < m->width; i++)
            at = y[i] > y[at] ? i : at;
        m->best[2 * r] = y[at];
        m->best[2 * r + 1] = at;
    }
}

static bool compute(model *m, int64_t tokens, const uint8_t *bytes, result *made, tessera_error *error)
{
    const ts_run_package *p = m->package;
    const int64_t rows = ts_run_word_rows(p, tokens);
    const int32_t hits = (int32_t)tokens;
    ts_run_unpack(&p->in, tokens, bytes, m->in);
    if (m->library->call.run_words(m->engine, 1, &hits, m->in, m->out, error) != TESSERA_OK)
        return false;
    if (p->argmax)
        arg_max(m, rows);
    ts_run_pack(&p->out, rows, p->argmax ? m->best : m->out, made->bytes);
    made->size = ts_run_stream_size(&p->out, rows);
    made->flags = 0;
    return true;
}

static ts_run_move send(ts_run_device *d, const uint8_t *bytes, size_t size, tessera_error *error)
{
    model *m = ((emulated *)d)->model;
    const ts_run_package *p = m->package;
    const size_t hit = ts_run_stream_size(&p->in, 1);
    pthread_mutex_lock(&m->lock);
    const bool room = m->enabled && m->count < HELD;
    result *made = &m->held[(m->first + m->count) % HELD];
    pthread_mutex_unlock(&m->lock);
    if (!room)
        return TS_RUN_BUSY;
    const bool refused = size == 0 || size % hit != 0 || size / hit > (size_t)p->max_tokens;
    if (refused) { /* one transfer of zeros */
        memset(made->bytes, 0, p->out.slot);
        made->size = p->out.slot;
        made->flags = TS_RUN_FLAG_REFUSED;
    } else if (!compute(m, (int64_t)(size / hit), bytes, made, error)) {
        return TS_RUN_BROKEN;
    }
    ts_run_put_status(p, made->bytes, &made->size, made->flags);
    if (p->status_word)
        made->flags = 0;
    pthread_mutex_lock(&m->lock);
    m->count++;
    m->events++;
    m->refused += refused;
    pthread_cond_broadcast(&m->moved);
    pthread_mutex_unlock(&m->lock);
    return TS_RUN_MOVED;
}

static ts_run_move take(ts_run_device *d, uint8_t *bytes, size_t room, size_t *size, unsigned *flags, tessera_error *error)
{
    model *m = ((emulated *)d)->model;
    pthread_mutex_lock(&m->lock);
    const bool some = m->count > 0;
    const result *made = &m->held[m->first];
    if (some && made->size <= room) {
        memcpy(bytes, made->bytes, made->size);
        *size = made->size;
        *flags = made->flags;
        m->first = (m->first + 1) % HELD;
        m->count--;
        pthread_cond_broadcast(&m->moved);
    }
    pthread_mutex_unlock(&m->lock);
    return some ? TS_RUN_MOVED : TS_RUN_BUSY;
}

static void wait_for(ts_run_device *d, double seconds)
{
    model *m = ((emulated *)d)->model;
    const int64_t end = ts_run_now() + (int64_t)(seconds * 1e9);
    const struct timespec until = {(time_t)(end / 1000000000), (long)(end % 1000000000)};
    pthread_mutex_lock(&m->lock);
    if (m->count == 0)
        pthread_cond_timedwait(&m->moved, &m->lock, &until);
    pthread_mutex_unlock(&m->lock);
}

static bool place(ts_run_device *d, int loader, const uint8_t *image, size_t size, size_t alignment, uint64_t *address,
                  tessera_error *error)
{
    *address = 0; /* the model has its weights */
    return true;
}

static bool restart(ts_run_device *d, tessera_error *error)
{
    model *m = ((emulated *)d)->model;
    pthread_mutex_lock(&m->lock);
    m->count = 0;
    m->events = m->refused = m->latched_events = m->latched_refused = 0;
    pthread_mutex_unlock(&m->lock);
    return true;
}

/* Nothing is inside while this runs. */
static bool weights(ts_run_device *d, const char *path, tessera_error *error)
{
    model *m = ((emulated *)d)->model;
    tessera_engine *engine;
    if (!ts_run_engine_open(m->library, m->design, path, &engine, error))
        return false;
    m->library->call.engine_free(m->engine);
    m->engine = engine;
    return true;
}

static void release(model *m)
{
    if (--m->users > 0)
        return;
    if (m->engine)
        m->library->call.engine_free(m->engine);
    for (int i = 0; i < HELD; i++)
        free(m->held[i].bytes);
    free(m->design);
    free(m->in);
    free(m->out);
    free(m->best);
    pthread_cond_destroy(&m->moved);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static void close_device(ts_run_device *d)
{
    release(((emulated *)d)->model);
    free(d);
}

static const ts_run_device_kind kind = {"emulator", read_register, write_register, send,    take,
                                        wait_for,   place,         restart,        weights, close_device};

static bool allocate(model *m, const ts_run_device *d, tessera_error *error)
{
    const ts_run_package *p = m->package;
    const size_t rows = (size_t)ts_run_word_rows(p, p->max_tokens), out = rows * (size_t)m->width;
    m->in = calloc((size_t)p->max_tokens * (size_t)p->in.values, sizeof *m->in);
    m->out = calloc(out, sizeof *m->out);
    m->best = calloc(2 * rows, sizeof *m->best);
    bool ok = m->in && m->out && m->best;
    for (int i = 0; i < HELD; i++)
        ok = (m->held[i].bytes = calloc(1, d->most_out)) && ok;
    return ok || ts_run_fail_memory(error, out * sizeof *m->out);
}

/* The package's copy of the model, or the design that the arguments name. */
static bool open_engine(const ts_run_opening *o, model *m, tessera_error *error)
{
    long long width = 0;
    m->design = *o->arguments ? strdup(o->arguments) : ts_run_path(o->package->dir, "emulator", error);
    if (!m->design || !ts_run_engine_open(o->library, m->design, NULL, &m->engine, error))
        return m->design ? false : ts_run_fail_memory(error, 0);
    if (!ts_run_json_int(ts_run_json_get(ts_run_json_get(o->package->json, "run"), "results"), "outputs", 1, 1 << 20, &width))
        return ts_run_fail(error, TESSERA_BAD_FILE, "%s/manifest.json: run.results.outputs is missing", o->package->dir);
    m->width = (int)width;
    return true;
}

bool ts_run_open_emulator(const ts_run_opening *o, int first, int count, ts_run_device **devices, tessera_error *error)
{
    model *m = calloc(1, sizeof *m);
    if (!m)
        return ts_run_fail_memory(error, sizeof *m);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    m->library = o->library;
    m->package = o->package;
    m->enabled = true;
    m->users = 1; /* this function */
    bool ok = open_engine(o, m, error);
    for (int i = 0; ok && i < count; i++) {
        emulated *e = calloc(1, sizeof *e);
        ok = e || ts_run_fail_memory(error, sizeof *e);
        if (!ok)
            break;
        e->model = m;
        m->users++;
        ts_run_device_begin(&e->device, &kind, o, first + i);
        devices[i] = &e->device;
        ok = i > 0 || allocate(m, &e->device, error);
    }
    release(m);
    return ok;
}
