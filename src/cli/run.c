/* tessera run */
#include <string.h>

#include "cli/assisted.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/trace.h"
#include "cli/verbs.h"
#include "emu/emu.h"
#include "physics/results.h"
#include "ref/graph_eval.h"
#include "ref/mask_watch.h"
#include "report/report.h"

typedef struct options {
    const char *model, *engine, *output, *trace;
    ts_event_source source;
    bool logits;
} options;

typedef struct run {
    const options *o;
    bool compiled;            /* a directory: `c` is loaded */
    ts_compiled c;
    ts_float_model floating;  /* loaded for the float engine and for traces */
    const ts_host *host;      /* NULL: all of the model is hardware */
    ts_host_time time;        /* that it took */
    const ts_inputs *inputs;
    const ts_events *events;  /* as the model takes them */
    const ts_events *tokens;  /* as the hardware does: the same, unless the host makes its tokens */
    int outputs;
    ts_results *results;
} run;

/* Where a mask computed from the data fires on real hits: the hardware, which does without it, computes something else there. */
enum { FIRED_EVENTS = 5, FIRED_HITS = 5 }; /* spelled out; the rest is counted */
typedef struct fired {
    int events, hits;
    char line[FIRED_EVENTS][200];
} fired;

static void note_fired(const run *r, int event, const bool *fires, fired *total)
{
    const ts_event *ev = &r->events->event[event];
    int count = 0, used = 0;
    char ids[120] = "";
    for (int i = 0; i < ev->n; i++)
        if (fires[i] && count++ < FIRED_HITS)
            used += snprintf(ids + used, sizeof ids - (size_t)used, "%s%lld", used ? ", " : "", (long long)r->events->hit_id[ev->row[i]]);
    if (count > 0 && total->events < FIRED_EVENTS)
        snprintf(total->line[total->events], sizeof *total->line, "event %lld: on %d of %d hits, hit_id %s%s", (long long)ev->id, count, ev->n, ids,
                 count > FIRED_HITS ? ", ..." : "");
    total->events += count > 0;
    total->hits += count;
}

static void warn_fired(const run *r, const fired *total)
{
    if (total->events == 0)
        return;
    fprintf(stderr,
            "tessera run: warning: the model's mask is %s; but it fires on %d hit(s) of %d of %d event(s), where hardware and integer model, "
            "which do without it, give other results\n",
            r->floating.encoder->mask_note, total->hits, total->events, r->events->count);
    for (int i = 0; i < FIRED_EVENTS && i < total->events; i++)
        fprintf(stderr, "    %s\n", total->line[i]);
    if (total->events > FIRED_EVENTS)
        fprintf(stderr, "    ... and %d more event(s)\n", total->events - FIRED_EVENTS);
}

static bool run_float(run *r, ts_err *err)
{
    fired total = {.events = 0};
    ts_progress("float model, %d events", r->events->count);
    for (int e = 0; e < r->events->count; e++) {
        const ts_event *ev = &r->events->event[e];
        ts_progress_at((double)e / r->events->count);
        ts_arena *scratch = ts_arena_new();
        ts_tensor y;
        bool *kept = NULL; /* the mask of hits that are all real, where the model's mask marks hits and not padding */
        if (r->floating.encoder->mask == TS_MASK_INPUT && r->floating.encoder->mask_keeps) {
            kept = TS_NEW_N(scratch, bool, ev->n);
            memset(kept, true, (size_t)ev->n);
        }
        ts_mask_watch watch = {r->floating.encoder, ev->n, TS_NEW_N(scratch, bool, ev->n)};
        const bool ok = ts_graph_eval_event(r->floating.graph, scratch, ev->n, ev->x, kept, &y, ts_mask_watch_tap, &watch, err);
        if (ok) {
            note_fired(r, e, watch.fires, &total);
            const size_t count = (size_t)(r->results->pooled ? 1 : ev->n) * (size_t)r->outputs;
            CHECK((size_t)ts_count(&y) == count);
            double *wide = TS_NEW_N(scratch, double, count);
            for (size_t i = 0; i < count; i++)
                wide[i] = (double)y.data.f[i];
            ts_results_set(r->results, r->events, e, wide, r->outputs);
        }
        ts_arena_free(scratch);
        if (!ok)
            return ts_fail_in(err, "%s: event %lld", r->events->path, (long long)ev->id);
    }
    ts_progress_end();
    warn_fired(r, &total);
    return true;
}

