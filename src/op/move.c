/* Operators that move elements: Transpose, Concat, Split, Slice, Gather, Expand, Tile. */
#include "op/hook.h"

static bool permutation(const ts_op_args *a, int *perm)
{
    const ts_attr *attr = ts_attr_find(a->node, "perm");
    int rank = a->in[0]->rank;
    bool used[TS_MAX_RANK] = {false};
    for (int i = 0; i < rank; i++) {
        perm[i] = rank - 1 - i;
        if (attr && !ts_fix_axis(a, attr->i[i], rank, &perm[i]))
            return false;
        if (used[perm[i]])
            return FAIL(a, "attribute 'perm' has axis %d twice", perm[i]);
        used[perm[i]] = true;
    }
    return true;
}

static bool infer_transpose(const ts_op_args *a)
{
    int perm[TS_MAX_RANK];
    int64_t dim[TS_MAX_RANK];
    if (!permutation(a, perm))
        return false;
    for (int i = 0; i < a->in[0]->rank; i++)
        dim[i] = a->in[0]->dim[perm[i]];
    return ts_set_out(a, 0, a->in[0]->dtype, a->in[0]->rank, dim);
}

static bool eval_transpose(const ts_op_args *a)
{
    int perm[TS_MAX_RANK];
    int64_t own[TS_MAX_RANK], stride[TS_MAX_RANK];
    if (!permutation(a, perm))
        return false;
    ts_strides(a->in[0]->rank, a->in[0]->dim, own);
    for (int i = 0; i < a->in[0]->rank; i++)
        stride[i] = own[perm[i]];
    ts_gather_view(a->in[0], a->out[0]->rank, a->out[0]->dim, stride, a->out[0]);
    return true;
}
const ts_op_hooks ts_Transpose_hooks = {
    .min_in = 1, .max_in = 1, .min_out = 1, .max_out = 1, .infer = infer_transpose, .eval = eval_transpose, .moves = true};

static bool infer_concat(const ts_op_args *a)
{
    int axis;
    char tx[160], ty[160];
    ts_tensor sum = *a->in[0];
    if (!ts_need_same_type(a) || !ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), sum.rank, &axis))
        return false;
    for (int i = 1; i < a->ins; i++) {
        const ts_tensor *x = a->in[i];
        bool fits = x->rank == sum.rank;
        for (int k = 0; fits && k < sum.rank; k++)
            fits = k == axis || x->dim[k] == sum.dim[k];
        if (!fits)
            return FAIL(a, "shapes %s and %s cannot be joined along axis %d", ts_shape_text(a->in[0], tx, sizeof tx),
                        ts_shape_text(x, ty, sizeof ty), axis);
        sum.dim[axis] += x->dim[axis];
    }
    return ts_set_out_like(a, 0, &sum);
}

static bool eval_concat(const ts_op_args *a)
{
    ts_tensor *out = a->out[0];
    int axis;
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), out->rank, &axis))
        return false;
    int64_t outer = ts_extent(out, 0, axis), row = ts_extent(out, axis, out->rank), at = 0;
    for (int i = 0; i < a->ins; i++) {
        int64_t part = ts_extent(a->in[i], axis, out->rank);
        for (int64_t o = 0; o < outer; o++)
            ts_copy(out, o * row + at, a->in[i], o * part, part);
        at += part;
    }
    return true;
}
const ts_op_hooks ts_Concat_hooks = {
    .min_in = 1, .max_in = -1, .min_out = 1, .max_out = 1, .infer = infer_concat, .eval = eval_concat, .moves = true};

/* Sizes: an attribute up to opset 12, an input from 13 on; without them equal parts, of which from opset 18 on the last may
   be smaller. */
static bool split_size(const ts_op_args *a, int part, int64_t whole, int64_t *size)
{
    const ts_attr *attr = ts_attr_find(a->node, "split");
    if (attr) {
        if (attr->count != a->outs)
            return FAIL(a, "has %d sizes for %d outputs", attr->count, a->outs);
        *size = attr->i[part];
        return true;
    }
    if (ts_arg(a, 1)) {
        if (!ts_need_data(a, 1, "the list of sizes"))
            return false;
        if (ts_dtype_store(a->in[1]->dtype) != TS_STORE_I || ts_count(a->in[1]) != a->outs)
            return FAIL(a, "has %lld sizes for %d outputs", (long long)ts_count(a->in[1]), a->outs);
        *size = a->in[1]->data.i[part];
        return true;
    }
    if (a->node->opset < 18 && whole % a->outs != 0)
        return FAIL(a, "size %lld does not divide into %d equal parts", (long long)whole, a->outs);
    int64_t each = (whole + a->outs - 1) / a->outs, left = whole - each * part;
    *size = left < each ? left : each;
    return true;
}

