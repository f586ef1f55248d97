/* Weights that come later, for a design that is there: another model's integers in the words of its memories, and in pages where weights
   are in external memory; and the file of them.

   The file (docs/weights.md): 8 bytes "tsweight", u32 version, u32 length of the JSON header, header; then what the header gives the sizes
   of: the integer model (as model.tsm), the inputs file, and for each ring its writes and its pages; u32 CRC-32C of everything before it.
   Little-endian. The writes of a ring are those of its memories in the header's order, slice by slice, word by word, 9 bytes each. */
#ifndef TS_WEIGHTS_H
#define TS_WEIGHTS_H
#include "design/design.h"
#include "quant/room.h"

enum { TS_WRITE_BYTES = TS_SLICE_BITS / 8 };

typedef struct ts_weights_ring {
    int memories;
    ts_memory mem[TS_MEMORY_MAX]; /* that the configuration bus reaches */
    long long writes;             /* of all of them */
    const uint8_t *data;          /* [writes][TS_WRITE_BYTES] */
    uint32_t crc;                 /* of register WEIGHT_CRC behind them */
    const uint8_t *pages;         /* image of external memory, NULL without pages */
    size_t page_bytes;
} ts_weights_ring;

typedef struct ts_weights {
    const ts_imodel *im; /* the whole model */
    const char *inputs;  /* [inputs_size] the inputs file that belongs to it; NULL: none */
    size_t inputs_size;
    int rings;
    const ts_weights_ring *ring; /* [rings] */
} ts_weights;

/* One write of the configuration bus. */
typedef struct ts_weights_write {
    int ring, memory, slice, address;
    const uint8_t *data; /* [TS_WRITE_BYTES], lowest first */
} ts_weights_write;

/* Calls `put` with each write of a ring, in order. */
void ts_weights_each(const ts_weights *weights, int ring, void (*put)(void *user, const ts_weights_write *write), void *user);

/* What register WEIGHT_CRC is behind the writes of a ring, begun with `crc` (TS_CRC32C). */
uint32_t ts_weights_crc(const ts_weights *weights, int ring, uint32_t crc);

/* The words for im, which has the design's shape, formats and shifts. What its memories are too narrow for is noted in room, which then
   says so. */
bool ts_weights_make(ts_arena *arena, const ts_design *design, const ts_imodel *im, ts_room *room, ts_weights *weights, ts_err *err);

/* The design as it is told from others: what its package calls the build, without the bus. Of a package's emulator/, which is the design
   without hardware and has this member in its manifest, that of the design. */
#define TS_EMULATOR_OF "emulator_of"
uint64_t ts_weights_build(ts_arena *arena, const ts_design *design);

bool ts_weights_save(ts_arena *arena, const ts_design *design, const ts_weights *weights, const char *path, ts_err *err);

/* False with a message where the file is damaged, of another version or of another design; never half of it. */
bool ts_weights_load(ts_arena *arena, const ts_design *design, const char *path, ts_weights *weights, ts_err *err);

#endif
