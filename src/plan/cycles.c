/* Cycles of a ring. Latencies are those that the modules of rtl/ state in their first lines: from the cycle in which a token is
   taken to the first cycle in which its result is offered, so that they add up along a chain. */
#include "plan/cycles.h"

#include <math.h>

#include "plan/fold.h"

typedef struct timing {
    const ts_plan *plan;
    const ts_imodel *im;
    ts_ring_widths w;
    ts_ring_ways ways;
} timing;

/* A chain of stages: a token's way through all of them, and the slowest stage; and, where asked for, the same between its gates. */
typedef struct path {
    int latency, ii;
    ts_way *way;
    int held;           /* tokens that all stages hold at most */
    int ahead, front;   /* tokens that those in front of the (first) slowest one hold; cycles of their way */
    int behind;         /* tokens that fit behind the one that the (last) slowest one works on */
    int forming;        /* the last stage is a norm: cycles in which its result is put together; the next one begins when it is taken */
} path;

/* `room`: the tokens that the stage holds when nobody takes its results. */
static void stage(path *p, int latency, int ii, int room)
{
    if (ii > p->ii) {
        p->ahead = p->held;
        p->front = p->latency;
    }
    p->behind = ii >= p->ii ? room - 1 : p->behind + room;
    p->held += room;
    p->latency += latency;
    p->ii = ii > p->ii ? ii : p->ii;
    p->forming = 0;
    if (!p->way)
        return;
    ts_way_piece *piece = &p->way->piece[p->way->count - 1];
    piece->latency += latency;
    piece->ii = ii > piece->ii ? ii : piece->ii;
    piece->room += ts_ceil_div(latency, ii) + 1; /* what is under way at full rate, and one more */
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

/* What comes next takes a token so many cycles after it began with it. Matters to a paged stage whose output it takes. */
static void holds(path *p, int cycles)
{
    ts_way_piece *piece = p->way ? &p->way->piece[p->way->count - 1] : NULL;
    if (piece && piece->stage_room > 0 && piece->stage_room == piece->room)
        piece->stage_hold = cycles;
}

/* The path goes through the gate of a paged stage (TS_LIN_COUNT: a new piece without one). */
static void gate(path *p, ts_lin_id id)
{
    if (!p->way)
        return;
    CHECK(p->way->count < TS_WAY_PIECES);
    p->way->piece[p->way->count++] = (ts_way_piece){.stage = id, .ii = 1};
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
    holds(p, ts_lin_ii(w, f) - 1);
    if (f->buffers)
        gate(p, id);
    vector(p, ts_lin_ii(w, f) + lag, ts_lin_ii(w, f));
    if (f->buffers && p->way) {
        ts_way_piece *piece = &p->way->piece[p->way->count - 1];
        piece->stage_latency = piece->latency;
        piece->stage_room = piece->room;
    }
}

static void rqvec(const timing *t, path *p, ts_rqv_id id)
{
    /* The token stays in the slice in front for all steps; one at half rate then needs a cycle for the next. */
    const int steps = ts_ceil_div(t->w.rqv[id].d, t->plan->rqv[id].nr);
    const int formed = p->forming + steps - 1, ii = steps + t->plan->half;
    vector(p, steps + RQVEC_LAG + (steps > 1), p->forming && formed > ii ? formed : ii);
}

/* Residual sum (ts_radd). */
static void sum(const timing *t, path *p)
{
    const int steps = ts_ceil_div(t->im->d, t->plan->sum_lanes);
    holds(p, steps - 1);
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

/* From a layer's input to its token accepted by attention. */
static void to_attention(const timing *t, path *p)
{
    slice(t, p); /* fork: residual queue and q, k, v */
    norm_at(t, p, TS_BEFORE_ATTENTION);
    rqvec(t, p, TS_RQV_QKV);
    linear(t, p, TS_LIN_QKV);
}

/* From a context to the attention block's output. */
static void from_attention(const timing *t, path *p)
{
    linear(t, p, TS_LIN_O);
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
    const int each = key_words(t) > q.in + 1 ? key_words(t) : q.in + 1;
    holds(p, each - 1);
    pass(p, q.in, each);
}

static path entering(const timing *t, ts_way *way)
{
    const ts_imodel *im = t->im;
    path p = {.ii = 1, .way = way};
    slice(t, &p); /* admission */
    for (int i = 0; i < im->embed_count; i++)
        if (!(im->fused_qkv0 && i == im->embed_count - 1))
            linear(t, &p, (ts_lin_id)(TS_LIN_EMBED0 + i));
    if (im->fused_qkv0) {
        slice(t, &p); /* fork: embedding and qkv0 */
        path residual = {.latency = p.latency, .ii = p.ii};
        linear(t, &residual, (ts_lin_id)(TS_LIN_EMBED0 + im->embed_count - 1));
        linear(t, &p, TS_LIN_QKV0);
        p.ii = residual.ii > p.ii ? residual.ii : p.ii;
        if (t->ways.attn_merge)
            slice(t, &p); /* of q, k, v */
    } else {
        if (im->starts_in_ffn)
            through_ffn(t, &p);
        if (t->ways.attn_merge)
            slice(t, &p); /* of tokens */
        to_attention(t, &p);
    }
    into_attention(t, &p);
    return p;
}

static path looping(const timing *t, ts_way *way)
{
    path p = {.ii = 1, .way = way};
    from_attention(t, &p);
    if (t->ways.has_ffn)
        through_ffn(t, &p);
    if (t->ways.attn_merge)
        slice(t, &p); /* of tokens, or of q, k, v */
    if (t->ways.loop)
        to_attention(t, &p);
    into_attention(t, &p);
    return p;
}

/* From a context to where the last layer's tokens leave for the port. */
static path to_route(const timing *t)
{
    path p = {.ii = 1};
    from_attention(t, &p);
    if (!t->im->ends_in_attention)
        through_ffn(t, &p);
    return p;
}

/* Stages of the loop that no token of the last layer passes. */
static path behind_route(const timing *t)
{
    path p = {.ii = 1};
    if (t->im->ends_in_attention && t->ways.has_ffn)
        through_ffn(t, &p);
    if (t->ways.loop)
        to_attention(t, &p);
    into_attention(t, &p);
    return p;
}

/* From a layer's result to the port. */
static void out_of_ring(const timing *t, path *p)
{
    const ts_imodel *im = t->im;
    if (im->head_count == 0) {
        slice(t, p); /* output */
        return;
    }
    if (im->has_final_norm)
        norm(t, p, TS_NRM_FINAL);
    /* Pooled: what follows sees one token an event. */
    path head = {.ii = 1, .forming = im->pool == TS_POOL_NONE ? p->forming : 0};
    if (im->pool != TS_POOL_NONE)
        pass(&head, im->pool == TS_POOL_MEAN ? im->d + 10 + ts_ceil_div(16, t->plan->reg) : SLICE, 1);
    rqvec(t, &head, TS_RQV_HEAD);
    for (int i = 0; i < im->head_count; i++)
        linear(t, &head, (ts_lin_id)(TS_LIN_HEAD0 + i));
    if (t->plan->argmax)
        pass(&head, log2_up(t->plan->lin[TS_LIN_HEAD0 + im->head_count - 1].nr) + 4, 1);
    slice(t, &head); /* output */
    pass(p, head.latency, im->pool == TS_POOL_NONE ? head.ii : 1);
}

static path leaving(const timing *t, ts_way *way)
{
    path p = {.ii = 1, .way = way};
    from_attention(t, &p);
    if (!t->im->ends_in_attention)
        through_ffn(t, &p);
    gate(&p, TS_LIN_COUNT); /* the head may be slower than the ring */
    out_of_ring(t, &p);
    return p;
}

/* ---- Attention: the formulas of rtl/ts_attention.v */

typedef struct attention_time {
    double block;  /* cycles of a block of pq queries */
    int first;     /* from the last token accepted to the first context offered */
    int row;       /* from a context to the next one of its block */
    int through;   /* from a block being begun to its first context */
    int places;    /* blocks that are under way or wait to be taken, at most */
} attention_time;

static attention_time attention(const timing *t, int n)
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
    return (attention_time){.block = block,
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
        path leave = ffn;
        out_of_ring(&t, &leave);
        slice(&t, &stored); /* admission */
        return (ts_layer_time){.ii = ffn.ii, .chain = ffn.latency, .chain_ii = ffn.ii, .enter = stored.latency, .enter_ii = stored.ii,
                               .leave = leave.latency, .leave_ii = leave.ii};
    }
    const path enter = entering(&t, NULL), loop = looping(&t, NULL), leave = leaving(&t, NULL);
    path middle = {.ii = 1}, ffn = {.ii = 1};
    from_attention(&t, &middle);
    if (t.ways.through) {
        through_ffn(&t, &ffn);
        pass(&middle, 0, ffn.ii);
    }
    const attention_time a = attention(&t, n);
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
                           .leave = leave.latency,
                           .leave_ii = leave.ii,
                           .ahead = enter.ahead,
                           .front = enter.front,
                           .behind = to_route(&t).behind,
                           .loop_ii = behind_route(&t).ii};
}

