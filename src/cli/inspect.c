/* tessera inspect */
#include <stdio.h>

#include "cli/library.h"
#include "cli/verbs.h"

/* What the command for the next step would be, where the host has a part. */
static void print_next(const char *path, const tessera_model_info *info)
{
    if (info->samples)
        printf("  %-11s tessera compile %s --device NAME --input SAMPLES.npy -o DIR   (float32 %s)\n", "next", path, info->samples);
    else
        printf("  %-11s tessera compile %s --device NAME --events FILE.csv --inputs FILE.json -o DIR\n", "next", path);
}

int ts_verb_inspect(const ts_verb *verb, int argc, char **argv)
{
    tessera_model_options o = TESSERA_INIT(tessera_model_options);
    bool as_json = false;
    const ts_arg table[] = {
        {"json", TS_ARG_FLAG, NULL, "print JSON", &as_json, 0, 0, false},
        {"graph", TS_ARG_FLAG, NULL, "print the folded graph, one line a node, and stop", &o.graph, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &o.path, &status))
        return status;
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_model_info info = TESSERA_INIT(tessera_model_info);
    tessera_model *model;
    tessera_report *report = NULL;
    tessera_error error, other;
    tessera_model_open(&o, &callbacks, &model, &error);
    if (model && (o.graph ? tessera_model_graph : tessera_model_report)(model, &report, &other) != TESSERA_OK)
        error = other;
    ts_cli_print(report, as_json && !o.graph);
    if (report && !o.graph && !as_json && tessera_model_describe(model, &info) && !info.whole)
        print_next(o.path, &info);
    tessera_model_free(model);
    return ts_cli_done(verb, &error);
}
