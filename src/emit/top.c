/* The top level of a ring: its ports, and its nodes, one after the other. */
#include "emit/top.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "emit/module_name.h"
#include "emit/port_text.h"
#include "ring/module.h"

const char *ts_top_name(ts_arena *arena, const ts_imodel *im)
{
    return ts_module_name(arena, im->name, "top");
}

/* ---- For the modules' rows */

void ts_print(const ts_printer *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(p->f, fmt, ap);
    va_end(ap);
}

const char *ts_print_stream(const ts_printer *p, int stream)
{
    CHECK(stream != TS_NO_STREAM);
    return p->ring->stream[stream].name;
}

void ts_print_untagged(const ts_printer *p, const char *port, const char *stream)
{
    ts_print(p, ".%s_valid(%s_valid), .%s_ready(%s_ready), .%s_data(%s_data)", port, stream, port, stream, port, stream);
}

void ts_print_tagged(const ts_printer *p, const char *port, const char *stream)
{
    ts_print_untagged(p, port, stream);
    ts_print(p, ", .%s_tag(%s_tag)", port, stream);
}

void ts_print_bundled(const ts_printer *p, const char *port, const char *stream)
{
    ts_print(p, ".%s_valid(%s_valid), .%s_ready(%s_ready), .%s_data({%s_tag, %s_data})", port, stream, port, stream, port, stream, stream);
}

void ts_print_unused(ts_printer *p, const char *signal)
{
    p->unused = ts_printf(p->arena, "%s, %s", p->unused, signal);
}

const char *ts_print_fault(ts_printer *p, const ts_ring_node *node)
{
    const ts_checked checked = ts_checked_of(p->ring, node);
    if (checked.bits > 1) /* the lowest is ts_watch's */
        ts_print(p, "    wire [%d:0] %s_fault;\n", checked.bits - 1, node->name);
    else
        ts_print(p, "    wire %s_fault;\n", node->name);
    p->faults = ts_printf(p->arena, "%s_fault%s%s%s", node->name, checked.bits > 1 ? "[0]" : "",
                          !p->fault_count      ? ""
                          : p->fault_count % 8 ? ", "
                                               : ",\n              ",
                          p->faults);
    p->fault_count++;
    return ts_printf(p->arena, ".fault(%s_fault)", node->name);
}

void ts_print_image(const ts_printer *p, ts_mem_style style, const char *stage, const char *suffix)
{
    if (style == TS_MEM_ULTRA)
        ts_print(p, "\"\"");
    else
        ts_print(p, "{MEM, \"%s_%s_\"}", stage, suffix);
}

/* ---- Nodes */

static void wires(const ts_printer *p, const ts_ring_stream *s)
{
    ts_print(p, "    wire %s_valid, %s_ready;\n    wire [%d:0] %s_data;\n", s->name, s->name, s->width - 1, s->name);
    if (s->tagged)
        ts_print(p, "    wire [TAGW-1:0] %s_tag;\n", s->name);
}

void ts_print_wires(const ts_printer *p, const ts_ring_node *n)
{
    const ts_ring *r = p->ring;
    for (int s = 0; s < r->streams; s++)
        if (&r->node[r->stream[s].declared] == n)
            wires(p, &r->stream[s]);
}

static void connect(const ts_printer *p, const char *port, int stream, ts_carry carry, const char *end)
{
    static void (*const how[])(const ts_printer *, const char *, const char *) = {
        [TS_WITH_TAG] = ts_print_tagged, [TS_IN_DATA] = ts_print_bundled, [TS_WITHOUT_TAG] = ts_print_untagged};
    how[carry](p, port, ts_print_stream(p, stream));
    ts_print(p, "%s", end);
}

static void connect_all(const ts_printer *p, const ts_ring_node *n, const ts_module *m)
{
    for (int i = 0; i < TS_NODE_STREAMS && m->in[i]; i++)
        connect(p, m->in[i], n->in[i], m->takes[i], ",\n        ");
    for (int i = 0; i < TS_NODE_STREAMS && m->out[i]; i++)
        connect(p, m->out[i], n->out[i], m->gives[i], i + 1 < TS_NODE_STREAMS && m->out[i + 1] ? ",\n        " : ");\n");
    /* The wires that close the ring go on with what a route lets through. */
    if (n->module != TS_MODULE_ROUTE || n[1].module != TS_MODULE_TURN)
        ts_print(p, "\n");
}

static void instance(ts_printer *p, const ts_ring_node *n, const ts_module *m)
{
    if (m->declare)
        m->declare(p, n);
    ts_print_wires(p, n);
    if (m->wires)
        m->wires(p, n);
    const char *fault = m->watched ? ts_print_fault(p, n) : NULL;
    ts_print(p, "    %s #(", m->name);
    m->parameters(p, n);
    ts_print(p, ") u_%s (\n        .clk(clk), .rst(rst)", n->name);
    if (m->controls)
        m->controls(p, n);
    if (fault)
        ts_print(p, ", %s", fault);
    if (m->configured)
        ts_print(p, ", .cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data)");
    ts_print(p, ",\n        ");
    if (m->connect)
        m->connect(p, n);
    else
        connect_all(p, n, m);
}

