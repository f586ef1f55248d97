#include "physics/events.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "physics/npy.h"

enum { MAX_HITS = 1 << 20 }; /* of one event; any more is a file that is not what it says */

typedef struct builder { /* rows as they are read, before they are grouped by event */
    int32_t rows, room;
    int64_t *event_id, *hit_id;
    bool *masked;
    float *x; /* [rows][features] */
    int features;
} builder;

static void builder_free(builder *b)
{
    free(b->event_id);
    free(b->hit_id);
    free(b->masked);
    free(b->x);
}

static bool builder_row(builder *b, const char *path, ts_err *err)
{
    if (b->rows < b->room)
        return true;
    if (b->room > INT32_MAX / 2)
        return ts_fail(err, "%s: more than %d rows; split the file", path, b->room);
    const size_t room = b->room ? 2 * (size_t)b->room : 4096;
    b->event_id = ts_realloc(b->event_id, room, sizeof *b->event_id, "events");
    b->hit_id = ts_realloc(b->hit_id, room, sizeof *b->hit_id, "events");
    b->masked = ts_realloc(b->masked, room, sizeof *b->masked, "events");
    b->x = ts_realloc(b->x, room * (size_t)b->features, sizeof *b->x, "events");
    b->room = (int32_t)room;
    return true;
}

/* Stable order of the rows by event, for grouping rows of an event that do not stand together. */
typedef struct key {
    int64_t id;
    int32_t row;
} key;

static int by_id(const void *a, const void *b)
{
    const key *x = a, *y = b;
    return x->id != y->id ? (x->id < y->id ? -1 : 1) : x->row < y->row ? -1 : x->row > y->row;
}

/* Rows of the first `limit` events only (0: all), in their order. */
static void keep_first(builder *b, const int32_t *row_event, int limit)
{
    int32_t kept = 0;
    for (int32_t r = 0; r < b->rows; r++) {
        if (row_event[r] >= limit)
            continue;
        b->event_id[kept] = b->event_id[r];
        b->hit_id[kept] = b->hit_id[r];
        b->masked[kept] = b->masked[r];
        memmove(b->x + (size_t)kept * (size_t)b->features, b->x + (size_t)r * (size_t)b->features, (size_t)b->features * sizeof *b->x);
        kept++;
    }
    b->rows = kept;
}

static const ts_events *group(ts_arena *arena, builder *b, const char *path, bool unique_hits, int limit, ts_err *err)
{
    ts_events *events = TS_NEW(arena, ts_events);
    int32_t *row_event = TS_NEW_N(arena, int32_t, b->rows);
    int64_t *hit_id = TS_NEW_N(arena, int64_t, b->rows);
    key *order = TS_NEW_N(arena, key, b->rows);
    int count = 0;
    for (int32_t r = 0; r < b->rows; r++) {
        order[r] = (key){b->event_id[r], r};
        hit_id[r] = b->hit_id[r];
    }
    qsort(order, (size_t)b->rows, sizeof *order, by_id);
    /* Events are numbered in order of first appearance: mark first rows, number them in row order, spread to the others. */
    int32_t *first = TS_NEW_N(arena, int32_t, b->rows);
    for (int32_t i = 0, head = 0; i < b->rows; i++) {
        if (i == 0 || order[i].id != order[i - 1].id)
            head = order[i].row;
        first[order[i].row] = head;
    }
    for (int32_t r = 0; r < b->rows; r++)
        row_event[r] = first[r] == r ? count++ : row_event[first[r]];
    if (limit && count > limit) {
        keep_first(b, row_event, limit);
        return group(arena, b, path, unique_hits, 0, err);
    }
    ts_event *event = TS_NEW_N(arena, ts_event, count);
    int32_t *sizes = TS_NEW_N(arena, int32_t, count);
    for (int32_t r = 0; r < b->rows; r++) {
        event[row_event[r]].id = b->event_id[r];
        sizes[row_event[r]] += !b->masked[r];
        events->masked |= b->masked[r];
    }
    float **x = TS_NEW_N(arena, float *, count);
    int32_t **row = TS_NEW_N(arena, int32_t *, count);
    for (int e = 0; e < count; e++) {
        if (sizes[e] > MAX_HITS) {
            ts_fail(err, "%s: event %lld has %d hits; more than %d in one event is surely not meant", path, (long long)event[e].id, sizes[e], MAX_HITS);
            return NULL;
        }
        event[e].x = x[e] = TS_NEW_N(arena, float, (size_t)sizes[e] * (size_t)b->features);
        event[e].row = row[e] = TS_NEW_N(arena, int32_t, sizes[e]);
    }
    for (int32_t r = 0; r < b->rows; r++)
        if (!b->masked[r]) {
            ts_event *ev = &event[row_event[r]];
            memcpy(x[row_event[r]] + (size_t)ev->n * (size_t)b->features, b->x + (size_t)r * (size_t)b->features, (size_t)b->features * sizeof(float));
            row[row_event[r]][ev->n++] = r;
        }
    if (unique_hits) {
        key *hits = TS_NEW_N(arena, key, b->rows);
        for (int e = 0; e < count; e++) {
            for (int i = 0; i < event[e].n; i++)
                hits[i] = (key){hit_id[event[e].row[i]], event[e].row[i]};
            qsort(hits, (size_t)event[e].n, sizeof *hits, by_id);
            for (int i = 1; i < event[e].n; i++)
                if (hits[i].id == hits[i - 1].id) {
                    ts_fail(err, "%s: hit %lld stands twice in event %lld; hit ids must be unique within an event", path, (long long)hits[i].id,
                            (long long)event[e].id);
                    return NULL;
                }
        }
    }
    *events = (ts_events){.path = ts_strdup(arena, path), .count = count, .features = b->features, .event = event, .rows = b->rows,
                          .hit_id = hit_id, .row_event = row_event, .masked = events->masked};
    return events;
}

