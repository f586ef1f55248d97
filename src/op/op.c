#define TS_FAIL_CODE TS_UNSUPPORTED
#include "op/op.h"

#include <stdarg.h>
#include <string.h>

#include "op/hook.h"

static const ts_op table[] = {
#define OP(id, domain, name, since, until) {TS_OP_##id, domain, name, since, until, &ts_##id##_hooks},
#include "op/ops.def"
#undef OP
};

const ts_op *ts_op_find(const char *domain, const char *name)
{
    for (int i = 0; i < TS_OP_COUNT; i++)
        if (strcmp(table[i].name, name) == 0 && strcmp(table[i].domain, domain) == 0)
            return &table[i];
    return NULL;
}

int ts_op_newest(void)
{
    int newest = 0;
    for (int i = 0; i < TS_OP_COUNT; i++)
        if (!table[i].domain[0] && table[i].until > newest)
            newest = table[i].until;
    return newest;
}

bool ts_op_check(const ts_node *node, ts_err *err)
{
    const ts_op_hooks *h = node->op->hooks;
    if (node->ins < h->min_in || (h->max_in >= 0 && node->ins > h->max_in))
        return ts_node_fail(node, err, "has %d inputs, which this operator cannot have; re-export the model", node->ins);
    for (int i = 0; i < (h->max_in < 0 ? node->ins : h->min_in); i++)
        if (!node->in[i])
            return ts_node_fail(node, err, "input %d is missing; re-export the model", i);
    if (node->outs < h->min_out || (h->max_out >= 0 && node->outs > h->max_out))
        return ts_node_fail(node, err, "has %d outputs, of which at most %d are supported; re-export in inference mode", node->outs,
                            h->max_out);
    return ts_attrs_check(node, err) && (!h->check || h->check(node, err));
}

bool ts_op_infer(const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out, ts_err *err)
{
    return ts_attrs_fit(node, node->ins > 0 ? in[0] : NULL, err) &&
           node->op->hooks->infer(&(ts_op_args){node, node->ins, node->outs, in, out, err});
}

double ts_op_work(const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out)
{
    return node->op->hooks->work ? node->op->hooks->work(&(ts_op_args){node, node->ins, node->outs, in, out, NULL}) : 0;
}

/* Integers wrap wherever they are made. float16 and bfloat16 are rounded where the file says so (constants, inputs, casts, results of the
   model) and not by every operator between, as runtimes without such arithmetic compute, and hardware. */
static bool is_narrowed(const ts_node *node, ts_dtype dtype)
{
    return !ts_is_float(dtype) || ts_kind(node) == TS_OP_Cast || ts_kind(node) == TS_OP_CastLike;
}

bool ts_op_eval(const ts_node *node, const ts_tensor *const *in, ts_tensor *const *out, ts_err *err)
{
    if (!node->op->hooks->eval(&(ts_op_args){node, node->ins, node->outs, in, out, err}))
        return false;
    for (int k = 0; k < node->outs; k++)
        if (is_narrowed(node, out[k]->dtype))
            ts_tensor_narrow(out[k]);
    return true;
}

bool ts_node_fail(const ts_node *node, ts_err *err, const char *fmt, ...)
{
    char text[sizeof err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return ts_fail(err, "node '%s' (%s%s%s, opset %d): %s", node->name, node->domain, node->domain[0] ? "." : "", node->type, node->opset,
                   text);
}

const char *ts_shape_text(const ts_tensor *t, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i <= t->rank && used < size; i++) {
        int n = i < t->rank ? snprintf(text + used, size - used, "%c%lld", i ? ',' : '[', (long long)t->dim[i])
                            : snprintf(text + used, size - used, "%s", t->rank ? "]" : "[]");
        used += (size_t)n;
    }
    return text;
}

bool ts_need_data(const ts_op_args *a, int slot, const char *what)
{
    const ts_tensor *t = ts_arg(a, slot);
    if (t && t->data.any)
        return true;
    return FAIL(a, "%s (input %d, '%s') must not depend on the values of the model's inputs, only on their shapes", what, slot,
                slot < a->node->ins && a->node->in[slot] ? a->node->in[slot]->name : "");
}

