/* Events through an engine into a results file, a few at a time: memory does not grow with the file of events. */
#ifndef TS_RUN_H
#define TS_RUN_H
#include "flow/engine.h"

typedef struct ts_run_options {
    ts_engine_kind kind;
    const char *path; /* as ts_engine_open has it */
    const char *weights;
    const char *output; /* event_id,hit_id,<outputs> in the order of the events */
    const char *trace;  /* a directory: every stage of the first event, float beside integer (and hardware); NULL: none */
    ts_event_source source;
    bool logits; /* classifiers: all logits, not the class and its value */
} ts_run_options;

typedef struct ts_run_summary {
    long long events, refused;
    const char *text; /* what people are told of it: lines with their ends, or ""; also there where the hardware differs */
} ts_run_summary;

/* False with a message, and an old file stays: wrong options, files that do not fit each other, hardware that differs, all events
   refused. */
bool ts_run(ts_arena *arena, const ts_run_options *options, ts_run_summary *summary, ts_err *err);

#endif
