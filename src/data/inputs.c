#define TS_FAIL_CODE TS_BAD_FILE
#include "data/inputs.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

static bool number(const json_t *value, double *out)
{
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return false;
    *out = json_number_value(value);
    return true;
}

/* The members of inputs files: of the whole, of each input, and of the two ways to make tracks. */
static const char *const members[] = {"inputs", "task", "outputs", "ignore_classes", "mask", "cluster", "bins", NULL};
static const char *const of_input[] = {"column", "mean", "std", NULL};
static const char *const of_cluster[] = {"method", "columns", "min_cluster_size", "min_samples", NULL};
static const char *const of_bins[] = {"phi", "theta", NULL};

/* An optional object and its members. */
static bool is_object_of(const json_t *object, const ts_inputs *in, const char *name, const char *const *known, ts_err *err)
{
    if (!json_is_object(object))
        return ts_fail(err, "%s: \"%s\" must be an object", in->path, name);
    return ts_json_only(object, in->path, name, known, err);
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
        char where[32];
        snprintf(where, sizeof where, "inputs[%d]", f);
        if (!is_object_of(item, in, where, of_input, err))
            return false;
        std[f] = 1;
        if (!name || !*name)
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

ts_clustering ts_inputs_default_clustering(ts_arena *arena, int outputs)
{
    int *all = TS_NEW_N(arena, int, outputs);
    for (int o = 0; o < outputs; o++)
        all[o] = o;
    return (ts_clustering){.columns = outputs, .column = all, .min_cluster_size = 5, .min_samples = 2};
}

static bool read_cluster_size(const json_t *cluster, const char *name, int min, int *size, const char *path, ts_err *err)
{
    const json_t *value = json_object_get(cluster, name);
    if (!value)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > 1 << 20)
        return ts_fail(err, "%s: cluster.%s must be an integer from %d", path, name, min);
    *size = (int)json_integer_value(value);
    return true;
}

static bool read_cluster(ts_arena *arena, const json_t *cluster, ts_inputs *in, ts_err *err)
{
    if (!in->classification)
        in->cluster = ts_inputs_default_clustering(arena, in->outputs);
    if (!cluster)
        return true;
    if (in->classification)
        return ts_fail(err, "%s: \"cluster\" belongs to a regression; the hits of a class are a track candidate as they are", in->path);
    if (!is_object_of(cluster, in, "cluster", of_cluster, err))
        return false;
    const char *method = json_string_value(json_object_get(cluster, "method"));
    if (!method || strcmp(method, "hdbscan") != 0)
        return ts_fail(err, "%s: cluster.method must be \"hdbscan\", the one clusterer there is", in->path);
    const json_t *columns = json_object_get(cluster, "columns");
    if (columns) {
        const size_t count = json_array_size(columns); /* 0 for what is no list */
        if (count == 0 || count > (size_t)in->outputs)
            return ts_fail(err, "%s: cluster.columns must be a list of outputs", in->path);
        int *list = TS_NEW_N(arena, int, count);
        for (size_t c = 0; c < count; c++) {
            const char *name = json_string_value(json_array_get(columns, c));
            int o = 0;
            while (o < in->outputs && (!name || strcmp(name, in->output[o]) != 0))
                o++;
            if (o == in->outputs)
                return ts_fail(err, "%s: cluster.columns[%zu] (%s) is not one of the outputs", in->path, c, name ? name : "not a name");
            for (size_t d = 0; d < c; d++)
                if (list[d] == o)
                    return ts_fail(err, "%s: cluster.columns names '%s' twice", in->path, name);
            list[c] = o;
        }
        in->cluster.columns = (int)count;
        in->cluster.column = list;
    }
    return read_cluster_size(cluster, "min_cluster_size", 2, &in->cluster.min_cluster_size, in->path, err) &&
           read_cluster_size(cluster, "min_samples", 1, &in->cluster.min_samples, in->path, err);
}

static bool read_bins(ts_arena *arena, const json_t *bins, ts_inputs *in, ts_err *err)
{
    if (!bins)
        return true;
    const json_t *phi = json_object_get(bins, "phi"), *theta = json_object_get(bins, "theta");
    if (!in->classification)
        return ts_fail(err, "%s: \"bins\" belongs to a classification", in->path);
    if (!is_object_of(bins, in, "bins", of_bins, err))
        return false;
    if (!json_is_integer(phi) || json_integer_value(phi) < 1 || json_integer_value(phi) > in->outputs || json_array_size(theta) < 2)
        return ts_fail(err, "%s: \"bins\" must be {\"phi\": number of bins, \"theta\": [edges of the bins, the outer ones too]}", in->path);
    const int phis = (int)json_integer_value(phi), thetas = (int)json_array_size(theta) - 1;
    if ((long long)phis * thetas != in->outputs - 1)
        return ts_fail(err, "%s: bins: %d of phi times %d of theta (%d edges) and class 0 are not the %d classes of \"outputs\"", in->path,
                       phis, thetas, thetas + 1, in->outputs);
    double *edge = TS_NEW_N(arena, double, thetas + 1);
    for (int i = 0; i <= thetas; i++)
        if (!number(json_array_get(theta, (size_t)i), &edge[i]) || (i > 0 && edge[i] <= edge[i - 1]))
            return ts_fail(err, "%s: bins.theta[%d] must be a number%s", in->path, i, i > 0 ? " above the one before it" : "");
    ts_bins *b = TS_NEW(arena, ts_bins);
    *b = (ts_bins){.phis = phis, .thetas = thetas, .edge = edge};
    in->bins = b;
    return true;
}

static bool read_mask(ts_arena *arena, const json_t *mask, ts_inputs *in, ts_err *err)
{
    const char *name = json_string_value(mask);
    if (mask && !json_is_null(mask) && (!name || !*name))
        return ts_fail(err, "%s: \"mask\" must be the name of a column", in->path);
    in->mask = name ? ts_strdup(arena, name) : NULL;
    return true;
}

const ts_inputs *ts_inputs_load(ts_arena *arena, const char *path, ts_err *err)
{
    size_t size;
    const char *text = ts_file_read_most(arena, path, TS_JSON_MOST, "an inputs file", &size, err);
    return text ? ts_inputs_parse(arena, path, text, size, err) : NULL;
}

const ts_inputs *ts_inputs_parse(ts_arena *arena, const char *path, const char *text, size_t size, ts_err *err)
{
    json_t *root = ts_json_parse(path, text, size, err);
    if (!root)
        return NULL;
    ts_inputs *in = TS_NEW(arena, ts_inputs);
    in->text = text;
    in->size = size;
    in->path = ts_strdup(arena, path);
    const bool ok = ts_json_only(root, path, "", members, err) && read_mask(arena, json_object_get(root, "mask"), in, err) &&
                    read_columns(arena, json_object_get(root, "inputs"), in, err) && read_outputs(arena, root, in, err) &&
                    read_cluster(arena, json_object_get(root, "cluster"), in, err) &&
                    read_bins(arena, json_object_get(root, "bins"), in, err);
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
    if (outputs > 0)
        in->cluster = ts_inputs_default_clustering(arena, outputs);
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
