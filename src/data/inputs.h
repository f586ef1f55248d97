/* inputs.json: how columns of an event file become model inputs, what the outputs are, how tracks are made of them.
   {"inputs": [{"column": "x", "mean": 0, "std": 140}, ...], "task": "regression"|"classification",
    "outputs": ["theta", ...] | number of classes, "ignore_classes": [0], "mask": "column, nonzero = padding",
    "cluster": {"method": "hdbscan", "columns": ["theta", ...], "min_cluster_size": 5, "min_samples": 2},    (regression)
    "bins": {"phi": 30, "theta": [0, ..., 3.14159]}}                                                       (classification)
   docs/scores.md says what `cluster` and `bins` mean. */
#ifndef TS_INPUTS_H
#define TS_INPUTS_H
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/* How a regression's outputs become track candidates. */
typedef struct ts_clustering {
    int columns;
    const int *column; /* [columns]: indices of outputs */
    int min_cluster_size, min_samples;
} ts_clustering;

/* Classes of a classification by direction: class = 1 + thetas * (bin of phi) + (bin of theta). phi: equal bins of [0, 2 pi);
   theta: from an edge, included, to the next; the first and the last bin take what is beyond the outer edges. */
typedef struct ts_bins {
    int phis, thetas;
    const double *edge; /* [thetas + 1], rising, radians */
} ts_bins;

typedef struct ts_inputs {
    const char *path; /* for messages; NULL for the default */
    const char *text; /* the file as it was read, [size] bytes; NULL for the default */
    size_t size;
    int features;
    const char *const *column; /* [features] */
    const double *mean, *std;  /* [features]: model input = (value - mean) / std */
    const char *mask;          /* column whose nonzero values mark padding, or NULL */
    bool classification;
    int outputs;               /* regression: values a hit; classification: classes */
    const char *const *output; /* [outputs], regression only */
    int ignore_count;
    const int *ignore;     /* [ignore_count] classes that are no tracks */
    ts_clustering cluster; /* regression only; (5, 2) on all outputs where the file does not say */
    const ts_bins *bins;   /* classification only; NULL where the file does not say */
} ts_inputs;

const ts_inputs *ts_inputs_load(ts_arena *arena, const char *path, ts_err *err);

/* The same of text that was read from `path`, or out of it; both must stay. */
const ts_inputs *ts_inputs_parse(ts_arena *arena, const char *path, const char *text, size_t size, ts_err *err);

/* For .npy events without an inputs file: values go to the model as they are; outputs are named out0, out1, ... */
const ts_inputs *ts_inputs_identity(ts_arena *arena, int features, int outputs);

/* All outputs, min_cluster_size 5, min_samples 2: what TrackFormers uses. */
ts_clustering ts_inputs_default_clustering(ts_arena *arena, int outputs);

/* Whether the file fits a model of that many features and outputs; says which of the two is wrong. */
bool ts_inputs_fit(const ts_inputs *inputs, const char *model, int features, int outputs, ts_err *err);

#endif
