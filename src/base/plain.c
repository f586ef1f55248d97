#include "base/plain.h"

#include <stdio.h>
#include <string.h>

/* Bytes of the character at `p`, which ends with a NUL: 0 where they are no UTF-8 (RFC 3629). */
static int character(const unsigned char *p, uint32_t *code)
{
    const int length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (length < 2) {
        *code = p[0];
        return length;
    }
    *code = p[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3fu);
    }
    return *code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : length;
}

/* Bytes at `p` that stay as they are; 0: the first of them does not. */
static int stays(const unsigned char *p)
{
    uint32_t code;
    const int length = character(p, &code);
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029; /* the last two end lines */
    return length == 0 || control || (p[0] == '\\' && p[1] == 'x') ? 0 : length;
}

bool ts_text_is_plain(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    for (int length; *p; p += length)
        if ((length = stays(p)) == 0)
            return false;
    return true;
}

char *ts_text_plain(ts_arena *arena, const char *text)
{
    if (ts_text_is_plain(text))
        return ts_strdup(arena, text);
    char *plain = ts_alloc(arena, strlen(text) + 1, 4), *to = plain;
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const int length = stays(p);
        if (length)
            memcpy(to, p, (size_t)length);
        else
            (void)sprintf(to, "\\x%02x", *p);
        to += length ? length : 4;
        p += length ? length : 1;
    }
    return plain;
}

uint64_t ts_hash(uint64_t h, const void *data, size_t size)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < size; i++)
        h = (h ^ byte[i]) * UINT64_C(0x100000001b3);
    return h;
}
