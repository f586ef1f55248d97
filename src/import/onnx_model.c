/* ModelProto -> graph: values, nodes, model-local functions in place of their calls, inputs with the batch bound to 1. */
#define TS_FAIL_CODE TS_BAD_FILE
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/map.h"
#include "base/plain.h"
#include "import/import.h"
#include "import/onnx_read.h"
#include "op/op.h"

enum {
    MAX_NODES = 120000,  /* after inlining: functions that call functions can double with every level */
    MAX_LINKS = 2000000, /* inputs, outputs and attributes of all nodes, and of the functions that they call */
    MAX_CALL_DEPTH = 16,
    MAX_TYPE = 200,    /* characters of an operator's name */
    SCOPED_NAME = 100, /* characters of a name inside a function that are kept, and of what it is called by */
    MAX_ATTRS = 64,    /* of a node; these limits keep the searches below linear in the file's size */
    MAX_IMPORTS = 64,
};

typedef struct importer {
    ts_arena *arena, *scratch;
    const Onnx__ModelProto *model;
    ts_graph *g;
    ts_map *taken;     /* names of values in the graph */
    ts_map *functions; /* "domain/name" -> function */
    ts_map *attrs;     /* address of a proto inside a function -> its ts_attr: read once, however often it is called */
    ts_value *absent;  /* what a formal input stands for when the call leaves it out */
    int renamed, steps;
    int64_t links;
    ts_err *err;
} importer;

/* Names and attributes as seen from one graph or one call of a function. */
typedef struct scope {
    ts_map *values;      /* name -> ts_value, or importer.absent */
    const char *prefix;  /* of the names of nodes and values: "" or "call/" */
    const ts_node *call; /* its attributes are those that the body refers to; NULL in the main graph */
    const struct function *function;
    size_t imports;
    Onnx__OperatorSetIdProto *const *import;
    int depth;
} scope;

static const char *normal_domain(const char *domain)
{
    if (strcmp(ts_or_empty(domain), "onnx.brevitas") == 0) /* where Brevitas puts QONNX's operators */
        return "qonnx.custom_op.general";
    return strcmp(ts_or_empty(domain), "ai.onnx") == 0 ? "" : ts_or_empty(domain);
}

/* The last characters of a name: a function's names are there once in the file, and once for every call in the graph. */
static const char *tail(const char *name)
{
    const size_t n = strlen(name);
    return n > SCOPED_NAME ? name + n - SCOPED_NAME : name;
}

/* A name as the graph has it: of a call, behind the call's. */
static char *full_name(importer *im, const scope *s, const char *name)
{
    return s->call ? ts_printf(im->arena, "%s%s", s->prefix, tail(name)) : ts_strdup(im->arena, name);
}

static ts_value *new_value(importer *im, const scope *s, const char *name)
{
    char *full = full_name(im, s, name);
    while (ts_map_get(im->taken, full))
        full = ts_printf(im->arena, "%s%s_%d", s->prefix, tail(name), ++im->renamed);
    ts_value *v = ts_graph_add_value(im->arena, im->g, full);
    ts_map_put(im->taken, full, v);
    return v;
}

/* The value of a name (of the file, which outlives the scope), made on its first mention: nodes may be in any order. */
static ts_value *value_of(importer *im, const scope *s, const char *name)
{
    if (name[0] == 0)
        return NULL;
    ts_value *v = ts_map_get(s->values, name);
    if (!v) {
        v = new_value(im, s, name);
        ts_map_put(s->values, name, v);
    }
    return v == im->absent ? NULL : v;
}

/* Attributes */

static bool read_attr(importer *im, const char *where, const Onnx__AttributeProto *p, ts_attr *attr)
{
    if (!ts_onnx_attr(im->arena, p, where, im->g->directory, attr, im->err))
        return false;
    im->g->elements += attr->t ? ts_count(attr->t) : attr->i || attr->f ? attr->count : 0;
    return true;
}

