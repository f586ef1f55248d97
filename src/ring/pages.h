/* What a paged ring brings from external memory, and in which order: docs/paging.md, "The order, and why it cannot deadlock". */
#ifndef TS_PAGES_H
#define TS_PAGES_H
#include "ring/plan.h"

enum {
    TS_PAGE_RETRIES = 3,        /* times that a bad page is fetched again */
    TS_PAGE_ADDRESS_BITS = 40,  /* of the read port */
    TS_PAGE_ALIGNMENT = 4096,   /* of the image's place in external memory */
    TS_PAGE_LATE_BEYOND = 4096, /* cycles: a wait that is longer than the plan explains by so many is late */
};

/* A page on its way: the weights of one stage in one layer. */
typedef struct ts_page_transfer {
    int stage; /* index in ts_page_order.stage */
    int layer;
    int64_t beat; /* where it begins, from the base on, in beats of 8 * lanes bytes */
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

/* Bits in which the ring numbers events (EVW of ts_pager). */
int ts_page_event_bits(const ts_plan *plan);

/* Cycles that the pages of a whole event take on the bus, from the first address on, at the plan's latency and rate. */
double ts_page_event_cycles(const ts_plan *plan, const ts_page_order *order);

/* Cycles of one wait beyond which a stage says that its page is late (LATE of ts_pager): more than any wait as planned. */
int ts_page_late(const ts_plan *plan, const ts_page_order *order);

/* Index of a stage among the paged ones, -1: it has all its pages. */
int ts_page_stage_of(const ts_page_order *order, ts_lin_id lin);

#endif
