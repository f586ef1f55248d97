#include "run/package.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/file.h"

typedef struct reading {
    ts_run_package *p;
    const char *path;
    tessera_error *error;
} reading;

static bool wrong(const reading *r, const char *where, const char *name)
{
    return ts_run_fail(r->error, TESSERA_BAD_FILE, "%s: run.%s%s%s is not what this library (%s) reads: make the package again", r->path,
                       where, *where ? "." : "", name, TESSERA_VERSION);
}

static bool number(const reading *r, const ts_run_json *object, const char *where, const char *name, long long least, long long most,
                   long long *value)
{
    return ts_run_json_int(object, name, least, most, value) || wrong(r, where, name);
}

static bool small(const reading *r, const ts_run_json *object, const char *where, const char *name, long long most, int *value)
{
    long long wide = 0;
    const bool ok = number(r, object, where, name, 1, most, &wide);
    *value = (int)wide;
    return ok;
}

/* So many numbers, all of them above zero, of a list that may be longer. */
static bool scales(const reading *r, const ts_run_json *list, const char *where, int count, double **scale)
{
    *scale = calloc((size_t)count, sizeof **scale);
    if (!*scale)
        return ts_run_fail_memory(r->error, (size_t)count * sizeof **scale);
    if (!list || list->kind != TS_RUN_LIST || list->count < count)
        return wrong(r, where, "scale");
    const ts_run_json *one = list->first;
    for (int i = 0; i < count; i++, one = one->next) {
        if (one->kind != TS_RUN_NUMBER || !(one->number > 0))
            return wrong(r, where, "scale");
        (*scale)[i] = one->number;
    }
    return true;
}

/* As rtl/ts_axis_in.v has it. */
static size_t slot_of(int bus_bits, int bits)
{
    if (bits > bus_bits)
        return (size_t)((bits + bus_bits - 1) / bus_bits) * (size_t)bus_bits / 8;
    size_t bytes = 1;
    while (8 * bytes < (size_t)bits)
        bytes *= 2;
    return bytes;
}

static bool read_stream(const reading *r, const ts_run_json *run, const char *name, ts_run_stream *s)
{
    const ts_run_json *object = ts_run_json_get(run, name);
    if (!small(r, object, name, "bus_bits", 512, &s->bus_bits) || s->bus_bits < 32 || (s->bus_bits & (s->bus_bits - 1)))
        return wrong(r, name, "bus_bits");
    if (!small(r, object, name, "values", 1 << 20, &s->values) || !small(r, object, name, "lanes", 1 << 20, &s->lanes) ||
        !small(r, object, name, "lane_bits", 32, &s->bits) || !small(r, object, name, "transfers", 1 << 20, &s->transfers) ||
        !small(r, object, name, "value_bits", 32, &s->value_bits))
        return false;
    if ((long long)s->lanes * s->transfers < s->values || (long long)s->lanes * s->bits > 1 << 22 || s->value_bits > s->bits)
        return wrong(r, name, "lanes");
    s->slot = slot_of(s->bus_bits, s->lanes * s->bits);
    return true;
}

/* A path below the package, and nowhere else. */
static bool is_below(const char *path)
{
    return *path && *path != '/' && !strstr(path, "..");
}

static bool read_images(const reading *r, const ts_run_json *object, ts_run_part *part)
{
    const ts_run_json *pages = ts_run_json_get(object, "pages");
    if (!pages)
        return true;
    if (pages->kind != TS_RUN_LIST || pages->count > TS_RUN_LOADERS)
        return wrong(r, "devices", "pages");
    for (const ts_run_json *one = pages->first; one; one = one->next) {
        ts_run_image *image = &part->image[part->loaders++];
        image->file = ts_run_json_text(one, "image");
        if (!image->file || !is_below(image->file))
            return wrong(r, "devices.pages", "image");
        if (!number(r, one, "devices.pages", "bytes", 1, 1LL << 40, &image->bytes) ||
            !number(r, one, "devices.pages", "alignment", 1, 1 << 30, &image->alignment))
            return false;
    }
    return true;
}