/* The same, read once where functions are called many times. */
static bool read_attr_once(importer *im, const scope *s, const char *where, const Onnx__AttributeProto *p, ts_attr *attr)
{
    if (!s->call)
        return read_attr(im, where, p, attr);
    const char *key = ts_printf(im->scratch, "%p", (const void *)p);
    ts_attr *known = ts_map_get(im->attrs, key);
    if (!known) {
        known = TS_NEW(im->scratch, ts_attr);
        if (!read_attr(im, where, p, known))
            return false;
        ts_map_put(im->attrs, key, known);
    }
    *attr = *known;
    return true;
}

/* A model-local function; its defaults are read when it is first called. */
typedef struct function {
    const Onnx__FunctionProto *proto;
    bool is_read;
    int defaults;
    ts_attr *otherwise; /* [defaults] */
} function;

static bool read_defaults(importer *im, function *f)
{
    const Onnx__FunctionProto *proto = f->proto;
    if (f->is_read)
        return true;
    f->is_read = true;
    f->otherwise = TS_NEW_N(im->scratch, ts_attr, proto->base.n_unknown_fields);
    for (unsigned i = 0; i < proto->base.n_unknown_fields; i++) {
        const Onnx__AttributeProto *p = ts_onnx_default(im->scratch, &proto->base.unknown_fields[i]);
        if (p && !read_attr(im, ts_printf(im->scratch, "function '%s'", ts_or_empty(proto->name)), p, &f->otherwise[f->defaults++]))
            return false;
    }
    return true;
}

static const ts_attr *default_attr(const function *f, const char *name)
{
    for (int i = 0; f && i < f->defaults; i++)
        if (strcmp(f->otherwise[i].name, name) == 0)
            return &f->otherwise[i];
    return NULL;
}

static bool read_attrs(importer *im, const scope *s, const Onnx__NodeProto *p, ts_node *node)
{
    if (p->n_attribute == 0)
        return true;
    const char *where = ts_printf(im->scratch, "node '%s' (%s)", node->name, node->type);
    if (p->n_attribute > MAX_ATTRS)
        return ts_fail(im->err, "%s has more than %d attributes", where, MAX_ATTRS);
    ts_attr *list = TS_NEW_N(im->arena, ts_attr, p->n_attribute);
    for (size_t k = 0; k < p->n_attribute; k++) {
        const Onnx__AttributeProto *a = p->attribute[k];
        if (!a->name || !a->name[0])
            return ts_fail(im->err, "%s: an attribute has no name; the file is damaged", where);
        for (int i = 0; i < node->attrs; i++)
            if (strcmp(list[i].name, a->name) == 0)
                return ts_fail(im->err, "%s: attribute '%s' is there twice; the file is damaged", where, a->name);
        if (!ts_or_empty(a->ref_attr_name)[0]) {
            if (!read_attr_once(im, s, where, a, &list[node->attrs++]))
                return false;
            continue;
        }
        if (!s->call)
            return ts_fail(im->err, "%s: attribute '%s' refers to a function's attribute outside of a function", where, a->name);
        /* A reference that the call does not set takes the function's default, or leaves the attribute out. */
        const ts_attr *given = ts_attr_find(s->call, a->ref_attr_name);
        if (!given)
            given = default_attr(s->function, a->ref_attr_name);
        if (!given)
            continue;
        list[node->attrs] = *given;
        list[node->attrs++].name = ts_printf(im->arena, "%.*s", SCOPED_NAME, a->name);
    }
    node->attr = list;
    return true;
}

/* Nodes */

static int64_t domain_version(const scope *s, const char *domain)
{
    for (size_t i = 0; i < s->imports; i++)
        if (strcmp(normal_domain(s->import[i]->domain), domain) == 0)
            return s->import[i]->has_version ? s->import[i]->version : 1;
    /* onnxruntime's optimiser and Brevitas add operators without declaring their domain; their first version is meant. */
    return strcmp(domain, "com.microsoft") == 0 || strcmp(domain, "qonnx.custom_op.general") == 0 ? 1 : -1;
}

