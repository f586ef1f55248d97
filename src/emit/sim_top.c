#include "emit/sim_top.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "emit/page_file.h"
#include "emit/port_text.h"

/* The external memory of ring r, between its ports and nothing. */
static void memory(FILE *f, ts_arena *arena, const ts_system_ring *ring, int r)
{
    const ts_paging *p = &ring->plan->paging;
    const ts_port_list list = ts_page_ports(ring->plan, &ring->pages, r);
    const char *prefix = ts_printf(arena, "part%d_", r);
    ts_ports_wires(f, &list);
    fprintf(f,
            "    assign %spage_run = page_run;\n"
            "    assign %spage_base = page_next ? NEXT : BASE;\n"
            "    ts_sim_memory #(.LANES(%d), .BEATS(%lld), .LATENCY(%d), .RATE(%d), .BURSTS(%d), .ADDRW(%d), .BASE(BASE), .NEXT(NEXT), "
            ".NUMBER(%d),\n"
            "                    .IMAGE(\"%smem/%s\")) u_memory%d (\n"
            "        .clk(clk), .rst(rst), .gave_up(%spage_error)",
            prefix, prefix, p->lanes, (long long)ring->pages.beats, p->latency, (int)lround(65536 * p->rate), p->bursts,
            TS_PAGE_ADDRESS_BITS, r, ring->inside, TS_PAGE_FILE, r, prefix);
    for (int i = 0; i < list.count; i++)
        if (list.port[i].group == TS_PORT_AXI)
            fprintf(f, ",%s.%s(%s%s)", i % 4 ? " " : "\n        ", list.port[i].name + strlen("m_axi_"), prefix, list.port[i].name);
    fprintf(f, ");\n\n");
}

/* The paged rings' outputs of one name side by side, the first ring's lowest. */
static void gather(FILE *f, const ts_system *s, const char *name)
{
    fprintf(f, "    assign %s = {", name);
    bool some = false;
    for (int r = s->rings - 1; r >= 0; r--)
        if (s->ring[r].pages.stages) {
            fprintf(f, "%spart%d_%s", some ? ", " : "", r, name);
            some = true;
        }
    fprintf(f, "};\n");
}

const char *ts_sim_top_text(ts_arena *arena, const ts_system *s)
{
    int stages = 0, rings = 0;
    for (int r = 0; r < s->rings; r++) {
        stages += s->ring[r].pages.stages;
        rings += s->ring[r].pages.stages > 0;
    }
    const ts_port_list status = {.count = 4,
                                 .port = {{.name = "page_error", .width = rings, .part = -1},
                                          {.name = "page_retries", .width = 16 * rings, .part = -1},
                                          {.name = "page_late", .width = stages, .part = -1},
                                          {.name = "page_stalls", .width = 32 * stages, .part = -1}}};
    const ts_port_list list = ts_chain_ports(&s->ports, s->im->features, s->rings, ts_system_has_parity(s));
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f,
            "// %s and a model of the external memory that its pages are in, for simulation. page_: what the pagers say, a bit or a slice "
            "a ring or,\n"
            "// of late and stalls, a paged stage.\n"
            "`default_nettype none\n\n"
            "module %s (\n",
            s->top, TS_SIM_TOP);
    ts_ports_declare(f, &list, false, false);
    ts_ports_declare(f, &status, false, true);
    fprintf(f,
            ",\n    input  wire page_run,\n    input  wire page_next, // the second image\n    output wire page_idle\n);\n"
            "    localparam [%d:0] BASE = %d'h1234567000, NEXT = %d'h2345678000;\n\n",
            TS_PAGE_ADDRESS_BITS - 1, TS_PAGE_ADDRESS_BITS, TS_PAGE_ADDRESS_BITS);
    for (int r = 0; r < s->rings; r++)
        if (s->ring[r].pages.stages)
            memory(f, arena, &s->ring[r], r);
    for (int i = 0; i < status.count; i++)
        gather(f, s, status.port[i].name);
    fprintf(f, "    assign page_idle = 1'b1");
    for (int r = 0; r < s->rings; r++)
        if (s->ring[r].pages.stages)
            fprintf(f, " && part%d_page_idle", r);
    fprintf(f, ";\n\n    %s u_design (\n        ", s->top);
    ts_ports_connect(f, &list, &list, false);
    for (int r = 0; r < s->rings; r++) {
        const ts_system_ring *ring = &s->ring[r];
        const ts_port_list pages = ts_page_ports(ring->plan, &ring->pages, r);
        const ts_port_list port = ts_page_ports(ring->plan, &ring->pages, s->rings > 1 ? r : -1);
        ts_ports_connect(f, &port, &pages, true);
    }
    fprintf(f, ");\nendmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}
