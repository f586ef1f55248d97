#define TS_FAIL_CODE TS_DAMAGED
#include "emit/system.h"

#include "emit/module_name.h"
#include "emit/top.h"
#include "plan/verify.h"
#include "ring/plan_cost.h"

/* ---- Making */

const char *ts_part_directory(ts_arena *arena, int i)
{
    return ts_printf(arena, "part%d", i);
}

static int token_bits(const ts_imodel *im)
{
    return im->d * im->res.bits;
}

static int add_stream(ts_system *s, const char *name, int width)
{
    s->stream[s->streams] = (ts_system_stream){name, width};
    return s->streams++;
}

static void add_node(ts_system *s, ts_system_kind kind, int ring, int from, int to, int takes, int gives)
{
    s->node[s->nodes++] = (ts_system_node){kind, ring, from, to, takes, gives};
}

static void connect(ts_arena *arena, ts_system *s)
{
    s->node = TS_NEW_N(arena, ts_system_node, 2 * s->rings);
    s->stream = TS_NEW_N(arena, ts_system_stream, 2 * s->rings);
    int from = add_stream(s, "s_hit", s->im->features * s->ports.hit_lane);
    for (int i = 0; i < s->rings; i++) {
        const ts_system_ring *ring = &s->ring[i];
        const ts_ports p = ts_ports_of(ring->im, ring->plan);
        const bool last = i == s->rings - 1;
        const int token = token_bits(ring->im), gives = last ? s->ports.lanes * s->ports.out_lane : token;
        const int to = add_stream(s, last ? "m_out" : ts_printf(arena, "from%d", i), gives);
        add_node(s, TS_SYSTEM_RING, i, from, to, ring->im->features * p.hit_lane, p.lanes * p.out_lane);
        if (last)
            return;
        const ts_hop *hop = &s->ring[i + 1].before;
        const bool apart = hop->latency > 0 || hop->token_cycles > 0;
        from = add_stream(s, ts_printf(arena, "to%d", i + 1), token);
        add_node(s, apart ? TS_SYSTEM_LINK : TS_SYSTEM_WIRES, i, to, from, token, token);
    }
}

static const ts_ring *build(ts_arena *arena, const ts_system_ring *ring)
{
    ts_ring_widths *w = TS_NEW(arena, ts_ring_widths);
    ts_ring *built = TS_NEW(arena, ts_ring);
    *w = ts_ring_widths_of(ring->im);
    ts_ring_build(ring->im, ring->plan, w, built);
    return built;
}

bool ts_system_make(ts_arena *arena, ts_system *s, ts_err *err)
{
    for (int i = 0; i < s->rings; i++) {
        ts_system_ring *ring = &s->ring[i];
        if (!ts_plan_check(ring->plan, ring->im, err))
            return false;
        ring->top = ts_top_name(arena, ring->im);
        ring->inside = s->rings > 1 ? ts_printf(arena, "%s/", ts_part_directory(arena, i)) : "";
        ring->built = build(arena, ring);
        ring->pages = ts_page_order_of(arena, ring->plan, ring->im);
    }
    const ts_system_ring *first = &s->ring[0], *last = &s->ring[s->rings - 1];
    s->top = s->rings > 1 ? ts_module_name(arena, s->im->name, "system") : first->top;
    s->ports = ts_ports_of_chain(first->im, first->plan, last->im, last->plan);
    s->nodes = s->streams = 0;
    connect(arena, s);
    return ts_system_verify(s, err);
}

bool ts_system_of_ring(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, ts_system *s, ts_err *err)
{
    *s = (ts_system){
        .im = im, .mode = ts_plan_is_paged(plan) ? TS_MODE_PAGED : TS_MODE_MONOLITHIC, .rings = 1, .ring = TS_NEW(arena, ts_system_ring)};
    s->ring[0] = (ts_system_ring){.im = im, .plan = plan, .device = plan->device, .slice = ts_slice_between(im, 0, ts_block_count(im))};
    return ts_system_make(arena, s, err);
}

bool ts_system_of_partition(ts_arena *arena, const ts_imodel *im, const ts_partition *p, const ts_device *const *device, ts_system *s,
                            ts_err *err)
{
    *s = (ts_system){.im = im, .mode = p->mode, .rings = p->parts, .ring = TS_NEW_N(arena, ts_system_ring, p->parts), .link = p->link};
    for (int i = 0; i < p->parts; i++)
        s->ring[i] = (ts_system_ring){.im = p->part[i].im,
                                      .plan = p->part[i].planned.plan,
                                      .device = device[p->part[i].device]->name,
                                      .device_number = p->part[i].device,
                                      .slice = p->part[i].slice,
                                      .before = i ? p->ring[i].before : (ts_hop){0}};
    return ts_system_make(arena, s, err);
}

/* ---- Verifying */

