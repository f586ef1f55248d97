#include "flow/compile.h"

#include "base/file.h"
#include "design/outdir.h"
#include "design/report.h"
#include "flow/choose.h"
#include "plan/make.h"
#include "quant/quantise.h"
#include "quant/room.h"

/* What is built: the whole model, or, of an assisted design, a slice of it between what the host computes. */
typedef struct compile_job {
    ts_float_model model;
    const ts_encoder *encoder; /* in hardware, whole layers */
    const ts_imodel *im;       /* of the hardware */
    ts_assist *assist;         /* NULL: all of the model */
    bool longest;              /* of it, whatever fits from the embedding on; chosen while planning */
    ts_host_bus bus;           /* to the host that assists */
    const ts_inputs *inputs;
    ts_bytes inputs_file;    /* of the whole model, as it was read; NULL: none was given */
    ts_assist_events events; /* that calibrate the encoder, and that the hardware sees */
    ts_deployment deployment;
} compile_job;

static bool load(ts_arena *arena, const ts_compile_options *o, compile_job *job, ts_err *err);
static bool quantise(ts_arena *arena, const ts_compile_options *o, compile_job *job, ts_chosen *chosen, ts_err *err);
static bool plan(ts_arena *arena, const ts_compile_options *o, compile_job *job, ts_err *err);
static json_t *report(ts_arena *arena, const ts_chosen *chosen, const compile_job *job);
static bool emit(ts_arena *arena, const ts_compile_options *o, const compile_job *job, const json_t *all, ts_err *err);