static void refuse(run *r, int event)
{
    fprintf(stderr, "tessera run: warning: event %lld has %d hits and was refused; the design takes at most %d\n",
            (long long)r->events->event[event].id, r->tokens->event[event].n, r->c.design.plan.n_max);
    r->results->y[event] = NULL;
}

/* What the hardware, or its model, made of an event; the host computes the rest. */
static bool set_results(ts_arena *arena, run *r, int event, const double *made, ts_err *err)
{
    const ts_event *ev = &r->events->event[event];
    if (r->host && ev->n > 0) {
        double *y = TS_NEW_N(arena, double, (size_t)(r->results->pooled ? 1 : ev->n) * (size_t)r->outputs);
        if (!ts_host_back(r->host, ev->n, ev->x, made, y, &r->time, err))
            return ts_fail_in(err, "%s: event %lld", r->events->path, (long long)ev->id);
        made = y;
    }
    ts_results_set(r->results, r->events, event, made, r->outputs);
    return true;
}

static bool run_integer(ts_arena *arena, run *r, ts_err *err)
{
    const ts_imodel *im = r->c.design.im;
    ts_progress("integer model, %d events", r->events->count);
    int32_t **x = ts_integer_inputs(arena, im, r->tokens), **y = TS_NEW_N(arena, int32_t *, r->events->count);
    int *n = TS_NEW_N(arena, int, r->events->count), rows_max = 1;
    for (int e = 0; e < r->events->count; e++) {
        n[e] = r->tokens->event[e].n > r->c.design.plan.n_max ? 0 : r->tokens->event[e].n; /* as the hardware does */
        rows_max = n[e] > rows_max ? n[e] : rows_max;
        y[e] = TS_NEW_N(arena, int32_t, (size_t)(im->pool ? 1 : n[e]) * (size_t)im->outputs);
    }
    ts_emu_run_events(ts_emu_new(arena, im, TS_EMU_AUTO), r->events->count, n, (const int32_t *const *)x, y);
    double *wide = TS_NEW_N(arena, double, (size_t)rows_max * (size_t)im->outputs);
    for (int e = 0; e < r->events->count; e++) {
        if (n[e] < r->tokens->event[e].n) {
            refuse(r, e);
            continue;
        }
        ts_dequantise_output(im, im->pool ? 1 : n[e], y[e], wide);
        if (!set_results(arena, r, e, wide, err))
            return false;
    }
    return true;
}

static void progress(void *user, const char *step)
{
    (void)user;
    ts_progress("%s", step);
}

/* One row of the hardware's arg-max output, {value, class} words, as {class, real value}. */
static void set_class(run *r, ts_arena *arena, int event, const ts_sim_event *from)
{
    const ts_imodel *im = r->c.design.im;
    int32_t *row = TS_NEW_N(arena, int32_t, r->outputs);
    double *wide = TS_NEW_N(arena, double, r->outputs);
    for (int i = 0; i < from->rows; i++) {
        const int32_t value = from->y[2 * i], class = from->y[2 * i + 1];
        row[class] = value;
        ts_dequantise_output(im, 1, row, wide);
        r->results->y[event][2 * i] = class;
        r->results->y[event][2 * i + 1] = wide[class];
    }
}

