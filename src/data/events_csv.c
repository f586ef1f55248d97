/* Events from a CSV. */
#define TS_FAIL_CODE TS_BAD_FILE
#include <math.h>
#include <string.h>

#include "data/event_rows.h"

/* ---- columns */

/* Quantities of a hit's position that an inputs file may name though the file does not have them, from x, y, z (mm). Only sums, products,
   quotients and square roots where that is possible: these are the same on every machine. */
static double at_r(double x, double y, double z)
{
    return (void)z, sqrt(x * x + y * y);
}
static double at_phi(double x, double y, double z)
{
    return (void)z, atan2(y, x);
}
static double at_theta(double x, double y, double z)
{
    return atan2(sqrt(x * x + y * y), z);
}
static double at_eta(double x, double y, double z)
{
    return asinh(z / sqrt(x * x + y * y));
}
static double at_sin_phi(double x, double y, double z)
{
    return (void)z, y / sqrt(x * x + y * y);
}
static double at_cos_phi(double x, double y, double z)
{
    return (void)z, x / sqrt(x * x + y * y);
}
static double at_sin_theta(double x, double y, double z)
{
    return sqrt(x * x + y * y) / sqrt(x * x + y * y + z * z);
}
static double at_cos_theta(double x, double y, double z)
{
    return z / sqrt(x * x + y * y + z * z);
}

typedef double (*derivation)(double x, double y, double z);

static derivation derivation_of(const char *column)
{
    static const struct {
        const char *column;
        derivation of;
    } known[] = {
        {"r", at_r},
        {"phi", at_phi},
        {"theta", at_theta},
        {"eta", at_eta},
        {"sin_phi", at_sin_phi},
        {"cos_phi", at_cos_phi},
        {"sin_theta", at_sin_theta},
        {"cos_theta", at_cos_theta},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].column, column) == 0)
            return known[i].of;
    return NULL;
}

/* Finds the column of each feature, or how it is derived; returns the first name of which there is neither, or NULL. */
static const char *find_features(ts_arena *arena, ts_csv_events *c)
{
    const ts_inputs *in = c->in;
    c->column = TS_NEW_N(arena, int, in->features);
    c->derive = TS_NEW_N(arena, derivation, in->features);
    for (int f = 0; f < in->features; f++) {
        c->column[f] = ts_csv_column(&c->csv, in->column[f]);
        if (c->column[f] >= 0)
            continue;
        c->derive[f] = derivation_of(in->column[f]);
        c->derived = true;
        if (!c->derive[f] || c->position[0] < 0 || c->position[1] < 0 || c->position[2] < 0)
            return in->column[f];
    }
    return NULL;
}

bool ts_csv_events_open(ts_arena *arena, const char *path, const ts_inputs *in, bool standardised, ts_csv_events *c, ts_err *err)
{
    static const char *const axis[3] = {"x", "y", "z"};
    *c = (ts_csv_events){.in = in, .mask_column = -1};
    if (!ts_csv_open(arena, path, &c->csv, err))
        return false;
    c->seen = ts_id_set_new();
    for (int i = 0; i < 3; i++)
        c->position[i] = ts_csv_column(&c->csv, axis[i]);
    c->event_column = ts_csv_column(&c->csv, "event_id");
    c->hit_column = ts_csv_column(&c->csv, "hit_id");
    if (in->mask)
        c->mask_column = ts_csv_column(&c->csv, in->mask);
    const char *missing = c->event_column < 0              ? "event_id"
                          : c->hit_column < 0              ? "hit_id"
                          : in->mask && c->mask_column < 0 ? in->mask
                                                           : find_features(arena, c);
    char there[400];
    if (missing)
        return ts_fail(err, "%s: column '%s' is missing%s (the file has: %s)", path, missing,
                       derivation_of(missing) ? " and cannot be computed without x, y and z" : "",
                       ts_csv_names(&c->csv, there, sizeof there));
    for (int f = 0; standardised && f < in->features; f++)
        if (c->derive[f])
            return ts_fail_as(err, TS_USAGE,
                              "%s: column '%s' is computed from x, y and z, which are no positions where they are standardised", path,
                              in->column[f]);
    return true;
}

