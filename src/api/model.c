#include <string.h>

#include "api/call.h"
#include "base/json.h"
#include "base/text.h"
#include "design/report.h"
#include "flow/assisted.h"
#include "quant/given.h"

struct tessera_model {
    ts_arena *arena;
    const char *path;
    ts_float_model model;
    ts_assist assist;      /* of a model that is not whole */
    const char *samples;   /* the shape of those that it takes; NULL: it takes events */
    const ts_encoder *enc; /* what has hardware; NULL: nothing can be built */
};

/* ---- Opening */

typedef struct opening {
    const tessera_model_options *given;
    tessera_model **model;
} opening;

/* Whether what a model was quantised to in training can be kept; what is not is a warning. */
static bool check_given(ts_arena *arena, const ts_encoder *enc, const ts_notices *notices, ts_err *err)
{
    ts_formats *formats = ts_formats_default(arena, enc->layers);
    formats->warn = ts_notice_warn;
    formats->warn_user = (void *)(uintptr_t)notices;
    return ts_given_formats(formats, enc, err);
}

static bool open_model(void *user, const ts_notices *notices, ts_err *err)
{
    const opening *j = user;
    tessera_model_options o;
    if (!TS_TAKE_OPTIONS(&o, j->given, tessera_model_options, err))
        return false;
    if (!o.path)
        return ts_fail_as(err, TS_USAGE, "path: the model's file is needed");
    ts_arena *arena = ts_arena_new();
    tessera_model *m = TS_NEW(arena, tessera_model);
    m->arena = arena;
    m->path = ts_strdup(arena, o.path);
    bool ok = ts_load_float_model(arena, m->path, notices, &m->model, err) &&
              (m->model.whole || ts_assist_choose(arena, m->model.graph, m->model.found, NULL, &m->assist, err));
    ts_notice_step_end(notices);
    const ts_encoder *enc = ok && !m->model.whole ? m->assist.encoder : m->model.encoder;
    ok = ok && check_given(arena, m->model.encoder, notices, err);
    if (ok) {
        m->enc = enc;
        if (!m->model.whole && ts_host_features(&m->assist.host) == 0)
            m->samples = ts_host_samples_shape(arena, &m->assist.host);
        if (!m->model.whole && m->assist.warning)
            ts_notice_warning(notices, "%s", m->assist.warning);
    }
    if (ok || (o.graph && m->model.graph))
        *j->model = m;
    else
        ts_arena_free(arena);
    return ok;
}

tessera_code tessera_model_open(const tessera_model_options *options, const tessera_callbacks *callbacks, tessera_model **model,
                                tessera_error *error)
{
    *model = NULL;
    return ts_call(callbacks, error, open_model, &(opening){options, model});
}

void tessera_model_free(tessera_model *model)
{
    if (model)
        ts_arena_free(model->arena);
}

/* ---- What it is */

bool tessera_model_describe(const tessera_model *m, tessera_model_info *info)
{
    const ts_encoder *e = m ? m->enc : NULL;
    if (!e)
        return false;
    const tessera_model_info own = {.size = sizeof own,
                                    .name = e->name,
                                    .layers = e->layers,
                                    .width = e->d,
                                    .heads = e->heads,
                                    .head_width = e->d_head,
                                    .ff_width = e->ff,
                                    .features = e->features,
                                    .outputs = e->outputs,
                                    .activation = ts_act_name(e->act),
                                    .norm = ts_norms_name(e->norms),
                                    .pooling = ts_pool_name(e->pool),
                                    .mask = ts_mask_name(e->mask),
                                    .parameters = e->parameters,
                                    .samples = m->samples,
                                    .whole = m->model.whole};
    ts_give_summary(info, &own, sizeof own);
    return true;
}

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

/* ---- Reports */

typedef struct telling {
    const tessera_model *model;
    tessera_report **report;
} telling;

static bool tell(void *user, const ts_notices *notices, ts_err *err)
{
    const telling *j = user;
    const tessera_model *m = j->model;
    if (!m || !m->enc)
        return ts_fail_as(err, TS_UNSUPPORTED, "the model cannot be built");
    ts_arena *arena = ts_arena_new();
    ts_text text;
    FILE *f = ts_text_open(&text);
    json_t *json = describe(m->model.graph, m->enc);
    ts_encoder_describe(f, m->enc, m->model.whole ? 0 : m->assist.tokens);
    if (m->model.whole || !(m->assist.host.front || m->assist.host.back))
        fputs("  everything in the file is supported\n", f);
    if (!m->model.whole) {
        json_t *host = ts_assist_json(&m->assist, NULL, NULL);
        ts_report_print_host(f, host, 0);
        json_object_set_new(json, "host", host);
    }
    *j->report = ts_report_new(ts_text_close(&text, arena), ts_json_text(arena, json, JSON_INDENT(1)));
    json_decref(json);
    ts_arena_free(arena);
    return true;
}

tessera_code tessera_model_report(const tessera_model *model, tessera_report **report, tessera_error *error)
{
    *report = NULL;
    return ts_call(NULL, error, tell, &(telling){model, report});
}

static bool dump(void *user, const ts_notices *notices, ts_err *err)
{
    const telling *j = user;
    if (!j->model)
        return ts_fail_as(err, TS_USAGE, "there is no model");
    ts_arena *arena = ts_arena_new();
    ts_text text;
    ts_graph_dump(ts_text_open(&text), j->model->model.graph);
    *j->report = ts_report_new(ts_text_close(&text, arena), NULL);
    ts_arena_free(arena);
    return true;
}

tessera_code tessera_model_graph(const tessera_model *model, tessera_report **report, tessera_error *error)
{
    *report = NULL;
    return ts_call(NULL, error, dump, &(telling){model, report});
}
