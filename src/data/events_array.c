/* Events from arrays. What is wrong with them is the caller's. */
#define TS_FAIL_CODE TS_USAGE
#include <math.h>

#include "data/event_rows.h"

bool ts_array_events_open(const ts_event_arrays *a, const ts_inputs *in, ts_array_events *from, ts_err *err)
{
    *from = (ts_array_events){.from = a, .in = in};
    if (a->events < 1)
        return ts_fail(err, TS_ARRAYS ": there are no events");
    if (a->features != in->features)
        return ts_fail(err, TS_ARRAYS ": a hit has %d values, not %d", a->features, in->features);
    from->seen = a->id ? ts_id_set_new() : NULL;
    return true;
}

void ts_array_events_close(ts_array_events *from)
{
    ts_id_set_free(from->seen);
    from->seen = NULL;
}

ts_event_status ts_array_events_next(ts_array_events *s, ts_event_rows *rows, int64_t *id, ts_err *err)
{
    const ts_event_arrays *a = s->from;
    if (s->next == a->events)
        return TS_EVENT_END;
    const int64_t e = s->next++;
    const int32_t hits = a->hits[e];
    *id = a->id ? a->id[e] : e;
    if (hits < 0 || hits > TS_EVENT_ROWS_MOST) {
        ts_fail(err, TS_ARRAYS ": event %lld has %d hits; expected 0 to %d", (long long)*id, hits, TS_EVENT_ROWS_MOST);
        return TS_EVENT_BAD;
    }
    if (s->seen && !ts_id_set_add(s->seen, *id)) {
        ts_fail(err, TS_ARRAYS ": two events have the id %lld", (long long)*id);
        return TS_EVENT_BAD;
    }
    for (int32_t i = 0; i < hits; i++, s->hit++) {
        float *x = ts_event_row_add(rows, a->hit_id ? a->hit_id[s->hit] : i);
        for (int f = 0; f < a->features; f++) {
            const double value = (double)a->values[s->hit * a->features + f];
            if (ts_event_value(s->in, f, value, &x[f]))
                continue;
            ts_fail(err, TS_ARRAYS ": value %d of hit %d of event %lld is %g, which is not a finite %snumber", f, i, (long long)*id, value,
                    isfinite(value) ? "single-precision " : "");
            return TS_EVENT_BAD;
        }
    }
    return TS_EVENT_READ;
}
