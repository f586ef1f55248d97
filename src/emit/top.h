/* The top level of a ring: Verilog text, its ports, and its inner streams for traces. */
#ifndef TS_TOP_H
#define TS_TOP_H
#include "ring/plan.h"

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

/* Residual tokens, which a slice without embedding takes and one without head gives, are d values side by side, one transfer a token. */
typedef struct ts_ports {
    int hit_lane;  /* bits of an input value on s_hit: 16 or 32, the value sign-extended; of residual tokens those of the format */
    bool refusals; /* s_hit_refused: a transfer, the only one or the last one of an event, that refuses it */
    int lanes;     /* values of a beat of m_out */
    int out_lane;  /* bits of one: 32; of residual tokens those of the format */
    int beats;     /* of a token */
} ts_ports;
ts_ports ts_ports_of(const ts_imodel *im, const ts_plan *plan);

/* Index of the output in a lane of a beat, lane after lane; -1: junk. Arg-max: lane 0 is the value (0), lane 1 the class (1). */
int ts_ports_output(const ts_ports *ports, const ts_imodel *im, int beat, int lane);

/* What ts_argmax makes of a token's outputs: {largest value, its lowest index}. */
void ts_ports_argmax(const int32_t *y, int outputs, int32_t best[2]);

/* Name of the top-level module: the model's, made a Verilog identifier, and "_top". */
const char *ts_top_name(ts_arena *arena, const ts_imodel *im);

const char *ts_top_text(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, ts_stream streams[TS_STREAM_MAX], int *count);

#endif
