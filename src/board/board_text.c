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
    fprintf(f,
            "// %s on a board: AXI on the bus clock (aclk) around the engine (engine_clk, %g MHz planned). Made by tessera.\n"
            "// s_axis_hits: hits in slots of %d bytes or whole words, rtl/ts_axis_in.v; TLAST ends an event. m_axis_results: "
            "rtl/ts_axis_out.v; TUSER =\n"
            "// {error, refused} with the last word. s_axi_control: AXI4-Lite, registers.md. interrupt: a level, of aclk.\n"
            "// aresetn: asynchronous, released in each clock by rtl/ts_reset.v. Crossings: ts_async_fifo, ts_sync and ts_reset alone.\n"
            "`default_nettype none\n\n"
            "module %s %s(\n"
            "    input  wire aclk,\n"
            "    input  wire aresetn,\n"
            "    input  wire engine_clk,\n"
            "    output wire interrupt",
            b->system->im->name, b->clock[TS_CLOCK_ENGINE].mhz, b->bus_bits / 8, b->top,
            b->rings > 1 ? "" : "#(\n    parameter MEM = \"mem/\" // where the memory images are\n) ");
    for (int i = 0; i < b->buses; i++)
        bus_ports(f, &b->bus[i]);
    fprintf(f, "\n);\n");
}

static void resets(FILE *f)
{
    fprintf(f, "    // ---- Resets, one a clock\n"
               "    wire bus_rst, rst;\n"
               "    ts_reset u_bus_reset (.clk(aclk), .arst(!aresetn), .rst(bus_rst));\n"
               "    ts_reset u_engine_reset (.clk(engine_clk), .arst(!aresetn), .rst(rst));\n\n");
}

static void streams(FILE *f, const ts_board *b)
{
    const int hit = b->features * b->ports.hit_lane, out = b->ports.lanes * b->ports.out_lane;
    fprintf(f,
            "    // ---- Streams: words to hits, results to words\n"
            "    wire hit_valid, hit_ready, hit_last, hit_refused, hit_error;\n    wire [%d:0] hit_data;\n"
            "    wire out_valid, out_ready, out_last, out_refused, out_error;\n    wire [%d:0] out_data;\n"
            "    ts_axis_io #(.BUSW(%d), .HITW(%d), .OUTW(%d), .DEPTH(%d), .STATUS(%d)) u_io (\n"
            "        .bus_clk(aclk), .bus_rst(bus_rst), .s_axis_tvalid(s_axis_hits_tvalid), .s_axis_tready(s_axis_hits_tready),\n"
            "        .s_axis_tdata(s_axis_hits_tdata), .s_axis_tkeep(s_axis_hits_tkeep), .s_axis_tlast(s_axis_hits_tlast),\n"
            "        .m_axis_tvalid(m_axis_results_tvalid), .m_axis_tready(m_axis_results_tready), .m_axis_tdata(m_axis_results_tdata),\n"
            "        .m_axis_tkeep(m_axis_results_tkeep), .m_axis_tlast(m_axis_results_tlast), .m_axis_tuser(m_axis_results_tuser),\n"
            "        .clk(engine_clk), .rst(rst), .s_hit_valid(hit_valid), .s_hit_ready(hit_ready), .s_hit_data(hit_data), "
            ".s_hit_last(hit_last),\n"
            "        .s_hit_refused(hit_refused), .s_hit_error(hit_error), .m_out_valid(out_valid), .m_out_ready(out_ready),\n"
            "        .m_out_data(out_data), .m_out_last(out_last), .m_out_refused(out_refused), .m_out_error(out_error));\n\n",
            hit - 1, out - 1, b->bus_bits, hit, out, FIFO_DEPTH, b->status_word);
}

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
               {HAPPENED, TS_AT_INTERRUPT_RESULT, "out_valid && out_ready && out_last"},
               {HAPPENED, TS_AT_INTERRUPT_FAULT, "any_fault && !fault_seen"},
               {HAPPENED, TS_AT_INTERRUPT_DRAINED, "drained"},
               {HAPPENED, TS_AT_INTERRUPT_PAGE_ERROR, "page_error && !page_error_seen"},
               {HAPPENED, TS_AT_INTERRUPT_PARITY, "|parity_error"}};
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
        f, ",\n        .q_valid(ask_valid), .q_ready(ask_ready), .q_write(ask_write), .q_address(ask_address), .q_data(ask_data), "
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
           "    wire [511:0] counters;\n    wire page_error, page_idle, pager_run;\n    reg  fault_seen, page_error_seen;\n"
           "    wire any_fault = ring_fault || drain_fault || count_fault;\n"
           "    always @(posedge engine_clk) begin\n"
           "        fault_seen      <= !rst && !ring_rst && (fault_seen || any_fault);\n"
           "        page_error_seen <= !rst && !ring_rst && (page_error_seen || page_error);\n"
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
    if (b->paged)
        fprintf(f, "    wire [15:0] page_retries;\n    wire [%d:0] page_late;\n", b->paged_stages - 1);
    fprintf(f,
            "    %s_registers u_registers (\n"
            "        .clk(engine_clk), .rst(rst), .q_valid(q_valid), .q_write(q_write), .q_address(q_address), .q_data(q_data), "
            ".q_strobe(q_strobe),\n"
            "        .a_valid(a_valid), .a_hit(a_hit), .a_data(a_data), .interrupt_level(interrupt_level), .counters(counters)",
            b->top);
    for (int i = 0, k = 0; i < r->count; i++) {
        const char *port = ts_register_port(arena, &r->list[i]);
        if (port)
            fprintf(f, ",%s.%s(%s)", k++ % 4 ? " " : "\n        ", port, port);
    }
    fprintf(f, ");\n"
               "    ts_sync u_interrupt (.clk(aclk), .in(interrupt_level), .out(interrupt));\n\n");
}

