/* tessera simulate */
#include "sim/simulate.h"

#include <math.h>
#include <string.h>

#include "cli/notices.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "design/report.h"
#include "emu/emu.h"
#include "flow/assisted.h"
#include "flow/feed.h"
#include "flow/refused.h"
#include "flow/session.h"
#include "plan/predict.h"

typedef struct options {
    const char *dir;
    ts_event_source source;
    int stalls, link_stalls, memory_stalls, seed;
    const char *link_fault, *page_fault, *part_stall;
    ts_link_fault link;
    ts_page_fault page;
    ts_part_stall part;
    bool lone, load, bus;
} options;

static void progress(void *user, const char *step)
{
    (void)user;
    ts_progress("%s", step);
}

/* What the hardware's times were to be: of the same events in the same order, undisturbed. */
typedef struct prediction {
    ts_event_times *event;           /* [events] */
    double (*wait)[TS_PAGED_STAGES]; /* [events * parts] */
    double interval, cycles;         /* as in ts_sim_result */
} prediction;

static prediction predict(ts_arena *arena, const ts_sim_result *r, const ts_design *design, const ts_host_prediction *pace, bool lone)
{
    int *n = TS_NEW_N(arena, int, r->events);
    prediction p = {.event = TS_NEW_N(arena, ts_event_times, r->events)};
    p.wait = (double(*)[TS_PAGED_STAGES])TS_NEW_N(arena, double, (size_t)r->events *(size_t)design->parts *TS_PAGED_STAGES);
    for (int e = 0; e < r->events; e++)
        n[e] = r->event[e].tokens;
    ts_chain_run(&(ts_chain_queue){.ring = ts_design_rings(arena, design),
                                   .count = design->parts,
                                   .events = r->events,
                                   .n = n,
                                   .lone = lone,
                                   .token_cycles = pace->token_cycles,
                                   .row_cycles = pace->row_cycles},
                 p.event, p.wait);
    p.interval = ts_chain_interval(p.event, r->events);
    for (int e = 0; e < r->events; e++)
        p.cycles = fmax(p.cycles, p.event[e].last_out);
    return p;
}

static json_t *event_json(const ts_sim_event *e, const ts_event_times *predicted)
{
    if (e->refused)
        return json_pack("{s:i, s:b}", "tokens", e->tokens, "refused", true);
    if (e->error)
        return json_pack("{s:i, s:b}", "tokens", e->tokens, "flagged", true);
    return json_pack("{s:i, s:I, s:I, s:I, s:I}", "tokens", e->tokens, "latency_cycles", (json_int_t)ts_sim_latency(e), "total_cycles",
                     (json_int_t)(e->last_out - e->first_in), "predicted_cycles",
                     (json_int_t)llround(predicted->last_out - predicted->last_in), "predicted_total_cycles",
                     (json_int_t)llround(predicted->last_out - predicted->first_in));
}

/* The prediction that is off the furthest: of an event from its first hit in to its last result out, of the interval, of all cycles. */
static json_t *worst_json(ts_arena *arena, const ts_sim_result *r, const prediction *p)
{
    const char *what = "all cycles";
    double worst = (p->cycles / (double)r->cycles - 1) * 100;
    const double interval = r->interval_cycles > 0 ? (p->interval / r->interval_cycles - 1) * 100 : 0;
    if (fabs(interval) > fabs(worst)) {
        worst = interval;
        what = "the interval";
    }
    for (int e = 0; e < r->events; e++) {
        const ts_sim_event *ev = &r->event[e];
        if (ev->refused || ev->error)
            continue;
        const double off = ((p->event[e].last_out - p->event[e].first_in) / (double)(ev->last_out - ev->first_in) - 1) * 100;
        if (fabs(off) > fabs(worst)) {
            worst = off;
            what = ts_printf(arena, "event %d of %d hits, first hit in to last result out", e, ev->tokens);
        }
    }
    return json_pack("{s:s, s:f}", "what", what, "percent", worst);
}

