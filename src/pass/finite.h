/* Weights that are no numbers: what a training that diverged leaves in a file. */
#ifndef TS_FINITE_H
#define TS_FINITE_H
#include "graph/graph.h"

/* Fails where a node that is needed computes with a constant that is not finite, and names the initialiser, or the node that made such a
   constant of finite ones. Infinities where masks have them (a bias of scores of minus infinity, a limit, a choice) are none of those.
   constant[g->values]: what is known to be constant; needed[g->nodes]. */
bool ts_check_finite(ts_arena *scratch, const ts_graph *g, const ts_tensor *const *constant, const bool *needed, ts_err *err);

#endif
