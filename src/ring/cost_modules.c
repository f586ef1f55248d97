/* One function a module of rtl/, with the same submodules: the parts made of logic come from cost_table.def, which is fitted to
   synthesis; multipliers, memories and shift registers follow rules. The capitals are the modules' parameters. */
#include "ring/cost_modules.h"

#include <string.h>

#include "ring/cost_terms.h"

enum { SLICE_BITS = 72, ULTRA_WORDS = 4096 };

void ts_cost_add(ts_cost *sum, double count, ts_cost part)
{
#define X(field, label) \
    sum->yosys.field += count * part.yosys.field; \
    sum->device.field += count * part.device.field;
    TS_LIMITS(X)
#undef X
}

ts_mapping ts_mapping_of(const ts_device *device)
{
    ts_mapping map = {.has_ultra = device->has.uram > 0, .dsp_a = device->dsp_a, .dsp_b = device->dsp_b};
    if (ts_device_is_ultrascale(device)) {
        map.lutram_bits_32 = 14; /* RAM32M16, RAM64M8 */
        map.lutram_bits_64 = 7;
        map.lutram_luts = 8;
    } else {
        map.dsp_takes_registers = true;
        map.lutram_bits_32 = 6; /* RAM32M, RAM64M; Lattice's LUT RAM is costed alike */
        map.lutram_bits_64 = 3;
        map.lutram_luts = 4;
    }
    return map;
}

/* ---- Rules: memories, shift registers, multipliers */

/* LUTs that choose one of `banks` words of `width` bits and enable the right one for writing. */
static double bank_luts(int banks, int width)
{
    return banks <= 1 ? 0 : banks <= 4 ? width + banks : 4.0 * width * cdiv(banks, 8) + banks;
}

/* `count` LUT RAMs: the cheaper of banks of 32 and of 64 words. */
static void add_lutram(ts_resources *sum, const ts_mapping *map, int count, int width, int depth)
{
    const double low = (double)cdiv(depth, 32) * cdiv(width, map->lutram_bits_32) * map->lutram_luts;
    const double high = (double)cdiv(depth, 64) * cdiv(width, map->lutram_bits_64) * map->lutram_luts;
    const double low_banks = bank_luts(cdiv(depth, 32), width), high_banks = bank_luts(cdiv(depth, 64), width);
    const bool is_low = low + low_banks < high + high_banks;
    sum->lut += count * (is_low ? low + low_banks : high + high_banks);
    sum->lutram += count * (is_low ? low : high);
}

/* A block RAM of `width` bits: the cheapest aspect ratio of RAMB18 (36 x 512 ... 1 x 16384) and RAMB36 (72 x 512 ... 1 x 32768),
   banks and columns of one kind, in RAMB36. Banks lie side by side, whole bytes of 9 bits each. Returns the banks. */
static int block_ram(int width, int depth, double *bram36, double *luts)
{
    int chosen = 1;
    static const int widths[] = {72, 36, 18, 9, 4, 2, 1};
    *bram36 = -1;
    for (int kind = 0; kind < 2; kind++)
        for (int i = 1 - kind; i < 7; i++) {
            const int words = kind ? 512 << i : 512 << (i - 1);
            const int banks = cdiv(depth, words);
            const int byte = imin(9, widths[i]);
            const double cost = cdiv(banks * cdiv(width, byte) * byte, widths[i]) * (kind ? 1 : 0.5), mux = bank_luts(banks, width);
            /* Half a block RAM is worth thousands of LUTs to Yosys: LUTs only break ties. */
            if (*bram36 < 0 || cost < *bram36 || (cost == *bram36 && mux < *luts)) {
                *bram36 = cost;
                *luts = mux;
                chosen = banks;
            }
        }
    return chosen;
}

