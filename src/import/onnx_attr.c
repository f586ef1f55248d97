/* Attributes of nodes and functions. */
#define TS_FAIL_CODE TS_BAD_FILE
#include <limits.h>
#include <string.h>

#include "base/plain.h"
#include "import/onnx_read.h"

bool ts_onnx_attr(ts_arena *arena, const Onnx__AttributeProto *p, const char *where, const char *directory, ts_attr *attr, ts_err *err)
{
    Onnx__AttributeProto__AttributeType type = p->has_type    ? p->type
                                               : p->has_f     ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
                                               : p->has_i     ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT
                                               : p->has_s     ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
                                               : p->t         ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR
                                               : p->n_floats  ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS
                                               : p->n_strings ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS
                                                              : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
    size_t count = 1;
    int64_t *i;
    float *f;
    const char **text;
    attr->name = ts_strdup(arena, p->name);
    switch ((int)type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        attr->type = type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT ? TS_ATTR_INT : TS_ATTR_INTS;
        count = attr->type == TS_ATTR_INT ? 1 : p->n_ints;
        attr->i = i = TS_NEW_N(arena, int64_t, count);
        for (size_t k = 0; k < count; k++)
            i[k] = attr->type == TS_ATTR_INT ? p->i : p->ints[k];
        break;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
        attr->type = type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT ? TS_ATTR_FLOAT : TS_ATTR_FLOATS;
        count = attr->type == TS_ATTR_FLOAT ? 1 : p->n_floats;
        attr->f = f = TS_NEW_N(arena, float, count);
        for (size_t k = 0; k < count; k++)
            f[k] = attr->type == TS_ATTR_FLOAT ? p->f : p->floats[k];
        break;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
        attr->type = type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING ? TS_ATTR_STRING : TS_ATTR_STRINGS;
        count = attr->type == TS_ATTR_STRING ? 1 : p->n_strings;
        attr->s = text = TS_NEW_N(arena, const char *, count);
        for (size_t k = 0; k < count; k++) {
            const ProtobufCBinaryData *bytes = attr->type == TS_ATTR_STRING ? &p->s : &p->strings[k];
            char *copy = ts_alloc(arena, bytes->len + 1, 1);
            if (bytes->len)
                memcpy(copy, bytes->data, bytes->len);
            if (strlen(copy) != bytes->len)
                return ts_fail(err, "%s: attribute '%s' has a zero byte in its text; the file is damaged", where, attr->name);
            text[k] = ts_text_plain(arena, copy);
        }
        break;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
        attr->type = TS_ATTR_TENSOR;
        if (!p->t)
            return ts_fail(err, "%s: attribute '%s' has no tensor; the file is damaged", where, attr->name);
        attr->t = ts_onnx_tensor(arena, p->t, ts_printf(arena, "%s: attribute '%s'", where, attr->name), directory, err);
        if (!attr->t)
            return false;
        break;
    default:
        return ts_fail_as(err, TS_UNSUPPORTED, "%s: attribute '%s' is of a kind that is not supported (subgraph, sparse tensor or type)",
                          where, attr->name);
    }
    if (count > INT_MAX / 2)
        return ts_fail(err, "%s: attribute '%s' has too many values", where, attr->name);
    attr->count = (int)count;
    return true;
}

Onnx__AttributeProto *ts_onnx_default(ts_arena *arena, const ProtobufCMessageUnknownField *field)
{
    enum { ATTRIBUTE_PROTO = 11 };
    size_t skip = 0;
    if (field->tag != ATTRIBUTE_PROTO || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        return NULL;
    while (skip < field->len && field->data[skip] & 128)
        skip++;
    skip++;
    ts_err ignored = {{0}};
    if (skip > field->len || !ts_wire_check(&onnx__attribute_proto__descriptor, field->data + skip, field->len - skip, &ignored))
        return NULL;
    ProtobufCAllocator allocator = ts_proto_allocator(arena);
    Onnx__AttributeProto *p = onnx__attribute_proto__unpack(&allocator, field->len - skip, field->data + skip);
    if (!p || !ts_or_empty(p->name)[0])
        return NULL;
    ts_onnx_plain_names(arena, &p->base);
    return p;
}
