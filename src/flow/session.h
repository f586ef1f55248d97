/* What several calls do alike: load models, inputs files and compiled directories. */
#ifndef TS_SESSION_H
#define TS_SESSION_H
#include "design/design.h"
#include "flow/feed.h"
#include "import/import.h"
#include "pass/recognise.h"

/* A file as it was read: a pipe cannot be read again. */
typedef struct ts_bytes {
    const char *data;
    size_t size;
} ts_bytes;

/* Import, fold, recognise. */
typedef struct ts_float_model {
    ts_bytes file;
    const ts_external *external; /* other files that its weights were in */
    const ts_graph *graph;       /* folded */
    const ts_recognition *found;
    const ts_encoder *encoder; /* the one found; of the whole graph, or of a part of it: */
    bool whole;
} ts_float_model;
bool ts_load_float_model(ts_arena *arena, const char *path, const ts_notices *notices, ts_float_model *model, ts_err *err);

/* The inputs file, or, for .npy events without one, values as they are; checked against the model. */
const ts_inputs *ts_load_inputs(ts_arena *arena, const ts_event_source *source, const ts_encoder *enc, ts_err *err);

/* The same for a model whose ends are the host's. */
const ts_inputs *ts_load_host_inputs(ts_arena *arena, const ts_event_source *source, const ts_host *host, const char *model, ts_err *err);

/* A compiled directory: the design, its inputs file and the paths of the files beside it. */
typedef struct ts_compiled {
    ts_design design;
    const ts_inputs *inputs;
    const char *onnx;    /* copy of the model it was compiled from */
    const ts_host *host; /* of an assisted design; NULL: all of the model is in the hardware */
} ts_compiled;
bool ts_load_compiled(ts_arena *arena, const char *dir, const ts_event_source *source, ts_compiled *compiled, ts_err *err);

bool ts_is_directory(const char *path);

/* The integer model's inputs of all events: [events][n][features]. */
int32_t **ts_integer_inputs(ts_arena *arena, const ts_imodel *im, const ts_events *events);

#endif