ts_cost ts_cost_mem(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE, bool CFG)
{
    ts_resources self = {0};
    double absorbed = 0;         /* registers that the vendor's tool puts into the memory */
    ts_resources cascaded = {0}; /* UltraRAMs side by side to Yosys, of which the vendor's tool makes a cascade */
    {
#define COST_ts_mem
#include "ring/cost_table.def"
#undef COST_ts_mem
    }
    const struct {
        int count, width;
    } slices[] = {{WIDTH / SLICE_BITS, SLICE_BITS}, {WIDTH % SLICE_BITS > 0, WIDTH % SLICE_BITS}};
    for (int i = 0; i < 2; i++) {
        const int count = slices[i].count, width = slices[i].width;
        double brams = 0, luts = 0;
        int banks = 0;
        if (count == 0)
            continue;
        switch (STYLE) {
        case TS_MEM_BLOCK:
            /* The output register is the block RAM's own, unless it follows a choice between banks. */
            absorbed += block_ram(width, DEPTH, &brams, &luts) == 1 ? count * width : 0;
            self.bram36 += count * brams;
            self.lut += count * luts;
            self.ff += count * width;
            break;
        case TS_MEM_DISTRIBUTED:
            add_lutram(&self, map, count, width, DEPTH);
            self.ff += count * 2 * width;
            break;
        case TS_MEM_ULTRA:
            banks = cdiv(DEPTH, ULTRA_WORDS);
            brams = cdiv(banks * cdiv(width, 9), 8);
            self.uram += count * brams;
            self.lut += count * bank_luts(banks, width);
            self.ff += count * width;
            cascaded.uram += count * (banks - brams);
            cascaded.lut -= count * bank_luts(banks, width);
            absorbed += count * width;
            break;
        }
    }
    ts_cost cost = both(self);
    cost.device.ff -= absorbed;
    cost.device.uram += cascaded.uram;
    cost.device.lut += cascaded.lut;
    return cost;
}

/* Lines of three and more become shift registers: 32 bits a LUT. */
ts_cost ts_cost_delay(int WIDTH, int CYCLES)
{
    if (CYCLES < 3)
        return both((ts_resources){.ff = (double)WIDTH * CYCLES});
    const double luts = (double)WIDTH * cdiv(CYCLES, 32);
    return both((ts_resources){.lut = luts, .lutram = luts});
}

ts_cost ts_cost_pulse(int WIDTH, int CYCLES)
{
    return both((ts_resources){.ff = (double)WIDTH * CYCLES});
}

ts_cost ts_cost_mul(const ts_mapping *map, int AW, int BW, bool ASIGNED, bool BSIGNED)
{
    const int a = AW + !ASIGNED, b = BW + !BSIGNED, wide = imax(a, b), narrow = imin(a, b);
    ts_cost cost = both((ts_resources){.dsp = (double)cdiv(wide, map->dsp_a) * cdiv(narrow, map->dsp_b)});
    if (!map->dsp_takes_registers)
        cost.yosys.ff = 3.0 * (AW + BW);
    return cost;
}

/* Two products: the first factor, and the packed pair. */
ts_cost ts_cost_mul2(const ts_mapping *map, int AW, bool ASIGNED, int BW)
{
    const int product = AW + BW - ASIGNED, a = AW + !ASIGNED, b = product + BW, wide = imax(a, b), narrow = imin(a, b);
    ts_cost cost = both((ts_resources){.dsp = (double)cdiv(wide, map->dsp_a) * cdiv(narrow, map->dsp_b)});
    if (!map->dsp_takes_registers)
        cost.yosys.ff = AW + 2.0 * BW + 4.0 * product;
    return cost;
}

/* ts_watch of so many bits: more than 6 go through a level of registers. SIGNALS: those that the bits are made of, which share its LUTs. */
ts_cost ts_cost_watch(int BITS, int SIGNALS)
{
    const int groups = cdiv(BITS, 6);
    return both((ts_resources){.lut = groups > 1 ? groups + cdiv(groups, 5) : cdiv(SIGNALS, 5), .ff = 1 + (groups > 1 ? groups : 0)});
}

/* ---- Streams */

ts_cost ts_cost_skid(int WIDTH)
{
    ts_resources self = {0};
#define COST_ts_skid
#include "ring/cost_table.def"
#undef COST_ts_skid
    return both(self);
}

ts_cost ts_cost_slice(int WIDTH, bool HALF)
{
    return HALF ? both((ts_resources){.lut = 1, .ff = WIDTH + 1}) : ts_cost_skid(WIDTH);
}

ts_cost ts_cost_fifo_lut(const ts_mapping *map, int WIDTH, int DEPTH)
{
    ts_resources self = {0};
#define COST_ts_fifo_lut
#include "ring/cost_table.def"
#undef COST_ts_fifo_lut
    add_lutram(&self, map, 1, WIDTH, DEPTH);
    return both(self);
}

ts_cost ts_cost_fifo(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE)
{
    if (STYLE == TS_MEM_DISTRIBUTED)
        return ts_cost_fifo_lut(map, WIDTH, DEPTH);
    ts_resources self = {0};
#define COST_ts_fifo
#include "ring/cost_table.def"
#undef COST_ts_fifo
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_mem(map, WIDTH, DEPTH, STYLE, false));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, WIDTH, 4));
    ts_cost_add(&cost, 1, ts_cost_watch(1, 2));
    return cost;
}

