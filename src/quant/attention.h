/* Scales of attention: a score is only shifted, so the scales of q and k must multiply to a power of two. */
#ifndef TS_ATTENTION_H
#define TS_ATTENTION_H
#include "quant/calibrate.h"
#include "quant/given.h"
#include "quant/imodel.h"
#include "quant/room.h"

/* One layer. Ranges are [heads * d_head]. */
typedef struct ts_attn_plan {
    int heads, d_head;
    double scale; /* of q.k before the softmax, natural exponent */
    const ts_range *q, *k, *v, *ctx;
    const ts_range *score; /* [heads], octaves, of keys as they are */
    ts_fmt q_fmt, k_fmt, v_fmt, ctx_fmt;
    const double *step; /* [3 * heads * d_head]: how far one step of one input moves each of q, k, v at most */
    double room;        /* ranges are widened by this factor */
    const ts_given *q_given, *k_given, *v_given, *ctx_given; /* what the model's file prescribes, or NULL */
    bool one_v_scale;                                        /* for all channels: the weights that context meets are integers */
    /* results, in the arena: */
    double *y_scale, *y_offset; /* [3 * heads * d_head]: real value of a unit of q, k, v, and offsets of k and v */
    double *ctx_scale;          /* [heads * d_head] */
    uint8_t *score_e;           /* [heads] */
    int ctx_e;
    double q_factor, ctx_factor; /* scales of q and ctx relative to the file's, where they are furthest off; 1 without */
} ts_attn_plan;

/* Shared by all layers. */
typedef struct ts_attn_shared {
    int score_bits;
    int frac_bits; /* in: at most; out: chosen */
    int score_shift, ctx_shift;
    int v_bits;    /* of the widest layer's values */
    double reach;  /* octaves that a score of the calibration can have, with room */
    ts_room *room; /* whose shifts are kept where it has hardware; NULL: no margin */
    bool clipped;  /* q and k have so few bits that their scales cannot be as coarse as their ranges ask */
} ts_attn_shared;

void ts_plan_attention(ts_arena *arena, int layers, ts_attn_plan *plan, ts_attn_shared *shared);

#endif
