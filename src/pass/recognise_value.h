/* Inside the recogniser: what a tensor of the graph means.

   The recogniser runs the graph once, on meanings instead of numbers. Every tensor that depends on the event becomes a rec_val:
   - its layout tells which part of its shape is a token axis and which are channels, heads, ..., whatever reshapes, transposes,
     splits and slices it went through;
   - its content is an affine form over the outputs of non-linear things (bases: model input, norm, activation, attention), or
     one of the few intermediate things that occur inside of them: a polynomial (norms, activations), scores, probabilities, masks.
   The bases then form a small graph that has lost everything an exporter chose; recognise_match.c reads the encoder from it.
   In a circle with pass/recognise.h: it is the inside of it. */
#ifndef TS_RECOGNISE_VALUE_H
#define TS_RECOGNISE_VALUE_H
#include "graph/encoder.h"
#include "graph/graph.h"
#include "pass/recognise.h"

/* ---- layout: the elements of a tensor in memory order, as nested loops over axes ---- */

typedef enum {
    REC_CONST, /* channels, heads, ...: a known size */
    REC_TOKEN, /* tokens of the event; of scores: the queries */
    REC_KEY,   /* tokens of the event again: the keys of scores */
    REC_SAME,  /* as many as tokens, but all elements along it are equal: a broadcast mask */
} rec_axis_kind;

typedef struct rec_axis {
    rec_axis_kind kind;
    int32_t size; /* of REC_CONST: a tensor has at most TS_MAX_ELEMENTS */
} rec_axis;

/* A dimension is at most c * n * n: two token axes, and a constant between any two. */
enum { REC_MAX_AXES = 5 * TS_MAX_RANK };
typedef struct rec_layout {
    int count;
    rec_axis axis[REC_MAX_AXES];
} rec_layout;

/* A layout cut at the boundaries of a shape: axes start[i] ... start[i+1]-1 make dimension i. */
typedef struct rec_split {
    rec_layout axes;
    int64_t stride[REC_MAX_AXES]; /* of a REC_CONST axis, in rows */
    int rank, start[TS_MAX_RANK + 1];
} rec_split;

/* ---- affine forms and bases ---- */

enum { REC_MAX_CHANNELS = 16384 }; /* values of a hit: keeps a file from asking for memory out of proportion */

typedef enum { BASE_INPUT, BASE_LINEAR, BASE_NORM, BASE_ACT, BASE_ATTENTION, BASE_POOL } rec_base_kind;
typedef struct rec_form rec_form;
/* Quantisation that the file prescribes (QuantizeLinear and DequantizeLinear), of the rows of a form or the channels of a base. */
typedef struct rec_origin {
    const char *name;      /* of the node */
    const char *otherwise; /* the note where nothing in the encoder has taken it */
    bool taken, added;     /* read by a linear (or attention); by a residual connection */
} rec_origin;
typedef struct rec_grid {
    int count;
    const double *scale; /* [count]; 0: nothing is prescribed for this one */
    const int *zero;     /* [count] */
    int low, high;
    rec_origin *origin;
} rec_grid;
typedef struct rec_base rec_base;
struct rec_base {
    rec_base_kind kind;
    int width;                /* values of a token */
    const ts_node *node;      /* where it was recognised; NULL for the input */
    const rec_form *of;       /* LINEAR: the form that was given a name of its own */
    const rec_base *from;     /* NORM, ACT, POOL */
    ts_norm_kind norm;        /* NORM: which, */
    int group;                /* of how many channels at a time: those of `from` in order, so many together */
    double eps;               /* NORM */
    const float *gain, *bias; /* NORM: [width] */
    ts_act act;
    ts_pool pool;
    const rec_form *q, *k, *v; /* ATTENTION: [heads * d_head], head-major */
    const rec_grid *p;         /* ATTENTION: [1], of the probabilities, NULL without */
    int heads, d_head;
    double scale;
    const struct rec_mask *mask; /* ATTENTION, POOL: NULL without */
    int id;                      /* of a shared base */
    uint64_t hash;
    rec_base *next; /* of the same bucket */
};

