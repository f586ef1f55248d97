#define TS_FAIL_CODE TS_BAD_FILE
#include "host/host.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "pass/subgraph.h"
#include "ref/graph_eval.h"

static bool has_fixed_shape(const ts_value *v)
{
    for (int i = 0; i < v->shape.rank; i++)
        if (!ts_dim_is_const(v->shape.dim[i]))
            return false;
    return true;
}

static void shape_at(const ts_value *v, int64_t hits, ts_tensor *t)
{
    *t = (ts_tensor){.dtype = v->dtype, .rank = v->shape.rank};
    for (int i = 0; i < t->rank; i++)
        t->dim[i] = ts_dim_at(v->shape.dim[i], hits);
}

static int64_t count_at(const ts_value *v, int64_t hits)
{
    ts_tensor t;
    shape_at(v, hits, &t);
    return ts_count(&t);
}

bool ts_host_open(ts_arena *arena, const ts_graph *g, const ts_value *from, const ts_value *to, bool masks_keep, ts_host *host, ts_err *err)
{
    *host = (ts_host){.from = from, .to = to, .output = g->output[0], .masks_keep = masks_keep};
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *in = g->input[i];
        const bool event =
            ts_graph_reads(in) && ts_is_float(in->dtype) && in->shape.rank >= 2 && ts_dim_is_const(in->shape.dim[in->shape.rank - 1]);
        if (event && host->input)
            return ts_fail(err, "%s: inputs '%s' and '%s' are both values of the event; models with one such input are supported", g->name,
                           host->input->name, in->name);
        if (event)
            host->input = in;
    }
    if (host->input && !ts_dim_is(host->input->shape.dim[0], 1))
        return ts_fail(err, "%s: input '%s' is of several events at once; export the model with a batch of one, or any", g->name,
                       host->input->name);
    if (from->shape.rank < 1 || !ts_dim_is_const(from->shape.dim[from->shape.rank - 1]))
        return ts_fail(err, "%s: value '%s' is no list of tokens", g->name, from->name);
    if (!host->input)
        return ts_fail(err, "%s: no input is a floating-point tensor [batch, hits, features] or of a fixed shape", g->name);
    if (from != host->input && !(host->front = ts_subgraph(arena, g, NULL, from, err)))
        return false;
    return to == host->output || (host->back = ts_subgraph(arena, g, to, host->output, err));
}

int ts_host_features(const ts_host *host)
{
    return has_fixed_shape(host->input) ? 0 : (int)host->input->shape.dim[host->input->shape.rank - 1].c[0];
}

bool ts_host_fixed_event(const ts_host *host, int *hits, int *features)
{
    const ts_shape *s = &host->input->shape;
    if (!has_fixed_shape(host->input))
        return false;
    for (int i = 0; i < s->rank - 2; i++)
        if (!ts_dim_is(s->dim[i], 1))
            return false;
    *hits = (int)s->dim[s->rank - 2].c[0];
    *features = (int)s->dim[s->rank - 1].c[0];
    return ts_host_tokens(host, 1) == *hits;
}

int ts_host_width(const ts_host *host)
{
    return (int)host->from->shape.dim[host->from->shape.rank - 1].c[0];
}

int ts_host_tokens(const ts_host *host, int n)
{
    return (int)(count_at(host->from, n) / ts_host_width(host));
}

int ts_host_outputs(const ts_host *host, bool *pooled)
{
    const ts_shape *s = &host->output->shape;
    const int64_t all = count_at(host->output, 1), last = s->rank ? s->dim[s->rank - 1].c[0] : 1;
    if (!has_fixed_shape(host->output)) {
        *pooled = false;
        return (int)all; /* of an event of one hit */
    }
    *pooled = s->rank < 3 || all != last * ts_host_tokens(host, 1) || !has_fixed_shape(host->from);
    return (int)(*pooled ? all : last);
}

/* Evaluates a part of the graph; made: what the hardware gave at host->to, or NULL. The result is in `arena`. */
static bool evaluate(const ts_host *host, ts_arena *arena, const ts_graph *g, int n, const float *x, const double *made, ts_tensor *result,
                     ts_err *err)
{
    const ts_tensor **given = TS_NEW_N(arena, const ts_tensor *, g->inputs);
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *v = g->input[i];
        ts_tensor *t = TS_NEW(arena, ts_tensor);
        int64_t count;
        shape_at(v, n, t);
        if (!ts_count_dims(t->rank, t->dim, &count))
            return ts_fail(err, "an event of %d hits is too large", n);
        ts_tensor_alloc(arena, t);
        if (made && strcmp(v->name, host->to->name) == 0)
            for (int64_t e = 0; e < count; e++)
                ts_set_real(t, e, made[e]);
        else if (strcmp(v->name, host->input->name) == 0)
            ts_tensor_set_floats(t, x);
        else
            for (int64_t e = 0; e < count; e++)
                ts_set_real(t, e, host->masks_keep);
        given[i] = t;
    }
    return ts_graph_eval(g, arena, given, result, NULL, NULL, err);
}

static void add_time(double start, double *seconds, int *events)
{
    *seconds = (*events == 1 ? 0 : *seconds) + ts_seconds() - start;
    ++*events;
}

double ts_host_mean(double seconds, int events)
{
    return events > 1 ? seconds / (events - 1) : seconds;
}

