/* Elementwise operators and Where. */
#include <math.h>
#include <string.h>

#include "op/op.h"
#include "pass/recognise_value.h"

rec_val *ts_rec_copy(rec *r, const rec_val *v, const ts_shape *shape)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *v;
    out->shape = shape;
    out->node = r->node;
    return out;
}

static const rec_val *fail(rec *r, const char *what)
{
    ts_rec_fail(r, r->node, "%s", what);
    return NULL;
}

const rec_val *ts_rec_add(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b, double sign)
{
    if (ts_rec_poly_same(r, a, b))
        return ts_rec_poly_add(r, shape, a, b, sign);
    a = ts_rec_linear(r, a);
    b = a ? ts_rec_linear(r, b) : NULL;
    a = b ? ts_rec_broadcast(r, a, shape) : NULL;
    b = a ? ts_rec_broadcast(r, b, shape) : NULL;
    if (!b)
        return NULL;
    if (a->layout.count != b->layout.count || memcmp(a->layout.axis, b->layout.axis, (size_t)a->layout.count * sizeof(rec_axis)) != 0)
        return fail(r, "two values are added whose hits are along different dimensions");
    const rec_form *sum = ts_form_add(r, ts_form_scale(r, a->form, a->scale, NULL), ts_form_scale(r, b->form, sign * b->scale, NULL));
    if (!sum)
        return NULL;
    rec_val *out = ts_rec_copy(r, a, shape);
    out->scale = 1.0;
    out->form = sum;
    out->mask = NULL;
    return out;
}

const rec_val *ts_rec_shift(rec *r, const ts_shape *shape, const rec_val *v, const ts_tensor *t, double factor)
{
    v = ts_rec_broadcast(r, v, shape);
    bool uniform;
    const double *value = v ? ts_rec_constant(r, v, t, &uniform) : NULL;
    if (!value)
        return NULL;
    const int64_t rows = ts_layout_rows(&v->layout);
    for (int64_t i = 0; i < rows; i++)
        if (!isfinite(value[i]))
            return fail(r, "infinity, or something that is no number, is added");
    if (v->kind == VAL_SCORE)
        return ts_rec_copy(r, v, shape); /* the same for all keys of a query: the softmax does not see it */
    if (v->kind != VAL_LINEAR && v->kind != VAL_POLY)
        return ts_rec_linear(r, v);
    const double *by = value;
    if (factor != 1.0) {
        double *product = TS_NEW_N(r->arena, double, rows);
        for (int64_t i = 0; i < rows; i++)
            product[i] = factor * value[i];
        by = product;
    }
    if (v->kind == VAL_POLY)
        return ts_rec_poly_shift(r, v, by);
    rec_val *out = ts_rec_copy(r, v, shape);
    out->form = ts_form_shift(r, ts_form_scale(r, v->form, v->scale, NULL), by);
    out->scale = 1.0;
    out->mask = NULL;
    return out;
}

