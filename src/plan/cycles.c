/* Cycles of a ring. Latencies are those that the modules of rtl/ state in their first lines: from the cycle in which a token is
   taken to the first cycle in which its result is offered, so that they add up along a chain. */
#include "plan/cycles.h"

#include <math.h>

#include "plan/chain.h"
#include "plan/fold.h"
#include "ring/pages.h"

typedef struct timing {
    const ts_plan *plan;
    const ts_imodel *im;
    ts_ring_widths w;
    ts_ring_ways ways;
} timing;

/* A chain of stages: a token's way through all of them, and the slowest stage; and, where asked for, the stages themselves. */
typedef struct path {
    int latency, ii;
    int forming;         /* the last stage is a norm: cycles in which its result is put together; the next one begins when it is taken */
    ts_segment *segment; /* NULL: the stages are not asked for */
    ts_stage_time next;  /* what is known of the one that comes next */
} path;

/* `room`: the tokens that the stage holds when nobody takes its results. */
static void stage(path *p, int latency, int ii, int room)
{
    p->latency += latency;
    p->ii = ii > p->ii ? ii : p->ii;
    p->forming = 0;
    if (!p->segment)
        return;
    CHECK(p->segment->count < TS_SEGMENT_STAGES);
    const int moving = ts_ceil_div(latency, ii);
    p->next.latency = latency;
    p->next.ii = ii;
    p->next.room = room > moving ? room : moving;
    p->segment->stage[p->segment->count++] = p->next;
    p->next = (ts_stage_time){.pages = TS_LIN_COUNT};
}

static void pass(path *p, int latency, int ii)
{
    stage(p, latency, ii, 1);
}

/* ts_linear, ts_rqvec: what is under way at full rate, what the next stage works on, and one more. */
static void vector(path *p, int latency, int ii)
{
    stage(p, latency, ii, ts_ceil_div(latency + 2, ii) + 2);
}

static int log2_up(int x)
{
    int bits = 0;
    while ((1 << bits) < x)
        bits++;
    return bits;
}

/* Cycles of an adder tree over x values. */
static int tree(const timing *t, int x)
{
    return ts_ceil_div(log2_up(x), t->plan->reg);
}

enum {
    SLICE = 1,    /* ts_fork, ts_merge, ts_route, ts_admit, ts_output: a register slice */
    RQVEC_LAG = 9 /* ts_rqvec, beside its steps */
};

static void slice(const timing *t, path *p)
{
    stage(p, SLICE, 1, t->plan->half ? 1 : 2);
}

static void linear(const timing *t, path *p, ts_lin_id id)
{
    const ts_lin_widths *w = &t->w.lin[id];
    const ts_lin_fold *f = &t->plan->lin[id];
    const int rounds = f->pm / f->nr;
    const bool last = (int)id == TS_LIN_HEAD0 + t->im->head_count - 1; /* its results leave in beats, the others' as tokens */
    const int collected = !last && ts_ceil_div(w->m, f->pm) * rounds > 1;
    const int lag = 13 + tree(t, f->pk) + (rounds > 1 ? rounds : 0) + (w->table ? 2 : 0) + collected;
    p->next.takes = ts_lin_ii(w, f) - 1;
    if (f->buffers)
        p->next.pages = id;
    vector(p, ts_lin_ii(w, f) + lag, ts_lin_ii(w, f));
}

static void rqvec(const timing *t, path *p, ts_rqv_id id)
{
    /* The token stays in the slice in front for all steps; one at half rate then needs a cycle for the next. */
    const int steps = ts_ceil_div(t->w.rqv[id].d, t->plan->rqv[id].nr);
    const int formed = p->forming + steps - 1, ii = steps + t->plan->half;
    p->next.takes = steps - 1;
    vector(p, steps + RQVEC_LAG + (steps > 1), p->forming && formed > ii ? formed : ii);
}

/* Residual sum (ts_radd). */
static void sum(const timing *t, path *p)
{
    const int steps = ts_ceil_div(t->im->d, t->plan->sum_lanes);
    p->next.takes = steps - 1;
    pass(p, steps > 1 ? steps + 2 : 2, steps > 1 ? steps + 2 : 1);
}

