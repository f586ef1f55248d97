#define TS_FAIL_CODE TS_BAD_FILE
#include "graph/graph.h"

#include <inttypes.h>
#include <string.h>

/* Appends to an array that doubles at powers of two, so that no capacity needs storing. */
#define APPEND(arena, array, count, item) \
    do { \
        if (((count) & ((count)-1)) == 0) { \
            void *bigger = ts_alloc((arena), (count) ? (size_t)(count)*2 : 1, sizeof *(array)); \
            if (count) \
                memcpy(bigger, (array), (size_t)(count) * sizeof *(array)); \
            (array) = bigger; \
        } \
        (array)[(count)++] = (item); \
    } while (0)

const ts_attr *ts_attr_find(const ts_node *node, const char *name)
{
    for (int i = 0; i < node->attrs; i++)
        if (strcmp(node->attr[i].name, name) == 0)
            return &node->attr[i];
    return NULL;
}

int64_t ts_attr_int(const ts_node *node, const char *name, int64_t otherwise)
{
    const ts_attr *a = ts_attr_find(node, name);
    return a && a->type == TS_ATTR_INT ? a->i[0] : otherwise;
}

double ts_attr_float(const ts_node *node, const char *name, double otherwise)
{
    const ts_attr *a = ts_attr_find(node, name);
    return a && a->type == TS_ATTR_FLOAT ? (double)a->f[0] : otherwise;
}

const char *ts_attr_string(const ts_node *node, const char *name, const char *otherwise)
{
    const ts_attr *a = ts_attr_find(node, name);
    return a && a->type == TS_ATTR_STRING ? a->s[0] : otherwise;
}

ts_value *ts_graph_find(const ts_graph *g, const char *name)
{
    for (int i = 0; i < g->values; i++)
        if (strcmp(g->value[i]->name, name) == 0)
            return g->value[i];
    return NULL;
}

ts_graph *ts_graph_new(ts_arena *arena, const char *name, const char *directory)
{
    ts_graph *g = TS_NEW(arena, ts_graph);
    g->name = ts_strdup(arena, name);
    g->directory = ts_strdup(arena, directory);
    return g;
}

ts_value *ts_graph_add_value(ts_arena *arena, ts_graph *g, const char *name)
{
    ts_value *v = TS_NEW(arena, ts_value);
    v->name = name;
    v->id = g->values;
    APPEND(arena, g->value, g->values, v);
    return v;
}

ts_node *ts_graph_add_node(ts_arena *arena, ts_graph *g, int ins, int outs)
{
    ts_node *node = TS_NEW(arena, ts_node);
    node->id = g->nodes;
    node->ins = ins;
    node->outs = outs;
    node->in = TS_NEW_N(arena, ts_value *, ins);
    node->out = TS_NEW_N(arena, ts_value *, outs);
    APPEND(arena, g->node, g->nodes, node);
    return node;
}

static bool set_producers(ts_graph *g, ts_err *err)
{
    for (int i = 0; i < g->values; i++)
        g->value[i]->producer = NULL;
    for (int i = 0; i < g->nodes; i++) {
        ts_node *node = g->node[i];
        for (int k = 0; k < node->outs; k++) {
            ts_value *v = node->out[k];
            if (v->is_input || v->constant || v->producer)
                return ts_fail(err, "node '%s' (%s): its output '%s' is also %s; the file is damaged or its exporter is at fault",
                               node->name, node->type, v->name,
                               v->is_input   ? "an input of the model"
                               : v->constant ? "an initialiser"
                                             : "an output of another node");
            v->producer = node;
            v->output = k;
        }
    }
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; k < g->node[i]->ins; k++) {
            const ts_value *v = g->node[i]->in[k];
            if (v && !v->is_input && !v->constant && !v->producer)
                return ts_fail(err, "node '%s' (%s): nothing produces its input '%s'; the file is damaged or its exporter is at fault",
                               g->node[i]->name, g->node[i]->type, v->name);
        }
    for (int i = 0; i < g->outputs; i++) {
        const ts_value *v = g->output[i];
        if (!v->is_input && !v->constant && !v->producer)
            return ts_fail(err, "nothing produces the model's output '%s'; the file is damaged or its exporter is at fault", v->name);
    }
    return true;
}

