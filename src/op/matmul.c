/* Matrix products: MatMul (NumPy's rules for batches and vectors), onnxruntime's FusedMatMul, Gemm. */
#include <cblas.h>

#include "op/hook.h"

void ts_gemm_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                 float *c, int64_t ldc)
{
    if (m == 0 || n == 0)
        return;
    if (k == 0) {
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++)
                c[i * ldc + j] = 0;
        return;
    }
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a, (int)lda,
                b, (int)ldb, 0, c, (int)ldc);
}

/* One product of whole, dense matrices inside x, y, out, from the given element offsets. */
static void product(const ts_tensor *x, int64_t x_at, bool tx, const ts_tensor *y, int64_t y_at, bool ty, ts_tensor *out, int64_t out_at,
                    int64_t m, int64_t n, int64_t k, double alpha)
{
    int64_t x_row = tx ? 1 : k, x_col = tx ? m : 1, y_row = ty ? 1 : n, y_col = ty ? k : 1;
    switch (ts_dtype_store(x->dtype)) {
    case TS_STORE_F:
        ts_gemm_f32(tx, ty, m, n, k, (float)alpha, x->data.f + x_at, tx ? m : k, y->data.f + y_at, ty ? k : n, out->data.f + out_at, n);
        return;
    case TS_STORE_D:
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (int64_t l = 0; l < k; l++)
                    sum += x->data.d[x_at + i * x_row + l * x_col] * y->data.d[y_at + l * y_row + j * y_col];
                out->data.d[out_at + i * n + j] = alpha * sum;
            }
        return;
    case TS_STORE_I:
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                uint64_t sum = 0;
                for (int64_t l = 0; l < k; l++)
                    sum += (uint64_t)x->data.i[x_at + i * x_row + l * x_col] * (uint64_t)y->data.i[y_at + l * y_row + j * y_col];
                out->data.i[out_at + i * n + j] = (int64_t)sum;
            }
        return;
    }
}

/* The operands as batches of matrices: a vector on the left is a row, on the right a column. */
typedef struct matmul_shape {
    ts_tensor x, y; /* rank >= 2 */
    bool tx, ty;
    int rank; /* of the batch */
    int64_t batch[TS_MAX_RANK], m, n, k;
} matmul_shape;

static bool split_shapes(const ts_op_args *a, bool tx, bool ty, matmul_shape *s)
{
    char text_x[160], text_y[160];
    s->x = *a->in[0];
    s->y = *a->in[1];
    if (s->x.rank == 0 || s->y.rank == 0)
        return FAIL(a, "a scalar is not supported here; use Mul");
    s->tx = tx && s->x.rank > 1;
    s->ty = ty && s->y.rank > 1;
    if (s->x.rank == 1)
        s->x = (ts_tensor){.dtype = s->x.dtype, .rank = 2, .dim = {1, s->x.dim[0]}, .data = s->x.data};
    if (s->y.rank == 1)
        s->y = (ts_tensor){.dtype = s->y.dtype, .rank = 2, .dim = {s->y.dim[0], 1}, .data = s->y.data};
    const int64_t *dx = s->x.dim + s->x.rank - 2, *dy = s->y.dim + s->y.rank - 2;
    s->m = dx[s->tx];
    s->k = dx[!s->tx];
    s->n = dy[!s->ty];
    if (dy[s->ty] != s->k)
        return FAIL(a, "shapes %s and %s cannot be multiplied", ts_shape_text(a->in[0], text_x, sizeof text_x),
                    ts_shape_text(a->in[1], text_y, sizeof text_y));
    ts_tensor bx = s->x, by = s->y;
    bx.rank -= 2;
    by.rank -= 2;
    return ts_broadcast(a, &bx, &by, &s->rank, s->batch);
}

static bool infer_product(const ts_op_args *a, bool tx, bool ty)
{
    matmul_shape s;
    if (!ts_need_same_type(a) || !split_shapes(a, tx, ty, &s))
        return false;
    int64_t dim[TS_MAX_RANK];
    int rank = 0;
    for (; rank < s.rank; rank++)
        dim[rank] = s.batch[rank];
    if (a->in[0]->rank > 1)
        dim[rank++] = s.m;
    if (a->in[1]->rank > 1)
        dim[rank++] = s.n;
    return ts_set_out(a, 0, a->in[0]->dtype, rank, dim);
}

