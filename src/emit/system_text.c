/* Verilog of a system: its rings, connected. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "emit/port_text.h"
#include "emit/system.h"

static void header(FILE *f, const ts_system *s)
{
    fprintf(f,
            "// The model \"%s\" as %d rings in a chain (%s). Made by tessera; manifest.json says what each one computes.\n"
            "//\n"
            "// s_hit, m_out: as those of a single ring. cfg: writes memories of part cfg_part.\n"
            "// fault[i]: some buffer of part i overflowed or ran empty; stays up until reset.\n"
            "// cut_valid, cut_ready, cut_last: the streams between the parts, to be looked at; part_gives[i]: part i gives a transfer.\n"
            "// hold[i]: part i takes and gives nothing; for simulations of a part that stands still, 0 otherwise.\n"
            "// part<i>_m_axi, part<i>_page: of a part with pages in external memory, as those of a single ring.\n"
            "%s"
            "`default_nettype none\n\n"
            "module %s #(\n    parameter MEM = \"./\" // where part0/mem/ and so on are\n) (\n",
            s->im->name, s->rings, ts_mode_name(s->mode),
            ts_system_has_parity(s) ? "// parity_error[i], parity_memory[8*i +: 8]: of part i, as those of a single ring.\n" : "", s->top);
    const ts_port_list own = ts_chain_ports(&s->ports, s->im->features, s->rings, ts_system_has_parity(s));
    ts_ports_declare(f, &own, true, false);
    for (int i = 0; i < s->rings; i++) {
        const ts_port_list pages = ts_page_ports(s->ring[i].plan, &s->ring[i].pages, i);
        ts_ports_declare(f, &pages, true, true);
    }
    fprintf(f, "\n);\n");
}

static void declare(FILE *f, const ts_system_stream *stream)
{
    const char *n = stream->name;
    fprintf(f, "    wire %s_valid, %s_ready, %s_last, %s_refused, %s_error;\n    wire [%d:0] %s_data;\n", n, n, n, n, n, stream->width - 1,
            n);
}

/* Both ends of the link behind part i, and the two wires of the simulation between them: 2 * i to the next part, 2 * i + 1 back. */
static void link(FILE *f, ts_arena *arena, const ts_system *s, const ts_system_node *node)
{
    const int i = node->ring, width = node->takes;
    const char *from = s->stream[node->from].name, *to = s->stream[node->to].name;
    const ts_plan *plan = s->ring[i].plan;
    const ts_link_ends ends = ts_link_ends_of(&s->link, width);
    const int rate = (int)lround(65536 * s->link.rate);
    const char *common = ts_printf(arena, ".TOKW(%d), .LINKW(%d), .PACKET(%d), .DEPTH(%d), .NMAX(%d), .CREDIT(%d), .BEAT(%d), .TIMEOUT(%d)",
                                   width, s->link.word_bits, ends.packet, ends.depth, plan->n_max, ends.credit, ends.beat, ends.timeout);
    for (int back = 0; back < 2; back++) {
        const char *w = ts_printf(arena, "wire%d", 2 * i + back);
        fprintf(f,
                "    wire %s_slot, %s_in, %s_out;\n    wire [%d:0] %s_in_word, %s_out_word;\n"
                "    ts_sim_wire #(.WIDTH(%d), .LATENCY(%d), .RATE(%d), .NUMBER(%d)) u_%s (\n"
                "        .clk(clk), .rst(rst), .slot(%s_slot), .s_valid(%s_in), .s_data(%s_in_word), .m_valid(%s_out), "
                ".m_data(%s_out_word));\n",
                w, w, w, s->link.word_bits - 1, w, w, s->link.word_bits, s->link.flight, rate, 2 * i + back, w, w, w, w, w, w);
    }
    fprintf(
        f,
        "    ts_link #(.SEND(1), .RECEIVE(0), %s) u_send%d (\n"
        "        .clk(clk), .rst(rst), .s_valid(%s_valid), .s_ready(%s_ready), .s_data(%s_data), .s_last(%s_last),\n"
        "        .s_refused(%s_refused), .s_error(%s_error), .m_valid(), .m_ready(1'b0), .m_data(), .m_last(), .m_refused(), .m_error(),\n"
        "        .tx_slot(wire%d_slot), .tx_valid(wire%d_in), .tx_data(wire%d_in_word),\n"
        "        .rx_valid(wire%d_out), .rx_data(wire%d_out_word), .faults());\n",
        common, i, from, from, from, from, from, from, 2 * i, 2 * i, 2 * i, 2 * i + 1, 2 * i + 1);
    fprintf(
        f,
        "    ts_link #(.SEND(0), .RECEIVE(1), %s) u_receive%d (\n"
        "        .clk(clk), .rst(rst), .s_valid(1'b0), .s_ready(), .s_data(%d'd0), .s_last(1'b0), .s_refused(1'b0), .s_error(1'b0),\n"
        "        .m_valid(%s_valid), .m_ready(%s_ready), .m_data(%s_data), .m_last(%s_last), .m_refused(%s_refused), .m_error(%s_error),\n"
        "        .tx_slot(wire%d_slot), .tx_valid(wire%d_in), .tx_data(wire%d_in_word),\n"
        "        .rx_valid(wire%d_out), .rx_data(wire%d_out_word), .faults());\n",
        common, i + 1, width, to, to, to, to, to, to, 2 * i + 1, 2 * i + 1, 2 * i + 1, 2 * i, 2 * i);
}

