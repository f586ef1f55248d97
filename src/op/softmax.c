/* Softmax and LogSoftmax. Up to opset 12 they work on the tensor flattened to two dimensions at `axis` (default 1), from 13
   on along the one axis (default -1). */
#include <math.h>

#include "base/boundary.h"
#include "op/hook.h"

/* A row of nothing but -inf (every key masked) is 0/0 by the formula, and frameworks answer NaN. Here it gives zeros, so
   that a fully masked event has a defined result; a guard of the form Where(IsNaN(p), 0, p) computes the same. */
void ts_softmax_row(const float *x, float *y, int64_t n, int64_t stride)
{
    float max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        max = x[i * stride] > max || isnan(x[i * stride]) ? x[i * stride] : max;
    if (max == -INFINITY) {
        for (int64_t i = 0; i < n; i++)
            y[i * stride] = 0;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        sum += y[i * stride] = expf(x[i * stride] - max);
    for (int64_t i = 0; i < n; i++)
        y[i * stride] /= sum;
}

static void log_softmax_row(const float *x, float *y, int64_t n, int64_t stride)
{
    double max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        max = x[i * stride] > max ? x[i * stride] : max;
    for (int64_t i = 0; i < n; i++)
        sum += exp(x[i * stride] - max);
    for (int64_t i = 0; i < n; i++)
        y[i * stride] = (float)(x[i * stride] - max - log(sum));
}

static bool softmax_axis(const ts_op_args *a, int *axis)
{
    bool flattens = a->node->opset < 13;
    int rank = a->in[0]->rank;
    int64_t given = ts_attr_int(a->node, "axis", flattens ? 1 : -1);
    if (flattens && given == rank) { /* legal: rows of one element */
        *axis = rank;
        return true;
    }
    return ts_fix_axis(a, given, rank, axis);
}

static bool infer_softmax(const ts_op_args *a)
{
    int axis;
    if (!ts_need_float(a) || !softmax_axis(a, &axis))
        return false;
    if (a->in[0]->dtype == TS_F64)
        return FAIL(a, "float64 is not supported; export the model in float32");
    return ts_set_out_like(a, 0, a->in[0]);
}

/* Exponentials below which waiting for other threads takes longer; rows that one thread takes at a time. */
enum { WORTH_THREADS = 10000, BLOCK = 64 };

typedef void row_function(const float *x, float *y, int64_t n, int64_t stride);
typedef struct rows {
    row_function *row;
    const float *x;
    float *y;
    int64_t count, n, inner; /* rows, their elements, the distance of these */
} rows;

static void block_of_rows(void *user, int block)
{
    const rows *r = user;
    for (int64_t i = (int64_t)block * BLOCK; i < r->count && i < ((int64_t)block + 1) * BLOCK; i++) {
        const int64_t start = i / r->inner * r->n * r->inner + i % r->inner;
        r->row(r->x + start, r->y + start, r->n, r->inner);
    }
}

static bool each_row(const ts_op_args *a, row_function *row)
{
    const ts_tensor *x = a->in[0];
    float *y = a->out[0]->data.f;
    int axis;
    if (!softmax_axis(a, &axis))
        return false;
    int end = a->node->opset < 13 ? x->rank : axis + 1;
    int64_t outer = ts_extent(x, 0, axis), n = ts_extent(x, axis, end), inner = ts_extent(x, end, x->rank);
    ts_parallel((int)((outer * inner + BLOCK - 1) / BLOCK), 1, outer * inner * n > WORTH_THREADS, block_of_rows,
                &(rows){row, x->data.f, y, outer * inner, n, inner});
    return true;
}
static bool eval_softmax(const ts_op_args *a)
{
    return each_row(a, ts_softmax_row);
}
static bool eval_log_softmax(const ts_op_args *a)
{
    return each_row(a, log_softmax_row);
}
const ts_op_hooks ts_Softmax_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_softmax, .eval = eval_softmax};
const ts_op_hooks ts_LogSoftmax_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_softmax, .eval = eval_log_softmax};
