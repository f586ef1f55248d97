#define TS_FAIL_CODE TS_DAMAGED
#include "plan/verify.h"

#include <math.h>
#include <string.h>

#include "plan/fold.h"
#include "ring/plan_cost.h"

static const double SLIGHTLY = 1e-6; /* sums in another order */

/* ---- The model's blocks: all of them, once, in order */

static bool same_array(const void *a, const void *b, size_t bytes)
{
    return a == b || (a && b && memcmp(a, b, bytes) == 0);
}

static bool same_linear(const ts_ilin *a, const ts_ilin *b)
{
    if (a->in != b->in || a->out != b->out || a->w_bits != b->w_bits || a->x.bits != b->x.bits || a->rq.s1 != b->rq.s1 ||
        a->rq.s2 != b->rq.s2)
        return false;
    const size_t out = (size_t)a->out;
    return same_array(a->w, b->w, out * (size_t)a->in * sizeof *a->w) && same_array(a->bias, b->bias, out * sizeof *a->bias) &&
           same_array(a->rq.m, b->rq.m, out * sizeof *a->rq.m) && same_array(a->rq.e, b->rq.e, out);
}

static bool same_attention(const ts_imodel *im, int layer, const ts_imodel *part, int at)
{
    const ts_ilayer *a = &im->layer[layer], *b = &part->layer[at];
    const bool fused = part->fused_qkv0 && at == 0;
    return b->o.w && same_linear(&a->o, &b->o) && (fused ? same_linear(&im->qkv0, &part->qkv0) : same_linear(&a->qkv, &b->qkv));
}

static bool same_ffn(const ts_imodel *im, int layer, const ts_imodel *part, int at)
{
    const ts_ilayer *a = &im->layer[layer], *b = &part->layer[at];
    return b->ffn1.w && same_linear(&a->ffn1, &b->ffn1) && same_linear(&a->ffn2, &b->ffn2);
}

static bool same_chain(const ts_ilin *a, int a_count, const ts_ilin *b, int b_count)
{
    bool same = a_count == b_count;
    for (int i = 0; same && i < a_count; i++)
        same = same_linear(&a[i], &b[i]);
    return same;
}

/* The ring's model has the blocks [first, end) of the whole one and nothing else. */
static bool check_slice(const ts_claim *c, int i, ts_err *err)
{
    const ts_imodel *im = c->im, *part = c->part[i].im;
    const ts_slice s = c->part[i].slice;
    const int blocks = ts_block_count(im), from = s.first / 2;
    const bool starts = s.first == 0, ends = s.end == blocks;
    if (part->layers != (s.end + 1) / 2 - from || part->starts_in_ffn != (s.first % 2 || (starts && im->starts_in_ffn)) ||
        part->ends_in_attention != (s.end % 2 || (ends && im->ends_in_attention)))
        return ts_fail(err, "part %d: its model has not the blocks between cuts %d and %d", i, s.first, s.end);
    if (part->d != im->d || part->heads != im->heads || part->d_head != im->d_head || part->ff != im->ff || part->norms != im->norms ||
        part->res.bits != im->res.bits || part->v_bits != im->v_bits || part->score_bits != im->score_bits)
        return ts_fail(err, "part %d: its layers have another shape or other formats than the model's", i);
    if (part->fused_qkv0 != (starts && im->fused_qkv0) ||
        !same_chain(im->embed, starts ? im->embed_count : 0, part->embed, part->embed_count))
        return ts_fail(err, "part %d: %s", i,
                       starts ? "the embedding is not the model's" : "it has an embedding, which belongs to the first part");
    if (part->has_final_norm != (ends && im->has_final_norm) || part->pool != (ends ? im->pool : TS_POOL_NONE) ||
        !same_chain(im->head, ends ? im->head_count : 0, part->head, part->head_count))
        return ts_fail(err, "part %d: %s", i, ends ? "the head is not the model's" : "it has a head, which belongs to the last part");
    for (int b = s.first; b < s.end; b++) {
        const int layer = b / 2, at = layer - from;
        if (b % 2 ? ts_imodel_has_ffn(im, layer) && !same_ffn(im, layer, part, at)
                  : ts_imodel_has_attention(im, layer) && !same_attention(im, layer, part, at))
            return ts_fail(err, "part %d: its %s of layer %d is not the model's", i, b % 2 ? "FFN block" : "attention block", layer);
    }
    return true;
}

