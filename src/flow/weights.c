#include "flow/weights.h"

#include "base/text.h"
#include "flow/assisted.h"
#include "flow/choose.h"
#include "quant/given.h"
#include "quant/kept.h"
#include "quant/quantise.h"
#include "quant/watch.h"

/* What calibrates: events with the inputs file that belongs to the new model. */
static const ts_inputs *inputs_of(ts_arena *arena, const ts_weights_options *o, const ts_design *design, const ts_encoder *enc, ts_err *err)
{
    ts_event_source source = o->source;
    if (!source.inputs && ts_design_has(design->manifest, TS_INPUTS_COPY))
        source.inputs = ts_printf(arena, "%s/" TS_INPUTS_COPY, design->dir);
    return ts_load_inputs(arena, &source, enc, err);
}

static const ts_imodel *quantise(ts_arena *arena, const ts_weights_options *o, const ts_encoder *enc, const ts_inputs *inputs,
                                 ts_room *room, ts_err *err)
{
    const ts_events *events = ts_load_events(arena, &o->source, inputs, NULL, err);
    ts_formats *formats = ts_formats_default(arena, enc->layers);
    formats->classifier = inputs->classification;
    formats->warn = ts_notice_warn;
    formats->warn_user = (void *)(uintptr_t)o->source.notices;
    formats->room = room;
    if (!events || !ts_given_formats(formats, enc, err) || !ts_kept_formats(formats, room->hardware, err))
        return NULL;
    const ts_calibration *cal = ts_calibrate(arena, enc, events, o->calibrate, o->source.notices, err);
    if (!cal)
        return NULL;
    ts_watch_calibration(enc, cal, formats, inputs->column);
    ts_notice_step(o->source.notices, "quantising");
    return ts_quantise(arena, enc, cal, formats, err);
}

/* Least bits that an accumulator of the ring's stages has to spare. */
static int spare_bits(const ts_design *design, const ts_imodel *im)
{
    int least = 64;
    for (int r = 0; r < design->parts; r++) {
        const ts_system_ring *ring = &design->part[r];
        const ts_ring_widths w = ts_ring_widths_of(ring->im);
        for (int id = 0; id < TS_LIN_COUNT; id++)
            for (int page = 0; page < w.lin[id].pages; page++) {
                const int layer = w.lin[id].pages > 1 ? ring->slice.first / 2 + page : 0;
                const ts_ilin *lin = ts_ring_lin(ring->im, (ts_lin_id)id, page) ? ts_ring_lin(im, (ts_lin_id)id, layer) : NULL;
                if (lin && w.lin[id].accw - lin->acc_bits < least)
                    least = w.lin[id].accw - lin->acc_bits;
            }
    }
    return least;
}

static void tell(ts_arena *arena, const ts_weights_options *o, const ts_design *design, const ts_weights *w, const char **text,
                 json_t **json)
{
    ts_text t;
    FILE *f = ts_text_open(&t);
    json_t *rings = json_array();
    const int spare = spare_bits(design, w->im);
    fprintf(f, "%s: weights of %s for %s; every accumulator proved, %d bit%s to spare\n", o->output, w->im->name, design->dir, spare,
            spare == 1 ? "" : "s");
    for (int r = 0; r < w->rings; r++) {
        const ts_weights_ring *ring = &w->ring[r];
        fprintf(f, "  %s: %lld writes to %d memories, WEIGHT_CRC %08x", design->part[r].top, ring->writes, ring->memories, ring->crc);
        if (ring->page_bytes)
            fprintf(f, ", %zu bytes of pages", ring->page_bytes);
        fprintf(f, "\n");
        json_array_append_new(rings, json_pack("{s:s, s:I, s:i, s:I, s:I}", "top", design->part[r].top, "writes", (json_int_t)ring->writes,
                                               "memories", ring->memories, "crc", (json_int_t)ring->crc, "page_bytes",
                                               (json_int_t)ring->page_bytes));
    }
    *text = ts_text_close(&t, arena);
    *json = json_pack("{s:s, s:s, s:i, s:o}", "model", w->im->name, "design", design->im->name, "spare_bits", spare, "rings", rings);
    CHECK(*json);
}

static bool make(ts_arena *arena, const ts_weights_options *o, const ts_design *design, ts_weights *w, ts_err *err)
{
    ts_float_model model;
    if (ts_assist_is(design))
        return ts_fail_as(err, TS_UNSUPPORTED, "%s: the host computes a part of its model: compile the new one as a design of its own",
                          design->dir);
    if (!design->im->embed_count || !design->im->head_count)
        return ts_fail_as(err, TS_UNSUPPORTED, "%s: a part of a design; weights are made for the whole, the directory around it",
                          design->dir);
    if (!ts_load_float_model(arena, o->model, o->source.notices, &model, err))
        return false;
    if (!model.whole)
        return ts_fail_as(err, TS_UNSUPPORTED, "%s: not all of it has hardware; the design's model is all in hardware", o->model);
    const ts_inputs *inputs = inputs_of(arena, o, design, model.encoder, err);
    if (!inputs || !ts_kept_shape(model.encoder, inputs->classification, design->im, err))
        return inputs ? ts_fail_in(err, "%s", o->model) : false;
    ts_room room = {.hardware = design->im};
    const ts_imodel *im = quantise(arena, o, model.encoder, inputs, &room, err);
    if (!im || !ts_weights_make(arena, design, im, &room, w, err))
        return ts_fail_in(err, "%s", o->model);
    w->inputs = inputs->text;
    w->inputs_size = inputs->size;
    return true;
}

bool ts_weights_file(ts_arena *arena, const ts_weights_options *options, const char **text, json_t **json, ts_err *err)
{
    ts_weights_options o = *options;
    o.source.keep = o.calibrate > TS_CALIBRATE_MOST ? o.calibrate : TS_CALIBRATE_MOST;
    ts_design design;
    ts_weights w;
    if (!ts_is_directory(o.directory))
        return ts_fail_as(err, TS_NO_FILE, "%s: not a directory; give the one that a model was compiled into", o.directory);
    if (!ts_check_source(&o.source, err) || !ts_design_load(arena, o.directory, &design, err))
        return false;
    const bool ok =
        ts_design_verify(arena, &design, err) && make(arena, &o, &design, &w, err) && ts_weights_save(arena, &design, &w, o.output, err);
    ts_notice_step_end(o.source.notices);
    if (ok)
        tell(arena, &o, &design, &w, text, json);
    ts_design_free(&design);
    return ok;
}

const ts_weights *ts_weights_open(ts_arena *arena, const char *path, const ts_compiled *c, const ts_event_source *source,
                                  const ts_inputs **inputs, ts_err *err)
{
    ts_weights *w = TS_NEW(arena, ts_weights);
    if (!ts_weights_load(arena, &c->design, path, w, err))
        return NULL;
    *inputs = source->inputs || !w->inputs ? c->inputs : ts_inputs_parse(arena, path, w->inputs, w->inputs_size, err);
    return *inputs && ts_inputs_fit(*inputs, w->im->name, w->im->features, w->im->outputs, err) ? w : NULL;
}
