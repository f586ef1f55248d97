#include "flow/run.h"

#include <string.h>

#include "base/text.h"
#include "data/results.h"
#include "design/report.h"
#include "flow/assisted.h"
#include "flow/output.h"
#include "flow/trace.h"

typedef struct run {
    const ts_run_options *o;
    const ts_notices *notices;
    ts_engine engine;
    ts_feed feed;
    ts_result_file file;
    ts_engine_out out;
    FILE *text;             /* for people */
    ts_trace *trace;        /* NULL: none */
    const ts_events *first; /* of a trace: the first event that has hits, and no more than the design takes; or NULL */
} run;

static void put(void *user, const ts_event *event, const double *y)
{
    run *r = user;
    ts_result_file_put(&r->file, event, y);
}

/* ---- simulated hardware: all events at once */

static void simulating(void *user, const char *step)
{
    ts_notice_step(user, "%s", step);
}

/* Rows of the hardware's arg-max output, {value, class} words, as {class, real value}. */
static void put_classes(run *r, ts_arena *arena, const ts_event *event, const ts_sim_event *from)
{
    const ts_imodel *im = r->engine.c.design.im;
    int32_t *row = TS_NEW_N(arena, int32_t, r->engine.outputs);
    double *wide = TS_NEW_N(arena, double, r->engine.outputs), *best = TS_NEW_N(arena, double, 2 * (size_t)from->rows);
    for (int i = 0; i < from->rows; i++) {
        const int32_t value = from->y[2 * i], class = from->y[2 * i + 1];
        row[class] = value;
        ts_dequantise_output(im, 1, row, wide);
        best[2 * i] = class;
        best[2 * i + 1] = wide[class];
    }
    ts_result_file_put_classes(&r->file, event, best);
}

/* An event without hits has no results, and nothing to send; a simulation whose streams are captured takes no overlong ones. */
static bool is_sent(const run *r, const ts_event *tokens)
{
    return tokens->n > 0 && !(r->trace && tokens->n > r->engine.c.design.plan.n_max);
}

/* made: of the events that were sent, in their order. */
static bool put_simulated(run *r, ts_arena *arena, const ts_events *events, const ts_events *tokens, const ts_sim_event *made, ts_err *err)
{
    const ts_imodel *im = r->engine.c.design.im;
    int rows_most = 1;
    for (int e = 0; e < tokens->count; e++)
        rows_most = tokens->event[e].n > rows_most ? tokens->event[e].n : rows_most;
    double *wide = TS_NEW_N(arena, double, (size_t)rows_most *(size_t)im->outputs);
    for (int e = 0; e < tokens->count; e++) {
        const ts_event *ev = &tokens->event[e];
        if (ev->n == 0) { /* a model that pools has zeros as its results */
            put(r, &events->event[e], TS_NEW_N(arena, double, r->engine.outputs));
            continue;
        }
        if (!is_sent(r, ev)) {
            ts_refuse(&r->out.refused, ev->id, ev->n);
            continue;
        }
        if (made->refused) {
            ts_refuse(&r->out.refused, ev->id, ev->n);
        } else if (r->engine.c.design.plan.argmax) {
            put_classes(r, arena, &events->event[e], made);
        } else {
            ts_dequantise_output(im, made->rows, made->y, wide);
            if (!ts_engine_finish(&r->engine, events, e, wide, &r->out, err))
                return false;
        }
        made++;
    }
    return true;
}

static bool rtl_events(run *r, ts_arena *arena, const ts_events *events, ts_err *err)
{
    const ts_imodel *im = r->engine.c.design.im;
    const ts_events *tokens = ts_engine_tokens(&r->engine, arena, events, &r->out, err);
    if (!tokens)
        return false;
    int32_t **x = ts_integer_inputs(arena, im, tokens);
    const int32_t **sent = TS_NEW_N(arena, const int32_t *, tokens->count);
    int *n = TS_NEW_N(arena, int, tokens->count), count = 0;
    for (int e = 0; e < tokens->count; e++)
        if (is_sent(r, &tokens->event[e])) {
            n[count] = tokens->event[e].n;
            sent[count++] = x[e];
        }
    const ts_sim_options opt = {.events = count,
                                .n = n,
                                .x = sent,
                                .seed = 1,
                                .weights = r->engine.weights,
                                .progress = simulating,
                                .progress_user = (void *)r->notices,
                                .tap = r->trace ? ts_trace_rtl : NULL,
                                .tap_user = r->trace};
    ts_sim_result result = {.bit_exact = true};
    if ((count > 0 && !ts_simulate(arena, &r->engine.c.design, &opt, &result, err)) ||
        !put_simulated(r, arena, events, tokens, result.event, err))
        return false;
    if (r->trace)
        fprintf(r->text, "first difference between RTL and integer model: %s\n",
                result.trace_difference ? result.trace_difference : "none in any stage");
    return result.bit_exact || ts_fail_as(err, TS_DIFFERS, "the hardware differs from the integer model: %s",
                                          result.difference ? result.difference : "results are missing");
}