static bool read_part(const reading *r, const ts_run_json *object, ts_run_part *part)
{
    const char *build = ts_run_json_text(object, "build");
    char *end = NULL;
    part->device = ts_run_json_text(object, "device");
    part->top = ts_run_json_text(object, "top");
    part->directory = ts_run_json_text(object, "directory");
    part->loads = ts_run_json_true(object, "loads");
    if (!part->device || !part->top || !part->directory || !is_below(part->directory))
        return wrong(r, "devices", "device");
    part->build = build && strlen(build) == 16 ? strtoull(build, &end, 16) : 0;
    if (!end || *end)
        return wrong(r, "devices", "build");
    return small(r, object, "devices", "rings", 255, &part->rings) && read_images(r, object, part);
}

static bool read_devices(const reading *r, const ts_run_json *run)
{
    const ts_run_json *list = ts_run_json_get(run, "devices");
    if (!list || list->kind != TS_RUN_LIST || list->count < 1 || list->count > TS_RUN_DEVICES)
        return wrong(r, "", "devices");
    for (const ts_run_json *one = list->first; one; one = one->next)
        if (!read_part(r, one, &r->p->part[r->p->devices++]))
            return false;
    return true;
}

/* ---- The model's ends */

static bool allocate(const reading *r, int count, const char ***names, double **numbers)
{
    if (names && !(*names = calloc((size_t)count, sizeof **names)))
        return ts_run_fail_memory(r->error, (size_t)count * sizeof **names);
    return !numbers || (*numbers = calloc((size_t)count, sizeof **numbers)) ||
           ts_run_fail_memory(r->error, (size_t)count * sizeof **numbers);
}

static double real(const ts_run_json *object, const char *name, double otherwise)
{
    const ts_run_json *m = ts_run_json_get(object, name);
    return m && m->kind == TS_RUN_NUMBER ? m->number : otherwise;
}

static void free_numbers(ts_run_numbers *n)
{
    if (!n)
        return;
    free(n->in);
    free(n->out);
    free(n->mean);
    free(n->std);
    free(n);
}

/* mean and std of the columns of an inputs file, which the compiler has checked; without one values are taken as they are. */
static bool read_columns(const reading *r, const ts_run_json *inputs, ts_run_numbers *n)
{
    const ts_run_package *p = r->p;
    const ts_run_json *columns = ts_run_json_get(inputs, "inputs");
    if (p->features == 0)
        return true;
    if (columns && (columns->kind != TS_RUN_LIST || columns->count != p->features))
        return wrong(r, "inputs", "inputs");
    if (!allocate(r, p->features, NULL, &n->mean) || !allocate(r, p->features, NULL, &n->std))
        return false;
    const ts_run_json *one = columns ? columns->first : NULL;
    for (int i = 0; i < p->features; i++, one = one ? one->next : NULL) {
        n->mean[i] = real(one, "mean", 0);
        n->std[i] = real(one, "std", 1);
        if (!(n->std[i] > 0))
            return wrong(r, "inputs.inputs", "std");
    }
    return true;
}

/* Takes the place of those of now. */
static bool read_numbers(const reading *r, const ts_run_json *hits, const ts_run_json *results, const ts_run_json *inputs)
{
    ts_run_package *p = r->p;
    ts_run_numbers *n = calloc(1, sizeof *n);
    if (!n)
        return ts_run_fail_memory(r->error, sizeof *n);
    if (!scales(r, hits, "hits", p->in.values, &n->in) || !scales(r, results, "results", p->argmax ? 1 : p->out.values, &n->out) ||
        !read_columns(r, inputs, n)) {
        free_numbers(n);
        return false;
    }
    n->before = p->numbers;
    p->numbers = n;
    return true;
}

bool ts_run_package_renumber(ts_run_package *p, const ts_run_json *hits, const ts_run_json *results, const ts_run_json *inputs,
                             const char *path, tessera_error *error)
{
    const ts_run_json *own = ts_run_json_get(ts_run_json_get(p->json, "run"), "inputs");
    return read_numbers(&(reading){p, path, error}, hits, results, inputs ? inputs : own);
}

static bool read_names(const reading *r, const ts_run_json *inputs)
{
    ts_run_package *p = r->p;
    const ts_run_json *columns = ts_run_json_get(inputs, "inputs"), *outputs = ts_run_json_get(inputs, "outputs");
    int i = 0;
    if (columns && p->features > 0) {
        if (!allocate(r, p->features, &p->column, NULL))
            return false;
        for (const ts_run_json *one = columns->first; one; one = one->next)
            if (!(p->column[i++] = ts_run_json_text(one, "column")))
                return wrong(r, "inputs.inputs", "column");
    }
    if (!outputs || outputs->kind != TS_RUN_LIST || p->argmax)
        return true;
    if (outputs->count != p->outputs || !allocate(r, p->outputs, &p->output, NULL))
        return wrong(r, "inputs", "outputs");
    i = 0;
    for (const ts_run_json *o = outputs->first; o; o = o->next)
        if (o->kind != TS_RUN_TEXT || !(p->output[i++] = o->text))
            return wrong(r, "inputs", "outputs");
    return true;
}

