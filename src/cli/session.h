/* What several verbs do alike: load models, inputs and events with progress lines, and say what went wrong. */
#ifndef TS_SESSION_H
#define TS_SESSION_H
#include "cli/args.h"
#include "emit/emit.h"
#include "graph/encoder.h"
#include "graph/graph.h"
#include "physics/events.h"

/* Import, fold, recognise. */
typedef struct ts_float_model {
    const ts_graph *graph; /* folded */
    const ts_encoder *encoder;
} ts_float_model;
bool ts_load_float_model(ts_arena *arena, const char *path, ts_float_model *model, ts_err *err);

/* The inputs file, or, for .npy events without one, values as they are; checked against the model. */
const ts_inputs *ts_load_inputs(ts_arena *arena, const char *path, const char *events_path, const ts_encoder *enc, ts_err *err);

/* A compiled directory: the design, its inputs file and the paths of the files beside it. */
typedef struct ts_compiled {
    ts_design design;
    const ts_inputs *inputs;
    const char *onnx; /* copy of the model it was compiled from */
} ts_compiled;
bool ts_load_compiled(ts_arena *arena, const char *dir, const char *inputs_path, const char *events_path, ts_compiled *compiled, ts_err *err);

bool ts_is_directory(const char *path);

/* The integer model's inputs of all events: [events][n][features]. */
int32_t **ts_integer_inputs(ts_arena *arena, const ts_imodel *im, const ts_events *events);

/* Calibration and format warnings go to stderr; user is the verb's name. */
void ts_warn(void *user, const char *message);

#endif
