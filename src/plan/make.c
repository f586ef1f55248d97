/* The search. For every initiation interval II that could be the best, and every way to fold attention for it, the other stages'
   folds follow independently; memories go where there is room. Of the plans that fit, the one with the best mean latency wins, with
   a small price on filling the device; its small lanes are then widened while that pays. */
#define TS_FAIL_CODE TS_DOES_NOT_FIT
#include "plan/make.h"

#include <math.h>
#include <string.h>

#include "plan/place.h"
#include "ring/cost.h"

enum {
    MAX_LENGTHS = 4096,
    SUM_STEPS = 16,    /* of a residual sum: choosing among more words would not fit a cycle */
    QUEUE_MARGIN = 2,  /* queries of a block that a queue has room for beside the longest event, about */
    HALF_RATE_II = 4,  /* no stage's fold is then so much faster than asked that every other cycle were not enough */
    QUERY_CHOICES = 8, /* 1 ... 4, 6, 8, 12, 16 queries a block */
};
static const int query_choices[QUERY_CHOICES] = {1, 2, 3, 4, 6, 8, 12, 16};

typedef ts_candidate candidate;
typedef ts_ring_search search;

/* ---- What is planned for */

static bool take_lengths(search *s, ts_err *err)
{
    const ts_plan_options *o = s->opt;
    if (o->max_tokens < 1 || o->max_tokens > 65535)
        return ts_fail(err, "plan: the longest event must have 1 to 65535 hits, not %d", o->max_tokens);
    if (o->plan_tokens < 0 || o->plan_tokens > o->max_tokens)
        return ts_fail(err, "plan: cannot plan for %d hits where the longest event has %d", o->plan_tokens, o->max_tokens);
    s->length = TS_NEW_N(s->arena, int, MAX_LENGTHS);
    s->weight = TS_NEW_N(s->arena, int, MAX_LENGTHS);
    double hits = 0;
    int events = 0;
    for (int i = 0; o->plan_tokens == 0 && i < o->lengths_count; i++) {
        const int n = o->lengths[i];
        if (n < 1 || n > o->max_tokens)
            continue;
        int at = 0;
        while (at < s->count && s->length[at] != n)
            at++;
        if (at == MAX_LENGTHS)
            continue; /* thousands of distinct lengths are sample enough */
        s->length[at] = n;
        s->weight[at]++;
        s->count += at == s->count;
        hits += n;
        events++;
    }
    if (s->count == 0) {
        s->length[0] = o->plan_tokens ? o->plan_tokens : o->max_tokens;
        s->weight[0] = 1;
        s->count = 1;
        hits = s->length[0];
        events = 1;
    }
    s->typical = (int)lround(hits / events);
    return true;
}

static double mean_latency(const search *s, const ts_plan *plan)
{
    double sum = 0, events = 0;
    for (int i = 0; i < s->count; i++) {
        sum += s->weight[i] * ts_predict_latency(plan, s->im, &s->w, s->length[i]);
        events += s->weight[i];
    }
    return sum / events;
}

/* Which stages' formats, as wide as the widest of their layers, let a DSP make two products. */
static void find_packing(search *s)
{
    const ts_ring_widths *w = &s->w;
    for (int id = 0; id < TS_LIN_COUNT; id++)
        s->packs[id] = w->lin[id].k && ts_dsp_packs(s->device, w->lin[id].xw, w->lin[id].xsigned, w->lin[id].ww);
    s->attn = (ts_attn_packing){.keys = ts_dsp_packs(s->device, w->qw, true, w->kw),
                                .queries = ts_dsp_packs(s->device, w->kw, true, w->qw),
                                .context = ts_dsp_packs(s->device, w->pw, false, w->vw)};
}

/* Adder levels between registers: two where a carry chain of 36 bits, twice, and a multiplexer fit a cycle. */
static int levels_for(const ts_device *device, double clock)
{
    const double fastest = ts_device_is_ultrascale(device) ? 250 : strcmp(device->yosys_family, "xc7") == 0 ? 125 : 50;
    return clock <= fastest ? 2 : 1;
}

/* ---- One candidate */

