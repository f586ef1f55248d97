/* How good track candidates are, in the terms of tracking: docs/scores.md has the definitions and their reasons. */
#ifndef TS_SCORE_H
#define TS_SCORE_H
#include "data/results.h"
#include "physics/candidates.h"

typedef enum {
    TS_TRACKML,         /* weight of majority hits in matched candidates, over the weight of all hits of particles */
    TS_PERFECT,         /* candidates that are all and only a particle's hits, over particles */
    TS_DOUBLE_MAJORITY, /* matched candidates of >= 3 hits, over particles */
    TS_LHC,             /* candidates of >= 3 hits with purity > 0.75, over candidates of >= 3 hits */
    TS_METRICS
} ts_metric;

const char *ts_metric_name(ts_metric metric); /* "trackml", "perfect", "double_majority", "lhc" */

typedef struct ts_score {
    bool defined;             /* false: the event has no hit of a particle (or none with a weight), so that there is nothing to find */
    double value[TS_METRICS]; /* 0 ... 1; 0 where not defined */
} ts_score;

/* Scores one event's candidates, label [truth->n] as in candidates.h. */
ts_score ts_score_candidates(const ts_truth_event *truth, const int32_t *label);

/* Scores one event's outputs y [truth->n][inputs->outputs], real values in the model's units: clustered (regression) or arg-max
   (classification). clustering: NULL for the inputs file's own. For searches that score many variants of a model in one process;
   events of ts_events_load and ts_truth_load of one file have the same hits in the same order. Safe to call from many threads. */
ts_score ts_score_outputs(const ts_truth_event *truth, const ts_inputs *inputs, const ts_clustering *clustering, const double *y);

/* A mean over events and its standard error: sample standard deviation (n - 1) / sqrt(n); NaN for one event, both NaN for none. */
typedef struct ts_estimate {
    int events;
    double mean, error;
} ts_estimate;

/* Mean of a metric over the defined ones of scores [events]. */
ts_estimate ts_score_mean(int events, const ts_score *scores, ts_metric metric);

/* Mean over events of (reference - score): what is lost against the reference. Paired: the spread of hard and easy events drops out of
   the error. */
ts_estimate ts_score_loss(int events, const ts_score *reference, const ts_score *scores, ts_metric metric);

/* Hit by hit, |a - reference| / (standard deviation of that output of the reference, over all hits). */
typedef struct ts_difference {
    double median, p95; /* over hits and outputs, interpolated between ranks; NaN where there is nothing to compare */
    int constant;       /* outputs left out because the reference never varies there */
} ts_difference;

/* a, reference [events]: [n][outputs], NULL for events to leave out; n [events]. */
ts_difference ts_output_difference(int events, const int *n, int outputs, const double *const *a, const double *const *reference);

#endif
