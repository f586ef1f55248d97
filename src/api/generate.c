#define TS_FAIL_CODE TS_USAGE
#include "flow/generate.h"

#include "api/call.h"
#include "base/json.h"

typedef struct job {
    const tessera_generate_options *given;
    tessera_report **report;
} job;

void tessera_generate_defaults(tessera_generate_options *options)
{
    const ts_generate_options d = ts_generate_defaults();
    const tessera_generate_options own = {
        .field = d.field, .noise = d.noise, .efficiency = d.efficiency, .overlap = d.overlap, .smear_um = 1e3 * d.smear};
    ts_give_summary(options, &own, sizeof own);
}

static const char *totals_json(ts_arena *arena, const ts_generate_totals *t)
{
    json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "events", (json_int_t)t->events, "tracks", (json_int_t)t->particles,
                            "hits", (json_int_t)t->hits, "noise", (json_int_t)t->noise, "doubled", (json_int_t)t->doubles, "dropped",
                            (json_int_t)t->dropped, "crossings", (json_int_t)t->crossings);
    CHECK(all);
    const char *text = ts_json_text(arena, all, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(all);
    return text;
}

static bool generate(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    tessera_generate_options g;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_generate_options, err))
        return false;
    if (!g.output || g.seed < 0)
        return ts_fail(err, "%s, and a %s from 0, are needed", ts_option("output"), ts_option("seed"));
    ts_generate_job own = {.notices = notices,
                           .options = ts_generate_defaults(),
                           .geometry = g.geometry,
                           .output = g.output,
                           .first = g.first_event,
                           .count = g.events};
    own.options.seed = (uint64_t)g.seed;
    own.options.tracks_lo = g.tracks_least;
    own.options.tracks_hi = g.tracks_most;
    own.options.field = g.field;
    own.options.noise = g.noise;
    own.options.efficiency = g.efficiency;
    own.options.overlap = g.overlap;
    own.options.smear = g.smear_um * 1e-3;
    ts_arena *arena = ts_arena_new();
    ts_generate_totals totals;
    const char *text;
    const bool ok = ts_generate_file(arena, &own, &totals, &text, err);
    if (ok && j->report)
        *j->report = ts_report_new(text, totals_json(arena, &totals));
    ts_arena_free(arena);
    return ok;
}

tessera_code tessera_generate(const tessera_generate_options *options, const tessera_callbacks *callbacks, tessera_report **report,
                              tessera_error *error)
{
    if (report)
        *report = NULL;
    return ts_call(callbacks, error, generate, &(job){options, report});
}
