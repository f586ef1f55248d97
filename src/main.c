/* tessera: a trained Transformer (ONNX) becomes FPGA hardware. compile() is the whole system, step by step. */
#include <string.h>

#include "base/file.h"
#include "cli/assisted.h"
#include "cli/choose.h"
#include "cli/deploy.h"
#include "cli/notices.h"
#include "cli/process.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "design/outdir.h"
#include "design/report.h"
#include "plan/make.h"
#include "quant/quantise.h"

typedef struct options {
    const char *model, *formats, *hardware, *host, *dir;
    ts_event_source source;
    ts_deploy_options deploy;
    int calibrate, select, max_tokens, plan_tokens, target_ii, page_buffers;
    double loss, clock_mhz, utilisation;
    bool logits;
} options;

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

static bool load(ts_arena *arena, const options *o, compile_job *job, ts_err *err);
static bool quantise(ts_arena *arena, const options *o, compile_job *job, ts_chosen *chosen, ts_err *err);
static bool plan(ts_arena *arena, const options *o, compile_job *job, ts_err *err);
static json_t *report(const ts_chosen *chosen, const compile_job *job);
static bool emit(ts_arena *arena, const options *o, const compile_job *job, const json_t *all, ts_err *err);

static bool compile(ts_arena *arena, const options *o, ts_err *err)
{
    compile_job job = {.assist = NULL};
    ts_chosen chosen = {.cal = NULL};
    bool ok = load(arena, o, &job, err) &&              /* import, fold, recognise; read events */
              quantise(arena, o, &job, &chosen, err) && /* calibrate, choose formats, make the integer model */
              plan(arena, o, &job, err);                /* fold every stage, cut over devices */
    json_t *all = ok ? report(&chosen, &job) : NULL;
    ok = ok && emit(arena, o, &job, all, err); /* Verilog, memory images, test bench, report, manifest: all or nothing */
    ts_progress_end();
    if (ok) {
        ts_report_print(stdout, all);
        fputs(job.deployment.partition.why, stdout);
    }
    json_decref(all);
    ts_chosen_free(&chosen);
    return ok;
}

static ts_bytes file_of(const ts_inputs *inputs)
{
    return inputs ? (ts_bytes){inputs->text, inputs->size} : (ts_bytes){NULL, 0};
}

/* The slice that the host assists, and its events. */
static bool load_assisted(ts_arena *arena, const options *o, const char *hardware, compile_job *job, ts_err *err)
{
    const ts_float_model *model = &job->model;
    ts_assist *assist = TS_NEW(arena, ts_assist);
    job->bus = ts_host_bus_of(job->deployment.device[0]);
    if (!ts_assist_parse_bus(o->host, &job->bus, err) || !ts_assist_choose(arena, model->graph, model->found, hardware, assist, err))
        return false;
    const ts_inputs *inputs = ts_load_host_inputs(arena, &o->source, &assist->host, model->graph->name, err);
    const ts_events *events = inputs ? ts_load_events(arena, &o->source, inputs, &assist->host, err) : NULL;
    if (!events)
        return false;
    job->assist = assist;
    if (!hardware && assist->warning)
        ts_warn((char[]){"compile"}, assist->warning);
    job->encoder = assist->encoder;
    job->inputs_file = file_of(inputs);
    job->inputs = ts_inputs_identity(arena, assist->encoder->features, assist->encoder->outputs); /* of the hardware */
    ts_progress("tokens of %d events on the host", events->count);
    return ts_assist_tokens(arena, assist, events, &job->events, err);
}

static bool load(ts_arena *arena, const options *o, compile_job *job, ts_err *err)
{
    const ts_float_model *model = &job->model;
    if (!ts_check_source(&o->source, err) || !ts_load_float_model(arena, o->model, &job->model, err) ||
        !ts_deploy_devices(arena, o->deploy.device, &job->deployment, err))
        return false;
    job->longest = model->whole && !o->hardware && ts_deploy_is_assisted(&o->deploy);
    if (!model->whole || o->hardware || job->longest)
        return load_assisted(arena, o, job->longest ? "embed-head" : o->hardware, job, err);
    if (o->host)
        return ts_fail_as(err, TS_USAGE, "--host: it belongs to --hardware, where the host computes a part of the model");
    job->encoder = model->encoder;
    job->inputs = ts_load_inputs(arena, &o->source, model->encoder, err);
    job->inputs_file = file_of(job->inputs);
    job->events.tokens = job->events.floating = job->inputs ? ts_load_events(arena, &o->source, job->inputs, NULL, err) : NULL;
    return job->events.tokens != NULL;
}

