#include <math.h>

#include "base/json.h"
#include "base/plain.h"
#include "flow/score.h"

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* A name from outside, which need not be valid UTF-8 as JSON strings are. */
static json_t *name_json(ts_arena *arena, const char *text)
{
    return text ? json_string(ts_text_plain(arena, text)) : json_null();
}

static json_t *estimate_json(ts_estimate x)
{
    return json_pack("{s:o, s:o}", "mean", real(x.mean), "standard_error", real(x.error));
}

static json_t *clusterer_json(ts_arena *arena, const ts_scored_row *r)
{
    const ts_clustering *c = &r->clustering;
    if (!r->clustered)
        return json_pack("{s:s}", "method", "class");
    json_t *all = json_pack("{s:s, s:i, s:i}", "method", "hdbscan", "min_cluster_size", c->min_cluster_size, "min_samples", c->min_samples);
    if (r->output) {
        json_t *columns = json_array();
        for (int i = 0; i < c->columns; i++)
            json_array_append_new(columns, name_json(arena, r->output[c->column[i]]));
        json_object_set_new(all, "columns", columns);
    }
    return all;
}

static json_t *row_json(ts_arena *arena, const ts_scored_row *r)
{
    json_t *all = json_pack("{s:o, s:o, s:i}", "label", name_json(arena, r->label), "file", name_json(arena, r->file), "events",
                            r->score[TS_TRACKML].events);
    json_object_set_new(all, "clusterer", clusterer_json(arena, r));
    if (r->winners)
        json_object_set_new(all, "hits_in_ignored_classes", json_integer(r->ignored));
    for (ts_metric m = 0; m < TS_METRICS; m++)
        json_object_set_new(all, ts_metric_name(m), estimate_json(r->score[m]));
    if (!r->compared)
        return all;
    json_t *loss = json_object();
    for (ts_metric m = 0; m < TS_METRICS; m++)
        json_object_set_new(loss, ts_metric_name(m), estimate_json(r->loss[m]));
    json_object_set_new(all, "loss", loss);
    json_object_set_new(all, "difference",
                        json_pack("{s:o, s:o, s:i}", "median", real(r->difference.median), "p95", real(r->difference.p95),
                                  "constant_outputs", r->difference.constant));
    if (!r->clustered)
        json_object_set_new(all, "same_class", real(r->same_class));
    return all;
}

const char *ts_scoring_json(ts_arena *arena, const ts_scoring *s)
{
    json_t *rows = json_array();
    for (int r = 0; r < s->rows; r++)
        json_array_append_new(rows, row_json(arena, &s->row[r]));
    json_t *all = json_pack("{s:o, s:i, s:o}", "truth", name_json(arena, s->truth), "events", s->scored, "rows", rows);
    CHECK(all);
    const char *text = ts_json_text(arena, all, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(all);
    return text;
}
