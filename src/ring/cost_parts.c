/* One function a module of rtl/, with the same submodules: the parts made of logic come from cost_table.def, which is fitted to
   synthesis; multipliers, memories and shift registers follow rules. The capitals are the modules' parameters. */
#include "ring/cost_parts.h"

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
ts_cost ts_cost_collect(const ts_mapping *map, int WIDTH, int BEATS, int DEPTH)
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

ts_cost ts_cost_page_mem(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE, int LANES)
{
    ts_resources self = {0};
#define COST_ts_page_mem
#include "ring/cost_table.def"
#undef COST_ts_page_mem
    ts_cost cost = both(self);
    /* Groups of whole slices: as many of 72 bits and the same rest as without groups. */
    ts_cost_add(&cost, 1, ts_cost_mem(map, WIDTH, DEPTH, STYLE, false));
    return cost;
}