static bool infer_split(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int axis;
    int64_t sum = 0, dim[TS_MAX_RANK];
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    int64_t parts = ts_attr_int(a->node, "num_outputs", a->outs);
    if (parts != a->outs)
        return FAIL(a, "num_outputs is %lld, but the node has %d outputs", (long long)parts, a->outs);
    for (int i = 0; i < x->rank; i++)
        dim[i] = x->dim[i];
    for (int k = 0; k < a->outs; k++) {
        if (!split_size(a, k, x->dim[axis], &dim[axis]))
            return false;
        if (dim[axis] < 0 || dim[axis] > x->dim[axis] - sum)
            return FAIL(a, "part %d of size %lld is not possible in a dimension of size %lld", k, (long long)dim[axis],
                        (long long)x->dim[axis]);
        sum += dim[axis];
        if (!ts_set_out(a, k, x->dtype, x->rank, dim))
            return false;
    }
    if (sum != x->dim[axis])
        return FAIL(a, "its parts add up to %lld, not to %lld", (long long)sum, (long long)x->dim[axis]);
    return true;
}

static bool eval_split(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int axis;
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    int64_t outer = ts_extent(x, 0, axis), row = ts_extent(x, axis, x->rank), at = 0;
    for (int k = 0; k < a->outs; k++) {
        int64_t part = ts_extent(a->out[k], axis, x->rank);
        for (int64_t o = 0; o < outer; o++)
            ts_copy(a->out[k], o * part, x, o * row + at, part);
        at += part;
    }
    return true;
}
const ts_op_hooks ts_Split_hooks = {
    .min_in = 1, .max_in = 2, .min_out = 1, .max_out = -1, .infer = infer_split, .eval = eval_split, .moves = true};

/* starts, ends, axes (and steps): attributes up to opset 9, inputs from 10 on. For each axis of the input: first element,
   step, number of elements. */
static bool slice_plan(const ts_op_args *a, int64_t *first, int64_t *step, int64_t *count)
{
    const ts_tensor *x = a->in[0];
    int64_t starts[TS_MAX_RANK], ends[TS_MAX_RANK], axes[TS_MAX_RANK], steps[TS_MAX_RANK];
    int n_starts, n_ends, n_axes, n_steps;
    bool has_starts, has_ends, has_axes, has_steps, seen[TS_MAX_RANK];
    if (!ts_axis_list(a, "starts", 1, starts, &n_starts, &has_starts) || !ts_axis_list(a, "ends", 2, ends, &n_ends, &has_ends) ||
        !ts_axis_list(a, "axes", 3, axes, &n_axes, &has_axes) || !ts_axis_list(a, "steps", 4, steps, &n_steps, &has_steps))
        return false;
    if (!has_starts || n_starts != n_ends || (has_axes && n_axes != n_starts) || (has_steps && n_steps != n_starts) || n_starts > x->rank)
        return FAIL(a, "starts, ends, axes and steps do not fit together");
    for (int i = 0; i < n_starts && !has_axes; i++)
        axes[i] = i;
    if (!ts_axis_flags(a, axes, n_starts, x->rank, seen))
        return false;
    for (int i = 0; i < x->rank; i++) {
        first[i] = 0;
        step[i] = 1;
        count[i] = x->dim[i];
    }
    for (int i = 0; i < n_starts; i++) {
        int axis = (int)(axes[i] < 0 ? axes[i] + x->rank : axes[i]);
        int64_t d = x->dim[axis], s = has_steps ? steps[i] : 1;
        int64_t from = starts[i] < 0 ? starts[i] + d : starts[i], to = ends[i] < 0 ? ends[i] + d : ends[i];
        if (s == 0)
            return FAIL(a, "a step of 0 is not possible");
        int64_t low = s > 0 ? 0 : -1, high = s > 0 ? d : d - 1;
        /* A backward slice starts at an element, so its start cannot be before the first one. */
        from = from < 0 ? 0 : from > high ? high : from;
        to = to < low ? low : to > high ? high : to;
        s = s > d ? d + 1 : s < -d ? -d - 1 : s; /* beyond the size all steps are the same */
        first[axis] = from;
        step[axis] = s;
        count[axis] = s > 0 ? (to > from ? (to - from - 1) / s + 1 : 0) : (from > to ? (from - to - 1) / -s + 1 : 0);
    }
    return true;
}

static bool infer_slice(const ts_op_args *a)
{
    int64_t first[TS_MAX_RANK], step[TS_MAX_RANK], count[TS_MAX_RANK];
    return slice_plan(a, first, step, count) && ts_set_out(a, 0, a->in[0]->dtype, a->in[0]->rank, count);
}