static bool run_rtl(ts_arena *arena, run *r, ts_trace *trace, ts_err *err)
{
    const ts_imodel *im = r->c.design.im;
    const bool argmax = r->c.design.plan.argmax;
    if (argmax && r->results->kind != TS_RESULT_CLASS)
        return ts_fail(err, "the design puts out arg-max only; compile with --logits to see all logits of the hardware");
    int32_t **x = ts_integer_inputs(arena, im, r->tokens);
    const int32_t **sent = TS_NEW_N(arena, const int32_t *, r->events->count);
    int *n = TS_NEW_N(arena, int, r->events->count), *index = TS_NEW_N(arena, int, r->events->count), count = 0, rows_max = 1;
    for (int e = 0; e < r->events->count; e++)
        if (r->tokens->event[e].n > 0) {
            n[count] = r->tokens->event[e].n;
            rows_max = n[count] > rows_max ? n[count] : rows_max;
            index[count] = e;
            sent[count++] = x[e];
        }
    const ts_sim_options opt = {.events = count, .n = n, .x = sent, .seed = 1, .progress = progress, .tap = trace ? ts_trace_rtl : NULL,
                                .tap_user = trace};
    ts_sim_result result;
    if (count == 0)
        return true;
    if (!ts_simulate(arena, &r->c.design, &opt, &result, err))
        return false;
    double *wide = TS_NEW_N(arena, double, (size_t)rows_max * (size_t)im->outputs);
    for (int i = 0; i < count; i++) {
        const ts_sim_event *ev = &result.event[i];
        if (ev->refused) {
            refuse(r, index[i]);
        } else if (argmax) {
            set_class(r, arena, index[i], ev);
        } else {
            ts_dequantise_output(im, ev->rows, ev->y, wide);
            if (!set_results(arena, r, index[i], wide, err))
                return false;
        }
    }
    if (trace)
        printf("first difference between RTL and integer model: %s\n", result.trace_difference ? result.trace_difference : "none in any stage");
    return result.bit_exact || ts_fail(err, "the hardware differs from the integer model: %s", result.difference ? result.difference : "results are missing");
}

/* The first event that has hits, through both models with every tap on. */
static bool write_trace(ts_arena *arena, run *r, ts_trace *trace, ts_err *err)
{
    const ts_imodel *im = r->c.design.im;
    const ts_encoder *encoder;
    ts_assist_events both;
    if (!ts_assist_beside(arena, &r->c, &r->floating, r->events, &encoder, &both, err))
        return false;
    int e = 0;
    while (e < r->events->count && r->events->event[e].n == 0)
        e++;
    if (e == r->events->count)
        return ts_fail(err, "--trace: no event has a hit");
    const ts_event *ev = &both.tokens->event[e];
    if (!ts_encoder_eval_check(encoder, ev->n, true, err))
        return false;
    const size_t n = (size_t)ev->n;
    int32_t *x = TS_NEW_N(arena, int32_t, n * (size_t)im->features), *y = TS_NEW_N(arena, int32_t, n * (size_t)im->outputs);
    ts_quantise_input(im, ev->n, ev->x, x);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_AUTO), ev->n, x, y, ts_trace_integer, trace);
    ts_encoder_eval(encoder, ev->n, both.floating->event[e].x, TS_NEW_N(arena, float, n * (size_t)encoder->outputs), ts_trace_float, trace);
    printf("stages of event %lld, %d hits:\n", (long long)ev->id, ev->n);
    return ts_trace_write(trace, r->o->trace, err);
}

