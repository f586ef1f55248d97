#include "flow/deploy.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "design/design.h"
#include "design/outdir.h"
#include "design/predicted.h"
#include "flow/host_share.h"
#include "ring/plan_cost.h"

/* Items of a comma-separated list, at most `most`. */
static int split_list(ts_arena *arena, const char *list, const char **item, int most)
{
    char *text = ts_strdup(arena, list), *rest = NULL;
    int count = 0;
    for (char *p = strtok_r(text, ",", &rest); p && count < most; p = strtok_r(NULL, ",", &rest))
        item[count++] = p;
    return count;
}

bool ts_deploy_devices(ts_arena *arena, const ts_deploy_options *o, ts_deployment *d, ts_err *err)
{
    if (o->devices < 1 || o->devices > TS_DEVICES_MAX)
        return ts_fail_as(err, TS_USAGE, "%s: a list of 1 to %d devices; here are %d", ts_option("device"), TS_DEVICES_MAX, o->devices);
    *d = (ts_deployment){.devices = o->devices, .device = TS_NEW_N(arena, const ts_device *, o->devices)};
    for (int i = 0; i < o->devices; i++)
        if (!(d->device[i] = ts_device_find(arena, o->device[i], err)))
            return false;
    return true;
}

const char *ts_deploy_names(ts_arena *arena, const ts_deployment *d)
{
    const char *names = d->device[0]->name;
    for (int i = 1; i < d->devices; i++)
        names = ts_printf(arena, "%s,%s", names, d->device[i]->name);
    return names;
}

bool ts_way_check(const char *member, const ts_way *way, ts_way_limits most, ts_err *err)
{
    return (way->bandwidth >= most.least && way->bandwidth <= most.most && way->ns <= most.ns) ||
           ts_fail_as(err, TS_USAGE, "%s: a bandwidth of %g and a latency of %g ns; there are %g to %g, and up to %g ns", ts_option(member),
                      way->bandwidth, way->ns, most.least, most.most, most.ns);
}

bool ts_deploy_plan(ts_arena *arena, const ts_deploy_options *o, const ts_plan_options *ring, const ts_imodel *im, ts_deployment *d,
                    ts_err *err)
{
    ts_partition_options wish = {.plan = *ring,
                                 .devices = d->devices,
                                 .device = d->device,
                                 .any_mode = o->any_mode || o->mode == TS_MODE_ASSISTED,
                                 .mode = o->mode,
                                 .objective = o->objective};
    ts_pin *pin = TS_NEW_N(arena, ts_pin, TS_PIN_MAX);
    wish.plan.memory = (ts_ext_memory){0, ts_ext_memory_of(d->device[0]).ns};
    if (o->link) {
        wish.link_mbits = o->link->bandwidth;
        wish.link_ns = o->link->ns < 0 ? TS_LINK_NS : o->link->ns;
    }
    if (o->memory)
        wish.plan.memory = (ts_ext_memory){o->memory->bandwidth, o->memory->ns < 0 ? wish.plan.memory.ns : o->memory->ns};
    if ((o->link && !ts_way_check("link", o->link, TS_LINK_WAY, err)) ||
        (o->memory && !ts_way_check("memory", o->memory, TS_MEMORY_WAY, err)))
        return false;
    const char *text[TS_PIN_MAX];
    const int pins = o->pin ? split_list(arena, o->pin, text, TS_PIN_MAX) : 0;
    for (int p = 0; p < pins; p++)
        if (!ts_pin_parse(text[p], im, d->device, d->devices, pin, &wish.pins, err))
            return false;
    wish.pin = pin;
    d->utilisation = ring->utilisation;
    return ts_partition_search(arena, im, &wish, &d->partition, err);
}

bool ts_deploy_emit(const ts_deployment *d, const ts_imodel *im, int events, const int *n, const int32_t *const *x, json_t *extra,
                    const char *dir, ts_err *err)
{
    ts_arena *arena = ts_arena_new();
    ts_system system;
    const ts_design_options opt = {.system = &system, .device = d->device, .events = {events, n, x}, .extra = extra};
    const bool ok = ts_system_of_partition(arena, im, &d->partition, d->device, &system, err) && ts_design_write_into(&opt, dir, err);
    ts_arena_free(arena);
    return ok;
}

/* ---- Reports */

static json_t *chain_json(const ts_chain_prediction *p)
{
    return json_pack("{s:i, s:I, s:I, s:I, s:i, s:f}", "tokens", p->tokens, "latency_cycles", (json_int_t)p->latency_cycles, "total_cycles",
                     (json_int_t)p->total_cycles, "interval_cycles", (json_int_t)p->interval_cycles, "mac_units", p->mac_units,
                     "mac_utilisation", p->mac_utilisation);
}

static json_t *part_json(const char *device, ts_slice slice, const ts_prediction *p, const ts_cost *cost, const ts_device *has)
{
    return json_pack("{s:s, s:[i, i], s:o, s:o}", "device", device, "cuts", slice.first, slice.end, "predicted", ts_predicted_json(p, cost),
                     "device_has", ts_resources_json(&has->has));
}

