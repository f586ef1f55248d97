#define TS_FAIL_CODE TS_DAMAGED
/* What passes a token of d values through its channels: ts_rqvec, the requantiser in front of a stage, ts_norm, and ts_qknorm, which has
   two of them. */
#include "ring/module.h"

static void parameter_image(ts_printer *p, const ts_ring_node *n, ts_mem_style style, const char *suffix, const char *name,
                            ts_memory_kind kind)
{
    ts_print(p, ".INIT_%s(", name);
    ts_print_image(p, style, n->name, suffix);
    ts_print(p, "), .CFG_%s(%d)", name, ts_memory_id(kind, n->id));
}

static void parity_parameter(ts_printer *p)
{
    if (ts_plan_parity_bits(p->ring->plan, false))
        ts_print(p, ".PARITY(1), ");
}

/* The first `count` memories of the list, a bit of `fault` each. */
static void check_all(const ts_ring *r, const ts_ring_node *n, const ts_memory_kind *kinds, int count, ts_checked *c)
{
    if (!ts_plan_parity_bits(r->plan, false))
        return;
    c->bits = 1 + count;
    for (; c->count < count; c->count++) {
        c->of[c->count].bit = 1 + c->count;
        c->of[c->count].memory = ts_memory_id(kinds[c->count], n->id);
    }
}

/* ---- ts_rqvec */

static void rqvec_bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    const ts_rqv_widths *w = &r->w->rqv[n->id];
    b->in[0] = w->d * w->xw;
    b->out[0] = w->d * w->yw;
}

static bool rqvec_check(const ts_ring *r, const ts_ring_node *n, ts_err *err)
{
    return ts_plan_in_range(n->name, "nr", r->plan->rqv[n->id].nr, 1, r->w->rqv[n->id].d, err);
}

static void rqvec_parameters(ts_printer *p, const ts_ring_node *n)
{
    const ts_rqv_widths *w = &p->ring->w->rqv[n->id];
    const ts_rqv_fold *f = &p->ring->plan->rqv[n->id];
    ts_print(p,
             "\n        .D(%d), .NR(%d), .PAGES(%d), .LW(LW), .TAGW(TAGW),\n"
             "        .XW(%d), .S2(%d), .EW(3), .BIASW(%d), .YW(%d), .VARBITS(%d), .PSTYLE(\"%s\"), ",
             w->d, f->nr, w->pages, w->xw, w->s2, w->biasw, w->yw, w->varbits, ts_mem_style_name(f->pstyle));
    parity_parameter(p);
    parameter_image(p, n, f->pstyle, "q", "Q", TS_MEMORY_RQVEC);
    ts_print(p, "\n    ");
}

static ts_cost rqvec_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_rqv_widths *w = &r->w->rqv[n->id];
    const ts_rqv_fold *f = &r->plan->rqv[n->id];
    return ts_cost_rqvec(map, w->d, f->nr, w->pages, r->w->tagw, w->xw, w->s2, TS_SHIFT_BITS, w->biasw, w->yw, w->varbits,
                         ts_plan_parity_bits(r->plan, false), f->pstyle);
}

static void rqvec_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    enum { LAG = 9 /* beside its steps */ };
    /* The token stays in the slice in front for all steps; one at half rate then needs a cycle for the next. */
    const int steps = ts_ceil_div(r->w->rqv[n->id].d, r->plan->rqv[n->id].nr), latency = steps + LAG + (steps > 1);
    const int formed = forming + steps - 1, own = steps + r->plan->half, ii = forming && formed > own ? formed : own;
    t->stage =
        (ts_stage_time){.latency = latency, .ii = ii, .room = ts_vector_room(latency, ii), .takes = steps - 1, .pages = TS_LIN_COUNT};
}

