#include "board/board.h"

#include <math.h>
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

ts_link_ends ts_board_link_ends(const ts_board_link *link)
{
    return ts_link_ends_of(&link->way, link->token_bits);
}

/* ---- Which rings */

static int end_of_device(const ts_system *s, int first)
{
    int end = first + 1;
    while (end < s->rings && s->ring[end].device_number == s->ring[first].device_number)
        end++;
    return end;
}

/* Rings first to end - 1 as a system of their own. */
static const ts_system *part_of(ts_arena *arena, const ts_system *s, int first, int end, ts_err *err)
{
    if (first == 0 && end == s->rings)
        return s;
    ts_system *own = TS_NEW(arena, ts_system);
    if (end == first + 1)
        return ts_system_of_ring(arena, s->ring[first].im, s->ring[first].plan, own, err) ? own : NULL;
    const ts_slice slice = {s->ring[first].slice.first, s->ring[end - 1].slice.end, s->ring[first].slice.embed,
                            s->ring[end - 1].slice.head};
    *own = (ts_system){.im = ts_imodel_slice(arena, s->im, slice, err),
                       .mode = s->mode,
                       .rings = end - first,
                       .ring = TS_NEW_N(arena, ts_system_ring, end - first)};
    for (int i = first; i < end; i++)
        own->ring[i - first] = s->ring[i];
    own->ring[0].before = (ts_hop){0};
    return own->im && ts_system_make(arena, own, err) ? own : NULL;
}

/* ---- Interfaces */

static bool add_streams(ts_board *b, const ts_board_options *o, ts_err *err)
{
    const int hit = b->takes_hits ? b->features * b->ports.hit_lane : 0, out = b->gives_results ? b->ports.lanes * b->ports.out_lane : 0;
    const int bits = o->bus_bits ? o->bus_bits : bus_for(hit, out);
    if (bits < BUS_LEAST || bits > BUS_MOST || (bits & (bits - 1)))
        return ts_fail_as(err, TS_USAGE, "%s: a stream of %d bits: it must be 32, 64, 128, 256 or 512", ts_option("bus_bits"), bits);
    if (hit || out)
        b->bus_bits = bits;
    if (hit)
        add_bus(b, (ts_bus){.kind = TS_BUS_HITS, .name = "s_axis_hits", .data_bits = bits});
    if (out)
        add_bus(b, (ts_bus){.kind = TS_BUS_RESULTS, .name = "m_axis_results", .master = true, .data_bits = bits});
    return true;
}

static bool add_loaders(ts_arena *arena, ts_board *b, ts_err *err)
{
    int paged = 0;
    for (int r = 0; r < b->rings; r++)
        paged += b->system->ring[r].pages.stages > 0;
    if (paged > TS_LOADERS_MAX)
        return ts_fail_as(err, TS_UNSUPPORTED,
                          "%s: %d rings with pages in external memory on a device; a top has %d ports for them at most", b->top, paged,
                          TS_LOADERS_MAX);
    b->paged = paged > 0;
    for (int r = 0; r < b->rings; r++) {
        const ts_system_ring *ring = &b->system->ring[r];
        if (!ring->pages.stages)
            continue;
        const int k = b->loaders++;
        const char *number = k ? ts_printf(arena, "%d", k) : "";
        b->loader[k] = (ts_board_loader){.ring = r,
                                         .lanes = ring->plan->paging.lanes,
                                         .stages = ring->pages.stages,
                                         .bus = ts_printf(arena, "m_axi_pages%s", number),
                                         .registers = ts_printf(arena, "page%s", number)};
        add_bus(b, (ts_bus){.kind = TS_BUS_PAGES,
                            .name = b->loader[k].bus,
                            .master = true,
                            .data_bits = 64 * b->loader[k].lanes,
                            .address_bits = TS_PAGE_ADDRESS_BITS,
                            .number = k});
    }
    return true;
}

