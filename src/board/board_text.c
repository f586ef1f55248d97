/* The top of a board in Verilog. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "board/registers.h"
#include "emit/port_text.h"

enum { FIFO_DEPTH = 16, PAGE_BEATS = 64, EVENTS_BESIDE = 4 /* in the rings, beside those whose fate waits */ };

/* The top's ports of one interface, or the connections of an instance to wires of the same names. */
static void bus_ports(FILE *f, const ts_bus *bus)
{
    ts_bus_signal signal[TS_BUS_SIGNALS_MAX];
    const int count = ts_bus_signals(bus, signal);
    for (int i = 0; i < count; i++) {
        fprintf(f, ",\n    %s wire ", signal[i].output ? "output" : "input ");
        if (signal[i].bits > 1)
            fprintf(f, "[%d:0] ", signal[i].bits - 1);
        fprintf(f, "%s_%s", bus->name, signal[i].name);
    }
}

static void header(FILE *f, const ts_board *b)
{
    fprintf(f, "// %s on a board: AXI on the bus clock (aclk) around the engine (engine_clk, %g MHz planned). Made by tessera.\n",
            b->system->im->name, b->clock[TS_CLOCK_ENGINE].mhz);
    if (b->takes_hits)
        fprintf(f, "// s_axis_hits: hits in slots of bytes or whole words of %d, rtl/ts_axis_in.v; TLAST ends an event.\n",
                b->bus_bits / 8);
    if (b->gives_results)
        fprintf(f, "// m_axis_results: rtl/ts_axis_out.v; TUSER = {error, refused} with the last word.\n");
    for (int n = 0; n < b->links; n++)
        fprintf(f,
                "// s_axis_link%d, m_axis_link%d: words of the link %s device %d, on link%d_clk; what comes is always taken. link%d_up: of "
                "that "
                "clock.\n",
                n, n, b->link[n].sends ? "to" : "from", b->link[n].peer, n, n);
    fprintf(f,
            "// s_axi_control: AXI4-Lite, registers.md. interrupt: a level, of aclk.\n"
            "// aresetn: asynchronous, released in each clock by rtl/ts_reset.v. Crossings: ts_async_fifo, ts_sync and ts_reset alone.\n"
            "`default_nettype none\n\n"
            "module %s #(\n    parameter MEM = \"%s\" // where %s\n) (\n"
            "    input  wire aclk,\n"
            "    input  wire aresetn,\n"
            "    input  wire engine_clk,\n",
            b->top, b->rings > 1 ? "./" : "mem/", b->rings > 1 ? "the rings' images are, part0/mem/ ..." : "the memory images are");
    for (int n = 0; n < b->links; n++)
        fprintf(f, "    input  wire link%d_clk,\n    input  wire link%d_up,\n", n, n);
    fprintf(f, "    output wire interrupt");
    for (int i = 0; i < b->buses; i++)
        bus_ports(f, &b->bus[i]);
    fprintf(f, "\n);\n");
}

static void resets(FILE *f, const ts_board *b)
{
    fprintf(f, "    // ---- Resets, one a clock\n"
               "    wire bus_rst, rst;\n"
               "    ts_reset u_bus_reset (.clk(aclk), .arst(!aresetn), .rst(bus_rst));\n"
               "    ts_reset u_engine_reset (.clk(engine_clk), .arst(!aresetn), .rst(rst));\n");
    for (int n = 0; n < b->links; n++)
        fprintf(f, "    wire link%d_rst;\n    ts_reset u_link%d_reset (.clk(link%d_clk), .arst(!aresetn), .rst(link%d_rst));\n", n, n, n,
                n);
    fprintf(f, "\n");
}

/* ---- Streams */

