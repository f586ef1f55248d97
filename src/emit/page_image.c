#include "emit/page_image.h"

#include <string.h>

#include "base/crc.h"

/* Byte `at` (of 8 bits from bit 8 * at on) of a word, zero beyond it. */
static uint8_t byte_of(const uint32_t *word, int width, int64_t at)
{
    if (at * 8 >= width)
        return 0;
    return (uint8_t)(word[at / 4] >> (at % 4 * 8));
}

/* The check carried over 8 bytes of which the last one counts as the first. */
static uint32_t crc_step(uint32_t crc, const uint8_t bytes[8])
{
    for (int i = 7; i >= 0; i--)
        crc = ts_crc32c_byte(crc, bytes[i]);
    return crc;
}

static void put_32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

void ts_page_pack(const uint32_t *word, int words, int width, int lanes, uint32_t number, uint8_t *out)
{
    const int groups = ts_page_groups(width, lanes), stride = (width + 31) / 32, beat = 8 * lanes;
    const int64_t writes = (int64_t)words * groups, beats = ts_page_beats(words, width, lanes);
    memset(out, 0, (size_t)(beats * beat));
    for (int64_t n = 0; n < writes; n++) {
        uint8_t *extra = out + n / TS_PAGE_BLOCK * (TS_PAGE_BLOCK + 1) * beat, *data = extra + (n % TS_PAGE_BLOCK + 1) * beat;
        const uint32_t *w = word + n / groups * stride;
        for (int lane = 0; lane < lanes; lane++) {
            const int64_t first = (n % groups * lanes + lane) * (TS_PAGE_SLICE / 8); /* the slice's first byte in its word */
            for (int i = 0; i < 8; i++)
                data[8 * lane + i] = byte_of(w, width, first + i);
            extra[n % TS_PAGE_BLOCK * lanes + lane] = byte_of(w, width, first + 8);
        }
    }
    uint8_t *trailer = out + (beats - 1) * beat;
    for (int lane = 0; lane < lanes; lane++) {
        uint32_t crc = 0xffffffff;
        for (int64_t b = 0; b < beats - 1; b++)
            crc = crc_step(crc, out + b * beat + 8 * lane);
        put_32(trailer + 8 * lane, crc);
        put_32(trailer + 8 * lane + 4, number);
    }
}
