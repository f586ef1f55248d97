/* Activations: operators that are one, and those that exporters put together of a function and products (recognise_poly.c). */
#include <math.h>
#include <string.h>

#include "op/op.h"
#include "pass/recognise_poly.h"

/* ---- What is recognised, a row each. ---- */

/* unit * x * f(a), unit * x * (1 + f(a)) or unit * f(a), where a = a0 + a1 * x + a3 * x^3, or another function of x. Rows with one
   function of one argument may differ in the rest. */
enum { ALONE, TIMES_X, TIMES_X_PLUS_1 };
enum { OF_X = -1 };
static const struct act_row {
    rec_function f;
    double a0, a1, a3;
    int of; /* OF_X, or the function that f takes, itself of the same argument */
    int form;
    double unit;
    ts_act act;
} rows[] = {
    {FN_ERF, 0, 0.70710678118654752, 0, OF_X, TIMES_X_PLUS_1, 0.5, TS_ACT_GELU_ERF},
    {FN_TANH, 0, 0.79788456080286536, 0.79788456080286536 * 0.044715, OF_X, TIMES_X_PLUS_1, 0.5, TS_ACT_GELU_TANH},
    {FN_SIGMOID, 0, 1, 0, OF_X, TIMES_X, 1, TS_ACT_SILU},
    {FN_SIGMOID, 0, 1.702, 0, OF_X, TIMES_X, 1, TS_ACT_GELU_QUICK},
    {FN_CLIP_1, 0.5, 1.0 / 6, 0, OF_X, TIMES_X, 1, TS_ACT_HARD_SWISH},
    {FN_SOFTPLUS, 0, 1, 0, OF_X, ALONE, 1, TS_ACT_SOFTPLUS},
    {FN_TANH, 0, 1, 0, FN_SOFTPLUS, TIMES_X, 1, TS_ACT_MISH},
    {FN_TANH, 0, 1, 0, OF_X, ALONE, 1, TS_ACT_TANH},
};
enum { ROWS = sizeof rows / sizeof rows[0] };
_Static_assert((int)ROWS <= (int)REC_ACT_ROWS, "a variable for each row: give recognise_value.h more of them");

/* Said of a function whose argument is that of no row. */
static const char *const otherwise[] = {
    [FN_ERF] = "this Erf is not that of a GELU: its argument must be x / sqrt(2)",
    [FN_TANH] = "this Tanh is no activation and not that of one: GELU has tanh(sqrt(2/pi) * (x + 0.044715 x^3)), Mish tanh(softplus(x))",
    [FN_SIGMOID] = "this Sigmoid is not that of an activation: SiLU has x * sigmoid(x), the quick GELU x * sigmoid(1.702 x)",
    [FN_SOFTPLUS] = "this Softplus is no activation and not that of Mish, x * tanh(softplus(x))",
    [FN_CLIP_1] = "this Clip or HardSigmoid is no ReLU, Clip(x, 0, infinity), and not that of a hard Swish, x * clip(x + 3, 0, 6) / 6",
};

/* Operators that are an activation, with the attribute that it depends on, where there is one. */
static const struct {
    ts_op_kind op;
    ts_act act;
    const char *attr, *word; /* a string, or */
    double number, assumed;  /* a number, and where it is not given */
} whole[] = {
    {TS_OP_Relu, TS_ACT_RELU, NULL, NULL, 0, 0},
    {TS_OP_Gelu, TS_ACT_GELU_ERF, "approximate", "none", 0, 0},
    {TS_OP_Gelu, TS_ACT_GELU_TANH, "approximate", "tanh", 0, 0},
    {TS_OP_ms_Gelu, TS_ACT_GELU_ERF, NULL, NULL, 0, 0},
    {TS_OP_ms_QuickGelu, TS_ACT_GELU_QUICK, "alpha", NULL, 1.702, 1.702},
    {TS_OP_ms_QuickGelu, TS_ACT_SILU, "alpha", NULL, 1, 1.702},
    {TS_OP_Swish, TS_ACT_SILU, "alpha", NULL, 1, 1},
    {TS_OP_Swish, TS_ACT_GELU_QUICK, "alpha", NULL, 1.702, 1},
    {TS_OP_HardSwish, TS_ACT_HARD_SWISH, NULL, NULL, 0, 0},
    {TS_OP_Mish, TS_ACT_MISH, NULL, NULL, 0, 0},
    {TS_OP_Elu, TS_ACT_ELU, "alpha", NULL, 1, 1},
};
enum { WHOLE = sizeof whole / sizeof whole[0] };

/* ---- Functions and what they end as ---- */

/* The variable of a row's function: that of the first row with the same one of the same argument. */
static int variable(int row)
{
    int first = 0;
    while (rows[first].f != rows[row].f || rows[first].a0 != rows[row].a0 || rows[first].a1 != rows[row].a1 ||
           rows[first].a3 != rows[row].a3 || rows[first].of != rows[row].of)
        first++;
    return VAR_F + first;
}