static void rqvec_memories(const ts_ring *r, const ts_ring_node *n, ts_memory_list *list)
{
    const ts_rqv_widths *w = &r->w->rqv[n->id];
    const ts_rqv_fold *f = &r->plan->rqv[n->id];
    ts_memory_add(list, TS_MEMORY_RQVEC, n->id, n->name, "q", f->nr * (ts_requant_bits(w->varbits) + w->biasw),
                  w->pages * ts_ceil_div(w->d, f->nr), f->pstyle);
}

static void rqvec_fill(const ts_ring *r, const ts_memory *mem, const ts_memory_image *image)
{
    const ts_rqv_widths *w = &r->w->rqv[mem->stage];
    const int nr = r->plan->rqv[mem->stage].nr, entry = ts_requant_bits(w->varbits) + w->biasw, rows = ts_ceil_div(w->d, nr);
    for (int page = 0; page < w->pages; page++) {
        const ts_rq *rq = ts_ring_rqv(r->im, (ts_rqv_id)mem->stage, page);
        for (int c = 0; rq && c < w->d; c++) {
            const int word = page * rows + c / nr;
            const int end = ts_memory_put_requant(image, word, c % nr * entry, w->varbits, rq->m[c], rq->e[c], rq->out.bits);
            ts_memory_put(image, word, end, w->biasw, rq->b ? rq->b[c] : 0);
        }
    }
}

static void rqvec_checked(const ts_ring *r, const ts_ring_node *n, ts_checked *c)
{
    check_all(r, n, (const ts_memory_kind[]){TS_MEMORY_RQVEC}, 1, c);
}

static int rqvec_styles(const ts_ring *r, const ts_ring_node *n, ts_plan *plan, ts_style_place list[TS_NODE_STYLES])
{
    list[0] = (ts_style_place){&plan->rqv[n->id].pstyle};
    return 1;
}

const ts_module ts_module_rqvec = {
    .name = "ts_rqvec",
    .in = {"s"},
    .out = {"m"},
    .watched = true,
    .configured = true,
    .bits = rqvec_bits,
    .check = rqvec_check,
    .parameters = rqvec_parameters,
    .cost = rqvec_cost,
    .time = rqvec_time,
    .memories = rqvec_memories,
    .fill = rqvec_fill,
    .checked = rqvec_checked,
    .styles = rqvec_styles,
};

/* ---- ts_norm */

static void norm_bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    b->in[0] = b->out[0] = r->w->nrm[n->id].d * r->w->res_w;
}

static bool norm_check(const ts_ring *r, const ts_ring_node *n, ts_err *err)
{
    return ts_plan_in_range(n->name, "np", r->plan->nrm[n->id].np, 1, r->w->nrm[n->id].d, err);
}

static void norm_parameters(ts_printer *p, const ts_ring_node *n)
{
    const ts_ring *r = p->ring;
    const ts_nrm_widths *w = &r->w->nrm[n->id];
    const ts_nrm_fold *f = &r->plan->nrm[n->id];
    ts_print(p,
             "\n        %s.D(%d), .NP(%d), .REG(REG), .DIGITS(REG), .PAGES(%d), .LW(LW), .TAGW(TAGW),\n"
             "        .W(%d), .YW(%d), .TSHIFT(%d), .YSHIFT(%d), .BIASW(%d), .EPSW(%d), .PSTYLE(\"%s\"),\n        ",
             w->centred ? "" : ".MEAN(0), ", w->d, f->np, w->pages, r->w->res_w, r->w->res_w, w->t_shift, w->y_shift, w->biasw, w->epsw,
             ts_mem_style_name(f->pstyle));
    parity_parameter(p);
    parameter_image(p, n, f->pstyle, "g", "G", TS_MEMORY_GAIN);
    ts_print(p, ", ");
    parameter_image(p, n, f->pstyle, "e", "E", TS_MEMORY_EPS);
    ts_print(p, "\n    ");
}

