/* Model outputs by hit, and the CSV they are written to: `event_id,hit_id,<outputs>` in the order of the event file. */
#ifndef TS_RESULTS_H
#define TS_RESULTS_H
#include "base/file.h"
#include "data/events.h"
#include "data/truth.h"

typedef enum { TS_RESULT_VALUES, TS_RESULT_CLASS } ts_result_kind;

/* A results file that is being written, event by event. */
typedef struct ts_result_file {
    ts_writer out;
    ts_result_kind kind;
    int outputs; /* of the model */
    bool pooled; /* one row an event instead of one a hit */
    long long events;
} ts_result_file;

/* CLASS: the class and its value instead of all outputs. */
bool ts_result_file_open(ts_arena *arena, const char *path, const ts_inputs *inputs, ts_result_kind kind, int outputs, bool pooled,
                         ts_result_file *file, ts_err *err);

/* One event's rows from the model's outputs y [n (1 if pooled)][outputs]: as they are, or reduced to arg-max (the lowest index wins ties).
   Masked hits have rows, too, with zeros. Events that were refused are just left out. */
void ts_result_file_put(ts_result_file *file, const ts_event *event, const double *y);

/* The same from classes and values [n][2] that are there already. */
void ts_result_file_put_classes(ts_result_file *file, const ts_event *event, const double *class_and_value);

bool ts_result_file_commit(ts_result_file *file, ts_err *err); /* the file is there, whole, or the old one still is */
void ts_result_file_abort(ts_result_file *file);

/* Results that were read. */
typedef struct ts_results {
    ts_result_kind kind; /* VALUES: width = outputs; CLASS: width = 1, the class */
    int width;
    double **y; /* [events of the truth][n][width]; NULL for events that the file lacks */
} ts_results;

/* What a results file says of itself, for scoring without an inputs file: a `class` column or `logit0`, `logit1`, ... make it a
   classification with no ignored classes, anything else a regression whose columns are all clustered. Features are 0. */
const ts_inputs *ts_results_inputs(ts_arena *arena, const char *path, ts_err *err);

/* Reads a results file: hits are matched with those of `truth` by (event_id, hit_id), in any order. width
   is inputs->outputs, or, for a file with a `class` column (kind CLASS), 1. Errors name file and
   line: missing columns, values that are no finite numbers, hits that truth does not have, repeated hits, events of which hits are missing.
 */
ts_results *ts_results_read(ts_arena *arena, const char *path, const ts_inputs *inputs, const ts_truth *truth, ts_err *err);

/* Results in memory. */
typedef struct ts_result_arrays {
    const ts_event_arrays *events; /* their ids, hits and hits' ids */
    int outputs;
    const double *values; /* [sum of hits][outputs] */
    const bool *refused;  /* [events]: has no results, whatever its values are; NULL: none */
} ts_result_arrays;
#define TS_RESULT_ARRAYS "the arrays of results" /* what they are called in messages */

/* The same of arrays; kind VALUES. */
ts_results *ts_results_of_arrays(ts_arena *arena, const ts_result_arrays *arrays, const ts_inputs *inputs, const ts_truth *truth,
                                 ts_err *err);

#endif
