/* Weights through the weight windows: what a package's devices need before the first event, and files of other weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/file.h"
#include "run/runner.h"

enum { MOST = 1 << 30 };

/* A line of mem/load.hex: [2 digits ring] 2 memory, 3 slice, 4 address, 18 data. */
enum { DIGITS = 27 };

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool number(const char **at, int digits, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        const int d = digit(*(*at)++);
        if (d < 0)
            return false;
        *value = *value << 4 | (uint32_t)d;
    }
    return true;
}

static bool write_line(ts_run_device *d, const char *line, size_t length, bool *malformed, tessera_error *error)
{
    uint32_t ring = 0, memory, slice, address, data[3];
    *malformed = (length != DIGITS && length != DIGITS + 2) || (length > DIGITS && !number(&line, 2, &ring)) ||
                 !number(&line, 2, &memory) || !number(&line, 3, &slice) || !number(&line, 4, &address) || !number(&line, 2, &data[2]) ||
                 !number(&line, 8, &data[1]) || !number(&line, 8, &data[0]);
    return !*malformed && ts_run_write(d, TS_RUN_REG_WEIGHT_MEMORY, ring << 8 | memory, error) &&
           ts_run_write(d, TS_RUN_REG_WEIGHT_SLICE, slice, error) && ts_run_write(d, TS_RUN_REG_WEIGHT_ADDRESS, address, error) &&
           ts_run_write(d, TS_RUN_REG_WEIGHT_DATA_0, data[0], error) && ts_run_write(d, TS_RUN_REG_WEIGHT_DATA_1, data[1], error) &&
           ts_run_write(d, TS_RUN_REG_WEIGHT_DATA_2, data[2], error) && ts_run_write(d, TS_RUN_REG_WEIGHT_COMMIT, 1, error);
}

/* What the device's package has for memories without initial contents. */
static bool write_built_in(const tessera_runner *r, ts_run_device *d, int64_t until, tessera_error *error)
{
    char name[256];
    size_t size;
    snprintf(name, sizeof name, "%s/mem/load.hex", r->package.part[d->number].directory);
    char *path = ts_run_path(r->package.dir, name, error), *text = path ? ts_run_file(path, MOST, &size, error) : NULL;
    bool ok = text != NULL;
    int line = 1;
    for (const char *at = text; ok && *at; line++) {
        const size_t length = strcspn(at, "\n");
        bool malformed = false;
        ok = length == 0 || write_line(d, at, length, &malformed, error);
        if (malformed)
            ts_run_fail(error, TESSERA_BAD_FILE, "%s:%d: is no word of a memory", path, line);
        if (ok && ts_run_now() >= until)
            ok = ts_run_fail(error, TESSERA_TIMED_OUT, "%s: %s is not written in time, line %d was the last", d->name, path, line);
        at += length + (at[length] == '\n');
    }
    free(text);
    free(path);
    return ok;
}

/* ---- A file of weights, docs/weights.md: what is before its header; a write of a slice; what the check sum is of */

enum { FILE_VERSION = 1, BEFORE = 16, CHECK_SUM = 4, WRITE = 9 };
/* The weight window: what WEIGHT_COMMIT takes, and what tells how it went: CRC-32C of the writes since CLEAR, how many, how many refused.
 */
enum { COMMIT_WRITE = 1, COMMIT_NEXT = 2, COMMIT_CLEAR = 4, WINDOW_CRC = 0x21c, WINDOW_COUNT = 0x220, WINDOW_REFUSED = 0x224 };

typedef struct weights_file {
    const char *path;
    uint8_t *data;
    size_t size;
    ts_run_json *header, *inputs;
    const uint8_t *ring; /* of the first one: writes, then pages */
} weights_file;

static uint32_t get_32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* CRC-32C as rtl/ts_crc.v has it: from the most significant bit on. */
static uint32_t crc_of(uint32_t crc, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)data[i] << 24;
        for (int k = 0; k < 8; k++)
            crc = crc << 1 ^ (crc >> 31 ? 0x1EDC6F41 : 0);
    }
    return crc;
}

static void close_file(weights_file *w)
{
    ts_run_json_free(w->header);
    ts_run_json_free(w->inputs);
    free(w->data);
}

static bool bad(const weights_file *w, const char *what, tessera_error *error)
{
    return ts_run_fail(error, TESSERA_BAD_FILE, "%s: %s: make the file again (tessera weights)", w->path, what);
}

