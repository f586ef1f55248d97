#define TS_FAIL_CODE TS_DAMAGED
/* ts_linear: a matrix, its bias and requantisers, and an activation's table, for the tokens of all layers. */
#include "ring/module.h"

enum { MAX_SLICES = 1000 /* image files carry three digits */ };

/* Outputs leave beat by beat: those of the head's last linear, which nobody takes as a token. */
static bool in_beats(const ts_ring *r, const ts_ring_node *n)
{
    return r->im->head_count > 0 && n->id == TS_LIN_HEAD0 + r->im->head_count - 1;
}

static const ts_lin_fold *fold_of(const ts_ring *r, const ts_ring_node *n)
{
    return &r->plan->lin[n->id];
}

static void bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    const ts_lin_widths *w = ts_node_lin(r, n);
    b->in[0] = w->k * w->xw;
    b->out[0] = (in_beats(r, n) ? fold_of(r, n)->nr : w->m) * w->yw;
}

static bool check(const ts_ring *r, const ts_ring_node *n, ts_err *err)
{
    const ts_lin_widths *w = ts_node_lin(r, n);
    const ts_lin_fold *f = fold_of(r, n);
    if (!ts_plan_in_range(n->name, "pk", f->pk, 1, w->k, err) || !ts_plan_in_range(n->name, "pm", f->pm, 1, w->m, err) ||
        !ts_plan_in_range(n->name, "nr", f->nr, 1, f->pm, err))
        return false;
    const int ko = ts_ceil_div(w->k, f->pk), mo = ts_ceil_div(w->m, f->pm);
    if (f->pm % f->nr)
        return ts_fail(err, "plan: %s: nr = %d must divide pm = %d", n->name, f->nr, f->pm);
    if ((long long)f->nr * ko < f->pm)
        return ts_fail(err, "plan: %s: nr = %d requantisers cannot finish %d outputs every %d cycles", n->name, f->nr, f->pm, ko);
    const long long slices = ((long long)f->pk * f->pm * w->ww + TS_SLICE_BITS - 1) / TS_SLICE_BITS;
    if (slices > MAX_SLICES)
        return ts_fail(err, "plan: %s: a weight word of %lld slices is too wide (at most %d)", n->name, slices, MAX_SLICES);
    const long long words = (long long)(f->buffers ? f->buffers : w->pages) * mo * ko;
    if (words > TS_WEIGHT_WORDS_MAX)
        return ts_fail(err, "plan: %s: %lld weight words cannot be addressed (at most %d): choose a larger pk or pm", n->name, words,
                       TS_WEIGHT_WORDS_MAX);
    return true;
}

/* ---- Verilog */

static void declare(ts_printer *p, const ts_ring_node *n)
{
    const ts_lin_widths *w = ts_node_lin(p->ring, n);
    const ts_lin_fold *f = fold_of(p->ring, n);
    ts_print(p, "    // %s: %d -> %d in %d cycles, %d x %d multipliers%s.\n", n->name, w->k, w->m, ts_lin_ii(w, f), f->pk, f->pm,
             f->pack ? ", two a DSP" : "");
}

static void wires(ts_printer *p, const ts_ring_node *n)
{
    const char *to = ts_print_stream(p, n->out[0]);
    ts_print(p, "    wire %s_eot;\n", to);
    if (!in_beats(p->ring, n) || !p->ring->plan->argmax)
        ts_print_unused(p, ts_printf(p->arena, "%s_eot", to));
}

static void memory(ts_printer *p, const ts_ring_node *n, const char *suffix, char name, ts_mem_style style, ts_memory_kind kind,
                   const char *end)
{
    ts_print(p, ".INIT_%c(", name);
    ts_print_image(p, style, n->name, suffix);
    ts_print(p, "), .CFG_%c(%d)%s", name, ts_memory_id(kind, n->id), end);
}

