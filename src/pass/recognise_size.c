/* Sizes of hits: |x|, x * x, their sums and maxima over the channels. All that is ever made of them is a mask: a hit of size zero is
 * padding. */
#include <math.h>

#include "op/op.h"
#include "pass/recognise_value.h"

/* What is compared with a size as "zero": a guard against rounding. */
static const double NEARLY_ZERO = 1e-3;

bool ts_rec_is_size(const rec_val *v)
{
    if (v->kind != VAL_POLY)
        return v->kind == VAL_SIZE;
    for (int i = 0; i < v->poly->count; i++) {
        const rec_mono *m = &v->poly->mono[i];
        bool any = false; /* a number beside them would keep it from being zero */
        for (int k = 0; k < REC_VARS; k++) {
            if (m->power[k] && (m->v || !(m->c > 0) || m->power[k] < 0 || (k != VAR_SQUARE && (k != VAR_X || m->power[k] % 2))))
                return false;
            any |= m->power[k] > 0;
        }
        if (!any)
            return false;
    }
    return v->poly->count > 0;
}

const rec_val *ts_rec_size(rec *r, const rec_val *v, const rec_layout *layout, const ts_shape *shape)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = (rec_val){.kind = VAL_SIZE, .layout = *layout, .shape = shape, .node = r->node, .note = v->note};
    return out;
}

void ts_rec_fail_size(rec *r, const rec_val *v)
{
    if (v->node && (ts_kind(v->node) == TS_OP_Sqrt || ts_kind(v->node) == TS_OP_ReduceL2))
        ts_rec_fail(r, v->node,
                    "the length of a hit's values is used otherwise than to divide them by it, as a norm does, which has no hardware");
    else
        ts_rec_fail(
            r, v->node,
            "absolute values are only understood as a padding mask (sum of |x| compared with zero), and '%s' takes them as something else; "
            "activations are ReLU, GELU and SiLU",
            ts_rec_name(r->node));
}

const rec_val *ts_rec_size_mask(rec *r, const rec_val *v, double if_zero, double otherwise)
{
    const rec_val like = {.layout = v->layout, .shape = &r->node->out[0]->shape};
    return ts_mask_value(r, &like, ts_mask_data(r, ts_printf(r->arena, "the size of a hit == 0, node '%s'", r->node->name)), otherwise,
                         if_zero);
}

const rec_val *ts_rec_size_compare(rec *r, const rec_val *v, const ts_value *with, bool swapped)
{
    double level;
    if (!with->constant || !ts_rec_uniform(with->constant, &level) || !(level >= 0 && level <= NEARLY_ZERO)) {
        ts_rec_fail(r, r->node,
                    "the size of a hit is compared with something else than zero; a mask from the data can only be an exception that no "
                    "real hit meets");
        return NULL;
    }
    switch ((int)ts_kind(r->node)) {
    case TS_OP_Equal:
        return ts_rec_size_mask(r, v, 1, 0);
    case TS_OP_Greater:
        return ts_rec_size_mask(r, v, swapped, !swapped);
    case TS_OP_LessOrEqual:
        return ts_rec_size_mask(r, v, !swapped, swapped);
    case TS_OP_GreaterOrEqual:
    case TS_OP_Less:
        if (level > 0)
            return ts_rec_size_mask(r, v, (ts_kind(r->node) == TS_OP_Less) != swapped, (ts_kind(r->node) == TS_OP_Less) == swapped);
        if (swapped)
            return ts_rec_size_mask(r, v, ts_kind(r->node) == TS_OP_GreaterOrEqual, ts_kind(r->node) == TS_OP_Less);
        break;
    default:
        break;
    }
    ts_rec_fail(r, r->node, "the size of a hit is compared with %g in a way that is true, or false, of every hit", level);
    return NULL;
}
