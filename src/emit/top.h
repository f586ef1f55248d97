/* The top level of a ring: Verilog text. */
#ifndef TS_TOP_H
#define TS_TOP_H
#include "ring/ports.h"
#include "ring/ring.h"

/* Name of the top-level module: the model's, made a Verilog identifier, and "_top". */
const char *ts_top_name(ts_arena *arena, const ts_imodel *im);

const char *ts_top_text(ts_arena *arena, const ts_ring *ring);

#endif
