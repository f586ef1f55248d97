#define TS_FAIL_CODE TS_DAMAGED
/* ts_attention: scores, weights and contexts of blocks of queries against all keys of the event. */
#include "ring/module.h"

#include <math.h>

#include "ring/cost_terms.h"

enum { FAN = 1 }; /* registers between the memories of keys and values and the lanes */

static int inner_of(const ts_ring *r)
{
    return r->im->heads * r->im->d_head;
}

static void bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    (void)n;
    b->in[0] = 3 * inner_of(r) * r->w->xw;
    b->out[0] = inner_of(r) * r->w->cw;
}

static bool check(const ts_ring *r, const ts_ring_node *n, ts_err *err)
{
    const ts_attn_fold *a = &r->plan->attn;
    return ts_plan_in_range(n->name, "pq", a->pq, 1, 1024, err) && ts_plan_in_range(n->name, "pkey", a->pkey, 1, 1024, err) &&
           ts_plan_in_range(n->name, "ph", a->ph, 1, r->im->heads, err) && ts_plan_in_range(n->name, "pd", a->pd, 1, r->im->d_head, err) &&
           ts_plan_in_range(n->name, "nf", a->nf, 1, inner_of(r), err);
}

/* ---- Verilog. node->id: an event is over for admission later than for attention */

static void declare(ts_printer *p, const ts_ring_node *n)
{
    const ts_attn_fold *a = &p->ring->plan->attn;
    ts_print(p, "    // attention: blocks of %d queries x %d keys, %d heads, %d of head width a cycle, two passes.\n", a->pq, a->pkey,
             a->ph, a->pd);
    if (!n->id)
        return;
    ts_print(p, "    wire attention_final;\n");
    ts_print_unused(p, "attention_final");
}

static void parameters(ts_printer *p, const ts_ring_node *n)
{
    const ts_ring *r = p->ring;
    const ts_ring_widths *w = r->w;
    const ts_attn_fold *a = &r->plan->attn;
    ts_print(p,
             "\n        .H(%d), .DH(%d), .PQ(%d), .PKEY(%d), .PH(%d), .PD(%d), .NF(%d), .NMAX(%d), .QBEATS(%d), .LAYERS(%d), .LW(LW), "
             ".TAGW(TAGW), .REG(REG),\n"
             "        .QW(%d), .KW(%d), .VW(%d), .PW(%d), .CW(%d), .SW(%d), .FW(%d), .SSHIFT(%d), .C2(%d),\n"
             "        .KVSTYLE(\"%s\"), .SSTYLE(\"%s\"), .INIT_A(",
             r->im->heads, r->im->d_head, a->pq, a->pkey, a->ph, a->pd, a->nf, r->plan->n_max, r->plan->queue_beats, r->im->layers, w->qw,
             w->kw, w->vw, w->pw, w->cw, w->sw, w->fw, w->score_shift, w->ctx_shift, ts_mem_style_name(a->kvstyle),
             ts_mem_style_name(a->sstyle));
    ts_print_image(p, TS_MEM_DISTRIBUTED, n->name, "a");
    ts_print(p, "), .CFG_A(%d), .INIT_X(", ts_memory_id(TS_MEMORY_ATTENTION, 0));
    ts_print_image(p, TS_MEM_DISTRIBUTED, n->name, "x");
    ts_print(p, ")");
    if (a->pairs != TS_PAIR_NONE || a->pack_context) /* PACK_S is the number of the enumeration */
        ts_print(p, ",\n        .PACK_S(%d), .PACK_C(%d)", (int)a->pairs, a->pack_context);
    ts_print(p, "\n    ");
}

static void controls(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, ", .ev_final(%s)", n->id ? "attention_final" : "event_final");
}

/* ---- Cost: one function a module of rtl/, with the same submodules */

typedef struct params {
    int h, dh, n_max, layers;
    const ts_ring_widths *w;
    ts_attn_fold f;
    int reg, queue_beats;
} params;

