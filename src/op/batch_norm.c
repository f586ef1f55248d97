/* BatchNormalization as a trained model applies it: y = (x - mean) / sqrt(variance + epsilon) * gain + bias, one of each a channel;
   x is [batch][channels][...]. */
#include <math.h>

#include "op/hook.h"

static bool check_batch_norm(const ts_node *node, ts_err *err)
{
    if (ts_attr_int(node, "training_mode", 0) != 0)
        return ts_node_fail(node, err, "training_mode must be 0; export the model in evaluation mode");
    if (ts_attr_int(node, "spatial", 1) != 1)
        return ts_node_fail(node, err, "spatial must be 1: one mean and one variance a channel");
    return true;
}

static bool infer_batch_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    if (!ts_need_float(a) || !ts_need_rank(a, 0, 2, TS_MAX_RANK))
        return false;
    for (int i = 1; i < 5; i++)
        if (a->in[i]->rank != 1 || a->in[i]->dim[0] != x->dim[1])
            return FAIL(a, "input %d must have one value for each of the %lld channels", i, (long long)x->dim[1]);
    return ts_set_out_like(a, 0, x);
}

static bool eval_batch_norm(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    const int64_t inner = ts_extent(x, 2, x->rank);
    const double eps = ts_attr_float(a->node, "epsilon", 1e-5);
    for (int64_t row = 0; row < x->dim[0] * x->dim[1]; row++) {
        const int64_t c = row % x->dim[1];
        const double factor = ts_get_real(a->in[1], c) / sqrt(ts_get_real(a->in[4], c) + eps), mean = ts_get_real(a->in[3], c);
        for (int64_t i = row * inner; i < (row + 1) * inner; i++)
            ts_set_real(a->out[0], i, (ts_get_real(x, i) - mean) * factor + ts_get_real(a->in[2], c));
    }
    return true;
}
const ts_op_hooks ts_BatchNormalization_hooks = {.min_in = 5,
                                                 .max_in = 5,
                                                 .min_out = 1,
                                                 .max_out = 1,
                                                 .attrs = "epsilon momentum spatial training_mode",
                                                 .check = check_batch_norm,
                                                 .infer = infer_batch_norm,
                                                 .eval = eval_batch_norm};
