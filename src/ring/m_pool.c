/* ts_pool: of an event's tokens, their mean, largest values or the first one. */
#include "ring/module.h"

static void parameters(ts_printer *p, const ts_ring_node *n)
{
    static const char *const modes[] = {[TS_POOL_MEAN] = "mean", [TS_POOL_MAX] = "max", [TS_POOL_FIRST] = "first"};
    ts_print(p, ".D(%d), .W(%d), .NMAX(%d), .MODE(\"%s\"), .LW(LW), .TAGW(TAGW), .DIGITS(REG)", p->ring->im->d, p->ring->w->res_w,
             p->ring->plan->n_max, modes[p->ring->im->pool]);
}

static ts_cost cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_pool mode = r->im->pool;
    return ts_cost_pool(map, r->im->d, r->w->res_w, r->plan->n_max, mode == TS_POOL_MEAN, mode == TS_POOL_MAX, mode == TS_POOL_FIRST,
                        r->plan->reg);
}

static void time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const int latency = r->im->pool == TS_POOL_MEAN ? r->im->d + 10 + ts_ceil_div(16, r->plan->reg) : 1;
    t->stage = (ts_stage_time){.latency = latency, .ii = 1, .room = 1, .pages = TS_LIN_COUNT};
}

const ts_module ts_module_pool = {
    .name = "ts_pool", .in = {"s"}, .out = {"m"}, .watched = true, .parameters = parameters, .cost = cost, .time = time};