ts_cost ts_cost_queue(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE)
{
    ts_resources self = {0};
#define COST_ts_queue
#include "ring/cost_table.def"
#undef COST_ts_queue
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_mem(map, WIDTH, DEPTH, STYLE, false));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, WIDTH, 4));
    ts_cost_add(&cost, 1, ts_cost_watch(1, 2));
    return cost;
}

ts_cost ts_cost_queue_narrow(const ts_mapping *map, int WIDTH, int DEPTH, int BEATS, ts_mem_style STYLE)
{
    if (BEATS == 1)
        return ts_cost_queue(map, WIDTH, DEPTH, STYLE);
    ts_resources self = {0};
    int piece = 0;
    {
#define COST_ts_queue_narrow
#include "ring/cost_table.def"
#undef COST_ts_queue_narrow
        piece = PIECE;
    }
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_pick(BEATS, piece));
    ts_cost_add(&cost, 1, ts_cost_queue(map, piece, DEPTH * BEATS, STYLE));
    return cost;
}

/* Tokens of BEATS beats of WIDTH bits. */
static ts_cost collect(const ts_mapping *map, int WIDTH, int BEATS, int DEPTH)
{
    ts_cost cost = ts_cost_watch(1, 2);
    if (BEATS == 1) {
        ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, WIDTH, DEPTH));
        return cost;
    }
    ts_resources self = {0};
#define COST_ts_collect
#include "ring/cost_table.def"
#undef COST_ts_collect
    ts_cost_add(&cost, 1, both(self));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, WIDTH, (DEPTH - 2) * BEATS + 2));
    return cost;
}

ts_cost ts_cost_fork(int WIDTH, bool HALF)
{
    ts_resources self = {0};
#define COST_ts_fork
#include "ring/cost_table.def"
#undef COST_ts_fork
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_slice(WIDTH, HALF));
    return cost;
}

ts_cost ts_cost_merge(int WIDTH, bool HALF)
{
    ts_resources self = {0};
#define COST_ts_merge
#include "ring/cost_table.def"
#undef COST_ts_merge
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_slice(WIDTH, HALF));
    return cost;
}

ts_cost ts_cost_route(int WIDTH, bool HALF)
{
    ts_resources self = {0};
#define COST_ts_route
#include "ring/cost_table.def"
#undef COST_ts_route
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_slice(WIDTH + 1, HALF));
    return cost;
}

/* ---- Arithmetic */

ts_cost ts_cost_tree(int N, int W, int OW, int REG)
{
    ts_resources self = {0};
#define COST_ts_tree
#include "ring/cost_table.def"
#undef COST_ts_tree
    return both(self);
}

ts_cost ts_cost_dot(const ts_mapping *map, int N, int AW, bool ASIGNED, int BW, int OW, int REG)
{
    ts_cost cost = ts_cost_tree(N, AW + BW, OW, REG);
    ts_cost_add(&cost, N, ts_cost_mul(map, AW, BW, ASIGNED, true));
    return cost;
}

/* The carries go up beside the sums, without a LUT but for lines that become shift registers. */
ts_cost ts_cost_tree_carry(int N, int W, int OW, int REG)
{
    ts_cost cost = ts_cost_tree(N, W, OW, REG);
    for (int level = 1, levels = clog2(N), registered = 0; level <= levels + 1; level++) {
        /* Carries that a level's adders take; the last one leaves. */
        const int taken = level <= levels ? cdiv(N, 1 << (level - 1)) / 2 : 1;
        ts_cost_add(&cost, taken, ts_cost_delay(1, registered));
        registered += level % REG == 0 || level == levels;
    }
    return cost;
}

ts_cost ts_cost_dot2(const ts_mapping *map, int N, int AW, bool ASIGNED, int BW, int OW, int REG)
{
    const int product = AW + BW - ASIGNED;
    ts_cost cost = ts_cost_tree(N, product, OW, REG);
    ts_cost_add(&cost, 1, ts_cost_tree_carry(N, product, OW, REG));
    ts_cost_add(&cost, N, ts_cost_mul2(map, AW, ASIGNED, BW));
    return cost;
}

