/* onnxruntime's fused attention operators, without past state: Attention (projects its input itself) and
   MultiHeadAttention (gets q, k, v). Masked keys get mask_filter_value added to their score, as onnxruntime does. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "op/hook.h"

typedef struct attention {
    int64_t batch, heads, queries, keys, d_head, d_value; /* widths of one head */
    float *q, *k, *v;                                     /* [batch][queries or keys][heads * width] */
    const ts_tensor *mask; /* integers or NULL: [batch] lengths, [batch][keys], or [batch][queries][keys]; 0 = masked */
    const ts_tensor *bias; /* added to the scores, or NULL: [batch or 1][heads or 1][queries][keys] */
    float scale, masked;
} attention;

static bool is_masked(const attention *t, int64_t batch, int64_t query, int64_t key)
{
    switch (t->mask->rank) {
    case 1:
        return key >= t->mask->data.i[batch];
    case 2:
        return t->mask->data.i[batch * t->keys + key] == 0;
    default:
        return t->mask->data.i[(batch * t->queries + query) * t->keys + key] == 0;
    }
}

static void attend_head(const attention *t, int64_t b, int64_t h, float *score, float *out)
{
    int64_t width = t->heads * t->d_head, value_width = t->heads * t->d_value;
    ts_gemm_f32(false, true, t->queries, t->keys, t->d_head, t->scale, t->q + b * t->queries * width + h * t->d_head, width,
                t->k + b * t->keys * width + h * t->d_head, width, score, t->keys);
    const float *bias = NULL;
    if (t->bias)
        bias = t->bias->data.f + ((t->bias->dim[0] == 1 ? 0 : b) * t->bias->dim[1] + (t->bias->dim[1] == 1 ? 0 : h)) * t->queries * t->keys;
    for (int64_t i = 0; i < t->queries; i++) {
        float *row = score + i * t->keys;
        for (int64_t j = 0; j < t->keys; j++) {
            if (bias)
                row[j] += bias[i * t->keys + j];
            if (t->mask && is_masked(t, b, i, j))
                row[j] += t->masked;
        }
        ts_softmax_row(row, row, t->keys, 1);
    }
    ts_gemm_f32(false, false, t->queries, t->d_value, t->keys, 1, score, t->keys, t->v + b * t->keys * value_width + h * t->d_value,
                value_width, out + b * t->queries * value_width + h * t->d_value, value_width);
}

static bool new_buffers(attention *t, float **score)
{
    t->q = ts_try_calloc((size_t)(t->batch * t->queries * t->heads * t->d_head + 1), sizeof(float));
    t->k = ts_try_calloc((size_t)(t->batch * t->keys * t->heads * t->d_head + 1), sizeof(float));
    t->v = ts_try_calloc((size_t)(t->batch * t->keys * t->heads * t->d_value + 1), sizeof(float));
    *score = ts_try_calloc((size_t)(t->queries * t->keys + 1), sizeof(float));
    return t->q && t->k && t->v && *score;
}

static void free_buffers(attention *t, float *score)
{
    ts_free(t->q);
    ts_free(t->k);
    ts_free(t->v);
    ts_free(score);
}

static void attend(const attention *t, float *score, float *out)
{
    for (int64_t b = 0; b < t->batch; b++)
        for (int64_t h = 0; h < t->heads; h++)
            attend_head(t, b, h, score, out);
}

/* Mask and score bias against the sizes in t. */
static bool check_mask(const ts_op_args *a, const attention *t)
{
    char text[160];
    if (t->queries * t->keys > TS_MAX_ELEMENTS)
        return FAIL(a, "%lld queries and %lld keys are too many", (long long)t->queries, (long long)t->keys);
    if (t->mask) {
        const int64_t *d = t->mask->dim;
        int rank = t->mask->rank;
        bool fits = (rank == 1 && d[0] == t->batch) || (rank == 2 && d[0] == t->batch && d[1] == t->keys) ||
                    (rank == 3 && d[0] == t->batch && d[1] == t->queries && d[2] == t->keys);
        if (!fits || ts_dtype_store(t->mask->dtype) != TS_STORE_I)
            return FAIL(a, "a mask of shape %s is not supported; use [batch, keys], [batch, queries, keys] or lengths [batch]",
                        ts_shape_text(t->mask, text, sizeof text));
    }
    if (t->bias) {
        const int64_t *d = t->bias->dim;
        bool fits = t->bias->rank == 4 && (d[0] == 1 || d[0] == t->batch) && (d[1] == 1 || d[1] == t->heads) && d[2] == t->queries &&
                    d[3] == t->keys;
        if (!fits || t->bias->dtype != a->in[0]->dtype)
            return FAIL(a, "a score bias of shape %s does not fit [batch, heads, queries, keys]",
                        ts_shape_text(t->bias, text, sizeof text));
    }
    return true;
}

