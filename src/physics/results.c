#include "physics/results.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "physics/csv.h"

ts_results *ts_results_new(ts_arena *arena, const ts_events *events, ts_result_kind kind, int width, bool pooled)
{
    ts_results *r = TS_NEW(arena, ts_results);
    *r = (ts_results){.kind = kind, .width = width, .pooled = pooled, .y = TS_NEW_N(arena, double *, events->count)};
    for (int e = 0; e < events->count; e++)
        r->y[e] = TS_NEW_N(arena, double, (size_t)(pooled ? 1 : events->event[e].n) * (size_t)width);
    return r;
}

void ts_results_set(ts_results *r, const ts_events *events, int event, const double *y, int outputs)
{
    const int n = r->pooled ? 1 : events->event[event].n;
    for (int i = 0; i < n; i++) {
        const double *from = y + (size_t)i * (size_t)outputs;
        double *to = r->y[event] + (size_t)i * (size_t)r->width;
        if (r->kind == TS_RESULT_VALUES) {
            memcpy(to, from, (size_t)outputs * sizeof *to);
            continue;
        }
        int best = 0;
        for (int c = 1; c < outputs; c++)
            if (from[c] > from[best])
                best = c;
        to[0] = best;
        to[1] = from[best];
    }
}

static void header(FILE *f, const ts_results *r, const ts_inputs *inputs)
{
    fprintf(f, r->pooled ? "event_id" : "event_id,hit_id");
    for (int o = 0; o < r->width; o++)
        if (r->kind == TS_RESULT_CLASS)
            fprintf(f, o ? ",value" : ",class");
        else if (inputs->output)
            fprintf(f, ",%s", inputs->output[o]);
        else
            fprintf(f, ",logit%d", o);
    fputc('\n', f);
}

static void values(FILE *f, const ts_results *r, const double *y)
{
    for (int o = 0; o < r->width; o++)
        fprintf(f, ",%.9g", y ? y[o] : 0.0);
    fputc('\n', f);
}

/* A row a hit, in the order of the file. */
static void hits(FILE *f, ts_arena *scratch, const ts_results *r, const ts_events *events)
{
    int *next = TS_NEW_N(scratch, int, events->count); /* hit of each event that comes next in row order */
    for (int32_t row = 0; row < events->rows; row++) {
        const int e = events->row_event[row];
        const ts_event *ev = &events->event[e];
        const bool real = next[e] < ev->n && ev->row[next[e]] == row;
        const int i = real ? next[e]++ : -1;
        if (!r->y[e])
            continue;
        fprintf(f, "%lld,%lld", (long long)ev->id, (long long)events->hit_id[row]);
        values(f, r, real ? r->y[e] + (size_t)i * (size_t)r->width : NULL);
    }
}

bool ts_results_write(const ts_results *r, const ts_events *events, const ts_inputs *inputs, const char *path, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    ts_writer w;
    bool ok = ts_writer_open(scratch, path, &w, err);
    if (ok) {
        header(w.f, r, inputs);
        for (int e = 0; r->pooled && e < events->count; e++)
            if (r->y[e]) {
                fprintf(w.f, "%lld", (long long)events->event[e].id);
                values(w.f, r, r->y[e]);
            }
        if (!r->pooled)
            hits(w.f, scratch, r, events);
        ok = ts_writer_commit(&w, err);
    }
    ts_arena_free(scratch);
    return ok;
}

enum { CLASSES_UNKNOWN = 1 << 20 }; /* as many as an inputs file may name */

const ts_inputs *ts_results_inputs(ts_arena *arena, const char *path, ts_err *err)
{
    ts_csv csv;
    if (!ts_csv_open(arena, path, &csv, err))
        return NULL;
    ts_inputs *in = TS_NEW(arena, ts_inputs);
    if (ts_csv_column(&csv, "class") >= 0) {
        in->classification = true;
        in->outputs = CLASSES_UNKNOWN;
        return in;
    }
    const char **name = TS_NEW_N(arena, const char *, csv.columns);
    int *all = TS_NEW_N(arena, int, csv.columns), count = 0;
    for (int c = 0; c < csv.columns; c++)
        if (strcmp(csv.name[c], "event_id") != 0 && strcmp(csv.name[c], "hit_id") != 0) {
            all[count] = count;
            name[count++] = csv.name[c];
        }
    if (count == 0) {
        ts_fail(err, "%s: the file has no outputs beside event_id and hit_id", path);
        return NULL;
    }
    in->outputs = count;
    in->classification = ts_csv_column(&csv, "logit0") >= 0;
    if (!in->classification) {
        in->output = name;
        in->cluster = ts_inputs_default_clustering(arena, count);
    }
    return in;
}

