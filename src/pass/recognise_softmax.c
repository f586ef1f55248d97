/* Softmax of scores: as an operator, and written out as exp(s - max(s)) / sum(exp(...)), with or without the maximum, or as
   exp(s - log sum exp(s)). */
#include "op/op.h"
#include "pass/recognise_value.h"

static rec_val *copy(rec *r, const rec_val *v, rec_kind kind)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *v;
    out->kind = kind;
    out->shape = &r->node->out[0]->shape;
    out->node = r->node;
    return out;
}

/* The softmax of v, scores or their exponentials, along the axis of its queries or its keys. */
static const rec_val *probabilities(rec *r, const rec_val *v, rec_axis_kind along)
{
    rec_val *out = copy(r, v, VAL_PROB);
    out->grid = NULL;
    if (along == REC_TOKEN) { /* k q^T: the other operand was the keys */
        for (int i = 0; i < out->layout.count; i++) {
            rec_axis_kind *kind = &out->layout.axis[i].kind;
            *kind = *kind == REC_TOKEN ? REC_KEY : *kind == REC_KEY ? REC_TOKEN : *kind;
        }
        out->q = v->k;
        out->k = v->q;
        out->mask_axis = v->mask_axis == REC_TOKEN ? REC_KEY : REC_TOKEN;
    }
    if (out->mask && out->mask_axis != REC_KEY) {
        ts_rec_fail(r, r->node, "the padding mask leaves out queries instead of keys; use a key-padding mask [batch, 1, 1, hits]");
        return NULL;
    }
    return out;
}

bool ts_rec_softmax(rec *r, const ts_node *node)
{
    const ts_value *in = ts_in(node, 0);
    const rec_val *v = r->val[in->id];
    rec_split split;
    if (v->kind != VAL_SCORE)
        return ts_rec_fail(
            r, node,
            "this softmax is not over attention scores but over %s (%s); a softmax over classes at the model's end must be "
            "left to the host (export the logits), pooling by softmax over hits has no hardware (pool by mean, max or first)",
            ts_rec_kind_text(v), ts_rec_name(v->node));
    if (!ts_rec_split(r, v, &split))
        return false;
    int64_t axis = ts_attr_int(node, "axis", node->opset < 13 ? 1 : -1);
    axis += axis < 0 ? split.rank : 0;
    /* Before opset 13 the softmax runs over all dimensions from `axis` on, as one. */
    const int to = node->opset < 13 ? split.start[split.rank] : split.start[axis + 1];
    if (to - split.start[axis] != 1 || split.axes.axis[split.start[axis]].kind == REC_CONST)
        return ts_rec_fail(r, node, "the softmax of attention must run over the keys alone (axis %lld does not)", (long long)axis);
    const rec_axis_kind along = split.axes.axis[split.start[axis]].kind;
    if (ts_kind(node) == TS_OP_LogSoftmax) {
        rec_val *out = copy(r, v, VAL_SCORE);
        out->along = along;
        out->row = ROW_LOG_SUM;
        r->val[node->out[0]->id] = out;
        return true;
    }
    r->val[node->out[0]->id] = probabilities(r, v, along);
    return r->val[node->out[0]->id] != NULL;
}

const rec_val *ts_rec_row_reduce(rec *r, const rec_val *v, const rec_split *split, const bool *reduced, const rec_layout *left)
{
    const ts_op_kind kind = ts_kind(r->node);
    rec_axis_kind along = REC_CONST;
    int axes = 0;
    for (int i = 0; i < split->rank; i++)
        for (int j = split->start[i]; j < split->start[i + 1]; j++)
            if (reduced[i]) {
                along = split->axes.axis[j].kind;
                axes++;
            }
    const bool fits = v->kind == VAL_EXP ? kind == TS_OP_ReduceSum : kind == TS_OP_ReduceMax || kind == TS_OP_ReduceLogSumExp;
    if (!fits || axes != 1 || along == REC_CONST) {
        ts_rec_fail(r, r->node, "%s (%s) are reduced in a way that is no softmax: exp(s - max(s)) / sum(exp(s - max(s))), over the keys",
                    ts_rec_kind_text(v), ts_rec_name(v->node));
        return NULL;
    }
    rec_val *out = copy(r, v, VAL_ROW);
    out->layout = *left;
    out->along = along;
    out->row = v->kind == VAL_EXP ? ROW_SUM : kind == TS_OP_ReduceMax ? ROW_ANY : ROW_LOG_SUM;
    return out;
}

/* Whether a row's numbers stand at the rows of v, which goes along the row's axis. */
static bool fits_rows(rec *r, const rec_val *v, const rec_val *row)
{
    rec_split vs, rs;
    if (!ts_rec_split(r, v, &vs) || !ts_rec_split(r, row, &rs))
        return false;
    bool ok = rs.rank <= vs.rank;
    for (int i = 0; ok && i < rs.rank; i++) {
        const int at = vs.rank - rs.rank + i;
        for (int j = rs.start[i]; ok && j < rs.start[i + 1]; j++)
            ok = vs.start[at + 1] - vs.start[at] == rs.start[i + 1] - rs.start[i] &&
                 vs.axes.axis[vs.start[at] + j - rs.start[i]].kind == rs.axes.axis[j].kind;
    }
    return ok ||
           ts_rec_fail(r, r->node, "numbers of the rows of attention scores (%s) are combined with other rows", ts_rec_name(row->node));
}

const rec_val *ts_rec_row_subtract(rec *r, const rec_val *score, const rec_val *row)
{
    if (!fits_rows(r, score, row))
        return NULL;
    const bool same = row->q == score->q && row->k == score->k && row->scale == score->scale && row->mask == score->mask;
    if (row->row == ROW_SUM || row->row == ROW_INVERSE || score->along != REC_CONST || (row->row == ROW_LOG_SUM && !same)) {
        ts_rec_fail(r, r->node, "%s (%s) are subtracted from attention scores, which is no part of a softmax", ts_rec_kind_text(row),
                    ts_rec_name(row->node));
        return NULL;
    }
    rec_val *out = copy(r, score, VAL_SCORE);
    out->along = row->along;
    out->row = row->row;
    return out;
}

const rec_val *ts_rec_exp(rec *r, const rec_val *v)
{
    if (v->kind == VAL_SCORE && v->row == ROW_LOG_SUM)
        return probabilities(r, v, v->along);
    return copy(r, v, VAL_EXP);
}

const rec_val *ts_rec_row_divide(rec *r, const rec_val *v, const rec_val *row)
{
    const bool inverse = ts_kind(r->node) == TS_OP_Mul;
    if (!fits_rows(r, v, row))
        return NULL;
    if (row->row != (inverse ? ROW_INVERSE : ROW_SUM) || row->q != v->q || row->k != v->k || row->scale != v->scale ||
        row->mask != v->mask || (v->along != REC_CONST && v->along != row->along)) {
        ts_rec_fail(r, r->node, "%s (%s) are not divided by their own sum over the keys, as a softmax does", ts_rec_kind_text(v),
                    ts_rec_name(v->node));
        return NULL;
    }
    return probabilities(r, v, row->along);
}