ts_layer_time ts_layer_time_of(const ts_plan *plan, const ts_imodel *im, int n)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    return ts_layer_time_at(plan, im, &w, n);
}

ts_ways ts_ways_of(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    const timing t = {plan, im, *w, ts_ring_ways_of(im)};
    CHECK(t.ways.has_attention && n >= 1);
    const ts_way none = {.count = 1, .piece = {{.stage = TS_LIN_COUNT, .ii = 1}}};
    ts_ways ways = {.enter = none, .loop = none, .leave = none};
    entering(&t, &ways.enter);
    looping(&t, &ways.loop);
    leaving(&t, &ways.leave);
    const attention_time a = attention(&t, n);
    ways.block = a.block;
    ways.row = a.row;
    ways.through = a.through;
    ways.places = a.places;
    return ways;
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
    double token = (im->layers - im->starts_in_ffn) * (4 * d * inner + 2.0 * n * inner) + (im->layers - im->ends_in_attention) * 2 * d * im->ff;
    for (int i = 0; i < im->embed_count; i++)
        token += (double)im->embed[i].in * im->embed[i].out;
    double head = 0;
    for (int i = 0; i < im->head_count; i++)
        head += (double)im->head[i].in * im->head[i].out;
    return n * token + (im->pool == TS_POOL_NONE ? n : 1) * head;
}

