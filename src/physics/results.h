/* Model outputs by hit, and the CSV they are written to: `event_id,hit_id,<outputs>` in the order of the event file. */
#ifndef TS_RESULTS_H
#define TS_RESULTS_H
#include "physics/events.h"

typedef enum { TS_RESULT_VALUES, TS_RESULT_CLASS } ts_result_kind;

typedef struct ts_results {
    ts_result_kind kind; /* VALUES: width = outputs; CLASS: width = 2, the class and its logit */
    int width;
    bool pooled;         /* one row an event instead of one a hit */
    double **y;          /* [events][n (1 if pooled)][width]; NULL for an event that was refused */
} ts_results;

ts_results *ts_results_new(ts_arena *arena, const ts_events *events, ts_result_kind kind, int width, bool pooled);

/* One result per event from its raw outputs y [n][outputs]: copied, or reduced to arg-max (lowest index wins ties). */
void ts_results_set(ts_results *results, const ts_events *events, int event, const double *y, int outputs);

/* Atomic. Masked hits keep their rows, with zeros; hits of refused events are left out. */
bool ts_results_write(const ts_results *results, const ts_events *events, const ts_inputs *inputs, const char *path, ts_err *err);

#endif
