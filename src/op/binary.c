/* Elementwise operators on two (Max, Min, Sum: any number of) tensors that broadcast against each other. */
#include <math.h>
#include <string.h>

#include "op/hook.h"

/* n elements; x, y and out have the storage that the name's letter says (f, d, i); steps of 0 repeat an element. */
typedef void kernel(int64_t n, const void *x, int64_t x_step, const void *y, int64_t y_step, void *out);

#define KERNEL(name, type, out_type, EXPR) \
    static void name(int64_t n, const void *px, int64_t x_step, const void *py, int64_t y_step, void *pout) \
    { \
        const type *x = px, *y = py; \
        out_type *out = pout; \
        for (int64_t i = 0; i < n; i++) { \
            type u = x[i * x_step], v = y[i * y_step]; \
            out[i] = (out_type)(EXPR); \
        } \
    }

static bool run(const ts_op_args *a, const ts_tensor *x, const ts_tensor *y, ts_tensor *out, kernel *const by_store[3])
{
    int64_t x_stride[TS_MAX_RANK], y_stride[TS_MAX_RANK], out_stride[TS_MAX_RANK];
    ts_broadcast_strides(x, out->rank, out->dim, x_stride);
    ts_broadcast_strides(y, out->rank, out->dim, y_stride);
    ts_strides(out->rank, out->dim, out_stride);
    ts_walk w = {.rank = out->rank, .tensors = 3, .dim = out->dim, .stride = {x_stride, y_stride, out_stride}};
    kernel *k = by_store[ts_dtype_store(x->dtype)];
    if (!k)
        return FAIL(a, "type %s is not supported", ts_dtype_name(x->dtype));
    size_t in_bytes = ts_store_bytes(x->dtype), out_bytes = ts_store_bytes(out->dtype);
    int64_t inner = ts_walk_inner(&w), count = ts_count(out);
    for (int64_t done = 0; done < count; done += inner, ts_walk_next(&w))
        k(inner, (const char *)x->data.any + (size_t)w.offset[0] * in_bytes, ts_walk_step(&w, 0),
          (const char *)y->data.any + (size_t)w.offset[1] * in_bytes, ts_walk_step(&w, 1),
          (char *)out->data.any + (size_t)w.offset[2] * out_bytes);
    return true;
}

static bool infer_shape(const ts_op_args *a, ts_dtype dtype)
{
    ts_tensor sum = *a->in[0];
    for (int i = 1; i < a->ins; i++)
        if (!ts_broadcast(a, &sum, a->in[i], &sum.rank, sum.dim))
            return false;
    return ts_set_out(a, 0, dtype, sum.rank, sum.dim);
}

static bool infer_arithmetic(const ts_op_args *a)
{
    if (!ts_need_same_type(a))
        return false;
    if (a->in[0]->dtype == TS_BOOL)
        return FAIL(a, "booleans are not supported");
    return infer_shape(a, a->in[0]->dtype);
}

static bool infer_compare(const ts_op_args *a)
{
    return ts_need_same_type(a) && infer_shape(a, TS_BOOL);
}

static bool infer_logic(const ts_op_args *a)
{
    if (!ts_need_same_type(a))
        return false;
    if (a->in[0]->dtype != TS_BOOL)
        return FAIL(a, "inputs are %s; only booleans are supported", ts_dtype_name(a->in[0]->dtype));
    return infer_shape(a, TS_BOOL);
}

/* Integers wrap, as in every framework; C's signed overflow is undefined. */
#define WRAPPED(op) (int64_t)((uint64_t)u op(uint64_t) v)

