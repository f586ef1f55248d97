/* Float evaluation of a graph as the file writes it: the oracle for everything that is recognised, quantised and built. */
#ifndef TS_GRAPH_EVAL_H
#define TS_GRAPH_EVAL_H
#include "graph/graph.h"

/* Called with every value right after it is computed (inputs and constants are not). */
typedef void (*ts_value_tap)(void *user, const ts_value *value, const ts_tensor *data);

/* input[g->inputs] in the graph's order, with data (those that nothing reads may be NULL); every dimension is checked against the graph's,
   the batch is 1, and all inputs must agree on the number of hits. output[g->outputs] is filled, with data in `arena`. Memory for values in
   between is released after their last use. tap may be NULL. Thread-safe. */
bool ts_graph_eval(const ts_graph *g, ts_arena *arena, const ts_tensor *const *input, ts_tensor *output, ts_value_tap tap, void *user,
                   ts_err *err);

/* One event. Of the graph's inputs that anything reads, one is [1][hits][features] in floating point and, where there is a second one, that
   is a key-padding mask [1][hits] whose nonzero elements mean padding.
   x: [hits][features], standardised; rounded to the input's type. padding: [hits] or NULL (none); must be NULL where the model has no mask.
   y: the graph's output 0, data in `arena`. No hits: an output per hit is empty, a pooled one is zeros, and tap is not called. */
bool ts_graph_eval_event(const ts_graph *g, ts_arena *arena, int64_t hits, const float *x, const bool *padding, ts_tensor *y,
                         ts_value_tap tap, void *user, ts_err *err);

#endif
