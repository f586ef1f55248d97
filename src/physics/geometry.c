#define TS_FAIL_CODE TS_BAD_FILE
#include "physics/geometry.h"

#include <math.h>
#include <string.h>

#include "base/asset.h"
#include "base/file.h"
#include "base/json.h"

enum { MAX_SURFACES = 1024 };
static const double smallest_mm = 1, largest_mm = 1e5; /* of every length; coordinates stay in the range of the formulas and the CSV */

typedef struct reader {
    ts_arena *arena;
    const char *path;
    ts_err *err;
    ts_surface *surface; /* [MAX_SURFACES] */
    int count;
} reader;

static bool in_range(const reader *r, const json_t *value, const char *where, const char *key, double lo, double *out)
{
    const double x = json_is_number(value) ? json_number_value(value) : NAN;
    if (!(x >= lo && x <= largest_mm))
        return ts_fail(r->err, "%s: %s: \"%s\" must be %s of %g to %g", r->path, where, key, json_is_array(value) ? "numbers" : "a number",
                       lo, largest_mm);
    *out = x;
    return true;
}

static bool read_mm(const reader *r, const json_t *group, const char *where, const char *key, double lo, double *out)
{
    const json_t *value = json_object_get(group, key);
    if (!value)
        return ts_fail(r->err, "%s: %s: no \"%s\" (docs/events.md lists the members of a geometry)", r->path, where, key);
    return in_range(r, value, where, key, lo, out);
}

static bool read_text(const reader *r, const json_t *root, const char *key, const char **out)
{
    const char *text = json_string_value(json_object_get(root, key));
    if (!text || !*text)
        return ts_fail(r->err, "%s: \"%s\" must be a text", r->path, key);
    *out = ts_strdup(r->arena, text);
    return true;
}

static bool add(reader *r, ts_surface s)
{
    if (r->count == MAX_SURFACES)
        return ts_fail(r->err, "%s: more than %d surfaces", r->path, MAX_SURFACES);
    r->surface[r->count++] = s;
    return true;
}

/* A group of cylinders, or of disks, that differ in radius, or z, only. */
static bool read_group(reader *r, const json_t *group, const char *where, bool barrel)
{
    static const char *const of_barrel[] = {"name", "radius_mm", "half_length_mm", "overlap_gap_mm", NULL};
    static const char *const of_disks[] = {"name", "z_mm", "both_ends", "inner_mm", "outer_mm", "overlap_gap_mm", NULL};
    const char *key = barrel ? "radius_mm" : "z_mm";
    if (!json_is_object(group))
        return ts_fail(r->err, "%s: %s must be an object", r->path, where);
    const json_t *list = json_object_get(group, key), *both = json_object_get(group, "both_ends");
    ts_surface s = {.barrel = barrel};
    if (!ts_json_only(group, r->path, where, barrel ? of_barrel : of_disks, r->err) ||
        !read_mm(r, group, where, "overlap_gap_mm", 0, &s.gap))
        return false;
    if (!json_is_array(list) || json_array_size(list) == 0)
        return ts_fail(r->err, "%s: %s: \"%s\" must be a list of numbers", r->path, where, key);
    if (barrel) {
        if (!read_mm(r, group, where, "half_length_mm", smallest_mm, &s.hi))
            return false;
        s.lo = -s.hi;
    } else {
        if (!read_mm(r, group, where, "inner_mm", 0, &s.lo) || !read_mm(r, group, where, "outer_mm", smallest_mm, &s.hi))
            return false;
        if (s.lo >= s.hi)
            return ts_fail(r->err, "%s: %s: \"inner_mm\" must be below \"outer_mm\"", r->path, where);
        if (!json_is_boolean(both))
            return ts_fail(r->err, "%s: %s: \"both_ends\" must be true (disks at z and -z) or false (at z)", r->path, where);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        const bool mirrored = json_is_number(value) && json_number_value(value) < 0 && !barrel && !json_is_true(both);
        if (mirrored) { /* a disk at negative z only */
            s.at = json_number_value(value);
            if (!(s.at <= -smallest_mm && s.at >= -largest_mm))
                return ts_fail(r->err, "%s: %s: \"z_mm\" must be %g to %g mm from the origin", r->path, where, smallest_mm, largest_mm);
        } else if (!in_range(r, value, where, key, smallest_mm, &s.at)) {
            return false;
        }
        ts_surface other = s;
        other.at = -s.at;
        if (!add(r, s) || (json_is_true(both) && !add(r, other)))
            return false;
    }
    return true;
}

static bool read_groups(reader *r, const json_t *root, const char *key, bool barrel)
{
    const json_t *groups = json_object_get(root, key);
    if (!json_is_array(groups))
        return ts_fail(r->err, "%s: \"%s\" must be a list, [] for none", r->path, key);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        char where[64];
        snprintf(where, sizeof where, "%s[%zu]", key, i);
        if (!read_group(r, json_array_get(groups, i), where, barrel))
            return false;
    }
    return true;
}

static const ts_geometry *parse(ts_arena *arena, const char *path, const char *text, size_t size, ts_err *err)
{
    static const char *const members[] = {"name", "title", "source", "barrel", "disks", NULL};
    reader r = {arena, path, err, TS_NEW_N(arena, ts_surface, MAX_SURFACES), 0};
    ts_geometry *g = TS_NEW(arena, ts_geometry);
    json_t *root = ts_json_parse(path, text, size, err);
    bool ok = false;
    if (root)
        ok = ts_json_only(root, path, "the geometry", members, err) && read_text(&r, root, "name", &g->name) &&
             read_text(&r, root, "title", &g->title) && read_text(&r, root, "source", &g->source) &&
             read_groups(&r, root, "barrel", true) && read_groups(&r, root, "disks", false);
    json_decref(root);
    if (ok && r.count == 0)
        ok = ts_fail(err, "%s: the geometry has no surface", path);
    g->surface = r.surface;
    g->count = r.count;
    return ok ? g : NULL;
}

const ts_geometry *ts_geometry_find(ts_arena *arena, const char *name, ts_err *err)
{
    static const char folder[] = "geometries/";
    const size_t length = strlen(name);
    if (strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0)) {
        size_t size = 0;
        const char *text = ts_file_read_most(arena, name, TS_JSON_MOST, "a JSON file", &size, err);
        return text ? parse(arena, name, text, size, err) : NULL;
    }
    const char *known = "";
    for (const ts_asset *a = ts_assets; a->name; a++) {
        if (strncmp(a->name, folder, sizeof folder - 1) != 0)
            continue;
        const ts_geometry *g = parse(arena, a->name, a->data, a->size, err);
        CHECK(g); /* embedded files are tested when they are built in */
        if (strcmp(g->name, name) == 0)
            return g;
        known = ts_printf(arena, "%s%s%s", known, *known ? ", " : "", g->name);
    }
    ts_fail_as(err, TS_USAGE, "unknown geometry \"%s\"; known are %s; any other: give the path of a JSON file (docs/events.md)", name,
               known);
    return NULL;
}