/* The link behind ring `sender` of the whole design, at one of its ends. */
static void add_link(ts_arena *arena, ts_board *b, const ts_system *s, int sender, bool sends)
{
    enum { PORTS = 16 }; /* cycles of a word in the ports at both ends, beside its way */
    const int n = b->links++, clock = b->clocks++;
    const double mhz = s->link.rate * s->ring[sender].plan->clock_mhz;
    b->link[n] = (ts_board_link){.sends = sends,
                                 .token_bits = s->ring[sender].im->d * s->ring[sender].im->res.bits,
                                 .way = {s->link.word_bits, 1, (int)ceil(s->link.flight * s->link.rate) + PORTS},
                                 .peer = b->number + (sends ? 1 : -1)};
    b->clock[clock] = (ts_board_clock){ts_printf(arena, "link%d_clk", n), mhz};
    for (int out = 0; out < 2; out++)
        add_bus(b, (ts_bus){.kind = out ? TS_BUS_LINK_OUT : TS_BUS_LINK_IN,
                            .name = ts_printf(arena, "%c_axis_link%d", out ? 'm' : 's', n),
                            .master = out,
                            .data_bits = s->link.word_bits,
                            .clock = clock,
                            .number = n});
}

static bool board_of(ts_arena *arena, const ts_system *s, int first, int end, const ts_device *device, const ts_board_options *o,
                     ts_board *b, ts_err *err)
{
    const ts_system *own = part_of(arena, s, first, end, err);
    if (!own)
        return false;
    const ts_system_ring *front = &own->ring[0], *last = &own->ring[own->rings - 1];
    b->system = own;
    b->device = device;
    b->first_ring = first;
    b->top = ts_printf(arena, "%s_board", own->top);
    b->core = own->top;
    b->rings = own->rings;
    b->features = front->im->features;
    b->value_bits = front->im->in.bits;
    b->outputs = last->im->outputs;
    b->max_tokens = front->plan->n_max;
    b->pooled = last->im->pool != TS_POOL_NONE;
    b->argmax = last->plan->argmax;
    b->ports = own->ports;
    b->parity = ts_system_has_parity(own);
    b->takes_hits = first == 0;
    b->gives_results = end == s->rings;
    b->status_word = o->status_word && b->gives_results;
    for (int i = 0; i < own->rings; i++)
        b->loads = b->loads || loads(&own->ring[i]);
    const double engine = front->plan->clock_mhz;
    b->clock[TS_CLOCK_BUS] = (ts_board_clock){"aclk", o->bus_mhz > 0 ? o->bus_mhz : engine};
    b->clock[TS_CLOCK_ENGINE] = (ts_board_clock){"engine_clk", engine};
    b->clocks = TS_CLOCK_LINKS;
    add_bus(b, (ts_bus){.kind = TS_BUS_CONTROL, .name = "s_axi_control", .data_bits = 32, .address_bits = 12});
    if (!add_streams(b, o, err) || !add_loaders(arena, b, err))
        return false;
    if (first > 0)
        add_link(arena, b, s, first - 1, false);
    if (end < s->rings)
        add_link(arena, b, s, end - 1, true);
    return true;
}

bool ts_boards_of(ts_arena *arena, const ts_system *s, const ts_device *const *device, const char *manifest, const ts_board_options *o,
                  ts_boards *boards, ts_err *err)
{
    *boards = (ts_boards){.system = s, .board = TS_NEW_N(arena, ts_board, s->rings)};
    for (int first = 0, end; first < s->rings; first = end) {
        ts_board *b = &boards->board[boards->count];
        end = end_of_device(s, first);
        for (int i = 0; i < first; i++)
            if (s->ring[i].device_number == s->ring[first].device_number)
                return ts_fail_as(err, TS_UNSUPPORTED, "%s: parts %d and %d are on one device, and what is between them is not", s->top, i,
                                  first);
        *b = (ts_board){.number = boards->count++};
        if (!board_of(arena, s, first, end, device[first], o, b, err))
            return false;
        b->build = ts_hash(0, manifest, strlen(manifest)) ^ (uint64_t)b->bus_bits << 48 ^ (uint64_t)b->status_word << 47 ^
                   (uint64_t)b->number << 32;
    }
    /* The front end of a link is its board's last, the other one its board's first. */
    for (int k = 0; k < boards->count; k++)
        for (int n = 0; n < boards->board[k].links; n++) {
            ts_board_link *link = &boards->board[k].link[n];
            link->peer_link = link->sends ? 0 : boards->board[link->peer].links - 1;
        }
    return true;
}
