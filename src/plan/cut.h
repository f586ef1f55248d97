/* Cutting a chain of blocks over devices. */
#ifndef TS_CUT_H
#define TS_CUT_H
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/* Of a part that has blocks [first, end) on a device; INFINITY where it does not fit. */
typedef struct ts_part_cost {
    double interval, latency; /* cycles */
} ts_part_cost;
typedef ts_part_cost (*ts_part_cost_fn)(void *user, int device, int first, int end);

/* Cuts blocks [0, blocks) into runs for devices 0 ... devices-1 in this order; a device may stay empty (not with `all_used`). Best is the
   least of the largest interval; then the fewest parts; then the least sum of latencies (`by_latency`: the least sum of latencies; then the
   fewest parts; then the least of the largest interval). end[device]: behind its last block, equal to that of the device before it where it
   is empty. False where nothing fits. Asks the cost of every run on every device once. */
bool ts_cut_chain(ts_arena *arena, int blocks, int devices, bool by_latency, bool all_used, ts_part_cost_fn cost, void *user, int *end);

#endif
