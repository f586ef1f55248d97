/* Operators that move elements to computed places: Pad, GatherElements, DepthToSpace, SpaceToDepth. */
#include <string.h>

#include "op/hook.h"

/* Elements before and behind each axis: pads are all begins, then all ends, of all axes or (opset 18 on) of those that input 3 names.
   Negative ones cut. */
static bool pads_of(const ts_op_args *a, int64_t *begin, int64_t *end)
{
    const ts_tensor *x = a->in[0];
    const ts_attr *attr = ts_attr_find(a->node, "pads");
    int64_t axes[TS_MAX_RANK];
    int named = x->rank;
    bool seen[TS_MAX_RANK];
    for (int i = 0; i < x->rank; i++) {
        begin[i] = end[i] = 0;
        axes[i] = i;
    }
    if (ts_arg(a, 3) && !ts_int_list(a, 3, "the axes", axes, &named))
        return false;
    if (!ts_axis_flags(a, axes, named, x->rank, seen))
        return false;
    if (!attr && !ts_need_data(a, 1, "the padding"))
        return false;
    const ts_tensor *in = attr ? NULL : a->in[1];
    if (in && ts_dtype_store(in->dtype) != TS_STORE_I)
        return FAIL(a, "the padding (input 1) must be integers");
    const int64_t count = attr ? attr->count : ts_count(in), *pads = attr ? attr->i : in->data.i;
    if (count != 2 * named)
        return FAIL(a, "has %lld paddings for %d axes; two an axis are needed", (long long)count, named);
    for (int i = 0; i < named; i++) {
        const int axis = (int)(axes[i] < 0 ? axes[i] + x->rank : axes[i]);
        begin[axis] = pads[i];
        end[axis] = pads[named + i];
        for (int k = 0; k < 2; k++) {
            const int64_t p = pads[i + k * named];
            if (p < -x->dim[axis] || p > TS_MAX_ELEMENTS ||
                (p > 0 && x->dim[axis] == 0 && strcmp(ts_attr_string(a->node, "mode", "constant"), "constant")))
                return FAIL(a, "a padding of %lld is not possible for axis %d of size %lld", (long long)p, axis, (long long)x->dim[axis]);
        }
    }
    return true;
}

static bool infer_pad(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *value = ts_arg(a, 2);
    const bool reflects = strcmp(ts_attr_string(a->node, "mode", "constant"), "reflect") == 0;
    int64_t begin[TS_MAX_RANK], end[TS_MAX_RANK], dim[TS_MAX_RANK];
    if (value && (ts_count(value) != 1 || value->dtype != x->dtype))
        return FAIL(a, "the value to pad with (input 2) must be one number of the input's type");
    if (!pads_of(a, begin, end))
        return false;
    for (int i = 0; i < x->rank; i++) {
        dim[i] = x->dim[i] + begin[i] + end[i];
        if (dim[i] < 0)
            return FAIL(a, "paddings of %lld and %lld leave nothing of axis %d of size %lld", (long long)begin[i], (long long)end[i], i,
                        (long long)x->dim[i]);
        if (reflects && (begin[i] >= x->dim[i] || end[i] >= x->dim[i]) && (begin[i] > 0 || end[i] > 0))
            return FAIL(a, "axis %d of size %lld cannot be reflected into paddings of %lld and %lld", i, (long long)x->dim[i],
                        (long long)begin[i], (long long)end[i]);
    }
    return ts_set_out(a, 0, x->dtype, x->rank, dim);
}

/* The element of an axis of size n that stands at place p, in front of it or behind it; -1: the value to pad with. */
static int64_t source_of(char mode, int64_t p, int64_t n)
{
    if (p >= 0 && p < n)
        return p;
    switch (mode) {
    case 'r':
        return p < 0 ? -p : 2 * (n - 1) - p;
    case 'e':
        return p < 0 ? 0 : n - 1;
    case 'w':
        return (p % n + n) % n;
    default:
        return -1;
    }
}

static bool eval_pad(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *value = ts_arg(a, 2);
    ts_tensor *out = a->out[0];
    const char mode = ts_attr_string(a->node, "mode", "constant")[0];
    int64_t begin[TS_MAX_RANK], end[TS_MAX_RANK], own[TS_MAX_RANK], index[TS_MAX_RANK] = {0};
    if (!pads_of(a, begin, end))
        return false;
    ts_strides(x->rank, x->dim, own);
    for (int64_t i = 0, n = ts_count(out); i < n; i++) {
        int64_t from = 0;
        bool inside = true;
        for (int k = 0; k < x->rank; k++) {
            const int64_t at = source_of(mode, index[k] - begin[k], x->dim[k]);
            inside &= at >= 0;
            from += at * own[k];
        }
        if (inside)
            ts_copy(out, i, x, from, 1);
        else if (value)
            ts_copy(out, i, value, 0, 1);
        else
            ts_set_real(out, i, ts_attr_float(a->node, "value", 0));
        for (int k = x->rank - 1; k >= 0 && ++index[k] == out->dim[k]; k--)
            index[k] = 0;
    }
    return true;
}
const ts_op_hooks ts_Pad_hooks = {.min_in = 1, .max_in = 4, .min_out = 1, .max_out = 1, .infer = infer_pad, .eval = eval_pad};

