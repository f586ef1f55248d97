/* Norms and activations, however they are spelled. What an exporter makes of them is a polynomial with per-channel
   coefficients in x, the moments of x over the channels, r = 1/sqrt(variance + eps) and erf, tanh, sigmoid of x. So
   ((x - mean) * r) * g + b, x * (r * g) + (b - mean * r * g) and E[x^2] - mean^2 as variance all end as one normal form. */
#include <math.h>
#include <string.h>

#include "pass/recognise_value.h"

/* Constants of activations are recognised within this relative error: exporters write them as float, or as 0.7071. */
static const double CONSTANT_ERROR = 1e-4;

/* ---- What is recognised: a row each. A new activation is a row (and, with another function in it, a VAR_ and its operator), a new norm
 * too. */

/* c * x * f(argument), or c * x * (1 + f(argument)) with argument = x1 * x + x3 * x^3. */
static const struct {
    int var; /* f */
    ts_act act;
    double x1, x3;
    bool plus_one;
    const char *wrong; /* another argument */
} activations[] = {
    {VAR_ERF, TS_ACT_GELU_ERF, 0.70710678118654752, 0, true, "this Erf is not that of a GELU: its argument must be x / sqrt(2)"},
    {VAR_TANH, TS_ACT_GELU_TANH, 0.79788456080286536, 0.79788456080286536 * 0.044715, true,
     "Tanh is supported only inside the GELU approximation, tanh(sqrt(2/pi) * (x + 0.044715 x^3)); use ReLU, GELU or SiLU"},
    {VAR_SIGMOID, TS_ACT_SILU, 1, 0, false, "Sigmoid is supported only inside SiLU, x * sigmoid(x); use ReLU, GELU or SiLU"},
};
enum { ACTIVATIONS = sizeof activations / sizeof activations[0] };

/* gain * (x - centre * mean) * r + bias with r = 1 / sqrt(mean of squares - centre * mean^2 + eps). */
static const struct {
    int var; /* r */
    double centre;
} norms[] = {
    {VAR_RSTD, 1},
};
enum { NORMS = sizeof norms / sizeof norms[0] };

static bool near(double a, double b)
{
    return fabs(a - b) <= CONSTANT_ERROR * fabs(b);
}

static const rec_val *fail(rec *r, const char *what)
{
    ts_rec_fail(r, r->node, "%s", what);
    return NULL;
}

static rec_val *new_val(rec *r, const rec_val *like, const ts_shape *shape, const rec_poly *poly)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = (rec_val){.kind = VAL_POLY, .layout = like->layout, .shape = shape, .node = r->node, .poly = poly};
    return out;
}

static bool is_power(const rec_mono *m, int var, int power)
{
    for (int i = 0; i < REC_VARS; i++)
        if (m->power[i] != (i == var ? power : 0))
            return false;
    return true;
}

/* Whether a polynomial is one number a token: no x, nothing per channel. */
static bool is_moment(const rec_poly *p)
{
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        if (m->v || m->power[VAR_X] || m->power[VAR_ERF] || m->power[VAR_TANH] || m->power[VAR_SIGMOID])
            return false;
    }
    return true;
}

/* Adds a monomial, in the place of an equal one where there is one. Coefficients that cancel are dropped. */
static bool put(rec *r, rec_poly *p, rec_mono m)
{
    const int width = p->x->width;
    if (!m.v && m.c == 0.0)
        return true;
    for (int i = 0; i < p->count; i++) {
        rec_mono *old = &p->mono[i];
        if (memcmp(old->power, m.power, sizeof m.power) != 0)
            continue;
        bool zero;
        if (!old->v && !m.v) {
            old->c += m.c;
            zero = fabs(old->c) <= 1e-7 * fabs(m.c);
        } else {
            double *v = TS_NEW_N(r->arena, double, width);
            zero = true;
            for (int j = 0; j < width; j++) {
                const double add = m.v ? m.v[j] : m.c;
                v[j] = (old->v ? old->v[j] : old->c) + add;
                zero &= fabs(v[j]) <= 1e-7 * fabs(add);
            }
            old->v = v;
        }
        if (zero)
            *old = p->mono[--p->count];
        return true;
    }
    if (p->count == REC_MAX_MONOS)
        return false;
    p->mono[p->count++] = m;
    return true;
}