/* A part's time with an event: from the last token in to the last one out, mean over the events; the way to it belongs to it. */
static json_t *parts_json(const ts_sim_result *r)
{
    json_t *parts = json_array();
    for (int p = 0; r->cuts > 0 && p <= r->cuts; p++) {
        double sum = 0;
        int count = 0;
        for (int e = 0; e < r->events; e++) {
            const ts_sim_event *ev = &r->event[e];
            if (ev->refused || ev->error)
                continue;
            sum += (double)((p < r->cuts ? ev->cut[p].last : ev->last_out) - (p > 0 ? ev->cut[p - 1].last : ev->last_in));
            count++;
        }
        json_t *part = json_pack("{s:f}", "mean_latency_cycles", count ? sum / count : 0);
        if (p > 0)
            json_object_set_new(part, "cycles_with_tokens_waiting_at_its_entry", json_integer((json_int_t)r->blocked[p - 1]));
        json_array_append_new(parts, part);
    }
    return parts;
}

/* What waiting for pages cost and was to cost, of each part with paged stages. */
static json_t *pages_json(const ts_sim_result *r, const ts_design *design, const prediction *predicted)
{
    json_t *parts = json_array();
    for (int i = 0; i < r->paged;) {
        const int part = r->paged_stage[i].part;
        json_t *stages = json_array();
        for (; i < r->paged && r->paged_stage[i].part == part; i++) {
            const ts_sim_paged *s = &r->paged_stage[i];
            json_t *stage =
                json_pack("{s:s, s:I, s:b}", "stage", ts_lin_name(s->lin), "stall_cycles", (json_int_t)s->stalls, "late", s->late);
            double wait = 0;
            for (int k = 0; k < TS_PAGED_STAGES; k++)
                for (int e = 0; ts_paged_stage[k] == s->lin && e < r->events; e++)
                    wait += predicted->wait[e * design->parts + part][k];
            json_object_set_new(stage, "predicted_stall_cycles", json_integer((json_int_t)llround(wait)));
            json_array_append_new(stages, stage);
        }
        json_array_append_new(parts, json_pack("{s:i, s:i, s:b, s:o}", "part", part, "fetched_again", r->pages_again[part], "given_up",
                                               r->gave_up[part], "stages", stages));
    }
    return parts;
}

/* Times as the host sees them: from an event's first token sent to its last result back. */
static json_t *bus_json(const ts_sim_result *r, const prediction *predicted, const ts_host_prediction *pace)
{
    json_t *events = json_array();
    const double way = pace->token_cycles + pace->row_cycles + 2 * pace->flight_cycles; /* of the first token and the last result */
    for (int e = 0; e < r->events; e++) {
        const ts_sim_event *ev = &r->event[e];
        if (!ev->refused && !ev->error)
            json_array_append_new(events,
                                  json_pack("{s:i, s:f, s:I}", "tokens", ev->tokens, "latency_cycles",
                                            (double)(ev->last_out - ev->first_in) + way, "predicted_cycles",
                                            (json_int_t)llround(predicted->event[e].last_out - predicted->event[e].first_in + way)));
    }
    return events;
}

/* pace: of the host's bus; zeros where it is not simulated. */
static json_t *result_json(ts_arena *arena, const ts_sim_result *r, const ts_design *design, const ts_host_prediction *pace,
                           const options *o)
{
    const prediction p = predict(arena, r, design, pace, o->lone);
    json_t *events = json_array();
    for (int e = 0; e < r->events; e++)
        json_array_append_new(events, event_json(&r->event[e], &p.event[e]));
    json_t *json =
        json_pack("{s:i, s:i, s:i, s:b, s:I, s:I, s:f, s:f, s:I, s:f, s:I, s:i, s:i, s:b, s:o}", "events", r->events, "refused", r->refused,
                  "flagged", r->flagged, "bit_exact", r->bit_exact, "mismatches", (json_int_t)r->mismatches, "words", (json_int_t)r->words,
                  "interval_cycles", r->interval_cycles, "predicted_interval_cycles", p.interval, "cycles", (json_int_t)r->cycles,
                  "mac_utilisation", r->mac_utilisation, "predicted_all_cycles", (json_int_t)llround(p.cycles), "stall_percent", o->stalls,
                  "seed", o->seed, "lone", o->lone, "per_event", events);
    CHECK(json);
    const bool disturbed = o->stalls || o->link_stalls || o->memory_stalls || o->link_fault || o->page_fault || o->part_stall;
    if (!disturbed && r->cycles > 0)
        json_object_set_new(json, "worst_prediction", worst_json(arena, r, &p));
    if (r->paged > 0)
        json_object_set_new(json, "pages", pages_json(r, design, &p));
    if (r->cuts > 0)
        json_object_set_new(json, "parts", parts_json(r));
    if (o->bus)
        json_object_set_new(json, "with_bus", bus_json(r, &p, pace));
    return json;
}

