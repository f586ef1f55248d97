#include "op/hook.h"

static bool infer_where(const ts_op_args *a)
{
    const ts_tensor *c = a->in[0], *x = a->in[1], *y = a->in[2];
    if (c->dtype != TS_BOOL || x->dtype != y->dtype)
        return FAIL(a, "inputs are %s, %s, %s; expected a boolean and two of one type", ts_dtype_name(c->dtype), ts_dtype_name(x->dtype),
                    ts_dtype_name(y->dtype));
    ts_tensor both = *c;
    if (!ts_broadcast(a, &both, x, &both.rank, both.dim) || !ts_broadcast(a, &both, y, &both.rank, both.dim))
        return false;
    return ts_set_out(a, 0, x->dtype, both.rank, both.dim);
}

static bool eval_where(const ts_op_args *a)
{
    const ts_tensor *c = a->in[0];
    ts_tensor *out = a->out[0];
    int64_t stride[3][TS_MAX_RANK];
    for (int i = 0; i < 3; i++)
        ts_broadcast_strides(a->in[i], out->rank, out->dim, stride[i]);
    ts_walk w = {.rank = out->rank, .tensors = 3, .dim = out->dim, .stride = {stride[0], stride[1], stride[2]}};
    int64_t inner = ts_walk_inner(&w), count = ts_count(out), step[3];
    for (int i = 0; i < 3; i++)
        step[i] = ts_walk_step(&w, i);
    for (int64_t done = 0; done < count; done += inner, ts_walk_next(&w))
        for (int64_t i = 0; i < inner; i++) {
            int pick = c->data.i[w.offset[0] + i * step[0]] ? 1 : 2;
            ts_copy(out, done + i, a->in[pick], w.offset[pick] + i * step[pick], 1);
        }
    return true;
}
const ts_op_hooks ts_Where_hooks = {.min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1, .infer = infer_where, .eval = eval_where};
