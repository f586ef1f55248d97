#define TS_FAIL_CODE TS_BAD_FILE
#include "data/truth.h"

#include <stdlib.h>

#include "base/memory.h"
#include "data/csv.h"

typedef struct ts_truth_key {
    int64_t event_id, hit_id;
    int32_t row, event, hit; /* row of the file, from 0; index of the event; of the hit in it, -1 where it is masked */
} key;

static int by_id(const void *left, const void *right)
{
    const key *a = left, *b = right;
    if (a->event_id != b->event_id)
        return a->event_id < b->event_id ? -1 : 1;
    return (a->hit_id > b->hit_id) - (a->hit_id < b->hit_id);
}

static int by_row(const void *left, const void *right)
{
    const key *a = left, *b = right;
    return (a->row > b->row) - (a->row < b->row);
}

enum { PARTICLE_ID, WEIGHT, X, Y, Z, PX, PY, PZ, Q, MASK, FIELDS };

/* One row of the file, before rows are grouped by event. */
typedef struct row {
    int64_t event_id, hit_id, particle_id;
    double value[FIELDS];
} row;

typedef struct table {
    int32_t rows, room;
    row *row;
    bool has_position, has_momentum, has_charge;
} table;

static bool read_row(const ts_csv *csv, const int *column, int event_column, int hit_column, row *r, ts_err *err)
{
    if (!ts_csv_integer(csv, event_column, &r->event_id, err) || !ts_csv_integer(csv, hit_column, &r->hit_id, err) ||
        !ts_csv_integer(csv, column[PARTICLE_ID], &r->particle_id, err))
        return false;
    for (int f = WEIGHT; f < FIELDS; f++) {
        r->value[f] = 0;
        if (column[f] >= 0 && !ts_csv_number(csv, column[f], &r->value[f], err))
            return false;
    }
    return r->value[WEIGHT] >= 0 || ts_fail(err, "%s:%lld: weight is negative", csv->path, csv->line);
}

static bool read_rows(ts_csv *csv, const char *mask, table *t, ts_err *err)
{
    static const char *const name[FIELDS] = {"particle_id", "weight", "x", "y", "z", "px", "py", "pz", "q", NULL};
    int column[FIELDS], event_column, hit_column;
    if (!ts_csv_need(csv, "event_id", "to match hits", &event_column, err) ||
        !ts_csv_need(csv, "hit_id", "to match hits", &hit_column, err) ||
        !ts_csv_need(csv, "particle_id", "as the truth to score against", &column[PARTICLE_ID], err) ||
        !ts_csv_need(csv, "weight", "for the trackml score (1 for every hit if none counts more)", &column[WEIGHT], err))
        return false;
    for (int f = X; f < MASK; f++)
        column[f] = ts_csv_column(csv, name[f]);
    column[MASK] = -1;
    if (mask && !ts_csv_need(csv, mask, "as the inputs file's mask", &column[MASK], err))
        return false;
    t->has_position = column[X] >= 0 && column[Y] >= 0 && column[Z] >= 0;
    t->has_momentum = column[PX] >= 0 && column[PY] >= 0 && column[PZ] >= 0;
    t->has_charge = column[Q] >= 0;
    for (ts_csv_status status; (status = ts_csv_next(csv, err)) != TS_CSV_END; t->rows++) {
        if (status == TS_CSV_BAD)
            return false;
        if (t->rows == t->room) {
            if (t->room > INT32_MAX / 4)
                return ts_fail(err, "%s: more than %d rows; split the file", csv->path, t->room);
            t->room = t->room ? 2 * t->room : 4096;
            t->row = ts_realloc(t->row, (size_t)t->room, sizeof *t->row, "truth");
        }
        if (!read_row(csv, column, event_column, hit_column, &t->row[t->rows], err))
            return false;
    }
    return t->rows > 0 || ts_fail(err, "%s: the file has a header and no hits", csv->path);
}

static bool read_table(ts_arena *arena, const char *path, const char *mask, table *t, ts_err *err)
{
    ts_csv csv;
    const bool ok = ts_csv_open(arena, path, &csv, err) && read_rows(&csv, mask, t, err);
    ts_csv_close(&csv);
    return ok;
}

/* keys [rows], in order of rows: events numbered in order of first appearance, hits of each event (n [events]) in order of rows. Returns
   the number of events, or -1 where a hit is repeated. */
