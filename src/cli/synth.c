/* tessera synth */
#include <math.h>

#include "cli/progress.h"
#include "cli/verbs.h"
#include "design/predicted.h"
#include "design/report.h"
#include "flow/deploy.h"
#include "flow/session.h"
#include "ring/plan_cost.h"
#include "synth/synth.h"

static void progress(void *user, const char *step)
{
    (void)user;
    ts_progress("%s", step);
}

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

static void print(const ts_synth_result *r, const ts_resources *predicted)
{
    printf("%-9s %12s %12s %9s\n", "resource", "predicted", "synthesised", "off by");
#define X(name, title) \
    printf("%-9s %12.10g %12.10g %+8.1f %%\n", title, round(2 * predicted->name) / 2, r->found.name, \
           r->found.name > 0 ? 100 * (predicted->name / r->found.name - 1) : 0.0);
    TS_RESOURCES(X)
#undef X
    printf("latches: %lld; multipliers in LUTs: %lld\n", r->latches, r->soft_multipliers);
    printf("longest path: %d adder level(s) of %d, in %s; %d multiplexer levels of %d (an adder counts as two), in %s\n", r->adders.found,
           r->adders.limit, r->adders.module, r->depth.found, r->depth.limit, r->depth.module);
    printf("%s, %.0f s\n", r->tool, r->seconds);
}

static bool synth(ts_arena *arena, const char *dir, ts_err *err)
{
    ts_design design;
    if (!ts_design_load(arena, dir, &design, err))
        return false;
    if (design.parts > 1) {
        ts_design_free(&design);
        return ts_fail_as(err, TS_USAGE, "%s has %d parts: synthesise them one by one, %s/part0 first", dir, design.parts, dir);
    }
    const ts_device *device = ts_design_device(arena, design.dir, design.plan.device, err);
    ts_synth_result result;
    bool ok = device && ts_synth(arena, &design, device, &(ts_synth_options){.progress = progress}, &result, err) &&
              ts_report_put(&design, "synthesised", result_json(&result), err);
    ts_progress_end();
    if (ok) {
        const ts_cost cost = ts_plan_cost(&design.plan, design.im, device);
        print(&result, &cost.yosys);
        if (result.latches)
            ok = ts_fail_as(err, TS_DIFFERS, "%lld latch(es) in the netlist", result.latches);
        else if (result.soft_multipliers)
            ok = ts_fail_as(err, TS_DIFFERS, "%lld product(s) did not become DSPs", result.soft_multipliers);
        else if (result.adders.found > result.adders.limit)
            ok = ts_fail_as(err, TS_DIFFERS, "a path in %s crosses %d adder levels; the plan promises %d", result.adders.module,
                            result.adders.found, result.adders.limit);
        else if (result.depth.found > result.depth.limit)
            ok = ts_fail_as(err, TS_DIFFERS, "a path in %s crosses %d levels of multiplexers, adders counted as two; %d are allowed",
                            result.depth.module, result.depth.found, result.depth.limit);
    }
    ts_design_free(&design);
    return ok;
}

int ts_verb_synth(const ts_verb *verb, int argc, char **argv)
{
    const char *dir = NULL;
    const ts_arg table[] = {{NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false}};
    ts_err err = {""};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &dir, &status))
        return status;
    ts_arena *arena = ts_arena_new();
    const bool ok = synth(arena, dir, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
