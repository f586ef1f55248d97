/* Masks: a flag of each hit and whatever an exporter computes from it. A mask value is known by two numbers, what it is where
   the flag is false and where it is true; every elementwise operator simply works on both. */
#include <math.h>
#include <string.h>

#include "op/op.h"
#include "pass/recognise_value.h"

const rec_mask *ts_mask_input(rec *r, const ts_value *input)
{
    rec_mask *mask = TS_NEW(r->arena, rec_mask);
    mask->input = input;
    return mask;
}

const rec_mask *ts_mask_data(rec *r, const char *note)
{
    rec_mask *mask = TS_NEW(r->arena, rec_mask);
    mask->note = note;
    return mask;
}

/* How to find a hit's elements in a value with this layout. Where it has two axes of hits, the last one are the keys. */
static ts_data_mask seen_at(const ts_value *value, const rec_layout *layout)
{
    ts_data_mask seen = {.value = value->name, .stride = 1};
    for (int i = layout->count; i-- > 0;) {
        const rec_axis *axis = &layout->axis[i];
        if (axis->kind == REC_TOKEN || axis->kind == REC_KEY)
            return seen;
        if (axis->kind == REC_CONST)
            seen.stride *= axis->size;
        else
            seen.stride_hits++;
    }
    seen.stride = 0;
    return seen;
}

const rec_val *ts_mask_value(rec *r, const rec_val *like, const rec_mask *mask, double if_false, double if_true)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = (rec_val){.kind = VAL_MASK, .layout = like->layout, .shape = like->shape, .node = r->node, .mask = mask, .note = like->note};
    out->level[0] = if_false;
    out->level[1] = if_true;
    if (!out->note && mask)
        out->note = mask->note;
    if (out->note)
        out->seen = seen_at(r->node->out[0], &like->layout);
    return out;
}

const rec_val *ts_mask_fill(rec *r, const ts_shape *shape, double level)
{
    ts_shape *scalar = TS_NEW(r->arena, ts_shape);
    const rec_val like = {.shape = scalar};
    return ts_rec_broadcast(r, ts_mask_value(r, &like, NULL, level, level), shape);
}

const rec_val *ts_mask_of(rec *r, const ts_value *value)
{
    double level;
    if (!value->constant)
        return r->val[value->id] && r->val[value->id]->kind == VAL_MASK ? r->val[value->id] : NULL;
    return ts_rec_uniform(value->constant, &level) ? ts_mask_fill(r, &value->shape, level) : NULL;
}

/* One flag for a and b together; NULL with an error where they have different ones. */
static bool common_mask(rec *r, const rec_val *a, const rec_val *b, const rec_mask **mask)
{
    *mask = a->mask ? a->mask : b->mask;
    if (!a->mask || !b->mask || a->mask == b->mask)
        return true;
    /* Masks from the data, and guards, never fire: they have one level in practice and combine with anything. */
    if (!a->mask->input || !b->mask->input) {
        *mask = a->mask->input ? a->mask : b->mask->input ? b->mask : a->mask->note ? a->mask : b->mask;
        return true;
    }
    return ts_rec_fail(r, r->node, "two masks ('%s' and '%s') are combined; a model can have one key-padding mask", a->mask->input->name,
                       b->mask->input->name);
}

static double level_of(const rec_val *v, const rec_mask *mask, int flag)
{
    return v->level[v->mask == mask ? flag : 0];
}

/* The layout of two masks broadcast to one shape: along each dimension, the axis of the one that is not constant. */
static bool merge_layouts(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b, rec_layout *layout)
{
    a = ts_rec_broadcast(r, a, shape);
    b = a ? ts_rec_broadcast(r, b, shape) : NULL;
    rec_split sa, sb;
    if (!b || !ts_rec_split(r, a, &sa) || !ts_rec_split(r, b, &sb))
        return false;
    *layout = (rec_layout){0};
    for (int i = 0; i < shape->rank; i++) {
        const bool second =
            sb.start[i + 1] - sb.start[i] == 1 && sb.axes.axis[sb.start[i]].kind != REC_CONST && sb.axes.axis[sb.start[i]].kind != REC_SAME;
        const rec_split *from = second ? &sb : &sa;
        for (int j = from->start[i]; j < from->start[i + 1]; j++)
            ts_layout_add(layout, from->axes.axis[j].kind, from->axes.axis[j].size);
    }
    return true;
}

