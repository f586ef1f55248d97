/* What the files of the quantiser share: its state, and ranges with the room that they are given.
   In a circle with quant/quantise.h: it is the inside of it. */
#ifndef TS_QUANTISER_H
#define TS_QUANTISER_H
#include "quant/attention.h"
#include "quant/given.h"
#include "quant/quantise.h"

typedef struct ts_quantiser {
    ts_arena *arena;   /* of the result */
    ts_arena *scratch; /* of real-valued plans */
    const ts_encoder *enc;
    const ts_calibration *cal;
    const ts_formats *fmt;
    const ts_imodel *hardware; /* whose shifts are kept; NULL: they are chosen */
    ts_err *err;
    int inner;
    ts_imodel *im;
    ts_ilayer *layer;                 /* [layers] */
    double *res_in, *res_mid;         /* [layers + 1], [layers]: scale of the residual stream at a layer's input and after block 1 */
    double res_end;                   /* scale of what goes to the head: res_in[layers], or the final norm's */
    ts_attn_plan *attn;               /* [layers] */
    double **qkv_scale, **qkv_offset; /* [layers][3 * inner]: of what the qkv linears make: attn's, or in front of the norms on q and k */
    ts_given_layer *given;            /* [layers]: what the model's file prescribes */
} ts_quantiser;

/* Room above the largest calibrated value, so that another event's slightly larger ones do not saturate, where there are bits to spare: in
   the residual stream, inputs and outputs. */
#define TS_ROOM_WIDE 1.25

int ts_q_bits(const ts_quantiser *q, ts_fmt_key key, int layer);

/* The range that other events are expected to keep to. It contains what was seen. */
ts_range ts_q_expect(ts_range seen);

/* [channels]: ranges that other events are expected to keep to. */
const ts_range *ts_q_ranges(const ts_quantiser *q, int layer, ts_role role, int part, int channels);
double ts_q_reach(const ts_range *range); /* its largest magnitude */
double ts_q_room(const ts_range *range);  /* factor by which a range of so many values is widened */
double ts_q_tensor_reach(const ts_quantiser *q, int layer, ts_role role, int part, int channels); /* largest magnitude of a tensor */

/* Scale of a signed format that holds `top`; a tensor of zeros gets one that divides nothing by zero. */
double ts_q_signed_scale(double top, int width);
double *ts_q_constant(ts_arena *arena, int count, double value);

/* A norm in real numbers, from the residual format at x_scale. */
typedef struct ts_norm_plan {
    const ts_norm *norm;
    int channels; /* of its gains */
    double x_scale;
    const double *y_scale, *y_offset; /* [channels] of what it makes; y_offset NULL: zeros */
    ts_fmt y;
    ts_inorm *to;
    const char *name;     /* for messages */
    const ts_inorm *kept; /* its shifts; NULL: they are chosen */
} ts_norm_plan;

/* The integers of norms that share their shift behind the gain, as those of one place in all layers do. */
void ts_q_norms(ts_quantiser *q, int count, const ts_norm_plan *plan);

/* Norms on q and k, where the model has them: from the residual format, with one scale for all heads, to the scales and offsets that
   attention asks for; and what the qkv linears make, with them or without. */
void ts_q_qk_norms(ts_quantiser *q);

/* Scales of the residual stream, then the norms on it, then what the stages read from it. */
bool ts_quantise_stream(ts_quantiser *q);

#endif