static ts_cost pack(int N, int W)
{
    ts_resources self = {0};
#define COST_ts_pack
#include "ring/cost_table.def"
#undef COST_ts_pack
    return both(self);
}

static ts_cost walk(int NW, int PKEY, int DC, int KAW, int SAW)
{
    ts_resources self = {0};
#define COST_ts_attn_walk
#include "ring/cost_table.def"
#undef COST_ts_attn_walk
    return both(self);
}

static ts_cost sched(int PQ, int PKEY, int HG, int DC, int HOW, int NW, int SPW, int LW, int WW, int KAW, int SAW)
{
    ts_resources self = {0};
#define COST_ts_attn_sched
#include "ring/cost_table.def"
#undef COST_ts_attn_sched
    ts_cost cost = both(self);
    ts_cost_add(&cost, 2, walk(NW, PKEY, DC, KAW, SAW));
    ts_cost_add(&cost, 1, ts_cost_watch(2, 10));
    return cost;
}

static ts_cost round_to(int IW, int SHIFT, int OW)
{
    ts_resources self = {0};
#define COST_ts_attn_round
#include "ring/cost_table.def"
#undef COST_ts_attn_round
    return both(self);
}

static ts_cost total(int SUMW, int DC, int CARRY, int SHIFT, int SW)
{
    ts_resources self = {0};
#define COST_ts_attn_total
#include "ring/cost_table.def"
#undef COST_ts_attn_total
    ts_cost cost = both(self);
    if (CARRY && DC < 2) /* an increment: the vendors' tools bring a lone operand to the carry chain through LUTs */
        cost.device.lut += SUMW - 1;
    ts_cost_add(&cost, 1, round_to(SUMW, SHIFT, SW));
    return cost;
}

static ts_cost score(const ts_mapping *map, int QW, int KW, int PD, int DC, int SHIFT, int SW, int REG)
{
    ts_cost cost = ts_cost_dot(map, PD, QW, true, KW, QW + KW - 1 + clog2(PD), REG);
    ts_cost_add(&cost, 1, total(QW + KW - 1 + clog2(PD * DC), DC, 0, SHIFT, SW));
    return cost;
}

static ts_cost score2(const ts_mapping *map, int AW, int BW, int PD, int DC, int SHIFT, int SW, int REG)
{
    const int SUMW = AW + BW - 1 + clog2(PD * DC);
    ts_cost cost = ts_cost_dot2(map, PD, AW, true, BW, AW + BW - 1 + clog2(PD), REG);
    ts_cost_add(&cost, 1, total(SUMW, DC, 0, SHIFT, SW));
    ts_cost_add(&cost, 1, total(SUMW, DC, 1, SHIFT, SW));
    return cost;
}

/* ts_attn_scores, and the operands that it takes packed. */
static ts_cost scores(const ts_mapping *map, const params *p, int DC)
{
    const int PQ = p->f.pq, PKEY = p->f.pkey, PH = p->f.ph, PD = p->f.pd, QW = p->w->qw, KW = p->w->kw;
    const int key_pairs = p->f.pairs == TS_PAIR_KEYS ? PKEY / 2 : 0, query_pairs = p->f.pairs == TS_PAIR_QUERIES ? PQ / 2 : 0;
    const int pairs = PQ * key_pairs + query_pairs * PKEY, SHIFT = p->w->score_shift, SW = p->w->sw, REG = p->reg;
    const int shared = query_pairs ? KW : QW, pair = query_pairs ? QW : KW;
    ts_cost cost = pack(PH * PD * (key_pairs * KW + query_pairs * QW), 1);
    ts_cost_add(&cost, key_pairs > 0, ts_cost_delay(PKEY, 2));
    ts_cost_add(&cost, PH * pairs, score2(map, shared, pair, PD, DC, SHIFT, SW, REG));
    ts_cost_add(&cost, PH * (PQ * PKEY - 2 * pairs), score(map, QW, KW, PD, DC, SHIFT, SW, REG));
    return cost;
}

