/* A run of an encoder's layers as an encoder of its own. */
#ifndef TS_ENCODER_PART_H
#define TS_ENCODER_PART_H
#include "base/arena.h"
#include "graph/encoder.h"

/* Layers first ... end - 1, with the encoder's embedding and its final norm, pooling and head, or with identities in their places: it then
   reads, or makes, residual tokens of d values. Needs 0 <= first < end <= layers; embed only with first = 0, head only with end = layers.
   Weights are those of `enc`, which must outlive the result. */
const ts_encoder *ts_encoder_part(ts_arena *arena, const ts_encoder *enc, int first, int end, bool embed, bool head);

/* y = x. */
ts_linear ts_linear_identity(ts_arena *arena, int d, const char *name);

#endif
