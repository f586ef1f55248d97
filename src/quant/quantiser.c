#include "quant/quantiser.h"

#include <float.h>
#include <math.h>

#include "num/fixed.h"

/* As TS_ROOM_WIDE, where bits are scarce. */
static const double ROOM = 1.05;

/* Few values say little about the largest to come (a pooled model's head sees one token an event). */
static const double ROOM_SAMPLES = 10;

/* Room for other events where only one was seen. */
static const float ONE_EVENT = 0.25F;

int ts_q_bits(const ts_quantiser *q, ts_fmt_key key, int layer)
{
    return ts_formats_get(q->fmt, key, layer);
}

/* How far beyond the largest of all events the largest of as many others is to be expected: about as far as the largest is beyond the
   second largest (the spacing of extremes of an exponential tail). One event says nothing of the others, and one value nothing of how
   far values spread. */
static float beyond(const ts_range *r, float most, float second)
{
    if (r->events > 1)
        return fabsf(most - second);
    return ONE_EVENT * (r->count > 1 ? fminf(fabsf(most), r->max - r->min) : fabsf(most));
}

ts_range ts_q_expect(ts_range seen)
{
    ts_range r = seen;
    r.min = fmaxf(seen.min - beyond(&seen, seen.min, seen.min2), -FLT_MAX);
    r.max = fminf(seen.max + beyond(&seen, seen.max, seen.max2), FLT_MAX);
    CHECK(r.min <= seen.min && r.max >= seen.max);
    return r;
}

const ts_range *ts_q_ranges(const ts_quantiser *q, int layer, ts_role role, int part, int channels)
{
    int got;
    const ts_range *seen = ts_calibration_get(q->cal, layer, role, part, &got);
    CHECK(seen && got == channels);
    ts_range *r = TS_NEW_N(q->scratch, ts_range, channels);
    for (int c = 0; c < channels; c++)
        r[c] = ts_q_expect(seen[c]);
    return r;
}

double ts_q_reach(const ts_range *r)
{
    return fmax(fabs((double)r->min), fabs((double)r->max));
}

double ts_q_room(const ts_range *r)
{
    return ROOM + fmin(1, ROOM_SAMPLES / (double)r->count);
}

double ts_q_tensor_reach(const ts_quantiser *q, int layer, ts_role role, int part, int channels)
{
    const ts_range *r = ts_q_ranges(q, layer, role, part, channels);
    double top = 0;
    for (int c = 0; c < channels; c++)
        top = fmax(top, ts_q_reach(&r[c]));
    return top;
}

double *ts_q_constant(ts_arena *arena, int count, double value)
{
    double *x = TS_NEW_N(arena, double, count);
    for (int i = 0; i < count; i++)
        x[i] = value;
    return x;
}

double ts_q_signed_scale(double top, int width)
{
    return (top > 0 ? top : 1) / (double)ts_fmt_max(width, true);
}
