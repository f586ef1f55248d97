/* What stands around tops in simulation: models of external memories, and of the links between devices. */
#include <ctype.h>
#include <math.h>

#include "base/text.h"
#include "board/bench.h"
#include "emit/page_file.h"

/* Weights that a bench changes to are so far behind. */
static const unsigned long long next_pages = 0x4000000000;

unsigned long long ts_board_page_base(int loader)
{
    return 0x1234567000 + ((unsigned long long)loader << 32);
}

/* ---- One device */

static void clock_ports(FILE *f, const ts_board *b)
{
    fprintf(f, "    input  wire aclk,\n    input  wire aresetn,\n    input  wire engine_clk,\n");
    for (int n = 0; n < b->links; n++)
        fprintf(f, "    input  wire link%d_clk,\n    input  wire link%d_up,\n", n, n);
    fprintf(f, "    output wire interrupt");
}

static void wire(FILE *f, const ts_bus *bus, const ts_bus_signal *signal, const char *before, const char *behind)
{
    fprintf(f, "%s", before);
    if (signal->bits > 1)
        fprintf(f, "[%d:0] ", signal->bits - 1);
    fprintf(f, "%s_%s%s", bus->name, signal->name, behind);
}

/* At least 2, and no less than n. */
static int power_of_two(int n)
{
    int power = 2;
    while (power < n)
        power *= 2;
    return power;
}

static void memory(FILE *f, ts_arena *arena, const ts_board *b, int k)
{
    const ts_board_loader *l = &b->loader[k];
    const ts_system_ring *ring = &b->system->ring[l->ring];
    const ts_paging *p = &ring->plan->paging;
    const double clocks = b->clock[TS_CLOCK_BUS].mhz / b->clock[TS_CLOCK_ENGINE].mhz;
    static const char *const signals[] = {"arvalid", "arready", "araddr", "arlen", "arsize", "arburst",
                                          "rvalid",  "rready",  "rdata",  "rresp", "rlast"};
    fprintf(
        f,
        "    ts_sim_memory #(.LANES(%d), .BEATS(%lld), .LATENCY(%d), .RATE(%d), .BURSTS(%d), .ADDRW(%d), .BASE(%d'h%llx), .NUMBER(%d),\n"
        "                    .IMAGE({MEM, \"%s%s\"})%s) u_memory%d (\n        .clk(aclk), .rst(!aresetn), .gave_up(1'b0)",
        p->lanes, (long long)ring->pages.beats, (int)fmax(1, p->latency * clocks), (int)fmin(65536, round(65536 * p->rate / clocks)),
        p->bursts, TS_PAGE_ADDRESS_BITS, TS_PAGE_ADDRESS_BITS, ts_board_page_base(k), l->ring,
        b->rings > 1 ? ts_printf(arena, "part%d/mem/", l->ring) : "", TS_PAGE_FILE,
        b->next_writes ? ts_printf(arena, ", .NEXT(%d'h%llx), .LATER(\"mem/next_pages.bin\")", TS_PAGE_ADDRESS_BITS,
                                   ts_board_page_base(k) + next_pages)
                       : "",
        k);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        fprintf(f, ",%s.%s(%s_%s)", i % 4 ? " " : "\n        ", signals[i], l->bus, signals[i]);
    fprintf(f, ");\n");
    fprintf(f, "    ts_axi_read_check #(.DATAW(%d), .ADDRW(%d), .BURSTS(%d)) check_memory%d (\n        .clk(aclk), .rst(!aresetn)",
            64 * l->lanes, TS_PAGE_ADDRESS_BITS, power_of_two(p->bursts), k);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        fprintf(f, ",%s.%s(%s_%s)", i % 4 ? " " : "\n        ", signals[i], l->bus, signals[i]);
    fprintf(f, ");\n");
}

