#include "ring/ports.h"

ts_ports ts_ports_of(const ts_imodel *im, const ts_plan *plan)
{
    const bool whole = im->embed_count > 0;
    ts_ports p = {.hit_lane = !whole ? im->res.bits : im->in.bits > 16 ? 32 : 16, .out_lane = 32, .beats = 1};
    if (im->head_count == 0) {
        p.lanes = im->d;
        p.out_lane = im->res.bits;
    } else if (plan->argmax) {
        p.lanes = 2;
    } else {
        const ts_lin_fold *f = &plan->lin[TS_LIN_HEAD0 + im->head_count - 1];
        p.lanes = f->nr;
        p.beats = ts_ceil_div(im->outputs, f->pm) * (f->pm / f->nr);
    }
    return p;
}

ts_ports ts_ports_of_chain(const ts_imodel *first, const ts_plan *first_plan, const ts_imodel *last, const ts_plan *last_plan)
{
    const ts_ports in = ts_ports_of(first, first_plan);
    ts_ports ports = ts_ports_of(last, last_plan);
    ports.hit_lane = in.hit_lane;
    return ports;
}

int ts_ports_output(const ts_ports *ports, const ts_imodel *im, int beat, int lane)
{
    const int index = beat * ports->lanes + lane;
    return index < im->outputs ? index : -1;
}

void ts_ports_argmax(const int32_t *y, int outputs, int32_t best[2])
{
    int at = 0;
    for (int i = 1; i < outputs; i++)
        if (y[i] > y[at])
            at = i;
    best[0] = y[at];
    best[1] = at;
}

/* ---- The list */

static void add(ts_port_list *list, ts_port_group group, const char *name, bool input, int width)
{
    CHECK(list->count < TS_PORT_MAX);
    list->port[list->count++] = (ts_port){.name = name, .input = input, .width = width, .group = group, .part = -1};
}

static void add_pages(ts_port_list *list, const ts_plan *plan, const ts_page_order *order)
{
    const int n = order->stages;
    const struct {
        ts_port_group group;
        const char *name;
        bool input;
        int width;
    } all[] = {{TS_PORT_PAGES, "page_run", true, 1},
               {TS_PORT_PAGES, "page_idle", false, 1},
               {TS_PORT_PAGES, "page_base", true, TS_PAGE_ADDRESS_BITS},
               {TS_PORT_PAGES, "page_error", false, 1},
               {TS_PORT_PAGES, "page_retries", false, 16},
               {TS_PORT_PAGES, "page_late", false, n},
               {TS_PORT_PAGES, "page_stalls", false, 32 * n},
               {TS_PORT_AXI, "m_axi_arvalid", false, 1},
               {TS_PORT_AXI, "m_axi_arready", true, 1},
               {TS_PORT_AXI, "m_axi_araddr", false, TS_PAGE_ADDRESS_BITS},
               {TS_PORT_AXI, "m_axi_arlen", false, 8},
               {TS_PORT_AXI, "m_axi_arsize", false, 3},
               {TS_PORT_AXI, "m_axi_arburst", false, 2},
               {TS_PORT_AXI, "m_axi_rvalid", true, 1},
               {TS_PORT_AXI, "m_axi_rready", false, 1},
               {TS_PORT_AXI, "m_axi_rdata", true, 64 * plan->paging.lanes},
               {TS_PORT_AXI, "m_axi_rresp", true, 2},
               {TS_PORT_AXI, "m_axi_rlast", true, 1}};
    for (size_t i = 0; n && i < sizeof all / sizeof *all; i++)
        add(list, all[i].group, all[i].name, all[i].input, all[i].width);
}

ts_port_list ts_page_ports(const ts_plan *plan, const ts_page_order *order, int part)
{
    ts_port_list list = {0};
    add_pages(&list, plan, order);
    for (int i = 0; i < list.count; i++)
        list.port[i].part = part;
    return list;
}

ts_port_list ts_chain_ports(const ts_ports *shape, int features, int rings, bool parity)
{
    ts_port_list list = {0};
    add(&list, TS_PORT_CLOCK, "clk", true, 1);
    add(&list, TS_PORT_CLOCK, "rst", true, 1);
    add(&list, TS_PORT_HITS, "s_hit_valid", true, 1);
    add(&list, TS_PORT_HITS, "s_hit_ready", false, 1);
    add(&list, TS_PORT_HITS, "s_hit_data", true, features * shape->hit_lane);
    add(&list, TS_PORT_HITS, "s_hit_last", true, 1);
    add(&list, TS_PORT_HITS, "s_hit_refused", true, 1);
    add(&list, TS_PORT_HITS, "s_hit_error", true, 1);
    add(&list, TS_PORT_RESULTS, "m_out_valid", false, 1);
    add(&list, TS_PORT_RESULTS, "m_out_ready", true, 1);
    add(&list, TS_PORT_RESULTS, "m_out_data", false, shape->lanes * shape->out_lane);
    add(&list, TS_PORT_RESULTS, "m_out_last", false, 1);
    add(&list, TS_PORT_RESULTS, "m_out_refused", false, 1);
    add(&list, TS_PORT_RESULTS, "m_out_error", false, 1);
    if (rings > 1) {
        add(&list, TS_PORT_CHAIN, "fault", false, rings);
        add(&list, TS_PORT_CHAIN, "cut_valid", false, rings - 1);
        add(&list, TS_PORT_CHAIN, "cut_ready", false, rings - 1);
        add(&list, TS_PORT_CHAIN, "cut_last", false, rings - 1);
        add(&list, TS_PORT_CHAIN, "hold", true, rings);
        add(&list, TS_PORT_CHAIN, "part_gives", false, rings);
    } else {
        add(&list, TS_PORT_FAULT, "fault", false, 1);
    }
    add(&list, TS_PORT_CONFIG, "cfg_we", true, 1);
    if (rings > 1)
        add(&list, TS_PORT_CONFIG, "cfg_part", true, 8);
    add(&list, TS_PORT_CONFIG, "cfg_mem", true, 8);
    add(&list, TS_PORT_CONFIG, "cfg_slice", true, 10);
    add(&list, TS_PORT_CONFIG, "cfg_addr", true, 16);
    add(&list, TS_PORT_CONFIG, "cfg_data", true, 72);
    if (parity) {
        const ts_port_group group = rings > 1 ? TS_PORT_CHAIN : TS_PORT_PARITY;
        add(&list, group, "parity_error", false, rings);
        add(&list, group, "parity_memory", false, 8 * rings);
    }
    return list;
}

ts_port_list ts_ring_ports(const ts_imodel *im, const ts_plan *plan, const ts_page_order *order)
{
    const ts_ports shape = ts_ports_of(im, plan);
    ts_port_list list = ts_chain_ports(&shape, im->features, 1, ts_plan_has_parity(plan));
    add_pages(&list, plan, order);
    return list;
}
