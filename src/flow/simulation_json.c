#include <math.h>

#include "flow/simulation.h"
#include "plan/predict.h"

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
    ts_chain_run(&(ts_chain_queue){.ring = ts_system_chain(arena, &design->system),
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

json_t *ts_simulation_json(ts_arena *arena, const ts_sim_result *r, const ts_design *design, const ts_host_prediction *pace,
                           const ts_simulation_options *o)
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
                  "seed", (int)o->seed, "lone", o->lone, "per_event", events);
    CHECK(json);
    const bool disturbed = o->stalls || o->link_stalls || o->memory_stalls || o->link.kind || o->page.kind || o->part.cycles;
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