static int number_hits(const char *path, const table *t, key *keys, int *n, ts_err *err)
{
    for (int32_t r = 0; r < t->rows; r++)
        keys[r] = (key){t->row[r].event_id, t->row[r].hit_id, r, 0, 0};
    qsort(keys, (size_t)t->rows, sizeof *keys, by_id);
    for (int32_t i = 1; i < t->rows; i++)
        if (by_id(&keys[i - 1], &keys[i]) == 0) {
            ts_fail(err, "%s: hit %lld stands twice in event %lld; hit ids must be unique within an event", path, (long long)keys[i].hit_id,
                    (long long)keys[i].event_id);
            return -1;
        }
    for (int32_t i = 0, end; i < t->rows; i = end) { /* `event` holds the event's first row for now */
        int32_t first = keys[i].row;
        for (end = i; end < t->rows && keys[end].event_id == keys[i].event_id; end++)
            first = keys[end].row < first ? keys[end].row : first;
        for (int32_t k = i; k < end; k++)
            keys[k].event = first;
    }
    qsort(keys, (size_t)t->rows, sizeof *keys, by_row);
    int count = 0;
    for (int32_t r = 0; r < t->rows; r++) {
        const int e = keys[r].event == r ? count++ : keys[keys[r].event].event;
        keys[r].event = e;
        keys[r].hit = t->row[r].value[MASK] != 0 ? -1 : n[e]++;
    }
    return count;
}

static const ts_truth *group(ts_arena *arena, const char *path, const table *t, ts_err *err)
{
    key *keys = TS_NEW_N(arena, key, t->rows);
    int *n = TS_NEW_N(arena, int, t->rows);
    const int count = number_hits(path, t, keys, n, err);
    if (count < 0)
        return NULL;
    int32_t *offset = TS_NEW_N(arena, int32_t, count + 1); /* of each event's hits in arrays of all events' hits */
    for (int e = 0; e < count; e++)
        offset[e + 1] = offset[e] + n[e];
    const int hits = offset[count];
    int64_t *hit_id = TS_NEW_N(arena, int64_t, hits), *particle_id = TS_NEW_N(arena, int64_t, hits);
    double *weight = TS_NEW_N(arena, double, hits), *charge = TS_NEW_N(arena, double, hits);
    double *position = TS_NEW_N(arena, double, 3 * (size_t)hits), *momentum = TS_NEW_N(arena, double, 3 * (size_t)hits);
    int64_t *event_id = TS_NEW_N(arena, int64_t, count);
    for (int32_t r = 0; r < t->rows; r++) {
        const row *from = &t->row[r];
        event_id[keys[r].event] = from->event_id;
        if (keys[r].hit < 0)
            continue;
        const int32_t i = offset[keys[r].event] + keys[r].hit;
        hit_id[i] = from->hit_id;
        particle_id[i] = from->particle_id;
        weight[i] = from->value[WEIGHT];
        charge[i] = from->value[Q];
        for (int c = 0; c < 3; c++) {
            position[3 * i + c] = from->value[X + c];
            momentum[3 * i + c] = from->value[PX + c];
        }
    }
    ts_truth_event *event = TS_NEW_N(arena, ts_truth_event, count);
    for (int e = 0; e < count; e++) {
        const int32_t o = offset[e];
        event[e] = (ts_truth_event){.id = event_id[e],
                                    .n = n[e],
                                    .hit_id = hit_id + o,
                                    .particle_id = particle_id + o,
                                    .weight = weight + o,
                                    .position = t->has_position ? position + 3 * o : NULL,
                                    .momentum = t->has_momentum ? momentum + 3 * o : NULL,
                                    .charge = t->has_charge ? charge + o : NULL};
    }
    qsort(keys, (size_t)t->rows, sizeof *keys, by_id);
    ts_truth *truth = TS_NEW(arena, ts_truth);
    *truth = (ts_truth){.path = ts_strdup(arena, path), .count = count, .event = event, .hits = hits, .rows = t->rows, .key = keys};
    return truth;
}

const ts_truth *ts_truth_load(ts_arena *arena, const char *path, const char *mask, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    table t = {.rows = 0};
    const ts_truth *truth = read_table(scratch, path, mask, &t, err) ? group(arena, path, &t, err) : NULL;
    ts_free(t.row);
    ts_arena_free(scratch);
    return truth;
}

bool ts_truth_find(const ts_truth *truth, int64_t event_id, int64_t hit_id, int *event, int *hit)
{
    const key wanted = {.event_id = event_id, .hit_id = hit_id};
    const key *found = bsearch(&wanted, truth->key, (size_t)truth->rows, sizeof *found, by_id);
    if (!found)
        return false;
    *event = found->event;
    *hit = found->hit;
    return true;
}
