/* Norms and activations, however they are spelled. What an exporter makes of them is a polynomial with per-channel
   coefficients in x, the moments of x over the channels, r = 1/sqrt(variance + eps) and functions of x (recognise_act.c). So
   ((x - mean) * r) * g + b, x * (r * g) + (b - mean * r * g) and E[x^2] - mean^2 as variance all end as one normal form. */
#include <math.h>
#include <string.h>

#include "pass/recognise_poly.h"

/* Constants are recognised within this relative error: exporters write them as float, or as 0.7071. */
static const double CONSTANT_ERROR = 1e-4;

/* What is recognised: gain * (x - centre * mean) * r + bias with r = 1 / sqrt(mean of squares - centre * mean^2 + eps), all of groups of
   channels; centre is 1 or 0. */
static double centre_of(int kind)
{
    return ts_norm_centred((ts_norm_kind)kind) ? 1 : 0;
}

bool ts_poly_near(double a, double b)
{
    return fabs(a - b) <= CONSTANT_ERROR * fabs(b);
}

static const rec_val *fail(rec *r, const char *what)
{
    ts_rec_fail(r, r->node, "%s", what);
    return NULL;
}

rec_val *ts_poly_val(rec *r, const rec_val *like, const ts_shape *shape, const rec_poly *poly)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = (rec_val){.kind = VAL_POLY, .layout = like->layout, .shape = shape, .node = r->node, .poly = poly};
    return out;
}

bool ts_poly_is_power(const rec_mono *m, int var, int power)
{
    for (int i = 0; i < REC_VARS; i++)
        if (m->power[i] != (i == var ? power : 0))
            return false;
    return true;
}

static bool has_function(const rec_mono *m)
{
    for (int k = VAR_F; k < REC_VARS; k++)
        if (m->power[k])
            return true;
    return false;
}