typedef struct rec_term { /* [rows] = w * base, or gain[row] * base[pick[row]] where w is NULL */
    const rec_base *base;
    const int *pick;
    const float *gain;      /* [rows], NULL: ones */
    const float *w;         /* [rows][base->width] */
    const rec_grid *w_grid; /* [rows]: the steps of w, NULL without */
    const rec_grid *x_grid; /* [base->width]: how the base is rounded before w multiplies it, NULL without */
} rec_term;

enum { REC_MAX_TERMS = 4, REC_MAX_CHAIN = 16 }; /* of a sum; linears with nothing in between that are multiplied together */
struct rec_form {
    int rows, terms;
    rec_term term[REC_MAX_TERMS];
    const float *bias; /* [rows], NULL: zeros */
    const ts_node *node;
    const rec_base **frozen; /* a cell: the base that stands for this form, once something non-linear has used it */
    const rec_grid *grid;    /* [rows]: how its values are rounded, NULL without */
};

/* ---- masks ---- */

typedef struct rec_mask {  /* a flag of each token */
    const ts_value *input; /* the model's input that it is, or */
    const char *note;      /* what computes it from the data; then it is taken as false for every hit. NULL with input NULL:
                              a guard against results that are no numbers */
} rec_mask;

/* ---- polynomials over one base: x, its moments over the channels, and functions of x ---- */

enum { REC_ACT_ROWS = 12 }; /* room for those of recognise_act.c */
enum {
    VAR_X,
    VAR_MEAN,
    VAR_SQUARE,
    VAR_NORM,                         /* and the next ones: 1/sqrt of a norm's variance, one for each kind */
    VAR_F = VAR_NORM + TS_NORM_COUNT, /* and the next ones: a function of x, one for each row of activations */
    REC_VARS = VAR_F + REC_ACT_ROWS
};
typedef struct rec_mono {
    signed char power[REC_VARS];
    double c;        /* the coefficient, where v is NULL */
    const double *v; /* [width] */
} rec_mono;

enum { REC_MAX_MONOS = 12 };
typedef struct rec_poly {
    const rec_base *x;
    double eps; /* in VAR_NORM = 1/sqrt(variance + eps); negative before it is known */
    int group;  /* channels that moments are taken over, in order; 0: there are none yet */
    int count;
    rec_mono mono[REC_MAX_MONOS];
} rec_poly;

/* ---- values ---- */

typedef enum {
    VAL_LINEAR,   /* scale * form, one token axis (none after pooling) */
    VAL_POLY,     /* of every channel, or (rows 1) one number a token */
    VAL_SCORE,    /* scale * q.k, masked or not; token axes TOKEN and KEY */
    VAL_EXP,      /* exp of a score, not normalised yet */
    VAL_ROW,      /* one number for each row of scores: what is subtracted from them, or their sum */
    VAL_PROB,     /* softmax of a score over KEY */
    VAL_MASK,     /* level[flag of the token]; without a mask both levels are equal: a constant of an unknown size */
    VAL_SIZE,     /* of hits: not negative, and zero only where all of a hit's values are (sum |x|): a mask is made of it */
    VAL_SUM,      /* sum over the hits of a form whose padding was zeroed */
    VAL_COUNT,    /* number of hits */
    VAL_POSITION, /* depends on where a token stands, or how many there are, and not on data */
} rec_kind;

typedef enum {
    ROW_ANY,     /* the softmax does not see it: a maximum */
    ROW_LOG_SUM, /* log of the sum of exp: exp of what is left is the softmax */
    ROW_SUM,     /* of exp */
    ROW_INVERSE, /* 1 / sum of exp */
} rec_row;

typedef struct rec_val {
    rec_kind kind;
    rec_layout layout;
    const ts_shape *shape;
    const ts_node *node;   /* that made it, for messages; NULL for inputs */
    double scale;          /* LINEAR, SCORE, PROB */
    const rec_form *form;  /* LINEAR, SUM */
    const rec_poly *poly;  /* POLY; of a SIZE that is the length of x, as what a norm is made of, otherwise NULL */
    const rec_form *q, *k; /* SCORE, EXP, ROW, PROB: [heads * d_head] */
    rec_axis_kind along; /* ROW: the axis of the scores that it was taken along; SCORE, EXP: along which one was subtracted; CONST: none */
    rec_row row;         /* ROW; of a SCORE: what was subtracted */
    int heads, d_head;
    const rec_mask *mask;    /* MASK: whose flag; SCORE, PROB: padding that is left out; LINEAR, SUM, COUNT: padding is `fill` */
    rec_axis_kind mask_axis; /* SCORE: the axis that the mask runs along */
    double level[2];         /* MASK: value where the flag is false, true */
    double fill;             /* LINEAR with a mask: what the padding was replaced by */
    const char *note;        /* MASK: what computes it, or part of it, from the data; NULL: nothing */
    bool codes;              /* between QuantizeLinear and DequantizeLinear */
    const rec_grid *grid;    /* SCORE, PROB: [1], NULL without; LINEAR has it in its form */
    ts_data_mask seen;       /* MASK with a note: the value of the graph that had these levels first, before it was only moved */
} rec_val;

