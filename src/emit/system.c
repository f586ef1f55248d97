#include "emit/system.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/asset.h"
#include "base/file.h"
#include "base/text.h"
#include "design/outdir.h"
#include "emit/bench.h"
#include "emit/module_name.h"
#include "emit/port_text.h"
#include "emit/sim_top.h"
#include "emit/top.h"
#include "emu/emu.h"

const char *ts_system_name(ts_arena *arena, const ts_imodel *im)
{
    return ts_module_name(arena, im->name, "system");
}

static bool apart(const ts_hop *hop)
{
    return hop->latency > 0 || hop->token_cycles > 0;
}

/* ---- Verilog */

static void header(FILE *f, ts_arena *arena, const ts_system_options *opt, const ts_ports *ports)
{
    const ts_partition *p = opt->partition;
    fprintf(f,
            "// The model \"%s\" as %d rings in a chain (%s). Made by tessera; manifest.json says what each one computes.\n"
            "//\n"
            "// s_hit, m_out: as those of a single ring. cfg: writes memories of part cfg_part.\n"
            "// fault[i]: some buffer of part i overflowed or ran empty; stays up until reset.\n"
            "// cut_valid, cut_ready, cut_last: the streams between the parts, to be looked at; part_gives[i]: part i gives a transfer.\n"
            "// hold[i]: part i takes and gives nothing; for simulations of a part that stands still, 0 otherwise.\n"
            "// part<i>_m_axi, part<i>_page: of a part with pages in external memory, as those of a single ring.\n"
            "`default_nettype none\n\n"
            "module %s (\n",
            opt->im->name, p->parts, ts_mode_name(p->mode), ts_system_name(arena, opt->im));
    const ts_port_list own = ts_chain_ports(ports, opt->im->features, p->parts);
    ts_ports_declare(f, &own, true, false);
    for (int i = 0; i < p->parts; i++) {
        const ts_page_order order = ts_page_order_of(arena, p->part[i].planned.plan, p->part[i].im);
        const ts_port_list pages = ts_page_ports(p->part[i].planned.plan, &order, i);
        ts_ports_declare(f, &pages, true, true);
    }
    fprintf(f, "\n);\n");
}

/* The six signals of a stream between parts; `from` leaves a part, `to` enters the next. */
static void stream(FILE *f, const char *name, int width)
{
    fprintf(f, "    wire %s_valid, %s_ready, %s_last, %s_refused, %s_error;\n    wire [%d:0] %s_data;\n", name, name, name, name, name,
            width - 1, name);
}

