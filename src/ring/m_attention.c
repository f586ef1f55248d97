#define TS_FAIL_CODE TS_DAMAGED
/* ts_attention: scores, weights and contexts of blocks of queries against all keys of the event. */
#include "ring/module.h"

#include <math.h>

enum { FAN = 1 }; /* registers between the memories of keys and values and the lanes */

static int inner_of(const ts_ring *r)
{
    return r->im->heads * r->im->d_head;
}

static void bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    b->in[0] = 3 * inner_of(r) * r->w->xw;
    b->out[0] = inner_of(r) * r->w->cw;
}

static bool check(const ts_ring *r, const ts_ring_node *n, ts_err *err)
{
    const ts_attn_fold *a = &r->plan->attn;
    return ts_plan_in_range(n->name, "pq", a->pq, 1, 1024, err) && ts_plan_in_range(n->name, "pkey", a->pkey, 1, 1024, err) &&
           ts_plan_in_range(n->name, "ph", a->ph, 1, r->im->heads, err) && ts_plan_in_range(n->name, "pd", a->pd, 1, r->im->d_head, err) &&
           ts_plan_in_range(n->name, "nf", a->nf, 1, inner_of(r), err);
}

/* ---- Verilog. node->id: an event is over for admission later than for attention */

static void declare(ts_printer *p, const ts_ring_node *n)
{
    const ts_attn_fold *a = &p->ring->plan->attn;
    ts_print(p, "    // attention: blocks of %d queries x %d keys, %d heads, %d of head width a cycle, two passes.\n", a->pq, a->pkey,
             a->ph, a->pd);
    if (!n->id)
        return;
    ts_print(p, "    wire attention_final;\n");
    ts_print_unused(p, "attention_final");
}

static void parameters(ts_printer *p, const ts_ring_node *n)
{
    const ts_ring *r = p->ring;
    const ts_ring_widths *w = r->w;
    const ts_attn_fold *a = &r->plan->attn;
    ts_print(p,
             "\n        .H(%d), .DH(%d), .PQ(%d), .PKEY(%d), .PH(%d), .PD(%d), .NF(%d), .NMAX(%d), .QBEATS(%d), .LAYERS(%d), .LW(LW), "
             ".TAGW(TAGW), .REG(REG),\n"
             "        .QW(%d), .KW(%d), .VW(%d), .PW(%d), .CW(%d), .SW(%d), .FW(%d), .SSHIFT(%d), .C2(%d),\n"
             "        .KVSTYLE(\"%s\"), .SSTYLE(\"%s\"), .INIT_A(",
             r->im->heads, r->im->d_head, a->pq, a->pkey, a->ph, a->pd, a->nf, r->plan->n_max, r->plan->queue_beats, r->im->layers, w->qw,
             w->kw, w->vw, w->pw, w->cw, w->sw, w->fw, w->score_shift, w->ctx_shift, ts_mem_style_name(a->kvstyle),
             ts_mem_style_name(a->sstyle));
    ts_print_image(p, TS_MEM_DISTRIBUTED, n->name, "a");
    ts_print(p, "), .CFG_A(%d), %s.INIT_X(", ts_memory_id(TS_MEMORY_ATTENTION, 0),
             ts_plan_parity_bits(r->plan, false) ? ".PARITY(1), " : "");
    ts_print_image(p, TS_MEM_DISTRIBUTED, n->name, "x");
    ts_print(p, ")");
    if (a->pairs != TS_PAIR_NONE || a->pack_context) /* PACK_S is the number of the enumeration */
        ts_print(p, ",\n        .PACK_S(%d), .PACK_C(%d)", (int)a->pairs, a->pack_context);
    ts_print(p, "\n    ");
}

static void controls(ts_printer *p, const ts_ring_node *n)
{
    ts_print(p, ", .ev_final(%s)", n->id ? "attention_final" : "event_final");
}

/* ---- Cost */

static ts_cost cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_ring_widths *w = r->w;
    const ts_attn_fold *a = &r->plan->attn;
    return ts_cost_attention(map, r->im->heads, r->im->d_head, a->pq, a->pkey, a->ph, a->pd, a->nf, r->plan->n_max, r->plan->queue_beats,
                             r->im->layers, w->lw, r->plan->reg, w->qw, w->kw, w->vw, w->pw, w->cw, w->sw, w->fw, w->score_shift,
                             w->ctx_shift, a->pairs == TS_PAIR_KEYS ? a->pkey / 2 : 0, a->pairs == TS_PAIR_QUERIES ? a->pq / 2 : 0,
                             a->pack_context, ts_plan_parity_bits(r->plan, false), a->kvstyle, a->sstyle);
}

/* ---- Time: the formulas of rtl/ts_attention.v */

/* A token into attention: its query into the queue, its keys and values, word by word, into their memories. */
static void time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const ts_attn_fold *a = &r->plan->attn;
    const int words = ts_ceil_div(r->im->heads, a->ph) * ts_ceil_div(r->im->d_head, a->pd), in = ts_queue_time_of(r->plan).in;
    /* The query begins when the keys and values of the one before are written. */
    t->stage = (ts_stage_time){.latency = in, .ii = words + in, .room = 1, .takes = words + in - 1, .pages = TS_LIN_COUNT};
}

