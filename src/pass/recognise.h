/* Graph -> encoder: recognises what a folded graph computes (pass/fold.h), however its exporter wrote it. Fails with the name
   of the node that does not fit and with what would. The encoder lives in the arena; it does not refer to the graph. */
#ifndef TS_RECOGNISE_H
#define TS_RECOGNISE_H
#include "graph/encoder.h"
#include "graph/graph.h"

const ts_encoder *ts_recognise(ts_arena *arena, const ts_graph *g, ts_err *err);

#endif
