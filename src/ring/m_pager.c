/* ts_pager: loader, gates and flags of the stages whose weights come from external memory, and the register of the bus that fills their
   page buffers. docs/paging.md. */
#include "ring/module.h"

#include "ring/page_format.h"

/* ---- Verilog */

/* The streams in front of a paged stage and behind it. */
static const char *stream_of(const ts_printer *p, ts_lin_id stage, bool behind)
{
    for (int i = 0; i < p->ring->nodes; i++) {
        const ts_ring_node *n = &p->ring->node[i];
        if (n->module == TS_MODULE_LINEAR && n->id == (int)stage)
            return ts_print_stream(p, behind ? n->out[0] : n->in[0]);
    }
    BUG("a page of a stage that the ring has not");
}

/* {of the last stage ..., of stage 0}, a part of their streams or a number of each. */
static void together(ts_printer *p, const char *port, bool behind, const char *suffix)
{
    ts_print(p, ".%s({", port);
    for (int s = p->pages.stages - 1; s >= 0; s--)
        ts_print(p, "%s%s%s", stream_of(p, p->pages.stage[s].lin, behind), suffix, s ? ", " : "})");
}

typedef struct numbers {
    int of[TS_PAGED_STAGES];
} numbers;

static void constants(ts_printer *p, const char *name, int width, const numbers *n)
{
    ts_print(p, ".%s({", name);
    for (int s = p->pages.stages - 1; s >= 0; s--)
        ts_print(p, "%d'd%d%s", width, n->of[s], s ? ", " : "})");
}

static void print(ts_printer *p, const ts_ring_node *n)
{
    const ts_page_order *order = &p->pages;
    const ts_plan *plan = p->ring->plan;
    const char *fault = ts_print_fault(p, n);
    numbers buffers = {{0}}, words = {{0}}, groups = {{0}}, turns = {{0}};
    ts_print(p, "    // ---- Pages of");
    for (int s = 0; s < order->stages; s++) {
        const ts_page_stage *stage = &order->stage[s];
        buffers.of[s] = stage->buffers;
        words.of[s] = stage->words;
        groups.of[s] = stage->groups;
        turns.of[s] = stage->turns;
        ts_print(p, "%s %s (%d %s of %d x %d bits)", s ? "," : "", ts_lin_name(stage->lin), stage->buffers,
                 stage->buffers > 1 ? "buffers" : "buffer", stage->words, stage->width);
    }
    ts_print(
        p,
        " from external memory\n"
        "    ts_pager #(\n"
        "        .STAGES(%d), .COUNT(%d), .LANES(%d), .RETRIES(%d), .BURSTS(%d), .ADDRW(%d), .LW(LW), .TAGW(TAGW), .EVW(%d), .LATE(%d),\n"
        "        .SCHEDULE({",
        order->stages, order->count, plan->paging.lanes, TS_PAGE_RETRIES, plan->paging.bursts, TS_PAGE_ADDRESS_BITS,
        ts_page_event_bits(plan), ts_page_late(plan, order));
    for (int i = order->count - 1; i >= 0; i--)
        ts_print(p, "8'd%d%s", order->transfer[i].stage, i ? i % 16 ? ", " : ",\n            " : "}),\n        ");
    constants(p, "BUFFERS", 2, &buffers);
    ts_print(p, ", ");
    constants(p, "WORDS", 16, &words);
    ts_print(p, ",\n        ");
    constants(p, "GROUPS", 8, &groups);
    ts_print(p, ", ");
    constants(p, "TURNS", 8, &turns);
    ts_print(
        p,
        "\n    ) u_%s (\n"
        "        .clk(clk), .rst(rst), .run(page_run), .idle(page_idle), .base(page_base), .error(page_error), .retries(page_retries),\n"
        "        .late(page_late), .stalls(page_stalls), .m_axi_arvalid(m_axi_arvalid), .m_axi_arready(m_axi_arready),\n"
        "        .m_axi_araddr(m_axi_araddr), .m_axi_arlen(m_axi_arlen), .m_axi_arsize(m_axi_arsize), .m_axi_arburst(m_axi_arburst),\n"
        "        .m_axi_rvalid(m_axi_rvalid), .m_axi_rready(m_axi_rready), .m_axi_rdata(m_axi_rdata), .m_axi_rresp(m_axi_rresp),\n"
        "        .m_axi_rlast(m_axi_rlast), .w_stage(page_we), .w_group(page_group), .w_address(page_address), .w_data(page_data),\n       "
        " ",
        n->name);
    together(p, "g_valid", false, "_valid");
    ts_print(p, ", .g_ready(page_g_ready), ");
    together(p, "g_tag", false, "_tag");
    ts_print(p, ",\n        .t_valid(page_t_valid), .t_ready(page_t_ready), .page(page_buffer),\n        ");
    together(p, "o_valid", true, "_valid");
    ts_print(p, ", ");
    together(p, "o_ready", true, "_ready");
    ts_print(p, ",\n        ");
    together(p, "o_tag", true, "_tag");
    ts_print(p,
             ",\n        .out_done(fate_valid && fate_ready && !fate[0]), .out_error(page_fate), %s);\n"
             "    // A register on the way to the stages.\n"
             "    ts_delay #(.WIDTH(%d), .CYCLES(1)) u_page_bus (\n"
             "        .clk(clk), .in({page_we, page_group, page_address, page_data}), .out({page_we_1, page_group_1, page_address_1, "
             "page_data_1}));\n\n",
             fault, order->stages + 24 + 72 * plan->paging.lanes);
}

/* ---- Cost */

static ts_cost cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    enum {
        OFFSET_BITS = 32, /* of beats from the image's base */
        LATE = 1 << 15,   /* cycles after which a page is late, about */
    };
    const ts_paging *port = &r->plan->paging;
    const int event_bits = clog2(r->plan->refusal_depth + 4);
    ts_cost sum = {.yosys = {.lut = 0}};
    int stages = 0, count = 0;
    for (int i = 0; i < TS_PAGED_STAGES; i++) {
        const ts_lin_id id = ts_paged_stage[i];
        int turns = 0;
        if (!r->plan->lin[id].buffers)
            continue;
        for (int layer = 0; layer < r->im->layers; layer++)
            turns += ts_ring_lin(r->im, id, layer) != NULL;
        ts_cost_add(&sum, 1, ts_cost_page_gate(map, r->plan->lin[id].buffers, turns, event_bits, LATE));
        count += turns;
        stages++;
    }
    ts_cost_add(&sum, 1, ts_cost_page_loader(map, stages, count, port->lanes, port->bursts, TS_PAGE_ADDRESS_BITS, OFFSET_BITS));
    ts_cost_add(&sum, 1, ts_cost_page_poison(map, stages, event_bits));
    ts_cost_add(&sum, 1, ts_cost_watch(map, stages + 1, stages + 1));
    /* The bus to the page memories passes through a register: one-hot stage, group, address, data. */
    ts_cost_add(&sum, 1, ts_cost_delay(map, stages + 8 + 16 + TS_PAGE_SLICE * port->lanes, 1));
    return sum;
}

const ts_module ts_module_pager = {.name = "ts_pager", .watched = true, .print = print, .cost = cost};