const rec_val *ts_rec_scale(rec *r, const ts_shape *shape, const rec_val *v, const ts_tensor *t, bool divide)
{
    v = ts_rec_broadcast(r, v, shape);
    bool uniform;
    const double *value = v ? ts_rec_constant(r, v, t, &uniform) : NULL;
    if (!value)
        return NULL;
    const int64_t rows = ts_layout_rows(&v->layout);
    double *by = TS_NEW_N(r->arena, double, rows);
    for (int64_t i = 0; i < rows; i++) {
        by[i] = divide ? 1.0 / value[i] : value[i];
        if (!isfinite(by[i]))
            return fail(r, "a value is multiplied by infinity or divided by zero");
    }
    rec_val *out = ts_rec_copy(r, v, shape);
    switch (v->kind) {
    case VAL_POLY:
        return ts_rec_poly_scale(r, v, by);
    case VAL_LINEAR:
    case VAL_SUM:
        if (uniform)
            out->scale *= by[0];
        else
            out->form = ts_form_scale(r, v->form, 1.0, by);
        return out;
    case VAL_SCORE:
        if (uniform) {
            out->scale *= by[0];
        } else { /* a factor for each head */
            double *channel = TS_NEW_N(r->arena, double, rows * v->d_head);
            for (int64_t i = 0; i < rows * v->d_head; i++)
                channel[i] = by[i / v->d_head];
            out->q = ts_form_scale(r, v->q, 1.0, channel);
        }
        return out;
    case VAL_SIZE:
        for (int64_t i = 0; i < rows; i++)
            if (!(by[i] > 0))
                return fail(r, "the size of a hit, of which a mask is made, is multiplied by a number that is not positive");
        if (v->poly) {
            const rec_val *length = ts_rec_poly_scale(r, ts_rec_length(r, v), by);
            out->poly = length ? length->poly : NULL;
        }
        return out;
    case VAL_EXP:
    case VAL_ROW:
    case VAL_PROB:
    case VAL_MASK:
    case VAL_COUNT:
    case VAL_POSITION:
        break;
    }
    ts_rec_fail(r, r->node, "%s (%s) cannot be scaled", ts_rec_kind_text(v), ts_rec_name(v->node));
    return NULL;
}

/* Padding becomes `fill`, hits stay. */
static const rec_val *fill_padding(rec *r, const ts_shape *shape, const rec_val *v, const rec_val *mask, int padding, double fill)
{
    if (mask->mask && !ts_mask_use(r, mask, padding))
        return NULL;
    if (v->kind == VAL_ROW && !(mask->mask && mask->mask->input)) /* a guard against a maximum of -infinity */
        return ts_rec_copy(r, v, shape);
    if (v->kind == VAL_PROB) { /* a guard's Where(IsNaN(p), 0, p), or padding's probabilities, which are 0 already */
        if (fill != 0)
            return fail(r, "attention probabilities are replaced by something else than zero");
        return ts_rec_copy(r, v, shape);
    }
    v = ts_rec_linear(r, v);
    if (!v)
        return NULL;
    v = ts_rec_broadcast(r, v, shape);
    if (!v)
        return NULL;
    rec_val *out = ts_rec_copy(r, v, shape);
    if (mask->mask && mask->mask->input) {
        out->mask = mask->mask;
        out->fill = fill;
    }
    return out;
}

/* Which value of the flag has `level`, the other one not; -1 where neither. */
static int flag_with(const rec_val *mask, double level)
{
    if ((mask->level[0] == level) == (mask->level[1] == level))
        return -1;
    return mask->level[1] == level;
}

static const rec_val *with_mask(rec *r, const ts_shape *shape, ts_op_kind kind, const rec_val *v, const rec_val *mask)
{
    const double neutral = kind == TS_OP_Mul ? 1 : 0;
    if (kind != TS_OP_Mul && kind != TS_OP_Add)
        return fail(r, "a mask is combined with values of the hits in a way that is not understood");
    if (mask->level[0] == neutral && mask->level[1] == neutral) {
        ts_mask_watch(r, mask, neutral);
        return ts_rec_copy(r, v, shape);
    }
    if (!mask->mask)
        return fail(r, "a constant of the event's size is combined with values of the hits; make it a scalar");
    const int hit = flag_with(mask, neutral);
    if (hit < 0)
        return fail(r, "a mask changes real hits too; it must leave them as they are (add 0, or multiply by 1) and only suppress padding");
    const double level = mask->level[1 - hit];
    if (v->kind == VAL_EXP && kind == TS_OP_Mul && level == 0)
        return ts_mask_score(r, v, mask, 1 - hit);
    if (v->kind == VAL_SCORE) {
        if (kind != TS_OP_Add || !(level <= REC_DROP))
            return fail(r, "the mask of attention scores must add -infinity, or a large negative number, where a key is padding");
        return ts_mask_score(r, v, mask, 1 - hit);
    }
    return fill_padding(r, shape, v, mask, 1 - hit, level);
}

