#include "physics/inputs.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static bool number(const json_t *value, double *out)
{
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return false;
    *out = json_number_value(value);
    return true;
}

static bool read_columns(ts_arena *arena, const json_t *list, ts_inputs *in, ts_err *err)
{
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > 4096)
        return ts_fail(err, "%s: \"inputs\" must be a list of {\"column\", \"mean\", \"std\"}, one a feature", in->path);
    in->features = (int)json_array_size(list);
    const char **column = TS_NEW_N(arena, const char *, in->features);
    double *mean = TS_NEW_N(arena, double, in->features), *std = TS_NEW_N(arena, double, in->features);
    for (int f = 0; f < in->features; f++) {
        const json_t *item = json_array_get(list, (size_t)f);
        const char *name = json_string_value(json_object_get(item, "column"));
        std[f] = 1;
        if (!name)
            return ts_fail(err, "%s: inputs[%d] has no \"column\" name", in->path, f);
        const json_t *m = json_object_get(item, "mean"), *s = json_object_get(item, "std");
        if ((m && !number(m, &mean[f])) || (s && (!number(s, &std[f]) || std[f] <= 0)))
            return ts_fail(err, "%s: inputs[%d] (%s): \"mean\" must be a number and \"std\" a number above 0", in->path, f, name);
        column[f] = ts_strdup(arena, name);
    }
    in->column = column;
    in->mean = mean;
    in->std = std;
    return true;
}

static bool read_outputs(ts_arena *arena, const json_t *root, ts_inputs *in, ts_err *err)
{
    const char *task = json_string_value(json_object_get(root, "task"));
    const json_t *outputs = json_object_get(root, "outputs");
    if (!task || (strcmp(task, "regression") != 0 && strcmp(task, "classification") != 0))
        return ts_fail(err, "%s: \"task\" must be \"regression\" or \"classification\"", in->path);
    in->classification = strcmp(task, "classification") == 0;
    if (in->classification) {
        if (!json_is_integer(outputs) || json_integer_value(outputs) < 1 || json_integer_value(outputs) > 1 << 20)
            return ts_fail(err, "%s: \"outputs\" of a classification must be the number of classes", in->path);
        in->outputs = (int)json_integer_value(outputs);
    } else {
        if (!json_is_array(outputs) || json_array_size(outputs) == 0 || json_array_size(outputs) > 4096)
            return ts_fail(err, "%s: \"outputs\" of a regression must be a list of names", in->path);
        in->outputs = (int)json_array_size(outputs);
        const char **name = TS_NEW_N(arena, const char *, in->outputs);
        for (int o = 0; o < in->outputs; o++) {
            const char *text = json_string_value(json_array_get(outputs, (size_t)o));
            if (!text)
                return ts_fail(err, "%s: outputs[%d] is not a name", in->path, o);
            name[o] = ts_strdup(arena, text);
        }
        in->output = name;
    }
    const json_t *ignore = json_object_get(root, "ignore_classes");
    if (ignore) {
        in->ignore_count = json_is_array(ignore) ? (int)json_array_size(ignore) : -1;
        if (in->ignore_count < 0 || in->ignore_count > in->outputs)
            return ts_fail(err, "%s: \"ignore_classes\" must be a list of class numbers", in->path);
        int *list = TS_NEW_N(arena, int, in->ignore_count);
        for (int i = 0; i < in->ignore_count; i++) {
            const json_t *c = json_array_get(ignore, (size_t)i);
            if (!json_is_integer(c) || json_integer_value(c) < 0 || json_integer_value(c) >= in->outputs)
                return ts_fail(err, "%s: ignore_classes[%d] is not a class number below %d", in->path, i, in->outputs);
            list[i] = (int)json_integer_value(c);
        }
        in->ignore = list;
    }
    return true;
}

const ts_inputs *ts_inputs_load(ts_arena *arena, const char *path, ts_err *err)
{
    json_error_t where;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!root) {
        if (where.line < 0)
            ts_fail(err, "%s: cannot read this inputs file: %s", path, where.text);
        else
            ts_fail(err, "%s:%d:%d: not valid JSON: %s", path, where.line, where.column, where.text);
        return NULL;
    }
    ts_inputs *in = TS_NEW(arena, ts_inputs);
    in->path = ts_strdup(arena, path);
    const char *mask = json_string_value(json_object_get(root, "mask"));
    in->mask = mask ? ts_strdup(arena, mask) : NULL;
    const bool ok = (json_is_object(root) || ts_fail(err, "%s: the file must hold one JSON object", path)) &&
                    read_columns(arena, json_object_get(root, "inputs"), in, err) && read_outputs(arena, root, in, err);
    json_decref(root);
    return ok ? in : NULL;
}

const ts_inputs *ts_inputs_identity(ts_arena *arena, int features, int outputs)
{
    ts_inputs *in = TS_NEW(arena, ts_inputs);
    const char **column = TS_NEW_N(arena, const char *, features), **name = TS_NEW_N(arena, const char *, outputs);
    double *mean = TS_NEW_N(arena, double, features), *std = TS_NEW_N(arena, double, features);
    for (int f = 0; f < features; f++) {
        column[f] = ts_printf(arena, "in%d", f);
        std[f] = 1;
    }
    for (int o = 0; o < outputs; o++)
        name[o] = ts_printf(arena, "out%d", o);
    *in = (ts_inputs){.features = features, .column = column, .mean = mean, .std = std, .outputs = outputs, .output = name};
    return in;
}

bool ts_inputs_fit(const ts_inputs *in, const char *model, int features, int outputs, ts_err *err)
{
    const char *path = in->path ? in->path : "the events";
    if (in->features != features)
        return ts_fail(err, "%s lists %d input column(s), but %s takes %d feature(s) a hit", path, in->features, model, features);
    if (in->outputs != outputs)
        return ts_fail(err, "%s lists %d output(s), but %s has %d", path, in->outputs, model, outputs);
    return true;
}
