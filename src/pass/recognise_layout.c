/* Views: reshapes, transposes, slices, broadcasts. They change where an element stands, never its meaning. */
#include <string.h>

#include "pass/recognise_value.h"

void ts_layout_add(rec_layout *layout, rec_axis_kind kind, int64_t size)
{
    if (kind == REC_CONST && size == 1)
        return;
    rec_axis *last = layout->count ? &layout->axis[layout->count - 1] : NULL;
    if (kind == REC_CONST && last && last->kind == REC_CONST) {
        last->size = (int32_t)(last->size * size);
        return;
    }
    CHECK(layout->count < REC_MAX_AXES);
    layout->axis[layout->count++] = (rec_axis){kind, kind == REC_CONST ? (int32_t)size : 0};
}

int64_t ts_layout_rows(const rec_layout *layout)
{
    int64_t rows = 1;
    for (int i = 0; i < layout->count; i++)
        if (layout->axis[i].kind == REC_CONST)
            rows *= layout->axis[i].size;
    return rows;
}

int ts_layout_tokens(const rec_layout *layout)
{
    int tokens = 0;
    for (int i = 0; i < layout->count; i++)
        tokens += layout->axis[i].kind != REC_CONST;
    return tokens;
}

/* A dimension c * n^p as c and p; false for sums such as n + 1. */
static bool factor_dim(ts_dim dim, int64_t *size, int *tokens)
{
    int found = 0;
    for (int p = 0; p < 3; p++)
        if (dim.c[p] != 0) {
            *size = dim.c[p];
            *tokens = p;
            found++;
        }
    return found == 1;
}

bool ts_layout_split(const rec_layout *layout, const ts_shape *shape, int64_t fixed, rec_split *split)
{
    rec_layout rest = *layout;
    int at = 0;
    memset(split, 0, sizeof *split);
    split->rank = shape->rank;
    for (int i = 0; i < shape->rank; i++) {
        int64_t size = 0;
        int tokens = 0;
        split->start[i] = split->axes.count;
        if (!factor_dim(shape->dim[i], &size, &tokens) || size <= 0)
            return false;
        while (size > 1 || tokens > 0) {
            if (at == rest.count || split->axes.count == REC_MAX_AXES)
                return false;
            rec_axis *axis = &rest.axis[at];
            rec_axis take = *axis;
            if (axis->kind != REC_CONST) {
                if (tokens > 0)
                    tokens--;
                else if (fixed > 0 && size % fixed == 0)
                    size /= fixed;
                else
                    return false;
                at++;
            } else if (size > 1 && size % axis->size == 0) {
                size /= axis->size;
                at++;
            } else if (size > 1 && axis->size % size == 0) {
                take.size = (int32_t)size;
                axis->size = (int32_t)(axis->size / size);
                size = 1;
            } else {
                return false;
            }
            split->axes.axis[split->axes.count++] = take;
        }
    }
    split->start[shape->rank] = split->axes.count;
    int64_t stride = 1;
    for (int i = split->axes.count; i-- > 0;)
        if (split->axes.axis[i].kind == REC_CONST) {
            split->stride[i] = stride;
            stride *= split->axes.axis[i].size;
        }
    return at == rest.count;
}

bool ts_rec_split(rec *r, const rec_val *v, rec_split *split)
{
    if (ts_layout_split(&v->layout, v->shape, r->tokens, split))
        return true;
    return ts_rec_fail(r, r->node,
                       "the shape of %s mixes hits with channels in a way that cannot be followed; keep the axis of the hits apart "
                       "from the others",
                       ts_rec_name(v->node));
}

/* The rows of a view, in its order. */
static int *view_rows(rec *r, int64_t first, int picks, const rec_pick *pick, int64_t rows)
{
    int *row = TS_NEW_N(r->arena, int, rows);
    int64_t done = 1;
    row[0] = (int)first;
    for (int i = 0; i < picks; i++) { /* the rows so far, each replaced by its `size` successors; backwards, in place */
        if (pick[i].axis.kind != REC_CONST)
            continue;
        const int64_t size = pick[i].axis.size;
        for (int64_t j = done; j-- > 0;)
            for (int64_t k = size; k-- > 0;)
                row[j * size + k] = row[j] + (int)((pick[i].index ? pick[i].index[k] : k) * pick[i].stride);
        done *= size;
    }
    return row;
}

/* Whether each group's moment is repeated for all of its channels. */
static bool repeats_groups(const rec_poly *p, int64_t old_rows, int64_t rows, const int *row)
{
    bool all = p && p->group > 0 && rows == p->x->width && old_rows * p->group == rows;
    for (int64_t i = 0; all && i < rows; i++)
        all = row[i] == i / p->group;
    return all;
}