static bool quantise(ts_arena *arena, const options *o, compile_job *job, ts_chosen *chosen, ts_err *err)
{
    const ts_choose_options how = {.verb = "compile",
                                   .formats = o->formats,
                                   .calibrate = o->calibrate,
                                   .select = o->select,
                                   .loss = o->loss,
                                   .max_tokens = o->max_tokens,
                                   .plan_tokens = o->plan_tokens};
    const ts_assist *a = job->assist;
    if (a && ts_formats_are_searched(o->formats))
        return ts_fail_as(
            err, TS_USAGE,
            "--formats %s: formats are chosen by the results of a model that is all in hardware; give bits with --formats NAME=BITS,...",
            o->formats);
    if (!ts_choose_formats(arena, job->encoder, job->inputs, job->events.floating, job->deployment.device[0], &how, chosen, err))
        return false;
    ts_progress("quantising");
    job->im = ts_quantise(arena, job->encoder, chosen->cal, chosen->formats, err);
    const bool whole = !a || (a->slice.embed && a->slice.head);
    if (job->im && !whole)
        job->im = ts_imodel_slice(arena, job->im, a->slice, err);
    return job->im != NULL;
}

static bool plan(ts_arena *arena, const options *o, compile_job *job, ts_err *err)
{
    const ts_events *events = job->events.tokens;
    ts_progress("planning for %s", o->deploy.device);
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
                                  .argmax = job->im->classifier && !o->logits && !job->assist};
    ts_deploy_options how = o->deploy;
    if (job->longest)
        return (job->im = ts_assist_longest(arena, &job->model, job->im, &how, &wish, &job->deployment, job->assist, err)) != NULL;
    if (job->assist && !ts_assist_rings(job->assist, job->im, job->deployment.devices, &how, err))
        return false;
    return ts_deploy_plan(arena, &how, &wish, job->im, &job->deployment, err);
}

static json_t *report(const ts_chosen *chosen, const compile_job *job)
{
    const ts_deployment *deployment = &job->deployment;
    json_t *all = ts_deploy_json(deployment),
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
              ts_report_write(ts_printf(arena, "%s/report.json", dir), all, err);
    for (int part = 0; ok && parts > 1 && part < parts; part++) {
        json_t *one = ts_deploy_part_json(&job->deployment, part);
        const char *below = ts_printf(arena, "%s/part%d", dir, part);
        ok = ts_outdir_make(below, err) && ts_report_write(ts_printf(arena, "%s/report.json", below), one, err);
        json_decref(one);
    }
    return ok;
}

static bool emit(ts_arena *arena, const options *o, const compile_job *job, const json_t *all, ts_err *err)
{
    ts_progress("writing %s", o->dir);
    ts_events kept = *job->events.tokens; /* whose hits are known: the first ones */
    int *n = TS_NEW_N(arena, int, kept.count), count = 0;
    for (; count < kept.count && (kept.event[count].n == 0 || kept.event[count].x); count++)
        n[count] = kept.event[count].n;
    kept.count = count;
    const int32_t *const *x = (const int32_t *const *)ts_integer_inputs(arena, job->im, &kept);
    json_t *extra = job->assist ? ts_assist_manifest(job->assist, job->im, &job->bus, &job->deployment.partition) : NULL;
    ts_outdir out;
    bool ok = ts_outdir_begin(arena, o->dir, &out, err);
    if (ok) {
        ok =
            emit_files(arena, job, all, out.temp, err) && ts_deploy_emit(&job->deployment, job->im, kept.count, n, x, extra, out.temp, err);
        if (!ok) {
            ts_fail_in(err, "%s", o->dir);
            ts_outdir_abort(&out);
        }
        ok = ok && ts_outdir_commit(arena, &out, err);
    }
    json_decref(extra);
    return ok;
}