const char *ts_board_simulated(ts_arena *arena, const ts_board *b)
{
    ts_bus_signal signal[TS_BUS_SIGNALS_MAX];
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "// %s and models of the external memories that its pages are in, for simulation.\n`default_nettype none\n\nmodule %s_sim #(\n"
            "    parameter MEM = \"%s\"\n) (\n",
            b->top, b->top, b->rings > 1 ? "./" : "mem/");
    clock_ports(f, b);
    for (int i = 0; i < b->buses; i++)
        for (int k = 0, count = ts_bus_signals(&b->bus[i], signal); k < count && b->bus[i].kind != TS_BUS_PAGES; k++)
            wire(f, &b->bus[i], &signal[k], signal[k].output ? ",\n    output wire " : ",\n    input  wire ", "");
    fprintf(f, "\n);\n");
    for (int i = 0; i < b->buses; i++)
        for (int k = 0, count = ts_bus_signals(&b->bus[i], signal); k < count && b->bus[i].kind == TS_BUS_PAGES; k++)
            wire(f, &b->bus[i], &signal[k], "    wire ", ";\n");
    for (int k = 0; k < b->loaders; k++)
        memory(f, arena, b, k);
    fprintf(f, "    %s #(.MEM(MEM)) u_top (\n        .aclk(aclk), .aresetn(aresetn), .engine_clk(engine_clk), .interrupt(interrupt)",
            b->top);
    for (int n = 0; n < b->links; n++)
        fprintf(f, ", .link%d_clk(link%d_clk), .link%d_up(link%d_up)", n, n, n, n);
    for (int i = 0; i < b->buses; i++)
        for (int k = 0, count = ts_bus_signals(&b->bus[i], signal); k < count; k++)
            fprintf(f, ",%s.%s_%s(%s_%s)", k % 4 ? " " : "\n        ", b->bus[i].name, signal[k].name, b->bus[i].name, signal[k].name);
    fprintf(f, ");\nendmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}

static const char *parameters(ts_arena *arena, const ts_board *b, int n)
{
    const ts_board_link *link = &b->link[n];
    const ts_link_ends ends = ts_board_link_ends(link);
    return ts_printf(arena, ".TOKW(%d), .LINKW(%d), .PACKET(%d), .DEPTH(%d), .NMAX(%d), .CREDIT(%d), .BEAT(%d), .TIMEOUT(%d)",
                     link->token_bits, link->way.word_bits, ends.packet, ends.depth, b->max_tokens, ends.credit, ends.beat, ends.timeout);
}

long long ts_board_flight(const ts_board *b, int n)
{
    return llround(1e6 * b->link[n].way.flight / b->clock[TS_CLOCK_LINKS + n].mhz);
}

static const char *upper(ts_arena *arena, const char *name)
{
    char *t = ts_strdup(arena, name);
    for (char *p = t; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return t;
}

void ts_board_start_pages(FILE *f, ts_arena *arena, const ts_board *b, const char *device)
{
    for (int k = 0; k < b->loaders; k++) {
        const char *reg = upper(arena, b->loader[k].registers);
        fprintf(f, " \\\n    write(%s`REG_%s_BASE_LO, 32'h%08llx); write(%s`REG_%s_BASE_HI, 32'h%02llx%s);", device, reg,
                ts_board_page_base(k) & 0xffffffff, device, reg, ts_board_page_base(k) >> 32,
                b->next_writes ? ts_printf(arena, " + (pass < passes ? 32'h0 : 32'h%02llx)", next_pages >> 32) : "");
    }
    if (b->paged)
        fprintf(f, " \\\n    write(%s`REG_PAGE_RUN, 32'd1);", device);
}

/* Of the link to the device before this one, or behind it. */
static void link_macros(FILE *f, ts_arena *arena, const ts_board *b, int n)
{
    static const char *const ports[][2] = {{"clk", "clk"}, {"up", "up"}};
    static const char *const streams[][2] = {{"s_axis_link%d_tvalid", "in"},
                                             {"s_axis_link%d_tdata", "in_word"},
                                             {"m_axis_link%d_tvalid", "out"},
                                             {"m_axis_link%d_tready", "out_ready"},
                                             {"m_axis_link%d_tdata", "out_word"}};
    const char *side = b->link[n].sends ? "after" : "before", *end = upper(arena, side);
    fprintf(f,
            "`define BOARD_%s_WORD %d // a link, words of so many bits\n`define BOARD_%s_PERIOD %.3f\n`define BOARD_%s_FLIGHT %lld // ps\n"
            "`define BOARD_%s_PARAMETERS %s\n`define BOARD_%s_COUNTS `REG_LINK%d_DAMAGED\n`define BOARD_%s_PORTS",
            end, b->link[n].way.word_bits, end, 1000 / b->clock[TS_CLOCK_LINKS + n].mhz, end, ts_board_flight(b, n), end,
            parameters(arena, b, n), end, n, end);
    for (int i = 0; i < 2; i++)
        fprintf(f, " .link%d_%s(%s_%s),", n, ports[i][0], side, ports[i][1]);
    for (int i = 0; i < 5; i++) {
        fprintf(f, i ? ", ." : " .");
        fprintf(f, streams[i][0], n);
        fprintf(f, "(%s_%s)", side, streams[i][1]);
    }
    fputc('\n', f);
}

const char *ts_board_bench(ts_arena *arena, const ts_board *b)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(
        f,
        "// What board_tb.v must know of this board, beside tb/ring.vh.\n"
        "`define BOARD_TOP %s_sim\n`define BOARD_BITS %d\n`define BOARD_BUILD_LO 32'h%08x\n`define BOARD_PERIOD %.3f // engine clock, ns\n"
        "`define BOARD_BUS_PERIOD %.3f\n",
        b->top, b->bus_bits ? b->bus_bits : 32, (uint32_t)b->build, 1000 / b->clock[TS_CLOCK_ENGINE].mhz,
        1000 / b->clock[TS_CLOCK_BUS].mhz);
    if (b->status_word)
        fprintf(f, "`define BOARD_STATUS_WORD\n");
    if (b->next_writes)
        fprintf(f, "`define BOARD_NEXT_WRITES %lld\n`define BOARD_NEXT_CRC 32'h%08x\n", b->next_writes, b->next_crc);
    for (int n = 0; n < b->links; n++)
        link_macros(f, arena, b, n);
    if (b->paged) {
        fprintf(f, "`define BOARD_START_PAGES");
        ts_board_start_pages(f, arena, b, "");
        fputc('\n', f);
    }
    return ts_text_close(&text, arena);
}
