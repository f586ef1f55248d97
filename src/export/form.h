/* The form that exported C gives an integer model: which arithmetic is wide enough for each part of it, by the model's own proofs, and how
   large the buffers of a run are. */
#ifndef TS_EXPORT_FORM_H
#define TS_EXPORT_FORM_H
#include "quant/imodel.h"

enum {
    TS_EXPORT_ROWS = 4,    /* tokens that are computed at one time */
    TS_EXPORT_PADDING = 16 /* elements of the longest vector: of rows of narrow weights, and of keys */
};

/* How a linear is computed: weights of 8 or 16 bits, inputs of 16 and sums of 32; or inputs of 32 and sums of 64. In this order: what the
   layers share is the widest of theirs. */
typedef enum { TS_WEIGHTS_8, TS_WEIGHTS_16, TS_SUMS_64, TS_LINEAR_FORMS } ts_linear_form;

/* An array of the workspace. */
typedef struct ts_export_buffer {
    const char *name, *what;
    int bits; /* of its elements */
    int64_t count;
} ts_export_buffer;
enum { TS_EXPORT_BUFFERS = 18 };

typedef struct ts_export_form {
    const ts_imodel *im;
    int max_hits, tokens, keys; /* tokens, keys: padded */
    bool attention, ffn;        /* whether it has blocks of them at all */
    int attention_blocks, ffn_blocks;
    bool project; /* some layer has a qkv linear of its own, and not only the fused one */
    ts_linear_form embed[TS_MLP_MAX], qkv0, qkv, o, ffn1, ffn2, head[TS_MLP_MAX];
    bool has[TS_LINEAR_FORMS];
    bool norms, tables, wide_tables; /* on the residual stream; of activations, with entries beyond 16 bits */
    bool narrow;                     /* attention with operands of 16 and sums of 32 bits */
    int summed_keys;                 /* so many products of a probability and a value fit 32 bits, in whole vectors; 0: hardly any */
    int exp2_end;                    /* from here on 2^-x is 0 */
    int widest_in, widest_out;       /* of all linears, inputs padded */
    int hidden;                      /* widest of what is between two linears */
    ts_export_buffer buffer[TS_EXPORT_BUFFERS]; /* the widest elements first */
    int buffers;
    int64_t workspace; /* bytes */
} ts_export_form;

/* False with a message where the model or its events are too large for it. */
bool ts_export_form_of(const ts_imodel *im, int max_hits, ts_export_form *form, ts_err *err);

static inline int ts_export_padded(int n, int to)
{
    return (n + to - 1) / to * to;
}

/* Of the block in layer l, counted among those of its kind. */
static inline int ts_ffn_index(int l)
{
    return l;
}

static inline int ts_attention_index(const ts_imodel *im, int l)
{
    return l - im->starts_in_ffn;
}

#endif
