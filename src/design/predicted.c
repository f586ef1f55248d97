#include "design/predicted.h"

#include <math.h>

json_t *ts_resources_json(const ts_resources *r)
{
    json_t *json = json_object();
#define X(name, title) json_object_set_new(json, #name, json_real(round(2 * r->name) / 2));
    TS_RESOURCES(X)
#undef X
    return json;
}

/* NULL where nothing is paged. */
static json_t *paging_json(const ts_prediction *p)
{
    json_t *stalls = json_object();
    for (int s = 0; s < TS_PAGED_STAGES; s++)
        if (p->paged[s])
            json_object_set_new(stalls, ts_lin_name(ts_paged_stage[s]), json_integer((json_int_t)p->stall_cycles[s]));
    if (json_object_size(stalls) == 0) {
        json_decref(stalls);
        return NULL;
    }
    return json_pack("{s:I, s:o}", "first_latency_cycles", (json_int_t)p->first_latency_cycles, "stall_cycles", stalls);
}

json_t *ts_predicted_json(const ts_prediction *p, const ts_cost *cost)
{
    return json_pack("{s:i, s:I, s:I, s:I, s:i, s:f, s:{s:o, s:o}, s:o*}", "tokens", p->tokens, "latency_cycles",
                     (json_int_t)p->latency_cycles, "total_cycles", (json_int_t)p->total_cycles, "interval_cycles",
                     (json_int_t)p->interval_cycles, "mac_units", p->mac_units, "mac_utilisation", p->mac_utilisation, "resources", "yosys",
                     ts_resources_json(&cost->yosys), "device", ts_resources_json(&cost->device), "paging", paging_json(p));
}
