/* tessera run */
#include <string.h>

#include "cli/library.h"
#include "cli/verbs.h"

static const struct {
    const char *name;
    tessera_engine_kind kind;
} engines[] = {
    {"float", TESSERA_FLOAT},
    {"integer", TESSERA_INTEGER},
    {"rtl", TESSERA_RTL},
};
enum { ENGINES = sizeof engines / sizeof *engines };

static int run(const ts_verb *verb, const char *engine, tessera_run_options *o)
{
    int kind = 0;
    while (kind < ENGINES && strcmp(engine, engines[kind].name) != 0)
        kind++;
    if (kind == ENGINES)
        return ts_cli_wrong(verb, "--engine '%s': expected float, integer or rtl", engine);
    o->engine = engines[kind].kind;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_run_summary summary = TESSERA_INIT(tessera_run_summary);
    tessera_report *report;
    tessera_error error;
    tessera_run(o, &callbacks, &summary, &report, &error);
    ts_cli_print(report, false);
    const int status = ts_cli_done(verb, &error);
    return status ? status : summary.refused > 0 ? TS_CLI_REFUSED : 0;
}

int ts_verb_run(const ts_verb *verb, int argc, char **argv)
{
    const char *engine = NULL;
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_run_options o = TESSERA_INIT(tessera_run_options);
    const ts_arg table[] = {
        {"engine", TS_ARG_TEXT, "ENGINE", "float (as the file writes it), integer (bit-exact emulator) or rtl (simulation)", &engine, 0, 0,
         true},
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy", &source.events, 0, 0, false},
        TS_CLI_SOURCE(source, "samples, where the model's input has a fixed shape", "which columns are inputs (as compiled)"),
        {"limit", TS_ARG_INT, "K", "only the first K events", &source.limit, 1, 1e6, false},
        {"logits", TS_ARG_FLAG, NULL, "classifiers: all logits, not the class and its value", &o.logits, 0, 0, false},
        {"weights", TS_ARG_TEXT, "FILE", "of tessera weights, instead of the design's own", &o.weights, 0, 0, false},
        {"trace", TS_ARG_TEXT, "DIR", "write every stage of the first event, float beside integer", &o.trace, 0, 0, false},
        {"o", TS_ARG_TEXT, "OUT.csv", "where to write: event_id,hit_id,<outputs> in input order", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    o.source = &source;
    return ts_args_parse(verb, table, argc, argv, &o.path, &status) ? run(verb, engine, &o) : status;
}
