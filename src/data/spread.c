#include "data/spread.h"

#include <math.h>
#include <stdio.h>

/* Single columns of real files, standardised by means and deviations of others, have been seen with spreads of 0.3 to 2 and means up to 1.
 */
enum { FEWEST = 5 };
static const double NARROW = 0.15, WIDE = 6, OFF = 4;

void ts_spread_add(ts_spread *s, double value)
{
    s->count++;
    s->sum += value;
    s->squares += value * value;
}

double ts_spread_mean(const ts_spread *s)
{
    return s->count ? s->sum / (double)s->count : 0;
}

double ts_spread_deviation(const ts_spread *s)
{
    const double mean = ts_spread_mean(s);
    return s->count ? sqrt(fmax(0, s->squares / (double)s->count - mean * mean)) : 0;
}

/* How many times too large or too small; 1 where nothing is odd. */
static double oddness(const ts_spread *s)
{
    const double mean = fabs(ts_spread_mean(s)), deviation = ts_spread_deviation(s), reach = fmax(mean, deviation);
    if (s->count < FEWEST)
        return 1;
    if (mean > OFF || deviation > WIDE)
        return reach;
    return reach > 0 && deviation > 1e-6 * mean && reach < NARROW ? 1 / reach : 1;
}

bool ts_spread_is_odd(const ts_spread *spread, const ts_inputs *in, char *text, size_t room)
{
    int worst = 0, odd = 0;
    for (int f = 0; f < in->features; f++) {
        odd += oddness(&spread[f]) > 1;
        worst = oddness(&spread[f]) > oddness(&spread[worst]) ? f : worst;
    }
    if (!odd)
        return false;
    const ts_spread *s = &spread[worst];
    const int used = snprintf(text, room, "%s has mean %.3g and spread %.3g over %lld hits", in->column[worst], ts_spread_mean(s),
                              ts_spread_deviation(s), s->count);
    if (odd > 1 && used > 0 && (size_t)used < room)
        snprintf(text + used, room - (size_t)used, " (and %d of %d columns are like that)", odd, in->features);
    return true;
}