/* NF: the fewest channels finished a cycle that keep up with the items of a typical event. */
static int finalise_lanes(const search *s, const ts_attn_fold *a)
{
    const int dc = ts_ceil_div(s->im->d_head, a->pd), item = ts_ceil_div(s->typical, a->pkey) * dc;
    for (int nf = 1; nf < s->im->d_head; nf++)
        if (a->pq * a->ph * ts_ceil_div(s->im->d_head, nf) + dc - 1 <= item)
            return nf;
    return s->im->d_head;
}

/* Tokens between the two ends of the residual FIFO beside the FFN, at full rate, and a few for bursts. */
static int middle_depth(const search *s, const ts_plan *plan)
{
    const ts_layer_time t = ts_layer_time_at(plan, s->im, &s->w, s->typical);
    const int in_flight = ts_ceil_div(t.chain, t.chain_ii > 0 ? t.chain_ii : 1) + plan->attn.pq;
    return in_flight < 14 ? 16 : in_flight + 2;
}

/* Cycles a token of each part of the ring. */
typedef struct intervals {
    int ring, enter, leave; /* embedding and qkv0; head */
} intervals;

/* The fold of a linear for its part's II; memories as they were. */
static void fold_linear(const search *s, int id, const intervals *ii, ts_lin_fold *fold)
{
    const bool enters = id == TS_LIN_EMBED0 || id == TS_LIN_EMBED1 || id == TS_LIN_EMBED2 || id == TS_LIN_QKV0;
    const bool leaves = id == TS_LIN_HEAD0 || id == TS_LIN_HEAD1 || id == TS_LIN_HEAD2;
    const int cycles = enters ? ii->enter : leaves ? ii->leave : ii->ring;
    const ts_lin_fold f = ts_fold_linear(s->w.lin[id].k, s->w.lin[id].m, cycles, s->packs[id]);
    fold->pk = f.pk;
    fold->pm = f.pm;
    fold->nr = f.nr;
    fold->pack = f.pack;
}

/* Attention's fold, and what depends on it. */
static ts_plan with_attention(const search *s, const ts_plan *rest, const ts_attn_fold *attn)
{
    ts_plan plan = *rest;
    plan.attn.pq = attn->pq;
    plan.attn.pkey = attn->pkey;
    plan.attn.ph = attn->ph;
    plan.attn.pd = attn->pd;
    plan.attn.pairs = attn->pairs;
    plan.attn.pack_context = attn->pack_context;
    plan.attn.nf = finalise_lanes(s, attn);
    plan.mid_depth = middle_depth(s, &plan);
    return plan;
}

/* Values a cycle of a residual sum: folded, a token takes two cycles more than its steps. */
static int sum_lanes(int d, int ii)
{
    const int steps = ii - 2 < SUM_STEPS ? ii - 2 : SUM_STEPS;
    return steps > 1 ? ts_ceil_div(d, steps) : d;
}

/* Pieces in which a queue holds a token: the fewest of those that need the least block RAM and keep up, with new tokens too. Queues are
   one block query longer than the longest event; the few tokens more or less do not matter here. */
static int queue_beats(const search *s, const intervals *ii)
{
    const int most = ii->enter < ii->ring - 2 ? ii->enter : ii->ring - 2;
    const ts_mapping map = ts_mapping_of(s->device);
    const int residual = s->im->d * s->w.res_w, query = s->ways.has_attention ? s->im->heads * s->im->d_head * s->w.qw : 0;
    double least = 0;
    int best = 1;
    for (int beats = 1; beats <= TS_QUEUE_BEATS_MAX && (beats == 1 || beats <= most); beats++) {
        const int depth = s->opt->max_tokens + QUEUE_MARGIN;
        double brams = ts_cost_queue_narrow(&map, residual, depth, beats, TS_MEM_BLOCK).device.bram36;
        if (query)
            brams += ts_cost_queue_narrow(&map, query, depth, beats, TS_MEM_BLOCK).device.bram36;
        if (beats == 1 || brams < least) {
            least = brams;
            best = beats;
        }
    }
    return best;
}

