/* The simulated devices of a package as a library for the host library's back end "sim": what tb/sim_library.cpp must know. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "board/run_json.h"

/* Of the model of external memory, as benches have it. */
static const unsigned long long pages_base = 0x1234567000;

static int ps(double mhz)
{
    return (int)lround(1e6 / mhz);
}

static const char *header(ts_arena *arena, const ts_board *b)
{
    return ts_printf(arena,
                     "// What tb/sim_library.cpp must know of the devices. Made by tessera.\n"
                     "#define SIM_DEVICES 1\n#define SIM_HIT_BUS %d\n#define SIM_RESULT_BUS %d\n"
                     "static const unsigned sim_bus_ps[] = {%d}, sim_engine_ps[] = {%d};\n"
                     "static const unsigned long long sim_pages[] = {0x%llxULL};\n",
                     b->bus_bits, b->bus_bits, ps(b->clock[TS_CLOCK_BUS].mhz), ps(b->clock[TS_CLOCK_ENGINE].mhz), pages_base);
}

static void memory(FILE *f, const ts_board *b)
{
    const ts_system_ring *ring = &b->system->ring[0];
    static const char *const signals[] = {"arvalid", "arready", "araddr", "arlen", "arsize", "arburst",
                                          "rvalid",  "rready",  "rdata",  "rresp", "rlast"};
    fprintf(f,
            "    wire p_arvalid, p_arready, p_rvalid, p_rready, p_rlast;\n    wire [%d:0] p_araddr;\n    wire [7:0] p_arlen;\n"
            "    wire [2:0] p_arsize;\n    wire [1:0] p_arburst, p_rresp;\n    wire [%d:0] p_rdata;\n"
            "    ts_sim_memory #(.LANES(%d), .BEATS(%lld), .LATENCY(20), .BURSTS(%d), .ADDRW(%d), .BASE(%d'h%llx)) u_memory (\n"
            "        .clk(aclk), .rst(!aresetn), .gave_up(1'b0)",
            TS_PAGE_ADDRESS_BITS - 1, 64 * b->page_lanes - 1, b->page_lanes, (long long)ring->pages.beats, ring->plan->paging.bursts,
            TS_PAGE_ADDRESS_BITS, TS_PAGE_ADDRESS_BITS, pages_base);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        fprintf(f, ", .%s(p_%s)", signals[i], signals[i]);
    fprintf(f, ");\n");
}

/* The same ports as those of several devices. */
static const char *devices(ts_arena *arena, const ts_board *b)
{
    const int bits = b->bus_bits;
    ts_bus_signal signal[TS_BUS_SIGNALS_MAX];
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(
        f,
        "// %s with what stands around it in simulation. Made by tessera.\n`default_nettype none\n\nmodule devices (\n"
        "    input  wire aresetn,\n    input  wire aclk,\n    input  wire engine_clk,\n    output wire interrupt,\n"
        "    input  wire awvalid,\n    output wire awready,\n    input  wire [11:0] awaddr,\n    input  wire wvalid,\n"
        "    output wire wready,\n    input  wire [31:0] wdata,\n    output wire bvalid,\n    input  wire bready,\n    output wire [1:0] "
        "bresp,\n"
        "    input  wire arvalid,\n    output wire arready,\n    input  wire [11:0] araddr,\n    output wire rvalid,\n"
        "    input  wire rready,\n    output wire [31:0] rdata,\n    output wire [1:0] rresp,\n"
        "    input  wire s_tvalid,\n    output wire s_tready,\n    input  wire [%d:0] s_tdata,\n    input  wire [%d:0] s_tkeep,\n"
        "    input  wire s_tlast,\n    output wire m_tvalid,\n    input  wire m_tready,\n    output wire [%d:0] m_tdata,\n"
        "    output wire [%d:0] m_tkeep,\n    output wire m_tlast,\n    output wire [1:0] m_tuser\n);\n",
        b->top, bits - 1, bits / 8 - 1, bits - 1, bits / 8 - 1);
    if (b->paged)
        memory(f, b);
    fprintf(f, "    %s u_top (\n        .aclk(aclk), .aresetn(aresetn), .engine_clk(engine_clk), .interrupt(interrupt)", b->top);
    for (int i = 0; i < b->buses; i++) {
        static const char *const before[] = {"", "s_", "m_", "p_"};
        for (int k = 0, count = ts_bus_signals(&b->bus[i], signal); k < count; k++) {
            const char *name = signal[k].name, *to = ts_printf(arena, "%s%s", before[b->bus[i].kind], name);
            to = strstr(name, "prot") ? "3'd0" : strcmp(name, "wstrb") == 0 ? "4'hf" : to;
            fprintf(f, ",%s.%s_%s(%s)", k % 4 ? " " : "\n        ", b->bus[i].name, name, to);
        }
    }
    fprintf(f, ");\nendmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}

bool ts_run_put_simulation(const ts_packing *p)
{
    return ts_packing_template(p, "sim_library.cpp", "tb/sim_library.cpp") &&
           ts_packing_template(p, "sim_library.mk", "tb/sim_library.mk") &&
           ts_packing_text(p, "tb/sim_library.h", header(p->arena, p->board)) &&
           ts_packing_text(p, "tb/devices.v", devices(p->arena, p->board));
}
