/* ONNX's own Attention (opsets 23 and 24), without past keys and values. q, k, v are [batch][heads][tokens][width] or, with
   attributes that say how many heads there are, [batch][tokens][heads * width]; several query heads may share one of k and v.
   The scores are softcapped first and masked then, as ONNX's text has it since the order was corrected (a mask of -inf
   must stay one). */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "op/hook.h"

enum { IN_MASK = 3, IN_PAST_KEY, IN_PAST_VALUE, IN_LENGTHS, OUT_PRESENT_KEY = 1, OUT_PRESENT_VALUE, OUT_SCORES };

/* How one of q, k, v lies in memory. */
typedef struct heads {
    const float *data;
    int64_t heads, tokens, width; /* of one batch; width of one head */
    int64_t row, next;            /* elements from a token to the next one, from a head to the next one */
} heads;

typedef struct attention {
    int64_t batch;
    heads q, k, v;
    const ts_tensor *mask, *lengths; /* or NULL; lengths: [batch] keys that are no padding */
    bool causal;
    float scale, softcap; /* softcap 0: none */
} attention;

static bool heads_of(const ts_op_args *a, int slot, const char *attr, heads *h)
{
    const ts_tensor *t = a->in[slot];
    const int64_t given = ts_attr_int(a->node, attr, 0);
    char text[160];
    h->data = t->data.f;
    if (t->rank == 4) {
        if (given && given != t->dim[1])
            return FAIL(a, "attribute '%s' is %lld, but input %d has shape %s", attr, (long long)given, slot,
                        ts_shape_text(t, text, sizeof text));
        *h = (heads){t->data.f, t->dim[1], t->dim[2], t->dim[3], t->dim[3], t->dim[2] * t->dim[3]};
    } else {
        if (!given)
            return FAIL(a, "attribute '%s' is missing; it is needed where the inputs have three dimensions", attr);
        if (t->dim[2] % given)
            return FAIL(a, "input %d has shape %s, of which the last is no multiple of %lld heads ('%s')", slot,
                        ts_shape_text(t, text, sizeof text), (long long)given, attr);
        *h = (heads){t->data.f, given, t->dim[1], t->dim[2] / given, t->dim[2], t->dim[2] / given};
    }
    return h->heads > 0 && h->width > 0 ? true : FAIL(a, "input %d has no values (shape %s)", slot, ts_shape_text(t, text, sizeof text));
}

/* The mask's shape, from behind, against [batch][heads][queries][keys]. */
static bool check_mask(const ts_op_args *a, const attention *t)
{
    const ts_tensor *m = t->mask;
    const int64_t full[4] = {t->batch, t->q.heads, t->q.tokens, t->k.tokens};
    char text[160];
    if (m->dtype != TS_BOOL && m->dtype != a->in[0]->dtype)
        return FAIL(a, "the mask (input %d) is %s; it must be boolean (true: attend) or %s (added to the scores)", IN_MASK,
                    ts_dtype_name(m->dtype), ts_dtype_name(a->in[0]->dtype));
    bool fits = m->rank >= 1 && m->rank <= 4;
    for (int i = 0; fits && i < m->rank; i++)
        fits = m->dim[i] == full[4 - m->rank + i] || (m->dim[i] == 1 && (i < m->rank - 1 || a->node->opset < 24));
    return fits ? true
                : FAIL(a, "the mask (input %d) has shape %s, which does not fit [batch, heads, queries, keys] = [%lld,%lld,%lld,%lld]",
                       IN_MASK, ts_shape_text(m, text, sizeof text), (long long)full[0], (long long)full[1], (long long)full[2],
                       (long long)full[3]);
}