static const rec_val *compare_data(rec *r, const rec_val *v, const ts_value *with)
{
    double level;
    const rec_val like = {.layout = v->layout, .shape = &r->node->out[0]->shape};
    if (ts_rec_is_size(v))
        return ts_rec_size_compare(r, v, with, with == ts_in(r->node, 0));
    if (!with->constant || !ts_rec_uniform(with->constant, &level))
        return fail(r,
                    "values of the hits are compared with each other; only a comparison with a constant, as a padding mask, is understood");
    if (v->kind == VAL_SCORE && isinf(level))
        return ts_mask_value(r, &like, ts_mask_data(r, NULL), 0, 1);
    if (ts_kind(r->node) != TS_OP_Equal || !ts_rec_is_hits(v))
        return fail(r, "hits are compared by size; a mask computed from the data must be an equality that no real hit meets (x == 0)");
    return ts_mask_value(
        r, &like,
        ts_mask_data(r, ts_printf(r->arena, "%s == %g, node '%s'",
                                  with == ts_in(r->node, 0) ? ts_in(r->node, 1)->name : ts_in(r->node, 0)->name, level, r->node->name)),
        0, 1);
}

/* 1 / v */
static const rec_val *inverse_of(rec *r, const rec_val *v)
{
    if (v->kind == VAL_SIZE && ts_rec_length(r, v))
        v = ts_rec_length(r, v);
    return ts_rec_is_hits(v) ? ts_rec_poly_power(r, v, -1.0) : ts_rec_linear(r, v);
}

/* v (op) constant, or constant (op) v where `swapped`. */
static const rec_val *with_constant(rec *r, const ts_shape *shape, ts_op_kind kind, const rec_val *v, const ts_tensor *t, bool swapped)
{
    double level = 0;
    const bool uniform = ts_rec_uniform(t, &level);
    static const double minus_one = -1.0;
    const ts_tensor negate = {.dtype = TS_F64, .data = {.d = (double *)&minus_one}};
    switch ((int)kind) {
    case TS_OP_Add:
    case TS_OP_Sum:
        if (v->kind == VAL_ROW && v->row == ROW_SUM && uniform && level >= 0 && level <= 1e-6) /* a guard against dividing by zero */
            return ts_rec_copy(r, v, shape);
        return v->kind == VAL_COUNT ? ts_rec_copy(r, v, shape) : ts_rec_shift(r, shape, v, t, 1.0);
    case TS_OP_Sub:
        if (!swapped)
            return ts_rec_shift(r, shape, v, t, -1.0);
        v = ts_rec_scale(r, v->shape, v, &negate, false);
        return v ? ts_rec_shift(r, shape, v, t, 1.0) : NULL;
    case TS_OP_Mul:
        return ts_rec_scale(r, shape, v, t, false);
    case TS_OP_Div:
        if (!swapped)
            return ts_rec_scale(r, shape, v, t, true);
        if (v->kind == VAL_ROW && v->row == ROW_SUM && uniform && level == 1) {
            rec_val *inverse = ts_rec_copy(r, v, shape);
            inverse->row = ROW_INVERSE;
            return inverse;
        }
        v = inverse_of(r, v);
        return v ? ts_rec_scale(r, shape, v, t, false) : NULL;
    case TS_OP_Pow:
        if (v->kind == VAL_SIZE && !swapped && uniform && level > 0)
            return level == 1.0 ? ts_rec_copy(r, v, shape) : ts_rec_size(r, v, &v->layout, shape);
        if (swapped || !uniform || !ts_rec_is_hits(v))
            return fail(r, "this power is not that of a layer normalisation or an activation");
        return level == 1.0 ? ts_rec_copy(r, v, shape) : ts_rec_poly_power(r, v, level);
    case TS_OP_Max:
        if (v->kind == VAL_COUNT && uniform && level <= 1)
            return ts_rec_copy(r, v, shape); /* a guard against dividing by zero */
        if (uniform && level == 0 && ts_rec_is_hits(v))
            return ts_rec_activation(r, v, TS_ACT_RELU);
        if (((v->kind == VAL_ROW && v->row == ROW_SUM) || (v->kind == VAL_SIZE && v->poly)) && uniform && level <= 1e-6)
            return ts_rec_copy(r, v, shape);
        return fail(r, "Max is only understood as a ReLU, Max(x, 0)");
    default:
        return fail(r, "this operator on values of the hits has no hardware");
    }
}

