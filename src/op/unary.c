/* Elementwise operators on one tensor. Transcendental functions are computed in double and rounded once. */
#include <math.h>
#include <string.h>

#include "op/hook.h"

double ts_gelu_erf(double x)
{
    return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
}
double ts_gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}

static bool infer_float(const ts_op_args *a)
{
    return ts_need_float(a) && ts_set_out_like(a, 0, a->in[0]);
}

static bool infer_number(const ts_op_args *a)
{
    if (a->in[0]->dtype == TS_BOOL)
        return FAIL(a, "booleans are not supported");
    return ts_set_out_like(a, 0, a->in[0]);
}

static bool infer_test(const ts_op_args *a)
{
    return ts_need_float(a) && ts_set_out(a, 0, TS_BOOL, a->in[0]->rank, a->in[0]->dim);
}

/* `f` on float and double storage. */
static bool map_real(const ts_op_args *a, double (*f)(double))
{
    const ts_tensor *x = a->in[0];
    ts_tensor *y = a->out[0];
    int64_t n = ts_count(x);
    if (ts_dtype_store(x->dtype) == TS_STORE_F)
        for (int64_t i = 0; i < n; i++)
            y->data.f[i] = (float)f(x->data.f[i]);
    else
        for (int64_t i = 0; i < n; i++)
            y->data.d[i] = f(x->data.d[i]);
    return true;
}

static bool map_int(const ts_op_args *a, int64_t (*f)(int64_t))
{
    for (int64_t i = 0, n = ts_count(a->in[0]); i < n; i++)
        a->out[0]->data.i[i] = f(a->in[0]->data.i[i]);
    return true;
}

static double recip(double x)
{
    return 1 / x;
}
/* exp never overflows */
static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double softsign(double x)
{
    return x / (1 + fabs(x));
}
static double mish(double x)
{
    return x * tanh(softplus(x));
}
static double hard_swish(double x)
{
    const double gate = x / 6 + 0.5;
    return x * (gate < 0 ? 0 : gate > 1 ? 1 : gate);
}

#define REAL(Name, f) \
    static bool eval_##Name(const ts_op_args *a) \
    { \
        return map_real(a, f); \
    } \
    const ts_op_hooks ts_##Name##_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_float, .eval = eval_##Name};
REAL(Acos, acos)
REAL(Acosh, acosh)
REAL(Asin, asin)
REAL(Asinh, asinh)
REAL(Atan, atan)
REAL(Atanh, atanh)
REAL(Ceil, ceil)
REAL(Cos, cos)
REAL(Cosh, cosh)
REAL(Erf, erf)
REAL(Exp, exp)
REAL(Floor, floor)
REAL(HardSwish, hard_swish)
REAL(Log, log)
REAL(Mish, mish)
REAL(Reciprocal, recip)
REAL(Round, nearbyint) /* halves to even, the default rounding mode */
REAL(Sigmoid, sigmoid)
REAL(Sin, sin)
REAL(Sinh, sinh)
REAL(Softplus, softplus)
REAL(Softsign, softsign)
REAL(Sqrt, sqrt)
REAL(Tan, tan)
REAL(Tanh, tanh)
REAL(ms_Gelu, ts_gelu_erf)

/* NaN stays */
static double relu(double x)
{
    return x < 0 ? 0 : x;
}
static double negative(double x)
{
    return -x;
}
static double sign(double x)
{
    return isnan(x) ? x : (double)((x > 0) - (x < 0));
}
static int64_t abs_int(int64_t x)
{
    return x < 0 ? (int64_t)(0 - (uint64_t)x) : x;
}
static int64_t relu_int(int64_t x)
{
    return x < 0 ? 0 : x;
}
static int64_t negative_int(int64_t x)
{
    return (int64_t)(0 - (uint64_t)x);
}
static int64_t sign_int(int64_t x)
{
    return (x > 0) - (x < 0);
}

#define NUMBER(Name, real, integer) \
    static bool eval_##Name(const ts_op_args *a) \
    { \
        return ts_is_float(a->in[0]->dtype) ? map_real(a, real) : map_int(a, integer); \
    } \
    const ts_op_hooks ts_##Name##_hooks = { \
        .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_number, .eval = eval_##Name};
NUMBER(Abs, fabs, abs_int)
NUMBER(Neg, negative, negative_int)
NUMBER(Relu, relu, relu_int)
NUMBER(Sign, sign, sign_int)

static bool eval_gelu(const ts_op_args *a)
{
    return map_real(a, strcmp(ts_attr_string(a->node, "approximate", "none"), "tanh") == 0 ? ts_gelu_tanh : ts_gelu_erf);
}
const ts_op_hooks ts_Gelu_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_float, .eval = eval_gelu};