static void norm(const timing *t, path *p, ts_nrm_id id)
{
    const int steps = ts_ceil_div(t->w.nrm[id].d, t->plan->nrm[id].np);
    const int recurrences = ts_ceil_div(18, t->plan->reg) + ts_ceil_div(16, t->plan->reg); /* a digit is an adder */
    const int latency = 3 * steps + 2 * tree(t, t->plan->nrm[id].np) + 18 + recurrences;
    stage(p, latency, steps, ts_ceil_div(latency + 2, steps) + 1);
    p->forming = steps;
}

/* Where a norm can stand in a layer. */
static void norm_at(const timing *t, path *p, ts_norm_place place)
{
    const int which = ts_norm_at(t->im->norms, place);
    if (which)
        norm(t, p, which == 1 ? TS_NRM_1 : TS_NRM_2);
}

/* ---- The ways of a token (src/emit/top.c draws the same) */

/* From a layer's input, where new tokens and returning ones meet, to its q, k, v. */
static void to_attention(const timing *t, path *p)
{
    if (t->ways.attn_merge)
        slice(t, p); /* of tokens; with fused qkv0 of q, k, v, behind them */
    if (t->im->fused_qkv0 && !t->ways.loop)
        return;
    p->next.waits = true;
    slice(t, p); /* fork: residual queue and q, k, v */
    norm_at(t, p, TS_BEFORE_ATTENTION);
    rqvec(t, p, TS_RQV_QKV);
    linear(t, p, TS_LIN_QKV);
}

/* From a context to the attention block's output. */
static void from_attention(const timing *t, path *p)
{
    linear(t, p, TS_LIN_O);
    p->next.joins = true;
    sum(t, p);
    norm_at(t, p, TS_BEHIND_ATTENTION);
    if (t->ways.attn_route)
        slice(t, p);
}

static void through_ffn(const timing *t, path *p)
{
    if (t->ways.ffn_merge)
        slice(t, p);
    slice(t, p); /* fork */
    norm_at(t, p, TS_BEFORE_FFN);
    rqvec(t, p, TS_RQV_FFN);
    linear(t, p, TS_LIN_FFN1);
    linear(t, p, TS_LIN_FFN2);
    sum(t, p);
    norm_at(t, p, TS_BEHIND_FFN);
    if (t->ways.ffn_route)
        slice(t, p);
}

/* ts_queue_narrow: cycles from a token being offered to its being taken, from there to its being offered, and of each token. */
typedef struct queue_time {
    int in, ahead, each;
} queue_time;

static queue_time queue(const timing *t)
{
    const int beats = t->plan->queue_beats;
    return beats > 1 ? (queue_time){beats - 1, beats + 4, beats + 1} : (queue_time){0, 4, 1};
}

/* Words that a token's keys are written in: the least time between two tokens at attention. */
static int key_words(const timing *t)
{
    const ts_attn_fold *a = &t->plan->attn;
    return ts_ceil_div(t->im->heads, a->ph) * ts_ceil_div(t->im->d_head, a->pd);
}

/* A token into attention: its query into the queue, its keys and values into their memories. */
static void into_attention(const timing *t, path *p)
{
    const queue_time q = queue(t);
    const int each = key_words(t) + q.in; /* the query begins when the keys and values of the one before are written */
    p->next.takes = each - 1;
    pass(p, q.in, each);
}

/* From the port to where new tokens and returning ones meet, in front of the first block. Returns the tokens that fit on the embedding's
   way beside qkv0. */
