/* Operators with a sliding window over one to three spatial axes: Conv, MaxPool, AveragePool; and pools over all of them. Data is
   [batch][channels][spatial ...]. They are the host's: nothing of an encoder is one. */
#include <math.h>
#include <string.h>

#include "op/hook.h"

enum { SPATIAL_MAX = 3 };

/* Along spatial axis i, output o reads inputs o * stride - begin + k * dilation, 0 <= k < kernel, where these are inside. */
typedef struct window {
    int axes;
    int64_t in[SPATIAL_MAX], out[SPATIAL_MAX];
    int64_t kernel[SPATIAL_MAX], stride[SPATIAL_MAX], dilation[SPATIAL_MAX];
    int64_t begin[SPATIAL_MAX], end[SPATIAL_MAX]; /* padding */
} window;

/* The list attribute `name`, or `otherwise` for each where the node does not have it. */
static void int_attr(const ts_op_args *a, const char *name, int count, int64_t otherwise, int64_t *list)
{
    const ts_attr *attr = ts_attr_find(a->node, name);
    for (int i = 0; i < count; i++)
        list[i] = attr ? attr->i[i] : otherwise;
}

/* Inputs that one window spans. */
static int64_t span(const window *w, int axis)
{
    return (w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

static bool pad_axis(const ts_op_args *a, window *w, int i, const char *mode, bool ceil_mode)
{
    if (strncmp(mode, "SAME_", 5) == 0) {
        w->out[i] = (w->in[i] + w->stride[i] - 1) / w->stride[i];
        const int64_t needed = (w->out[i] - 1) * w->stride[i] + span(w, i) - w->in[i], total = needed > 0 ? needed : 0;
        w->begin[i] = strcmp(mode, "SAME_LOWER") == 0 ? (total + 1) / 2 : total / 2;
        w->end[i] = total - w->begin[i];
        return true;
    }
    if (strcmp(mode, "VALID") == 0)
        w->begin[i] = w->end[i] = 0;
    const int64_t room = w->in[i] + w->begin[i] + w->end[i] - span(w, i);
    if (room < 0)
        return FAIL(a, "its window spans %lld values along spatial axis %d, more than the padded input's %lld", (long long)span(w, i), i,
                    (long long)(room + span(w, i)));
    w->out[i] = room / w->stride[i] + 1;
    /* A window that only starts in the padding behind the input is none. */
    if (ceil_mode && room % w->stride[i] != 0 && w->out[i] * w->stride[i] < w->in[i] + w->begin[i])
        w->out[i]++;
    return true;
}

/* kernel: NULL: the attribute kernel_shape says it. */
static bool window_of(const ts_op_args *a, const int64_t *kernel, window *w)
{
    const ts_tensor *x = a->in[0];
    const char *mode = ts_attr_string(a->node, "auto_pad", "NOTSET");
    *w = (window){.axes = x->rank - 2};
    int64_t pads[2 * SPATIAL_MAX];
    int_attr(a, "kernel_shape", w->axes, 1, w->kernel);
    int_attr(a, "strides", w->axes, 1, w->stride);
    int_attr(a, "dilations", w->axes, 1, w->dilation);
    int_attr(a, "pads", 2 * w->axes, 0, pads);
    for (int i = 0; i < w->axes; i++) {
        if (kernel && ts_attr_find(a->node, "kernel_shape") && w->kernel[i] != kernel[i])
            return FAIL(a, "kernel_shape says %lld along spatial axis %d, the weights have %lld", (long long)w->kernel[i], i,
                        (long long)kernel[i]);
        if (kernel)
            w->kernel[i] = kernel[i];
        w->in[i] = x->dim[2 + i];
        w->begin[i] = pads[i];
        w->end[i] = pads[w->axes + i];
        if (!pad_axis(a, w, i, mode, ts_attr_int(a->node, "ceil_mode", 0) != 0))
            return false;
    }
    return true;
}

static bool set_out(const ts_op_args *a, int k, ts_dtype dtype, int64_t channels, const window *w)
{
    int64_t dim[2 + SPATIAL_MAX] = {a->in[0]->dim[0], channels};
    memcpy(dim + 2, w->out, (size_t)w->axes * sizeof *dim);
    return ts_set_out(a, k, dtype, 2 + w->axes, dim);
}

static int64_t product(int count, const int64_t *size)
{
    int64_t all = 1;
    for (int i = 0; i < count; i++)
        all *= size[i];
    return all;
}

/* The index-th of the positions of a box, row-major. */
static void unravel(int axes, const int64_t *size, int64_t index, int64_t *at)
{
    for (int i = axes; i-- > 0;) {
        at[i] = index % size[i];
        index /= size[i];
    }
}

/* The input that window position k of output o reads: its offset in the channel, or -1 in the padding. `beyond`: not even in the
   padding, but behind it (ceil_mode). */
static int64_t input_at(const window *w, const int64_t *o, const int64_t *k, bool *beyond)
{
    int64_t at = 0;
    bool inside = true;
    *beyond = false;
    for (int i = 0; i < w->axes; i++) {
        const int64_t p = o[i] * w->stride[i] - w->begin[i] + k[i] * w->dilation[i];
        inside &= p >= 0 && p < w->in[i];
        *beyond |= p >= w->in[i] + w->end[i];
        at = at * w->in[i] + p;
    }
    return inside ? at : -1;
}

/* ---- Conv: x [batch][channels][...], w [outputs][channels / group][kernel ...], b [outputs] ---- */

static bool infer_conv(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *kernel = a->in[1], *bias = ts_arg(a, 2);
    char text_x[160], text_w[160];
    if (!ts_need_float(a) || !ts_need_rank(a, 0, 3, 2 + SPATIAL_MAX))
        return false;
    if (x->dtype == TS_F64)
        return FAIL(a, "float64 is not supported; export the model in float32");
    const int64_t group = ts_attr_int(a->node, "group", 1);
    if (kernel->rank != x->rank || group < 1 || kernel->dim[1] > INT32_MAX || group > INT32_MAX || kernel->dim[1] * group != x->dim[1] ||
        kernel->dim[0] % group != 0)
        return FAIL(a, "weights of shape %s in %lld groups do not fit an input of shape %s", ts_shape_text(kernel, text_w, sizeof text_w),
                    (long long)group, ts_shape_text(x, text_x, sizeof text_x));
    if (bias && (bias->rank != 1 || bias->dim[0] != kernel->dim[0]))
        return FAIL(a, "the bias must have one value for each of the %lld outputs", (long long)kernel->dim[0]);
    window w;
    return window_of(a, kernel->dim + 2, &w) && set_out(a, 0, x->dtype, kernel->dim[0], &w);
}

static double conv_work(const ts_op_args *a)
{
    const ts_tensor *kernel = a->in[1];
    return (double)ts_count(a->out[0]) * (double)ts_extent(kernel, 1, kernel->rank);
}

static bool eval_conv(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *kernel = a->in[1], *bias = ts_arg(a, 2);
    window w;
    if (!window_of(a, kernel->dim + 2, &w))
        return false;
    const int64_t outputs = kernel->dim[0], inputs = kernel->dim[1], group = outputs / ts_attr_int(a->node, "group", 1);
    const int64_t in_size = product(w.axes, w.in), out_size = product(w.axes, w.out), taps = product(w.axes, w.kernel);
    for (int64_t p = 0; p < out_size; p++) {
        int64_t o[SPATIAL_MAX], k[SPATIAL_MAX];
        unravel(w.axes, w.out, p, o);
        for (int64_t n = 0; n < x->dim[0]; n++)
            for (int64_t c = 0; c < outputs; c++) {
                const float *from = x->data.f + (n * x->dim[1] + c / group * inputs) * in_size;
                const float *weight = kernel->data.f + c * inputs * taps;
                double sum = bias ? (double)bias->data.f[c] : 0;
                for (int64_t t = 0; t < taps; t++) {
                    bool beyond;
                    unravel(w.axes, w.kernel, t, k);
                    const int64_t at = input_at(&w, o, k, &beyond);
                    for (int64_t i = 0; at >= 0 && i < inputs; i++)
                        sum += (double)weight[i * taps + t] * (double)from[i * in_size + at];
                }
                a->out[0]->data.f[(n * outputs + c) * out_size + p] = (float)sum;
            }
    }
    return true;
}
const ts_op_hooks ts_Conv_hooks = {
    .min_in = 2, .max_in = 3, .min_out = 1, .max_out = 1, .infer = infer_conv, .work = conv_work, .eval = eval_conv};

/* ---- Pools ---- */

static bool pool_window(const ts_op_args *a, window *w)
{
    if (!ts_need_rank(a, 0, 3, 2 + SPATIAL_MAX) || !window_of(a, NULL, w))
        return false;
    for (int i = 0; i < w->axes; i++)
        if (w->begin[i] >= span(w, i) || w->end[i] >= span(w, i))
            return FAIL(a, "its padding along spatial axis %d is as wide as its window, so that some windows hold nothing", i);
    return true;
}

static double pool_work(const ts_op_args *a)
{
    const ts_attr *kernel = ts_attr_find(a->node, "kernel_shape");
    double taps = 1;
    for (int i = 0; i < kernel->count; i++)
        taps *= (double)kernel->i[i];
    return (double)ts_count(a->out[0]) * taps;
}

/* Outputs: the maxima; where they stood, counted in the whole input. */
static bool infer_max_pool(const ts_op_args *a)
{
    window w;
    if (!pool_window(a, &w) || !set_out(a, 0, a->in[0]->dtype, a->in[0]->dim[1], &w))
        return false;
    return a->outs < 2 || set_out(a, 1, TS_I64, a->in[0]->dim[1], &w);
}

/* A position in a channel as MaxPool's second output counts it: with storage_order 1 the first axis is the fastest. */
static int64_t stored_at(const window *w, int64_t at, bool first_fastest)
{
    int64_t p[SPATIAL_MAX], stored = 0;
    if (!first_fastest)
        return at;
    unravel(w->axes, w->in, at, p);
    for (int i = w->axes; i-- > 0;)
        stored = stored * w->in[i] + p[i];
    return stored;
}

static bool eval_max_pool(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    window w;
    if (!pool_window(a, &w))
        return false;
    const bool first_fastest = ts_attr_int(a->node, "storage_order", 0) != 0;
    const int64_t in_size = product(w.axes, w.in), out_size = product(w.axes, w.out), taps = product(w.axes, w.kernel);
    for (int64_t c = 0; c < x->dim[0] * x->dim[1]; c++)
        for (int64_t p = 0; p < out_size; p++) {
            int64_t o[SPATIAL_MAX], k[SPATIAL_MAX], best = -1;
            unravel(w.axes, w.out, p, o);
            for (int64_t t = 0; t < taps; t++) {
                bool beyond;
                unravel(w.axes, w.kernel, t, k);
                const int64_t at = input_at(&w, o, k, &beyond);
                if (at >= 0 && (best < 0 || ts_get_real(x, c * in_size + at) > ts_get_real(x, c * in_size + best)))
                    best = at;
            }
            CHECK(best >= 0);
            ts_copy(a->out[0], c * out_size + p, x, c * in_size + best, 1);
            if (a->outs > 1)
                a->out[1]->data.i[c * out_size + p] = c * in_size + stored_at(&w, best, first_fastest);
        }
    return true;
}
const ts_op_hooks ts_MaxPool_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 2, .infer = infer_max_pool, .work = pool_work, .eval = eval_max_pool};

static bool infer_average_pool(const ts_op_args *a)
{
    window w;
    return ts_need_float(a) && pool_window(a, &w) && set_out(a, 0, a->in[0]->dtype, a->in[0]->dim[1], &w);
}

static bool eval_average_pool(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    window w;
    if (!pool_window(a, &w))
        return false;
    const bool with_padding = ts_attr_int(a->node, "count_include_pad", 0) != 0;
    const int64_t in_size = product(w.axes, w.in), out_size = product(w.axes, w.out), taps = product(w.axes, w.kernel);
    for (int64_t c = 0; c < x->dim[0] * x->dim[1]; c++)
        for (int64_t p = 0; p < out_size; p++) {
            int64_t o[SPATIAL_MAX], k[SPATIAL_MAX], count = 0;
            double sum = 0;
            unravel(w.axes, w.out, p, o);
            for (int64_t t = 0; t < taps; t++) {
                bool beyond;
                unravel(w.axes, w.kernel, t, k);
                const int64_t at = input_at(&w, o, k, &beyond);
                count += at >= 0 || (with_padding && !beyond);
                sum += at >= 0 ? ts_get_real(x, c * in_size + at) : 0;
            }
            CHECK(count > 0);
            ts_set_real(a->out[0], c * out_size + p, sum / (double)count);
        }
    return true;
}
const ts_op_hooks ts_AveragePool_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_average_pool, .work = pool_work, .eval = eval_average_pool};