/* Both ends of the link behind part i, and the two wires of the simulation between them: 2 * i to the next part, 2 * i + 1 back. */
static void link(FILE *f, ts_arena *arena, const ts_system_options *opt, int i, int width, const char *from, const char *to)
{
    const ts_partition *p = opt->partition;
    const ts_plan *plan = p->part[i].planned.plan;
    const ts_link_ends ends = ts_link_ends_of(&p->link, width);
    const int rate = (int)lround(65536 * p->link.rate);
    const char *common = ts_printf(arena, ".TOKW(%d), .LINKW(%d), .PACKET(%d), .DEPTH(%d), .NMAX(%d), .CREDIT(%d), .BEAT(%d), .TIMEOUT(%d)",
                                   width, p->link.word_bits, ends.packet, ends.depth, plan->n_max, ends.credit, ends.beat, ends.timeout);
    for (int back = 0; back < 2; back++) {
        const char *w = ts_printf(arena, "wire%d", 2 * i + back);
        fprintf(f,
                "    wire %s_slot, %s_in, %s_out;\n    wire [%d:0] %s_in_word, %s_out_word;\n"
                "    ts_sim_wire #(.WIDTH(%d), .LATENCY(%d), .RATE(%d), .NUMBER(%d)) u_%s (\n"
                "        .clk(clk), .rst(rst), .slot(%s_slot), .s_valid(%s_in), .s_data(%s_in_word), .m_valid(%s_out), "
                ".m_data(%s_out_word));\n",
                w, w, w, p->link.word_bits - 1, w, w, p->link.word_bits, p->link.flight, rate, 2 * i + back, w, w, w, w, w, w);
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

static void part(FILE *f, ts_arena *arena, const ts_system_options *opt, int i)
{
    const ts_partition *p = opt->partition;
    const ts_part *part = &p->part[i];
    const bool first = i == 0, last = i == p->parts - 1;
    const char *in = first ? "s_hit" : ts_printf(arena, "to%d", i), *out = last ? "m_out" : ts_printf(arena, "from%d", i);
    fprintf(f, "    // Part %d: blocks %d to %d, on %s.\n", i, part->slice.first, part->slice.end - 1, opt->device[part->device]->name);
    const int width = part->im->d * part->im->res.bits;
    if (!last)
        stream(f, out, width);
    fprintf(f,
            "    wire part%d_ready, part%d_valid;\n"
            "    assign %s_ready = part%d_ready && !hold[%d];\n"
            "    assign %s_valid = part%d_valid && !hold[%d];\n"
            "    assign part_gives[%d] = %s_valid && %s_ready;\n",
            i, i, in, i, i, out, i, i, i, out, out);
    fprintf(f,
            "    %s #(.MEM(\"part%d/mem/\")) u_part%d (\n"
            "        .clk(clk), .rst(rst), .cfg_we(cfg_we && cfg_part == 8'd%d), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), "
            ".cfg_addr(cfg_addr),\n"
            "        .cfg_data(cfg_data), .s_hit_valid(%s_valid && !hold[%d]), .s_hit_ready(part%d_ready), .s_hit_data(%s_data),\n"
            "        .s_hit_last(%s_last),\n",
            ts_top_name(arena, part->im), i, i, i, in, i, i, in, in);
    if (part->im->embed_count == 0)
        fprintf(f, "        .s_hit_refused(%s_refused), .s_hit_error(%s_error),\n", in, in);
    fprintf(f,
            "        .m_out_valid(part%d_valid), .m_out_ready(%s_ready && !hold[%d]), .m_out_data(%s_data), .m_out_last(%s_last),\n"
            "        .m_out_refused(%s_refused), .m_out_error(%s_error), .fault(fault[%d])",
            i, out, i, out, out, out, out, i);
    const ts_page_order order = ts_page_order_of(arena, part->planned.plan, part->im);
    const ts_port_list own = ts_page_ports(part->planned.plan, &order, -1), pages = ts_page_ports(part->planned.plan, &order, i);
    ts_ports_connect(f, &own, &pages, true);
    fprintf(f, ");\n");
    if (last)
        return;
    const char *next = ts_printf(arena, "to%d", i + 1);
    const ts_hop *hop = &p->ring[i + 1].before;
    stream(f, next, width);
    if (apart(hop))
        link(f, arena, opt, i, width, out, next);
    else
        fprintf(f,
                "    assign %s_valid = %s_valid;\n    assign %s_ready = %s_ready;\n    assign %s_data = %s_data;\n    assign %s_last = "
                "%s_last;\n"
                "    assign %s_refused = %s_refused;\n    assign %s_error = %s_error;\n",
                next, out, out, next, next, out, next, out, next, out, next, out);
    fprintf(f, "    assign cut_valid[%d] = %s_valid;\n    assign cut_ready[%d] = %s_ready;\n    assign cut_last[%d] = %s_last;\n\n", i,
            next, i, next, i, next);
}

static const char *verilog(ts_arena *arena, const ts_system_options *opt)
{
    const ts_partition *p = opt->partition;
    const ts_part *last = &p->part[p->parts - 1];
    const ts_ports ports = ts_ports_of_chain(p->part[0].im, p->part[0].planned.plan, last->im, last->planned.plan);
    ts_text text;
    FILE *f = ts_text_open(&text);
    header(f, arena, opt, &ports);
    for (int i = 0; i < p->parts; i++)
        part(f, arena, opt, i);
    fprintf(f, "endmodule\n\n`default_nettype wire\n");
    return ts_text_close(&text, arena);
}

/* ---- Manifest */

static json_t *manifest(ts_arena *arena, const ts_system_options *opt)
{
    const ts_partition *p = opt->partition;
    json_t *parts = json_array();
    for (int i = 0; i < p->parts; i++) {
        const ts_part *part = &p->part[i];
        json_t *entry = json_pack("{s:s, s:s, s:i, s:[i, i], s:b, s:b}", "directory", ts_printf(arena, "part%d", i), "device",
                                  opt->device[part->device]->name, "device_number", part->device, "cuts", part->slice.first,
                                  part->slice.end, "embedding", part->slice.embed, "head", part->slice.head);
        if (i > 0 && apart(&p->ring[i].before))
            json_object_set_new(entry, "way_to_it",
                                json_pack("{s:f, s:f, s:i, s:f, s:i, s:i}", "latency_cycles", p->ring[i].before.latency, "token_cycles",
                                          p->ring[i].before.token_cycles, "word_bits", p->link.word_bits, "words_a_cycle", p->link.rate,
                                          "flight_cycles", p->link.flight, "silence_cycles",
                                          ts_link_ends_of(&p->link, part->im->d * part->im->res.bits).timeout));
        json_array_append_new(parts, entry);
    }
    json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:o}", "tessera_manifest", TS_MANIFEST_VERSION, "model", opt->im->name, "mode",
                             ts_mode_name(p->mode), "top", ts_system_name(arena, opt->im), "parts", parts);
    CHECK(json);
    if (opt->extra)
        CHECK(json_object_update_missing(json, opt->extra) == 0);
    return json;
}

/* ---- Files */

typedef struct writer {
    ts_arena *arena;
    const char *dir;
    ts_err *err;
} writer;

static bool write_text(const writer *w, const char *name, const char *text)
{
    return ts_file_create(ts_printf(w->arena, "%s/%s", w->dir, name), text, strlen(text), w->err);
}

