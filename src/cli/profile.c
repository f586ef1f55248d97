/* tessera profile */
#include "cli/library.h"
#include "cli/verbs.h"

int ts_verb_profile(const ts_verb *verb, int argc, char **argv)
{
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_profile_options o = TESSERA_INIT(tessera_profile_options);
    const ts_arg table[] = {
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy", &source.events, 0, 0, false},
        TS_CLI_SOURCE(source, "samples, where the model's input has a fixed shape", "which columns are inputs (as compiled)"),
        {"limit", TS_ARG_INT, "K", "only the first K events (20)", &source.limit, 1, 1e6, false},
        {"all", TS_ARG_FLAG, NULL, "print all tensors, not the worst twenty", &o.all, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    o.source = &source;
    if (!ts_args_parse(verb, table, argc, argv, &o.directory, &status))
        return status;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_profile(&o, &callbacks, &report, &error);
    ts_cli_print(report, false);
    return ts_cli_done(verb, &error);
}
