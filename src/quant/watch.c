#include "quant/watch.h"

#include <math.h>
#include <stdarg.h>

/* A value this many times beyond those of all other events takes that share of its format's steps from them. */
static const double ALONE = 8;

static void warn(const ts_formats *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(const ts_formats *f, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->warn(f->warn_user, text);
}

static double reach(float min, float max)
{
    return fmax(fabs((double)min), fabs((double)max));
}

/* Whether the extremes of every column are met in two events or more. */
static bool all_met_twice(const ts_range *r, int channels)
{
    for (int c = 0; c < channels; c++)
        if (r[c].min < r[c].min2 || r[c].max > r[c].max2)
            return false;
    return true;
}

static void watch_inputs(const ts_range *in, const ts_formats *f, int features, const char *const *column)
{
    int constant = 0;
    for (int c = 0; c < features; c++) {
        char name[96];
        snprintf(name, sizeof name, column ? "in: column '%.64s'" : "in: feature %s%d", column ? column[c] : "", c);
        const double most = reach(in[c].min, in[c].max), others = reach(in[c].min2, in[c].max2);
        if (in[c].max <= in[c].min) {
            warn(f, "%s is always %g (standardised) in calibration; any other value in use may saturate", name, (double)in[c].max);
            constant++;
        } else if (in[c].events > 1 && most > ALONE * others) {
            warn(f, "%s reaches %.3g (standardised) in one event and %.3g in all others, which are left with few steps; is that hit real?",
                 name, most, others);
        }
    }
    if (in[0].events > 1 && constant < features && all_met_twice(in, features))
        warn(
            f,
            "in: the calibration events have the same extremes in every column, as copies of one event have; ranges of others are guessed");
}

/* Channels of the FFNs that no event turns on. */
static void watch_hidden(const ts_encoder *enc, const ts_calibration *cal, const ts_formats *f)
{
    int channels, dead = 0, most = 0, at = 0;
    for (int l = 0; l < enc->layers; l++) {
        int here = 0;
        const ts_range *r = ts_calibration_get(cal, l, TS_ROLE_HIDDEN, 0, &channels);
        for (int c = 0; r && c < channels; c++)
            here += r[c].max <= r[c].min;
        dead += here;
        if (here > most) {
            most = here;
            at = l;
        }
    }
    if (dead > 0)
        warn(f,
             "hidden: %d of %d channels of the FFNs never change in calibration, most in layers.%d.hidden (%d); they cost hardware for "
             "nothing, or the "
             "events are too few",
             dead, enc->layers * enc->ff, at, most);
}

void ts_watch_calibration(const ts_encoder *enc, const ts_calibration *cal, const ts_formats *formats, const char *const *column)
{
    int channels;
    const ts_range *in = ts_calibration_get(cal, 0, TS_ROLE_IN, 0, &channels);
    if (!formats->warn || !in)
        return;
    if (ts_calibration_events(cal) == 1)
        warn(formats, "in: calibrated on one event of %lld hits; ranges of others are guessed, give more events",
             ts_calibration_tokens(cal));
    watch_inputs(in, formats, channels, column);
    watch_hidden(enc, cal, formats);
}
