/* ts_pool: of an event's tokens, their mean, largest values or the first one. */
#include "ring/module.h"

#include "ring/cost_terms.h"

static void parameters(ts_printer *p, const ts_ring_node *n)
{
    static const char *const modes[] = {[TS_POOL_MEAN] = "mean", [TS_POOL_MAX] = "max", [TS_POOL_FIRST] = "first"};
    (void)n;
    ts_print(p, ".D(%d), .W(%d), .NMAX(%d), .MODE(\"%s\"), .LW(LW), .TAGW(TAGW), .DIGITS(REG)", p->ring->im->d, p->ring->w->res_w,
             p->ring->plan->n_max, modes[p->ring->im->pool]);
}

static ts_cost cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_pool mode = r->im->pool;
    const int D = r->im->d, W = r->w->res_w, NMAX = r->plan->n_max, DIGITS = r->plan->reg;
    const int MEAN = mode == TS_POOL_MEAN, MAX = mode == TS_POOL_MAX, FIRST = mode == TS_POOL_FIRST;
    (void)n;
    ts_resources self = {0};
#define COST_ts_pool
#include "ring/cost_table.def"
#undef COST_ts_pool
    ts_cost sum = both(self);
    if (mode == TS_POOL_MEAN) {
        ts_cost_add(&sum, 1, ts_cost_recip(clog2(NMAX + 1), 1, DIGITS));
        ts_cost_add(&sum, 1, ts_cost_pulse(1, 1 + 1 + 7));
        ts_cost_add(&sum, 1, ts_cost_beats(D));
        ts_cost_add(&sum, 1, ts_cost_watch(1, 2));
        ts_cost_add(&sum, 1, ts_cost_requant(map, 26, 1, 41 - W, 0, 1, W, false));
    }
    return sum;
}

static void time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const int latency = r->im->pool == TS_POOL_MEAN ? r->im->d + 10 + ts_ceil_div(16, r->plan->reg) : 1;
    (void)n, (void)forming;
    t->stage = (ts_stage_time){.latency = latency, .ii = 1, .room = 1, .pages = TS_LIN_COUNT};
}

const ts_module ts_module_pool = {
    .name = "ts_pool", .in = {"s"}, .out = {"m"}, .watched = true, .parameters = parameters, .cost = cost, .time = time};
