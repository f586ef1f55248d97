/* Track candidates: a label a hit, made of a model's outputs, of the hits alone or of the truth. docs/scores.md has the definitions.
   label [n]: hits of the same label >= 0 are one candidate; -1: of none. */
#ifndef TS_CANDIDATES_H
#define TS_CANDIDATES_H
#include "data/inputs.h"
#include "data/truth.h"

enum { TS_NO_CANDIDATE = -1 };

/* Regression: HDBSCAN over the clustering's columns of y [n][outputs]. */
void ts_candidates_cluster(const ts_clustering *clustering, int n, int outputs, const double *y, int32_t *label);

/* Classification: arg-max of y [n][outputs] over all but the ignored classes; the lowest index wins ties. No candidate where all are
 * ignored. */
void ts_candidates_argmax(const ts_inputs *inputs, int n, const double *y, int32_t *label);

/* Classification of which only the winner over all classes is known, class [n]. A hit in an ignored class is in no candidate: which of the
   other classes was best is not known. Returns the number of such hits. */
int ts_candidates_classes(const ts_inputs *inputs, int n, const double *class, int32_t *label);

/* What candidates are without a model, or with a perfect one (in which hits of no particle are in no candidate). */
typedef enum {
    TS_BASELINE_ANGLES,  /* HDBSCAN on theta, sin phi, cos phi of the hit itself */
    TS_BASELINE_TRUTH,   /* HDBSCAN on theta, sin phi, cos phi of the particle's momentum, and its charge */
    TS_BASELINE_BINNED,  /* the bin of the hit's own angles */
    TS_BASELINE_CLASSES, /* the bin of the particle's momentum: what bin collisions leave */
    TS_BASELINES
} ts_baseline;

const char *ts_baseline_name(ts_baseline baseline);     /* for the command line: "angles" ... */
const char *ts_baseline_describe(ts_baseline baseline); /* for tables */
bool ts_baseline_clusters(ts_baseline baseline);        /* ANGLES and TRUTH: made by the clusterer */

/* Whether the truth has the columns that the baseline is made of; says which are missing. */
bool ts_baseline_possible(ts_baseline baseline, const ts_truth *truth, ts_err *err);

/* bins: BINNED and CLASSES; clustering: its two sizes are those of ANGLES and TRUTH. */
void ts_candidates_baseline(ts_baseline baseline, const ts_truth_event *event, const ts_clustering *clustering, const ts_bins *bins,
                            int32_t *label);

/* The class of a direction (x, y, z): 1 + thetas * (bin of phi) + (bin of theta). */
int ts_bins_class(const ts_bins *bins, const double *direction);

#endif