static ts_cost scale(const ts_mapping *map, int PW, int SUMW, int CW, int SHIFT)
{
    ts_resources self = {0};
#define COST_ts_attn_scale
#include "ring/cost_table.def"
#undef COST_ts_attn_scale
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_mul(map, 25, 17, true, false));
    ts_cost_add(&cost, 1, round_to(42, SHIFT, CW));
    return cost;
}

static ts_cost maximum(int PKEY, int SW, int REG)
{
    ts_resources self = {0};
#define COST_ts_attn_max
#include "ring/cost_table.def"
#undef COST_ts_attn_max
    return both(self);
}

static ts_cost weights_sum(int PKEY, int PW, int SUMW, int REG)
{
    ts_resources self = {0};
#define COST_ts_attn_sum
#include "ring/cost_table.def"
#undef COST_ts_attn_sum
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_tree(PKEY, PW + 1, PW + 1 + clog2(PKEY), REG));
    return cost;
}

static ts_cost accumulators(int DC, int ACCW)
{
    ts_resources self = {0};
#define COST_ts_attn_acc
#include "ring/cost_table.def"
#undef COST_ts_attn_acc
    return both(self);
}

/* The channel lanes of a query and head. */
static ts_cost contexts(const ts_mapping *map, const params *p, int DC, int ACCW)
{
    const int PKEY = p->f.pkey, PD = p->f.pd, PW = p->w->pw, VW = p->w->vw, DOTW = PW + VW + clog2(PKEY);
    const int pairs = p->f.pack_context ? PD / 2 : 0;
    ts_cost cost = {.yosys = {.lut = 0}};
    ts_cost_add(&cost, pairs, ts_cost_dot2(map, PKEY, PW, false, VW, DOTW, p->reg));
    ts_cost_add(&cost, PD - 2 * pairs, ts_cost_dot(map, PKEY, PW, false, VW, DOTW, p->reg));
    ts_cost_add(&cost, PD, accumulators(DC, ACCW));
    return cost;
}

static ts_cost weight(int SW, int FW, int PW)
{
    ts_resources self = {0};
#define COST_ts_attn_weight
#include "ring/cost_table.def"
#undef COST_ts_attn_weight
    return both(self);
}

static ts_cost keys_values(const ts_mapping *map, const params *p)
{
    const int H = p->h, DH = p->dh, PKEY = p->f.pkey, PH = p->f.ph, PD = p->f.pd, NMAX = p->n_max;
    const int KW = p->w->kw, VW = p->w->vw, LW = p->w->lw;
    const ts_mem_style style = p->f.kvstyle;
    ts_resources self = {0};
#define COST_ts_attn_kv
#include "ring/cost_table.def"
#undef COST_ts_attn_kv
    ts_cost cost = both(self);
    if (p->f.pack_context)
        ts_cost_add(&cost, 1, pack(PH * (PD / 2), VW));
    ts_cost_add(&cost, PKEY, ts_cost_mem(map, PH * PD * KW, 2 * BANK, style, false));
    ts_cost_add(&cost, PKEY, ts_cost_mem(map, PH * PD * VW, 2 * BANK, style, false));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, NW + SPW + LW + 1, 2));
    ts_cost_add(&cost, 1, ts_cost_watch(3, 10));
    return cost;
}

static ts_cost query(const ts_mapping *map, int H, int DH, int PQ, int PH, int PD, int NMAX, int QW, int EW, int ROW, int QBEATS,
                     ts_mem_style style)
{
    ts_resources self = {0};
#define COST_ts_attn_query
#include "ring/cost_table.def"
#undef COST_ts_attn_query
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_queue_narrow(map, H * DH * QW, NMAX + PQ, QBEATS, style));
    ts_cost_add(&cost, PQ, ts_cost_pick(WORDS, WORD));
    return cost;
}

