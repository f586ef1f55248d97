/* Results scored as tracks against a truth: files of them beside baselines that need no model, and what each loses against one of them.
   docs/scores.md has the definitions. */
#ifndef TS_FLOW_SCORE_H
#define TS_FLOW_SCORE_H
#include <stdio.h>

#include "flow/notices.h"
#include "physics/score.h"

/* One thing to score. */
typedef struct ts_score_item {
    const char *label;              /* NULL: the file's name, or what the baseline is */
    const char *path;               /* a results file, or */
    const ts_result_arrays *arrays; /* results in memory; both NULL: a baseline */
    ts_baseline baseline;
    const char *inputs; /* NULL: the header of `path` says what the columns are, all of `arrays` are clustered; baselines: any item's do */
} ts_score_item;

enum { TS_SCORE_ITEMS = 64 }; /* of one call, at most */
typedef struct ts_score_options {
    const ts_notices *notices;
    int items;
    const ts_score_item *item;
    const ts_score_item *against; /* results that the others are compared with; NULL: none */
    const char *truth;
    bool subset; /* only the events that all results have */
} ts_score_options;

/* An item's candidates, made one way. */
typedef struct ts_scored_row {
    const char *label, *file; /* file: its name without directories; NULL where there is none */
    int item;                 /* which one; -1: that of `against` */
    bool clustered;           /* false: the hits of a class are a candidate */
    ts_clustering clustering;
    int outputs;               /* of the results; 0 for a baseline */
    const char *const *output; /* [outputs], of what is clustered; NULL: not known */
    ts_estimate score[TS_METRICS];
    bool winners;  /* only each hit's winning class is known: then */
    int ignored;   /* hits in an ignored class */
    bool compared; /* with the row of `against` that was made the same way: then */
    ts_estimate loss[TS_METRICS];
    ts_difference difference;
    double same_class;               /* share of hits with the same class in both; NaN where they are clustered, or there is none */
    const int32_t *const *candidate; /* [events of the truth][hits], as physics/candidates.h has them; NULL for events that are left out */
} ts_scored_row;

typedef struct ts_scoring {
    const char *truth;           /* its file's name without directories */
    const ts_truth_event *event; /* [events] */
    int events;                  /* of the truth */
    int scored;                  /* of them, whether or not there is a particle to find */
    int defined;                 /* of them, with a hit of a particle */
    const char *against;
    int rows; /* those of `against` first */
    const ts_scored_row *row;
} ts_scoring;

/* Clustered are: as the inputs file says, as TrackFormers do, (5, 2) on all outputs, and (3, 2); each once. NULL with a message: files that
   do not fit each other, events that are missing, nothing to find in any event. Notes which rows have hits in ignored classes. */
const ts_scoring *ts_score_items(ts_arena *arena, const ts_score_options *options, ts_err *err);

/* {"truth", "events", "rows": [...]}, as `tessera score --json` prints it (docs/scores.md). */
const char *ts_scoring_json(ts_arena *arena, const ts_scoring *scoring);

/* The same as a table for people. */
void ts_scoring_print(const ts_scoring *scoring, FILE *out);

#endif
