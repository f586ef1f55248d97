#include "ring/device.h"

#include "api/call.h"
#include "base/json.h"
#include "base/text.h"

static json_t *resources(const ts_resources *r)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "lut", r->lut, "ff", r->ff, "lutram", r->lutram, "dsp", r->dsp, "bram36", r->bram36,
                     "uram", r->uram);
}

/* What the program knows of a device, in its own units; what the file does not say is null. */
static json_t *device_json(const ts_device *d)
{
    json_t *dies = json_array();
    for (int i = 0; i < d->slr; i++)
        json_array_append_new(dies, resources(&d->die[i]));
    json_t *shell = d->shell ? json_pack("{s:s, s:o}", "what", d->shell, "leaves", resources(&d->has)) : json_null();
    json_t *link = d->link_mbits > 0 ? json_pack("{s:f, s:f, s:o}", "mbits", d->link_mbits, "ns", d->link_ns, "count",
                                                 d->links ? json_integer(d->links) : json_null())
                                     : json_null();
    json_t *host = d->host ? json_pack("{s:f, s:f, s:s}", "mbits", d->host_mbits, "ns", d->host_ns, "what", d->host) : json_null();
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:{s:s, s:i, s:i, s:o}, s:{s:s, s:i}, s:f, s:f, s:o, s:o, s:o, s:s}", "name",
                     d->name, "title", d->title, "part", d->part, "yosys_family", d->yosys_family, "whole", resources(&d->whole), "shell",
                     shell, "dies", dies, "dsp", "kind", d->dsp_kind, "a_bits", d->dsp_a, "b_bits", d->dsp_b, "mhz",
                     d->dsp_mhz > 0 ? json_real(d->dsp_mhz) : json_null(), "bram", "kind", d->bram_kind, "kbit", d->bram_kbit, "clock_mhz",
                     d->clock_mhz, "memory_gbytes_per_s", d->memory_gbytes_per_s, "memory_latency_ns",
                     d->memory_ns > 0 ? json_real(d->memory_ns) : json_null(), "link", link, "host", host, "source", d->source);
}

static void print_table(FILE *out, const ts_device *const *list, int count)
{
    fprintf(out, "%-14s %9s %9s %8s %6s %7s %6s %5s %5s %7s %7s %6s  %s\n", "name", "LUT", "FF", "LUT RAM", "DSP", "BRAM36", "URAM", "dies",
            "MHz", "GB/s", "Gbit/s", "links", "what it is");
    for (int i = 0; i < count; i++) {
        const ts_device *d = list[i];
        char links[16] = "-";
        if (d->links)
            snprintf(links, sizeof links, "%d", d->links);
        fprintf(out, "%-14s %9.0f %9.0f %8.0f %6.0f %7g %6.0f %5d %5.0f %7g %7g %6s  %s\n", d->name, d->whole.lut, d->whole.ff, d->lutram,
                d->whole.dsp, d->whole.bram36, d->whole.uram, d->slr, d->clock_mhz, d->memory_gbytes_per_s, d->link_mbits / 1000, links,
                d->title);
    }
}

static bool list(void *user, const ts_notices *notices, ts_err *err)
{
    tessera_report **report = user;
    ts_arena *arena = ts_arena_new();
    int count;
    const ts_device *const *all = ts_device_list(arena, &count);
    json_t *json = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(json, device_json(all[i]));
    ts_text text;
    print_table(ts_text_open(&text), all, count);
    *report = ts_report_new(ts_text_close(&text, arena), ts_json_text(arena, json, JSON_INDENT(2) | JSON_REAL_PRECISION(12)));
    json_decref(json);
    ts_arena_free(arena);
    return true;
}

tessera_code tessera_devices(tessera_report **report, tessera_error *error)
{
    *report = NULL;
    return ts_call(NULL, error, list, report);
}
