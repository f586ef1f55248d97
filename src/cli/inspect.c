/* tessera inspect */
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/verbs.h"

static const char *pool_name(ts_pool pool)
{
    switch (pool) {
    case TS_POOL_NONE: return "per hit";
    case TS_POOL_MEAN: return "mean over hits";
    case TS_POOL_MAX: return "maximum over hits";
    case TS_POOL_FIRST: return "first hit";
    }
    BUG("unknown pooling");
}

static json_t *mlp_json(const ts_mlp *mlp)
{
    json_t *list = json_array();
    for (int i = 0; i < mlp->count; i++)
        json_array_append_new(list, json_pack("{s:i, s:i, s:s}", "in", mlp->lin[i].in, "out", mlp->lin[i].out, "activation", ts_act_name(mlp->act[i])));
    return list;
}

static double macs(const ts_encoder *e, double n)
{
    const double inner = e->heads * e->d_head;
    double io = 0;
    for (int i = 0; i < e->embed.count; i++)
        io += (double)e->embed.lin[i].in * e->embed.lin[i].out;
    for (int i = 0; i < e->head.count; i++)
        io += (double)e->head.lin[i].in * e->head.lin[i].out;
    return n * (e->layers * (4 * e->d * inner + 2.0 * e->d * e->ff + 2 * n * inner) + io);
}

static json_t *describe(const ts_graph *g, const ts_encoder *e)
{
    const char *const mask[] = {"none", "input", "data"};
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:b, s:s, s:s, s:s, s:I, s:i, s:o, s:o}", "model", e->name, "layers",
                     e->layers, "d", e->d, "heads", e->heads, "d_head", e->d_head, "ff", e->ff, "features", e->features, "outputs", e->outputs,
                     "activation", ts_act_name(e->act), "norm", e->norm_first ? "first" : "last", "final_norm", e->has_final_norm, "head_runs",
                     pool_name(e->pool), "mask", mask[e->mask], "mask_note", e->mask_note ? e->mask_note : "", "parameters",
                     (json_int_t)e->parameters, "nodes", g->nodes, "embed", mlp_json(&e->embed), "head", mlp_json(&e->head));
}

static void print_mlp(const char *what, const ts_mlp *mlp)
{
    printf("  %-11s %d", what, mlp->lin[0].in);
    for (int i = 0; i < mlp->count; i++)
        printf(" -> %d%s%s", mlp->lin[i].out, mlp->act[i] ? " " : "", mlp->act[i] ? ts_act_name(mlp->act[i]) : "");
    putchar('\n');
}

static void print(const ts_encoder *e)
{
    printf("%s: Transformer encoder, %d layers, width %d, %d heads of %d, FFN %d %s, norm %s%s\n", e->name, e->layers, e->d, e->heads, e->d_head,
           e->ff, ts_act_name(e->act), e->norm_first ? "first" : "last", e->has_final_norm ? ", final norm" : "");
    print_mlp("embedding", &e->embed);
    print_mlp("head", &e->head);
    printf("  %-11s %s\n", "runs", pool_name(e->pool));
    printf("  %-11s %lld\n", "parameters", e->parameters);
    printf("  %-11s %.1f M at 100 hits, %.1f M at 512\n", "MACs", macs(e, 100) / 1e6, macs(e, 512) / 1e6);
    printf("  %-11s %s\n", "mask", e->mask == TS_MASK_NONE ? "none; the true number of hits is always used" : e->mask_note);
    printf("  everything in the file is supported\n");
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
    ts_float_model model = {NULL, NULL};
    bool ok = ts_load_float_model(arena, path, &model, &err);
    ts_progress_end();
    if (dump && model.graph) {
        ts_graph_dump(stdout, model.graph);
    } else if (ok && as_json) {
        json_t *json = describe(model.graph, model.encoder);
        json_dumpf(json, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(json);
    } else if (ok) {
        print(model.encoder);
    }
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
