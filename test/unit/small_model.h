/* Small random models, calibrated and quantised, for the tests of what comes after. */
#ifndef TS_SMALL_MODEL_H
#define TS_SMALL_MODEL_H
#include "graph/random_encoder.h"
#include "quant/quantise.h"

typedef struct small_model {
    ts_arena *arena;
    ts_encoder *enc;
    ts_calibration *cal;
    ts_formats *formats;
    const ts_imodel *im;
} small_model;

static inline const float *small_event(ts_arena *arena, const ts_encoder *enc, int n, uint64_t seed)
{
    float *x = TS_NEW_N(arena, float, (size_t)n *(size_t)enc->features);
    for (int i = 0; i < n * enc->features; i++)
        x[i] = 1.5F * ts_random_unit(&seed);
    return x;
}

/* A shape with every option and awkward sizes; each seed gives another. */
static inline ts_encoder_shape small_shape(uint64_t seed)
{
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 1;
    ts_encoder_shape shape = {0};
    shape.features = 1 + (int)(ts_random(&s) % 7);
    shape.d = 1 + (int)(ts_random(&s) % 33);
    shape.heads = 1 + (int)(ts_random(&s) % 5);
    shape.d_head = 1 + (int)(ts_random(&s) % 13);
    shape.ff = 1 + (int)(ts_random(&s) % 50);
    shape.outputs = 1 + (int)(ts_random(&s) % 9);
    shape.layers = 1 + (int)(ts_random(&s) % 4);
    shape.embed_count = 1 + (int)(ts_random(&s) % 3);
    shape.head_count = 1 + (int)(ts_random(&s) % 3);
    shape.norms = (ts_norms)(ts_random(&s) % 3);
    shape.has_final_norm = ts_random(&s) & 1;
    shape.act = (ts_act)(ts_random(&s) % 5);
    shape.pool = (ts_pool)(ts_random(&s) % 4);
    return shape;
}

/* The caller frees the arena. im is NULL, with a message, where quantisation fails. */
static inline small_model small_model_make(const ts_encoder_shape *shape, uint64_t seed, const char *formats, ts_err *err)
{
    small_model m = {.arena = ts_arena_new()};
    m.enc = ts_encoder_random(m.arena, shape, seed);
    m.cal = ts_calibration_new(m.arena, m.enc);
    for (int i = 0; i < 6; i++) {
        const int n = 5 + 7 * i;
        if (!ts_calibration_add(m.cal, n, small_event(m.arena, m.enc, n, seed + (uint64_t)i), err))
            return m;
    }
    m.formats = ts_formats_default(m.arena, m.enc->layers);
    if (ts_formats_parse(m.formats, formats, err))
        m.im = ts_quantise(m.arena, m.enc, m.cal, m.formats, err);
    return m;
}

#endif