ts_attention_time ts_attention_time_at(const ts_plan *plan, const ts_imodel *im, int n)
{
    CHECK(n >= 1);
    const ts_attn_fold *a = &plan->attn;
    const ts_queue_time q = ts_queue_time_of(plan);
    if (!ts_ring_ways_of(im).has_attention) /* events are stored whole: tokens come from that store */
        return (ts_attention_time){.in_block = 1, .block = q.each, .first = q.ahead};
    const int hg = ts_ceil_div(im->heads, a->ph), dc = ts_ceil_div(im->d_head, a->pd);
    const int row = a->ph * ts_ceil_div(im->d_head, a->nf), c = ts_ceil_div(n, a->pkey) * dc;
    const int lanes = ts_tree_cycles(a->pkey, plan->reg), recip = 1 + ts_ceil_div(16, plan->reg);
    const int p = 9 + FAN + ts_tree_cycles(a->pd, plan->reg) + (dc > 1) + (lanes > 1 ? lanes - 1 : 0);
    const int item = c > a->pq * row + dc - 1 ? c : a->pq * row + dc - 1;
    int groups = (hg - 1) * item; /* from the first head group's item to the last one's */
    if (p > c && hg > 2)
        groups = (hg - 1) / 2 * (2 * item > c + p ? 2 * item : c + p) + (hg - 1) % 2 * item;
    const int through = groups + c + 21 + lanes + recip + a->pq * row;
    const int places = (4 * a->pq > 32 ? 4 * a->pq : 32) / a->pq;
    const double block = fmax(fmax(hg * item, hg * (c + p) / 2.0), fmax(a->pq * q.each + 1, (double)through / places));
    const int start = hg * dc + 2 > q.ahead ? hg * dc + 2 : q.ahead;
    return (ts_attention_time){.in_block = a->pq,
                               .load = q.each,
                               .block = block,
                               .first = start + 1 + ((n < a->pq ? n : a->pq) - 1) * q.each + 2 * c + groups + p + 19 + lanes + recip + row,
                               .row = row,
                               .through = through - a->pq * row,
                               .places = places};
}

static int multipliers(const ts_ring *r, const ts_ring_node *n)
{
    const ts_attn_fold *a = &r->plan->attn;
    return 2 * a->pq * a->pkey * a->ph * a->pd; /* scores and context */
}

/* ---- Memories */

static void memories(const ts_ring *r, const ts_ring_node *n, ts_memory_list *list)
{
    ts_memory_add(list, TS_MEMORY_ATTENTION, 0, n->name, "a", TS_WIDTH_BITS + 2 + 2 * r->im->heads, r->im->layers, TS_MEM_DISTRIBUTED);
    ts_memory_add(list, TS_MEMORY_EXP2, 0, n->name, "x", r->im->p_bits, 1 << r->im->frac_bits, TS_MEM_DISTRIBUTED);
}

static void fill(const ts_ring *r, const ts_memory *mem, const ts_memory_image *image)
{
    const ts_imodel *im = r->im;
    for (int i = 0; mem->kind == TS_MEMORY_EXP2 && i < image->depth; i++)
        ts_memory_put(image, i, 0, image->width, im->exp2[i]);
    for (int l = 0; mem->kind == TS_MEMORY_ATTENTION && l < im->layers; l++) {
        const ts_ilayer *layer = &im->layer[l];
        if (!ts_imodel_has_attention(im, l))
            continue;
        for (int h = 0; h < im->heads; h++)
            ts_memory_put(image, l, 2 * h, 2, layer->score_e[h]);
        ts_memory_put(image, l, 2 * im->heads, 2, layer->ctx_e);
        ts_memory_put(image, l, 2 * im->heads + 2, TS_WIDTH_BITS, layer->ctx.bits);
    }
}

static void checked(const ts_ring *r, const ts_ring_node *n, ts_checked *c)
{
    if (!ts_plan_parity_bits(r->plan, false))
        return;
    *c = (ts_checked){.bits = 2, .count = 1, .of = {{.bit = 1, .memory = ts_memory_id(TS_MEMORY_ATTENTION, 0)}}};
}

static int styles(const ts_ring *r, const ts_ring_node *n, ts_plan *plan, ts_style_place list[TS_NODE_STYLES])
{
    list[0] = (ts_style_place){&plan->attn.kvstyle, .ultra = true};
    list[1] = (ts_style_place){&plan->attn.sstyle, .ultra = true};
    return 2;
}

const ts_module ts_module_attention = {
    .name = "ts_attention",
    .in = {"s"},
    .out = {"m"},
    .watched = true,
    .configured = true,
    .bits = bits,
    .check = check,
    .declare = declare,
    .parameters = parameters,
    .controls = controls,
    .cost = cost,
    .time = time,
    .memories = memories,
    .fill = fill,
    .checked = checked,
    .styles = styles,
    .multipliers = multipliers,
};