enum { EVENT_ID = -1, HIT_ID = -2, MASK = -3, UNUSED = -4 };

enum { MAX_COLUMNS = 1024 };

/* Quantities of a hit's position that an inputs file may name though the file does not have them, from x, y, z (mm). Only sums, products,
   quotients and square roots where that is possible: these are the same on every machine. */
static double at_r(double x, double y, double z) { return (void)z, sqrt(x * x + y * y); }
static double at_phi(double x, double y, double z) { return (void)z, atan2(y, x); }
static double at_theta(double x, double y, double z) { return atan2(sqrt(x * x + y * y), z); }
static double at_eta(double x, double y, double z) { return asinh(z / sqrt(x * x + y * y)); }
static double at_sin_phi(double x, double y, double z) { return (void)z, y / sqrt(x * x + y * y); }
static double at_cos_phi(double x, double y, double z) { return (void)z, x / sqrt(x * x + y * y); }
static double at_sin_theta(double x, double y, double z) { return sqrt(x * x + y * y) / sqrt(x * x + y * y + z * z); }
static double at_cos_theta(double x, double y, double z) { return z / sqrt(x * x + y * y + z * z); }

typedef double (*derivation)(double x, double y, double z);

static derivation derivation_of(const char *column)
{
    static const struct {
        const char *column;
        derivation of;
    } known[] = {
        {"r", at_r}, {"phi", at_phi}, {"theta", at_theta}, {"eta", at_eta},
        {"sin_phi", at_sin_phi}, {"cos_phi", at_cos_phi}, {"sin_theta", at_sin_theta}, {"cos_theta", at_cos_theta},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].column, column) == 0)
            return known[i].of;
    return NULL;
}

/* What the columns of a CSV are for. */
typedef struct layout {
    int columns;
    int role[MAX_COLUMNS];      /* feature from 0, or EVENT_ID ... UNUSED */
    int position[3];            /* columns of x, y, z; -1: none */
    const derivation *derive;   /* [features]: NULL where the file has the column */
    int derived;                /* features that are */
} layout;

/* Splits the line at `p` in place; returns the number of fields, or max + 1 where there are more. */
static int split(char *p, char **field, int max)
{
    int n = 0;
    for (;;) {
        if (n == max)
            return max + 1;
        while (*p == ' ')
            p++;
        field[n++] = p;
        char *comma = strchr(p, ',');
        char *end = comma ? comma : p + strlen(p);
        while (end > p && (end[-1] == ' ' || end[-1] == '\r'))
            end--;
        p = comma;
        *end = 0;
        if (!comma)
            return n;
        p++;
    }
}

static bool read_id(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !*end && !errno;
}

/* Finds a derivation for each feature that no column gives; the first that has none is the column to complain about. */
static const char *derive_missing(ts_arena *arena, layout *l, const ts_inputs *in)
{
    derivation *derive = TS_NEW_N(arena, derivation, in->features);
    l->derive = derive;
    for (int f = 0; f < in->features; f++) {
        bool there = false;
        for (int c = 0; c < l->columns; c++)
            there |= l->role[c] == f;
        if (there)
            continue;
        derive[f] = derivation_of(in->column[f]);
        l->derived++;
        if (!derive[f] || l->position[0] < 0 || l->position[1] < 0 || l->position[2] < 0)
            return in->column[f];
    }
    return NULL;
}

