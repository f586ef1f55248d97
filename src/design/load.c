/* Reads a design back. */
#define TS_FAIL_CODE TS_DAMAGED
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "design/design.h"
#include "design/manifest.h"
#include "emit/page_file.h"

/* External memory's image is whole, as far as its size says. */
static bool check_pages(ts_arena *arena, const char *dir, const ts_system_ring *ring, ts_err *err)
{
    const char *path = ts_printf(arena, "%s/mem/%s", dir, TS_PAGE_FILE);
    const long long wanted = (long long)ring->pages.beats * 8 * ring->plan->paging.lanes;
    struct stat st;
    if (!ring->pages.stages)
        return true;
    if (stat(path, &st) != 0)
        return ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: %s: compile the model again", path, strerror(errno));
    return st.st_size == wanted ||
           ts_fail(err, "%s has %lld bytes, it should have %lld: compile the model again", path, (long long)st.st_size, wanted);
}

static bool load_ring(ts_arena *arena, ts_design *design, const char *path, ts_err *err)
{
    ts_plan *plan = TS_NEW(arena, ts_plan);
    if (!ts_plan_from_json(arena, json_object_get(design->manifest, "plan"), plan, err) ||
        !ts_system_of_ring(arena, design->im, plan, &design->system, err))
        return ts_fail_in(err, "%s", path);
    return check_pages(arena, design->dir, &design->system.ring[0], err);
}

static bool load_design(ts_arena *arena, const char *dir, bool may_have_parts, ts_design *design, ts_err *err);

/* A part is a design of its own, whose manifest is of no further use here. */
static bool load_part(ts_arena *arena, const ts_design *design, const json_t *entry, int i, ts_system *system, ts_err *err)
{
    ts_design *part = TS_NEW(arena, ts_design);
    if (!load_design(arena, ts_printf(arena, "%s/%s", design->dir, ts_part_directory(arena, i)), false, part, err))
        return false;
    ts_design_free(part);
    system->ring[i] = part->part[0];
    return ts_manifest_part(arena, entry, i, &system->ring[i], &system->link, err) || ts_fail_in(err, "%s/%s", design->dir, TS_MANIFEST);
}

static bool load_parts(ts_arena *arena, ts_design *design, const json_t *parts, ts_err *err)
{
    const int count = (int)json_array_size(parts);
    ts_system *s = &design->system;
    *s = (ts_system){.im = design->im, .mode = design->mode, .rings = count, .ring = TS_NEW_N(arena, ts_system_ring, count)};
    for (int i = 0; i < count; i++)
        if (!load_part(arena, design, json_array_get(parts, (size_t)i), i, s, err))
            return false;
    return ts_system_make(arena, s, err) || ts_fail_in(err, "%s: its parts are no chain: compile the model again", design->dir);
}

static bool load_mode(ts_design *design, const char *path, ts_err *err)
{
    const char *name = json_string_value(json_object_get(design->manifest, "mode"));
    for (int m = 0; m < TS_MODE_COUNT; m++)
        if (!name || strcmp(name, ts_mode_name((ts_mode)m)) == 0) {
            design->mode = (ts_mode)m;
            return true;
        }
    return ts_fail(err, "%s: unknown mode \"%s\"", path, name);
}

/* may_have_parts: a part has none. */
static bool load(ts_arena *arena, ts_design *design, const char *path, bool may_have_parts, ts_err *err)
{
    const json_t *version = json_object_get(design->manifest, "tessera_manifest"), *parts = json_object_get(design->manifest, "parts");
    if (json_integer_value(version) != TS_MANIFEST_VERSION)
        return ts_fail(err, "%s: version %lld of the manifest, this tessera reads version %d: compile the model again", path,
                       (long long)json_integer_value(version), TS_MANIFEST_VERSION);
    if (parts && !may_have_parts)
        return ts_fail(err, "%s: a part of a design cannot have parts", path);
    if (!ts_design_files_check(arena, design->dir, design->manifest, err))
        return false;
    design->im = ts_imodel_load(arena, ts_printf(arena, "%s/" TS_INTEGER_MODEL, design->dir), err);
    if (!design->im || !load_mode(design, path, err))
        return false;
    if (!(json_array_size(parts) ? load_parts(arena, design, parts, err) : load_ring(arena, design, path, err)))
        return false;
    design->system.mode = design->mode;
    design->top = design->system.top;
    design->parts = design->system.rings;
    design->part = design->system.ring;
    design->plan = *design->part[design->parts - 1].plan;
    if (design->parts == 1)
        design->system.ring[0].dir = design->dir;
    return true;
}

static bool load_design(ts_arena *arena, const char *dir, bool may_have_parts, ts_design *design, ts_err *err)
{
    *design = (ts_design){.dir = dir};
    const char *path = ts_printf(arena, "%s/%s", dir, TS_MANIFEST);
    struct stat st;
    if (stat(path, &st) != 0)
        return ts_fail_as(err, errno == ENOENT || errno == ENOTDIR || errno == EACCES ? TS_NO_FILE : TS_DAMAGED,
                          "not a compiled design: %s: cannot read: %s", path, strerror(errno));
    design->device = st.st_dev;
    design->inode = st.st_ino;
    design->manifest = ts_json_load(path, err);
    const bool loaded = design->manifest && load(arena, design, path, may_have_parts, err), same = ts_design_is_there(design);
    if (loaded && same)
        return true;
    if (!same) { /* then whatever was found wrong is of two designs */
        *err = (ts_err){""};
        ts_fail(err, "%s: was replaced by another design while it was read: run this again", dir);
    }
    if (err->code == TS_BAD_FILE || err->code == TS_NO_FILE) /* of files that were whole when they were written */
        err->code = TS_DAMAGED;
    ts_design_free(design);
    return false;
}

bool ts_design_load(ts_arena *arena, const char *dir, ts_design *design, ts_err *err)
{
    enum { TRIES = 5 };
    for (int i = 1;; i++) {
        if (load_design(arena, dir, true, design, err))
            return true;
        if (i == TRIES || design->inode == 0 || ts_design_is_there(design))
            return false;
        *err = (ts_err){""};
    }
}

bool ts_design_is_there(const ts_design *design)
{
    char path[4096];
    struct stat st;
    return snprintf(path, sizeof path, "%s/%s", design->dir, TS_MANIFEST) < (int)sizeof path && stat(path, &st) == 0 &&
           st.st_dev == design->device && st.st_ino == design->inode;
}

ts_chain_prediction ts_design_predict(ts_arena *arena, const ts_design *design, int n)
{
    return ts_chain_predict(ts_system_chain(arena, &design->system), design->parts, n);
}

const ts_device *ts_design_device(ts_arena *arena, const char *dir, const char *name, ts_err *err)
{
    const char *file = ts_design_device_file(arena, dir, name);
    return ts_device_find(arena, access(file, F_OK) == 0 ? file : name, err);
}

void ts_design_free(ts_design *design)
{
    json_decref(design->manifest);
    design->manifest = NULL;
}
