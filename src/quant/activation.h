/* Activations between two linears: which integers go into the table, which come out, and the table. */
#ifndef TS_ACTIVATION_H
#define TS_ACTIVATION_H
#include "quant/imodel.h"

typedef struct ts_act_plan {
    ts_act act;
    ts_fmt in; /* after requantisation: the table's index, or already the output (no table) */
    ts_fmt y;
    double in_scale;          /* without a table unused: y_scale applies */
    double y_scale, y_offset; /* one for the tensor: a table serves all its channels */
    const int32_t *table;     /* [2^in.bits] or NULL */
} ts_act_plan;

/* Scales that a model's file prescribes; 0: none, choose. y_offset goes with y_scale, and matters for tables only. */
typedef struct ts_act_given {
    double in_scale, y_scale, y_offset;
} ts_act_given;

/* Between linears. [low, high]: inputs seen. None: signed. ReLU needs no table, an unsigned format does it, and y_scale may be
   replaced by one a channel. Others: a table with unsigned output, offset so that all codes are used. */
ts_act_plan ts_plan_hidden(ts_arena *arena, ts_act act, int in_bits, int bits, double low, double high, ts_act_given given);

/* In front of a signed format whose scale is given (residual stream, model output). [low, high]: inputs seen. */
ts_act_plan ts_plan_act_onto(ts_arena *arena, ts_act act, int in_bits, ts_fmt y, double y_scale, double low, double high);

#endif