/* From an event being complete in its last layer to the earliest begin of the next one's first layer there, as far as a slow taker at the
   port allows. That layer's tokens follow the event's last ones through the stages that both pass; the event's wait there until the taker
   has all but `slack` of them. The stages behind the port's route make good what time they have: they may be faster than the layer. */
static double held_up(const ts_plan *plan, const ts_layer_time *t, int n, int hops, double pace, double slack)
{
    if (hops == 0 || t->block <= 0)
        return (n - slack) * pace;
    const double faster = contexts(plan, t, n, t->chain_ii) - (double)(n - 1) * t->loop_ii;
    return fmax((n - slack) * pace - faster, (n - slack - t->behind) * pace);
}

ts_passage ts_passage_between(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n, ts_pace pace, double slack)
{
    ts_layer_time t = ts_layer_time_at(plan, im, w, n);
    t.enter_ii = t.enter_ii > pace.in ? t.enter_ii : (int)ceil(pace.in);
    const ts_ring_ways ways = ts_ring_ways_of(im);
    const int blocks = im->layers - im->starts_in_ffn;
    const bool late = ways.ffn_merge && !im->ends_in_attention;
    return (ts_passage){.enter = t.enter,
                     .fill = (double)(n - 1) * t.enter_ii,
                     .layer = t.attention + contexts(plan, &t, n, t.chain_ii) + t.chain,
                     .last = t.attention + contexts(plan, &t, n, t.leave_ii) + t.leave,
                     .first = t.attention,
                     .drain = fmax(t.ii, t.leave_ii),
                     .taken = pace.out,
                     .slack = slack,
                     .reading = fmax(ways.has_attention ? ts_ceil_div(n, plan->attn.pq) * fmax(t.block, (double)plan->attn.pq * t.leave_ii)
                                                        : (double)n * t.leave_ii,
                                     held_up(plan, &t, n, blocks - 1, pace.out, slack)),
                     .late = late ? t.attention + contexts(plan, &t, n, t.middle_ii) + t.middle : 0,
                     .span = im->pool == TS_POOL_NONE ? contexts(plan, &t, n, t.leave_ii) : 0,
                     .hops = blocks > 0 ? blocks - 1 : 0};
}

static ts_passage passage_of(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    return ts_passage_between(plan, im, w, n, (ts_pace){0, 0}, 0);
}

double ts_entering_behind(const ts_plan *plan, const ts_passage *before, int n_before, const ts_passage *self, int n)
{
    const int over = n_before + n - (plan->n_max + plan->attn.pq);
    const double drained = fmax(over * before->drain, (over - before->slack) * before->taken);
    return over > 0 && before->late <= 0 ? fmax(self->fill, before->first + drained - self->enter) : self->fill;
}

static double lone_latency(const ts_passage *p)
{
    return p->enter + p->hops * p->layer + p->last;
}

double ts_predict_latency(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    const ts_passage p = passage_of(plan, im, w, n);
    return lone_latency(&p);
}

static double interval(const ts_plan *plan, const ts_passage *p, int n)
{
    const double in = ts_entering_behind(plan, p, n, p, n) + p->enter;
    return (p->late > 0 ? p->late + in : fmax(p->reading, in)) + p->hops * p->layer;
}

ts_pace ts_ring_pace(const ts_plan *plan, const ts_imodel *im, int n)
{
    const ts_layer_time t = ts_layer_time_of(plan, im, n);
    return (ts_pace){t.enter_ii, im->pool == TS_POOL_NONE ? fmax(t.ii, t.leave_ii) : 1};
}

ts_prediction ts_predict(const ts_plan *plan, const ts_imodel *im, int n)
{
    return ts_predict_between(plan, im, n, (ts_pace){0, 0}, 0);
}

