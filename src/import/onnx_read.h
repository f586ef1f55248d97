/* Inside of the importer: protobuf messages that are read with care. */
#ifndef TS_ONNX_READ_H
#define TS_ONNX_READ_H
#include "graph/graph.h"
#include "onnx/onnx.pb-c.h"

/* Walks over an encoded message before it is unpacked: protobuf-c recurses once a nesting level and allocates a struct for
   every submessage, so depth and number are limited here, against files made to exhaust stack or memory. */
bool ts_wire_check(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size, ts_err *err);

/* Unpacked messages in an arena, which gives their memory back at once. */
ProtobufCAllocator ts_proto_allocator(ts_arena *arena);

/* Makes every name in an unpacked message plain (base/plain.h), in place; the names are in the arena. Depth is what ts_wire_check allows.
 */
void ts_onnx_plain_names(ts_arena *arena, ProtobufCMessage *message);

/* `what` names the tensor in messages ("initialiser 'w'"); directory is where external data lies. */
ts_tensor *ts_onnx_tensor(ts_arena *arena, const Onnx__TensorProto *proto, const char *what, const char *directory, ts_err *err);

/* The bytes, *size of them as its shape and type need, of a tensor that lies in another file. */
uint8_t *ts_onnx_external(ts_arena *arena, const Onnx__TensorProto *proto, const char *what, const char *directory, size_t *size,
                          ts_err *err);

/* One attribute; `where` names its node in messages. Subgraphs, sparse tensors and types are not supported. */
bool ts_onnx_attr(ts_arena *arena, const Onnx__AttributeProto *proto, const char *where, const char *directory, ts_attr *attr, ts_err *err);

/* The default of a function's attribute. They are a field that came after this version of the schema; protobuf-c keeps such fields as they
   are encoded, behind a length. NULL: the field is none, or not one that can be read. */
Onnx__AttributeProto *ts_onnx_default(ts_arena *arena, const ProtobufCMessageUnknownField *field);

/* The directory of a model's file, "." where the path has none. */
const char *ts_onnx_directory(ts_arena *arena, const char *path);

/* "string may be NULL in protobuf" -> never NULL. */
static inline const char *ts_or_empty(const char *text)
{
    return text ? text : "";
}

#endif
