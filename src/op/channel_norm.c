/* Normalisations over the values of a channel, x being [batch][channels][...]: BatchNormalization, InstanceNormalization,
   GroupNormalization; and over axes that are named: MeanVarianceNormalization, LpNormalization. */
#include <math.h>

#include "op/hook.h"

/* inputs first ... last: one value for each of `count` channels or groups */
static bool need_one_each(const ts_op_args *a, int first, int last, int64_t count, const char *what)
{
    for (int i = first; i <= last; i++)
        if (a->in[i]->rank != 1 || a->in[i]->dim[0] != count)
            return FAIL(a, "input %d must have one value for each of the %lld %s", i, (long long)count, what);
    return true;
}

typedef struct statistics {
    double mean, variance;
} statistics;

/* Of `runs` stretches of `size` elements, `next` elements apart, from `at` on. */
static statistics statistics_of(const ts_tensor *x, int64_t at, int64_t runs, int64_t next, int64_t size)
{
    const double count = (double)(runs * size);
    statistics s = {0, 0};
    for (int64_t r = 0; r < runs; r++)
        for (int64_t i = 0; i < size; i++)
            s.mean += ts_get_real(x, at + r * next + i);
    s.mean = count > 0 ? s.mean / count : 0;
    for (int64_t r = 0; r < runs; r++)
        for (int64_t i = 0; i < size; i++) {
            const double d = ts_get_real(x, at + r * next + i) - s.mean;
            s.variance += d * d;
        }
    s.variance = count > 0 ? s.variance / count : 0;
    return s;
}

/* BatchNormalization: y = (x - mean) / sqrt(variance + epsilon) * gain + bias, one of each a channel: given, or, in training mode (which
   frameworks use to write other normalisations), of the batch. */
static bool is_training(const ts_op_args *a)
{
    return ts_attr_int(a->node, "training_mode", 0) != 0;
}

static bool infer_batch_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    if (!ts_need_float(a) || !ts_need_rank(a, 0, 2, TS_MAX_RANK) || !need_one_each(a, 1, 4, x->dim[1], "channels"))
        return false;
    if (a->outs > 1 && !is_training(a))
        return FAIL(a, "has %d outputs, of which one is supported; export the model in evaluation mode", a->outs);
    for (int k = 1; k < a->outs; k++)
        if (!ts_set_out_like(a, k, a->in[2 + k]))
            return false;
    return ts_set_out_like(a, 0, x);
}

static bool eval_batch_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    const int64_t inner = ts_extent(x, 2, x->rank), channels = x->dim[1];
    const double eps = ts_attr_float(a->node, "epsilon", 1e-5), keep = ts_attr_float(a->node, "momentum", 0.9F);
    for (int64_t c = 0; c < channels; c++) {
        statistics s = {ts_get_real(a->in[3], c), ts_get_real(a->in[4], c)};
        if (is_training(a)) {
            const statistics old = s;
            s = statistics_of(x, c * inner, x->dim[0], channels * inner, inner);
            if (a->outs > 1)
                ts_set_real(a->out[1], c, old.mean * keep + s.mean * (1 - keep));
            if (a->outs > 2)
                ts_set_real(a->out[2], c, old.variance * keep + s.variance * (1 - keep));
        }
        const double factor = ts_get_real(a->in[1], c) / sqrt(s.variance + eps);
        for (int64_t b = 0; b < x->dim[0]; b++)
            for (int64_t i = (b * channels + c) * inner; i < (b * channels + c + 1) * inner; i++)
                ts_set_real(a->out[0], i, (ts_get_real(x, i) - s.mean) * factor + ts_get_real(a->in[2], c));
    }
    return true;
}
const ts_op_hooks ts_BatchNormalization_hooks = {
    .min_in = 5, .max_in = 5, .min_out = 1, .max_out = 3, .infer = infer_batch_norm, .eval = eval_batch_norm};

/* InstanceNormalization: each channel of each batch by its own statistics. GroupNormalization: several channels together; gain and bias
   are one a group up to opset 20, one a channel from 21 on. */
static int64_t group_count(const ts_op_args *a)
{
    return ts_kind(a->node) == TS_OP_InstanceNormalization ? a->in[0]->dim[1] : ts_attr_int(a->node, "num_groups", 1);
}

static bool has_group_gain(const ts_op_args *a)
{
    return ts_kind(a->node) == TS_OP_GroupNormalization && a->node->opset < 21;
}

static bool infer_group_norm(const ts_op_args *a)
{
    if (!ts_need_float(a) || !ts_need_rank(a, 0, 3, TS_MAX_RANK))
        return false;
    const int64_t channels = a->in[0]->dim[1], groups = group_count(a);
    if (groups > 0 && channels % groups)
        return FAIL(a, "%lld channels do not divide into %lld groups", (long long)channels, (long long)groups);
    return need_one_each(a, 1, 2, has_group_gain(a) ? groups : channels, has_group_gain(a) ? "groups" : "channels") &&
           ts_set_out_like(a, 0, a->in[0]);
}

