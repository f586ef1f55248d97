/* Contractions: everything that ONNX spells as MatMul, Gemm, Einsum. Each dimension of an operand has a label, as in
   Einsum; what is contracted with what then tells a linear layer from q.k from probabilities times v. */
#include <ctype.h>
#include <string.h>

#include "op/op.h"
#include "pass/recognise_value.h"

typedef struct operand {
    const rec_val *v;   /* of the event, or */
    const ts_tensor *t; /* constant */
    const ts_value *value;
    int rank;
    char label[TS_MAX_RANK];
} operand;

enum { MAX_LABELS = 2 * TS_MAX_RANK };
typedef struct label {
    char name;
    bool in[2], out;       /* whether operand 0, 1, the result have it */
    int64_t size;          /* of its constant part */
    int64_t stride[2];     /* in rows of a value, elements of a constant; 0 where the operand is broadcast */
    bool token[2];         /* the dimension is the tokens of operand 0, 1 */
    rec_axis_kind kind[2]; /* which ones */
} label;

typedef struct contraction {
    operand x[2];
    int out_rank;
    char out[TS_MAX_RANK];
    int labels;
    label label[MAX_LABELS];
} contraction;

static label *find_label(contraction *c, char name)
{
    for (int i = 0; i < c->labels; i++)
        if (c->label[i].name == name)
            return &c->label[i];
    CHECK(c->labels < MAX_LABELS);
    c->label[c->labels] = (label){.name = name, .size = 1};
    return &c->label[c->labels++];
}

static bool set_size(rec *r, label *l, int side, int64_t size, int64_t stride)
{
    if (l->size != 1 && size != 1 && l->size != size)
        return ts_rec_fail(r, r->node, "the operands' dimensions do not match (%lld and %lld)", (long long)l->size, (long long)size);
    l->stride[side] = size == 1 ? 0 : stride;
    l->size = size == 1 ? l->size : size;
    return true;
}

static bool label_operand(rec *r, contraction *c, int side)
{
    operand *x = &c->x[side];
    rec_split split;
    int64_t stride = 1;
    if (x->v && !ts_rec_split(r, x->v, &split))
        return false;
    for (int i = x->rank; i-- > 0;) {
        label *l = find_label(c, x->label[i]);
        if (l->in[side])
            return ts_rec_fail(r, r->node, "the diagonal of a tensor is taken, which no encoder needs");
        l->in[side] = true;
        if (x->t) {
            if (!set_size(r, l, side, x->t->dim[i], stride))
                return false;
            stride *= x->t->dim[i];
            continue;
        }
        const int axes = split.start[i + 1] - split.start[i];
        const rec_axis *axis = &split.axes.axis[split.start[i]];
        if (axes > 1)
            return ts_rec_fail(r, r->node, "an operand's dimension %d mixes hits and channels", i);
        if (axes == 1 && axis->kind == REC_CONST && !set_size(r, l, side, axis->size, split.stride[split.start[i]]))
            return false;
        if (axes == 1 && axis->kind != REC_CONST) {
            l->token[side] = true;
            l->kind[side] = axis->kind;
        }
    }
    return true;
}

static int64_t combinations(const contraction *c, int count, const int *list)
{
    int64_t total = 1;
    for (int i = 0; i < count && total <= REC_MAX_CHANNELS; i++)
        total *= c->label[list[i]].size;
    return total;
}

/* Offsets in operand `side` of all combinations of the constant labels in `list`, the last one fastest. */
static int64_t *offsets(rec *r, const contraction *c, int side, int count, const int *list, int64_t *total)
{
    *total = combinations(c, count, list);
    int64_t *at = TS_NEW_N(r->arena, int64_t, *total), done = 1;
    for (int i = 0; i < count; i++) {
        const label *l = &c->label[list[i]];
        for (int64_t j = done; j-- > 0;)
            for (int64_t k = l->size; k-- > 0;)
                at[j * l->size + k] = at[j] + k * l->stride[side];
        done *= l->size;
    }
    return at;
}

/* Labels of the result in its order, and contracted ones. */
static int out_labels(const contraction *c, int *list)
{
    int count = 0;
    for (int i = 0; i < c->out_rank; i++)
        for (int j = 0; j < c->labels; j++)
            if (c->label[j].name == c->out[i])
                list[count++] = j;
    return count;
}

static int inner_labels(const contraction *c, int *list)
{
    int count = 0;
    for (int j = 0; j < c->labels; j++)
        if (!c->label[j].out)
            list[count++] = j;
    return count;
}