/* Equal events back to back in a paged ring: what the loader does may repeat itself only after several of them. */
static void predict_paged(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n, ts_pace neighbours, double slack, ts_prediction *p)
{
    enum { EVENTS = 12, SETTLED = 4 };
    ts_paged_event event[EVENTS];
    int tokens[EVENTS];
    for (int e = 0; e < EVENTS; e++)
        tokens[e] = n;
    ts_paged_run(plan, im, w, 1, tokens, TS_PAGED_RESET, neighbours, slack, event);
    p->first_latency_cycles = llround(event[0].out - event[0].in);
    ts_paged_run(plan, im, w, EVENTS, tokens, TS_PAGED_LOADED, neighbours, slack, event);
    const long long unpaged = p->latency_cycles;
    p->latency_cycles = llround(event[0].out - event[0].in);
    p->total_cycles += p->latency_cycles - unpaged;
    p->interval_cycles = llround((event[EVENTS - 1].out - event[SETTLED - 1].out) / (EVENTS - SETTLED));
    for (int s = 0; s < TS_PAGED_STAGES; s++) {
        double wait = 0;
        for (int e = SETTLED; e < EVENTS; e++)
            wait += event[e].wait[s];
        p->stall_cycles[s] = llround(wait / (EVENTS - SETTLED));
        p->paged[s] = plan->lin[ts_paged_stage[s]].buffers > 0;
    }
}

ts_prediction ts_predict_between(const ts_plan *plan, const ts_imodel *im, int n, ts_pace neighbours, double slack)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    const ts_passage p = ts_passage_between(plan, im, &w, n, neighbours, slack);
    const double latency = lone_latency(&p);
    ts_prediction prediction = {.tokens = n,
                                .latency_cycles = llround(latency),
                                .total_cycles = llround(p.fill + latency),
                                .interval_cycles = llround(interval(plan, &p, n)),
                                .span_cycles = llround(p.span),
                                .mac_units = ts_plan_mac_units(plan, im)};
    prediction.first_latency_cycles = prediction.latency_cycles;
    if (ts_plan_is_paged(plan))
        predict_paged(plan, im, &w, n, neighbours, slack, &prediction);
    prediction.mac_utilisation = ts_model_macs(im, n) / (prediction.mac_units * (double)prediction.interval_cycles);
    return prediction;
}

double ts_predict_page_delay(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, int n)
{
    if (!ts_plan_is_paged(plan))
        return 0;
    ts_paged_event event;
    ts_paged_run(plan, im, w, 1, &n, TS_PAGED_LOADED, (ts_pace){0, 0}, 0, &event);
    return event.out - event.in - ts_predict_latency(plan, im, w, n);
}

void ts_predict_paged_queue(const ts_plan *plan, const ts_imodel *im, int events, const int *n, bool lone, long long *latency,
                            long long waits[TS_PAGED_STAGES])
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    ts_arena *arena = ts_arena_new();
    ts_paged_event *event = TS_NEW_N(arena, ts_paged_event, events);
    double sum[TS_PAGED_STAGES] = {0};
    ts_paged_run(plan, im, &w, events, n, lone ? TS_PAGED_LONE : TS_PAGED_LOADED, (ts_pace){0, 0}, 0, event);
    for (int e = 0; e < events; e++) {
        latency[e] = llround(event[e].out - event[e].in);
        for (int s = 0; s < TS_PAGED_STAGES; s++)
            sum[s] += event[e].wait[s];
    }
    for (int s = 0; s < TS_PAGED_STAGES; s++)
        waits[s] = llround(sum[s]);
    ts_arena_free(arena);
}

void ts_predict_queue(const ts_plan *plan, const ts_imodel *im, int events, const int *n, long long *latency)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    if (ts_plan_is_paged(plan)) {
        long long waits[TS_PAGED_STAGES];
        ts_predict_paged_queue(plan, im, events, n, false, latency, waits);
        return;
    }
    double admitted = 0, read = 0; /* when the next event may enter; when attention is done with the one before */
    int n_before = 0;
    ts_passage before = {0};
    for (int e = 0; e < events; e++) {
        const bool refused = n[e] > plan->n_max;
        const int taken = refused ? plan->n_max + 1 : n[e]; /* of a refused event, the hits that go further than the port */
        const ts_passage p = passage_of(plan, im, &w, refused ? plan->n_max : taken);
        const double in = admitted + ts_entering_behind(plan, &before, n_before, &p, taken);
        latency[e] = 0;
        if (refused) {
            admitted = in + (n[e] - taken);
            continue;
        }
        const double start = fmax(in + p.enter, read), complete = start + p.hops * p.layer;
        latency[e] = llround(complete + p.last - in);
        admitted = p.hops > 0 || p.late > 0 ? complete + p.late : in + p.enter;
        read = complete + p.reading;
        before = p;
        n_before = n[e];
    }
}