static const char
    hits_ports[] = ".s_axis_tvalid(s_axis_hits_tvalid), .s_axis_tready(s_axis_hits_tready),\n"
                   "        .s_axis_tdata(s_axis_hits_tdata), .s_axis_tkeep(s_axis_hits_tkeep), .s_axis_tlast(s_axis_hits_tlast)",
    results_ports[] =
        ".m_axis_tvalid(m_axis_results_tvalid), .m_axis_tready(m_axis_results_tready), .m_axis_tdata(m_axis_results_tdata),\n"
        "        .m_axis_tkeep(m_axis_results_tkeep), .m_axis_tlast(m_axis_results_tlast), .m_axis_tuser(m_axis_results_tuser)";

static void hits_and_results(FILE *f, const ts_board *b, int hit, int out)
{
    fprintf(f,
            "    ts_axis_io #(.BUSW(%d), .HITW(%d), .OUTW(%d), .DEPTH(%d), .STATUS(%d)) u_io (\n"
            "        .bus_clk(aclk), .bus_rst(bus_rst), %s,\n"
            "        %s,\n"
            "        .clk(engine_clk), .rst(rst), .s_hit_valid(hit_valid), .s_hit_ready(hit_ready), .s_hit_data(hit_data), "
            ".s_hit_last(hit_last),\n"
            "        .s_hit_refused(hit_refused), .s_hit_error(hit_error), .m_out_valid(out_valid), .m_out_ready(out_ready),\n"
            "        .m_out_data(out_data), .m_out_last(out_last), .m_out_refused(out_refused), .m_out_error(out_error));\n",
            b->bus_bits, hit, out, FIFO_DEPTH, b->status_word, hits_ports, results_ports);
}

/* Of the first of several devices. */
static void hits_alone(FILE *f, const ts_board *b, int hit)
{
    fprintf(
        f,
        "    wire in_valid, in_ready, in_last, in_refused, in_error;\n    wire [%d:0] in_data;\n"
        "    ts_axis_in #(.BUSW(%d), .HITW(%d)) u_in (\n"
        "        .clk(aclk), .rst(bus_rst), %s,\n"
        "        .m_valid(in_valid), .m_ready(in_ready), .m_data(in_data), .m_last(in_last), .m_refused(in_refused), .m_error(in_error));\n"
        "    ts_async_fifo #(.WIDTH(%d), .DEPTH(%d)) u_hits (\n"
        "        .s_clk(aclk), .s_rst(bus_rst), .s_valid(in_valid), .s_ready(in_ready), .s_data({in_error, in_refused, in_last, "
        "in_data}),\n"
        "        .m_clk(engine_clk), .m_rst(rst), .m_valid(hit_valid), .m_ready(hit_ready),\n"
        "        .m_data({hit_error, hit_refused, hit_last, hit_data}));\n",
        hit - 1, b->bus_bits, hit, hits_ports, hit + 3, FIFO_DEPTH);
}

/* Of the last of several devices. */
static void results_alone(FILE *f, const ts_board *b, int out)
{
    fprintf(f,
            "    wire to_valid, to_ready, to_last, to_refused, to_error;\n    wire [%d:0] to_data;\n"
            "    ts_async_fifo #(.WIDTH(%d), .DEPTH(%d)) u_results (\n"
            "        .s_clk(engine_clk), .s_rst(rst), .s_valid(out_valid), .s_ready(out_ready),\n"
            "        .s_data({out_error, out_refused, out_last, out_data}), .m_clk(aclk), .m_rst(bus_rst), .m_valid(to_valid),\n"
            "        .m_ready(to_ready), .m_data({to_error, to_refused, to_last, to_data}));\n"
            "    ts_axis_out #(.BUSW(%d), .OUTW(%d), .STATUS(%d)) u_out (\n"
            "        .clk(aclk), .rst(bus_rst), .s_valid(to_valid), .s_ready(to_ready), .s_data(to_data), .s_last(to_last),\n"
            "        .s_refused(to_refused), .s_error(to_error), %s);\n",
            out - 1, out + 3, FIFO_DEPTH, b->bus_bits, out, b->status_word, results_ports);
}