static bool check_blocks(const ts_claim *c, ts_err *err)
{
    const int blocks = ts_block_count(c->im);
    int end = 0;
    for (int i = 0; i < c->parts; end = c->part[i++].slice.end) {
        const ts_slice s = c->part[i].slice;
        if (s.first != end)
            return ts_fail(err, "part %d begins at cut %d, the one before it ends at cut %d: blocks are %s", i, s.first, end,
                           s.first > end ? "missing" : "there twice");
        if (s.end <= s.first || s.end > blocks)
            return ts_fail(err, "part %d: cuts %d to %d; the model has cuts 0 to %d", i, s.first, s.end, blocks);
        if (s.embed != (s.first == 0) || s.head != (s.end == blocks))
            return ts_fail(err, "part %d: %s", i,
                           s.first == 0 && !s.embed    ? "a cut between the embedding and the first layer"
                           : s.embed != (s.first == 0) ? "it has an embedding, which belongs to the first part"
                                                       : "the head belongs to the last part, and to no other");
        if (!check_slice(c, i, err))
            return false;
    }
    return end == blocks || ts_fail(err, "the parts end at cut %d of %d: blocks are missing", end, blocks);
}

/* ---- Devices, mode, pins */

static bool is_paged(const ts_claim *c)
{
    for (int i = 0; i < c->parts; i++)
        if (ts_plan_is_paged(c->part[i].plan))
            return true;
    return false;
}

static bool check_mode(const ts_claim *c, ts_err *err)
{
    const bool paged = is_paged(c);
    switch (c->mode) {
    case TS_MODE_MONOLITHIC:
        return (c->parts == 1 && !paged) ||
               ts_fail(err, "monolithic is one ring with all weights on chip; here are %d%s", c->parts, paged ? ", paged" : "");
    case TS_MODE_PAGED:
        return paged || ts_fail(err, "paged, but all weights are on chip");
    case TS_MODE_REPLICATED:
        if (c->parts < 2 || paged)
            return ts_fail(err, "replicated is several rings with all weights on chip; here are %d%s", c->parts, paged ? ", paged" : "");
        for (int i = 0; i < c->parts; i++)
            if (c->part[i].device != c->part[0].device || c->part[i].slice.first % 2 || c->part[i].slice.end % 2)
                return ts_fail(err, "part %d: replicated rings share a device and have whole layers", i);
        return true;
    case TS_MODE_SPLIT:
        return c->parts > 1 || ts_fail(err, "split, but there is one part");
    case TS_MODE_ASSISTED:
        return true;
    case TS_MODE_COUNT:
        break;
    }
    return ts_fail(err, "no plan has the mode %s", c->mode < TS_MODE_COUNT ? ts_mode_name(c->mode) : "?");
}

static bool check_places(const ts_claim *c, ts_err *err)
{
    for (int i = 0; i < c->parts; i++) {
        const int d = c->part[i].device, before = i ? c->part[i - 1].device : 0;
        if (d < 0 || d >= c->devices)
            return ts_fail(err, "part %d is on device %d; the list has 0 to %d", i, d, c->devices - 1);
        if (d < before)
            return ts_fail(err, "part %d is on device %d, behind a part on device %d: tokens pass the devices in the order of the list", i,
                           d, before);
        if (i && d == before && c->mode == TS_MODE_SPLIT)
            return ts_fail(err, "parts %d and %d of a split are both on device %d", i - 1, i, d);
    }
    for (int p = 0; p < c->pins; p++)
        for (int i = 0; i < c->parts; i++)
            if (c->pin[p].block >= c->part[i].slice.first && c->pin[p].block < c->part[i].slice.end &&
                c->part[i].device != c->pin[p].device)
                return ts_fail(err, "layers.%d.%s is pinned to device %d, and is on device %d", c->pin[p].block / 2,
                               c->pin[p].block % 2 ? "ffn" : "attention", c->pin[p].device, c->part[i].device);
    return true;
}