static void engine(FILE *f, const ts_board *b)
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
    if (b->paged)
        fprintf(f,
                "    wire ar_valid, ar_ready, r_valid, r_ready, r_last;\n    wire [%d:0] ar_address;\n    wire [7:0] ar_length;\n"
                "    wire [2:0] ar_size;\n    wire [1:0] ar_burst, r_response;\n    wire [%d:0] r_data;\n    wire [%d:0] page_stalls;\n",
                TS_PAGE_ADDRESS_BITS - 1, 64 * b->page_lanes - 1, 32 * b->paged_stages - 1);
    else
        fprintf(f, "    assign page_error = 1'b0;\n    assign page_idle = 1'b1;\n");
    fprintf(f,
            "    %s%s u_engine (\n"
            "        .clk(engine_clk), .rst(ring_rst), .s_hit_valid(ring_valid), .s_hit_ready(ring_ready), .s_hit_data(hit_data), "
            ".s_hit_last(hit_last),\n"
            "        .s_hit_refused(hit_refused), .s_hit_error(hit_error), .m_out_valid(out_valid), .m_out_ready(out_ready), "
            ".m_out_data(out_data),\n"
            "        .m_out_last(out_last), .m_out_refused(out_refused), .m_out_error(out_error), .fault(%s),\n"
            "        .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data)",
            b->core, b->rings > 1 ? "" : " #(.MEM(MEM))", b->rings > 1 ? "faults" : "ring_fault");
    if (b->rings > 1)
        fprintf(f,
                ",\n        .cfg_part(cfg_part), .hold(%d'd0), .part_gives(gives), .cut_valid(cut_valid), .cut_ready(cut_ready),\n"
                "        .cut_last(cut_last)",
                b->rings);
    if (b->paged)
        fprintf(
            f,
            ",\n        .page_run(pager_run), .page_idle(page_idle), .page_base({page_base_hi, page_base_lo}), .page_error(page_error),\n"
            "        .page_retries(page_retries), .page_late(page_late), .page_stalls(page_stalls), .m_axi_arvalid(ar_valid),\n"
            "        .m_axi_arready(ar_ready), .m_axi_araddr(ar_address), .m_axi_arlen(ar_length), .m_axi_arsize(ar_size),\n"
            "        .m_axi_arburst(ar_burst), .m_axi_rvalid(r_valid), .m_axi_rready(r_ready), .m_axi_rdata(r_data), "
            ".m_axi_rresp(r_response),\n"
            "        .m_axi_rlast(r_last)");
    if (b->parity)
        fprintf(f, ",\n        .parity_error(parity_error), .parity_memory(parity_memory)");
    fprintf(f, ");\n");
    if (b->paged)
        fprintf(f,
                "    ts_axi_read_cross #(.DATAW(%d), .ADDRW(%d), .DEPTH(%d)) u_pages (\n"
                "        .s_clk(engine_clk), .s_rst(rst), .s_axi_arvalid(ar_valid), .s_axi_arready(ar_ready), .s_axi_araddr(ar_address),\n"
                "        .s_axi_arlen(ar_length), .s_axi_arsize(ar_size), .s_axi_arburst(ar_burst), .s_axi_rvalid(r_valid), "
                ".s_axi_rready(r_ready),\n"
                "        .s_axi_rdata(r_data), .s_axi_rresp(r_response), .s_axi_rlast(r_last), .m_clk(aclk), .m_rst(bus_rst),\n"
                "        .m_axi_arvalid(m_axi_pages_arvalid), .m_axi_arready(m_axi_pages_arready), .m_axi_araddr(m_axi_pages_araddr),\n"
                "        .m_axi_arlen(m_axi_pages_arlen), .m_axi_arsize(m_axi_pages_arsize), .m_axi_arburst(m_axi_pages_arburst),\n"
                "        .m_axi_rvalid(m_axi_pages_rvalid), .m_axi_rready(m_axi_pages_rready), .m_axi_rdata(m_axi_pages_rdata),\n"
                "        .m_axi_rresp(m_axi_pages_rresp), .m_axi_rlast(m_axi_pages_rlast));\n",
                64 * b->page_lanes, TS_PAGE_ADDRESS_BITS, PAGE_BEATS);
    /* For lint: what nobody reads. */
    fprintf(f, "\n    wire unused = &{1'b0, answer_room, pager_run, interrupt_mask%s%s%s};\nendmodule\n\n`default_nettype wire\n",
            b->rings > 1 ? ", gives, cut_valid, cut_ready, cut_last" : ", cfg_part", b->paged ? ", page_stalls" : "", "");
}

