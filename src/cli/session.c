#include "cli/session.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/progress.h"
#include "emu/emu.h"
#include "import/import.h"
#include "pass/fold.h"
#include "pass/recognise.h"

bool ts_is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void ts_warn(void *user, const char *message)
{
    fprintf(stderr, "tessera %s: warning: %s\n", (const char *)user, message);
}

bool ts_load_float_model(ts_arena *arena, const char *path, ts_float_model *model, ts_err *err)
{
    ts_progress("reading %s", path);
    const ts_graph *raw = ts_import_onnx(arena, path, err);
    model->graph = raw ? ts_fold(arena, raw, err) : NULL;
    model->encoder = model->graph ? ts_recognise(arena, model->graph, err) : NULL;
    return model->encoder != NULL;
}

static const ts_inputs *load_inputs(ts_arena *arena, const char *path, const char *events_path, const char *model, int features, int outputs,
                                    ts_err *err)
{
    if (!path && !ts_events_is_npy(events_path)) {
        ts_fail(err, "--inputs FILE.json is needed with CSV events: it says which columns are model inputs (docs/exporting.md)");
        return NULL;
    }
    const ts_inputs *in = path ? ts_inputs_load(arena, path, err) : ts_inputs_identity(arena, features, outputs);
    return in && ts_inputs_fit(in, model, features, outputs, err) ? in : NULL;
}

const ts_inputs *ts_load_inputs(ts_arena *arena, const char *path, const char *events_path, const ts_encoder *enc, ts_err *err)
{
    return load_inputs(arena, path, events_path, enc->name, enc->features, enc->outputs, err);
}

bool ts_load_compiled(ts_arena *arena, const char *dir, const char *inputs_path, const char *events_path, ts_compiled *c, ts_err *err)
{
    if (!ts_is_directory(dir))
        return ts_fail(err, "%s: not a directory; give the one that `tessera compile ... -o DIR` made", dir);
    if (!ts_design_load(arena, dir, &c->design, err))
        return false;
    c->onnx = ts_printf(arena, "%s/model.onnx", dir);
    const char *own = ts_printf(arena, "%s/inputs.json", dir);
    if (!inputs_path && access(own, R_OK) == 0)
        inputs_path = own;
    const ts_imodel *im = c->design.im;
    c->inputs = load_inputs(arena, inputs_path, events_path, im->name, im->features, im->outputs, err);
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