static void parameters(ts_printer *p, const ts_ring_node *n)
{
    const ts_lin_widths *w = ts_node_lin(p->ring, n);
    const ts_lin_fold *f = fold_of(p->ring, n);
    ts_print(p,
             "\n        .K(%d), .M(%d), .PK(%d), .PM(%d), .NR(%d), .REG(REG), .PAGES(%d), .LW(LW), .TAGW(TAGW), .BEATS(%d),\n"
             "        .XW(%d), .XSIGNED(%d), .WW(%d), .ACCW(%d), .S1(%d), .S2(%d), .EW(3), .YW(%d), .YSIGNED(%d), .VARBITS(%d),\n"
             "        .TABLE(%d), .IDXW(%d), .WSTYLE(\"%s\"), .PSTYLE(\"%s\"),%s\n        ",
             w->k, w->m, f->pk, f->pm, f->nr, w->pages, in_beats(p->ring, n), w->xw, w->xsigned, w->ww, w->accw, w->s1, w->s2, w->yw,
             w->ysigned, w->varbits, w->table, w->idxw, ts_mem_style_name(f->wstyle), ts_mem_style_name(f->pstyle),
             f->pack ? " .PACK(1)," : "");
    if (ts_plan_parity_bits(p->ring->plan, f->buffers > 0))
        ts_print(p, ".PARITY(%d), .PARITY_W(1),%s", ts_plan_parity_bits(p->ring->plan, false), f->buffers ? " " : "\n        ");
    if (f->buffers)
        ts_print(p, ".PAGED(1), .BUFFERS(%d), .LANES(%d),\n        ", f->buffers, p->ring->plan->paging.lanes);
    else
        memory(p, n, "w", 'W', f->wstyle, TS_MEMORY_WEIGHT, ",\n        ");
    memory(p, n, "b", 'B', f->pstyle, TS_MEMORY_BIAS, ", ");
    memory(p, n, "q", 'Q', f->pstyle, TS_MEMORY_REQUANT, ", ");
    memory(p, n, "t", 'T', w->table ? TS_MEM_BLOCK : TS_MEM_ULTRA, TS_MEMORY_TABLE, "\n    ");
}

/* Through its gate, where its weights are paged (rtl/ts_pager.v). */
static void connect(ts_printer *p, const ts_ring_node *n)
{
    const char *in = ts_print_stream(p, n->in[0]), *to = ts_print_stream(p, n->out[0]);
    const int page = ts_page_stage_of(&p->pages, (ts_lin_id)n->id);
    if (page < 0)
        ts_print_tagged(p, "s", in);
    else
        ts_print(p, ".s_valid(page_t_valid[%d]), .s_ready(page_t_ready[%d]), .s_data(%s_data), .s_tag(%s_tag)", page, page, in, in);
    ts_print(p, ",\n        ");
    ts_print_tagged(p, "m", to);
    ts_print(p, ", .m_eot(%s_eot),\n", to);
    if (page < 0)
        ts_print(p, "        .s_page(1'b0), .w_we(1'b0), .w_group(8'd0), .w_addr(16'd0), .w_data(72'd0));\n\n");
    else
        ts_print(p,
                 "        .s_page(page_buffer[%d]), .w_we(page_we_1[%d]), .w_group(page_group_1), .w_addr(page_address_1), "
                 ".w_data(page_data_1));\n"
                 "    assign %s_ready = page_g_ready[%d];\n\n",
                 page, page, in, page);
}

/* ---- Cost and time */

static ts_cost cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_lin_widths *w = ts_node_lin(r, n);
    const ts_lin_fold *f = fold_of(r, n);
    return ts_cost_linear(map, w->k, w->m, f->pk, f->pm, f->nr, r->plan->reg, w->pages, r->w->tagw, in_beats(r, n), w->xw, w->xsigned,
                          w->ww, w->accw, w->s1, w->s2, TS_SHIFT_BITS, w->yw, w->varbits, w->table, w->idxw, f->pack, f->buffers > 0,
                          f->buffers, r->plan->paging.lanes, ts_plan_parity_bits(r->plan, false),
                          ts_plan_parity_bits(r->plan, f->buffers > 0), f->wstyle, f->pstyle);
}

static void time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const ts_lin_widths *w = ts_node_lin(r, n);
    const ts_lin_fold *f = fold_of(r, n);
    const int rounds = f->pm / f->nr, ii = ts_lin_ii(w, f);
    const int collected = !in_beats(r, n) && ts_ceil_div(w->m, f->pm) * rounds > 1; /* its results leave as tokens */
    const int lag = 13 + ts_tree_cycles(f->pk, r->plan->reg) + (rounds > 1 ? rounds : 0) + (w->table ? 2 : 0) + collected;
    t->stage = (ts_stage_time){.latency = ii + lag,
                               .ii = ii,
                               .room = ts_vector_room(ii + lag, ii),
                               .takes = ii - 1,
                               .pages = f->buffers ? (ts_lin_id)n->id : TS_LIN_COUNT};
}

static int multipliers(const ts_ring *r, const ts_ring_node *n)
{
    return fold_of(r, n)->pk * fold_of(r, n)->pm;
}

/* ---- Memories */

static void memories(const ts_ring *r, const ts_ring_node *n, ts_memory_list *list)
{
    const ts_lin_widths *w = ts_node_lin(r, n);
    const ts_lin_fold *f = fold_of(r, n);
    const int mo = ts_ceil_div(w->m, f->pm);
    if (!f->buffers) /* those of the others come from external memory */
        ts_memory_add(list, TS_MEMORY_WEIGHT, n->id, n->name, "w", f->pk * f->pm * w->ww, w->pages * ts_lin_ii(w, f), f->wstyle);
    ts_memory_add(list, TS_MEMORY_BIAS, n->id, n->name, "b", f->pm * w->accw, w->pages * mo, f->pstyle);
    ts_memory_add(list, TS_MEMORY_REQUANT, n->id, n->name, "q", f->nr * ts_requant_bits(w->varbits), w->pages * mo * (f->pm / f->nr),
                  f->pstyle);
    if (w->table)
        ts_memory_add(list, TS_MEMORY_TABLE, n->id, n->name, "t", w->yw, 1 << w->idxw, TS_MEM_BLOCK);
}