static int embedding(const timing *t, path *p)
{
    const ts_imodel *im = t->im;
    stage(p, SLICE, 1, t->plan->half && im->embed_count == 0 ? 1 : 2); /* admission */
    for (int i = 0; i < im->embed_count - im->fused_qkv0; i++)
        linear(t, p, (ts_lin_id)(TS_LIN_EMBED0 + i));
    if (!im->fused_qkv0)
        return 0;
    p->next.waits = true;
    stage(p, SLICE, 1, 2); /* fork: embedding and qkv0 */
    ts_segment beside = {0};
    path residual = {.ii = 1, .segment = &beside};
    linear(t, &residual, (ts_lin_id)(TS_LIN_EMBED0 + im->embed_count - 1));
    linear(t, p, TS_LIN_QKV0);
    if (residual.ii > p->ii)
        stage(p, 0, residual.ii, 1);
    if (t->ways.attn_merge)
        slice(t, p); /* of q, k, v */
    return beside.stage[0].room + t->ways.attn_merge;
}

static path entering(const timing *t)
{
    path p = {.ii = 1};
    embedding(t, &p);
    if (!t->im->fused_qkv0) {
        if (t->im->starts_in_ffn)
            through_ffn(t, &p);
        to_attention(t, &p);
    }
    into_attention(t, &p);
    return p;
}

static path looping(const timing *t)
{
    path p = {.ii = 1};
    from_attention(t, &p);
    if (t->ways.has_ffn)
        through_ffn(t, &p);
    if (t->ways.loop)
        to_attention(t, &p);
    into_attention(t, &p);
    return p;
}

/* From a layer's result to the port; what is behind a pool sees one token an event and goes to `pooled`. */
static void out_of_ring(const timing *t, path *p, path *pooled)
{
    const ts_imodel *im = t->im;
    if (im->head_count == 0) {
        slice(t, p); /* output */
        return;
    }
    if (im->has_final_norm)
        norm(t, p, TS_NRM_FINAL);
    path *head = p;
    if (im->pool != TS_POOL_NONE) {
        head = pooled;
        pass(head, im->pool == TS_POOL_MEAN ? im->d + 10 + ts_ceil_div(16, t->plan->reg) : SLICE, 1);
    }
    rqvec(t, head, TS_RQV_HEAD);
    for (int i = 0; i < im->head_count; i++)
        linear(t, head, (ts_lin_id)(TS_LIN_HEAD0 + i));
    if (t->plan->argmax)
        pass(head, log2_up(t->plan->lin[TS_LIN_HEAD0 + im->head_count - 1].nr) + 4, 1);
    slice(t, head); /* output */
}

static void leave(const timing *t, path *p)
{
    path pooled = {.ii = 1};
    out_of_ring(t, p, &pooled);
    p->latency += pooled.latency;
}

static path leaving(const timing *t)
{
    path p = {.ii = 1};
    from_attention(t, &p);
    if (!t->im->ends_in_attention)
        through_ffn(t, &p);
    leave(t, &p);
    return p;
}

/* ---- Attention: the formulas of rtl/ts_attention.v */

static ts_attention_time attention(const timing *t, int n)
{
    const ts_attn_fold *a = &t->plan->attn;
    const int hg = ts_ceil_div(t->im->heads, a->ph), dc = ts_ceil_div(t->im->d_head, a->pd);
    const int row = a->ph * ts_ceil_div(t->im->d_head, a->nf), c = ts_ceil_div(n, a->pkey) * dc;
    const int lanes = tree(t, a->pkey), recip = 1 + ts_ceil_div(16, t->plan->reg), fan = 1;
    const int p = 9 + fan + tree(t, a->pd) + (dc > 1) + (lanes > 1 ? lanes - 1 : 0);
    const int item = c > a->pq * row + dc - 1 ? c : a->pq * row + dc - 1;
    int groups = (hg - 1) * item; /* from the first head group's item to the last one's */
    if (p > c && hg > 2)
        groups = (hg - 1) / 2 * (2 * item > c + p ? 2 * item : c + p) + (hg - 1) % 2 * item;
    const int through = groups + c + 21 + lanes + recip + a->pq * row;
    const int places = (4 * a->pq > 32 ? 4 * a->pq : 32) / a->pq;
    const queue_time q = queue(t);
    const double block = fmax(fmax(hg * item, hg * (c + p) / 2.0), fmax(a->pq * q.each + 1, (double)through / places));
    const int start = hg * dc + 2 > q.ahead ? hg * dc + 2 : q.ahead;
    return (ts_attention_time){.in_block = a->pq,
                               .load = q.each,
                               .block = block,
                               .first = start + 1 + ((n < a->pq ? n : a->pq) - 1) * q.each + 2 * c + groups + p + 19 + lanes + recip + row,
                               .row = row,
                               .through = through - a->pq * row,
                               .places = places};
}