static bool load(ts_arena *arena, run *r, ts_err *err)
{
    const options *o = r->o;
    const bool is_float = strcmp(o->engine, "float") == 0;
    if (!is_float && strcmp(o->engine, "integer") != 0 && strcmp(o->engine, "rtl") != 0)
        return ts_fail(err, "--engine '%s': expected float, integer or rtl", o->engine);
    r->compiled = ts_is_directory(o->model);
    if (!ts_check_output(o->output, err) || !ts_check_output_source(o->output, &o->source, err) ||
        (!r->compiled && !ts_check_output_is_not(o->output, o->model, "the model", err)))
        return false;
    if (!r->compiled && (!is_float || o->trace))
        return ts_fail(err, "%s: %s needs a directory that `tessera compile` made; a model file runs with --engine float", o->model,
                       o->trace ? "--trace" : o->engine);
    if (r->compiled ? !ts_load_compiled(arena, o->model, &o->source, &r->c, err) : !ts_check_source(&o->source, err))
        return false;
    if (r->compiled && !ts_check_output_design(o->output, &r->c.design, err))
        return false;
    if ((is_float || o->trace) && !ts_load_float_model(arena, r->compiled ? r->c.onnx : o->model, &r->floating, err))
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
    r->events = ts_load_events(arena, &o->source, r->inputs, r->host, err);
    r->tokens = r->events && r->host && !is_float ? ts_host_events(arena, r->host, r->events, &r->time, err) : r->events;
    if (!r->tokens)
        return false;
    bool pooled = (r->compiled ? r->c.design.im->pool : r->floating.encoder->pool) != TS_POOL_NONE;
    if (r->host)
        ts_host_outputs(r->host, &pooled);
    const bool class = r->inputs->classification && !o->logits;
    r->results = ts_results_new(arena, r->events, class ? TS_RESULT_CLASS : TS_RESULT_VALUES, class ? 2 : r->outputs, pooled);
    return true;
}

static bool execute(ts_arena *arena, const options *o, ts_err *err)
{
    run r = {.o = o};
    bool ok = load(arena, &r, err);
    ts_trace *trace = o->trace ? ts_trace_new(arena) : NULL;
    if (ok && strcmp(o->engine, "float") == 0)
        ok = run_float(&r, err);
    else if (ok && strcmp(o->engine, "integer") == 0)
        ok = run_integer(arena, &r, err);
    else if (ok)
        ok = run_rtl(arena, &r, trace, err);
    ts_progress_end();
    /* A trace is wanted most when the engines differ: it is written then, too, and the failure reported all the same. */
    ts_err trace_err = {""};
    if (r.results && trace && !write_trace(arena, &r, trace, &trace_err) && ok)
        ok = ts_fail(err, "%s", trace_err.msg);
    if (ok && r.time.backs > 0) {
        json_t *measured = ts_assist_measured_json(&r.time);
        ts_report_print_measured(stdout, measured);
        json_decref(measured);
    }
    ok = ok && ts_results_write(r.results, r.events, r.inputs, o->output, err);
    if (r.c.design.manifest)
        ts_design_free(&r.c.design);
    return ok;
}

int ts_verb_run(const ts_verb *verb, int argc, char **argv)
{
    options o = {.engine = NULL};
    const ts_arg table[] = {
        {"engine", TS_ARG_TEXT, "ENGINE", "float (as the file writes it), integer (bit-exact emulator) or rtl (simulation)", &o.engine, 0, 0, true},
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy", &o.source.events, 0, 0, false},
        {"input", TS_ARG_TEXT, "FILE.npy", "samples, where the model's input has a fixed shape", &o.source.samples, 0, 0, false},
        {"inputs", TS_ARG_TEXT, "FILE.json", "which columns are inputs (as compiled)", &o.source.inputs, 0, 0, false},
        {"lengths", TS_ARG_TEXT, "FILE.npy", "true tokens of each .npy event", &o.source.lengths, 0, 0, false},
        {"mask", TS_ARG_TEXT, "FILE.npy", "padding of .npy events, nonzero = padding", &o.source.mask, 0, 0, false},
        {"limit", TS_ARG_INT, "K", "only the first K events", &o.source.limit, 1, 1e6, false},
        {"logits", TS_ARG_FLAG, NULL, "classifiers: all logits, not the class and its value", &o.logits, 0, 0, false},
        {"trace", TS_ARG_TEXT, "DIR", "write every stage of the first event, float beside integer", &o.trace, 0, 0, false},
        {"o", TS_ARG_TEXT, "OUT.csv", "where to write: event_id,hit_id,<outputs> in input order", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    const ts_args_result parsed = ts_args_parse(verb, table, argc, argv, &o.model, &err);
    if (parsed != TS_ARGS_OK)
        return parsed == TS_ARGS_HELP ? 0 : ts_cli_usage(verb, &err);
    ts_arena *arena = ts_arena_new();
    const bool ok = execute(arena, &o, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
