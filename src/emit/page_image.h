/* Pages of external memory as rtl/ts_page_unpack.v reads them (docs/paging.md). */
#ifndef TS_PAGE_IMAGE_H
#define TS_PAGE_IMAGE_H
#include <stdint.h>

#include "ring/page_format.h"

/* Writes the page of transfer `number`: ts_page_beats beats to `out`. word: [words][ceil(width / 32)], little-endian 32-bit words with
   zeros above `width`, as from ts_memory_words. */
void ts_page_pack(const uint32_t *word, int words, int width, int lanes, uint32_t number, uint8_t *out);

#endif