/* ---- Rings */

static bool check_packing(const ts_claim_part *part, const ts_device *device, const ts_ring_widths *w, ts_err *err)
{
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const ts_lin_widths *l = &w->lin[id];
        if (l->k && part->plan->lin[id].pack && !ts_dsp_packs(device, l->xw, l->xsigned, l->ww))
            return ts_fail(err, "%s: two products a DSP, which %s cannot make of %d and %d bits", ts_lin_name((ts_lin_id)id), device->name,
                           l->xw, l->ww);
    }
    const ts_attn_fold *a = &part->plan->attn;
    if (!ts_ring_ways_of(part->im).has_attention)
        return true;
    if ((a->pairs == TS_PAIR_KEYS && !ts_dsp_packs(device, w->qw, true, w->kw)) ||
        (a->pairs == TS_PAIR_QUERIES && !ts_dsp_packs(device, w->kw, true, w->qw)))
        return ts_fail(err, "attention: two scores a DSP, which %s cannot make of %d and %d bits", device->name, w->qw, w->kw);
    return !a->pack_context || ts_dsp_packs(device, w->pw, false, w->vw) ||
           ts_fail(err, "attention: two products of the context a DSP, which %s cannot make of %d and %d bits", device->name, w->pw, w->vw);
}

/* UltraRAM has no contents when it starts, so that parameters that are never loaded cannot be there; and it must exist. */
static bool check_memory(const char *stage, const ts_device *device, ts_mem_style style, bool starts_filled, ts_err *err)
{
    if (style != TS_MEM_ULTRA)
        return true;
    if (device->has.uram <= 0)
        return ts_fail(err, "%s: a memory in UltraRAM, of which %s has none", stage, device->name);
    return !starts_filled || ts_fail(err, "%s: parameters in UltraRAM, which nobody loads", stage);
}

static bool check_memories(const ts_claim_part *part, const ts_device *device, const ts_ring_widths *w, ts_err *err)
{
    const ts_plan *plan = part->plan;
    for (int id = 0; id < TS_LIN_COUNT; id++)
        if (w->lin[id].k && (!check_memory(ts_lin_name((ts_lin_id)id), device, plan->lin[id].wstyle, false, err) ||
                             !check_memory(ts_lin_name((ts_lin_id)id), device, plan->lin[id].pstyle, true, err)))
            return false;
    for (int id = 0; id < TS_RQV_COUNT; id++)
        if (w->rqv[id].d && !check_memory(ts_rqv_name((ts_rqv_id)id), device, plan->rqv[id].pstyle, true, err))
            return false;
    for (int id = 0; id < TS_NRM_COUNT; id++)
        if (w->nrm[id].d && !check_memory(ts_nrm_name((ts_nrm_id)id), device, plan->nrm[id].pstyle, true, err))
            return false;
    const ts_ring_ways ways = ts_ring_ways_of(part->im);
    return (!ways.has_attention || (check_memory("keys and values", device, plan->attn.kvstyle, false, err) &&
                                    check_memory("scores", device, plan->attn.sstyle, false, err))) &&
           check_memory("queues", device, plan->queue_style, false, err) &&
           (!ways.has_ffn || check_memory("residual FIFO", device, plan->mid_style, true, err));
}

/* The residual FIFO holds what is in flight beside it: what is not, waits, and the predicted cycles are wrong. */
static bool check_fifo(const ts_claim_part *part, ts_err *err)
{
    if (!ts_ring_ways_of(part->im).has_ffn)
        return true;
    const ts_plan *plan = part->plan;
    const ts_layer_time t = ts_layer_time_of(plan, part->im, plan->plan_tokens);
    /* From the FFN block's fork on; what is behind its sum is counted too, which is a token or two. */
    const int need = ts_ceil_div(t.chain - t.middle, t.chain_ii > 0 ? t.chain_ii : 1);
    return plan->mid_depth >= need || ts_fail(err, "the residual FIFO holds %d tokens; %d are in flight beside it", plan->mid_depth, need);
}

