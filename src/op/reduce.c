/* Reductions. The axes are an attribute in older opsets (up to 17; ReduceSum up to 12) and an input in newer ones; both are
   read wherever they are found. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "op/hook.h"

static bool find_axes(const ts_op_args *a, bool *reduced)
{
    const ts_tensor *x = a->in[0];
    int64_t list[TS_MAX_RANK];
    int count;
    bool given;
    if (!ts_axis_list(a, "axes", 1, list, &count, &given) || !ts_axis_flags(a, list, count, x->rank, reduced))
        return false;
    if (count == 0 && !ts_attr_int(a->node, "noop_with_empty_axes", 0)) /* no axes: all of them */
        for (int i = 0; i < x->rank; i++)
            reduced[i] = true;
    return true;
}

static bool infer_reduce(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    bool reduced[TS_MAX_RANK], keep = ts_attr_int(a->node, "keepdims", 1) != 0;
    int64_t dim[TS_MAX_RANK];
    int rank = 0;
    if (x->dtype == TS_BOOL)
        return FAIL(a, "booleans are not supported");
    if (!find_axes(a, reduced))
        return false;
    for (int i = 0; i < x->rank; i++)
        if (!reduced[i])
            dim[rank++] = x->dim[i];
        else if (keep)
            dim[rank++] = 1;
    return ts_set_out(a, 0, x->dtype, rank, dim);
}

typedef struct reduction {
    double start;
    double (*real)(double sum, double x);
    int64_t int_start;
    int64_t (*integer)(int64_t sum, int64_t x); /* NULL: integers are not supported */
    double (*finish)(double sum, double count); /* NULL: the sum itself */
} reduction;

static bool reduce(const ts_op_args *a, const reduction *how)
{
    const ts_tensor *x = a->in[0];
    ts_tensor *y = a->out[0];
    bool reduced[TS_MAX_RANK];
    if (!find_axes(a, reduced))
        return false;
    /* Each input element's place in the output: stride 0 along reduced axes. */
    int64_t stride[TS_MAX_RANK], s = 1;
    for (int i = x->rank - 1; i >= 0; i--) {
        stride[i] = reduced[i] ? 0 : s;
        s *= reduced[i] ? 1 : x->dim[i];
    }
    ts_walk w = {.rank = x->rank, .tensors = 1, .dim = x->dim, .stride = {stride}};
    int64_t inner = ts_walk_inner(&w), step = ts_walk_step(&w, 0), count = ts_count(x), outs = ts_count(y);

    if (!ts_is_float(x->dtype)) {
        if (!how->integer)
            return FAIL(a, "type %s is not supported", ts_dtype_name(x->dtype));
        for (int64_t i = 0; i < outs; i++)
            y->data.i[i] = how->int_start;
        for (int64_t done = 0; done < count; done += inner, ts_walk_next(&w))
            for (int64_t i = 0; i < inner; i++) {
                int64_t *sum = &y->data.i[w.offset[0] + i * step];
                *sum = how->integer(*sum, x->data.i[done + i]);
            }
        return true;
    }
    double *sum = ts_try_calloc((size_t)(outs + 1), sizeof *sum);
    if (!sum)
        return FAIL_MEMORY(a, "not enough memory");
    for (int64_t i = 0; i < outs; i++)
        sum[i] = how->start;
    for (int64_t done = 0; done < count; done += inner, ts_walk_next(&w))
        for (int64_t i = 0; i < inner; i++) {
            double *to = &sum[w.offset[0] + i * step];
            *to = how->real(*to, ts_get_real(x, done + i));
        }
    for (int64_t i = 0; i < outs; i++)
        ts_set_real(y, i, how->finish ? how->finish(sum[i], (double)count / (double)outs) : sum[i]);
    ts_free(sum);
    return true;
}

