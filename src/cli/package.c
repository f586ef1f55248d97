/* tessera package */
#include <string.h>

#include "cli/library.h"
#include "cli/verbs.h"

static bool target_of(const char *name, tessera_target *target)
{
    static const char *const names[] = {[TESSERA_TARGET_RTL] = "rtl",
                                        [TESSERA_TARGET_YOSYS] = "yosys",
                                        [TESSERA_TARGET_FUSESOC] = "fusesoc",
                                        [TESSERA_TARGET_VIVADO] = "vivado"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!name || strcmp(name, names[i]) == 0) {
            *target = (tessera_target)i;
            return true;
        }
    return false;
}

int ts_verb_package(const ts_verb *verb, int argc, char **argv)
{
    tessera_package_options o = TESSERA_INIT(tessera_package_options);
    const char *target = NULL;
    const ts_arg table[] = {
        {"target", TS_ARG_TEXT, "T", "rtl, yosys (Makefile), fusesoc (.core file) or vivado (scripts) (rtl)", &target, 0, 0, false},
        {"bus-bits", TS_ARG_INT, "N", "width of the streams of hits and results: 32, 64, ... 512 (a hit and a result a cycle)", &o.bus_bits,
         32, 512, false},
        {"bus-clock", TS_ARG_NUMBER, "MHZ", "clock of the buses (the engine's)", &o.bus_mhz, 1, 2000, false},
        {"o", TS_ARG_TEXT, "OUT", "where to write", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.directory, &status))
        return status;
    if (!target_of(target, &o.target))
        return ts_cli_wrong(verb, "--target %s: choose rtl, yosys, fusesoc or vivado", target);
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_package(&o, &callbacks, &report, &error);
    ts_cli_print(report, false);
    return ts_cli_done(verb, &error);
}