static bool bind_operator(importer *im, const scope *s, ts_node *node)
{
    static const struct {
        const char *type, *hint;
    } hints[] = {
#define HINT(type, text) {type, text},
#include "import/hints.def"
#undef HINT
    };
    const char *dot = node->domain[0] ? "." : "";
    int64_t version = domain_version(s, node->domain);
    if (version < 0)
        return ts_fail(im->err, "node '%s' (%s%s%s): the file does not say which version of the domain '%s' it uses; re-export the model",
                       node->name, node->domain, dot, node->type, node->domain);
    node->opset = version > 1000000 ? 1000000 : (int)version;
    if (!node->op) {
        const char *hint = node->domain[0] ? "export without graph optimisers and custom operators"
                                           : "rewrite that part of the model with linear layers, attention, LayerNorm, ReLU or GELU";
        for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
            if (strcmp(hints[i].type, node->type) == 0)
                hint = hints[i].hint;
        return ts_fail_as(im->err, TS_UNSUPPORTED, "node '%s' (%s%s%s, opset %d): this operator is not supported; %s", node->name,
                          node->domain, dot, node->type, node->opset, hint);
    }
    if (version < node->op->since || version > node->op->until)
        return ts_fail_as(im->err, TS_UNSUPPORTED,
                          "node '%s' (%s%s%s, opset %lld): this operator is supported in opsets %d to %d; export with one of those",
                          node->name, node->domain, dot, node->type, (long long)version, node->op->since, node->op->until);
    return true;
}

static const char *function_key(importer *im, const char *domain, const char *type)
{
    return ts_printf(im->scratch, "%s/%s", normal_domain(domain), ts_or_empty(type));
}

/* What a call repeats: names of this many characters are hashed and compared with every one. */
static bool check_names(const Onnx__FunctionProto *f, ts_err *err)
{
    enum { LONGEST = 1000 };
    size_t longest = 0;
#define LOOK(text) longest = strlen(ts_or_empty(text)) > longest ? strlen(ts_or_empty(text)) : longest
    for (size_t i = 0; i < f->n_input; i++)
        LOOK(f->input[i]);
    for (size_t i = 0; i < f->n_output; i++)
        LOOK(f->output[i]);
    for (size_t i = 0; i < f->n_node; i++) {
        const Onnx__NodeProto *n = f->node[i];
        LOOK(n->name);
        for (size_t k = 0; k < n->n_input; k++)
            LOOK(n->input[k]);
        for (size_t k = 0; k < n->n_output; k++)
            LOOK(n->output[k]);
        for (size_t k = 0; k < n->n_attribute; k++) {
            LOOK(n->attribute[k]->name);
            LOOK(n->attribute[k]->ref_attr_name);
        }
    }
#undef LOOK
    return longest <= LONGEST || ts_fail(err, "function '%.60s': a name in it has %zu characters; at most %d are supported",
                                         ts_or_empty(f->name), longest, LONGEST);
}

static bool add_functions(importer *im)
{
    im->functions = ts_map_new(im->scratch);
    for (size_t i = 0; i < im->model->n_functions; i++) {
        Onnx__FunctionProto *f = im->model->functions[i];
        const char *key = function_key(im, f->domain, f->name);
        if (ts_map_get(im->functions, key))
            return ts_fail_as(im->err, TS_UNSUPPORTED, "function '%s' is there twice; overloads are not supported", ts_or_empty(f->name));
        if (f->n_opset_import > MAX_IMPORTS || f->base.n_unknown_fields > MAX_ATTRS)
            return ts_fail(im->err, "function '%s' has too many domains or attributes", ts_or_empty(f->name));
        function *entry = TS_NEW(im->scratch, function);
        entry->proto = f;
        if (!check_names(f, im->err))
            return false;
        ts_map_put(im->functions, key, entry);
    }
    return true;
}

static bool add_nodes(importer *im, const scope *s, size_t count, Onnx__NodeProto *const *nodes);

