/* The top level of a ring: Verilog text, its ports, and its inner streams for traces. */
#ifndef TS_TOP_H
#define TS_TOP_H
#include "ring/ports.h"

/* A stream between two stages, or a part of its values, that the emulator taps as (role, part). */
typedef struct ts_stream {
    const char *wire;  /* <wire>_valid, <wire>_ready, <wire>_data, <wire>_tag in the top level */
    const char *label; /* what a person calls it: "layer's queries" */
    int first, count;  /* its values: elements first ... first + count - 1 of the data */
    int width;         /* bits of an element */
    bool is_signed;
    ts_role role;
    int part; /* as in ts_tap */
} ts_stream;

enum { TS_STREAM_MAX = 32 };

/* Name of the top-level module: the model's, made a Verilog identifier, and "_top". */
const char *ts_top_name(ts_arena *arena, const ts_imodel *im);

const char *ts_top_text(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, ts_stream streams[TS_STREAM_MAX], int *count);

#endif