ts_cost ts_cost_requant(const ts_mapping *map, int IW, int S1, int S2, int BIASW, int EW, int OW, bool VARBITS)
{
    ts_resources self = {0};
    int product = 0;
    {
#define COST_ts_requant
#include "ring/cost_table.def"
#undef COST_ts_requant
        product = RW;
        (void)PW;
    }
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_mul(map, product, 18, true, true));
    ts_cost_add(&cost, 1, ts_cost_delay(EW, 2));
    if (BIASW > 0)
        ts_cost_add(&cost, 1, ts_cost_delay(BIASW, 2));
    if (VARBITS)
        ts_cost_add(&cost, 1, ts_cost_delay(5, 4));
    ts_cost_add(&cost, 1, ts_cost_delay(1, 6));
    return cost;
}

ts_cost ts_cost_recip(int DW, int SIDEW, int DIGITS)
{
    ts_resources self = {0};
#define COST_ts_recip
#include "ring/cost_table.def"
#undef COST_ts_recip
    return both(self);
}

static ts_cost isqrt36(int SIDEW, int DIGITS)
{
    ts_resources self = {0};
#define COST_ts_isqrt
#include "ring/cost_table.def"
#undef COST_ts_isqrt
    return both(self);
}

ts_cost ts_cost_rsqrt(int VW, int SIDEW, int DIGITS)
{
    ts_resources self = {0};
#define COST_ts_rsqrt
#include "ring/cost_table.def"
#undef COST_ts_rsqrt
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, isqrt36(6 + SIDEW, DIGITS));
    ts_cost_add(&cost, 1, ts_cost_recip(18, 6 + SIDEW, DIGITS));
    return cost;
}

ts_cost ts_cost_beats(int BEATS)
{
    ts_resources self = {0};
#define COST_ts_beats
#include "ring/cost_table.def"
#undef COST_ts_beats
    return both(self);
}

ts_cost ts_cost_pick(int N, int WIDTH)
{
    ts_resources self = {0};
#define COST_ts_pick
#include "ring/cost_table.def"
#undef COST_ts_pick
    return both(self);
}

ts_cost ts_cost_select(int N, int WIDTH)
{
    const int group = imin(N, 16), groups = cdiv(N, group);
    ts_cost cost = both((ts_resources){.ff = (groups + 1.0) * WIDTH + (groups > 1 ? clog2(N) - 4 : 0)});
    ts_cost_add(&cost, groups - (N % group > 0), ts_cost_pick(group, WIDTH));
    if (N % group)
        ts_cost_add(&cost, 1, ts_cost_pick(N % group, WIDTH));
    ts_cost_add(&cost, 1, ts_cost_pick(groups, WIDTH));
    return cost;
}

ts_cost ts_cost_page(int PAGES, int AW)
{
    ts_resources self = {0};
#define COST_ts_page
#include "ring/cost_table.def"
#undef COST_ts_page
    return both(self);
}

/* ---- Stages */

ts_cost ts_cost_radd(int D, int W, int TAGW, int NR, bool HALF)
{
    ts_resources self = {0};
#define COST_ts_radd
#include "ring/cost_table.def"
#undef COST_ts_radd
    ts_cost cost = both(self);
    if (NR < D) {
        ts_cost_add(&cost, 2, ts_cost_pick(cdiv(D, NR), NR * W));
        ts_cost_add(&cost, 1, ts_cost_watch(1, 2));
    } else {
        ts_cost_add(&cost, 1, ts_cost_slice(TAGW + D * W, HALF));
    }
    return cost;
}

ts_cost ts_cost_admit(const ts_mapping *map, int WIDTH, int NMAX, int TAGW, int QDEPTH, bool HALF)
{
    ts_resources self = {0};
#define COST_ts_admit
#include "ring/cost_table.def"
#undef COST_ts_admit
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_slice(TAGW + WIDTH, HALF));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, 2, QDEPTH));
    ts_cost_add(&cost, 1, ts_cost_watch(1, 4));
    return cost;
}

ts_cost ts_cost_output(int OPW, int YW, int BPT, bool ZEROS, bool HALF)
{
    ts_resources self = {0};
#define COST_ts_output
#include "ring/cost_table.def"
#undef COST_ts_output
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_slice(OPW * YW + 3, HALF));
    return cost;
}

ts_cost ts_cost_argmax(int M, int PM, int NR, int YW, int TAGW)
{
    ts_resources self = {0};
#define COST_ts_argmax
#include "ring/cost_table.def"
#undef COST_ts_argmax
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_skid(64 + TAGW));
    return cost;
}