static const rec_val *complete(rec *r, const rec_val *v);

/* v as a polynomial, in `over` (or NULL) if v is a linear that this base stands for. A scale that is not part of the base
   stays a coefficient: GELU takes erf of x / sqrt(2) and multiplies with x itself. */
static const rec_val *to_poly(rec *r, const rec_val *v, const rec_base *over)
{
    if (v->kind == VAL_POLY && (!over || v->poly->x == over))
        return v;
    if (v->kind == VAL_POLY) { /* a finished norm or activation, of which something else is computed */
        const rec_val *done = complete(r, v);
        return done && done->form->term[0].base == over ? to_poly(r, done, over) : v;
    }
    rec_poly *p = TS_NEW(r->arena, rec_poly);
    const rec_form *scaled = ts_form_scale(r, v->form, v->scale, NULL);
    const bool is_over = over && (ts_form_is_identity(scaled) ? scaled->term[0].base : ts_form_find(r, scaled)) == over;
    p->x = is_over ? over : ts_form_freeze(r, v->form);
    p->eps = -1;
    p->count = 1;
    p->mono[0].c = is_over ? 1.0 : v->scale;
    p->mono[0].power[VAR_X] = 1;
    return new_val(r, v, v->shape, p);
}

static const rec_base *poly_base(const rec_val *v)
{
    return v->kind == VAL_POLY ? v->poly->x : NULL;
}

/* Both operands over one base, where they can be. */
static void common_base(rec *r, const rec_val **a, const rec_val **b)
{
    const rec_base *base = poly_base(*b) ? poly_base(*b) : poly_base(*a);
    const rec_val *first = to_poly(r, *a, base), *second = to_poly(r, *b, first->poly->x);
    *a = to_poly(r, first, second->poly->x);
    *b = second;
}

static const char *const too_complex = "what is computed here is no layer normalisation and no activation that is known (ReLU, GELU, SiLU)";

static bool same_base(rec *r, const rec_poly *a, const rec_poly *b, rec_poly *out)
{
    if (a->x != b->x)
        return ts_rec_fail(r, r->node, "a product of two different results (%s, %s) has no hardware; feed-forward blocks cannot be gated",
                           ts_rec_name(a->x->node), ts_rec_name(b->x->node));
    if (a->eps >= 0 && b->eps >= 0 && a->eps != b->eps)
        return ts_rec_fail(r, r->node, "a normalisation uses two different epsilons");
    *out = (rec_poly){.x = a->x, .eps = a->eps >= 0 ? a->eps : b->eps};
    return true;
}

/* Whether `v` is, or is a polynomial in, `base`; asking must not freeze a form, which would change how sums look. */
static bool is_over(rec *r, const rec_val *v, const rec_base *base)
{
    if (v->kind == VAL_POLY) {
        const rec_val *done = v->poly->x == base ? NULL : complete(r, v);
        return v->poly->x == base || (done && done->form->term[0].base == base);
    }
    const rec_form *scaled = ts_form_scale(r, v->form, v->scale, NULL);
    if (ts_form_is_identity(scaled) ? scaled->term[0].base == base : ts_form_find(r, scaled) == base)
        return true;
    return ts_form_is_identity(v->form) ? v->form->term[0].base == base : ts_form_find(r, v->form) == base;
}

bool ts_rec_poly_same(rec *r, const rec_val *a, const rec_val *b)
{
    if ((a->kind != VAL_POLY && a->kind != VAL_LINEAR) || (b->kind != VAL_POLY && b->kind != VAL_LINEAR))
        return false;
    return (a->kind == VAL_POLY && is_over(r, b, a->poly->x)) || (b->kind == VAL_POLY && is_over(r, a, b->poly->x));
}

/* The operand with more rows decides the layout of the result; the other one is one number a token. */
static const rec_val *wider(const rec_val *a, const rec_val *b)
{
    return ts_layout_rows(&a->layout) >= ts_layout_rows(&b->layout) ? a : b;
}

