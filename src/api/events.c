#include "api/call.h"
#include "api/source.h"

struct tessera_events {
    ts_arena *arena;
    const ts_events *own;
    const int64_t **hit_id; /* [events]: [n], those that are not masked */
};

typedef struct job {
    const tessera_source *given;
    tessera_events **events;
} job;

static const int64_t **hit_ids(ts_arena *arena, const ts_events *events)
{
    const int64_t **all = TS_NEW_N(arena, const int64_t *, events->count);
    for (int e = 0; e < events->count; e++) {
        const ts_event *ev = &events->event[e];
        int64_t *own = TS_NEW_N(arena, int64_t, ev->n);
        for (int i = 0; i < ev->n; i++)
            own[i] = ev->hit_id[ev->row[i]];
        all[e] = own;
    }
    return all;
}

static bool read_events(void *user, const ts_notices *notices, ts_err *err)
{
    const job *j = user;
    ts_taken_source source;
    if (!ts_take_source(j->given, notices, &source, err))
        return false;
    ts_arena *arena = ts_arena_new();
    const ts_events *events = ts_read_events(arena, &source.own, err);
    if (!events) {
        ts_arena_free(arena);
        return false;
    }
    tessera_events *made = TS_NEW(arena, tessera_events);
    *made = (tessera_events){arena, events, hit_ids(arena, events)};
    *j->events = made;
    return true;
}

tessera_code tessera_events_read(const tessera_source *source, const tessera_callbacks *callbacks, tessera_events **events,
                                 tessera_error *error)
{
    *events = NULL;
    return ts_call(callbacks, error, read_events, &(job){source, events});
}

int64_t tessera_events_count(const tessera_events *events)
{
    return events ? events->own->count : 0;
}

bool tessera_events_get(const tessera_events *events, int64_t index, tessera_event *event)
{
    if (!events || index < 0 || index >= events->own->count)
        return false;
    const ts_event *ev = &events->own->event[index];
    const tessera_event made = {sizeof made, ev->id, ev->n, events->own->features, ev->x, events->hit_id[index]};
    ts_give_summary(event, &made, sizeof made);
    return true;
}

void tessera_events_free(tessera_events *events)
{
    if (events)
        ts_arena_free(events->arena);
}
