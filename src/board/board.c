#include "board/board.h"

#include <string.h>

#include "base/plain.h"
#include "ring/memories.h"

enum { BUS_LEAST = 32, BUS_MOST = 512 };

static int slot_of(int bits)
{
    int slot = 8;
    while (slot < bits)
        slot *= 2;
    return slot;
}

/* The narrowest bus that takes a hit and gives a transfer of results a cycle. */
static int bus_for(int hit, int out)
{
    int bits = BUS_LEAST;
    while (bits < BUS_MOST && (bits < slot_of(hit) || bits < slot_of(out)))
        bits *= 2;
    return bits;
}

static void add_bus(ts_board *b, ts_bus bus)
{
    CHECK(b->buses < TS_BUS_MAX);
    b->bus[b->buses++] = bus;
}

static bool loads(const ts_system_ring *ring)
{
    ts_memory list[TS_MEMORY_MAX];
    const int count = ts_memories(ring->im, ring->plan, list);
    for (int i = 0; i < count; i++)
        if (list[i].loaded)
            return true;
    return false;
}

bool ts_board_of(ts_arena *arena, const ts_system *s, const ts_device *device, const char *manifest, const ts_board_options *o, ts_board *b,
                 ts_err *err)
{
    const ts_system_ring *first = &s->ring[0], *last = &s->ring[s->rings - 1];
    for (int i = 1; i < s->rings; i++)
        if (s->ring[i].device_number != first->device_number)
            return ts_fail_as(err, TS_UNSUPPORTED,
                              "%s is on several devices: each of its parts is a design that can be packaged, DIR/part0, DIR/part1 ...",
                              s->top);
    *b = (ts_board){.system = s,
                    .device = device,
                    .top = ts_printf(arena, "%s_board", s->top),
                    .core = s->top,
                    .rings = s->rings,
                    .features = first->im->features,
                    .value_bits = first->im->in.bits,
                    .outputs = last->im->outputs,
                    .max_tokens = first->plan->n_max,
                    .pooled = last->im->pool != TS_POOL_NONE,
                    .argmax = last->plan->argmax,
                    .status_word = o->status_word,
                    .parity = ts_system_has_parity(s),
                    .ports = s->ports};
    const double engine = first->plan->clock_mhz;
    b->clock[TS_CLOCK_BUS] = (ts_board_clock){"aclk", o->bus_mhz > 0 ? o->bus_mhz : engine};
    b->clock[TS_CLOCK_ENGINE] = (ts_board_clock){"engine_clk", engine};
    b->clocks = TS_CLOCK_LINKS;
    const int hit = b->features * b->ports.hit_lane, out = b->ports.lanes * b->ports.out_lane;
    b->bus_bits = o->bus_bits ? o->bus_bits : bus_for(hit, out);
    if (b->bus_bits < BUS_LEAST || b->bus_bits > BUS_MOST || (b->bus_bits & (b->bus_bits - 1)))
        return ts_fail_as(err, TS_USAGE, "%s: a stream of %d bits: it must be 32, 64, 128, 256 or 512", ts_option("bus_bits"), b->bus_bits);
    for (int i = 0; i < s->rings; i++) {
        const ts_page_order *pages = &s->ring[i].pages;
        b->loads = b->loads || loads(&s->ring[i]);
        if (pages->stages && s->rings > 1)
            return ts_fail_as(err, TS_UNSUPPORTED,
                              "%s: several rings on a device, one of them with pages in external memory, have no top for boards yet",
                              s->top);
        b->paged = b->paged || pages->stages;
        b->paged_stages += pages->stages;
        b->page_lanes = s->ring[i].plan->paging.lanes;
    }
    b->build = ts_hash(0, manifest, strlen(manifest)) ^ ((uint64_t)b->bus_bits << 48) ^ ((uint64_t)b->status_word << 47);
    add_bus(b, (ts_bus){.kind = TS_BUS_CONTROL, .name = "s_axi_control", .data_bits = 32, .address_bits = 12});
    add_bus(b, (ts_bus){.kind = TS_BUS_HITS, .name = "s_axis_hits", .data_bits = b->bus_bits});
    add_bus(b, (ts_bus){.kind = TS_BUS_RESULTS, .name = "m_axis_results", .master = true, .data_bits = b->bus_bits});
    if (b->paged)
        add_bus(b, (ts_bus){.kind = TS_BUS_PAGES,
                            .name = "m_axi_pages",
                            .master = true,
                            .data_bits = 64 * b->page_lanes,
                            .address_bits = TS_PAGE_ADDRESS_BITS});
    return true;
}
