/* What a board's project and its driver agree on: made once, printed for Vivado, for programs and for people. */
#ifndef TS_PLATFORM_H
#define TS_PLATFORM_H
#include "board/board.h"

typedef struct ts_platform {
    unsigned control, dma; /* addresses of registers, bytes */
    int address_bits;      /* of memory */
    int first_interrupt;   /* shared peripheral interrupt of the first: hits and results, where it has them, engine */
    int length_bits;       /* of the DMA's length register */
    long long hit_bytes,
        result_bytes; /* of the longest event, with a status word where there is one; 0 where the device has no such stream */
} ts_platform;

ts_platform ts_platform_of(const ts_board *board);

/* What parameter MEM of the top is by itself, from where the package is; NULL where it has none. */
const char *ts_platform_images(const ts_board *board);

bool ts_platform_has(const ts_board *board, ts_bus_kind kind); /* some interface of that kind */

const char *ts_platform_settings(ts_arena *arena, const ts_board *board); /* Tcl: variables of the scripts */
const char *ts_platform_json(ts_arena *arena, const ts_board *board);     /* platform.json */
const char *ts_platform_c(ts_arena *arena, const ts_board *board);        /* header, C and C++ */

/* Tcl: a region for each ring, where it fits a die; wished: as what the placer is asked for, where a platform has regions of its own. */
const char *ts_platform_dies(ts_arena *arena, const ts_board *board, bool wished);

#endif
