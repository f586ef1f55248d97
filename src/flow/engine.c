#include "flow/engine.h"

#include <math.h>
#include <string.h>

#include "flow/assisted.h"
#include "ref/graph_eval.h"
#include "ref/mask_watch.h"

const char *ts_engine_name(ts_engine_kind kind)
{
    static const char *const name[] = {
        [TS_ENGINE_FLOAT] = "float",
        [TS_ENGINE_INTEGER] = "integer",
        [TS_ENGINE_RTL] = "rtl",
    };
    return name[kind];
}

/* ---- opening */

/* The model's inputs file, and its host's parts where it is not all hardware. */
static const ts_inputs *model_inputs(ts_arena *arena, const ts_event_source *source, ts_engine *e, ts_err *err)
{
    if (e->floating.whole)
        return ts_load_inputs(arena, source, e->floating.encoder, err);
    ts_assist *assist = TS_NEW(arena, ts_assist);
    if (!ts_assist_choose(arena, e->floating.graph, e->floating.found, NULL, assist, err))
        return NULL;
    e->host = &assist->host;
    return ts_load_host_inputs(arena, source, e->host, e->floating.graph->name, err);
}

/* Another model's weights in the place of the design's own. */
static bool take_weights(ts_arena *arena, const char *path, const ts_event_source *source, bool beside, ts_engine *e, ts_err *err)
{
    if (!e->compiled || e->kind == TS_ENGINE_FLOAT || beside)
        return ts_fail_as(err, TS_USAGE,
                          "%s: weights of a file are for the integer engine, or the simulated hardware, of a design, without a trace",
                          ts_option("weights"));
    e->weights = ts_weights_open(arena, path, &e->c, source, &e->inputs, err);
    if (e->weights)
        e->c.design.im = e->weights->im;
    return e->weights != NULL;
}

bool ts_engine_open(ts_arena *arena, ts_engine_kind kind, const char *path, const char *weights, const ts_event_source *source, bool beside,
                    ts_engine *e, ts_err *err)
{
    *e = (ts_engine){.kind = kind, .compiled = ts_is_directory(path)};
    if (!e->compiled && kind != TS_ENGINE_FLOAT)
        return ts_fail_as(err, TS_USAGE,
                          "%s: %s needs a directory that a model was compiled into; a model's file runs with the float engine", path,
                          ts_engine_name(kind));
    if (e->compiled ? !ts_load_compiled(arena, path, source, &e->c, err) : !ts_check_source(source, err))
        return false;
    if ((kind == TS_ENGINE_FLOAT || beside) &&
        !ts_load_float_model(arena, e->compiled ? e->c.onnx : path, source->notices, &e->floating, err))
        return false;
    if (e->compiled)
        e->host = e->c.host;
    e->inputs = e->compiled ? e->c.inputs : model_inputs(arena, source, e, err);
    if (!e->inputs || (weights && !take_weights(arena, weights, source, beside, e, err)))
        return false;
    e->outputs = e->inputs->outputs;
    e->pooled = (e->compiled ? e->c.design.im->pool : e->floating.encoder->pool) != TS_POOL_NONE;
    if (e->host)
        ts_host_outputs(e->host, &e->pooled);
    if (kind == TS_ENGINE_INTEGER)
        e->emu = ts_emu_new(arena, e->c.design.im, TS_EMU_AUTO);
    return true;
}

void ts_engine_close(ts_engine *e)
{
    if (e->c.design.manifest)
        ts_design_free(&e->c.design);
    e->c.design.manifest = NULL;
}

int ts_engine_batch_hits(const ts_engine *e)
{
    enum { VALUES = 1 << 21, LEAST = 256, MOST = 1 << 15 };
    const int share = VALUES / (e->outputs + e->inputs->features);
    return share < LEAST ? LEAST : share > MOST ? MOST : share;
}

/* ---- the float engine */

static void note_fired(const ts_event *ev, const bool *fires, ts_fired *total)
{
    int count = 0, used = 0;
    char ids[120] = "";
    for (int i = 0; i < ev->n; i++)
        if (fires[i] && count++ < TS_FIRED_HITS)
            used += snprintf(ids + used, sizeof ids - (size_t)used, "%s%lld", used ? ", " : "", (long long)ev->hit_id[ev->row[i]]);
    if (count > 0 && total->events < TS_FIRED_EVENTS)
        snprintf(total->line[total->events], sizeof *total->line, "event %lld: on %d of %d hits, hit_id %s%s", (long long)ev->id, count,
                 ev->n, ids, count > TS_FIRED_HITS ? ", ..." : "");
    total->events += count > 0;
    total->hits += count;
}

void ts_engine_warn_fired(const ts_engine *e, const ts_fired *total, long long taken, const ts_notices *notices)
{
    char lines[TS_FIRED_EVENTS * (sizeof *total->line + 8) + 64] = "";
    int used = 0;
    if (total->events == 0)
        return;
    for (int i = 0; i < TS_FIRED_EVENTS && i < total->events; i++)
        used += snprintf(lines + used, sizeof lines - (size_t)used, "\n    %s", total->line[i]);
    if (total->events > TS_FIRED_EVENTS)
        snprintf(lines + used, sizeof lines - (size_t)used, "\n    ... and %d more event(s)", total->events - TS_FIRED_EVENTS);
    ts_notice_warning(notices,
                      "the model's mask is %s; but it fires on %lld hit(s) of %d of %lld event(s), where hardware and integer model, which "
                      "do without it, give other results%s",
                      e->floating.encoder->mask_note, total->hits, total->events, taken, lines);
}

