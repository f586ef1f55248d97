/* What tokens pass on their way: admission and output, forks, merges, routes, residual sums, and the wires that close the ring. */
#include "ring/module.h"

#include "ring/ports.h"

/* A register slice, which holds two tokens, or at half rate one. */
static void slice_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    t->stage = (ts_stage_time){.latency = 1, .ii = 1, .room = n->half ? 1 : 2, .pages = TS_LIN_COUNT};
}

static void width_parameters(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, ".WIDTH(%d + TAGW)%s", n->width, n->half ? ", .HALF(1)" : "");
}

static int passed(const ts_ring *r, const ts_ring_node *n)
{
    return n->width + r->w->tagw;
}

/* ---- ts_fork, ts_merge, ts_route */

static ts_cost fork_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    return ts_cost_fork(map, passed(r, n), n->half);
}

const ts_module ts_module_fork = {
    .name = "ts_fork",
    .in = {"s"},
    .out = {"m0", "m1"},
    .takes = {TS_IN_DATA},
    .gives = {TS_IN_DATA, TS_IN_DATA},
    .parameters = width_parameters,
    .cost = fork_cost,
    .time = slice_time,
};

static ts_cost merge_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    return ts_cost_merge(map, passed(r, n), n->half);
}

const ts_module ts_module_merge = {
    .name = "ts_merge",
    .in = {"p", "s"},
    .out = {"m"},
    .takes = {TS_IN_DATA, TS_IN_DATA},
    .gives = {TS_IN_DATA},
    .parameters = width_parameters,
    .cost = merge_cost,
    .time = slice_time,
};

/* Tokens of the last layer leave. */
static void route_controls(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, ", .s_sel(%s_tag[LW-1:0] == %d'd%d)", ts_print_stream(p, n->in[0]), p->ring->w->lw, p->ring->im->layers - 1);
}

static ts_cost route_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    ts_cost route = ts_cost_route(map, passed(r, n), n->half);
    /* The top level's own logic: the next layer's number, and whether this is the last. */
    ts_cost_add(&route, 1, (ts_cost){.yosys = {.lut = r->w->lw + 1}, .device = {.lut = r->w->lw + 1}});
    return route;
}

const ts_module ts_module_route = {
    .name = "ts_route",
    .in = {"s"},
    .out = {"m0", "m1"},
    .takes = {TS_IN_DATA},
    .gives = {TS_IN_DATA, TS_IN_DATA},
    .parameters = width_parameters,
    .controls = route_controls,
    .cost = route_cost,
    .time = slice_time,
};

/* ---- ts_radd: branch and residual; the branch's tag goes on */

static void radd_parameters(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, ".D(%d), .W(%d), .TAGW(TAGW), .NR(%d)%s", p->ring->im->d, p->ring->w->res_w, p->ring->plan->sum_lanes,
             n->half ? ", .HALF(1)" : "");
}

static ts_cost radd_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    return ts_cost_radd(map, r->im->d, r->w->res_w, r->w->tagw, r->plan->sum_lanes, n->half);
}

static void radd_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const int steps = ts_ceil_div(r->im->d, r->plan->sum_lanes), latency = steps > 1 ? steps + 2 : 2;
    t->stage = (ts_stage_time){.latency = latency, .ii = steps > 1 ? latency : 1, .room = 1, .takes = steps - 1, .pages = TS_LIN_COUNT};
}

const ts_module ts_module_radd = {
    .name = "ts_radd",
    .in = {"a", "b"},
    .out = {"m"},
    .takes = {TS_WITH_TAG, TS_WITHOUT_TAG},
    .watched = true,
    .parameters = radd_parameters,
    .cost = radd_cost,
    .time = radd_time,
};

/* ---- ts_admit: lengths are checked, and events let in; node->width: bits of a hit */