static double apply_binary(ts_op_kind kind, double a, double b, bool *known)
{
    switch ((int)kind) {
    case TS_OP_Add:
    case TS_OP_Sum:
        return a + b;
    case TS_OP_Sub:
        return a - b;
    case TS_OP_Mul:
        return a * b;
    case TS_OP_Div:
        return a / b;
    case TS_OP_Pow:
        return pow(a, b);
    case TS_OP_Min:
        return fmin(a, b);
    case TS_OP_Max:
        return fmax(a, b);
    case TS_OP_And:
        return a != 0 && b != 0;
    case TS_OP_Or:
        return a != 0 || b != 0;
    case TS_OP_Xor:
        return (a != 0) != (b != 0);
    case TS_OP_Equal:
        return a == b;
    case TS_OP_Less:
        return a < b;
    case TS_OP_LessOrEqual:
        return a <= b;
    case TS_OP_Greater:
        return a > b;
    case TS_OP_GreaterOrEqual:
        return a >= b;
    default:
        *known = false;
        return 0;
    }
}

const rec_val *ts_mask_binary(rec *r, const ts_shape *shape, const rec_val *a, const rec_val *b)
{
    const rec_mask *mask;
    rec_layout layout;
    if (!common_mask(r, a, b, &mask) || !merge_layouts(r, shape, a, b, &layout))
        return NULL;
    const rec_val like = {.layout = layout, .shape = shape, .note = a->note ? a->note : b->note};
    bool known = true;
    double level[2];
    for (int flag = 0; flag < 2; flag++)
        level[flag] = apply_binary(ts_kind(r->node), level_of(a, mask, flag), level_of(b, mask, flag), &known);
    if (!known) {
        ts_rec_fail(r, r->node, "this operator is not understood on masks");
        return NULL;
    }
    return ts_mask_value(r, &like, mask, level[0], level[1]);
}

static double cast_level(const ts_node *node, ts_dtype to, double x, bool *known)
{
    switch ((int)ts_kind(node)) {
    case TS_OP_Not:
        return x == 0;
    case TS_OP_Neg:
        return -x;
    case TS_OP_Abs:
        return fabs(x);
    case TS_OP_Exp:
        return exp(x);
    case TS_OP_Log:
        return log(x);
    case TS_OP_Sqrt:
        return sqrt(x);
    case TS_OP_Reciprocal:
        return 1 / x;
    case TS_OP_Sign:
        return (x > 0) - (x < 0);
    case TS_OP_IsNaN:
        return isnan(x);
    case TS_OP_IsInf:
        return isinf(x) != 0;
    case TS_OP_Cast:
    case TS_OP_CastLike:
        return to == TS_BOOL ? x != 0 : ts_is_float(to) ? x : trunc(x);
    default:
        *known = false;
        return 0;
    }
}

const rec_val *ts_mask_unary(rec *r, const rec_val *v)
{
    bool known = true;
    double level[2];
    for (int flag = 0; flag < 2; flag++)
        level[flag] = cast_level(r->node, r->node->out[0]->dtype, v->level[flag], &known);
    if (!known) {
        ts_rec_fail(r, r->node, "this operator is not understood on masks");
        return NULL;
    }
    const rec_val like = {.layout = v->layout, .shape = &r->node->out[0]->shape, .note = v->note};
    return ts_mask_value(r, &like, v->mask, level[0], level[1]);
}

const rec_val *ts_mask_where(rec *r, const ts_shape *shape, const rec_val *cond, const rec_val *a, const rec_val *b)
{
    const rec_mask *mask, *branches;
    rec_layout ab, layout;
    if (!common_mask(r, a, b, &branches) || !merge_layouts(r, shape, a, b, &ab))
        return NULL;
    const rec_val both = {.kind = VAL_MASK, .layout = ab, .shape = shape, .mask = branches};
    if (!common_mask(r, cond, &both, &mask) || !merge_layouts(r, shape, &both, cond, &layout))
        return NULL;
    const rec_val like = {.layout = layout, .shape = shape, .note = cond->note ? cond->note : a->note ? a->note : b->note};
    double level[2];
    for (int flag = 0; flag < 2; flag++)
        level[flag] = level_of(cond, mask, flag) != 0 ? level_of(a, mask, flag) : level_of(b, mask, flag);
    return ts_mask_value(r, &like, mask, level[0], level[1]);
}

/* What a reduction makes of `count` elements that are all x. */
static bool reduced_level(ts_op_kind kind, double x, double count, double *level)
{
    *level = x;
    switch ((int)kind) {
    case TS_OP_ReduceMean:
    case TS_OP_ReduceMax:
    case TS_OP_ReduceMin:
    case TS_OP_GlobalAveragePool:
    case TS_OP_GlobalMaxPool:
        return true;
    case TS_OP_ReduceSum:
        *level = x * count;
        return true;
    case TS_OP_ReduceL1:
        *level = fabs(x) * count;
        return true;
    case TS_OP_ReduceSumSquare:
        *level = x * x * count;
        return true;
    case TS_OP_ReduceL2:
        *level = fabs(x) * sqrt(count);
        return true;
    case TS_OP_ReduceProd:
        *level = pow(x, count);
        return true;
    default:
        return false;
    }
}