/* An end of a link: tokens are the rings' hits, or their results. The other half of it has nothing to do. */
static void link_end(FILE *f, ts_arena *arena, const ts_board *b, int n)
{
    static const char *const signals[] = {"valid", "ready", "data", "last", "refused", "error"};
    const ts_board_link *link = &b->link[n];
    const ts_link_ends ends = ts_board_link_ends(link);
    const char *l = ts_printf(arena, "link%d", n);
    fprintf(f,
            "    wire %s_seen_up, %s_fault;\n    wire [223:0] %s_counts;\n    wire [%d:0] %s_idle;\n    wire [%d:0] %s_none;\n"
            "    ts_link_io #(.SEND(%d), .RECEIVE(%d), .TOKW(%d), .LINKW(%d), .PACKET(%d), .DEPTH(%d), .NMAX(%d), .CREDIT(%d), .BEAT(%d),\n"
            "                 .TIMEOUT(%d)) u_%s (\n"
            "        .clk(engine_clk), .rst(rst)",
            l, l, l, link->sends ? 3 : 0, l, link->token_bits - 1, l, link->sends, !link->sends, link->token_bits, link->way.word_bits,
            ends.packet, ends.depth, b->max_tokens, ends.credit, ends.beat, ends.timeout, l);
    for (int out = 0; out < 2; out++) /* of ts_link_io: s takes, m gives */
        for (int i = 0, none = 0; i < 6; i++) {
            const bool used = out != link->sends, driven = (i == 1) != out; /* by ts_link_io */
            fprintf(f, ",%s.%c_%s(", i % 6 ? " " : "\n        ", out ? 'm' : 's', signals[i]);
            if (used)
                fprintf(f, "%s_%s)", link->sends ? "out" : "hit", signals[i]);
            else if (!driven)
                fprintf(f, i == 2 ? "%d'd0)" : "%d'b0)", i == 2 ? link->token_bits : 1);
            else if (i == 2)
                fprintf(f, "%s_none)", l);
            else
                fprintf(f, "%s_idle[%d])", l, none++);
        }
    fprintf(f,
            ",\n        .up(%s_seen_up), .fault(%s_fault), .counts(%s_counts), .link_clk(%s_clk), .link_rst(%s_rst), .link_up(%s_up),\n"
            "        .s_axis_tvalid(s_axis_%s_tvalid), .s_axis_tdata(s_axis_%s_tdata), .m_axis_tvalid(m_axis_%s_tvalid),\n"
            "        .m_axis_tready(m_axis_%s_tready), .m_axis_tdata(m_axis_%s_tdata));\n",
            l, l, l, l, l, l, l, l, l, l, l);
    if (!link->sends)
        fprintf(f, "    assign %s_none = %d'd0;\n", l, link->token_bits);
    fprintf(f, "    wire unused_%s = &{1'b0, %s_idle, %s_none};\n", l, l, l);
}

static void streams(FILE *f, ts_arena *arena, const ts_board *b)
{
    const int hit = b->features * b->ports.hit_lane, out = b->ports.lanes * b->ports.out_lane;
    fprintf(f,
            "    // ---- Streams: words to hits, results to words; tokens from and to links\n"
            "    wire hit_valid, hit_ready, hit_last, hit_refused, hit_error;\n    wire [%d:0] hit_data;\n"
            "    wire out_valid, out_ready, out_last, out_refused, out_error;\n    wire [%d:0] out_data;\n",
            hit - 1, out - 1);
    if (b->takes_hits && b->gives_results)
        hits_and_results(f, b, hit, out);
    else if (b->takes_hits)
        hits_alone(f, b, hit);
    else if (b->gives_results)
        results_alone(f, b, out);
    for (int n = 0; n < b->links; n++)
        link_end(f, arena, b, n);
    fprintf(f, "\n");
}

/* ---- Registers */