static bool sizes_of(const ts_op_args *a, attention *t)
{
    for (int slot = 0; slot < 3; slot++) {
        const ts_dtype dtype = a->in[slot]->dtype;
        if (ts_dtype_store(dtype) != TS_STORE_F || dtype != a->in[0]->dtype)
            return FAIL(a, "input %d is %s; query, key and value must all be of one type, float32, float16 or bfloat16", slot,
                        ts_dtype_name(dtype));
        if (!ts_need_rank(a, slot, 3, 4))
            return false;
        if (a->in[slot]->rank != a->in[0]->rank || a->in[slot]->dim[0] != a->in[0]->dim[0])
            return FAIL(
                a, "input %d does not fit the query: all of query, key and value must have three dimensions, or four, and one batch", slot);
    }
    if (ts_arg(a, IN_PAST_KEY) || ts_arg(a, IN_PAST_VALUE))
        return FAIL(a, "past_key and past_value (inputs %d and %d) are for decoders and not supported; export the encoder without a cache",
                    IN_PAST_KEY, IN_PAST_VALUE);
    *t = (attention){.batch = a->in[0]->dim[0], .mask = ts_arg(a, IN_MASK), .lengths = ts_arg(a, IN_LENGTHS)};
    if (!heads_of(a, 0, "q_num_heads", &t->q) || !heads_of(a, 1, "kv_num_heads", &t->k) || !heads_of(a, 2, "kv_num_heads", &t->v))
        return false;
    if (t->k.heads != t->v.heads || t->q.heads % t->k.heads)
        return FAIL(a, "%lld heads of the query cannot share %lld of the key and %lld of the value", (long long)t->q.heads,
                    (long long)t->k.heads, (long long)t->v.heads);
    if (t->q.width != t->k.width || t->k.tokens != t->v.tokens)
        return FAIL(a, "a query of %lld values a head, a key of %lld; %lld keys, %lld values: they do not fit each other",
                    (long long)t->q.width, (long long)t->k.width, (long long)t->k.tokens, (long long)t->v.tokens);
    if (t->q.tokens > 0 && t->k.tokens > TS_MAX_ELEMENTS / t->q.tokens)
        return FAIL(a, "%lld queries and %lld keys are too many", (long long)t->q.tokens, (long long)t->k.tokens);
    if (t->lengths && (t->lengths->dtype != TS_I64 || t->lengths->rank != 1 || t->lengths->dim[0] != t->batch))
        return FAIL(a, "nonpad_kv_seqlen (input %d) must be one int64 for each of %lld batches", IN_LENGTHS, (long long)t->batch);
    const ts_attr *scale = ts_attr_find(a->node, "scale");
    t->causal = ts_attr_int(a->node, "is_causal", 0) != 0;
    t->scale = scale ? scale->f[0] : (float)(1 / sqrt((double)t->q.width));
    t->softcap = (float)ts_attr_float(a->node, "softcap", 0);
    if (t->causal && t->lengths)
        return FAIL(a, "is_causal together with nonpad_kv_seqlen is for decoders and not supported");
    return !t->mask || check_mask(a, t);
}

/* ONNX renumbered the modes 1 and 2 when it put the mask behind the softcap: they are taken where both texts say the same. */
static bool check_scores(const ts_op_args *a, const attention *t)
{
    const int64_t mode = ts_attr_int(a->node, "qk_matmul_output_mode", 0);
    const bool masked = t->mask || t->causal || t->lengths, capped = t->softcap != 0;
    if ((mode == 1 && (masked || capped)) || (mode == 2 && masked && capped))
        return FAIL(
            a,
            "qk_matmul_output_mode %d with %s means different things in different versions of ONNX; use 0 or 3, or leave that output out",
            (int)mode,
            masked && capped ? "mask and softcap"
            : masked         ? "a mask"
                             : "a softcap");
    return true;
}

static bool infer_attention(const ts_op_args *a)
{
    attention t;
    const ts_dtype dtype = a->in[0]->dtype;
    if (!sizes_of(a, &t))
        return false;
    const int64_t out4[] = {t.batch, t.q.heads, t.q.tokens, t.v.width}, out3[] = {t.batch, t.q.tokens, t.q.heads * t.v.width};
    if (!ts_set_out(a, 0, dtype, a->in[0]->rank, a->in[0]->rank == 4 ? out4 : out3))
        return false;
    for (int k = OUT_PRESENT_KEY; k <= OUT_PRESENT_VALUE && k < a->outs; k++) {
        const heads *h = k == OUT_PRESENT_KEY ? &t.k : &t.v;
        if (!ts_set_out(a, k, dtype, 4, (int64_t[]){t.batch, h->heads, h->tokens, h->width}))
            return false;
    }
    return a->outs <= OUT_SCORES ||
           (check_scores(a, &t) && ts_set_out(a, OUT_SCORES, dtype, 4, (int64_t[]){t.batch, t.q.heads, t.q.tokens, t.k.tokens}));
}

static double attention_work(const ts_op_args *a)
{
    return (double)ts_count(a->out[0]) * (double)a->in[1]->dim[a->in[1]->rank - 2]; /* keys of each value of the result */
}

static const float *head_at(const heads *h, int64_t batch, int64_t head)
{
    return h->data + batch * h->heads * h->tokens * h->width + head * h->next;
}