/* Whether a polynomial is one number a token: no x, nothing per channel. */
static bool is_moment(const rec_poly *p)
{
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        if (m->v || m->power[VAR_X] || has_function(m))
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
const rec_val *ts_poly_of(rec *r, const rec_val *v, const rec_base *over)
{
    if (v->kind == VAL_POLY && (!over || v->poly->x == over))
        return v;
    if (v->kind == VAL_POLY) { /* a finished norm or activation, of which something else is computed */
        const rec_val *done = complete(r, v);
        return done && done->form->term[0].base == over ? ts_poly_of(r, done, over) : v;
    }
    rec_poly *p = TS_NEW(r->arena, rec_poly);
    const rec_form *scaled = ts_form_scale(r, v->form, v->scale, NULL);
    const bool is_over = over && (ts_form_is_identity(scaled) ? scaled->term[0].base : ts_form_find(r, scaled)) == over;
    p->x = is_over ? over : ts_form_freeze(r, v->form);
    p->eps = -1;
    p->count = 1;
    p->mono[0].c = is_over ? 1.0 : v->scale;
    p->mono[0].power[VAR_X] = 1;
    return ts_poly_val(r, v, v->shape, p);
}

static const rec_base *poly_base(const rec_val *v)
{
    return v->kind == VAL_POLY ? v->poly->x : NULL;
}

/* Both operands over one base, where they can be. */
static void common_base(rec *r, const rec_val **a, const rec_val **b)
{
    const rec_base *base = poly_base(*b) ? poly_base(*b) : poly_base(*a);
    const rec_val *first = ts_poly_of(r, *a, base), *second = ts_poly_of(r, *b, first->poly->x);
    *a = ts_poly_of(r, first, second->poly->x);
    *b = second;
}

static const char *const too_complex =
    "what is computed here is no layer normalisation and no activation that is known (ReLU, GELU, SiLU, ...)";

static bool same_base(rec *r, const rec_poly *a, const rec_poly *b, rec_poly *out)
{
    if (a->x != b->x)
        return ts_rec_fail(r, r->node, "a product of two different results (%s, %s) has no hardware; feed-forward blocks cannot be gated",
                           ts_rec_name(a->x->node), ts_rec_name(b->x->node));
    if (a->eps >= 0 && b->eps >= 0 && a->eps != b->eps)
        return ts_rec_fail(r, r->node, "a normalisation uses two different epsilons");
    if (a->group && b->group && a->group != b->group)
        return ts_rec_fail(r, r->node, "means over %d and over %d channels are combined; a normalisation has one", a->group, b->group);
    *out = (rec_poly){.x = a->x, .eps = a->eps >= 0 ? a->eps : b->eps, .group = a->group ? a->group : b->group};
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

/* Whether each of the narrower operand's rows, the moments of one group each, meets the channels of its own group. */
static bool meets_group(rec *r, const rec_val *wide, const rec_val *narrow)
{
    rec_split w, n;
    if (!ts_rec_split(r, wide, &w) || !ts_rec_split(r, narrow, &n))
        return false;
    int64_t repeated = 1;
    bool ok = n.rank <= w.rank;
    for (int i = 0; ok && i < w.rank; i++) {
        const int k = i - (w.rank - n.rank), axes = w.start[i + 1] - w.start[i];
        const bool one = k < 0 || ts_dim_is(narrow->shape->dim[k], 1);
        for (int j = 0; j < axes; j++) {
            const rec_axis *axis = &w.axes.axis[w.start[i] + j];
            if (one)
                repeated *= axis->kind == REC_CONST ? axis->size : -1;
            else
                ok &= repeated == 1 && n.start[k + 1] - n.start[k] == axes && n.axes.axis[n.start[k] + j].kind == axis->kind &&
                      n.axes.axis[n.start[k] + j].size == axis->size;
        }
    }
    return (ok && repeated * ts_layout_rows(&narrow->layout) == ts_layout_rows(&wide->layout)) ||
           ts_rec_fail(r, r->node, "means of groups of channels do not meet the channels that they were taken of");
}

/* The operand with more rows decides the layout of the result; the other one is one number a token, or a group. NULL with an error. */
static const rec_val *wider(rec *r, const rec_val *a, const rec_val *b)
{
    const int64_t rows = ts_layout_rows(&a->layout), others = ts_layout_rows(&b->layout);
    const rec_val *wide = rows >= others ? a : b, *narrow = rows >= others ? b : a;
    if (rows != others && ts_layout_rows(&narrow->layout) > 1 && !meets_group(r, wide, narrow))
        return NULL;
    return wide;
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
    const rec_val *like = wider(r, a, b);
    if (!like || !same_base(r, a->poly, b->poly, out) || !add_poly(r, out, a->poly, 1.0) || !add_poly(r, out, b->poly, sign))
        return NULL;
    return ts_poly_val(r, like, shape, out);
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
    const rec_val *like = wider(r, a, b);
    if (!like || (divide && !invert(r, b->poly, &inverse)) || !multiply(r, a->poly, &inverse, out))
        return NULL;
    return ts_poly_val(r, like, shape, out);
}

static bool all_equal(const rec_val *v, const double *by)
{
    const int64_t rows = ts_layout_rows(&v->layout);
    for (int64_t i = 1; i < rows; i++)
        if (by[i] != by[0])
            return false;
    return true;
}

/* by, one a row, as one a channel: rows may be groups. NULL with an error. */
static const double *of_channels(rec *r, const rec_val *v, const double *by)
{
    const int64_t rows = ts_layout_rows(&v->layout), width = v->poly->x->width;
    if (rows == width || all_equal(v, by))
        return by;
    if (v->poly->group == 0 || rows * v->poly->group != width) {
        fail(r, too_complex);
        return NULL;
    }
    double *channel = TS_NEW_N(r->arena, double, width);
    for (int64_t i = 0; i < width; i++)
        channel[i] = by[i / v->poly->group];
    return channel;
}

const rec_val *ts_rec_poly_shift(rec *r, const rec_val *v, const double *by)
{
    v = ts_poly_of(r, v, NULL);
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    *out = *v->poly;
    rec_mono m = {.c = by[0]};
    if (!all_equal(v, by) && !(m.v = of_channels(r, v, by)))
        return NULL;
    if (!put(r, out, m))
        return fail(r, too_complex);
    return ts_poly_val(r, v, v->shape, out);
}

const rec_val *ts_rec_poly_scale(rec *r, const rec_val *v, const double *by)
{
    v = ts_poly_of(r, v, NULL);
    rec_poly *out = TS_NEW(r->arena, rec_poly), factor = {.x = v->poly->x, .eps = -1, .count = 1};
    factor.mono[0].c = by[0];
    if (!all_equal(v, by) && !(factor.mono[0].v = of_channels(r, v, by)))
        return NULL;
    if (!multiply(r, v->poly, &factor, out))
        return NULL;
    return ts_poly_val(r, v, v->shape, out);
}

/* factor * (mean of squares - centre * mean^2) + eps: the kind of norm, or -1. */
static int as_variance(const rec_poly *p, double *factor, double *eps)
{
    double square = 0, mean = 0, rest = 0;
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        if (m->v)
            return -1;
        if (ts_poly_is_power(m, VAR_SQUARE, 1))
            square = m->c;
        else if (ts_poly_is_power(m, VAR_MEAN, 2))
            mean = m->c;
        else if (ts_poly_is_power(m, VAR_X, 0))
            rest = m->c;
        else
            return -1;
    }
    *factor = ts_poly_near(square, 1.0) ? 1.0 : square; /* 1/d is rounded in some files; the unbiased variance is d/(d-1) */
    *eps = rest;
    for (int n = 0; n < TS_NORM_COUNT && square > 0 && rest >= 0; n++)
        if (ts_poly_near(mean, -centre_of(n) * square))
            return n;
    return -1;
}

const rec_val *ts_rec_poly_power(rec *r, const rec_val *v, double exponent)
{
    v = ts_poly_of(r, v, NULL);
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
        const bool size = exponent == 0.5 && ts_rec_is_size(v); /* a mask, perhaps, or a norm without epsilon */
        if (norm < 0)
            return size ? ts_rec_size(r, v, &v->layout, v->shape)
                        : fail(r, "the square root is not of a variance + epsilon over all channels of a hit, or of a head; only "
                                  "normalisations have hardware");
        *out = (rec_poly){.x = p->x, .eps = eps / factor, .group = p->group, .count = 1};
        out->mono[0].c = pow(factor, exponent);
        out->mono[0].power[VAR_NORM + norm] = exponent > 0 ? -1 : 1;
        if (size) {
            rec_val *length = TS_NEW(r->arena, rec_val);
            *length = *ts_rec_size(r, v, &v->layout, v->shape);
            length->poly = out;
            return length;
        }
    } else {
        return fail(r, too_complex);
    }
    return ts_poly_val(r, v, v->shape, out);
}