static bool add_poly(rec *r, rec_poly *out, const rec_poly *p, double sign)
{
    for (int i = 0; i < p->count; i++) {
        rec_mono m = p->mono[i];
        m.c *= sign;
        if (m.v && sign != 1.0) {
            double *v = TS_NEW_N(r->arena, double, p->x->width);
            for (int j = 0; j < p->x->width; j++)
                v[j] = sign * m.v[j];
            m.v = v;
        }
        if (!put(r, out, m))
            return ts_rec_fail(r, r->node, "%s", too_complex);
    }
    return true;
}

const rec_val *ts_rec_poly_add(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b, double sign)
{
    common_base(r, &a, &b);
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    if (!same_base(r, a->poly, b->poly, out) || !add_poly(r, out, a->poly, 1.0) || !add_poly(r, out, b->poly, sign))
        return NULL;
    return new_val(r, wider(a, b), shape, out);
}

static bool multiply(rec *r, const rec_poly *a, const rec_poly *b, rec_poly *out)
{
    if (!same_base(r, a, b, out))
        return false;
    for (int i = 0; i < a->count; i++)
        for (int j = 0; j < b->count; j++) {
            const rec_mono *s = &a->mono[i], *t = &b->mono[j];
            rec_mono m = {.c = s->c * t->c};
            for (int k = 0; k < REC_VARS; k++)
                m.power[k] = (signed char)(s->power[k] + t->power[k]);
            if (s->v || t->v) {
                double *v = TS_NEW_N(r->arena, double, a->x->width);
                for (int k = 0; k < a->x->width; k++)
                    v[k] = (s->v ? s->v[k] : s->c) * (t->v ? t->v[k] : t->c);
                m.v = v;
            }
            for (int k = 0; k < REC_VARS; k++)
                if (m.power[k] > 8 || m.power[k] < -8)
                    return ts_rec_fail(r, r->node, "%s", too_complex);
            if (!put(r, out, m))
                return ts_rec_fail(r, r->node, "%s", too_complex);
        }
    return true;
}

/* 1/p, of a single monomial that is one number a token. */
static bool invert(rec *r, const rec_poly *p, rec_poly *out)
{
    if (p->count != 1 || !is_moment(p) || p->mono[0].c == 0.0)
        return ts_rec_fail(r, r->node, "this division is not that of a layer normalisation: it must be by sqrt(variance + epsilon)");
    *out = *p;
    out->mono[0].c = 1.0 / p->mono[0].c;
    for (int k = 0; k < REC_VARS; k++)
        out->mono[0].power[k] = (signed char)-p->mono[0].power[k];
    return true;
}

const rec_val *ts_rec_poly_mul(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b, bool divide)
{
    common_base(r, &a, &b);
    rec_poly *out = TS_NEW(r->arena, rec_poly), inverse = *b->poly;
    if ((divide && !invert(r, b->poly, &inverse)) || !multiply(r, a->poly, &inverse, out))
        return NULL;
    return new_val(r, wider(a, b), shape, out);
}

static bool all_equal(const rec_val *v, const double *by)
{
    const int64_t rows = ts_layout_rows(&v->layout);
    for (int64_t i = 1; i < rows; i++)
        if (by[i] != by[0])
            return false;
    return true;
}

const rec_val *ts_rec_poly_shift(rec *r, const rec_val *v, const double *by)
{
    v = to_poly(r, v, NULL);
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    *out = *v->poly;
    rec_mono m = {.c = by[0]};
    if (!all_equal(v, by))
        m.v = by;
    if (!put(r, out, m))
        return fail(r, too_complex);
    return new_val(r, v, v->shape, out);
}

const rec_val *ts_rec_poly_scale(rec *r, const rec_val *v, const double *by)
{
    v = to_poly(r, v, NULL);
    rec_poly *out = TS_NEW(r->arena, rec_poly), factor = {.x = v->poly->x, .eps = -1, .count = 1};
    factor.mono[0].c = by[0];
    if (!all_equal(v, by))
        factor.mono[0].v = by;
    if (!multiply(r, v->poly, &factor, out))
        return NULL;
    return new_val(r, v, v->shape, out);
}

