#include "flow/host_share.h"

#include <string.h>

/* ---- Written down */

/* One number where all are the same. */
static json_t *scales_json(const double *scale, int count)
{
    json_t *list = json_array();
    bool same = true;
    for (int i = 0; i < count; i++) {
        same = same && scale[i] <= scale[0] && scale[i] >= scale[0];
        json_array_append_new(list, json_real(scale[i]));
    }
    if (!same)
        return list;
    json_decref(list);
    return json_real(scale[0]);
}

static json_t *end_json(const ts_value *value, const ts_fmt *fmt, const double *scale, int count)
{
    json_t *json = json_pack("{s:s}", "value", value->name);
    if (fmt) {
        json_object_set_new(json, "values", json_integer(count));
        json_object_set_new(json, "bits", json_integer(fmt->bits));
        json_object_set_new(json, "scale", scales_json(scale, count));
    }
    return json;
}

json_t *ts_assist_json(const ts_assist *a, const ts_imodel *im, const ts_host_bus *bus)
{
    const ts_fmt *out = !im ? NULL : im->head_count > 0 ? &im->head[im->head_count - 1].y : &im->res;
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:s, s:s}", "hardware", a->hardware, "input", a->host.input->name, "output",
                  a->host.output->name, "masks_keep", a->host.masks_keep, "to_hardware",
                  end_json(a->host.from, im ? &im->in : NULL, im ? im->in_scale : NULL, im ? im->features : 0), "from_hardware",
                  end_json(a->host.to, out, im ? ts_imodel_out_scale(im) : NULL, im ? im->outputs : 0), "front", a->front, "back", a->back);
    CHECK(json);
    bool pooled;
    const int outputs = ts_host_outputs(&a->host, &pooled);
    json_object_set_new(json, "features", json_integer(ts_host_features(&a->host)));
    if (ts_host_features(&a->host) == 0)
        json_object_set_new(json, "sample", json_integer((json_int_t)ts_host_sample_size(&a->host)));
    json_object_set_new(json, "outputs", json_integer(outputs));
    json_object_set_new(json, "pooled", json_boolean(pooled));
    if (a->why)
        json_object_set_new(json, "why", json_string(a->why));
    if (a->tokens)
        json_object_set_new(json, "tokens", json_integer((json_int_t)a->tokens));
    if (bus)
        json_object_set_new(json, "bus", json_pack("{s:f, s:f, s:s}", "mbits", bus->mbits, "ns", bus->ns, "what", bus->what));
    return json;
}

/* A ring with all weights on chip has no name of its own where the host is there, too. */
static const char *mode_of(const ts_partition *p)
{
    return ts_mode_name(p->mode == TS_MODE_MONOLITHIC ? TS_MODE_ASSISTED : p->mode);
}

json_t *ts_assist_manifest(const ts_assist *a, const ts_imodel *im, const ts_host_bus *bus, const ts_partition *p)
{
    return json_pack("{s:s, s:o}", "mode", mode_of(p), "host", ts_assist_json(a, im, bus));
}

void ts_assist_report(const ts_assist *a, const ts_imodel *im, const ts_host_bus *bus, const ts_partition *p, json_t *report)
{
    json_t *host = ts_assist_json(a, im, bus);
    json_object_set_new(host, "predicted", ts_assist_predicted_json(bus, p->ring, p->parts, p->prediction.tokens));
    json_object_set_new(report, "host", host);
    json_object_set_new(report, "mode", json_string(mode_of(p)));
}

static int bytes(int values, int lane_bits, int transfers)
{
    return (values * lane_bits + 7) / 8 * transfers;
}

ts_host_prediction ts_assist_predict(const ts_host_bus *bus, const ts_chain_ring *ring, int count, int n)
{
    const ts_imodel *first = ring[0].im, *last = ring[count - 1].im;
    const ts_ports in = ts_ports_of(first, ring[0].plan), out = ts_ports_of(last, ring[count - 1].plan);
    return ts_host_predict(bus, ring, count, n, last->pool == TS_POOL_NONE ? n : 1, bytes(first->features, in.hit_lane, 1),
                           bytes(out.lanes, out.out_lane, out.beats));
}

json_t *ts_assist_predicted_json(const ts_host_bus *bus, const ts_chain_ring *ring, int count, int n)
{
    const ts_host_prediction p = ts_assist_predict(bus, ring, count, n);
    json_t *json = json_pack("{s:i, s:i, s:i, s:i, s:f, s:f, s:I, s:I}", "tokens", p.tokens, "token_bytes", p.token_bytes, "results",
                             p.rows, "result_bytes", p.row_bytes, "to_hardware_cycles", p.to_cycles, "from_hardware_cycles", p.from_cycles,
                             "latency_cycles", (json_int_t)p.latency_cycles, "interval_cycles", (json_int_t)p.interval_cycles);
    CHECK(json);
    return json;
}

json_t *ts_assist_measured_json(const ts_host_time *t)
{
    return json_pack("{s:f, s:f, s:i}", "front_ms", 1e3 * ts_host_mean(t->front, t->fronts), "back_ms",
                     1e3 * ts_host_mean(t->back, t->backs), "events", t->fronts);
}

/* ---- Read back */

bool ts_assist_is(const ts_design *design)
{
    return json_object_get(design->manifest, "host") != NULL;
}

static const char *text_in(const json_t *host, const char *object, const char *member)
{
    return json_string_value(json_object_get(json_object_get(host, object), member));
}

bool ts_assist_host(ts_arena *arena, const ts_design *design, const ts_graph *g, ts_host *host, ts_err *err)
{
    const json_t *json = json_object_get(design->manifest, "host");
    const char *from = text_in(json, "to_hardware", "value"), *to = text_in(json, "from_hardware", "value");
    const ts_value *first = from ? ts_graph_find(g, from) : NULL, *last = to ? ts_graph_find(g, to) : NULL;
    if (!first || !last || first->constant || last->constant)
        return ts_fail_as(err, TS_DAMAGED, "%s: model.onnx is not the model of this design: compile it again", design->dir);
    if (!ts_host_open(arena, g, first, last, json_is_true(json_object_get(json, "masks_keep")), host, err))
        return false;
    return ts_host_width(host) == design->im->features ||
           ts_fail_as(err, TS_DAMAGED, "%s: '%s' of model.onnx has %d values a token, the hardware reads %d: compile the model again",
                      design->dir, from, ts_host_width(host), design->im->features);
}

ts_host_bus ts_assist_bus(const ts_design *design)
{
    const json_t *host = json_object_get(design->manifest, "host"), *bus = json_object_get(host, "bus");
    const char *what = text_in(host, "bus", "what");
    const double mbits = json_number_value(json_object_get(bus, "mbits")), ns = json_number_value(json_object_get(bus, "ns"));
    return (ts_host_bus){mbits >= 1 ? mbits : 1, ns > 0 ? ns : 0, what ? what : ""};
}
