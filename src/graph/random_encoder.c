#include "graph/random_encoder.h"

#include <math.h>

#include "base/err.h"

uint64_t ts_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

float ts_random_unit(uint64_t *state)
{
    return (float)((int64_t)(ts_random(state) >> 40) - (1 << 23)) / (float)(1 << 23);
}

/* Everything being built: where it lives, the generator, and the count of parameters so far. */
typedef struct maker {
    ts_arena *arena;
    uint64_t state;
    long long parameters;
} maker;

static const float *uniform(maker *m, size_t count, float centre, float half_width)
{
    float *x = TS_NEW_N(m->arena, float, count);
    for (size_t i = 0; i < count; i++)
        x[i] = centre + half_width * ts_random_unit(&m->state);
    m->parameters += (long long)count;
    return x;
}

static ts_linear linear(maker *m, int in, int out, const char *name)
{
    CHECK(in >= 1 && out >= 1);
    ts_linear lin = {.in = in, .out = out, .name = name};
    lin.w = uniform(m, (size_t)in * (size_t)out, 0, sqrtf(3.0F / (float)in));
    lin.b = uniform(m, (size_t)out, 0, 0.25F);
    return lin;
}

static ts_norm norm(maker *m, ts_norm_kind kind, int d, int channels)
{
    ts_norm norm = {.kind = kind, .d = d, .eps = 1e-5F};
    norm.gain = uniform(m, (size_t)channels, 1, 0.3F);
    norm.bias = uniform(m, (size_t)channels, 0, ts_norm_centred(kind) ? 0.2F : 0);
    return norm;
}

static ts_mlp mlp(maker *m, int count, int in, int hidden, int out, ts_act act, const char *what)
{
    ts_mlp mlp = {.count = count ? count : 1};
    CHECK(mlp.count <= TS_MLP_MAX);
    for (int i = 0; i < mlp.count; i++) {
        const bool last = i == mlp.count - 1;
        mlp.lin[i] = linear(m, i == 0 ? in : hidden, last ? out : hidden, ts_printf(m->arena, "%s.%d", what, i));
        mlp.act[i] = last ? TS_ACT_NONE : act == TS_ACT_NONE ? TS_ACT_RELU : act;
    }
    return mlp;
}

static ts_layer layer(maker *m, const ts_encoder_shape *s, int index)
{
    const int inner = s->heads * s->d_head;
    ts_layer layer = {.scale = 1.0F / sqrtf((float)s->d_head)};
    layer.q = linear(m, s->d, inner, ts_printf(m->arena, "layers.%d.q", index));
    layer.k = linear(m, s->d, inner, ts_printf(m->arena, "layers.%d.k", index));
    layer.v = linear(m, s->d, inner, ts_printf(m->arena, "layers.%d.v", index));
    layer.o = linear(m, inner, s->d, ts_printf(m->arena, "layers.%d.o", index));
    layer.norm1 = norm(m, s->norm, s->d, s->d);
    layer.ffn1 = linear(m, s->d, s->ff, ts_printf(m->arena, "layers.%d.ffn1", index));
    layer.ffn2 = linear(m, s->ff, s->d, ts_printf(m->arena, "layers.%d.ffn2", index));
    layer.norm2 = norm(m, s->norm, s->d, s->d);
    if (s->qk_norm) {
        layer.q_norm = norm(m, s->qk_norm_kind, s->qk_norm, inner);
        layer.k_norm = norm(m, s->qk_norm_kind, s->qk_norm, inner);
    }
    return layer;
}

ts_encoder *ts_encoder_random(ts_arena *arena, const ts_encoder_shape *s, uint64_t seed)
{
    CHECK(s->heads >= 1 && s->layers >= 1);
    maker m = {.arena = arena, .state = seed};
    ts_encoder *enc = TS_NEW(arena, ts_encoder);
    enc->name = ts_printf(arena, "random_%llu", (unsigned long long)seed);
    enc->features = s->features;
    enc->d = s->d;
    enc->heads = s->heads;
    enc->d_head = s->d_head;
    enc->ff = s->ff;
    enc->outputs = s->outputs;
    enc->layers = s->layers;
    enc->norms = s->norms;
    enc->has_final_norm = s->has_final_norm;
    enc->qk_norm = s->qk_norm;
    enc->act = s->act;
    enc->pool = s->pool;
    enc->mask = TS_MASK_NONE;
    enc->mask_note = "";
    enc->embed = mlp(&m, s->embed_count, s->features, s->embed_hidden ? s->embed_hidden : s->d, s->d, s->act, "embed");
    ts_layer *layers = TS_NEW_N(arena, ts_layer, s->layers);
    for (int i = 0; i < s->layers; i++)
        layers[i] = layer(&m, s, i);
    enc->layer = layers;
    if (s->has_final_norm)
        enc->final_norm = norm(&m, s->norm, s->d, s->d);
    enc->head = mlp(&m, s->head_count, s->d, s->head_hidden ? s->head_hidden : s->d, s->outputs, s->act, "head");
    enc->parameters = m.parameters;
    return enc;
}
