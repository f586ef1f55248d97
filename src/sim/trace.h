/* Inner streams captured from the RTL, beside the tensors of the emulator.
   In a circle with sim/simulate.h: it is the inside of it. */
#ifndef TS_SIM_TRACE_H
#define TS_SIM_TRACE_H
#include "emu/emu.h"
#include "sim/simulate.h"

/* Reads the harness' trace of the events list[0 ... count-1] (indices into opt's events), calls opt->tap for every stage of every
   layer, and returns the first stage in the order of computation that differs, in words; NULL where all agree. A trace that does
   not fit the events fills err. */
const char *ts_trace_compare(ts_arena *arena, const ts_design *design, const ts_sim_options *opt, const ts_emu *emu, const int *list,
                             int count, const char *path, ts_err *err);

#endif
