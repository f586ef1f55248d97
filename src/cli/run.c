/* tessera run */
#include <math.h>
#include <string.h>

#include "cli/notices.h"
#include "cli/progress.h"
#include "cli/trace.h"
#include "cli/verbs.h"
#include "data/results.h"
#include "design/report.h"
#include "emu/emu.h"
#include "flow/assisted.h"
#include "flow/feed.h"
#include "flow/output.h"
#include "flow/refused.h"
#include "flow/session.h"
#include "ref/graph_eval.h"
#include "ref/mask_watch.h"

typedef struct options {
    const char *model, *engine, *output, *trace;
    ts_event_source source;
    bool logits;
} options;

typedef struct run {
    const options *o;
    bool is_float; /* the engine */
    bool compiled; /* a directory: `c` is loaded */
    ts_compiled c;
    ts_float_model floating; /* loaded for the float engine and for traces */
    const ts_host *host;     /* NULL: all of the model is hardware */
    ts_host_time time;       /* that it took */
    const ts_inputs *inputs;
    ts_feed feed;
    const ts_emu *emu; /* of the integer engine */
    int outputs;
    bool pooled;
    ts_result_file file;
    ts_refused refused;
    const ts_events *first; /* a trace's: the first event that has hits, or NULL */
} run;

/* Events that are in memory at one time, as the model takes them and as the hardware does: the same, unless the host makes its tokens. */
typedef struct batch {
    ts_arena *arena;
    const ts_events *events, *tokens;
} batch;

/* Where a mask computed from the data fires on real hits: the hardware, which does without it, computes something else there. */
enum { FIRED_EVENTS = 5, FIRED_HITS = 5 }; /* spelled out; the rest is counted */
typedef struct fired {
    int events;
    long long hits;
    char line[FIRED_EVENTS][200];
} fired;

static void note_fired(const ts_event *ev, const bool *fires, fired *total)
{
    int count = 0, used = 0;
    char ids[120] = "";
    for (int i = 0; i < ev->n; i++)
        if (fires[i] && count++ < FIRED_HITS)
            used += snprintf(ids + used, sizeof ids - (size_t)used, "%s%lld", used ? ", " : "", (long long)ev->hit_id[ev->row[i]]);
    if (count > 0 && total->events < FIRED_EVENTS)
        snprintf(total->line[total->events], sizeof *total->line, "event %lld: on %d of %d hits, hit_id %s%s", (long long)ev->id, count,
                 ev->n, ids, count > FIRED_HITS ? ", ..." : "");
    total->events += count > 0;
    total->hits += count;
}

static void warn_fired(const run *r, const fired *total)
{
    if (total->events == 0)
        return;
    fprintf(stderr,
            "tessera run: warning: the model's mask is %s; but it fires on %lld hit(s) of %d of %lld event(s), where hardware and integer "
            "model, "
            "which do without it, give other results\n",
            r->floating.encoder->mask_note, total->hits, total->events, r->feed.taken);
    for (int i = 0; i < FIRED_EVENTS && i < total->events; i++)
        fprintf(stderr, "    %s\n", total->line[i]);
    if (total->events > FIRED_EVENTS)
        fprintf(stderr, "    ... and %d more event(s)\n", total->events - FIRED_EVENTS);
}

/* A result that is no number is told, not written: nothing behind it could tell it from a good one. */
static bool check_numbers(const run *r, const ts_event *ev, const double *y, ts_err *err)
{
    for (int i = 0; i < (r->pooled ? 1 : ev->n); i++)
        for (int k = 0; k < r->outputs; k++)
            if (isnan(y[(size_t)i * (size_t)r->outputs + (size_t)k]))
                return ts_fail_as(
                    err, TS_BAD_FILE,
                    "output %d of %s %lld is not a number: inside the model values leave the range of single precision; are the inputs in "
                    "the units that it was trained with?",
                    k, r->pooled ? "event" : "hit_id", (long long)(r->pooled ? ev->id : ev->hit_id[ev->row[i]]));
    return true;
}