static int width_of(const ts_registers *r, const char *name)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->list[i].name, name) == 0)
            return r->list[i].bits;
    BUG("no such register");
}

/* Signals where registers.def has their bits; those that the board has nothing for are 0. */
static void bits(FILE *f, const ts_registers *r)
{
    enum { STATUS, HAPPENED, VECTORS };
    static const char *const vector[VECTORS] = {"status", "happened"};
    static const struct {
        int of, at;
        const char *signal;
    } all[] = {{STATUS, TS_AT_STATUS_IDLE, "idle"},
               {STATUS, TS_AT_STATUS_RESETTING, "resetting"},
               {STATUS, TS_AT_STATUS_FAULT, "fault_seen"},
               {STATUS, TS_AT_STATUS_PAGE_ERROR, "page_error_seen"},
               {STATUS, TS_AT_STATUS_PAGE_IDLE, "page_idle"},
               {STATUS, TS_AT_STATUS_PARITY, "parity_seen"},
               {STATUS, TS_AT_STATUS_LINK_FAULT, "link_fault_seen"},
               {HAPPENED, TS_AT_INTERRUPT_RESULT, "out_valid && out_ready && out_last"},
               {HAPPENED, TS_AT_INTERRUPT_FAULT, "any_fault && !fault_seen"},
               {HAPPENED, TS_AT_INTERRUPT_DRAINED, "drained"},
               {HAPPENED, TS_AT_INTERRUPT_PAGE_ERROR, "page_error && !page_error_seen"},
               {HAPPENED, TS_AT_INTERRUPT_PARITY, "|parity_error"},
               {HAPPENED, TS_AT_INTERRUPT_LINK_FAULT, "link_fault"}};
    const int width[VECTORS] = {width_of(r, "STATUS"), width_of(r, "INTERRUPT")};
    for (int v = 0; v < VECTORS; v++) {
        fprintf(f, "    wire [%d:0] %s;\n", width[v] - 1, vector[v]);
        for (int at = 0; at < width[v]; at++) {
            const char *signal = "1'b0";
            for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                if (all[i].of == v && all[i].at == at)
                    signal = all[i].signal;
            fprintf(f, "    assign %s[%d] = %s;\n", vector[v], at, signal);
        }
    }
}

/* The register file is in the engine clock: every access goes there and its answer comes back, so that a driver sees whether that clock
 * runs. */