static void node(ts_printer *p, const ts_ring_node *n)
{
    const ts_module *m = ts_module_of(n->module);
    ts_print(p, "%s", n->heading);
    if (m->print)
        m->print(p, n);
    else
        instance(p, n, m);
}

/* ---- The whole */

/* The wires between the pager and its stages, in front of all that use them. */
static void page_wires(FILE *f, const ts_plan *plan, const ts_page_order *order)
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

static void header(const ts_printer *p, const ts_ports *ports)
{
    const ts_imodel *im = p->ring->im;
    const ts_plan *plan = p->ring->plan;
    ts_print(p,
             "// Ring engine of the model \"%s\": %d layers%s%s, d %d, %d heads of %d, ff %d, %d -> %d, events of up to %d hits.\n"
             "// Made by tessera; docs/hardware.md explains the streams, manifest.json lists ports, memories and folds.\n"
             "//\n"
             "// s_hit: one %s a transfer, value i in bits [i*%d +: %d], s_hit_last with the last one of an event.\n",
             im->name, im->layers, im->starts_in_ffn ? " (the first without attention block)" : "",
             im->ends_in_attention ? " (the last without FFN block)" : "", im->d, im->heads, im->d_head, im->ff, im->features, im->outputs,
             plan->n_max, im->embed_count ? "hit" : "residual token", ports->hit_lane, ports->hit_lane);
    ts_print(
        p,
        "// s_hit_refused: the event is refused with this transfer, its last one, which holds nothing. s_hit_error, with an event's last\n"
        "// transfer: the event is not what it was.\n");
    if (plan->argmax)
        ts_print(p, "// m_out: one transfer a %s, {class, value of its output}, each 32 bits, signed;\n", im->pool ? "event" : "hit");
    else if (im->head_count == 0)
        ts_print(p, "// m_out: one transfer a token, value i in bits [i*%d +: %d], signed;\n", ports->out_lane, ports->out_lane);
    else
        ts_print(p, "// m_out: %d transfers a %s, %d outputs of 32 bits (signed) each;\n", ports->beats, im->pool ? "event" : "hit",
                 ports->lanes);
    ts_print(
        p,
        "// m_out_last with an event's last transfer; an event of more than %d hits gives one transfer with m_out_refused.\n"
        "// m_out_error, with the last transfer: something that the event used was damaged (on a link, or a page); its words are not to be "
        "used.\n"
        "// cfg: writes one slice of one word of a page memory; only while no event is inside.\n"
        "// fault: some buffer overflowed or ran empty, which credits exclude (docs/hardware.md); stays up until reset.\n",
        plan->n_max);
    if (ts_plan_has_parity(plan))
        ts_print(p, "// parity_error, for a cycle: a word was used that is not as it was written, of memory parity_memory (its cfg_mem); "
                    "the events\n"
                    "// inside are marked by m_out_error.\n");
    if (p->pages.stages > 0)
        ts_print(
            p,
            "// m_axi: reads pages from external memory, where mem/pages.bin is from page_base (a multiple of %d) on; while page_run is "
            "up.\n"
            "// page_error: a page was given up. page_retries: pages fetched again. page_late, page_stalls (32 bits each): of the stages "
            "of u_pager.\n",
            TS_PAGE_ALIGNMENT);
    ts_print(p,
             "`default_nettype none\n\n"
             "module %s #(\n"
             "    parameter MEM = \"mem/\", // where the memory images are\n"
             "    parameter REG = %d       // adder levels between registers\n"
             ") (\n",
             ts_top_name(p->arena, im), plan->reg);
    const ts_port_list list = ts_ring_ports(im, plan, &p->pages);
    ts_ports_declare(p->f, &list, true, false);
    ts_print(p,
             "\n);\n"
             "    localparam LW   = %d; // bits of a layer number\n"
             "    localparam TAGW = %d; // a token's tag: {drop, last of its event, layer}\n\n",
             p->ring->w->lw, p->ring->w->tagw);
    page_wires(p->f, plan, &p->pages);
}

const char *ts_top_text(ts_arena *arena, const ts_ring *ring)
{
    const ts_ports ports = ts_ports_of(ring->im, ring->plan);
    ts_text text;
    ts_printer p = {.f = ts_text_open(&text),
                    .arena = arena,
                    .ring = ring,
                    .pages = ts_page_order_of(arena, ring->plan, ring->im),
                    .unused = "",
                    .faults = ""};
    header(&p, &ports);
    for (int n = 0; n < ring->nodes; n++)
        node(&p, &ring->node[n]);
    ts_print(&p, "    wire unused = &{1'b0%s};\nendmodule\n\n`default_nettype wire\n", p.unused);
    return ts_text_close(&text, arena);
}