const rec_val *ts_rec_view(rec *r, const rec_val *v, const ts_shape *shape, int64_t first, int picks, const rec_pick *pick)
{
    int64_t rows = 1;
    for (int i = 0; i < picks; i++)
        if (pick[i].axis.kind == REC_CONST && !ts_rec_channels(r, rows *= pick[i].axis.size))
            return NULL;
    const int *row = view_rows(r, first, picks, pick, rows);
    const int64_t old_rows = ts_layout_rows(&v->layout);
    bool same = rows == old_rows;
    for (int64_t i = 0; same && i < rows; i++)
        same = row[i] == i;
    const bool repeated = old_rows == 1 || repeats_groups(v->poly, old_rows, rows, row);
    if (v->kind == VAL_POLY && !same && !repeated) {
        v = ts_rec_linear(r, v);
        if (!v)
            return NULL;
    }
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *v;
    out->shape = shape;
    memset(&out->layout, 0, sizeof out->layout);
    for (int i = 0; i < picks; i++)
        ts_layout_add(&out->layout, pick[i].axis.kind, pick[i].axis.size);
    if (same)
        return out;
    switch (v->kind) {
    case VAL_LINEAR:
    case VAL_SUM:
        out->form = ts_form_select(r, v->form, (int)rows, row);
        break;
    case VAL_SCORE:
    case VAL_EXP:
    case VAL_PROB: {
        int *channel = TS_NEW_N(r->arena, int, rows * v->d_head);
        for (int64_t h = 0; h < rows; h++)
            for (int c = 0; c < v->d_head; c++)
                channel[h * v->d_head + c] = row[h] * v->d_head + c;
        out->heads = (int)rows;
        out->q = ts_form_select(r, v->q, (int)rows * v->d_head, channel);
        out->k = ts_form_select(r, v->k, (int)rows * v->d_head, channel);
        break;
    }
    case VAL_SIZE:
        out->poly = repeated ? v->poly : NULL;
        break;
    case VAL_POLY: /* one number a token, or a group, repeated */
    case VAL_ROW:
    case VAL_MASK:
    case VAL_COUNT:
    case VAL_POSITION:
        break;
    }
    return out;
}

const rec_val *ts_rec_reshape(rec *r, const rec_val *v, const ts_shape *shape)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *v;
    out->shape = shape;
    rec_split split;
    if (!ts_rec_split(r, out, &split))
        return NULL;
    return out;
}

static int pick_dim(const rec_split *split, int dim, int picks, rec_pick *pick)
{
    for (int i = split->start[dim]; i < split->start[dim + 1]; i++)
        pick[picks++] = (rec_pick){split->axes.axis[i], split->stride[i], NULL};
    return picks;
}

const rec_val *ts_rec_transpose(rec *r, const rec_val *v, const ts_shape *shape, const int *perm)
{
    rec_split split;
    rec_pick pick[REC_MAX_AXES];
    int picks = 0;
    if (!ts_rec_split(r, v, &split))
        return NULL;
    for (int i = 0; i < split.rank; i++)
        picks = pick_dim(&split, perm[i], picks, pick);
    return ts_rec_view(r, v, shape, 0, picks, pick);
}

const rec_val *ts_rec_broadcast(rec *r, const rec_val *v, const ts_shape *shape)
{
    rec_split split;
    rec_pick pick[2 * REC_MAX_AXES];
    int picks = 0;
    if (!ts_rec_split(r, v, &split))
        return NULL;
    bool changed = false;
    for (int i = 0; i < shape->rank; i++) {
        const int from = i - (shape->rank - split.rank);
        if (from >= 0 && !ts_dim_is(v->shape->dim[from], 1)) {
            picks = pick_dim(&split, from, picks, pick);
            continue;
        }
        int64_t size = 1;
        int tokens = 0;
        factor_dim(shape->dim[i], &size, &tokens);
        if (size > 1)
            pick[picks++] = (rec_pick){{REC_CONST, (int32_t)size}, 0, NULL};
        while (tokens-- > 0) {
            if (v->kind != VAL_MASK && v->kind != VAL_POSITION) {
                ts_rec_fail(r, r->node, "%s (%s) is repeated for every hit; only masks can be", ts_rec_kind_text(v), ts_rec_name(v->node));
                return NULL;
            }
            pick[picks++] = (rec_pick){{REC_SAME, 0}, 0, NULL};
        }
        changed |= !ts_dim_is(shape->dim[i], 1);
    }
    if (!changed && shape->rank == split.rank)
        return v;
    return ts_rec_view(r, v, shape, 0, picks, pick);
}

const rec_val *ts_rec_slice(rec *r, const rec_val *v, const ts_shape *shape, int dim, int64_t count, const int64_t *index, bool drop)
{
    rec_split split;
    rec_pick pick[REC_MAX_AXES];
    int picks = 0;
    int64_t first = 0;
    if (!ts_rec_split(r, v, &split))
        return NULL;
    for (int i = 0; i < split.rank; i++) {
        if (i != dim) {
            picks = pick_dim(&split, i, picks, pick);
            continue;
        }
        /* Several axes may make the dimension; they are all constant here, and follow each other in memory only up to a
           token axis, so their rows need not be evenly spaced: list them. */
        const int from = split.start[i], to = split.start[i + 1];
        int64_t *rows = TS_NEW_N(r->arena, int64_t, count);
        for (int64_t j = 0; j < count; j++) {
            int64_t rest = index[j];
            for (int a = to; a-- > from;) {
                rows[j] += rest % split.axes.axis[a].size * split.stride[a];
                rest /= split.axes.axis[a].size;
            }
        }
        if (drop)
            first = rows[0];
        else
            pick[picks++] = (rec_pick){{REC_CONST, (int32_t)count}, 1, rows};
    }
    return ts_rec_view(r, v, shape, first, picks, pick);
}