static void registers(FILE *f, ts_arena *arena, const ts_board *b, const ts_registers *r)
{
    fprintf(f, "    // ---- Registers, in the engine clock\n"
               "    wire ask_valid, ask_ready, ask_write, q_valid, q_write, a_valid, a_hit, answer_valid, answer_hit;\n"
               "    wire [11:0] ask_address, q_address;\n    wire [31:0] ask_data, q_data, a_data, answer_data;\n    wire [3:0] "
               "ask_strobe, q_strobe;\n"
               "    ts_axil #(.ADDRW(12)) u_axil (\n"
               "        .clk(aclk), .rst(bus_rst)");
    ts_bus_signal signal[TS_BUS_SIGNALS_MAX];
    const int signals = ts_bus_signals(&b->bus[0], signal);
    for (int i = 0; i < signals; i++)
        fprintf(f, ",%s.s_axi_%s(s_axi_control_%s)", i % 3 ? " " : "\n        ", signal[i].name, signal[i].name);
    fprintf(
        f,
        ",\n        .q_valid(ask_valid), .q_ready(ask_ready), .q_write(ask_write), .q_address(ask_address), .q_data(ask_data), "
        ".q_strobe(ask_strobe),\n"
        "        .a_valid(answer_valid), .a_hit(answer_hit), .a_data(answer_data));\n"
        "    ts_async_fifo #(.WIDTH(49), .DEPTH(4)) u_ask (\n"
        "        .s_clk(aclk), .s_rst(bus_rst), .s_valid(ask_valid), .s_ready(ask_ready), .s_data({ask_write, ask_address, ask_strobe, "
        "ask_data}),\n"
        "        .m_clk(engine_clk), .m_rst(rst), .m_valid(q_valid), .m_ready(1'b1), .m_data({q_write, q_address, q_strobe, q_data}));\n"
        "    wire answer_room; // there always is: ts_axil asks once at a time\n"
        "    ts_async_fifo #(.WIDTH(33), .DEPTH(4)) u_answer (\n"
        "        .s_clk(engine_clk), .s_rst(rst), .s_valid(a_valid), .s_ready(answer_room), .s_data({a_hit, a_data}),\n"
        "        .m_clk(aclk), .m_rst(bus_rst), .m_valid(answer_valid), .m_ready(1'b1), .m_data({answer_hit, answer_data}));\n\n"
        "    wire interrupt_level, idle, resetting, drained, ring_rst, ring_fault, drain_fault, count_fault;\n"
        "    wire [511:0] counters;\n    wire page_error, page_idle, pager_run;\n    reg  fault_seen, page_error_seen, link_fault_seen;\n"
        "    wire any_fault = ring_fault || drain_fault || count_fault;\n"
        "    always @(posedge engine_clk) begin\n"
        "        fault_seen      <= !rst && !ring_rst && (fault_seen || any_fault);\n"
        "        page_error_seen <= !rst && !ring_rst && (page_error_seen || page_error);\n"
        "        link_fault_seen <= !rst && !ring_rst && (link_fault_seen || link_fault);\n"
        "    end\n");
    for (int i = 0; i < r->count; i++) { /* what the host writes */
        const ts_register *g = &r->list[i];
        if (g->access == TS_REGISTER_CONTROL || g->access == TS_REGISTER_COMMAND)
            fprintf(f, "    wire %s%s;\n", g->bits > 1 ? ts_printf(arena, "[%d:0] ", g->bits - 1) : "", ts_register_port(arena, g));
    }
    if (b->parity)
        fprintf(
            f,
            "    wire [%d:0] parity_error;\n    wire [%d:0] parity_memory;\n    wire [31:0] parity_count;\n    wire [16:0] parity_where;\n"
            "    wire parity_seen = parity_where[16];\n",
            b->rings - 1, 8 * b->rings - 1);
    else
        fprintf(f, "    wire parity_error = 1'b0, parity_seen = 1'b0;\n");
    fprintf(f, "    wire cfg_we;\n    wire [7:0] cfg_part, cfg_mem;\n    wire [9:0] cfg_slice;\n    wire [15:0] cfg_addr, weight_refused;\n"
               "    wire [71:0] cfg_data;\n    wire [31:0] weight_crc, weight_count;\n");
    bits(f, r);
    for (int k = 0; k < b->loaders; k++)
        fprintf(f, "    wire [15:0] %s_retries;\n    wire [%d:0] %s_late;\n", b->loader[k].registers, b->loader[k].stages - 1,
                b->loader[k].registers);
    fprintf(f, "    wire link_fault = 1'b0");
    for (int n = 0; n < b->links; n++)
        fprintf(f, " || link%d_fault", n);
    fprintf(f, ";\n");
    fprintf(f,
            "    %s_registers u_registers (\n"
            "        .clk(engine_clk), .rst(rst), .q_valid(q_valid), .q_write(q_write), .q_address(q_address), .q_data(q_data), "
            ".q_strobe(q_strobe),\n"
            "        .a_valid(a_valid), .a_hit(a_hit), .a_data(a_data), .interrupt_level(interrupt_level), .counters(counters)",
            b->top);
    for (int n = 0; n < b->links; n++)
        fprintf(f, ", .link%d_counts(link%d_counts)", n, n);
    for (int i = 0, k = 0; i < r->count; i++) {
        const char *port = ts_register_port(arena, &r->list[i]);
        if (port)
            fprintf(f, ",%s.%s(%s)", k++ % 4 ? " " : "\n        ", port, port);
    }
    fprintf(f, ");\n"
               "    ts_sync u_interrupt (.clk(aclk), .in(interrupt_level), .out(interrupt));\n\n");
}

