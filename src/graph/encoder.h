/* A trained Transformer encoder in floating point, as recognised in a graph: what the file computes, stripped of how its
   exporter wrote it. Post-norm layer:  x = norm1(x + o(attention(x)));  x = norm2(x + ffn2(act(ffn1(x)))).
   Pre-norm layer: x = x + o(attention(norm1(x)));  x = x + ffn2(act(ffn1(norm2(x)))).
   Norms around attention: x = norm2(x + o(attention(norm1(x))));  x = x + ffn2(act(ffn1(x))). */
#ifndef TS_ENCODER_H
#define TS_ENCODER_H
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "graph/activation.h"

typedef enum { TS_NORMS_LAST, TS_NORMS_FIRST, TS_NORMS_AROUND } ts_norms;        /* post-norm, pre-norm, both at the attention block */
typedef enum { TS_POOL_NONE, TS_POOL_MEAN, TS_POOL_MAX, TS_POOL_FIRST } ts_pool; /* NONE: the head runs per token */
typedef enum {
    TS_MASK_NONE,
    TS_MASK_INPUT, /* a key-padding mask is an input of the model: masked hits are dropped by the host */
    TS_MASK_DATA,  /* computed from the data (EncCla: embedding sum == 0); taken as never firing */
} ts_mask;

/* What a file that was quantised in training says of a tensor: value = scale[c] * (code - zero[c]), low <= code <= high. */
typedef struct ts_given {
    int count;           /* channels */
    const double *scale; /* [count], positive */
    const int *zero;     /* [count] */
    int low, high;
    const char *name; /* of the node, for messages */
} ts_given;

typedef struct ts_linear {
    int in, out;
    const float *w;   /* [out][in] */
    const float *b;   /* [out], zeros where the model has none */
    const char *name; /* for messages: the node or weight it came from */
    /* NULL where the file says nothing: */
    const ts_given *w_given; /* [out]: every weight of output o is a whole multiple of scale[o]; zero and low, high mean nothing */
    const ts_given *x_given; /* [in]: what is read */
    const ts_given *y_given; /* [out]: what it makes, before an activation */
} ts_linear;

/* y = (x - mean) / sqrt(variance + eps) * gain + bias over d channels, or, of RMS norms, x / sqrt(mean of squares + eps) * gain + bias. */
typedef enum {
#define NORM(id, name, centred) TS_NORM_##id,
#include "graph/norms.def"
#undef NORM
    TS_NORM_COUNT
} ts_norm_kind;
typedef struct ts_norm {
    ts_norm_kind kind;
    int d; /* channels that are normalised together */
    float eps;
    const float *gain, *bias; /* [d]; on q and k: [heads * d_head], one for each channel of each head */
} ts_norm;

enum { TS_MLP_MAX = 3 };
typedef struct ts_mlp { /* linears with an activation after each; the last one's is usually TS_ACT_NONE */
    int count;          /* 1 ... TS_MLP_MAX */
    ts_linear lin[TS_MLP_MAX];
    ts_act act[TS_MLP_MAX];
} ts_mlp;

typedef struct ts_layer {
    ts_linear q, k, v;       /* d -> heads * d_head */
    ts_linear o;             /* heads * d_head -> d */
    float scale;             /* multiplies q.k before the softmax, usually 1/sqrt(d_head) */
    const ts_given *p_given; /* [1]: probabilities, or NULL */
    ts_norm q_norm, k_norm;  /* behind q and k, where the encoder has qk_norm */
    ts_norm norm1, norm2;    /* the kind of each is the same in all layers */
    ts_linear ffn1, ffn2;    /* d -> ff, ff -> d */
} ts_layer;

/* Where a mask computed from the data can be seen in the graph that the encoder was recognised in. In an event of n hits,
   element i belongs to hit (i / (stride * n^stride_hits)) % n; stride 0: the value has no axis of hits, an element belongs to all. */
typedef struct ts_data_mask {
    const char *value; /* name in the graph */
    double quiet;      /* its elements where the mask does not fire */
    long long stride;
    int stride_hits;
} ts_data_mask;

typedef struct ts_encoder {
    const char *name; /* of the file, without directory and extension */
    int features;     /* values of a hit */
    int d, heads, d_head, ff, outputs, layers;
    ts_norms norms; /* the same in all layers */
    bool has_final_norm;
    int qk_norm; /* channels of q, and of k, that are normalised together before attention: d_head, or heads * d_head; 0: none */
    ts_act act;  /* of the FFN, the same in all layers */
    ts_pool pool;
    ts_mask mask;
    const char *mask_note;         /* what `inspect` says of the mask; "" for TS_MASK_NONE */
    const char *mask_input;        /* TS_MASK_INPUT: the name of that input; NULL otherwise */
    bool mask_keeps;               /* TS_MASK_INPUT: nonzero elements of it mark hits; otherwise they mark padding */
    int data_masks;                /* at least one for TS_MASK_DATA; TS_MASK_INPUT may have some besides */
    const ts_data_mask *data_mask; /* [data_masks] */
    ts_mlp embed, head;
    ts_norm final_norm;    /* valid where has_final_norm */
    const ts_layer *layer; /* [layers] */
    long long parameters;
    int notes; /* roundings of the file that have no place in the hardware, one line each */
    const char *const *note;
} ts_encoder;

/* Where in a layer a normalisation can stand. */
typedef enum { TS_BEFORE_ATTENTION, TS_BEHIND_ATTENTION, TS_BEFORE_FFN, TS_BEHIND_FFN } ts_norm_place;

/* Which of a layer's norms stands there: 1, 2, or 0 for none. Everything that builds or runs a layer asks this. */
int ts_norm_at(ts_norms norms, ts_norm_place place);

const char *ts_norm_name(ts_norm_kind kind); /* "LayerNorm", "RMSNorm" */
bool ts_norm_centred(ts_norm_kind kind);     /* whether the mean is taken off first */
const char *ts_norms_name(ts_norms norms);   /* "last", "first", "around attention" */
const char *ts_pool_name(ts_pool pool);      /* "none", "mean", "max", "first" */
const char *ts_mask_name(ts_mask mask);      /* "none", "input", "data" */

/* Weights, biases and norm parameters, as the hardware holds them: a bias that the model lacks counts as one of zeros. */
long long ts_encoder_parameters(const ts_encoder *enc);

/* Multiply-accumulates of an event of n hits: n * (layers * (4 d inner + 2 d ff + 2 n inner) + embedding + head), inner = heads * d_head.
 */
double ts_encoder_macs(const ts_encoder *enc, double n);

/* Widths that fit each other, at least one layer, equal shapes, finite numbers. Names the layer and the tensor. */
bool ts_encoder_verify(const ts_encoder *enc, ts_err *err);

/* Linears of the encoder (q, k, v are three); with_weights, with_input: those whose integers, and whose input's rounding, the file gives.
 */
int ts_encoder_linears(const ts_encoder *enc, int *with_weights, int *with_input);

/* A few lines of text for people, deterministic. tokens: of every event, where their number is fixed; otherwise 0. */
void ts_encoder_describe(FILE *out, const ts_encoder *enc, int64_t tokens);

#endif
