/* Operators that move elements: what the result means is a view of what the operand means. */
#include <string.h>

#include "op/op.h"
#include "pass/recognise_value.h"

/* Integer parameters, each perhaps in terms of the number of hits: attribute `name`, or input `slot`. count -1: absent. */
typedef struct int_list {
    int count;
    ts_dim at[TS_MAX_RANK];
} int_list;

static bool get_ints(rec *r, const ts_node *node, const char *name, int slot, int_list *list)
{
    const ts_attr *attr = ts_attr_find(node, name);
    const ts_value *in = slot >= 0 ? ts_in(node, slot) : NULL;
    const ts_tensor *t = in ? in->constant : NULL;
    list->count = -1;
    if (!attr && !in)
        return true;
    if (!attr && !t && !in->known)
        return ts_rec_fail(r, node, "input '%s' depends on the data; it must be constant or follow from the number of hits", in->name);
    int64_t count = attr ? attr->count : t ? ts_count(t) : 1;
    if (!attr && !t && in->shape.rank == 1)
        count = in->shape.dim[0].c[0];
    if (count > TS_MAX_RANK)
        return ts_rec_fail(r, node, "a list of %lld integers is longer than the %d dimensions a tensor can have", (long long)count,
                           TS_MAX_RANK);
    list->count = (int)count;
    for (int i = 0; i < list->count; i++)
        list->at[i] = attr ? ts_dim_of(attr->i[i]) : t ? ts_dim_of(ts_get_int(t, i)) : in->known[i];
    return true;
}

static int fix_axis(int64_t axis, int rank)
{
    axis += axis < 0 ? rank : 0;
    CHECK(axis >= 0 && axis < rank);
    return (int)axis;
}

static const rec_val *positional(rec *r, const char *what)
{
    ts_rec_fail(r, r->node, "%s; what a hit means must not depend on where it stands in the event", what);
    return NULL;
}

static bool is_token_dim(const rec *r, const rec_val *v, int dim)
{
    rec_split split;
    if (r->tokens == 0 || !ts_layout_split(&v->layout, v->shape, r->tokens, &split))
        return !ts_dim_is_const(v->shape->dim[dim]);
    for (int i = split.start[dim]; i < split.start[dim + 1]; i++)
        if (split.axes.axis[i].kind != REC_CONST)
            return true;
    return false;
}

/* The first hit alone: a pooled value. */
static const rec_val *first_hit(rec *r, const rec_val *v, const ts_shape *shape, int dim)
{
    rec_split split;
    v = ts_rec_linear(r, v);
    if (!v || !ts_rec_split(r, v, &split))
        return NULL;
    rec_base *base = ts_base_new(r, BASE_POOL, v->form->rows);
    base->from = ts_form_freeze(r, ts_form_scale(r, v->form, v->scale, NULL));
    base->pool = TS_POOL_FIRST;
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *v;
    out->shape = shape;
    out->node = r->node;
    out->scale = 1.0;
    out->mask = NULL;
    out->form = ts_form_identity(r, ts_base_share(r, base));
    out->layout = (rec_layout){0};
    for (int i = 0; i < split.rank; i++)
        for (int j = split.start[i]; j < split.start[i + 1] && i != dim; j++)
            ts_layout_add(&out->layout, split.axes.axis[j].kind, split.axes.axis[j].size);
    return out;
}

static const ts_shape *with_dim(rec *r, const ts_shape *shape, int dim, ts_dim size)
{
    ts_shape *out = TS_NEW(r->arena, ts_shape);
    *out = *shape;
    out->dim[dim] = size;
    return out;
}

static const rec_val *slice_dim(rec *r, const rec_val *v, int dim, ts_dim start, ts_dim end, int64_t step)
{
    const ts_dim size = v->shape->dim[dim];
    const bool to_end = ts_dim_equal(end, size) || (ts_dim_is_const(end) && end.c[0] > INT32_MAX / 2);
    if (ts_dim_is(start, 0) && to_end && step == 1)
        return v;
    if (is_token_dim(r, v, dim)) {
        if (ts_dim_is(start, 0) && ts_dim_is(end, 1) && step == 1)
            return first_hit(r, v, with_dim(r, v->shape, dim, ts_dim_of(1)), dim);
        return positional(r, "some hits are cut out by their position; only all of them, or the first one as pooling, can be taken");
    }
    if (!ts_dim_is_const(start) || !ts_dim_is_const(end))
        return positional(r, "channels are selected by the number of hits");
    const int64_t n = size.c[0];
    int64_t from = start.c[0] < 0 ? start.c[0] + n : start.c[0], to = end.c[0] < 0 ? end.c[0] + n : end.c[0];
    const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    from = from < low ? low : from > high ? high : from;
    to = end.c[0] < -n ? low : to < low ? low : to > high ? high : to;
    const int64_t count = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
    if (count <= 0)
        return positional(r, "an empty slice is taken");
    int64_t *index = TS_NEW_N(r->arena, int64_t, count);
    for (int64_t i = 0; i < count; i++)
        index[i] = from + i * step;
    return ts_rec_slice(r, v, with_dim(r, v->shape, dim, ts_dim_of(count)), dim, count, index, false);
}