static bool eval_product(const ts_op_args *a, bool tx, bool ty, double alpha)
{
    matmul_shape s;
    if (!split_shapes(a, tx, ty, &s))
        return false;
    ts_tensor *out = a->out[0];
    ts_tensor bx = s.x, by = s.y;
    bx.rank -= 2;
    by.rank -= 2;
    int64_t batches = 1, x_stride[TS_MAX_RANK], y_stride[TS_MAX_RANK];
    for (int i = 0; i < s.rank; i++)
        batches *= s.batch[i];
    if (by.rank == 0 && !s.tx) { /* one right-hand matrix for all: a single large product */
        product(&s.x, 0, false, &s.y, 0, s.ty, out, 0, batches * s.m, s.n, s.k, alpha);
        return true;
    }
    ts_broadcast_strides(&bx, s.rank, s.batch, x_stride);
    ts_broadcast_strides(&by, s.rank, s.batch, y_stride);
    for (int64_t b = 0; b < batches; b++) {
        int64_t x_at = 0, y_at = 0, rest = b;
        for (int i = s.rank - 1; i >= 0; i--) {
            x_at += rest % s.batch[i] * x_stride[i];
            y_at += rest % s.batch[i] * y_stride[i];
            rest /= s.batch[i];
        }
        product(&s.x, x_at * s.m * s.k, s.tx, &s.y, y_at * s.k * s.n, s.ty, out, b * s.m * s.n, s.m, s.n, s.k, alpha);
    }
    return true;
}

/* Terms of each element of the result: the rows of the second matrix. */
static double product_work(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    const bool transposed = ts_attr_int(a->node, "transA", 0) != 0 && x->rank > 1;
    return (double)ts_count(a->out[0]) * (double)(x->rank ? x->dim[x->rank - (transposed ? 2 : 1)] : 1);
}

static bool infer_matmul(const ts_op_args *a)
{
    if (a->in[0]->dtype == TS_BOOL)
        return FAIL(a, "booleans are not supported");
    return infer_product(a, false, false);
}
static bool eval_matmul(const ts_op_args *a)
{
    return eval_product(a, false, false, 1);
}
const ts_op_hooks ts_MatMul_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_matmul, .eval = eval_matmul, .work = product_work};

static bool infer_fused_matmul(const ts_op_args *a)
{
    return ts_need_float(a) && infer_product(a, ts_attr_int(a->node, "transA", 0) != 0, ts_attr_int(a->node, "transB", 0) != 0);
}

static bool eval_fused_matmul(const ts_op_args *a)
{
    return eval_product(a, ts_attr_int(a->node, "transA", 0) != 0, ts_attr_int(a->node, "transB", 0) != 0,
                        ts_attr_float(a->node, "alpha", 1));
}
const ts_op_hooks ts_ms_FusedMatMul_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_fused_matmul, .eval = eval_fused_matmul, .work = product_work};

static bool infer_gemm(const ts_op_args *a)
{
    const ts_tensor *c = ts_arg(a, 2);
    char text[160], out_text[160];
    if (!ts_need_float(a) || !ts_need_rank(a, 0, 2, 2) || !ts_need_rank(a, 1, 2, 2) ||
        !infer_product(a, ts_attr_int(a->node, "transA", 0) != 0, ts_attr_int(a->node, "transB", 0) != 0))
        return false;
    const ts_tensor *out = a->out[0];
    if (!c)
        return true;
    ts_tensor sum;
    if (!ts_broadcast(a, out, c, &sum.rank, sum.dim))
        return false;
    if (sum.rank != 2 || sum.dim[0] != out->dim[0] || sum.dim[1] != out->dim[1])
        return FAIL(a, "input 2 of shape %s does not fit a result of shape %s", ts_shape_text(c, text, sizeof text),
                    ts_shape_text(out, out_text, sizeof out_text));
    return true;
}

static bool eval_gemm(const ts_op_args *a)
{
    const ts_tensor *c = ts_arg(a, 2);
    ts_tensor *out = a->out[0];
    if (!eval_product(a, ts_attr_int(a->node, "transA", 0) != 0, ts_attr_int(a->node, "transB", 0) != 0,
                      ts_attr_float(a->node, "alpha", 1)))
        return false;
    if (!c)
        return true;
    double beta = ts_attr_float(a->node, "beta", 1);
    int64_t stride[TS_MAX_RANK];
    ts_broadcast_strides(c, out->rank, out->dim, stride);
    for (int64_t i = 0; i < out->dim[0]; i++)
        for (int64_t j = 0; j < out->dim[1]; j++) {
            int64_t at = i * out->dim[1] + j;
            ts_set_real(out, at, ts_get_real(out, at) + beta * ts_get_real(c, i * stride[0] + j * stride[1]));
        }
    return true;
}
const ts_op_hooks ts_Gemm_hooks = {
    .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1, .infer = infer_gemm, .eval = eval_gemm, .work = product_work};
