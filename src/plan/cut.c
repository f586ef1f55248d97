#include "plan/cut.h"

#include <math.h>
#include <stdlib.h>

/* Sums over the runs of a prefix of the chain. */
typedef struct total {
    double latency; /* INFINITY: no such cut */
    int parts;
} total;

typedef struct chain {
    int blocks, devices;
    bool by_latency, all_used;
    const ts_part_cost *cost; /* [devices][blocks + 1][blocks + 1]: device, first, end */
    total *best;              /* [devices + 1][blocks + 1]: of the first so many blocks on the first so many devices */
    int *from;                /* [devices + 1][blocks + 1]: where that cut's run on the last of these devices begins */
} chain;

static size_t at(const chain *c, int device, int block)
{
    return (size_t)device * (size_t)(c->blocks + 1) + (size_t)block;
}

static const ts_part_cost *cost_of(const chain *c, int device, int first, int end)
{
    return &c->cost[at(c, device, first) * (size_t)(c->blocks + 1) + (size_t)end];
}

static bool better(const chain *c, total a, total b)
{
    if (isinf(a.latency) || isinf(b.latency))
        return !isinf(a.latency) && isinf(b.latency);
    if (c->by_latency && (a.latency < b.latency || a.latency > b.latency))
        return a.latency < b.latency;
    return a.parts != b.parts ? a.parts < b.parts : a.latency < b.latency;
}

/* The best cut whose parts have intervals of at most `limit`. */
static total solve(const chain *c, double limit)
{
    for (int b = 0; b <= c->blocks; b++)
        c->best[at(c, 0, b)] = (total){b == 0 ? 0 : INFINITY, 0};
    for (int d = 1; d <= c->devices; d++)
        for (int b = 0; b <= c->blocks; b++) {
            total best = c->all_used ? (total){INFINITY, 0} : c->best[at(c, d - 1, b)]; /* this device empty */
            int from = b;
            for (int a = 0; a < b; a++) {
                const ts_part_cost *run = cost_of(c, d - 1, a, b);
                if (run->interval > limit || isinf(run->latency))
                    continue;
                const total before = c->best[at(c, d - 1, a)], with = {before.latency + run->latency, before.parts + 1};
                if (better(c, with, best)) {
                    best = with;
                    from = a;
                }
            }
            c->best[at(c, d, b)] = best;
            c->from[at(c, d, b)] = from;
        }
    return c->best[at(c, c->devices, c->blocks)];
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool ts_cut_chain(ts_arena *arena, int blocks, int devices, bool by_latency, bool all_used, ts_part_cost_fn cost, void *user, int *end)
{
    CHECK(blocks > 0 && devices > 0);
    const size_t row = (size_t)blocks + 1, runs = (size_t)devices * row * row, cells = ((size_t)devices + 1) * row;
    ts_part_cost *all = TS_NEW_N(arena, ts_part_cost, runs);
    double *limit = TS_NEW_N(arena, double, runs);
    chain c = {.blocks = blocks, .devices = devices, .by_latency = by_latency, .all_used = all_used, .cost = all};
    c.best = TS_NEW_N(arena, total, cells);
    c.from = TS_NEW_N(arena, int, cells);
    size_t limits = 0;
    for (int d = 0; d < devices; d++)
        for (int a = 0; a < blocks; a++)
            for (int b = a + 1; b <= blocks; b++) {
                ts_part_cost *run = &all[at(&c, d, a) * row + (size_t)b];
                *run = cost(user, d, a, b);
                if (!isinf(run->interval))
                    limit[limits++] = run->interval;
            }
    const total goal = solve(&c, INFINITY);
    if (isinf(goal.latency))
        return false;
    /* The least limit under which a cut is as good as it has to be: any at all, or one that is best without a limit. */
    qsort(limit, limits, sizeof *limit, ascending);
    size_t low = 0, high = limits - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const total found = solve(&c, limit[middle]);
        if (!isinf(found.latency) && !(by_latency && better(&c, goal, found)))
            high = middle;
        else
            low = middle + 1;
    }
    solve(&c, limit[low]);
    for (int d = devices, b = blocks; d > 0; d--) {
        end[d - 1] = b;
        b = c.from[at(&c, d, b)];
    }
    return true;
}
