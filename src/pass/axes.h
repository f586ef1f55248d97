/* Which axes of the event's input are the hits and the features: files have [batch, hits, features], [hits, batch, features]
   (nn.Transformer's default), [batch, features, hits] (convolutions), with sizes that are free or fixed. The file alone does not always
   tell; what the graph then computes does. */
#ifndef TS_AXES_H
#define TS_AXES_H
#include "graph/graph.h"

typedef struct ts_axes {
    int hits, features; /* axes of the input; every other one is the batch */
    bool transpose_out; /* the output has its values before the hits: they change places */
} ts_axes;

enum { TS_AXES_MAX = 8 };

typedef struct ts_axes_list {
    const ts_value *input; /* of the imported graph, whose axes these are; NULL: none */
    int count;             /* readings that its shape allows, the most usual one first */
    ts_axes axes[TS_AXES_MAX];
    int64_t fixed_batch; /* the size at which the usual reading's batch is fixed, or 0 */
} ts_axes_list;

ts_axes_list ts_axes_of(const ts_graph *imported);

/* The imported graph with an input [1][hits][features], read as said; nodes that bring it to the file's shape stand in front. */
const ts_graph *ts_axes_bind(ts_arena *arena, const ts_graph *imported, const ts_value *input, ts_axes axes, ts_err *err);

/* "[8, hits, 3]" */
const char *ts_axes_text(ts_arena *arena, const ts_value *input);

#endif
