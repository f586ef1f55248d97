/* Where a candidate's memories go. */
#include "plan/place.h"

#include <math.h>
#include <string.h>

#include "ring/cost_modules.h"

enum { GROUPS = 3 };

static void add_memory(ts_memories *m, ts_mem_style *style, bool ultra, const char *stage, int group)
{
    CHECK(m->count < TS_PLACE_MAX);
    m->style[m->count] = style;
    m->paged[m->count] = -1;
    m->stage[m->count] = stage;
    m->group[m->count] = group;
    m->lin[m->count] = TS_LIN_COUNT;
    m->ultra[m->count++] = ultra;
}

ts_memories ts_memories_of_plan(const ts_ring_search *s, ts_plan *plan)
{
    ts_memories m = {.count = 0};
    for (int id = 0; id < TS_LIN_COUNT; id++)
        if (s->w.lin[id].k) {
            add_memory(&m, &plan->lin[id].wstyle, true, NULL, 0);
            for (int i = 0; i < TS_PAGED_STAGES; i++)
                if (ts_paged_stage[i] == (ts_lin_id)id)
                    m.paged[m.count - 1] = i;
            add_memory(&m, &plan->lin[id].pstyle, false, NULL, 0);
            m.lin[m.count - 1] = m.lin[m.count - 2] = (ts_lin_id)id;
        }
    for (int id = 0; id < TS_RQV_COUNT; id++)
        if (s->w.rqv[id].d)
            add_memory(&m, &plan->rqv[id].pstyle, false, ts_rqv_name((ts_rqv_id)id), 0);
    for (int id = 0; id < TS_NRM_COUNT; id++)
        if (s->w.nrm[id].d)
            add_memory(&m, &plan->nrm[id].pstyle, false, ts_nrm_name((ts_nrm_id)id), 0);
    if (s->ways.has_attention) {
        add_memory(&m, &plan->attn.kvstyle, true, "attention", 0);
        add_memory(&m, &plan->attn.sstyle, true, "attention", 1);
    }
    add_memory(&m, &plan->queue_style, true, NULL, 2);
    if (s->ways.has_ffn)
        add_memory(&m, &plan->mid_style, false, "FFN fork and FIFO", 0);
    return m;
}

double ts_excess(const ts_ring_search *s, const ts_resources *need)
{
    double sum = 0;
#define X(field, label) \
    if (need->field > s->cap * s->device->has.field) \
        sum += s->device->has.field > 0 ? need->field / s->device->has.field - s->cap : need->field;
    TS_LIMITS(X)
#undef X
    return sum;
}

void ts_measure(const ts_ring_search *s, ts_candidate *c)
{
    c->cost = ts_plan_cost_at(&c->plan, s->im, &s->w, s->device);
    ts_cost_add(&c->cost, 1, s->opt->reserve);
    c->load = ts_device_load(s->device, &c->cost.device, &c->scarce);
    c->latency = c->unpaged + ts_predict_page_delay(&c->plan, s->im, &s->w, s->typical);
    /* A fuller device is harder to place and clock: five points of its LUTs, registers or block RAMs for one per cent of latency. */
    const ts_resources *need = &c->cost.device, *has = &s->device->has;
    const double full = (need->lut / has->lut + need->ff / has->ff + need->bram36 / fmax(has->bram36, 1)) / 3;
    c->price = c->latency * (s->slowest > 0 ? 1 + 1e6 * c->load : 1 + 0.2 * full);
}

ts_resources ts_resources_plus(ts_resources a, const ts_resources *b, double factor)
{
#define X(field, label) a.field += factor * b->field;
    TS_LIMITS(X)
#undef X
    return a;
}

bool ts_place_greedily(const ts_ring_search *s, const ts_memories *m, ts_style_costs costs, ts_resources *need)
{
    double now = ts_excess(s, need);
    while (now > 0) {
        double best = now;
        int which = -1, to = 0;
        ts_resources better = *need;
        for (int i = 0; i < m->count; i++)
            for (int style = 0; style < TS_PLACE_STYLES; style++) {
                if (style == (int)*m->style[i] || (style == TS_MEM_ULTRA && (!m->ultra[i] || s->device->has.uram <= 0)))
                    continue;
                const ts_resources after = ts_resources_plus(ts_resources_plus(*need, &costs[i][*m->style[i]], -1), &costs[i][style], 1);
                const double excess = ts_excess(s, &after);
                if (excess < best - 1e-9) {
                    best = excess;
                    which = i;
                    to = style;
                    better = after;
                }
            }
        if (which < 0)
            return false;
        *m->style[which] = (ts_mem_style)to;
        *need = better;
        now = best;
    }
    return true;
}

/* Of the stage in the list, or of all where it is NULL. */
static ts_resources listed(const ts_stage_cost *list, int count, const char *stage)
{
    ts_resources sum = {0};
    int found = 0;
    for (int i = 0; i < count; i++)
        if (!stage || strcmp(list[i].stage, stage) == 0) {
            sum = ts_resources_plus(sum, &list[i].cost.device, 1);
            found++;
        }
    CHECK(found == 1 || !stage);
    return sum;
}

/* Memories outside of the linear stages: all of a group at once. */
static void cost_other_styles(const ts_ring_search *s, const ts_plan *plan, const ts_memories *m, ts_style_costs costs)
{
    for (int group = 0; group < GROUPS; group++) {
        ts_mem_style from[TS_PLACE_MAX];
        for (int i = 0; i < m->count; i++)
            from[i] = *m->style[i];
        for (int style = 0; style < TS_PLACE_STYLES; style++) {
            for (int i = 0; i < m->count; i++)
                if (m->lin[i] == TS_LIN_COUNT && m->group[i] == group)
                    *m->style[i] = (ts_mem_style)style;
            ts_stage_cost list[TS_STAGE_COST_MAX];
            const int count = ts_plan_other_costs(plan, s->im, &s->w, s->device, list);
            for (int i = 0; i < m->count; i++)
                if (m->lin[i] == TS_LIN_COUNT && m->group[i] == group)
                    costs[i][style] = listed(list, count, m->stage[i]);
        }
        for (int i = 0; i < m->count; i++)
            *m->style[i] = from[i];
    }
}

void ts_cost_styles(const ts_ring_search *s, const ts_plan *plan, const ts_memories *m, ts_style_costs costs)
{
    cost_other_styles(s, plan, m, costs);
    for (int i = 0; i < m->count; i++) {
        if (m->lin[i] == TS_LIN_COUNT)
            continue;
        const ts_mem_style from = *m->style[i];
        for (int style = 0; style < TS_PLACE_STYLES; style++) {
            *m->style[i] = (ts_mem_style)style;
            costs[i][style] = ts_plan_linear_cost(plan, s->im, &s->w, s->device, m->lin[i]).device;
        }
        *m->style[i] = from;
    }
}

void ts_place_memories(const ts_ring_search *s, ts_candidate *c)
{
    ts_measure(s, c);
    const bool done = c->load <= s->cap && (s->opt->paging != TS_PAGING_ASKED || ts_plan_is_paged(&c->plan));
    /* Multipliers are where they are, and no memory is worth looking at while they do not fit. */
    if (done || c->cost.device.dsp > s->cap * s->device->has.dsp)
        return;
    if (s->ports > 0) {
        ts_place_pages(s, c);
        return;
    }
    const ts_memories m = ts_memories_of_plan(s, &c->plan);
    ts_style_costs costs;
    ts_cost_styles(s, &c->plan, &m, costs);
    ts_resources need = c->cost.device;
    ts_place_greedily(s, &m, costs, &need);
    ts_measure(s, c);
}
