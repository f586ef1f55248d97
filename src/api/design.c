#include "api/call.h"
#include "base/json.h"
#include "base/text.h"
#include "design/report.h"
#include "flow/assisted.h"
#include "ring/plan_cost.h"
#include "ring/ring.h"

struct tessera_design {
    ts_arena *arena;
    ts_design design;
};

/* ---- Opening */

typedef struct opening {
    const char *directory;
    tessera_design **design;
} opening;

static bool open_design(void *user, const ts_notices *notices, ts_err *err)
{
    const opening *j = user;
    if (!j->directory)
        return ts_fail_as(err, TS_USAGE, "directory: the one that a model was compiled into is needed");
    ts_arena *arena = ts_arena_new();
    tessera_design *d = TS_NEW(arena, tessera_design);
    d->arena = arena;
    const bool loaded = ts_design_load(arena, ts_strdup(arena, j->directory), &d->design, err);
    if (loaded && ts_design_verify(arena, &d->design, err)) {
        *j->design = d;
        return true;
    }
    if (loaded)
        ts_design_free(&d->design);
    ts_arena_free(arena);
    return false;
}

tessera_code tessera_design_open(const char *directory, tessera_design **design, tessera_error *error)
{
    *design = NULL;
    return ts_call(NULL, error, open_design, &(opening){directory, design});
}

void tessera_design_free(tessera_design *design)
{
    if (!design)
        return;
    ts_design_free(&design->design);
    ts_arena_free(design->arena);
}

bool tessera_design_describe(const tessera_design *d, tessera_design_info *info)
{
    if (!d)
        return false;
    const ts_design *design = &d->design;
    const tessera_design_info own = {.size = sizeof own,
                                     .model = design->im->name,
                                     .mode = ts_mode_name(design->mode),
                                     .parts = design->parts,
                                     .features = design->im->features,
                                     .outputs = design->im->outputs,
                                     .pooled = design->im->pool != TS_POOL_NONE,
                                     .argmax = design->plan.argmax,
                                     .assisted = ts_assist_is(design),
                                     .max_tokens = design->plan.n_max,
                                     .plan_tokens = design->plan.plan_tokens,
                                     .clock_mhz = design->plan.clock_mhz};
    ts_give_summary(info, &own, sizeof own);
    return true;
}

/* ---- Predicting */

typedef struct asking {
    const tessera_design *design;
    int tokens;
    tessera_prediction *prediction;
    tessera_report **report;
} asking;

/* Hits of the events that are asked for. */
static bool take_tokens(const asking *j, int *tokens, ts_err *err)
{
    if (!j->design)
        return ts_fail_as(err, TS_USAGE, "there is no design");
    const ts_plan *plan = &j->design->design.plan;
    *tokens = j->tokens ? j->tokens : plan->plan_tokens;
    return (*tokens >= 1 && *tokens <= plan->n_max) ||
           ts_fail_as(err, TS_USAGE, "%s %d: the design takes at most %d hits; compile with %s %d", ts_option("tokens"), j->tokens,
                      plan->n_max, ts_option("max_tokens"), j->tokens);
}

static bool predict(void *user, const ts_notices *notices, ts_err *err)
{
    const asking *j = user;
    int tokens;
    if (!take_tokens(j, &tokens, err))
        return false;
    const ts_design *design = &j->design->design;
    ts_arena *arena = ts_arena_new();
    const ts_chain_prediction p = ts_design_predict(arena, design, tokens);
    const tessera_prediction own = {.size = sizeof own,
                                    .tokens = tokens,
                                    .latency_cycles = p.latency_cycles,
                                    .total_cycles = p.total_cycles,
                                    .interval_cycles = p.interval_cycles,
                                    .latency_us = (double)p.latency_cycles / design->plan.clock_mhz,
                                    .interval_us = (double)p.interval_cycles / design->plan.clock_mhz};
    ts_give_summary(j->prediction, &own, sizeof own);
    ts_arena_free(arena);
    return true;
}

tessera_code tessera_design_predict(const tessera_design *design, int tokens, tessera_prediction *prediction, tessera_error *error)
{
    return ts_call(NULL, error, predict, &(asking){design, tokens, prediction, NULL});
}

/* ---- Report */