/* The result's layout: constants and tokens of its labels. kind[side]: what tokens of an operand become. */
static rec_layout out_layout(const contraction *c, const rec_axis_kind *kind)
{
    int list[MAX_LABELS];
    rec_layout layout = {0};
    const int count = out_labels(c, list);
    for (int i = 0; i < count; i++) {
        const label *l = &c->label[list[i]];
        if (l->token[0] || l->token[1])
            ts_layout_add(&layout, kind[l->token[0] ? 0 : 1], 0);
        else
            ts_layout_add(&layout, REC_CONST, l->size);
    }
    return layout;
}

/* Event times constant: a linear layer. */
static const rec_val *contract_kernel(rec *r, const contraction *c, const ts_shape *shape, int side)
{
    const rec_val *v = ts_rec_linear(r, c->x[side].v);
    const ts_tensor *kernel = c->x[1 - side].t;
    int outer[MAX_LABELS], inner[MAX_LABELS];
    const int outers = out_labels(c, outer), inners = inner_labels(c, inner);
    if (!v || !ts_rec_channels(r, combinations(c, outers, outer)) || !ts_rec_channels(r, combinations(c, inners, inner)))
        return NULL;
    for (int i = 0; i < c->labels; i++)
        if (c->label[i].token[side] && (!c->label[i].out || c->label[i].size != 1)) {
            ts_rec_fail(r, r->node,
                        "a constant is multiplied along the hits; the number of hits varies, so nothing can depend on its positions");
            return NULL;
        }
    int64_t rows, depth;
    const int64_t *row = offsets(r, c, side, outers, outer, &rows), *out_k = offsets(r, c, 1 - side, outers, outer, &rows);
    const int64_t *in = offsets(r, c, side, inners, inner, &depth), *in_k = offsets(r, c, 1 - side, inners, inner, &depth);

    /* A selection of another thing's values (heads put back in order) is multiplied in; everything else is one thing from here on. */
    const rec_form *f = v->form;
    const rec_grid *x_grid = f->grid;
    const double scale = ts_form_pure(f) ? v->scale : 1.0;
    if (!ts_form_pure(f))
        x_grid = ts_grid_scale(r, x_grid, v->scale, NULL);
    if (!ts_form_pure(f))
        f = ts_form_identity(r, ts_form_freeze(r, ts_form_scale(r, f, v->scale, NULL)));
    const rec_base *base = f->term[0].base;
    const int *pick = f->term[0].pick;
    int *from = TS_NEW_N(r->arena, int, base->width); /* row of f that has a channel of the base, -1 for none */
    for (int i = 0; i < base->width; i++)
        from[i] = -1;
    for (int i = 0; i < f->rows; i++)
        from[pick[i]] = i;
    float *w = ts_rec_floats(r, rows * base->width);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < depth; j++)
            w[i * base->width + pick[row[i] + in[j]]] += (float)ts_get_real(kernel, out_k[i] + in_k[j]);
    rec_form *g = TS_NEW(r->arena, rec_form);
    *g = (rec_form){.rows = (int)rows, .terms = 1, .node = r->node, .frozen = TS_NEW(r->arena, const rec_base *)};
    bool ok;
    g->term[0] = (rec_term){.base = base, .w = w, .w_grid = ts_grid_of_kernel(r, c->x[1 - side].value, rows, out_k, depth, in_k, &ok)};
    if (!ok)
        return NULL;
    g->term[0].x_grid = ts_grid_select(r, x_grid, base->width, from);
    rec_val *out = TS_NEW(r->arena, rec_val);
    const rec_axis_kind kind[2] = {REC_TOKEN, REC_TOKEN};
    *out = (rec_val){.kind = VAL_LINEAR, .shape = shape, .node = r->node, .scale = scale, .form = g, .layout = out_layout(c, kind)};
    return out;
}

