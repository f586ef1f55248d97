/* The top level of a ring: Verilog text, its ports, and its inner streams for traces. */
#ifndef TS_TOP_H
#define TS_TOP_H
#include "ring/ports.h"
#include "ring/ring.h"

/* Name of the top-level module: the model's, made a Verilog identifier, and "_top". */
const char *ts_top_name(ts_arena *arena, const ts_imodel *im);

const char *ts_top_text(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, ts_stream streams[TS_RING_TAPS], int *count);

#endif