static ts_cost norm_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_nrm_widths *w = &r->w->nrm[n->id];
    const ts_nrm_fold *f = &r->plan->nrm[n->id];
    return ts_cost_norm(map, w->centred, w->d, f->np, r->plan->reg, r->plan->reg, w->pages, r->w->lw, r->w->tagw, r->w->res_w, r->w->res_w,
                        w->t_shift, w->y_shift, w->biasw, w->epsw, ts_plan_parity_bits(r->plan, false), f->pstyle);
}

/* Of ts_norm, between a vector's acceptance and its result. */
static int norm_latency(const ts_nrm_widths *w, int np, int reg)
{
    const int steps = ts_ceil_div(w->d, np), tree = ts_tree_cycles(np, reg);
    const int recurrences = ts_ceil_div(18, reg) + ts_ceil_div(16, reg); /* a digit is an adder */
    return (w->centred ? steps + tree : 0) + 2 * steps + tree + 18 + recurrences;
}

/* Vectors that it has room for. */
static int norm_room(const ts_nrm_widths *w, int np, int reg)
{
    return ts_ceil_div(norm_latency(w, np, reg) + 2, ts_ceil_div(w->d, np)) + 1;
}

static void norm_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const ts_nrm_widths *w = &r->w->nrm[n->id];
    const int np = r->plan->nrm[n->id].np, reg = r->plan->reg, steps = ts_ceil_div(w->d, np);
    t->stage = (ts_stage_time){.latency = norm_latency(w, np, reg), .ii = steps, .room = norm_room(w, np, reg), .pages = TS_LIN_COUNT};
    t->forming = steps;
}

/* A norm's gains and biases, channel by channel from `first` on: a page of ts_norm. */
static void fill_gains(const ts_memory_image *image, const ts_inorm *norm, int first, int page, int np, int biasw)
{
    const int entry = TS_MULTIPLIER_BITS + biasw, rows = ts_ceil_div(norm->d, np);
    for (int c = 0; c < norm->d; c++) {
        ts_memory_put(image, page * rows + c / np, c % np * entry, TS_MULTIPLIER_BITS, norm->gain[first + c]);
        ts_memory_put(image, page * rows + c / np, c % np * entry + TS_MULTIPLIER_BITS, biasw, norm->bias[first + c]);
    }
}

static void norm_memories(const ts_ring *r, const ts_ring_node *n, ts_memory_list *list)
{
    const ts_nrm_widths *w = &r->w->nrm[n->id];
    const ts_nrm_fold *f = &r->plan->nrm[n->id];
    ts_memory_add(list, TS_MEMORY_GAIN, n->id, n->name, "g", f->np * (w->biasw + TS_MULTIPLIER_BITS), w->pages * ts_ceil_div(w->d, f->np),
                  f->pstyle);
    ts_memory_add(list, TS_MEMORY_EPS, n->id, n->name, "e", w->epsw, w->pages, f->pstyle);
}

static void norm_fill(const ts_ring *r, const ts_memory *mem, const ts_memory_image *image)
{
    const ts_nrm_widths *w = &r->w->nrm[mem->stage];
    for (int page = 0; page < w->pages; page++) {
        const ts_inorm *norm = ts_ring_nrm(r->im, (ts_nrm_id)mem->stage, page);
        if (norm && mem->kind == TS_MEMORY_EPS)
            ts_memory_put(image, page, 0, w->epsw, (int64_t)norm->eps);
        if (norm && mem->kind == TS_MEMORY_GAIN)
            fill_gains(image, norm, 0, page, r->plan->nrm[mem->stage].np, w->biasw);
    }
}

static void norm_checked(const ts_ring *r, const ts_ring_node *n, ts_checked *c)
{
    check_all(r, n, (const ts_memory_kind[]){TS_MEMORY_GAIN, TS_MEMORY_EPS}, 2, c);
}

static int norm_styles(const ts_ring *r, const ts_ring_node *n, ts_plan *plan, ts_style_place list[TS_NODE_STYLES])
{
    list[0] = (ts_style_place){&plan->nrm[n->id].pstyle};
    return 1;
}

