/* Operators that normalise. Those that are named after something else are layer normalisations where what they normalise over is all
   channels of a hit: exporters write it as InstanceNormalization (tf2onnx) or as BatchNormalization in training mode (Keras). */
#include <math.h>

#include "op/op.h"
#include "pass/recognise_value.h"

/* Operators that say what they normalise by an axis: LayerNormalization, RMSNormalization and its like. */
bool ts_rec_norm_node(rec *r, const ts_node *node)
{
    const ts_norm_kind kind = ts_kind(node) == TS_OP_LayerNormalization ? TS_NORM_LAYER : TS_NORM_RMS;
    const rec_val *v = r->val[ts_in(node, 0)->id];
    const ts_value *gain = ts_in(node, 1), *bias = ts_in(node, 2);
    rec_split split;
    if (!ts_rec_split(r, v, &split))
        return false;
    int64_t axis = ts_attr_int(node, "axis", -1), rows = 1;
    axis += axis < 0 ? split.rank : 0;
    for (int i = split.start[axis]; i < split.axes.count; i++)
        rows = split.axes.axis[i].kind == REC_CONST ? rows * split.axes.axis[i].size : -1;
    if (rows < 1)
        return ts_rec_fail(r, node, "the normalisation must run over the channels of a hit, or of its heads, and nothing else");
    if ((gain && !gain->constant) || (bias && !bias->constant))
        return ts_rec_fail(r, node, "gain and bias must be constant");
    for (int i = 1; i < node->outs; i++)
        if (node->out[i]->uses || node->out[i]->is_output)
            return ts_rec_fail(r, node, "its mean or deviation is used on its own, which no encoder does");
    const rec_val *out = ts_rec_norm(r, v, kind, (int)rows, gain ? gain->constant : NULL, bias ? bias->constant : NULL,
                                     ts_attr_float(node, "epsilon", 1e-5));
    r->val[node->out[0]->id] = out;
    return out != NULL;
}

/* An input that is one number for all channels: constant, or made in the number of hits. */
static bool one_number(rec *r, const ts_node *node, int slot, double *number)
{
    const ts_value *in = ts_in(node, slot);
    const rec_val *v = in ? ts_mask_of(r, in) : NULL;
    if (!v || v->mask || v->level[0] != v->level[1])
        return ts_rec_fail(r, node, "input %d has a value for every hit; that makes the model depend on the order of the hits", slot);
    *number = v->level[0];
    return true;
}

/* y = x * factor + shift, one of each a channel: what a trained model's BatchNormalization is. */
static const rec_val *affine(rec *r, const ts_node *node, const rec_val *v)
{
    const ts_shape *shape = &node->out[0]->shape;
    const double eps = ts_attr_float(node, "epsilon", 1e-5);
    for (int i = 1; i < 5; i++)
        if (!ts_in(node, i) || !ts_in(node, i)->constant) {
            ts_rec_fail(r, node, "input %d must be constant", i);
            return NULL;
        }
    int64_t dim[TS_MAX_RANK] = {ts_count(ts_in(node, 1)->constant)};
    for (int i = 1; i < TS_MAX_RANK; i++)
        dim[i] = 1;
    ts_tensor *factor = ts_tensor_new(r->arena, TS_F64, shape->rank - 1, dim),
              *shift = ts_tensor_new(r->arena, TS_F64, shape->rank - 1, dim);
    for (int64_t c = 0; c < dim[0]; c++) {
        const double f = ts_get_real(ts_in(node, 1)->constant, c) / sqrt(ts_get_real(ts_in(node, 4)->constant, c) + eps);
        ts_set_real(factor, c, f);
        ts_set_real(shift, c, ts_get_real(ts_in(node, 2)->constant, c) - f * ts_get_real(ts_in(node, 3)->constant, c));
    }
    v = ts_rec_scale(r, shape, v, factor, false);
    return v ? ts_rec_shift(r, shape, v, shift, 1.0) : NULL;
}

/* One constant a channel, as what stands along dimension 1 of a shape; NULL where it is none. */
static const ts_tensor *of_channels(rec *r, const ts_value *in, const ts_shape *shape)
{
    if (!in || !in->constant || !ts_dim_is(shape->dim[1], ts_count(in->constant)))
        return NULL;
    ts_tensor *column = TS_NEW(r->arena, ts_tensor);
    *column = *in->constant;
    for (column->rank = 1; column->rank < shape->rank - 1; column->rank++)
        column->dim[column->rank] = 1;
    return column;
}

bool ts_rec_channel_norm(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id];
    const ts_op_kind kind = ts_kind(node);
    rec_split split;
    if (!ts_rec_split(r, v, &split))
        return false;
    for (int i = 1; i < node->outs; i++)
        if (node->out[i]->uses || node->out[i]->is_output)
            return ts_rec_fail(r, node, "its mean or variance is used on its own, which no encoder does");
    if (kind == TS_OP_BatchNormalization && !ts_attr_int(node, "training_mode", 0)) {
        const rec_val *out = affine(r, node, v);
        r->val[node->out[0]->id] = out;
        return out != NULL;
    }
    /* Its channels, dimension 1, are hits then, and all that is normalised together are the channels of one. */
    const int64_t groups = kind == TS_OP_GroupNormalization ? ts_attr_int(node, "num_groups", 1) : -1;
    bool of_hit = true;
    for (int i = 0; i < split.rank; i++) {
        const bool together = i > 1 || (i == 0 && kind == TS_OP_BatchNormalization) || (i == 1 && groups == 1);
        for (int j = split.start[i]; j < split.start[i + 1]; j++)
            of_hit &= (split.axes.axis[j].kind == REC_CONST) == together;
    }
    double gain, bias;
    const double eps = ts_attr_float(node, "epsilon", 1e-5);
    if (!(eps >= 0))
        return ts_rec_fail(r, node, "epsilon is negative");
    if (!of_hit)
        return ts_rec_fail(r, node,
                           "this normalisation is no layer normalisation: it does not run over all channels of a hit, and nothing else; "
                           "export a BatchNormalization in evaluation mode, normalise hits by LayerNorm");
    const ts_shape *shape = &node->out[0]->shape;
    const ts_tensor *gains = groups == 1 ? of_channels(r, ts_in(node, 1), shape) : NULL,
                    *biases = gains ? of_channels(r, ts_in(node, 2), shape) : NULL;
    if (!biases && (!one_number(r, node, 1, &gain) || !one_number(r, node, 2, &bias)))
        return false;
    const rec_val *out = biases ? ts_rec_norm_poly(r, v, 1, 0, eps) : ts_rec_norm_poly(r, v, gain, bias, eps);
    if (out && biases)
        out = ts_rec_scale(r, shape, out, gains, false);
    if (out && biases)
        out = ts_rec_shift(r, shape, out, biases, 1.0);
    r->val[node->out[0]->id] = out;
    return out != NULL;
}