/* A node that hands a function's input straight to its output. */
static void add_identity(importer *im, const char *name, ts_value *from, ts_value *to)
{
    ts_node *node = ts_graph_add_node(im->arena, im->g, 1, 1);
    node->name = name;
    node->domain = "";
    node->type = "Identity";
    node->opset = 13;
    node->op = ts_op_find("", "Identity");
    node->in[0] = from;
    node->out[0] = to;
}

/* `call` is the calling node, complete but not part of the graph. */
static bool inline_call(importer *im, const scope *s, function *called, const ts_node *call)
{
    const Onnx__FunctionProto *f = called->proto;
    im->links += (int64_t)(f->n_input + f->n_output);
    if (im->links > MAX_LINKS)
        return ts_fail(im->err, "the model's nodes have more than %d inputs, outputs and attributes", MAX_LINKS);
    if (!read_defaults(im, called))
        return false;
    if (s->depth == MAX_CALL_DEPTH)
        return ts_fail_as(im->err, TS_UNSUPPORTED, "node '%s' (%s): functions call each other more than %d levels deep", call->name,
                          call->type, MAX_CALL_DEPTH);
    if ((size_t)call->ins > f->n_input || (size_t)call->outs > f->n_output)
        return ts_fail(im->err, "node '%s' (%s): has %d inputs and %d outputs, but the function of that name has %zu and %zu", call->name,
                       call->type, call->ins, call->outs, f->n_input, f->n_output);
    scope inner = {.values = ts_map_new(im->scratch),
                   .prefix = ts_printf(im->arena, "%s/", tail(call->name)),
                   .call = call,
                   .function = called,
                   .imports = f->n_opset_import,
                   .import = f->opset_import,
                   .depth = s->depth + 1};
    for (size_t k = 0; k < f->n_input; k++) {
        ts_value *actual = k < (size_t)call->ins ? call->in[k] : NULL;
        ts_map_put(inner.values, f->input[k], actual ? actual : im->absent);
    }
    for (size_t k = 0; k < (size_t)call->outs; k++) {
        if (!call->out[k])
            continue;
        ts_value *formal = ts_map_get(inner.values, f->output[k]);
        if (formal == im->absent)
            return ts_fail(im->err, "node '%s' (%s): output %zu of the function is an input that the call leaves out", call->name,
                           call->type, k);
        if (formal) /* an input, or the same value as an earlier output */
            add_identity(im, call->name, formal, call->out[k]);
        else
            ts_map_put(inner.values, f->output[k], call->out[k]);
    }
    return add_nodes(im, &inner, f->n_node, f->node);
}

static bool add_node(importer *im, const scope *s, const Onnx__NodeProto *p, size_t index)
{
    if (++im->steps > MAX_NODES)
        return ts_fail_as(im->err, TS_UNSUPPORTED, "the model has more than %d nodes", MAX_NODES);
    if (!p->op_type || !p->op_type[0])
        return ts_fail(im->err, "node %zu has no operator; the file is damaged", index);
    const char *domain = normal_domain(p->domain);
    if (strlen(p->op_type) > MAX_TYPE || strlen(domain) > MAX_TYPE)
        return ts_fail(im->err, "node %zu (%.40s...): its operator's name has more than %d characters; the file is damaged", index,
                       p->op_type, MAX_TYPE);
    if (p->n_input > MAX_NODES || p->n_output > MAX_NODES)
        return ts_fail(im->err, "node %zu (%s) has too many inputs or outputs", index, p->op_type);
    im->links += (int64_t)(p->n_input + p->n_output + p->n_attribute);
    if (im->links > MAX_LINKS)
        return ts_fail(im->err, "the model's nodes have more than %d inputs, outputs and attributes", MAX_LINKS);
    function *f = im->model->n_functions ? ts_map_get(im->functions, function_key(im, domain, p->op_type)) : NULL;
    ts_node *node = f ? NULL : ts_graph_add_node(im->arena, im->g, (int)p->n_input, (int)p->n_output);
    if (!node) { /* a call: outside of the graph, only for the function's body to look at */
        node = TS_NEW(im->arena, ts_node);
        node->ins = (int)p->n_input;
        node->outs = (int)p->n_output;
        node->in = TS_NEW_N(im->arena, ts_value *, node->ins);
        node->out = TS_NEW_N(im->arena, ts_value *, node->outs);
    }
    const ts_op *op = f ? NULL : ts_op_find(domain, p->op_type);
    node->type = op ? op->name : p->op_type; /* without an operator: of a call, or of a node that is refused */
    node->domain = op ? op->domain : domain;
    const char *name = ts_or_empty(p->name);
    node->op = op;
    node->name = name[0] ? full_name(im, s, name) : ts_printf(im->arena, "%s%s_%zu", s->prefix, node->type, index);
    for (int k = 0; k < node->ins; k++)
        node->in[k] = value_of(im, s, p->input[k]);
    for (int k = 0; k < node->outs; k++)
        if (!(node->out[k] = value_of(im, s, p->output[k])) && !f) /* left out: a value that nothing uses */
            node->out[k] = new_value(im, s, ts_printf(im->scratch, "%s:%d", tail(node->name + strlen(s->prefix)), k));
    if (!f && !bind_operator(im, s, node)) /* before the attributes: "If is not supported" says more than "subgraph is not" */
        return false;
    if (!read_attrs(im, s, p, node))
        return false;
    return f ? inline_call(im, s, f, node) : ts_op_check(node, im->err);
}