/* Events with at least one hit: an event without hits has no results, and nothing to send. */
static int collect(ts_arena *arena, const ts_imodel *im, const ts_events *events, int **n, const int32_t ***x, int **index)
{
    int32_t **all = ts_integer_inputs(arena, im, events);
    *n = TS_NEW_N(arena, int, events->count);
    *x = TS_NEW_N(arena, const int32_t *, events->count);
    *index = TS_NEW_N(arena, int, events->count);
    int count = 0;
    for (int e = 0; e < events->count; e++)
        if (events->event[e].n > 0) {
            (*n)[count] = events->event[e].n;
            (*index)[count] = e;
            (*x)[count++] = all[e];
        }
    return count;
}

/* The host's part behind the hardware, on what came out of it; how long both of its parts took goes to the report. */
static bool finish_on_host(ts_arena *arena, const options *o, const ts_compiled *c, const ts_events *events, const int *index,
                           const ts_sim_result *result, ts_host_time *time, ts_err *err)
{
    bool pooled;
    const int outputs = ts_host_outputs(c->host, &pooled);
    for (int e = 0; e < result->events; e++) {
        const ts_sim_event *made = &result->event[e];
        if (made->refused || made->error)
            continue;
        const ts_event *event = &events->event[index[e]];
        double *real = TS_NEW_N(arena, double, (size_t)made->rows *(size_t)c->design.im->outputs);
        ts_dequantise_output(c->design.im, made->rows, made->y, real);
        if (!ts_host_back(c->host, event->n, event->x, real, TS_NEW_N(arena, double, (size_t)(pooled ? 1 : event->n) * (size_t)outputs),
                          time, err))
            return ts_fail_in(err, "%s: event %lld", events->path, (long long)event->id);
    }
    json_t *report = ts_report_load(o->dir, err);
    if (!report)
        return false;
    json_t *host = json_copy(json_object_get(report, "host"));
    json_object_set_new(host, "measured", ts_assist_measured_json(time));
    json_decref(report);
    return ts_report_put(&c->design, "host", host, err);
}

static const ts_events *load_events(ts_arena *arena, const options *o, const ts_compiled *c, ts_err *err)
{
    ts_feed feed;
    ts_progress("reading %s", o->source.samples ? o->source.samples : o->source.events);
    const ts_events *events = ts_feed_open(arena, &o->source, c->inputs, c->host, &feed, err) ? ts_feed_take_all(&feed, arena, err) : NULL;
    ts_progress_end();
    if (events)
        ts_feed_watch(&feed);
    ts_feed_close(&feed);
    return events;
}

