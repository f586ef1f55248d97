/* Infers the shape of every value in terms of the number of hits and computes everything that does not depend on the
   inputs. The result has no Constant nodes, no nodes that only juggle with shapes where these are constant, and no node
   whose results nobody uses. */
#ifndef TS_PASS_FOLD_H
#define TS_PASS_FOLD_H
#include "graph/graph.h"

ts_graph *ts_fold(ts_arena *arena, const ts_graph *g, ts_err *err);

#endif