const rec_val *ts_mask_reduce(rec *r, const rec_val *v, const rec_layout *layout, const ts_shape *shape, int64_t rows, int tokens)
{
    const rec_val like = {.layout = *layout, .shape = shape, .note = v->note};
    const bool sum = ts_kind(r->node) == TS_OP_ReduceSum;
    if (tokens > 0 && v->mask && v->mask->input) {
        const int padding = v->level[0] == 0;
        rec_val *out = TS_NEW(r->arena, rec_val);
        if (!sum || tokens != 1 || v->level[0] + v->level[1] != 1 || v->level[0] * v->level[1] != 0) {
            ts_rec_fail(r, r->node, "a mask is reduced over the hits to something else than the number of hits");
            return NULL;
        }
        if (!ts_mask_use(r, v, !padding))
            return NULL;
        *out = (rec_val){.kind = VAL_COUNT, .layout = *layout, .shape = shape, .node = r->node, .mask = v->mask};
        return out;
    }
    if (tokens > 0 && sum) {
        ts_rec_fail(r, r->node, "hits are counted; the model must not depend on how many there are (pool by ReduceMean instead)");
        return NULL;
    }
    double level[2];
    for (int flag = 0; flag < 2; flag++)
        if (!reduced_level(ts_kind(r->node), v->level[flag], (double)rows, &level[flag])) {
            ts_rec_fail(r, r->node, "this reduction is not understood on masks");
            return NULL;
        }
    return ts_mask_value(r, &like, v->mask, level[0], level[1]);
}

void ts_mask_watch(rec *r, const rec_val *mask, double quiet)
{
    if (!mask->note)
        return;
    for (int i = 0; i < r->data_masks; i++)
        if (strcmp(r->data_mask[i].value, mask->seen.value) == 0)
            return;
    if (r->data_masks == r->data_mask_room) {
        const int room = 2 * r->data_mask_room + 4;
        ts_data_mask *grown = TS_NEW_N(r->arena, ts_data_mask, room);
        if (r->data_masks)
            memcpy(grown, r->data_mask, (size_t)r->data_masks * sizeof *grown);
        r->data_mask = grown;
        r->data_mask_room = room;
    }
    if (r->data_masks == 0)
        r->data_note = mask->note;
    ts_data_mask *added = &r->data_mask[r->data_masks++];
    *added = mask->seen;
    added->value = ts_strdup(r->arena, mask->seen.value);
    added->quiet = quiet;
}

bool ts_mask_use(rec *r, const rec_val *v, int padding)
{
    const rec_mask *mask = v->mask;
    ts_mask_watch(r, v, v->level[1 - padding]);
    if (!mask->input) {
        if (padding == 0)
            return ts_rec_fail(
                r, r->node,
                "a condition computed from the data (%s) would leave out every hit where it does not hold; only exceptions that "
                "never occur on real hits can be ignored",
                mask->note ? mask->note : "a test for results that are no numbers");
        return true;
    }
    if (r->polarity_known && r->true_is_padding != (padding == 1))
        return ts_rec_fail(r, r->node, "the mask '%s' is used in both senses, as marking hits and as marking padding", mask->input->name);
    r->polarity_known = true;
    r->true_is_padding = padding == 1;
    return true;
}

const rec_val *ts_mask_score(rec *r, const rec_val *score, const rec_val *mask, int padding)
{
    rec_split ss, ms;
    rec_axis_kind axis = REC_CONST;
    if (!ts_mask_use(r, mask, padding))
        return NULL;
    mask = ts_rec_broadcast(r, mask, score->shape);
    if (!mask || !ts_rec_split(r, score, &ss) || !ts_rec_split(r, mask, &ms))
        return NULL;
    for (int i = 0; i < ms.rank; i++)
        for (int j = ms.start[i]; j < ms.start[i + 1]; j++) {
            const rec_axis_kind kind = ms.axes.axis[j].kind;
            if (kind != REC_TOKEN && kind != REC_KEY)
                continue;
            if (axis != REC_CONST && mask->mask->input) {
                ts_rec_fail(r, r->node, "the mask '%s' has a value for each pair of hits; use a key-padding mask, one value a hit",
                            mask->mask->input->name);
                return NULL;
            }
            axis = ss.axes.axis[ss.start[i]].kind;
        }
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *score;
    out->node = r->node;
    if (!mask->mask->input && !mask->mask->note)
        return out;
    if (score->mask && score->mask != mask->mask) {
        ts_rec_fail(r, r->node, "the scores have two masks; one key-padding mask is supported");
        return NULL;
    }
    out->mask = mask->mask;
    out->mask_axis = axis;
    return out;
}
