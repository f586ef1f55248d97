/* All devices of a design with modelled links between them, for simulation. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "board/bench.h"
#include "board/registers.h"

static void device(FILE *f, ts_arena *arena, const ts_boards *boards, int k)
{
    const ts_board *b = &boards->board[k];
    ts_bus_signal signal[TS_BUS_SIGNALS_MAX];
    fprintf(f,
            "    %s_sim #(.MEM(\"%s%s\")) u_device%d (\n        .aclk(aclk[%d]), .engine_clk(engine_clk[%d]), .aresetn(aresetn), "
            ".interrupt(interrupt[%d])",
            b->top, boards->count > 1 ? ts_printf(arena, "device%d/", k) : "./", b->rings > 1 ? "" : "mem/", k, k, k, k);
    for (int n = 0; n < b->links; n++) {
        const int end = b->link[n].sends ? 2 * k : 2 * k - 1;
        fprintf(f, ", .link%d_clk(link_clk[%d]), .link%d_up(aresetn)", n, end, n);
    }
    for (int i = 0; i < b->buses; i++) {
        const ts_bus *bus = &b->bus[i];
        for (int s = 0, count = ts_bus_signals(bus, signal); s < count && bus->kind != TS_BUS_PAGES; s++) {
            const char *name = signal[s].name, *to = NULL;
            switch (bus->kind) {
            case TS_BUS_CONTROL: /* addresses and data of writes are one for all */
                to = strstr(name, "addr") || strcmp(name, "wdata") == 0 ? name
                     : strcmp(name, "wstrb") == 0                       ? "4'hf"
                     : strstr(name, "prot")                             ? "3'd0"
                     : signal[s].bits > 1 ? ts_printf(arena, "%s[%d +: %d]", name, signal[s].bits * k, signal[s].bits)
                                          : ts_printf(arena, "%s[%d]", name, k);
                break;
            case TS_BUS_HITS:
            case TS_BUS_RESULTS:
                to = ts_printf(arena, "%c_%s", bus->name[0], name);
                break;
            case TS_BUS_LINK_IN:
            case TS_BUS_LINK_OUT: {
                const int end = b->link[bus->number].sends ? 2 * k : 2 * k - 1;
                to = ts_printf(arena, "end%d_%s_%s", end, bus->master ? "out" : "in", name);
                break;
            }
            case TS_BUS_PAGES:
            case TS_BUS_KINDS:
                break;
            }
            fprintf(f, ",%s.%s_%s(%s)", s % 4 ? " " : "\n        ", bus->name, name, to);
        }
    }
    fprintf(f, ");\n");
}

static void lanes(FILE *f, const ts_boards *boards, int link)
{
    const ts_board *b = &boards->board[link];
    const int n = b->links - 1, bits = b->link[n].way.word_bits;
    for (int end = 2 * link; end < 2 * link + 2; end++)
        fprintf(f, "    wire end%d_in_tvalid, end%d_out_tvalid, end%d_out_tready;\n    wire [%d:0] end%d_in_tdata, end%d_out_tdata;\n", end,
                end, end, bits - 1, end, end);
    for (int back = 0; back < 2; back++) {
        const int from = 2 * link + back, to = 2 * link + !back;
        fprintf(f,
                "    ts_sim_lane #(.WIDTH(%d), .LATENCY(%lld), .NUMBER(%d)) u_lane%d (\n"
                "        .word(word[%d +: 32]), .s_clk(link_clk[%d]), .s_valid(end%d_out_tvalid), .s_ready(end%d_out_tready),\n"
                "        .s_data(end%d_out_tdata), .m_clk(link_clk[%d]), .m_valid(end%d_in_tvalid), .m_data(end%d_in_tdata));\n",
                bits, ts_board_flight(b, n), from, from, 32 * link, from, from, from, from, to, to, to);
    }
}