static void admit_print(ts_printer *p, const ts_ring_node *n)
{
    const ts_imodel *im = p->ring->im;
    const ts_ports ports = ts_ports_of(im, p->ring->plan);
    const int in_w = p->ring->w->in_w;
    const char *hit = ts_print_stream(p, n->out[0]);
    ts_print_wires(p, n);
    ts_print(p, "    wire event_final, fate_valid, fate_ready;\n    wire [1:0] fate; // {error, refused}\n");
    const char *watch = ts_print_fault(p, n);
    ts_print(p, "    wire [%d:0] hit_in = {", n->width - 1);
    for (int i = im->features - 1; i >= 0; i--)
        ts_print(p, "s_hit_data[%d +: %d]%s", i * ports.hit_lane, in_w, i ? ", " : "};\n");
    if (in_w < ports.hit_lane)
        ts_print_unused(p, "s_hit_data");
    ts_print(p,
             "    ts_admit #(.WIDTH(%d), .NMAX(%d), .LW(LW), .TAGW(TAGW), .QDEPTH(%d)%s) u_%s (\n"
             "        .clk(clk), .rst(rst), .ev_final(event_final), %s,\n"
             "        .s_valid(s_hit_valid), .s_ready(s_hit_ready), .s_data(hit_in), .s_last(s_hit_last),\n"
             "        .s_refused(s_hit_refused), .s_error(s_hit_error),\n        ",
             n->width, p->ring->plan->n_max, p->ring->plan->refusal_depth, n->half ? ", .HALF(1)" : "", n->name, watch);
    ts_print_tagged(p, "m", hit);
    ts_print(p, ",\n        .d_valid(fate_valid), .d_ready(fate_ready), .d_data(fate));\n\n");
}

static ts_cost admit_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    return ts_cost_admit(map, n->width, r->plan->n_max, r->w->tagw, r->plan->refusal_depth, n->half);
}

const ts_module ts_module_admit = {
    .name = "ts_admit",
    .out = {"m"},
    .watched = true,
    .print = admit_print,
    .cost = admit_cost,
    .time = slice_time,
};

/* ---- ts_argmax */

static void argmax_bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    b->in[0] = r->plan->lin[n->id].nr * r->w->lin[n->id].yw;
    b->out[0] = 64;
}

static void argmax_print(ts_printer *p, const ts_ring_node *n)
{
    const ts_lin_widths *w = ts_node_lin(p->ring, n);
    const ts_lin_fold *f = &p->ring->plan->lin[n->id];
    const char *in = ts_print_stream(p, n->in[0]), *out = ts_print_stream(p, n->out[0]);
    ts_print(p,
             "    wire %s_valid, %s_ready;\n    wire [63:0] %s_data; // {class, value}\n    wire [TAGW-1:0] %s_tag;\n"
             "    ts_argmax #(.M(%d), .PM(%d), .NR(%d), .YW(%d), .TAGW(TAGW)) u_%s (\n        .clk(clk), .rst(rst),\n        ",
             out, out, out, out, w->m, f->pm, f->nr, w->yw, n->name);
    ts_print_tagged(p, "s", in);
    ts_print(p, ", .s_eot(%s_eot),\n        ", in);
    ts_print_tagged(p, "m", out);
    ts_print(p, ");\n\n");
}

static ts_cost argmax_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_lin_fold *f = &r->plan->lin[n->id];
    return ts_cost_argmax(map, ts_node_lin(r, n)->m, f->pm, f->nr, ts_node_lin(r, n)->yw, r->w->tagw);
}

static void argmax_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    t->stage = (ts_stage_time){.latency = ts_tree_cycles(r->plan->lin[n->id].nr, 1) + 4, .ii = 1, .room = 1, .pages = TS_LIN_COUNT};
}

const ts_module ts_module_argmax = {
    .name = "ts_argmax",
    .in = {"s"},
    .out = {"m"},
    .bits = argmax_bits,
    .print = argmax_print,
    .cost = argmax_cost,
    .time = argmax_time,
};

/* ---- ts_output: results in the order of the events, and refusals between them */

typedef struct lanes {
    int count, bits;
    bool is_signed;
} lanes;

static lanes lanes_of(const ts_ring *r)
{
    const ts_imodel *im = r->im;
    if (im->head_count == 0)
        return (lanes){im->d, r->w->res_w, true};
    if (r->plan->argmax)
        return (lanes){2, 32, true};
    const int last = TS_LIN_HEAD0 + im->head_count - 1;
    return (lanes){r->plan->lin[last].nr, r->w->lin[last].yw, r->w->lin[last].ysigned};
}

