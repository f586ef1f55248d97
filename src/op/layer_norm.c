/* LayerNormalization (outputs: y, mean, 1/std), RMSNormalization, and onnxruntime's Skip...Normalization, which adds two or three inputs
   first (outputs: y, mean, 1/std, the sum). */
#include <math.h>

#include "op/hook.h"

void ts_layer_norm_row(const float *x, const float *gain, const float *bias, double eps, int64_t n, float *y, float *mean, float *inv_std)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    double m = n ? sum / (double)n : 0;
    for (int64_t i = 0; i < n; i++)
        squares += (x[i] - m) * (x[i] - m);
    double r = 1 / sqrt((n ? squares / (double)n : 0) + eps);
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)((x[i] - m) * r * gain[i] + (bias ? bias[i] : 0.0F));
    *mean = (float)m;
    *inv_std = (float)r;
}

/* gain and bias have one value for each of the n normalised elements */
static bool check_parameters(const ts_op_args *a, int gain, int bias, int64_t n)
{
    char text[160];
    for (int i = gain; i <= bias; i++) {
        const ts_tensor *t = ts_arg(a, i);
        if (t && ts_count(t) != n)
            return FAIL(a, "input %d has shape %s; expected %lld values, one for each normalised element", i,
                        ts_shape_text(t, text, sizeof text), (long long)n);
    }
    if (a->in[0]->dtype == TS_F64)
        return FAIL(a, "float64 is not supported; export the model in float32");
    return true;
}

static bool infer_statistics(const ts_op_args *a, int axis)
{
    int64_t dim[TS_MAX_RANK];
    for (int i = 0; i < a->in[0]->rank; i++)
        dim[i] = i < axis ? a->in[0]->dim[i] : 1;
    for (int k = 1; k < a->outs && k < 3; k++)
        if (!ts_set_out(a, k, TS_F32, a->in[0]->rank, dim))
            return false;
    return true;
}

static void normalise(const ts_op_args *a, const float *x, int64_t rows, int64_t n, const ts_tensor *gain, const ts_tensor *bias,
                      double eps)
{
    for (int64_t r = 0; r < rows; r++) {
        float mean, inv_std;
        ts_layer_norm_row(x + r * n, gain->data.f, bias ? bias->data.f : NULL, eps, n, a->out[0]->data.f + r * n, &mean, &inv_std);
        if (a->outs > 1)
            a->out[1]->data.f[r] = mean;
        if (a->outs > 2)
            a->out[2]->data.f[r] = inv_std;
    }
}

static bool infer_layer_norm(const ts_op_args *a)
{
    int axis;
    if (!ts_need_float(a) || !ts_fix_axis(a, ts_attr_int(a->node, "axis", -1), a->in[0]->rank, &axis))
        return false;
    return check_parameters(a, 1, 2, ts_extent(a->in[0], axis, a->in[0]->rank)) && ts_set_out_like(a, 0, a->in[0]) &&
           infer_statistics(a, axis);
}

static bool eval_layer_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int axis;
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", -1), x->rank, &axis))
        return false;
    normalise(a, x->data.f, ts_extent(x, 0, axis), ts_extent(x, axis, x->rank), a->in[1], ts_arg(a, 2),
              ts_attr_float(a->node, "epsilon", 1e-5));
    return true;
}
const ts_op_hooks ts_LayerNormalization_hooks = {
    .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 3, .infer = infer_layer_norm, .eval = eval_layer_norm};

/* RMSNormalization (opset 23 on) and onnxruntime's SimplifiedLayerNormalization, which may give the factor too: x * factor * gain,
   factor = 1 / sqrt(mean of squares + eps). */
static bool infer_rms_norm(const ts_op_args *a)
{
    int axis;
    if (!ts_need_float(a) || !ts_fix_axis(a, ts_attr_int(a->node, "axis", -1), a->in[0]->rank, &axis))
        return false;
    int64_t dim[TS_MAX_RANK];
    for (int i = 0; i < a->in[0]->rank; i++)
        dim[i] = i < axis ? a->in[0]->dim[i] : 1;
    return check_parameters(a, 1, 1, ts_extent(a->in[0], axis, a->in[0]->rank)) && ts_set_out_like(a, 0, a->in[0]) &&
           (a->outs < 2 || ts_set_out(a, 1, TS_F32, a->in[0]->rank, dim));
}

static void rms_row(const float *x, const float *gain, double eps, int64_t n, float *y, float *inverse)
{
    double squares = 0;
    for (int64_t i = 0; i < n; i++)
        squares += (double)x[i] * (double)x[i];
    const double scale = 1 / sqrt((n ? squares / (double)n : 0) + eps);
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(x[i] * scale * gain[i]);
    if (inverse)
        *inverse = (float)scale;
}