/* GatherElements: out[i][j] = x[index[i][j]][j] for axis 0. */
static bool infer_gather_elements(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *index = a->in[1];
    int axis;
    char tx[160], ti[160];
    if (ts_dtype_store(index->dtype) != TS_STORE_I)
        return FAIL(a, "indices are %s; expected integers", ts_dtype_name(index->dtype));
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    bool fits = index->rank == x->rank;
    for (int i = 0; fits && i < x->rank; i++)
        fits = i == axis || index->dim[i] <= x->dim[i];
    if (!fits)
        return FAIL(a, "indices of shape %s do not fit an input of shape %s", ts_shape_text(index, ti, sizeof ti),
                    ts_shape_text(x, tx, sizeof tx));
    return ts_set_out(a, 0, x->dtype, index->rank, index->dim);
}

static bool eval_gather_elements(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *pick = a->in[1];
    int axis;
    int64_t own[TS_MAX_RANK], index[TS_MAX_RANK] = {0};
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    ts_strides(x->rank, x->dim, own);
    for (int64_t i = 0, n = ts_count(pick); i < n; i++) {
        const int64_t p = pick->data.i[i] < 0 ? pick->data.i[i] + x->dim[axis] : pick->data.i[i];
        int64_t from = 0;
        if (p < 0 || p >= x->dim[axis])
            return FAIL(a, "index %lld is out of range for an axis of size %lld", (long long)pick->data.i[i], (long long)x->dim[axis]);
        for (int k = 0; k < x->rank; k++)
            from += (k == axis ? p : index[k]) * own[k];
        ts_copy(a->out[0], i, x, from, 1);
        for (int k = x->rank - 1; k >= 0 && ++index[k] == pick->dim[k]; k--)
            index[k] = 0;
    }
    return true;
}
const ts_op_hooks ts_GatherElements_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_gather_elements, .eval = eval_gather_elements};

/* DepthToSpace and back: [batch][channels][height][width], blocks of s * s pixels against channels. */
static bool infer_depth_to_space(const ts_op_args *a)
{
    if (!ts_need_rank(a, 0, 4, 4))
        return false;
    const int64_t s = ts_attr_int(a->node, "blocksize", 1), *d = a->in[0]->dim;
    if (s > 1 << 15 || d[1] % (s * s))
        return FAIL(a, "%lld channels do not divide into blocks of %lld by %lld", (long long)d[1], (long long)s, (long long)s);
    return ts_set_out(a, 0, a->in[0]->dtype, 4, (int64_t[]){d[0], d[1] / (s * s), d[2] * s, d[3] * s});
}

static bool infer_space_to_depth(const ts_op_args *a)
{
    if (!ts_need_rank(a, 0, 4, 4))
        return false;
    const int64_t s = ts_attr_int(a->node, "blocksize", 1), *d = a->in[0]->dim;
    if (s > 1 << 15 || d[2] % s || d[3] % s)
        return FAIL(a, "%lld by %lld pixels do not divide into blocks of %lld by %lld", (long long)d[2], (long long)d[3], (long long)s,
                    (long long)s);
    return ts_set_out(a, 0, a->in[0]->dtype, 4, (int64_t[]){d[0], d[1] * s * s, d[2] / s, d[3] / s});
}

/* A view of x with up to six axes: sizes and which of x's strides each has, as a multiple. */
static bool eval_depth_to_space(const ts_op_args *a)
{
    const int64_t s = ts_attr_int(a->node, "blocksize", 1), *d = a->in[0]->dim, c = d[1] / (s * s), plane = d[2] * d[3];
    const bool columns_first =
        strcmp(ts_attr_string(a->node, "mode", "DCR"), "CRD") == 0; /* channel, row, column, or row, column, channel */
    const int64_t channel = columns_first ? s * s * plane : plane, row = columns_first ? s * plane : s * c * plane,
                  column = columns_first ? plane : c * plane;
    const int64_t dim[6] = {d[0], c, d[2], s, d[3], s}, stride[6] = {d[1] * plane, channel, d[3], row, 1, column};
    ts_gather_view(a->in[0], 6, dim, stride, a->out[0]);
    return true;
}

static bool eval_space_to_depth(const ts_op_args *a)
{
    const int64_t s = ts_attr_int(a->node, "blocksize", 1), *d = a->in[0]->dim, plane = d[2] * d[3];
    const int64_t dim[6] = {d[0], s, s, d[1], d[2] / s, d[3] / s}, stride[6] = {d[1] * plane, d[3], 1, plane, s * d[3], s};
    ts_gather_view(a->in[0], 6, dim, stride, a->out[0]);
    return true;
}
const ts_op_hooks ts_DepthToSpace_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_depth_to_space, .eval = eval_depth_to_space};
const ts_op_hooks ts_SpaceToDepth_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_space_to_depth, .eval = eval_space_to_depth};