static const rec_val *two_values(rec *r, const ts_shape *shape, ts_op_kind kind, const rec_val *a, const rec_val *b)
{
    if (a->kind == VAL_SCORE && b->kind == VAL_ROW && kind == TS_OP_Sub)
        return ts_rec_row_subtract(r, a, b);
    if (a->kind == VAL_EXP && b->kind == VAL_ROW && (kind == TS_OP_Div || kind == TS_OP_Mul))
        return ts_rec_row_divide(r, a, b);
    if (b->kind == VAL_EXP && a->kind == VAL_ROW && kind == TS_OP_Mul)
        return ts_rec_row_divide(r, b, a);
    if (kind == TS_OP_Div && b->kind == VAL_SIZE && ts_rec_length(r, b)) /* x / |x|, a norm */
        b = ts_rec_length(r, b);
    if (a->kind == VAL_SIZE && b->kind == VAL_SIZE && (kind == TS_OP_Add || kind == TS_OP_Sum || kind == TS_OP_Max))
        return ts_rec_size(r, a, &a->layout, shape);
    switch ((int)kind) {
    case TS_OP_Add:
    case TS_OP_Sum:
    case TS_OP_Sub:
        return ts_rec_add(r, shape, a, b, kind == TS_OP_Sub ? -1.0 : 1.0);
    case TS_OP_Div:
        if (a->kind == VAL_SUM && b->kind == VAL_COUNT && a->mask == b->mask) {
            rec_base *base = ts_base_new(r, BASE_POOL, a->form->rows);
            base->from = ts_form_freeze(r, ts_form_scale(r, a->form, a->scale, NULL));
            base->pool = TS_POOL_MEAN;
            base->mask = a->mask;
            rec_val *out = ts_rec_copy(r, a, shape);
            out->kind = VAL_LINEAR;
            out->form = ts_form_identity(r, ts_base_share(r, base));
            out->scale = 1.0;
            out->mask = NULL;
            return out;
        }
        break;
    default:
        break;
    }
    if (a->kind == VAL_SIZE || b->kind == VAL_SIZE)
        return ts_rec_linear(r, a->kind == VAL_SIZE ? a : b);
    if ((kind == TS_OP_Mul || kind == TS_OP_Div) && ts_rec_is_hits(a) && ts_rec_is_hits(b))
        return ts_rec_poly_mul(r, shape, a, b, kind == TS_OP_Div);
    ts_rec_fail(r, r->node, "%s (%s) and %s (%s) are combined in a way that no encoder does", ts_rec_kind_text(a), ts_rec_name(a->node),
                ts_rec_kind_text(b), ts_rec_name(b->node));
    return NULL;
}

static const rec_val *positional(rec *r, const ts_value *value)
{
    ts_rec_fail(r, r->node,
                "'%s' depends on where a hit stands in the event, or on how many there are, and is combined with values of the hits; "
                "positional encodings and causal masks have no hardware: export the model without them",
                value->name);
    return NULL;
}

/* The same, of attention scores. */
static const rec_val *positional_scores(rec *r, const ts_value *value)
{
    ts_rec_fail(
        r, r->node,
        "'%s' depends on where hits stand in the event, and is combined with attention scores: causal masks and position biases have no "
        "hardware; export the model without them",
        value->name);
    return NULL;
}

