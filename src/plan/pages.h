/* What a paged ring brings from external memory, and in which order: docs/paging.md, "The order, and why it cannot deadlock". */
#ifndef TS_PAGES_H
#define TS_PAGES_H
#include "plan/plan.h"

/* A page on its way: the weights of one stage in one layer. */
typedef struct ts_page_transfer {
    int stage;     /* index in ts_page_order.stage */
    int layer;
    int64_t beat;  /* where it begins, from the base on, in beats of 8 * lanes bytes */
    int64_t beats;
} ts_page_transfer;

/* A stage with page buffers. */
typedef struct ts_page_stage {
    ts_lin_id lin;
    int buffers;
    int words, width, groups; /* of a page: words, bits of one, writes a word */
    int turns;                /* pages that an event uses */
} ts_page_stage;

/* The transfers of one event; those of the next one are the same again. */
typedef struct ts_page_order {
    int stages;
    ts_page_stage stage[TS_PAGED_STAGES]; /* [stages], in the order of the stream */
    int count;
    ts_page_transfer *transfer; /* [count] */
    int64_t beats;              /* of all of them */
} ts_page_order;

/* stages = 0 where the ring has no page buffers. */
ts_page_order ts_page_order_of(ts_arena *arena, const ts_plan *plan, const ts_imodel *im);

#endif
