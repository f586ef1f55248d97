#define TS_FAIL_CODE TS_USAGE
#include "quant/formats.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

typedef struct key_info {
    const char *name;
    int bits, least, most;
    bool per_layer;
} key_info;

static const key_info keys[TS_FMT_COUNT] = {
#define X(id, name, bits, least, most, per_layer, doc) [TS_FMT_##id] = {name, bits, least, most, per_layer},
    TS_FORMATS(X)
#undef X
};

/* Names that stand for several formats. */
static bool in_group(const char *group, ts_fmt_key key)
{
    const bool weights = keys[key].name[0] == 'w' && keys[key].name[1] == '_';
    if (strcmp(group, "w") == 0)
        return weights;
    if (strcmp(group, "act") == 0)
        return !weights && key != TS_FMT_IN && key != TS_FMT_RES && key != TS_FMT_SCORE && key != TS_FMT_FRAC && key != TS_FMT_OUT;
    return false;
}

ts_formats *ts_formats_default(ts_arena *arena, int layers)
{
    CHECK(layers >= 1);
    ts_formats *f = TS_NEW(arena, ts_formats);
    f->layers = layers;
    f->bits = TS_NEW_N(arena, int, TS_FMT_COUNT *layers);
    f->fixed = TS_NEW_N(arena, const char *, TS_FMT_COUNT *layers);
    for (int k = 0; k < TS_FMT_COUNT; k++)
        for (int l = 0; l < layers; l++)
            f->bits[k * layers + l] = keys[k].bits;
    return f;
}

bool ts_formats_fix(ts_formats *f, ts_fmt_key key, int layer, int bits, const char *node, ts_err *err)
{
    const key_info *info = &keys[key];
    CHECK(layer < f->layers && (layer >= 0) == info->per_layer);
    if (bits < info->least || bits > info->most)
        return ts_fail(err, "node '%s' of the model asks for %d bits for '%s', which has %d to %d", node, bits, info->name, info->least,
                       info->most);
    for (int l = layer < 0 ? 0 : layer; l < (layer < 0 ? f->layers : layer + 1); l++) {
        f->bits[(int)key * f->layers + l] = bits;
        f->fixed[(int)key * f->layers + l] = node;
    }
    return true;
}

void ts_formats_warn(const ts_formats *formats, const char *fmt, ...)
{
    if (!formats->warn)
        return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    formats->warn(formats->warn_user, text);
}

int ts_formats_get(const ts_formats *f, ts_fmt_key key, int layer)
{
    CHECK(layer >= 0 && layer < f->layers);
    return f->bits[(int)key * f->layers + layer];
}

void ts_formats_set(ts_formats *f, ts_fmt_key key, int bits)
{
    const key_info *info = &keys[key];
    const int legal = bits < info->least ? info->least : bits > info->most ? info->most : bits;
    for (int l = 0; l < f->layers; l++)
        if (!f->fixed[(int)key * f->layers + l])
            f->bits[(int)key * f->layers + l] = legal;
}

ts_formats *ts_formats_copy(ts_arena *arena, const ts_formats *f)
{
    const size_t count = (size_t)TS_FMT_COUNT * (size_t)f->layers;
    ts_formats *copy = TS_NEW(arena, ts_formats);
    *copy = *f;
    copy->bits = TS_NEW_N(arena, int, count);
    memcpy(copy->bits, f->bits, count * sizeof *copy->bits);
    return copy;
}

const char *ts_formats_name(ts_fmt_key key)
{
    return keys[key].name;
}

int ts_formats_widest(const ts_formats *f, ts_fmt_key key)
{
    int bits = 0;
    for (int l = 0; l < f->layers; l++)
        bits = f->bits[(int)key * f->layers + l] > bits ? f->bits[(int)key * f->layers + l] : bits;
    return bits;
}

static bool unknown_name(const char *name, ts_err *err)
{
    char list[512] = "w, act";
    size_t used = strlen(list);
    for (int k = 0; k < TS_FMT_COUNT; k++)
        used += (size_t)snprintf(list + used, sizeof list - used, ", %s", keys[k].name);
    return ts_fail(err, "unknown format '%.80s'; known: %s; or layers.N. in front of one that each layer has of its own", name, list);
}

/* Sets `name`, which may be a group, in layers first ... last; `whole` says that these are all layers. */
static bool set(ts_formats *f, const char *name, int first, int last, bool whole, long long bits, ts_err *err)
{
    bool found = false;
    const bool group = strcmp(name, "w") == 0 || strcmp(name, "act") == 0;
    for (int k = 0; k < TS_FMT_COUNT; k++) {
        const key_info *key = &keys[k];
        if (group ? !in_group(name, (ts_fmt_key)k) : strcmp(name, key->name) != 0)
            continue;
        found = true;
        if (!whole && !key->per_layer) {
            if (group)
                continue;
            return ts_fail(err, "format '%s' is the same in all layers; write %s=%lld", key->name, key->name, bits);
        }
        if (bits < key->least || bits > key->most)
            return ts_fail(err, "format '%s' has %d to %d bits, not %lld", key->name, key->least, key->most, bits);
        for (int l = first; l <= last; l++) {
            const int at = k * f->layers + l;
            if (f->fixed[at] && f->bits[at] != bits)
                return ts_fail(
                    err, "format '%s' of layer %d: the model was quantised in training to %d bits (node '%s'), not %lld; leave it out",
                    key->name, l, f->bits[at], f->fixed[at], bits);
            f->bits[at] = (int)bits;
        }
    }
    return found || unknown_name(name, err);
}