/* Weights of a group's outputs, those beyond the last one zero. */
static void fill_weights(const ts_memory_image *image, const ts_ilin *lin, int page, const ts_lin_widths *w, const ts_lin_fold *f)
{
    const int ko_count = ts_ceil_div(w->k, f->pk), mo_count = ts_ceil_div(w->m, f->pm);
    for (int m = 0; m < mo_count * f->pm; m++) {
        const int mo = m / f->pm, i = m % f->pm;
        for (int k = 0; k < w->k; k++) {
            int32_t weight = m < w->m ? lin->w[(size_t)m * w->k + k] : 0;
            /* Packed, as ts_pack would: what the pair's low product borrows from the high one is already taken off. */
            if (f->pack && i % 2 == 1 && m - 1 < w->m)
                weight -= lin->w[(size_t)(m - 1) * w->k + k] < 0;
            ts_memory_put(image, (page * mo_count + mo) * ko_count + k / f->pk, (i * f->pk + k % f->pk) * w->ww, w->ww, weight);
        }
    }
}

static void fill_channels(const ts_ring *r, const ts_memory *mem, const ts_memory_image *image, const ts_ilin *lin, int page)
{
    const ts_lin_widths *w = &r->w->lin[mem->stage];
    const ts_lin_fold *f = &r->plan->lin[mem->stage];
    const int mo_count = ts_ceil_div(w->m, f->pm), groups = f->pm / f->nr;
    const bool qkv = mem->stage == TS_LIN_QKV || mem->stage == TS_LIN_QKV0;
    for (int m = 0; m < w->m; m++) {
        const int mo = m / f->pm, i = m % f->pm;
        if (mem->kind == TS_MEMORY_BIAS)
            ts_memory_put(image, page * mo_count + mo, i * w->accw, w->accw, lin->bias[m]);
        else
            ts_memory_put_requant(image, (page * mo_count + mo) * groups + i / f->nr, i % f->nr * ts_requant_bits(w->varbits), w->varbits,
                                  lin->rq.m[m], lin->rq.e[m], qkv ? ts_ring_qkv_fmt(r->im, page, m).bits : lin->rq.out.bits);
    }
}

static void fill(const ts_ring *r, const ts_memory *mem, const ts_memory_image *image)
{
    const ts_lin_widths *w = &r->w->lin[mem->stage];
    if (mem->kind == TS_MEMORY_TABLE) {
        const int32_t *table = ts_ring_lin(r->im, (ts_lin_id)mem->stage, 0)->table; /* FFN blocks always have layer 0's */
        for (int i = 0; i < image->depth; i++)
            ts_memory_put(image, i, 0, image->width, table[i]);
        return;
    }
    for (int page = 0; page < w->pages; page++) {
        const ts_ilin *lin = ts_ring_lin(r->im, (ts_lin_id)mem->stage, page);
        if (lin && mem->kind == TS_MEMORY_WEIGHT)
            fill_weights(image, lin, page, w, &r->plan->lin[mem->stage]);
        else if (lin)
            fill_channels(r, mem, image, lin, page);
    }
}

/* Weights, biases, multipliers, table. */
static void checked(const ts_ring *r, const ts_ring_node *n, ts_checked *c)
{
    const bool others = ts_plan_parity_bits(r->plan, false);
    const int kinds = ts_node_lin(r, n)->table ? 4 : 3;
    if (!ts_plan_parity_bits(r->plan, fold_of(r, n)->buffers > 0))
        return;
    c->bits = 5;
    for (int i = 0; i < (others ? kinds : 1); i++) {
        c->of[c->count].bit = 1 + i;
        c->of[c->count++].memory = ts_memory_id((ts_memory_kind)(TS_MEMORY_WEIGHT + i), n->id);
    }
}

static int styles(const ts_ring *r, const ts_ring_node *n, ts_plan *plan, ts_style_place list[TS_NODE_STYLES])
{
    list[0] = (ts_style_place){&plan->lin[n->id].wstyle, .ultra = true, .weights = true};
    list[1] = (ts_style_place){&plan->lin[n->id].pstyle};
    return 2;
}

const ts_module ts_module_linear = {
    .name = "ts_linear",
    .in = {"s"},
    .out = {"m"},
    .watched = true,
    .configured = true,
    .bits = bits,
    .check = check,
    .declare = declare,
    .wires = wires,
    .parameters = parameters,
    .connect = connect,
    .cost = cost,
    .time = time,
    .memories = memories,
    .fill = fill,
    .checked = checked,
    .styles = styles,
    .multipliers = multipliers,
};