static ts_cost finish(const ts_mapping *map, const params *p, int SUMW, int ACCW, int PLACES)
{
    const int H = p->h, DH = p->dh, PQ = p->f.pq, PH = p->f.ph, NF = p->f.nf, CW = p->w->cw, LW = p->w->lw;
    const int HG = cdiv(H, PH), GW = imax(clog2(HG), 1), ctrl = 2 + GW + LW;
    ts_resources self = {0};
#define COST_ts_attn_final
#include "ring/cost_table.def"
#undef COST_ts_attn_final
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_pick(PQ * PH, SUMW));
    ts_cost_add(&cost, 1, ts_cost_pick(STEPS, BEAT));
    ts_cost_add(&cost, 1, ts_cost_delay(SUMW + imax(clog2(STEPS), 1), 3));
    ts_cost_add(&cost, 1, ts_cost_pulse(1, 4));
    ts_cost_add(&cost, 1, ts_cost_delay(ctrl, 4));
    ts_cost_add(&cost, 1, ts_cost_recip(SUMW, BEAT + ctrl, p->reg));
    ts_cost_add(&cost, 1, ts_cost_delay(17, 2));
    ts_cost_add(&cost, 1, ts_cost_mem(map, 2 * H + 7, p->layers, TS_MEM_DISTRIBUTED, true));
    ts_cost_add(&cost, 1, ts_cost_delay(2, 3));
    ts_cost_add(&cost, 1, ts_cost_delay(CW - 1, 4));
    ts_cost_add(&cost, NF, scale(map, p->w->pw, SUMW, CW, p->w->ctx_shift));
    ts_cost_add(&cost, 1, ts_cost_pulse(2, 8));
    ts_cost_add(&cost, 1, ts_cost_delay(GW + 1 + LW, 8));
    for (int g = 0; g < HG; g++)
        ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, imin(H - g * PH, PH) * DH * CW + (g == HG - 1 ? LW + 1 : 0), PLACES));
    ts_cost_add(&cost, 1, ts_cost_watch(HG + 1, 4 * HG + 3));
    return cost;
}

static ts_cost cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    (void)n;
    const params all = {.h = r->im->heads,
                        .dh = r->im->d_head,
                        .n_max = r->plan->n_max,
                        .layers = r->im->layers,
                        .w = r->w,
                        .f = r->plan->attn,
                        .reg = r->plan->reg,
                        .queue_beats = r->plan->queue_beats},
                 *const p = &all;
    const int H = p->h, DH = p->dh, PQ = p->f.pq, PKEY = p->f.pkey, PH = p->f.ph, PD = p->f.pd, NMAX = p->n_max, REG = p->reg;
    const int QW = p->w->qw, KW = p->w->kw, VW = p->w->vw, PW = p->w->pw, SW = p->w->sw, LW = p->w->lw;
    const int HG = cdiv(H, PH), DC = cdiv(DH, PD), groups = cdiv(NMAX, PKEY), bank = groups * HG * DC;
    const int NW = clog2(NMAX + 1), KAW = clog2(2 * bank), SPW = clog2(bank + 1), SAW = clog2(2 * groups);
    const int WW = imax(clog2(HG * DC), 1), GW = imax(clog2(HG), 1), QCW = clog2(PQ + 1);
    const int row = PH * cdiv(DH, p->f.nf); /* steps of ts_attn_final for a query */
    const int PLACES = imax(4 * PQ, 32), SUMW = clog2(NMAX * ((1 << PW) - 1) + 1), ACCW = SUMW + VW;
    ts_resources self = {0};
