/* tessera plan */
#include "base/json.h"
#include "cli/verbs.h"
#include "design/report.h"
#include "flow/deploy.h"
#include "flow/session.h"
#include "ring/plan_cost.h"

static void print_stages(const ts_plan *plan, const ts_imodel *im, const ts_device *device)
{
    ts_stage_cost stage[TS_STAGE_COST_MAX];
    const int count = ts_plan_stage_costs(plan, im, device, stage);
    printf("\n  %-18s %9s %9s %6s %7s %5s   (column `yosys`)\n", "stage", "LUT", "FF", "DSP", "BRAM36", "URAM");
    for (int i = 0; i < count; i++) {
        const ts_resources *r = &stage[i].cost.yosys;
        printf("  %-18s %9.0f %9.0f %6.0f %7.1f %5.0f\n", stage[i].stage, r->lut, r->ff, r->dsp, r->bram36, r->uram);
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

static void print(ts_arena *arena, const ts_design *design, const json_t *all, bool as_json)
{
    if (as_json) {
        ts_json_print(stdout, all, JSON_INDENT(1) | JSON_SORT_KEYS);
        return;
    }
    ts_report_print(stdout, all);
    const char *why = json_string_value(json_object_get(all, "why"));
    fputs(why ? why : "", stdout);
    puts("plan verified: blocks, devices, links, queues, resources and predicted cycles");
    for (int p = 0; p < design->parts; p++) {
        const ts_system_ring *part = &design->part[p];
        ts_err none = {""};
        const ts_device *device = ts_design_device(arena, part->dir, part->device, &none);
        if (design->parts > 1)
            printf("\n  part %d", p);
        if (device)
            print_stages(part->plan, part->im, device);
    }
}

int ts_verb_plan(const ts_verb *verb, int argc, char **argv)
{
    const char *dir = NULL;
    int tokens = 0;
    bool as_json = false;
    const ts_arg table[] = {
        {"tokens", TS_ARG_INT, "N", "hits of the event (those it was planned for)", &tokens, 1, 65536, false},
        {"json", TS_ARG_FLAG, NULL, "print JSON", &as_json, 0, 0, false},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, &dir, &status))
        return status;
    ts_arena *arena = ts_arena_new();
    ts_design design;
    bool ok = ts_design_load(arena, dir, &design, &err);
    if (ok) {
        const ts_plan *plan = &design.plan;
        ok = ts_design_verify(arena, &design, &err);
        ok = ok && (tokens <= plan->n_max ||
                    ts_fail_as(&err, TS_USAGE, "--tokens %d: the design takes at most %d hits; compile with --max-tokens %d", tokens,
                               plan->n_max, tokens));
        json_t *all = ok ? ts_design_json(arena, &design, tokens ? tokens : plan->plan_tokens, &err) : NULL;
        ok = all != NULL;
        if (ok) {
            json_object_set_new(all, "model", json_string(design.im->name));
            json_object_set_new(all, "clock_mhz", json_real(plan->clock_mhz));
            json_object_set_new(all, "verified", json_true());
            add_reasons(all, dir);
            print(arena, &design, all, as_json);
        }
        json_decref(all);
        ts_design_free(&design);
    }
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
