#include "cli/deploy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/assisted.h"
#include "design/outdir.h"
#include "design/predicted.h"
#include "emit/system.h"
#include "ring/plan_cost.h"

enum { MAX_DEVICES = 16, MAX_MODE_TEXT = 200 };

/* Items of a comma-separated list, at most `most`. */
static int split_list(ts_arena *arena, const char *list, const char **item, int most)
{
    char *text = ts_strdup(arena, list), *rest = NULL;
    int count = 0;
    for (char *p = strtok_r(text, ",", &rest); p && count < most; p = strtok_r(NULL, ",", &rest))
        item[count++] = p;
    return count;
}

bool ts_deploy_devices(ts_arena *arena, const char *list, ts_deployment *d, ts_err *err)
{
    const char *name[MAX_DEVICES + 1];
    const int count = split_list(arena, list, name, MAX_DEVICES + 1);
    if (count < 1 || count > MAX_DEVICES)
        return ts_fail_as(err, TS_USAGE, "--device %s: a list of 1 to %d devices, separated by commas", list, MAX_DEVICES);
    *d = (ts_deployment){.devices = count, .device = TS_NEW_N(arena, const ts_device *, count)};
    for (int i = 0; i < count; i++)
        if (!(d->device[i] = ts_device_find(arena, name[i], err)))
            return false;
    return true;
}

bool ts_deploy_is_assisted(const ts_deploy_options *o)
{
    return o->mode && strcmp(o->mode, ts_mode_name(TS_MODE_ASSISTED)) == 0;
}

static bool parse_mode(const char *text, ts_partition_options *wish, ts_err *err)
{
    static const ts_mode planned[] = {TS_MODE_MONOLITHIC, TS_MODE_REPLICATED, TS_MODE_PAGED, TS_MODE_SPLIT};
    wish->any_mode = !text || strcmp(text, "auto") == 0 || strcmp(text, ts_mode_name(TS_MODE_ASSISTED)) == 0;
    if (wish->any_mode)
        return true;
    char known[MAX_MODE_TEXT] = "auto";
    for (size_t m = 0; m < sizeof planned / sizeof *planned; m++) {
        wish->mode = planned[m];
        if (strcmp(text, ts_mode_name(planned[m])) == 0)
            return true;
        strcat(strcat(known, ", "), ts_mode_name(planned[m]));
    }
    return ts_fail_as(err, TS_USAGE, "--mode %s: choose one of %s, %s", text, known, ts_mode_name(TS_MODE_ASSISTED));
}

static bool parse_objective(const char *text, ts_partition_options *wish, ts_err *err)
{
    for (int o = TS_OBJECTIVE_LATENCY; o <= TS_OBJECTIVE_AREA; o++)
        if (!text || strcmp(text, ts_objective_name((ts_objective)o)) == 0) {
            wish->objective = (ts_objective)o;
            return true;
        }
    return ts_fail_as(err, TS_USAGE, "--objective %s: choose latency, throughput or area", text);
}

bool ts_deploy_way(const char *text, double *bandwidth, double *ns)
{
    char *end = NULL;
    *bandwidth = strtod(text, &end);
    bool read = end != text;
    if (read && *end == ':') {
        const char *behind = end + 1;
        *ns = strtod(behind, &end);
        read = end != behind;
    }
    return read && !*end && *ns >= 0 && *ns <= 1e9;
}

/* Not given: that of the devices. */
static bool parse_link(const char *text, ts_partition_options *wish, ts_err *err)
{
    double mbits, ns = TS_LINK_NS;
    if (!text)
        return true;
    if (!ts_deploy_way(text, &mbits, &ns) || !(mbits >= 1) || mbits > 1e7)
        return ts_fail_as(err, TS_USAGE, "--link %s: give MBITS[:NANOSECONDS], bandwidth and latency, such as 10000:500", text);
    wish->link_mbits = mbits;
    wish->link_ns = ns;
    return true;
}