/* Depth first, in the order of the file: an order that is topological already is kept as it is. */
static bool sort_nodes(ts_arena *arena, ts_graph *g, ts_err *err)
{
    enum { NEW, OPEN, DONE };
    unsigned char *state = TS_NEW_N(arena, unsigned char, g->nodes);
    int *next_in = TS_NEW_N(arena, int, g->nodes), *stack = TS_NEW_N(arena, int, g->nodes);
    ts_node **sorted = TS_NEW_N(arena, ts_node *, g->nodes);
    int done = 0;
    for (int i = 0; i < g->nodes; i++)
        g->node[i]->id = i;
    for (int root = 0; root < g->nodes; root++) {
        if (state[root] == DONE)
            continue;
        int depth = 0;
        stack[depth++] = root;
        state[root] = OPEN;
        while (depth > 0) {
            ts_node *node = g->node[stack[depth - 1]];
            if (next_in[node->id] == node->ins) {
                state[node->id] = DONE;
                sorted[done++] = node;
                depth--;
                continue;
            }
            const ts_value *v = node->in[next_in[node->id]++];
            if (!v || !v->producer || state[v->producer->id] == DONE)
                continue;
            if (state[v->producer->id] == OPEN)
                return ts_fail(err, "node '%s' (%s) depends on its own output; the file is damaged or its exporter is at fault", node->name,
                               node->type);
            state[v->producer->id] = OPEN;
            stack[depth++] = v->producer->id;
        }
    }
    g->node = sorted;
    for (int i = 0; i < g->nodes; i++)
        sorted[i]->id = i;
    return true;
}

bool ts_graph_finish(ts_arena *arena, ts_graph *g, ts_err *err)
{
    if (!set_producers(g, err) || !sort_nodes(arena, g, err))
        return false;

    for (int i = 0; i < g->values; i++) {
        ts_value *v = g->value[i];
        v->uses = 0;
        v->id = v->is_input || v->is_output ? 0 : -1; /* -1: nobody refers to it */
    }
    for (int i = 0; i < g->nodes; i++) {
        ts_node *node = g->node[i];
        for (int k = 0; k < node->outs; k++)
            node->out[k]->id = 0;
        for (int k = 0; k < node->ins; k++)
            if (node->in[k]) {
                node->in[k]->id = 0;
                node->in[k]->uses++;
            }
    }
    int kept = 0;
    for (int i = 0; i < g->values; i++) {
        ts_value *v = g->value[i];
        if (v->id < 0)
            continue;
        v->id = kept;
        g->value[kept++] = v;
        v->use = TS_NEW_N(arena, ts_use, v->uses);
        v->uses = 0;
    }
    g->values = kept;
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; k < g->node[i]->ins; k++) {
            ts_value *v = g->node[i]->in[k];
            if (v)
                ((ts_use *)v->use)[v->uses++] = (ts_use){g->node[i], k};
        }
    ts_graph_verify(g);
    return true;
}

void ts_graph_verify(const ts_graph *g)
{
    for (int i = 0; i < g->values; i++) {
        const ts_value *v = g->value[i];
        CHECK(v->id == i && v->name[0]);
        CHECK((v->is_input != 0) + (v->constant != NULL) + (v->producer != NULL) == 1);
        CHECK(!v->producer || (g->node[v->producer->id] == v->producer && v->producer->out[v->output] == v));
        for (int k = 0; k < v->uses; k++)
            CHECK(g->node[v->use[k].node->id] == v->use[k].node && v->use[k].node->in[v->use[k].slot] == v);
        if (v->has_shape)
            CHECK(v->dtype != TS_NONE && v->shape.rank >= 0 && v->shape.rank <= TS_MAX_RANK);
        if (!v->constant)
            continue;
        CHECK(v->constant->data.any && v->constant->dtype == v->dtype);
        if (v->has_shape) {
            CHECK(v->shape.rank == v->constant->rank);
            for (int k = 0; k < v->shape.rank; k++)
                CHECK(ts_dim_is(v->shape.dim[k], v->constant->dim[k]));
        }
    }
    for (int i = 0; i < g->nodes; i++) {
        const ts_node *node = g->node[i];
        CHECK(node->id == i && node->name[0] && node->type[0] && node->op);
        for (int k = 0; k < node->ins; k++) {
            const ts_value *v = node->in[k];
            CHECK(!v || (v->id < g->values && g->value[v->id] == v));
            CHECK(!v || !v->producer || v->producer->id < i);
        }
        for (int k = 0; k < node->outs; k++)
            CHECK(node->out[k]->producer == node && node->out[k]->output == k);
    }
    for (int i = 0; i < g->inputs; i++)
        CHECK(g->input[i]->is_input && g->value[g->input[i]->id] == g->input[i]);
    for (int i = 0; i < g->outputs; i++)
        CHECK(g->output[i]->is_output && g->value[g->output[i]->id] == g->output[i]);
}

