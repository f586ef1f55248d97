/* Watches the masks that a model computes from its data (EncCla: embedding sum == 0) while the graph is evaluated as written. The
   recogniser takes them as never firing; this says where that is wrong. */
#ifndef TS_MASK_WATCH_H
#define TS_MASK_WATCH_H
#include "graph/encoder.h"
#include "ref/graph_eval.h"

typedef struct ts_mask_watch {
    const ts_encoder *enc; /* recognised in the graph that is evaluated */
    int hits;              /* of the event */
    bool *fires;           /* [hits], false at first: set where a mask fires */
} ts_mask_watch;

/* A ts_value_tap; user is the ts_mask_watch. */
void ts_mask_watch_tap(void *user, const ts_value *value, const ts_tensor *data);

#endif
