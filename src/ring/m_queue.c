/* Where tokens wait: ts_queue_narrow, the queue of residuals beside attention or the store of whole events in front of a ring without it,
   and ts_fifo beside the FFN. node->depth: tokens. */
#include "ring/module.h"

/* ---- ts_queue_narrow: takes overlong events back; the store keeps the tokens' tags, the queue of residuals does not */

static bool keeps_tags(const ts_ring_node *n)
{
    return ts_module_of(n->module)->gives[0] == TS_IN_DATA;
}

static void queue_parameters(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, ".WIDTH(%d%s), .DEPTH(%d), .BEATS(%d), .LW(LW), .STYLE(\"%s\")", n->width, keeps_tags(n) ? " + TAGW" : "", n->depth,
             p->ring->plan->queue_beats, ts_mem_style_name(p->ring->plan->queue_style));
}

static void queue_connect(ts_printer *p, const ts_ring_node *n)
{
    const char *in = ts_print_stream(p, n->in[0]), *out = ts_print_stream(p, n->out[0]);
    void (*const stream)(const ts_printer *, const char *, const char *) = keeps_tags(n) ? ts_print_bundled : ts_print_untagged;
    stream(p, "s", in);
    ts_print(p, ",\n        .s_last(%s_tag[LW]), .s_drop(%s_tag[LW+1]),\n        ", in, in);
    stream(p, "m", out);
    ts_print(p, ");\n\n");
}

static ts_cost queue_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    return ts_cost_queue_narrow(map, n->width + (keeps_tags(n) ? r->w->tagw : 0), n->depth, r->plan->queue_beats, r->plan->queue_style);
}

ts_queue_time ts_queue_time_of(const ts_plan *plan)
{
    const int beats = plan->queue_beats;
    return beats > 1 ? (ts_queue_time){beats - 1, beats + 4, beats + 1} : (ts_queue_time){0, 4, 1};
}

/* Into the store. */
static void queue_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const ts_queue_time q = ts_queue_time_of(r->plan);
    t->stage = (ts_stage_time){.latency = q.in, .ii = q.in + 1, .room = 1, .waits = true, .pages = TS_LIN_COUNT};
}

static int queue_styles(const ts_ring *r, const ts_ring_node *n, ts_plan *plan, ts_style_place list[TS_NODE_STYLES])
{
    list[0] = (ts_style_place){&plan->queue_style, .ultra = true};
    return 1;
}

const ts_module ts_module_queue = {
    .name = "ts_queue_narrow",
    .in = {"s"},
    .out = {"m"},
    .takes = {TS_WITHOUT_TAG},
    .gives = {TS_WITHOUT_TAG},
    .watched = true,
    .parameters = queue_parameters,
    .connect = queue_connect,
    .cost = queue_cost,
    .time = queue_time,
    .styles = queue_styles,
};

const ts_module ts_module_store = {
    .name = "ts_queue_narrow",
    .in = {"s"},
    .out = {"m"},
    .takes = {TS_IN_DATA},
    .gives = {TS_IN_DATA},
    .watched = true,
    .parameters = queue_parameters,
    .connect = queue_connect,
    .cost = queue_cost,
    .time = queue_time,
    .styles = queue_styles,
};

/* ---- ts_fifo: tokens without their tags, which the branch carries */

static void fifo_wires(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, "    wire [%d:0] %s_count;\n", clog2(n->depth + 1) - 1, n->name);
    ts_print_unused(p, ts_printf(p->arena, "%s_tag", ts_print_stream(p, n->in[0])));
    ts_print_unused(p, ts_printf(p->arena, "%s_count", n->name));
}

static void fifo_parameters(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, ".WIDTH(%d), .DEPTH(%d), .STYLE(\"%s\")", n->width, n->depth, ts_mem_style_name(p->ring->plan->mid_style));
}

static void fifo_connect(ts_printer *p, const ts_ring_node *n)
{
    ts_print_untagged(p, "s", ts_print_stream(p, n->in[0]));
    ts_print(p, ",\n        ");
    ts_print_untagged(p, "m", ts_print_stream(p, n->out[0]));
    ts_print(p, ",\n        .count(%s_count));\n\n", n->name);
}

static ts_cost fifo_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_mem_style style = r->plan->mid_style; /* in LUT RAM it is ts_fifo_lut */
    return style == TS_MEM_DISTRIBUTED ? ts_cost_fifo_lut(map, n->width, n->depth) : ts_cost_fifo(map, n->width, n->depth, style);
}

static int fifo_styles(const ts_ring *r, const ts_ring_node *n, ts_plan *plan, ts_style_place list[TS_NODE_STYLES])
{
    list[0] = (ts_style_place){&plan->mid_style};
    return 1;
}

const ts_module ts_module_fifo = {
    .name = "ts_fifo",
    .in = {"s"},
    .out = {"m"},
    .takes = {TS_WITHOUT_TAG},
    .gives = {TS_WITHOUT_TAG},
    .watched = true,
    .wires = fifo_wires,
    .parameters = fifo_parameters,
    .connect = fifo_connect,
    .cost = fifo_cost,
    .styles = fifo_styles,
};