static bool eval_slice(const ts_op_args *a)
{
    int64_t first[TS_MAX_RANK], step[TS_MAX_RANK], count[TS_MAX_RANK], own[TS_MAX_RANK], at = 0;
    if (!slice_plan(a, first, step, count))
        return false;
    ts_tensor view = *a->in[0];
    ts_strides(view.rank, view.dim, own);
    if (ts_count(a->out[0]) == 0)
        return true;
    for (int i = 0; i < view.rank; i++) {
        at += first[i] * own[i];
        step[i] *= own[i];
    }
    view.data.any = (char *)view.data.any + (size_t)at * ts_store_bytes(view.dtype);
    ts_gather_view(&view, view.rank, count, step, a->out[0]);
    return true;
}
const ts_op_hooks ts_Slice_hooks = {
    .min_in = 1, .max_in = 5, .min_out = 1, .max_out = 1, .infer = infer_slice, .eval = eval_slice, .moves = true};

static bool infer_gather(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *index = a->in[1];
    int axis;
    if (ts_dtype_store(index->dtype) != TS_STORE_I)
        return FAIL(a, "indices are %s; expected integers", ts_dtype_name(index->dtype));
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    int64_t dim[2 * TS_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < axis; i++)
        dim[rank++] = x->dim[i];
    for (int i = 0; i < index->rank; i++)
        dim[rank++] = index->dim[i];
    for (int i = axis + 1; i < x->rank; i++)
        dim[rank++] = x->dim[i];
    return ts_set_out(a, 0, x->dtype, rank, dim);
}

static bool eval_gather(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *index = a->in[1];
    int axis;
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 0), x->rank, &axis))
        return false;
    int64_t outer = ts_extent(x, 0, axis), size = x->dim[axis], inner = ts_extent(x, axis + 1, x->rank), picks = ts_count(index);
    for (int64_t p = 0; p < picks; p++) {
        int64_t i = index->data.i[p] < 0 ? index->data.i[p] + size : index->data.i[p];
        if (i < 0 || i >= size)
            return FAIL(a, "index %lld is out of range for an axis of size %lld", (long long)index->data.i[p], (long long)size);
        for (int64_t o = 0; o < outer; o++)
            ts_copy(a->out[0], (o * picks + p) * inner, x, (o * size + i) * inner, inner);
    }
    return true;
}
const ts_op_hooks ts_Gather_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_gather, .eval = eval_gather, .moves = true};

static bool infer_expand(const ts_op_args *a)
{
    ts_tensor want = {.dtype = TS_I64};
    int64_t dim[TS_MAX_RANK];
    int rank;
    if (!ts_int_list(a, 1, "the shape", want.dim, &want.rank) || !ts_broadcast(a, a->in[0], &want, &rank, dim))
        return false;
    return ts_set_out(a, 0, a->in[0]->dtype, rank, dim);
}

static bool eval_expand(const ts_op_args *a)
{
    int64_t stride[TS_MAX_RANK];
    ts_broadcast_strides(a->in[0], a->out[0]->rank, a->out[0]->dim, stride);
    ts_gather_view(a->in[0], a->out[0]->rank, a->out[0]->dim, stride, a->out[0]);
    return true;
}
const ts_op_hooks ts_Expand_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_expand, .eval = eval_expand, .moves = true};

static bool infer_tile(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    int64_t repeats[TS_MAX_RANK];
    int count;
    if (!ts_int_list(a, 1, "the repeats", repeats, &count))
        return false;
    if (count != x->rank)
        return FAIL(a, "has %d repeats for %d dimensions", count, x->rank);
    for (int i = 0; i < count; i++) {
        if (repeats[i] < 0 || repeats[i] > TS_MAX_ELEMENTS)
            return FAIL(a, "%lld repeats are not possible", (long long)repeats[i]);
        repeats[i] *= x->dim[i];
    }
    return ts_set_out(a, 0, x->dtype, x->rank, repeats);
}

static bool eval_tile(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0];
    ts_tensor *out = a->out[0];
    int64_t own[TS_MAX_RANK], index[TS_MAX_RANK] = {0};
    ts_strides(x->rank, x->dim, own);
    for (int64_t i = 0, n = ts_count(out); i < n; i++) {
        int64_t from = 0;
        for (int k = 0; k < x->rank; k++)
            from += index[k] % x->dim[k] * own[k];
        ts_copy(out, i, x, from, 1);
        for (int k = x->rank - 1; k >= 0 && ++index[k] == out->dim[k]; k--)
            index[k] = 0;
    }
    return true;
}
const ts_op_hooks ts_Tile_hooks = {
    .min_in = 2, .max_in = 2, .min_out = 1, .max_out = 1, .infer = infer_tile, .eval = eval_tile, .moves = true};
