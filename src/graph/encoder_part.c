#include "graph/encoder_part.h"

ts_linear ts_linear_identity(ts_arena *arena, int d, const char *name)
{
    float *w = TS_NEW_N(arena, float, (size_t)d *(size_t)d);
    for (int i = 0; i < d; i++)
        w[(size_t)i * (size_t)d + (size_t)i] = 1.0F;
    return (ts_linear){.in = d, .out = d, .w = w, .b = TS_NEW_N(arena, float, d), .name = name};
}

static ts_mlp identity(ts_arena *arena, int d, const char *name)
{
    ts_mlp mlp = {.count = 1, .act = {TS_ACT_NONE}};
    mlp.lin[0] = ts_linear_identity(arena, d, name);
    return mlp;
}

const ts_encoder *ts_encoder_part(ts_arena *arena, const ts_encoder *enc, int first, int end, bool embed, bool head)
{
    CHECK(first >= 0 && first < end && end <= enc->layers && (!embed || first == 0) && (!head || end == enc->layers));
    ts_encoder *part = TS_NEW(arena, ts_encoder);
    *part = *enc;
    part->layers = end - first;
    part->layer = enc->layer + first;
    if (!embed) {
        part->features = enc->d;
        part->embed = identity(arena, enc->d, "embedding");
    }
    if (!head) {
        part->outputs = enc->d;
        part->head = identity(arena, enc->d, "head");
        part->has_final_norm = false;
        part->pool = TS_POOL_NONE;
    }
    part->parameters = ts_encoder_parameters(part);
    return part;
}
