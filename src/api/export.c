#include "export/export.h"

#include <string.h>

#include "api/call.h"
#include "base/json.h"
#include "base/plain.h"
#include "base/text.h"
#include "design/design.h"
#include "flow/host_share.h"

typedef struct job {
    const tessera_export_options *options;
    tessera_report **report;
} job;

static tessera_report *result(ts_arena *arena, const ts_export_model *model, const ts_exported *made, const char *out)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f, "%s: %s as C, build %016llx, %lld bytes of memory a run\n", out, made->name, (unsigned long long)made->build,
            (long long)made->workspace);
    json_t *files = json_object();
    for (int i = 0; i < made->files; i++) {
        fprintf(f, "  %-24s %zu bytes\n", made->file[i], made->size[i]);
        json_object_set_new(files, made->file[i], json_integer((json_int_t)made->size[i]));
    }
    fprintf(f, "build it: cd %s && cc -std=c99 -O2 -c %s\n", out, made->file[0]);
    char build[20];
    snprintf(build, sizeof build, "%016llx", (unsigned long long)made->build);
    json_t *json = json_pack("{s:s, s:s, s:i, s:I, s:o}", "name", made->name, "build", build, "max_tokens", model->max_hits,
                             "workspace_bytes", (json_int_t)made->workspace, "files", files);
    tessera_report *report = ts_report_new(ts_text_close(&text, arena), ts_json_text(arena, json, JSON_INDENT(2)));
    json_decref(json);
    return report;
}

/* What the design says of itself. */
static bool describe(ts_arena *arena, const ts_design *design, ts_export_model *model, ts_err *err)
{
    const char *manifest = ts_json_text(arena, design->manifest, JSON_COMPACT | JSON_SORT_KEYS);
    const ts_imodel *im = design->im;
    *model = (ts_export_model){
        .im = im, .max_hits = design->plan.n_max, .argmax = design->plan.argmax, .design = ts_hash(0, manifest, strlen(manifest))};
    if (ts_assist_is(design)) {
        model->host = json_string_value(json_object_get(json_object_get(design->manifest, "host"), "hardware"));
        return model->host || ts_fail_as(err, TS_DAMAGED, "%s: its manifest does not say what is in hardware", design->dir);
    }
    if (!ts_design_has(design->manifest, TS_INPUTS_COPY))
        return true;
    model->inputs = ts_inputs_load(arena, ts_printf(arena, "%s/" TS_INPUTS_COPY, design->dir), err);
    return model->inputs && ts_inputs_fit(model->inputs, im->name, im->features, im->outputs, err);
}

static bool export(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    tessera_export_options o;
    if (!TS_TAKE_OPTIONS(&o, j->options, tessera_export_options, err))
        return false;
    if (!o.directory || !o.output)
        return ts_fail_as(err, TS_USAGE, "%s: the directory of a compiled design, and where its files are written, are needed",
                          ts_option(o.directory ? "output" : "directory"));
    if (o.target != TESSERA_EXPORT_C)
        return ts_fail_as(err, TS_USAGE, "%s: there is no target %d", ts_option("target"), (int)o.target);
    if (o.wrapper != TESSERA_WRAPPER_NONE && o.wrapper != TESSERA_WRAPPER_CMS)
        return ts_fail_as(err, TS_USAGE, "%s: there is no wrapper %d", ts_option("wrapper"), (int)o.wrapper);
    ts_arena *arena = ts_arena_new();
    ts_design design;
    ts_export_model model;
    ts_exported made;
    const ts_export_options how = {.name = o.name, .cms = o.wrapper == TESSERA_WRAPPER_CMS};
    ts_notice_step(notices, "exporting %s", o.directory);
    bool ok = ts_design_load(arena, o.directory, &design, err);
    if (ok) {
        ok = ts_design_verify(arena, &design, err) && describe(arena, &design, &model, err) &&
             ts_export(arena, &model, &how, o.output, &made, err);
        if (ok && model.host)
            ts_notice_warning(
                notices,
                "the host has a part of the model to do, which is not exported: hits and results of %s.c are those of %s, the "
                "share of the hardware",
                made.name, model.host);
        if (ok && j->report)
            *j->report = result(arena, &model, &made, o.output);
        ts_design_free(&design);
    }
    ts_notice_step_end(notices);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_export(const tessera_export_options *options, const tessera_callbacks *callbacks, tessera_report **report,
                            tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, export, &(job){options, report});
}