static void output_bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    const lanes l = lanes_of(r);
    b->in[0] = l.count * l.bits;
}

static void output_print(ts_printer *p, const ts_ring_node *n)
{
    const lanes l = lanes_of(p->ring);
    const ts_ports ports = ts_ports_of(p->ring->im, p->ring->plan);
    ts_print(p,
             "    ts_output #(.OPW(%d), .YW(%d), .YSIGNED(%d), .LANEW(%d), .BPT(%d), .LW(LW), .TAGW(TAGW), .ZEROS(%d)%s) u_%s (\n"
             "        .clk(clk), .rst(rst),\n        ",
             l.count, l.bits, l.is_signed, ports.out_lane, ports.beats, p->ring->im->head_count > 0, n->half ? ", .HALF(1)" : "", n->name);
    const bool pages = p->pages.stages, parity = ts_plan_has_parity(p->ring->plan);
    const char *marked = pages && parity ? "(page_fate || parity_fate)" : pages ? "page_fate" : "parity_fate";
    /* A refused event used no page: the flag that waits is the next one's. Nor has it words. */
    ts_print(p, ".d_valid(fate_valid), .d_ready(fate_ready), .d_data(%s),\n        ",
             pages || parity ? ts_printf(p->arena, "{fate[1] || (%s && !fate[0]), fate[0]}", marked) : "fate");
    ts_print_tagged(p, "s", ts_print_stream(p, n->in[0]));
    ts_print(
        p, ",\n        .m_valid(m_out_valid), .m_ready(m_out_ready), .m_data(m_out_data), .m_last(m_out_last), .m_refused(m_out_refused),\n"
           "        .m_error(m_out_error));\n\n");
}

static ts_cost output_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const lanes l = lanes_of(r);
    return ts_cost_output(map, l.count, l.bits, ts_ports_of(r->im, r->plan).beats, r->im->head_count > 0, n->half);
}

static void output_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    slice_time(r, n, forming, t);
    t->stage.room = r->plan->half ? 1 : 2;
}

const ts_module ts_module_output = {
    .name = "ts_output",
    .in = {"s"},
    .bits = output_bits,
    .print = output_print,
    .cost = output_cost,
    .time = output_time,
};

/* ---- ts_watch: the faults of all nodes */

static void watch_print(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p,
             "    // ---- Overflows and underflows, which there are none of\n"
             "    ts_watch #(.N(%d)) u_%s (\n        .clk(clk), .rst(rst), .bad({%s}), .fault(fault));\n\n",
             p->fault_count, n->name, p->faults);
}

static ts_cost watch_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    int watched = 0;
    for (int i = 0; i < r->nodes; i++)
        watched += ts_module_of(r->node[i].module)->watched;
    return ts_cost_watch(map, watched, watched);
}

const ts_module ts_module_watch = {.name = "ts_watch", .print = watch_print, .cost = watch_cost};

/* ---- Wires */

static void turn_print(ts_printer *p, const ts_ring_node *n)
{
    const char *in = ts_print_stream(p, n->in[0]), *out = ts_print_stream(p, n->out[0]);
    ts_print(p,
             "    assign %s_valid  = %s_valid;\n"
             "    assign %s_ready = %s_ready;\n"
             "    assign %s_data   = %s_data;\n"
             "    assign %s_tag    = {%s_tag[TAGW-1:LW], %s_tag[LW-1:0] + 1'b1};\n\n",
             out, in, in, out, out, in, out, in, in);
}

const ts_module ts_module_turn = {.print = turn_print, .passes_ready = true};

/* node->id: a stream with whose last token of the last layer an event ends; TS_NO_STREAM: attention says so, or nobody has to. */
static void final_print(ts_printer *p, const ts_ring_node *n)
{
    if (n->id == TS_NO_STREAM) {
        ts_print(p, "    assign event_final = 1'b1;\n\n");
        return;
    }
    const char *s = ts_print_stream(p, n->id);
    ts_print(p, "    assign event_final = %s_valid && %s_ready && %s_tag[LW] && %s_tag[LW-1:0] == %d'd%d;\n\n", s, s, s, s, p->ring->w->lw,
             p->ring->im->layers - 1);
}

const ts_module ts_module_final = {.print = final_print};
