#include "flow/session.h"

#include <string.h>
#include <sys/stat.h>

#include "base/blas.h"
#include "base/file.h"
#include "emu/emu.h"
#include "flow/host_share.h"
#include "pass/understand.h"

bool ts_is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool ts_load_float_model(ts_arena *arena, const char *path, const ts_notices *notices, ts_float_model *model, ts_err *err)
{
    ts_blas_start();
    ts_notice_step(notices, "reading %s", path);
    *model = (ts_float_model){.graph = NULL};
    model->file.data = ts_file_read_most(arena, path, TS_ONNX_MOST, TS_ONNX_KIND, &model->file.size, err);
    const bool read = model->file.data && ts_import_embed(arena, path, &model->file.data, &model->file.size, &model->external, err);
    const ts_graph *imported = read ? ts_import_onnx_file(arena, path, model->file.data, model->file.size, err) : NULL;
    model->found = imported ? ts_understand(arena, imported, &model->graph, err) : NULL;
    if (!model->found)
        return false;
    model->encoder = model->found->encoder;
    model->whole = model->found->from->is_input && model->found->to->is_output && model->found->tokens == 0;
    return true;
}

static const ts_inputs *load_inputs(ts_arena *arena, const char *path, const ts_event_source *source, const char *model, int features,
                                    int outputs, ts_err *err)
{
    const ts_inputs *in = ts_source_inputs(arena, source, path, features, outputs, err);
    return in && ts_inputs_fit(in, model, features, outputs, err) ? in : NULL;
}

const ts_inputs *ts_load_inputs(ts_arena *arena, const ts_event_source *source, const ts_encoder *enc, ts_err *err)
{
    if (source->samples) {
        ts_fail_as(err, TS_USAGE, "%s %s: the model takes events of any number of hits; give them with %s", ts_option("samples"),
                   source->samples, ts_option("events"));
        return NULL;
    }
    return load_inputs(arena, source->inputs, source, enc->name, enc->features, enc->outputs, err);
}

const ts_inputs *ts_load_host_inputs(ts_arena *arena, const ts_event_source *source, const ts_host *host, const char *model, ts_err *err)
{
    bool pooled;
    int hits, features = ts_host_features(host);
    if (features == 0 && !source->samples && !source->arrays && !ts_host_fixed_event(host, &hits, &features)) {
        ts_fail_as(err, TS_USAGE, "%s: its input '%s' has a fixed shape; give samples with %s FILE.npy", model, host->input->name,
                   ts_option("samples"));
        return NULL;
    }
    return load_inputs(arena, source->inputs, source, model, features, ts_host_outputs(host, &pooled), err);
}

static const ts_inputs *compiled_inputs(ts_arena *arena, const char *dir, const ts_event_source *given, ts_compiled *c, ts_err *err)
{
    ts_event_source source = *given;
    const ts_imodel *im = c->design.im;
    if (!source.inputs && !source.samples && ts_design_has(c->design.manifest, TS_INPUTS_COPY))
        source.inputs = ts_printf(arena, "%s/" TS_INPUTS_COPY, dir);
    if (!ts_assist_is(&c->design))
        return source.samples
                   ? (ts_fail_as(err, TS_USAGE, "%s: %s takes events; give them with %s", ts_option("samples"), dir, ts_option("events")),
                      NULL)
                   : load_inputs(arena, source.inputs, &source, im->name, im->features, im->outputs, err);
    ts_host *host = TS_NEW(arena, ts_host);
    ts_float_model model; /* the same reading of the file as when it was compiled */
    if (!ts_load_float_model(arena, c->onnx, given->notices, &model, err) || !ts_assist_host(arena, &c->design, model.graph, host, err))
        return NULL;
    c->host = host;
    return ts_load_host_inputs(arena, &source, host, model.graph->name, err);
}

bool ts_load_compiled(ts_arena *arena, const char *dir, const ts_event_source *source, ts_compiled *c, ts_err *err)
{
    *c = (ts_compiled){.onnx = ts_printf(arena, "%s/" TS_MODEL_COPY, dir)};
    if (!ts_is_directory(dir))
        return ts_fail_as(err, TS_NO_FILE, "%s: not a directory; give the one that a model was compiled into", dir);
    if (!ts_check_source(source, err) || !ts_design_load(arena, dir, &c->design, err))
        return false;
    c->inputs = compiled_inputs(arena, dir, source, c, err);
    if (!ts_design_is_there(&c->design)) {
        *err = (ts_err){""};
        ts_fail_as(err, TS_DAMAGED, "%s: was replaced by another design while it was read: run this again", dir);
        c->inputs = NULL;
    }
    if (!c->inputs)
        ts_design_free(&c->design);
    return c->inputs != NULL;
}

int32_t **ts_integer_inputs(ts_arena *arena, const ts_imodel *im, const ts_events *events)
{
    int32_t **x = TS_NEW_N(arena, int32_t *, events->count);
    for (int e = 0; e < events->count; e++) {
        const ts_event *ev = &events->event[e];
        x[e] = TS_NEW_N(arena, int32_t, (size_t)ev->n * (size_t)im->features);
        ts_quantise_input(im, ev->n, ev->x, x[e]);
    }
    return x;
}
