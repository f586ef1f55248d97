/* CRC-32C as hardware has it (rtl/ts_crc.v): polynomial 0x1EDC6F41, started with ones, most significant bit first, neither reflected nor
   inverted. */
#ifndef TS_CRC_H
#define TS_CRC_H
#include <stddef.h>
#include <stdint.h>

#define TS_CRC32C UINT32_C(0xffffffff) /* to begin with */
uint32_t ts_crc32c_byte(uint32_t crc, uint8_t byte);
uint32_t ts_crc32c(uint32_t crc, const void *data, size_t size);

#endif
