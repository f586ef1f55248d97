/* Any bytes as one of the JSON files that users write or tessera reads back; the first byte says which: i inputs file, f formats, d device,
   g geometry, p plan, r report. What loads is used: a device is planned for, a plan costed, a geometry crossed by an event, a report
   printed. */
#include "base/json.h"
#include "data/inputs.h"
#include "design/report.h"
#include "fuzz.h"
#include "graph/random_encoder.h"
#include "physics/generate.h"
#include "plan/make.h"
#include "quant/quantise.h"
#include "ring/cost.h"
#include "ring/plan_cost.h"

/* One small model, made once. */
static const ts_imodel *model(void)
{
    static const ts_imodel *im;
    if (im)
        return im;
    static const ts_encoder_shape shape = {
        .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 12, .outputs = 3, .layers = 2, .act = TS_ACT_RELU};
    ts_arena *arena = ts_arena_new(); /* lives as long as the process */
    ts_encoder *enc = ts_encoder_random(arena, &shape, 5);
    ts_calibration *cal = ts_calibration_new(arena, enc);
    ts_err err = {{0}};
    uint64_t state = 3;
    float x[18];
    for (int i = 0; i < 18; i++)
        x[i] = ts_random_unit(&state);
    FUZZ_CHECK(ts_calibration_add(cal, 6, x, &err) && ts_calibration_add(cal, 5, x + 3, &err));
    return im = ts_quantise(arena, enc, cal, ts_formats_default(arena, enc->layers), &err);
}

static void device(ts_arena *arena, const char *path, ts_err *err)
{
    const ts_device *d = ts_device_find(arena, path, err);
    ts_planned planned;
    ts_err short_of = {{0}};
    FUZZ_CHECK(d || err->msg[0]);
    if (d && !ts_plan_search(arena, model(), d, &(ts_plan_options){.max_tokens = 16, .paging = TS_PAGING_ALLOWED, .quick = true}, &planned,
                             &short_of))
        FUZZ_CHECK(short_of.msg[0]);
}

static void plan(ts_arena *arena, const char *path, ts_err *err)
{
    json_t *json = ts_json_load(path, err);
    ts_plan p;
    if (json && ts_plan_from_json(arena, json, &p, err) && ts_plan_check(&p, model(), err)) {
        const ts_device *zcu102 = ts_device_find(arena, "zcu102", err);
        (void)ts_plan_cost(&p, model(), zcu102);
        (void)ts_predict(&p, model(), p.plan_tokens);
    } else
        FUZZ_CHECK(err->msg[0]);
    json_decref(json);
}

static void geometry(ts_arena *arena, const char *path, ts_err *err)
{
    const ts_geometry *g = ts_geometry_find(arena, path, err);
    FUZZ_CHECK(g || err->msg[0]);
    ts_generated event;
    ts_err none = {{0}};
    ts_generate_options o = ts_generate_defaults();
    o.tracks_lo = 1;
    o.tracks_hi = 3;
    if (g && !ts_generate(arena, g, &o, 1, &event, &none))
        FUZZ_CHECK(none.msg[0]);
}

static void inputs(ts_arena *arena, const char *path, ts_err *err)
{
    const ts_inputs *in = ts_inputs_load(arena, path, err);
    FUZZ_CHECK(in || err->msg[0]);
    if (in && !ts_inputs_fit(in, "fuzz", 3, 4, err))
        FUZZ_CHECK(err->msg[0]);
}

static void formats(ts_arena *arena, const char *path, ts_err *err)
{
    ts_formats *f = ts_formats_default(arena, 3);
    const bool ok = ts_formats_parse(f, path, err);
    FUZZ_CHECK(ok || err->msg[0]);
    if (ok)
        json_decref(ts_formats_json(f));
}

static void report(const char *path, ts_err *err)
{
    json_t *json = ts_json_load(path, err);
    FILE *out = fopen("/dev/null", "w");
    if (json)
        ts_report_print(out, json);
    fclose(out);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char path[512];
    fuzz_file(path, "fuzz.json", data + 1, size - 1);
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    switch (data[0]) {
    case 'i':
        inputs(arena, path, &err);
        break;
    case 'f':
        formats(arena, path, &err);
        break;
    case 'd':
        device(arena, path, &err);
        break;
    case 'g':
        geometry(arena, path, &err);
        break;
    case 'p':
        plan(arena, path, &err);
        break;
    case 'r':
        report(path, &err);
        break;
    default:
        break;
    }
    ts_arena_free(arena);
    return 0;
}