static void wires(FILE *f, const char *from, const char *to)
{
    static const char *const signals[] = {"valid", "ready", "data", "last", "refused", "error"};
    for (int i = 0; i < 6; i++) {
        const bool back = i == 1;
        fprintf(f, "    assign %s_%s = %s_%s;\n", back ? from : to, signals[i], back ? to : from, signals[i]);
    }
}

/* What is between two rings, and how it is seen from outside. */
static void cut(FILE *f, ts_arena *arena, const ts_system *s, const ts_system_node *node)
{
    const int i = node->ring;
    const char *to = s->stream[node->to].name;
    declare(f, &s->stream[node->to]);
    if (node->kind == TS_SYSTEM_LINK)
        link(f, arena, s, node);
    else
        wires(f, s->stream[node->from].name, to);
    fprintf(f, "    assign cut_valid[%d] = %s_valid;\n    assign cut_ready[%d] = %s_ready;\n    assign cut_last[%d] = %s_last;\n\n", i, to,
            i, to, i, to);
}

static void part(FILE *f, const ts_system *s, const ts_system_node *node)
{
    const int i = node->ring;
    const ts_system_ring *ring = &s->ring[i];
    const char *in = s->stream[node->from].name, *out = s->stream[node->to].name;
    fprintf(f, "    // Part %d: blocks %d to %d, on %s.\n", i, ring->slice.first, ring->slice.end - 1, ring->device);
    if (node->to != s->streams - 1)
        declare(f, &s->stream[node->to]);
    fprintf(f,
            "    wire part%d_ready, part%d_valid;\n"
            "    assign %s_ready = part%d_ready && !hold[%d];\n"
            "    assign %s_valid = part%d_valid && !hold[%d];\n"
            "    assign part_gives[%d] = %s_valid && %s_ready;\n",
            i, i, in, i, i, out, i, i, i, out, out);
    fprintf(f,
            "    %s #(.MEM({MEM, \"%smem/\"})) u_part%d (\n"
            "        .clk(clk), .rst(rst), .cfg_we(cfg_we && cfg_part == 8'd%d), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), "
            ".cfg_addr(cfg_addr),\n"
            "        .cfg_data(cfg_data), .s_hit_valid(%s_valid && !hold[%d]), .s_hit_ready(part%d_ready), .s_hit_data(%s_data),\n"
            "        .s_hit_last(%s_last),\n",
            ring->top, ring->inside, i, i, in, i, i, in, in);
    fprintf(f, "        .s_hit_refused(%s_refused), .s_hit_error(%s_error),\n", in, in);
    fprintf(f,
            "        .m_out_valid(part%d_valid), .m_out_ready(%s_ready && !hold[%d]), .m_out_data(%s_data), .m_out_last(%s_last),\n"
            "        .m_out_refused(%s_refused), .m_out_error(%s_error), .fault(fault[%d])",
            i, out, i, out, out, out, out, i);
    if (ts_plan_has_parity(ring->plan))
        fprintf(f, ",\n        .parity_error(parity_error[%d]), .parity_memory(parity_memory[%d +: 8])", i, 8 * i);
    const ts_port_list own = ts_page_ports(ring->plan, &ring->pages, -1), pages = ts_page_ports(ring->plan, &ring->pages, i);
    ts_ports_connect(f, &own, &pages, true);
    fprintf(f, ");\n");
    if (ts_system_has_parity(s) && !ts_plan_has_parity(ring->plan))
        fprintf(f, "    assign parity_error[%d] = 1'b0;\n    assign parity_memory[%d +: 8] = 8'd0;\n", i, 8 * i);
}

const char *ts_system_text(ts_arena *arena, const ts_system *s)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    header(f, s);
    for (int n = 0; n < s->nodes; n++)
        if (s->node[n].kind == TS_SYSTEM_RING)
            part(f, s, &s->node[n]);
        else
            cut(f, arena, s, &s->node[n]);
    fprintf(f, "endmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}
