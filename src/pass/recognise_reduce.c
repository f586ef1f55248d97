/* Reductions: over all hits (pooling), over the channels of a hit, over keys. */
#include "op/op.h"
#include "pass/recognise_value.h"

static const rec_val *fail(rec *r, const char *what)
{
    ts_rec_fail(r, r->node, "%s", what);
    return NULL;
}

/* The dimensions that a reduction takes. */
static bool reduced_dims(rec *r, const ts_node *node, int rank, bool *flag)
{
    const ts_attr *attr = ts_attr_find(node, "axes");
    const ts_value *in = ts_in(node, 1);
    if (ts_kind(node) == TS_OP_GlobalAveragePool || ts_kind(node) == TS_OP_GlobalMaxPool) {
        for (int i = 0; i < rank; i++)
            flag[i] = i > 1;
        return true;
    }
    const int64_t count = attr ? attr->count : in && in->constant ? ts_count(in->constant) : 0;
    if (in && !in->constant)
        return ts_rec_fail(r, node, "the axes must be constant");
    for (int i = 0; i < rank; i++)
        flag[i] = count == 0 && !ts_attr_int(node, "noop_with_empty_axes", 0);
    for (int64_t i = 0; i < count; i++) {
        int64_t axis = attr ? attr->i[i] : ts_get_int(in->constant, i);
        axis += axis < 0 ? rank : 0;
        CHECK(axis >= 0 && axis < rank);
        flag[axis] = true;
    }
    return true;
}

static const rec_val *pool_tokens(rec *r, const ts_node *node, const rec_val *v, const rec_layout *layout, const ts_shape *shape)
{
    const ts_op_kind kind = ts_kind(node);
    v = ts_rec_linear(r, v);
    if (!v)
        return NULL;
    rec_val *out = ts_rec_copy(r, v, shape);
    out->layout = *layout;
    if (kind == TS_OP_ReduceSum && v->mask && v->fill == 0) {
        out->kind = VAL_SUM;
        return out;
    }
    if (kind == TS_OP_ReduceSum)
        return fail(r, "hits are summed; pool them by mean or maximum, so that the result does not grow with their number");
    const bool mean = kind == TS_OP_ReduceMean || kind == TS_OP_GlobalAveragePool,
               max = kind == TS_OP_ReduceMax || kind == TS_OP_GlobalMaxPool;
    if (!mean && !max)
        return fail(r, "hits are pooled in a way that has no hardware; use the mean, the maximum or the first hit");
    const rec_form *f = ts_form_scale(r, v->form, v->scale, NULL);
    const bool through = mean && f->terms == 1 && !f->grid && !f->term[0].x_grid; /* the mean of a linear is the linear of the mean */
    rec_base *base = ts_base_new(r, BASE_POOL, through ? f->term[0].base->width : f->rows);
    base->from = through ? f->term[0].base : ts_form_freeze(r, f);
    base->pool = mean ? TS_POOL_MEAN : TS_POOL_MAX;
    if (max && v->mask && v->fill <= REC_DROP)
        base->mask = v->mask;
    out->form = through ? ts_form_over(r, f, ts_base_share(r, base)) : ts_form_identity(r, ts_base_share(r, base));
    out->scale = 1.0;
    out->mask = NULL;
    return out;
}

/* Whether a reduction over channels makes one size of a hit's values, or of their sizes. */
static bool makes_size(ts_op_kind kind, const rec_val *v)
{
    if (kind == TS_OP_ReduceL1 || kind == TS_OP_ReduceL2)
        return ts_rec_is_hits(v) || v->kind == VAL_SIZE;
    if (kind == TS_OP_ReduceMax)
        return ts_rec_is_size(v);
    return v->kind == VAL_SIZE && (kind == TS_OP_ReduceSum || kind == TS_OP_ReduceMean || kind == TS_OP_ReduceSumSquare);
}

/* Whether its rows are channels, and not means of groups of them. */
static bool is_of_channels(const rec_val *v)
{
    return v->kind == VAL_LINEAR || (v->kind == VAL_POLY && ts_layout_rows(&v->layout) == v->poly->x->width);
}

bool ts_rec_reduce(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id], *out = NULL;
    const ts_shape *shape = &node->out[0]->shape;
    const ts_op_kind kind = ts_kind(node);
    bool flag[TS_MAX_RANK];
    rec_split split;
    rec_layout left = {0};
    int64_t rows = 1;
    int tokens = 0;
    bool in_order = true; /* what is reduced stands behind what is not: groups of channels, one after another */
    if (!ts_rec_split(r, v, &split) || !reduced_dims(r, node, split.rank, flag))
        return false;
    for (int i = 0; i < split.rank; i++)
        for (int j = split.start[i]; j < split.start[i + 1]; j++) {
            const rec_axis *axis = &split.axes.axis[j];
            if (!flag[i])
                ts_layout_add(&left, axis->kind, axis->size);
            in_order &= flag[i] || axis->kind != REC_CONST || rows == 1;
            if (!flag[i])
                continue;
            if (axis->kind == REC_CONST)
                rows *= axis->size;
            else
                tokens++;
        }
    if (v->kind == VAL_MASK) {
        out = ts_mask_reduce(r, v, &left, shape, rows, tokens);
    } else if (v->kind == VAL_SCORE || v->kind == VAL_EXP) {
        out = ts_rec_row_reduce(r, v, &split, flag, &left);
    } else if (tokens == 0 && kind == TS_OP_ReduceL2 && rows > 1 && in_order && is_of_channels(v)) {
        out = ts_rec_poly_power(r, v, 2.0);
        out = out ? ts_rec_poly_reduce(r, out, &left, shape, false, (int)rows) : NULL;
        out = out ? ts_rec_poly_power(r, out, 0.5) : NULL;
    } else if (tokens == 0 && makes_size(kind, v)) {
        out = ts_rec_size(r, v, &left, shape);
    } else if (!ts_rec_is_hits(v)) {
        out = ts_rec_linear(r, v);
    } else if (tokens == 1 && rows == 1) {
        out = pool_tokens(r, node, v, &left, shape);
    } else if (tokens == 0 && rows == 1) {
        out = ts_rec_copy(r, v, shape);
    } else if (tokens > 0 || !in_order || !is_of_channels(v)) {
        fail(r, "this reduction takes neither all channels of a hit or of its heads (a normalisation) nor all hits (pooling)");
    } else if (kind == TS_OP_ReduceMean || kind == TS_OP_ReduceSum) {
        out = ts_rec_poly_reduce(r, v, &left, shape, kind == TS_OP_ReduceMean, (int)rows);
    } else if (kind == TS_OP_ReduceSumSquare) {
        out = ts_rec_poly_power(r, v, 2.0);
        out = out ? ts_rec_poly_reduce(r, out, &left, shape, false, (int)rows) : NULL;
    } else {
        fail(r, "this reduction over the channels has no hardware");
    }
    r->val[node->out[0]->id] = out;
    return out != NULL;
}
