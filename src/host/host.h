/* The host's share of an assisted design: everything of a model's graph in front of the hardware's slice and behind it, in floating point,
   as the file writes it. Tokens go to the hardware at one value of the graph and come back at another. */
#ifndef TS_HOST_H
#define TS_HOST_H
#include "data/events.h"
#include "data/npy.h"
#include "graph/graph.h"

typedef struct ts_host {
    const ts_value *input;        /* of the graph: the event, [batch 1][hits][features] or of a fixed shape, such as an image */
    const ts_value *from, *to;    /* of the graph: what the hardware reads, and what it makes */
    const ts_graph *front, *back; /* input -> from, to -> output; NULL where the host has nothing to do */
    const ts_value *output;       /* of the graph */
    bool masks_keep;              /* other inputs are masks: their value for hits (all that are given are real) */
} ts_host;

/* from, to: values of g, whose only output must depend on them. Fails on a graph with several inputs that are no masks. */
bool ts_host_open(ts_arena *arena, const ts_graph *g, const ts_value *from, const ts_value *to, bool masks_keep, ts_host *host,
                  ts_err *err);

/* What an event is: values of a hit where their number is free; 0 where the input has a fixed shape. */
int ts_host_features(const ts_host *host);

/* Values of a sample of such an input. */
size_t ts_host_sample_size(const ts_host *host);

/* Whether the input is an event of a fixed number of hits, [1][hits][features], which is then set; events and samples are the same then. */
bool ts_host_fixed_event(const ts_host *host, int *hits, int *features);

/* "[samples, 3, 32, 32]": the array that ts_host_samples_open takes. */
const char *ts_host_samples_shape(ts_arena *arena, const ts_host *host);

/* What the model makes of it: values of each token (*pooled false) or of the event. */
int ts_host_outputs(const ts_host *host, bool *pooled);

/* Values of a token that the hardware reads. */
int ts_host_width(const ts_host *host);

/* Tokens of an event of n hits that the hardware reads. */
int ts_host_tokens(const ts_host *host, int n);

/* tokens[ts_host_tokens(n)][ts_host_width] of an event of n hits; x: as many values as the input has. Thread-safe. */
bool ts_host_front(const ts_host *host, int n, const float *x, float *tokens, ts_err *err);

/* Time that the host's parts took on this machine: seconds of so many events, without the first where there are others (it is slower). */
typedef struct ts_host_time {
    double front, back;
    int fronts, backs;
} ts_host_time;
double ts_host_mean(double seconds, int events);

/* y[rows][outputs] of ts_host_outputs from what the hardware made of the same event, in real values. Adds to *time, if not NULL. */
bool ts_host_back(const ts_host *host, int n, const float *x, const double *made, double *y, ts_host_time *time, ts_err *err);

/* Events as the hardware sees them: the tokens of each in the place of its hits. ids are kept. Adds to *time, if not NULL. */
const ts_events *ts_host_events(ts_arena *arena, const ts_host *host, const ts_events *events, ts_host_time *time, ts_err *err);

/* Samples for an input of a fixed shape, from a .npy whose first axis counts them; the caller closes it, also after errors. */
bool ts_host_samples_open(ts_arena *arena, const ts_host *host, const char *path, ts_npy *npy, ts_err *err);

/* The next one, which has this number: an event of as many hits as the hardware takes tokens, whose x is the input as it is. */
bool ts_host_sample(ts_arena *arena, const ts_host *host, ts_npy *npy, int number, ts_event *event, ts_err *err);

#endif