static bool add_nodes(importer *im, const scope *s, size_t count, Onnx__NodeProto *const *nodes)
{
    for (size_t i = 0; i < count; i++)
        if (!add_node(im, s, nodes[i], i))
            return false;
    return true;
}

/* Initialisers, inputs, outputs */

static bool add_initialisers(importer *im, const scope *s)
{
    const Onnx__GraphProto *p = im->model->graph;
    if (p->n_sparse_initializer)
        return ts_fail_as(im->err, TS_UNSUPPORTED,
                          "the model has sparse initialisers, which are not supported; export it with dense weights");
    for (size_t i = 0; i < p->n_initializer; i++) {
        const char *name = ts_or_empty(p->initializer[i]->name);
        const char *what = ts_printf(im->scratch, "initialiser '%s'", name);
        if (name[0] == 0)
            return ts_fail(im->err, "initialiser %zu has no name; the file is damaged", i);
        ts_value *v = value_of(im, s, name);
        if (v->constant)
            return ts_fail(im->err, "%s is there twice; the file is damaged", what);
        v->constant = ts_onnx_tensor(im->arena, p->initializer[i], what, im->g->directory, im->err);
        if (!v->constant)
            return false;
        im->g->elements += ts_count(v->constant);
        v->dtype = v->constant->dtype;
    }
    return true;
}

static bool is_symbolic(const Onnx__TensorShapeProto__Dimension *d)
{
    return d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
}

static const char *symbol_of(const Onnx__TensorShapeProto__Dimension *d)
{
    return d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM ? ts_or_empty(d->dim_param) : "";
}

static int symbolic_dims(const Onnx__TensorShapeProto *shape)
{
    int n = 0;
    for (size_t i = 0; i < shape->n_dim; i++)
        n += is_symbolic(shape->dim[i]);
    return n;
}

/* The tensor type of an input that is not an initialiser; NULL with a message for anything else. */
static const Onnx__TypeProto__Tensor *tensor_type(importer *im, const Onnx__ValueInfoProto *info)
{
    const char *name = ts_or_empty(info->name);
    if (!info->type || info->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !info->type->tensor_type->shape) {
        ts_fail(im->err, "input '%s' of the model is not a tensor with a shape; export the model with one, e.g. [batch, hits, 3]", name);
        return NULL;
    }
    const Onnx__TypeProto__Tensor *t = info->type->tensor_type;
    if (t->shape->n_dim > TS_MAX_RANK || ts_dtype_from_onnx(t->elem_type) == TS_NONE) {
        ts_fail_as(im->err, TS_UNSUPPORTED,
                   "input '%s' of the model has %zu dimensions and ONNX type number %d; supported: %d dimensions, float32, integers", name,
                   t->shape->n_dim, (int)t->elem_type, TS_MAX_RANK);
        return NULL;
    }
    return t;
}