/* Two values of the event whose constant labels are contracted: scores. */
static const rec_val *contract_scores(rec *r, const contraction *c, const ts_shape *shape)
{
    const rec_val *q = ts_rec_linear(r, c->x[0].v), *k = q ? ts_rec_linear(r, c->x[1].v) : NULL;
    int outer[MAX_LABELS], inner[MAX_LABELS];
    const int outers = out_labels(c, outer), inners = inner_labels(c, inner);
    if (!k || !ts_rec_channels(r, combinations(c, outers, outer)) || !ts_rec_channels(r, combinations(c, inners, inner)))
        return NULL;
    int tokens = 0;
    bool ok = true;
    for (int i = 0; i < c->labels; i++) {
        const label *l = &c->label[i];
        ok &= !(l->token[0] || l->token[1]) || (l->out && l->token[0] != l->token[1]);
        tokens += l->token[0] + l->token[1];
    }
    if (!ok || tokens != 2) {
        ts_rec_fail(r, r->node,
                    "two values of the event are multiplied, but not as queries with keys over the width of a head, for every pair "
                    "of hits; only softmax attention between hits has hardware");
        return NULL;
    }
    int64_t heads, width;
    const int64_t *hq = offsets(r, c, 0, outers, outer, &heads), *hk = offsets(r, c, 1, outers, outer, &heads);
    const int64_t *iq = offsets(r, c, 0, inners, inner, &width), *ik = offsets(r, c, 1, inners, inner, &width);
    if (!ts_rec_channels(r, heads * width))
        return NULL;
    int *pq = TS_NEW_N(r->arena, int, heads *width), *pk = TS_NEW_N(r->arena, int, heads *width);
    for (int64_t h = 0; h < heads; h++)
        for (int64_t j = 0; j < width; j++) {
            pq[h * width + j] = (int)(hq[h] + iq[j]);
            pk[h * width + j] = (int)(hk[h] + ik[j]);
        }
    rec_val *out = TS_NEW(r->arena, rec_val);
    const rec_axis_kind kind[2] = {REC_TOKEN, REC_KEY};
    *out = (rec_val){.kind = VAL_SCORE,
                     .shape = shape,
                     .node = r->node,
                     .scale = q->scale * k->scale,
                     .heads = (int)heads,
                     .d_head = (int)width,
                     .layout = out_layout(c, kind)};
    out->q = ts_form_select(r, q->form, (int)(heads * width), pq);
    out->k = ts_form_select(r, k->form, (int)(heads * width), pk);
    return out;
}

const rec_base *ts_rec_attend(rec *r, const rec_heads *h)
{
    rec_base *base = ts_base_new(r, BASE_ATTENTION, h->heads * h->d_head);
    base->q = h->q;
    base->k = h->k;
    base->v = h->v;
    base->heads = h->heads;
    base->d_head = h->d_head;
    base->scale = h->scale;
    base->mask = h->mask;
    base->p = h->p;
    return ts_base_share(r, base);
}

/* Probabilities times v, contracted over the keys. */
static const rec_val *contract_context(rec *r, const contraction *c, const ts_shape *shape, int side)
{
    const rec_val *p = c->x[side].v, *v = ts_rec_linear(r, c->x[1 - side].v);
    int outer[MAX_LABELS];
    const int outers = out_labels(c, outer);
    if (!v || !ts_rec_channels(r, combinations(c, outers, outer)))
        return NULL;
    int head_labels = 0, head[MAX_LABELS], value_labels = 0, value[MAX_LABELS];
    bool ok = true, contracted = false;
    for (int i = 0; i < c->labels; i++) {
        const label *l = &c->label[i];
        const bool key = l->token[side] && l->kind[side] == REC_KEY;
        if (key && l->token[1 - side] && !l->out)
            contracted = true;
        else if (l->token[side] || l->token[1 - side])
            ok &= !key && l->token[side] && l->out && !l->token[1 - side];
        else
            ok &= l->out || l->size == 1;
    }
    if (!ok || !contracted) {
        ts_rec_fail(r, r->node, "attention probabilities must be multiplied with the values of the same hits that the softmax ran over");
        return NULL;
    }
    for (int i = 0; i < outers; i++) { /* in the result's order; labels of the heads are those that the probabilities have */
        const label *l = &c->label[outer[i]];
        if (l->token[side] || l->token[1 - side])
            continue;
        if (l->in[side] && l->stride[side] != 0)
            head[head_labels++] = outer[i];
        else
            value[value_labels++] = outer[i];
    }
    int64_t heads, width, rows;
    const int64_t *hp = offsets(r, c, side, head_labels, head, &heads), *hv = offsets(r, c, 1 - side, head_labels, head, &heads);
    const int64_t *iv = offsets(r, c, 1 - side, value_labels, value, &width);
    if (heads != p->heads || width != p->d_head) {
        ts_rec_fail(r, r->node, "attention has %d heads of %d channels in q and k, but %lld of %lld in v; they must be the same", p->heads,
                    p->d_head, (long long)heads, (long long)width);
        return NULL;
    }
    /* The base is head-major in the order of the scores' own heads. */
    int *pv = TS_NEW_N(r->arena, int, heads *width);
    for (int64_t h = 0; h < heads; h++)
        for (int64_t j = 0; j < width; j++)
            pv[hp[h] * width + j] = (int)(hv[h] + iv[j]);
    const rec_heads attention = {.q = p->q,
                                 .k = p->k,
                                 .heads = p->heads,
                                 .d_head = p->d_head,
                                 .scale = p->scale,
                                 .mask = p->mask,
                                 .p = p->grid,
                                 .v = ts_form_scale(r, ts_form_select(r, v->form, (int)(heads * width), pv), v->scale, NULL)};
    /* Each element of the result as an element of the base: give the labels the base's strides and walk them. */
    contraction walk = *c;
    int64_t stride = 1;
    for (int i = value_labels; i-- > 0; stride *= c->label[value[i]].size)
        walk.label[value[i]].stride[side] = stride;
    for (int i = 0; i < head_labels; i++)
        walk.label[head[i]].stride[side] *= width;
    const int64_t *element = offsets(r, &walk, side, outers, outer, &rows);
    int *pick = TS_NEW_N(r->arena, int, rows);
    for (int64_t i = 0; i < rows; i++)
        pick[i] = (int)element[i];
    rec_val *out = TS_NEW(r->arena, rec_val);
    const rec_axis_kind kind[2] = {REC_TOKEN, REC_TOKEN};
    *out = (rec_val){.kind = VAL_LINEAR, .shape = shape, .node = r->node, .scale = 1.0, .layout = out_layout(c, kind)};
    out->form = ts_form_select(r, ts_form_identity(r, ts_rec_attend(r, &attention)), (int)rows, pick);
    return out;
}