ts_layer_time ts_layer_time_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    CHECK(n >= 1);
    const timing t = {plan, im, *w, ts_ring_ways_of(im)};
    if (!t.ways.has_attention) {
        const queue_time q = queue(&t);
        path stored = {.latency = q.in + q.ahead, .ii = q.in + 1}, ffn = {.ii = q.each};
        through_ffn(&t, &ffn);
        path out = ffn;
        leave(&t, &out);
        slice(&t, &stored); /* admission */
        return (ts_layer_time){.ii = ffn.ii,
                               .chain = ffn.latency,
                               .chain_ii = ffn.ii,
                               .enter = stored.latency,
                               .enter_ii = stored.ii,
                               .leave = out.latency,
                               .leave_ii = out.ii};
    }
    const path enter = entering(&t), loop = looping(&t), out = leaving(&t);
    path middle = {.ii = 1}, ffn = {.ii = 1};
    from_attention(&t, &middle);
    if (t.ways.through) {
        through_ffn(&t, &ffn);
        pass(&middle, 0, ffn.ii);
    }
    const ts_attention_time a = attention(&t, n);
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

/* Of a ring without attention, whose events are stored whole: tokens come from that store. */
static ts_attention_time stored(const timing *t)
{
    const queue_time q = queue(t);
    return (ts_attention_time){.in_block = 1, .block = q.each, .first = q.ahead};
}

ts_attention_time ts_attention_time_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    CHECK(n >= 1);
    const timing t = {plan, im, *w, ts_ring_ways_of(im)};
    return t.ways.has_attention ? attention(&t, n) : stored(&t);
}

ts_ring_stages ts_ring_stages_of(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w)
{
    const timing t = {plan, im, *w, ts_ring_ways_of(im)};
    ts_ring_stages stages = {0};
    path p[TS_SEGMENTS];
    for (int i = 0; i < TS_SEGMENTS; i++)
        p[i] = (path){.ii = 1, .segment = &stages.segment[i], .next.pages = TS_LIN_COUNT};
    stages.beside = embedding(&t, &p[TS_SEGMENT_ENTRY]);
    if (t.ways.has_attention) {
        to_attention(&t, &p[TS_SEGMENT_LAYER]);
        into_attention(&t, &p[TS_SEGMENT_INTO]);
        from_attention(&t, &p[TS_SEGMENT_CONTEXT]);
    } else {
        const queue_time q = queue(&t);
        p[TS_SEGMENT_INTO].next.waits = true;
        pass(&p[TS_SEGMENT_INTO], q.in, q.in + 1);
    }
    if (t.ways.has_ffn)
        through_ffn(&t, &p[TS_SEGMENT_FFN]);
    p[TS_SEGMENT_OUT].forming = p[im->ends_in_attention ? TS_SEGMENT_CONTEXT : TS_SEGMENT_FFN].forming;
    out_of_ring(&t, &p[TS_SEGMENT_OUT], &p[TS_SEGMENT_POOLED]);
    return stages;
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
    int units = ts_ring_ways_of(im).has_attention ? ts_attn_slots(&plan->attn) : 0;
    for (int id = 0; id < TS_LIN_COUNT; id++)
        if (w.lin[id].k)
            units += plan->lin[id].pk * plan->lin[id].pm;
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

ts_pace ts_ring_pace(const ts_plan *plan, const ts_imodel *im, int n)
{
    const ts_layer_time t = ts_layer_time_of(plan, im, n);
    return (ts_pace){t.enter_ii, im->pool == TS_POOL_NONE ? fmax(t.ii, t.leave_ii) : 1};
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
