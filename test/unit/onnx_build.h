/* Writes small ONNX files from C, byte by byte, so that tests need neither Python nor the schema, and can write wrong files
   as easily as right ones. A message is a growing string of bytes; submessages are built first and put in whole. */
#ifndef TS_ONNX_BUILD_H
#define TS_ONNX_BUILD_H
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct pb {
    ts_arena *arena;
    uint8_t *data;
    size_t size, room;
} pb;

static inline void pb_put(pb *m, const void *data, size_t size)
{
    if (m->size + size > m->room) {
        size_t room = 2 * (m->size + size) + 64;
        uint8_t *bigger = ts_alloc(m->arena, room, 1);
        if (m->size)
            memcpy(bigger, m->data, m->size);
        m->data = bigger;
        m->room = room;
    }
    if (size)
        memcpy(m->data + m->size, data, size);
    m->size += size;
}

static inline void pb_raw_varint(pb *m, uint64_t x)
{
    for (;; x >>= 7) {
        uint8_t byte = (uint8_t)(x > 127 ? (x & 127) | 128 : x);
        pb_put(m, &byte, 1);
        if (x <= 127)
            return;
    }
}

static inline void pb_int(pb *m, unsigned field, int64_t x)
{
    pb_raw_varint(m, field << 3);
    pb_raw_varint(m, (uint64_t)x);
}

static inline void pb_float(pb *m, unsigned field, float x)
{
    pb_raw_varint(m, field << 3 | 5);
    pb_put(m, &x, 4);
}

static inline void pb_bytes(pb *m, unsigned field, const void *data, size_t size)
{
    pb_raw_varint(m, field << 3 | 2);
    pb_raw_varint(m, size);
    pb_put(m, data, size);
}

static inline void pb_text(pb *m, unsigned field, const char *text)
{
    pb_bytes(m, field, text, strlen(text));
}
static inline void pb_message(pb *m, unsigned field, const pb *inner)
{
    pb_bytes(m, field, inner->data, inner->size);
}

/* A model that is being written. */
typedef struct model {
    ts_arena *arena;
    pb graph, functions, opsets;
} model;

static inline model model_new(ts_arena *arena, int opset)
{
    model m = {.arena = arena, .graph = {.arena = arena}, .functions = {.arena = arena}, .opsets = {.arena = arena}};
    pb import = {.arena = arena};
    pb_text(&import, 1, "");
    pb_int(&import, 2, opset);
    pb_message(&m.opsets, 8, &import);
    return m;
}

static inline void model_domain(model *m, const char *domain, int version)
{
    pb import = {.arena = m->arena};
    pb_text(&import, 1, domain);
    pb_int(&import, 2, version);
    pb_message(&m->opsets, 8, &import);
}

/* Splits "a,,b" at a separator: three words, one of them empty. "" has none. Returns the number. */
static inline int split(ts_arena *arena, const char *text, char separator, const char **words, int room)
{
    int n = 0;
    if (!*text)
        return 0;
    for (char *p = ts_strdup(arena, text); p; n++) {
        char *end = strchr(p, separator);
        if (end)
            *end++ = 0;
        CHECK(n < room);
        words[n] = p;
        p = end;
    }
    return n;
}

/* TensorProto with raw data. */
static inline pb tensor_raw(ts_arena *arena, const char *name, int type, int rank, const int64_t *dim, const void *data, size_t size)
{
    pb t = {.arena = arena};
    for (int i = 0; i < rank; i++)
        pb_int(&t, 1, dim[i]);
    pb_int(&t, 2, type);
    pb_text(&t, 8, name);
    pb_bytes(&t, 9, data, size);
    return t;
}

/* Dimensions as text: "2,3"; "" is a scalar. */
static inline int dims_of(ts_arena *arena, const char *text, int64_t *dim)
{
    const char *words[16];
    int n = split(arena, text, ',', words, 16);
    for (int i = 0; i < n; i++)
        dim[i] = strtoll(words[i], NULL, 10);
    return n;
}

static inline void model_floats(model *m, const char *name, const char *dims, const float *data)
{
    int64_t dim[16], count = 1;
    int rank = dims_of(m->arena, dims, dim);
    for (int i = 0; i < rank; i++)
        count *= dim[i];
    pb t = tensor_raw(m->arena, name, 1, rank, dim, data, (size_t)count * 4);
    pb_message(&m->graph, 5, &t);
}

/* An initialiser of any type: `type` is ONNX's number (3: int8, 2: uint8, 5: int16, 6: int32), data as it stands in a file. */
static inline void model_tensor(model *m, const char *name, int type, const char *dims, const void *data, size_t size)
{
    int64_t dim[16];
    int rank = dims_of(m->arena, dims, dim);
    pb t = tensor_raw(m->arena, name, type, rank, dim, data, size);
    pb_message(&m->graph, 5, &t);
}

/* A one-dimensional int64 initialiser: model_ints(m, "shape", "1,-1,32"). */
static inline void model_ints(model *m, const char *name, const char *values)
{
    int64_t data[16], count = dims_of(m->arena, values, data);
    pb t = tensor_raw(m->arena, name, 7, 1, &count, data, (size_t)count * 8);
    pb_message(&m->graph, 5, &t);
}

