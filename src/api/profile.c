#include "flow/profile.h"

#include "api/call.h"
#include "api/source.h"
#include "base/json.h"
#include "base/text.h"

enum { EVENTS = 20 }; /* where nobody says how many */

typedef struct job {
    const tessera_profile_options *given;
    tessera_report **report;
} job;

static tessera_report *report(ts_arena *arena, const ts_profile *p, bool all)
{
    ts_text text;
    ts_profile_print(p, all, ts_text_open(&text));
    json_t *json = ts_profile_json(p);
    tessera_report *made = ts_report_new(ts_text_close(&text, arena), ts_json_text(arena, json, JSON_INDENT(1) | JSON_PRESERVE_ORDER));
    json_decref(json);
    return made;
}

static bool profile(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    tessera_profile_options g;
    ts_taken_source source;
    if (!TS_TAKE_OPTIONS(&g, j->given, tessera_profile_options, err) || !ts_take_source(g.source, notices, &source, err))
        return false;
    if (!g.directory)
        return ts_fail_as(err, TS_USAGE, "directory: a compiled design is needed");
    if (source.own.limit == 0)
        source.own.limit = EVENTS;
    ts_arena *arena = ts_arena_new();
    const ts_profile *p = ts_profile_directory(arena, g.directory, &source.own, err);
    if (p && j->report)
        *j->report = report(arena, p, g.all);
    ts_arena_free(arena);
    return p != NULL;
}

tessera_code tessera_profile(const tessera_profile_options *options, const tessera_callbacks *callbacks, tessera_report **report_made,
                             tessera_error *error)
{
    if (report_made)
        *report_made = NULL;
    return ts_call(callbacks, error, profile, &(job){options, report_made});
}
