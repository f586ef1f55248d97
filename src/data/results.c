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

/* What is read, and what of it is there. */
typedef struct reading {
    ts_arena *arena;
    const ts_inputs *inputs;
    const ts_truth *truth;
    ts_results *results;
    bool **seen; /* [events][n]; NULL for events that have not come up */
} reading;

static reading start_reading(ts_arena *arena, const ts_inputs *inputs, const ts_truth *truth, ts_results *results)
{
    results->y = TS_NEW_N(arena, double *, truth->count);
    return (reading){arena, inputs, truth, results, TS_NEW_N(arena, bool *, truth->count)};
}

typedef enum { HIT_FOUND, HIT_MASKED, HIT_UNKNOWN, HIT_TWICE } hit_status;

/* Where the values of a hit go: *y [width]. */
static hit_status find_hit(const reading *r, int64_t event_id, int64_t hit_id, double **y)
{
    ts_results *to = r->results;
    int e, i;
    if (!ts_truth_find(r->truth, event_id, hit_id, &e, &i))
        return HIT_UNKNOWN;
    if (i < 0)
        return HIT_MASKED;
    if (!to->y[e]) {
        to->y[e] = TS_NEW_N(r->arena, double, (size_t)r->truth->event[e].n *(size_t)to->width);
        r->seen[e] = TS_NEW_N(r->arena, bool, r->truth->event[e].n);
    }
    if (r->seen[e][i])
        return HIT_TWICE;
    r->seen[e][i] = true;
    *y = to->y[e] + (size_t)i * (size_t)to->width;
    return HIT_FOUND;
}

/* where: the file and the line of it, or the arrays. */
static bool tell_hit(const reading *r, hit_status status, const char *where, int64_t event_id, int64_t hit_id, ts_err *err)
{
    if (status == HIT_TWICE)
        return ts_fail(err, "%s: hit %lld stands twice in event %lld", where, (long long)hit_id, (long long)event_id);
    return ts_fail(err, "%s: hit %lld of event %lld is not in %s; are these results of other events?", where, (long long)hit_id,
                   (long long)event_id, r->truth->path);
}

static bool check_complete(const reading *r, const char *path, ts_err *err)
{
    for (int e = 0; e < r->truth->count; e++)
        for (int i = 0; r->results->y[e] && i < r->truth->event[e].n; i++)
            if (!r->seen[e][i])
                return ts_fail(err, "%s: hit %lld of event %lld is missing; every hit of an event must be there", path,
                               (long long)r->truth->event[e].hit_id[i], (long long)r->truth->event[e].id);
    return true;
}

static bool read_hit(const reading *r, const ts_csv *csv, const int *column, int event_column, int hit_column, ts_err *err)
{
    int64_t event_id, hit_id;
    double *y;
    if (!ts_csv_integer(csv, event_column, &event_id, err) || !ts_csv_integer(csv, hit_column, &hit_id, err))
        return false;
    const hit_status status = find_hit(r, event_id, hit_id, &y);
    if (status == HIT_MASKED)
        return true; /* its values stand for nothing */
    if (status != HIT_FOUND)
        return tell_hit(r, status, ts_printf(r->arena, "%s:%lld", csv->path, csv->line), event_id, hit_id, err);
    for (int o = 0; o < r->results->width; o++)
        if (!ts_csv_number(csv, column[o], &y[o], err))
            return false;
    return r->results->kind != TS_RESULT_CLASS || is_class(*y, r->inputs->outputs) ||
           ts_fail(err, "%s:%lld: %g is not a class from 0 to %d", csv->path, csv->line, *y, r->inputs->outputs - 1);
}

static bool read_hits(ts_csv *csv, const reading *r, ts_err *err)
{
    int *column, event_column, hit_column;
    if (!ts_csv_need(csv, "event_id", "to match hits", &event_column, err) ||
        !ts_csv_need(csv, "hit_id", "to match hits (a score needs one result a hit, not one an event)", &hit_column, err) ||
        !value_columns(r->arena, csv, r->inputs, r->results, &column, err))
        return false;
    for (ts_csv_status status; (status = ts_csv_next(csv, err)) != TS_CSV_END;)
        if (status == TS_CSV_BAD || !read_hit(r, csv, column, event_column, hit_column, err))
            return false;
    return check_complete(r, csv->path, err);
}

ts_results *ts_results_read(ts_arena *arena, const char *path, const ts_inputs *inputs, const ts_truth *truth, ts_err *err)
{
    ts_csv csv;
    ts_results *made = TS_NEW(arena, ts_results);
    const reading r = start_reading(arena, inputs, truth, made);
    const bool ok = ts_csv_open(arena, path, &csv, err) && read_hits(&csv, &r, err);
    ts_csv_close(&csv);
    return ok ? made : NULL;
}

/* Hits [first, first + hits) of the arrays, which are event `id`. */
static bool take_event(const reading *r, const ts_result_arrays *a, int64_t id, int64_t first, int32_t hits, ts_err *err)
{
    const int64_t *hit_ids = a->events->hit_id;
    for (int32_t i = 0; i < hits; i++) {
        const int64_t hit_id = hit_ids ? hit_ids[first + i] : i;
        double *y;
        const hit_status status = find_hit(r, id, hit_id, &y);
        if (status == HIT_MASKED)
            continue;
        if (status != HIT_FOUND)
            return tell_hit(r, status, TS_RESULT_ARRAYS, id, hit_id, err);
        for (int o = 0; o < a->outputs; o++) {
            y[o] = a->values[(first + i) * a->outputs + o];
            if (!isfinite(y[o]))
                return ts_fail(err, TS_RESULT_ARRAYS ": value %d of hit %lld of event %lld is %g, not a finite number", o,
                               (long long)hit_id, (long long)id, y[o]);
        }
    }
    return true;
}

ts_results *ts_results_of_arrays(ts_arena *arena, const ts_result_arrays *a, const ts_inputs *inputs, const ts_truth *truth, ts_err *err)
{
    ts_results *made = TS_NEW(arena, ts_results);
    const ts_event_arrays *events = a->events;
    *made = (ts_results){.kind = TS_RESULT_VALUES, .width = a->outputs};
    const reading r = start_reading(arena, inputs, truth, made);
    if (a->outputs != inputs->outputs) {
        ts_fail(err, TS_RESULT_ARRAYS " have %d outputs, but %s lists %d", a->outputs, inputs->path ? inputs->path : "the model",
                inputs->outputs);
        return NULL;
    }
    int64_t first = 0;
    for (int64_t e = 0; e < events->events; first += events->hits[e++])
        if (!(a->refused && a->refused[e]) && !take_event(&r, a, events->id ? events->id[e] : e, first, events->hits[e], err))
            return NULL;
    return check_complete(&r, TS_RESULT_ARRAYS, err) ? made : NULL;
}
