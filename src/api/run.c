#define TS_FAIL_CODE TS_USAGE
#include "flow/run.h"

#include "api/call.h"
#include "api/source.h"

_Static_assert((int)TS_ENGINE_FLOAT == (int)TESSERA_FLOAT && (int)TS_ENGINE_INTEGER == (int)TESSERA_INTEGER &&
                   (int)TS_ENGINE_RTL == (int)TESSERA_RTL,
               "kinds of engines are the same");

typedef struct job {
    const tessera_run_options *given;
    tessera_run_summary *summary;
    tessera_report **report;
} job;

static bool run(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    tessera_run_options g;
    ts_taken_source source;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_run_options, err) || !ts_take_source(g.source, notices, &source, err))
        return false;
    if (!g.path || !g.output)
        return ts_fail(err, "path and %s are needed", ts_option("output"));
    if (g.engine < TESSERA_FLOAT || g.engine > TESSERA_RTL)
        return ts_fail(err, "%s %d: there is no such one", ts_option("engine"), (int)g.engine);
    const ts_run_options own = {.kind = (ts_engine_kind)g.engine,
                                .path = g.path,
                                .weights = g.weights,
                                .output = g.output,
                                .trace = g.trace,
                                .source = source.own,
                                .logits = g.logits};
    ts_arena *arena = ts_arena_new();
    ts_run_summary made;
    const bool ok = ts_run(arena, &own, &made, err);
    ts_give_summary(j->summary, &(tessera_run_summary){sizeof(tessera_run_summary), made.events, made.refused},
                    sizeof(tessera_run_summary));
    if (j->report)
        *j->report = ts_report_new(made.text, NULL);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_run(const tessera_run_options *options, const tessera_callbacks *callbacks, tessera_run_summary *summary,
                         tessera_report **report, tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, run, &(job){options, summary, report});
}