static void print_stages(FILE *out, const ts_plan *plan, const ts_imodel *im, const ts_device *device)
{
    ts_stage_cost stage[TS_STAGE_COST_MAX];
    const int count = ts_plan_stage_costs(plan, im, device, stage);
    fprintf(out, "\n  %-18s %9s %9s %6s %7s %5s   (column `yosys`)\n", "stage", "LUT", "FF", "DSP", "BRAM36", "URAM");
    for (int i = 0; i < count; i++) {
        const ts_resources *r = &stage[i].cost.yosys;
        fprintf(out, "  %-18s %9.0f %9.0f %6.0f %7.1f %5.0f\n", stage[i].stage, r->lut, r->ff, r->dsp, r->bram36, r->uram);
    }
}

/* What was weighed when the design was compiled, and what decided, from its report. */
static void add_reasons(json_t *all, const char *dir)
{
    static const char *const members[] = {"alternatives", "why"};
    ts_err none = {""};
    json_t *report = ts_report_load(dir, &none);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_object_get(report, members[i]))
            json_object_set(all, members[i], json_object_get(report, members[i]));
    json_decref(report);
}

static void print(FILE *out, ts_arena *arena, const ts_design *design, const json_t *all)
{
    ts_report_print(out, all);
    const char *why = json_string_value(json_object_get(all, "why"));
    fputs(why ? why : "", out);
    fputs("plan verified: blocks, devices, links, queues, resources and predicted cycles\n", out);
    for (int p = 0; p < design->parts; p++) {
        const ts_system_ring *part = &design->part[p];
        ts_err none = {""};
        const ts_device *device = ts_design_device(arena, part->dir, part->device, &none);
        if (design->parts > 1)
            fprintf(out, "\n  part %d", p);
        if (device)
            print_stages(out, part->plan, part->im, device);
    }
}

static bool tell(void *user, const ts_notices *notices, ts_err *err)
{
    const asking *j = user;
    int tokens;
    if (!take_tokens(j, &tokens, err))
        return false;
    const ts_design *design = &j->design->design;
    ts_arena *arena = ts_arena_new();
    json_t *all = ts_design_json(arena, design, tokens, err);
    if (all) {
        json_object_set_new(all, "model", json_string(design->im->name));
        json_object_set_new(all, "clock_mhz", json_real(design->plan.clock_mhz));
        json_object_set_new(all, "verified", json_true());
        add_reasons(all, design->dir);
        ts_text text;
        print(ts_text_open(&text), arena, design, all);
        *j->report = ts_report_new(ts_text_close(&text, arena), ts_json_text(arena, all, JSON_INDENT(1) | JSON_SORT_KEYS));
    }
    const bool ok = all != NULL;
    json_decref(all);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_design_report(const tessera_design *design, int tokens, const tessera_callbacks *callbacks, tessera_report **report,
                                   tessera_error *error)
{
    *report = NULL;
    return ts_call(callbacks, error, tell, &(asking){design, tokens, NULL, report});
}

/* ---- What it is made of */

typedef struct showing {
    const tessera_design *design;
    int part;
    tessera_report **report;
} showing;

static const char *ring_text(ts_arena *arena, const ts_system_ring *part, ts_err *err)
{
    const ts_device *device = ts_design_device(arena, part->dir, part->device, err);
    return device ? ts_ring_text(arena, part->built, device) : NULL;
}

static bool show(void *user, const ts_notices *notices, ts_err *err)
{
    const showing *j = user;
    if (!j->design || j->part < -1 || j->part >= j->design->design.parts)
        return ts_fail_as(err, TS_USAGE, "the design has no part %d", j->part);
    const ts_design *design = &j->design->design;
    ts_arena *arena = ts_arena_new();
    const char *lines;
    if (j->part < 0) {
        ts_text text;
        ts_system_dump(ts_text_open(&text), &design->system);
        lines = ts_text_close(&text, arena);
    } else {
        lines = ring_text(arena, &design->part[j->part], err);
    }
    if (lines)
        *j->report = ts_report_new(lines, NULL);
    ts_arena_free(arena);
    return lines != NULL;
}

tessera_code tessera_design_ring(const tessera_design *design, int part, tessera_report **report, tessera_error *error)
{
    *report = NULL;
    return ts_call(NULL, error, show, &(showing){design, part, report});
}