const char *ts_boards_verilog(ts_arena *arena, const ts_boards *boards)
{
    const int n = boards->count, hits = boards->board[0].bus_bits, results = boards->board[n - 1].bus_bits;
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(
        f,
        "// The devices of \"%s\" and modelled links between them, for simulation. Made by tessera. Bit k of a signal is device k's. "
        "link_clk: two\n"
        "// a link, of the end at device i, and of the one at device i + 1; word: picoseconds of a word on each link.\n"
        "`default_nettype none\n\n"
        "module devices (\n"
        "    input  wire aresetn,\n    input  wire [%d:0] aclk,\n    input  wire [%d:0] engine_clk,\n    output wire [%d:0] interrupt,\n",
        boards->system->im->name, n - 1, n - 1, n - 1);
    if (n > 1)
        fprintf(f, "    input  wire [%d:0] link_clk,\n    input  wire [%d:0] word,\n", 2 * n - 3, 32 * (n - 1) - 1);
    static const struct {
        const char *name;
        int bits; /* a device; 0: one for all */
        bool output;
        int shared;
    } control[] = {{"awvalid", 1, false, 0}, {"awready", 1, true, 0},  {"awaddr", 0, false, 12}, {"wvalid", 1, false, 0},
                   {"wready", 1, true, 0},   {"wdata", 0, false, 32},  {"bvalid", 1, true, 0},   {"bready", 1, false, 0},
                   {"bresp", 2, true, 0},    {"arvalid", 1, false, 0}, {"arready", 1, true, 0},  {"araddr", 0, false, 12},
                   {"rvalid", 1, true, 0},   {"rready", 1, false, 0},  {"rdata", 32, true, 0},   {"rresp", 2, true, 0}};
    for (size_t i = 0; i < sizeof control / sizeof *control; i++)
        fprintf(f, "    %s wire [%d:0] %s,\n", control[i].output ? "output" : "input ",
                (control[i].bits ? control[i].bits * n : control[i].shared) - 1, control[i].name);
    fprintf(f,
            "    input  wire s_tvalid,\n    output wire s_tready,\n    input  wire [%d:0] s_tdata,\n    input  wire [%d:0] s_tkeep,\n"
            "    input  wire s_tlast,\n    output wire m_tvalid,\n    input  wire m_tready,\n    output wire [%d:0] m_tdata,\n"
            "    output wire [%d:0] m_tkeep,\n    output wire m_tlast,\n    output wire [1:0] m_tuser\n);\n",
            hits - 1, hits / 8 - 1, results - 1, results / 8 - 1);
    for (int link = 0; link < n - 1; link++)
        lanes(f, boards, link);
    for (int k = 0; k < n; k++)
        device(f, arena, boards, k);
    fprintf(f, "endmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}

static int ps(double mhz)
{
    return (int)lround(1e6 / mhz);
}

static void periods(FILE *f, const ts_boards *boards)
{
    fprintf(f, "`define SYSTEM_PERIODS");
    for (int k = 0; k < boards->count; k++) {
        const ts_board *b = &boards->board[k];
        fprintf(f, " \\\n    bus_ps[%d] = %d; engine_ps[%d] = %d;", k, ps(b->clock[TS_CLOCK_BUS].mhz), k,
                ps(b->clock[TS_CLOCK_ENGINE].mhz));
        for (int n = 0; n < b->links; n++)
            fprintf(f, " link_ps[%d] = %d;", b->link[n].sends ? 2 * k : 2 * k - 1, ps(b->clock[TS_CLOCK_LINKS + n].mhz));
    }
    fputc('\n', f);
}

/* Registers have the same addresses on every device. */
static void addresses(FILE *f, ts_arena *arena, const ts_boards *boards)
{
    bool defined[TS_REGISTER_BYTES] = {false};
    for (int k = 0; k < boards->count; k++) {
        const ts_registers *r = ts_registers_of(arena, &boards->board[k]);
        for (int i = 0; i < r->count; i++)
            if (!defined[r->list[i].address]) {
                fprintf(f, "`define REG_%s 12'h%03x\n", r->list[i].name, r->list[i].address);
                defined[r->list[i].address] = true;
            }
    }
}

static void of_part(FILE *f, const ts_boards *boards, const char *name, bool first)
{
    fprintf(f, "`define SYSTEM_%s_OF(part) (", name);
    for (int k = 0; k < boards->count - 1; k++)
        fprintf(f, "(part) < %d ? %d : ", boards->board[k + 1].first_ring, first ? boards->board[k].first_ring : k);
    fprintf(f, "%d)\n", first ? boards->board[boards->count - 1].first_ring : boards->count - 1);
}

const char *ts_boards_bench(ts_arena *arena, const ts_boards *boards)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "// What system_tb.v must know of the devices, beside tb/ring.vh.\n`define SYSTEM_DEVICES %d\n`define SYSTEM_LINKS %d\n"
            "`define SYSTEM_HIT_BUS %d\n`define SYSTEM_RESULT_BUS %d\n`define SYSTEM_LINK_FAULT %d\n`define SYSTEM_LINK_INTERRUPT %d\n",
            boards->count, boards->count - 1, boards->board[0].bus_bits, boards->board[boards->count - 1].bus_bits, TS_AT_STATUS_LINK_FAULT,
            TS_AT_INTERRUPT_LINK_FAULT);
    if (boards->board[boards->count - 1].status_word)
        fprintf(f, "`define SYSTEM_STATUS_WORD\n");
    addresses(f, arena, boards);
    periods(f, boards);
    of_part(f, boards, "DEVICE", false);
    of_part(f, boards, "FIRST", true);
    fprintf(f, "`define SYSTEM_CHECKS");
    for (int k = 0; k < boards->count; k++)
        fprintf(f,
                " \\\n    expect_register(%d, `REG_MAGIC, 32'h41534554, \"MAGIC\"); expect_register(%d, `REG_BUILD_LO, 32'h%08x, "
                "\"BUILD_LO\");",
                k, k, (uint32_t)boards->board[k].build);
    fprintf(f, "\n`define SYSTEM_LINK_CHECKS");
    for (int k = 0; k < boards->count; k++)
        for (int n = 0; n < boards->board[k].links; n++) {
            static const char *const names[] = {"DAMAGED", "MISSING", "REPEATED", "ENDED", "DOWNS"};
            fprintf(f, " \\\n    expect_register(%d, `REG_LINK%d_STATUS, 32'd1, \"LINK%d_STATUS\");", k, n, n);
            for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                fprintf(f, " \\\n    expect_register(%d, `REG_LINK%d_%s, 32'd0, \"LINK%d_%s\");", k, n, names[i], n, names[i]);
        }
    fprintf(f, "\n`define SYSTEM_START_PAGES");
    for (int k = 0; k < boards->count; k++)
        ts_board_start_pages(f, arena, &boards->board[k], ts_printf(arena, "%d, ", k));
    fputc('\n', f);
    return ts_text_close(&text, arena);
}
