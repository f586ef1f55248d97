#define TS_FAIL_CODE TS_BAD_FILE
#include "data/results.h"

#include <math.h>
#include <string.h>

#include "data/csv.h"

/* A column's name, in quotes where it is no plain word. */
static void put_name(FILE *f, const char *name)
{
    const size_t length = strlen(name);
    if (!name[strcspn(name, ",\"\r\n")] && name[0] != ' ' && (length == 0 || name[length - 1] != ' ')) {
        fputs(name, f);
        return;
    }
    fputc('"', f);
    for (; *name; name++) {
        if (*name == '"')
            fputc('"', f);
        fputc(*name, f);
    }
    fputc('"', f);
}

bool ts_result_file_open(ts_arena *arena, const char *path, const ts_inputs *inputs, ts_result_kind kind, int outputs, bool pooled,
                         ts_result_file *r, ts_err *err)
{
    *r = (ts_result_file){.kind = kind, .outputs = outputs, .pooled = pooled};
    if (!ts_writer_open(arena, path, &r->out, err))
        return false;
    FILE *f = r->out.f;
    fputs(pooled ? "event_id" : "event_id,hit_id", f);
    if (kind == TS_RESULT_CLASS)
        fputs(",class,value", f);
    for (int o = 0; kind == TS_RESULT_VALUES && o < outputs; o++) {
        if (!inputs->output) {
            fprintf(f, ",logit%d", o);
            continue;
        }
        fputc(',', f);
        put_name(f, inputs->output[o]);
    }
    fputc('\n', f);
    return true;
}

/* y [n][width]; ids, then values. */
static void put_rows(ts_result_file *r, const ts_event *event, int width, const double *y)
{
    FILE *f = r->out.f;
    r->events++;
    for (int row = 0, next = 0; row < (r->pooled ? 1 : event->rows); row++) {
        const bool real = r->pooled || (next < event->n && event->row[next] == row);
        fprintf(f, "%lld", (long long)event->id);
        if (!r->pooled)
            fprintf(f, ",%lld", (long long)event->hit_id[row]);
        for (int o = 0; o < width; o++)
            fprintf(f, ",%.9g", real ? y[(size_t)next * (size_t)width + (size_t)o] : 0.0);
        fputc('\n', f);
        next += real;
    }
}

void ts_result_file_put_classes(ts_result_file *r, const ts_event *event, const double *class_and_value)
{
    CHECK(r->kind == TS_RESULT_CLASS);
    put_rows(r, event, 2, class_and_value);
}

void ts_result_file_put(ts_result_file *r, const ts_event *event, const double *y)
{
    if (r->kind == TS_RESULT_VALUES) {
        put_rows(r, event, r->outputs, y);
        return;
    }
    ts_arena *scratch = ts_arena_new();
    const int n = r->pooled ? 1 : event->n;
    double *best = TS_NEW_N(scratch, double, 2 * (size_t)n);
    for (int i = 0; i < n; i++) {
        const double *from = y + (size_t)i * (size_t)r->outputs;
        int top = 0;
        for (int c = 1; c < r->outputs; c++)
            top = from[c] > from[top] ? c : top;
        best[2 * i] = top;
        best[2 * i + 1] = from[top];
    }
    ts_result_file_put_classes(r, event, best);
    ts_arena_free(scratch);
}

bool ts_result_file_commit(ts_result_file *r, ts_err *err)
{
    return ts_writer_commit(&r->out, err);
}

void ts_result_file_abort(ts_result_file *r)
{
    ts_writer_abort(&r->out);
}

enum { CLASSES_UNKNOWN = 1 << 20 }; /* as many as an inputs file may name */

const ts_inputs *ts_results_inputs(ts_arena *arena, const char *path, ts_err *err)
{
    ts_csv csv;
    const bool opened = ts_csv_open(arena, path, &csv, err);
    ts_csv_close(&csv); /* only the header counts */
    if (!opened)
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
        return ts_fail(err, "%s:%lld: hit %lld of event %lld is not in %s; are these results of other events?", csv->path, csv->line,
                       (long long)hit_id, (long long)event_id, truth->path);
    if (i < 0)
        return true; /* masked: its values stand for nothing */
    if (!r->y[e]) {
        r->y[e] = TS_NEW_N(arena, double, (size_t)truth->event[e].n *(size_t)r->width);
        seen[e] = TS_NEW_N(arena, bool, truth->event[e].n);
    }
    if (seen[e][i])
        return ts_fail(err, "%s:%lld: hit %lld stands twice in event %lld", csv->path, csv->line, (long long)hit_id, (long long)event_id);
    seen[e][i] = true;
    double *y = r->y[e] + (size_t)i * (size_t)r->width;
    for (int o = 0; o < r->width; o++)
        if (!ts_csv_number(csv, column[o], &y[o], err))
            return false;
    return r->kind != TS_RESULT_CLASS || is_class(*y, inputs->outputs) ||
           ts_fail(err, "%s:%lld: %g is not a class from 0 to %d", csv->path, csv->line, *y, inputs->outputs - 1);
}

static bool read_hits(ts_arena *arena, ts_csv *csv, const ts_inputs *inputs, const ts_truth *truth, ts_results *r, ts_err *err)
{
    int *column, event_column, hit_column;
    bool **seen = TS_NEW_N(arena, bool *, truth->count);
    if (!ts_csv_need(csv, "event_id", "to match hits", &event_column, err) ||
        !ts_csv_need(csv, "hit_id", "to match hits (a score needs one result a hit, not one an event)", &hit_column, err) ||
        !value_columns(arena, csv, inputs, r, &column, err))
        return false;
    for (ts_csv_status status; (status = ts_csv_next(csv, err)) != TS_CSV_END;)
        if (status == TS_CSV_BAD || !read_hit(csv, column, event_column, hit_column, inputs, truth, arena, r, seen, err))
            return false;
    for (int e = 0; e < truth->count; e++)
        for (int i = 0; r->y[e] && i < truth->event[e].n; i++)
            if (!seen[e][i])
                return ts_fail(err, "%s: hit %lld of event %lld is missing; every hit of an event must be there", csv->path,
                               (long long)truth->event[e].hit_id[i], (long long)truth->event[e].id);
    return true;
}

ts_results *ts_results_read(ts_arena *arena, const char *path, const ts_inputs *inputs, const ts_truth *truth, ts_err *err)
{
    ts_csv csv;
    ts_results *r = TS_NEW(arena, ts_results);
    r->y = TS_NEW_N(arena, double *, truth->count);
    const bool ok = ts_csv_open(arena, path, &csv, err) && read_hits(arena, &csv, inputs, truth, r, err);
    ts_csv_close(&csv);
    return ok ? r : NULL;
}