const ts_module ts_module_norm = {
    .name = "ts_norm",
    .in = {"s"},
    .out = {"m"},
    .watched = true,
    .configured = true,
    .bits = norm_bits,
    .check = norm_check,
    .parameters = norm_parameters,
    .cost = norm_cost,
    .time = norm_time,
    .memories = norm_memories,
    .fill = norm_fill,
    .checked = norm_checked,
    .styles = norm_styles,
};

/* ---- ts_qknorm */

static void qknorm_bits(const ts_ring *r, const ts_ring_node *n, ts_port_bits *b)
{
    const int values = 3 * r->w->nrm[n->id].groups * r->w->nrm[n->id].d;
    b->in[0] = values * r->w->lin[TS_LIN_QKV].yw;
    b->out[0] = values * r->w->xw;
}

static bool qknorm_check(const ts_ring *r, const ts_ring_node *n, ts_err *err)
{
    enum { GROUPS_MAX = 32 }; /* that a token's registers can be chosen from in a cycle */
    return norm_check(r, n, err) && ts_plan_in_range(n->name, "heads", r->w->nrm[n->id].groups, 1, GROUPS_MAX, err);
}

/* Bits of a group's number, in the pages' numbers. */
static int group_bits(const ts_nrm_widths *w)
{
    int bits = 0;
    while (1 << bits < w->groups)
        bits++;
    return bits;
}

static void qknorm_parameters(ts_printer *p, const ts_ring_node *n)
{
    const ts_ring_widths *all = p->ring->w;
    const ts_nrm_widths *w = &all->nrm[n->id];
    const ts_nrm_fold *f = &p->ring->plan->nrm[n->id];
    ts_print(
        p,
        "\n        .MEAN(%d), .D(%d), .GROUPS(%d), .NP(%d), .REG(REG), .DIGITS(REG), .PAGES(%d), .LW(LW), .TAGW(TAGW),\n"
        "        .W(%d), .XW(%d), .QW(%d), .KW(%d), .VW(%d), .YW(%d), .TSHIFT(%d), .QYSHIFT(%d), .KYSHIFT(%d), .QBIASW(%d), .KBIASW(%d), "
        ".EPSW(%d),\n        .PSTYLE(\"%s\"), ",
        w->centred, w->d, w->groups, f->np, w->pages, all->res_w, all->lin[TS_LIN_QKV].yw, all->qw, all->kw, all->vw, all->xw, w->t_shift,
        w->y_shift, w->k_y_shift, w->biasw, w->k_biasw, w->epsw, ts_mem_style_name(f->pstyle));
    parity_parameter(p);
    parameter_image(p, n, f->pstyle, "qg", "QG", TS_MEMORY_Q_GAIN);
    ts_print(p, ", ");
    parameter_image(p, n, f->pstyle, "qe", "QE", TS_MEMORY_Q_EPS);
    ts_print(p, ",\n        ");
    parameter_image(p, n, f->pstyle, "kg", "KG", TS_MEMORY_K_GAIN);
    ts_print(p, ", ");
    parameter_image(p, n, f->pstyle, "ke", "KE", TS_MEMORY_K_EPS);
    ts_print(p, "\n    ");
}

static ts_cost qknorm_cost(const ts_ring *r, const ts_ring_node *n, const ts_mapping *map)
{
    const ts_ring_widths *all = r->w;
    const ts_nrm_widths *w = &all->nrm[n->id];
    const ts_nrm_fold *f = &r->plan->nrm[n->id];
    return ts_cost_qknorm(map, w->centred, w->d, w->groups, f->np, r->plan->reg, r->plan->reg, w->pages, all->lw, all->tagw, all->res_w,
                          all->qw, all->kw, all->vw, w->t_shift, w->y_shift, w->k_y_shift, w->biasw, w->k_biasw, w->epsw,
                          ts_plan_parity_bits(r->plan, false), f->pstyle);
}

