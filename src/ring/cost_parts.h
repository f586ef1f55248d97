/* Resources of one instance of a module of rtl/ with everything inside it. Parameters have the modules' own names. */
#ifndef TS_COST_PARTS_H
#define TS_COST_PARTS_H
#include "ring/cost.h"

/* How a family's synthesis maps what is not plain logic. */
typedef struct ts_mapping {
    bool dsp_takes_registers; /* Yosys puts a multiplier's registers into the DSP (7 series) or leaves them outside (UltraScale+) */
    bool has_ultra;
    int lutram_bits_32, lutram_bits_64; /* data bits of a LUT RAM block of 32 and of 64 words */
    int lutram_luts;                    /* LUTs of such a block */
    int dsp_a, dsp_b;                   /* bits of a DSP's signed factors */
} ts_mapping;
ts_mapping ts_mapping_of(const ts_device *device);

void ts_cost_add(ts_cost *sum, double count, ts_cost part);

ts_cost ts_cost_mem(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE, bool CFG);
ts_cost ts_cost_delay(int WIDTH, int CYCLES);
ts_cost ts_cost_pulse(int WIDTH, int CYCLES); /* delay with reset */
ts_cost ts_cost_mul(const ts_mapping *map, int AW, int BW, bool ASIGNED, bool BSIGNED);
ts_cost ts_cost_watch(int BITS, int SIGNALS);
ts_cost ts_cost_mul2(const ts_mapping *map, int AW, bool ASIGNED, int BW);
ts_cost ts_cost_skid(int WIDTH);
ts_cost ts_cost_slice(int WIDTH, bool HALF);
ts_cost ts_cost_fifo_lut(const ts_mapping *map, int WIDTH, int DEPTH);
ts_cost ts_cost_fifo(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE);
/* Tokens of BEATS beats of WIDTH bits, collected. */
ts_cost ts_cost_collect(const ts_mapping *map, int WIDTH, int BEATS, int DEPTH);
ts_cost ts_cost_queue(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE);
ts_cost ts_cost_queue_narrow(const ts_mapping *map, int WIDTH, int DEPTH, int BEATS, ts_mem_style STYLE);
ts_cost ts_cost_fork(int WIDTH, bool HALF);
ts_cost ts_cost_merge(int WIDTH, bool HALF);
ts_cost ts_cost_route(int WIDTH, bool HALF);
ts_cost ts_cost_tree(int N, int W, int OW, int REG);
ts_cost ts_cost_dot(const ts_mapping *map, int N, int AW, bool ASIGNED, int BW, int OW, int REG);
ts_cost ts_cost_tree_carry(int N, int W, int OW, int REG);
ts_cost ts_cost_dot2(const ts_mapping *map, int N, int AW, bool ASIGNED, int BW, int OW, int REG);
ts_cost ts_cost_requant(const ts_mapping *map, int IW, int S1, int S2, int BIASW, int EW, int OW, bool VARBITS);
ts_cost ts_cost_recip(int DW, int SIDEW, int DIGITS);
ts_cost ts_cost_rsqrt(int VW, int SIDEW, int DIGITS);
ts_cost ts_cost_beats(int BEATS);
ts_cost ts_cost_pick(int N, int WIDTH);
ts_cost ts_cost_select(int N, int WIDTH);
ts_cost ts_cost_page(int PAGES, int AW);
ts_cost ts_cost_page_mem(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE, int LANES);
ts_cost ts_cost_radd(int D, int W, int TAGW, int NR, bool HALF);
ts_cost ts_cost_admit(const ts_mapping *map, int WIDTH, int NMAX, int TAGW, int QDEPTH, bool HALF);
ts_cost ts_cost_output(int OPW, int YW, int BPT, bool ZEROS, bool HALF);
ts_cost ts_cost_argmax(int M, int PM, int NR, int YW, int TAGW);
#endif
