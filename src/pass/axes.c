#include "pass/axes.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "op/op.h"

static bool is_free(const ts_value *v, int axis)
{
    return v->axis && v->axis[axis];
}

static int64_t size_of(const ts_value *v, int axis)
{
    return is_free(v, axis) ? 0 : v->shape.dim[axis].c[0];
}

/* The floating-point input with the most values where every free size is large. */
static const ts_value *event_input(const ts_graph *g)
{
    enum { LARGE = 1000 };
    const ts_value *best = NULL;
    double most = 0;
    for (int i = 0; i < g->inputs; i++) {
        const ts_value *v = g->input[i];
        double size = 1;
        for (int k = 0; k < v->shape.rank; k++)
            size *= is_free(v, k) ? LARGE : (double)size_of(v, k);
        if (ts_is_float(v->dtype) && v->shape.rank >= 2 && v->axis && size > most) {
            most = size;
            best = v;
        }
    }
    return best;
}

/* ---- The number of features, where the file leaves it free */

static const ts_tensor *constant_of(const ts_value *v)
{
    if (!v || v->constant || !v->producer || ts_kind(v->producer) != TS_OP_Constant)
        return v ? v->constant : NULL;
    const ts_attr *value = ts_attr_find(v->producer, "value");
    return value ? value->t : NULL;
}

/* Features that a node expects of input `slot`, by its weights; 0 where it has none. */
static int64_t features_by(const ts_node *node, int slot)
{
    const ts_tensor *w = constant_of(ts_in(node, 1 - (slot != 0)));
    switch ((int)ts_kind(node)) {
    case TS_OP_MatMul:
        return slot == 0 && w && w->rank == 2 ? w->dim[0] : 0;
    case TS_OP_Gemm:
        return slot == 0 && w && w->rank == 2 ? w->dim[ts_attr_int(node, "transB", 0) != 0] : 0;
    case TS_OP_Conv:
        return slot == 0 && w && w->rank > 1 ? w->dim[1] * ts_attr_int(node, "group", 1) : 0;
    case TS_OP_BatchNormalization:
    case TS_OP_LayerNormalization:
        return slot == 0 && w && w->rank == 1 ? w->dim[0] : 0;
    case TS_OP_Add:
    case TS_OP_Sub:
    case TS_OP_Mul:
    case TS_OP_Div:
        return w && w->rank >= 1 && w->dim[w->rank - 1] > 1 ? w->dim[w->rank - 1] : 0;
    default:
        return 0;
    }
}

/* Whether the node's result has the features of its input, perhaps elsewhere. */
static bool keeps_features(const ts_node *node)
{
    switch ((int)ts_kind(node)) {
    case TS_OP_Identity:
    case TS_OP_Cast:
    case TS_OP_Dropout:
    case TS_OP_Transpose:
    case TS_OP_Add:
    case TS_OP_Sub:
    case TS_OP_Mul:
    case TS_OP_Div:
        return true;
    default:
        return false;
    }
}

static int64_t features_from(const ts_value *v)
{
    enum { STEPS = 16 };
    for (int step = 0; v && step < STEPS; step++) {
        const ts_value *next = NULL;
        for (int i = 0; i < v->uses; i++) {
            const int64_t features = features_by(v->use[i].node, v->use[i].slot);
            if (features > 0)
                return features;
            if (!next && v->use[i].node->outs > 0 && keeps_features(v->use[i].node))
                next = v->use[i].node->out[0];
        }
        v = next;
    }
    return 0;
}

/* ---- Readings */

static bool is_named_batch(const char *name)
{
    return name && (strncasecmp(name, "batch", 5) == 0 || strcasecmp(name, "b") == 0 || strcasecmp(name, "bs") == 0 ||
                    strcasecmp(name, "bsz") == 0);
}

