#include "emit/top.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "emit/memories.h"
#include "emit/module_name.h"
#include "emit/port_text.h"
#include "emit/top_pages.h"
#include "num/fixed.h"

typedef struct top {
    FILE *f;
    ts_arena *arena;
    const ts_imodel *im;
    const ts_plan *plan;
    ts_ring_widths w;
    ts_ring_ways ways;
    ts_ports ports;
    ts_stream *streams;
    int stream_count;
    ts_page_order pages;
    const char *page_in[TS_PAGED_STAGES], *page_to[TS_PAGED_STAGES]; /* streams in front of and behind the paged stages */
    const char *unused;                                              /* outputs of modules that nobody needs, ", a, b" */
    const char *faults;                                              /* of the stages so far, "b, a" */
    int fault_count;
} top;

const char *ts_top_name(ts_arena *arena, const ts_imodel *im)
{
    return ts_module_name(arena, im->name, "top");
}

static void out(const top *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void out(const top *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(t->f, fmt, ap);
    va_end(ap);
}

/* Declares the wires of a stream. */
static void wires(const top *t, const char *name, int width, bool tagged)
{
    out(t, "    wire %s_valid, %s_ready;\n    wire [%d:0] %s_data;\n", name, name, width - 1, name);
    if (tagged)
        out(t, "    wire [TAGW-1:0] %s_tag;\n", name);
}

/* An output that is connected for the sake of lint only. */
static void ignore(top *t, const char *signal)
{
    t->unused = ts_printf(t->arena, "%s, %s", t->unused, signal);
}

/* Declares a stage's output `fault` and returns its connection; they are collected at the end. */
static const char *fault(top *t, const char *stage)
{
    out(t, "    wire %s_fault;\n", stage);
    t->faults = ts_printf(t->arena, "%s_fault%s%s", stage,
                          !t->fault_count      ? ""
                          : t->fault_count % 8 ? ", "
                                               : ",\n              ",
                          t->faults);
    t->fault_count++;
    return ts_printf(t->arena, ".fault(%s_fault)", stage);
}

/* Remembers a stream for traces. */
static void trace(top *t, const char *wire, const char *label, int first, int count, int width, bool is_signed, ts_role role, int part)
{
    CHECK(t->stream_count < TS_STREAM_MAX);
    t->streams[t->stream_count++] = (ts_stream){wire, label, first, count, width, is_signed, role, part};
}

/* The connections of a stream's data and tag, and of one that carries both in its data (fork, merge, route). */
static void tagged(const top *t, const char *port, const char *stream)
{
    out(t, ".%s_valid(%s_valid), .%s_ready(%s_ready), .%s_data(%s_data), .%s_tag(%s_tag)", port, stream, port, stream, port, stream, port,
        stream);
}

static void untagged(const top *t, const char *port, const char *stream)
{
    out(t, ".%s_valid(%s_valid), .%s_ready(%s_ready), .%s_data(%s_data)", port, stream, port, stream, port, stream);
}

static void bundled(const top *t, const char *port, const char *stream)
{
    out(t, ".%s_valid(%s_valid), .%s_ready(%s_ready), .%s_data({%s_tag, %s_data})", port, stream, port, stream, port, stream, stream);
}

static const char config[] = ".cfg_we(cfg_we), .cfg_mem(cfg_mem), .cfg_slice(cfg_slice), .cfg_addr(cfg_addr), .cfg_data(cfg_data)";

static const char *style(ts_mem_style s)
{
    return ts_mem_style_name(s);
}

/* An image parameter: nothing where the memory has no initial contents. */
static const char *image(const top *t, ts_mem_style s, const char *stage, const char *suffix)
{
    return s == TS_MEM_ULTRA ? "\"\"" : ts_printf(t->arena, "{MEM, \"%s_%s_\"}", stage, suffix);
}

/* The parameter of modules with a slice of whole tokens. */
static const char *half(const top *t)
{
    return t->plan->half ? ", .HALF(1)" : "";
}

static void fork2(const top *t, const char *name, int width, const char *rate, const char *in, const char *a, const char *b)
{
    wires(t, a, width, true);
    wires(t, b, width, true);
    out(t, "    ts_fork #(.WIDTH(%d + TAGW)%s) u_fork_%s (\n        .clk(clk), .rst(rst),\n        ", width, rate, name);
    bundled(t, "s", in);
    out(t, ",\n        ");
    bundled(t, "m0", a);
    out(t, ",\n        ");
    bundled(t, "m1", b);
    out(t, ");\n\n");
}

static void merge(const top *t, const char *name, int width, const char *priority, const char *other, const char *to)
{
    wires(t, to, width, true);
    out(t, "    ts_merge #(.WIDTH(%d + TAGW)%s) u_merge_%s (\n        .clk(clk), .rst(rst),\n        ", width, half(t), name);
    bundled(t, "p", priority);
    out(t, ",\n        ");
    bundled(t, "s", other);
    out(t, ",\n        ");
    bundled(t, "m", to);
    out(t, ");\n\n");
}

static void linear(top *t, ts_lin_id id, const char *in, const char *to, bool beats)
{
    const ts_lin_widths *w = &t->w.lin[id];
    const ts_lin_fold *f = &t->plan->lin[id];
    const char *name = ts_lin_name(id);
    const int page = ts_page_stage_of(&t->pages, id);
    out(t, "    // %s: %d -> %d in %d cycles, %d x %d multipliers%s.\n", name, w->k, w->m, ts_lin_ii(w, f), f->pk, f->pm,
        f->pack ? ", two a DSP" : "");
    wires(t, to, beats ? f->nr * w->yw : w->m * w->yw, true);
    out(t, "    wire %s_eot;\n", to);
    const char *watch = fault(t, name);
    if (!beats || !t->plan->argmax)
        ignore(t, ts_printf(t->arena, "%s_eot", to));
    out(t,
        "    ts_linear #(\n"
        "        .K(%d), .M(%d), .PK(%d), .PM(%d), .NR(%d), .REG(REG), .PAGES(%d), .LW(LW), .TAGW(TAGW), .BEATS(%d),\n"
        "        .XW(%d), .XSIGNED(%d), .WW(%d), .ACCW(%d), .S1(%d), .S2(%d), .EW(3), .YW(%d), .YSIGNED(%d), .VARBITS(%d),\n"
        "        .TABLE(%d), .IDXW(%d), .WSTYLE(\"%s\"), .PSTYLE(\"%s\"),%s\n",
        w->k, w->m, f->pk, f->pm, f->nr, w->pages, beats, w->xw, w->xsigned, w->ww, w->accw, w->s1, w->s2, w->yw, w->ysigned, w->varbits,
        w->table, w->idxw, style(f->wstyle), style(f->pstyle), f->pack ? " .PACK(1)," : "");
    if (page < 0)
        out(t, "        .INIT_W(%s), .CFG_W(%d),\n", image(t, f->wstyle, name, "w"), ts_memory_id(TS_MEMORY_WEIGHT, (int)id));
    else
        out(t, "        .PAGED(1), .BUFFERS(%d), .LANES(%d),\n", f->buffers, t->plan->paging.lanes);
    out(t, "        .INIT_B(%s), .CFG_B(%d), .INIT_Q(%s), .CFG_Q(%d), .INIT_T(%s), .CFG_T(%d)\n", image(t, f->pstyle, name, "b"),
        ts_memory_id(TS_MEMORY_BIAS, (int)id), image(t, f->pstyle, name, "q"), ts_memory_id(TS_MEMORY_REQUANT, (int)id),
        w->table ? image(t, TS_MEM_BLOCK, name, "t") : "\"\"", ts_memory_id(TS_MEMORY_TABLE, (int)id));
    out(t, "    ) u_%s (\n        .clk(clk), .rst(rst), %s, %s,\n        ", name, watch, config);
    if (page < 0)
        tagged(t, "s", in);
    else
        out(t, ".s_valid(page_t_valid[%d]), .s_ready(page_t_ready[%d]), .s_data(%s_data), .s_tag(%s_tag)", page, page, in, in);
    out(t, ",\n        ");
    tagged(t, "m", to);
    out(t, ", .m_eot(%s_eot),\n", to);
    if (page < 0) {
        out(t, "        .s_page(1'b0), .w_we(1'b0), .w_group(8'd0), .w_addr(16'd0), .w_data(72'd0));\n\n");
        return;
    }
    out(t,
        "        .s_page(page_buffer[%d]), .w_we(page_we_1[%d]), .w_group(page_group_1), .w_addr(page_address_1), .w_data(page_data_1));\n",
        page, page);
    out(t, "    assign %s_ready = page_g_ready[%d];\n\n", in, page);
    t->page_in[page] = in;
    t->page_to[page] = to;
}

static void rqvec(top *t, ts_rqv_id id, const char *in, const char *to)
{
    const ts_rqv_widths *w = &t->w.rqv[id];
    const ts_rqv_fold *f = &t->plan->rqv[id];
    const char *name = ts_rqv_name(id);
    wires(t, to, w->d * w->yw, true);
    const char *watch = fault(t, name);
    out(t,
        "    ts_rqvec #(\n"
        "        .D(%d), .NR(%d), .PAGES(%d), .LW(LW), .TAGW(TAGW),\n"
        "        .XW(%d), .S2(%d), .EW(3), .BIASW(%d), .YW(%d), .VARBITS(%d), .PSTYLE(\"%s\"), .INIT_Q(%s), .CFG_Q(%d)\n"
        "    ) u_%s (\n        .clk(clk), .rst(rst), %s, %s,\n        ",
        w->d, f->nr, w->pages, w->xw, w->s2, w->biasw, w->yw, w->varbits, style(f->pstyle), image(t, f->pstyle, name, "q"),
        ts_memory_id(TS_MEMORY_RQVEC, (int)id), name, watch, config);
    tagged(t, "s", in);
    out(t, ",\n        ");
    tagged(t, "m", to);
    out(t, ");\n\n");
}

static void norm(top *t, ts_nrm_id id, const char *in, const char *to)
{
    const ts_nrm_widths *w = &t->w.nrm[id];
    const ts_nrm_fold *f = &t->plan->nrm[id];
    const char *name = ts_nrm_name(id);
    wires(t, to, w->d * t->w.res_w, true);
    const char *watch = fault(t, name);
    out(t,
        "    ts_norm #(\n"
        "        .D(%d), .NP(%d), .REG(REG), .DIGITS(REG), .PAGES(%d), .LW(LW), .TAGW(TAGW),\n"
        "        .W(%d), .YW(%d), .TSHIFT(%d), .YSHIFT(%d), .BIASW(%d), .EPSW(%d), .PSTYLE(\"%s\"),\n"
        "        .INIT_G(%s), .CFG_G(%d), .INIT_E(%s), .CFG_E(%d)\n"
        "    ) u_%s (\n        .clk(clk), .rst(rst), %s, %s,\n        ",
        w->d, f->np, w->pages, t->w.res_w, t->w.res_w, w->t_shift, w->y_shift, w->biasw, w->epsw, style(f->pstyle),
        image(t, f->pstyle, name, "g"), ts_memory_id(TS_MEMORY_GAIN, (int)id), image(t, f->pstyle, name, "e"),
        ts_memory_id(TS_MEMORY_EPS, (int)id), name, watch, config);
    tagged(t, "s", in);
    out(t, ",\n        ");
    tagged(t, "m", to);
    out(t, ");\n\n");
}

/* The stream behind a place in a layer where a norm can stand: `in` itself where none does. */
static const char *norm_at(top *t, ts_norm_place place, const char *in)
{
    const int which = ts_norm_at(t->im->norms, place);
    if (which == 0)
        return in;
    const char *to = which == 1 ? "normed1" : "normed2";
    norm(t, which == 1 ? TS_NRM_1 : TS_NRM_2, in, to);
    return to;
}

static void add(top *t, const char *name, const char *branch, const char *residual, const char *to)
{
    wires(t, to, t->im->d * t->w.res_w, true);
    const char *watch = fault(t, name);
    out(t, "    ts_radd #(.D(%d), .W(%d), .TAGW(TAGW), .NR(%d)%s) u_%s (\n        .clk(clk), .rst(rst), %s,\n        ", t->im->d,
        t->w.res_w, t->plan->sum_lanes, half(t), name, watch);
    tagged(t, "a", branch);
    out(t, ",\n        ");
    untagged(t, "b", residual);
    out(t, ",\n        ");
    tagged(t, "m", to);
    out(t, ");\n\n");
}

static void header(const top *t)
{
    const ts_imodel *im = t->im;
    const ts_plan *plan = t->plan;
    out(t,
        "// Ring engine of the model \"%s\": %d layers%s%s, d %d, %d heads of %d, ff %d, %d -> %d, events of up to %d hits.\n"
        "// Made by tessera; docs/hardware.md explains the streams, manifest.json lists ports, memories and folds.\n"
        "//\n"
        "// s_hit: one %s a transfer, value i in bits [i*%d +: %d], s_hit_last with the last one of an event.\n",
        im->name, im->layers, im->starts_in_ffn ? " (the first without attention block)" : "",
        im->ends_in_attention ? " (the last without FFN block)" : "", im->d, im->heads, im->d_head, im->ff, im->features, im->outputs,
        plan->n_max, im->embed_count ? "hit" : "residual token", t->ports.hit_lane, t->ports.hit_lane);
    if (t->ports.refusals)
        out(t, "// s_hit_refused: the event is refused with this transfer, its last one, which holds no token. s_hit_error, with an "
               "event's last\n"
               "// transfer: the event is not what it was.\n");
    if (plan->argmax)
        out(t, "// m_out: one transfer a %s, {class, value of its output}, each 32 bits, signed;\n", im->pool ? "event" : "hit");
    else if (im->head_count == 0)
        out(t, "// m_out: one transfer a token, value i in bits [i*%d +: %d], signed;\n", t->ports.out_lane, t->ports.out_lane);
    else
        out(t, "// m_out: %d transfers a %s, %d outputs of 32 bits (signed) each;\n", t->ports.beats, im->pool ? "event" : "hit",
            t->ports.lanes);
    out(t,
        "// m_out_last with an event's last transfer; an event of more than %d hits gives one transfer with m_out_refused.\n"
        "// m_out_error, with the last transfer: something that the event used was damaged (on a link, or a page); its words are not to be "
        "used.\n"
        "// cfg: writes one slice of one word of a page memory; only while no event is inside.\n"
        "// fault: some buffer overflowed or ran empty, which credits exclude (docs/hardware.md); stays up until reset.\n",
        plan->n_max);
    if (t->pages.stages > 0)
        out(t,
            "// m_axi: reads pages from external memory, where mem/pages.bin is from page_base (a multiple of %d) on; while page_run is "
            "up.\n"
            "// page_error: a page was given up. page_retries: pages fetched again. page_late, page_stalls (32 bits each): of the stages "
            "of u_pager.\n",
            TS_PAGE_ALIGNMENT);
    out(t,
        "`default_nettype none\n\n"
        "module %s #(\n"
        "    parameter MEM = \"mem/\", // where the memory images are\n"
        "    parameter REG = %d       // adder levels between registers\n"
        ") (\n",
        ts_top_name(t->arena, im), plan->reg);
    const ts_port_list ports = ts_ring_ports(im, plan, &t->pages);
    ts_ports_declare(t->f, &ports, true, false);
    out(t,
        "\n);\n"
        "    localparam LW   = %d; // bits of a layer number\n"
        "    localparam TAGW = %d; // a token's tag: {drop, last of its event, layer}\n\n",
        t->w.lw, t->w.tagw);
    ts_page_wires(t->f, plan, &t->pages);
}

static void admission(top *t)
{
    const ts_imodel *im = t->im;
    const int width = im->features * t->w.in_w;
    /* From an FFN block on, a new event would keep the one before from that block and wait for its queues: it enters later. */
    const char *when = !t->ways.has_attention                        ? "at any time"
                       : t->ways.ffn_merge && !im->ends_in_attention ? "when the last one has left its last attention block"
                                                                     : "when the last one has made all its keys and values";
    out(t, "    // ---- Admission: lengths are checked; a new event enters %s.\n", when);
    wires(t, "hit", width, true);
    out(t, "    wire event_final, fate_valid, fate_ready;\n    wire [1:0] fate; // {error, refused}\n");
    const char *watch = fault(t, "admit");
    out(t, "    wire [%d:0] hit_in = {", width - 1);
    for (int i = im->features - 1; i >= 0; i--)
        out(t, "s_hit_data[%d +: %d]%s", i * t->ports.hit_lane, t->w.in_w, i ? ", " : "};\n");
    if (t->w.in_w < t->ports.hit_lane)
        ignore(t, "s_hit_data");
    out(t,
        "    ts_admit #(.WIDTH(%d), .NMAX(%d), .LW(LW), .TAGW(TAGW), .QDEPTH(%d)%s) u_admit (\n"
        "        .clk(clk), .rst(rst), .ev_final(event_final), %s,\n"
        "        .s_valid(s_hit_valid), .s_ready(s_hit_ready), .s_data(hit_in), .s_last(s_hit_last),\n        .s_refused(%s), "
        ".s_error(%s),\n        ",
        width, t->plan->n_max, t->plan->refusal_depth, im->embed_count ? "" : half(t), watch, t->ports.refusals ? "s_hit_refused" : "1'b0",
        t->ports.refusals ? "s_hit_error" : "1'b0");
    tagged(t, "m", "hit");
    out(t, ",\n        .d_valid(fate_valid), .d_ready(fate_ready), .d_data(fate));\n\n");
}

/* From the hits to the stream of the first block's residual tokens, whose name is returned, and with qkv0 the stream of their q, k, v. */
static const char *embedding(top *t)
{
    static const char *const names[TS_MLP_MAX] = {"embed0", "embed1", "embed2"};
    const ts_imodel *im = t->im;
    if (im->embed_count == 0)
        return "hit";
    out(t, "    // ---- Embedding\n");
    const char *in = "hit";
    for (int i = 0; i < im->embed_count; i++) {
        const ts_lin_id id = (ts_lin_id)(TS_LIN_EMBED0 + i);
        const bool last = i == im->embed_count - 1;
        if (last && im->fused_qkv0) {
            const ts_lin_widths *w = &t->w.lin[id];
            fork2(t, "embed", w->k * w->xw, "", in, "embed_res", "embed_qkv");
            in = "embed_res";
        }
        const char *to = last ? "embed" : names[i];
        linear(t, id, in, to, false);
        if (!last)
            trace(t, to, "hidden values of the embedding", 0, t->w.lin[id].m, t->w.lin[id].yw, im->embed[i].y.is_signed,
                  TS_ROLE_EMBED_HIDDEN, i);
        in = to;
    }
    if (im->fused_qkv0) {
        out(t, "    // Layer 0's q, k, v straight from the input of the embedding's last linear: one matrix instead of two.\n");
        linear(t, TS_LIN_QKV0, "embed_qkv", "qkv_new", false);
    }
    return "embed";
}

/* From new and returning tokens to attention and to the queue of residuals. */
static void attention_input(top *t, const char *entry)
{
    const ts_imodel *im = t->im;
    const int res = im->d * t->w.res_w;
    const bool loop = t->ways.loop;
    const char *token = entry, *residual, *made = NULL; /* made: tokens whose q, k, v the ring's own qkv stage makes */
    out(t, "    // ---- Tokens of a layer: returning ones first; a copy waits in the queue for the attention's result\n");
    if (loop)
        wires(t, "back", res, true);
    if (im->fused_qkv0) {
        residual = token;
        if (loop) {
            fork2(t, "back", res, half(t), "back", "back_res", "made");
            merge(t, "residual", res, "back_res", entry, "token");
            residual = "token";
            made = "made";
        }
    } else {
        if (t->ways.attn_merge) {
            merge(t, "token", res, "back", entry, "token");
            token = "token";
        } else if (loop) {
            token = "back";
        }
        fork2(t, "token", res, half(t), token, "token_res", "made");
        residual = "token_res";
        made = "made";
    }
    trace(t, residual, "layer input", 0, im->d, t->w.res_w, true, TS_ROLE_RES, 0);

    wires(t, "waiting", res, false);
    const char *watch = fault(t, "queue");
    out(t,
        "    ts_queue_narrow #(.WIDTH(%d), .DEPTH(%d), .BEATS(%d), .LW(LW), .STYLE(\"%s\")) u_queue (\n"
        "        .clk(clk), .rst(rst), %s,\n        ",
        res, t->plan->n_max + t->plan->attn.pq, t->plan->queue_beats, style(t->plan->queue_style), watch);
    untagged(t, "s", residual);
    out(t, ",\n        .s_last(%s_tag[LW]), .s_drop(%s_tag[LW+1]),\n        ", residual, residual);
    untagged(t, "m", "waiting");
    out(t, ");\n\n");

    out(t, "    // ---- Attention block\n");
    const int qkv_width = 3 * im->heads * im->d_head * t->w.xw;
    if (made) {
        made = norm_at(t, TS_BEFORE_ATTENTION, made);
        rqvec(t, TS_RQV_QKV, made, "qkv_in");
        trace(t, "qkv_in", "input of q, k, v", 0, im->d, t->w.rqv[TS_RQV_QKV].yw, true, TS_ROLE_QKV_IN, 0);
        linear(t, TS_LIN_QKV, "qkv_in", im->fused_qkv0 ? "qkv_again" : "qkv", false);
        if (im->fused_qkv0)
            merge(t, "qkv", qkv_width, "qkv_again", "qkv_new", "qkv");
    }
}

/* Returns the stream of the block's results. */
static const char *attention_block(top *t)
{
    const ts_imodel *im = t->im;
    const ts_attn_fold *a = &t->plan->attn;
    const ts_ring_widths *w = &t->w;
    const int inner = im->heads * im->d_head;
    const char *qkv = w->lin[TS_LIN_QKV].k ? "qkv" : "qkv_new";
    trace(t, qkv, "queries", 0, inner, w->xw, true, TS_ROLE_Q, 0);
    trace(t, qkv, "keys", inner, inner, w->xw, true, TS_ROLE_K, 0);
    trace(t, qkv, "values", 2 * inner, inner, w->xw, true, TS_ROLE_V, 0);
    out(t, "    // attention: blocks of %d queries x %d keys, %d heads, %d of head width a cycle, two passes.\n", a->pq, a->pkey, a->ph,
        a->pd);
    /* PACK_S is the number of the enumeration. */
    const char *packing = a->pairs == TS_PAIR_NONE && !a->pack_context
                              ? ""
                              : ts_printf(t->arena, ",\n        .PACK_S(%d), .PACK_C(%d)", (int)a->pairs, a->pack_context);
    const bool late = t->ways.ffn_merge && !im->ends_in_attention;
    if (late) {
        out(t, "    wire attention_final;\n");
        ignore(t, "attention_final");
    }
    wires(t, "ctx", inner * w->cw, true);
    const char *watch = fault(t, "attention");
    out(t,
        "    ts_attention #(\n"
        "        .H(%d), .DH(%d), .PQ(%d), .PKEY(%d), .PH(%d), .PD(%d), .NF(%d), .NMAX(%d), .QBEATS(%d), .LAYERS(%d), .LW(LW), "
        ".TAGW(TAGW), .REG(REG),\n"
        "        .QW(%d), .KW(%d), .VW(%d), .PW(%d), .CW(%d), .SW(%d), .FW(%d), .SSHIFT(%d), .C2(%d),\n"
        "        .KVSTYLE(\"%s\"), .SSTYLE(\"%s\"), .INIT_A(%s), .CFG_A(%d), .INIT_X(%s)%s\n"
        "    ) u_attention (\n        .clk(clk), .rst(rst), .ev_final(%s), %s, %s,\n        ",
        im->heads, im->d_head, a->pq, a->pkey, a->ph, a->pd, a->nf, t->plan->n_max, t->plan->queue_beats, im->layers, w->qw, w->kw, w->vw,
        w->pw, w->cw, w->sw, w->fw, w->score_shift, w->ctx_shift, style(a->kvstyle), style(a->sstyle),
        image(t, TS_MEM_DISTRIBUTED, "attention", "a"), ts_memory_id(TS_MEMORY_ATTENTION, 0),
        image(t, TS_MEM_DISTRIBUTED, "attention", "x"), packing, late ? "attention_final" : "event_final", watch, config);
    tagged(t, "s", qkv);
    out(t, ",\n        ");
    tagged(t, "m", "ctx");
    out(t, ");\n\n");
    trace(t, "ctx", "context", 0, inner, w->cw, true, TS_ROLE_CTX, 0);
    linear(t, TS_LIN_O, "ctx", "branch1", false);
    trace(t, "branch1", "attention branch", 0, im->d, w->res_w, true, TS_ROLE_RES, 1);
    add(t, "add1", "branch1", "waiting", "sum1");
    trace(t, "sum1", "sum after attention", 0, im->d, w->res_w, true, TS_ROLE_RES, 2);
    const char *result = norm_at(t, TS_BEHIND_ATTENTION, "sum1");
    if (strcmp(result, "sum1") != 0)
        trace(t, result, "normed attention block", 0, im->d, w->res_w, true, TS_ROLE_RES, 3);
    return result;
}

/* Tokens of the last layer leave behind the block, as "finished"; the others go on as `onward`. */
static void route(const top *t, const char *name, const char *result, const char *onward)
{
    const int res = t->im->d * t->w.res_w;
    wires(t, onward, res, true);
    wires(t, "finished", res, true);
    out(t, "    ts_route #(.WIDTH(%d + TAGW)%s) u_%s (\n        .clk(clk), .rst(rst), .s_sel(%s_tag[LW-1:0] == %d'd%d),\n        ", res,
        half(t), name, result, t->w.lw, t->im->layers - 1);
    bundled(t, "s", result);
    out(t, ",\n        ");
    bundled(t, "m0", onward);
    out(t, ",\n        ");
    bundled(t, "m1", "finished");
    out(t, ");\n");
}

/* Events of a ring without attention, whole: an overlong one is taken back before its first token is seen. */
static const char *store(top *t, const char *entry)
{
    const int res = t->im->d * t->w.res_w;
    wires(t, "stored", res, true);
    const char *watch = fault(t, "queue");
    out(t,
        "    ts_queue_narrow #(.WIDTH(%d + TAGW), .DEPTH(%d), .BEATS(%d), .LW(LW), .STYLE(\"%s\")) u_queue (\n"
        "        .clk(clk), .rst(rst), %s,\n        ",
        res, t->plan->n_max + 1, t->plan->queue_beats, style(t->plan->queue_style), watch);
    bundled(t, "s", entry);
    out(t, ",\n        .s_last(%s_tag[LW]), .s_drop(%s_tag[LW+1]),\n        ", entry, entry);
    bundled(t, "m", "stored");
    out(t, ");\n\n");
    return "stored";
}

/* From new tokens and those that come from attention (NULL: none do) to the stream that the FFN block takes. */
static const char *ffn_input(top *t, const char *entry, const char *attended)
{
    const ts_imodel *im = t->im;
    if (t->ways.store)
        return store(t, entry);
    if (t->ways.attn_route) {
        out(t, "    // ---- Out behind the last layer's attention block, or on to the FFN block\n");
        route(t, "leave", attended, "onward");
        out(t, "\n");
        attended = "onward";
    }
    if (!im->starts_in_ffn)
        return attended;
    if (!t->ways.ffn_merge)
        return entry;
    out(t, "    // ---- New tokens enter in front of the FFN block\n");
    merge(t, "middle", im->d * t->w.res_w, attended, entry, "middle");
    if (!im->ends_in_attention)
        out(t, "    assign event_final = %s_valid && %s_ready && %s_tag[LW] && %s_tag[LW-1:0] == %d'd%d;\n\n", attended, attended, attended,
            attended, t->w.lw, im->layers - 1);
    return "middle";
}

/* Returns the stream of the layer's results. */
static const char *ffn_block(top *t, const char *middle)
{
    const ts_imodel *im = t->im;
    const ts_ring_widths *w = &t->w;
    const int res = im->d * w->res_w;
    out(t, "    // ---- FFN block\n");
    fork2(t, "ffn", res, half(t), middle, "skip_new", "ffn_new");
    wires(t, "skip", res, false);
    out(t, "    wire [%d:0] skip_count;\n", ts_bitlen((uint64_t)t->plan->mid_depth) - 1);
    const char *watch = fault(t, "skip");
    out(t, "    ts_fifo #(.WIDTH(%d), .DEPTH(%d), .STYLE(\"%s\")) u_skip (\n        .clk(clk), .rst(rst), %s,\n        ", res,
        t->plan->mid_depth, style(t->plan->mid_style), watch);
    untagged(t, "s", "skip_new");
    out(t, ",\n        ");
    untagged(t, "m", "skip");
    out(t, ",\n        .count(skip_count));\n\n");
    ignore(t, "skip_new_tag"); /* the branch carries it */
    ignore(t, "skip_count");
    rqvec(t, TS_RQV_FFN, norm_at(t, TS_BEFORE_FFN, "ffn_new"), "ffn_in");
    trace(t, "ffn_in", "input of the FFN", 0, im->d, w->rqv[TS_RQV_FFN].yw, true, TS_ROLE_FFN_IN, 0);
    linear(t, TS_LIN_FFN1, "ffn_in", "hidden", false);
    trace(t, "hidden", "hidden values of the FFN", 0, im->ff, w->lin[TS_LIN_FFN1].yw, im->layer[0].ffn1.y.is_signed, TS_ROLE_HIDDEN, 0);
    linear(t, TS_LIN_FFN2, "hidden", "branch2", false);
    trace(t, "branch2", "FFN branch", 0, im->d, w->res_w, true, TS_ROLE_RES, 4);
    add(t, "add2", "branch2", "skip", "sum2");
    trace(t, "sum2", "sum after the FFN", 0, im->d, w->res_w, true, TS_ROLE_RES, 5);
    return norm_at(t, TS_BEHIND_FFN, "sum2");
}

/* Closes the ring; returns the stream of tokens that leave it behind the FFN block, or NULL where none do. */
static const char *ring_end(top *t, const char *result)
{
    trace(t, result, "layer output", 0, t->im->d, t->w.res_w, true, TS_ROLE_RES, 6);
    if (!t->ways.loop)
        return result;
    const char *again = result;
    if (t->ways.ffn_route) {
        out(t, "    // ---- Back for the next layer, or out after the last\n");
        route(t, "route", result, "again");
        again = "again";
    }
    out(t,
        "    assign back_valid  = %s_valid;\n"
        "    assign %s_ready = back_ready;\n"
        "    assign back_data   = %s_data;\n"
        "    assign back_tag    = {%s_tag[TAGW-1:LW], %s_tag[LW-1:0] + 1'b1};\n\n",
        again, again, again, again, again);
    return t->ways.ffn_route ? "finished" : NULL;
}

static void head(top *t, const char *in)
{
    static const char *const names[TS_MLP_MAX] = {"head0", "head1", "head2"};
    static const char *const pools[] = {[TS_POOL_MEAN] = "mean", [TS_POOL_MAX] = "max", [TS_POOL_FIRST] = "first"};
    const ts_imodel *im = t->im;
    const ts_ring_widths *w = &t->w;
    const int res = im->d * w->res_w;
    out(t, "    // ---- Head\n");
    if (im->has_final_norm) {
        norm(t, TS_NRM_FINAL, in, "normed_final");
        trace(t, "normed_final", "final norm", 0, im->d, w->res_w, true, TS_ROLE_RES, 7);
        in = "normed_final";
    }
    if (im->pool != TS_POOL_NONE) {
        wires(t, "pooled", res, true);
        const char *watch = fault(t, "pool");
        out(t,
            "    ts_pool #(.D(%d), .W(%d), .NMAX(%d), .MODE(\"%s\"), .LW(LW), .TAGW(TAGW), .DIGITS(REG)) u_pool (\n        .clk(clk), "
            ".rst(rst), %s,\n        ",
            im->d, w->res_w, t->plan->n_max, pools[im->pool], watch);
        tagged(t, "s", in);
        out(t, ",\n        ");
        tagged(t, "m", "pooled");
        out(t, ");\n\n");
        in = "pooled";
    }
    rqvec(t, TS_RQV_HEAD, in, "head_in");
    trace(t, "head_in", "input of the head", 0, im->d, w->rqv[TS_RQV_HEAD].yw, true, TS_ROLE_HEAD_IN, 0);
    in = "head_in";
    for (int i = 0; i < im->head_count; i++) {
        const ts_lin_id id = (ts_lin_id)(TS_LIN_HEAD0 + i);
        const bool last = i == im->head_count - 1;
        const char *to = last ? "value" : names[i];
        linear(t, id, in, to, last);
        if (!last)
            trace(t, to, "hidden values of the head", 0, w->lin[id].m, w->lin[id].yw, im->head[i].y.is_signed, TS_ROLE_HEAD_HIDDEN, i);
        in = to;
    }
}

static void output_port(top *t, const char *in, int values, int bits, bool is_signed)
{
    if (t->pages.stages)
        ts_pager(t->f, t->plan, &t->pages, t->page_in, t->page_to, fault(t, "pager"));
    out(t,
        "    ts_output #(.OPW(%d), .YW(%d), .YSIGNED(%d), .LANEW(%d), .BPT(%d), .LW(LW), .TAGW(TAGW), .ZEROS(%d)%s) u_output (\n"
        "        .clk(clk), .rst(rst),\n        ",
        values, bits, is_signed, t->ports.out_lane, t->ports.beats, t->im->head_count > 0, t->im->head_count ? "" : half(t));
    /* A refused event used no page: the flag that waits is the next one's. */
    out(t, ".d_valid(fate_valid), .d_ready(fate_ready), .d_data(%s),\n        ",
        t->pages.stages ? "{fate[1] || (page_fate && !fate[0]), fate[0]}" : "fate");
    tagged(t, "s", in);
    out(t,
        ",\n        .m_valid(m_out_valid), .m_ready(m_out_ready), .m_data(m_out_data), .m_last(m_out_last), .m_refused(m_out_refused),\n"
        "        .m_error(m_out_error));\n\n"
        "    // ---- Overflows and underflows, which there are none of\n"
        "    ts_watch #(.N(%d)) u_watch (\n        .clk(clk), .rst(rst), .bad({%s}), .fault(fault));\n\n"
        "    wire unused = &{1'b0%s};\n"
        "endmodule\n\n`default_nettype wire\n",
        t->fault_count, t->faults, t->unused);
}

static void output(top *t)
{
    const ts_lin_id last = (ts_lin_id)(TS_LIN_HEAD0 + t->im->head_count - 1);
    const ts_lin_fold *f = &t->plan->lin[last];
    const ts_lin_widths *w = &t->w.lin[last];
    const char *in = "value";
    int bits = w->yw;
    out(t, "    // ---- Results in the order of the events\n");
    if (t->plan->argmax) {
        out(t,
            "    wire best_valid, best_ready;\n    wire [63:0] best_data; // {class, value}\n    wire [TAGW-1:0] best_tag;\n"
            "    ts_argmax #(.M(%d), .PM(%d), .NR(%d), .YW(%d), .TAGW(TAGW)) u_argmax (\n        .clk(clk), .rst(rst),\n        ",
            w->m, f->pm, f->nr, w->yw);
        tagged(t, "s", "value");
        out(t, ", .s_eot(value_eot),\n        ");
        tagged(t, "m", "best");
        out(t, ");\n\n");
        in = "best";
        bits = 32;
    }
    output_port(t, in, t->ports.lanes, bits, t->plan->argmax || w->ysigned);
}

const char *ts_top_text(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, ts_stream streams[TS_STREAM_MAX], int *count)
{
    ts_text text;
    top t = {.arena = arena,
             .im = im,
             .plan = plan,
             .w = ts_ring_widths_of(im),
             .ways = ts_ring_ways_of(im),
             .ports = ts_ports_of(im, plan),
             .streams = streams,
             .pages = ts_page_order_of(arena, plan, im),
             .unused = "",
             .faults = ""};
    t.f = ts_text_open(&text);
    header(&t);
    admission(&t);
    const char *entry = embedding(&t), *attended = NULL, *finished = NULL;
    if (t.ways.has_attention) {
        attention_input(&t, entry);
        attended = attention_block(&t);
        finished = t.ways.attn_route ? "finished" : attended;
    } else {
        out(&t, "    assign event_final = 1'b1;\n\n");
    }
    if (t.ways.has_ffn) {
        const char *past_ffn = ring_end(&t, ffn_block(&t, ffn_input(&t, entry, attended)));
        finished = past_ffn ? past_ffn : finished;
    }
    if (im->head_count > 0) {
        head(&t, finished);
        output(&t);
    } else {
        out(&t, "    // ---- Residual tokens in the order of the events\n");
        output_port(&t, finished, im->d, t.w.res_w, true);
    }
    *count = t.stream_count;
    return ts_text_close(&text, arena);
}
