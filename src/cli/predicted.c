#include "cli/predicted.h"

#include <math.h>

json_t *ts_resources_json(const ts_resources *r)
{
    json_t *json = json_object();
#define X(name, title) json_object_set_new(json, #name, json_real(round(2 * r->name) / 2));
    TS_RESOURCES(X)
#undef X
    return json;
}

json_t *ts_predicted_json(const ts_prediction *p, const ts_cost *cost)
{
    return json_pack("{s:i, s:I, s:I, s:I, s:i, s:f, s:{s:o, s:o}}", "tokens", p->tokens, "latency_cycles", (json_int_t)p->latency_cycles,
                     "total_cycles", (json_int_t)p->total_cycles, "interval_cycles", (json_int_t)p->interval_cycles, "mac_units", p->mac_units,
                     "mac_utilisation", p->mac_utilisation, "resources", "yosys", ts_resources_json(&cost->yosys), "device",
                     ts_resources_json(&cost->device));
}
