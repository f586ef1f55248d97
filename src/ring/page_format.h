/* The size of a page in external memory (docs/paging.md). */
#ifndef TS_PAGE_FORMAT_H
#define TS_PAGE_FORMAT_H
#include <stdint.h>

enum { TS_PAGE_SLICE = 72 /* bits */, TS_PAGE_BLOCK = 8 /* writes that share a beat of extra bytes */ };

/* Beats of a whole burst: at most 4 KiB and 256 beats. */
static inline int ts_page_burst_beats(int lanes)
{
    return lanes > 2 ? 512 / lanes : 256;
}

/* Groups of `lanes` slices in a word of `width` bits. */
static inline int ts_page_groups(int64_t width, int lanes)
{
    return (int)((width + (int64_t)TS_PAGE_SLICE * lanes - 1) / ((int64_t)TS_PAGE_SLICE * lanes));
}

/* Beats of 8 * lanes bytes that a page of `words` words of `width` bits takes, its trailer included. lanes: 1, 2, 4 or 8. */
static inline int64_t ts_page_beats(int words, int64_t width, int lanes)
{
    const int64_t writes = (int64_t)words * ts_page_groups(width, lanes);
    return writes + (writes + TS_PAGE_BLOCK - 1) / TS_PAGE_BLOCK + 1;
}

#endif