/* Input or output: dims are numbers, names, or "?" for neither; type is ONNX's number (1: float32, 7: int64, 9: bool). */
static inline void model_io(model *m, unsigned field, const char *name, int type, const char *dims)
{
    pb shape = {.arena = m->arena}, tensor = {.arena = m->arena}, outer = {.arena = m->arena}, info = {.arena = m->arena};
    const char *words[16];
    int n = split(m->arena, dims, ',', words, 16);
    for (int i = 0; i < n; i++) {
        pb dim = {.arena = m->arena};
        if (words[i][0] >= '0' && words[i][0] <= '9')
            pb_int(&dim, 1, strtoll(words[i], NULL, 10));
        else if (words[i][0] != '?')
            pb_text(&dim, 2, words[i]);
        pb_message(&shape, 1, &dim);
    }
    pb_int(&tensor, 1, type);
    pb_message(&tensor, 2, &shape);
    pb_message(&outer, 1, &tensor);
    pb_text(&info, 1, name);
    pb_message(&info, 2, &outer);
    pb_message(&m->graph, field, &info);
}
static inline void model_input(model *m, const char *name, int type, const char *dims)
{
    model_io(m, 11, name, type, dims);
}
static inline void model_output(model *m, const char *name)
{
    model_io(m, 12, name, 1, "");
}

/* Attribute from text: "axis=1" (integer), "perm=[0,2,1]" (integers), "epsilon=0.1" (with a point: float),
   "equation='ij->ji'" (text), "alpha=@a" (in a function: its attribute a). */
static inline pb attribute(ts_arena *arena, const char *text)
{
    pb a = {.arena = arena};
    char *name = ts_strdup(arena, text), *value = strchr(name, '=');
    *value++ = 0;
    size_t n = strlen(value);
    pb_text(&a, 1, name);
    if (value[0] == '[') {
        int64_t list[16];
        value[n - 1] = 0;
        int count = dims_of(arena, value + 1, list);
        for (int i = 0; i < count; i++)
            pb_int(&a, 8, list[i]);
        pb_int(&a, 20, 7);
    } else if (value[0] == '\'') {
        pb_bytes(&a, 4, value + 1, n - 2);
        pb_int(&a, 20, 3);
    } else if (value[0] == '@') {
        pb_text(&a, 21, value + 1);
        pb_int(&a, 20, 1);
    } else if (strchr(value, '.')) {
        pb_float(&a, 2, strtof(value, NULL));
        pb_int(&a, 20, 1);
    } else {
        pb_int(&a, 3, strtoll(value, NULL, 10));
        pb_int(&a, 20, 2);
    }
    return a;
}

/* Node from text: "op inputs outputs attributes...": "LayerNormalization x,g,b y axis=-1 epsilon=0.1"; "com.microsoft:Gelu x y".
   "-" is an empty list. */
static inline pb node(ts_arena *arena, const char *text)
{
    pb n = {.arena = arena};
    const char *words[16], *names[16];
    int count = split(arena, text, ' ', words, 16);
    CHECK(count >= 3);
    for (int side = 0; side < 2; side++) {
        int k = strcmp(words[1 + side], "-") == 0 ? 0 : split(arena, words[1 + side], ',', names, 16);
        for (int i = 0; i < k; i++)
            pb_text(&n, side == 0 ? 1 : 2, names[i]);
    }
    char *type = ts_strdup(arena, words[0]), *colon = strchr(type, ':');
    if (colon)
        *colon = 0;
    pb_text(&n, 4, colon ? colon + 1 : type);
    if (colon)
        pb_text(&n, 7, type);
    for (int i = 3; i < count; i++) {
        pb a = attribute(arena, words[i]);
        pb_message(&n, 5, &a);
    }
    return n;
}

static inline void model_node(model *m, const char *text)
{
    pb n = node(m->arena, text);
    pb_message(&m->graph, 1, &n);
}

/* Function from text: model_function(m, "name", "inputs", "outputs", "attributes", "node; node"), in domain "local", opset 17. */
static inline void model_function(model *m, const char *name, const char *inputs, const char *outputs, const char *attributes,
                                  const char *body)
{
    pb f = {.arena = m->arena}, import = {.arena = m->arena};
    const char *lists[] = {inputs, outputs, attributes};
    const unsigned fields[] = {4, 5, 6};
    const char *words[16];
    pb_text(&f, 1, name);
    for (int k = 0; k < 3; k++) {
        int n = split(m->arena, lists[k], ',', words, 16);
        for (int i = 0; i < n; i++)
            pb_text(&f, fields[k], words[i]);
    }
    int n = split(m->arena, body, ';', words, 16);
    for (int i = 0; i < n; i++) {
        pb inner = node(m->arena, words[i]);
        pb_message(&f, 7, &inner);
    }
    pb_text(&import, 1, "");
    pb_int(&import, 2, 17);
    pb_message(&f, 9, &import);
    pb local = {.arena = m->arena};
    pb_text(&local, 1, "local");
    pb_int(&local, 2, 1);
    pb_message(&f, 9, &local);
    pb_text(&f, 10, "local");
    pb_message(&m->functions, 25, &f);
}

static inline pb model_bytes(const model *m)
{
    pb out = {.arena = m->arena};
    pb_int(&out, 1, 8);
    pb_message(&out, 7, &m->graph);
    pb_put(&out, m->opsets.data, m->opsets.size);
    pb_put(&out, m->functions.data, m->functions.size);
    return out;
}

#endif