static bool eval_rms_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    const double eps = ts_attr_float(a->node, "epsilon", 1e-5);
    int axis;
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", -1), x->rank, &axis))
        return false;
    const int64_t rows = ts_extent(x, 0, axis), n = ts_extent(x, axis, x->rank);
    for (int64_t r = 0; r < rows; r++)
        rms_row(x->data.f + r * n, a->in[1]->data.f, eps, n, a->out[0]->data.f + r * n, a->outs > 1 ? a->out[1]->data.f + r : NULL);
    return true;
}
const ts_op_hooks ts_RMSNormalization_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_rms_norm, .eval = eval_rms_norm};
const ts_op_hooks ts_SimplifiedLayerNormalization_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 2, .infer = infer_rms_norm, .eval = eval_rms_norm};

/* Inputs: x, skip, gain, bias (optional, of layer norms only), bias of the sum (optional, one row). */
typedef struct skip_norm {
    bool layer; /* otherwise RMS */
    const ts_tensor *x, *skip, *gain, *bias, *add;
} skip_norm;

static skip_norm skip_of(const ts_op_args *a)
{
    const bool layer = ts_kind(a->node) == TS_OP_ms_SkipLayerNormalization;
    return (skip_norm){layer, a->in[0], a->in[1], a->in[2], layer ? ts_arg(a, 3) : NULL, ts_arg(a, layer ? 4 : 3)};
}

static bool infer_skip_norm(const ts_op_args *a)
{
    const skip_norm s = skip_of(a);
    const ts_tensor *x = s.x, *skip = s.skip;
    char tx[160], ts[160];
    if (!ts_need_float(a) || !ts_need_rank(a, 0, 2, 3))
        return false;
    int64_t d = x->dim[x->rank - 1];
    ts_tensor sum;
    if (!ts_broadcast(a, x, skip, &sum.rank, sum.dim))
        return false;
    if (sum.rank != x->rank || ts_extent(&sum, 0, sum.rank) != ts_count(x))
        return FAIL(a, "skip of shape %s cannot be added to an input of shape %s", ts_shape_text(skip, ts, sizeof ts),
                    ts_shape_text(x, tx, sizeof tx));
    if (s.add && (s.add->rank != 1 || s.add->dim[0] != d))
        return FAIL(a, "the bias (input %d) must have one value a channel", s.layer ? 4 : 3);
    return check_parameters(a, 2, s.layer ? 3 : 2, d) && ts_set_out_like(a, 0, x) && infer_statistics(a, x->rank - 1) &&
           (a->outs < 4 || ts_set_out_like(a, 3, x));
}

static bool eval_skip_norm(const ts_op_args *a)
{
    const skip_norm s = skip_of(a);
    const ts_tensor *x = s.x, *skip = s.skip;
    int64_t d = x->dim[x->rank - 1], count = ts_count(x);
    int64_t stride[TS_MAX_RANK];
    ts_broadcast_strides(skip, x->rank, x->dim, stride);
    ts_walk w = {.rank = x->rank, .tensors = 1, .dim = x->dim, .stride = {stride}};
    float *sum = a->outs > 3 ? a->out[3]->data.f : a->out[0]->data.f; /* rows are normalised in place */
    for (int64_t done = 0; done < count; done += d, ts_walk_next(&w))
        for (int64_t i = 0; i < d; i++)
            sum[done + i] = x->data.f[done + i] + skip->data.f[w.offset[0] + i * ts_walk_step(&w, 0)] + (s.add ? s.add->data.f[i] : 0);
    if (s.layer) {
        normalise(a, sum, d ? count / d : 0, d, s.gain, s.bias, ts_attr_float(a->node, "epsilon", 1e-12));
        return true;
    }
    for (int64_t r = 0; d && r < count / d; r++) {
        rms_row(sum + r * d, s.gain->data.f, ts_attr_float(a->node, "epsilon", 1e-5), d, a->out[0]->data.f + r * d,
                a->outs > 2 ? a->out[2]->data.f + r : NULL);
        if (a->outs > 1)
            a->out[1]->data.f[r] = 0;
    }
    return true;
}
const ts_op_hooks ts_ms_SkipLayerNormalization_hooks = {
    .min_in = 3, .max_in = 5, .min_out = 1, .max_out = 4, .infer = infer_skip_norm, .eval = eval_skip_norm};
const ts_op_hooks ts_ms_SkipSimplifiedLayerNormalization_hooks = {
    .min_in = 3, .max_in = 4, .min_out = 1, .max_out = 4, .infer = infer_skip_norm, .eval = eval_skip_norm};