static const rec_val *slice(rec *r, const ts_node *node, const rec_val *v)
{
    int_list start, end, axes, step;
    if (!get_ints(r, node, "starts", 1, &start) || !get_ints(r, node, "ends", 2, &end) || !get_ints(r, node, "axes", 3, &axes) ||
        !get_ints(r, node, "steps", 4, &step))
        return NULL;
    const int rank = v->shape->rank;
    for (int i = 0; i < start.count && v; i++)
        v = slice_dim(r, v, axes.count < 0 ? i : fix_axis(axes.at[i].c[0], rank), start.at[i], end.at[i],
                      step.count < 0 ? 1 : step.at[i].c[0]);
    return v;
}

static const rec_val *gather(rec *r, const ts_node *node, const rec_val *v)
{
    const ts_value *which = ts_in(node, 1);
    const ts_shape *shape = &node->out[0]->shape;
    const int dim = fix_axis(ts_attr_int(node, "axis", 0), v->shape->rank);
    if (!which->constant)
        return positional(r, "elements are gathered by computed indices");
    const int64_t count = ts_count(which->constant);
    if (is_token_dim(r, v, dim)) {
        if (count != 1 || ts_get_int(which->constant, 0) != 0)
            return positional(r, "hits are gathered by their position; only the first one can be, as pooling");
        return first_hit(r, v, shape, dim);
    }
    const int64_t n = v->shape->dim[dim].c[0];
    int64_t *index = TS_NEW_N(r->arena, int64_t, count);
    for (int64_t i = 0; i < count; i++) {
        index[i] = ts_get_int(which->constant, i);
        index[i] += index[i] < 0 ? n : 0;
    }
    return ts_rec_slice(r, v, shape, dim, count, index, which->shape.rank == 0);
}

static bool split_node(rec *r, const ts_node *node, const rec_val *v)
{
    int_list sizes;
    const int dim = fix_axis(ts_attr_int(node, "axis", 0), v->shape->rank);
    if (is_token_dim(r, v, dim))
        return positional(r, "the hits of an event are split by their position") != NULL;
    if (!get_ints(r, node, "split", 1, &sizes))
        return false;
    int64_t from = 0;
    for (int i = 0; i < node->outs; i++) {
        const int64_t size = node->out[i]->shape.dim[dim].c[0];
        if (node->out[i]->uses || node->out[i]->is_output) {
            r->val[node->out[i]->id] = slice_dim(r, v, dim, ts_dim_of(from), ts_dim_of(from + size), 1);
            if (!r->val[node->out[i]->id])
                return false;
        }
        from += size;
    }
    return true;
}

/* Values stacked along dimension `dim`: rows of the first, then of the second, brought into the result's order. */
static const rec_val *concat_two(rec *r, const rec_val *a, const rec_val *b, int dim)
{
    rec_split sa, sb;
    if (!ts_rec_split(r, a, &sa) || !ts_rec_split(r, b, &sb))
        return NULL;
    const int64_t na = a->shape->dim[dim].c[0], nb = b->shape->dim[dim].c[0];
    rec_layout layout = {0};
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < sa.rank; i++) {
        if (i == dim) {
            ts_layout_add(&layout, REC_CONST, na + nb);
            continue;
        }
        for (int j = sa.start[i]; j < sa.start[i + 1]; j++) {
            const rec_axis *axis = &sa.axes.axis[j];
            ts_layout_add(&layout, axis->kind, axis->size);
            if (axis->kind == REC_CONST)
                *(i < dim ? &outer : &inner) *= axis->size;
        }
    }
    if (ts_layout_tokens(&a->layout) != ts_layout_tokens(&b->layout) || outer * na * inner != ts_layout_rows(&a->layout) ||
        outer * nb * inner != ts_layout_rows(&b->layout)) {
        ts_rec_fail(r, r->node, "values of the event are joined with values that do not have its hits");
        return NULL;
    }
    if (!ts_rec_channels(r, outer * (na + nb) * inner))
        return NULL;
    const rec_form *stack = ts_form_stack(r, ts_form_scale(r, a->form, a->scale, NULL), ts_form_scale(r, b->form, b->scale, NULL));
    if (!stack)
        return NULL;
    int *row = TS_NEW_N(r->arena, int, stack->rows), *to = row;
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < na * inner; i++)
            *to++ = (int)(o * na * inner + i);
        for (int64_t i = 0; i < nb * inner; i++)
            *to++ = (int)(outer * na * inner + o * nb * inner + i);
    }
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *a;
    out->shape = with_dim(r, a->shape, dim, ts_dim_of(na + nb));
    out->node = r->node;
    out->layout = layout;
    out->scale = 1.0;
    out->mask = NULL;
    out->form = outer == 1 ? stack : ts_form_select(r, stack, stack->rows, row);
    return out;
}

