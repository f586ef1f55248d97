/* tessera events */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/library.h"
#include "cli/verbs.h"

/* LO-HI, or one number for both. */
static bool parse_tracks(const char *text, tessera_generate_options *o)
{
    enum { MOST = 1000 };
    char *end;
    const long lo = strtol(text, &end, 10), hi = *end == '-' && end != text ? strtol(end + 1, &end, 10) : lo;
    if (end == text || *end || lo < 1 || lo > hi || hi > MOST)
        return false;
    o->tracks_least = (int)lo;
    o->tracks_most = (int)hi;
    return true;
}

/* Whether what is written to `path` goes where standard output goes (not to nowhere). */
static bool is_stdout(const char *path)
{
    struct stat x, y, null;
    if (stat(path, &x) != 0 || fstat(STDOUT_FILENO, &y) != 0 || x.st_dev != y.st_dev || x.st_ino != y.st_ino)
        return false;
    return stat("/dev/null", &null) != 0 || !S_ISCHR(x.st_mode) || x.st_rdev != null.st_rdev;
}

static int generate(const ts_verb *verb, const char *tracks, tessera_generate_options *o)
{
    if (!parse_tracks(tracks, o))
        return ts_cli_wrong(verb, "--tracks is '%s'; expected LO-HI, integers with 1 <= LO <= HI <= 1000, such as 10-50", tracks);
    const tessera_callbacks callbacks = ts_cli_callbacks(verb->name);
    tessera_report *report;
    tessera_error error;
    tessera_generate(o, &callbacks, &report, &error);
    fputs(tessera_report_text(report), is_stdout(o->output) ? stderr : stdout); /* not between the events */
    tessera_report_free(report);
    return ts_cli_done(verb, &error);
}

int ts_verb_events(const ts_verb *verb, int argc, char **argv)
{
    const char *tracks = NULL;
    tessera_generate_options o = TESSERA_INIT(tessera_generate_options);
    tessera_generate_defaults(&o);
    const ts_arg table[] = {
        {"events", TS_ARG_INT, "N", "how many", &o.events, 1, 1e8, true},
        {"tracks", TS_ARG_TEXT, "LO-HI", "tracks of an event, 1 to 1000, uniform", &tracks, 0, 0, true},
        {"seed", TS_ARG_INT, "S", "the same seed gives the same events everywhere", &o.seed, 0, 2147483647, true},
        {"geometry", TS_ARG_TEXT, "NAME", "trackml-like (default), redvid-like or a FILE.json", &o.geometry, 0, 0, false},
        {"field", TS_ARG_NUMBER, "T", "solenoid field along z (2); 0: straight tracks", &o.field, -20, 20, false},
        {"noise", TS_ARG_NUMBER, "F", "noise hits for every hit of a track (0.02)", &o.noise, 0, 1, false},
        {"efficiency", TS_ARG_NUMBER, "F", "share of crossings that make a hit (0.97)", &o.efficiency, 0, 1, false},
        {"overlap", TS_ARG_NUMBER, "F", "share of hits doubled by an overlapping module (0.1)", &o.overlap, 0, 1, false},
        {"smear", TS_ARG_NUMBER, "UM", "resolution in micrometres, each way (50)", &o.smear_um, 0, 10000, false},
        {"first-event", TS_ARG_INT, "K", "number of the first event (0): makes any part of a set", &o.first_event, 0, 1e9, false},
        {"o", TS_ARG_TEXT, "FILE.csv", "where to write", &o.output, 0, 0, true},
        {NULL, TS_ARG_FLAG, NULL, NULL, NULL, 0, 0, false},
    };
    int status;
    return ts_args_parse(verb, table, argc, argv, NULL, &status) ? generate(verb, tracks, &o) : status;
}
