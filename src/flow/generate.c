#define TS_FAIL_CODE TS_USAGE
#include "flow/generate.h"

#include "base/text.h"
#include "flow/output.h"

/* What physics/generate.h takes, and what is of any sense. */
static bool check(const ts_generate_job *job, ts_err *err)
{
    const ts_generate_options *g = &job->options;
    const struct {
        const char *member;
        double value, least, most;
    } range[] = {
        {"field", g->field, -20, 20},
        {"noise", g->noise, 0, 1},
        {"efficiency", g->efficiency, 0, 1},
        {"overlap", g->overlap, 0, 1},
        {"smear_um", 1e3 * g->smear, 0, 1e4},
        {"events", (double)job->count, 1, 1e8},
        {"first_event", (double)job->first, 0, 1e9},
    };
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (!(range[i].value >= range[i].least && range[i].value <= range[i].most))
            return ts_fail(err, "%s is %g; expected %g to %g", ts_option(range[i].member), range[i].value, range[i].least, range[i].most);
    return (g->tracks_lo >= 1 && g->tracks_lo <= g->tracks_hi && g->tracks_hi <= TS_GENERATE_MAX_TRACKS) ||
           ts_fail(err, "%s %d to %d: expected 1 to %d, the lower one first", ts_option("tracks"), g->tracks_lo, g->tracks_hi,
                   TS_GENERATE_MAX_TRACKS);
}

static void describe(FILE *out, const ts_generate_job *job, const ts_geometry *geometry, const ts_generate_totals *t)
{
    const double real = (double)(t->hits - t->noise), tracks = (double)t->particles, events = (double)t->events;
    fprintf(out, "%s: %lld events in %s, %g T\n", job->output, (long long)t->events, geometry->name, job->options.field);
    fprintf(out, "  %.1f tracks and %.1f hits an event, %.2f hits a track\n", tracks / events, (double)t->hits / events, real / tracks);
    fprintf(out, "  %.2f %% of crossings found, %.2f %% of hits doubled, %.2f %% noise; %lld particles with fewer than %d hits dropped\n",
            100 * (real - (double)t->doubles) / (double)t->crossings, 100 * (double)t->doubles / (real - (double)t->doubles),
            100 * (double)t->noise / real, (long long)t->dropped, TS_GENERATE_MIN_HITS);
}

static void go_on(void *user, double share)
{
    ts_notice_at(user, share);
}

bool ts_generate_file(ts_arena *arena, const ts_generate_job *job, ts_generate_totals *totals, const char **text, ts_err *err)
{
    const char *name = job->geometry ? job->geometry : "trackml-like";
    const ts_geometry *geometry = check(job, err) ? ts_geometry_find(arena, name, err) : NULL;
    if (!geometry || !ts_check_output(job->output, err) || !ts_check_output_is_not(job->output, job->geometry, "the geometry", err))
        return false;
    ts_notice_step(job->notices, "making %lld events", (long long)job->count);
    const bool ok = ts_generate_csv(geometry, &job->options, job->first, job->count, job->output, go_on, (void *)job->notices, totals, err);
    ts_notice_step_end(job->notices);
    if (!ok)
        return false;
    ts_text made;
    describe(ts_text_open(&made), job, geometry, totals);
    *text = ts_text_close(&made, arena);
    return true;
}
