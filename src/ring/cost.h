/* Resources of hardware, in two columns: `yosys`, what synth_xilinx of Yosys 0.23 reports with the hierarchy kept, and `device`, what the
   vendor's tool will see (registers absorbed into DSP and block RAM, docs/devices.md). Of one instance of a module of rtl/ with everything
   inside it: ts_cost_<module>, with the module's own parameters. */
#ifndef TS_COST_H
#define TS_COST_H
#include "ring/device.h"
#include "ring/plan.h"

typedef struct ts_cost {
    ts_resources yosys, device;
} ts_cost;

/* In the middle of the planner's search. */
static inline void ts_cost_add(ts_cost *sum, double count, ts_cost part)
{
#define X(field, label) \
    sum->yosys.field += count * part.yosys.field; \
    sum->device.field += count * part.device.field;
    TS_LIMITS(X)
#undef X
}

/* How a family's synthesis maps what is not plain logic. */
typedef struct ts_mapping {
    bool dsp_takes_registers; /* Yosys puts a multiplier's registers into the DSP (7 series) or leaves them outside (UltraScale+) */
    int lutram_bits_32, lutram_bits_64; /* data bits of a LUT RAM block of 32 and of 64 words */
    int lutram_luts;                    /* LUTs of such a block */
    int dsp_a, dsp_b;                   /* bits of a DSP's signed factors */
} ts_mapping;
ts_mapping ts_mapping_of(const ts_device *device);

/* ---- By rule */

ts_cost ts_cost_ram(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE); /* a slice of ts_mem */
ts_cost ts_cost_lutram(const ts_mapping *map, int WIDTH, int DEPTH);                  /* the cheaper of banks of 32 and of 64 words */
ts_cost ts_cost_delay(const ts_mapping *map, int WIDTH, int CYCLES);                  /* three and more: shift registers, 32 bits a LUT */
ts_cost ts_cost_pulse(const ts_mapping *map, int WIDTH, int CYCLES);                  /* delay with reset */
ts_cost ts_cost_mul(const ts_mapping *map, int AW, int BW, int ASIGNED, int BSIGNED);
ts_cost ts_cost_mul2(const ts_mapping *map, int AW, int ASIGNED, int BW); /* two products: the first factor, and the packed pair */
/* ts_watch: more than 6 bits go through a level of registers. SIGNALS: those that the bits are made of, which share its LUTs. */
ts_cost ts_cost_watch(const ts_mapping *map, int BITS, int SIGNALS);
ts_cost ts_cost_slice(const ts_mapping *map, int WIDTH, int HALF);
/* ts_tree whose carries go up beside the sums, without a LUT but for lines that become shift registers. */
ts_cost ts_cost_tree_carry(const ts_mapping *map, int N, int W, int OW, int REG);

/* ---- By the table */

#define COST(name, ...) ts_cost ts_cost_##name(const ts_mapping *map, __VA_ARGS__);
#define LET(name, value)
#define VALUE(name, value)
#define LUT(factor, term)
#define FF(factor, term)
#define DEVICE_LUT(luts)
#define PART(count, part, ...)
#define END
#include "ring/cost_table.def"
#undef COST
#undef LET
#undef VALUE
#undef LUT
#undef FF
#undef DEVICE_LUT
#undef PART
#undef END

/* ---- Functions of terms; bench/fit_cost.py has the same */

static inline int clog2(int x)
{
    int bits = 0;
    while (bits < 31 && (1 << bits) < x)
        bits++;
    return bits;
}

static inline int cdiv(int a, int b)
{
    return ts_ceil_div(a, b);
}

static inline int imin(int a, int b)
{
    return a < b ? a : b;
}

static inline int imax(int a, int b)
{
    return a > b ? a : b;
}

#endif