/* ---- trace */

static bool is_traced(const run *r, const ts_event *event)
{
    const int tokens = r->engine.host ? ts_host_tokens(r->engine.host, event->n) : event->n;
    return event->n > 0 && tokens <= r->engine.c.design.plan.n_max;
}

/* Keeps the first event that is traced. */
static void keep_first(ts_arena *arena, run *r, const ts_events *events)
{
    for (int e = 0; !r->first && e < events->count; e++) {
        const ts_event *from = &events->event[e];
        if (!is_traced(r, from))
            continue;
        ts_events *first = TS_NEW(arena, ts_events);
        ts_event *event = TS_NEW(arena, ts_event);
        const size_t size = r->o->source.samples ? ts_host_sample_size(r->engine.host) : (size_t)from->n * (size_t)events->features;
        float *x = TS_NEW_N(arena, float, size);
        memcpy(x, from->x, size * sizeof *x);
        *event = (ts_event){.id = from->id, .n = from->n, .x = x};
        *first = (ts_events){.path = ts_strdup(arena, events->path), .count = 1, .features = events->features, .event = event};
        r->first = first;
    }
}

/* The event that is traced, through both models with every tap on. */
static bool write_trace(ts_arena *arena, run *r, ts_err *err)
{
    const ts_imodel *im = r->engine.c.design.im;
    const ts_encoder *encoder;
    ts_assist_events both;
    if (!r->first)
        return ts_fail_as(err, TS_BAD_FILE, "%s: no event has a hit, and no more of them than the design takes", ts_option("trace"));
    if (!ts_assist_beside(arena, &r->engine.c, &r->engine.floating, r->first, &encoder, &both, err))
        return false;
    const ts_event *ev = &both.tokens->event[0];
    if (!ts_encoder_eval_check(encoder, ev->n, true, err))
        return false;
    const size_t n = (size_t)ev->n;
    int32_t *x = TS_NEW_N(arena, int32_t, n * (size_t)im->features), *y = TS_NEW_N(arena, int32_t, n * (size_t)im->outputs);
    ts_quantise_input(im, ev->n, ev->x, x);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_AUTO), ev->n, x, y, ts_trace_integer, r->trace);
    ts_encoder_eval(encoder, ev->n, both.floating->event[0].x, TS_NEW_N(arena, float, n *(size_t)encoder->outputs), ts_trace_float,
                    r->trace);
    fprintf(r->text, "stages of event %lld, %d hits:\n", (long long)ev->id, ev->n);
    return ts_trace_write(r->trace, r->o->trace, r->text, err);
}

/* ---- all of it */

/* None of the files that are read. */
static bool check_output(const run *r, ts_err *err)
{
    const ts_run_options *o = r->o;
    if (r->engine.compiled && !ts_check_output_design(o->output, &r->engine.c.design, err))
        return false;
    for (const ts_external *file = r->engine.floating.external; file; file = file->next)
        if (!ts_check_output_is_not(o->output, file->path, "a file that the model's weights are in", err))
            return false;
    return true;
}

static bool open_all(ts_arena *arena, run *r, ts_err *err)
{
    const ts_run_options *o = r->o;
    const bool directory = ts_is_directory(o->path);
    if (!ts_check_output(o->output, err) || !ts_check_output_source(o->output, &o->source, err) ||
        !ts_check_output_is_not(o->output, o->weights, "the file of weights", err) ||
        (!directory && !ts_check_output_is_not(o->output, o->path, "the model", err)))
        return false;
    if (o->trace && !directory)
        return ts_fail_as(err, TS_USAGE, "%s: %s needs a directory that a model was compiled into", o->path, ts_option("trace"));
    if (!ts_engine_open(arena, o->kind, o->path, o->weights, &o->source, o->trace != NULL, &r->engine, err) || !check_output(r, err))
        return false;
    if (o->kind == TS_ENGINE_RTL && r->engine.c.design.plan.argmax && o->logits)
        return ts_fail_as(err, TS_USAGE, "the design puts out arg-max only; compile with %s to see all logits of the hardware",
                          ts_option("logits"));
    return ts_feed_open(arena, &o->source, r->engine.inputs, r->engine.host, &r->feed, err);
}