/* ---- Pools over all spatial axes, of any number ---- */

static bool infer_global_pool(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int64_t dim[TS_MAX_RANK];
    if (!ts_need_float(a) || !ts_need_rank(a, 0, 3, TS_MAX_RANK))
        return false;
    if (ts_extent(x, 2, x->rank) == 0)
        return FAIL(a, "its input has no elements to pool");
    for (int i = 0; i < x->rank; i++)
        dim[i] = i < 2 ? x->dim[i] : 1;
    return ts_set_out(a, 0, x->dtype, x->rank, dim);
}

static bool global_pool(const ts_op_args *a, bool largest)
{
    const ts_tensor *x = a->in[0];
    const int64_t size = ts_extent(x, 2, x->rank);
    for (int64_t c = 0; c < x->dim[0] * x->dim[1]; c++) {
        double y = ts_get_real(x, c * size);
        for (int64_t i = 1; i < size; i++) {
            const double v = ts_get_real(x, c * size + i);
            y = !largest ? y + v : v > y || isnan(v) ? v : y;
        }
        ts_set_real(a->out[0], c, largest ? y : y / (double)size);
    }
    return true;
}
static bool eval_global_average_pool(const ts_op_args *a)
{
    return global_pool(a, false);
}
static bool eval_global_max_pool(const ts_op_args *a)
{
    return global_pool(a, true);
}
const ts_op_hooks ts_GlobalAveragePool_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_global_pool, .eval = eval_global_average_pool};
const ts_op_hooks ts_GlobalMaxPool_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_global_pool, .eval = eval_global_max_pool};
