/* The integer model: the contract between emulator, RTL and partitioned builds (docs/numerics.md).
   After quantisation nothing floats; the scales are kept for the host, to bring inputs in and outputs out.
   Constants that the hardware shares between the layers of a ring (s1, s2, widths) are equal in all layers by
   construction; ts_imodel_verify checks it. */
#ifndef TS_IMODEL_H
#define TS_IMODEL_H
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "graph/encoder.h"
#include "ref/encoder_eval.h"

typedef struct ts_fmt {
    int bits;
    bool is_signed; /* signed: +-(2^(bits-1)-1); unsigned: 0 ... 2^bits-1 */
} ts_fmt;

/* y[c] = sat(round((round(x[c] >> s1) * m[c] + b[c]) >> (s2 + e[c]))) to `out`. */
typedef struct ts_rq {
    int count;                        /* channels */
    int s1, s2;                       /* shared by all layers of a stage */
    const int32_t *m;                 /* [count], |m| < 2^17 */
    const uint8_t *e;                 /* [count], 0 ... 7 */
    const int64_t *b;                 /* [count], |b| < 2^43, or NULL: zeros */
    ts_fmt out;                       /* this layer's format; q, k, v parts of a qkv stage: see ts_ilayer */
    const double *y_scale, *y_offset; /* [count], stage inputs only: real value = y * y_scale + y_offset */
} ts_rq;

typedef struct ts_ilin {
    int in, out;
    ts_fmt x;               /* format of the input */
    int w_bits;             /* weights: signed, symmetric */
    const int32_t *w;       /* [out][in] */
    const int64_t *bias;    /* [out], in accumulator units, part of the accumulator's proof */
    int acc_bits;           /* signed bits that provably hold the accumulator at every step, in any order of summation */
    ts_rq rq;               /* [out] */
    ts_act act;             /* NONE; RELU is rq.out unsigned and nothing else; others: rq.out is the table's index */
    const int32_t *table;   /* [2^rq.out.bits], index = value as unsigned two's complement; NULL without a table;
                               the layers of a ring share one */
    ts_fmt y;               /* format of the output, after the table */
    const double *y_scale;  /* [out]: real value of one unit */
    const double *y_offset; /* [out]: real value = y * y_scale + y_offset; NULL: zeros */
} ts_ilin;

typedef struct ts_inorm {
    ts_norm_kind kind;
    int d, t_shift, y_shift; /* as in ts_norm_num; kind and shifts are shared by the norms of one place in a ring */
    uint64_t eps;
    const int32_t *gain; /* [d]; on q and k [heads * d_head], */
    const int64_t *bias; /* like the gains */
    ts_fmt y;
    double y_scale;                               /* on the residual stream */
    const double *channel_scale, *channel_offset; /* on q and k: [heads * d_head], real value = y * scale + offset; otherwise NULL */
} ts_inorm;

typedef struct ts_ilayer {
    ts_inorm norm1, norm2;
    ts_rq qkv_in;            /* residual (or pre-norm's norm-1 output) -> qkv input, per channel */
    ts_ilin qkv;             /* out = 3 * heads * d_head: q, then k, then v, head-major; q_fmt, k_fmt, v_fmt apply */
    ts_fmt q, k, v, ctx;     /* q, k: as attention takes them, behind their norm where there is one */
    ts_inorm q_norm, k_norm; /* where the model has qk_norm */
    const uint8_t *score_e;  /* [heads], 0 ... 3: score = sat(round(q.k >> (score_shift + score_e))) */
    int ctx_e;               /* 0 ... 3: ctx = ts_wmean(..., vbits = v_bits, shift = ctx_shift + ctx_e, ...) */
    ts_ilin o;               /* -> residual format */
    ts_rq ffn_in;
    ts_ilin ffn1, ffn2;                 /* ffn2 -> residual format */
    const double *ctx_scale;            /* [heads * d_head]; its offset is v's */
    double res_scale_in, res_scale_mid; /* real value of a unit of the residual at the layer's input and after block 1 */
} ts_ilayer;

/* A whole model, or a slice of one (quant/slice.h): a contiguous run of its blocks, where a layer is its attention block (norm1, qkv_in,
   qkv ... o) and then its FFN block (ffn_in, ffn1, ffn2); norm2 belongs to the FFN block, or, where both norms are around attention, to
   the attention block. A slice without embedding takes residual tokens, one without head gives
   them; its layers are counted from its own first. A block that it lacks is all zeros. */

