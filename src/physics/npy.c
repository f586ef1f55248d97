#include "physics/npy.h"

#include <stdint.h>
#include <string.h>

#include "base/file.h"

static double element(const char *p, char kind, int size)
{
    union {
        float f4;
        double f8;
        int8_t i1;
        int16_t i2;
        int32_t i4;
        int64_t i8;
        uint8_t u1;
        uint16_t u2;
        uint32_t u4;
        uint64_t u8;
    } v;
    memcpy(&v, p, (size_t)size);
    switch (kind * 16 + size) {
    case 'f' * 16 + 4: return (double)v.f4;
    case 'f' * 16 + 8: return v.f8;
    case 'i' * 16 + 1: return v.i1;
    case 'i' * 16 + 2: return v.i2;
    case 'i' * 16 + 4: return v.i4;
    case 'i' * 16 + 8: return (double)v.i8;
    case 'b' * 16 + 1:
    case 'u' * 16 + 1: return v.u1;
    case 'u' * 16 + 2: return v.u2;
    case 'u' * 16 + 4: return v.u4;
    default: return (double)v.u8;
    }
}

const ts_npy *ts_npy_load(ts_arena *arena, const char *path, ts_err *err)
{
    size_t size;
    const char *file = ts_file_read(arena, path, &size, err);
    if (!file)
        return NULL;
    if (size < 12 || memcmp(file, "\x93NUMPY", 6) != 0) {
        ts_fail(err, "%s: not a .npy file; write it with numpy.save", path);
        return NULL;
    }
    const unsigned char *u = (const unsigned char *)file;
    const size_t prefix = u[6] == 1 ? 10 : 12;
    const size_t length = u[6] == 1 ? u[8] | (size_t)u[9] << 8 : u[8] | (size_t)u[9] << 8 | (size_t)u[10] << 16 | (size_t)u[11] << 24;
    if (length > size - prefix) {
        ts_fail(err, "%s: truncated in its header", path);
        return NULL;
    }
    char *header = ts_alloc(arena, length + 1, 1);
    memcpy(header, file + prefix, length);
    const char *descr = strstr(header, "'descr':"), *order = strstr(header, "'fortran_order':"), *shape = strstr(header, "'shape':");
    char kind = 0, endian = 0;
    int width = 0;
    if (!descr || !order || !shape || sscanf(descr, "'descr': '%c%c%d'", &endian, &kind, &width) != 3 || endian == '>' ||
        !strchr("fiub", kind) || !(width == 1 || width == 2 || width == 4 || width == 8) || (kind == 'f' && width < 4)) {
        ts_fail(err, "%s: unsupported array type; save float32, float64, integers or bool in little-endian order", path);
        return NULL;
    }
    if (!strstr(order, "False")) {
        ts_fail(err, "%s: the array is in Fortran order; save numpy.ascontiguousarray(array)", path);
        return NULL;
    }
    ts_npy *npy = TS_NEW(arena, ts_npy);
    const size_t room = (size - prefix - length) / (size_t)width;
    size_t count = 1;
    const char *p = strchr(shape, '(');
    for (p = p ? p + 1 : ""; *p && *p != ')';) {
        int used = 0;
        long long dim = 0;
        if (sscanf(p, " %lld%n", &dim, &used) != 1 || dim < 0 || npy->rank == TS_NPY_RANK || (dim && count > room / (size_t)dim)) {
            ts_fail(err, "%s: its shape %.60s does not fit the file (at most %d dimensions)", path, shape, TS_NPY_RANK);
            return NULL;
        }
        npy->dim[npy->rank++] = dim;
        count *= (size_t)dim;
        for (p += used; *p == ',' || *p == ' ';)
            p++;
    }
    double *data = TS_NEW_N(arena, double, count);
    for (size_t i = 0; i < count; i++)
        data[i] = element(file + prefix + length + i * (size_t)width, kind, width);
    npy->data = data;
    return npy;
}
