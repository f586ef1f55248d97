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

json_t *ts_predicted_part(const ts_system *s, int i, const ts_device *device, int n)
{
    const ts_system_ring *ring = &s->ring[i];
    const ts_prediction p = ts_predict(ring->plan, ring->im, n);
    const ts_cost cost = ts_system_cost(s, i, device);
    return json_pack("{s:s, s:[i, i], s:o, s:o}", "device", device->name, "cuts", ring->slice.first, ring->slice.end, "predicted",
                     ts_predicted_json(&p, &cost), "device_has", ts_resources_json(&device->has));
}

json_t *ts_predicted_system(ts_arena *arena, const ts_system *s, const ts_device *const *device, int n)
{
    json_t *parts = json_array();
    const char *names = device[0]->name;
    for (int i = 0; i < s->rings; i++) {
        json_array_append_new(parts, ts_predicted_part(s, i, device[i], n));
        if (i && s->ring[i].device_number != s->ring[i - 1].device_number)
            names = ts_printf(arena, "%s,%s", names, device[i]->name);
    }
    json_t *json = json_pack("{s:s, s:s}", "mode", ts_mode_name(s->mode), "device", names);
    if (s->rings == 1) {
        CHECK(json_object_update_missing(json, json_array_get(parts, 0)) == 0);
        CHECK(json_object_del(json, "cuts") == 0);
        json_decref(parts);
        return json;
    }
    const ts_chain_prediction p = ts_chain_predict(ts_system_chain(arena, s), s->rings, n);
    json_object_set_new(json, "predicted",
                        json_pack("{s:i, s:I, s:I, s:I, s:i, s:f}", "tokens", p.tokens, "latency_cycles", (json_int_t)p.latency_cycles,
                                  "total_cycles", (json_int_t)p.total_cycles, "interval_cycles", (json_int_t)p.interval_cycles, "mac_units",
                                  p.mac_units, "mac_utilisation", p.mac_utilisation));
    json_object_set_new(json, "parts", parts);
    return json;
}