/* Of the events that were taken last, `done` are done. */
static void float_progress(void *user, int done)
{
    const run *r = user;
    ts_feed_progress(&r->feed, r->feed.taken - r->feed.count + done);
}

static bool run_batch(ts_arena *arena, run *r, ts_arena *scratch, const ts_events *events, ts_err *err)
{
    if (r->trace)
        keep_first(arena, r, events);
    switch (r->o->kind) {
    case TS_ENGINE_FLOAT:
        return ts_engine_float(&r->engine, events, &r->out, float_progress, r, err);
    case TS_ENGINE_INTEGER:
        return ts_engine_integer(&r->engine, scratch, events, &r->out, err);
    case TS_ENGINE_RTL:
        return rtl_events(r, scratch, events, err);
    }
    BUG("kind of engine");
}

static bool run_events(ts_arena *arena, run *r, ts_err *err)
{
    enum { EVENTS = 1 << 12 };
    const ts_run_options *o = r->o;
    const bool together = o->kind == TS_ENGINE_RTL;
    const int hits = ts_engine_batch_hits(&r->engine);
    bool ok = true, more = true;
    if (together)
        ts_notice_step(r->notices, "reading %s", ts_source_name(&o->source));
    else
        ts_notice_step(r->notices, "%s model", ts_engine_name(o->kind));
    while (ok && more) {
        ts_arena *scratch = ts_arena_new();
        const ts_events *events = together ? ts_feed_take_all(&r->feed, scratch, err) : ts_feed_take(&r->feed, scratch, EVENTS, hits, err);
        more = events && events->count > 0;
        ok = events && (!more || run_batch(arena, r, scratch, events, err));
        more = more && !together;
        if (!together)
            ts_feed_progress(&r->feed, r->feed.taken);
        ts_arena_free(scratch);
    }
    ts_notice_step_end(r->notices);
    ts_engine_warn_fired(&r->engine, &r->out.fired, r->feed.taken, r->notices);
    if (ok)
        ts_feed_watch(&r->feed);
    return ok;
}

/* What is there is closed by the caller. */
static bool run_all(ts_arena *arena, run *r, ts_err *err)
{
    const ts_run_options *o = r->o;
    if (!open_all(arena, r, err))
        return false;
    const ts_inputs *in = r->engine.inputs;
    const ts_result_kind kind = !o->logits && in->classification ? TS_RESULT_CLASS : TS_RESULT_VALUES;
    if (!ts_result_file_open(arena, o->output, in, kind, r->engine.outputs, r->engine.pooled, &r->file, err))
        return false;
    r->trace = o->trace ? ts_trace_new(arena) : NULL;
    bool ok = run_events(arena, r, err);
    /* A trace is wanted most when the engines differ: it is written then, too, and the failure reported all the same. */
    ts_err trace_err = {""};
    if (r->trace && !write_trace(arena, r, &trace_err) && ok)
        ok = ts_fail_with(err, &trace_err);
    if (ok && r->out.time.backs > 0) {
        json_t *measured = ts_assist_measured_json(&r->out.time);
        ts_report_print_measured(r->text, measured);
        json_decref(measured);
    }
    ok = ok && ts_refused_tell(&r->out.refused, r->notices, r->feed.taken, r->engine.c.design.plan.n_max, err);
    if (ok)
        return ts_result_file_commit(&r->file, err);
    ts_result_file_abort(&r->file);
    return false;
}

bool ts_run(ts_arena *arena, const ts_run_options *o, ts_run_summary *summary, ts_err *err)
{
    ts_text text;
    run r = {.o = o, .notices = o->source.notices, .text = ts_text_open(&text)};
    r.out = (ts_engine_out){.user = &r, .put = put};
    const bool ok = run_all(arena, &r, err);
    ts_notice_step_end(r.notices);
    *summary = (ts_run_summary){.events = r.feed.taken, .refused = r.out.refused.count, .text = ts_text_close(&text, arena)};
    ts_feed_close(&r.feed);
    ts_engine_close(&r.engine);
    return ok;
}