static bool is_named_hits(const char *name)
{
    static const char *const names[] = {"n", "hits", "tokens", "particles", "points", "length", "t", "l"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strncasecmp(name, "seq", 3) == 0;
}

/* The size at which an axis that is neither hits nor features is fixed, 0: none is. */
static int64_t other_size(const ts_value *v, ts_axes a)
{
    int64_t size = 0;
    for (int i = 0; i < v->shape.rank; i++)
        if (i != a.hits && i != a.features && !is_free(v, i) && size_of(v, i) != 1)
            size = size_of(v, i) > size ? size_of(v, i) : size;
    return size;
}

static bool can_be(const ts_value *v, ts_axes a, int64_t features)
{
    if (other_size(v, a) != 0 || (!is_free(v, a.hits) && size_of(v, a.hits) < 2))
        return false;
    return is_free(v, a.features) ? features > 0 : size_of(v, a.features) > 0;
}

static void add(ts_axes_list *list, ts_axes a, int64_t features)
{
    const ts_value *v = list->input;
    for (int i = 0; i < list->count; i++)
        if (list->axes[i].hits == a.hits && list->axes[i].features == a.features)
            return;
    if (list->count < TS_AXES_MAX && can_be(v, a, features))
        list->axes[list->count++] = a;
}

ts_axes_list ts_axes_of(const ts_graph *imported)
{
    ts_axes_list list = {.input = event_input(imported)};
    const ts_value *v = list.input;
    if (!v)
        return list;
    const int last = v->shape.rank - 1;
    const int64_t features = features_from(v);
    const ts_axes usual = {.hits = last - 1, .features = last};
    if (last == 2 && is_named_batch(v->axis[1]) && !is_named_batch(v->axis[0]))
        add(&list, (ts_axes){.hits = 0, .features = last}, features); /* as its name says */
    add(&list, usual, features);
    /* Free sizes are hits rather than fixed ones. */
    for (int fixed = 0; fixed < 2; fixed++)
        for (int f = last; f >= 0; f--)
            for (int h = last; h >= 0; h--)
                if (h != f && is_free(v, h) == !fixed)
                    add(&list, (ts_axes){.hits = h, .features = f}, features);
    list.fixed_batch = last == 2 && is_free(v, 1) && !is_named_batch(v->axis[1]) ? other_size(v, usual) : 0;
    if (last == 2 && !is_free(v, 0) && !is_free(v, 1) && size_of(v, 0) > 1 && size_of(v, 1) > 1)
        list.fixed_batch = size_of(v, 0);
    if (last == 2 && is_free(v, 0) && !is_free(v, 1) && size_of(v, 1) > 1 && is_named_hits(v->axis[0]) && !is_free(v, 2))
        list.fixed_batch = size_of(v, 1); /* [hits, 8, features] */
    const ts_axes channels_first = {.hits = 2, .features = 1};
    if (last == 2 && list.fixed_batch == 0 && is_free(v, 2) && !is_free(v, 1))
        list.fixed_batch = other_size(v, channels_first);
    return list;
}

const char *ts_axes_text(ts_arena *arena, const ts_value *input)
{
    const char *text = "[";
    for (int i = 0; i < input->shape.rank; i++) {
        const char *name = is_free(input, i) ? input->axis[i] : NULL;
        text = name ? ts_printf(arena, "%s%s%s", text, i ? ", " : "", *name ? name : "?")
                    : ts_printf(arena, "%s%s%lld", text, i ? ", " : "", (long long)size_of(input, i));
    }
    return ts_printf(arena, "%s]", text);
}

/* ---- Binding */

/* What the free axes of another input (a mask) are, by the names that they share with the event's. */
static void bind_other(ts_value *v, const ts_value *event, ts_axes a)
{
    for (int i = 0; i < v->shape.rank; i++) {
        if (!is_free(v, i) || !v->axis[i][0])
            continue;
        for (int k = 0; k < event->shape.rank; k++)
            if (is_free(event, k) && strcmp(event->axis[k], v->axis[i]) == 0)
                v->shape.dim[i] = k == a.hits ? (ts_dim){{0, 1, 0}} : k == a.features ? v->shape.dim[i] : ts_dim_of(1);
    }
}

static ts_node *add_node(ts_arena *arena, ts_graph *g, const char *type, int opset, ts_value **in, int ins, ts_value *out)
{
    ts_node *node = ts_graph_add_node(arena, g, ins, 1);
    node->name = ts_printf(arena, "%s/%s", out->name, type);
    node->domain = "";
    node->type = type;
    node->opset = opset;
    node->op = ts_op_find("", type);
    memcpy(node->in, in, (size_t)ins * sizeof(ts_value *));
    node->out[0] = out;
    return node;
}

static void set_perm(ts_arena *arena, ts_node *node, const int64_t *perm, int rank)
{
    ts_attr *attr = TS_NEW(arena, ts_attr);
    int64_t *copy = TS_NEW_N(arena, int64_t, rank);
    memcpy(copy, perm, (size_t)rank * sizeof *copy);
    *attr = (ts_attr){.name = "perm", .type = TS_ATTR_INTS, .count = rank, .i = copy};
    node->attrs = 1;
    node->attr = attr;
}

static const char *new_name(ts_arena *arena, const ts_graph *g, const char *name, const char *what)
{
    const char *text = ts_printf(arena, "%s/%s", name, what);
    while (ts_graph_find(g, text))
        text = ts_printf(arena, "%s_", text);
    return text;
}

/* [1][hits][features] in front of the file's own input. */
static void put_in_front(ts_arena *arena, ts_graph *g, const ts_graph *from, ts_value *file, ts_axes a, int opset)
{
    static const int64_t swap[] = {0, 2, 1};
    const ts_dim hits = file->shape.dim[a.hits], features = file->shape.dim[a.features];
    ts_value *event = ts_graph_add_value(arena, g, file->name), *x = event;
    file->name = new_name(arena, from, file->name, "as_in_the_file");
    event->dtype = file->dtype;
    event->is_input = event->has_shape = true;
    event->shape = (ts_shape){.rank = 3, .dim = {ts_dim_of(1), hits, features}};
    file->is_input = file->has_shape = false;
    for (int i = 0; i < g->inputs; i++)
        if (g->input[i] == file)
            g->input[i] = event;
    const bool only_swap = file->shape.rank == 3 && a.features == 1 && a.hits == 2;
    if (a.features < a.hits) {
        x = only_swap ? file : ts_graph_add_value(arena, g, new_name(arena, from, event->name, "features_first"));
        set_perm(arena, add_node(arena, g, "Transpose", opset, &event, 1, x), swap, 3);
    }
    if (only_swap)
        return;
    ts_value *shape = ts_graph_add_value(arena, g, new_name(arena, from, event->name, "shape"));
    const int64_t rank = file->shape.rank;
    ts_tensor *dims = ts_tensor_new(arena, TS_I64, 1, &rank);
    for (int i = 0; i < rank; i++)
        dims->data.i[i] = i == a.hits ? (ts_dim_is_const(hits) ? hits.c[0] : -1) : i == a.features ? features.c[0] : 1;
    shape->constant = dims;
    shape->dtype = TS_I64;
    shape->has_shape = true;
    shape->shape = (ts_shape){.rank = 1, .dim = {ts_dim_of(rank)}};
    add_node(arena, g, "Reshape", opset, (ts_value *[]){x, shape}, 2, file);
}

/* The output's last two axes change places. */
static void put_behind(ts_arena *arena, ts_graph *g, const ts_graph *from, int rank, int opset)
{
    int64_t perm[TS_MAX_RANK];
    ts_value *file = g->output[0], *out = ts_graph_add_value(arena, g, file->name);
    file->name = new_name(arena, from, file->name, "as_in_the_file");
    file->is_output = false;
    out->is_output = true;
    g->output[0] = out;
    for (int i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : i == rank - 2 ? rank - 1 : rank - 2;
    set_perm(arena, add_node(arena, g, "Transpose", opset, &file, 1, out), perm, rank);
}

static ts_graph *copy_graph(ts_arena *arena, const ts_graph *g)
{
    ts_graph *out = ts_graph_new(arena, g->name, g->directory);
    for (int i = 0; i < g->values; i++) {
        ts_value *v = ts_graph_add_value(arena, out, g->value[i]->name);
        const int id = v->id;
        *v = *g->value[i];
        v->id = id;
        v->producer = NULL;
    }
    out->inputs = g->inputs;
    out->outputs = g->outputs;
    out->input = TS_NEW_N(arena, ts_value *, g->inputs);
    out->output = TS_NEW_N(arena, ts_value *, g->outputs);
    for (int i = 0; i < g->inputs; i++)
        out->input[i] = out->value[g->input[i]->id];
    for (int i = 0; i < g->outputs; i++)
        out->output[i] = out->value[g->output[i]->id];
    for (int i = 0; i < g->nodes; i++) {
        const ts_node *n = g->node[i];
        ts_node *c = ts_graph_add_node(arena, out, n->ins, n->outs);
        ts_value **in = c->in, **to = c->out;
        const int id = c->id;
        *c = *n;
        c->id = id;
        c->in = in;
        c->out = to;
        for (int k = 0; k < n->ins; k++)
            in[k] = n->in[k] ? out->value[n->in[k]->id] : NULL;
        for (int k = 0; k < n->outs; k++)
            to[k] = n->out[k] ? out->value[n->out[k]->id] : NULL;
    }
    return out;
}

/* What a free axis of the event's input is. */
static ts_dim dim_of(const ts_value *input, int axis, ts_axes a)
{
    return axis == a.hits ? (ts_dim){{0, 1, 0}} : axis == a.features ? ts_dim_of(features_from(input)) : ts_dim_of(1);
}

static bool stands_in_order(const ts_value *event, ts_axes a)
{
    const bool bare = event->shape.rank == 2 && !is_free(event, a.hits); /* samples have a batch in front */
    return !bare && a.hits == event->shape.rank - 2 && a.features == event->shape.rank - 1;
}

/* Whether the import has read the axes so: then no copy is needed. */
static bool is_as_imported(const ts_graph *g, const ts_value *input, ts_axes a)
{
    bool same = stands_in_order(input, a) && !a.transpose_out;
    for (int i = 0; i < input->shape.rank; i++)
        same = same && (!is_free(input, i) || ts_dim_equal(input->shape.dim[i], dim_of(input, i, a)));
    for (int i = 0; i < g->inputs; i++) {
        ts_value other = *g->input[i];
        if (g->input[i] == input || !other.axis)
            continue;
        bind_other(&other, input, a);
        same = same && memcmp(&other.shape, &g->input[i]->shape, sizeof other.shape) == 0;
    }
    return same;
}

const ts_graph *ts_axes_bind(ts_arena *arena, const ts_graph *imported, const ts_value *input, ts_axes axes, ts_err *err)
{
    enum { ANY_OPSET = 17 }; /* of a graph without nodes of ONNX's own domain */
    if (is_as_imported(imported, input, axes))
        return imported;
    ts_graph *g = copy_graph(arena, imported);
    ts_value *event = g->value[input->id];
    int opset = ANY_OPSET;
    for (int i = 0; i < g->nodes; i++)
        if (!g->node[i]->domain[0])
            opset = g->node[i]->opset;
    for (int i = 0; i < event->shape.rank; i++)
        if (is_free(event, i))
            event->shape.dim[i] = dim_of(input, i, axes);
    for (int i = 0; i < g->inputs; i++)
        if (g->input[i] != event && g->input[i]->axis)
            bind_other(g->input[i], event, axes);
    if (!stands_in_order(input, axes))
        put_in_front(arena, g, imported, event, axes, opset);
    if (axes.transpose_out)
        put_behind(arena, g, imported, 3, opset);
    return ts_graph_finish(arena, g, err) ? g : NULL;
}