static bool check_numbers(const ts_engine *e, const ts_event *ev, const double *y, ts_err *err)
{
    for (int i = 0; i < (e->pooled ? 1 : ev->n); i++)
        for (int k = 0; k < e->outputs; k++)
            if (isnan(y[(size_t)i * (size_t)e->outputs + (size_t)k]))
                return ts_fail_as(
                    err, TS_BAD_FILE,
                    "output %d of %s %lld is not a number: inside the model values leave the range of single precision; are the inputs in "
                    "the units that it was trained with?",
                    k, e->pooled ? "event" : "hit_id", (long long)(e->pooled ? ev->id : ev->hit_id[ev->row[i]]));
    return true;
}

/* One event as the file writes the model. */
static bool float_event(const ts_engine *e, ts_arena *scratch, const ts_event *ev, ts_engine_out *out, ts_err *err)
{
    const ts_encoder *enc = e->floating.encoder;
    ts_tensor y;
    bool *kept = NULL; /* the mask of hits that are all real, where the model's mask marks hits and not padding */
    if (enc->mask == TS_MASK_INPUT && enc->mask_keeps) {
        kept = TS_NEW_N(scratch, bool, ev->n);
        memset(kept, true, (size_t)ev->n);
    }
    ts_mask_watch watch = {enc, ev->n, TS_NEW_N(scratch, bool, ev->n)};
    if (!ts_graph_eval_event(e->floating.graph, scratch, ev->n, ev->x, kept, &y, ts_mask_watch_tap, &watch, err))
        return false;
    note_fired(ev, watch.fires, &out->fired);
    const size_t count = (size_t)(e->pooled ? 1 : ev->n) * (size_t)e->outputs;
    CHECK((size_t)ts_count(&y) == count);
    double *wide = TS_NEW_N(scratch, double, count);
    for (size_t i = 0; i < count; i++)
        wide[i] = ts_get_real(&y, (int64_t)i);
    if (!check_numbers(e, ev, wide, err))
        return false;
    out->put(out->user, ev, wide);
    return true;
}

bool ts_engine_float(const ts_engine *e, const ts_events *events, ts_engine_out *out, void (*done)(void *user, int events), void *user,
                     ts_err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < events->count; i++) {
        ts_arena *scratch = ts_arena_new();
        if (done)
            done(user, i);
        ok = float_event(e, scratch, &events->event[i], out, err) ||
             ts_fail_in(err, "%s: event %lld", events->path, (long long)events->event[i].id);
        ts_arena_free(scratch);
    }
    return ok;
}

/* ---- what the hardware computes */

const ts_events *ts_engine_tokens(const ts_engine *e, ts_arena *arena, const ts_events *events, ts_engine_out *out, ts_err *err)
{
    return e->host ? ts_host_events(arena, e->host, events, &out->time, err) : events;
}

bool ts_engine_finish(const ts_engine *e, const ts_events *events, int event, const double *made, ts_engine_out *out, ts_err *err)
{
    const ts_event *ev = &events->event[event];
    ts_arena *scratch = ts_arena_new();
    bool ok = true;
    if (e->host) {
        double *y = TS_NEW_N(scratch, double, (size_t)(e->pooled ? 1 : ev->n) * (size_t)e->outputs);
        ok = ev->n == 0 || ts_host_back(e->host, ev->n, ev->x, made, y, &out->time, err) ||
             ts_fail_in(err, "%s: event %lld", events->path, (long long)ev->id);
        made = y;
    }
    if (ok)
        out->put(out->user, ev, made);
    ts_arena_free(scratch);
    return ok;
}

bool ts_engine_integer(const ts_engine *e, ts_arena *arena, const ts_events *events, ts_engine_out *out, ts_err *err)
{
    const ts_imodel *im = e->c.design.im;
    const ts_events *tokens = ts_engine_tokens(e, arena, events, out, err);
    if (!tokens)
        return false;
    const int count = tokens->count;
    int32_t **x = ts_integer_inputs(arena, im, tokens), **y = TS_NEW_N(arena, int32_t *, count);
    int *n = TS_NEW_N(arena, int, count), rows_most = 1;
    for (int i = 0; i < count; i++) {
        n[i] = tokens->event[i].n > e->c.design.plan.n_max ? 0 : tokens->event[i].n; /* as the hardware does */
        rows_most = n[i] > rows_most ? n[i] : rows_most;
        y[i] = TS_NEW_N(arena, int32_t, (size_t)(im->pool ? 1 : n[i]) * (size_t)im->outputs);
    }
    ts_emu_run_events(e->emu, count, n, (const int32_t *const *)x, y);
    double *wide = TS_NEW_N(arena, double, (size_t)rows_most *(size_t)im->outputs);
    for (int i = 0; i < count; i++) {
        if (n[i] < tokens->event[i].n) {
            ts_refuse(&out->refused, tokens->event[i].id, tokens->event[i].n);
            continue;
        }
        ts_dequantise_output(im, im->pool ? 1 : n[i], y[i], wide);
        if (!ts_engine_finish(e, events, i, wide, out, err))
            return false;
    }
    return true;
}