/* The batch is dimension 0 of an input that has another free dimension, or three and more dimensions. A name found that
   way, or one like "batch", means the batch wherever it is in front. Every other free dimension is the number of hits. */
static const char *find_batch_name(const importer *im)
{
    const Onnx__GraphProto *p = im->model->graph;
    for (size_t i = 0; i < p->n_input; i++) {
        const Onnx__TypeProto *type = p->input[i]->type;
        if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !type->tensor_type->shape)
            continue;
        const Onnx__TensorShapeProto *shape = type->tensor_type->shape;
        if (shape->n_dim >= 2 && is_symbolic(shape->dim[0]) && (symbolic_dims(shape) > 1 || shape->n_dim >= 3))
            return symbol_of(shape->dim[0]);
    }
    return "";
}

static bool is_batch(const Onnx__TensorShapeProto *shape, const char *batch_name)
{
    const char *symbol = shape->n_dim ? symbol_of(shape->dim[0]) : "";
    if (shape->n_dim == 0 || !is_symbolic(shape->dim[0]))
        return false;
    if (symbol[0] && (strcmp(symbol, batch_name) == 0 || strncasecmp(symbol, "batch", 5) == 0))
        return true;
    return shape->n_dim >= 2 && (symbolic_dims(shape) > 1 || shape->n_dim >= 3);
}

static bool add_inputs(importer *im, const scope *s)
{
    const Onnx__GraphProto *p = im->model->graph;
    const char *batch_name = find_batch_name(im);
    im->g->input = TS_NEW_N(im->arena, ts_value *, p->n_input);
    for (size_t i = 0; i < p->n_input; i++) {
        const char *name = ts_or_empty(p->input[i]->name);
        if (name[0] == 0)
            return ts_fail(im->err, "input %zu of the model has no name; the file is damaged", i);
        ts_value *v = value_of(im, s, name);
        if (v->constant) /* older files list initialisers among the inputs */
            continue;
        if (v->is_input)
            return ts_fail(im->err, "input '%s' of the model is there twice; the file is damaged", name);
        const Onnx__TypeProto__Tensor *t = tensor_type(im, p->input[i]);
        if (!t)
            return false;
        v->is_input = true;
        v->dtype = ts_dtype_from_onnx(t->elem_type);
        v->has_shape = true;
        v->shape.rank = (int)t->shape->n_dim;
        const char **axis = TS_NEW_N(im->arena, const char *, v->shape.rank);
        v->axis = axis;
        for (int k = 0; k < v->shape.rank; k++) {
            const Onnx__TensorShapeProto__Dimension *d = t->shape->dim[k];
            if (!is_symbolic(d) && (d->dim_value < 0 || d->dim_value > TS_MAX_ELEMENTS))
                return ts_fail(im->err, "input '%s' of the model has size %lld in dimension %d", name, (long long)d->dim_value, k);
            axis[k] = is_symbolic(d) ? ts_strdup(im->arena, symbol_of(d)) : NULL;
            v->shape.dim[k] = !is_symbolic(d)                            ? ts_dim_of(d->dim_value)
                              : k == 0 && is_batch(t->shape, batch_name) ? ts_dim_of(1)
                                                                         : (ts_dim){{0, 1, 0}};
        }
        im->g->input[im->g->inputs++] = v;
    }
    return true;
}

static bool add_outputs(importer *im, const scope *s)
{
    const Onnx__GraphProto *p = im->model->graph;
    im->g->output = TS_NEW_N(im->arena, ts_value *, p->n_output);
    for (size_t i = 0; i < p->n_output; i++) {
        const char *name = ts_or_empty(p->output[i]->name);
        ts_value *v = ts_map_get(s->values, name);
        if (name[0] == 0 || !v)
            return ts_fail(im->err, "nothing produces the model's output '%s'; the file is damaged or its exporter is at fault", name);
        if (v->is_output)
            return ts_fail(im->err, "output '%s' of the model is there twice; the file is damaged", name);
        v->is_output = true;
        im->g->output[im->g->outputs++] = v;
    }
    return im->g->outputs ? true : ts_fail(im->err, "the model has no outputs");
}

