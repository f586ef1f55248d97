/* Rules: what multipliers, memories and shift registers cost; and what cost_table.def says of the modules of rtl/ that are made of them. */
#include "ring/cost.h"

enum { ULTRA_WORDS = 4096 };

static ts_cost both(ts_resources r)
{
    return (ts_cost){r, r};
}

ts_mapping ts_mapping_of(const ts_device *device)
{
    ts_mapping map = {.dsp_a = device->dsp_a, .dsp_b = device->dsp_b};
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

/* ---- Memories */

/* LUTs that choose one of `banks` words of `width` bits and enable the right one for writing. */
static double bank_luts(int banks, int width)
{
    return banks <= 1 ? 0 : banks <= 4 ? width + banks : 4.0 * width * cdiv(banks, 8) + banks;
}

ts_cost ts_cost_lutram(const ts_mapping *map, int width, int depth)
{
    const double low = (double)cdiv(depth, 32) * cdiv(width, map->lutram_bits_32) * map->lutram_luts;
    const double high = (double)cdiv(depth, 64) * cdiv(width, map->lutram_bits_64) * map->lutram_luts;
    const double low_banks = bank_luts(cdiv(depth, 32), width), high_banks = bank_luts(cdiv(depth, 64), width);
    const bool is_low = low + low_banks < high + high_banks;
    return both((ts_resources){.lut = is_low ? low + low_banks : high + high_banks, .lutram = is_low ? low : high});
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

ts_cost ts_cost_ram(const ts_mapping *map, int width, int depth, ts_mem_style style)
{
    ts_cost cost = both((ts_resources){.ff = width});
    double brams = 0, luts = 0;
    const int banks = style == TS_MEM_BLOCK ? block_ram(width, depth, &brams, &luts) : cdiv(depth, ULTRA_WORDS);
    switch (style) {
    case TS_MEM_BLOCK: /* the output register is the block RAM's own, unless it follows a choice between banks */
        ts_cost_add(&cost, 1, both((ts_resources){.bram36 = brams, .lut = luts}));
        cost.device.ff -= banks == 1 ? width : 0;
        break;
    case TS_MEM_DISTRIBUTED:
        ts_cost_add(&cost, 1, ts_cost_lutram(map, width, depth));
        ts_cost_add(&cost, 1, both((ts_resources){.ff = width}));
        break;
    case TS_MEM_ULTRA: /* side by side to Yosys; the vendor's tool makes a cascade */
        brams = cdiv(banks * cdiv(width, 9), 8);
        cost.yosys.uram = brams;
        cost.yosys.lut = bank_luts(banks, width);
        cost.device = (ts_resources){.uram = banks};
        break;
    }
    return cost;
}

/* ---- Registers and multipliers */

ts_cost ts_cost_delay(const ts_mapping *map, int WIDTH, int CYCLES)
{
    if (CYCLES < 3)
        return ts_cost_pulse(map, WIDTH, CYCLES);
    const double luts = (double)WIDTH * cdiv(CYCLES, 32);
    return both((ts_resources){.lut = luts, .lutram = luts});
}

ts_cost ts_cost_pulse(const ts_mapping *map, int WIDTH, int CYCLES)
{
    return both((ts_resources){.ff = (double)WIDTH * CYCLES});
}

ts_cost ts_cost_mul(const ts_mapping *map, int AW, int BW, int ASIGNED, int BSIGNED)
{
    const int a = AW + !ASIGNED, b = BW + !BSIGNED, wide = imax(a, b), narrow = imin(a, b);
    ts_cost cost = both((ts_resources){.dsp = (double)cdiv(wide, map->dsp_a) * cdiv(narrow, map->dsp_b)});
    if (!map->dsp_takes_registers)
        cost.yosys.ff = 3.0 * (AW + BW);
    return cost;
}

ts_cost ts_cost_mul2(const ts_mapping *map, int AW, int ASIGNED, int BW)
{
    const int product = AW + BW - ASIGNED, a = AW + !ASIGNED, b = product + BW, wide = imax(a, b), narrow = imin(a, b);
    ts_cost cost = both((ts_resources){.dsp = (double)cdiv(wide, map->dsp_a) * cdiv(narrow, map->dsp_b)});
    if (!map->dsp_takes_registers)
        cost.yosys.ff = AW + 2.0 * BW + 4.0 * product;
    return cost;
}

ts_cost ts_cost_watch(const ts_mapping *map, int BITS, int SIGNALS)
{
    const int groups = cdiv(BITS, 6);
    return both((ts_resources){.lut = groups > 1 ? groups + cdiv(groups, 5) : cdiv(SIGNALS, 5), .ff = 1 + (groups > 1 ? groups : 0)});
}

ts_cost ts_cost_slice(const ts_mapping *map, int WIDTH, int HALF)
{
    return HALF ? both((ts_resources){.lut = 1, .ff = WIDTH + 1}) : ts_cost_skid(map, WIDTH);
}

ts_cost ts_cost_tree_carry(const ts_mapping *map, int N, int W, int OW, int REG)
{
    ts_cost cost = ts_cost_tree(map, N, W, OW, REG);
    for (int level = 1, levels = clog2(N), registered = 0; level <= levels + 1; level++) {
        /* Carries that a level's adders take; the last one leaves. */
        const int taken = level <= levels ? cdiv(N, 1 << (level - 1)) / 2 : 1;
        ts_cost_add(&cost, taken, ts_cost_delay(map, 1, registered));
        registered += level % REG == 0 || level == levels;
    }
    return cost;
}

/* ---- The table */

/* Bits of all adders of ts_tree, and of its registers. */
static int tree_adds(int n, int w, int ow)
{
    int bits = 0;
    for (int level = 1; level <= clog2(n); level++)
        bits += cdiv(n, 1 << (level - 1)) / 2 * imin(w + level, ow);
    return bits;
}

static int tree_regs(int n, int w, int ow, int reg)
{
    int bits = 0;
    for (int level = 1; level <= clog2(n); level++)
        if (level % reg == 0 || level == clog2(n))
            bits += cdiv(n, 1 << level) * imin(w + level, ow);
    return bits;
}

/* Registers of a tree that halves a power of two. */
static int pairs_regs(int n, int reg)
{
    int words = 0;
    for (int level = 1; level <= clog2(n); level++)
        if (level % reg == 0 || level == clog2(n))
            words += 1 << (clog2(n) - level);
    return words;
}

/* The bits of x that are 1. */
static int ones(int x)
{
    int count = 0;
    for (; x; x >>= 1)
        count += x & 1;
    return count;
}

#define COST(name, ...) \
    ts_cost ts_cost_##name(const ts_mapping *map, __VA_ARGS__) \
    { \
        ts_cost sum = {.yosys = {.lut = 0}}; \
        double luts = 0, ffs = 0;
#define LET(name, value) const int name __attribute__((unused)) = (value);
#define VALUE(name, value) LET(name, value)
#define LUT(factor, term) luts += (factor) * (double)(term);
#define FF(factor, term) ffs += (factor) * (double)(term);
#define DEVICE_LUT(more) sum.device.lut += (more);
#define PART(count, part, ...) \
    if ((count) > 0) \
        ts_cost_add(&sum, (count), ts_cost_##part(map, __VA_ARGS__));
#define END \
    sum.yosys.lut += luts; \
    sum.device.lut += luts; \
    sum.yosys.ff += ffs; \
    sum.device.ff += ffs; \
    return sum; \
    }
#include "ring/cost_table.def"