#define COST_ts_attention
#include "ring/cost_table.def"
#undef COST_ts_attention
    ts_cost sum = both(self);
    ts_cost_add(&sum, 1, keys_values(map, p));
    ts_cost_add(&sum, 1, query(map, H, DH, PQ, PH, PD, NMAX, QW, SPW + LW + 1, row, p->queue_beats, p->f.kvstyle));
    ts_cost_add(&sum, 1, sched(PQ, PKEY, HG, DC, clog2(PQ * row + DC), NW, SPW, LW, WW, KAW, SAW));

    /* What travels beside the operands of pass one ... */
    const int lg_pd = cdiv(clog2(PD), REG), lg_pkey = cdiv(clog2(PKEY), REG);
    const int dot = 2 + FAN + 3 + lg_pd, total = dot + (DC > 1), scored = total + 3, top = scored + lg_pkey;
    const int ready = scored - 1 + (lg_pkey > 1 ? lg_pkey - 1 : 0);
    ts_cost_add(&sum, 1, ts_cost_delay(WW, 1));
    ts_cost_add(&sum, 1, ts_cost_delay(PQ * PH * PD * QW + PKEY * PH * PD * KW, FAN));
    ts_cost_add(&sum, 1, ts_cost_delay(1, dot));
    ts_cost_add(&sum, 1, ts_cost_delay(PKEY, total + 2));
    ts_cost_add(&sum, 1, ts_cost_pulse(1, scored + lg_pkey + ready));
    ts_cost_add(&sum, 1, ts_cost_delay(SAW, scored));
    ts_cost_add(&sum, 1, ts_cost_delay(2, top));
    ts_cost_add(&sum, 1, ts_cost_delay(1, ready));
    ts_cost_add(&sum, 1, ts_cost_mem(map, 2 * H + 7, p->layers, TS_MEM_DISTRIBUTED, true));
    ts_cost_add(&sum, 1, ts_cost_delay(GW, 2));
    ts_cost_add(&sum, 1, ts_cost_pick(HG, 2 * PH));
    ts_cost_add(&sum, 1, ts_cost_delay(2 * PH, total - 2));

    /* ... and of pass two. */
    const int weights = 6, vread = weights - 2 - FAN, added = weights + lg_pkey, summed = added + 3;
    ts_cost_add(&sum, 1, ts_cost_pulse(1, 1 + vread + added + summed + added));
    ts_cost_add(&sum, 1, ts_cost_delay(1, 1));
    ts_cost_add(&sum, 1, ts_cost_delay(KAW + 1, vread));
    ts_cost_add(&sum, 1, ts_cost_delay(PKEY, vread + 2));
    ts_cost_add(&sum, 1, ts_cost_delay(PKEY * PH * PD * VW, FAN - 1));
    ts_cost_add(&sum, 1, ts_cost_delay(2, added));
    ts_cost_add(&sum, 1, ts_cost_delay(2, summed - added));
    ts_cost_add(&sum, 1, ts_cost_delay(LW + GW + QCW + 1, added));

    /* Memory of scores, and the lanes. */
    const int rows = PQ * PH;
    ts_cost_add(&sum, 1, ts_cost_mem(map, PQ * PKEY * PH * SW, 2 * groups, p->f.sstyle, false));
    ts_cost_add(&sum, 1, scores(map, p, DC));
    ts_cost_add(&sum, rows * PKEY, weight(SW, p->w->fw, PW));
    ts_cost_add(&sum, rows, maximum(PKEY, SW, REG));
    ts_cost_add(&sum, rows, weights_sum(PKEY, PW, SUMW, REG));
    ts_cost_add(&sum, rows, contexts(map, p, DC, ACCW));
    ts_cost_add(&sum, 1, finish(map, p, SUMW, ACCW, PLACES));
    ts_cost_add(&sum, 1, ts_cost_watch(4, 4));
    return sum;
}

/* ---- Time: the formulas of rtl/ts_attention.v */

/* A token into attention: its query into the queue, its keys and values, word by word, into their memories. */
static void time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const ts_attn_fold *a = &r->plan->attn;
    const int words = ts_ceil_div(r->im->heads, a->ph) * ts_ceil_div(r->im->d_head, a->pd), in = ts_queue_time_of(r->plan).in;
    (void)n, (void)forming;
    /* The query begins when the keys and values of the one before are written. */
    t->stage = (ts_stage_time){.latency = in, .ii = words + in, .room = 1, .takes = words + in - 1, .pages = TS_LIN_COUNT};
}