static bool verify_stream(const ts_system *s, int stream, ts_err *err)
{
    const int width = s->stream[stream].width;
    const char *name = s->stream[stream].name;
    int writers = stream == 0, readers = stream == s->streams - 1; /* outside */
    for (int n = 0; n < s->nodes; n++) {
        const ts_system_node *node = &s->node[n];
        writers += node->to == stream;
        readers += node->from == stream;
        if (node->to == stream && node->gives != width)
            return ts_fail(err, "stream %s of part %d has %d bits, it is given %d", name, node->ring, width, node->gives);
        if (node->from == stream && node->takes != width)
            return ts_fail(err, "stream %s has %d bits, part %d takes %d", name, width, node->ring, node->takes);
    }
    return (writers == 1 && readers == 1) || ts_fail(err, "stream %s has %d writers and %d readers", name, writers, readers);
}

static bool verify_cut(const ts_system *s, int i, ts_err *err)
{
    const ts_system_ring *ring = &s->ring[i], *before = ring - 1;
    if (ring->plan->n_max != before->plan->n_max)
        return ts_fail(err, "part %d takes events of up to %d hits, the one before it %d", i, ring->plan->n_max, before->plan->n_max);
    return (before->im->head_count == 0 && ring->im->embed_count == 0 && before->im->outputs == ring->im->features &&
            before->im->res.bits == ring->im->in.bits) ||
           ts_fail(err, "part %d does not fit the one before it", i);
}

bool ts_system_verify(const ts_system *s, ts_err *err)
{
    enum { RINGS_MAX = 256 }; /* cfg_part counts so many */
    if (s->rings < 1 || s->rings > RINGS_MAX)
        return ts_fail(err, "%d parts; there can be 1 to %d", s->rings, RINGS_MAX);
    for (int i = 0; i < s->rings; i++)
        if (!ts_ring_verify(s->ring[i].built, err) || (i && !verify_cut(s, i, err)))
            return false;
    if (s->ring[0].im->features != s->im->features || s->ring[s->rings - 1].im->outputs != s->im->outputs)
        return ts_fail(err, "the parts are not those of its model");
    for (int i = 0; i < s->streams; i++)
        if (!verify_stream(s, i, err))
            return false;
    for (int n = 0; n < s->nodes; n++)
        if (s->node[n].kind == TS_SYSTEM_LINK && !ts_verify_link(&s->link, s->node[n].takes, err))
            return false;
    return true;
}

/* ---- What it says */

void ts_system_dump(FILE *f, const ts_system *s)
{
    fprintf(f, "%s: %s, %d ring%s\n", s->top, ts_mode_name(s->mode), s->rings, s->rings > 1 ? "s" : "");
    for (int n = 0; n < s->nodes; n++) {
        const ts_system_node *node = &s->node[n];
        const ts_system_ring *ring = &s->ring[node->ring];
        fprintf(f, "  %-7s", ((const char *const[]){"ring", "link", "wires"})[node->kind]);
        fprintf(f, " %s -> %s, %d -> %d bits", s->stream[node->from].name, s->stream[node->to].name, node->takes, node->gives);
        if (node->kind == TS_SYSTEM_RING) {
            fprintf(f, "; %s on %s, blocks %d to %d", ring->top, ring->device, ring->slice.first, ring->slice.end - 1);
            if (ring->pages.stages)
                fprintf(f, "; external memory: %lld beats of %d bits an event", (long long)ring->pages.beats,
                        64 * ring->plan->paging.lanes);
        } else if (node->kind == TS_SYSTEM_LINK) {
            fprintf(f, "; words of %d bits, %.3g a cycle, %d cycles", s->link.word_bits, s->link.rate, s->link.flight);
        }
        fputc('\n', f);
    }
}

const ts_chain_ring *ts_system_chain(ts_arena *arena, const ts_system *s)
{
    ts_chain_ring *ring = TS_NEW_N(arena, ts_chain_ring, s->rings);
    for (int i = 0; i < s->rings; i++)
        ring[i] = (ts_chain_ring){s->ring[i].plan, s->ring[i].im, s->ring[i].before};
    return ring;
}

ts_cost ts_system_cost(const ts_system *s, int i, const ts_device *device)
{
    ts_cost cost = ts_plan_cost(s->ring[i].plan, s->ring[i].im, device);
    for (int n = 0; n < s->nodes; n++) {
        const ts_system_node *node = &s->node[n];
        if (node->kind == TS_SYSTEM_LINK && (node->ring == i || node->ring + 1 == i))
            ts_cost_add(&cost, 1, ts_link_cost(&s->link, node->takes, node->ring == i, device));
    }
    return cost;
}

bool ts_system_has_parity(const ts_system *s)
{
    for (int r = 0; r < s->rings; r++)
        if (ts_plan_has_parity(s->ring[r].plan))
            return true;
    return false;
}

bool ts_system_is_paged(const ts_system *s)
{
    for (int i = 0; i < s->rings; i++)
        if (s->ring[i].pages.stages)
            return true;
    return false;
}