static const rec_val *binary(rec *r, const ts_node *node, const ts_shape *shape, const ts_value *x, const rec_val *a, const ts_value *y)
{
    const ts_op_kind kind = ts_kind(node);
    const rec_val *b = y->constant ? NULL : r->val[y->id];
    if ((a && a->kind == VAL_MASK) || (b && b->kind == VAL_MASK)) { /* with another one, or with a constant of one value */
        const rec_val *ma = a ? (a->kind == VAL_MASK ? a : NULL) : ts_mask_of(r, x), *mb = ts_mask_of(r, y);
        if (ma && mb)
            return ts_mask_binary(r, shape, ma, mb);
    }
    if ((!a && !x->constant) || (a && a->kind == VAL_POSITION))
        return b && b->kind == VAL_SCORE ? positional_scores(r, x) : positional(r, x);
    if ((!b && !y->constant) || (b && b->kind == VAL_POSITION))
        return a && a->kind == VAL_SCORE ? positional_scores(r, y) : positional(r, y);
    if (kind == TS_OP_Equal || kind == TS_OP_Less || kind == TS_OP_LessOrEqual || kind == TS_OP_Greater || kind == TS_OP_GreaterOrEqual)
        return a && b ? two_values(r, shape, kind, a, b) : compare_data(r, a ? a : b, a ? y : x);
    if (a && y->constant)
        return with_constant(r, shape, kind, a, y->constant, false);
    if (b && x->constant)
        return with_constant(r, shape, kind, b, x->constant, true);
    if (a->kind == VAL_MASK || b->kind == VAL_MASK)
        return with_mask(r, shape, kind, a->kind == VAL_MASK ? b : a, a->kind == VAL_MASK ? a : b);
    return two_values(r, shape, kind, a, b);
}

/* Two inputs, or a chain of them (Sum, Max, Min). */
bool ts_rec_binary(rec *r, const ts_node *node)
{
    const ts_shape *shape = &node->out[0]->shape;
    const ts_value *x = ts_in(node, 0);
    const rec_val *v = x->constant ? NULL : r->val[x->id];
    if (node->ins == 1) {
        r->val[node->out[0]->id] = v;
        return true;
    }
    for (int i = 1; i < node->ins; i++) {
        v = binary(r, node, shape, x, v, ts_in(node, i));
        if (!v)
            return false;
    }
    r->val[node->out[0]->id] = v;
    return true;
}

/* a * v + b as a polynomial. */
static const rec_val *affine(rec *r, const rec_val *v, double a, double b)
{
    const int64_t rows = ts_layout_rows(&v->layout);
    double *by = TS_NEW_N(r->arena, double, 2 * rows);
    for (int64_t i = 0; i < rows; i++) {
        by[i] = a;
        by[rows + i] = b;
    }
    v = ts_rec_poly_scale(r, v, by);
    return v ? ts_rec_poly_shift(r, v, by + rows) : NULL;
}

/* The argument of a hard Swish's Clip: x + 3 is a linear of its own, but the x that it was made of is what matters. */
static const rec_val *before_shift(rec *r, const ts_value *in, const rec_val *v)
{
    const ts_node *add = in->producer;
    double by;
    for (int i = 0; add && ts_kind(add) == TS_OP_Add && i < 2; i++) {
        const ts_value *x = ts_in(add, i), *c = ts_in(add, 1 - i);
        if (c->constant && ts_rec_uniform(c->constant, &by) && !x->constant && r->val[x->id] && r->val[x->id]->kind == VAL_LINEAR)
            return affine(r, r->val[x->id], 1, by);
    }
    return v;
}

