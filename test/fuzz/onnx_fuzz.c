/* Any bytes as an ONNX file: import, folding, dump, float evaluation; and where an encoder is found in it, calibration, quantisation and
   the emulator, whose fast kernels must give what the specification gives. */
#include <math.h>

#include "emu/emu.h"
#include "fuzz.h"
#include "import/import.h"
#include "pass/fold.h"
#include "pass/recognise.h"
#include "quant/given.h"
#include "quant/quantise.h"
#include "ref/graph_eval.h"

enum { HITS = 4, LIMIT = 1 << 16 };

static void evaluate(ts_arena *arena, const ts_graph *g)
{
    static const float x[LIMIT];
    static const bool padding[HITS] = {false, true, false, false};
    int64_t elements = 1;
    for (int i = 0; i < g->inputs; i++)
        for (int k = 0; k < g->input[i]->shape.rank && elements <= LIMIT; k++)
            elements *= ts_dim_at(g->input[i]->shape.dim[k], HITS);
    ts_err err = {{0}};
    ts_tensor y;
    if (elements <= LIMIT && !ts_graph_eval_event(g, arena, HITS, x, g->inputs > 1 ? padding : NULL, &y, NULL, NULL, &err))
        FUZZ_CHECK(err.msg[0]);
}

/* An event of n hits whose values are spread around zero. */
static float *event(ts_arena *arena, int n, int features, uint64_t seed)
{
    float *x = TS_NEW_N(arena, float, (size_t)n *(size_t)features);
    for (int i = 0; i < n * features; i++)
        x[i] = (float)(fuzz_below(&seed, 4001) - 2000) / 1000;
    return x;
}

static void emulate(ts_arena *arena, const ts_imodel *im)
{
    const int rows = im->pool == TS_POOL_NONE ? HITS : 1;
    int32_t *x = TS_NEW_N(arena, int32_t, HITS * (size_t)im->features);
    int32_t *y[3];
    ts_quantise_input(im, HITS, event(arena, HITS, im->features, 99), x);
    for (int i = 0; i < 3; i++)
        y[i] = TS_NEW_N(arena, int32_t, (size_t)rows * (size_t)im->outputs);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_AUTO), HITS, x, y[0], NULL, NULL);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_PORTABLE), HITS, x, y[1], NULL, NULL);
    ts_emu_reference(im, HITS, x, y[2], NULL, NULL);
    for (int i = 0; i < 2; i++)
        FUZZ_CHECK(memcmp(y[i], y[2], (size_t)rows * (size_t)im->outputs * sizeof **y) == 0);
}

static void compile(ts_arena *arena, const ts_encoder *enc)
{
    if (enc->parameters > LIMIT || enc->features > 256 || enc->outputs > 1024 || enc->layers > 8)
        return; /* right, but slow */
    ts_formats *formats = ts_formats_default(arena, enc->layers);
    ts_calibration *cal = ts_calibration_new(arena, enc);
    ts_err err = {{0}};
    bool ok = ts_given_formats(formats, enc, &err);
    for (int i = 0; ok && i < 2; i++)
        ok = ts_calibration_add(cal, HITS + i, event(arena, HITS + i, enc->features, (uint64_t)(i + 1)), &err);
    const ts_imodel *im = ok ? ts_quantise(arena, enc, cal, formats, &err) : NULL;
    FUZZ_CHECK(im || err.msg[0]);
    if (im)
        emulate(arena, im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    const ts_graph *g = ts_import_onnx_bytes(arena, data, size, "fuzz", "/nonexistent", &err);
    if (g)
        g = ts_fold(arena, g, &err);
    FUZZ_CHECK(g || err.msg[0]);
    if (g) {
        FILE *out = fopen("/dev/null", "w");
        ts_graph_dump(out, g);
        const ts_recognition *found = ts_recognise_whole(arena, g, &err);
        FUZZ_CHECK(found || err.msg[0]);
        if (!found) {
            ts_err again = {{0}};
            found = ts_recognise_part(arena, g, &again);
            FUZZ_CHECK(found || again.msg[0]);
        }
        if (found) {
            ts_encoder_describe(out, found->encoder, found->tokens);
            compile(arena, found->encoder);
        }
        fclose(out);
        evaluate(arena, g);
    }
    ts_arena_free(arena);
    return 0;
}
