/* What the hooks of operators share; included by the operators' own files only.
   In a circle with op/op.h: it is the inside of it. */
#ifndef TS_HOOK_H
#define TS_HOOK_H
#include "op/op.h"

#define OP(id, domain, name, since, until) extern const ts_op_hooks ts_##id##_hooks;
#include "op/ops.def"
#undef OP

/* Errors are prefixed with the node's name, type and opset; they return false. */
bool ts_node_fail(const ts_node *node, ts_err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define FAIL(a, ...) ts_node_fail((a)->node, (a)->err, __VA_ARGS__)
#define FAIL_MEMORY(a, ...) (FAIL(a, __VA_ARGS__), (a)->err->code = TS_OUT_OF_MEMORY, false) /* while a node is evaluated */

/* The attributes of a node against attrs.def: when the file is read, and, where their number depends on the dimensions of input 0
   (which may be NULL), before every infer. */
bool ts_attrs_check(const ts_node *node, ts_err *err);
bool ts_attrs_fit(const ts_node *node, const ts_tensor *first, ts_err *err);
bool ts_attrs_are_sorted(void); /* the table's order, which the look-up relies on; for tests */

/* Input `slot`, or NULL where it is absent or beyond the inputs given. */
static inline const ts_tensor *ts_arg(const ts_op_args *a, int slot)
{
    return slot < a->ins ? a->in[slot] : NULL;
}

const char *ts_shape_text(const ts_tensor *t, char *text, size_t size); /* "[1,512,32]" */

/* Checks; a message that says which input and why. */
bool ts_need_data(const ts_op_args *a, int slot, const char *what); /* infer depends on this input's value */
bool ts_need_float(const ts_op_args *a);                            /* the inputs that are there: one floating-point type */
bool ts_need_same_type(const ts_op_args *a);                        /* the inputs that are there: one type, any */
bool ts_need_rank(const ts_op_args *a, int slot, int low, int high);

/* axis in [-rank, rank) -> [0, rank). */
bool ts_fix_axis(const ts_op_args *a, int64_t axis, int rank, int *fixed);

/* Up to TS_MAX_RANK axes as they are written: attribute `name`, or input `slot` (-1: never). `given` is false where the node
   has neither. */
bool ts_axis_list(const ts_op_args *a, const char *name, int slot, int64_t *list, int *count, bool *given);

/* Marks the axes of a list in flag[rank]; fails where one is out of range or there twice. */
bool ts_axis_flags(const ts_op_args *a, const int64_t *list, int count, int rank, bool *flag);

/* Reads a 1-D (or scalar) integer input into list[TS_MAX_RANK]. */
bool ts_int_list(const ts_op_args *a, int slot, const char *what, int64_t *list, int *count);

/* Output k: type and shape; fails where the shape is too large. */
bool ts_set_out(const ts_op_args *a, int k, ts_dtype dtype, int rank, const int64_t *dim);
bool ts_set_out_like(const ts_op_args *a, int k, const ts_tensor *like);

/* Shape of x and y broadcast against each other, in ONNX's (NumPy's) way; rank and dim may be those of x or y. */
bool ts_broadcast(const ts_op_args *a, const ts_tensor *x, const ts_tensor *y, int *rank, int64_t *dim);

/* Strides, in elements, with which a tensor is read under a broadcast shape: 0 along repeated axes. */
void ts_broadcast_strides(const ts_tensor *t, int rank, const int64_t *dim, int64_t *stride);

/* Steps through the outer axes of a shape (all but the last) and keeps element offsets of up to 4 strided tensors. */
typedef struct ts_walk {
    int rank, tensors;
    const int64_t *dim;
    const int64_t *stride[4]; /* [rank] each */
    int64_t index[TS_MAX_RANK], offset[4];
} ts_walk;
int64_t ts_walk_inner(const ts_walk *w);            /* elements of the last axis, 1 for a scalar */
int64_t ts_walk_step(const ts_walk *w, int tensor); /* stride along the last axis */
void ts_walk_next(ts_walk *w);

/* Row-major strides of a shape. */
void ts_strides(int rank, const int64_t *dim, int64_t *stride);

/* Copies a strided view (rank, dim, stride in elements, from x's first element on) into out, densely. */
void ts_gather_view(const ts_tensor *x, int rank, const int64_t *dim, const int64_t *stride, ts_tensor *out);

/* Product of dim[from ... to-1]. */
int64_t ts_extent(const ts_tensor *t, int from, int to);

/* Row-wise kernels on float that several operators share. */
void ts_softmax_row(const float *x, float *y, int64_t n, int64_t stride); /* a row of nothing but -inf gives zeros */
void ts_layer_norm_row(const float *x, const float *gain, const float *bias, double eps, int64_t n, float *y, float *mean, float *inv_std);
double ts_gelu_erf(double x);
double ts_gelu_tanh(double x);

/* C[m][n] = alpha * op(A) op(B), row-major with leading dimensions; sizes of 0 are fine. */
void ts_gemm_f32(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                 float *c, int64_t ldc);

#endif
