#include "flow/assisted.h"

#include <string.h>

#include "emit/top.h"

bool ts_assist_beside(ts_arena *arena, const ts_compiled *c, const ts_float_model *model, const ts_events *events,
                      const ts_encoder **encoder, ts_assist_events *made, ts_err *err)
{
    *encoder = model->encoder;
    *made = (ts_assist_events){events, events};
    if (!c->host)
        return true;
    const char *hardware = json_string_value(json_object_get(json_object_get(c->design.manifest, "host"), "hardware"));
    ts_assist *assist = TS_NEW(arena, ts_assist);
    if (!hardware || !ts_assist_choose(arena, model->graph, model->found, hardware, assist, err) ||
        assist->encoder->layers != c->design.im->layers)
        return ts_fail_as(err, TS_DAMAGED, "%s: model.onnx is not the model of this design: compile it again", c->design.dir);
    *encoder = assist->encoder;
    return ts_assist_tokens(arena, assist, events, made, err);
}

bool ts_assist_bus_by(const ts_way *way, ts_host_bus *bus, ts_err *err)
{
    if (!way)
        return true;
    *bus = (ts_host_bus){.what = "as given", .mbits = way->bandwidth, .ns = way->ns < 0 ? bus->ns : way->ns};
    return ts_way_check("host", way, TS_LINK_WAY, err);
}

bool ts_assist_rings(const ts_assist *assist, const ts_imodel *im, int devices, ts_deploy_options *o, ts_err *err)
{
    if (o->pin)
        return ts_fail_as(err, TS_USAGE, "%s %s: stages of a slice cannot be pinned", ts_option("pin"), o->pin);
    if (!im->starts_in_ffn && !im->ends_in_attention)
        return true;
    const bool many = !o->any_mode && (o->mode == TS_MODE_REPLICATED || o->mode == TS_MODE_SPLIT);
    if (devices > 1 || many)
        return ts_fail_as(err, TS_USAGE, "%s %s: a slice with half a layer is one ring on one device; take whole layers for several",
                          ts_option("hardware"), assist->hardware);
    if (o->any_mode || o->mode == TS_MODE_ASSISTED) {
        o->any_mode = false;
        o->mode = TS_MODE_MONOLITHIC;
    }
    return true;
}

static const ts_imodel *planned_until(ts_arena *arena, const ts_imodel *im, int end, ts_deploy_options how, const ts_plan_options *ring,
                                      ts_deployment *deployment, const ts_notices *notices, ts_err *err)
{
    const bool whole = end == ts_block_count(im);
    const ts_imodel *part = whole ? im : ts_imodel_slice(arena, im, (ts_slice){0, end, true, false}, err);
    how.any_mode = deployment->devices > 1;
    how.mode = TS_MODE_MONOLITHIC;
    ts_notice_step(notices, "planning %d of %d half layers", end, ts_block_count(im));
    return part && ts_deploy_plan(arena, &how, ring, part, deployment, err) ? part : NULL;
}

const ts_imodel *ts_assist_longest(ts_arena *arena, const ts_float_model *model, const ts_imodel *im, const ts_deploy_options *o,
                                   const ts_plan_options *ring, ts_deployment *deployment, ts_assist *assist, const ts_notices *notices,
                                   ts_err *err)
{
    ts_err none = {""};
    const int step = deployment->devices == 1 ? 1 : 2; /* several rings have whole layers */
    int fits = 0, too_long = ts_block_count(im);
    if (!ts_assist_rings(assist, im, deployment->devices, &(ts_deploy_options){.any_mode = true, .pin = o->pin}, err))
        return NULL;
    if (planned_until(arena, im, too_long, *o, ring, deployment, notices, &none)) {
        ts_fail_as(err, TS_USAGE,
                   "%s assisted: all of this model fits %s, so no host is needed; leave %s out, or say with %s which part is wanted",
                   ts_option("mode"), ts_deploy_names(arena, deployment), ts_option("mode"), ts_option("hardware"));
        return NULL;
    }
    ts_deployment best = *deployment;
    const ts_imodel *longest = NULL;
    while (too_long - fits > step) {
        const int half = (fits + too_long) / (2 * step) * step;
        none = (ts_err){""};
        const ts_imodel *part = planned_until(arena, im, half, *o, ring, deployment, notices, &none);
        if (part) {
            longest = part;
            best = *deployment;
            fits = half;
        } else {
            too_long = half;
        }
    }
    if (!longest) {
        ts_fail_with(err, &none); /* of half a layer */
        return NULL;
    }
    *deployment = best;
    const char *hardware = ts_printf(arena, "embed-layers.%d%s", (fits - 1) / 2, fits % 2 ? ".attention" : "");
    return ts_assist_choose(arena, model->graph, model->found, hardware, assist, err) ? longest : NULL;
}