/* All stages but attention. */
static ts_plan fold_rest(const search *s, const intervals *ii)
{
    const ts_imodel *im = s->im;
    ts_plan plan = ts_plan_minimal(im, s->opt->max_tokens);
    plan.device = s->device->name;
    plan.clock_mhz = s->clock;
    plan.plan_tokens = s->typical;
    plan.reg = s->reg;
    plan.argmax = s->opt->argmax && im->classifier;
    plan.half = ii->ring >= HALF_RATE_II;
    plan.parity = s->opt->parity;
    plan.sum_lanes = sum_lanes(im->d, ii->ring);
    plan.queue_beats = queue_beats(s, ii);
    for (int id = 0; id < TS_LIN_COUNT; id++)
        if (s->w.lin[id].k)
            fold_linear(s, id, ii, &plan.lin[id]);
    for (int id = 0; id < TS_RQV_COUNT; id++)
        if (s->w.rqv[id].d)
            plan.rqv[id].nr =
                ts_ceil_div(s->w.rqv[id].d, plan.half ? ii->ring - 1 : ii->ring); /* a slice at half rate comes a cycle late */
    for (int id = 0; id < TS_NRM_COUNT; id++)
        if (s->w.nrm[id].d)
            plan.nrm[id].np = ts_ceil_div(s->w.nrm[id].d, ii->ring > s->w.nrm[id].groups ? ii->ring / s->w.nrm[id].groups : 1);
    return plan;
}

/* DSP operations a token: multiply-accumulates, those that pack halved. */
static double stage_work(const search *s, const ts_lin_id *ids, int count)
{
    double work = 0;
    for (int i = 0; i < count; i++)
        work += (double)s->w.lin[ids[i]].k * s->w.lin[ids[i]].m * (s->packs[ids[i]] ? 0.5 : 1);
    return work;
}

/* The same of a token's way through one layer; of a ring without one of a layer's blocks, through the other. */
static double layer_work(const search *s)
{
    static const ts_lin_id ids[] = {TS_LIN_O, TS_LIN_FFN1, TS_LIN_FFN2};
    const ts_imodel *im = s->im;
    const double inner = (double)im->heads * im->d_head;
    if (!s->ways.has_attention)
        return stage_work(s, ids, 3);
    const double qkv = 3.0 * im->d * inner * (s->packs[TS_LIN_QKV] ? 0.5 : 1); /* one layer with qkv0 has no qkv: counted all the same */
    const double scores = s->typical * inner * (s->attn.keys || s->attn.queries ? 0.5 : 1);
    const double context = s->typical * inner * (s->attn.context ? 0.5 : 1);
    return qkv + stage_work(s, ids, 3) + scores + context;
}

/* The II of a part of `work` that runs once an event, beside a ring that runs `layers` times: with DSPs in proportion to work / II
   the sum layers * II + II' is least at II' / II = sqrt(layers * work / work of a layer). */
static double side_ii(const search *s, double work, double ii)
{
    return ii * sqrt(s->im->layers * work / layer_work(s));
}

static intervals intervals_for(const search *s, int ii)
{
    static const ts_lin_id enter[] = {TS_LIN_EMBED0, TS_LIN_EMBED1, TS_LIN_EMBED2, TS_LIN_QKV0};
    static const ts_lin_id leave[] = {TS_LIN_HEAD0, TS_LIN_HEAD1, TS_LIN_HEAD2};
    intervals part = {ii, ii, ii};
    if (s->im->fused_qkv0) /* otherwise new tokens go through the ring's own qkv */
        part.enter = (int)fmax(1, fmin(ii, round(side_ii(s, stage_work(s, enter, 4), ii))));
    if (s->im->pool == TS_POOL_NONE)
        part.leave = (int)fmax(ii, round(side_ii(s, stage_work(s, leave, 3), ii)));
    else
        part.leave = ii * s->typical < 4096 ? ii * s->typical : 4096; /* one token an event */
    return part;
}

/* All candidates of one II; the best that fits goes to *best. True if one fits; otherwise *missed is the one nearest to it (II 0 where
   attention cannot be that fast). */
