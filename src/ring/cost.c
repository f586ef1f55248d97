/* The ring as src/emit/top.c builds it, stage by stage. */
#include "ring/cost.h"

#include "ring/cost_modules.h"

typedef struct ring {
    const ts_plan *plan;
    const ts_imodel *im;
    ts_ring_widths w;
    ts_ring_ways ways;
    ts_mapping map;
    ts_stage_cost *list;
    bool no_linears;
    int count;
    int watched; /* stages with an output `fault` */
} ring;

static void put(ring *r, const char *stage, ts_cost cost)
{
    CHECK(r->count < TS_STAGE_COST_MAX);
    r->list[r->count++] = (ts_stage_cost){stage, cost};
}

static void put_watched(ring *r, const char *stage, ts_cost cost)
{
    put(r, stage, cost);
    r->watched++;
}

static ts_cost linear(const ring *r, ts_lin_id id)
{
    const ts_linear_params p = {.w = r->w.lin[id],
                                .f = r->plan->lin[id],
                                .lw = r->w.lw,
                                .tagw = r->w.tagw,
                                .reg = r->plan->reg,
                                .beats = r->im->head_count > 0 && id == (ts_lin_id)(TS_LIN_HEAD0 + r->im->head_count - 1),
                                .lanes = r->plan->paging.lanes};
    return ts_cost_linear(&r->map, &p);
}

static void put_linear(ring *r, ts_lin_id id)
{
    if (r->no_linears)
        r->watched++;
    else
        put_watched(r, ts_lin_name(id), linear(r, id));
}

static void put_rqvec(ring *r, ts_rqv_id id)
{
    put_watched(r, ts_rqv_name(id), ts_cost_rqvec(&r->map, &r->w.rqv[id], &r->plan->rqv[id], r->w.tagw));
}

static void put_norm(ring *r, ts_nrm_id id)
{
    put_watched(r, ts_nrm_name(id),
                ts_cost_norm(&r->map, &r->w.nrm[id], &r->plan->nrm[id], r->w.res_w, r->w.res_w, r->w.lw, r->w.tagw, r->plan->reg));
}

static void put_route(ring *r)
{
    ts_cost route = ts_cost_route(r->im->d * r->w.res_w + r->w.tagw, r->plan->half);
    /* The top level's own logic: the next layer's number, and whether this is the last. */
    ts_cost_add(&route, 1, (ts_cost){.yosys = {.lut = r->w.lw + 1}, .device = {.lut = r->w.lw + 1}});
    put(r, "route", route);
}

static void embedding(ring *r)
{
    const ts_imodel *im = r->im;
    const int hit = im->features * r->w.in_w;
    put_watched(r, "admission",
                ts_cost_admit(&r->map, hit, r->plan->n_max, r->w.tagw, r->plan->refusal_depth, im->embed_count == 0 && r->plan->half));
    for (int i = 0; i < im->embed_count; i++) {
        const ts_lin_id id = (ts_lin_id)(TS_LIN_EMBED0 + i);
        if (im->fused_qkv0 && i == im->embed_count - 1)
            put(r, "embedding fork", ts_cost_fork(r->w.lin[id].k * r->w.lin[id].xw + r->w.tagw, false));
        put_linear(r, id);
    }
    if (im->fused_qkv0)
        put_linear(r, TS_LIN_QKV0);
}

static void put_norm_at(ring *r, ts_norm_place place)
{
    const int which = ts_norm_at(r->im->norms, place);
    if (which)
        put_norm(r, which == 1 ? TS_NRM_1 : TS_NRM_2);
}

static void attention_block(ring *r)
{
    const ts_imodel *im = r->im;
    const ts_plan *plan = r->plan;
    const int res = im->d * r->w.res_w, token = res + r->w.tagw, qkv = 3 * im->heads * im->d_head * r->w.xw + r->w.tagw;
    const bool loop = r->ways.loop;
    ts_cost streams = {.yosys = {.lut = 0}};
    if (loop || !im->fused_qkv0)
        ts_cost_add(&streams, 1, ts_cost_fork(token, r->plan->half));
    if (r->ways.attn_merge)
        ts_cost_add(&streams, 1, ts_cost_merge(token, r->plan->half));
    if (loop && im->fused_qkv0)
        ts_cost_add(&streams, 1, ts_cost_merge(qkv, r->plan->half));
    put(r, "fork and merges", streams);
    put_watched(r, "residual queue", ts_cost_queue_narrow(&r->map, res, plan->n_max + plan->attn.pq, plan->queue_beats, plan->queue_style));
    if (loop || !im->fused_qkv0) {
        put_norm_at(r, TS_BEFORE_ATTENTION);
        put_rqvec(r, TS_RQV_QKV);
        put_linear(r, TS_LIN_QKV);
    }
    const ts_attention_params p = {.h = im->heads,
                                   .dh = im->d_head,
                                   .n_max = plan->n_max,
                                   .layers = im->layers,
                                   .w = r->w,
                                   .f = plan->attn,
                                   .reg = plan->reg,
                                   .queue_beats = plan->queue_beats};
    put_watched(r, "attention", ts_cost_attention(&r->map, &p));
    put_linear(r, TS_LIN_O);
    put_watched(r, "attention sum", ts_cost_radd(im->d, r->w.res_w, r->w.tagw, r->plan->sum_lanes, r->plan->half));
    put_norm_at(r, TS_BEHIND_ATTENTION);
    if (r->ways.attn_route)
        put_route(r);
}

