#define TS_FAIL_CODE TS_USAGE
#include "flow/engine.h"

#include <math.h>
#include <string.h>

#include "api/call.h"
#include "api/source.h"
#include "num/fixed.h"

struct tessera_engine {
    ts_arena *arena;
    ts_engine own;
    bool standardised;
};

/* ---- opening */

typedef struct opening {
    const tessera_engine_options *given;
    tessera_engine **engine;
} opening;

static bool open_engine(void *user, const ts_notices *notices, ts_err *err)
{
    const opening *j = user;
    static const ts_event_arrays none; /* it is for arrays that inputs are looked for */
    tessera_engine_options g;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_engine_options, err))
        return false;
    if (!g.path || (g.kind != TESSERA_FLOAT && g.kind != TESSERA_INTEGER))
        return ts_fail(err, "an engine has a path and computes with float or integer numbers; hardware is simulated by tessera_run");
    ts_arena *arena = ts_arena_new();
    tessera_engine *engine = TS_NEW(arena, tessera_engine);
    *engine = (tessera_engine){.arena = arena, .standardised = g.standardised};
    ts_event_source *source = TS_NEW(arena, ts_event_source);
    *source = (ts_event_source){.arrays = &none, .inputs = g.inputs, .notices = notices};
    const bool ok = ts_engine_open(arena, (ts_engine_kind)g.kind, ts_strdup(arena, g.path), g.weights, source, false, &engine->own, err);
    if (ok)
        *j->engine = engine;
    else
        tessera_engine_free(engine);
    return ok;
}

tessera_code tessera_engine_open(const tessera_engine_options *options, const tessera_callbacks *callbacks, tessera_engine **engine,
                                 tessera_error *error)
{
    *engine = NULL;
    return ts_call(callbacks, error, open_engine, &(opening){options, engine});
}

void tessera_engine_free(tessera_engine *engine)
{
    if (!engine)
        return;
    ts_engine_close(&engine->own);
    ts_arena_free(engine->arena);
}

/* The integer model; NULL: another engine. */
static const ts_imodel *model_of(const tessera_engine *engine)
{
    return engine->own.emu ? engine->own.c.design.im : NULL;
}

bool tessera_engine_describe(const tessera_engine *engine, tessera_engine_info *info)
{
    if (!engine)
        return false;
    const ts_imodel *im = model_of(engine);
    tessera_engine_info made = {
        .size = sizeof made, .features = engine->own.inputs->features, .outputs = engine->own.outputs, .pooled = engine->own.pooled};
    if (im) {
        const ts_fmt out = im->head_count > 0 ? im->head[im->head_count - 1].y : im->res;
        made.max_tokens = engine->own.c.design.plan.n_max;
        made.word_features = im->features;
        made.word_outputs = im->outputs;
        made.word_pooled = im->pool != TS_POOL_NONE;
        made.input_bits = im->in.bits;
        made.input_signed = im->in.is_signed;
        made.output_bits = out.bits;
        made.output_signed = out.is_signed;
    }
    ts_give_summary(info, &made, sizeof made);
    return true;
}

/* ---- real values */

static int64_t rows_of(bool pooled, int64_t events, const int32_t *hits)
{
    int64_t rows = 0;
    for (int64_t e = 0; !pooled && e < events; e++)
        rows += hits[e];
    return pooled ? events : rows;
}

int64_t tessera_engine_rows(const tessera_engine *engine, const tessera_arrays *events)
{
    ts_event_arrays a;
    ts_err err = {""};
    return engine && ts_take_arrays(events, true, &a, &err) ? rows_of(engine->own.pooled, a.events, a.hits) : -1;
}

typedef struct running {
    const tessera_engine *engine;
    const tessera_arrays *given;
    double *results;
    bool *refused;
    int64_t refused_count;
    const int64_t *first;   /* [events + 1]: the first row of each */
    const ts_events *batch; /* that is computed now, and */
    int64_t before;         /* how many there were in front of it */
} running;

static void put(void *user, const ts_event *event, const double *y)
{
    running *r = user;
    const int64_t e = r->before + (event - r->batch->event);
    const size_t width = (size_t)r->engine->own.outputs;
    memcpy(r->results + (size_t)r->first[e] * width, y, (size_t)(r->first[e + 1] - r->first[e]) * width * sizeof *y);
    if (r->refused)
        r->refused[e] = false;
}

/* What has no results until it is computed. */
static void clear(running *r, ts_arena *arena, const ts_event_arrays *a)
{
    const size_t width = (size_t)r->engine->own.outputs;
    int64_t *first = TS_NEW_N(arena, int64_t, a->events + 1);
    for (int64_t e = 0; e < a->events; e++) {
        first[e + 1] = first[e] + (r->engine->own.pooled ? 1 : a->hits[e]);
        if (r->refused)
            r->refused[e] = true;
    }
    for (size_t i = 0; i < (size_t)first[a->events] * width; i++)
        r->results[i] = NAN;
    r->first = first;
}

