/* tessera devices */
#include <jansson.h>
#include <stdio.h>

#include "base/json.h"
#include "cli/verbs.h"
#include "ring/device.h"

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

static void print_json(const ts_device *const *list, int count)
{
    json_t *all = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(all, device_json(list[i]));
    ts_json_print(stdout, all, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(all);
}

static void print_table(const ts_device *const *list, int count)
{
    printf("%-14s %9s %9s %8s %6s %7s %6s %5s %5s %7s %7s %6s  %s\n", "name", "LUT", "FF", "LUT RAM", "DSP", "BRAM36", "URAM", "dies",
           "MHz", "GB/s", "Gbit/s", "links", "what it is");
    for (int i = 0; i < count; i++) {
        const ts_device *d = list[i];
        char links[16] = "-";
        if (d->links)
            snprintf(links, sizeof links, "%d", d->links);
        printf("%-14s %9.0f %9.0f %8.0f %6.0f %7g %6.0f %5d %5.0f %7g %7g %6s  %s\n", d->name, d->whole.lut, d->whole.ff, d->lutram,
               d->whole.dsp, d->whole.bram36, d->whole.uram, d->slr, d->clock_mhz, d->memory_gbytes_per_s, d->link_mbits / 1000, links,
               d->title);
    }
    printf("Whole devices; plans leave a card's shell its part (--json says how much). GB/s: external memory. Gbit/s: a link to a "
           "neighbour, 0 where the file\n"
           "names none (then --link, or 10 Gbit/s); links: such ports of the board. Others: --device FILE.json, see docs/devices.md\n");
}

int ts_verb_devices(const ts_verb *verb, int argc, char **argv)
{
    bool json = false;
    const ts_arg table[] = {{"json", TS_ARG_FLAG, NULL, "all that is known of each, as JSON", &json, 0, 0, false},
                            {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false}};
    ts_err err = {""};
    const ts_args_result parsed = ts_args_parse(verb, table, argc, argv, NULL, &err);
    if (parsed != TS_ARGS_OK)
        return parsed == TS_ARGS_HELP ? 0 : ts_cli_usage(verb, &err);
    ts_arena *arena = ts_arena_new();
    int count;
    const ts_device *const *list = ts_device_list(arena, &count);
    (json ? print_json : print_table)(list, count);
    ts_arena_free(arena);
    return 0;
}
