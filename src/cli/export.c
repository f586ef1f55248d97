/* tessera export */
#include <string.h>

#include "cli/library.h"
#include "cli/verbs.h"

int ts_verb_export(const ts_verb *verb, int argc, char **argv)
{
    tessera_export_options o = TESSERA_INIT(tessera_export_options);
    const char *target = NULL, *wrapper = NULL;
    const ts_arg table[] = {
        {"target", TS_ARG_TEXT, "T", "what is made: c (c)", &target, 0, 0, false},
        {"name", TS_ARG_TEXT, "NAME", "of files, functions and types, an identifier (the model's)", &o.name, 0, 0, false},
        {"wrapper", TS_ARG_TEXT, "W", "none, or cms: NAME_emulator.cpp, a class that CMS's trigger emulation loads (none)", &wrapper, 0, 0,
         false},
        {"o", TS_ARG_TEXT, "OUT", "directory to write into", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.directory, &status))
        return status;
    if (target && strcmp(target, "c") != 0)
        return ts_cli_wrong(verb, "--target %s: choose c", target);
    if (wrapper && strcmp(wrapper, "cms") == 0)
        o.wrapper = TESSERA_WRAPPER_CMS;
    else if (wrapper && strcmp(wrapper, "none") != 0)
        return ts_cli_wrong(verb, "--wrapper %s: choose none or cms", wrapper);
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_export(&o, &callbacks, &report, &error);
    ts_cli_print(report, false);
    return ts_cli_done(verb, &error);
}