static int verb_compile(const ts_verb *verb, int argc, char **argv)
{
    const ts_notices notices = ts_cli_notices("compile");
    options o = {.source.notices = &notices, .select = 20, .loss = 0.005, .utilisation = 0.8};
    const ts_arg table[] = {
        {"device", TS_ARG_TEXT, "NAME[,...]", "what to build for (tessera devices lists them), or a FILE.json", &o.deploy.device, 0, 0,
         true},
        {"mode", TS_ARG_TEXT, "MODE", "auto, monolithic, replicated, paged, split or assisted; see docs/partitioning.md (auto)",
         &o.deploy.mode, 0, 0, false},
        {"objective", TS_ARG_TEXT, "O", "latency, throughput or area (latency)", &o.deploy.objective, 0, 0, false},
        {"link", TS_ARG_TEXT, "MBITS[:NS]", "between devices: bandwidth, latency (the slower of two neighbours' own; 10000:500)",
         &o.deploy.link, 0, 0, false},
        {"memory", TS_ARG_TEXT, "GBYTES[:NS]", "external memory: GB/s that it keeps up, latency (80 % of the device's peak; 300)",
         &o.deploy.memory, 0, 0, false},
        {"page-buffers", TS_ARG_INT, "N", "paged: buffers of every paged stage, 1 or 2 (chosen for each)", &o.page_buffers, 1, 2, false},
        {"pin", TS_ARG_TEXT, "STAGE=DEV,...", "which device of the list has layers.2, layers.0.ffn, head", &o.deploy.pin, 0, 0, false},
        {"hardware", TS_ARG_TEXT, "FIRST[-LAST]", "what is built, such as layers.2-4; the host does the rest (all that can be)",
         &o.hardware, 0, 0, false},
        {"host", TS_ARG_TEXT, "MBITS[:NS]", "between host and device: bandwidth, latency, each way (the device's)", &o.host, 0, 0, false},
        {"events", TS_ARG_TEXT, "FILE", "events, .csv or .npy: calibrate, and plan for their lengths", &o.source.events, 0, 0, false},
        {"input", TS_ARG_TEXT, "FILE.npy", "samples instead, where the model's input has a fixed shape", &o.source.samples, 0, 0, false},
        {"inputs", TS_ARG_TEXT, "FILE.json", "which columns are inputs; needed with .csv", &o.source.inputs, 0, 0, false},
        {"lengths", TS_ARG_TEXT, "FILE.npy", "true tokens of each .npy event", &o.source.lengths, 0, 0, false},
        {"mask", TS_ARG_TEXT, "FILE.npy", "padding of .npy events, nonzero = padding", &o.source.mask, 0, 0, false},
        {"standardised", TS_ARG_FLAG, NULL, "take values as they are, not as (value - mean) / std of the inputs file",
         &o.source.standardised, 0, 0, false},
        {"calibrate", TS_ARG_INT, "N", "calibrate on the first N events (20; fewer once they have 16,000 hits)", &o.calibrate, 1, 1e6,
         false},
        {"max-tokens", TS_ARG_INT, "N", "longest event the design takes (that of FILE)", &o.max_tokens, 1, 65536, false},
        {"plan-tokens", TS_ARG_INT, "N", "plan for events of N hits (the lengths of FILE)", &o.plan_tokens, 1, 65536, false},
        {"target-ii", TS_ARG_INT, "CYCLES", "cycles a token and layer; default: the best that fits", &o.target_ii, 1, 1e6, false},
        {"clock", TS_ARG_NUMBER, "MHZ", "engine clock (the device's default)", &o.clock_mhz, 1, 2000, false},
        {"utilisation", TS_ARG_NUMBER, "SHARE", "of every resource that may be used (0.8)", &o.utilisation, 0.01, 1, false},
        {"formats", TS_ARG_TEXT, "F", "auto, packed, NAME=BITS,... or a formats.json; see docs/quantisation.md", &o.formats, 0, 0, false},
        {"loss", TS_ARG_NUMBER, "X", "auto: tracks found that may be lost, as a share (0.005)", &o.loss, 1e-5, 0.5, false},
        {"select", TS_ARG_INT, "N", "auto, packed: choose by N events; the rest test the choice (20)", &o.select, 1, 1e6, false},
        {"logits", TS_ARG_FLAG, NULL, "classifiers: output all logits, not arg-max and its value", &o.logits, 0, 0, false},
        {"o", TS_ARG_TEXT, "DIR", "where to write", &o.dir, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    const ts_args_result parsed = ts_args_parse(verb, table, argc, argv, &o.model, &err);
    if (parsed != TS_ARGS_OK)
        return parsed == TS_ARGS_HELP ? 0 : ts_cli_usage(verb, &err);
    if (!ts_formats_are_searched(o.formats)) /* which takes all events; otherwise only their lengths count behind those that calibrate */
        o.source.keep = o.calibrate > TS_CALIBRATE_MOST ? o.calibrate : TS_CALIBRATE_MOST;
    ts_arena *arena = ts_arena_new();
    const bool ok = compile(arena, &o, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}

static const ts_verb verbs[] = {
    {"inspect", "MODEL.onnx", "Says what a model computes and whether tessera can build it.", "", ts_verb_inspect},
    {"compile", "MODEL.onnx", "Turns a trained model into hardware for one device or several: Verilog, memory images, test bench, report.",
     "DIR gets rtl/, mem/, tb/, manifest.json, model.tsm (the integer model), report.json and copies of the model and its inputs file.",
     verb_compile},
    {"plan", "DIR", "Predicts latency, interval and resources of a compiled design for any number of hits.", "", ts_verb_plan},
    {"run", "DIR|MODEL.onnx", "Runs events through the float model, the integer model or the simulated hardware.",
     "Values of events, .csv or .npy, are raw: where there is an inputs file (a design has its own) they become (value - mean) / std; of "
     "values\n"
     "that are so already say --standardised. Exit status 3: done, but some events have more hits than the design takes and were refused.",
     ts_verb_run},
    {"score", "[LABEL=]OUT.csv[@INPUTS.json][,...]",
     "Scores results as tracks: trackml, perfect, double majority and lhc, with standard errors over events.",
     "Items of the list, without spaces, are results files, or, for comparison, baseline:angles (no model: hits' own angles, clustered),\n"
     "baseline:truth (truth parameters, clustered), baseline:binned (hits' own angles in the classifier's bins) and baseline:classes "
     "(truth in\n"
     "the classifier's bins). An item's own @INPUTS.json comes before --inputs. docs/scores.md has the definitions.",
     ts_verb_score},
    {"simulate", "DIR", "Simulates the generated hardware on events and compares every output word with the integer model.",
     "Exit status 0 only if every event was compared and every word agrees; 3 if some were refused, having too many hits. Figures go to "
     "DIR/report.json.",
     ts_verb_simulate},
    {"profile", "DIR", "Shows what integer formats do to each tensor: ranges, saturation, signal to noise.",
     "Runs the float and the integer model on the events. SNR: variance of the float values over the mean square error, all errors before\n"
     "included; alone: the rounding of that format by itself. Goes to DIR/report.json, too.",
     ts_verb_profile},
    {"synth", "DIR", "Synthesises the design with Yosys and compares the resources with the prediction.", "", ts_verb_synth},
    {"events", NULL, "Generates events of a simulated tracking detector, with truth, as a CSV.",
     "Defaults: pT = 0.15 + Exp(0.45) GeV, |eta| < 4, vertices of 5.5 mm spread; first half turn, tracks of at least 3 hits. "
     "docs/events.md has\n"
     "the formulas. The same options give the same bytes on every machine.",
     ts_verb_events},
    {"devices", NULL, "Lists the devices that tessera knows.", "", ts_verb_devices},
};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(name, verbs[i].name) == 0) {
            ts_cli_begin(name);
            return ts_cli_end(name, verbs[i].run(&verbs[i], argc - 1, argv + 1));
        }
    const bool asked = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
    FILE *out = asked ? stdout : stderr;
    if (*name && !asked)
        fprintf(out, "tessera: unknown verb '%s'\n\n", name);
    fprintf(out, "Usage: tessera VERB ...   (tessera VERB --help says more)\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
    return ts_cli_end("", asked ? 0 : 2);
}
