/* tessera plan */
#include "cli/library.h"
#include "cli/verbs.h"

int ts_verb_plan(const ts_verb *verb, int argc, char **argv)
{
    const char *dir = NULL;
    int tokens = 0;
    bool as_json = false;
    const ts_arg table[] = {
        {"tokens", TS_ARG_INT, "N", "hits of the event (those it was planned for)", &tokens, 1, 65536, false},
        {"json", TS_ARG_FLAG, NULL, "print JSON", &as_json, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &dir, &status))
        return status;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_design *design;
    tessera_report *report = NULL;
    tessera_error error;
    if (tessera_design_open(dir, &design, &error) == TESSERA_OK)
        tessera_design_report(design, tokens, &callbacks, &report, &error);
    ts_cli_print(report, as_json);
    tessera_design_free(design);
    return ts_cli_done(verb, &error);
}