/* What zeros stand for, and what the others may be. */
static bool take_defaults(ts_compile_options *o, ts_err *err)
{
    const struct {
        const char *member;
        double value, least, most; /* 0: not given */
    } table[] = {
        {"calibrate", o->calibrate, 1, 1e6},
        {"select", o->select, 1, 1e6},
        {"max_tokens", o->max_tokens, 1, 65536},
        {"plan_tokens", o->plan_tokens, 1, 65536},
        {"target_ii", o->target_ii, 1, 1e6},
        {"page_buffers", o->page_buffers, 1, 2},
        {"acc_margin", o->acc_margin, 1, TS_MARGIN_MAX},
        {"loss", o->loss, 1e-5, 0.5},
        {"clock_mhz", o->clock_mhz, 1, 2000},
        {"utilisation", o->utilisation, 0.01, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const double x = table[i].value;
        if (!(x >= table[i].least && x <= table[i].most) && !(x >= 0 && x <= 0))
            return ts_fail_as(err, TS_USAGE, "%s is %g; expected %g to %g", ts_option(table[i].member), x, table[i].least, table[i].most);
    }
    o->select = o->select ? o->select : 20;
    o->loss = o->loss > 0 ? o->loss : 0.005;
    o->utilisation = o->utilisation > 0 ? o->utilisation : 0.8;
    if (!ts_formats_are_searched(o->formats)) /* which takes all events; otherwise only their lengths count behind those that calibrate */
        o->source.keep = o->calibrate > TS_CALIBRATE_MOST ? o->calibrate : TS_CALIBRATE_MOST;
    return true;
}

bool ts_compile(ts_arena *arena, const ts_compile_options *options, json_t **all, const char **why, ts_err *err)
{
    ts_compile_options o = *options;
    compile_job job = {.assist = NULL};
    ts_chosen chosen = {.cal = NULL};
    bool ok = take_defaults(&o, err) && load(arena, &o, &job, err) && /* import, fold, recognise; read events */
              quantise(arena, &o, &job, &chosen, err) &&              /* calibrate, choose formats, make the integer model */
              plan(arena, &o, &job, err);                             /* fold every stage, cut over devices */
    *all = ok ? report(arena, &chosen, &job) : NULL;
    ok = ok && emit(arena, &o, &job, *all, err); /* Verilog, memory images, test bench, report, manifest: all or nothing */
    ts_notice_step_end(o.source.notices);
    if (ok) {
        *why = job.deployment.partition.why;
    } else {
        json_decref(*all);
        *all = NULL;
    }
    ts_chosen_free(&chosen);
    return ok;
}

static ts_bytes file_of(const ts_inputs *inputs)
{
    return inputs ? (ts_bytes){inputs->text, inputs->size} : (ts_bytes){NULL, 0};
}

/* The slice that the host assists, and its events. */
static bool load_assisted(ts_arena *arena, const ts_compile_options *o, const char *hardware, compile_job *job, ts_err *err)
{
    const ts_notices *notices = o->source.notices;
    const ts_float_model *model = &job->model;
    ts_assist *assist = TS_NEW(arena, ts_assist);
    job->bus = ts_host_bus_of(job->deployment.device[0]);
    if (!ts_assist_bus_by(o->host, &job->bus, err) || !ts_assist_choose(arena, model->graph, model->found, hardware, assist, err))
        return false;
    const ts_inputs *inputs = ts_load_host_inputs(arena, &o->source, &assist->host, model->graph->name, err);
    const ts_events *events = inputs ? ts_load_events(arena, &o->source, inputs, &assist->host, err) : NULL;
    if (!events)
        return false;
    job->assist = assist;
    if (!hardware && assist->warning)
        ts_notice_warning(notices, "%s", assist->warning);
    job->encoder = assist->encoder;
    job->inputs_file = file_of(inputs);
    job->inputs = ts_inputs_identity(arena, assist->encoder->features, assist->encoder->outputs); /* of the hardware */
    ts_notice_step(notices, "tokens of %d events on the host", events->count);
    return ts_assist_tokens(arena, assist, events, &job->events, err);
}

static bool load(ts_arena *arena, const ts_compile_options *o, compile_job *job, ts_err *err)
{
    const ts_float_model *model = &job->model;
    if (!ts_check_source(&o->source, err) || !ts_load_float_model(arena, o->model, o->source.notices, &job->model, err) ||
        !ts_deploy_devices(arena, &o->deploy, &job->deployment, err))
        return false;
    job->longest = model->whole && !o->hardware && !o->deploy.any_mode && o->deploy.mode == TS_MODE_ASSISTED;
    if (!model->whole || o->hardware || job->longest)
        return load_assisted(arena, o, job->longest ? "embed-head" : o->hardware, job, err);
    if (o->host)
        return ts_fail_as(err, TS_USAGE, "%s: it belongs to %s, where the host computes a part of the model", ts_option("host"),
                          ts_option("hardware"));
    job->encoder = model->encoder;
    job->inputs = ts_load_inputs(arena, &o->source, model->encoder, err);
    job->inputs_file = file_of(job->inputs);
    job->events.tokens = job->events.floating = job->inputs ? ts_load_events(arena, &o->source, job->inputs, NULL, err) : NULL;
    return job->events.tokens != NULL;
}

static bool quantise(ts_arena *arena, const ts_compile_options *o, compile_job *job, ts_chosen *chosen, ts_err *err)
{
    const ts_choose_options how = {.notices = o->source.notices,
                                   .formats = o->formats,
                                   .calibrate = o->calibrate,
                                   .select = o->select,
                                   .loss = o->loss,
                                   .max_tokens = o->max_tokens,
                                   .plan_tokens = o->plan_tokens,
                                   .acc_margin = o->acc_margin};
    const ts_assist *a = job->assist;
    if (a && ts_formats_are_searched(o->formats))
        return ts_fail_as(err, TS_USAGE,
                          "%s %s: formats are chosen by the results of a model that is all in hardware; give bits, NAME=BITS,...",
                          ts_option("formats"), o->formats);
    if (!ts_choose_formats(arena, job->encoder, job->inputs, job->events.floating, job->deployment.device[0], &how, chosen, err))
        return false;
    ts_notice_step(o->source.notices, "quantising");
    job->im = ts_quantise(arena, job->encoder, chosen->cal, chosen->formats, err);
    const bool whole = !a || (a->slice.embed && a->slice.head);
    if (job->im && !whole)
        job->im = ts_imodel_slice(arena, job->im, a->slice, err);
    return job->im != NULL;
}

static bool plan(ts_arena *arena, const ts_compile_options *o, compile_job *job, ts_err *err)
{
    const ts_events *events = job->events.tokens;
    ts_notice_step(o->source.notices, "planning for %s", ts_deploy_names(arena, &job->deployment));
    int *lengths = TS_NEW_N(arena, int, events->count), longest = 1;
    for (int e = 0; e < events->count; e++) {
        lengths[e] = events->event[e].n;
        longest = lengths[e] > longest ? lengths[e] : longest;
    }
    const ts_plan_options wish = {.clock_mhz = o->clock_mhz,
                                  .max_tokens = o->max_tokens ? o->max_tokens : longest,
                                  .plan_tokens = o->plan_tokens,
                                  .lengths = lengths,
                                  .lengths_count = events->count,
                                  .utilisation = o->utilisation,
                                  .target_ii = o->target_ii,
                                  .page_buffers = o->page_buffers,
                                  .parity = o->parity,
                                  .argmax = job->im->classifier && !o->logits && !job->assist};
    ts_deploy_options how = o->deploy;
    if (job->longest)
        return (job->im = ts_assist_longest(arena, &job->model, job->im, &how, &wish, &job->deployment, job->assist, o->source.notices,
                                            err)) != NULL;
    if (job->assist && !ts_assist_rings(job->assist, job->im, job->deployment.devices, &how, err))
        return false;
    return ts_deploy_plan(arena, &how, &wish, job->im, &job->deployment, err);
}

static json_t *report(ts_arena *arena, const ts_chosen *chosen, const compile_job *job)
{
    const ts_deployment *deployment = &job->deployment;
    json_t *all = ts_deploy_json(arena, deployment),
           *own = json_pack("{s:s, s:o, s:O, s:O*}", "model", job->im->name, "formats", ts_formats_json(chosen->formats), "calibration",
                            chosen->calibration, "search", chosen->search);
    CHECK(own && json_object_update(all, own) == 0);
    json_decref(own);
    if (job->assist)
        ts_assist_report(job->assist, job->im, &job->bus, &deployment->partition, all);
    return all;
}

/* What the design has beside its hardware. The model and its inputs file may be the only copies some day, and are the source of all the
   rest: of these the disk has to say that it has them. */
static bool emit_files(ts_arena *arena, const compile_job *job, const json_t *all, const char *dir, ts_err *err)
{
    const ts_bytes *model = &job->model.file, *inputs = &job->inputs_file;
    const int parts = job->deployment.partition.parts;
    bool ok = ts_file_create_synced(ts_printf(arena, "%s/" TS_MODEL_COPY, dir), model->data, model->size, err) &&
              (!inputs->data || ts_file_create_synced(ts_printf(arena, "%s/" TS_INPUTS_COPY, dir), inputs->data, inputs->size, err)) &&
              ts_report_write(ts_printf(arena, "%s/" TS_REPORT, dir), all, err);
    for (int part = 0; ok && parts > 1 && part < parts; part++) {
        json_t *one = ts_deploy_part_json(&job->deployment, part);
        const char *below = ts_printf(arena, "%s/%s", dir, ts_part_directory(arena, part));
        ok = ts_outdir_make(below, err) && ts_report_write(ts_printf(arena, "%s/" TS_REPORT, below), one, err);
        json_decref(one);
    }
    return ok;
}

static bool emit(ts_arena *arena, const ts_compile_options *o, const compile_job *job, const json_t *all, ts_err *err)
{
    ts_notice_step(o->source.notices, "writing %s", o->output);
    ts_events kept = *job->events.tokens; /* whose hits are known: the first ones */
    int *n = TS_NEW_N(arena, int, kept.count), count = 0;
    for (; count < kept.count && (kept.event[count].n == 0 || kept.event[count].x); count++)
        n[count] = kept.event[count].n;
    kept.count = count;
    const int32_t *const *x = (const int32_t *const *)ts_integer_inputs(arena, job->im, &kept);
    json_t *extra = job->assist ? ts_assist_manifest(job->assist, job->im, &job->bus, &job->deployment.partition) : NULL;
    ts_outdir out;
    bool ok = ts_outdir_begin(arena, o->output, &out, err);
    if (ok) {
        ok = emit_files(arena, job, all, out.temp, err) && ts_deploy_emit(&job->deployment, kept.count, n, x, extra, out.temp, err);
        if (!ok) {
            ts_fail_in(err, "%s", o->output);
            ts_outdir_abort(&out);
        }
        ok = ok && ts_outdir_commit(arena, &out, err);
    }
    json_decref(extra);
    return ok;
}