static bool simulate(ts_arena *arena, const options *o, bool *refused, ts_err *err)
{
    ts_compiled c;
    if (!ts_load_compiled(arena, o->dir, &o->source, &c, err))
        return false;
    const ts_events *events = load_events(arena, o, &c, err);
    ts_host_time time = {0};
    const ts_events *tokens = events && c.host ? ts_host_events(arena, c.host, events, &time, err) : events;
    int *n = NULL, *index = NULL, count = 0;
    const int32_t **x = NULL;
    bool ok = tokens != NULL;
    if (ok) {
        count = collect(arena, c.design.im, tokens, &n, &x, &index);
        ok = count > 0 || ts_fail_as(err, TS_BAD_FILE, "%s: no event has a hit, so there is nothing to simulate", events->path);
    }
    if (ok && o->bus && !c.host)
        ok = ts_fail_as(err, TS_USAGE, "--bus: all of %s is in hardware; there is no host's bus to simulate", o->dir);
    const ts_host_bus bus = ok && o->bus ? ts_assist_bus(&c.design) : (ts_host_bus){0};
    const ts_host_prediction pace =
        ok && o->bus ? ts_assist_predict(&bus, ts_design_rings(arena, &c.design), c.design.parts, 1) : (ts_host_prediction){0};
    ts_sim_result result;
    const ts_sim_options opt = {.events = count,
                                .n = n,
                                .x = x,
                                .stall_percent = o->stalls,
                                .seed = (uint64_t)o->seed,
                                .lone = o->lone,
                                .load = o->load,
                                .link_percent = o->link_stalls,
                                .link_fault = o->link,
                                .memory_percent = o->memory_stalls,
                                .page_fault = o->page,
                                .part_stall = o->part,
                                .token_cycles = pace.token_cycles,
                                .row_cycles = pace.row_cycles,
                                .progress = progress};
    ok = ok && ts_simulate(arena, &c.design, &opt, &result, err);
    ok = ok && (!c.host || finish_on_host(arena, o, &c, events, index, &result, &time, err));
    ts_refused no = {.count = 0};
    for (int i = 0; ok && i < count; i++)
        if (result.event[i].refused)
            ts_refuse(&no, events->event[index[i]].id, n[i]);
    *refused = no.count > 0;
    ok = ok && ts_report_put(&c.design, "simulated", result_json(arena, &result, &c.design, &pace, o), err);
    ts_progress_end();
    if (ok) {
        json_t *report = ts_report_load(o->dir, err);
        if (report)
            ts_report_print(stdout, report);
        json_decref(report);
        if (result.rebuilt)
            printf("  simulator built in %.0f s, ", result.build_seconds);
        else
            printf("  simulator as built before, ");
        printf("%lld cycles simulated in %.1f s, %lld output words compared\n", result.cycles, result.run_seconds, result.words);
        ok = result.bit_exact ||
             ts_fail_as(err, TS_DIFFERS, "the hardware differs from the integer model: %s; see `tessera run %s --engine rtl --trace OUT`",
                        result.difference ? result.difference : "results are missing", o->dir);
    }
    ok = ok && ts_refused_tell(&no, o->source.notices, events->count, c.design.plan.n_max, err);
    ts_design_free(&c.design);
    return ok;
}

enum { LONG_CYCLES = 10000, KIND_CHARS = 16 };

/* The number of `kind` among `kinds`, of which the first one is no fault; 0 where it is none of them. */
static int find_kind(const char *const *kinds, int count, const char *kind)
{
    for (int k = 1; k < count; k++)
        if (strcmp(kind, kinds[k]) == 0)
            return k;
    return 0;
}

static bool parse_link_fault(const char *text, ts_link_fault *fault, ts_err *err)
{
    static const char *const kinds[] = {"", [TS_LINK_FLIP] = "flip", [TS_LINK_DROP] = "drop", [TS_LINK_HOLD] = "hold"};
    *fault = (ts_link_fault){.hold_cycles = LONG_CYCLES};
    char kind[KIND_CHARS] = "", rest = 0;
    if (!text)
        return true;
    if (sscanf(text, "%15[a-z]:%d:%d%c", kind, &fault->wire, &fault->word, &rest) == 3 && fault->wire >= 0 && fault->word >= 0)
        fault->kind = (ts_link_fault_kind)find_kind(kinds, TS_LINK_HOLD + 1, kind);
    return fault->kind != TS_LINK_SOUND ||
           ts_fail_as(err, TS_USAGE, "--link-fault %s: give KIND:WIRE:WORD, such as flip:0:100; KIND is flip, drop or hold", text);
}

static bool parse_page_fault(const char *text, ts_page_fault *fault, ts_err *err)
{
    static const char *const kinds[] = {
        "", [TS_PAGE_LATE] = "late", [TS_PAGE_FLIP] = "flip", [TS_PAGE_FLIP_ALWAYS] = "flip-always", [TS_PAGE_ERROR] = "error"};
    *fault = (ts_page_fault){.late_cycles = LONG_CYCLES};
    char kind[KIND_CHARS] = "", rest = 0;
    if (!text)
        return true;
    const int got = sscanf(text, "%15[-a-z]:%d:%d:%d%c", kind, &fault->part, &fault->page, &fault->late_cycles, &rest);
    const int found = find_kind(kinds, TS_PAGE_ERROR + 1, kind);
    if ((got == 3 || (got == 4 && found == TS_PAGE_LATE)) && fault->part >= 0 && fault->page >= 0 && fault->late_cycles > 0 &&
        fault->late_cycles <= TS_SIM_WAIT_MAX)
        fault->kind = (ts_page_fault_kind)found;
    return fault->kind != TS_PAGE_SOUND ||
           ts_fail_as(err, TS_USAGE,
                      "--page-fault %s: give KIND:PART:PAGE, such as flip:0:7, or late:PART:PAGE:CYCLES (at "
                      "most %d); KIND is late, flip, flip-always or "
                      "error",
                      text, TS_SIM_WAIT_MAX);
}

