/* Einsum: products summed over the labels that the output does not have. Two float operands without diagonals become a
   batched matrix product; everything else is computed term by term. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "op/hook.h"

enum {
    MAX_OPERANDS = 4,
    MAX_LABELS = 16,
    ELLIPSIS = 128, /* the dimensions of "...": this plus their place counted from the last one */
};

typedef struct term {
    int count;
    int label[TS_MAX_RANK]; /* index in plan.size */
} term;

typedef struct plan {
    int operands, labels;
    int name[MAX_LABELS]; /* letter, or ELLIPSIS + place */
    int64_t size[MAX_LABELS];
    term in[MAX_OPERANDS], out;
} plan;

static int find_label(const plan *p, int name)
{
    for (int i = 0; i < p->labels; i++)
        if (p->name[i] == name)
            return i;
    return -1;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters of one side of the equation up to ',' or '-' or the end; `dots` is the position of "..." or -1. */
static bool read_letters(const char **text, char *letters, int *count, int *dots)
{
    *count = 0;
    *dots = -1;
    for (; **text && **text != ',' && **text != '-'; ++*text) {
        char c = **text;
        if (c == ' ')
            continue;
        if (c == '.' && (*text)[1] == '.' && (*text)[2] == '.' && *dots < 0) {
            *dots = *count;
            *text += 2;
        } else if (is_letter(c) && *count < TS_MAX_RANK) {
            letters[(*count)++] = c;
        } else {
            return false;
        }
    }
    return true;
}

static bool bad_equation(const ts_op_args *a)
{
    return FAIL(a, "equation '%s' is not supported for these inputs; supported: up to %d operands, letters and '...'",
                ts_attr_string(a->node, "equation", ""), MAX_OPERANDS);
}

static bool add_label(plan *p, term *t, int name, int64_t size)
{
    int i = find_label(p, name);
    if (i < 0) {
        if (p->labels == MAX_LABELS)
            return false;
        i = p->labels++;
        p->name[i] = name;
        p->size[i] = size;
    }
    /* Only the dimensions of an ellipsis broadcast. */
    if (p->size[i] != size && name >= ELLIPSIS && p->size[i] == 1)
        p->size[i] = size;
    if (p->size[i] != size && !(name >= ELLIPSIS && size == 1))
        return false;
    t->label[t->count++] = i;
    return true;
}

static bool read_operand(const ts_op_args *a, plan *p, int k, const char **text, int *widest)
{
    char letters[TS_MAX_RANK];
    int count, dots;
    const ts_tensor *x = a->in[k];
    if (!read_letters(text, letters, &count, &dots) || count > x->rank || (dots < 0 && count != x->rank))
        return false;
    int hidden = x->rank - count;
    if (dots >= 0 && hidden > *widest)
        *widest = hidden;
    for (int i = 0, letter = 0; i < x->rank; i++) {
        bool in_dots = dots >= 0 && i >= dots && i < dots + hidden;
        if (!add_label(p, &p->in[k], in_dots ? ELLIPSIS + hidden - 1 - (i - dots) : letters[letter], x->dim[i]))
            return false;
        letter += !in_dots;
    }
    return true;
}

static int count_name(const plan *p, int name)
{
    int n = 0;
    for (int k = 0; k < p->operands; k++)
        for (int i = 0; i < p->in[k].count; i++)
            n += p->name[p->in[k].label[i]] == name;
    return n;
}

static bool make_plan(const ts_op_args *a, plan *p)
{
    const char *text = ts_attr_string(a->node, "equation", "");
    int widest = 0, dots = -1, count = 0;
    char letters[TS_MAX_RANK];
    *p = (plan){.operands = a->ins};
    if (a->ins > MAX_OPERANDS)
        return bad_equation(a);
    for (int k = 0; k < a->ins; k++) {
        if (k > 0 && *text++ != ',')
            return bad_equation(a);
        if (!read_operand(a, p, k, &text, &widest))
            return bad_equation(a);
    }
    if (*text == 0) { /* no output given: "..." and, in alphabetical order, every letter that is there once */
        dots = 0;
        for (int c = 'A'; c <= 'z'; c++)
            if (is_letter((char)c) && count_name(p, c) == 1) {
                if (count == TS_MAX_RANK)
                    return bad_equation(a);
                letters[count++] = (char)c;
            }
    } else if (text[0] != '-' || text[1] != '>' || (text += 2, !read_letters(&text, letters, &count, &dots)) || *text != 0) {
        return bad_equation(a);
    }
    if (dots < 0 && widest > 0)
        return bad_equation(a);
    int rank = count + (dots >= 0 ? widest : 0);
    if (rank > TS_MAX_RANK)
        return bad_equation(a);
    for (int i = 0, letter = 0; i < rank; i++) {
        bool in_dots = dots >= 0 && i >= dots && i < dots + widest;
        int label = find_label(p, in_dots ? ELLIPSIS + widest - 1 - (i - dots) : letters[letter]);
        letter += !in_dots;
        if (label < 0)
            return bad_equation(a);
        for (int k = 0; k < i; k++)
            if (p->out.label[k] == label)
                return bad_equation(a);
        p->out.label[p->out.count++] = label;
    }
    return true;
}

/* Stride of every label in a tensor; a label that is there twice (a diagonal) has the sum. */
static void label_strides(const plan *p, const term *t, const ts_tensor *x, int64_t *stride)
{
    int64_t own[TS_MAX_RANK];
    ts_strides(x->rank, x->dim, own);
    for (int i = 0; i < p->labels; i++)
        stride[i] = 0;
    for (int i = 0; i < t->count; i++)
        if (x->dim[i] != 1 || p->size[t->label[i]] == 1)
            stride[t->label[i]] += own[i];
}

static void eval_terms(const ts_op_args *a, const plan *p)
{
    ts_tensor *out = a->out[0];
    int64_t stride[MAX_OPERANDS + 1][MAX_LABELS], index[MAX_LABELS] = {0}, offset[MAX_OPERANDS + 1] = {0}, total = 1;
    bool is_float = ts_is_float(out->dtype);
    for (int k = 0; k < p->operands; k++)
        label_strides(p, &p->in[k], a->in[k], stride[k]);
    label_strides(p, &p->out, out, stride[p->operands]);
    for (int i = 0; i < p->labels; i++)
        total *= p->size[i];
    for (int64_t done = 0; done < total; done++) {
        int64_t at = offset[p->operands];
        if (is_float) {
            double product = 1;
            for (int k = 0; k < p->operands; k++)
                product *= ts_get_real(a->in[k], offset[k]);
            ts_set_real(out, at, ts_get_real(out, at) + product);
        } else {
            uint64_t product = 1;
            for (int k = 0; k < p->operands; k++)
                product *= (uint64_t)a->in[k]->data.i[offset[k]];
            out->data.i[at] = (int64_t)((uint64_t)out->data.i[at] + product);
        }
        for (int axis = p->labels - 1; axis >= 0; axis--) {
            bool wrap = ++index[axis] == p->size[axis];
            for (int k = 0; k <= p->operands; k++)
                offset[k] += wrap ? -stride[k][axis] * (p->size[axis] - 1) : stride[k][axis];
            if (!wrap)
                break;
            index[axis] = 0;
        }
    }
}

/* Labels of a matrix product by where they appear: in both operands and the output, left and output, right and output, both
   operands only. */
enum { BATCH, LEFT, RIGHT, SUMMED, GROUPS };
typedef struct groups {
    int count[GROUPS], label[GROUPS][MAX_LABELS];
    int64_t size[GROUPS];
} groups;

static bool is_in(const term *t, int label)
{
    for (int i = 0; i < t->count; i++)
        if (t->label[i] == label)
            return true;
    return false;
}

static bool has_diagonal(const term *t)
{
    for (int i = 0; i < t->count; i++)
        for (int k = 0; k < i; k++)
            if (t->label[i] == t->label[k])
                return true;
    return false;
}

static bool as_matmul(const ts_op_args *a, const plan *p, groups *g)
{
    *g = (groups){.size = {1, 1, 1, 1}};
    if (p->operands != 2 || ts_dtype_store(a->in[0]->dtype) != TS_STORE_F || has_diagonal(&p->in[0]) || has_diagonal(&p->in[1]))
        return false;
    for (int i = 0; i < p->labels; i++) {
        bool x = is_in(&p->in[0], i), y = is_in(&p->in[1], i), out = is_in(&p->out, i);
        int group = x && y ? (out ? BATCH : SUMMED) : x ? LEFT : RIGHT;
        if (!out && group != SUMMED)
            return false;
        g->label[group][g->count[group]++] = i;
        g->size[group] *= p->size[i];
    }
    for (int i = 0; i < GROUPS; i++)
        if (g->size[i] > INT32_MAX)
            return false;
    return true;
}

static double term_count(const plan *p)
{
    double terms = 1;
    for (int i = 0; i < p->labels; i++)
        terms *= (double)p->size[i];
    return terms;
}

static double einsum_work(const ts_op_args *a)
{
    plan p;
    return make_plan(a, &p) ? term_count(&p) : 0; /* it could be made: infer did */
}

static bool infer_einsum(const ts_op_args *a)
{
    plan p;
    int64_t dim[TS_MAX_RANK];
    if (!ts_need_same_type(a) || !make_plan(a, &p))
        return false;
    for (int i = 0; i < p.out.count; i++)
        dim[i] = p.size[p.out.label[i]];
    const double terms = term_count(&p);
    groups g;
    if (terms > 2e9 && !as_matmul(a, &p, &g))
        return FAIL(a, "has %.3g products that are no matrix product, which is too slow; write it in steps of two operands", terms);
    return ts_set_out(a, 0, a->in[0]->dtype, p.out.count, dim);
}

/* The labels of up to three groups, in order, with the strides they have in a tensor of strides `stride`. Returns the rank. */
static int view_of(const plan *p, const groups *g, const int order[3], const int64_t *stride, int64_t *dim, int64_t *view_stride)
{
    int rank = 0;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < g->count[order[k]]; i++) {
            int label = g->label[order[k]][i];
            dim[rank] = p->size[label];
            view_stride[rank++] = stride[label];
        }
    return rank;
}