/* One event as the file writes the model. */
static bool float_event(run *r, const ts_event *ev, fired *total, ts_err *err)
{
    const ts_encoder *enc = r->floating.encoder;
    ts_arena *scratch = ts_arena_new();
    ts_tensor y;
    bool *kept = NULL; /* the mask of hits that are all real, where the model's mask marks hits and not padding */
    if (enc->mask == TS_MASK_INPUT && enc->mask_keeps) {
        kept = TS_NEW_N(scratch, bool, ev->n);
        memset(kept, true, (size_t)ev->n);
    }
    ts_mask_watch watch = {enc, ev->n, TS_NEW_N(scratch, bool, ev->n)};
    bool ok = ts_graph_eval_event(r->floating.graph, scratch, ev->n, ev->x, kept, &y, ts_mask_watch_tap, &watch, err);
    if (ok) {
        note_fired(ev, watch.fires, total);
        const size_t count = (size_t)(r->pooled ? 1 : ev->n) * (size_t)r->outputs;
        CHECK((size_t)ts_count(&y) == count);
        double *wide = TS_NEW_N(scratch, double, count);
        for (size_t i = 0; i < count; i++)
            wide[i] = ts_get_real(&y, (int64_t)i);
        ok = check_numbers(r, ev, wide, err);
        if (ok)
            ts_result_file_put(&r->file, ev, wide);
    }
    ts_arena_free(scratch);
    return ok || ts_fail_in(err, "%s: event %lld", r->o->source.samples ? r->o->source.samples : r->o->source.events, (long long)ev->id);
}

/* What the hardware, or its model, made of an event; the host computes the rest. */
static bool put_results(run *r, const batch *b, int event, const double *made, ts_err *err)
{
    const ts_event *ev = &b->events->event[event];
    ts_arena *scratch = ts_arena_new();
    bool ok = true;
    if (r->host) {
        double *y = TS_NEW_N(scratch, double, (size_t)(r->pooled ? 1 : ev->n) * (size_t)r->outputs);
        ok = ev->n == 0 || ts_host_back(r->host, ev->n, ev->x, made, y, &r->time, err) ||
             ts_fail_in(err, "%s: event %lld", b->events->path, (long long)ev->id);
        made = y;
    }
    if (ok)
        ts_result_file_put(&r->file, ev, made);
    ts_arena_free(scratch);
    return ok;
}

static bool integer_batch(run *r, const batch *b, ts_err *err)
{
    const ts_imodel *im = r->c.design.im;
    const int count = b->tokens->count;
    int32_t **x = ts_integer_inputs(b->arena, im, b->tokens), **y = TS_NEW_N(b->arena, int32_t *, count);
    int *n = TS_NEW_N(b->arena, int, count), rows_max = 1;
    for (int e = 0; e < count; e++) {
        n[e] = b->tokens->event[e].n > r->c.design.plan.n_max ? 0 : b->tokens->event[e].n; /* as the hardware does */
        rows_max = n[e] > rows_max ? n[e] : rows_max;
        y[e] = TS_NEW_N(b->arena, int32_t, (size_t)(im->pool ? 1 : n[e]) * (size_t)im->outputs);
    }
    ts_emu_run_events(r->emu, count, n, (const int32_t *const *)x, y);
    double *wide = TS_NEW_N(b->arena, double, (size_t)rows_max *(size_t)im->outputs);
    for (int e = 0; e < count; e++) {
        if (n[e] < b->tokens->event[e].n) {
            ts_refuse(&r->refused, b->tokens->event[e].id, b->tokens->event[e].n);
            continue;
        }
        ts_dequantise_output(im, im->pool ? 1 : n[e], y[e], wide);
        if (!put_results(r, b, e, wide, err))
            return false;
    }
    return true;
}

static void progress(void *user, const char *step)
{
    (void)user;
    ts_progress("%s", step);
}

/* Rows of the hardware's arg-max output, {value, class} words, as {class, real value}. */
static void put_classes(run *r, const batch *b, int event, const ts_sim_event *from)
{
    const ts_imodel *im = r->c.design.im;
    int32_t *row = TS_NEW_N(b->arena, int32_t, r->outputs);
    double *wide = TS_NEW_N(b->arena, double, r->outputs), *best = TS_NEW_N(b->arena, double, 2 * (size_t)from->rows);
    for (int i = 0; i < from->rows; i++) {
        const int32_t value = from->y[2 * i], class = from->y[2 * i + 1];
        row[class] = value;
        ts_dequantise_output(im, 1, row, wide);
        best[2 * i] = class;
        best[2 * i + 1] = wide[class];
    }
    ts_result_file_put_classes(&r->file, &b->events->event[event], best);
}

