/* Builds the Verilator model of an emitted design and keeps it.
   In a circle with sim/simulate.h: it is the inside of it. */
#ifndef TS_SIM_BUILD_H
#define TS_SIM_BUILD_H
#include "sim/simulate.h"

/* The path of the simulator's program, absolute. A build is found again by a hash of everything that went into it; *rebuilt says
   whether there was none. NULL with the end of the failed tool's log. */
const char *ts_sim_build(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, bool *rebuilt, ts_err *err);

#endif
