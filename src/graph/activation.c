#include "graph/activation.h"

#include <math.h>

#include "base/err.h"

/* ---- In double: tables are filled from these. ---- */

static double f_NONE(double x)
{
    return x;
}
static double f_RELU(double x)
{
    return x > 0 ? x : 0;
}
static double f_GELU_ERF(double x)
{
    return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
}
static double f_GELU_TANH(double x)
{
    return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x)));
}
static double f_SILU(double x)
{
    return x / (1 + exp(-x));
}
static double f_GELU_QUICK(double x)
{
    return x / (1 + exp(-1.702 * x));
}
static double f_HARD_SWISH(double x)
{
    return x * fmin(fmax(x / 6 + 0.5, 0), 1);
}
static double f_SOFTPLUS(double x) /* exp never overflows */
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
static double f_MISH(double x)
{
    return x * tanh(f_SOFTPLUS(x));
}
static double f_ELU(double x)
{
    return x > 0 ? x : expm1(x);
}
static double f_TANH(double x)
{
    return tanh(x);
}

/* ---- In single precision: what the float engine computes. ---- */

#define FLOATS(id, expression) \
    static void floats_##id(size_t count, float *y) \
    { \
        for (size_t i = 0; i < count; i++) { \
            const float x = y[i]; \
            y[i] = (expression); \
        } \
    }
#define ROUNDED(id) FLOATS(id, (float)f_##id((double)x))

static void floats_NONE(size_t count, float *y)
{
}
FLOATS(RELU, x > 0.0F ? x : 0.0F)
FLOATS(GELU_ERF, 0.5F * x * (1.0F + erff(x * 0.70710678F)))
FLOATS(GELU_TANH, 0.5F * x * (1.0F + tanhf(0.79788456F * (x + 0.044715F * x * x * x))))
FLOATS(SILU, x / (1.0F + expf(-x)))
ROUNDED(GELU_QUICK)
ROUNDED(HARD_SWISH)
ROUNDED(MISH)
ROUNDED(ELU)
ROUNDED(TANH)
ROUNDED(SOFTPLUS)

static const struct {
    const char *name;
    bool table;
    double low, high, below;
    double (*f)(double x);
    void (*floats)(size_t count, float *y);
} rows[TS_ACT_COUNT] = {
#define ACT(id, name, table, low, high, below) [TS_ACT_##id] = {name, table, low, high, below, f_##id, floats_##id},
#include "graph/activations.def"
#undef ACT
};

const char *ts_act_name(ts_act act)
{
    return rows[act].name;
}

bool ts_act_has_table(ts_act act)
{
    return rows[act].table;
}

double ts_activate(ts_act act, double x)
{
    return rows[act].f(x);
}

void ts_activate_floats(ts_act act, size_t count, float *y)
{
    rows[act].floats(count, y);
}

double ts_act_low(ts_act act)
{
    return rows[act].low;
}

double ts_act_high(ts_act act)
{
    return rows[act].high;
}

double ts_act_below(ts_act act)
{
    return rows[act].below;
}