/* ---- The rings, and the reads of their pages */

/* Wires of a page loader have the names that ports of a chain have: "part<r>_m_axi_arvalid". */
static ts_port_list loader_wires(const ts_board *b, const ts_board_loader *l)
{
    const ts_system_ring *ring = &b->system->ring[l->ring];
    return ts_page_ports(ring->plan, &ring->pages, l->ring);
}

static void pages(FILE *f, ts_arena *arena, const ts_board *b, const ts_board_loader *l)
{
    static const char *const signals[] = {"arvalid", "arready", "araddr", "arlen", "arsize", "arburst",
                                          "rvalid",  "rready",  "rdata",  "rresp", "rlast"};
    const char *p = ts_printf(arena, "part%d", l->ring);
    fprintf(f, "    assign %s_page_run = pager_run;\n    assign %s_page_base = {%s_base_hi, %s_base_lo};\n", p, p, l->registers,
            l->registers);
    fprintf(f, "    assign %s_retries = %s_page_retries;\n    assign %s_late = %s_page_late;\n", l->registers, p, l->registers, p);
    fprintf(f, "    ts_axi_read_cross #(.DATAW(%d), .ADDRW(%d), .DEPTH(%d)) u_pages%d (\n        .s_clk(engine_clk), .s_rst(rst)",
            64 * l->lanes, TS_PAGE_ADDRESS_BITS, PAGE_BEATS, l->ring);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            fprintf(f, ",%s.%c_axi_%s(%s_%s)", i % 4 ? " " : "\n        ", side ? 'm' : 's', signals[i],
                    side ? l->bus : ts_printf(arena, "%s_m_axi", p), signals[i]);
        if (!side)
            fprintf(f, ",\n        .m_clk(aclk), .m_rst(bus_rst)");
    }
    fprintf(f, ");\n");
}

/* One signal of all loaders. */
static void joined(FILE *f, const ts_board *b, const char *name, const char *with, const char *none)
{
    fprintf(f, "    assign %s = ", name);
    for (int k = 0; k < b->loaders; k++)
        fprintf(f, "%spart%d_%s", k ? with : "", b->loader[k].ring, name);
    fprintf(f, "%s;\n", b->loaders ? "" : none);
}