static double add(double sum, double x)
{
    return sum + x;
}
static double multiply(double sum, double x)
{
    return sum * x;
}
static double add_square(double sum, double x)
{
    return sum + x * x;
}
static double larger(double sum, double x)
{
    return x > sum || isnan(x) ? x : sum;
}
static double smaller(double sum, double x)
{
    return x < sum || isnan(x) ? x : sum;
}
static double add_magnitude(double sum, double x)
{
    return sum + fabs(x);
}
/* log(e^sum + e^x) without overflow */
static double add_exponents(double sum, double x)
{
    const double high = x > sum || isnan(x) ? x : sum, low = x > sum ? sum : x;
    return isinf(high) ? high : high + log1p(exp(low - high));
}
static double logarithm(double sum, double count)
{
    return log(sum);
}
static double divide(double sum, double count)
{
    return sum / count;
}
static double root(double sum, double count)
{
    return sqrt(sum);
}
static int64_t add_int(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum + (uint64_t)x);
}
static int64_t multiply_int(int64_t sum, int64_t x)
{
    return (int64_t)((uint64_t)sum * (uint64_t)x);
}
static int64_t add_square_int(int64_t sum, int64_t x)
{
    return add_int(sum, multiply_int(x, x));
}
static int64_t larger_int(int64_t sum, int64_t x)
{
    return x > sum ? x : sum;
}
static int64_t smaller_int(int64_t sum, int64_t x)
{
    return x < sum ? x : sum;
}

#define REDUCE(Name, ...) \
    static bool eval_##Name(const ts_op_args *a) \
    { \
        return reduce(a, &(reduction){__VA_ARGS__}); \
    } \
    const ts_op_hooks ts_##Name##_hooks = { \
        .min_in = 1, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_reduce, .eval = eval_##Name};
REDUCE(ReduceSum, 0, add, 0, add_int, NULL)
REDUCE(ReduceMean, 0, add, 0, NULL, divide)
REDUCE(ReduceProd, 1, multiply, 1, multiply_int, NULL)
REDUCE(ReduceSumSquare, 0, add_square, 0, add_square_int, NULL)
REDUCE(ReduceL1, 0, add_magnitude, 0, NULL, NULL)
REDUCE(ReduceLogSum, 0, add, 0, NULL, logarithm)
REDUCE(ReduceLogSumExp, -INFINITY, add_exponents, 0, NULL, NULL)
REDUCE(ReduceL2, 0, add_square, 0, NULL, root)
REDUCE(ReduceMax, -INFINITY, larger, INT64_MIN, larger_int, NULL)
REDUCE(ReduceMin, INFINITY, smaller, INT64_MAX, smaller_int, NULL)

static bool infer_choice(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int axis, rank = 0;
    int64_t dim[TS_MAX_RANK];
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    if (x->dim[axis] == 0)
        return FAIL(a, "axis %d has no elements to choose from", axis);
    for (int i = 0; i < x->rank; i++)
        if (i != axis)
            dim[rank++] = x->dim[i];
        else if (ts_attr_int(a->node, "keepdims", 1))
            dim[rank++] = 1;
    return ts_set_out(a, 0, TS_I64, rank, dim);
}

static bool choose(const ts_op_args *a, bool least)
{
    const ts_tensor *x = a->in[0];
    int axis;
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    bool last = ts_attr_int(a->node, "select_last_index", 0) != 0;
    int64_t outer = ts_extent(x, 0, axis), n = x->dim[axis], inner = ts_extent(x, axis + 1, x->rank);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            int64_t best = 0;
            for (int64_t k = 1; k < n; k++) {
                double u = ts_get_real(x, (o * n + k) * inner + i), v = ts_get_real(x, (o * n + best) * inner + i);
                if ((least ? u < v : u > v) || (last && u == v))
                    best = k;
            }
            a->out[0]->data.i[o * inner + i] = best;
        }
    return true;
}
static bool eval_arg_max(const ts_op_args *a)
{
    return choose(a, false);
}
static bool eval_arg_min(const ts_op_args *a)
{
    return choose(a, true);
}
const ts_op_hooks ts_ArgMax_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_choice, .eval = eval_arg_max};
const ts_op_hooks ts_ArgMin_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_choice, .eval = eval_arg_min};