typedef struct rec {
    ts_arena *arena;
    const ts_graph *graph;
    ts_err *err;
    const ts_node *node; /* being run */
    const rec_val **val; /* [values of the graph], NULL: a constant or not run yet */
    rec_base **bucket;   /* [buckets]: all bases, by their hash */
    int buckets, bases, attentions;
    const int *counting; /* 0 ... counted - 1 */
    int counted;
    int64_t *offset, offset_room;         /* [offset_room]: of ts_rec_constant, kept for the next time */
    int64_t floats, limit;                /* made so far: what the work costs; at most, 0 before the run */
    const ts_value *hits;                 /* the value of the graph that the encoder starts from */
    const rec_base *stuck;                /* where matching stopped behind at least one layer, or NULL */
    bool true_is_padding, polarity_known; /* of the mask input */
    ts_data_mask *data_mask;              /* those in use */
    const char *data_note;                /* of the first one */
    int data_masks, data_mask_room;
    int64_t tokens;             /* their number, where the graph fixes it; 0: n */
    bool bare_embed, bare_head; /* nothing stands in front of the layers, behind them */
    int layers;
    const rec_base **cut; /* [2 * layers + 1]: the residual stream from cut to cut */
    rec_origin **origin;  /* all quantisation that the file has */
    int origins, origin_room;
} rec;

/* What of a graph depends on the event's values, and not only on how many hits it has. */
typedef struct rec_area {
    bool *of_event; /* [values] */
    int sides;
    int *side; /* [sides]: nodes none of whose outputs does, in order */
} rec_area;

/* recognise.c */

/* Runs the graph's nodes up to `last` on meanings, beginning behind `from` (NULL: one of the inputs): those that run, and the sides before
   them. r->val is zeros. Returns the node that failed, with a message, or last + 1. area may be NULL without `from`. */
int64_t ts_rec_work_limit(const ts_graph *g); /* numbers that its recognition may make */
bool ts_rec_affordable(rec *r);               /* whether it has not made more; asked behind every node, and by those that make many forms */
int ts_rec_run(rec *r, const rec_area *area, const ts_value *from, int last);
const rec_form *ts_rec_output(rec *r, const ts_value *output); /* what a value means, as the model's output; NULL with an error */
const rec_base *ts_rec_held(rec *r, const rec_val *v);         /* the base whose channels v is, token by token and nothing else, or NULL */
bool ts_rec_is_tokens(const ts_value *v,
                      int64_t *tokens);    /* whether it can be an encoder's: [1 ...][tokens][1 ...][channels]; 0: they are the hits */
bool ts_rec_is_known(const ts_node *node); /* whether an encoder can have such an operator */
bool ts_rec_is_quantiser(const ts_node *node);
/* The encoder between two values (from NULL: the whole graph's). *reached: the node at which it failed; may be NULL. */
ts_recognition *ts_rec_recognise(ts_arena *arena, const ts_graph *g, const rec_area *area, const ts_value *from, const ts_value *to,
                                 int64_t tokens, ts_err *err, int *reached);

