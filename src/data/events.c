#define TS_FAIL_CODE TS_BAD_FILE
#include "data/events.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/input.h"
#include "base/memory.h"
#include "data/event_rows.h"

struct ts_event_stream {
    ts_arena *arena; /* of what lives as long as the stream */
    const ts_inputs *in;
    const char *path;
    int limit, keep, events; /* events: that were given */
    enum { CSV, NPY, ARRAYS } kind;
    ts_csv_events csv;
    ts_npy_events npy;
    ts_array_events arrays;
    ts_event_rows rows;
    ts_spread *spread; /* [features] */
};

/* ---- rows of an event */

float *ts_event_row_add(ts_event_rows *rows, int64_t hit_id)
{
    const size_t features = (size_t)rows->features;
    if (rows->count == rows->room) {
        const size_t room = rows->room ? 2 * (size_t)rows->room : 256;
        rows->hit_id = ts_realloc(rows->hit_id, room, sizeof *rows->hit_id, "an event's hits");
        rows->masked = ts_realloc(rows->masked, room, sizeof *rows->masked, "an event's hits");
        rows->x = ts_realloc(rows->x, room * features, sizeof *rows->x, "an event's hits");
        rows->room = (int)room;
    }
    rows->hit_id[rows->count] = hit_id;
    rows->masked[rows->count] = false;
    return rows->x + (size_t)rows->count++ * features;
}

void ts_event_rows_free(ts_event_rows *rows)
{
    ts_free(rows->hit_id);
    ts_free(rows->masked);
    ts_free(rows->x);
    *rows = (ts_event_rows){.features = rows->features};
}

bool ts_event_value(const ts_inputs *in, int f, double value, float *x)
{
    *x = (float)((value - in->mean[f]) / in->std[f]);
    return isfinite((float)value) && isfinite(*x); /* a file of single precision would hold an infinity */
}

