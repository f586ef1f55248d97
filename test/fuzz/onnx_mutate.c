/* Changes ONNX models as models: operators, wires, attributes, shapes, constants. A third of the mutations are libFuzzer's own, of bytes.
 */
#include <onnx/onnx.pb-c.h>

#include "base/arena.h"
#include "fuzz.h"
#include "import/onnx_read.h"

/* Messages live in an arena: mutations may move pointers as they like. */
static void *from_arena(void *arena, size_t size)
{
    return ts_alloc(arena, size ? size : 1, 1);
}

static void to_arena(void *arena, void *p)
{
    (void)arena, (void)p;
}

static const char *const op_name[] = {
#define OP(id, domain, name, since, until) name,
#include "op/ops.def"
#undef OP
};
static const char *const attr_name[] = {
    "axis",         "axes",      "keepdims", "perm",      "epsilon",     "alpha",        "beta",
    "to",           "value",     "transA",   "transB",    "shape",       "pads",         "strides",
    "kernel_shape", "dilations", "group",    "num_heads", "q_num_heads", "kv_num_heads", "scale",
    "equation",     "allowzero", "start",    "end",       "mode",        "split",        "noop_with_empty_axes",
    "block_size",   "signed",    "narrow"};
static const int64_t odd_int[] = {0,  1,  -1,  2,   3,   4,     -2,      7,         8,         16,        31,
                                  32, 64, 127, 128, 255, 65535, 1 << 20, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
static const float odd_float[] = {0, -0.0F, 1, -1, 1e-5F, 1e-30F, 3e38F, -3e38F, 1e20F, 0.5F, (float)(0.0 / 0.0 * 0 + 2), 255, 1e-45F};

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

typedef struct mutation {
    ts_arena *arena;
    uint64_t random;
    Onnx__GraphProto *g;
    Onnx__ModelProto *model;
} mutation;

static int below(mutation *m, size_t n)
{
    return fuzz_below(&m->random, (int)n);
}

static int64_t an_int(mutation *m)
{
    return below(m, 3) ? odd_int[below(m, COUNT(odd_int))] : below(m, 100) - 20;
}

static float a_float(mutation *m)
{
    static const uint32_t special[] = {0x7f800000, 0xff800000, 0x7fc00000};
    float x;
    if (below(m, 12) == 0)
        memcpy(&x, &special[below(m, 3)], sizeof x);
    else
        x = odd_float[below(m, COUNT(odd_float))];
    return x;
}

static Onnx__NodeProto *a_node(mutation *m)
{
    return m->g->n_node ? m->g->node[below(m, m->g->n_node)] : NULL;
}

/* Any name that something can read; some messages have none. */
static char *a_value(mutation *m)
{
    const Onnx__NodeProto *node = a_node(m);
    const char *name = NULL;
    switch (below(m, 8)) {
    case 0:
        break;
    case 1:
    case 2:
        name = m->g->n_initializer ? m->g->initializer[below(m, m->g->n_initializer)]->name : "none";
        break;
    case 3:
        name = m->g->n_input ? m->g->input[below(m, m->g->n_input)]->name : "none";
        break;
    default:
        name = node && node->n_output ? node->output[below(m, node->n_output)] : "none";
    }
    return ts_strdup(m->arena, ts_or_empty(name));
}

/* A copy of ARRAY with room for one more. */
static void *grown(mutation *m, const void *array, size_t count, size_t size)
{
    char *more = ts_alloc(m->arena, count + 1, size);
    if (count)
        memcpy(more, array, count * size);
    return more;
}

static void wires(mutation *m)
{
    Onnx__NodeProto *node = a_node(m);
    if (!node)
        return;
    switch (below(m, 6)) {
    case 0: /* one input less */
        node->n_input -= node->n_input > 0;
        break;
    case 1: /* one more */
        node->input = grown(m, node->input, node->n_input, sizeof *node->input);
        node->input[node->n_input++] = a_value(m);
        break;
    case 2: /* an output less, or unnamed */
        if (node->n_output && below(m, 2))
            node->output[below(m, node->n_output)] = ts_strdup(m->arena, "");
        else
            node->n_output -= node->n_output > 0;
        break;
    case 3: /* the graph's output is another value */
        if (m->g->n_output)
            m->g->output[below(m, m->g->n_output)]->name = a_value(m);
        break;
    default:
        if (node->n_input)
            node->input[below(m, node->n_input)] = a_value(m);
    }
}

static void nodes(mutation *m)
{
    Onnx__GraphProto *g = m->g;
    Onnx__NodeProto *node = a_node(m);
    if (!node)
        return;
    const int at = below(m, g->n_node), to = below(m, g->n_node);
    switch (below(m, 5)) {
    case 0: /* another operator */
        node->op_type = ts_strdup(m->arena, op_name[below(m, COUNT(op_name))]);
        break;
    case 1: /* taken out: its readers read what it read */
        if (node->n_input && node->n_output)
            for (size_t i = 0; i < g->n_node; i++)
                for (size_t k = 0; k < g->node[i]->n_input; k++)
                    if (strcmp(g->node[i]->input[k], node->output[0]) == 0)
                        g->node[i]->input[k] = node->input[0];
        break;
    case 2: /* gone */
        memmove(&g->node[at], &g->node[at + 1], (g->n_node - (size_t)at - 1) * sizeof *g->node);
        g->n_node--;
        break;
    case 3: { /* another order */
        Onnx__NodeProto *other = g->node[at];
        g->node[at] = g->node[to];
        g->node[to] = other;
        break;
    }
    default: { /* a new node between a value and its reader */
        Onnx__NodeProto *fresh = TS_NEW(m->arena, Onnx__NodeProto);
        onnx__node_proto__init(fresh);
        fresh->op_type = ts_strdup(m->arena, op_name[below(m, COUNT(op_name))]);
        fresh->n_input = (size_t)(1 + below(m, 3));
        fresh->input = TS_NEW_N(m->arena, char *, fresh->n_input);
        for (size_t i = 0; i < fresh->n_input; i++)
            fresh->input[i] = a_value(m);
        fresh->n_output = 1;
        fresh->output = TS_NEW_N(m->arena, char *, 1);
        fresh->output[0] = ts_printf(m->arena, "new%d", below(m, 1000));
        if (node->n_input) {
            const int k = below(m, node->n_input);
            fresh->input[0] = node->input[k];
            node->input[k] = fresh->output[0];
        }
        g->node = grown(m, g->node, g->n_node, sizeof *g->node);
        g->node[g->n_node++] = fresh;
    }
    }
}

static void attributes(mutation *m)
{
    Onnx__NodeProto *node = a_node(m);
    if (!node)
        return;
    if (node->n_attribute == 0 || below(m, 6) == 0) {
        Onnx__AttributeProto *fresh = TS_NEW(m->arena, Onnx__AttributeProto);
        onnx__attribute_proto__init(fresh);
        fresh->name = ts_strdup(m->arena, attr_name[below(m, COUNT(attr_name))]);
        node->attribute = grown(m, node->attribute, node->n_attribute, sizeof *node->attribute);
        node->attribute[node->n_attribute++] = fresh;
    }
    Onnx__AttributeProto *a = node->attribute[below(m, node->n_attribute)];
    switch (below(m, 8)) {
    case 0:
        node->n_attribute--;
        break;
    case 1:
        a->name = ts_strdup(m->arena, attr_name[below(m, COUNT(attr_name))]);
        break;
    case 2: /* another type, with a value of it or without */
        a->has_type = true;
        a->type = (Onnx__AttributeProto__AttributeType)below(m, 15);
        break;
    case 3:
        a->has_f = true;
        a->f = a_float(m);
        break;
    case 4:
    case 5: /* a list of integers */
        if (a->n_ints == 0 || below(m, 4) == 0) {
            a->ints = grown(m, a->ints, a->n_ints, sizeof *a->ints);
            a->n_ints++;
        }
        a->ints[below(m, a->n_ints)] = an_int(m);
        a->n_ints -= below(m, 6) == 0;
        break;
    default:
        a->has_i = true;
        a->i = an_int(m);
    }
}

static void constants(mutation *m)
{
    if (!m->g->n_initializer)
        return;
    Onnx__TensorProto *t = m->g->initializer[below(m, m->g->n_initializer)];
    switch (below(m, 6)) {
    case 0:
        if (t->n_dims)
            t->dims[below(m, t->n_dims)] = an_int(m);
        break;
    case 1:
        t->has_data_type = true;
        t->data_type = below(m, 20);
        break;
    case 2:
        if (t->n_dims && below(m, 2))
            t->n_dims--;
        else {
            t->dims = grown(m, t->dims, t->n_dims, sizeof *t->dims);
            t->dims[t->n_dims++] = below(m, 3) ? 1 : an_int(m);
        }
        break;
    case 3:
        t->n_float_data -= t->n_float_data > 0;
        break;
    default:
        if (t->has_raw_data && t->raw_data.len >= 4) {
            const float x = a_float(m);
            memcpy(t->raw_data.data + 4 * below(m, t->raw_data.len / 4), &x, 4);
        } else if (t->n_float_data)
            t->float_data[below(m, t->n_float_data)] = a_float(m);
        else if (t->n_int64_data)
            t->int64_data[below(m, t->n_int64_data)] = an_int(m);
    }
}

static void shapes(mutation *m)
{
    if (m->model->n_opset_import && below(m, 4) == 0) {
        m->model->opset_import[0]->has_version = true;
        m->model->opset_import[0]->version = 5 + below(m, 22);
        return;
    }
    if (!m->g->n_input)
        return;
    const Onnx__TypeProto *type = m->g->input[below(m, m->g->n_input)]->type;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return;
    Onnx__TypeProto__Tensor *tensor = type->tensor_type;
    if (below(m, 5) == 0) {
        tensor->has_elem_type = true;
        tensor->elem_type = below(m, 18);
    }
    if (!tensor->shape || !tensor->shape->n_dim)
        return;
    Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[below(m, tensor->shape->n_dim)];
    if (below(m, 2)) {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dim->dim_value = below(m, 3) ? 1 + below(m, 8) : an_int(m);
    } else {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        dim->dim_param = ts_strdup(m->arena, below(m, 2) ? "batch" : "hits");
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    ProtobufCAllocator allocator = {from_arena, to_arena, arena};
    mutation m = {.arena = arena, .random = 88172645463325252ULL ^ ((uint64_t)seed << 20)};
    size_t made = 0;
    if (below(&m, 3) && ts_wire_check(&onnx__model_proto__descriptor, data, size, &err) &&
        (m.model = onnx__model_proto__unpack(&allocator, size, data)) && m.model->graph) {
        m.g = m.model->graph;
        static void (*const kinds[])(mutation *) = {wires, wires, nodes, nodes, attributes, attributes, constants, shapes};
        for (int n = 1 + below(&m, 3); n > 0; n--)
            kinds[below(&m, COUNT(kinds))](&m);
        const size_t packed = onnx__model_proto__get_packed_size(m.model);
        if (packed <= max_size)
            made = onnx__model_proto__pack(m.model, data);
    }
    ts_arena_free(arena);
    return made ? made : LLVMFuzzerMutate(data, size, max_size);
}