/* `name` is NAME or layers.N.NAME. */
static bool set_path(ts_formats *f, const char *name, long long bits, ts_err *err)
{
    if (strncmp(name, "layers.", 7) != 0)
        return set(f, name, 0, f->layers - 1, true, bits, err);
    char *end;
    errno = 0;
    const long layer = strtol(name + 7, &end, 10);
    if (end == name + 7 || *end != '.' || errno)
        return ts_fail(err, "format '%.80s': expected layers.N.NAME", name);
    if (layer < 0 || layer >= f->layers)
        return ts_fail(err, "format '%.80s': the model has layers 0 to %d", name, f->layers - 1);
    return set(f, end + 1, (int)layer, (int)layer, false, bits, err);
}

static bool parse_list(ts_formats *f, const char *text, ts_err *err)
{
    while (*text) {
        const size_t len = strcspn(text, ",");
        char item[128];
        if (len >= sizeof item)
            return ts_fail(err, "format list: '%.40s...' is too long to be NAME=BITS", text);
        memcpy(item, text, len);
        item[len] = '\0';
        text += len + (text[len] == ',');
        char *equals = strchr(item, '='), *end;
        if (!equals)
            return ts_fail(err, "format list: '%s' is not NAME=BITS", item);
        *equals = '\0';
        errno = 0;
        const long long bits = strtoll(equals + 1, &end, 10);
        if (end == equals + 1 || *end || errno)
            return ts_fail(err, "format '%s': '%s' is not a whole number of bits", item, equals + 1);
        if (!set_path(f, item, bits, err))
            return false;
    }
    return true;
}

static bool set_json(ts_formats *f, const char *name, int layer, json_t *value, ts_err *err)
{
    if (!json_is_integer(value))
        return ts_fail(err, "format '%.80s': not a whole number of bits", name);
    const long long bits = json_integer_value(value);
    return layer < 0 ? set_path(f, name, bits, err) : set(f, name, layer, layer, false, bits, err);
}

static bool parse_layer(ts_formats *f, long layer, json_t *object, ts_err *err)
{
    if (layer < 0 || layer >= f->layers)
        return ts_fail(err, "\"layers\": there is no layer %ld; the model has layers 0 to %d", layer, f->layers - 1);
    if (!json_is_object(object))
        return ts_fail(err, "\"layers\": layer %ld is not an object of NAME: BITS", layer);
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) if (!set_json(f, name, (int)layer, value, err)) return false;
    return true;
}

static bool parse_layers(ts_formats *f, json_t *layers, ts_err *err)
{
    size_t i;
    const char *name;
    json_t *value;
    if (json_is_array(layers)) {
        json_array_foreach(layers, i, value) if (!parse_layer(f, (long)i, value, err)) return false;
        return true;
    }
    if (!json_is_object(layers))
        return ts_fail(err, "\"layers\" is neither an array nor an object {\"N\": {NAME: BITS}}");
    json_object_foreach(layers, name, value)
    {
        char *end;
        const long layer = strtol(name, &end, 10);
        if (end == name || *end)
            return ts_fail(err, "\"layers\": '%.40s' is not the number of a layer", name);
        if (!parse_layer(f, layer, value, err))
            return false;
    }
    return true;
}

/* Wide settings first, whatever the order of the keys: groups, single names, then layers. */
static bool parse_object(ts_formats *f, json_t *root, ts_err *err)
{
    const char *name;
    json_t *value;
    for (int pass = 0; pass < 2; pass++)
        json_object_foreach(root, name, value)
        {
            const bool group = strcmp(name, "w") == 0 || strcmp(name, "act") == 0;
            if (strcmp(name, "layers") == 0 || group != (pass == 0))
                continue;
            if (!set_json(f, name, -1, value, err))
                return false;
        }
    json_t *layers = json_object_get(root, "layers");
    return !layers || parse_layers(f, layers, err);
}

static bool parse_file(ts_formats *f, const char *path, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    size_t size;
    bool ok = false;
    const char *text = ts_file_read_most(scratch, path, TS_JSON_MOST, "a JSON file", &size, err);
    if (text) {
        json_t *root = ts_json_parse(path, text, size, err);
        ok = root && (parse_object(f, root, err) || ts_fail_in(err, "%s", path));
        json_decref(root);
    } else {
        ts_fail_in(err, "formats '%.80s' are neither NAME=BITS,... nor a file that can be read", path);
    }
    ts_arena_free(scratch);
    return ok;
}

bool ts_formats_parse(ts_formats *f, const char *text, ts_err *err)
{
    if (!text || !*text)
        return true;
    return strchr(text, '=') ? parse_list(f, text, err) : parse_file(f, text, err);
}

json_t *ts_formats_json(const ts_formats *f)
{
    json_t *root = json_object(), *layers = json_array();
    for (int k = 0; k < TS_FMT_COUNT; k++)
        if (!keys[k].per_layer)
            json_object_set_new(root, keys[k].name, json_integer(f->bits[k * f->layers]));
    for (int l = 0; l < f->layers; l++) {
        json_t *layer = json_object();
        for (int k = 0; k < TS_FMT_COUNT; k++)
            if (keys[k].per_layer)
                json_object_set_new(layer, keys[k].name, json_integer(f->bits[k * f->layers + l]));
        json_array_append_new(layers, layer);
    }
    json_object_set_new(root, "layers", layers);
    return root;
}