/* onnxruntime's BiasGelu(x, b) = gelu(x + b) and FastGelu, the tanh form, whose bias is optional; b is one row. */
static bool infer_bias_gelu(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *b = ts_arg(a, 1);
    if (!ts_need_float(a))
        return false;
    if (b && (b->rank != 1 || x->rank == 0 || b->dim[0] != x->dim[x->rank - 1]))
        return FAIL(a, "the bias must have one value a channel (the last dimension of input 0)");
    return ts_set_out_like(a, 0, x);
}

static bool bias_gelu(const ts_op_args *a, double (*gelu)(double))
{
    const ts_tensor *x = a->in[0], *b = ts_arg(a, 1);
    int64_t d = b ? b->dim[0] : 1;
    for (int64_t i = 0, n = ts_count(x); i < n; i++)
        ts_set_real(a->out[0], i, gelu(ts_get_real(x, i) + (b ? ts_get_real(b, i % d) : 0)));
    return true;
}
static bool eval_bias_gelu(const ts_op_args *a)
{
    return bias_gelu(a, ts_gelu_erf);
}
static bool eval_fast_gelu(const ts_op_args *a)
{
    return bias_gelu(a, ts_gelu_tanh);
}
const ts_op_hooks ts_ms_BiasGelu_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_bias_gelu, .eval = eval_bias_gelu};
const ts_op_hooks ts_ms_FastGelu_hooks = {
    .min_in = 1, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_bias_gelu, .eval = eval_fast_gelu};

static bool eval_is_nan(const ts_op_args *a)
{
    for (int64_t i = 0, n = ts_count(a->in[0]); i < n; i++)
        a->out[0]->data.i[i] = isnan(ts_get_real(a->in[0], i)) != 0;
    return true;
}
const ts_op_hooks ts_IsNaN_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_test, .eval = eval_is_nan};

static bool eval_is_inf(const ts_op_args *a)
{
    bool negative_too = ts_attr_int(a->node, "detect_negative", 1) != 0, positive_too = ts_attr_int(a->node, "detect_positive", 1) != 0;
    for (int64_t i = 0, n = ts_count(a->in[0]); i < n; i++) {
        double x = ts_get_real(a->in[0], i);
        a->out[0]->data.i[i] = isinf(x) && (x < 0 ? negative_too : positive_too);
    }
    return true;
}
const ts_op_hooks ts_IsInf_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_test, .eval = eval_is_inf};

static bool infer_not(const ts_op_args *a)
{
    if (a->in[0]->dtype != TS_BOOL)
        return FAIL(a, "input is %s; only booleans are supported", ts_dtype_name(a->in[0]->dtype));
    return ts_set_out_like(a, 0, a->in[0]);
}
static int64_t logical_not(int64_t x)
{
    return !x;
}
static bool eval_not(const ts_op_args *a)
{
    return map_int(a, logical_not);
}
const ts_op_hooks ts_Not_hooks = {.min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_not, .eval = eval_not};

/* Bounds are attributes up to opset 10 and scalar inputs from 11 on. */
static bool infer_clip(const ts_op_args *a)
{
    for (int i = 1; i < a->ins; i++)
        if (a->in[i] && ts_count(a->in[i]) != 1)
            return FAIL(a, "bound %d must be one number", i);
    return ts_need_same_type(a) && infer_number(a);
}

static bool eval_clip(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *low = ts_arg(a, 1), *high = ts_arg(a, 2);
    int64_t n = ts_count(x);
    if (!ts_is_float(x->dtype)) {
        int64_t lo = low ? low->data.i[0] : INT64_MIN, hi = high ? high->data.i[0] : INT64_MAX;
        for (int64_t i = 0; i < n; i++) {
            int64_t v = x->data.i[i] < lo ? lo : x->data.i[i];
            a->out[0]->data.i[i] = v > hi ? hi : v;
        }
        return true;
    }
    double lo = low ? ts_get_real(low, 0) : ts_attr_float(a->node, "min", -INFINITY);
    double hi = high ? ts_get_real(high, 0) : ts_attr_float(a->node, "max", INFINITY);
    for (int64_t i = 0; i < n; i++) {
        double v = ts_get_real(x, i);
        v = v < lo ? lo : v;
        ts_set_real(a->out[0], i, v > hi ? hi : v);
    }
    return true;
}
const ts_op_hooks ts_Clip_hooks = {.min_in = 1, .max_in = 3, .min_out = 1, .max_out = 1, .infer = infer_clip, .eval = eval_clip};