ts_attention_time ts_attention_time_at(const ts_plan *plan, const ts_imodel *im, int n)
{
    CHECK(n >= 1);
    const ts_attn_fold *a = &plan->attn;
    const ts_queue_time q = ts_queue_time_of(plan);
    if (!ts_ring_ways_of(im).has_attention) /* events are stored whole: tokens come from that store */
        return (ts_attention_time){.in_block = 1, .block = q.each, .first = q.ahead};
    const int hg = ts_ceil_div(im->heads, a->ph), dc = ts_ceil_div(im->d_head, a->pd);
    const int row = a->ph * ts_ceil_div(im->d_head, a->nf), c = ts_ceil_div(n, a->pkey) * dc;
    const int lanes = ts_tree_cycles(a->pkey, plan->reg), recip = 1 + ts_ceil_div(16, plan->reg);
    const int p = 9 + FAN + ts_tree_cycles(a->pd, plan->reg) + (dc > 1) + (lanes > 1 ? lanes - 1 : 0);
    const int item = c > a->pq * row + dc - 1 ? c : a->pq * row + dc - 1;
    int groups = (hg - 1) * item; /* from the first head group's item to the last one's */
    if (p > c && hg > 2)
        groups = (hg - 1) / 2 * (2 * item > c + p ? 2 * item : c + p) + (hg - 1) % 2 * item;
    const int through = groups + c + 21 + lanes + recip + a->pq * row;
    const int places = (4 * a->pq > 32 ? 4 * a->pq : 32) / a->pq;
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

static int multipliers(const ts_ring *r, const ts_ring_node *n)
{
    const ts_attn_fold *a = &r->plan->attn;
    (void)n;
    return 2 * a->pq * a->pkey * a->ph * a->pd; /* scores and context */
}

/* ---- Memories */

static void memories(const ts_ring *r, const ts_ring_node *n, ts_memory_list *list)
{
    ts_memory_add(list, TS_MEMORY_ATTENTION, 0, n->name, "a", TS_WIDTH_BITS + 2 + 2 * r->im->heads, r->im->layers, TS_MEM_DISTRIBUTED);
    ts_memory_add(list, TS_MEMORY_EXP2, 0, n->name, "x", r->im->p_bits, 1 << r->im->frac_bits, TS_MEM_DISTRIBUTED);
}

static void fill(const ts_ring *r, const ts_memory *mem, const ts_memory_image *image)
{
    const ts_imodel *im = r->im;
    for (int i = 0; mem->kind == TS_MEMORY_EXP2 && i < image->depth; i++)
        ts_memory_put(image, i, 0, image->width, im->exp2[i]);
    for (int l = 0; mem->kind == TS_MEMORY_ATTENTION && l < im->layers; l++) {
        const ts_ilayer *layer = &im->layer[l];
        if (!ts_imodel_has_attention(im, l))
            continue;
        for (int h = 0; h < im->heads; h++)
            ts_memory_put(image, l, 2 * h, 2, layer->score_e[h]);
        ts_memory_put(image, l, 2 * im->heads, 2, layer->ctx_e);
        ts_memory_put(image, l, 2 * im->heads + 2, TS_WIDTH_BITS, layer->ctx.bits);
    }
}

static int styles(const ts_ring *r, const ts_ring_node *n, ts_plan *plan, ts_style_place list[TS_NODE_STYLES])
{
    (void)r, (void)n;
    list[0] = (ts_style_place){&plan->attn.kvstyle, .ultra = true};
    list[1] = (ts_style_place){&plan->attn.sstyle, .ultra = true};
    return 2;
}

const ts_module ts_module_attention = {
    .name = "ts_attention",
    .in = {"s"},
    .out = {"m"},
    .watched = true,
    .configured = true,
    .bits = bits,
    .check = check,
    .declare = declare,
    .parameters = parameters,
    .controls = controls,
    .cost = cost,
    .time = time,
    .memories = memories,
    .fill = fill,
    .styles = styles,
    .multipliers = multipliers,
};
