/* For partition.c: the search over one list of devices, all of which are used.
   In a circle with plan/partition.h: it is the inside of it. */
#ifndef TS_LIST_SEARCH_H
#define TS_LIST_SEARCH_H
#include "plan/partition.h"

/* What the rings of one model were planned to be, on whatever devices: shared by the searches over several lists. */
typedef struct ts_list_cache ts_list_cache;
ts_list_cache *ts_list_cache_new(ts_arena *arena);

/* The same in all that the planner looks at. */
bool ts_same_device(const ts_device *a, const ts_device *b);

typedef enum {
    TS_LIST_RING,       /* one ring on the only device, all weights on chip */
    TS_LIST_PAGED_RING, /* ditto, paged */
    TS_LIST_AUTO_RING,  /* what is best of one device: one ring, paged where its weights do not fit, or several rings */
    TS_LIST_RINGS,      /* several rings on the only device */
    TS_LIST_CHAIN,      /* a ring on each of the devices */
    TS_LIST_PAGED_CHAIN /* ditto, paged where that is needed */
} ts_list_way;

/* options: with a clock and a link. parts' devices are indices of this list. `least`: what is worse than this is of no interest (INFINITY:
   everything is). False, with a message, where nothing fits, or nothing can be so good. */
bool ts_list_search(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_list_way way, double least,
                    ts_list_cache *cache, ts_partition *result, ts_err *err);

/* What a chain's value would roughly be; INFINITY: it does not fit. */
double ts_list_rough(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_list_way way, ts_list_cache *cache);

/* What is to be least, in cycles; devices first where the objective is area. */
double ts_list_value(ts_objective objective, const ts_chain_prediction *prediction, int parts);

/* Why no chain over the list fits. Always false. */
bool ts_list_unfit(ts_arena *arena, const ts_imodel *im, const ts_partition_options *options, ts_list_cache *cache, ts_err *err);

#endif