/* The variable of f(p), or -1. */
static int function_of(rec_function f, const rec_poly *p)
{
    double a[4] = {0};
    int of = OF_X;
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        int power = -1;
        for (int k = 0; k < 4; k++)
            power = ts_poly_is_power(m, VAR_X, k) ? k : power;
        for (int row = 0; row < ROWS && power < 0 && p->count == 1; row++)
            if (ts_poly_is_power(m, variable(row), 1)) {
                of = (int)rows[row].f;
                power = 1;
            }
        if (power < 0 || m->v)
            return -1;
        a[power] = m->c;
    }
    for (int row = 0; row < ROWS; row++)
        if (rows[row].f == f && rows[row].of == of && a[2] == 0 && ts_poly_near(a[0], rows[row].a0) && ts_poly_near(a[1], rows[row].a1) &&
            ts_poly_near(a[3], rows[row].a3))
            return variable(row);
    return -1;
}

/* Whether an activation is this function and nothing more. */
static bool stands_alone(int var)
{
    for (int row = 0; row < ROWS; row++)
        if (variable(row) == var && rows[row].form == ALONE)
            return true;
    return false;
}

const rec_val *ts_rec_function(rec *r, const rec_val *v, rec_function f)
{
    const rec_val *p = ts_poly_of(r, v, NULL);
    int var = function_of(f, p->poly);
    if (var < 0 && v->kind == VAL_LINEAR && v->scale != 1.0) { /* a factor that belongs to what it is a function of */
        p = ts_poly_of(r, ts_poly_linear(r, v, ts_form_freeze(r, ts_form_scale(r, v->form, v->scale, NULL)), 1.0), NULL);
        var = function_of(f, p->poly);
        var = var >= 0 && stands_alone(var) ? var : -1;
    }
    if (var < 0) {
        ts_rec_fail(r, r->node, "%s", otherwise[f]);
        return NULL;
    }
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    *out = (rec_poly){.x = p->poly->x, .eps = p->poly->eps, .group = p->poly->group, .count = 1};
    out->mono[0].c = 1.0;
    out->mono[0].power[var] = 1;
    return ts_poly_val(r, p, v->shape, out);
}

static const rec_val *act_value(rec *r, const rec_val *like, const rec_base *from, ts_act act, double scale)
{
    rec_base *base = ts_base_new(r, BASE_ACT, from->width);
    base->node = like->node;
    base->from = from;
    base->act = act;
    return ts_poly_linear(r, like, ts_base_share(r, base), scale);
}

/* c * (its form), or 0. */
static double factor_of(const rec_poly *p, int row)
{
    const int x = rows[row].form == ALONE ? 0 : 1;
    double plain = 0, f = 0;
    for (int i = 0; i < p->count; i++) {
        rec_mono m = p->mono[i];
        if (m.v || m.power[VAR_X] != x)
            return 0;
        m.power[VAR_X] = 0;
        if (ts_poly_is_power(&m, variable(row), 1))
            f = m.c;
        else if (ts_poly_is_power(&m, VAR_X, 0))
            plain = m.c;
        else
            return 0;
    }
    if (rows[row].form == TIMES_X_PLUS_1 ? !ts_poly_near(f, plain) : plain != 0)
        return 0;
    return f / rows[row].unit;
}

const rec_val *ts_poly_activation(rec *r, const rec_val *v)
{
    for (int row = 0; row < ROWS; row++) {
        const double scale = factor_of(v->poly, row);
        if (scale != 0)
            return act_value(r, v, v->poly->x, rows[row].act, ts_poly_near(scale, 1.0) ? 1.0 : scale);
    }
    return NULL;
}

/* ---- Operators ---- */

const rec_val *ts_rec_activation(rec *r, const rec_val *v, ts_act act)
{
    const rec_form *f = ts_rec_form(r, v);
    if (!f)
        return NULL;
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *act_value(r, v, ts_form_freeze(r, f), act, 1.0);
    out->node = r->node;
    return out;
}

bool ts_rec_is_activation(const ts_node *node)
{
    for (int i = 0; i < WHOLE; i++)
        if (whole[i].op == ts_kind(node))
            return true;
    return false;
}

bool ts_rec_activation_node(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id], *out = NULL;
    int row = -1;
    for (int i = 0; i < WHOLE && row < 0; i++) {
        const char *attr = whole[i].attr;
        if (whole[i].op == ts_kind(node) &&
            (!attr || (whole[i].word ? strcmp(ts_attr_string(node, attr, "none"), whole[i].word) == 0
                                     : ts_poly_near(ts_attr_float(node, attr, whole[i].assumed), whole[i].number))))
            row = i;
    }
    if (v->kind == VAL_MASK)
        out = ts_mask_unary(r, v);
    else if (row < 0)
        ts_rec_fail(r, node, "an activation with this attribute has no hardware; that of the usual one has");
    else
        out = ts_rec_activation(r, v, whole[row].act);
    r->val[node->out[0]->id] = out;
    return out != NULL;
}
