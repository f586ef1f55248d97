#include "emit/top_pages.h"

void ts_page_wires(FILE *f, const ts_plan *plan, const ts_page_order *order)
{
    if (!order->stages)
        return;
    const int last = order->stages - 1;
    fprintf(f,
            "    // ---- Pages: the handshakes behind the gates, which buffer a token reads, the bus that writes the buffers; bit s: stage "
            "s of\n"
            "    // u_pager\n"
            "    wire [%d:0] page_g_ready, page_t_valid, page_t_ready, page_buffer, page_we, page_we_1;\n"
            "    wire [7:0] page_group, page_group_1;\n"
            "    wire [15:0] page_address, page_address_1;\n"
            "    wire [%d:0] page_data, page_data_1;\n"
            "    wire page_fate; // the event whose last result is next used a bad page\n\n",
            last, 72 * plan->paging.lanes - 1);
}

int ts_page_stage_of(const ts_page_order *order, ts_lin_id lin)
{
    for (int s = 0; s < order->stages; s++)
        if (order->stage[s].lin == lin)
            return s;
    return -1;
}

/* {stream of the last stage ..., stream of stage 0}. */
static void together(FILE *f, const char *port, const ts_page_order *order, const char *const *stream, const char *suffix)
{
    fprintf(f, ".%s({", port);
    for (int s = order->stages - 1; s >= 0; s--)
        fprintf(f, "%s%s%s", stream[s], suffix, s ? ", " : "})");
}

typedef int (*number)(const ts_page_stage *stage);

static int buffers_of(const ts_page_stage *stage)
{
    return stage->buffers;
}

static int words_of(const ts_page_stage *stage)
{
    return stage->words;
}

static int groups_of(const ts_page_stage *stage)
{
    return stage->groups;
}

static int turns_of(const ts_page_stage *stage)
{
    return stage->turns;
}

static void constants(FILE *f, const char *name, const ts_page_order *order, int width, number of)
{
    fprintf(f, ".%s({", name);
    for (int s = order->stages - 1; s >= 0; s--)
        fprintf(f, "%d'd%d%s", width, of(&order->stage[s]), s ? ", " : "})");
}

void ts_pager(FILE *f, const ts_plan *plan, const ts_page_order *order, const char *const *in, const char *const *to, const char *fault)
{
    fprintf(f, "    // ---- Pages of");
    for (int s = 0; s < order->stages; s++)
        fprintf(f, "%s %s (%d %s of %d x %d bits)", s ? "," : "", ts_lin_name(order->stage[s].lin), order->stage[s].buffers,
                order->stage[s].buffers > 1 ? "buffers" : "buffer", order->stage[s].words, order->stage[s].width);
    fprintf(
        f,
        " from external memory\n"
        "    ts_pager #(\n"
        "        .STAGES(%d), .COUNT(%d), .LANES(%d), .RETRIES(%d), .BURSTS(%d), .ADDRW(%d), .LW(LW), .TAGW(TAGW), .EVW(%d), .LATE(%d),\n"
        "        .SCHEDULE({",
        order->stages, order->count, plan->paging.lanes, TS_PAGE_RETRIES, plan->paging.bursts, TS_PAGE_ADDRESS_BITS,
        ts_page_event_bits(plan), ts_page_late(plan, order));
    for (int i = order->count - 1; i >= 0; i--)
        fprintf(f, "8'd%d%s", order->transfer[i].stage, i ? i % 16 ? ", " : ",\n            " : "}),\n        ");
    constants(f, "BUFFERS", order, 2, buffers_of);
    fprintf(f, ", ");
    constants(f, "WORDS", order, 16, words_of);
    fprintf(f, ",\n        ");
    constants(f, "GROUPS", order, 8, groups_of);
    fprintf(f, ", ");
    constants(f, "TURNS", order, 8, turns_of);
    fprintf(
        f, "\n    ) u_pager (\n"
           "        .clk(clk), .rst(rst), .run(page_run), .idle(page_idle), .base(page_base), .error(page_error), .retries(page_retries),\n"
           "        .late(page_late), .stalls(page_stalls), .m_axi_arvalid(m_axi_arvalid), .m_axi_arready(m_axi_arready),\n"
           "        .m_axi_araddr(m_axi_araddr), .m_axi_arlen(m_axi_arlen), .m_axi_arsize(m_axi_arsize), .m_axi_arburst(m_axi_arburst),\n"
           "        .m_axi_rvalid(m_axi_rvalid), .m_axi_rready(m_axi_rready), .m_axi_rdata(m_axi_rdata), .m_axi_rresp(m_axi_rresp),\n"
           "        .m_axi_rlast(m_axi_rlast), .w_stage(page_we), .w_group(page_group), .w_address(page_address), .w_data(page_data),\n    "
           "    ");
    together(f, "g_valid", order, in, "_valid");
    fprintf(f, ", .g_ready(page_g_ready), ");
    together(f, "g_tag", order, in, "_tag");
    fprintf(f, ",\n        .t_valid(page_t_valid), .t_ready(page_t_ready), .page(page_buffer),\n        ");
    together(f, "o_valid", order, to, "_valid");
    fprintf(f, ", ");
    together(f, "o_ready", order, to, "_ready");
    fprintf(f, ",\n        ");
    together(f, "o_tag", order, to, "_tag");
    fprintf(f,
            ",\n        .out_done(fate_valid && fate_ready && !fate[0]), .out_error(page_fate), %s);\n"
            "    // A register on the way to the stages.\n"
            "    ts_delay #(.WIDTH(%d), .CYCLES(1)) u_page_bus (\n"
            "        .clk(clk), .in({page_we, page_group, page_address, page_data}), .out({page_we_1, page_group_1, page_address_1, "
            "page_data_1}));\n\n",
            fault, order->stages + 24 + 72 * plan->paging.lanes);
}