static const rec_val *contract(rec *r, contraction *c, const ts_shape *shape)
{
    if (!label_operand(r, c, 0) || !label_operand(r, c, 1))
        return NULL;
    for (int i = 0; i < c->out_rank; i++)
        find_label(c, c->out[i])->out = true;
    for (int i = 0; i < c->labels; i++) {
        const label *l = &c->label[i];
        if (!l->out && !(l->in[0] && l->in[1]) && (l->size != 1 || l->token[0] || l->token[1])) {
            ts_rec_fail(r, r->node, "a dimension of one operand is summed; use ReduceSum or ReduceMean");
            return NULL;
        }
        if ((l->token[0] || l->token[1]) && l->size != 1) {
            ts_rec_fail(r, r->node, "hits are matched with a constant dimension of %lld", (long long)l->size);
            return NULL;
        }
    }
    for (int side = 0; side < 2; side++)
        if (c->x[side].t)
            return contract_kernel(r, c, shape, 1 - side);
    for (int side = 0; side < 2; side++)
        if (c->x[side].v->kind == VAL_PROB)
            return contract_context(r, c, shape, side);
    return contract_scores(r, c, shape);
}

static bool set_operand(rec *r, const ts_node *node, contraction *c, int side)
{
    const ts_value *value = ts_in(node, side);
    c->x[side].value = value;
    c->x[side].rank = value->shape.rank;
    c->x[side].t = value->constant;
    c->x[side].v = value->constant ? NULL : r->val[value->id];
    if (!c->x[side].t && !c->x[side].v)
        return ts_rec_fail(r, node, "input %d depends on the number of hits only, not on their values; this makes the model positional",
                           side);
    return true;
}

bool ts_rec_matmul(rec *r, const ts_node *node)
{
    contraction c = {0};
    if (!set_operand(r, node, &c, 0) || !set_operand(r, node, &c, 1))
        return false;
    const bool trans[2] = {ts_attr_int(node, "transA", 0) != 0, ts_attr_int(node, "transB", 0) != 0};
    if (ts_attr_int(node, "transBatchA", 0) || ts_attr_int(node, "transBatchB", 0))
        return ts_rec_fail(r, node, "transBatchA and transBatchB are not supported; save the model before onnxruntime optimises it");
    const int batch = (c.x[0].rank > c.x[1].rank ? c.x[0].rank : c.x[1].rank) - 2;
    for (int side = 0; side < 2; side++) {
        operand *x = &c.x[side];
        if (x->rank < 2)
            return ts_rec_fail(r, node, "a vector is multiplied with a matrix; use tensors of at least two dimensions");
        for (int i = 0; i < x->rank - 2; i++)
            x->label[i] = (char)('a' + batch - (x->rank - 2) + i);
        const char row = side == 0 ? 'M' : 'K', column = side == 0 ? 'K' : 'N';
        x->label[x->rank - 2] = trans[side] ? column : row;
        x->label[x->rank - 1] = trans[side] ? row : column;
    }
    for (int i = 0; i < batch; i++)
        c.out[i] = (char)('a' + i);
    c.out[batch] = 'M';
    c.out[batch + 1] = 'N';
    c.out_rank = batch + 2;
    const rec_val *out = contract(r, &c, &node->out[0]->shape);
    if (!out)
        return false;
    rec_val *scaled = TS_NEW(r->arena, rec_val);
    *scaled = *out;
    scaled->scale *= ts_attr_float(node, "alpha", 1.0);
    r->val[node->out[0]->id] = scaled;
    return true;
}