/* Clip(x, 0, infinity) is a ReLU; Clip(x, 0, c) may be part of a hard Swish; a count may be kept from zero. */
static const rec_val *clip(rec *r, const ts_node *node, const rec_val *v)
{
    double low = ts_attr_float(node, "min", -INFINITY), high = ts_attr_float(node, "max", INFINITY);
    const ts_value *lo = ts_in(node, 1), *hi = ts_in(node, 2);
    if ((lo && (!lo->constant || !ts_rec_uniform(lo->constant, &low))) || (hi && (!hi->constant || !ts_rec_uniform(hi->constant, &high))))
        return fail(r, "Clip needs constant limits");
    if (v->kind == VAL_COUNT && low <= 1 && high > 1e9)
        return ts_rec_copy(r, v, &node->out[0]->shape);
    if (v->kind == VAL_SIZE && v->poly && low >= 0 && low <= 1e-6 && high > 1e9) /* the same */
        return ts_rec_copy(r, v, &node->out[0]->shape);
    if (ts_rec_is_hits(v) && low == 0 && high > 1e30)
        return ts_rec_activation(r, v, TS_ACT_RELU);
    if (ts_rec_is_hits(v) && low == 0 && high > 0 && (v = affine(r, before_shift(r, ts_in(node, 0), v), 1 / high, 0)))
        v = ts_rec_function(r, v, FN_CLIP_1);
    else
        return fail(r, "Clip is only understood as a ReLU, Clip(x, 0, infinity), or in a hard Swish, x * clip(x + 3, 0, 6) / 6");
    return v ? affine(r, v, high, 0) : NULL;
}

bool ts_rec_unary(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id], *out = NULL;
    const rec_val like = {.layout = v->layout, .shape = &node->out[0]->shape};
    static const double minus_one = -1.0;
    const ts_tensor negate = {.dtype = TS_F64, .data = {.d = (double *)&minus_one}};
    const ts_op_kind kind = ts_kind(node);
    if (v->codes)
        return ts_rec_clip_codes(r, node);
    if (v->kind == VAL_MASK) {
        out = ts_mask_unary(r, v);
    } else if ((kind == TS_OP_IsNaN || kind == TS_OP_IsInf) && v->kind != VAL_POSITION) {
        out = ts_mask_value(r, &like, ts_mask_data(r, NULL), 0, 1);
    } else if (kind == TS_OP_Neg && v->kind != VAL_POSITION) {
        out = ts_rec_scale(r, v->shape, v, &negate, false);
    } else if (kind == TS_OP_Exp && v->kind == VAL_SCORE) {
        out = ts_rec_exp(r, v);
    } else if (kind == TS_OP_Reciprocal && v->kind == VAL_ROW && v->row == ROW_SUM) {
        rec_val *inverse = ts_rec_copy(r, v, &node->out[0]->shape);
        inverse->row = ROW_INVERSE;
        out = inverse;
    } else if (kind == TS_OP_Abs && (ts_rec_is_hits(v) || v->kind == VAL_SIZE)) {
        out = ts_rec_size(r, v, &v->layout, &node->out[0]->shape);
    } else if (kind == TS_OP_Sign && ts_rec_is_size(v)) {
        out = ts_rec_size_mask(r, v, 0, 1);
    } else if (kind == TS_OP_Sqrt && v->kind == VAL_SIZE) {
        out = ts_rec_size(r, v, &v->layout, &node->out[0]->shape);
    } else if (kind == TS_OP_Reciprocal && v->kind == VAL_SIZE) {
        out = inverse_of(r, v);
    } else if (kind == TS_OP_Clip) {
        out = clip(r, node, v);
    } else if (!ts_rec_is_hits(v)) {
        out = ts_rec_linear(r, v);
    } else {
        switch ((int)kind) {
        case TS_OP_Sqrt:
            out = ts_rec_poly_power(r, v, 0.5);
            break;
        case TS_OP_Reciprocal:
            out = ts_rec_poly_power(r, v, -1.0);
            break;
        case TS_OP_Erf:
            out = ts_rec_function(r, v, FN_ERF);
            break;
        case TS_OP_Tanh:
            out = ts_rec_function(r, v, FN_TANH);
            break;
        case TS_OP_Sigmoid:
            out = ts_rec_function(r, v, FN_SIGMOID);
            break;
        case TS_OP_Softplus:
            out = ts_rec_function(r, v, FN_SOFTPLUS);
            break;
        case TS_OP_HardSigmoid:
            v = affine(r, v, ts_attr_float(node, "alpha", 0.2), ts_attr_float(node, "beta", 0.5));
            out = ts_rec_function(r, v, FN_CLIP_1);
            break;
        default:
            fail(r, "this operator on values of the hits has no hardware; activations are ReLU, GELU and SiLU");
            break;
        }
    }
    r->val[node->out[0]->id] = out;
    return out != NULL;
}