void ts_dim_print(FILE *out, ts_dim a)
{
    static const char *const power[] = {"", "n", "n*n"};
    bool first = true;
    for (int k = 2; k >= 0; k--) {
        int64_t c = a.c[k];
        if (c == 0 && !(k == 0 && first))
            continue;
        if (!first && c > 0)
            fputc('+', out);
        if (k == 0)
            fprintf(out, "%" PRId64, c);
        else if (c == 1)
            fputs(power[k], out);
        else
            fprintf(out, "%" PRId64 "*%s", c, power[k]);
        first = false;
    }
}

static void dump_type(FILE *out, const ts_value *v)
{
    fprintf(out, "%s", ts_dtype_name(v->dtype));
    if (!v->has_shape)
        return;
    fputc('[', out);
    for (int i = 0; i < v->shape.rank; i++) {
        if (i)
            fputc(',', out);
        ts_dim_print(out, v->shape.dim[i]);
    }
    fputc(']', out);
}

static void dump_numbers(FILE *out, const ts_tensor *t)
{
    int64_t n = ts_count(t);
    if (t->rank)
        fputc('[', out);
    for (int64_t i = 0; i < n; i++) {
        if (i)
            fputc(',', out);
        if (ts_dtype_store(t->dtype) == TS_STORE_I)
            fprintf(out, "%" PRId64, t->data.i[i]);
        else
            fprintf(out, "%.9g", ts_get_real(t, i));
    }
    if (t->rank)
        fputc(']', out);
}

enum { SHOWN_ELEMENTS = 8 }; /* constants of at most so many elements are written where they are used */

static bool is_shown_in_place(const ts_value *v)
{
    return v->constant && v->constant->rank <= 1 && ts_count(v->constant) <= SHOWN_ELEMENTS;
}

static void dump_attr(FILE *out, const ts_attr *a)
{
    fprintf(out, "%s=", a->name);
    for (int i = 0; i < a->count; i++) {
        if (i)
            fputc(',', out);
        switch (a->type) {
        case TS_ATTR_INT:
        case TS_ATTR_INTS:
            fprintf(out, "%" PRId64, a->i[i]);
            break;
        case TS_ATTR_FLOAT:
        case TS_ATTR_FLOATS:
            fprintf(out, "%.9g", (double)a->f[i]);
            break;
        case TS_ATTR_STRING:
        case TS_ATTR_STRINGS:
            fprintf(out, "\"%s\"", a->s[i]);
            break;
        case TS_ATTR_TENSOR:
            if (ts_count(a->t) <= SHOWN_ELEMENTS)
                dump_numbers(out, a->t);
            else
                fputs("(tensor)", out);
            break;
        }
    }
}

void ts_graph_dump(FILE *out, const ts_graph *g)
{
    fprintf(out, "graph %s\n", g->name);
    for (int i = 0; i < g->inputs; i++) {
        fprintf(out, "input %%%s ", g->input[i]->name);
        dump_type(out, g->input[i]);
        fputc('\n', out);
    }
    for (int i = 0; i < g->values; i++) {
        const ts_value *v = g->value[i];
        if (!v->constant || is_shown_in_place(v))
            continue;
        fprintf(out, "constant %%%s ", v->name);
        dump_type(out, v);
        fputc('\n', out);
    }
    for (int i = 0; i < g->nodes; i++) {
        const ts_node *node = g->node[i];
        for (int k = 0; k < node->outs; k++) {
            if (k)
                fputs(", ", out);
            if (node->out[k]->uses || node->out[k]->is_output) {
                fprintf(out, "%%%s ", node->out[k]->name);
                dump_type(out, node->out[k]);
            } else {
                fputc('_', out);
            }
        }
        fprintf(out, " = %s%s%s(", node->domain, node->domain[0] ? "." : "", node->type);
        for (int k = 0; k < node->ins; k++) {
            if (k)
                fputs(", ", out);
            if (!node->in[k])
                fputc('_', out);
            else if (is_shown_in_place(node->in[k]))
                dump_numbers(out, node->in[k]->constant);
            else
                fprintf(out, "%%%s", node->in[k]->name);
        }
        fputc(')', out);
        for (int k = 0; k < node->attrs; k++) {
            fputs(k ? " " : " {", out);
            dump_attr(out, &node->attr[k]);
            if (k == node->attrs - 1)
                fputc('}', out);
        }
        fprintf(out, " ; %s\n", node->name);
    }
    for (int i = 0; i < g->outputs; i++) {
        fprintf(out, "output %%%s ", g->output[i]->name);
        dump_type(out, g->output[i]);
        fputc('\n', out);
    }
}
