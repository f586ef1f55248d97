#include "emit/sim_top.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "emit/page_file.h"
#include "emit/top_pages.h"

typedef struct port {
    const char *name;
    bool input;
    int width;
} port;

enum { PORTS = 32 };

/* Those of the design, without the pages'. */
static int ports_of_design(const ts_bench_options *opt, const ts_ports *p, port list[PORTS])
{
    const int parts = opt->rings;
    int n = 0;
#define ADD(name, input, width) list[n++] = (port){name, input, width}
    ADD("clk", true, 1);
    ADD("rst", true, 1);
    ADD("s_hit_valid", true, 1);
    ADD("s_hit_ready", false, 1);
    ADD("s_hit_data", true, opt->im->features * p->hit_lane);
    ADD("s_hit_last", true, 1);
    if (p->refusals) {
        ADD("s_hit_refused", true, 1);
        ADD("s_hit_error", true, 1);
    }
    ADD("m_out_valid", false, 1);
    ADD("m_out_ready", true, 1);
    ADD("m_out_data", false, p->lanes * p->out_lane);
    ADD("m_out_last", false, 1);
    ADD("m_out_refused", false, 1);
    ADD("m_out_error", false, 1);
    ADD("fault", false, parts);
    if (parts > 1) {
        ADD("cut_valid", false, parts - 1);
        ADD("cut_ready", false, parts - 1);
        ADD("cut_last", false, parts - 1);
        ADD("hold", true, parts);
        ADD("part_gives", false, parts);
        ADD("cfg_part", true, 8);
    }
    ADD("cfg_we", true, 1);
    ADD("cfg_mem", true, 8);
    ADD("cfg_slice", true, 10);
    ADD("cfg_addr", true, 16);
    ADD("cfg_data", true, 72);
#undef ADD
    CHECK(n <= PORTS);
    return n;
}

static void declare(FILE *f, const char *end, const char *kind, const char *prefix, const char *name, int width)
{
    fprintf(f, "    %s", kind);
    if (width > 1)
        fprintf(f, " [%d:0]", width - 1);
    fprintf(f, " %s%s%s\n", prefix, name, end);
}

/* The external memory of ring r, between its ports and nothing. */
static void memory(FILE *f, ts_arena *arena, const ts_bench_ring *ring, int r, const ts_page_order *order)
{
    const ts_paging *p = &ring->plan->paging;
    ts_page_port list[TS_PAGE_PORTS];
    const int count = ts_page_ports(ring->plan, order, list);
    const char *prefix = ts_printf(arena, "part%d_", r);
    for (int i = 0; i < count; i++)
        declare(f, ";", "wire", prefix, list[i].name, list[i].width);
    fprintf(f,
            "    assign %spage_run = 1'b1;\n"
            "    assign %spage_base = BASE;\n"
            "    ts_sim_memory #(.LANES(%d), .BEATS(%lld), .LATENCY(%d), .RATE(%d), .BURSTS(%d), .ADDRW(%d), .BASE(BASE), .NUMBER(%d),\n"
            "                    .IMAGE(\"%s%s\")) u_memory%d (\n"
            "        .clk(clk), .rst(rst), .gave_up(%spage_error)",
            prefix, prefix, p->lanes, (long long)order->beats, p->latency, (int)lround(65536 * p->rate), p->bursts, TS_PAGE_ADDRESS_BITS, r,
            ring->mem, TS_PAGE_FILE, r, prefix);
    for (int i = 0; i < count; i++) {
        static const char axi[] = "m_axi_";
        if (strncmp(list[i].name, axi, strlen(axi)) == 0)
            fprintf(f, ",%s.%s(%s%s)", i % 4 ? " " : "\n        ", list[i].name + strlen(axi), prefix, list[i].name);
    }
    fprintf(f, ");\n\n");
}

/* The paged rings' outputs of one name side by side, the first ring's lowest. */
static void gather(FILE *f, const ts_bench_options *opt, const ts_page_order *order, const char *name)
{
    fprintf(f, "    assign %s = {", name);
    bool some = false;
    for (int r = opt->rings - 1; r >= 0; r--)
        if (order[r].stages) {
            fprintf(f, "%spart%d_%s", some ? ", " : "", r, name);
            some = true;
        }
    fprintf(f, "};\n");
}

const char *ts_sim_top_text(ts_arena *arena, const ts_bench_options *opt, const ts_ports *ports)
{
    ts_page_order *order = TS_NEW_N(arena, ts_page_order, opt->rings);
    int stages = 0, rings = 0;
    for (int r = 0; r < opt->rings; r++) {
        order[r] = ts_page_order_of(arena, opt->ring[r].plan, opt->ring[r].im);
        stages += order[r].stages;
        rings += order[r].stages > 0;
    }
    if (!stages)
        return NULL;
    const port status[] = {{"page_error", false, rings},
                           {"page_retries", false, 16 * rings},
                           {"page_late", false, stages},
                           {"page_stalls", false, 32 * stages}};
    const int statuses = (int)(sizeof status / sizeof *status);
    port list[PORTS];
    const int count = ports_of_design(opt, ports, list);
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "// %s and a model of the external memory that its pages are in, for simulation. page_: what the pagers say, a bit or a slice "
            "a ring or,\n"
            "// of late and stalls, a paged stage.\n"
            "`default_nettype none\n\n"
            "module %s (\n",
            opt->top, TS_SIM_TOP);
    for (int i = 0; i < count; i++)
        declare(f, ",", list[i].input ? "input  wire" : "output wire", "", list[i].name, list[i].width);
    for (int i = 0; i < statuses; i++)
        declare(f, i < statuses - 1 ? "," : "", "output wire", "", status[i].name, status[i].width);
    fprintf(f, ");\n    localparam [%d:0] BASE = %d'h1234567000;\n\n", TS_PAGE_ADDRESS_BITS - 1, TS_PAGE_ADDRESS_BITS);
    for (int r = 0; r < opt->rings; r++)
        if (order[r].stages)
            memory(f, arena, &opt->ring[r], r, &order[r]);
    for (int i = 0; i < statuses; i++)
        gather(f, opt, order, status[i].name);
    fprintf(f, "\n    %s u_design (\n        ", opt->top);
    for (int i = 0; i < count; i++)
        fprintf(f, "%s.%s(%s)", i ? i % 4 ? ", " : ",\n        " : "", list[i].name, list[i].name);
    for (int r = 0; r < opt->rings; r++) {
        const char *signal = ts_printf(arena, "part%d_", r);
        ts_page_ports_connect(f, opt->rings > 1 ? signal : "", signal, opt->ring[r].plan, &order[r]);
    }
    fprintf(f, ");\nendmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}