static bool header_roles(ts_arena *arena, char *line, const ts_inputs *in, const char *path, layout *l, ts_err *err)
{
    char *name[MAX_COLUMNS];
    char seen[4096] = "";
    int *role = l->role;
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3;
    snprintf(seen, sizeof seen, "%s", line);
    *l = (layout){.columns = split(line, name, MAX_COLUMNS), .position = {-1, -1, -1}};
    if (l->columns > MAX_COLUMNS)
        return ts_fail(err, "%s: more than %d columns", path, MAX_COLUMNS);
    bool has_event = false, has_hit = false, has_mask = !in->mask;
    int found = 0;
    for (int c = 0; c < l->columns; c++) {
        role[c] = UNUSED;
        for (int i = 0; i < 3; i++)
            if (name[c][0] == "xyz"[i] && !name[c][1])
                l->position[i] = c;
        for (int f = 0; f < in->features; f++)
            if (strcmp(name[c], in->column[f]) == 0) {
                role[c] = f;
                found++;
            }
        if (in->mask && strcmp(name[c], in->mask) == 0) {
            role[c] = MASK;
            has_mask = true;
        }
        if (strcmp(name[c], "event_id") == 0) {
            role[c] = EVENT_ID;
            has_event = true;
        }
        if (strcmp(name[c], "hit_id") == 0) {
            role[c] = HIT_ID;
            has_hit = true;
        }
    }
    const char *missing = !has_event ? "event_id" : !has_hit ? "hit_id" : !has_mask ? in->mask : derive_missing(arena, l, in);
    if (missing)
        return ts_fail(err, "%s: column '%s' is missing%s (the file has: %.400s)", path, missing,
                       derivation_of(missing) ? " and cannot be computed without x, y and z" : "", seen);
    if (found > in->features - l->derived)
        return ts_fail(err, "%s: a column stands twice in the header: %.400s", path, seen);
    return true;
}

static bool read_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return *text && !*end && isfinite(*value);
}

/* Fills the derived features of the row whose fields are given. */
static bool derive_row(const layout *l, char *const *field, const ts_inputs *in, const char *path, int line_no, float *x, ts_err *err)
{
    double at[3];
    for (int i = 0; i < 3; i++)
        if (!read_number(field[l->position[i]], &at[i]))
            return ts_fail(err, "%s:%d: column %c is '%.40s', not a finite number", path, line_no, "xyz"[i], field[l->position[i]]);
    for (int f = 0; f < in->features; f++) {
        if (!l->derive[f])
            continue;
        const double value = l->derive[f](at[0], at[1], at[2]);
        if (!isfinite(value))
            return ts_fail(err, "%s:%d: %s of a hit at x = %g, y = %g, z = %g is not a finite number (it lies on the beam axis)", path, line_no,
                           in->column[f], at[0], at[1], at[2]);
        x[f] = (float)((value - in->mean[f]) / in->std[f]);
    }
    return true;
}

static bool read_csv(ts_arena *arena, const char *path, const ts_inputs *in, builder *b, ts_err *err)
{
    size_t size;
    char *file = ts_file_read(arena, path, &size, err);
    if (!file)
        return false;
    if (size == 0)
        return ts_fail(err, "%s: the file is empty; expected a header with event_id, hit_id and the inputs' columns, then one row a hit", path);
    if (memchr(file, 0, size))
        return ts_fail(err, "%s: not a text file (it holds a NUL byte)", path);
    layout l = {0};
    int line_no = 0;
    char *field[MAX_COLUMNS];
    for (char *line = file, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        if (++line_no == 1) {
            if (!header_roles(arena, line, in, path, &l, err))
                return false;
            continue;
        }
        if (!*line || strcmp(line, "\r") == 0) {
            if (next && *next)
                return ts_fail(err, "%s:%d: empty line", path, line_no);
            break;
        }
        const int got = split(line, field, MAX_COLUMNS);
        if (got != l.columns)
            return ts_fail(err, "%s:%d: %d values, but the header has %d columns (is the file truncated?)", path, line_no, got, l.columns);
        if (!builder_row(b, path, err))
            return false;
        const int32_t r = b->rows;
        b->masked[r] = false;
        float *x = b->x + (size_t)r * (size_t)in->features;
        for (int c = 0; c < l.columns; c++) {
            if (l.role[c] == UNUSED)
                continue;
            if (l.role[c] == EVENT_ID || l.role[c] == HIT_ID) {
                if (!read_id(field[c], l.role[c] == EVENT_ID ? &b->event_id[r] : &b->hit_id[r]))
                    return ts_fail(err, "%s:%d: %s is '%.40s', not an integer", path, line_no, l.role[c] == EVENT_ID ? "event_id" : "hit_id", field[c]);
                continue;
            }
            double value;
            if (!read_number(field[c], &value))
                return ts_fail(err, "%s:%d: column %s is '%.40s', not a finite number", path, line_no,
                               l.role[c] == MASK ? in->mask : in->column[l.role[c]], field[c]);
            if (l.role[c] == MASK)
                b->masked[r] = value != 0;
            else
                x[l.role[c]] = (float)((value - in->mean[l.role[c]]) / in->std[l.role[c]]);
        }
        if (l.derived > 0 && !derive_row(&l, field, in, path, line_no, x, err))
            return false;
        b->rows++;
    }
    return b->rows > 0 || ts_fail(err, "%s: the file has a header and no hits", path);
}