static void engine(FILE *f, ts_arena *arena, const ts_board *b)
{
    const ts_system *s = b->system;
    int events = EVENTS_BESIDE;
    for (int i = 0; i < b->rings; i++)
        events += s->ring[i].plan->refusal_depth + 1;
    fprintf(
        f,
        "    // ---- The engine\n"
        "    wire ring_valid, ring_ready;\n"
        "    ts_drain #(.EVENTS(%d)) u_drain (\n"
        "        .clk(engine_clk), .rst(rst), .enable(control), .reset(command[%d]), .page_run(%s), .page_idle(page_idle), "
        ".run(pager_run),\n"
        "        .s_valid(hit_valid), .s_ready(hit_ready), .s_last(hit_last), .m_valid(ring_valid), .m_ready(ring_ready),\n"
        "        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .ring_rst(ring_rst), .idle(idle), "
        ".resetting(resetting),\n"
        "        .drained(drained), .fault(drain_fault));\n"
        "    ts_weights u_weights (\n"
        "        .clk(engine_clk), .rst(rst), .idle(idle), .commit(weight_commit), .memory(weight_memory), .slice(weight_slice),\n"
        "        .address(weight_address), .data({weight_data_2, weight_data_1, weight_data_0}), .cfg_we(cfg_we), .cfg_part(cfg_part),\n"
        "        .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data), .crc(weight_crc), "
        ".count(weight_count),\n        .refused(weight_refused));\n"
        "    ts_counters #(.EVENTS(%d)) u_counters (\n"
        "        .clk(engine_clk), .rst(rst), .in_valid(hit_valid), .in_ready(hit_ready), .in_last(hit_last), .out_valid(out_valid),\n"
        "        .out_ready(out_ready), .out_last(out_last), .out_refused(out_refused), .out_error(out_error), .ring_fault(fault_seen),\n"
        "        .latch(command[%d]), .count(counters), .fault(count_fault));\n",
        events, TS_AT_COMMAND_RESET, b->paged ? "page_run" : "1'b0", events, TS_AT_COMMAND_LATCH);
    if (b->parity)
        fprintf(f,
                "    ts_parity_count #(.RINGS(%d)) u_parity (\n"
                "        .clk(engine_clk), .rst(rst), .error(parity_error), .memory(parity_memory), .clear(parity_clear), "
                ".count(parity_count),\n        .where(parity_where));\n",
                b->rings);
    if (b->rings > 1)
        fprintf(f, "    wire [%d:0] faults, gives;\n    wire [%d:0] cut_valid, cut_ready, cut_last;\n    assign ring_fault = |faults;\n",
                b->rings - 1, b->rings - 2);
    for (int k = 0; k < b->loaders; k++) {
        const ts_port_list wires = loader_wires(b, &b->loader[k]);
        ts_ports_wires(f, &wires);
    }
    joined(f, b, "page_error", " || ", "1'b0");
    joined(f, b, "page_idle", " && ", "1'b1");
    fprintf(f,
            "    %s #(.MEM(MEM)) u_engine (\n"
            "        .clk(engine_clk), .rst(ring_rst), .s_hit_valid(ring_valid), .s_hit_ready(ring_ready), .s_hit_data(hit_data), "
            ".s_hit_last(hit_last),\n"
            "        .s_hit_refused(hit_refused), .s_hit_error(hit_error), .m_out_valid(out_valid), .m_out_ready(out_ready), "
            ".m_out_data(out_data),\n"
            "        .m_out_last(out_last), .m_out_refused(out_refused), .m_out_error(out_error), .fault(%s),\n"
            "        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data)",
            b->core, b->rings > 1 ? "faults" : "ring_fault");
    if (b->rings > 1)
        fprintf(f,
                ",\n        .cfg_part(cfg_part), .hold(%d'd0), .part_gives(gives), .cut_valid(cut_valid), .cut_ready(cut_ready),\n"
                "        .cut_last(cut_last)",
                b->rings);
    for (int k = 0; k < b->loaders; k++) {
        const ts_system_ring *ring = &s->ring[b->loader[k].ring];
        const ts_port_list port = ts_page_ports(ring->plan, &ring->pages, b->rings > 1 ? b->loader[k].ring : -1),
                           wires = loader_wires(b, &b->loader[k]);
        ts_ports_connect(f, &port, &wires, true);
    }
    if (b->parity)
        fprintf(f, ",\n        .parity_error(parity_error), .parity_memory(parity_memory)");
    fprintf(f, ");\n");
    for (int k = 0; k < b->loaders; k++)
        pages(f, arena, b, &b->loader[k]);
    /* For lint: what nobody reads. */
    fprintf(f, "\n    wire unused = &{1'b0, answer_room, pager_run, interrupt_mask%s",
            b->rings > 1 ? ", gives, cut_valid, cut_ready, cut_last" : ", cfg_part");
    for (int k = 0; k < b->loaders; k++)
        fprintf(f, ", part%d_page_stalls", b->loader[k].ring);
    fprintf(f, "};\nendmodule\n\n`default_nettype wire\n");
}

const char *ts_board_verilog(ts_arena *arena, const ts_board *b)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    header(f, b);
    resets(f, b);
    streams(f, arena, b);
    registers(f, arena, b, ts_registers_of(arena, b));
    engine(f, arena, b);
    return ts_text_close(&text, arena);
}
