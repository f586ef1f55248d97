/* tessera synth */
#include "cli/library.h"
#include "cli/verbs.h"

int ts_verb_synth(const ts_verb *verb, int argc, char **argv)
{
    const char *dir = NULL;
    const ts_arg table[] = {{NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false}};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &dir, &status))
        return status;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_synth(dir, &callbacks, &report, &error);
    ts_cli_print(report, false);
    return ts_cli_done(verb, &error);
}
