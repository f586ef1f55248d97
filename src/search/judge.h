/* How far an integer model is from the float model on a sample of events: outputs, classes, and track candidates where there is truth. */
#ifndef TS_JUDGE_H
#define TS_JUDGE_H
#include "graph/encoder.h"
#include "physics/score.h"
#include "quant/imodel.h"
#include "search/split.h"

/* Errors are |integer - float| / (standard deviation of that output of the float model), over all hits and outputs. */
typedef struct ts_verdict {
    double median, p95;
    double disagree;      /* classifiers: share of hits (events where pooled) whose arg-max differs; 0 for regressions */
    double disagree_sure; /* the same of the half whose float winner leads the second by more than the median lead */
    bool scored;
    ts_estimate loss; /* float - integer, mean over events and standard error, of the score that loses most: trackml or double majority */
    ts_metric metric; /* which one that is */
} ts_verdict;

typedef struct ts_judge ts_judge;

/* Evaluates the float model on the sample, which must outlive the judge. inputs: how outputs become candidates; without truth, or where
   the model pools, nothing is scored. */
const ts_judge *ts_judge_new(ts_arena *arena, const ts_encoder *enc, const ts_inputs *inputs, const ts_sample *sample);

int ts_judge_events(const ts_judge *judge);

/* Mean trackml score of the float model; false where nothing can be scored. */
bool ts_judge_float_score(const ts_judge *judge, ts_estimate *score);

/* Runs the integer model on all events, on all processors. `score` asks for the loss as well, which takes longer. */
ts_verdict ts_judge_measure(const ts_judge *judge, const ts_imodel *im, bool score);

/* {"events", "median_error", ...}; new reference. */
json_t *ts_verdict_json(const ts_verdict *verdict, int events, bool classifier);

#endif