static void ffn_block(ring *r)
{
    const ts_imodel *im = r->im;
    const int res = im->d * r->w.res_w;
    if (r->ways.store)
        put_watched(r, "event queue",
                    ts_cost_queue_narrow(&r->map, res + r->w.tagw, r->plan->n_max + 1, r->plan->queue_beats, r->plan->queue_style));
    if (r->ways.ffn_merge)
        put(r, "FFN merge", ts_cost_merge(res + r->w.tagw, r->plan->half));
    ts_cost around = ts_cost_fork(res + r->w.tagw, r->plan->half);
    ts_cost_add(&around, 1, ts_cost_fifo(&r->map, res, r->plan->mid_depth, r->plan->mid_style));
    put_watched(r, "FFN fork and FIFO", around);
    put_norm_at(r, TS_BEFORE_FFN);
    put_rqvec(r, TS_RQV_FFN);
    put_linear(r, TS_LIN_FFN1);
    put_linear(r, TS_LIN_FFN2);
    put_watched(r, "FFN sum", ts_cost_radd(im->d, r->w.res_w, r->w.tagw, r->plan->sum_lanes, r->plan->half));
    put_norm_at(r, TS_BEHIND_FFN);
    if (r->ways.ffn_route)
        put_route(r);
}

static void head(ring *r)
{
    const ts_imodel *im = r->im;
    const ts_plan *plan = r->plan;
    if (im->has_final_norm)
        put_norm(r, TS_NRM_FINAL);
    if (im->pool != TS_POOL_NONE)
        put_watched(r, "pool", ts_cost_pool(&r->map, im->d, r->w.res_w, plan->n_max, im->pool, plan->reg));
    put_rqvec(r, TS_RQV_HEAD);
    const ts_lin_id last = (ts_lin_id)(TS_LIN_HEAD0 + im->head_count - 1);
    for (int id = TS_LIN_HEAD0; id <= (int)last; id++)
        put_linear(r, (ts_lin_id)id);
    const ts_lin_fold *f = &plan->lin[last];
    const ts_lin_widths *w = &r->w.lin[last];
    if (plan->argmax) {
        put(r, "arg-max", ts_cost_argmax(w->m, f->pm, f->nr, w->yw, r->w.tagw));
        put(r, "output", ts_cost_output(2, 32, 1, true, false));
    } else {
        put(r, "output", ts_cost_output(f->nr, w->yw, ts_ceil_div(w->m, f->pm) * (f->pm / f->nr), true, false));
    }
}

ts_cost ts_plan_pager_cost(const ts_plan *plan, const ts_imodel *im)
{
    int stages = 0, buffers[TS_PAGED_STAGES], turns[TS_PAGED_STAGES];
    for (int i = 0; i < TS_PAGED_STAGES; i++) {
        const ts_lin_id id = ts_paged_stage[i];
        if (!plan->lin[id].buffers)
            continue;
        buffers[stages] = plan->lin[id].buffers;
        turns[stages] = 0;
        for (int layer = 0; layer < im->layers; layer++)
            turns[stages] += ts_ring_lin(im, id, layer) != NULL;
        stages++;
    }
    return stages ? ts_cost_pager(stages, buffers, turns, &plan->paging, plan->refusal_depth) : (ts_cost){.yosys = {.lut = 0}};
}

static int stages(ring *r)
{
    if (ts_plan_is_paged(r->plan))
        put_watched(r, "pager", ts_plan_pager_cost(r->plan, r->im));
    embedding(r);
    if (r->ways.has_attention)
        attention_block(r);
    if (r->ways.has_ffn)
        ffn_block(r);
    if (r->im->head_count > 0)
        head(r);
    else
        put(r, "output", ts_cost_output(r->im->d, r->w.res_w, 1, false, r->plan->half));
    put(r, "watch", ts_cost_watch(r->watched, r->watched));
    return r->count;
}

int ts_plan_stage_costs(const ts_plan *plan, const ts_imodel *im, const ts_device *device, ts_stage_cost list[TS_STAGE_COST_MAX])
{
    ring r = {.plan = plan, .im = im, .w = ts_ring_widths_of(im), .ways = ts_ring_ways_of(im), .map = ts_mapping_of(device), .list = list};
    return stages(&r);
}

int ts_plan_other_costs(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, const ts_device *device,
                        ts_stage_cost list[TS_STAGE_COST_MAX])
{
    ring r = {.plan = plan, .im = im, .w = *w, .ways = ts_ring_ways_of(im), .map = ts_mapping_of(device), .list = list, .no_linears = true};
    return stages(&r);
}

ts_cost ts_plan_cost_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, const ts_device *device)
{
    ts_stage_cost list[TS_STAGE_COST_MAX];
    ring r = {.plan = plan, .im = im, .w = *w, .ways = ts_ring_ways_of(im), .map = ts_mapping_of(device), .list = list};
    const int count = stages(&r);
    ts_cost sum = {.yosys = {.lut = 0}};
    for (int i = 0; i < count; i++)
        ts_cost_add(&sum, 1, list[i].cost);
    return sum;
}

ts_cost ts_plan_linear_cost(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, const ts_device *device, ts_lin_id id)
{
    const ring r = {.plan = plan, .im = im, .w = *w, .map = ts_mapping_of(device)};
    return linear(&r, id);
}

ts_cost ts_plan_cost(const ts_plan *plan, const ts_imodel *im, const ts_device *device)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    return ts_plan_cost_at(plan, im, &w, device);
}