ts_cost ts_cost_pool(const ts_mapping *map, int D, int W, int NMAX, ts_pool mode, int DIGITS)
{
    const int MEAN = mode == TS_POOL_MEAN, MAX = mode == TS_POOL_MAX, FIRST = mode == TS_POOL_FIRST;
    ts_resources self = {0};
#define COST_ts_pool
#include "ring/cost_table.def"
#undef COST_ts_pool
    ts_cost cost = both(self);
    if (mode == TS_POOL_MEAN) {
        ts_cost_add(&cost, 1, ts_cost_recip(clog2(NMAX + 1), 1, DIGITS));
        ts_cost_add(&cost, 1, ts_cost_pulse(1, 1 + 1 + 7));
        ts_cost_add(&cost, 1, ts_cost_beats(D));
        ts_cost_add(&cost, 1, ts_cost_watch(1, 2));
        ts_cost_add(&cost, 1, ts_cost_requant(map, 26, 1, 41 - W, 0, 1, W, false));
    }
    return cost;
}

ts_cost ts_cost_linear(const ts_mapping *map, const ts_linear_params *p)
{
    const int K = p->w.k, M = p->w.m, PK = p->f.pk, PM = p->f.pm, NR = p->f.nr, PAGES = p->w.pages, BEATS = p->beats;
    const int BUFFERS = p->f.buffers, PAGED = BUFFERS > 0;
    const int XW = p->w.xw, WW = p->w.ww, ACCW = p->w.accw, YW = p->w.yw, REG = p->reg;
    ts_resources self = {0};
#define COST_ts_linear
#include "ring/cost_table.def"
#undef COST_ts_linear
    ts_cost cost = both(self);

    const int steps = MO * KO, tree = cdiv(clog2(PK), REG), dot = 5 + tree, beat = dot + 1 + (R > 1);
    const int lag = beat + R - 1 + 6 + (p->w.table ? 2 : 0) + 1;
    const int in_flight = BEATS ? cdiv(KO + lag + 1, KO) + 1 : cdiv(steps + lag + 2, steps) + 2;
    const int entry = 18 + 3 + (p->w.varbits ? 5 : 0);
    const int requantised = p->w.table ? p->w.idxw : YW;
    ts_cost_add(&cost, 1, ts_cost_select(KO, PK * XW));
    ts_cost_add(&cost, 1, ts_cost_delay(PK * XW, 1));
    if (PAGED)
        ts_cost_add(&cost, 1, ts_cost_page_mem(map, PM * PK * WW, BUFFERS * steps, p->f.wstyle, p->lanes));
    else
        ts_cost_add(&cost, 1, ts_cost_mem(map, PM * PK * WW, PAGES * steps, p->f.wstyle, true));
    ts_cost_add(&cost, 1, ts_cost_delay(imax(BAW, 1), dot - 2));
    ts_cost_add(&cost, 1, ts_cost_mem(map, PM * ACCW, PAGES * MO, p->f.pstyle, true));
    ts_cost_add(&cost, 1, ts_cost_delay(1, dot));
    const int pairs = p->f.pack ? PM / 2 : 0;
    ts_cost_add(&cost, pairs, ts_cost_dot2(map, PK, XW, p->w.xsigned, WW, ACCW, REG));
    ts_cost_add(&cost, PM - 2 * pairs, ts_cost_dot(map, PK, XW, p->w.xsigned, WW, ACCW, REG));
    ts_cost_add(&cost, 1, ts_cost_delay(1, beat));
    ts_cost_add(&cost, 1, ts_cost_delay(imax(QAW, 1), beat - 3));
    ts_cost_add(&cost, 1, ts_cost_mem(map, NR * entry, PAGES * BT, p->f.pstyle, true));
    ts_cost_add(&cost, NR, ts_cost_requant(map, ACCW, p->w.s1, p->w.s2, 0, 3, requantised, p->w.varbits));
    if (p->w.table) {
        ts_cost_add(&cost, NR, ts_cost_mem(map, YW, 1 << p->w.idxw, TS_MEM_BLOCK, true));
        ts_cost_add(&cost, 1, ts_cost_delay(1, 2));
    }
    if (BEATS)
        ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, NR * YW + 1, in_flight * R + (KO == 1)));
    else
        ts_cost_add(&cost, 1, collect(map, NR * YW, BT, in_flight));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, p->tagw, in_flight));
    ts_cost_add(&cost, 1, ts_cost_watch(3, BEATS ? 8 : 7));
    return cost;
}

