#include "synth/synth.h"

#include <math.h>

#include "api/call.h"
#include "base/text.h"
#include "design/predicted.h"
#include "design/report.h"
#include "flow/deploy.h"
#include "ring/plan_cost.h"

typedef struct job {
    const char *directory;
    tessera_report **report;
} job;

static json_t *path_json(const ts_synth_path *path)
{
    return json_pack("{s:i, s:i, s:s}", "levels", path->found, "limit", path->limit, "module", path->module);
}

static json_t *result_json(const ts_synth_result *r)
{
    return json_pack("{s:s, s:o, s:I, s:I, s:{s:o, s:o}}", "tool", r->tool, "resources", ts_resources_json(&r->found), "latches",
                     (json_int_t)r->latches, "soft_multipliers", (json_int_t)r->soft_multipliers, "path", "adders", path_json(&r->adders),
                     "multiplexers", path_json(&r->depth));
}

static void print(FILE *out, const ts_synth_result *r, const ts_resources *predicted)
{
    fprintf(out, "%-9s %12s %12s %9s\n", "resource", "predicted", "synthesised", "off by");
#define X(name, title) \
    fprintf(out, "%-9s %12.10g %12.10g %+8.1f %%\n", title, round(2 * predicted->name) / 2, r->found.name, \
            r->found.name > 0 ? 100 * (predicted->name / r->found.name - 1) : 0.0);
    TS_RESOURCES(X)
#undef X
    fprintf(out, "latches: %lld; multipliers in LUTs: %lld\n", r->latches, r->soft_multipliers);
    fprintf(out, "longest path: %d adder level(s) of %d, in %s; %d multiplexer levels of %d (an adder counts as two), in %s\n",
            r->adders.found, r->adders.limit, r->adders.module, r->depth.found, r->depth.limit, r->depth.module);
    fprintf(out, "%s, %.0f s\n", r->tool, r->seconds);
}

/* What was found and is not as it was promised. */
static bool keeps_promises(const ts_synth_result *r, ts_err *err)
{
    if (r->latches)
        return ts_fail_as(err, TS_DIFFERS, "%lld latch(es) in the netlist", r->latches);
    if (r->soft_multipliers)
        return ts_fail_as(err, TS_DIFFERS, "%lld product(s) did not become DSPs", r->soft_multipliers);
    if (r->adders.found > r->adders.limit)
        return ts_fail_as(err, TS_DIFFERS, "a path in %s crosses %d adder levels; the plan promises %d", r->adders.module, r->adders.found,
                          r->adders.limit);
    return r->depth.found <= r->depth.limit ||
           ts_fail_as(err, TS_DIFFERS, "a path in %s crosses %d levels of multiplexers, adders counted as two; %d are allowed",
                      r->depth.module, r->depth.found, r->depth.limit);
}

static void progress(void *user, const char *step)
{
    ts_notice_step(user, "%s", step);
}

static bool measure(ts_arena *arena, const ts_design *design, const ts_notices *notices, tessera_report **report, ts_err *err)
{
    if (design->parts > 1)
        return ts_fail_as(err, TS_USAGE, "%s has %d parts: synthesise them one by one, %s/part0 first", design->dir, design->parts,
                          design->dir);
    const ts_synth_options how = {.progress = progress, .progress_user = (void *)(uintptr_t)notices};
    const ts_device *device = ts_design_device(arena, design->dir, design->plan.device, err);
    ts_synth_result result;
    if (!device || !ts_synth(arena, design, device, &how, &result, err))
        return false;
    json_t *json = result_json(&result);
    const char *all = ts_report_text(arena, json);
    if (!ts_report_put(design, "synthesised", json, err))
        return false;
    ts_notice_step_end(notices);
    ts_text text;
    const ts_cost cost = ts_plan_cost(&design->plan, design->im, device);
    print(ts_text_open(&text), &result, &cost.yosys);
    if (report)
        *report = ts_report_new(ts_text_close(&text, arena), all);
    return keeps_promises(&result, err);
}

static bool synth(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    if (!j->directory)
        return ts_fail_as(err, TS_USAGE, "directory: the one that a model was compiled into is needed");
    ts_arena *arena = ts_arena_new();
    ts_design design;
    bool ok = ts_design_load(arena, j->directory, &design, err);
    if (ok) {
        ok = measure(arena, &design, notices, j->report, err);
        ts_design_free(&design);
    }
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_synth(const char *directory, const tessera_callbacks *callbacks, tessera_report **report, tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, synth, &(job){directory, report});
}
