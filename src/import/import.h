/* ONNX file -> graph. Every operator, attribute, opset, shape and type is checked; what is not supported is an error that
   names the node. The file is not trusted: no content of it can make this crash, hang or allocate out of proportion. */
#ifndef TS_IMPORT_H
#define TS_IMPORT_H
#include "graph/graph.h"

/* What a protobuf may have; larger models keep their weights in other files. */
#define TS_ONNX_KIND "an ONNX file (which keeps larger weights in other files)"
enum { TS_ONNX_MOST = 0x7fffffff }; /* bytes */

ts_graph *ts_import_onnx(ts_arena *arena, const char *path, ts_err *err);

/* The same of a file that has been read: its path is for names, messages and external data. */
ts_graph *ts_import_onnx_file(ts_arena *arena, const char *path, const void *data, size_t size, ts_err *err);

/* The same from memory: `name` of the model, and the directory that its external data must lie in. */
ts_graph *ts_import_onnx_bytes(ts_arena *arena, const void *data, size_t size, const char *name, const char *directory, ts_err *err);

/* Puts the tensors that a file which has been read keeps in other files into it: *data and *size are those of the file with all inside (the
   same where nothing lies outside). `path` is where it was read; *external: the other files, NULL where there are none. */
typedef struct ts_external {
    const char *path;
    const struct ts_external *next;
} ts_external;
bool ts_import_embed(ts_arena *arena, const char *path, const char **data, size_t *size, const ts_external **external, ts_err *err);

/* A file with a single TensorProto, as in ONNX's test data. */
ts_tensor *ts_import_tensor(ts_arena *arena, const char *path, ts_err *err);

#endif