static bool rtl_batch(run *r, const batch *b, ts_trace *trace, ts_err *err)
{
    const ts_imodel *im = r->c.design.im;
    const bool argmax = r->c.design.plan.argmax;
    int32_t **x = ts_integer_inputs(b->arena, im, b->tokens);
    const int32_t **sent = TS_NEW_N(b->arena, const int32_t *, b->tokens->count);
    int *n = TS_NEW_N(b->arena, int, b->tokens->count), count = 0, rows_max = 1;
    for (int e = 0; e < b->tokens->count; e++)
        if (b->tokens->event[e].n > 0) {
            n[count] = b->tokens->event[e].n;
            rows_max = n[count] > rows_max ? n[count] : rows_max;
            sent[count++] = x[e];
        }
    const ts_sim_options opt = {
        .events = count, .n = n, .x = sent, .seed = 1, .progress = progress, .tap = trace ? ts_trace_rtl : NULL, .tap_user = trace};
    ts_sim_result result = {.bit_exact = true};
    if (count > 0 && !ts_simulate(b->arena, &r->c.design, &opt, &result, err))
        return false;
    double *wide = TS_NEW_N(b->arena, double, (size_t)rows_max *(size_t)im->outputs);
    for (int e = 0, i = 0; e < b->tokens->count; e++) {
        const ts_event *ev = &b->tokens->event[e];
        if (ev->n == 0) { /* nothing was sent; a model that pools has zeros as its results */
            ts_result_file_put(&r->file, &b->events->event[e], TS_NEW_N(b->arena, double, r->outputs));
            continue;
        }
        const ts_sim_event *made = &result.event[i++];
        if (made->refused) {
            ts_refuse(&r->refused, ev->id, ev->n);
        } else if (argmax) {
            put_classes(r, b, e, made);
        } else {
            ts_dequantise_output(im, made->rows, made->y, wide);
            if (!put_results(r, b, e, wide, err))
                return false;
        }
    }
    if (trace)
        printf("first difference between RTL and integer model: %s\n",
               result.trace_difference ? result.trace_difference : "none in any stage");
    return result.bit_exact || ts_fail_as(err, TS_DIFFERS, "the hardware differs from the integer model: %s",
                                          result.difference ? result.difference : "results are missing");
}

/* The first event that has hits, through both models with every tap on. */
static bool write_trace(ts_arena *arena, run *r, ts_trace *trace, ts_err *err)
{
    const ts_imodel *im = r->c.design.im;
    const ts_encoder *encoder;
    ts_assist_events both;
    if (!r->first)
        return ts_fail_as(err, TS_BAD_FILE, "--trace: no event has a hit");
    if (!ts_assist_beside(arena, &r->c, &r->floating, r->first, &encoder, &both, err))
        return false;
    const ts_event *ev = &both.tokens->event[0];
    if (!ts_encoder_eval_check(encoder, ev->n, true, err))
        return false;
    const size_t n = (size_t)ev->n;
    int32_t *x = TS_NEW_N(arena, int32_t, n * (size_t)im->features), *y = TS_NEW_N(arena, int32_t, n * (size_t)im->outputs);
    ts_quantise_input(im, ev->n, ev->x, x);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_AUTO), ev->n, x, y, ts_trace_integer, trace);
    ts_encoder_eval(encoder, ev->n, both.floating->event[0].x, TS_NEW_N(arena, float, n *(size_t)encoder->outputs), ts_trace_float, trace);
    printf("stages of event %lld, %d hits:\n", (long long)ev->id, ev->n);
    return ts_trace_write(trace, r->o->trace, err);
}