static bool concat(rec *r, const ts_node *node)
{
    const ts_shape *shape = &node->out[0]->shape;
    const int dim = fix_axis(ts_attr_int(node, "axis", 0), shape->rank);
    const rec_val *sum = NULL;
    if (!ts_dim_is_const(shape->dim[dim]))
        return ts_rec_fail(
            r, node,
            "hits are joined with other tokens (such as a class token); only the hits of the event can be tokens: pool by mean, "
            "maximum or the first hit instead");
    for (int i = 0; i < node->ins; i++) {
        const ts_value *in = ts_in(node, i);
        const rec_val *v = in->constant ? NULL : r->val[in->id];
        if (!v)
            return ts_rec_fail(
                r, node, "values of the hits are joined with '%s', which does not depend on them; leave it out, or add it through a bias",
                in->name);
        v = ts_rec_linear(r, v);
        sum = !v ? NULL : sum ? concat_two(r, sum, v, dim) : v;
        if (!sum || !ts_rec_affordable(r))
            return false;
    }
    r->val[node->out[0]->id] = ts_rec_reshape(r, sum, shape);
    return r->val[node->out[0]->id] != NULL;
}

static const rec_val *transpose(rec *r, const ts_node *node, const rec_val *v)
{
    const ts_attr *attr = ts_attr_find(node, "perm");
    int perm[TS_MAX_RANK];
    for (int i = 0; i < v->shape->rank; i++)
        perm[i] = attr ? fix_axis(attr->i[i], v->shape->rank) : v->shape->rank - 1 - i;
    return ts_rec_transpose(r, v, &node->out[0]->shape, perm);
}

/* Channels, repeated. */
static const rec_val *tile(rec *r, const rec_val *v, const ts_shape *shape)
{
    for (int dim = 0; v && dim < shape->rank; dim++) {
        if (ts_dim_equal(v->shape->dim[dim], shape->dim[dim]))
            continue;
        if (!ts_dim_is_const(shape->dim[dim]) || is_token_dim(r, v, dim))
            return positional(r, "hits are repeated");
        const int64_t n = v->shape->dim[dim].c[0], count = shape->dim[dim].c[0];
        if (!ts_rec_channels(r, count))
            return NULL;
        int64_t *index = TS_NEW_N(r->arena, int64_t, count);
        for (int64_t i = 0; i < count; i++)
            index[i] = i % n;
        v = ts_rec_slice(r, v, with_dim(r, v->shape, dim, shape->dim[dim]), dim, count, index, false);
    }
    return v;
}

bool ts_rec_move(rec *r, const ts_node *node)
{
    const ts_shape *shape = &node->out[0]->shape;
    const ts_op_kind kind = ts_kind(node);
    if (kind == TS_OP_Concat)
        return concat(r, node);
    const rec_val *v = r->val[ts_in(node, 0)->id], *out = NULL;
    if (!v || v->kind == VAL_POSITION)
        return ts_rec_fail(r, node, "input '%s' depends on positions only", ts_in(node, 0)->name);
    if (kind == TS_OP_Split)
        return split_node(r, node, v);
    switch ((int)kind) {
    case TS_OP_Transpose:
        out = transpose(r, node, v);
        break;
    case TS_OP_Slice:
        out = slice(r, node, v);
        break;
    case TS_OP_Gather:
        out = gather(r, node, v);
        break;
    case TS_OP_Expand:
        out = ts_rec_broadcast(r, v, shape);
        break;
    case TS_OP_Tile:
        out = v->kind == VAL_MASK ? ts_rec_broadcast(r, v, shape) : tile(r, v, shape);
        break;
    default:
        out = v;
        break; /* Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout: memory order stays */
    }
    out = out ? ts_rec_reshape(r, out, shape) : NULL;
    r->val[node->out[0]->id] = out;
    return out != NULL;
}
