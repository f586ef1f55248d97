/* The part of a graph that computes one of its values from others. */
#ifndef TS_SUBGRAPH_H
#define TS_SUBGRAPH_H
#include "graph/graph.h"

/* What `to` needs where `from` (NULL: nothing) is given: inputs are `from` first, then those of g that are still needed, in g's order; the
   output is `to`. Names, shapes and constants are those of g, which must outlive the result. NULL with a message where `to` is `from`, an
   input or a constant, so that there is nothing to compute. */
const ts_graph *ts_subgraph(ts_arena *arena, const ts_graph *g, const ts_value *from, const ts_value *to, ts_err *err);

/* "Conv, 2 Relu, MaxPool": operators of a graph in the order in which they first occur; after the first few kinds only how many they are.
 */
const char *ts_graph_operators(ts_arena *arena, const ts_graph *g);

#endif