static bool eval_group_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    const int64_t groups = group_count(a), inner = ts_extent(x, 2, x->rank), each = groups ? x->dim[1] / groups : 0, size = each * inner;
    const double eps = ts_attr_float(a->node, "epsilon", 1e-5);
    for (int64_t g = 0; g < x->dim[0] * groups; g++) {
        const statistics s = statistics_of(x, g * size, 1, 0, size);
        for (int64_t i = 0; i < size; i++) {
            const int64_t k = has_group_gain(a) ? g % groups : g % groups * each + i / inner;
            ts_set_real(a->out[0], g * size + i,
                        (ts_get_real(x, g * size + i) - s.mean) / sqrt(s.variance + eps) * ts_get_real(a->in[1], k) +
                            ts_get_real(a->in[2], k));
        }
    }
    return true;
}
const ts_op_hooks ts_InstanceNormalization_hooks = {
    .min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1, .infer = infer_group_norm, .eval = eval_group_norm};
const ts_op_hooks ts_GroupNormalization_hooks = {
    .min_in = 3, .max_in = 3, .min_out = 1, .max_out = 1, .infer = infer_group_norm, .eval = eval_group_norm};

/* MeanVarianceNormalization over the axes (default 0, 2, 3): (x - mean) / (standard deviation + 1e-9). */
static bool mean_variance_axes(const ts_op_args *a, bool *reduced)
{
    static const int64_t otherwise[] = {0, 2, 3};
    const ts_attr *attr = ts_attr_find(a->node, "axes");
    return ts_axis_flags(a, attr ? attr->i : otherwise, attr ? attr->count : 3, a->in[0]->rank, reduced);
}

static bool infer_mean_variance(const ts_op_args *a)
{
    bool reduced[TS_MAX_RANK];
    return ts_need_float(a) && mean_variance_axes(a, reduced) && ts_set_out_like(a, 0, a->in[0]);
}

static bool eval_mean_variance(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    bool reduced[TS_MAX_RANK];
    int64_t dim[2][TS_MAX_RANK], stride[2][TS_MAX_RANK], own[TS_MAX_RANK], size[2] = {1, 1};
    int rank[2] = {0, 0};
    if (!mean_variance_axes(a, reduced))
        return false;
    ts_strides(x->rank, x->dim, own);
    for (int i = 0; i < x->rank; i++) {
        const int k = reduced[i];
        dim[k][rank[k]] = x->dim[i];
        stride[k][rank[k]++] = own[i];
        size[k] *= x->dim[i];
    }
    for (int64_t o = 0; o < size[0]; o++) {
        double mean = 0, squares = 0;
        for (int pass = 0; pass < 3; pass++)
            for (int64_t i = 0; i < size[1]; i++) {
                int64_t at = 0;
                for (int k = 0; k < 2; k++) {
                    int64_t rest = k ? i : o;
                    for (int axis = rank[k]; axis-- > 0; rest /= dim[k][axis])
                        at += rest % dim[k][axis] * stride[k][axis];
                }
                const double v = ts_get_real(x, at);
                if (pass == 0)
                    mean += v / (double)size[1];
                else if (pass == 1)
                    squares += (v - mean) * (v - mean) / (double)size[1];
                else
                    ts_set_real(a->out[0], at, (v - mean) / (sqrt(squares) + 1e-9));
            }
    }
    return true;
}
const ts_op_hooks ts_MeanVarianceNormalization_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_mean_variance, .eval = eval_mean_variance};

/* LpNormalization: by the sum of magnitudes (p 1) or its Euclidean counterpart (p 2) along an axis; nothing but zeros stays. */
static bool infer_lp_norm(const ts_op_args *a)
{
    int axis;
    return ts_need_float(a) && ts_fix_axis(a, ts_attr_int(a->node, "axis", -1), a->in[0]->rank, &axis) && ts_set_out_like(a, 0, a->in[0]);
}

static bool eval_lp_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    const bool magnitudes = ts_attr_int(a->node, "p", 2) == 1;
    int axis;
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", -1), x->rank, &axis))
        return false;
    const int64_t outer = ts_extent(x, 0, axis), n = x->dim[axis], inner = ts_extent(x, axis + 1, x->rank);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++) {
                const double v = ts_get_real(x, (o * n + k) * inner + i);
                sum += magnitudes ? fabs(v) : v * v;
            }
            const double norm = magnitudes ? sum : sqrt(sum);
            for (int64_t k = 0; k < n; k++) {
                const int64_t at = (o * n + k) * inner + i;
                ts_set_real(a->out[0], at, norm == 0 ? 0 : ts_get_real(x, at) / norm);
            }
        }
    return true;
}
const ts_op_hooks ts_LpNormalization_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_lp_norm, .eval = eval_lp_norm};
