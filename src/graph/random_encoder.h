/* Seeded random encoders, the same on every machine: for tests, benches and examples that need no trained model. */
#ifndef TS_RANDOM_ENCODER_H
#define TS_RANDOM_ENCODER_H
#include <stdint.h>

#include "base/arena.h"
#include "graph/encoder.h"

typedef struct ts_encoder_shape {
    int features, d, heads, d_head, ff, outputs, layers;
    int embed_count, head_count;   /* linears, 1 ... TS_MLP_MAX; 0 means 1 */
    int embed_hidden, head_hidden; /* width between those linears; 0 means d */
    ts_norms norms;
    bool has_final_norm;
    ts_norm_kind norm; /* of all norms on the residual stream; RMS norms have no bias */
    int qk_norm;       /* as in ts_encoder */
    ts_norm_kind qk_norm_kind;
    ts_act act; /* of the FFN; between the linears of embed and head too (RELU there where act is NONE) */
    ts_pool pool;
} ts_encoder_shape;

/* Weights are uniform with variance about 1/inputs, so that activations stay near 1; gains are near 1, biases near 0. */
ts_encoder *ts_encoder_random(ts_arena *arena, const ts_encoder_shape *shape, uint64_t seed);

/* The generator itself (splitmix64): next 64 bits, and a number in [-1, 1) made from 24 of them. */
uint64_t ts_random(uint64_t *state);
float ts_random_unit(uint64_t *state);

#endif