static bool load(ts_arena *arena, run *r, ts_err *err)
{
    const options *o = r->o;
    const bool is_float = r->is_float = strcmp(o->engine, "float") == 0;
    if (!is_float && strcmp(o->engine, "integer") != 0 && strcmp(o->engine, "rtl") != 0)
        return ts_fail_as(err, TS_USAGE, "--engine '%s': expected float, integer or rtl", o->engine);
    r->compiled = ts_is_directory(o->model);
    if (!ts_check_output(o->output, err) || !ts_check_output_source(o->output, &o->source, err) ||
        (!r->compiled && !ts_check_output_is_not(o->output, o->model, "the model", err)))
        return false;
    if (!r->compiled && (!is_float || o->trace))
        return ts_fail_as(err, TS_USAGE, "%s: %s needs a directory that `tessera compile` made; a model file runs with --engine float",
                          o->model, o->trace ? "--trace" : o->engine);
    if (r->compiled ? !ts_load_compiled(arena, o->model, &o->source, &r->c, err) : !ts_check_source(&o->source, err))
        return false;
    if (r->compiled && !ts_check_output_design(o->output, &r->c.design, err))
        return false;
    if ((is_float || o->trace) && !ts_load_float_model(arena, r->compiled ? r->c.onnx : o->model, o->source.notices, &r->floating, err))
        return false;
    for (const ts_external *file = r->floating.external; file; file = file->next)
        if (!ts_check_output_is_not(o->output, file->path, "a file that the model's weights are in", err))
            return false;
    if (r->compiled) {
        r->host = r->c.host;
        r->inputs = r->c.inputs;
    } else if (r->floating.whole) {
        r->inputs = ts_load_inputs(arena, &o->source, r->floating.encoder, err);
    } else {
        ts_assist *assist = TS_NEW(arena, ts_assist);
        if (!ts_assist_choose(arena, r->floating.graph, r->floating.found, NULL, assist, err))
            return false;
        r->host = &assist->host;
        r->inputs = ts_load_host_inputs(arena, &o->source, r->host, r->floating.graph->name, err);
    }
    if (!r->inputs)
        return false;
    r->outputs = r->inputs->outputs;
    r->pooled = (r->compiled ? r->c.design.im->pool : r->floating.encoder->pool) != TS_POOL_NONE;
    if (r->host)
        ts_host_outputs(r->host, &r->pooled);
    if (!is_float && r->c.design.plan.argmax && o->logits && strcmp(o->engine, "rtl") == 0)
        return ts_fail_as(err, TS_USAGE, "the design puts out arg-max only; compile with --logits to see all logits of the hardware");
    if (strcmp(o->engine, "integer") == 0)
        r->emu = ts_emu_new(arena, r->c.design.im, TS_EMU_AUTO);
    return ts_feed_open(arena, &o->source, r->inputs, r->host, &r->feed, err);
}

/* Of a trace: keeps the first event that has hits. */
static void keep_first(ts_arena *arena, run *r, const ts_events *events)
{
    for (int e = 0; !r->first && e < events->count; e++) {
        const ts_event *from = &events->event[e];
        if (from->n == 0)
            continue;
        ts_events *first = TS_NEW(arena, ts_events);
        ts_event *event = TS_NEW(arena, ts_event);
        const size_t size = r->o->source.samples ? ts_host_sample_size(r->host) : (size_t)from->n * (size_t)events->features;
        float *x = TS_NEW_N(arena, float, size);
        memcpy(x, from->x, size * sizeof *x);
        *event = (ts_event){.id = from->id, .n = from->n, .x = x};
        *first = (ts_events){.path = ts_strdup(arena, events->path), .count = 1, .features = events->features, .event = event};
        r->first = first;
    }
}

/* One batch through the engine. Simulated hardware gets all events at once. */
static bool run_batch(ts_arena *arena, run *r, batch *b, ts_trace *trace, fired *total, ts_err *err)
{
    if (trace)
        keep_first(arena, r, b->events);
    if (r->is_float) {
        for (int e = 0; e < b->events->count; e++) {
            ts_feed_progress(&r->feed, r->feed.taken - b->events->count + e);
            if (!float_event(r, &b->events->event[e], total, err))
                return false;
        }
        return true;
    }
    b->tokens = r->host ? ts_host_events(b->arena, r->host, b->events, &r->time, err) : b->events;
    return b->tokens && (r->emu ? integer_batch(r, b, err) : rtl_batch(r, b, trace, err));
}