void ts_csv_events_close(ts_csv_events *c)
{
    ts_csv_close(&c->csv);
    ts_id_set_free(c->seen);
    c->seen = NULL;
}

/* ---- rows */

static bool too_large(const ts_csv_events *c, int f, double value, ts_err *err)
{
    return ts_fail(err, "%s:%lld: column %s is %g, which is not a finite single-precision number, as it stands or as a model input",
                   c->csv.path, c->csv.line, c->in->column[f], value);
}

/* Fills the derived features of the row that was read. */
static bool derive_row(const ts_csv_events *c, float *x, ts_err *err)
{
    const ts_inputs *in = c->in;
    double at[3];
    for (int i = 0; i < 3; i++)
        if (!ts_csv_number(&c->csv, c->position[i], &at[i], err))
            return false;
    for (int f = 0; f < in->features; f++) {
        if (!c->derive[f])
            continue;
        const double value = c->derive[f](at[0], at[1], at[2]);
        if (!isfinite(value))
            return ts_fail(err, "%s:%lld: %s of a hit at x = %g, y = %g, z = %g is not a finite number (it lies on the beam axis)",
                           c->csv.path, c->csv.line, in->column[f], at[0], at[1], at[2]);
        if (!ts_event_value(in, f, value, &x[f]))
            return too_large(c, f, value, err);
    }
    return true;
}

static bool add_row(const ts_csv_events *c, ts_event_rows *rows, ts_err *err)
{
    const ts_inputs *in = c->in;
    int64_t hit_id;
    double value;
    if (!ts_csv_integer(&c->csv, c->hit_column, &hit_id, err))
        return false;
    float *x = ts_event_row_add(rows, hit_id);
    for (int f = 0; f < in->features; f++) {
        if (c->column[f] < 0)
            continue;
        if (!ts_csv_number(&c->csv, c->column[f], &value, err))
            return false;
        if (!ts_event_value(in, f, value, &x[f]))
            return too_large(c, f, value, err);
    }
    if (c->mask_column >= 0) {
        if (!ts_csv_number(&c->csv, c->mask_column, &value, err))
            return false;
        rows->masked[rows->count - 1] = value != 0;
    }
    return !c->derived || derive_row(c, x, err);
}

ts_event_status ts_csv_events_next(ts_csv_events *c, ts_event_rows *rows, int64_t *id, ts_err *err)
{
    if (!c->waiting) {
        const ts_csv_status status = ts_csv_next(&c->csv, err);
        if (status != TS_CSV_ROW)
            return status == TS_CSV_END ? TS_EVENT_END : TS_EVENT_BAD;
    }
    if (!ts_csv_integer(&c->csv, c->event_column, id, err))
        return TS_EVENT_BAD;
    if (!ts_id_set_add(c->seen, *id)) {
        ts_fail(
            err,
            "%s:%lld: event %lld goes on behind rows of another one; sort the file by event_id, so that each event's rows stand together",
            c->csv.path, c->csv.line, (long long)*id);
        return TS_EVENT_BAD;
    }
    for (int64_t now = *id; now == *id;) {
        if (rows->count == TS_EVENT_ROWS_MOST) {
            ts_fail(err, "%s:%lld: event %lld has over %d hits; so many in one event are surely not meant", c->csv.path, c->csv.line,
                    (long long)*id, TS_EVENT_ROWS_MOST);
            return TS_EVENT_BAD;
        }
        if (!add_row(c, rows, err))
            return TS_EVENT_BAD;
        const ts_csv_status status = ts_csv_next(&c->csv, err);
        c->waiting = status == TS_CSV_ROW;
        if (status == TS_CSV_END)
            break;
        if (status == TS_CSV_BAD || !ts_csv_integer(&c->csv, c->event_column, &now, err))
            return TS_EVENT_BAD;
    }
    return TS_EVENT_READ;
}