static bool import_model(importer *im)
{
    const Onnx__ModelProto *m = im->model;
    if (!m->graph)
        return ts_fail(im->err, "the file has no graph; it is not an ONNX model");
    if (!m->n_opset_import)
        return ts_fail(im->err, "the file does not say which opset it uses; it is not an ONNX model, or damaged");
    if (m->n_opset_import > MAX_IMPORTS)
        return ts_fail(im->err, "the file uses more than %d operator domains", MAX_IMPORTS);
    for (size_t i = 0; i < m->n_opset_import; i++)
        if (normal_domain(m->opset_import[i]->domain)[0] == 0 && m->opset_import[i]->version > ts_op_newest())
            return ts_fail_as(im->err, TS_UNSUPPORTED,
                              "the file uses opset %lld; opsets up to %d are supported: export with opset_version=%d or less",
                              (long long)m->opset_import[i]->version, ts_op_newest(), ts_op_newest());
    if (!add_functions(im))
        return false;
    scope top = {.values = ts_map_new(im->scratch), .prefix = "", .imports = m->n_opset_import, .import = m->opset_import};
    return add_initialisers(im, &top) && add_inputs(im, &top) && add_nodes(im, &top, m->graph->n_node, m->graph->node) &&
           add_outputs(im, &top) && ts_graph_finish(im->arena, im->g, im->err);
}

ts_graph *ts_import_onnx_bytes(ts_arena *arena, const void *data, size_t size, const char *name, const char *directory, ts_err *err)
{
    if (size > INT_MAX) {
        ts_fail(err, "the file has %zu bytes; an ONNX file has at most 2 GiB (larger models keep their weights in a second file)", size);
        return NULL;
    }
    if (!ts_wire_check(&onnx__model_proto__descriptor, data, size, err))
        return NULL;
    ts_arena *scratch = ts_arena_new();
    ProtobufCAllocator allocator = ts_proto_allocator(scratch);
    Onnx__ModelProto *model = onnx__model_proto__unpack(&allocator, size, data);
    if (!model) {
        ts_arena_free(scratch);
        ts_fail(err, "the file is damaged, or not an ONNX model");
        return NULL;
    }
    ts_onnx_plain_names(scratch, &model->base);
    importer im = {
        .arena = arena, .scratch = scratch, .model = model, .g = ts_graph_new(arena, ts_text_plain(arena, name), directory), .err = err};
    im.taken = ts_map_new(im.scratch);
    im.attrs = ts_map_new(im.scratch);
    im.absent = TS_NEW(im.scratch, ts_value);
    bool ok = import_model(&im);
    ts_arena_free(scratch);
    return ok ? im.g : NULL;
}

const char *ts_onnx_directory(ts_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? "." : ts_printf(arena, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

ts_graph *ts_import_onnx_file(ts_arena *arena, const char *path, const void *data, size_t size, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path, *dot = strrchr(file, '.');
    char *name = ts_printf(scratch, "%.*s", dot && dot > file ? (int)(dot - file) : (int)strlen(file), file);
    ts_graph *g = ts_import_onnx_bytes(arena, data, size, name, ts_onnx_directory(scratch, path), err);
    if (!g)
        ts_fail_in(err, "%s", path);
    ts_arena_free(scratch);
    return g;
}

ts_graph *ts_import_onnx(ts_arena *arena, const char *path, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    size_t size = 0;
    const char *data = ts_file_read_most(scratch, path, TS_ONNX_MOST, TS_ONNX_KIND, &size, err);
    ts_graph *g = data ? ts_import_onnx_file(arena, path, data, size, err) : NULL;
    ts_arena_free(scratch);
    return g;
}