KERNEL(add_f, float, float, u + v)
KERNEL(add_d, double, double, u + v)
KERNEL(add_i, int64_t, int64_t, WRAPPED(+))
KERNEL(sub_f, float, float, u - v)
KERNEL(sub_d, double, double, u - v)
KERNEL(sub_i, int64_t, int64_t, WRAPPED(-))
KERNEL(mul_f, float, float, u *v)
KERNEL(mul_d, double, double, u *v)
KERNEL(mul_i, int64_t, int64_t, WRAPPED(*))
KERNEL(div_f, float, float, u / v)
KERNEL(div_d, double, double, u / v)
/* Divisions by zero are refused before; -1 apart because INT64_MIN / -1 traps. */
KERNEL(div_i, int64_t, int64_t, v == -1 ? (int64_t)(0 - (uint64_t)u) : u / v)
KERNEL(div_u, int64_t, int64_t, (uint64_t)u / (uint64_t)v)
KERNEL(max_f, float, float, isnan(u) || u > v ? u : v)
KERNEL(max_d, double, double, isnan(u) || u > v ? u : v)
KERNEL(max_i, int64_t, int64_t, u > v ? u : v)
KERNEL(min_f, float, float, isnan(u) || u < v ? u : v)
KERNEL(min_d, double, double, isnan(u) || u < v ? u : v)
KERNEL(min_i, int64_t, int64_t, u < v ? u : v)
KERNEL(and_i, int64_t, int64_t, u &v)
KERNEL(or_i, int64_t, int64_t, u | v)
KERNEL(xor_i, int64_t, int64_t, u ^ v)
#define COMPARE(name, op) \
    KERNEL(name##_f, float, int64_t, u op v) \
    KERNEL(name##_d, double, int64_t, u op v) \
    KERNEL(name##_i, int64_t, int64_t, u op v)
COMPARE(equal, ==)
COMPARE(greater, >)
COMPARE(greater_equal, >=)
COMPARE(less, <)
COMPARE(less_equal, <=)
/* The remainder's sign is the divisor's (as in Python), or with fmod the dividend's (as in C). */
KERNEL(mod_i, int64_t, int64_t, v == -1 ? 0 : u % v != 0 && ((u % v < 0) != (v < 0)) ? u % v + v : u % v)
KERNEL(mod_u, int64_t, int64_t, (uint64_t)u % (uint64_t)v)
KERNEL(fmod_f, float, float, fmodf(u, v))
KERNEL(fmod_d, double, double, fmod(u, v))
KERNEL(fmod_i, int64_t, int64_t, v == -1 ? 0 : u % v)

KERNEL(prelu_f, float, float, u < 0 ? u * v : u)
KERNEL(prelu_d, double, double, u < 0 ? u * v : u)
KERNEL(prelu_i, int64_t, int64_t, u < 0 ? WRAPPED(*) : u)

/* The slope is broadcast to the input, not the other way round. */
static bool infer_prelu(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    char tx[160], ty[160];
    if (!infer_arithmetic(a))
        return false;
    bool same = a->out[0]->rank == x->rank;
    for (int i = 0; same && i < x->rank; i++)
        same = a->out[0]->dim[i] == x->dim[i];
    return same ? true
                : FAIL(a, "a slope of shape %s does not fit an input of shape %s", ts_shape_text(a->in[1], ty, sizeof ty),
                       ts_shape_text(x, tx, sizeof tx));
}

#define BINARY(Name, infer_hook, f, d, i) \
    static bool eval_##Name(const ts_op_args *a) \
    { \
        return run(a, a->in[0], a->in[1], a->out[0], (kernel *const[]){f, d, i}); \
    } \
    const ts_op_hooks ts_##Name##_hooks = {.min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_hook, .eval = eval_##Name};
BINARY(Add, infer_arithmetic, add_f, add_d, add_i)
BINARY(Sub, infer_arithmetic, sub_f, sub_d, sub_i)
BINARY(Mul, infer_arithmetic, mul_f, mul_d, mul_i)
BINARY(PRelu, infer_prelu, prelu_f, prelu_d, prelu_i)
BINARY(And, infer_logic, NULL, NULL, and_i)
BINARY(Or, infer_logic, NULL, NULL, or_i)
BINARY(Xor, infer_logic, NULL, NULL, xor_i)
BINARY(Equal, infer_compare, equal_f, equal_d, equal_i)
BINARY(Greater, infer_compare, greater_f, greater_d, greater_i)
BINARY(GreaterOrEqual, infer_compare, greater_equal_f, greater_equal_d, greater_equal_i)
BINARY(Less, infer_compare, less_f, less_d, less_i)
BINARY(LessOrEqual, infer_compare, less_equal_f, less_equal_d, less_equal_i)

static bool refuse_zero_divisor(const ts_op_args *a)
{
    const ts_tensor *v = a->in[1];
    if (ts_dtype_store(v->dtype) != TS_STORE_I)
        return true;
    for (int64_t i = 0, n = ts_count(v); i < n; i++)
        if (v->data.i[i] == 0)
            return FAIL(a, "integer division by zero");
    return true;
}

static bool eval_div(const ts_op_args *a)
{
    kernel *const by_store[] = {div_f, div_d, a->in[0]->dtype == TS_U64 ? div_u : div_i};
    return refuse_zero_divisor(a) && run(a, a->in[0], a->in[1], a->out[0], by_store);
}
const ts_op_hooks ts_Div_hooks = {.min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_arithmetic, .eval = eval_div};

static bool infer_mod(const ts_op_args *a)
{
    if (ts_is_float(a->in[0]->dtype) && !ts_attr_int(a->node, "fmod", 0))
        return FAIL(a, "floating-point inputs need fmod = 1");
    return infer_arithmetic(a);
}

static bool eval_mod(const ts_op_args *a)
{
    kernel *integer = a->in[0]->dtype == TS_U64 ? mod_u : ts_attr_int(a->node, "fmod", 0) ? fmod_i : mod_i;
    return refuse_zero_divisor(a) && run(a, a->in[0], a->in[1], a->out[0], (kernel *const[]){fmod_f, fmod_d, integer});
}
const ts_op_hooks ts_Mod_hooks = {.min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_mod, .eval = eval_mod};

/* Left to right into the output, which has the final shape from the first step on. */
static bool run_many(const ts_op_args *a, kernel *const by_store[3])
{
    ts_tensor *out = a->out[0];
    ts_tensor zero = {.dtype = out->dtype, .data.any = &(int64_t){0}};
    kernel *const add[] = {add_f, add_d, add_i};
    if (!run(a, a->in[0], &zero, out, add))
        return false;
    for (int i = 1; i < a->ins; i++)
        if (!run(a, out, a->in[i], out, by_store))
            return false;
    return true;
}
#define MANY(Name, f, d, i) \
    static bool eval_##Name(const ts_op_args *a) \
    { \
        return run_many(a, (kernel *const[]){f, d, i}); \
    } \
    const ts_op_hooks ts_##Name##_hooks = { \
        .min_in = 1, .max_in = -1, .min_out = 1, .max_out = 1, .infer = infer_arithmetic, .eval = eval_##Name};
MANY(Max, max_f, max_d, max_i)
MANY(Min, min_f, min_d, min_i)
MANY(Sum, add_f, add_d, add_i)

static bool eval_mean(const ts_op_args *a)
{
    ts_tensor *out = a->out[0];
    if (!eval_Sum(a))
        return false;
    for (int64_t i = 0, n = ts_count(out); i < n; i++)
        ts_set_real(out, i, ts_get_real(out, i) / a->ins);
    return true;
}
const ts_op_hooks ts_Mean_hooks = {.min_in = 1, .max_in = -1, .min_out = 1, .max_out = 1, .infer = infer_arithmetic, .eval = eval_mean};

/* The exponent may have a type of its own; the result has the base's. */
static bool infer_pow(const ts_op_args *a)
{
    if (a->in[0]->dtype == TS_BOOL || a->in[1]->dtype == TS_BOOL)
        return FAIL(a, "booleans are not supported");
    return infer_shape(a, a->in[0]->dtype);
}

static bool eval_pow(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *y = a->in[1];
    ts_tensor *out = a->out[0];
    if (ts_count(y) == 1 && ts_get_real(y, 0) == 2.0) /* the square in a decomposed LayerNormalization */
        return run(a, x, x, out, (kernel *const[]){mul_f, mul_d, mul_i});

    int64_t x_stride[TS_MAX_RANK], y_stride[TS_MAX_RANK];
    ts_broadcast_strides(x, out->rank, out->dim, x_stride);
    ts_broadcast_strides(y, out->rank, out->dim, y_stride);
    ts_walk w = {.rank = out->rank, .tensors = 2, .dim = out->dim, .stride = {x_stride, y_stride}};
    int64_t inner = ts_walk_inner(&w), count = ts_count(out);
    for (int64_t done = 0; done < count; done += inner, ts_walk_next(&w))
        for (int64_t i = 0; i < inner; i++)
            ts_set_real(out, done + i,
                        pow(ts_get_real(x, w.offset[0] + i * ts_walk_step(&w, 0)), ts_get_real(y, w.offset[1] + i * ts_walk_step(&w, 1))));
    return true;
}
const ts_op_hooks ts_Pow_hooks = {.min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_pow, .eval = eval_pow};
