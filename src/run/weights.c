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

bool ts_run_write_weights(tessera_runner *r, const char *path, int64_t until, tessera_error *error)
{
    if (path)
        return ts_run_fail(error, TESSERA_UNSUPPORTED, "%s: files of weights are not read yet", path);
    for (int i = 0; i < r->devices; i++)
        if (r->package.part[i].loads && strcmp(r->device[i]->kind->name, "emulator") != 0 && !write_built_in(r, r->device[i], until, error))
            return false;
    return true;
}
