/* The page memories of a ring: what they are called, how large they are and what is in them. Layouts are those of docs/hardware.md;
   a memory is cut into slices of at most 72 bits, each with an image file mem/<name>_<slice>.hex. */
#ifndef TS_MEMORIES_H
#define TS_MEMORIES_H
#include "ring/plan.h"

enum {
    TS_CFG_LINEAR = 0,
    TS_CFG_RQVEC = 48,
    TS_CFG_NORM = 52,
    TS_CFG_Q_NORM = 58,
    TS_CFG_ATTENTION = 60,
    TS_CFG_K_NORM = 62,
    TS_MEMORY_MAX = 64
};

typedef enum {
    TS_MEMORY_WEIGHT,
    TS_MEMORY_BIAS,
    TS_MEMORY_REQUANT,
    TS_MEMORY_TABLE,
    TS_MEMORY_RQVEC,
    TS_MEMORY_GAIN,
    TS_MEMORY_EPS,
    TS_MEMORY_Q_GAIN,
    TS_MEMORY_Q_EPS,
    TS_MEMORY_K_GAIN,
    TS_MEMORY_K_EPS,
    TS_MEMORY_ATTENTION,
    TS_MEMORY_EXP2
} ts_memory_kind;

typedef struct ts_memory {
    char name[24]; /* "ffn1_w" */
    ts_memory_kind kind;
    int stage;        /* ts_lin_id, ts_rqv_id or ts_nrm_id */
    int id;           /* number on the configuration bus, -1: constant */
    int width, depth; /* of a word in bits, its parity bit among them, which is the highest; words */
    bool parity;
    bool loaded; /* has no initial contents in hardware: the configuration bus must fill it before the first event */
} ts_memory;

/* Number of a memory on the configuration bus: fixed by stage and kind, so that it does not depend on the rest of the ring. */
int ts_memory_id(ts_memory_kind kind, int stage);

/* Fills `list` in a fixed order and returns how many there are: what the rows of the ring's modules say. */
int ts_memories(const ts_imodel *im, const ts_plan *plan, ts_memory list[TS_MEMORY_MAX]);

static inline int ts_memory_slices(const ts_memory *mem)
{
    return ts_ceil_div(mem->width, TS_SLICE_BITS);
}

/* All words of a memory, each in ts_ceil_div(width, 32) little-endian 32-bit words. */
uint32_t *ts_memory_words(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, const ts_memory *mem);

/* One slice as $readmemh reads it: a line a word. `words` is what ts_memory_words returned. */
char *ts_memory_slice_text(ts_arena *arena, const ts_memory *mem, const uint32_t *words, int slice, size_t *size);

/* ---- For the modules' rows */

typedef struct ts_memory_list {
    ts_memory *mem;
    int count;
    bool parity; /* those on the configuration bus have it */
} ts_memory_list;
/* width: of a word, without parity. */
void ts_memory_add(ts_memory_list *list, ts_memory_kind kind, int stage, const char *name, const char *suffix, int width, int depth,
                   ts_mem_style style);

/* A channel's own shift, multiplier and width, as ts_requant has them; and bits of all three, the width only where channels differ. */
enum { TS_SHIFT_BITS = 3, TS_MULTIPLIER_BITS = 18, TS_WIDTH_BITS = 5 };
int ts_requant_bits(bool varbits);

/* The words of a memory that is being filled. */
typedef struct ts_memory_image {
    uint32_t *bits;
    int stride;       /* 32-bit words of a word */
    int width, depth; /* without parity, which is put when a word is done */
} ts_memory_image;

/* Puts the low `width` bits of a value at bit `lsb` of a word. */
void ts_memory_put(const ts_memory_image *image, int word, int lsb, int width, int64_t value);

/* A channel's entry at bit `lsb`: multiplier, shift and, where varbits, width. Returns the bit behind it. */
int ts_memory_put_requant(const ts_memory_image *image, int word, int lsb, bool varbits, int32_t m, int e, int bits);

#endif
