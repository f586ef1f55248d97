/* Another model's weights for a design that is there: imported, compared, calibrated, quantised in the design's formats, proved again. */
#ifndef TS_FLOW_WEIGHTS_H
#define TS_FLOW_WEIGHTS_H
#include <jansson.h>

#include "design/weights.h"
#include "flow/session.h"

typedef struct ts_weights_options {
    const char *model, *directory, *output;
    ts_event_source source; /* that calibrate */
    int calibrate;          /* as of ts_compile_options */
} ts_weights_options;

/* text: for people, in the arena; json: a new reference. Both only where the file is written. */
bool ts_weights_file(ts_arena *arena, const ts_weights_options *options, const char **text, json_t **json, ts_err *err);

/* The file's weights for a design that is loaded, and the inputs file that belongs to them: that which the source names, or the file's own.
   NULL with a message. */
const ts_weights *ts_weights_open(ts_arena *arena, const char *path, const ts_compiled *compiled, const ts_event_source *source,
                                  const ts_inputs **inputs, ts_err *err);

#endif