static const ts_npy *load_side(ts_arena *arena, const char *path, const ts_npy *events, int rank, ts_err *err)
{
    const ts_npy *npy = ts_npy_load(arena, path, err);
    bool fits = npy && npy->rank == rank;
    for (int i = 0; fits && i < rank; i++)
        fits = npy->dim[i] == events->dim[i];
    if (npy && !fits)
        ts_fail(err, "%s: expected %s to match the events", path, rank == 1 ? "[events]" : "[events][tokens]");
    return fits ? npy : NULL;
}

static bool read_npy(ts_arena *arena, const char *path, const ts_inputs *in, const ts_events_options *o, builder *b, ts_err *err)
{
    const ts_npy *npy = ts_npy_load(arena, path, err), *lengths = NULL, *mask = NULL;
    if (!npy)
        return false;
    if (npy->rank != 3 || npy->dim[2] != in->features || npy->dim[1] > MAX_HITS)
        return ts_fail(err, "%s: expected [events][tokens][%d features], found rank %d with a last dimension of %lld", path, in->features, npy->rank,
                       npy->rank ? npy->dim[npy->rank - 1] : 0);
    if (o->lengths_path && !(lengths = load_side(arena, o->lengths_path, npy, 1, err)))
        return false;
    if (o->mask_path && !(mask = load_side(arena, o->mask_path, npy, 2, err)))
        return false;
    for (long long e = 0; e < npy->dim[0]; e++) {
        const double length = lengths ? lengths->data[e] : (double)npy->dim[1];
        if (!(length >= 0 && length <= (double)npy->dim[1] && length == floor(length)))
            return ts_fail(err, "%s: length %g of event %lld is not an integer of 0 ... %lld", o->lengths_path, length, e, npy->dim[1]);
        for (long long t = 0; t < npy->dim[1]; t++) {
            if (!builder_row(b, path, err))
                return false;
            const int32_t r = b->rows++;
            b->event_id[r] = e;
            b->hit_id[r] = t;
            b->masked[r] = (double)t >= length || (mask && mask->data[e * npy->dim[1] + t] != 0);
            for (int f = 0; f < in->features; f++) {
                const double value = npy->data[(e * npy->dim[1] + t) * in->features + f];
                if (!isfinite(value) && !b->masked[r])
                    return ts_fail(err, "%s: [%lld][%lld][%d] is not a finite number", path, e, t, f);
                b->x[(size_t)r * (size_t)in->features + (size_t)f] = b->masked[r] ? 0 : (float)((value - in->mean[f]) / in->std[f]);
            }
        }
    }
    return b->rows > 0 || ts_fail(err, "%s: the array holds no tokens", path);
}

bool ts_events_is_npy(const char *path)
{
    const size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npy") == 0;
}

const ts_events *ts_events_load(ts_arena *arena, const char *path, const ts_inputs *in, const ts_events_options *options, ts_err *err)
{
    static const ts_events_options none;
    const ts_events_options *o = options ? options : &none;
    const bool npy = ts_events_is_npy(path);
    if (!npy && (o->lengths_path || o->mask_path)) {
        ts_fail(err, "%s: lengths and mask files go with .npy events; a CSV has one row a hit (and a \"mask\" column named in the inputs file)", path);
        return NULL;
    }
    ts_arena *scratch = ts_arena_new();
    builder b = {.features = in->features};
    const bool ok = npy ? read_npy(scratch, path, in, o, &b, err) : read_csv(scratch, path, in, &b, err);
    const ts_events *events = ok ? group(arena, &b, path, !npy, o->limit, err) : NULL;
    builder_free(&b);
    ts_arena_free(scratch);
    return events;
}