static bool try_ii(const search *s, int ii, candidate *best, candidate *missed, candidate *by_queries)
{
    const intervals part = intervals_for(s, ii);
    const ts_plan rest = fold_rest(s, &part);
    candidate near = {.ii = 0};
    bool fits = false;
    /* A rough plan looks at every other choice. */
    for (int q = 0; q < QUERY_CHOICES && query_choices[q] <= s->typical; q += s->opt->quick ? 2 : 1) {
        ts_attn_fold attn[TS_ATTN_FOLD_MAX] = {{.pq = 1, .pkey = 1, .ph = 1, .pd = 1}};
        const int folds = !s->ways.has_attention
                              ? q == 0
                              : ts_fold_attention(s->im->heads, s->im->d_head, query_choices[q], ii, s->attn, s->length, s->count, attn);
        for (int f = 0; f < folds; f++) {
            candidate c = {.ii = ii, .plan = with_attention(s, &rest, &attn[f])};
            c.unpaged = mean_latency(s, &c.plan);
            /* The price is never below the latency: a slow one is only of interest as an alternative with other queries. */
            if ((by_queries[q].ii && c.unpaged >= by_queries[q].price) || (s->slowest > 0 && c.unpaged > s->slowest))
                continue;
            ts_place_memories(s, &c);
            if (c.load > s->cap) {
                if (near.ii == 0 || c.load < near.load)
                    near = c;
                continue;
            }
            if (s->slowest > 0 && c.latency > s->slowest)
                continue;
            fits = true;
            if (best->ii == 0 || c.price < best->price)
                *best = c;
            if (by_queries[q].ii == 0 || c.price < by_queries[q].price)
                by_queries[q] = c;
        }
    }
    if (!fits)
        *missed = near;
    return fits;
}

/* ---- Improvement: lanes that cost little and shorten a layer's depth */

static int wider(int lanes, int channels)
{
    const int cycles = ts_ceil_div(channels, lanes);
    return cycles > 1 ? ts_ceil_div(channels, cycles > 3 ? cycles * 3 / 4 : cycles - 1) : lanes;
}

/* The i-th way to widen a plan; false beyond the last one. */
static bool widen(const search *s, ts_plan *plan, int i)
{
    for (int id = 0; id < TS_RQV_COUNT; id++)
        if (s->w.rqv[id].d && i-- == 0) {
            plan->rqv[id].nr = wider(plan->rqv[id].nr, s->w.rqv[id].d);
            return true;
        }
    for (int id = 0; id < TS_NRM_COUNT; id++)
        if (s->w.nrm[id].d && i-- == 0) {
            plan->nrm[id].np = wider(plan->nrm[id].np, s->w.nrm[id].d);
            return true;
        }
    if (i-- == 0) {
        plan->sum_lanes = wider(plan->sum_lanes, s->im->d);
        return true;
    }
    if (!s->ways.has_attention)
        return false;
    if (i == 0)
        plan->attn.nf = wider(plan->attn.nf, s->im->d_head);
    return i == 0;
}

/* The move that lowers the price most, as long as there is one that fits. */
static void improve(const search *s, candidate *c)
{
    for (bool better = true; better;) {
        candidate best = *c, next = *c;
        better = false;
        for (int i = 0; widen(s, &next.plan, i); i++, next = *c) {
            next.plan.mid_depth = middle_depth(s, &next.plan);
            next.unpaged = mean_latency(s, &next.plan);
            if (next.unpaged >= c->latency)
                continue;
            ts_place_memories(s, &next);
            if (next.load <= s->cap && next.price < best.price) {
                best = next;
                better = true;
            }
        }
        *c = best;
    }
}

/* ---- Words */

static double of(const ts_resources *r, const char *label)
{
#define X(field, text) \
    if (strcmp(label, text) == 0) \
        return r->field;
    TS_LIMITS(X)
#undef X
    return 0;
}