/* The next events; *more: there were some. */
static bool run_batch(running *r, ts_event_stream *stream, ts_engine_out *out, bool *more, ts_err *err)
{
    enum { EVENTS = 1 << 12 };
    const ts_engine *own = &r->engine->own;
    ts_arena *scratch = ts_arena_new();
    r->batch = ts_event_stream_take(stream, scratch, EVENTS, ts_engine_batch_hits(own), err);
    *more = r->batch && r->batch->count > 0;
    bool ok = r->batch != NULL;
    if (*more) {
        ok = own->emu ? ts_engine_integer(own, scratch, r->batch, out, err) : ts_engine_float(own, r->batch, out, NULL, NULL, err);
        r->before += r->batch->count;
    }
    ts_arena_free(scratch);
    return ok;
}

static bool run_arrays(void *user, const ts_notices *notices, ts_err *err)
{
    running *r = user;
    ts_event_arrays a;
    if (!r->engine)
        return ts_fail(err, "there is no engine");
    if (!ts_take_arrays(r->given, true, &a, err))
        return false;
    if (a.events == 0)
        return true;
    if (!r->results)
        return ts_fail(err, "results: room for those of %lld events is needed", (long long)a.events);
    ts_arena *arena = ts_arena_new();
    clear(r, arena, &a);
    const ts_events_options o = {.standardised = r->engine->standardised};
    ts_engine_out *out = TS_NEW(arena, ts_engine_out);
    *out = (ts_engine_out){.user = r, .put = put};
    ts_event_stream *stream = ts_event_stream_open_arrays(&a, r->engine->own.inputs, &o, err);
    bool ok = stream != NULL, more = ok;
    while (ok && more)
        ok = run_batch(r, stream, out, &more, err);
    ts_event_stream_close(stream);
    r->refused_count = out->refused.count;
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_engine_run(const tessera_engine *engine, const tessera_arrays *events, double *results, bool *refused,
                                int64_t *refused_count, tessera_error *error)
{
    running r = {.engine = engine, .given = events, .results = results, .refused = refused};
    const tessera_code code = ts_call(NULL, error, run_arrays, &r);
    if (refused_count)
        *refused_count = r.refused_count;
    return code;
}

/* ---- words */

typedef struct words {
    const tessera_engine *engine;
    int64_t count; /* events, or rows */
    const int32_t *hits, *in;
    int32_t *out;
    const float *values;
    double *real;
} words;

static bool check_words(const words *w, const ts_imodel **im, bool complete, ts_err *err)
{
    *im = w->engine ? model_of(w->engine) : NULL;
    if (!*im)
        return ts_fail(err, "words are the integer engine's");
    return (w->count >= 0 && w->count <= INT32_MAX && (w->count == 0 || complete)) ||
           ts_fail(err, "%lld events or rows, and arrays for them, cannot be", (long long)w->count);
}

static bool check_range(const ts_imodel *im, int64_t rows, const int32_t *in, ts_err *err)
{
    const int most = (int)ts_fmt_max(im->in.bits, im->in.is_signed);
    for (int64_t i = 0; i < rows * im->features; i++)
        if (ts_sat(in[i], im->in.bits, im->in.is_signed) != in[i])
            return ts_fail(err, "value %lld of row %lld is %d; words in are %d to %d", (long long)(i % im->features),
                           (long long)(i / im->features), in[i], im->in.is_signed ? -most : 0, most);
    return true;
}

static bool run_words(void *user, const ts_notices *notices, ts_err *err)
{
    const words *w = user;
    const ts_imodel *im;
    if (!check_words(w, &im, w->hits && w->in && w->out, err))
        return false;
    for (int64_t e = 0; e < w->count; e++)
        if (w->hits[e] < 0)
            return ts_fail(err, "event %lld has %d hits", (long long)e, w->hits[e]);
    if (!check_range(im, rows_of(false, w->count, w->hits), w->in, err))
        return false;
    const int count = (int)w->count, most = w->engine->own.c.design.plan.n_max;
    ts_arena *arena = ts_arena_new();
    const int32_t **x = TS_NEW_N(arena, const int32_t *, count), *in = w->in;
    int32_t **y = TS_NEW_N(arena, int32_t *, count), *out = w->out;
    int *n = TS_NEW_N(arena, int, count);
    for (int e = 0; e < count; e++) {
        const int32_t hits = w->hits[e];
        const size_t words_out = (size_t)(im->pool ? 1 : hits) * (size_t)im->outputs;
        x[e] = in;
        y[e] = out;
        n[e] = hits > most ? 0 : hits; /* as the hardware does */
        memset(out, 0, words_out * sizeof *out);
        in += (size_t)hits * (size_t)im->features;
        out += words_out;
    }
    ts_emu_run_events(w->engine->own.emu, count, n, x, y);
    ts_arena_free(arena);
    return true;
}

tessera_code tessera_engine_run_words(const tessera_engine *engine, int64_t events, const int32_t *hits, const int32_t *in, int32_t *out,
                                      tessera_error *error)
{
    return ts_call(NULL, error, run_words, &(words){.engine = engine, .count = events, .hits = hits, .in = in, .out = out});
}

static bool to_words(void *user, const ts_notices *notices, ts_err *err)
{
    const words *w = user;
    const ts_imodel *im;
    if (!check_words(w, &im, w->values && w->out, err))
        return false;
    for (int64_t i = 0; i < w->count * im->features; i++)
        if (!isfinite(w->values[i]))
            return ts_fail(err, "value %lld of row %lld is not a finite number", (long long)(i % im->features),
                           (long long)(i / im->features));
    ts_quantise_input(im, (int)w->count, w->values, w->out);
    return true;
}

tessera_code tessera_engine_to_words(const tessera_engine *engine, int64_t rows, const float *values, int32_t *out, tessera_error *error)
{
    return ts_call(NULL, error, to_words, &(words){.engine = engine, .count = rows, .values = values, .out = out});
}

static bool from_words(void *user, const ts_notices *notices, ts_err *err)
{
    const words *w = user;
    const ts_imodel *im;
    if (!check_words(w, &im, w->in && w->real, err))
        return false;
    ts_dequantise_output(im, (int)w->count, w->in, w->real);
    return true;
}

tessera_code tessera_engine_from_words(const tessera_engine *engine, int64_t rows, const int32_t *in, double *values, tessera_error *error)
{
    return ts_call(NULL, error, from_words, &(words){.engine = engine, .count = rows, .in = in, .real = values});
}

/* ---- the host's share */

typedef struct share {
    const tessera_engine *engine;
    int32_t hits;
    const float *values;
    int32_t *tokens;
    const int32_t *made;
    int32_t *words;
    double *results;
} share;

static bool check_share(const share *s, const ts_imodel **im, ts_err *err)
{
    *im = s->engine ? model_of(s->engine) : NULL;
    if (!*im)
        return ts_fail(err, "the host's share is computed around the integer engine's words");
    return (s->hits >= 1 && s->values) || ts_fail(err, "%d hits and their values cannot be", s->hits);
}

static int tokens_of(const share *s)
{
    const ts_host *host = s->engine->own.host;
    return host ? ts_host_tokens(host, s->hits) : s->hits;
}

static bool front(void *user, const ts_notices *notices, ts_err *err)
{
    share *s = user;
    const ts_imodel *im;
    if (!check_share(s, &im, err))
        return false;
    const ts_host *host = s->engine->own.host;
    const int tokens = tokens_of(s);
    ts_arena *arena = ts_arena_new();
    bool ok = true;
    if (s->words) {
        const float *x = s->values;
        if (host) {
            float *made = TS_NEW_N(arena, float, (size_t)tokens *(size_t)im->features);
            ok = ts_host_front(host, s->hits, s->values, made, err);
            x = made;
        }
        if (ok)
            ts_quantise_input(im, tokens, x, s->words);
    }
    if (ok && s->tokens)
        *s->tokens = tokens;
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_engine_front(const tessera_engine *engine, int32_t hits, const float *values, int32_t *tokens, int32_t *out,
                                  tessera_error *error)
{
    return ts_call(NULL, error, front, &(share){.engine = engine, .hits = hits, .values = values, .tokens = tokens, .words = out});
}

static bool back(void *user, const ts_notices *notices, ts_err *err)
{
    const share *s = user;
    const ts_imodel *im;
    if (!check_share(s, &im, err))
        return false;
    if (!s->made || !s->results)
        return ts_fail(err, "words of the hardware, and room for results, are needed");
    const ts_host *host = s->engine->own.host;
    const int rows = im->pool != TS_POOL_NONE ? 1 : tokens_of(s);
    ts_arena *arena = ts_arena_new();
    double *real = TS_NEW_N(arena, double, (size_t)rows *(size_t)im->outputs);
    ts_dequantise_output(im, rows, s->made, host ? real : s->results);
    const bool ok = !host || ts_host_back(host, s->hits, s->values, real, s->results, NULL, err);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_engine_back(const tessera_engine *engine, int32_t hits, const float *values, const int32_t *made, double *results,
                                 tessera_error *error)
{
    return ts_call(NULL, error, back, &(share){.engine = engine, .hits = hits, .values = values, .made = made, .results = results});
}
