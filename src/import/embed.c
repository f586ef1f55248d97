/* A model whose tensors lie in other files, as one file that has them inside: what a design keeps must not need what lay beside the
 * original. */
#define _GNU_SOURCE /* memmem */
#define TS_FAIL_CODE TS_BAD_FILE
#include <limits.h>
#include <string.h>

#include "import/import.h"
#include "import/onnx_read.h"

typedef struct embedder {
    ts_arena *arena;
    const char *directory;
    uint64_t bytes; /* that the new file has at least */
    ts_arena *kept; /* of the caller, for: */
    const ts_external *external;
    ts_err *err;
} embedder;

/* Tensors that follow each other mostly lie in the same file. */
static void note_file(embedder *e, const Onnx__TensorProto *p)
{
    for (size_t i = 0; i < p->n_external_data; i++) {
        if (strcmp(ts_or_empty(p->external_data[i]->key), "location") != 0)
            continue;
        const char *path = ts_printf(e->arena, "%s/%s", e->directory, ts_or_empty(p->external_data[i]->value));
        if (e->external && strcmp(e->external->path, path) == 0)
            return;
        ts_external *file = TS_NEW(e->kept, ts_external);
        *file = (ts_external){ts_strdup(e->kept, path), e->external};
        e->external = file;
    }
}

static bool embed_tensor(embedder *e, Onnx__TensorProto *p)
{
    const char *what = ts_printf(e->arena, "initialiser '%s'", ts_or_empty(p->name));
    size_t size;
    if (!p->has_data_location || p->data_location != ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return true;
    uint8_t *bytes = ts_onnx_external(e->arena, p, what, e->directory, &size, e->err);
    if (!bytes)
        return false;
    note_file(e, p);
    e->bytes += size;
    if (e->bytes > INT_MAX)
        return ts_fail(e->err, "the model has more than 2 GiB of weights, which one file cannot hold");
    p->has_raw_data = true;
    p->raw_data = (ProtobufCBinaryData){size, bytes};
    p->has_data_location = false;
    p->n_external_data = 0;
    return true;
}

static bool embed_graph(embedder *e, Onnx__GraphProto *g);

/* Nesting is bounded: ts_wire_check has been over the file. */
static bool embed_nodes(embedder *e, size_t count, Onnx__NodeProto **node)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        for (size_t k = 0; ok && k < node[i]->n_attribute; k++) {
            const Onnx__AttributeProto *a = node[i]->attribute[k];
            ok = (!a->t || embed_tensor(e, a->t)) && (!a->g || embed_graph(e, a->g));
            for (size_t j = 0; ok && j < a->n_tensors; j++)
                ok = embed_tensor(e, a->tensors[j]);
            for (size_t j = 0; ok && j < a->n_graphs; j++)
                ok = embed_graph(e, a->graphs[j]);
        }
    return ok;
}

static bool embed_graph(embedder *e, Onnx__GraphProto *g)
{
    for (size_t i = 0; i < g->n_initializer; i++)
        if (!embed_tensor(e, g->initializer[i]))
            return false;
    return embed_nodes(e, g->n_node, g->node);
}

bool ts_import_embed(ts_arena *arena, const char *path, const char **data, size_t *size, const ts_external **external, ts_err *err)
{
    *external = NULL;
    if (*size > INT_MAX || !memmem(*data, *size, "location", strlen("location"))) /* every reference to another file has that word */
        return true;
    ts_arena *scratch = ts_arena_new();
    ProtobufCAllocator allocator = ts_proto_allocator(scratch);
    embedder e = {.arena = scratch, .directory = ts_onnx_directory(scratch, path), .bytes = *size, .kept = arena, .err = err};
    Onnx__ModelProto *model = ts_wire_check(&onnx__model_proto__descriptor, (const uint8_t *)*data, *size, err)
                                  ? onnx__model_proto__unpack(&allocator, *size, (const uint8_t *)*data)
                                  : NULL;
    bool ok = model || err->msg[0] || ts_fail(err, "the file is damaged, or not an ONNX model");
    ok = ok && model && (!model->graph || embed_graph(&e, model->graph));
    for (size_t i = 0; ok && i < model->n_functions; i++)
        ok = embed_nodes(&e, model->functions[i]->n_node, model->functions[i]->node);
    if (ok && e.bytes > *size) {
        const size_t length = onnx__model_proto__get_packed_size(model);
        uint8_t *packed = ts_alloc(arena, length, 1);
        *size = onnx__model_proto__pack(model, packed);
        *data = (const char *)packed;
    }
    *external = e.external;
    if (!ok)
        ts_fail_in(err, "%s", path);
    ts_arena_free(scratch);
    return ok;
}