/* Whether the elements along a dimension are all equal. */
static bool uniform_along(const ts_tensor *t, int dim)
{
    int64_t inner = 1;
    for (int i = dim + 1; i < t->rank; i++)
        inner *= t->dim[i];
    const int64_t count = ts_count(t), step = inner * t->dim[dim];
    for (int64_t i = 0; i < count; i++)
        if (ts_get_real(t, i) != ts_get_real(t, i / step * step + i % inner))
            return false;
    return true;
}

/* Whether the elements above the diagonal of the last two dimensions are as if minus infinity, and no others. */
static bool is_causal(const ts_tensor *t)
{
    const int64_t n = t->dim[t->rank - 1], count = ts_count(t);
    if (n < 2 || t->rank < 2 || t->dim[t->rank - 2] != n)
        return false;
    for (int64_t i = 0; i < count; i++)
        if ((ts_get_real(t, i) <= REC_DROP) != (i % n > i / n % n))
            return false;
    return true;
}

static void fail_score_constant(rec *r, const ts_tensor *t)
{
    if (is_causal(t))
        ts_rec_fail(r, r->node,
                    "a causal mask: each hit attends to those before it only; hits are a set, and causal masks have no hardware");
    else
        ts_rec_fail(r, r->node,
                    "an attention bias: a constant for every pair of hits is added to the attention scores (relative positions, "
                    "distances); it has no "
                    "hardware: train without it");
}

const double *ts_rec_constant(rec *r, const rec_val *v, const ts_tensor *t, bool *uniform)
{
    rec_split split;
    if (!ts_rec_split(r, v, &split))
        return NULL;
    const int64_t rows = ts_layout_rows(&v->layout);
    double *value = TS_NEW_N(r->arena, double, rows);
    if (rows > r->offset_room) {
        r->offset_room = 2 * rows;
        r->offset = TS_NEW_N(r->arena, int64_t, r->offset_room);
    }
    int64_t *at = r->offset; /* of the constant's element for each row */
    at[0] = 0;
    int64_t t_stride[TS_MAX_RANK], stride = 1, done = 1;
    for (int i = t->rank; i-- > 0;) {
        t_stride[i] = t->dim[i] == 1 ? 0 : stride;
        stride *= t->dim[i];
    }
    for (int i = 0; i < split.rank; i++) {
        const int dim = i - (split.rank - t->rank);
        if (dim < 0 || t->dim[dim] == 1) {
            for (int a = split.start[i]; a < split.start[i + 1]; a++)
                if (split.axes.axis[a].kind == REC_CONST) {
                    const int64_t size = split.axes.axis[a].size;
                    for (int64_t j = done; j-- > 0;)
                        for (int64_t k = size; k-- > 0;)
                            at[j * size + k] = at[j];
                    done *= size;
                }
            continue;
        }
        for (int a = split.start[i]; a < split.start[i + 1]; a++) {
            int64_t inner = 1;
            if (split.axes.axis[a].kind != REC_CONST && split.start[i + 1] - split.start[i] == 1 && uniform_along(t, dim))
                continue; /* an exporter that knew the number of tokens wrote the same for each */
            if (split.axes.axis[a].kind != REC_CONST) {
                if (v->kind == VAL_SCORE)
                    fail_score_constant(r, t);
                else
                    ts_rec_fail(r, r->node,
                                "a constant has a value for every hit (a positional encoding); that makes the model depend on the order of "
                                "the hits, "
                                "and has no hardware inside an encoder");
                return NULL;
            }
            for (int b = a + 1; b < split.start[i + 1]; b++)
                inner *= split.axes.axis[b].size;
            const int64_t size = split.axes.axis[a].size;
            for (int64_t j = done; j-- > 0;)
                for (int64_t k = size; k-- > 0;)
                    at[j * size + k] = at[j] + k * inner * t_stride[dim];
            done *= size;
        }
    }
    *uniform = true;
    for (int64_t i = 0; i < rows; i++) {
        value[i] = ts_get_real(t, at[i]);
        *uniform &= value[i] == value[0];
    }
    return value;
}

bool ts_rec_uniform(const ts_tensor *t, double *value)
{
    const int64_t count = ts_count(t);
    for (int64_t i = 0; i < count; i++)
        if (ts_get_real(t, i) != ts_get_real(t, 0))
            return false;
    *value = count ? ts_get_real(t, 0) : 0;
    return count > 0;
}
