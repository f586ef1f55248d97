/* Cycles of a ring with equal events, from the times of its stages. */
#include "plan/cycles.h"

#include <math.h>

#include "plan/chain.h"
#include "ring/module.h"

/* A way through several segments. */
typedef struct path {
    int latency, ii;
} path;

static void add(path *p, const ts_ring_times *t, ts_segment_id id)
{
    p->latency += t->segment[id].latency;
    p->ii = t->segment[id].ii > p->ii ? t->segment[id].ii : p->ii;
}

/* What is behind a pool sees one token an event. */
static void add_leaving(path *p, const ts_ring_times *t)
{
    add(p, t, TS_SEGMENT_OUT);
    p->latency += t->segment[TS_SEGMENT_POOLED].latency;
}

ts_layer_time ts_layer_time_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    ts_ring ring;
    ts_ring_times t;
    ts_ring_build(im, plan, w, &ring);
    ts_ring_times_of(&ring, &t);
    path enter = {.ii = 1}, loop = {.ii = 1}, middle = {.ii = 1}, out = {.ii = 1};
    add(&enter, &t, TS_SEGMENT_ENTRY);
    if (!ring.ways.has_attention) {
        const ts_queue_time q = ts_queue_time_of(plan);
        add(&loop, &t, TS_SEGMENT_FFN);
        loop.ii = q.each > loop.ii ? q.each : loop.ii;
        out = loop;
        add_leaving(&out, &t);
        enter.ii = q.in + 1 > enter.ii ? q.in + 1 : enter.ii;
        return (ts_layer_time){.ii = loop.ii,
                               .chain = loop.latency,
                               .chain_ii = loop.ii,
                               .enter = enter.latency + q.in + q.ahead,
                               .enter_ii = enter.ii,
                               .leave = out.latency,
                               .leave_ii = out.ii};
    }
    if (!im->fused_qkv0 && im->starts_in_ffn)
        add(&enter, &t, TS_SEGMENT_FFN);
    if (!im->fused_qkv0)
        add(&enter, &t, TS_SEGMENT_LAYER);
    add(&enter, &t, TS_SEGMENT_INTO);
    add(&loop, &t, TS_SEGMENT_CONTEXT);
    middle = out = loop;
    if (ring.ways.has_ffn)
        add(&loop, &t, TS_SEGMENT_FFN);
    if (ring.ways.loop)
        add(&loop, &t, TS_SEGMENT_LAYER);
    add(&loop, &t, TS_SEGMENT_INTO);
    if (!im->ends_in_attention)
        add(&out, &t, TS_SEGMENT_FFN);
    add_leaving(&out, &t);
    if (ring.ways.through && t.segment[TS_SEGMENT_FFN].ii > middle.ii)
        middle.ii = t.segment[TS_SEGMENT_FFN].ii;
    const ts_attention_time a = ts_attention_time_at(plan, im, n);
    return (ts_layer_time){.ii = fmax(a.block / plan->attn.pq, loop.ii),
                           .block = a.block,
                           .row = a.row,
                           .attention = a.first,
                           .chain = loop.latency,
                           .chain_ii = loop.ii,
                           .enter = enter.latency,
                           .enter_ii = enter.ii,
                           .middle = middle.latency,
                           .middle_ii = middle.ii,
                           .leave = out.latency,
                           .leave_ii = out.ii};
}

ts_layer_time ts_layer_time_of(const ts_plan *plan, const ts_imodel *im, int n)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    return ts_layer_time_at(plan, im, &w, n);
}

/* From the first context offered to the last one taken by a chain that takes one every `ii` cycles. Without attention: of the stored
   tokens. */
static double contexts(const ts_plan *plan, const ts_layer_time *t, int n, int ii)
{
    if (t->block <= 0)
        return (double)(n - 1) * ii;
    const int blocks = ts_ceil_div(n, plan->attn.pq), last = n - (blocks - 1) * plan->attn.pq;
    const double engine = (blocks - 1) * t->block + (last - 1) * (t->row > ii ? t->row : ii);
    return fmax(engine, (double)(n - 1) * ii);
}

/* ---- Multipliers and work */

int ts_plan_mac_units(const ts_plan *plan, const ts_imodel *im)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    ts_ring ring;
    ts_ring_build(im, plan, &w, &ring);
    int units = 0;
    for (int n = 0; n < ring.nodes; n++) {
        const ts_module *m = ts_module_of(ring.node[n].module);
        units += m->multipliers ? m->multipliers(&ring, &ring.node[n]) : 0;
    }
    return units;
}

double ts_model_macs(const ts_imodel *im, int n)
{
    const double d = im->d, inner = (double)im->heads * im->d_head;
    double token =
        (im->layers - im->starts_in_ffn) * (4 * d * inner + 2.0 * n * inner) + (im->layers - im->ends_in_attention) * 2 * d * im->ff;
    for (int i = 0; i < im->embed_count; i++)
        token += (double)im->embed[i].in * im->embed[i].out;
    double head = 0;
    for (int i = 0; i < im->head_count; i++)
        head += (double)im->head[i].in * im->head[i].out;
    return n * token + (im->pool == TS_POOL_NONE ? n : 1) * head;
}