/* "qkv, o, scores (pairs of keys)"; "" where no DSP makes two products. */
static const char *packed_stages(const search *s, const ts_plan *plan)
{
    const char *t = "";
    for (int id = 0; id < TS_LIN_COUNT; id++)
        if (s->w.lin[id].k && plan->lin[id].pack)
            t = ts_printf(s->arena, "%s%s%s", t, *t ? ", " : "", ts_lin_name((ts_lin_id)id));
    if (plan->attn.pairs != TS_PAIR_NONE)
        t = ts_printf(s->arena, "%s%sscores (pairs of %s)", t, *t ? ", " : "", ts_score_pairs_name(plan->attn.pairs));
    return plan->attn.pack_context ? ts_printf(s->arena, "%s%scontext", t, *t ? ", " : "") : t;
}

static const char *explain(const search *s, const candidate *best, const candidate *missed, const candidate *by_queries)
{
    const char *t = ts_printf(s->arena,
                              "II %d cycles a token and layer, planned for %d hits%s: %.0f cycles of latency on average.\n"
                              "Scarcest: %s, %.1f %% of %s's %.0f (at most %.0f %%).\n",
                              best->ii, s->typical, s->count > 1 ? " (the mean of the events)" : "", best->latency, best->scarce,
                              100 * best->load, s->device->name, of(&s->device->has, best->scarce), 100 * s->cap);
    t = ts_printf(s->arena, "%s%s", t, ts_paged_words(s, best));
    if (s->device->slr > 1)
        t = ts_printf(s->arena, "%sThat is %d of %s's %d dies at least; which stages are where is left to the vendor's tool.\n", t,
                      ts_device_dies(s->device, &best->cost.device, s->cap), s->device->name, s->device->slr);
    if (s->device->shell)
        t = ts_printf(s->arena, "%s%s has %.0f LUT, %.0f DSP, %.0f BRAM36 and %.0f URAM besides its shell (%s).\n", t, s->device->name,
                      s->device->has.lut, s->device->has.dsp, s->device->has.bram36, s->device->has.uram, s->device->shell);
    const char *packed = packed_stages(s, &best->plan);
    if (*packed)
        t = ts_printf(s->arena, "%sTwo products a DSP in %s.\n", t, packed);
    if (missed->ii && missed->ii < best->ii)
        t = ts_printf(s->arena, "%sThe next faster one (II %d, about %.0f cycles) needs %.0f %s, %.0f more than allowed.\n", t, missed->ii,
                      missed->latency, of(&missed->cost.device, missed->scarce), missed->scarce,
                      of(&missed->cost.device, missed->scarce) - floor(s->cap * of(&s->device->has, missed->scarce)));
    if (s->ways.has_attention)
        t = ts_printf(s->arena,
                      "%sQueries x keys x heads x channels a cycle of attention, the best for each number of queries, before the lanes of "
                      "small stages are chosen:\n",
                      t);
    for (int q = 0; s->ways.has_attention && q < QUERY_CHOICES; q++) {
        const candidate *c = &by_queries[q];
        const ts_attn_fold *a = &c->plan.attn;
        if (c->ii)
            t = ts_printf(s->arena, "%s%s %2d x %d keys x %d heads x %d channels: II %d, %.0f cycles, %.0f DSP, %.1f BRAM36, %.0f LUT\n", t,
                          a->pq == best->plan.attn.pq ? "chosen:  " : "weighed: ", a->pq, a->pkey, a->ph, a->pd, c->ii, c->latency,
                          c->cost.device.dsp, c->cost.device.bram36, c->cost.device.lut);
    }
    return t;
}

/* "390 BRAM36, 218 more than the 172 allowed (80 % of 216)", of every resource that is short, the scarcest first. */
static const char *what_is_short(const search *s, const candidate *c)
{
    const char *t = "";
    for (int pass = 0; pass < 2; pass++) {
#define X(field, label) \
    if (c->cost.device.field > s->cap * s->device->has.field && (strcmp(label, c->scarce) == 0) == (pass == 0)) \
        t = ts_printf(s->arena, "%s%s%.0f %s, %.0f more than the %.0f allowed (%.0f %% of %.0f)", t, *t ? ", and " : "", \
                      c->cost.device.field, label, c->cost.device.field - floor(s->cap * s->device->has.field), \
                      floor(s->cap * s->device->has.field), 100 * s->cap, s->device->has.field);
        TS_LIMITS(X)
#undef X
    }
    return t;
}