static void set_scale(const ts_op_args *a, attention *t)
{
    double scale = ts_attr_float(a->node, "scale", 0);
    t->scale = (float)(scale != 0 ? scale : 1 / sqrt((double)t->d_head));
    t->masked = (float)ts_attr_float(a->node, "mask_filter_value", -10000);
}

static bool need_floats(const ts_op_args *a, const int *slots, int count)
{
    for (int i = 0; i < count; i++) {
        const ts_tensor *t = ts_arg(a, slots[i]);
        if (t && (ts_dtype_store(t->dtype) != TS_STORE_F || t->dtype != a->in[0]->dtype))
            return FAIL(a, "input %d is %s; float32 is supported", slots[i], ts_dtype_name(t->dtype));
    }
    return true;
}

/* Attention: input [b][n][in], weights [in][q + k + v], bias [q + k + v], mask, past (absent), score bias. */
static bool attention_sizes(const ts_op_args *a, attention *t)
{
    const ts_tensor *x = a->in[0], *w = a->in[1], *b = ts_arg(a, 2);
    const ts_attr *sizes = ts_attr_find(a->node, "qkv_hidden_sizes");
    if (!need_floats(a, (const int[]){0, 1, 2}, 3) || !ts_need_rank(a, 0, 3, 3) || !ts_need_rank(a, 1, 2, 2))
        return false;
    int64_t heads = ts_attr_int(a->node, "num_heads", 0), total = w->dim[1];
    int64_t q = total / 3, v = total / 3;
    if (sizes) {
        if (sizes->i[0] != sizes->i[1] || sizes->i[0] > total || sizes->i[2] > total)
            return FAIL(a, "attribute 'qkv_hidden_sizes': its first two values must be equal, and none larger than the weights");
        q = sizes->i[0];
        v = sizes->i[2];
    }
    if (w->dim[0] != x->dim[2] || 2 * q + v != total || q % heads || v % heads || q == 0 || (b && ts_count(b) != total))
        return FAIL(a, "the weights do not fit %lld heads and an input of width %lld", (long long)heads, (long long)x->dim[2]);
    if (ts_arg(a, 4))
        return FAIL(a, "past keys and values are not supported; export the encoder without a cache");
    *t = (attention){.batch = x->dim[0],
                     .heads = heads,
                     .queries = x->dim[1],
                     .keys = x->dim[1],
                     .d_head = q / heads,
                     .d_value = v / heads,
                     .mask = ts_arg(a, 3),
                     .bias = ts_arg(a, 5)};
    set_scale(a, t);
    return check_mask(a, t);
}

static bool infer_attention(const ts_op_args *a)
{
    attention t;
    return attention_sizes(a, &t) && ts_set_out(a, 0, a->in[0]->dtype, 3, (int64_t[]){t.batch, t.queries, t.heads * t.d_value});
}

/* Of both: values of the result for each key, of which there are about as many as queries. */
static double attention_work(const ts_op_args *a)
{
    const ts_tensor *k = ts_arg(a, 1);
    const bool has_keys = ts_kind(a->node) == TS_OP_ms_MultiHeadAttention && k;
    return (double)ts_count(a->out[0]) * (double)(has_keys ? k->dim[1] : a->in[0]->dim[1]);
}

static bool eval_attention(const ts_op_args *a)
{
    attention t;
    float *score;
    if (!attention_sizes(a, &t))
        return false;
    const ts_tensor *x = a->in[0], *w = a->in[1], *b = ts_arg(a, 2);
    bool ok = new_buffers(&t, &score);
    if (ok) {
        int64_t rows = t.batch * t.queries, from = 0;
        float *to[] = {t.q, t.k, t.v};
        for (int part = 0; part < 3; part++) {
            int64_t width = t.heads * (part == 2 ? t.d_value : t.d_head);
            ts_gemm_f32(false, false, rows, width, x->dim[2], 1, x->data.f, x->dim[2], w->data.f + from, w->dim[1], to[part], width);
            for (int64_t i = 0; b && i < rows * width; i++)
                to[part][i] += b->data.f[from + i % width];
            from += width;
        }
        attend(&t, score, a->out[0]->data.f);
    }
    free_buffers(&t, score);
    return ok ? true : FAIL_MEMORY(a, "not enough memory");
}
const ts_op_hooks ts_ms_Attention_hooks = {
    .min_in = 2, .max_in = 6, .min_out = 1, .max_out = 1, .infer = infer_attention, .eval = eval_attention, .work = attention_work};