ts_passage ts_passage_of(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    const ts_layer_time t = ts_layer_time_at(plan, im, w, n);
    const ts_ring_ways ways = ts_ring_ways_of(im);
    const int blocks = im->layers - im->starts_in_ffn;
    const bool late = ways.ffn_merge && !im->ends_in_attention;
    return (ts_passage){.enter = t.enter,
                        .fill = (double)(n - 1) * t.enter_ii,
                        .layer = t.attention + contexts(plan, &t, n, t.chain_ii) + t.chain,
                        .last = t.attention + contexts(plan, &t, n, t.leave_ii) + t.leave,
                        .first = t.attention,
                        .drain = fmax(t.ii, t.leave_ii),
                        .reading = ways.has_attention ? ts_ceil_div(n, plan->attn.pq) * fmax(t.block, (double)plan->attn.pq * t.leave_ii)
                                                      : (double)n * t.leave_ii,
                        .late = late ? t.attention + contexts(plan, &t, n, t.middle_ii) + t.middle : 0,
                        .span = im->pool == TS_POOL_NONE ? contexts(plan, &t, n, t.leave_ii) : 0,
                        .hops = blocks > 0 ? blocks - 1 : 0};
}

static double lone_latency(const ts_passage *p)
{
    return p->enter + p->hops * p->layer + p->last;
}

double ts_predict_latency(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    const ts_passage p = ts_passage_of(plan, im, w, n);
    return lone_latency(&p);
}

/* Of equal events back to back: the next one enters when the one before is complete in its last layer, as fast as the entry takes hits and
   as far as the queues, which still hold the other's tokens, have room. */
static double interval(const ts_plan *plan, const ts_passage *p, int n)
{
    const int over = 2 * n - (plan->n_max + plan->attn.pq);
    const double fill = over > 0 && p->late <= 0 ? fmax(p->fill, p->first + over * p->drain - p->enter) : p->fill;
    const double in = fill + p->enter;
    return (p->late > 0 ? p->late + in : fmax(p->reading, in)) + p->hops * p->layer;
}

/* Equal events back to back in a paged ring: what the loader does may repeat itself only after several of them. */
static void predict_paged(const ts_plan *plan, const ts_imodel *im, int n, ts_prediction *p)
{
    enum { EVENTS = 12, SETTLED = 4 };
    const ts_chain_ring ring = {.plan = plan, .im = im};
    ts_event_times event[EVENTS];
    double wait[EVENTS][TS_PAGED_STAGES];
    int tokens[EVENTS];
    for (int e = 0; e < EVENTS; e++)
        tokens[e] = n;
    const long long unpaged = p->total_cycles;
    ts_chain_run(&(ts_chain_queue){.ring = &ring, .count = 1, .events = 1, .n = tokens, .after_reset = true}, event, NULL);
    p->first_latency_cycles += llround(event[0].last_out) - unpaged;
    ts_chain_run(&(ts_chain_queue){.ring = &ring, .count = 1, .events = EVENTS, .n = tokens}, event, &wait[0]);
    p->total_cycles = llround(event[0].last_out);
    p->latency_cycles += p->total_cycles - unpaged;
    /* Full buffers help the first events; in the end the bus must bring every page. */
    ts_arena *arena = ts_arena_new();
    const double bus = (double)ts_page_order_of(arena, plan, im).beats / plan->paging.rate;
    ts_arena_free(arena);
    p->interval_cycles = llround(fmax(bus, (event[EVENTS - 1].last_out - event[SETTLED - 1].last_out) / (EVENTS - SETTLED)));
    for (int s = 0; s < TS_PAGED_STAGES; s++) {
        double sum = 0;
        for (int e = SETTLED; e < EVENTS; e++)
            sum += wait[e][s];
        p->stall_cycles[s] = llround(sum / (EVENTS - SETTLED));
        p->paged[s] = plan->lin[ts_paged_stage[s]].buffers > 0;
    }
}

ts_prediction ts_predict(const ts_plan *plan, const ts_imodel *im, int n)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    const ts_passage p = ts_passage_of(plan, im, &w, n);
    const double latency = lone_latency(&p);
    ts_prediction prediction = {.tokens = n,
                                .latency_cycles = llround(latency),
                                .total_cycles = llround(p.fill + latency),
                                .interval_cycles = llround(interval(plan, &p, n)),
                                .span_cycles = llround(p.span),
                                .mac_units = ts_plan_mac_units(plan, im)};
    prediction.first_latency_cycles = prediction.latency_cycles;
    if (ts_plan_is_paged(plan))
        predict_paged(plan, im, n, &prediction);
    prediction.mac_utilisation = ts_model_macs(im, n) / (prediction.mac_units * (double)prediction.interval_cycles);
    return prediction;
}

double ts_predict_page_delay(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    if (!ts_plan_is_paged(plan))
        return 0;
    const ts_passage p = ts_passage_of(plan, im, w, n);
    ts_event_times event;
    ts_chain_run(&(ts_chain_queue){.ring = &(ts_chain_ring){.plan = plan, .im = im}, .count = 1, .events = 1, .n = &n}, &event, NULL);
    return event.last_out - p.fill - lone_latency(&p);
}
