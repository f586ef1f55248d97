#include "flow/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "design/outdir.h"

typedef struct tensor {
    int layer, part, rows, cols;
    ts_role role;
    const float *real;         /* of the float encoder; NULL: none */
    const int32_t *word, *rtl; /* NULL: none */
    const double *value;       /* of the integer model, as real values */
} tensor;

struct ts_trace {
    ts_arena *arena;
    tensor *list;
    int count, room;
};

ts_trace *ts_trace_new(ts_arena *arena)
{
    ts_trace *trace = TS_NEW(arena, ts_trace);
    trace->arena = arena;
    return trace;
}

/* The tensor's entry, made where it is new; NULL where its shape is another one than before (a layout that differs). */
static tensor *entry(ts_trace *t, int layer, ts_role role, int part, int rows, int cols)
{
    for (int i = 0; i < t->count; i++)
        if (t->list[i].layer == layer && t->list[i].role == role && t->list[i].part == part)
            return t->list[i].rows == rows && t->list[i].cols == cols ? &t->list[i] : NULL;
    if (t->count == t->room) {
        tensor *grown = TS_NEW_N(t->arena, tensor, 2 * t->room + 64);
        if (t->count)
            memcpy(grown, t->list, (size_t)t->count * sizeof *grown);
        t->list = grown;
        t->room = 2 * t->room + 64;
    }
    t->list[t->count] = (tensor){.layer = layer, .role = role, .part = part, .rows = rows, .cols = cols};
    return &t->list[t->count++];
}

static bool is_square(ts_role role) /* [n][n] a head: too large to be looked at, and the hardware's P is not yet divided */
{
    return role == TS_ROLE_SCORE || role == TS_ROLE_P;
}

void ts_trace_float(void *user, int layer, ts_role role, int part, int head, int rows, int cols, const float *data)
{
    ts_trace *t = user;
    tensor *e = is_square(role) ? NULL : entry(t, layer, role, part, rows, cols);
    if (!e)
        return;
    float *copy = TS_NEW_N(t->arena, float, (size_t)rows *(size_t)cols);
    memcpy(copy, data, (size_t)rows * (size_t)cols * sizeof *copy);
    e->real = copy;
}

static const int32_t *copy_words(ts_trace *t, const int32_t *data, size_t count)
{
    int32_t *copy = TS_NEW_N(t->arena, int32_t, count);
    memcpy(copy, data, count * sizeof *copy);
    return copy;
}

void ts_trace_integer(void *user, int layer, ts_role role, int part, int rows, int cols, const int32_t *data, const double *scale,
                      const double *offset)
{
    ts_trace *t = user;
    tensor *e = is_square(role) ? NULL : entry(t, layer, role, part, rows, cols);
    if (!e)
        return;
    double *value = TS_NEW_N(t->arena, double, (size_t)rows *(size_t)cols);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            value[r * cols + c] = data[r * cols + c] * scale[c] + (offset ? offset[c] : 0);
    e->value = value;
    e->word = copy_words(t, data, (size_t)rows * (size_t)cols);
}

void ts_trace_rtl(void *user, int event, int layer, ts_role role, int part, const char *label, int rows, int cols, const int32_t *rtl,
                  const int32_t *model)
{
    ts_trace *t = user;
    tensor *e = event == 0 && !is_square(role) ? entry(t, layer, role, part, rows, cols) : NULL;
    if (e)
        e->rtl = copy_words(t, rtl, (size_t)rows * (size_t)cols);
}

static int in_order(const void *a, const void *b)
{
    const tensor *x = a, *y = b;
    if (x->layer != y->layer)
        return x->layer < y->layer ? -1 : 1;
    if (x->role != y->role)
        return x->role < y->role ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

static bool write_tensor(const tensor *e, const char *path, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    ts_writer w;
    bool ok = ts_writer_open(scratch, path, &w, err);
    FILE *f = w.f;
    if (!ok)
        goto done;
    fprintf(f, "row,column,float,integer,integer_word,rtl_word\n");
    for (int i = 0; i < e->rows * e->cols; i++) {
        fprintf(f, "%d,%d,", i / e->cols, i % e->cols);
        if (e->real)
            fprintf(f, "%.9g", (double)e->real[i]);
        if (e->word)
            fprintf(f, ",%.9g,%d,", e->value[i], e->word[i]);
        else
            fprintf(f, ",,,");
        if (e->rtl)
            fprintf(f, "%d", e->rtl[i]);
        fputc('\n', f);
    }
    ok = ts_writer_commit(&w, err);
done:
    ts_arena_free(scratch);
    return ok;
}

/* "rms of float, rms of the error", and how many RTL words differ from the model's; -1: no RTL. */
static long long summarise(const tensor *e, double *size, double *error)
{
    long long differ = e->rtl ? 0 : -1;
    *size = *error = 0;
    for (int i = 0; i < e->rows * e->cols; i++) {
        if (e->real)
            *size += (double)e->real[i] * (double)e->real[i];
        if (e->real && e->value)
            *error += (e->value[i] - (double)e->real[i]) * (e->value[i] - (double)e->real[i]);
        if (e->rtl && e->word)
            differ += e->rtl[i] != e->word[i];
    }
    const double count = (double)e->rows * e->cols;
    *size = sqrt(*size / count);
    *error = sqrt(*error / count);
    return differ;
}

bool ts_trace_write(const ts_trace *t, const char *dir, FILE *out, ts_err *err)
{
    if (!ts_outdir_make(dir, err))
        return false;
    qsort(t->list, (size_t)t->count, sizeof *t->list, in_order);
    char path[4096];
    ts_text text;
    FILE *f = ts_text_open(&text);
    fprintf(f, "layer,role,part,rows,columns,float_rms,error_rms,rtl_words_that_differ\n");
    fprintf(out, "%5s  %-12s %4s %12s %12s %10s\n", "layer", "role", "part", "float rms", "error rms", "RTL");
    bool ok = true;
    for (int i = 0; i < t->count && ok; i++) {
        const tensor *e = &t->list[i];
        double rms, error;
        const long long differ = summarise(e, &rms, &error);
        fprintf(f, "%d,%s,%d,%d,%d,%.6g,%.6g,%lld\n", e->layer, ts_role_name(e->role), e->part, e->rows, e->cols, rms, error, differ);
        fprintf(out, "%5d  %-12s %4d %12.5g %12.5g %10s\n", e->layer, ts_role_name(e->role), e->part, rms, error,
                differ < 0 ? "-"
                : differ   ? "DIFFERS"
                           : "equal");
        snprintf(path, sizeof path, "%s/%d_%s_%d.csv", dir, e->layer, ts_role_name(e->role), e->part);
        ok = write_tensor(e, path, err);
    }
    const char *list = ts_text_close(&text, t->arena);
    snprintf(path, sizeof path, "%s/stages.csv", dir);
    ok = ok && ts_file_write(path, list, text.size, err);
    return ok;
}