bool ts_rec_gemm(rec *r, const ts_node *node)
{
    contraction c = {.out_rank = 2, .out = {'M', 'N'}};
    if (!set_operand(r, node, &c, 0) || !set_operand(r, node, &c, 1))
        return false;
    const bool ta = ts_attr_int(node, "transA", 0) != 0, tb = ts_attr_int(node, "transB", 0) != 0;
    memcpy(c.x[0].label, ta ? "KM" : "MK", 2);
    memcpy(c.x[1].label, tb ? "NK" : "KN", 2);
    const ts_shape *shape = &node->out[0]->shape;
    const rec_val *out = contract(r, &c, shape);
    if (!out)
        return false;
    rec_val *scaled = TS_NEW(r->arena, rec_val);
    *scaled = *out;
    scaled->scale *= ts_attr_float(node, "alpha", 1.0);
    out = scaled;
    const ts_value *addend = ts_in(node, 2);
    if (addend && addend->constant)
        out = ts_rec_shift(r, shape, out, addend->constant, ts_attr_float(node, "beta", 1.0));
    else if (addend && r->val[addend->id] && ts_attr_float(node, "beta", 1.0) == 1.0)
        out = ts_rec_add(r, shape, out, r->val[addend->id], 1.0);
    else if (addend)
        return ts_rec_fail(r, node, "the addend must be a constant, or a value of each hit with beta = 1");
    r->val[node->out[0]->id] = out;
    return out != NULL;
}

/* "ij,jk->ik"; an ellipsis stands for the dimensions 'A', 'B', ... counted from the right. */
static bool parse_einsum(rec *r, const ts_node *node, contraction *c)
{
    const char *s = ts_attr_string(node, "equation", "");
    int term = 0;
    char *to = c->x[0].label;
    int used[3] = {0}, seen[256] = {0};
    bool arrow = false;
    for (; *s; s++) {
        int rank = term == 0 ? c->x[0].rank : term == 1 ? c->x[1].rank : node->out[0]->shape.rank;
        if (*s == ',' && term == 0) {
            to = c->x[term = 1].label;
        } else if (*s == '-' && s[1] == '>' && term == 1) {
            to = c->out;
            term = 2;
            arrow = true;
            s++;
        } else if (*s == '.' && s[1] == '.' && s[2] == '.') {
            int named = used[term];
            for (const char *rest = s + 3; *rest && *rest != ',' && *rest != '-'; rest++)
                named += isalpha((unsigned char)*rest) != 0;
            for (int extra = rank - named; extra > 0 && used[term] < TS_MAX_RANK; extra--)
                to[used[term]++] = (char)('0' + extra);
            s += 2;
        } else if (isalpha((unsigned char)*s)) {
            if (used[term] < TS_MAX_RANK)
                to[used[term]++] = *s;
            seen[(unsigned char)*s]++;
        } else if (*s != ' ') {
            return ts_rec_fail(r, node, "the equation '%s' has an unexpected '%c'", ts_attr_string(node, "equation", ""), *s);
        }
    }
    if (!arrow) /* the result has the labels that occur once, in alphabetical order */
        for (int ch = 0; ch < 256; ch++)
            if (seen[ch] == 1 && used[2] < TS_MAX_RANK)
                c->out[used[2]++] = (char)ch;
    c->out_rank = used[2];
    if (term < 1 || used[0] != c->x[0].rank || used[1] != c->x[1].rank || used[2] != node->out[0]->shape.rank)
        return ts_rec_fail(r, node, "the equation '%s' does not fit its operands", ts_attr_string(node, "equation", ""));
    return true;
}

