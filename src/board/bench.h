/* What benches of one device, and of several, have in common. */
#ifndef TS_BOARD_BENCH_H
#define TS_BOARD_BENCH_H
#include <stdio.h>

#include "board/board.h"

/* Picoseconds of a word's way on the line of link n, ports included. */
long long ts_board_flight(const ts_board *board, int n);

/* Where the image of a device's page loader is, in the models of memory: 4 GiB apart. */
unsigned long long ts_board_page_base(int loader);

/* Lines of a macro that tell every page loader where its image is and let them run; device: "" or "3, ", the first argument of the calls.
 */
void ts_board_start_pages(FILE *f, ts_arena *arena, const ts_board *board, const char *device);

#endif