/* That it is whole, and of this design. The build is that of the package, but for what of it is the bus'. */
static bool check_file(const tessera_runner *r, weights_file *w, tessera_error *error)
{
    static const uint64_t of_design = (UINT64_C(1) << 47) - 1;
    if (w->size < BEFORE + CHECK_SUM || memcmp(w->data, "tsweight", 8) != 0)
        return bad(w, "is no file of weights", error);
    if (get_32(w->data + 8) != FILE_VERSION)
        return bad(w, "is of another version", error);
    if (get_32(w->data + w->size - CHECK_SUM) != crc_of(0xffffffff, w->data, w->size - CHECK_SUM))
        return bad(w, "is damaged: its check sum is wrong", error);
    const size_t length = get_32(w->data + 12);
    if (length > w->size - BEFORE - CHECK_SUM)
        return bad(w, "is damaged: its header is longer than the file", error);
    w->header = ts_run_json_parse(w->path, (const char *)w->data + BEFORE, length, error);
    if (!w->header)
        return false;
    const char *build = ts_run_json_text(ts_run_json_get(w->header, "design"), "build");
    if (!build || (strtoull(build, NULL, 16) & of_design) != (r->package.part[0].build & of_design))
        return ts_run_fail(error, TESSERA_USAGE, "%s: was made for another design, build %s; %s is %016llx", w->path, build ? build : "?",
                           r->package.dir, (unsigned long long)r->package.part[0].build);
    long long model, inputs;
    if (!ts_run_json_int(w->header, "integer_model", 0, (long long)w->size, &model) ||
        !ts_run_json_int(w->header, "inputs", 0, (long long)w->size, &inputs) ||
        (uint64_t)model + (uint64_t)inputs > w->size - BEFORE - CHECK_SUM - length)
        return bad(w, "is damaged: its header does not fit it", error);
    const uint8_t *at = w->data + BEFORE + length + model;
    if (inputs && !(w->inputs = ts_run_json_parse(w->path, (const char *)at, (size_t)inputs, error)))
        return false;
    w->ring = at + inputs;
    return true;
}

/* One write, and what the check sum takes of it. changed: which registers are not as they were. */
static bool write_slice(ts_run_device *d, uint32_t where[3], uint32_t last[3], bool begins, const uint8_t *data, uint32_t *crc,
                        tessera_error *error)
{
    const uint32_t word[3] = {get_32(data), get_32(data + 4), data[8]};
    uint8_t sum[15] = {(uint8_t)(where[0] >> 8), (uint8_t)where[0],        (uint8_t)(where[1] >> 8),
                       (uint8_t)where[1],        (uint8_t)(where[2] >> 8), (uint8_t)where[2]};
    for (int i = 0; i < WRITE; i++)
        sum[14 - i] = data[i];
    *crc = crc_of(*crc, sum, sizeof sum);
    if (begins &&
        (!ts_run_write(d, TS_RUN_REG_WEIGHT_MEMORY, where[0], error) || !ts_run_write(d, TS_RUN_REG_WEIGHT_SLICE, where[1], error) ||
         !ts_run_write(d, TS_RUN_REG_WEIGHT_ADDRESS, where[2], error)))
        return false;
    for (uint32_t i = 0; i < 3; i++)
        if ((begins || word[i] != last[i]) && !ts_run_write(d, TS_RUN_REG_WEIGHT_DATA_0 + 4 * i, word[i], error))
            return false;
    memcpy(last, word, sizeof word);
    return ts_run_write(d, TS_RUN_REG_WEIGHT_COMMIT, begins ? COMMIT_WRITE : COMMIT_NEXT, error);
}

