/* One walk through the model for both executors: the order of stages is written once, how a linear and an attention are computed
   comes from outside.
   In a circle with emu/emu.h: it is the inside of it. */
#ifndef TS_EMU_FORWARD_H
#define TS_EMU_FORWARD_H
#include "emu/emu.h"
#include "emu/kernels.h"

/* A linear and, where its integers are narrow enough, its weights as pairs. */
typedef struct ts_packed {
    const ts_ilin *lin;
    int parts; /* the outputs are so many equal groups with formats of their own: 3 for q, k, v */
    ts_fmt fmt[3];
    int pairs, width;    /* (in + 1) / 2, padded out */
    const int32_t *pair; /* [pairs][width] or NULL: 64-bit arithmetic is needed */
} ts_packed;

typedef struct ts_packed_layer {
    ts_packed qkv, o, ffn1, ffn2;
    bool narrow_attention; /* the vector kernels hold every intermediate, for up to NARROW_TOKENS tokens */
    int context_block;     /* pairs of products that fit a 32-bit sum */
} ts_packed_layer;

struct ts_emu {
    const ts_imodel *im;
    const ts_kernels *kernels; /* NULL: everything straight from num/fixed.h */
    ts_packed embed[TS_MLP_MAX], qkv0, head[TS_MLP_MAX];
    ts_packed_layer *layer; /* [layers] */
};

enum { TS_NARROW_TOKENS = 1 << 17 };

/* y[rows][out] = requantised x[rows][in] . w */
void ts_emu_linear(const ts_emu *emu, ts_arena *scratch, const ts_packed *p, int rows, const int32_t *x, int32_t *y);

/* qkv: [n][3 * inner], ctx: [n][inner]. score, p: [n][n] of each head go to tap where it is not NULL. */
void ts_emu_attention(const ts_emu *emu, ts_arena *scratch, int layer, int n, const int32_t *qkv, int32_t *ctx, ts_emu_tap tap, void *user);

#endif
