#include "ring/plan_cost.h"

#include <string.h>

#include "ring/module.h"

ts_cost ts_node_cost(const ts_ring *ring, const ts_ring_node *node, const ts_mapping *map)
{
    const ts_module *m = ts_module_of(node->module);
    return m->cost ? m->cost(ring, node, map) : (ts_cost){.yosys = {.lut = 0}};
}

ts_cost ts_plan_cost_at(const ts_plan *plan, const ts_imodel *im, const ts_ring_widths *w, const ts_device *device)
{
    const ts_mapping map = ts_mapping_of(device);
    ts_cost sum = {.yosys = {.lut = 0}};
    ts_ring ring;
    ts_ring_build(im, plan, w, &ring);
    for (int n = 0; n < ring.nodes; n++)
        ts_cost_add(&sum, 1, ts_node_cost(&ring, &ring.node[n], &map));
    return sum;
}

ts_cost ts_plan_cost(const ts_plan *plan, const ts_imodel *im, const ts_device *device)
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    return ts_plan_cost_at(plan, im, &w, device);
}

int ts_plan_stage_costs(const ts_plan *plan, const ts_imodel *im, const ts_device *device, ts_stage_cost list[TS_STAGE_COST_MAX])
{
    const ts_ring_widths w = ts_ring_widths_of(im);
    const ts_mapping map = ts_mapping_of(device);
    ts_ring ring;
    ts_ring_build(im, plan, &w, &ring);
    int count = 0;
    for (int n = 0; n < ring.nodes; n++) {
        const ts_ring_node *node = &ring.node[n];
        int at = 0;
        if (!ts_module_of(node->module)->cost)
            continue;
        while (at < count && strcmp(list[at].stage, node->stage) != 0)
            at++;
        if (at == count)
            list[count++] = (ts_stage_cost){.stage = node->stage};
        ts_cost_add(&list[at].cost, 1, ts_node_cost(&ring, node, &map));
    }
    return count;
}

ts_cost ts_plan_pager_cost(const ts_plan *plan, const ts_imodel *im)
{
    const ts_ring ring = {.im = im, .plan = plan};
    if (!ts_plan_is_paged(plan))
        return (ts_cost){.yosys = {.lut = 0}};
    ts_cost sum = ts_module_of(TS_MODULE_PAGER)->cost(&ring, NULL, &(ts_mapping){0});
    int stages = 0;
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        stages += plan->lin[ts_paged_stage[i]].buffers > 0;
    if (plan->parity == TS_PARITY_PAGES)
        ts_cost_add(&sum, 1, ts_cost_parity_watch(&(ts_mapping){0}, stages, ts_page_event_bits(plan)));
    return sum;
}