bool ts_rec_cast(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id];
    const ts_dtype to = node->out[0]->dtype;
    const rec_val like = {.layout = v->layout, .shape = &node->out[0]->shape};
    const rec_val *out = NULL;
    if (v->kind == VAL_MASK)
        out = ts_mask_unary(r, v);
    else if (ts_is_float(to))
        out = ts_rec_copy(r, v, &node->out[0]->shape);
    else if (to == TS_BOOL && v->kind == VAL_SIZE)
        out = ts_rec_size_mask(r, v, 0, 1);
    else if (to == TS_BOOL && ts_rec_is_hits(v))
        out = ts_mask_value(r, &like, ts_mask_data(r, ts_printf(r->arena, "%s == 0, node '%s'", ts_in(node, 0)->name, node->name)), 1, 0);
    else
        ts_rec_fail(r, node, "values of the hits are turned into %s; keep them in floating point", ts_dtype_name(to));
    r->val[node->out[0]->id] = out;
    return out != NULL;
}

bool ts_rec_where(rec *r, const ts_node *node)
{
    const ts_shape *shape = &node->out[0]->shape;
    const ts_value *in[3] = {ts_in(node, 0), ts_in(node, 1), ts_in(node, 2)};
    const rec_val *cond = ts_mask_of(r, in[0]), *out;
    if (!cond) {
        for (int i = 1; i < 3; i++)
            if (!in[i]->constant && r->val[in[i]->id] && r->val[in[i]->id]->kind == VAL_SCORE)
                return positional_scores(r, in[0]) != NULL;
        return positional(r, in[0]) != NULL;
    }
    const rec_val *a = ts_mask_of(r, in[1]), *b = ts_mask_of(r, in[2]);
    if (a && b) {
        out = ts_mask_where(r, shape, cond, a, b);
        r->val[node->out[0]->id] = out;
        return out != NULL;
    }
    /* One branch is kept for hits; the other one must be a constant, for padding. */
    const int keeps = a ? 0 : 1; /* value of the condition that keeps the values: false where the first branch is a constant */
    const rec_val *v = a || in[1]->constant ? r->val[in[2]->id] : r->val[in[1]->id], *fill = a ? a : b;
    if (!v || v->kind == VAL_POSITION || !fill || fill->mask)
        return ts_rec_fail(r, node, "Where must choose between values of the hits and one constant for padding");
    const bool kept[2] = {(cond->level[0] != 0) == keeps, (cond->level[1] != 0) == keeps};
    if (kept[0] && kept[1]) {
        ts_mask_watch(r, cond, cond->level[0]);
        out = ts_rec_copy(r, v, shape);
    } else if (!kept[0] && !kept[1]) {
        out = fail(r, "Where replaces all values by a constant");
    } else if (!cond->mask) {
        out = fail(r, "Where depends on the positions of hits; positional models and causal masks have no hardware");
    } else if (v->kind == VAL_SCORE && (cond->mask->input || cond->mask->note) && !(fill->level[0] <= REC_DROP)) {
        out = fail(r, "the mask of attention scores must put -infinity, or a large negative number, where a key is padding");
    } else if (v->kind == VAL_SCORE || (v->kind == VAL_EXP && fill->level[0] == 0)) {
        out = ts_mask_score(r, v, cond, kept[0] ? 1 : 0);
    } else {
        out = fill_padding(r, shape, v, cond, kept[0] ? 1 : 0, fill->level[0]);
    }
    r->val[node->out[0]->id] = out;
    return out != NULL;
}
