/* Operators that give the same elements another shape: Reshape, Flatten, Squeeze, Unsqueeze. */
#include "op/hook.h"

static bool eval_copy(const ts_op_args *a)
{
    ts_copy(a->out[0], 0, a->in[0], 0, ts_count(a->in[0]));
    return true;
}

/* 0 copies the input's size (unless allowzero), one -1 takes what is left. */
static bool infer_reshape(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int64_t dim[TS_MAX_RANK], known = 1, count = ts_count(x);
    int rank, open = -1;
    char text[160];
    if (!ts_int_list(a, 1, "the shape", dim, &rank))
        return false;
    for (int i = 0; i < rank; i++) {
        if (dim[i] == 0 && !ts_attr_int(a->node, "allowzero", 0)) {
            if (i >= x->rank)
                return FAIL(a, "size 0 at position %d copies a dimension that the input, %s, does not have", i,
                            ts_shape_text(x, text, sizeof text));
            dim[i] = x->dim[i];
        }
        if (dim[i] < -1 || dim[i] > TS_MAX_ELEMENTS || (dim[i] == -1 && open >= 0))
            return FAIL(a, "size %lld at position %d is not possible", (long long)dim[i], i);
        if (dim[i] == -1)
            open = i;
        else if (dim[i] != 0 && known > TS_MAX_ELEMENTS / dim[i])
            return FAIL(a, "the new shape has more than %lld elements", (long long)TS_MAX_ELEMENTS);
        else
            known *= dim[i];
    }
    if (open >= 0) {
        if (known == 0 ? count != 0 : count % known != 0)
            return FAIL(a, "%s does not divide into parts of %lld elements", ts_shape_text(x, text, sizeof text), (long long)known);
        dim[open] = known == 0 ? 0 : count / known;
        known *= dim[open];
    }
    if (known != count)
        return FAIL(a, "the input, %s, has %lld elements and the new shape has %lld", ts_shape_text(x, text, sizeof text), (long long)count,
                    (long long)known);
    return ts_set_out(a, 0, x->dtype, rank, dim);
}
const ts_op_hooks ts_Reshape_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_reshape, .eval = eval_copy, .moves = true};

static bool infer_flatten(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int64_t axis = ts_attr_int(a->node, "axis", 1);
    if (axis < -x->rank || axis > x->rank)
        return FAIL(a, "axis %lld is out of range for %d dimensions", (long long)axis, x->rank);
    int at = (int)(axis < 0 ? axis + x->rank : axis);
    return ts_set_out(a, 0, x->dtype, 2, (int64_t[]){ts_extent(x, 0, at), ts_extent(x, at, x->rank)});
}
const ts_op_hooks ts_Flatten_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_flatten, .eval = eval_copy, .moves = true};

/* Axes: an attribute up to opset 12, an input from 13 on. */
static bool infer_squeeze(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int64_t list[TS_MAX_RANK], dim[TS_MAX_RANK];
    int count, rank = 0;
    bool given, drop[TS_MAX_RANK];
    if (!ts_axis_list(a, "axes", 1, list, &count, &given) || !ts_axis_flags(a, list, count, x->rank, drop))
        return false;
    for (int i = 0; i < x->rank; i++) {
        if (given && drop[i] && x->dim[i] != 1)
            return FAIL(a, "axis %d has size %lld, not 1", i, (long long)x->dim[i]);
        if (given ? !drop[i] : x->dim[i] != 1)
            dim[rank++] = x->dim[i];
    }
    return ts_set_out(a, 0, x->dtype, rank, dim);
}
const ts_op_hooks ts_Squeeze_hooks = {
    .min_in = 1, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_squeeze, .eval = eval_copy, .moves = true};

static bool infer_unsqueeze(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int64_t list[TS_MAX_RANK], dim[TS_MAX_RANK];
    int count, next = 0;
    bool given, fresh[2 * TS_MAX_RANK];
    if (!ts_axis_list(a, "axes", 1, list, &count, &given))
        return false;
    if (!given)
        return FAIL(a, "has neither an attribute nor an input that gives the axes");
    int rank = x->rank + count;
    if (!ts_axis_flags(a, list, count, rank, fresh))
        return false;
    if (rank > TS_MAX_RANK)
        return FAIL(a, "its result has %d dimensions; at most %d are supported", rank, TS_MAX_RANK);
    for (int i = 0; i < rank; i++)
        dim[i] = fresh[i] ? 1 : x->dim[next++];
    return ts_set_out(a, 0, x->dtype, rank, dim);
}
const ts_op_hooks ts_Unsqueeze_hooks = {
    .min_in = 1, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_unsqueeze, .eval = eval_copy, .moves = true};
