/* tessera profile */
#include "cli/library.h"
#include "cli/verbs.h"

int ts_verb_profile(const ts_verb *verb, int argc, char **argv)
{
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_profile_options o = TESSERA_INIT(tessera_profile_options);
    const ts_arg table[] = {
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy", &source.events, 0, 0, false},
        {"input", TS_ARG_TEXT, "FILE.npy", "samples, where the model's input has a fixed shape", &source.samples, 0, 0, false},
        {"inputs", TS_ARG_TEXT, "FILE.json", "which columns are inputs (as compiled)", &source.inputs, 0, 0, false},
        {"lengths", TS_ARG_TEXT, "FILE.npy", "true tokens of each .npy event", &source.lengths, 0, 0, false},
        {"mask", TS_ARG_TEXT, "FILE.npy", "padding of .npy events, nonzero = padding", &source.mask, 0, 0, false},
        {"standardised", TS_ARG_FLAG, NULL, "take values as they are, not as (value - mean) / std of the inputs file", &source.standardised,
         0, 0, false},
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