static bool parse_part_stall(const char *text, ts_part_stall *stall, ts_err *err)
{
    *stall = (ts_part_stall){0};
    char rest = 0;
    if (!text)
        return true;
    stall->cycles = LONG_CYCLES;
    const int got = sscanf(text, "%d:%d:%d%c", &stall->part, &stall->transfer, &stall->cycles, &rest);
    if ((got == 2 || got == 3) && stall->part >= 0 && stall->transfer >= 0 && stall->cycles > 0 && stall->cycles <= TS_SIM_WAIT_MAX)
        return true;
    return ts_fail_as(err, TS_USAGE, "--part-stall %s: give PART:TRANSFER, such as 1:40, or PART:TRANSFER:CYCLES (at most %d)", text,
                      TS_SIM_WAIT_MAX);
}

int ts_verb_simulate(const ts_verb *verb, int argc, char **argv)
{
    const ts_notices notices = ts_cli_notices(verb->name);
    options o = {.seed = 1, .source.notices = &notices};
    const ts_arg table[] = {
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy, sent back to back", &o.source.events, 0, 0, false},
        {"input", TS_ARG_TEXT, "FILE.npy", "samples, where the model's input has a fixed shape", &o.source.samples, 0, 0, false},
        {"inputs", TS_ARG_TEXT, "FILE.json", "which columns are inputs (as compiled)", &o.source.inputs, 0, 0, false},
        {"lengths", TS_ARG_TEXT, "FILE.npy", "true tokens of each .npy event", &o.source.lengths, 0, 0, false},
        {"mask", TS_ARG_TEXT, "FILE.npy", "padding of .npy events, nonzero = padding", &o.source.mask, 0, 0, false},
        {"standardised", TS_ARG_FLAG, NULL, "take values as they are, not as (value - mean) / std of the inputs file",
         &o.source.standardised, 0, 0, false},
        {"limit", TS_ARG_INT, "K", "only the first K events", &o.source.limit, 1, 1e6, false},
        {"stalls", TS_ARG_INT, "PERCENT", "random pauses of the streams of hits and of results (0)", &o.stalls, 0, 99, false},
        {"link-stalls", TS_ARG_INT, "PERCENT", "random pauses of the links between devices (0)", &o.link_stalls, 0, 99, false},
        {"link-fault", TS_ARG_TEXT, "KIND:WIRE:WORD", "flip, drop or hold (10,000 cycles) a word on a link; wire 2 i: part i to i + 1",
         &o.link_fault, 0, 0, false},
        {"memory-stalls", TS_ARG_INT, "PERCENT", "random pauses of the external memory that pages are in (0)", &o.memory_stalls, 0, 95,
         false},
        {"page-fault", TS_ARG_TEXT, "KIND:PART:PAGE",
         "page PAGE of a part (0: of a single ring) is late[:CYCLES], flip, flip-always or error", &o.page_fault, 0, 0, false},
        {"part-stall", TS_ARG_TEXT, "PART:TRANSFER[:CYCLES]", "a part stands still (10,000 cycles) once it has given so many results",
         &o.part_stall, 0, 0, false},
        {"seed", TS_ARG_INT, "S", "of the pauses (1)", &o.seed, 0, 2147483647, false},
        {"lone", TS_ARG_FLAG, NULL, "each event waits until the one before has left", &o.lone, 0, 0, false},
        {"bus", TS_ARG_FLAG, NULL, "assisted: tokens and results at the pace of the host's bus, times as the host sees them", &o.bus, 0, 0,
         false},
        {"load", TS_ARG_FLAG, NULL, "write all weights at run time before the first event", &o.load, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.dir, &status))
        return status;
    ts_arena *arena = ts_arena_new();
    bool refused = false;
    const bool ok = parse_link_fault(o.link_fault, &o.link, &err) && parse_page_fault(o.page_fault, &o.page, &err) &&
                    parse_part_stall(o.part_stall, &o.part, &err) && simulate(arena, &o, &refused, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return !ok ? ts_cli_fail(verb, &err) : refused ? TS_CLI_REFUSED : 0;
}
