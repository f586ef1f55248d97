/* tessera inspect */
#include "base/json.h"
#include "cli/assisted.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "design/report.h"
#include "quant/given.h"

static json_t *mlp_json(const ts_mlp *mlp)
{
    json_t *list = json_array();
    for (int i = 0; i < mlp->count; i++)
        json_array_append_new(
            list, json_pack("{s:i, s:i, s:s}", "in", mlp->lin[i].in, "out", mlp->lin[i].out, "activation", ts_act_name(mlp->act[i])));
    return list;
}

static json_t *describe(const ts_graph *g, const ts_encoder *e)
{
    const char *qk = !e->qk_norm ? "none" : e->qk_norm == e->d_head ? "head" : "all heads";
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:I, s:i, s:o, s:o}", "model",
                     e->name, "layers", e->layers, "d", e->d, "heads", e->heads, "d_head", e->d_head, "ff", e->ff, "features", e->features,
                     "outputs", e->outputs, "activation", ts_act_name(e->act), "norm", ts_norms_name(e->norms), "norm_kind",
                     ts_norm_name(e->layer[0].norm1.kind), "qk_norm", qk, "final_norm", e->has_final_norm, "pooling", ts_pool_name(e->pool),
                     "mask", ts_mask_name(e->mask), "mask_note", e->mask_note, "parameters", (json_int_t)e->parameters, "nodes", g->nodes,
                     "embed", mlp_json(&e->embed), "head", mlp_json(&e->head));
}

/* Whether what a model was quantised to in training can be kept; what is not goes to stderr. */
static bool check_given(ts_arena *arena, const ts_verb *verb, const ts_encoder *enc, ts_err *err)
{
    ts_formats *formats = ts_formats_default(arena, enc->layers);
    formats->warn = ts_warn;
    formats->warn_user = ts_strdup(arena, verb->name);
    return ts_given_formats(formats, enc, err);
}

static void print_host(ts_arena *arena, const char *path, const ts_assist *assist, const json_t *host)
{
    ts_report_print_host(stdout, host, 0);
    if (ts_host_features(&assist->host) == 0)
        printf("  %-11s tessera compile %s --device NAME --input SAMPLES.npy -o DIR   (float32 %s)\n", "next", path,
               ts_host_samples_shape(arena, &assist->host));
    else
        printf("  %-11s tessera compile %s --device NAME --events FILE.csv --inputs FILE.json -o DIR\n", "next", path);
}

int ts_verb_inspect(const ts_verb *verb, int argc, char **argv)
{
    const char *path = NULL;
    bool as_json = false, dump = false;
    const ts_arg table[] = {
        {"json", TS_ARG_FLAG, NULL, "print JSON", &as_json, 0, 0, false},
        {"graph", TS_ARG_FLAG, NULL, "print the folded graph, one line a node, and stop", &dump, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    const ts_args_result parsed = ts_args_parse(verb, table, argc, argv, &path, &err);
    if (parsed != TS_ARGS_OK)
        return parsed == TS_ARGS_HELP ? 0 : ts_cli_usage(verb, &err);
    ts_arena *arena = ts_arena_new();
    ts_float_model model = {.graph = NULL};
    ts_assist assist;
    bool ok = ts_load_float_model(arena, path, &model, &err);
    ts_progress_end();
    ok = ok && (model.whole || ts_assist_choose(arena, model.graph, model.found, NULL, &assist, &err)) &&
         check_given(arena, verb, model.encoder, &err);
    if (ok && !model.whole && assist.warning)
        ts_warn(ts_strdup(arena, verb->name), assist.warning);
    const ts_encoder *enc = ok && !model.whole ? assist.encoder : model.encoder;
    json_t *host = ok && !model.whole ? ts_assist_json(&assist, NULL, NULL) : NULL;
    if (dump && model.graph) {
        ts_graph_dump(stdout, model.graph);
    } else if (ok && as_json) {
        json_t *json = describe(model.graph, enc);
        if (host)
            json_object_set(json, "host", host);
        ts_json_print(stdout, json, JSON_INDENT(1));
        json_decref(json);
    } else if (ok) {
        ts_encoder_describe(stdout, enc, model.whole ? 0 : assist.tokens);
        if (model.whole || !(assist.host.front || assist.host.back))
            puts("  everything in the file is supported");
        if (!model.whole)
            print_host(arena, path, &assist, host);
    }
    json_decref(host);
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