static void mask_row(const attention *t, int64_t b, int64_t h, int64_t i, float *row)
{
    const int64_t full[4] = {t->batch, t->q.heads, t->q.tokens, t->k.tokens};
    if (t->mask) {
        int64_t stride[4], at[] = {b, h, i};
        ts_broadcast_strides(t->mask, 4, full, stride);
        const int64_t from = at[0] * stride[0] + at[1] * stride[1] + at[2] * stride[2];
        for (int64_t j = 0; j < t->k.tokens; j++)
            if (t->mask->dtype != TS_BOOL)
                row[j] += t->mask->data.f[from + j * stride[3]];
            else if (!t->mask->data.i[from + j * stride[3]])
                row[j] = -INFINITY;
    }
    const int64_t keys = t->lengths ? t->lengths->data.i[b] : t->causal ? i + 1 : t->k.tokens;
    for (int64_t j = keys < 0 ? 0 : keys; j < t->k.tokens; j++)
        row[j] = -INFINITY;
}

/* scores: output, or NULL. */
static void attend_head(const attention *t, int64_t b, int64_t h, int64_t mode, float *score, float *scores, float *out, int64_t out_row)
{
    const int64_t shared = h / (t->q.heads / t->k.heads), n = t->q.tokens, m = t->k.tokens;
    ts_gemm_f32(false, true, n, m, t->q.width, t->scale, head_at(&t->q, b, h), t->q.row, head_at(&t->k, b, shared), t->k.row, score, m);
    for (int64_t i = 0; i < n; i++) {
        float *row = score + i * m;
        for (int64_t j = 0; scores && mode < 2 && j < m; j++)
            scores[i * m + j] = row[j];
        for (int64_t j = 0; t->softcap != 0 && j < m; j++)
            row[j] = t->softcap * tanhf(row[j] / t->softcap);
        mask_row(t, b, h, i, row);
        for (int64_t j = 0; scores && mode == 2 && j < m; j++)
            scores[i * m + j] = row[j];
        ts_softmax_row(row, row, m, 1);
        for (int64_t j = 0; scores && mode == 3 && j < m; j++)
            scores[i * m + j] = row[j];
    }
    ts_gemm_f32(false, false, n, t->v.width, m, 1, score, m, head_at(&t->v, b, shared), t->v.row, out, out_row);
}

/* [batch][heads][tokens][width], whatever the layout of the input. */
static void copy_present(const attention *t, const heads *h, ts_tensor *to)
{
    float *out = to->data.f;
    for (int64_t b = 0; b < t->batch; b++)
        for (int64_t k = 0; k < h->heads; k++)
            for (int64_t i = 0; i < h->tokens; i++)
                for (int64_t e = 0; e < h->width; e++)
                    *out++ = head_at(h, b, k)[i * h->row + e];
}

static bool eval_attention(const ts_op_args *a)
{
    attention t;
    if (!sizes_of(a, &t))
        return false;
    const int64_t n = t.q.tokens, m = t.k.tokens, mode = ts_attr_int(a->node, "qk_matmul_output_mode", 0);
    const bool rank4 = a->in[0]->rank == 4;
    float *score = ts_try_calloc((size_t)(n * m + 1), sizeof *score), *scores = a->outs > OUT_SCORES ? a->out[OUT_SCORES]->data.f : NULL;
    if (!score)
        return FAIL_MEMORY(a, "not enough memory for the scores of %lld queries and %lld keys; use smaller events", (long long)n,
                           (long long)m);
    for (int64_t b = 0; b < t.batch; b++)
        for (int64_t h = 0; h < t.q.heads; h++) {
            const int64_t head = b * t.q.heads + h;
            float *out = a->out[0]->data.f + (rank4 ? head * n * t.v.width : b * n * t.q.heads * t.v.width + h * t.v.width);
            attend_head(&t, b, h, mode, score, scores ? scores + head * n * m : NULL, out, rank4 ? t.v.width : t.q.heads * t.v.width);
        }
    ts_free(score);
    if (a->outs > OUT_PRESENT_KEY)
        copy_present(&t, &t.k, a->out[OUT_PRESENT_KEY]);
    if (a->outs > OUT_PRESENT_VALUE)
        copy_present(&t, &t.v, a->out[OUT_PRESENT_VALUE]);
    return true;
}
const ts_op_hooks ts_Attention_hooks = {
    .min_in = 3, .max_in = 7, .min_out = 1, .max_out = 4, .infer = infer_attention, .eval = eval_attention, .work = attention_work};
