/* tessera weights */
#include "cli/library.h"
#include "cli/verbs.h"

int ts_verb_weights(const ts_verb *verb, int argc, char **argv)
{
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_weights_options o = TESSERA_INIT(tessera_weights_options);
    const char *operand[2] = {NULL, NULL};
    const ts_arg table[] = {
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy, that calibrate", &source.events, 0, 0, false},
        TS_CLI_SOURCE(source, "samples, where the model's input has a fixed shape", "which columns are inputs (the design's)"),
        {"calibrate", TS_ARG_INT, "N", "calibrate on the first N events (20; fewer once they have 16,000 hits)", &o.calibrate, 1, 1e6,
         false},
        {"o", TS_ARG_TEXT, "FILE", "where to write", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    o.source = &source;
    if (!ts_args_parse(verb, table, argc, argv, operand, &status))
        return status;
    o.model = operand[0];
    o.directory = operand[1];
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_weights(&o, &callbacks, &report, &error);
    ts_cli_print(report, false);
    return ts_cli_done(verb, &error);
}
