#include "flow/weights.h"

#include "api/call.h"
#include "api/source.h"
#include "base/json.h"

typedef struct job {
    const tessera_weights_options *given;
    tessera_report **report;
} job;

static bool weights(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    tessera_weights_options g;
    ts_taken_source source;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_weights_options, err) || !ts_take_source(g.source, notices, &source, err))
        return false;
    if (!g.model || !g.directory || !g.output)
        return ts_fail_as(err, TS_USAGE, "model, directory and %s are needed", ts_option("output"));
    if (g.calibrate < 0 || g.calibrate > 1000000)
        return ts_fail_as(err, TS_USAGE, "%s is %d; expected 1 to 1000000", ts_option("calibrate"), g.calibrate);
    const ts_weights_options o = {
        .model = g.model, .directory = g.directory, .output = g.output, .source = source.own, .calibrate = g.calibrate};
    ts_arena *arena = ts_arena_new();
    const char *text = "";
    json_t *json = NULL;
    const bool ok = ts_weights_file(arena, &o, &text, &json, err);
    if (ok && j->report)
        *j->report = ts_report_new(text, ts_json_text(arena, json, JSON_INDENT(2) | JSON_SORT_KEYS));
    json_decref(json);
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_weights(const tessera_weights_options *options, const tessera_callbacks *callbacks, tessera_report **report,
                             tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, weights, &(job){options, report});
}