const char *ts_board_verilog(ts_arena *arena, const ts_board *b)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    header(f, b);
    resets(f);
    streams(f, b);
    registers(f, arena, b, ts_registers_of(arena, b));
    engine(f, b);
    return ts_text_close(&text, arena);
}

const char *ts_board_bench(ts_arena *arena, const ts_board *b)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "// What board_tb.v must know of this board, beside tb/ring.vh.\n"
            "`define BOARD_TOP %s\n`define BOARD_BITS %d\n`define BOARD_BUILD_LO 32'h%08x\n`define BOARD_PERIOD %.3f // engine clock, ns\n"
            "`define BOARD_BUS_PERIOD %.3f\n",
            b->top, b->bus_bits, (uint32_t)b->build, 1000 / b->clock[TS_CLOCK_ENGINE].mhz, 1000 / b->clock[TS_CLOCK_BUS].mhz);
    if (b->status_word)
        fprintf(f, "`define BOARD_STATUS_WORD\n");
    if (b->next_writes)
        fprintf(f, "`define BOARD_NEXT_WRITES %lld\n`define BOARD_NEXT_CRC 32'h%08x\n", b->next_writes, b->next_crc);
    if (b->paged)
        fprintf(f, "`define BOARD_PAGES\n`define BOARD_PAGE_LANES %d\n`define BOARD_PAGE_BEATS %lld\n`define BOARD_PAGE_BURSTS %d\n",
                b->page_lanes, (long long)b->system->ring[0].pages.beats, b->system->ring[0].plan->paging.bursts);
    return ts_text_close(&text, arena);
}