/* ts_fail with the node's name in front. */
bool ts_rec_fail(rec *r, const ts_node *node, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool ts_rec_channels(rec *r, int64_t channels); /* whether a hit can have so many; fails with a message */
const char *ts_rec_name(const ts_node *node);   /* "the input" for NULL */
const char *ts_rec_kind_text(const rec_val *v); /* "attention scores": for messages */

/* recognise_layout.c */
void ts_layout_add(rec_layout *layout, rec_axis_kind kind, int64_t size); /* merges adjacent constants, drops size 1 */
int64_t ts_layout_rows(const rec_layout *layout);                         /* product of the constant axes */
int ts_layout_tokens(const rec_layout *layout);                           /* number of axes that are not constant */
bool ts_layout_split(const rec_layout *layout, const ts_shape *shape, int64_t tokens, rec_split *split); /* tokens: see rec */
bool ts_rec_split(rec *r, const rec_val *v, rec_split *split); /* the same for v's own shape; fails with a message */
typedef struct rec_pick { /* one axis of a view: element i of it is element index[i] (NULL: i) of a source axis with `stride` */
    rec_axis axis;
    int64_t stride;
    const int64_t *index;
} rec_pick;
/* The view of v that has the given axes; its rows start at row `first` of v. */
const rec_val *ts_rec_view(rec *r, const rec_val *v, const ts_shape *shape, int64_t first, int picks, const rec_pick *pick);
const rec_val *ts_rec_reshape(rec *r, const rec_val *v, const ts_shape *shape);
const rec_val *ts_rec_transpose(rec *r, const rec_val *v, const ts_shape *shape, const int *perm);
const rec_val *ts_rec_broadcast(rec *r, const rec_val *v, const ts_shape *shape);
/* Elements index[0 ... count-1] of dimension `dim`, which has no hits. drop: there is one, and the dimension goes. */
const rec_val *ts_rec_slice(rec *r, const rec_val *v, const ts_shape *shape, int dim, int64_t count, const int64_t *index, bool drop);
/* The constant's element for each row of v, after broadcasting it to v's shape. NULL with an error. */
const double *ts_rec_constant(rec *r, const rec_val *v, const ts_tensor *t, bool *uniform);
bool ts_rec_uniform(const ts_tensor *t, double *value);

/* recognise_form.c */
float *ts_rec_floats(rec *r, int64_t count); /* zeros, counted */
rec_base *ts_base_new(rec *r, rec_base_kind kind, int width);
const rec_base *ts_base_share(rec *r, rec_base *base); /* an equal base that exists already, or this one, added */
const rec_form *ts_form_identity(rec *r, const rec_base *base);
const rec_form *ts_form_over(rec *r, const rec_form *f, const rec_base *base); /* f, of one term, over another base */
const rec_form *ts_form_select(rec *r, const rec_form *f, int rows, const int *row);
const rec_form *ts_form_scale(rec *r, const rec_form *f, double scale, const double *row_scale); /* row_scale may be NULL */
const rec_form *ts_form_shift(rec *r, const rec_form *f, const double *bias);
const rec_form *ts_form_add(rec *r, const rec_form *a, const rec_form *b);   /* NULL with an error */
const rec_form *ts_form_stack(rec *r, const rec_form *a, const rec_form *b); /* rows of a, then of b; NULL with an error */
bool ts_form_is_identity(const rec_form *f);
const rec_base *ts_form_pure(const rec_form *f);         /* the base of a form that only selects, else NULL */
const rec_base *ts_form_find(rec *r, const rec_form *f); /* the base that stands for f already, or NULL */
const rec_base *ts_form_freeze(rec *r, const rec_form *f);
/* f as a linear over `root`, multiplying through linears in between; false (no error) where it is not one. */
bool ts_form_linear(rec *r, const rec_form *f, const rec_base *root, ts_linear *lin);

/* recognise_poly.c */
const rec_val *ts_rec_linear(rec *r, const rec_val *v); /* LINEAR or POLY as LINEAR: a norm, an activation; NULL with an error */
const rec_form *ts_rec_form(rec *r, const rec_val *v);  /* the same as a form with the scale multiplied in */
/* gain and bias: one for all channels, or for each of the `group` that are normalised together, or NULL. */
const rec_val *ts_rec_norm(rec *r, const rec_val *v, ts_norm_kind kind, int group, const ts_tensor *gain, const ts_tensor *bias,
                           double eps);
/* A LayerNorm with gain and bias that are one for all channels, as the polynomial that later factors and terms still belong to. */
const rec_val *ts_rec_norm_poly(rec *r, const rec_val *v, double gain, double bias, double eps);
/* One node of a polynomial; v, a, b LINEAR or POLY. NULL with an error. */
const rec_val *ts_rec_poly_add(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b, double sign); /* a + sign * b */
const rec_val *ts_rec_poly_mul(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b, bool divide);
const rec_val *ts_rec_poly_shift(rec *r, const rec_val *v, const double *by); /* v + by[row] */
const rec_val *ts_rec_poly_scale(rec *r, const rec_val *v, const double *by); /* v * by[row] */
const rec_val *ts_rec_poly_power(rec *r, const rec_val *v, double exponent);
/* Over `group` channels at a time. */
const rec_val *ts_rec_poly_reduce(rec *r, const rec_val *v, const rec_layout *layout, const ts_shape *shape, bool mean, int group);
const rec_val *ts_rec_length(rec *r, const rec_val *size);         /* a SIZE as what a norm is made of, or NULL (no error) */
bool ts_rec_poly_same(rec *r, const rec_val *a, const rec_val *b); /* whether both are polynomials over one base */

/* recognise_act.c */
typedef enum { FN_ERF, FN_TANH, FN_SIGMOID, FN_SOFTPLUS, FN_CLIP_1 } rec_function; /* FN_CLIP_1: clip(x, 0, 1) */
const rec_val *ts_rec_function(rec *r, const rec_val *v, rec_function f);          /* v LINEAR or POLY. NULL with an error */
bool ts_rec_is_activation(const ts_node *node);                                    /* an operator that is an activation, all of it */
bool ts_rec_activation_node(rec *r, const ts_node *node);                          /* such a one */
const rec_val *ts_rec_activation(rec *r, const rec_val *v, ts_act act);            /* act(v) */

/* recognise_attention.c */
bool ts_rec_einsum(rec *r, const ts_node *node);
bool ts_rec_matmul(rec *r, const ts_node *node); /* and FusedMatMul */
bool ts_rec_gemm(rec *r, const ts_node *node);
bool ts_rec_conv(rec *r, const ts_node *node);
bool ts_rec_conv_is_linear(const ts_node *node); /* of each hit by itself */
typedef struct rec_heads {                       /* q, k, v: [heads * d_head], head-major */
    const rec_form *q, *k, *v;
    int heads, d_head;
    double scale;
    const rec_mask *mask;
    const rec_grid *p;
} rec_heads;
const rec_base *ts_rec_attend(rec *r, const rec_heads *h);

/* recognise_softmax.c: softmax, as an operator or written out: exp(s - max) / sum */
bool ts_rec_softmax(rec *r, const ts_node *node);
const rec_val *ts_rec_row_reduce(rec *r, const rec_val *v, const rec_split *split, const bool *reduced, const rec_layout *left);
const rec_val *ts_rec_row_subtract(rec *r, const rec_val *score, const rec_val *row);
const rec_val *ts_rec_row_divide(rec *r, const rec_val *v, const rec_val *row); /* v / row, or v * row where it is an inverse */
const rec_val *ts_rec_exp(rec *r, const rec_val *v);

/* recognise_norm.c: operators that normalise */
bool ts_rec_norm_node(rec *r, const ts_node *node);
bool ts_rec_channel_norm(rec *r, const ts_node *node); /* BatchNormalization, InstanceNormalization, GroupNormalization */

/* recognise_size.c: sizes of hits, of which masks are made */
bool ts_rec_is_size(const rec_val *v); /* or a polynomial that is one */
const rec_val *ts_rec_size(rec *r, const rec_val *v, const rec_layout *layout, const ts_shape *shape);
const rec_val *ts_rec_size_compare(rec *r, const rec_val *v, const ts_value *with, bool swapped);
void ts_rec_fail_size(rec *r, const rec_val *v); /* used as something else */
const rec_val *ts_rec_size_mask(rec *r, const rec_val *v, double if_zero, double otherwise);

/* recognise_fused.c: operators that onnxruntime's optimiser makes */
bool ts_rec_fused_attention(rec *r, const ts_node *node);
bool ts_rec_multi_head_attention(rec *r, const ts_node *node);
bool ts_rec_attention(rec *r, const ts_node *node); /* ONNX's own */
bool ts_rec_skip_norm(rec *r, const ts_node *node);
bool ts_rec_bias_gelu(rec *r, const ts_node *node);

/* recognise_elementwise.c */
bool ts_rec_binary(rec *r, const ts_node *node);
bool ts_rec_unary(rec *r, const ts_node *node);
bool ts_rec_where(rec *r, const ts_node *node);
rec_val *ts_rec_copy(rec *r, const rec_val *v, const ts_shape *shape); /* v, as what the node that is being read makes */
static inline bool ts_rec_is_hits(const rec_val *v)                    /* values of hits, as far as they are understood */
{
    return v && (v->kind == VAL_LINEAR || v->kind == VAL_POLY);
}
bool ts_rec_cast(rec *r, const ts_node *node);
const rec_val *ts_rec_add(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b, double sign);       /* LINEAR or POLY */
const rec_val *ts_rec_shift(rec *r, const ts_shape *shape, const rec_val *v, const ts_tensor *t, double factor); /* v + factor * t */
const rec_val *ts_rec_scale(rec *r, const ts_shape *shape, const rec_val *v, const ts_tensor *t, bool divide);   /* v * t, v / t */

/* recognise_reduce.c */
bool ts_rec_reduce(rec *r, const ts_node *node);

/* recognise_grid.c: quantisation that the file prescribes */
bool ts_rec_quantise(rec *r, const ts_node *node);   /* QuantizeLinear, DequantizeLinear */
bool ts_rec_quant(rec *r, const ts_node *node);      /* QONNX's Quant */
bool ts_rec_clip_codes(rec *r, const ts_node *node); /* Clip between QuantizeLinear and DequantizeLinear */
/* Grids of other rows, made of those of g: row[i] of it, times |factor[i]| (NULL: 1). g may be NULL, then the result is. */
const rec_grid *ts_grid_select(rec *r, const rec_grid *g, int rows, const int *row);
const rec_grid *ts_grid_scale(rec *r, const rec_grid *g, double scale, const double *row_scale);
/* Rows of a, and of b where a says nothing; NULL where they are not of one kind, or both say something of a row. */
const rec_grid *ts_grid_merge(rec *r, const rec_grid *a, const rec_grid *b);
/* A constant's steps as those of the rows of a kernel: element at[i] + in[j] belongs to row i. NULL without; fails (*ok) where the
   elements of a row differ. */
const rec_grid *ts_grid_of_kernel(rec *r, const ts_value *kernel, int64_t rows, const int64_t *at, int64_t depth, const int64_t *in,
                                  bool *ok);
const ts_given *ts_grid_take(rec *r, const rec_grid *g); /* as the encoder has it; its origin is taken */
void ts_grid_notes(rec *r, ts_encoder *enc);             /* those that nothing has taken */

/* recognise_shape.c: operators that only move elements */
bool ts_rec_move(rec *r, const ts_node *node);

/* mask.c */
const rec_mask *ts_mask_input(rec *r, const ts_value *input);
const rec_mask *ts_mask_data(rec *r, const char *note);
const rec_val *ts_mask_value(rec *r, const rec_val *like, const rec_mask *mask, double if_false, double if_true);
const rec_val *ts_mask_fill(rec *r, const ts_shape *shape, double level); /* a constant of an unknown size */
const rec_val *ts_mask_of(rec *r, const ts_value *value); /* a mask value, or a uniform constant as one; NULL (no error) otherwise */
const rec_val *ts_mask_binary(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b);
const rec_val *ts_mask_unary(rec *r, const rec_val *v);
const rec_val *ts_mask_where(rec *r, const ts_shape *shape, const rec_val *cond, const rec_val *a, const rec_val *b);
const rec_val *ts_mask_reduce(rec *r, const rec_val *v, const rec_layout *layout, const ts_shape *shape, int64_t rows, int tokens);
/* Padding of a score leaves the softmax: `side` is the flag's value that means padding. */
const rec_val *ts_mask_score(rec *r, const rec_val *score, const rec_val *mask, int padding);
/* A mask value is used, its flag's value `padding` means padding; fails where that contradicts an earlier use. */
bool ts_mask_use(rec *r, const rec_val *mask, int padding);
/* A mask value is used that makes no difference as long as nothing in it that the data computes fires. */
void ts_mask_watch(rec *r, const rec_val *mask, double quiet);
enum { REC_DROP = -1000 }; /* what is added to a score, at most, for its probability to be none */

/* recognise_match.c */
const ts_encoder *ts_rec_match(rec *r, const rec_form *output);

#endif
