/* mem/pages.bin: external memory as a paged ring reads it (docs/paging.md). */
#ifndef TS_PAGE_FILE_H
#define TS_PAGE_FILE_H
#include "ring/pages.h"

#define TS_PAGE_FILE "pages.bin" /* in mem/ */

/* The image: the pages of an event's transfers one behind the other, order->beats beats. */
uint8_t *ts_page_file(ts_arena *arena, const ts_imodel *im, const ts_plan *plan, const ts_page_order *order, size_t *size);

#endif
