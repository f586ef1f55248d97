/* A design with paged rings as its benches see it: itself, and beside it a model of the external memory of each paged ring. */
#ifndef TS_SIM_TOP_H
#define TS_SIM_TOP_H
#include "emit/system.h"

#define TS_SIM_TOP "ts_sim_top" /* module, and file in tb/: of a system that is paged */

const char *ts_sim_top_text(ts_arena *arena, const ts_system *system);

#endif
