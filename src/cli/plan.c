/* tessera plan */
#include "cli/predicted.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "report/report.h"

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
    const ts_args_result parsed = ts_args_parse(verb, table, argc, argv, &dir, &err);
    if (parsed != TS_ARGS_OK)
        return parsed == TS_ARGS_HELP ? 0 : ts_cli_usage(verb, &err);
    ts_arena *arena = ts_arena_new();
    ts_design design;
    bool ok = ts_design_load(arena, dir, &design, &err);
    if (ok) {
        const ts_plan *plan = &design.plan;
        const ts_device *device = ts_device_find(arena, plan->device, &err);
        ok = device && (tokens <= plan->n_max || ts_fail(&err, "--tokens %d: the design takes at most %d hits; compile with --max-tokens %d", tokens,
                                                         plan->n_max, tokens));
        if (ok) {
            const ts_prediction p = ts_predict(plan, design.im, tokens ? tokens : plan->plan_tokens);
            const ts_cost cost = ts_plan_cost(plan, design.im, device);
            json_t *all = json_pack("{s:s, s:s, s:f, s:s, s:o, s:o}", "model", design.im->name, "device", device->name, "clock_mhz",
                                    plan->clock_mhz, "mode", "monolithic", "predicted", ts_predicted_json(&p, &cost), "device_has",
                                    ts_resources_json(&device->has));
            CHECK(all);
            if (as_json) {
                json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
                putchar('\n');
            } else {
                ts_report_print(stdout, all);
                print_stages(plan, design.im, device);
            }
            json_decref(all);
        }
        ts_design_free(&design);
    }
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
