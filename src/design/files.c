#define TS_FAIL_CODE TS_DAMAGED
#include "design/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/boundary.h"

enum { DEEPEST = 8 };

/* Files that change after the design is made: results are added to reports, inputs files are edited, a part's manifest is checked by
 * itself. */
static bool changes(const char *name)
{
    static const char *const names[] = {TS_MANIFEST, TS_REPORT, TS_INPUTS_COPY};
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(base, names[i]) == 0)
            return true;
    return false;
}

typedef struct list {
    ts_arena *arena;
    const char *dir;
    const char **name;
    int count, room;
    ts_err *err;
} list;

static void add(list *l, const char *name)
{
    if (l->count == l->room) {
        const char **more = TS_NEW_N(l->arena, const char *, 2 * l->room + 64);
        if (l->count)
            memcpy(more, l->name, (size_t)l->count * sizeof *more);
        l->name = more;
        l->room = 2 * l->room + 64;
    }
    l->name[l->count++] = name;
}

/* below: "" or a directory's name and a slash. */
static bool walk(list *l, const char *below, int depth)
{
    const char *path = ts_printf(l->arena, "%s/%s", l->dir, below);
    DIR *d = ts_opendir(path);
    if (!d)
        return ts_fail_as(l->err, ts_code_or(TS_FAIL_CODE, errno), "%s: cannot read: %s", path, strerror(errno));
    bool ok = true;
    for (const struct dirent *e; ok && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        const char *name = ts_printf(l->arena, "%s%s", below, e->d_name);
        struct stat st;
        if (lstat(ts_printf(l->arena, "%s/%s", l->dir, name), &st) != 0)
            ok = ts_fail_as(l->err, ts_code_or(TS_FAIL_CODE, errno), "%s/%s: %s", l->dir, name, strerror(errno));
        else if (S_ISDIR(st.st_mode) && depth < DEEPEST)
            ok = walk(l, ts_printf(l->arena, "%s/", name), depth + 1);
        else if (strcmp(name, TS_MANIFEST) != 0)
            add(l, name);
    }
    ts_closedir(d);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *ts_design_files(ts_arena *arena, const char *dir, ts_err *err)
{
    list l = {.arena = arena, .dir = dir, .err = err};
    if (!walk(&l, "", 0))
        return NULL;
    add(&l, TS_MANIFEST);
    qsort(l.name, (size_t)l.count, sizeof *l.name, by_name);
    json_t *files = json_object();
    for (int i = 0; i < l.count; i++) {
        struct stat st;
        const bool sized = !changes(l.name[i]) && stat(ts_printf(arena, "%s/%s", dir, l.name[i]), &st) == 0;
        json_object_set_new_nocheck(files, l.name[i], sized ? json_integer((json_int_t)st.st_size) : json_null());
    }
    return files;
}

static const json_t *files_of(const json_t *manifest)
{
    return json_object_get(manifest, "files");
}

bool ts_design_files_check(ts_arena *arena, const char *dir, const json_t *manifest, ts_err *err)
{
    json_t *files = json_object_get(manifest, "files"), *size;
    const char *name;
    if (!json_is_object(files))
        return ts_fail(err, "%s/%s: it does not say which files the design has: compile the model again", dir, TS_MANIFEST);
    json_object_foreach(files, name, size)
    {
        struct stat st;
        const char *path = ts_printf(arena, "%s/%s", dir, name);
        if (stat(path, &st) != 0)
            return ts_fail(err, "%s: %s: a file of the design is missing; compile the model again", path, strerror(errno));
        if (json_is_integer(size) && st.st_size != json_integer_value(size))
            return ts_fail(err, "%s has %lld bytes, it should have %lld: compile the model again", path, (long long)st.st_size,
                           (long long)json_integer_value(size));
    }
    return true;
}

const char *ts_design_device_file(ts_arena *arena, const char *dir, const char *name)
{
    return ts_printf(arena, "%s/devices/%s.json", dir, name);
}

bool ts_design_has(const json_t *manifest, const char *name)
{
    return json_object_get(files_of(manifest), name) != NULL;
}

/* ---- Whose is it */

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* Without the name of a part's directory. */
static const char *in_part(const char *name)
{
    if (!begins(name, "part"))
        return name;
    const char *behind = name + strlen("part");
    const size_t digits = strspn(behind, "0123456789");
    return digits && behind[digits] == '/' ? behind + digits + 1 : name;
}

/* sim/: programs, builds, runs; synth/: scripts, logs, netlists. */
static bool is_cache(const char *name)
{
    static const char *const synth[] = {"word.ys", "word.log", "word.json", "map.ys", "map.log", "stat.txt", "version.log"};
    const char *own = in_part(name);
    if (begins(own, "sim/sim-") || begins(own, "sim/build-") || strcmp(own, "sim/build.log") == 0)
        return true;
    if (begins(own, "synth/"))
        for (size_t i = 0; i < sizeof synth / sizeof *synth; i++)
            if (strcmp(own + strlen("synth/"), synth[i]) == 0)
                return true;
    return false;
}

/* Names that designs had before manifests said which. */
static bool has_designs_name(const char *name)
{
    static const char *const names[] = {TS_MANIFEST, TS_INTEGER_MODEL, TS_MODEL_COPY, TS_INPUTS_COPY, TS_REPORT};
    static const char *const dirs[] = {"rtl/", "mem/", "tb/", "devices/"};
    const char *own = in_part(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(own, names[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
        if (begins(own, dirs[i]))
            return true;
    return false;
}

ts_file_kind ts_design_file_kind(const json_t *manifest, const char *name)
{
    const json_t *files = files_of(manifest);
    if (json_is_object(files) ? json_object_get(files, name) != NULL : manifest && has_designs_name(name))
        return TS_FILE_OF_DESIGN;
    return manifest && is_cache(name) ? TS_FILE_OF_CACHE : TS_FILE_OF_OTHERS;
}

bool ts_design_directory(const json_t *manifest, const char *name)
{
    static const char *const dirs[] = {"rtl", "mem", "tb", "devices", "sim", "synth"};
    const char *own = in_part(name);
    for (size_t i = 0; manifest && i < sizeof dirs / sizeof *dirs; i++)
        if (strcmp(own, dirs[i]) == 0 || begins(own, "sim/build-"))
            return true;
    return manifest && begins(name, "part") && name[4] && strspn(name + 4, "0123456789") == strlen(name + 4);
}
