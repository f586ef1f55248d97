/* For list_search.c: the rings of a chain's parts, planned roughly or in full, and kept for whoever asks again.
   In a circle with plan/list_search.h: it is the inside of it. */
#ifndef TS_LIST_PARTS_H
#define TS_LIST_PARTS_H
#include "plan/cut.h"
#include "plan/list_search.h"

static const double TS_LIST_ANOTHER_PART = 1e15; /* where devices are to be few: more cycles than any plan has */

typedef struct ts_list_costs ts_list_costs; /* rough costs of all runs of blocks on a device */

/* The search over one list of devices. */
typedef struct ts_list {
    ts_arena *arena;
    const ts_imodel *im;
    const ts_partition_options *opt;
    ts_plan_options ring; /* opt->plan with the common clock */
    ts_link link;
    int blocks, typical;   /* typical: hits of an event */
    ts_paging_wish paging; /* of parts */
    ts_list_cache *cache;
    ts_list_costs **table; /* [devices], of a chain */
    ts_partition *result;
    ts_part_cost *full; /* [devices][blocks + 1][blocks + 1]: of the parts that were planned in full; an interval of 0: not planned */
    int plans;          /* how many were: by this search or one before, so that what it finds does not depend on those */
} ts_list;

/* Whether no pin keeps blocks first ... end - 1 from being on this device. */
bool ts_list_pins_allow(const ts_list *s, int device, int first, int end);

/* Of the tokens that links carry. */
int ts_list_token_bits(const ts_list *s);

/* What a ring for blocks first ... end - 1 roughly costs. linked: with the ends of links. */
ts_part_cost ts_list_rough_cost(ts_list *s, const ts_device *device, bool linked, int first, int end);

/* Where s->full has these blocks on this device. */
size_t ts_list_index(const ts_list *s, int device, int first, int end);

/* The ring planned in full. False with a message where it does not fit. */
bool ts_list_plan_part(ts_list *whole, const ts_device *device, int device_index, bool linked, int first, int end, ts_part *part,
                       ts_err *err);

/* For ts_list_run_cost: s->table of every device. */
void ts_list_set_tables(ts_list *s);

/* For the cutting of a chain (plan/cut.h); user: the ts_list. */
ts_part_cost ts_list_run_cost(void *user, int device, int first, int end);

#endif