ts_cost ts_cost_rqvec(const ts_mapping *map, const ts_rqv_widths *w, const ts_rqv_fold *f, int TAGW)
{
    const int D = w->d, NR = f->nr, XW = w->xw, YW = w->yw, PAGES = w->pages;
    ts_resources self = {0};
#define COST_ts_rqvec
#include "ring/cost_table.def"
#undef COST_ts_rqvec
    ts_cost cost = both(self);
    const int entry = 18 + 3 + (w->varbits ? 5 : 0) + w->biasw, depth = cdiv(STEPS + 11, STEPS) + 2;
    ts_cost_add(&cost, 1, ts_cost_page(PAGES, imax(QAW, 1)));
    ts_cost_add(&cost, 1, ts_cost_select(STEPS, NR * XW));
    ts_cost_add(&cost, 1, ts_cost_delay(NR * XW, 1));
    ts_cost_add(&cost, 1, ts_cost_mem(map, NR * entry, PAGES * STEPS, f->pstyle, true));
    ts_cost_add(&cost, NR, ts_cost_requant(map, XW, 0, w->s2, w->biasw, 3, YW, w->varbits));
    ts_cost_add(&cost, 1, collect(map, NR * YW, STEPS, depth));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, TAGW, depth));
    ts_cost_add(&cost, 1, ts_cost_watch(3, 6));
    return cost;
}

ts_cost ts_cost_norm(const ts_mapping *map, const ts_nrm_widths *w, const ts_nrm_fold *f, int W, int YW, int LW, int TAGW, int REG)
{
    const int DIGITS = REG, D = w->d, NP = f->np, TSHIFT = w->t_shift, EPSW = w->epsw, PAGES = w->pages;
    ts_resources self = {0};
#define COST_ts_norm
#include "ring/cost_table.def"
#undef COST_ts_norm
    ts_cost cost = both(self);
    const int tree = cdiv(clog2(NP), REG), rsqrt = 3 + cdiv(18, DIGITS) + cdiv(16, DIGITS);
    const int tokens = cdiv(3 * B + 2 * tree + 15 + rsqrt + 2, B) + 1;
    int ones = 0; /* D * x is a sum of shifted x */
    for (int d = D; d; d >>= 1)
        ones += d & 1;
    const int times = cdiv(clog2(ones), REG);
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, TAGW, tokens));
    ts_cost_add(&cost, 3, ts_cost_beats(B));
    ts_cost_add(&cost, 1, ts_cost_tree(NP, W, SW, REG));
    ts_cost_add(&cost, 1, ts_cost_delay(1, tree));
    ts_cost_add(&cost, 1, ts_cost_pulse(1, tree + 1));
    ts_cost_add(&cost, 1, ts_cost_delay(NP * W, B + tree - times));
    ts_cost_add(&cost, NP, ts_cost_tree(ones, SW, SW, REG));
    ts_cost_add(&cost, NP, ts_cost_mul(map, TW, TW, true, true));
    ts_cost_add(&cost, 1, ts_cost_tree(NP, 2 * TW, 2 * TW + clog2(NP), REG));
    ts_cost_add(&cost, 1, ts_cost_delay(1, 3 + tree));
    ts_cost_add(&cost, 1, ts_cost_pulse(1, 3 + tree + 1));
    ts_cost_add(&cost, 1, ts_cost_delay(LW, B + 2 * tree + 1));
    ts_cost_add(&cost, 1, ts_cost_delay(LW, 3));
    ts_cost_add(&cost, 1, ts_cost_mem(map, EPSW, PAGES, f->pstyle, true));
    ts_cost_add(&cost, 1, ts_cost_rsqrt(VW, LW, DIGITS));
    ts_cost_add(&cost, 1, ts_cost_delay(NP * TW, B + tree + 3 + rsqrt));
    ts_cost_add(&cost, 1, ts_cost_pulse(1, 4));
    ts_cost_add(&cost, 1, ts_cost_delay(6, 2));
    ts_cost_add(&cost, 1, ts_cost_mem(map, NP * (w->biasw + 18), PAGES * B, f->pstyle, true));
    ts_cost_add(&cost, NP, ts_cost_mul(map, TW, 17, true, false));
    ts_cost_add(&cost, NP, ts_cost_requant(map, 19, 1, w->y_shift, w->biasw, 1, YW, false));
    ts_cost_add(&cost, 1, ts_cost_fifo_lut(map, NP * YW, tokens * B));
    ts_cost_add(&cost, 1, ts_cost_watch(2, 5));
    return cost;
}