/* The writes of one ring, which is the device's ring `number`. */
static bool write_ring(const weights_file *w, const ts_run_json *ring, ts_run_device *d, uint32_t number_of_ring, const uint8_t **at,
                       int64_t until, uint32_t *count, uint32_t *crc, tessera_error *error)
{
    const ts_run_json *list = ts_run_json_get(ring, "memories");
    for (const ts_run_json *m = list && list->kind == TS_RUN_LIST ? list->first : NULL; m; m = m->next) {
        long long memory, slices, words;
        if (!ts_run_json_int(m, "cfg_mem", 0, 255, &memory) || !ts_run_json_int(m, "slices", 1, 1023, &slices) ||
            !ts_run_json_int(m, "words", 1, 1 << 16, &words))
            return bad(w, "is damaged: a memory has no place", error);
        for (uint32_t s = 0; s < slices; s++) {
            uint32_t last[3] = {0};
            for (uint32_t a = 0; a < words; a++, *at += WRITE, ++*count) {
                uint32_t where[3] = {number_of_ring << 8 | (uint32_t)memory, s, a};
                if ((size_t)(w->data + w->size - CHECK_SUM - *at) < WRITE)
                    return bad(w, "is damaged: it has fewer words than its header says", error);
                if (!write_slice(d, where, last, a == 0, *at, crc, error))
                    return false;
                if (ts_run_now() >= until)
                    return ts_run_fail(error, TESSERA_TIMED_OUT, "%s: %s: %u words were written in the time given, and not all", d->name,
                                       w->path, *count);
            }
        }
    }
    return true;
}

static bool check_written(const weights_file *w, ts_run_device *d, uint32_t count, uint32_t crc, tessera_error *error)
{
    uint32_t counted, sum, refused;
    if (!ts_run_read(d, WINDOW_COUNT, &counted, error) || !ts_run_read(d, WINDOW_CRC, &sum, error) ||
        !ts_run_read(d, WINDOW_REFUSED, &refused, error))
        return false;
    return (counted == count && sum == crc && refused == 0) ||
           ts_run_fail(
               error, TESSERA_NO_DEVICE,
               "%s: %s: %u of %u words were written, %u refused, WEIGHT_CRC at 0x%03x is 0x%08x and should be 0x%08x: load it again",
               d->name, w->path, counted, count, refused, WINDOW_CRC, sum, crc);
}

/* Rings of the design in the order of the devices; *at moves behind what is a device's. pages: of the device, or NULL. */
static bool write_device(tessera_runner *r, const weights_file *w, ts_run_device *d, const ts_run_json **ring, const uint8_t **at,
                         int64_t until, tessera_error *error)
{
    const ts_run_part *part = &r->package.part[d->number];
    uint32_t count = 0, crc = 0xffffffff;
    if (!ts_run_stop_pages(r, d, until, error) || !ts_run_write(d, TS_RUN_REG_WEIGHT_COMMIT, COMMIT_CLEAR, error))
        return false;
    for (int i = 0, loader = 0; i < part->rings; i++, *ring = (*ring)->next) {
        long long pages = 0;
        if (!*ring || !ts_run_json_int(*ring, "pages", 0, (long long)w->size, &pages))
            return bad(w, "has fewer rings than the design", error);
        if (!write_ring(w, *ring, d, (uint32_t)i, at, until, &count, &crc, error))
            return false;
        if (pages > w->data + w->size - CHECK_SUM - *at)
            return bad(w, "is damaged: it ends in its pages", error);
        if (pages && !ts_run_place_pages(r, d, loader++, *at, (size_t)pages, error))
            return false;
        *at += pages;
    }
    return check_written(w, d, count, crc, error) && ts_run_start_pages(r, d, until, error);
}

static bool write_file(tessera_runner *r, weights_file *w, int64_t until, tessera_error *error)
{
    const ts_run_json *rings = ts_run_json_get(w->header, "rings"), *ring = rings && rings->kind == TS_RUN_LIST ? rings->first : NULL;
    const uint8_t *at = w->ring;
    if (r->device[0]->kind->weights) {
        if (!r->device[0]->kind->weights(r->device[0], w->path, error))
            return false;
    } else {
        for (int i = 0; i < r->devices; i++)
            if (!write_device(r, w, r->device[i], &ring, &at, until, error))
                return false;
    }
    const ts_run_json *scales = ts_run_json_get(w->header, "scales");
    return ts_run_package_renumber(&r->package, ts_run_json_get(scales, "hits"), ts_run_json_get(scales, "results"), w->inputs, w->path,
                                   error);
}

bool ts_run_write_weights(tessera_runner *r, const char *path, int64_t until, tessera_error *error)
{
    if (path) {
        weights_file w = {.path = path};
        w.data = (uint8_t *)ts_run_file(path, MOST, &w.size, error);
        const bool ok = w.data && check_file(r, &w, error) && write_file(r, &w, until, error);
        close_file(&w);
        return ok;
    }
    for (int i = 0; i < r->devices; i++)
        if (r->package.part[i].loads && !r->device[i]->kind->weights && !write_built_in(r, r->device[i], until, error))
            return false;
    return true;
}
