/* Files that travel inside the library: rtl/NAME.v, devices/NAME.json, geometries/NAME.json, templates of benches. */
#ifndef TS_ASSET_H
#define TS_ASSET_H
#include <stddef.h>

typedef struct ts_asset {
    const char *name; /* path in the source tree, e.g. "rtl/ts_mul.v"; NULL ends the table */
    const char *data; /* NUL-terminated */
    size_t size;      /* bytes, without the NUL */
} ts_asset;

extern const ts_asset ts_assets[]; /* sorted by name */

#endif
