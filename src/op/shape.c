/* Operators that turn shapes into values and values into tensors: Shape, Size, Constant, ConstantOfShape, Range. */
#include <math.h>

#include "op/hook.h"

/* start and end (opset 15) count from the end where negative and are clamped. */
static void shape_range(const ts_op_args *a, int *from, int *to)
{
    int64_t rank = a->in[0]->rank, start = ts_attr_int(a->node, "start", 0), end = ts_attr_int(a->node, "end", rank);
    start = start < -rank ? 0 : start < 0 ? start + rank : start > rank ? rank : start;
    end = end < -rank ? 0 : end < 0 ? end + rank : end > rank ? rank : end;
    *from = (int)start;
    *to = (int)(end < start ? start : end);
}

static bool infer_shape(const ts_op_args *a)
{
    int from, to;
    shape_range(a, &from, &to);
    return ts_set_out(a, 0, TS_I64, 1, (int64_t[]){to - from});
}

static bool eval_shape(const ts_op_args *a)
{
    int from, to;
    shape_range(a, &from, &to);
    for (int i = from; i < to; i++)
        a->out[0]->data.i[i - from] = a->in[0]->dim[i];
    return true;
}
const ts_op_hooks ts_Shape_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_shape, .eval = eval_shape, .only_shapes = true};

static bool infer_size(const ts_op_args *a)
{
    return ts_set_out(a, 0, TS_I64, 0, NULL);
}

static bool eval_size(const ts_op_args *a)
{
    a->out[0]->data.i[0] = ts_count(a->in[0]);
    return true;
}
const ts_op_hooks ts_Size_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_size, .eval = eval_size, .only_shapes = true};

static bool check_constant(const ts_node *node, ts_err *err)
{
    return node->attrs == 1 ? true : ts_node_fail(node, err, "must have exactly one attribute, its value");
}

static bool infer_constant(const ts_op_args *a)
{
    const ts_attr *v = &a->node->attr[0];
    if (v->type == TS_ATTR_TENSOR)
        return ts_set_out_like(a, 0, v->t);
    bool list = v->type == TS_ATTR_INTS || v->type == TS_ATTR_FLOATS;
    return ts_set_out(a, 0, v->type == TS_ATTR_INT || v->type == TS_ATTR_INTS ? TS_I64 : TS_F32, list ? 1 : 0, (int64_t[]){v->count});
}

static bool eval_constant(const ts_op_args *a)
{
    const ts_attr *v = &a->node->attr[0];
    if (v->type == TS_ATTR_TENSOR)
        ts_copy(a->out[0], 0, v->t, 0, ts_count(v->t));
    else
        for (int i = 0; i < v->count; i++)
            if (v->i)
                a->out[0]->data.i[i] = v->i[i];
            else
                a->out[0]->data.f[i] = v->f[i];
    return true;
}
const ts_op_hooks ts_Constant_hooks = {
    .max_in = 0, .min_out = 1, .max_out = 1, .check = check_constant, .infer = infer_constant, .eval = eval_constant};

static bool check_constant_of_shape(const ts_node *node, ts_err *err)
{
    const ts_attr *v = ts_attr_find(node, "value");
    if (v && ts_count(v->t) != 1)
        return ts_node_fail(node, err, "attribute 'value' must be a tensor of one element");
    return true;
}

static bool infer_constant_of_shape(const ts_op_args *a)
{
    const ts_attr *v = ts_attr_find(a->node, "value");
    int64_t dim[TS_MAX_RANK];
    int rank;
    return ts_int_list(a, 0, "the shape", dim, &rank) && ts_set_out(a, 0, v ? v->t->dtype : TS_F32, rank, dim);
}

static bool eval_constant_of_shape(const ts_op_args *a)
{
    const ts_attr *v = ts_attr_find(a->node, "value");
    for (int64_t i = 0, n = v ? ts_count(a->out[0]) : 0; i < n; i++) /* the default, 0, is there already */
        ts_copy(a->out[0], i, v->t, 0, 1);
    return true;
}
const ts_op_hooks ts_ConstantOfShape_hooks = {.min_in = 1,
                                              .max_in = 1,
                                              .min_out = 1,
                                              .max_out = 1,
                                              .check = check_constant_of_shape,
                                              .infer = infer_constant_of_shape,
                                              .eval = eval_constant_of_shape};

static bool infer_range(const ts_op_args *a)
{
    static const char *const names[] = {"start", "limit", "delta"};
    for (int i = 0; i < 3; i++)
        if (!ts_need_data(a, i, names[i]))
            return false;
        else if (ts_count(a->in[i]) != 1)
            return FAIL(a, "%s must be one number", names[i]);
    if (!ts_need_same_type(a))
        return false;
    int64_t count = 0;
    if (ts_is_float(a->in[0]->dtype)) {
        double start = ts_get_real(a->in[0], 0), limit = ts_get_real(a->in[1], 0), delta = ts_get_real(a->in[2], 0);
        double steps = ceil((limit - start) / delta);
        if (delta == 0 || isnan(steps) || steps > (double)TS_MAX_ELEMENTS)
            return FAIL(a, "a range from %g to %g in steps of %g is not possible", start, limit, delta);
        count = steps > 0 ? (int64_t)steps : 0;
    } else {
        int64_t start = a->in[0]->data.i[0], limit = a->in[1]->data.i[0], delta = a->in[2]->data.i[0];
        if (delta == 0)
            return FAIL(a, "a range in steps of 0 is not possible");
        /* Unsigned differences cannot overflow. */
        uint64_t way = delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
        uint64_t step = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
        uint64_t steps = (delta > 0 ? limit > start : start > limit) ? (way - 1) / step + 1 : 0;
        count = steps > (uint64_t)TS_MAX_ELEMENTS ? TS_MAX_ELEMENTS + 1 : (int64_t)steps; /* one too many is refused below */
    }
    return ts_set_out(a, 0, a->in[0]->dtype, 1, &count);
}

static bool eval_range(const ts_op_args *a)
{
    ts_tensor *y = a->out[0];
    bool real = ts_is_float(y->dtype);
    for (int64_t i = 0, n = ts_count(y); i < n; i++)
        if (real)
            ts_set_real(y, i, ts_get_real(a->in[0], 0) + (double)i * ts_get_real(a->in[2], 0));
        else
            y->data.i[i] = (int64_t)((uint64_t)a->in[0]->data.i[0] + (uint64_t)i * (uint64_t)a->in[2]->data.i[0]);
    return true;
}
const ts_op_hooks ts_Range_hooks = {.min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1, .infer = infer_range, .eval = eval_range};
