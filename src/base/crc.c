#include "base/crc.h"

uint32_t ts_crc32c_byte(uint32_t crc, uint8_t byte)
{
    static const uint32_t nibble[16] = {0x00000000, 0x1edc6f41, 0x3db8de82, 0x2364b1c3, 0x7b71bd04, 0x65add245, 0x46c96386, 0x58150cc7,
                                        0xf6e37a08, 0xe83f1549, 0xcb5ba48a, 0xd587cbcb, 0x8d92c70c, 0x934ea84d, 0xb02a198e, 0xaef676cf};
    crc = crc << 4 ^ nibble[(crc >> 28 ^ byte >> 4) & 15];
    return crc << 4 ^ nibble[(crc >> 28 ^ byte) & 15];
}

uint32_t ts_crc32c(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *byte = data;
    for (size_t i = 0; i < size; i++)
        crc = ts_crc32c_byte(crc, byte[i]);
    return crc;
}