/* A token's groups follow each other through the norms; it stays where it comes from until the last one enters. A slice at half rate in
   front shows the next one a cycle late, which matters where a group takes but one. */
static void qknorm_time(const ts_ring *r, const ts_ring_node *n, int forming, ts_node_time *t)
{
    const ts_nrm_widths *w = &r->w->nrm[n->id];
    const int np = r->plan->nrm[n->id].np, reg = r->plan->reg, steps = ts_ceil_div(w->d, np), rest = (w->groups - 1) * steps;
    const bool half = r->node[r->stream[n->in[0]].from].half;
    t->stage = (ts_stage_time){.latency = rest + norm_latency(w, np, reg) + 1,
                               .ii = rest + steps + (half && steps == 1),
                               .room = (norm_room(w, np, reg) + w->groups - 1) / w->groups + 1,
                               .takes = rest,
                               .pages = TS_LIN_COUNT};
}

static void qknorm_memories(const ts_ring *r, const ts_ring_node *n, ts_memory_list *list)
{
    const ts_nrm_widths *w = &r->w->nrm[n->id];
    const ts_nrm_fold *f = &r->plan->nrm[n->id];
    const int pages = w->pages << group_bits(w), words = pages * ts_ceil_div(w->d, f->np);
    ts_memory_add(list, TS_MEMORY_Q_GAIN, n->id, n->name, "qg", f->np * (w->biasw + TS_MULTIPLIER_BITS), words, f->pstyle);
    ts_memory_add(list, TS_MEMORY_Q_EPS, n->id, n->name, "qe", w->epsw, pages, f->pstyle);
    ts_memory_add(list, TS_MEMORY_K_GAIN, n->id, n->name, "kg", f->np * (w->k_biasw + TS_MULTIPLIER_BITS), words, f->pstyle);
    ts_memory_add(list, TS_MEMORY_K_EPS, n->id, n->name, "ke", w->epsw, pages, f->pstyle);
}

static void qknorm_fill(const ts_ring *r, const ts_memory *mem, const ts_memory_image *image)
{
    const ts_nrm_widths *w = &r->w->nrm[mem->stage];
    const bool of_q = mem->kind == TS_MEMORY_Q_GAIN || mem->kind == TS_MEMORY_Q_EPS;
    for (int layer = 0; layer < w->pages; layer++) {
        const ts_inorm *norm = of_q ? ts_ring_nrm(r->im, (ts_nrm_id)mem->stage, layer) : ts_ring_k_norm(r->im, layer);
        for (int group = 0; norm && group < w->groups; group++) {
            const int page = (layer << group_bits(w)) + group;
            if (mem->kind == TS_MEMORY_Q_EPS || mem->kind == TS_MEMORY_K_EPS)
                ts_memory_put(image, page, 0, w->epsw, (int64_t)norm->eps);
            else
                fill_gains(image, norm, group * w->d, page, r->plan->nrm[mem->stage].np, of_q ? w->biasw : w->k_biasw);
        }
    }
}

static void qknorm_checked(const ts_ring *r, const ts_ring_node *n, ts_checked *c)
{
    check_all(r, n, (const ts_memory_kind[]){TS_MEMORY_Q_GAIN, TS_MEMORY_Q_EPS, TS_MEMORY_K_GAIN, TS_MEMORY_K_EPS}, 4, c);
}

const ts_module ts_module_qknorm = {
    .name = "ts_qknorm",
    .in = {"s"},
    .out = {"m"},
    .watched = true,
    .configured = true,
    .bits = qknorm_bits,
    .check = qknorm_check,
    .parameters = qknorm_parameters,
    .cost = qknorm_cost,
    .time = qknorm_time,
    .memories = qknorm_memories,
    .fill = qknorm_fill,
    .checked = qknorm_checked,
    .styles = norm_styles,
};
