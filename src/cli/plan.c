/* tessera plan */
#include "cli/library.h"
#include "cli/verbs.h"

/* The rings, and before several of them what is between. */
static tessera_code print_rings(const tessera_design *design, tessera_error *error)
{
    tessera_design_info info = TESSERA_INIT(tessera_design_info);
    tessera_report *report;
    tessera_design_describe(design, &info);
    for (int part = info.parts > 1 ? -1 : 0; part < info.parts; part++) {
        if (tessera_design_ring(design, part, &report, error) != TESSERA_OK)
            return error->code;
        ts_cli_print(report, false);
    }
    return TESSERA_OK;
}

int ts_verb_plan(const ts_verb *verb, int argc, char **argv)
{
    const char *dir = NULL;
    int tokens = 0;
    bool as_json = false, ring = false;
    const ts_arg table[] = {
        {"tokens", TS_ARG_INT, "N", "hits of the event (those it was planned for)", &tokens, 1, 65536, false},
        {"json", TS_ARG_FLAG, NULL, "print JSON", &as_json, 0, 0, false},
        {"ring", TS_ARG_FLAG, NULL, "print what the hardware is made of, one line a node, and stop", &ring, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &dir, &status))
        return status;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_design *design;
    tessera_report *report = NULL;
    tessera_error error;
    if (tessera_design_open(dir, &design, &error) == TESSERA_OK && ring)
        print_rings(design, &error);
    else if (design)
        tessera_design_report(design, tokens, &callbacks, &report, &error);
    ts_cli_print(report, as_json);
    tessera_design_free(design);
    return ts_cli_done(verb, &error);
}
