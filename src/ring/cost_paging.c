/* Paged mode: as cost_modules.c, one function a module with the same submodules. */
#include <math.h>

#include "ring/cost_modules.h"
#include "ring/cost_terms.h"
#include "ring/page_format.h"

enum {
    ADDRESS_BITS = 40,
    OFFSET_BITS = 32, /* of the read port; of beats from the image's base */
    LATE_BITS = 15,   /* of the cycles after which a page is late, about */
};

static ts_cost gate(int BUFFERS, int TURNS, int EVW, int LATE)
{
    ts_resources self = {0};
#define COST_ts_page_gate
#include "ring/cost_table.def"
#undef COST_ts_page_gate
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_watch(1, 3));
    return cost;
}

static ts_cost burst(int BYTES, int ADDRW, int OFFW, int BURSTS)
{
    ts_resources self = {0};
#define COST_ts_page_burst
#include "ring/cost_table.def"
#undef COST_ts_page_burst
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, ts_cost_watch(2, 2 + clog2(BURSTS + 1)));
    return cost;
}

static ts_cost crc(void)
{
    ts_resources self = {0};
#define COST_ts_crc
#include "ring/cost_table.def"
#undef COST_ts_crc
    return both(self);
}

static ts_cost unpack(int LANES)
{
    ts_resources self = {0};
#define COST_ts_page_unpack
#include "ring/cost_table.def"
#undef COST_ts_page_unpack
    ts_cost cost = both(self);
    ts_cost_add(&cost, LANES, crc());
    return cost;
}

static ts_cost loader(int STAGES, int COUNT, int LANES, int BURSTS)
{
    ts_resources self = {0};
#define COST_ts_page_loader
#include "ring/cost_table.def"
#undef COST_ts_page_loader
    ts_cost cost = both(self);
    ts_cost_add(&cost, 1, burst(8 * LANES, ADDRESS_BITS, OFFSET_BITS, BURSTS));
    ts_cost_add(&cost, 1, unpack(LANES));
    ts_cost_add(&cost, 1, ts_cost_watch(STAGES + 1, 4 * STAGES + 1));
    return cost;
}

static ts_cost poison(int GATES, int EVW)
{
    ts_resources self = {0};
#define COST_ts_page_poison
#include "ring/cost_table.def"
#undef COST_ts_page_poison
    return both(self);
}

ts_cost ts_cost_page_mem(const ts_mapping *map, int WIDTH, int DEPTH, ts_mem_style STYLE, int LANES)
{
    ts_resources self = {0};
#define COST_ts_page_mem
#include "ring/cost_table.def"
#undef COST_ts_page_mem
    ts_cost cost = both(self);
    /* Groups of whole slices: as many of 72 bits and the same rest as without groups. */
    ts_cost_add(&cost, 1, ts_cost_mem(map, WIDTH, DEPTH, STYLE, false));
    return cost;
}

ts_cost ts_cost_pager(int STAGES, const int *BUFFERS, const int *TURNS, const ts_paging *port, int refusal_depth)
{
    int COUNT = 0;
    for (int s = 0; s < STAGES; s++)
        COUNT += TURNS[s];
    const int EVW = clog2(refusal_depth + 4), LATE = 1 << LATE_BITS;
    ts_cost cost = loader(STAGES, COUNT, port->lanes, port->bursts);
    for (int s = 0; s < STAGES; s++)
        ts_cost_add(&cost, 1, gate(BUFFERS[s], TURNS[s], EVW, LATE));
    ts_cost_add(&cost, 1, poison(STAGES, EVW));
    ts_cost_add(&cost, 1, ts_cost_watch(STAGES + 1, STAGES + 1));
    /* The bus to the page memories passes through a register: one-hot stage, group, address, data. */
    ts_cost_add(&cost, 1, ts_cost_delay(STAGES + 8 + 16 + TS_PAGE_SLICE * port->lanes, 1));
    return cost;
}
