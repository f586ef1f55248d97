/* Cast and CastLike, and the operators that pass their input on: Identity, Dropout (in inference). */
#include "op/hook.h"

static bool check_cast(const ts_node *node, ts_err *err)
{
    int64_t to = ts_attr_int(node, "to", 0);
    if (to > 0 && to < 1000 && ts_dtype_from_onnx((int)to) != TS_NONE)
        return true;
    return ts_node_fail(node, err, "ONNX type number %lld is not supported as a target; use float32, or an integer type of at most 64 bits",
                        (long long)to);
}

static bool infer_cast(const ts_op_args *a)
{
    return ts_set_out(a, 0, ts_dtype_from_onnx((int)ts_attr_int(a->node, "to", 0)), a->in[0]->rank, a->in[0]->dim);
}

static bool infer_cast_like(const ts_op_args *a)
{
    return ts_set_out(a, 0, a->in[1]->dtype, a->in[0]->rank, a->in[0]->dim);
}

static bool eval_cast(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    ts_tensor *y = a->out[0];
    int64_t n = ts_count(x);
    if (ts_dtype_store(x->dtype) == ts_dtype_store(y->dtype)) {
        ts_copy(y, 0, x, 0, n);
        return true;
    }
    for (int64_t i = 0; i < n; i++)
        ts_set_real(y, i, ts_get_real(x, i));
    return true;
}
/* `saturate` only concerns 8-bit floating point, which is not a target here. */
const ts_op_hooks ts_Cast_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .check = check_cast, .infer = infer_cast, .eval = eval_cast};
const ts_op_hooks ts_CastLike_hooks = {.min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_cast_like, .eval = eval_cast};

static bool infer_identity(const ts_op_args *a)
{
    return ts_set_out_like(a, 0, a->in[0]);
}

static bool eval_identity(const ts_op_args *a)
{
    ts_copy(a->out[0], 0, a->in[0], 0, ts_count(a->in[0]));
    return true;
}
const ts_op_hooks ts_Identity_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_identity, .eval = eval_identity, .passes_on = true, .moves = true};

static bool infer_dropout(const ts_op_args *a)
{
    if (ts_arg(a, 2)) {
        if (!ts_need_data(a, 2, "training_mode"))
            return false;
        if (a->in[2]->dtype != TS_BOOL || ts_count(a->in[2]) != 1 || a->in[2]->data.i[0])
            return FAIL(a, "the model is in training mode; export it after model.eval()");
    }
    return ts_set_out_like(a, 0, a->in[0]) && (a->outs < 2 || ts_set_out(a, 1, TS_BOOL, a->in[0]->rank, a->in[0]->dim));
}

static bool eval_dropout(const ts_op_args *a)
{
    int64_t n = ts_count(a->in[0]);
    for (int64_t i = 0; a->outs > 1 && i < n; i++)
        a->out[1]->data.i[i] = 1;
    return eval_identity(a);
}
const ts_op_hooks ts_Dropout_hooks = {
    .min_in = 1, .max_in = 3, .min_out = 1, .max_out = 2, .infer = infer_dropout, .eval = eval_dropout, .passes_on = true};