/* factor * (mean of squares - centre * mean^2) + eps: the norm's row, or -1. */
static int as_variance(const rec_poly *p, double *factor, double *eps)
{
    double square = 0, mean = 0, rest = 0;
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        if (m->v)
            return -1;
        if (is_power(m, VAR_SQUARE, 1))
            square = m->c;
        else if (is_power(m, VAR_MEAN, 2))
            mean = m->c;
        else if (is_power(m, VAR_X, 0))
            rest = m->c;
        else
            return -1;
    }
    *factor = near(square, 1.0) ? 1.0 : square; /* 1/d is rounded in some files; the unbiased variance is d/(d-1) */
    *eps = rest;
    for (int n = 0; n < NORMS && square > 0 && rest >= 0; n++)
        if (near(mean, -norms[n].centre * square))
            return n;
    return -1;
}

/* factor * mean of squares + eps */
static bool is_mean_square(const rec_poly *p)
{
    bool square = false;
    for (int i = 0; i < p->count; i++) {
        if (is_power(&p->mono[i], VAR_SQUARE, 1))
            square = true;
        else if (!is_power(&p->mono[i], VAR_X, 0))
            return false;
    }
    return square;
}

const char *const ts_rec_no_rms_norm =
    "this is RMS normalisation, x / sqrt(mean(x^2) + epsilon): tessera has no RMS norm yet; train with LayerNorm";

const rec_val *ts_rec_poly_power(rec *r, const rec_val *v, double exponent)
{
    v = to_poly(r, v, NULL);
    const rec_poly *p = v->poly;
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    if (exponent == -1.0) {
        if (!invert(r, p, out))
            return NULL;
    } else if (exponent == 2.0 || exponent == 3.0) {
        rec_poly square;
        if (!multiply(r, p, p, exponent == 2.0 ? out : &square) || (exponent == 3.0 && !multiply(r, &square, p, out)))
            return NULL;
    } else if (exponent == 0.5 || exponent == -0.5) {
        double eps, factor;
        const int norm = as_variance(p, &factor, &eps);
        if (norm < 0)
            return exponent == 0.5 && ts_rec_is_size(v) ? ts_rec_size(r, v, &v->layout, v->shape)
                   : is_mean_square(p)                  ? fail(r, ts_rec_no_rms_norm)
                                       : fail(r, "the square root is not of a variance + epsilon over all channels of a hit; only "
                                                 "layer normalisation has hardware");
        *out = (rec_poly){.x = p->x, .eps = eps / factor, .count = 1};
        out->mono[0].c = pow(factor, exponent);
        out->mono[0].power[norms[norm].var] = exponent > 0 ? -1 : 1;
    } else {
        return fail(r, too_complex);
    }
    return new_val(r, v, v->shape, out);
}

const rec_val *ts_rec_poly_function(rec *r, const rec_val *v, int var)
{
    v = to_poly(r, v, NULL);
    const rec_poly *p = v->poly;
    double x1 = 0, x3 = 0;
    bool ok = true;
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        if (is_power(m, VAR_X, 1) && !m->v)
            x1 = m->c;
        else if (is_power(m, VAR_X, 3) && !m->v)
            x3 = m->c;
        else
            ok = false;
    }
    int row = 0;
    while (activations[row].var != var)
        CHECK(++row < ACTIVATIONS);
    if (!ok || !near(x1, activations[row].x1) || !near(x3, activations[row].x3))
        return fail(r, activations[row].wrong);
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    *out = (rec_poly){.x = p->x, .eps = p->eps, .count = 1};
    out->mono[0].c = 1.0;
    out->mono[0].power[var] = 1;
    return new_val(r, v, v->shape, out);
}

