/* Texts from outside (names in files, names of files) that go into reports, JSON and generated code.
   In a circle with base/arena.h: texts are made in arenas, which fail with errors, whose messages are made plain. */
#ifndef TS_PLAIN_H
#define TS_PLAIN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* `text` as one line of valid UTF-8: a byte that is no part of a character, and each byte of a control character, becomes \xHH; a
   backslash in front of an x becomes \x5c, so that no two texts become the same. Safe in JSON and in a comment up to the line's end. */
char *ts_text_plain(ts_arena *arena, const char *text);

/* Whether ts_text_plain leaves `text` as it is. */
bool ts_text_is_plain(const char *text);

/* FNV-1a, to be continued from `h`; begin with TS_HASH. */
#define TS_HASH UINT64_C(0xcbf29ce484222325)
uint64_t ts_hash(uint64_t h, const void *data, size_t size);

/* How much of the `size` bytes can stay where UTF-8 was cut off behind them: without the beginning of a last character. */
static inline size_t ts_text_whole(const char *text, size_t size)
{
    size_t start = size;
    while (start > 0 && size - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return size;
    const unsigned char lead = (unsigned char)text[start - 1];
    const size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return size - start + 1 < wanted ? start - 1 : size;
}

#endif
