#include "flow/compile.h"

#include "api/call.h"
#include "api/source.h"
#include "base/text.h"
#include "design/report.h"

typedef struct job {
    const tessera_compile_options *given;
    tessera_report **report;
} job;

/* A way of the caller's; NULL: none. */
static const ts_way *way_of(const tessera_way *given, ts_way *own)
{
    if (given)
        *own = (ts_way){given->bandwidth, given->latency_ns};
    return given ? own : NULL;
}

static bool mode_of(tessera_mode mode, ts_deploy_options *to, ts_err *err)
{
    static const ts_mode modes[] = {[TESSERA_MODE_MONOLITHIC] = TS_MODE_MONOLITHIC,
                                    [TESSERA_MODE_REPLICATED] = TS_MODE_REPLICATED,
                                    [TESSERA_MODE_PAGED] = TS_MODE_PAGED,
                                    [TESSERA_MODE_SPLIT] = TS_MODE_SPLIT,
                                    [TESSERA_MODE_ASSISTED] = TS_MODE_ASSISTED};
    const size_t at = (size_t)mode;
    if (at >= sizeof modes / sizeof *modes)
        return ts_fail_as(err, TS_USAGE, "%s %d: there is no such mode", ts_option("mode"), (int)mode);
    to->any_mode = mode == TESSERA_MODE_AUTO;
    to->mode = modes[at];
    return true;
}

static bool objective_of(tessera_objective objective, ts_deploy_options *to, ts_err *err)
{
    static const ts_objective objectives[] = {
        [TESSERA_LATENCY] = TS_OBJECTIVE_LATENCY, [TESSERA_THROUGHPUT] = TS_OBJECTIVE_THROUGHPUT, [TESSERA_AREA] = TS_OBJECTIVE_AREA};
    const size_t at = (size_t)objective;
    if (at >= sizeof objectives / sizeof *objectives)
        return ts_fail_as(err, TS_USAGE, "%s %d: there is no such objective", ts_option("objective"), (int)objective);
    to->objective = objectives[at];
    return true;
}

static bool parity_of(tessera_parity parity, ts_parity *to, ts_err *err)
{
    static const ts_parity parities[] = {
        [TESSERA_PARITY_PAGES] = TS_PARITY_PAGES, [TESSERA_PARITY_NONE] = TS_PARITY_NONE, [TESSERA_PARITY_ALL] = TS_PARITY_ALL};
    const size_t at = (size_t)parity;
    if (at >= sizeof parities / sizeof *parities)
        return ts_fail_as(err, TS_USAGE, "%s %d: there is no such parity", ts_option("parity"), (int)parity);
    *to = parities[at];
    return true;
}

/* What the command prints. */
static const char *text_of(ts_arena *arena, const json_t *report, const char *why)
{
    ts_text text;
    FILE *f = ts_text_open(&text);
    ts_report_print(f, report);
    fputs(why, f);
    return ts_text_close(&text, arena);
}

static bool compile(void *user, const ts_notices *notices, ts_err *err)
{
    job *j = user;
    tessera_compile_options g;
    ts_taken_source source;
    ts_way link, memory, host;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_compile_options, err) || !ts_take_source(g.source, notices, &source, err))
        return false;
    if (!g.model || !g.output || !g.device)
        return ts_fail_as(err, TS_USAGE, "model, %s and %s are needed", ts_option("output"), ts_option("device"));
    ts_compile_options o = {.model = g.model,
                            .output = g.output,
                            .formats = g.formats,
                            .hardware = g.hardware,
                            .host = way_of(g.host, &host),
                            .source = source.own,
                            .deploy = {.device = g.device,
                                       .devices = g.devices,
                                       .link = way_of(g.link, &link),
                                       .memory = way_of(g.memory, &memory),
                                       .pin = g.pin},
                            .calibrate = g.calibrate,
                            .select = g.select,
                            .max_tokens = g.max_tokens,
                            .plan_tokens = g.plan_tokens,
                            .target_ii = g.target_ii,
                            .page_buffers = g.page_buffers,
                            .acc_margin = g.acc_margin,
                            .loss = g.loss,
                            .clock_mhz = g.clock_mhz,
                            .utilisation = g.utilisation,
                            .logits = g.logits};
    if (!mode_of(g.mode, &o.deploy, err) || !objective_of(g.objective, &o.deploy, err) || !parity_of(g.parity, &o.parity, err))
        return false;
    ts_arena *arena = ts_arena_new();
    json_t *report = NULL;
    const char *why = "";
    const bool ok = ts_compile(arena, &o, &report, &why, err);
    if (ok && j->report)
        *j->report = ts_report_new(text_of(arena, report, why), ts_report_text(arena, report));
    json_decref(report);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_compile(const tessera_compile_options *options, const tessera_callbacks *callbacks, tessera_report **report,
                             tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, compile, &(job){options, report});
}
