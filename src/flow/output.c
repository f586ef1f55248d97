#include "flow/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

bool ts_check_output(const char *output, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    struct stat st;
    const char *target = ts_file_target(scratch, output, err);
    bool ok = target != NULL;
    if (ok && stat(target, &st) == 0) {
        ok = !S_ISDIR(st.st_mode) || ts_fail_as(err, TS_NOT_WRITTEN, "%s: cannot write: it is a directory", output);
    } else if (ok) {
        const char *slash = strrchr(target, '/');
        const char *dir = !slash ? "." : slash == target ? "/" : ts_printf(scratch, "%.*s", (int)(slash - target), target);
        ok = access(dir, W_OK | X_OK) == 0 ||
             ts_fail_as(err, ts_code_of_write(errno), "%s: cannot write: %s: %s", output, dir, strerror(errno));
    }
    ts_arena_free(scratch);
    return ok;
}

bool ts_check_output_is_not(const char *output, const char *input, const char *what, ts_err *err)
{
    return !input || !ts_file_same(output, input) ||
           ts_fail_as(err, TS_USAGE, "%s %s is %s: it would be lost; choose another name", ts_option("output"), output, what);
}

bool ts_check_output_source(const char *output, const ts_event_source *s, ts_err *err)
{
    return ts_check_output_is_not(output, s->events, "the events file", err) &&
           ts_check_output_is_not(output, s->samples, "the file of samples", err) &&
           ts_check_output_is_not(output, s->inputs, "the inputs file", err) &&
           ts_check_output_is_not(output, s->lengths, "the file of lengths", err) &&
           ts_check_output_is_not(output, s->mask, "the file of masks", err);
}

bool ts_check_output_design(const char *output, const ts_design *design, ts_err *err)
{
    json_t *files = json_object_get(design->manifest, "files"), *size;
    const char *name;
    ts_arena *scratch = ts_arena_new();
    bool ok = true;
    json_object_foreach(files, name, size) ok =
        ok && ts_check_output_is_not(output, ts_printf(scratch, "%s/%s", design->dir, name), "a file of the design", err);
    ts_arena_free(scratch);
    return ok;
}