bool ts_host_front(const ts_host *host, int n, const float *x, float *tokens, ts_err *err)
{
    const int64_t count = count_at(host->from, n);
    if (!host->front) {
        memcpy(tokens, x, (size_t)count * sizeof *x);
        return true;
    }
    ts_arena *arena = ts_arena_new();
    ts_tensor result;
    bool ok = evaluate(host, arena, host->front, n, x, NULL, &result, err);
    if (ok) {
        CHECK(ts_count(&result) == count);
        for (int64_t e = 0; e < count; e++)
            tokens[e] = (float)ts_get_real(&result, e);
        for (int64_t e = 0; ok && e < count; e++)
            ok = isfinite(tokens[e]) || ts_fail(err, "value '%s', which goes to the hardware, is not finite", host->from->name);
    }
    ts_arena_free(arena);
    return ok;
}

bool ts_host_back(const ts_host *host, int n, const float *x, const double *made, double *y, ts_host_time *time, ts_err *err)
{
    const double start = ts_seconds();
    const int64_t count = count_at(host->output, n);
    if (!host->back) {
        memcpy(y, made, (size_t)count * sizeof *y);
        if (time)
            add_time(start, &time->back, &time->backs);
        return true;
    }
    ts_arena *arena = ts_arena_new();
    ts_tensor result;
    const bool ok = evaluate(host, arena, host->back, n, x, made, &result, err);
    if (ok) {
        CHECK(ts_count(&result) == count);
        for (int64_t e = 0; e < count; e++)
            y[e] = ts_get_real(&result, e);
    }
    ts_arena_free(arena);
    if (time)
        add_time(start, &time->back, &time->backs);
    return ok;
}

const ts_events *ts_host_events(ts_arena *arena, const ts_host *host, const ts_events *events, ts_host_time *time, ts_err *err)
{
    ts_events *out = TS_NEW(arena, ts_events);
    ts_event *event = TS_NEW_N(arena, ts_event, events->count);
    *out = *events;
    out->features = ts_host_width(host);
    out->event = event;
    for (int e = 0; e < events->count; e++) {
        const ts_event *from = &events->event[e];
        event[e] = *from;
        if (from->n == 0)
            continue;
        event[e].n = ts_host_tokens(host, from->n);
        if (!from->x)
            continue;
        float *tokens = TS_NEW_N(arena, float, (size_t)event[e].n *(size_t)out->features);
        const double start = ts_seconds();
        if (!ts_host_front(host, from->n, from->x, tokens, err)) {
            ts_fail_in(err, "%s: event %lld", events->path, (long long)from->id);
            return NULL;
        }
        if (time)
            add_time(start, &time->front, &time->fronts);
        event[e].x = tokens;
    }
    return out;
}

size_t ts_host_sample_size(const ts_host *host)
{
    return (size_t)count_at(host->input, 1);
}

const char *ts_host_samples_shape(ts_arena *arena, const ts_host *host)
{
    const char *text = "[samples";
    for (int i = 1; i < host->input->shape.rank; i++)
        text = ts_printf(arena, "%s, %lld", text, (long long)host->input->shape.dim[i].c[0]);
    return ts_printf(arena, "%s]", text);
}

/* Whether an array holds samples of the input: its own axes behind an axis of any length where the input has its batch. */
static bool fits(const ts_npy *npy, const ts_value *input)
{
    bool same = npy->rank == input->shape.rank;
    for (int i = 1; same && i < npy->rank; i++)
        same = npy->dim[i] == input->shape.dim[i].c[0];
    return same;
}

bool ts_host_samples_open(ts_arena *arena, const ts_host *host, const char *path, ts_npy *npy, ts_err *err)
{
    *npy = (ts_npy){.rank = 0};
    if (!has_fixed_shape(host->input))
        return ts_fail_as(err, TS_USAGE, "%s %s: the model takes events of any number of hits; give them with %s", ts_option("samples"),
                          path, ts_option("events"));
    if (!ts_npy_open(arena, path, npy, err))
        return false;
    return (fits(npy, host->input) && npy->dim[0] >= 1 && npy->dim[0] <= INT32_MAX) ||
           ts_fail(err, "%s: the model's input '%s' needs an array %s", path, host->input->name, ts_host_samples_shape(arena, host));
}

bool ts_host_sample(ts_arena *arena, const ts_host *host, ts_npy *npy, int number, ts_event *event, ts_err *err)
{
    const int n = ts_host_tokens(host, 1);
    const int64_t size = count_at(host->input, 1);
    double *value = TS_NEW_N(arena, double, size);
    float *x = TS_NEW_N(arena, float, size);
    int64_t *hit_id = TS_NEW_N(arena, int64_t, n);
    int32_t *row = TS_NEW_N(arena, int32_t, n);
    if (!ts_npy_read(npy, size, value, err))
        return false;
    for (int64_t i = 0; i < size; i++) {
        x[i] = (float)value[i];
        if (!isfinite(x[i]))
            return ts_fail(err, "%s: value %lld of sample %d is %g, which is not a finite %snumber", npy->path, (long long)i, number,
                           value[i], isfinite(value[i]) ? "single-precision " : "");
    }
    for (int t = 0; t < n; t++)
        hit_id[t] = row[t] = t;
    *event = (ts_event){.id = number, .n = n, .x = x, .rows = n, .hit_id = hit_id, .row = row};
    return true;
}
