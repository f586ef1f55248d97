/* Where a candidate's memories go. */
#include "plan/place.h"

#include <math.h>

#include "ring/module.h"
#include "ring/plan_cost.h"

ts_placeable ts_placeable_of(const ts_ring *ring, ts_plan *plan)
{
    CHECK(ring->plan == plan);
    ts_placeable m = {.count = 0};
    for (int row = 0; row < TS_MODULE_COUNT; row++)
        for (int n = 0; n < ring->nodes; n++) {
            const ts_ring_node *node = &ring->node[n];
            const ts_module *module = ts_module_of(node->module);
            ts_style_place list[TS_NODE_STYLES];
            const int count = node->module == (ts_module_id)row && module->styles ? module->styles(ring, node, plan, list) : 0;
            for (int i = 0; i < count; i++) {
                CHECK(m.count < TS_PLACE_MAX);
                m.style[m.count] = list[i].style;
                m.ultra[m.count] = list[i].ultra;
                m.node[m.count] = n;
                m.paged[m.count] = -1;
                for (int s = 0; list[i].weights && s < TS_PAGED_STAGES; s++)
                    if (ts_paged_stage[s] == (ts_lin_id)node->id)
                        m.paged[m.count] = s;
                m.count++;
            }
        }
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

bool ts_place_greedily(const ts_ring_search *s, const ts_placeable *m, ts_style_costs costs, ts_resources *need)
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

void ts_cost_memory(const ts_ring_search *s, const ts_ring *ring, const ts_placeable *m, int which, ts_resources costs[TS_PLACE_STYLES])
{
    const ts_mapping map = ts_mapping_of(s->device);
    const ts_mem_style from = *m->style[which];
    for (int style = 0; style < TS_PLACE_STYLES; style++) {
        *m->style[which] = (ts_mem_style)style;
        costs[style] = ts_node_cost(ring, &ring->node[m->node[which]], &map).device;
    }
    *m->style[which] = from;
}

void ts_cost_styles(const ts_ring_search *s, const ts_ring *ring, const ts_placeable *m, ts_style_costs costs)
{
    for (int i = 0; i < m->count; i++)
        ts_cost_memory(s, ring, m, i, costs[i]);
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
    ts_ring ring;
    ts_ring_build(s->im, &c->plan, &s->w, &ring);
    const ts_placeable m = ts_placeable_of(&ring, &c->plan);
    ts_style_costs costs;
    ts_cost_styles(s, &ring, &m, costs);
    ts_resources need = c->cost.device;
    ts_place_greedily(s, &m, costs, &need);
    ts_measure(s, c);
}