const rec_val *ts_rec_poly_reduce(rec *r, const rec_val *v, const rec_layout *layout, const ts_shape *shape, bool mean)
{
    if (v->kind == VAL_POLY && complete(r, v))
        v = complete(r, v);
    if (v->kind == VAL_LINEAR) /* a normalisation starts here: of the value as it is */
        v = to_poly(r, v, ts_form_freeze(r, ts_form_scale(r, v->form, v->scale, NULL)));
    const rec_poly *p = v->poly;
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    *out = (rec_poly){.x = p->x, .eps = p->eps};
    for (int i = 0; i < p->count; i++) {
        rec_mono m = p->mono[i];
        const int x = m.power[VAR_X];
        if (m.v || x < 0 || x > 2 || m.power[VAR_ERF] || m.power[VAR_TANH] || m.power[VAR_SIGMOID])
            return fail(r, "this reduction over the channels is not that of a layer normalisation (mean, variance)");
        m.power[VAR_X] = 0;
        m.power[VAR_MEAN] = (signed char)(m.power[VAR_MEAN] + (x == 1));
        m.power[VAR_SQUARE] = (signed char)(m.power[VAR_SQUARE] + (x == 2));
        if (!mean)
            m.c *= p->x->width;
        if (!put(r, out, m))
            return fail(r, too_complex);
    }
    rec_val *y = new_val(r, v, shape, out);
    y->layout = *layout;
    return y;
}

static rec_val *linear_over(rec *r, const rec_val *v, const rec_base *base, double scale)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = (rec_val){.kind = VAL_LINEAR, .layout = v->layout, .shape = v->shape, .node = v->node, .scale = scale};
    out->form = ts_form_identity(r, base);
    return out;
}

static float *channel_floats(rec *r, int width, const rec_mono *m)
{
    float *f = TS_NEW_N(r->arena, float, width);
    for (int i = 0; m && i < width; i++)
        f[i] = (float)(m->v ? m->v[i] : m->c);
    return f;
}

static const rec_val *as_norm(rec *r, const rec_val *v, int row)
{
    const rec_poly *p = v->poly;
    const int var = norms[row].var, width = p->x->width;
    const rec_mono *gain = NULL, *mean = NULL, *bias = NULL;
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        rec_mono rest = *m;
        rest.power[var] = 0;
        if (is_power(m, VAR_X, 0))
            bias = m;
        else if (m->power[var] == 1 && is_power(&rest, VAR_X, 1))
            gain = m;
        else if (m->power[var] == 1 && is_power(&rest, VAR_MEAN, 1))
            mean = m;
        else
            return NULL;
    }
    if (!gain || !mean != (norms[row].centre == 0))
        return NULL;
    for (int i = 0; i < width; i++) {
        const double g = gain->v ? gain->v[i] : gain->c, m = !mean ? 0 : mean->v ? mean->v[i] : mean->c;
        if (fabs(norms[row].centre * g + m) > 1e-5 * fabs(g))
            return NULL;
    }
    rec_base *base = ts_base_new(r, BASE_NORM, width);
    base->node = v->node;
    base->from = p->x;
    base->eps = p->eps;
    base->gain = channel_floats(r, width, gain);
    base->bias = channel_floats(r, width, bias);
    return linear_over(r, v, ts_base_share(r, base), 1.0);
}

static const rec_val *as_activation(rec *r, const rec_val *v, int row)
{
    const rec_poly *p = v->poly;
    double x = 0, f = 0;
    for (int i = 0; i < p->count; i++) {
        rec_mono m = p->mono[i];
        if (m.v || m.power[VAR_X] != 1)
            return NULL;
        m.power[VAR_X] = 0;
        if (is_power(&m, activations[row].var, 1))
            f = m.c;
        else if (is_power(&m, VAR_X, 0))
            x = m.c;
        else
            return NULL;
    }
    if (f == 0 || (activations[row].plus_one ? !near(f, x) : x != 0))
        return NULL;
    const double scale = activations[row].plus_one ? 2 * x : f; /* GELUs have a half in front */
    rec_base *base = ts_base_new(r, BASE_ACT, p->x->width);
    base->node = v->node;
    base->from = p->x;
    base->act = activations[row].act;
    return linear_over(r, v, ts_base_share(r, base), near(scale, 1.0) ? 1.0 : scale);
}

/* a * x + b. */
static const rec_val *as_affine(rec *r, const rec_val *v)
{
    const rec_poly *p = v->poly;
    const rec_form *f = ts_form_identity(r, p->x);
    double *scale = TS_NEW_N(r->arena, double, p->x->width), *bias = TS_NEW_N(r->arena, double, p->x->width);
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        if (!is_power(m, VAR_X, 1) && !is_power(m, VAR_X, 0))
            return NULL;
        for (int j = 0; j < p->x->width; j++)
            (m->power[VAR_X] ? scale : bias)[j] = m->v ? m->v[j] : m->c;
    }
    rec_val *out = linear_over(r, v, p->x, 1.0);
    out->form = ts_form_shift(r, ts_form_scale(r, f, 1.0, scale), bias);
    return out;
}

