/* Activations with parameters, elementwise; computed in double and rounded once. */
#include <math.h>

#include "op/hook.h"

static bool infer_activation(const ts_op_args *a)
{
    return ts_need_float(a) && ts_set_out_like(a, 0, a->in[0]);
}

/* The two parameters of each: p and q are attributes with their defaults. NaN stays in all of them. */
static bool map(const ts_op_args *a, double (*f)(double x, double p, double q), const char *p_name, double p, const char *q_name, double q)
{
    p = ts_attr_float(a->node, p_name, p);
    q = ts_attr_float(a->node, q_name, q);
    for (int64_t i = 0, n = ts_count(a->in[0]); i < n; i++)
        ts_set_real(a->out[0], i, f(ts_get_real(a->in[0], i), p, q));
    return true;
}

static double elu(double x, double alpha, double gamma)
{
    return gamma * (x < 0 ? alpha * expm1(x) : x);
}
static double celu(double x, double alpha, double none)
{
    return x < 0 ? alpha * expm1(x / alpha) : x;
}
static double hard_sigmoid(double x, double alpha, double beta)
{
    const double y = alpha * x + beta;
    return y < 0 ? 0 : y > 1 ? 1 : y;
}
static double leaky_relu(double x, double alpha, double none)
{
    return x < 0 ? alpha * x : x;
}
static double shrink(double x, double lambd, double bias)
{
    return x < -lambd ? x + bias : x > lambd ? x - bias : isnan(x) ? x : 0;
}
static double swish(double x, double alpha, double none)
{
    return x / (1 + exp(-alpha * x));
}
static double thresholded_relu(double x, double alpha, double none)
{
    return x > alpha || isnan(x) ? x : 0;
}

#define ACTIVATION(Name, f, p_name, p, q_name, q) \
    static bool eval_##Name(const ts_op_args *a) \
    { \
        return map(a, f, p_name, p, q_name, q); \
    } \
    const ts_op_hooks ts_##Name##_hooks = { \
        .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_activation, .eval = eval_##Name};
ACTIVATION(Celu, celu, "alpha", 1, "", 0)
ACTIVATION(Elu, elu, "alpha", 1, "", 1)
ACTIVATION(HardSigmoid, hard_sigmoid, "alpha", 0.2, "beta", 0.5)
ACTIVATION(LeakyRelu, leaky_relu, "alpha", 0.01, "", 0)
ACTIVATION(Selu, elu, "alpha", 1.67326319217681884765625, "gamma", 1.05070102214813232421875)
ACTIVATION(Shrink, shrink, "lambd", 0.5, "bias", 0)
ACTIVATION(Swish, swish, "alpha", 1, "", 0)
ACTIVATION(ms_QuickGelu, swish, "alpha", 1.702, "", 0)
ACTIVATION(ThresholdedRelu, thresholded_relu, "alpha", 1, "", 0)
