/* Attention: as cost_modules.c, one function a module with the same submodules. */
#include "ring/cost_modules.h"
#include "ring/cost_terms.h"

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
static ts_cost scores(const ts_mapping *map, const ts_attention_params *p, int DC)
{
    const int PQ = p->f.pq, PKEY = p->f.pkey, PH = p->f.ph, PD = p->f.pd, QW = p->w.qw, KW = p->w.kw;
    const int key_pairs = p->f.pairs == TS_PAIR_KEYS ? PKEY / 2 : 0, query_pairs = p->f.pairs == TS_PAIR_QUERIES ? PQ / 2 : 0;
    const int pairs = PQ * key_pairs + query_pairs * PKEY, SHIFT = p->w.score_shift, SW = p->w.sw, REG = p->reg;
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
static ts_cost contexts(const ts_mapping *map, const ts_attention_params *p, int DC, int ACCW)
{
    const int PKEY = p->f.pkey, PD = p->f.pd, PW = p->w.pw, VW = p->w.vw, DOTW = PW + VW + clog2(PKEY);
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

static ts_cost keys_values(const ts_mapping *map, const ts_attention_params *p)
{
    const int H = p->h, DH = p->dh, PKEY = p->f.pkey, PH = p->f.ph, PD = p->f.pd, NMAX = p->n_max;
    const int KW = p->w.kw, VW = p->w.vw, LW = p->w.lw;
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

static ts_cost finish(const ts_mapping *map, const ts_attention_params *p, int SUMW, int ACCW, int PLACES)
{
    const int H = p->h, DH = p->dh, PQ = p->f.pq, PH = p->f.ph, NF = p->f.nf, CW = p->w.cw, LW = p->w.lw;
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
    ts_cost_add(&cost, NF, scale(map, p->w.pw, SUMW, CW, p->w.ctx_shift));
    ts_cost_add(&cost, 1, ts_cost_pulse(2, 8));
    ts_cost_add(&cost, 1, ts_cost_delay(GW + 1 + LW, 8));
    for (int g = 0; g < HG; g++)
        ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, imin(H - g * PH, PH) * DH * CW + (g == HG - 1 ? LW + 1 : 0), PLACES));
    ts_cost_add(&cost, 1, ts_cost_watch(HG + 1, 4 * HG + 3));
    return cost;
}

ts_cost ts_cost_attention(const ts_mapping *map, const ts_attention_params *p)
{
    enum { FAN = 1 };
    const int H = p->h, DH = p->dh, PQ = p->f.pq, PKEY = p->f.pkey, PH = p->f.ph, PD = p->f.pd, NMAX = p->n_max, REG = p->reg;
    const int QW = p->w.qw, KW = p->w.kw, VW = p->w.vw, PW = p->w.pw, SW = p->w.sw, LW = p->w.lw;
    const int HG = cdiv(H, PH), DC = cdiv(DH, PD), groups = cdiv(NMAX, PKEY), bank = groups * HG * DC;
    const int NW = clog2(NMAX + 1), KAW = clog2(2 * bank), SPW = clog2(bank + 1), SAW = clog2(2 * groups);
    const int WW = imax(clog2(HG * DC), 1), GW = imax(clog2(HG), 1), QCW = clog2(PQ + 1);
    const int row = PH * cdiv(DH, p->f.nf); /* steps of ts_attn_final for a query */
    const int PLACES = imax(4 * PQ, 32), SUMW = clog2(NMAX * ((1 << PW) - 1) + 1), ACCW = SUMW + VW;
    ts_resources self = {0};
#define COST_ts_attention
#include "ring/cost_table.def"
#undef COST_ts_attention
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, keys_values(map, p));
    ts_cost_add(&cost, 1, query(map, H, DH, PQ, PH, PD, NMAX, QW, SPW + LW + 1, row, p->queue_beats, p->f.kvstyle));
    ts_cost_add(&cost, 1, sched(PQ, PKEY, HG, DC, clog2(PQ * row + DC), NW, SPW, LW, WW, KAW, SAW));

    /* What travels beside the operands of pass one ... */
    const int lg_pd = cdiv(clog2(PD), REG), lg_pkey = cdiv(clog2(PKEY), REG);
    const int dot = 2 + FAN + 3 + lg_pd, total = dot + (DC > 1), scored = total + 3, top = scored + lg_pkey;
    const int ready = scored - 1 + (lg_pkey > 1 ? lg_pkey - 1 : 0);
    ts_cost_add(&cost, 1, ts_cost_delay(WW, 1));
    ts_cost_add(&cost, 1, ts_cost_delay(PQ * PH * PD * QW + PKEY * PH * PD * KW, FAN));
    ts_cost_add(&cost, 1, ts_cost_delay(1, dot));
    ts_cost_add(&cost, 1, ts_cost_delay(PKEY, total + 2));
    ts_cost_add(&cost, 1, ts_cost_pulse(1, scored + lg_pkey + ready));
    ts_cost_add(&cost, 1, ts_cost_delay(SAW, scored));
    ts_cost_add(&cost, 1, ts_cost_delay(2, top));
    ts_cost_add(&cost, 1, ts_cost_delay(1, ready));
    ts_cost_add(&cost, 1, ts_cost_mem(map, 2 * H + 7, p->layers, TS_MEM_DISTRIBUTED, true));
    ts_cost_add(&cost, 1, ts_cost_delay(GW, 2));
    ts_cost_add(&cost, 1, ts_cost_pick(HG, 2 * PH));
    ts_cost_add(&cost, 1, ts_cost_delay(2 * PH, total - 2));

    /* ... and of pass two. */
    const int weights = 6, vread = weights - 2 - FAN, sum = weights + lg_pkey, summed = sum + 3;
    ts_cost_add(&cost, 1, ts_cost_pulse(1, 1 + vread + sum + summed + sum));
    ts_cost_add(&cost, 1, ts_cost_delay(1, 1));
    ts_cost_add(&cost, 1, ts_cost_delay(KAW + 1, vread));
    ts_cost_add(&cost, 1, ts_cost_delay(PKEY, vread + 2));
    ts_cost_add(&cost, 1, ts_cost_delay(PKEY * PH * PD * VW, FAN - 1));
    ts_cost_add(&cost, 1, ts_cost_delay(2, sum));
    ts_cost_add(&cost, 1, ts_cost_delay(2, summed - sum));
    ts_cost_add(&cost, 1, ts_cost_delay(LW + GW + QCW + 1, sum));

    /* Memory of scores, and the lanes. */
    const int rows = PQ * PH;
    ts_cost_add(&cost, 1, ts_cost_mem(map, PQ * PKEY * PH * SW, 2 * groups, p->f.sstyle, false));
    ts_cost_add(&cost, 1, scores(map, p, DC));
    ts_cost_add(&cost, rows * PKEY, weight(SW, p->w.fw, PW));
    ts_cost_add(&cost, rows, maximum(PKEY, SW, REG));
    ts_cost_add(&cost, rows, weights_sum(PKEY, PW, SUMW, REG));
    ts_cost_add(&cost, rows, contexts(map, p, DC, ACCW));
    ts_cost_add(&cost, 1, finish(map, p, SUMW, ACCW, PLACES));
    ts_cost_add(&cost, 1, ts_cost_watch(4, 4));
    return cost;
}
