#define TS_FAIL_CODE TS_USAGE
#include "api/source.h"

#include "api/call.h"

bool ts_take_arrays(const tessera_arrays *given, bool values, ts_event_arrays *taken, ts_err *err)
{
    tessera_arrays a;
    if (!TS_TAKE_OPTIONS(&a, given, tessera_arrays, err))
        return false;
    if (a.events < 0 || a.events > INT32_MAX || (values && a.features < 1) || (a.events > 0 && (!a.hits || (values && !a.values))))
        return ts_fail(err, "arrays: %lld events of %d features a hit; the former are counted from 0, the latter from 1, with their arrays",
                       (long long)a.events, a.features);
    for (int64_t e = 0; e < a.events; e++)
        if (a.hits[e] < 0)
            return ts_fail(err, "arrays: event %lld has %d hits", (long long)e, a.hits[e]);
    *taken = (ts_event_arrays){a.events, a.features, a.hits, a.values, a.id, a.hit_id};
    return true;
}

bool ts_take_source(const tessera_source *given, const ts_notices *notices, ts_taken_source *taken, ts_err *err)
{
    tessera_source s;
    *taken = (ts_taken_source){.own.notices = notices};
    if (!TS_TAKE_OPTIONS(&s, given, tessera_source, err) || (s.arrays && !ts_take_arrays(s.arrays, true, &taken->arrays, err)))
        return false;
    if (s.limit < 0)
        return ts_fail(err, "%s is %d; expected 0 (all) or more", ts_option("limit"), s.limit);
    taken->own = (ts_event_source){.events = s.events,
                                   .samples = s.samples,
                                   .arrays = s.arrays ? &taken->arrays : NULL,
                                   .inputs = s.inputs,
                                   .lengths = s.lengths,
                                   .mask = s.mask,
                                   .notices = notices,
                                   .limit = s.limit,
                                   .standardised = s.standardised};
    return true;
}
