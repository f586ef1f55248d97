#include "flow/refused.h"

void ts_refuse(ts_refused *r, int64_t id, int hits)
{
    if (r->count < TS_REFUSED_NAMED)
        r->id[r->count] = id;
    r->least = r->count == 0 || hits < r->least ? hits : r->least;
    r->most = hits > r->most ? hits : r->most;
    r->count++;
}

bool ts_refused_tell(const ts_refused *r, const ts_notices *notices, long long events, int most, ts_err *err)
{
    char ids[160] = "";
    if (r->count == 0)
        return true;
    if (r->count == events)
        return ts_fail_as(err, TS_DOES_NOT_FIT,
                          "all %lld event(s) were refused: the design takes at most %d hits, and they have %d to %d; compile it with %s %d",
                          events, most, r->least, r->most, ts_option("max_tokens"), r->most);
    for (int i = 0, used = 0; i < r->count && i < TS_REFUSED_NAMED; i++)
        used += snprintf(ids + used, sizeof ids - (size_t)used, "%s%lld", i ? ", " : "", (long long)r->id[i]);
    ts_notice_warning(notices, "%lld of %lld events were refused: the design takes at most %d hits, and they have %d to %d (event_id %s%s)",
                      r->count, events, most, r->least, r->most, ids, r->count > TS_REFUSED_NAMED ? ", ..." : "");
    return true;
}