const rec_val *ts_rec_length(rec *r, const rec_val *size)
{
    return size->poly ? ts_poly_val(r, size, size->shape, size->poly) : NULL;
}

const rec_val *ts_rec_poly_reduce(rec *r, const rec_val *v, const rec_layout *layout, const ts_shape *shape, bool mean, int group)
{
    if (v->kind == VAL_POLY && complete(r, v))
        v = complete(r, v);
    if (v->kind == VAL_LINEAR) /* a normalisation starts here: of the value as it is */
        v = ts_poly_of(r, v, ts_form_freeze(r, ts_form_scale(r, v->form, v->scale, NULL)));
    const rec_poly *p = v->poly;
    rec_poly *out = TS_NEW(r->arena, rec_poly);
    *out = (rec_poly){.x = p->x, .eps = p->eps, .group = group};
    if (p->group && p->group != group)
        return fail(r, "a mean over one number of channels is taken of that over another; a normalisation has one");
    for (int i = 0; i < p->count; i++) {
        rec_mono m = p->mono[i];
        const int x = m.power[VAR_X];
        if (m.v || x < 0 || x > 2 || has_function(&m))
            return fail(r, "this reduction over the channels is not that of a layer normalisation (mean, variance)");
        m.power[VAR_X] = 0;
        m.power[VAR_MEAN] = (signed char)(m.power[VAR_MEAN] + (x == 1));
        m.power[VAR_SQUARE] = (signed char)(m.power[VAR_SQUARE] + (x == 2));
        if (!mean)
            m.c *= group;
        if (!put(r, out, m))
            return fail(r, too_complex);
    }
    rec_val *y = ts_poly_val(r, v, shape, out);
    y->layout = *layout;
    return y;
}

rec_val *ts_poly_linear(rec *r, const rec_val *v, const rec_base *base, double scale)
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

static const rec_val *as_norm(rec *r, const rec_val *v, int kind)
{
    const rec_poly *p = v->poly;
    const int var = VAR_NORM + kind, width = p->x->width;
    const double centre = centre_of(kind);
    const rec_mono *gain = NULL, *mean = NULL, *bias = NULL;
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        rec_mono rest = *m;
        rest.power[var] = 0;
        if (ts_poly_is_power(m, VAR_X, 0))
            bias = m;
        else if (m->power[var] == 1 && ts_poly_is_power(&rest, VAR_X, 1))
            gain = m;
        else if (m->power[var] == 1 && ts_poly_is_power(&rest, VAR_MEAN, 1))
            mean = m;
        else
            return NULL;
    }
    if (!gain || !mean != (centre == 0))
        return NULL;
    for (int i = 0; i < width; i++) {
        const double g = gain->v ? gain->v[i] : gain->c, m = !mean ? 0 : mean->v ? mean->v[i] : mean->c;
        if (fabs(centre * g + m) > 1e-5 * fabs(g))
            return NULL;
    }
    rec_base *base = ts_base_new(r, BASE_NORM, width);
    base->node = v->node;
    base->from = p->x;
    base->norm = (ts_norm_kind)kind;
    base->group = p->group ? p->group : width;
    base->eps = p->eps;
    base->gain = channel_floats(r, width, gain);
    base->bias = channel_floats(r, width, bias);
    return ts_poly_linear(r, v, ts_base_share(r, base), 1.0);
}

