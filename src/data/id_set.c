#include "base/memory.h"
#include "data/event_rows.h"

struct ts_id_set {
    size_t room, count; /* room: a power of two, or 0 */
    int64_t *id;        /* [room] */
    bool *used;         /* [room] */
};

/* Where the id is, or would go. */
static size_t place(const ts_id_set *set, int64_t id)
{
    size_t at = ((uint64_t)id * 0x9e3779b97f4a7c15u) >> 20 & (set->room - 1);
    while (set->used[at] && set->id[at] != id)
        at = (at + 1) & (set->room - 1);
    return at;
}

ts_id_set *ts_id_set_new(void)
{
    return ts_calloc(1, sizeof(ts_id_set), "ids of events");
}

bool ts_id_set_add(ts_id_set *set, int64_t id)
{
    if (set->room > 0 && set->used[place(set, id)])
        return false;
    if (4 * (set->count + 1) > 3 * set->room) {
        const ts_id_set old = *set;
        set->room = old.room ? 2 * old.room : 64;
        set->id = ts_malloc(set->room, sizeof *set->id, "ids of events");
        set->used = ts_calloc(set->room, sizeof *set->used, "ids of events");
        for (size_t i = 0; i < old.room; i++)
            if (old.used[i]) {
                const size_t at = place(set, old.id[i]);
                set->used[at] = true;
                set->id[at] = old.id[i];
            }
        ts_free(old.id);
        ts_free(old.used);
    }
    const size_t at = place(set, id);
    set->used[at] = true;
    set->id[at] = id;
    set->count++;
    return true;
}

void ts_id_set_free(ts_id_set *set)
{
    if (!set)
        return;
    ts_free(set->id);
    ts_free(set->used);
    ts_free(set);
}
