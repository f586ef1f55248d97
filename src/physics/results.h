/* Model outputs by hit, and the CSV they are written to: `event_id,hit_id,<outputs>` in the order of the event file. */
#ifndef TS_RESULTS_H
#define TS_RESULTS_H
#include "physics/events.h"
#include "physics/truth.h"

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

/* What a results file says of itself, for scoring without an inputs file: a `class` column or `logit0`, `logit1`, ... make it a
   classification with no ignored classes, anything else a regression whose columns are all clustered. Features are 0. */
const ts_inputs *ts_results_inputs(ts_arena *arena, const char *path, ts_err *err);

/* Reads a results file: hits are matched with those of `truth` by (event_id, hit_id), in any order. y is [events of truth][n][width], NULL
   for events the file lacks; width is inputs->outputs, or, for a file with a `class` column (kind CLASS), 1: the class. Errors name file and
   line: missing columns, values that are no finite numbers, hits that truth does not have, repeated hits, events of which hits are missing. */
ts_results *ts_results_read(ts_arena *arena, const char *path, const ts_inputs *inputs, const ts_truth *truth, ts_err *err);

#endif