static json_t *alternatives_json(const ts_partition *p)
{
    json_t *list = json_array();
    for (int i = 0; i < p->alternatives; i++) {
        const ts_alternative *a = &p->alternative[i];
        json_t *entry = json_pack("{s:s, s:i, s:b, s:b, s:s}", "mode", ts_mode_name(a->mode), "parts", a->parts, "fits", a->fits, "chosen",
                                  a->chosen, "why", a->why);
        if (a->fits) {
            json_object_set_new(entry, "clock_mhz", json_real(a->clock_mhz));
            json_object_set_new(entry, "latency_cycles", json_integer((json_int_t)a->latency_cycles));
            json_object_set_new(entry, "interval_cycles", json_integer((json_int_t)a->interval_cycles));
        }
        json_array_append_new(list, entry);
    }
    return list;
}

json_t *ts_deploy_json(const ts_deployment *d)
{
    const ts_partition *p = &d->partition;
    const ts_plan *plan = p->part[0].planned.plan;
    json_t *json = json_pack("{s:f, s:s, s:i, s:i, s:s}", "clock_mhz", plan->clock_mhz, "mode", ts_mode_name(p->mode), "max_tokens",
                             plan->n_max, "plan_tokens", plan->plan_tokens, "why", p->why);
    json_object_set_new(json, "utilisation", json_real(d->utilisation));
    if (p->parts == 1) {
        const ts_device *device = d->device[p->part[0].device];
        json_object_set_new(json, "device", json_string(device->name));
        json_object_set_new(json, "device_has", ts_resources_json(&device->has));
        json_object_set_new(json, "predicted", ts_predicted_json(&p->part[0].planned.prediction, &p->part[0].planned.cost));
    } else {
        json_t *parts = json_array();
        char names[1024] = "";
        for (int i = 0; i < p->parts; i++) {
            const ts_part *part = &p->part[i];
            const ts_device *device = d->device[part->device];
            const size_t used = strlen(names);
            if (i == 0 || part->device != p->part[i - 1].device)
                snprintf(names + used, sizeof names - used, "%s%s", i ? "," : "", device->name);
            json_array_append_new(parts, part_json(device->name, part->slice, &part->planned.prediction, &part->planned.cost, device));
        }
        json_object_set_new(json, "device", json_string(names));
        json_object_set_new(json, "predicted", chain_json(&p->prediction));
        json_object_set_new(json, "parts", parts);
    }
    if (p->alternatives > 1)
        json_object_set_new(json, "alternatives", alternatives_json(p));
    CHECK(json);
    return json;
}

json_t *ts_deploy_part_json(const ts_deployment *d, int i)
{
    const ts_part *part = &d->partition.part[i];
    const ts_plan *plan = part->planned.plan;
    json_t *json =
        part_json(d->device[part->device]->name, part->slice, &part->planned.prediction, &part->planned.cost, d->device[part->device]);
    json_t *more = json_pack("{s:s, s:f, s:s, s:i, s:i, s:s}", "model", part->im->name, "clock_mhz", plan->clock_mhz, "mode",
                             ts_mode_name(ts_plan_is_paged(plan) ? TS_MODE_PAGED : TS_MODE_MONOLITHIC), "max_tokens", plan->n_max,
                             "plan_tokens", plan->plan_tokens, "why", part->planned.why);
    CHECK(more && json_object_update(json, more) == 0);
    json_decref(more);
    return json;
}

json_t *ts_design_json(ts_arena *arena, const ts_design *design, int n, ts_err *err)
{
    json_t *json = json_object(), *parts = json_array();
    const char *names = "";
    for (int i = 0; i < design->parts; i++) {
        const ts_system_ring *part = &design->part[i];
        const ts_device *device = ts_design_device(arena, part->dir, part->device, err);
        if (!device) {
            json_decref(parts);
            json_decref(json);
            return NULL;
        }
        const ts_prediction p = ts_predict(part->plan, part->im, n);
        const ts_cost cost = ts_plan_cost(part->plan, part->im, device);
        if (design->parts == 1) {
            json_object_set_new(json, "predicted", ts_predicted_json(&p, &cost));
            json_object_set_new(json, "device_has", ts_resources_json(&device->has));
        } else {
            json_array_append_new(parts, part_json(device->name, part->slice, &p, &cost, device));
        }
        names = ts_printf(arena, "%s%s%s", names, i ? "," : "", device->name);
    }
    json_object_set_new(json, "device", json_string(names));
    json_object_set_new(json, "mode", json_string(ts_mode_name(design->mode)));
    if (design->parts > 1) {
        const ts_chain_prediction chain = ts_design_predict(arena, design, n);
        json_object_set_new(json, "predicted", chain_json(&chain));
        json_object_set(json, "parts", parts);
    }
    json_decref(parts);
    if (ts_assist_is(design)) {
        json_t *host = json_copy(json_object_get(design->manifest, "host"));
        const ts_host_bus bus = ts_assist_bus(design);
        json_object_set_new(host, "predicted", ts_assist_predicted_json(&bus, ts_design_rings(arena, design), design->parts, n));
        json_object_set_new(json, "host", host);
    }
    return json;
}