static bool parse_memory(const char *text, const ts_device *device, ts_ext_memory *memory, ts_err *err)
{
    *memory = (ts_ext_memory){0, ts_ext_memory_of(device).ns};
    if (text && (!ts_deploy_way(text, &memory->gbytes_per_s, &memory->ns) || !(memory->gbytes_per_s >= 0.001) ||
                 memory->gbytes_per_s > 1e4 || memory->ns > 1e5))
        return ts_fail_as(err, TS_USAGE,
                          "--memory %s: give GBYTES[:NANOSECONDS], bandwidth (GB/s) and latency of external memory, such as 12.8:300",
                          text);
    return true;
}

bool ts_deploy_plan(ts_arena *arena, const ts_deploy_options *o, const ts_plan_options *ring, const ts_imodel *im, ts_deployment *d,
                    ts_err *err)
{
    ts_partition_options wish = {.plan = *ring, .devices = d->devices, .device = d->device};
    ts_pin *pin = TS_NEW_N(arena, ts_pin, TS_PIN_MAX);
    if (!parse_mode(o->mode, &wish, err) || !parse_objective(o->objective, &wish, err) || !parse_link(o->link, &wish, err) ||
        !parse_memory(o->memory, d->device[0], &wish.plan.memory, err))
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

static const char *device_file(ts_arena *arena, const char *dir, const char *name)
{
    return ts_printf(arena, "%s/devices/%s.json", dir, name);
}

/* Devices that the program does not know travel with the design, and with each of its parts. */
static bool write_devices(ts_arena *arena, const ts_deployment *d, const char *dir, ts_err *err)
{
    for (int i = 0; i < d->partition.parts; i++) {
        const ts_device *device = d->device[d->partition.part[i].device];
        const char *const to[] = {dir, ts_printf(arena, "%s/part%d", dir, i)};
        for (int t = 0; device->text && t < (d->partition.parts > 1 ? 2 : 1); t++)
            if (!ts_outdir_make(to[t], err) || !ts_outdir_make(ts_printf(arena, "%s/devices", to[t]), err) ||
                !ts_file_write(device_file(arena, to[t], device->name), device->text, strlen(device->text), err))
                return false;
    }
    return true;
}

const ts_device *ts_design_device(ts_arena *arena, const char *dir, const char *name, ts_err *err)
{
    const char *file = device_file(arena, dir, name);
    return ts_device_find(arena, access(file, F_OK) == 0 ? file : name, err);
}

bool ts_deploy_emit(const ts_deployment *d, const ts_imodel *im, int events, const int *n, const int32_t *const *x, json_t *extra,
                    const char *dir, ts_err *err)
{
    const ts_partition *p = &d->partition;
    ts_arena *arena = ts_arena_new();
    bool ok = write_devices(arena, d, dir, err);
    ts_arena_free(arena);
    if (ok && p->parts == 1)
        ok = ts_emit_into(&(ts_emit_options){.im = im, .plan = p->part[0].planned.plan, .events = events, .n = n, .x = x, .extra = extra},
                          dir, err);
    else if (ok)
        ok = ts_emit_system_into(
            &(ts_system_options){.im = im, .partition = p, .device = d->device, .events = events, .n = n, .x = x, .extra = extra}, dir,
            err);
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
    const json_t *entries = json_object_get(design->manifest, "parts");
    for (int i = 0; i < design->parts; i++) {
        const ts_design_part *part = &design->part[i];
        const ts_device *device = ts_design_device(arena, part->dir, part->device, err);
        if (!device) {
            json_decref(parts);
            json_decref(json);
            return NULL;
        }
        const ts_prediction p = ts_predict(part->plan, part->im, n);
        const ts_cost cost = ts_plan_cost(part->plan, part->im, device);
        const json_t *cuts = json_object_get(json_array_get(entries, (size_t)i), "cuts");
        const ts_slice slice = {.first = (int)json_integer_value(json_array_get(cuts, 0)),
                                .end = (int)json_integer_value(json_array_get(cuts, 1))};
        if (design->parts == 1) {
            json_object_set_new(json, "predicted", ts_predicted_json(&p, &cost));
            json_object_set_new(json, "device_has", ts_resources_json(&device->has));
        } else {
            json_array_append_new(parts, part_json(device->name, slice, &p, &cost, device));
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