/* The known device with the fewest DSPs (then LUTs) that holds the same folds, its memories placed anew; NULL if none does. */
static const ts_device *device_that_would_do(const search *s, const candidate *c)
{
    int count = 0;
    const ts_device *const *list = ts_device_list(s->arena, &count), *best = NULL;
    for (int i = 0; i < count; i++) {
        const ts_device *d = list[i];
        const bool packs_less = d->dsp_a < s->device->dsp_a || d->dsp_b < s->device->dsp_b;
        if (packs_less || (best && (d->has.dsp > best->has.dsp || (d->has.dsp >= best->has.dsp && d->has.lut >= best->has.lut))))
            continue;
        search there = *s;
        there.device = d;
        if (s->ports > 0)
            ts_find_ports(&there);
        candidate same = *c;
        if (s->ports > 0 && there.ports == 0)
            continue;
        ts_place_memories(&there, &same);
        if (same.load <= s->cap)
            best = d;
    }
    return best;
}

const char *ts_plan_relief(ts_arena *arena, const ts_plan_options *o)
{
    return o->target_ii > 0 ? ts_printf(arena, "raise %s", ts_option("target_ii"))
                            : ts_printf(arena, "lower %s or narrow the formats", ts_option("max_tokens"));
}

static bool does_not_fit(const search *s, const candidate *c, const char *what, ts_planned *planned, ts_err *err)
{
    const bool paged = s->ports > 0;
    const ts_device *other = device_that_would_do(s, c);
    planned->shortage = ts_printf(s->arena, "it needs %s; %s", what_is_short(s, c),
                                  other ? ts_printf(s->arena, "%s would do", other->name) : "no known device would do");
    return ts_fail(err, "%s does not fit %s with events of up to %d hits%s: %s; or %s", what, s->device->name, s->opt->max_tokens,
                   paged ? " even with weights in external memory" : "", planned->shortage, ts_plan_relief(s->arena, s->opt));
}

/* ---- The search */

static int slowest_ii(const search *s)
{
    long long slowest = s->ways.has_attention ? (long long)s->im->heads * s->im->d_head * s->typical : 1;
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const long long cycles = (long long)s->w.lin[id].k * s->w.lin[id].m;
        slowest = cycles > slowest ? cycles : slowest;
    }
    /* All pages of a weight memory, or its page buffers, can be addressed. */
    const int pages = s->ports > 0 ? 2 : s->im->layers, most = TS_WEIGHT_WORDS_MAX / pages;
    return slowest < most ? (int)slowest : most < 1 ? 1 : most;
}

/* From the fastest plan to the smallest that is at most twice as slow. */
static void shrink(search *s, int slowest_ii, candidate *best, candidate *missed, candidate *by_queries)
{
    s->slowest = 2 * best->latency;
    ts_measure(s, best);
    for (int q = 0; q < QUERY_CHOICES; q++)
        by_queries[q] = (candidate){.ii = 0};
    const int last = 2 * best->ii < slowest_ii ? 2 * best->ii : slowest_ii;
    for (int ii = best->ii; ii <= last; ii += 1 + ii / 32) {
        candidate near = *missed;
        try_ii(s, ii, best, &near, by_queries);
    }
}

/* The least II that fits, within a per cent: in growing steps, then by bisection. What fits at one II is taken to fit at every slower
   one. */
static void bisect(const search *s, int low, int slowest, candidate *best, candidate *missed, candidate *by_queries)
{
    int high = low;
    for (int step = 1 + low / 16; high < slowest && !try_ii(s, high, best, missed, by_queries); step *= 2) {
        low = high + 1;
        high = high + step < slowest ? high + step : slowest;
    }
    while (high - low > high / 128) {
        const int ii = low + (high - low) / 2;
        candidate found = {.ii = 0};
        if (try_ii(s, ii, &found, missed, by_queries)) {
            *best = found;
            high = ii;
        } else {
            low = ii + 1;
        }
    }
}