/* Which column of the file each of the `width` values is. */
static bool value_columns(ts_arena *arena, const ts_csv *csv, const ts_inputs *inputs, ts_results *r, int **column, ts_err *err)
{
    const bool class = inputs->classification && ts_csv_column(csv, "class") >= 0;
    r->kind = class ? TS_RESULT_CLASS : TS_RESULT_VALUES;
    r->width = class ? 1 : inputs->outputs;
    *column = TS_NEW_N(arena, int, r->width);
    if (class)
        return ts_csv_need(csv, "class", "as the hit's class", *column, err);
    for (int o = 0; o < r->width; o++) {
        char logit[32];
        snprintf(logit, sizeof logit, "logit%d", o);
        if (!ts_csv_need(csv, inputs->output ? inputs->output[o] : logit,
                         inputs->output ? "as one of the model's outputs" : "where there is no column 'class'", &(*column)[o], err))
            return false;
    }
    return true;
}

static bool is_class(double value, int classes)
{
    return value >= 0 && value < classes && value == floor(value);
}

/* One row; `seen` [events][n]. */
static bool read_hit(const ts_csv *csv, const int *column, int event_column, int hit_column, const ts_inputs *inputs, const ts_truth *truth,
                     ts_arena *arena, ts_results *r, bool **seen, ts_err *err)
{
    int64_t event_id, hit_id;
    int e, i;
    if (!ts_csv_integer(csv, event_column, &event_id, err) || !ts_csv_integer(csv, hit_column, &hit_id, err))
        return false;
    if (!ts_truth_find(truth, event_id, hit_id, &e, &i))
        return ts_fail(err, "%s:%d: hit %lld of event %lld is not in %s; are these results of other events?", csv->path, csv->line,
                       (long long)hit_id, (long long)event_id, truth->path);
    if (i < 0)
        return true; /* masked: its values stand for nothing */
    if (!r->y[e]) {
        r->y[e] = TS_NEW_N(arena, double, (size_t)truth->event[e].n * (size_t)r->width);
        seen[e] = TS_NEW_N(arena, bool, truth->event[e].n);
    }
    if (seen[e][i])
        return ts_fail(err, "%s:%d: hit %lld stands twice in event %lld", csv->path, csv->line, (long long)hit_id, (long long)event_id);
    seen[e][i] = true;
    double *y = r->y[e] + (size_t)i * (size_t)r->width;
    for (int o = 0; o < r->width; o++)
        if (!ts_csv_number(csv, column[o], &y[o], err))
            return false;
    return r->kind != TS_RESULT_CLASS || is_class(*y, inputs->outputs) ||
           ts_fail(err, "%s:%d: %g is not a class from 0 to %d", csv->path, csv->line, *y, inputs->outputs - 1);
}

ts_results *ts_results_read(ts_arena *arena, const char *path, const ts_inputs *inputs, const ts_truth *truth, ts_err *err)
{
    ts_csv csv;
    int *column, event_column, hit_column;
    ts_results *r = TS_NEW(arena, ts_results);
    r->y = TS_NEW_N(arena, double *, truth->count);
    bool **seen = TS_NEW_N(arena, bool *, truth->count);
    if (!ts_csv_open(arena, path, &csv, err) || !ts_csv_need(&csv, "event_id", "to match hits", &event_column, err) ||
        !ts_csv_need(&csv, "hit_id", "to match hits (a score needs one result a hit, not one an event)", &hit_column, err) ||
        !value_columns(arena, &csv, inputs, r, &column, err))
        return NULL;
    for (ts_csv_status status; (status = ts_csv_next(&csv, err)) != TS_CSV_END;)
        if (status == TS_CSV_BAD || !read_hit(&csv, column, event_column, hit_column, inputs, truth, arena, r, seen, err))
            return NULL;
    for (int e = 0; e < truth->count; e++)
        for (int i = 0; r->y[e] && i < truth->event[e].n; i++)
            if (!seen[e][i]) {
                ts_fail(err, "%s: hit %lld of event %lld is missing; every hit of an event must be there", path,
                        (long long)truth->event[e].hit_id[i], (long long)truth->event[e].id);
                return NULL;
            }
    return r;
}
