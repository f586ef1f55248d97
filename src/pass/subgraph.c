#define TS_FAIL_CODE TS_UNSUPPORTED
#include "pass/subgraph.h"

#include "op/op.h"

/* Marks what `to` needs: values by id, nodes by id. */
static void mark(const ts_graph *g, const ts_value *from, const ts_value *to, bool *value, bool *node)
{
    value[to->id] = true;
    for (int i = g->nodes - 1; i >= 0; i--) {
        const ts_node *n = g->node[i];
        for (int k = 0; k < n->outs; k++)
            node[i] |= n->out[k] != from && value[n->out[k]->id];
        for (int k = 0; node[i] && k < n->ins; k++)
            if (n->in[k])
                value[n->in[k]->id] = true;
    }
}

static ts_value *copy_value(ts_arena *arena, ts_graph *out, const ts_value *v, const char *name)
{
    ts_value *c = ts_graph_add_value(arena, out, name);
    c->dtype = v->dtype;
    c->has_shape = v->has_shape;
    c->shape = v->shape;
    c->known = v->known;
    return c;
}

static void copy_node(ts_arena *arena, ts_graph *out, const ts_node *node, ts_value *const *copy, const ts_value *from)
{
    ts_node *c = ts_graph_add_node(arena, out, node->ins, node->outs);
    c->name = node->name;
    c->domain = node->domain;
    c->type = node->type;
    c->opset = node->opset;
    c->op = node->op;
    c->attrs = node->attrs;
    c->attr = node->attr;
    for (int k = 0; k < node->ins; k++)
        c->in[k] = node->in[k] ? copy[node->in[k]->id] : NULL;
    for (int k = 0; k < node->outs; k++) {
        const ts_value *v = node->out[k];
        c->out[k] = v != from && copy[v->id] ? copy[v->id]
                                             : copy_value(arena, out, v, v == from ? ts_printf(arena, "%s:unused", v->name) : v->name);
    }
}

const ts_graph *ts_subgraph(ts_arena *arena, const ts_graph *g, const ts_value *from, const ts_value *to, ts_err *err)
{
    if (to == from || !to->producer) {
        ts_fail(err, "%s: nothing computes '%s'", g->name, to->name);
        return NULL;
    }
    bool *value = TS_NEW_N(arena, bool, g->values), *node = TS_NEW_N(arena, bool, g->nodes);
    mark(g, from, to, value, node);
    ts_graph *out = ts_graph_new(arena, g->name, g->directory);
    ts_value **copy = TS_NEW_N(arena, ts_value *, g->values);
    out->input = TS_NEW_N(arena, ts_value *, g->inputs + 1);
    out->output = TS_NEW(arena, ts_value *);
    for (int i = 0; i < g->values; i++) {
        const ts_value *v = g->value[i];
        if (!value[i] && v != from)
            continue;
        ts_value *c = copy[i] = copy_value(arena, out, v, v->name);
        c->constant = v->constant;
        c->grid = v->grid;
        c->is_input = v == from || v->is_input;
        c->is_output = v == to;
    }
    if (from)
        out->input[out->inputs++] = copy[from->id];
    for (int i = 0; i < g->inputs; i++)
        if (copy[g->input[i]->id] && g->input[i] != from)
            out->input[out->inputs++] = copy[g->input[i]->id];
    out->output[out->outputs++] = copy[to->id];
    for (int i = 0; i < g->nodes; i++)
        if (node[i])
            copy_node(arena, out, g->node[i], copy, from);
    if (!ts_graph_finish(arena, out, err))
        return NULL;
    ts_graph_verify(out);
    return out;
}

const char *ts_graph_operators(ts_arena *arena, const ts_graph *g)
{
    enum { KINDS = 8 };
    const char *text = "";
    int count[TS_OP_COUNT] = {0}, kinds = 0, left = 0;
    for (int i = 0; i < g->nodes; i++)
        count[ts_kind(g->node[i])]++;
    for (int i = 0; i < g->nodes; i++) {
        const int all = count[ts_kind(g->node[i])];
        count[ts_kind(g->node[i])] = 0; /* the others of this kind are counted with the first */
        if (all == 0)
            continue;
        if (kinds++ >= KINDS)
            left += all;
        else
            text = all > 1 ? ts_printf(arena, "%s%s%d %s", text, *text ? ", " : "", all, g->node[i]->type)
                           : ts_printf(arena, "%s%s%s", text, *text ? ", " : "", g->node[i]->type);
    }
    return left > 0 ? ts_printf(arena, "%s and %d other operator%s", text, left, left > 1 ? "s" : "") : text;
}
