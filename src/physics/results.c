#include "physics/results.h"

#include <math.h>
#include <string.h>

#include "base/file.h"

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

bool ts_results_write(const ts_results *r, const ts_events *events, const ts_inputs *inputs, const char *path, ts_err *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    CHECK(f);
    header(f, r, inputs);
    if (r->pooled) {
        for (int e = 0; e < events->count; e++)
            if (r->y[e]) {
                fprintf(f, "%lld", (long long)events->event[e].id);
                values(f, r, r->y[e]);
            }
    } else {
        int *next = calloc((size_t)events->count, sizeof *next); /* hit of each event that comes next in row order */
        CHECK(next);
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
        free(next);
    }
    const bool whole = fclose(f) == 0;
    CHECK(whole);
    const bool ok = ts_file_write(path, text, size, err);
    free(text);
    return ok;
}