static bool check_ring(const ts_claim *c, const ts_claim_part *part, ts_err *err)
{
    const ts_plan *plan = part->plan, *first = c->part[0].plan;
    const ts_device *device = c->device[part->device];
    const ts_ring_widths w = ts_ring_widths_of(part->im);
    if (!ts_plan_check(plan, part->im, err))
        return false;
    if (strcmp(plan->device, device->name) != 0)
        return ts_fail(err, "planned for %s, and on %s", plan->device, device->name);
    const int n_max = c->max_tokens ? c->max_tokens : first->n_max;
    if (plan->n_max != n_max)
        return ts_fail(err, "it takes events of up to %d hits; the design is for %d", plan->n_max, n_max);
    if (plan->plan_tokens != first->plan_tokens)
        return ts_fail(err, "planned for %d hits, and not for the %d of part 0", plan->plan_tokens, first->plan_tokens);
    const double clock = c->clock_mhz > 0 ? c->clock_mhz : first->clock_mhz;
    if (!(plan->clock_mhz > 0) || fabs(plan->clock_mhz - clock) > SLIGHTLY * clock)
        return ts_fail(err, "clock of %g MHz; the design's is %g MHz", plan->clock_mhz, clock);
    if (!ts_device_takes_clock(device, plan->clock_mhz, err))
        return false;
    return check_packing(part, device, &w, err) && check_memories(part, device, &w, err) && check_fifo(part, err);
}

/* ---- Pages */

typedef struct turns {
    const ts_page_order *order;
    int each; /* turns an event, from the one before the first layer on */
} turns;

/* Of transfer i, counted through all events. */
static int turn_of(const turns *t, int i)
{
    const ts_page_transfer *x = &t->order->transfer[i % t->order->count];
    return i / t->order->count * t->each + x->layer + (t->order->stage[x->stage].lin != TS_LIN_QKV);
}

/* All pages of turns up to t lie in front of the page that takes the place of one of turn t (docs/paging.md): otherwise a stage may wait
   for a page that waits for that stage. Three events behind each other say it for all. */
bool ts_verify_page_order(const ts_page_order *order, int layers, ts_err *err)
{
    const turns t = {order, layers + 1};
    const int count = 3 * order->count;
    for (int i = 0; i < count; i++) {
        const int stage = order->transfer[i % order->count].stage;
        int back = order->stage[stage].buffers, j = i;
        while (back > 0 && j > 0)
            back -= order->transfer[--j % order->count].stage == stage;
        if (back > 0)
            continue; /* into an empty buffer */
        for (int k = i; k < count; k++)
            if (turn_of(&t, k) <= turn_of(&t, j))
                return ts_fail(err, "page %d of the order takes a buffer of %s before a page of an earlier turn is there", i % order->count,
                               ts_lin_name(order->stage[stage].lin));
    }
    return true;
}

static bool check_pages(const ts_claim *c, const ts_claim_part *part, ts_err *err)
{
    const ts_plan *plan = part->plan;
    const ts_device *device = c->device[part->device];
    if (!ts_plan_is_paged(plan))
        return true;
    const double need = 8e6 * plan->paging.lanes * plan->paging.rate * plan->clock_mhz;
    if (device->memory_gbytes_per_s <= 0 && !plan->paging.stated)
        return ts_fail(err, "weights are paged, and %s has no external memory", device->name);
    if (!plan->paging.stated && need > 1e9 * device->memory_gbytes_per_s * (1 + SLIGHTLY))
        return ts_fail(err, "pages come at %.2f GB/s; the memory of %s has %.2f", need / 1e9, device->name, device->memory_gbytes_per_s);
    ts_arena *arena = ts_arena_new();
    const ts_page_order order = ts_page_order_of(arena, plan, part->im);
    bool ok = ts_verify_page_order(&order, part->im->layers, err);
    const double least = (double)order.beats / plan->paging.rate;
    if (ok && part->prediction && (double)part->prediction->interval_cycles < least - 1) /* rounded */
        ok = ts_fail(err, "an event every %lld cycles; its pages alone take %.0f", part->prediction->interval_cycles, least);
    ts_arena_free(arena);
    return ok;
}

/* ---- Resources */