bool ts_need_same_type(const ts_op_args *a)
{
    ts_dtype first = TS_NONE;
    for (int i = 0; i < a->ins; i++) {
        if (!a->in[i])
            continue;
        if (first == TS_NONE)
            first = a->in[i]->dtype;
        if (a->in[i]->dtype != first)
            return FAIL(a, "input %d is %s and an earlier one is %s; they must be of one type", i, ts_dtype_name(a->in[i]->dtype),
                        ts_dtype_name(first));
    }
    return true;
}

bool ts_need_float(const ts_op_args *a)
{
    for (int i = 0; i < a->ins; i++)
        if (a->in[i] && !ts_is_float(a->in[i]->dtype))
            return FAIL(a, "input %d is %s; only floating-point types are supported here", i, ts_dtype_name(a->in[i]->dtype));
    return ts_need_same_type(a);
}

bool ts_need_rank(const ts_op_args *a, int slot, int low, int high)
{
    const ts_tensor *t = a->in[slot];
    char text[160];
    if (t->rank >= low && t->rank <= high)
        return true;
    return FAIL(a, "input %d has shape %s; expected between %d and %d dimensions", slot, ts_shape_text(t, text, sizeof text), low, high);
}

bool ts_fix_axis(const ts_op_args *a, int64_t axis, int rank, int *fixed)
{
    if (axis < -rank || axis >= rank)
        return FAIL(a, "axis %lld is out of range for %d dimensions", (long long)axis, rank);
    *fixed = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

bool ts_int_list(const ts_op_args *a, int slot, const char *what, int64_t *list, int *count)
{
    if (!ts_need_data(a, slot, what))
        return false;
    const ts_tensor *t = a->in[slot];
    if (ts_dtype_store(t->dtype) != TS_STORE_I || t->rank > 1)
        return FAIL(a, "%s (input %d) must be a one-dimensional integer tensor", what, slot);
    int64_t n = ts_count(t);
    if (n > TS_MAX_RANK)
        return FAIL(a, "%s (input %d) has %lld elements; tensors have at most %d dimensions here", what, slot, (long long)n, TS_MAX_RANK);
    *count = (int)n;
    for (int i = 0; i < *count; i++)
        list[i] = t->data.i[i];
    return true;
}

bool ts_axis_list(const ts_op_args *a, const char *name, int slot, int64_t *list, int *count, bool *given)
{
    const ts_attr *attr = ts_attr_find(a->node, name);
    *count = 0;
    *given = true;
    if (attr) {
        if (attr->count > TS_MAX_RANK)
            return FAIL(a, "attribute '%s' has %d values; tensors have at most %d dimensions here", name, attr->count, TS_MAX_RANK);
        *count = attr->count;
        for (int i = 0; i < *count; i++)
            list[i] = attr->i[i];
        return true;
    }
    if (slot >= 0 && ts_arg(a, slot))
        return ts_int_list(a, slot, name, list, count);
    *given = false;
    return true;
}

bool ts_axis_flags(const ts_op_args *a, const int64_t *list, int count, int rank, bool *flag)
{
    for (int i = 0; i < rank; i++)
        flag[i] = false;
    for (int i = 0; i < count; i++) {
        int axis = 0;
        if (!ts_fix_axis(a, list[i], rank, &axis))
            return false;
        if (flag[axis])
            return FAIL(a, "axis %d is given twice", axis);
        flag[axis] = true;
    }
    return true;
}

bool ts_set_out(const ts_op_args *a, int k, ts_dtype dtype, int rank, const int64_t *dim)
{
    int64_t count;
    if (rank > TS_MAX_RANK)
        return FAIL(a, "its result has %d dimensions; at most %d are supported", rank, TS_MAX_RANK);
    ts_tensor *t = a->out[k];
    t->dtype = dtype;
    t->rank = rank;
    for (int i = 0; i < rank; i++)
        t->dim[i] = dim[i];
    char text[200];
    if (!ts_count_dims(rank, dim, &count))
        return FAIL(a, "its result would have shape %s, which is not possible here; at most %lld elements are supported",
                    ts_shape_text(t, text, sizeof text), (long long)TS_MAX_ELEMENTS);
    return true;
}

bool ts_set_out_like(const ts_op_args *a, int k, const ts_tensor *like)
{
    return ts_set_out(a, k, like->dtype, like->rank, like->dim);
}

bool ts_broadcast(const ts_op_args *a, const ts_tensor *x, const ts_tensor *y, int *rank, int64_t *dim)
{
    int r = x->rank > y->rank ? x->rank : y->rank;
    int64_t both[TS_MAX_RANK];
    for (int i = 0; i < r; i++) {
        int64_t u = i < r - x->rank ? 1 : x->dim[i - (r - x->rank)], v = i < r - y->rank ? 1 : y->dim[i - (r - y->rank)];
        char tx[160], ty[160];
        if (u != v && u != 1 && v != 1)
            return FAIL(a, "shapes %s and %s do not fit together", ts_shape_text(x, tx, sizeof tx), ts_shape_text(y, ty, sizeof ty));
        both[i] = u == 1 ? v : u;
    }
    for (int i = 0; i < r; i++)
        dim[i] = both[i];
    *rank = r;
    return true;
}

void ts_strides(int rank, const int64_t *dim, int64_t *stride)
{
    int64_t s = 1;
    for (int i = rank - 1; i >= 0; i--) {
        stride[i] = s;
        s *= dim[i];
    }
}

void ts_broadcast_strides(const ts_tensor *t, int rank, const int64_t *dim, int64_t *stride)
{
    int64_t own[TS_MAX_RANK];
    ts_strides(t->rank, t->dim, own);
    for (int i = 0; i < rank; i++) {
        int k = i - (rank - t->rank);
        stride[i] = k < 0 || (t->dim[k] == 1 && dim[i] != 1) ? 0 : own[k];
    }
}

int64_t ts_walk_inner(const ts_walk *w)
{
    return w->rank ? w->dim[w->rank - 1] : 1;
}
int64_t ts_walk_step(const ts_walk *w, int tensor)
{
    return w->rank ? w->stride[tensor][w->rank - 1] : 0;
}

void ts_walk_next(ts_walk *w)
{
    for (int axis = w->rank - 2; axis >= 0; axis--) {
        bool wrap = ++w->index[axis] == w->dim[axis];
        for (int t = 0; t < w->tensors; t++)
            w->offset[t] += wrap ? -w->stride[t][axis] * (w->dim[axis] - 1) : w->stride[t][axis];
        if (!wrap)
            return;
        w->index[axis] = 0;
    }
}

int64_t ts_extent(const ts_tensor *t, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++)
        n *= t->dim[i];
    return n;
}

void ts_gather_view(const ts_tensor *x, int rank, const int64_t *dim, const int64_t *stride, ts_tensor *out)
{
    ts_walk w = {.rank = rank, .tensors = 1, .dim = dim, .stride = {stride}};
    int64_t inner = ts_walk_inner(&w), step = ts_walk_step(&w, 0), count = 1;
    for (int i = 0; i < rank; i++)
        count *= dim[i];
    for (int64_t done = 0; done < count; done += inner, ts_walk_next(&w)) {
        if (step == 1) {
            ts_copy(out, done, x, w.offset[0], inner);
        } else if (ts_store_bytes(x->dtype) == sizeof(float)) {
            for (int64_t i = 0; i < inner; i++)
                out->data.f[done + i] = x->data.f[w.offset[0] + i * step];
        } else {
            for (int64_t i = 0; i < inner; i++) /* double moves as the same eight bytes */
                ts_copy(out, done + i, x, w.offset[0] + i * step, 1);
        }
    }
}
