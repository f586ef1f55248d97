/* tessera events */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "flow/output.h"
#include "physics/generate_csv.h"

typedef struct options {
    const char *tracks, *geometry, *output;
    int events, seed, first;
    double field, noise, efficiency, overlap, smear_um;
} options;

/* LO-HI, or one number for both. */
static bool parse_tracks(const char *text, ts_generate_options *g, ts_err *err)
{
    char *end;
    const long lo = strtol(text, &end, 10), hi = *end == '-' && end != text ? strtol(end + 1, &end, 10) : lo;
    if (end == text || *end || lo < 1 || lo > hi || hi > TS_GENERATE_MAX_TRACKS)
        return ts_fail_as(err, TS_USAGE, "--tracks is '%s'; expected LO-HI, integers with 1 <= LO <= HI <= %d, such as 10-50", text,
                          TS_GENERATE_MAX_TRACKS);
    g->tracks_lo = (int)lo;
    g->tracks_hi = (int)hi;
    return true;
}

/* Not between the events, where these go to standard output. */
static void print_totals(const options *o, const ts_geometry *geometry, const ts_generate_totals *t)
{
    FILE *out = ts_file_is_stdout(o->output) ? stderr : stdout;
    const double real = (double)(t->hits - t->noise), tracks = (double)t->particles, events = (double)t->events;
    fprintf(out, "%s: %lld events in %s, %g T\n", o->output, (long long)t->events, geometry->name, o->field);
    fprintf(out, "  %.1f tracks and %.1f hits an event, %.2f hits a track\n", tracks / events, (double)t->hits / events, real / tracks);
    fprintf(out, "  %.2f %% of crossings found, %.2f %% of hits doubled, %.2f %% noise; %lld particles with fewer than %d hits dropped\n",
            100 * (real - (double)t->doubles) / (double)t->crossings, 100 * (double)t->doubles / (real - (double)t->doubles),
            100 * (double)t->noise / real, (long long)t->dropped, TS_GENERATE_MIN_HITS);
}

static bool execute(ts_arena *arena, const options *o, ts_err *err)
{
    ts_generate_options g = ts_generate_defaults();
    g.seed = (uint64_t)o->seed;
    g.field = o->field;
    g.noise = o->noise;
    g.efficiency = o->efficiency;
    g.overlap = o->overlap;
    g.smear = o->smear_um * 1e-3;
    const ts_geometry *geometry = parse_tracks(o->tracks, &g, err) ? ts_geometry_find(arena, o->geometry, err) : NULL;
    if (!geometry)
        return false;
    if (!ts_check_output(o->output, err) || !ts_check_output_is_not(o->output, o->geometry, "the geometry", err))
        return false;
    ts_generate_totals totals;
    ts_progress("making %d events", o->events);
    const bool ok = ts_generate_csv(geometry, &g, o->first, o->events, o->output, ts_progress_at, &totals, err);
    ts_progress_end();
    if (ok)
        print_totals(o, geometry, &totals);
    return ok;
}

int ts_verb_events(const ts_verb *verb, int argc, char **argv)
{
    const ts_generate_options d = ts_generate_defaults();
    options o = {.geometry = "trackml-like",
                 .field = d.field,
                 .noise = d.noise,
                 .efficiency = d.efficiency,
                 .overlap = d.overlap,
                 .smear_um = 1e3 * d.smear};
    const ts_arg table[] = {
        {"events", TS_ARG_INT, "N", "how many", &o.events, 1, 1e8, true},
        {"tracks", TS_ARG_TEXT, "LO-HI", "tracks of an event, 1 to 1000, uniform", &o.tracks, 0, 0, true},
        {"seed", TS_ARG_INT, "S", "the same seed gives the same events everywhere", &o.seed, 0, 2147483647, true},
        {"geometry", TS_ARG_TEXT, "NAME", "trackml-like (default), redvid-like or a FILE.json", &o.geometry, 0, 0, false},
        {"field", TS_ARG_NUMBER, "T", "solenoid field along z (2); 0: straight tracks", &o.field, -20, 20, false},
        {"noise", TS_ARG_NUMBER, "F", "noise hits for every hit of a track (0.02)", &o.noise, 0, 1, false},
        {"efficiency", TS_ARG_NUMBER, "F", "share of crossings that make a hit (0.97)", &o.efficiency, 0, 1, false},
        {"overlap", TS_ARG_NUMBER, "F", "share of hits doubled by an overlapping module (0.1)", &o.overlap, 0, 1, false},
        {"smear", TS_ARG_NUMBER, "UM", "resolution in micrometres, each way (50)", &o.smear_um, 0, 10000, false},
        {"first-event", TS_ARG_INT, "K", "number of the first event (0): makes any part of a set", &o.first, 0, 1e9, false},
        {"o", TS_ARG_TEXT, "FILE.csv", "where to write", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    ts_err err = {""};
    int status;
    if (!ts_args_parse(verb, table, argc, argv, NULL, &status))
        return status;
    ts_arena *arena = ts_arena_new();
    const bool ok = execute(arena, &o, &err);
    ts_progress_end();
    ts_arena_free(arena);
    return ok ? 0 : ts_cli_fail(verb, &err);
}
