/* ONNX file -> graph. Every operator, attribute, opset, shape and type is checked; what is not supported is an error that
   names the node. The file is not trusted: no content of it can make this crash, hang or allocate out of proportion. */
#ifndef TS_IMPORT_H
#define TS_IMPORT_H
#include "graph/graph.h"

ts_graph *ts_import_onnx(ts_arena *arena, const char *path, ts_err *err);

#endif
