/* tessera devices */
#include <stdio.h>

#include "cli/verbs.h"
#include "plan/device.h"

int ts_verb_devices(const ts_verb *verb, int argc, char **argv)
{
    const ts_arg table[] = {{NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false}};
    ts_err err = {""};
    const ts_args_result parsed = ts_args_parse(verb, table, argc, argv, NULL, &err);
    if (parsed != TS_ARGS_OK)
        return parsed == TS_ARGS_HELP ? 0 : ts_cli_usage(verb, &err);
    ts_arena *arena = ts_arena_new();
    int count;
    const ts_device *const *list = ts_device_list(arena, &count);
    printf("%-14s %9s %9s %8s %6s %7s %6s %5s %5s %7s %7s  %s\n", "name", "LUT", "FF", "LUT RAM", "DSP", "BRAM36", "URAM", "dies", "MHz", "GB/s",
           "Gbit/s", "what it is");
    for (int i = 0; i < count; i++) {
        const ts_device *d = list[i];
        printf("%-14s %9.0f %9.0f %8.0f %6.0f %7g %6.0f %5d %5.0f %7g %7g  %s\n", d->name, d->has.lut, d->has.ff, d->lutram, d->has.dsp, d->has.bram36,
               d->has.uram, d->slr, d->clock_mhz, d->memory_gbytes_per_s, d->link_mbits / 1000, d->title);
    }
    printf("GB/s: external memory; Gbit/s: a link to a neighbour, 0 where the file names none (then --link, or 10 Gbit/s). docs/devices.md\n");
    ts_arena_free(arena);
    return 0;
}
