/* From an imported file to the encoder in it: which axes of its input are what, then folded and recognised. */
#ifndef TS_UNDERSTAND_H
#define TS_UNDERSTAND_H
#include "pass/recognise.h"

/* *graph: folded, with an input [1][hits][features], in the reading of its axes in which it is an encoder; without one the first that folds
   (NULL: none does), for looking at. NULL with the message of the reading that came furthest. */
const ts_recognition *ts_understand(ts_arena *arena, const ts_graph *imported, const ts_graph **graph, ts_err *err);

#endif