/* Events in, results out, a batch at a time: memory does not grow with the file. */
static bool run_events(ts_arena *arena, run *r, ts_trace *trace, ts_err *err)
{
    enum { VALUES = 1 << 21, HITS_LEAST = 256, HITS_MOST = 1 << 15, EVENTS = 1 << 12 };
    const options *o = r->o;
    const bool together = !r->is_float && !r->emu;
    const int share = VALUES / (r->outputs + r->inputs->features);
    const int hits = share < HITS_LEAST ? HITS_LEAST : share > HITS_MOST ? HITS_MOST : share;
    fired total = {.events = 0};
    bool ok = true, more = true;
    if (together)
        ts_progress("reading %s", o->source.events ? o->source.events : o->source.samples);
    else
        ts_progress("%s model", o->engine);
    while (ok && more) {
        batch b = {.arena = ts_arena_new()};
        b.events = together ? ts_feed_take_all(&r->feed, b.arena, err) : ts_feed_take(&r->feed, b.arena, EVENTS, hits, err);
        more = b.events && b.events->count > 0;
        ok = b.events && (!more || run_batch(arena, r, &b, trace, &total, err));
        more = more && !together;
        if (!together)
            ts_feed_progress(&r->feed, r->feed.taken);
        ts_arena_free(b.arena);
    }
    ts_progress_end();
    warn_fired(r, &total);
    if (ok)
        ts_feed_watch(&r->feed);
    return ok;
}

static bool execute(ts_arena *arena, const options *o, bool *refused, ts_err *err)
{
    run r = {.o = o};
    const bool class = !o->logits;
    bool ok = load(arena, &r, err);
    ok = ok && ts_result_file_open(arena, o->output, r.inputs, class && r.inputs->classification ? TS_RESULT_CLASS : TS_RESULT_VALUES,
                                   r.outputs, r.pooled, &r.file, err);
    const bool opened = ok;
    ts_trace *trace = ok && o->trace ? ts_trace_new(arena) : NULL;
    ok = ok && run_events(arena, &r, trace, err);
    ts_progress_end();
    /* A trace is wanted most when the engines differ: it is written then, too, and the failure reported all the same. */
    ts_err trace_err = {""};
    if (trace && !write_trace(arena, &r, trace, &trace_err) && ok)
        ok = ts_fail_with(err, &trace_err);
    if (ok && r.time.backs > 0) {
        json_t *measured = ts_assist_measured_json(&r.time);
        ts_report_print_measured(stdout, measured);
        json_decref(measured);
    }
    ok = ok && ts_refused_tell(&r.refused, r.o->source.notices, r.feed.taken, r.c.design.plan.n_max, err);
    if (ok)
        ok = ts_result_file_commit(&r.file, err);
    else if (opened)
        ts_result_file_abort(&r.file);
    ts_feed_close(&r.feed);
    if (r.c.design.manifest)
        ts_design_free(&r.c.design);
    *refused = r.refused.count > 0;
    return ok;
}

int ts_verb_run(const ts_verb *verb, int argc, char **argv)
{
    const ts_notices notices = ts_cli_notices(verb->name);
    options o = {.source.notices = &notices};
    const ts_arg table[] = {
        {"engine", TS_ARG_TEXT, "ENGINE", "float (as the file writes it), integer (bit-exact emulator) or rtl (simulation)", &o.engine, 0,
         0, true},
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy", &o.source.events, 0, 0, false},
        {"input", TS_ARG_TEXT, "FILE.npy", "samples, where the model's input has a fixed shape", &o.source.samples, 0, 0, false},
        {"inputs", TS_ARG_TEXT, "FILE.json", "which columns are inputs (as compiled)", &o.source.inputs, 0, 0, false},
        {"lengths", TS_ARG_TEXT, "FILE.npy", "true tokens of each .npy event", &o.source.lengths, 0, 0, false},
        {"mask", TS_ARG_TEXT, "FILE.npy", "padding of .npy events, nonzero = padding", &o.source.mask, 0, 0, false},
        {"standardised", TS_ARG_FLAG, NULL, "take values as they are, not as (value - mean) / std of the inputs file",
         &o.source.standardised, 0, 0, false},
        {"limit", TS_ARG_INT, "K", "only the first K events", &o.source.limit, 1, 1e6, false},
        {"logits", TS_ARG_FLAG, NULL, "classifiers: all logits, not the class and its value", &o.logits, 0, 0, false},
        {"trace", TS_ARG_TEXT, "DIR", "write every stage of the first event, float beside integer", &o.trace, 0, 0, false},
        {"o", TS_ARG_TEXT, "OUT.csv", "where to write: event_id,hit_id,<outputs> in input order", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.model, &status))
        return status;
    ts_arena *arena = ts_arena_new();
    bool refused = false;
    const bool ok = execute(arena, &o, &refused, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return !ok ? ts_cli_fail(verb, &err) : refused ? TS_CLI_REFUSED : 0;
}