static bool eval_matmul(const ts_op_args *a, const plan *p, const groups *g)
{
    static const int operand_order[2][3] = {{BATCH, LEFT, SUMMED}, {BATCH, SUMMED, RIGHT}}, result_order[3] = {BATCH, LEFT, RIGHT};
    int64_t m = g->size[LEFT], n = g->size[RIGHT], k = g->size[SUMMED], batches = g->size[BATCH];
    int64_t stride[MAX_LABELS], dim[MAX_LABELS], view[MAX_LABELS];
    float *buffer[3] = {ts_try_calloc((size_t)(batches * m * k + 1), sizeof(float)),
                        ts_try_calloc((size_t)(batches * k * n + 1), sizeof(float)),
                        ts_try_calloc((size_t)(batches * m * n + 1), sizeof(float))};
    bool ok = buffer[0] && buffer[1] && buffer[2];
    if (ok) {
        for (int i = 0; i < 2; i++) {
            label_strides(p, &p->in[i], a->in[i], stride);
            int rank = view_of(p, g, operand_order[i], stride, dim, view);
            ts_gather_view(a->in[i], rank, dim, view, &(ts_tensor){.dtype = TS_F32, .data.f = buffer[i]});
        }
        for (int64_t b = 0; b < batches; b++)
            ts_gemm_f32(false, false, m, n, k, 1, buffer[0] + b * m * k, k, buffer[1] + b * k * n, n, buffer[2] + b * m * n, n);
        /* The product's labels are in the order of result_order, densely; the output's order may differ. */
        int64_t s = 1, out_view[TS_MAX_RANK];
        for (int i = 2; i >= 0; i--)
            for (int l = g->count[result_order[i]] - 1; l >= 0; l--) {
                stride[g->label[result_order[i]][l]] = s;
                s *= p->size[g->label[result_order[i]][l]];
            }
        for (int i = 0; i < p->out.count; i++)
            out_view[i] = stride[p->out.label[i]];
        ts_gather_view(&(ts_tensor){.dtype = TS_F32, .data.f = buffer[2]}, p->out.count, a->out[0]->dim, out_view, a->out[0]);
    }
    for (int i = 0; i < 3; i++)
        ts_free(buffer[i]);
    return ok ? true : FAIL_MEMORY(a, "not enough memory");
}

static bool eval_einsum(const ts_op_args *a)
{
    plan p;
    groups g;
    if (!make_plan(a, &p))
        return false;
    if (as_matmul(a, &p, &g))
        return eval_matmul(a, &p, &g);
    eval_terms(a, &p);
    return true;
}
const ts_op_hooks ts_Einsum_hooks = {
    .min_in = 1, .max_in = -1, .min_out = 1, .max_out = 1, .infer = infer_einsum, .eval = eval_einsum, .work = einsum_work};