/* No II below this can fit: all DSPs allowed, always busy. */
static int fastest_ii(const search *s)
{
    static const ts_lin_id enter[] = {TS_LIN_EMBED0, TS_LIN_EMBED1, TS_LIN_EMBED2};
    static const ts_lin_id leave[] = {TS_LIN_HEAD0, TS_LIN_HEAD1, TS_LIN_HEAD2};
    const int layers = s->im->layers, per_head = s->im->pool == TS_POOL_NONE ? 1 : s->typical; /* tokens for one of the head */
    const double work = (layers * layer_work(s) + stage_work(s, enter, 3) + stage_work(s, leave, 3) / per_head) / layers;
    const double allowed = fmax(1, s->cap * s->device->has.dsp);
    const int ii = (int)floor(0.8 * work / allowed);
    return ii < 1 ? 1 : ii;
}

bool ts_plan_search(ts_arena *arena, const ts_imodel *im, const ts_device *device, const ts_plan_options *options, ts_planned *planned,
                    ts_err *err)
{
    search s = {.arena = arena, .im = im, .device = device, .opt = options, .w = ts_ring_widths_of(im), .ways = ts_ring_ways_of(im)};
    *planned = (ts_planned){.plan = NULL};
    s.cap = options->utilisation > 0 ? options->utilisation : 0.8;
    s.clock = options->clock_mhz > 0 ? options->clock_mhz : device->clock_mhz;
    s.reg = options->reg > 0 ? options->reg : levels_for(device, s.clock);
    if (!ts_device_takes_clock(device, s.clock, err) || !take_lengths(&s, err))
        return false;
    find_packing(&s);
    if (s.ways.loop) /* one layer's weights are on chip in any case */
        ts_find_ports(&s);

    candidate best = {0}, missed = {0}, by_queries[QUERY_CHOICES] = {{.ii = 0}};
    const int slowest = slowest_ii(&s);
    if (options->target_ii > 0) {
        if (!try_ii(&s, options->target_ii, &best, &missed, by_queries)) {
            if (missed.ii == 0)
                return ts_fail(err, "plan: attention cannot take a token every %d cycles at %d hits", options->target_ii, s.typical);
            return does_not_fit(&s, &missed, ts_printf(arena, "%s at II %d", im->name, options->target_ii), planned, err);
        }
    } else {
        const ts_plan rest = fold_rest(&s, &(intervals){slowest, slowest, slowest});
        candidate smallest = {.ii = slowest, .plan = with_attention(&s, &rest, &(ts_attn_fold){.pq = 1, .pkey = 1, .ph = 1, .pd = 1})};
        smallest.unpaged = mean_latency(&s, &smallest.plan);
        ts_place_memories(&s, &smallest);
        if (smallest.load > s.cap)
            return does_not_fit(&s, &smallest, im->name, planned, err);
        /* Upwards from the impossible; once something fits, slower rings can still win by shallower layers, but not for long. */
        int stop = slowest;
        if (options->quick)
            bisect(&s, fastest_ii(&s), slowest, &best, &missed, by_queries);
        for (int ii = fastest_ii(&s); !options->quick && ii <= stop; ii += 1 + ii / 64)
            if (try_ii(&s, ii, &best, &missed, by_queries) && stop == slowest)
                stop = ii + ii / 8 + 2 < slowest ? ii + ii / 8 + 2 : slowest;
        if (best.ii == 0)
            best = smallest;
    }
    if (options->small && options->target_ii <= 0)
        shrink(&s, slowest, &best, &missed, by_queries);
    else if (!options->quick)
        improve(&s, &best);
    if (s.ports > 0 && !options->quick && (ts_plan_is_paged(&best.plan) || options->paging == TS_PAGING_ASKED))
        ts_polish_pages(&s, &best);
    ts_plan *plan = TS_NEW(arena, ts_plan);
    *plan = best.plan;
    if (!ts_plan_check(plan, im, err))
        return false;
    *planned = (ts_planned){.plan = plan,
                            .prediction = ts_predict(plan, im, plan->plan_tokens),
                            .mean_latency = best.latency,
                            .cost = best.cost,
                            .why = explain(&s, &best, &missed, by_queries)};
    return true;
}