static int by_value(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* hit_id [n]; sorted in place where it is not yet. */
static bool check_unique(const ts_event_stream *s, int64_t id, int n, int64_t *hit_id, ts_err *err)
{
    bool rising = true;
    for (int i = 1; i < n && rising; i++)
        rising = hit_id[i] > hit_id[i - 1];
    if (rising)
        return true;
    qsort(hit_id, (size_t)n, sizeof *hit_id, by_value);
    for (int i = 1; i < n; i++)
        if (hit_id[i] == hit_id[i - 1])
            return ts_fail(err, "%s: hit %lld stands twice in event %lld; hit ids must be unique within an event", s->path,
                           (long long)hit_id[i], (long long)id);
    return true;
}

/* The rows that were read as an event in `arena`; they go into the spread. */
static bool make_event(ts_event_stream *s, ts_arena *arena, int64_t id, ts_event *event, ts_err *err)
{
    const ts_event_rows *rows = &s->rows;
    const size_t features = (size_t)rows->features;
    int n = 0;
    for (int r = 0; r < rows->count; r++)
        n += !rows->masked[r];
    float *x = TS_NEW_N(arena, float, (size_t)n *features);
    int64_t *hit_id = TS_NEW_N(arena, int64_t, rows->count), *unmasked = TS_NEW_N(arena, int64_t, n);
    int32_t *row = TS_NEW_N(arena, int32_t, n);
    if (rows->count > 0)
        memcpy(hit_id, rows->hit_id, (size_t)rows->count * sizeof *hit_id);
    for (int r = 0, i = 0; r < rows->count; r++) {
        if (rows->masked[r])
            continue;
        memcpy(x + (size_t)i * features, rows->x + (size_t)r * features, features * sizeof *x);
        for (size_t f = 0; f < features; f++)
            ts_spread_add(&s->spread[f], (double)x[(size_t)i * features + f]);
        unmasked[i] = hit_id[r];
        row[i++] = r;
    }
    *event = (ts_event){.id = id, .n = n, .x = x, .rows = rows->count, .hit_id = hit_id, .row = row};
    return s->kind == NPY || check_unique(s, id, n, unmasked, err);
}

/* ---- the stream */

/* One that reads nothing yet. */
static ts_event_stream *new_stream(const char *path, const ts_inputs *in, const ts_events_options *o)
{
    ts_event_stream *s = ts_calloc(1, sizeof *s, "events");
    s->arena = ts_arena_new();
    s->path = ts_strdup(s->arena, path);
    s->limit = o->limit;
    s->keep = o->keep ? o->keep : INT32_MAX;
    s->rows.features = in->features;
    s->spread = TS_NEW_N(s->arena, ts_spread, in->features);
    ts_inputs *as_is = TS_NEW(s->arena, ts_inputs);
    *as_is = *in;
    if (o->standardised) {
        double *std = TS_NEW_N(s->arena, double, in->features);
        for (int f = 0; f < in->features; f++)
            std[f] = 1;
        as_is->mean = TS_NEW_N(s->arena, double, in->features);
        as_is->std = std;
    }
    s->in = as_is;
    return s;
}

static ts_event_stream *opened(ts_event_stream *s, bool ok)
{
    if (ok)
        return s;
    ts_event_stream_close(s);
    return NULL;
}

static const ts_events_options no_options;

ts_event_stream *ts_event_stream_open(const char *path, const ts_inputs *in, const ts_events_options *options, ts_err *err)
{
    const ts_events_options *o = options ? options : &no_options;
    ts_event_stream *s = new_stream(path, in, o);
    s->kind = ts_events_is_npy(path) ? NPY : CSV;
    if (s->kind == NPY)
        return opened(s, ts_npy_events_open(s->arena, path, s->in, o, &s->npy, err));
    if (o->lengths_path || o->mask_path)
        return opened(s,
                      ts_fail_as(err, TS_USAGE,
                                 "%s: lengths and mask files go with .npy events; a CSV has one row a hit (and a \"mask\" column named in "
                                 "the inputs file)",
                                 path));
    return opened(s, ts_csv_events_open(s->arena, path, s->in, o->standardised, &s->csv, err));
}

ts_event_stream *ts_event_stream_open_arrays(const ts_event_arrays *arrays, const ts_inputs *in, const ts_events_options *options,
                                             ts_err *err)
{
    ts_event_stream *s = new_stream(TS_ARRAYS, in, options ? options : &no_options);
    s->kind = ARRAYS;
    return opened(s, ts_array_events_open(arrays, s->in, &s->arrays, err));
}

void ts_event_stream_close(ts_event_stream *s)
{
    if (!s)
        return;
    ts_csv_events_close(&s->csv);
    ts_npy_events_close(&s->npy);
    ts_array_events_close(&s->arrays);
    ts_event_rows_free(&s->rows);
    ts_arena_free(s->arena);
    ts_free(s);
}

ts_event_status ts_event_next(ts_event_stream *s, ts_arena *arena, ts_event *event, ts_err *err)
{
    if (s->limit && s->events == s->limit)
        return TS_EVENT_END;
    int64_t id = 0;
    s->rows.count = 0;
    const ts_event_status status = s->kind == ARRAYS ? ts_array_events_next(&s->arrays, &s->rows, &id, err)
                                   : s->kind == NPY  ? ts_npy_events_next(&s->npy, &s->rows, &id, err)
                                                     : ts_csv_events_next(&s->csv, &s->rows, &id, err);
    if (status == TS_EVENT_END && s->events == 0) {
        ts_fail(err, "%s: the file has a header and no hits", s->path);
        return TS_EVENT_BAD;
    }
    if (status != TS_EVENT_READ)
        return status;
    s->events++;
    return make_event(s, arena, id, event, err) ? TS_EVENT_READ : TS_EVENT_BAD;
}

const ts_events *ts_event_stream_take(ts_event_stream *s, ts_arena *arena, int most, int hits, ts_err *err)
{
    ts_events *events = TS_NEW(arena, ts_events);
    ts_event *event = TS_NEW_N(arena, ts_event, most);
    *events = (ts_events){.path = ts_strdup(arena, s->path), .features = s->in->features, .event = event};
    for (int rows = 0; events->count < most && rows < hits;) {
        const ts_event_status status = ts_event_next(s, arena, &event[events->count], err);
        if (status == TS_EVENT_BAD)
            return NULL;
        if (status == TS_EVENT_END)
            break;
        rows += event[events->count++].rows;
    }
    return events;
}

long long ts_event_stream_total(const ts_event_stream *s)
{
    if (s->kind == CSV)
        return s->limit;
    const long long all = s->kind == NPY ? s->npy.npy.dim[0] : s->arrays.from->events;
    return s->limit && s->limit < all ? s->limit : all;
}

double ts_event_stream_fraction(const ts_event_stream *s)
{
    if (s->kind != CSV || s->limit) {
        const long long total = s->limit ? s->limit : ts_event_stream_total(s);
        return total ? (double)s->events / (double)total : 1;
    }
    const long long size = ts_input_size(s->csv.csv.f);
    return size > 0 ? (double)(s->csv.csv.bytes - (long long)(s->csv.csv.end - s->csv.csv.at)) / (double)size : -1;
}

const ts_spread *ts_event_stream_spread(const ts_event_stream *s)
{
    return s->spread;
}

const ts_events *ts_event_stream_rest(ts_event_stream *s, ts_arena *arena, ts_events_progress *progress, void *user, ts_err *err)
{
    int count = 0, room = 0, kept = 0;
    ts_event *list = NULL;
    ts_event_status status;
    do {
        if (count == room) {
            room = room ? 2 * room : 64;
            list = ts_realloc(list, (size_t)room, sizeof *list, "events");
        }
        ts_arena *scratch = kept < s->keep ? NULL : ts_arena_new();
        status = ts_event_next(s, scratch ? scratch : arena, &list[count], err);
        if (status == TS_EVENT_READ) {
            if (scratch)
                list[count] = (ts_event){.id = list[count].id, .n = list[count].n, .rows = list[count].rows};
            kept += list[count++].n > 0;
        }
        if (scratch)
            ts_arena_free(scratch);
        if (progress && count % 64 == 0)
            progress(user, s->events, ts_event_stream_total(s), ts_event_stream_fraction(s));
    } while (status == TS_EVENT_READ);
    ts_events *events = NULL;
    if (status == TS_EVENT_END) {
        ts_event *event = TS_NEW_N(arena, ts_event, count);
        if (count > 0)
            memcpy(event, list, (size_t)count * sizeof *event);
        events = TS_NEW(arena, ts_events);
        *events = (ts_events){.path = ts_strdup(arena, s->path), .count = count, .features = s->in->features, .event = event};
    }
    ts_free(list);
    return events;
}

bool ts_events_is_npy(const char *path)
{
    const size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

const ts_events *ts_events_load(ts_arena *arena, const char *path, const ts_inputs *in, const ts_events_options *options, ts_err *err)
{
    ts_event_stream *s = ts_event_stream_open(path, in, options, err);
    const ts_events *events = s ? ts_event_stream_rest(s, arena, NULL, NULL, err) : NULL;
    ts_event_stream_close(s);
    return events;
}
