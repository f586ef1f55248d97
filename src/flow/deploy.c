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
    return ts_partition_search(arena, im, &wish, &d->partition, err) &&
           ts_system_of_partition(arena, im, &d->partition, d->device, &d->system, err);
}

bool ts_deploy_emit(const ts_deployment *d, int events, const int *n, const int32_t *const *x, json_t *extra, const char *dir, ts_err *err)
{
    return ts_design_write_into(&(ts_design_options){.system = &d->system, .device = d->device, .events = {events, n, x}, .extra = extra},
                                dir, err);
}

/* ---- Reports */

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

json_t *ts_deploy_json(ts_arena *arena, const ts_deployment *d)
{
    const ts_partition *p = &d->partition;
    const ts_plan *plan = p->part[0].planned.plan;
    const ts_device **device = TS_NEW_N(arena, const ts_device *, p->parts);
    for (int i = 0; i < p->parts; i++)
        device[i] = d->device[p->part[i].device];
    json_t *json = ts_predicted_system(arena, &d->system, device, plan->plan_tokens);
    json_t *more = json_pack("{s:f, s:i, s:i, s:s, s:f}", "clock_mhz", plan->clock_mhz, "max_tokens", plan->n_max, "plan_tokens",
                             plan->plan_tokens, "why", p->why, "utilisation", d->utilisation);
    CHECK(more && json_object_update(json, more) == 0);
    json_decref(more);
    if (p->alternatives > 1)
        json_object_set_new(json, "alternatives", alternatives_json(p));
    return json;
}

json_t *ts_deploy_part_json(const ts_deployment *d, int i)
{
    const ts_part *part = &d->partition.part[i];
    const ts_plan *plan = part->planned.plan;
    json_t *json = ts_predicted_part(&d->system, i, d->device[part->device], plan->plan_tokens);
    json_t *more = json_pack("{s:s, s:f, s:s, s:i, s:i, s:s}", "model", part->im->name, "clock_mhz", plan->clock_mhz, "mode",
                             ts_mode_name(ts_plan_is_paged(plan) ? TS_MODE_PAGED : TS_MODE_MONOLITHIC), "max_tokens", plan->n_max,
                             "plan_tokens", plan->plan_tokens, "why", part->planned.why);
    CHECK(more && json_object_update(json, more) == 0);
    json_decref(more);
    return json;
}

json_t *ts_design_json(ts_arena *arena, const ts_design *design, int n, ts_err *err)
{
    const ts_device **device = TS_NEW_N(arena, const ts_device *, design->parts);
    for (int i = 0; i < design->parts; i++)
        if (!(device[i] = ts_design_device(arena, design->part[i].dir, design->part[i].device, err)))
            return NULL;
    json_t *json = ts_predicted_system(arena, &design->system, device, n);
    if (ts_assist_is(design)) {
        json_t *host = json_copy(json_object_get(design->manifest, "host"));
        const ts_host_bus bus = ts_assist_bus(design);
        json_object_set_new(host, "predicted", ts_assist_predicted_json(&bus, ts_system_chain(arena, &design->system), design->parts, n));
        json_object_set_new(json, "host", host);
    }
    return json;
}
