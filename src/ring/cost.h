/* Resources of hardware, in two columns: `yosys`, what synth_xilinx of Yosys 0.23 reports with the hierarchy kept, and `device`, what the
   vendor's tool will see (registers absorbed into DSP and block RAM, docs/devices.md). */
#ifndef TS_COST_H
#define TS_COST_H
#include "ring/device.h"
#include "ring/plan.h"

typedef struct ts_cost {
    ts_resources yosys, device;
} ts_cost;

#endif
