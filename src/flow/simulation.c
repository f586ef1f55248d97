#include "flow/simulation.h"

#include <string.h>

#include "base/text.h"
#include "design/report.h"
#include "emu/emu.h"
#include "flow/assisted.h"
#include "flow/feed.h"
#include "flow/weights.h"

static void progress(void *user, const char *step)
{
    ts_notice_step(user, "%s", step);
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
static bool finish_on_host(ts_arena *arena, const ts_simulation_options *o, const ts_compiled *c, const ts_events *events, const int *index,
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

static const ts_events *load_events(ts_arena *arena, const ts_simulation_options *o, const ts_compiled *c, const ts_inputs *inputs,
                                    ts_err *err)
{
    ts_feed feed;
    ts_notice_step(o->source.notices, "reading %s", ts_source_name(&o->source));
    const ts_events *events = ts_feed_open(arena, &o->source, inputs, c->host, &feed, err) ? ts_feed_take_all(&feed, arena, err) : NULL;
    ts_notice_step_end(o->source.notices);
    if (events)
        ts_feed_watch(&feed);
    ts_feed_close(&feed);
    return events;
}

/* The design's whole report, with what it has now, and what the simulator itself took. */
static const char *tell(ts_arena *arena, const char *dir, const ts_sim_result *r, ts_err *err)
{
    json_t *report = ts_report_load(dir, err);
    if (!report)
        return NULL;
    ts_text text;
    FILE *out = ts_text_open(&text);
    ts_report_print(out, report);
    json_decref(report);
    if (r->rebuilt)
        fprintf(out, "  simulator built in %.0f s, ", r->build_seconds);
    else
        fprintf(out, "  simulator as built before, ");
    fprintf(out, "%lld cycles simulated in %.1f s, %lld output words compared\n", r->cycles, r->run_seconds, r->words);
    return ts_text_close(&text, arena);
}

/* Hits that are sent, and the simulation of them. */
typedef struct sent {
    const ts_events *events;
    const ts_weights *weights; /* that come later, and the events as their model takes them; NULL: none */
    const ts_events *later;
    int count, *n, *index;
    const int32_t **x;
    ts_host_time time;
    ts_host_prediction pace; /* of the host's bus */
} sent;

static bool send(ts_arena *arena, const ts_simulation_options *o, const ts_compiled *c, sent *s, ts_sim_result *result, ts_err *err)
{
    const ts_events *tokens = c->host ? ts_host_events(arena, c->host, s->events, &s->time, err) : s->events;
    if (!tokens)
        return false;
    s->count = collect(arena, c->design.im, tokens, &s->n, &s->x, &s->index);
    if (s->count == 0)
        return ts_fail_as(err, TS_BAD_FILE, "%s: no event has a hit, so there is nothing to simulate", s->events->path);
    if (o->bus && !c->host)
        return ts_fail_as(err, TS_USAGE, "%s: all of %s is in hardware; there is no host's bus to simulate", ts_option("bus"), o->dir);
    if (o->bus) {
        const ts_host_bus bus = ts_assist_bus(&c->design);
        s->pace = ts_assist_predict(&bus, ts_system_chain(arena, &c->design.system), c->design.parts, 1);
    }
    int32_t **later = s->weights ? ts_integer_inputs(arena, s->weights->im, s->later) : NULL;
    int after = 0;
    for (int i = 0; later && i < s->count; i++) {
        after += s->index[i] < o->after;
        s->x[i] = s->index[i] < o->after ? s->x[i] : later[s->index[i]];
    }
    const ts_sim_options opt = {.events = s->count,
                                .weights = s->weights,
                                .after = after,
                                .n = s->n,
                                .x = s->x,
                                .stall_percent = o->stalls,
                                .seed = (uint64_t)o->seed,
                                .lone = o->lone,
                                .load = o->load,
                                .link_percent = o->link_stalls,
                                .link_fault = o->link,
                                .memory_percent = o->memory_stalls,
                                .page_fault = o->page,
                                .part_stall = o->part,
                                .token_cycles = s->pace.token_cycles,
                                .row_cycles = s->pace.row_cycles,
                                .progress = progress,
                                .progress_user = (void *)(uintptr_t)o->source.notices};
    return ts_simulate(arena, &c->design, &opt, result, err) &&
           (!c->host || finish_on_host(arena, o, c, s->events, s->index, result, &s->time, err));
}

/* The weights of the file, and events in the units that their inputs file asks for. */
static bool open_weights(ts_arena *arena, const ts_simulation_options *o, const ts_compiled *c, sent *s, ts_err *err)
{
    const ts_inputs *inputs, *own = c->inputs;
    if (!o->weights)
        return !o->after || ts_fail_as(err, TS_USAGE, "%s: it belongs to %s", ts_option("after"), ts_option("weights"));
    if (c->host)
        return ts_fail_as(err, TS_USAGE, "%s: the host computes a part of %s; such designs take no weights later", ts_option("weights"),
                          o->dir);
    if (o->after >= s->events->count)
        return ts_fail_as(err, TS_USAGE, "%s is %d: of %d event%s none would see the new weights", ts_option("after"), o->after,
                          s->events->count, s->events->count == 1 ? "" : "s");
    s->weights = ts_weights_open(arena, o->weights, c, &o->source, &inputs, err);
    if (!s->weights)
        return false;
    const bool same = inputs == own || (own->text && inputs->size == own->size && memcmp(inputs->text, own->text, own->size) == 0);
    s->later = same ? s->events : load_events(arena, o, c, inputs, err);
    return s->later != NULL;
}

/* Of events that saw two models no figures go to the report: between them the design stood still. */
static bool finish_switched(ts_arena *arena, const ts_simulation_options *o, const ts_compiled *c, const sent *s, ts_simulation *made,
                            ts_err *err)
{
    const ts_sim_result *r = &made->result;
    int before = 0;
    for (int i = 0; i < s->count; i++)
        before += s->index[i] < o->after;
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "%s: %d events with the weights of %s, then %d with those of %s (%s), in one run of one simulator: %lld output words compared, "
            "%lld differ\n",
            o->dir, before, c->design.im->name, s->count - before, s->weights->im->name, o->weights, r->words, r->mismatches);
    made->text = ts_text_close(&text, arena);
    if (!r->bit_exact)
        return ts_fail_as(err, TS_DIFFERS, "the hardware differs from the integer model: %s",
                          r->difference ? r->difference : "results are missing");
    return ts_refused_tell(&made->refused, o->source.notices, made->events, c->design.plan.n_max, err);
}

static bool finish(ts_arena *arena, const ts_simulation_options *o, const ts_compiled *c, const sent *s, ts_simulation *made, ts_err *err)
{
    const ts_sim_result *r = &made->result;
    made->events = s->events->count;
    for (int i = 0; i < s->count; i++)
        if (r->event[i].refused)
            ts_refuse(&made->refused, s->events->event[s->index[i]].id, s->n[i]);
    json_t *json = ts_simulation_json(arena, r, &c->design, &s->pace, o);
    made->json = ts_report_text(arena, json);
    if (s->weights) {
        json_decref(json);
        ts_notice_step_end(o->source.notices);
        return finish_switched(arena, o, c, s, made, err);
    }
    if (!ts_report_put(&c->design, "simulated", json, err))
        return false;
    ts_notice_step_end(o->source.notices);
    made->text = tell(arena, o->dir, r, err);
    if (!made->text)
        return false;
    if (!r->bit_exact)
        return ts_fail_as(err, TS_DIFFERS, "the hardware differs from the integer model: %s; a trace of the simulated hardware says where",
                          r->difference ? r->difference : "results are missing");
    return ts_refused_tell(&made->refused, o->source.notices, made->events, c->design.plan.n_max, err);
}

bool ts_simulation_run(ts_arena *arena, const ts_simulation_options *o, ts_simulation *made, ts_err *err)
{
    *made = (ts_simulation){.events = 0};
    ts_compiled c;
    if (!ts_load_compiled(arena, o->dir, &o->source, &c, err))
        return false;
    sent s = {.events = load_events(arena, o, &c, c.inputs, err)};
    const bool ok = s.events && open_weights(arena, o, &c, &s, err) && send(arena, o, &c, &s, &made->result, err) &&
                    finish(arena, o, &c, &s, made, err);
    ts_design_free(&c.design);
    return ok;
}