static int token_bits(const ts_claim *c)
{
    return c->im->d * c->im->res.bits;
}

static bool apart(const ts_claim *c, int i)
{
    return i > 0 && i < c->parts && c->part[i].device != c->part[i - 1].device;
}

static ts_resources sum(ts_resources a, const ts_resources *b)
{
#define X(field, label) a.field += b->field;
    TS_LIMITS(X)
#undef X
    return a;
}

/* Of a part with the ends of links beside it. */
static ts_cost cost_of(const ts_claim *c, int i)
{
    const ts_claim_part *part = &c->part[i];
    const ts_device *device = c->device[part->device];
    ts_cost cost = ts_plan_cost(part->plan, part->im, device);
    for (int side = 0; side < 2; side++)
        if (apart(c, i + side)) {
            const ts_cost end = ts_link_cost(&c->link, token_bits(c), side == 1, device);
            cost = (ts_cost){sum(cost.yosys, &end.yosys), sum(cost.device, &end.device)};
        }
    return cost;
}

static bool same_number(double a, double b)
{
    return fabs(a - b) <= SLIGHTLY * fmax(1, fmax(fabs(a), fabs(b)));
}

static bool same_cost(const ts_resources *claimed, const ts_resources *found, const char *column, ts_err *err)
{
#define X(field, label) \
    if (!same_number(claimed->field, found->field)) \
        return ts_fail(err, "it says that it needs %g " label " (column %s), and needs %g", claimed->field, column, found->field);
    TS_LIMITS(X)
#undef X
    return true;
}

static bool check_room(const ts_device *device, const ts_resources *need, double cap, ts_err *err)
{
#define X(field, label) \
    if (need->field > cap * device->has.field * (1 + SLIGHTLY)) \
        return ts_fail(err, "%s: %.0f " label " are needed, %.0f more than the %.0f allowed (%.0f %% of %.0f)", device->name, need->field, \
                       ceil(need->field - cap * device->has.field), floor(cap * device->has.field), 100 * cap, device->has.field);
    TS_LIMITS(X)
#undef X
    return true;
}

static bool check_resources(const ts_claim *c, ts_err *err)
{
    const double cap = c->utilisation > 0 ? c->utilisation : 1;
    for (int i = 0; i < c->parts; i++) {
        ts_resources need = {0};
        const int device = c->part[i].device;
        for (int j = 0; j < c->parts; j++)
            if (c->part[j].device == device) {
                const ts_cost cost = cost_of(c, j);
                need = sum(need, &cost.device);
                const ts_cost *claimed = c->part[j].cost;
                if (i == j && claimed &&
                    (!same_cost(&claimed->device, &cost.device, "device", err) || !same_cost(&claimed->yosys, &cost.yosys, "yosys", err)))
                    return ts_fail_in(err, "part %d", i);
            }
        if (!check_room(c->device[device], &need, cap, err))
            return false;
    }
    return true;
}

/* ---- Links: the limits are those of the modules (rtl/ts_link_*.v, docs/links.md) */

enum { PACKET_WORDS = 254, BUFFER_WORDS = 16384, BUFFER_TOKENS = 2047, PIPELINE_CYCLES = 40 };