/* A finished normalisation or activation as what it is; NULL (no error) where v is neither. */
static const rec_val *complete(rec *r, const rec_val *v)
{
    if (ts_layout_rows(&v->layout) != v->poly->x->width)
        return NULL;
    const rec_val *out = NULL;
    for (int row = 0; row < NORMS && !out; row++)
        out = as_norm(r, v, row);
    for (int row = 0; row < ACTIVATIONS && !out; row++)
        out = as_activation(r, v, row);
    return out;
}

const rec_val *ts_rec_linear(rec *r, const rec_val *v)
{
    if (v->kind == VAL_LINEAR)
        return v;
    if (v->kind == VAL_POLY && ts_layout_rows(&v->layout) == v->poly->x->width) {
        const rec_val *out = complete(r, v);
        if (!out)
            out = as_affine(r, v);
        if (out)
            return out;
    }
    if (v->kind == VAL_SIZE)
        ts_rec_fail_size(r, v);
    else if (v->kind == VAL_POLY)
        ts_rec_fail(r, v->node,
                    "the result of this node is no complete layer normalisation, (x - mean) / sqrt(variance + epsilon) * gain + "
                    "bias over all channels, and no activation that is known (ReLU, GELU, SiLU)");
    else
        ts_rec_fail(r, r->node, "%s (%s) cannot be used here; a value of each hit is needed", ts_rec_kind_text(v), ts_rec_name(v->node));
    return NULL;
}

const rec_form *ts_rec_form(rec *r, const rec_val *v)
{
    v = ts_rec_linear(r, v);
    return v ? ts_form_scale(r, v->form, v->scale, NULL) : NULL;
}

const rec_val *ts_rec_activation(rec *r, const rec_val *v, ts_act act)
{
    const rec_form *f = ts_rec_form(r, v);
    if (!f)
        return NULL;
    rec_base *base = ts_base_new(r, BASE_ACT, f->rows);
    base->from = ts_form_freeze(r, f);
    base->act = act;
    rec_val *out = linear_over(r, v, ts_base_share(r, base), 1.0);
    out->node = r->node;
    return out;
}

const rec_val *ts_rec_norm_poly(rec *r, const rec_val *v, double gain, double bias, double eps)
{
    const rec_form *f = ts_rec_form(r, v);
    if (!f)
        return NULL;
    rec_poly *p = TS_NEW(r->arena, rec_poly);
    *p = (rec_poly){.x = ts_form_freeze(r, f), .eps = eps};
    rec_mono x = {.power = {[VAR_X] = 1, [VAR_RSTD] = 1}, .c = gain}, mean = {.power = {[VAR_MEAN] = 1, [VAR_RSTD] = 1}, .c = -gain};
    const rec_mono constant = {.c = bias};
    if (!put(r, p, x) || !put(r, p, mean) || !put(r, p, constant))
        BUG("a norm has three monomials");
    return new_val(r, v, &r->node->out[0]->shape, p);
}

const rec_val *ts_rec_layer_norm(rec *r, const rec_val *v, const ts_tensor *gain, const ts_tensor *bias, double eps)
{
    const rec_form *f = ts_rec_form(r, v);
    if (!f)
        return NULL;
    rec_base *base = ts_base_new(r, BASE_NORM, f->rows);
    float *g = TS_NEW_N(r->arena, float, f->rows), *b = TS_NEW_N(r->arena, float, f->rows);
    for (int i = 0; i < f->rows; i++) {
        g[i] = gain ? (float)ts_get_real(gain, ts_count(gain) == 1 ? 0 : i) : 1.0F;
        b[i] = bias ? (float)ts_get_real(bias, ts_count(bias) == 1 ? 0 : i) : 0.0F;
    }
    base->from = ts_form_freeze(r, f);
    base->eps = eps;
    base->gain = g;
    base->bias = b;
    rec_val *out = linear_over(r, v, ts_base_share(r, base), 1.0);
    out->node = r->node;
    return out;
}