typedef struct ts_imodel {
    const char *name;
    int features, d, heads, d_head, ff, outputs, layers; /* features = d without embedding, outputs = d without head */
    bool starts_in_ffn;                                  /* a slice: layer 0 lacks its attention block */
    bool ends_in_attention;                              /* a slice: the last layer lacks its FFN block */
    ts_norms norms;
    int qk_norm; /* as in ts_encoder; in front of these norms q and k are in the residual format */
    bool has_final_norm, fused_qkv0;
    ts_pool pool;
    bool classifier; /* outputs of one token share one scale, so that arg-max is meaningful on integers */
    ts_fmt in;
    const double *in_scale;      /* [features]: x_int = clamp(floor(x / in_scale + 0.5)) */
    int embed_count, head_count; /* 0: a slice without. No embedding: `in` is `res`; no head: no pooling, no final norm */
    const double *res_out_scale; /* [d], without head: real value of one unit of the output; NULL otherwise */
    ts_ilin embed[TS_MLP_MAX];   /* the last one's output is the residual format */
    ts_ilin qkv0;                /* fused_qkv0: (input of the last embed linear) -> q, k, v of layer 0; replaces layer[0].qkv(_in) */
    ts_fmt res;                  /* residual stream, signed */
    int score_bits, frac_bits, score_shift, ctx_shift, p_bits; /* shared by all layers */
    int v_bits; /* of the values as ts_wmean takes them: the widest of the layers, because they share one divider; a slice keeps its
                   model's, on which the rounding depends */
    const uint32_t *exp2;                  /* [2^frac_bits] */
    int acc_margin;                        /* bits that its hardware has more than it needs, in accumulators, offsets and shifts */
    const struct ts_ring_widths *hardware; /* of weights for a ring that is there: its widths (ring/plan.h); NULL: as the model needs. Not
                                              in files. */
    const ts_ilayer *layer;                /* [layers] */
    ts_inorm final_norm;
    ts_rq head_in;
    ts_ilin head[TS_MLP_MAX]; /* the last one's output is the model's */
} ts_imodel;

static inline bool ts_imodel_has_attention(const ts_imodel *im, int layer)
{
    return layer > 0 || !im->starts_in_ffn;
}

static inline bool ts_imodel_has_ffn(const ts_imodel *im, int layer)
{
    return layer < im->layers - 1 || !im->ends_in_attention;
}

/* Whether a norm (1 or 2) of the layers belongs to their attention blocks. */
static inline bool ts_imodel_norm_in_attention(const ts_imodel *im, int norm)
{
    return ts_norm_at(im->norms, TS_BEFORE_ATTENTION) == norm || ts_norm_at(im->norms, TS_BEHIND_ATTENTION) == norm;
}

/* Format of what a qkv linear makes: part 0 is q, 1 k, 2 v. */
static inline ts_fmt ts_imodel_qkv_fmt(const ts_imodel *im, const ts_ilayer *layer, int part)
{
    return part == 2 ? layer->v : im->qk_norm ? im->res : part ? layer->k : layer->q;
}

/* The widest of them: what the linear's output is held in. */
static inline ts_fmt ts_imodel_qkv_widest(const ts_imodel *im, const ts_ilayer *layer)
{
    ts_fmt widest = ts_imodel_qkv_fmt(im, layer, 0);
    for (int part = 1; part < 3; part++)
        widest = ts_imodel_qkv_fmt(im, layer, part).bits > widest.bits ? ts_imodel_qkv_fmt(im, layer, part) : widest;
    return widest;
}

/* [outputs]: real value of one unit of the output. */
static inline const double *ts_imodel_out_scale(const ts_imodel *im)
{
    return im->head_count > 0 ? im->head[im->head_count - 1].y_scale : im->res_out_scale;
}

/* Checks every invariant above (ranges, shared constants, accumulator proofs by recomputation); names the tensor. */
bool ts_imodel_verify(const ts_imodel *im, ts_err *err);

/* One file, "model.tsm": magic, version, JSON header, tensors, CRC-32; written to a temporary name and renamed. The loader
   checks all of it and then ts_imodel_verify: a truncated or altered file is an error, never a half-loaded model. */
bool ts_imodel_save(const ts_imodel *im, const char *path, ts_err *err);
ts_imodel *ts_imodel_load(ts_arena *arena, const char *path, ts_err *err);

/* The same in memory; the model keeps nothing of the file. */
unsigned char *ts_imodel_bytes(ts_arena *arena, const ts_imodel *im, size_t *size);
ts_imodel *ts_imodel_of_bytes(ts_arena *arena, unsigned char *file, size_t size, ts_err *err);

#endif
