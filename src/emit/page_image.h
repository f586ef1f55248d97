/* Pages of external memory as rtl/ts_page_unpack.v reads them (docs/paging.md). */
#ifndef TS_PAGE_IMAGE_H
#define TS_PAGE_IMAGE_H
#include <stdint.h>

/* Groups of `lanes` slices of 72 bits in a word of `width` bits. */
int ts_page_groups(int width, int lanes);

/* Beats of 8 * lanes bytes that a page of `words` words of `width` bits takes, its trailer included. lanes: 1, 2, 4 or 8. */
int64_t ts_page_beats(int words, int width, int lanes);

/* Writes the page of transfer `number`: ts_page_beats beats to `out`. word: [words][ceil(width / 32)], little-endian 32-bit words with
   zeros above `width`, as from ts_memory_words. */
void ts_page_pack(const uint32_t *word, int words, int width, int lanes, uint32_t number, uint8_t *out);

#endif