/* MultiHeadAttention: query, key, value, bias, mask, score bias. The first three are [b][n][heads * width], or packed: query
   [b][n][heads][3][width] with no key and value, or key [b][n][heads][2][width] with no value. */
static bool multi_head_sizes(const ts_op_args *a, attention *t)
{
    const ts_tensor *q = a->in[0], *k = ts_arg(a, 1), *v = ts_arg(a, 2), *b = ts_arg(a, 3);
    int64_t heads = ts_attr_int(a->node, "num_heads", 0);
    if (!need_floats(a, (const int[]){0, 1, 2, 3}, 4))
        return false;
    *t = (attention){.batch = q->dim[0], .heads = heads, .queries = q->dim[1], .mask = ts_arg(a, 4), .bias = ts_arg(a, 5)};
    bool fits;
    if (!k) {
        fits = !v && q->rank == 5 && q->dim[2] == heads && q->dim[3] == 3;
        t->keys = q->dim[1];
        t->d_head = t->d_value = q->dim[4];
    } else if (!v) {
        fits = q->rank == 3 && k->rank == 5 && k->dim[0] == q->dim[0] && k->dim[2] == heads && k->dim[3] == 2 &&
               q->dim[2] == heads * k->dim[4];
        t->keys = k->dim[1];
        t->d_head = t->d_value = k->dim[4];
    } else {
        fits = q->rank == 3 && k->rank == 3 && v->rank == 3 && k->dim[0] == q->dim[0] && v->dim[0] == q->dim[0] && k->dim[1] == v->dim[1] &&
               k->dim[2] == q->dim[2] && q->dim[2] % heads == 0 && v->dim[2] % heads == 0;
        t->keys = k->dim[1];
        t->d_head = q->dim[2] / heads;
        t->d_value = v->dim[2] / heads;
    }
    if (!fits || t->d_head == 0)
        return FAIL(a, "query, key and value do not fit each other and %lld heads; use [batch, tokens, width] for all three",
                    (long long)heads);
    if (b && ts_count(b) != heads * (2 * t->d_head + t->d_value))
        return FAIL(a, "the bias (input 3) must have one value for each channel of q, k and v");
    set_scale(a, t);
    return check_mask(a, t);
}

static bool infer_multi_head(const ts_op_args *a)
{
    attention t;
    return multi_head_sizes(a, &t) && ts_set_out(a, 0, a->in[0]->dtype, 3, (int64_t[]){t.batch, t.queries, t.heads * t.d_value});
}

/* One of q, k, v as [rows][heads * width], with its bias: x has `parts` of them interleaved within each head. */
static void unpack(const ts_tensor *x, int parts, int part, int64_t rows, int64_t heads, int64_t width, const float *bias, float *to)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t h = 0; h < heads; h++)
            for (int64_t i = 0; i < width; i++)
                to[(r * heads + h) * width + i] =
                    x->data.f[((r * heads + h) * parts + part) * width + i] + (bias ? bias[h * width + i] : 0);
}

static bool eval_multi_head(const ts_op_args *a)
{
    attention t;
    float *score;
    if (!multi_head_sizes(a, &t))
        return false;
    const ts_tensor *q = a->in[0], *k = ts_arg(a, 1), *v = ts_arg(a, 2), *b = ts_arg(a, 3);
    const float *bias = b ? b->data.f : NULL;
    int64_t width = t.heads * t.d_head, q_rows = t.batch * t.queries, k_rows = t.batch * t.keys;
    bool ok = new_buffers(&t, &score);
    if (ok) {
        unpack(q, k ? 1 : 3, 0, q_rows, t.heads, t.d_head, bias, t.q);
        unpack(k ? k : q, !k ? 3 : v ? 1 : 2, k ? 0 : 1, k_rows, t.heads, t.d_head, bias ? bias + width : NULL, t.k);
        unpack(v ? v : k ? k : q, v ? 1 : k ? 2 : 3, v ? 0 : k ? 1 : 2, k_rows, t.heads, t.d_value, bias ? bias + 2 * width : NULL, t.v);
        attend(&t, score, a->out[0]->data.f);
    }
    free_buffers(&t, score);
    return ok ? true : FAIL_MEMORY(a, "not enough memory");
}
const ts_op_hooks ts_ms_MultiHeadAttention_hooks = {
    .min_in = 1, .max_in = 6, .min_out = 1, .max_out = 1, .infer = infer_multi_head, .eval = eval_multi_head, .work = attention_work};
