/* Resources of a ring, from its folds. */
#ifndef TS_PLAN_COST_H
#define TS_PLAN_COST_H
#include "ring/cost.h"

ts_cost ts_plan_cost(const ts_plan *plan, const ts_imodel *im, const ts_device *device);

/* For those who cost many plans of one model: *w is ts_ring_widths_of(im). */
ts_cost ts_plan_cost_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, const ts_device *device);

/* What of it is the way to external memory: loader, gates, bus, flags; zeros where nothing is paged. */
ts_cost ts_plan_pager_cost(const ts_plan *plan, const ts_imodel *im);

/* The same by stage, in the order of the stream; the sum is ts_plan_cost. */
typedef struct ts_stage_cost {
    const char *stage; /* "ffn1", "attention", "residual queue" ... */
    ts_cost cost;
} ts_stage_cost;
enum { TS_STAGE_COST_MAX = 48 };

int ts_plan_stage_costs(const ts_plan *plan, const ts_imodel *im, const ts_device *device, ts_stage_cost list[TS_STAGE_COST_MAX]);

#endif