bool ts_verify_link(const ts_link *link, int bits, ts_err *err)
{
    if (link->word_bits < 32 || link->word_bits % 32)
        return ts_fail(err, "link: words of %d bits; they have 32, or a multiple of 32 from 64 on", link->word_bits);
    if (!(link->rate > 0 && link->rate <= 1) || link->flight < 0)
        return ts_fail(err, "link: %g words a cycle and %d cycles on the way; at most one word a cycle, and some time", link->rate,
                       link->flight);
    const ts_link_ends ends = ts_link_ends_of(link, bits);
    const int words = ends.token_words;
    if (words * (link->word_bits - 1) < bits || ends.packet < words || ends.packet > PACKET_WORDS || ends.packet % words)
        return ts_fail(err, "link: tokens of %d bits in packets of %d words of %d bits; a packet has whole tokens and at most %d words",
                       bits, ends.packet, link->word_bits, PACKET_WORDS);
    if (ends.depth < 2 * (words + 1) || ends.depth > BUFFER_WORDS || ends.depth > BUFFER_TOKENS * (words + 1))
        return ts_fail(
            err, "link: a buffer of %d words at the receiver; it has two packets of a token at least, and at most %d words or %d tokens",
            ends.depth, BUFFER_WORDS, BUFFER_TOKENS);
    /* Words that are under way, or not yet known to have been taken, when tokens come as fast as is planned. */
    const double planned = words / ts_link_hop(link, bits).token_cycles;
    if (ends.credit < 1 || planned > link->rate ||
        ends.depth < planned * (2.0 * link->flight + PIPELINE_CYCLES) + ends.credit + ends.packet + words + 4)
        return ts_fail(err,
                       "link: %g words a cycle are planned, of %g; a buffer of %d words does not hold them for %d cycles there and %d back",
                       planned, link->rate, ends.depth, link->flight, link->flight);
    if (ends.timeout < 2 * (ends.beat + ends.packet / link->rate) + link->flight)
        return ts_fail(err,
                       "link: it counts as silent after %d cycles; it says something every %d, behind packets of %d words, %d cycles away",
                       ends.timeout, ends.beat, ends.packet, link->flight);
    return true;
}

static bool check_links(const ts_claim *c, ts_err *err)
{
    for (int i = 0; i < c->parts; i++) {
        const ts_hop *said = &c->part[i].before;
        ts_hop hop = {0};
        if (apart(c, i)) {
            if (!ts_verify_link(&c->link, token_bits(c), err))
                return ts_fail_in(err, "the way to part %d", i);
            hop = ts_link_hop(&c->link, token_bits(c));
        }
        if (i > 0 && (!same_number(hop.latency, said->latency) || !same_number(hop.token_cycles, said->token_cycles)))
            return ts_fail(err, "the way to part %d takes a token every %g cycles, %g cycles long; the plan says %g, %g", i,
                           hop.token_cycles, hop.latency, said->token_cycles, said->latency);
    }
    return true;
}

/* ---- Predictions */

/* Cycles that an event's n tokens keep a ring's slowest stage busy, whatever else: no interval is shorter. `o_only`: the stage behind
   attention, whose tokens all come when the event is in: no latency is shorter. */
static double busy(const ts_claim_part *part, int n, bool o_only)
{
    const ts_ring_widths w = ts_ring_widths_of(part->im);
    double most = 0;
    for (int id = 0; id < TS_LIN_COUNT; id++) {
        const bool pooled = id >= TS_LIN_HEAD0 && part->im->pool != TS_POOL_NONE;
        int turns_of = 0;
        for (int page = 0; w.lin[id].k && page < w.lin[id].pages; page++)
            turns_of += ts_ring_lin(part->im, (ts_lin_id)id, page) != NULL;
        if (turns_of && !pooled && (!o_only || id == TS_LIN_O))
            most = fmax(most, (n - 1.0) * turns_of * ts_lin_ii(&w.lin[id], &part->plan->lin[id]));
    }
    const ts_attn_fold *a = &part->plan->attn;
    if (ts_ring_ways_of(part->im).has_attention)
        most = fmax(most, (part->im->layers - part->im->starts_in_ffn) * (double)(n / a->pq) *
                              ts_attn_block(a, part->im->heads, part->im->d_head, n));
    return most;
}