static bool write_templates(const writer *w)
{
    static const char templates[] = "src/sim/templates/";
    for (const ts_asset *a = ts_assets; a->name; a++)
        if (strncmp(a->name, templates, strlen(templates)) == 0 &&
            !ts_file_create(ts_printf(w->arena, "%s/tb/%s", w->dir, a->name + strlen(templates)), a->data, a->size, w->err))
            return false;
    return true;
}

/* The parts' benches want what enters each part: the events' beginnings, through the parts before it. */
enum { BENCH_EVENTS = 3, BENCH_HITS = 24 };

static bool write_parts(const writer *w, const ts_system_options *opt)
{
    const ts_partition *p = opt->partition;
    int n[BENCH_EVENTS], events = 0;
    const int32_t *x[BENCH_EVENTS];
    for (int e = 0; e < opt->events && events < BENCH_EVENTS; e++)
        if (opt->n[e] > 0) {
            const int most = p->part[0].planned.plan->n_max < BENCH_HITS ? p->part[0].planned.plan->n_max : BENCH_HITS;
            n[events] = opt->n[e] < most ? opt->n[e] : most;
            x[events++] = opt->x[e];
        }
    for (int i = 0; i < p->parts; i++) {
        const ts_part *part = &p->part[i];
        const ts_emit_options ring = {.im = part->im, .plan = part->planned.plan, .events = events, .n = n, .x = x};
        const char *dir = ts_printf(w->arena, "%s/part%d", w->dir, i);
        if (!ts_outdir_make(dir, w->err) || !ts_emit_into(&ring, dir, w->err))
            return false;
        const ts_emu *emu = ts_emu_new(w->arena, part->im, TS_EMU_AUTO);
        for (int e = 0; e < events && i < p->parts - 1; e++) {
            int32_t *y = TS_NEW_N(w->arena, int32_t, n[e] * part->im->outputs);
            ts_emu_run(emu, n[e], x[e], y, NULL, NULL);
            x[e] = y;
        }
    }
    return true;
}

static ts_bench_files bench(ts_arena *arena, const ts_system_options *opt)
{
    const ts_partition *p = opt->partition;
    ts_bench_ring *ring = TS_NEW_N(arena, ts_bench_ring, p->parts);
    double hops = 0;
    for (int i = 0; i < p->parts; i++) {
        const ts_plan *plan = p->part[i].planned.plan;
        ring[i] = (ts_bench_ring){p->part[i].im, plan, ts_printf(arena, "part%d/mem/", i)};
        hops += p->ring[i].before.latency + plan->n_max * p->ring[i].before.token_cycles;
    }
    const ts_bench_options of = {.top = ts_system_name(arena, opt->im),
                                 .im = opt->im,
                                 .rings = p->parts,
                                 .ring = ring,
                                 .events = opt->events,
                                 .n = opt->n,
                                 .x = opt->x,
                                 .hop_cycles = hops};
    return ts_bench_make(arena, &of);
}

static bool write_all(const writer *w, const ts_system_options *opt)
{
    static const char *const dirs[] = {"rtl", "mem", "tb"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        if (!ts_outdir_make(ts_printf(w->arena, "%s/%s", w->dir, dirs[i]), w->err))
            return false;
    const ts_bench_files files = bench(w->arena, opt);
    return write_parts(w, opt) && write_templates(w) &&
           write_text(w, ts_printf(w->arena, "rtl/%s.v", ts_system_name(w->arena, opt->im)), verilog(w->arena, opt)) &&
           write_text(w, "mem/hits.hex", files.hits) && write_text(w, "mem/expect.hex", files.expect) &&
           (!files.load || write_text(w, "mem/load.hex", files.load)) && write_text(w, "tb/ring.vh", files.ring_vh) &&
           write_text(w, "tb/ring.h", files.ring_h) && (!files.sim_top || write_text(w, "tb/" TS_SIM_TOP ".v", files.sim_top)) &&
           ts_imodel_save(opt->im, ts_printf(w->arena, "%s/model.tsm", w->dir), w->err) &&
           ts_manifest_write(w->arena, w->dir, manifest(w->arena, opt), w->err);
}

bool ts_emit_system_into(const ts_system_options *opt, const char *dir, ts_err *err)
{
    CHECK(opt->partition->parts > 1);
    ts_arena *arena = ts_arena_new();
    const bool ok = write_all(&(writer){arena, dir, err}, opt);
    ts_arena_free(arena);
    return ok;
}

bool ts_emit_system(const ts_system_options *opt, const char *dir, ts_err *err)
{
    ts_arena *arena = ts_arena_new();
    ts_outdir out;
    bool ok = ts_outdir_begin(arena, dir, &out, err);
    if (ok && !(ok = ts_emit_system_into(opt, out.temp, err)))
        ts_outdir_abort(&out);
    ok = ok && ts_outdir_commit(arena, &out, err);
    ts_arena_free(arena);
    return ok;
}