bool ts_rec_einsum(rec *r, const ts_node *node)
{
    contraction c = {0};
    if (node->ins != 2)
        return ts_rec_fail(r, node, "an Einsum of %d operands is not supported; split it into Einsums of two", node->ins);
    if (!set_operand(r, node, &c, 0) || !set_operand(r, node, &c, 1) || !parse_einsum(r, node, &c))
        return false;
    const rec_val *out = contract(r, &c, &node->out[0]->shape);
    r->val[node->out[0]->id] = out;
    return out != NULL;
}

/* A convolution's weights as one matrix without groups: [outputs][inputs][kernel ...]. */
static const ts_tensor *without_groups(rec *r, const ts_tensor *w, int64_t groups)
{
    int64_t dim[TS_MAX_RANK];
    memcpy(dim, w->dim, sizeof dim);
    const int64_t each = dim[0] / groups, inner = ts_count(w) / dim[0], depth = inner * groups;
    dim[1] *= groups;
    if (!ts_rec_channels(r, dim[0]) || !ts_rec_channels(r, depth))
        return NULL;
    ts_tensor *out = ts_tensor_new(r->arena, w->dtype, w->rank, dim);
    for (int64_t o = 0; o < dim[0]; o++)
        for (int64_t i = 0; i < inner; i++)
            ts_set_real(out, o * depth + o / each * inner + i, ts_get_real(w, o * inner + i));
    return out;
}

static bool all_are(const ts_node *node, const char *name, int64_t value)
{
    const ts_attr *attr = ts_attr_find(node, name);
    for (int i = 0; attr && i < attr->count; i++)
        if (attr->i[i] != value)
            return false;
    return true;
}

static bool is_whole_axis(const ts_node *node, const ts_tensor *w, int axis)
{
    return w->dim[axis] > 1 && ts_dim_is(ts_in(node, 0)->shape.dim[axis], w->dim[axis]);
}

bool ts_rec_conv_is_linear(const ts_node *node)
{
    const ts_tensor *w = ts_in(node, 1)->constant;
    bool linear = w && w->rank == ts_in(node, 0)->shape.rank && all_are(node, "strides", 1) && all_are(node, "pads", 0);
    for (int i = 2; linear && i < w->rank; i++)
        linear = w->dim[i] == 1 || is_whole_axis(node, w, i);
    return linear;
}

/* A convolution whose kernel is one element wide, or as wide as the tensor, along every axis: a linear layer of each hit. */
bool ts_rec_conv(rec *r, const ts_node *node)
{
    static const char spatial[] = "stuvwxyz", kernel[] = "STUVWXYZ";
    const ts_value *weights = ts_in(node, 1), *bias = ts_in(node, 2);
    const ts_shape *shape = &node->out[0]->shape;
    const int64_t groups = ts_attr_int(node, "group", 1);
    contraction c = {0};
    if (!weights->constant || (bias && !bias->constant))
        return ts_rec_fail(r, node, "weights of a convolution that are computed have no hardware");
    if (!set_operand(r, node, &c, 0) || !set_operand(r, node, &c, 1))
        return false;
    const int rank = c.x[0].rank;
    const ts_tensor *w = weights->constant;
    if (!ts_rec_conv_is_linear(node))
        return ts_rec_fail(
            r, node,
            "this convolution mixes neighbours (its kernel is wider than one), which depends on the order of the hits and has no "
            "hardware; one of kernel 1, stride 1, without padding is a linear layer");
    memcpy(c.x[0].label, "bC", 2);
    memcpy(c.x[1].label, "OC", 2);
    memcpy(c.out, "bO", 2);
    c.out_rank = 2;
    for (int i = 2; i < rank; i++) {
        const bool whole = is_whole_axis(node, w, i);
        c.x[0].label[i] = spatial[i - 2];
        c.x[1].label[i] = whole ? spatial[i - 2] : kernel[i - 2];
        if (!whole)
            c.out[c.out_rank++] = spatial[i - 2];
    }
    if (groups > 1 && weights->grid)
        return ts_rec_fail(r, node, "a convolution in groups whose weights are quantised in the file is not supported");
    if (groups > 1 && !(c.x[1].t = without_groups(r, w, groups)))
        return false;
    const rec_val *out = contract(r, &c, shape);
    if (out && bias) {
        ts_tensor *column = TS_NEW(r->arena, ts_tensor); /* [outputs][1]... */
        *column = *bias->constant;
        for (column->rank = 1; column->rank < rank - 1; column->rank++)
            column->dim[column->rank] = 1;
        out = ts_rec_shift(r, shape, out, column, 1.0);
    }
    r->val[node->out[0]->id] = out;
    return out != NULL;
}