static bool check_predictions(const ts_claim *c, ts_err *err)
{
    const int n = c->part[0].plan->plan_tokens;
    ts_arena *arena = ts_arena_new();
    ts_chain_ring *ring = TS_NEW_N(arena, ts_chain_ring, c->parts);
    bool ok = true;
    double slowest = 0, sum_of = 0;
    for (int i = 0; ok && i < c->parts; i++) {
        const ts_claim_part *part = &c->part[i];
        ring[i] = (ts_chain_ring){part->plan, part->im, part->before};
        const ts_prediction found = ts_predict(part->plan, part->im, n), *said = part->prediction;
        if (said && (said->tokens != n || said->latency_cycles != found.latency_cycles || said->interval_cycles != found.interval_cycles ||
                     said->total_cycles != found.total_cycles || said->mac_units != found.mac_units))
            ok = ts_fail(err, "part %d: it says %lld cycles of latency and an interval of %lld at %d hits; it has %lld and %lld at %d", i,
                         said->latency_cycles, said->interval_cycles, said->tokens, found.latency_cycles, found.interval_cycles, n);
        else if ((double)found.interval_cycles < busy(part, n, false) || (double)found.latency_cycles < busy(part, n, true))
            ok = ts_fail(
                err, "part %d: an interval of %lld and a latency of %lld cycles are predicted, where one of its stages is busy for %.0f", i,
                found.interval_cycles, found.latency_cycles, busy(part, n, false));
        slowest = fmax(slowest, (double)found.interval_cycles);
        sum_of += busy(part, n, true) + part->before.latency;
    }
    const ts_chain_prediction found = ok ? ts_chain_predict(ring, c->parts, n) : (ts_chain_prediction){0}, *said = c->prediction;
    ts_arena_free(arena);
    if (!ok)
        return false;
    if (said && (said->tokens != n || said->latency_cycles != found.latency_cycles || said->interval_cycles != found.interval_cycles ||
                 said->total_cycles != found.total_cycles))
        return ts_fail(err, "it says %lld cycles of latency and an interval of %lld at %d hits; it has %lld and %lld at %d",
                       said->latency_cycles, said->interval_cycles, said->tokens, found.latency_cycles, found.interval_cycles, n);
    return ((double)found.interval_cycles >= slowest * (1 - SLIGHTLY) && (double)found.latency_cycles >= sum_of * (1 - SLIGHTLY)) ||
           ts_fail(err, "an interval of %lld and a latency of %lld cycles are predicted, less than its parts allow (%.0f, %.0f)",
                   found.interval_cycles, found.latency_cycles, slowest, sum_of);
}

/* ---- All of it */

bool ts_verify_claim(const ts_claim *c, ts_err *err)
{
    if (c->parts < 1)
        return ts_fail(err, "the plan has no parts");
    if (!check_blocks(c, err) || !check_mode(c, err) || !check_places(c, err))
        return false;
    for (int i = 0; i < c->parts; i++)
        if (!check_ring(c, &c->part[i], err) || !check_pages(c, &c->part[i], err))
            return ts_fail_in(err, "part %d", i);
    return check_links(c, err) && check_resources(c, err) && check_predictions(c, err);
}

bool ts_verify_partition(const ts_imodel *im, const ts_partition_options *o, const ts_partition *p, ts_err *err)
{
    ts_arena *arena = ts_arena_new();
    ts_claim_part *part = TS_NEW_N(arena, ts_claim_part, p->parts > 0 ? p->parts : 1);
    bool ok = true;
    double clock = o->plan.clock_mhz; /* otherwise the slowest default of the devices that are used */
    for (int i = 0; i < p->parts; i++) {
        const ts_part *from = &p->part[i];
        if (o->plan.clock_mhz <= 0 && from->device >= 0 && from->device < o->devices)
            clock = i ? fmin(clock, o->device[from->device]->clock_mhz) : o->device[from->device]->clock_mhz;
        part[i] = (ts_claim_part){.slice = from->slice,
                                  .im = from->im,
                                  .plan = from->planned.plan,
                                  .device = from->device,
                                  .before = p->ring[i].before,
                                  .prediction = &from->planned.prediction,
                                  .cost = &from->planned.cost};
        if (ok && (p->ring[i].plan != from->planned.plan || p->ring[i].im != from->im))
            ok = ts_fail(err, "part %d: the chain has another ring than the part", i);
    }
    const ts_claim claim = {.im = im,
                            .mode = p->mode,
                            .devices = o->devices,
                            .device = o->device,
                            .utilisation = o->plan.utilisation > 0 ? o->plan.utilisation : 0.8,
                            .clock_mhz = clock,
                            .max_tokens = o->plan.max_tokens,
                            .pins = o->pins,
                            .pin = o->pin,
                            .link = p->link,
                            .parts = p->parts,
                            .part = part,
                            .prediction = &p->prediction};
    ok = ok && ts_verify_claim(&claim, err);
    ts_arena_free(arena);
    return ok;
}