/* a * x + b. */
static const rec_val *as_affine(rec *r, const rec_val *v)
{
    const rec_poly *p = v->poly;
    const rec_form *f = ts_form_identity(r, p->x);
    double *scale = TS_NEW_N(r->arena, double, p->x->width), *bias = TS_NEW_N(r->arena, double, p->x->width);
    for (int i = 0; i < p->count; i++) {
        const rec_mono *m = &p->mono[i];
        if (!ts_poly_is_power(m, VAR_X, 1) && !ts_poly_is_power(m, VAR_X, 0))
            return NULL;
        for (int j = 0; j < p->x->width; j++)
            (m->power[VAR_X] ? scale : bias)[j] = m->v ? m->v[j] : m->c;
    }
    rec_val *out = ts_poly_linear(r, v, p->x, 1.0);
    out->form = ts_form_shift(r, ts_form_scale(r, f, 1.0, scale), bias);
    return out;
}

/* A finished normalisation or activation as what it is; NULL (no error) where v is neither. */
static const rec_val *complete(rec *r, const rec_val *v)
{
    if (ts_layout_rows(&v->layout) != v->poly->x->width)
        return NULL;
    const rec_val *out = NULL;
    for (int kind = 0; kind < TS_NORM_COUNT && !out; kind++)
        out = as_norm(r, v, kind);
    return out ? out : ts_poly_activation(r, v);
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
                    "bias over all channels, and no activation that is known (ReLU, GELU, SiLU, ...)");
    else
        ts_rec_fail(r, r->node, "%s (%s) cannot be used here; a value of each hit is needed", ts_rec_kind_text(v), ts_rec_name(v->node));
    return NULL;
}

const rec_form *ts_rec_form(rec *r, const rec_val *v)
{
    v = ts_rec_linear(r, v);
    return v ? ts_form_scale(r, v->form, v->scale, NULL) : NULL;
}

const rec_val *ts_rec_norm_poly(rec *r, const rec_val *v, double gain, double bias, double eps)
{
    const rec_form *f = ts_rec_form(r, v);
    if (!f)
        return NULL;
    rec_poly *p = TS_NEW(r->arena, rec_poly);
    *p = (rec_poly){.x = ts_form_freeze(r, f), .eps = eps, .group = f->rows};
    rec_mono x = {.power = {[VAR_X] = 1, [VAR_NORM + TS_NORM_LAYER] = 1}, .c = gain},
             mean = {.power = {[VAR_MEAN] = 1, [VAR_NORM + TS_NORM_LAYER] = 1}, .c = -gain};
    const rec_mono constant = {.c = bias};
    if (!put(r, p, x) || !put(r, p, mean) || !put(r, p, constant))
        BUG("a norm has three monomials");
    return ts_poly_val(r, v, &r->node->out[0]->shape, p);
}

const rec_val *ts_rec_norm(rec *r, const rec_val *v, ts_norm_kind kind, int group, const ts_tensor *gain, const ts_tensor *bias, double eps)
{
    const rec_form *f = ts_rec_form(r, v);
    if (!f)
        return NULL;
    rec_base *base = ts_base_new(r, BASE_NORM, f->rows);
    float *g = TS_NEW_N(r->arena, float, f->rows), *b = TS_NEW_N(r->arena, float, f->rows);
    for (int i = 0; i < f->rows; i++) {
        g[i] = gain ? (float)ts_get_real(gain, i % ts_count(gain)) : 1.0F;
        b[i] = bias ? (float)ts_get_real(bias, i % ts_count(bias)) : 0.0F;
    }
    base->from = ts_form_freeze(r, f);
    base->norm = kind;
    base->group = group;
    base->eps = eps;
    base->gain = g;
    base->bias = b;
    rec_val *out = ts_poly_linear(r, v, ts_base_share(r, base), 1.0);
    out->node = r->node;
    return out;
}