/* Where the host computes a part, events and results are not the hardware's. */
static bool read_ends(const reading *r, const ts_run_json *run)
{
    ts_run_package *p = r->p;
    const ts_run_json *host = ts_run_json_get(run, "host");
    long long outputs = 0, features = 0;
    p->pooled = ts_run_json_true(ts_run_json_get(run, "results"), "pooled");
    p->argmax = ts_run_json_true(ts_run_json_get(run, "results"), "argmax");
    p->status_word = ts_run_json_true(ts_run_json_get(run, "results"), "status_word");
    if (p->argmax && (p->out.lanes != 2 || p->out.transfers != 1 || p->out.values != 2))
        return wrong(r, "results", "argmax");
    p->assisted = host != NULL;
    p->features = p->in.values;
    p->outputs = p->out.values;
    p->rows_pooled = p->pooled;
    if (host) {
        if (!number(r, host, "host", "features", 0, 1 << 20, &features) || !number(r, host, "host", "outputs", 1, 1 << 20, &outputs))
            return false;
        long long sample = 0, tokens = 0;
        if (ts_run_json_get(host, "sample") && !number(r, host, "host", "sample", 1, 1LL << 30, &sample))
            return false;
        if (ts_run_json_get(host, "tokens") && !number(r, host, "host", "tokens", 1, 1LL << 30, &tokens))
            return false;
        p->sample = sample;
        p->tokens = tokens;
        p->features = (int)features;
        p->outputs = (int)outputs;
        p->rows_pooled = ts_run_json_true(host, "pooled");
    }
    const ts_run_json *inputs = ts_run_json_get(run, "inputs");
    return read_numbers(r, ts_run_json_get(ts_run_json_get(run, "hits"), "scale"),
                        ts_run_json_get(ts_run_json_get(run, "results"), "scale"), inputs) &&
           read_names(r, inputs);
}

static bool read_all(const reading *r)
{
    ts_run_package *p = r->p;
    const ts_run_json *run = ts_run_json_get(p->json, "run");
    long long version = 0;
    p->model = ts_run_json_text(p->json, "model");
    if (!run)
        return ts_run_fail(r->error, TESSERA_BAD_FILE,
                           "%s: has no member \"run\": it is no package, or one of an older tessera; make one with `tessera package`",
                           r->path);
    if (!ts_run_json_int(run, "version", 1, 1 << 20, &version) || version != TS_RUN_VERSION)
        return ts_run_fail(r->error, TESSERA_BAD_FILE, "%s: version %lld of \"run\", this library reads version %d", r->path, version,
                           TS_RUN_VERSION);
    if (!p->model)
        return wrong(r, "", "model");
    if (!small(r, run, "", "max_tokens", 1 << 24, &p->max_tokens))
        return false;
    return read_stream(r, run, "hits", &p->in) && read_stream(r, run, "results", &p->out) && read_devices(r, run) && read_ends(r, run);
}

bool ts_run_package_open(const char *dir, ts_run_package *p, tessera_error *error)
{
    memset(p, 0, sizeof *p);
    char *path = ts_run_path(dir, "manifest.json", error);
    p->dir = strdup(dir);
    bool ok = path && (p->dir || ts_run_fail_memory(error, strlen(dir)));
    p->json = ok ? ts_run_json_load(path, error) : NULL;
    ok = ok && p->json && read_all(&(reading){p, path, error});
    free(path);
    if (!ok)
        ts_run_package_close(p);
    return ok;
}

void ts_run_package_close(ts_run_package *p)
{
    ts_run_json_free(p->json);
    free((char *)p->dir);
    free(p->column);
    free(p->output);
    while (p->numbers) {
        ts_run_numbers *n = p->numbers;
        p->numbers = n->before;
        free_numbers(n);
    }
    memset(p, 0, sizeof *p);
}

int64_t ts_run_word_rows(const ts_run_package *p, int64_t tokens)
{
    return p->pooled ? 1 : tokens;
}
