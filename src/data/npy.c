#define TS_FAIL_CODE TS_BAD_FILE
#include "data/npy.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/boundary.h"
#include "base/input.h"

static double half(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                        : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                       : ldexp(fraction, -24);
    return bits >> 15 ? -size : size;
}

static double element(const unsigned char *p, char kind, int size, bool swap)
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
        unsigned char byte[8];
    } v;
    for (int i = 0; i < size; i++)
        v.byte[i] = p[swap ? size - 1 - i : i];
    switch (kind * 16 + size) {
    case 'f' * 16 + 2:
        return half(v.u2);
    case 'f' * 16 + 4:
        return (double)v.f4;
    case 'f' * 16 + 8:
        return v.f8;
    case 'i' * 16 + 1:
        return v.i1;
    case 'i' * 16 + 2:
        return v.i2;
    case 'i' * 16 + 4:
        return v.i4;
    case 'i' * 16 + 8:
        return (double)v.i8;
    case 'b' * 16 + 1:
    case 'u' * 16 + 1:
        return v.u1;
    case 'u' * 16 + 2:
        return v.u2;
    case 'u' * 16 + 4:
        return v.u4;
    default:
        return (double)v.u8;
    }
}

static bool is_type(char kind, int width)
{
    switch (kind) {
    case 'f':
        return width == 2 || width == 4 || width == 8;
    case 'b':
        return width == 1;
    case 'i':
    case 'u':
        return width == 1 || width == 2 || width == 4 || width == 8;
    default:
        return false;
    }
}

/* What `header`, a Python dictionary, says of the array. */
static bool read_header(ts_npy *npy, const char *header, ts_err *err)
{
    const char *descr = strstr(header, "'descr':"), *order = strstr(header, "'fortran_order':"), *shape = strstr(header, "'shape':");
    const char *const path = npy->path, *list = shape ? strchr(shape, '(') : NULL;
    char endian = 0;
    if (!descr || !order || !list)
        return ts_fail(err, "%s: its header says no type, order and shape of an array; write it with numpy.save", path);
    descr += strspn(descr + 8, " ") + 8;
    if (sscanf(descr, "'%c%c%d'", &endian, &npy->kind, &npy->width) != 3 || !is_type(npy->kind, npy->width) || !strchr("<>=|", endian))
        return ts_fail(err, "%s: its values are of type %.*s%s; save floats (of 16, 32 or 64 bits), integers or bools", path,
                       (int)(*descr == '\'' ? 2 + strcspn(descr + 1, "'") : 12), descr,
                       strncmp(descr, "'|O", 3) == 0 ? ", Python objects (a pickle)"
                       : *descr == '['               ? "..., records"
                                                     : "");
    npy->swap = endian == '>';
    for (const char *p = list + 1; *p && *p != ')';) {
        int used = 0;
        long long dim = 0;
        if (sscanf(p, " %lld%n", &dim, &used) != 1 || dim < 0 || npy->rank == TS_NPY_RANK)
            return ts_fail(err, "%s: its shape %.60s is not that of an array of at most %d dimensions", path, list, TS_NPY_RANK);
        npy->dim[npy->rank++] = dim;
        for (p += used; *p == ',' || *p == ' ' || *p == 'L';)
            p++;
    }
    order += strspn(order + 16, " ") + 16;
    if (strncmp(order, "False", 5) != 0 && npy->rank > 1)
        return ts_fail(err, "%s: the array is in Fortran order; save numpy.ascontiguousarray(array)", path);
    return true;
}

/* The array's values must be what is behind the header, as far as the file has a size. */
static bool check_size(const ts_npy *npy, long long header, ts_err *err)
{
    const long long size = ts_input_size(npy->f), most = INT64_MAX / 16;
    long long bytes = npy->width;
    for (int i = 0; i < npy->rank; i++) {
        if (npy->dim[i] > 0 && bytes > most / npy->dim[i])
            return ts_fail(err, "%s: its shape does not fit the file", npy->path);
        bytes *= npy->dim[i];
    }
    if (size < 0 || size - header == bytes)
        return true;
    return ts_fail(err, "%s: its shape does not fit the file: it has %lld bytes of values, not %lld%s", npy->path, size - header, bytes,
                   size - header < bytes ? " (is it truncated?)" : " (several arrays?)");
}

static bool open_array(ts_arena *arena, ts_npy *npy, ts_err *err)
{
    unsigned char u[12] = {0};
    if (fread(u, 1, 10, npy->f) != 10 || memcmp(u, "\x93NUMPY", 6) != 0)
        return ts_fail(err, "%s: not a .npy file%s; write it with numpy.save", npy->path,
                       memcmp(u, "PK\3\4", 4) == 0 ? " (a .npz holds several)" : "");
    size_t length = u[8] | (size_t)u[9] << 8, prefix = 10;
    if (u[6] > 1) {
        if (fread(u + 10, 1, 2, npy->f) != 2)
            return ts_fail(err, "%s: truncated in its header", npy->path);
        length |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
        prefix = 12;
    }
    enum { LONGEST = 1 << 20 };
    char *header = length <= LONGEST ? ts_alloc(arena, length + 1, 1) : NULL;
    if (!header || fread(header, 1, length, npy->f) != length)
        return ts_fail(err, "%s: truncated in its header", npy->path);
    return read_header(npy, header, err) && check_size(npy, (long long)(prefix + length), err);
}

bool ts_npy_open(ts_arena *arena, const char *path, ts_npy *npy, ts_err *err)
{
    *npy = (ts_npy){.path = ts_strdup(arena, path), .f = ts_input_open(path, err)};
    if (!npy->f)
        return false;
    if (open_array(arena, npy, err))
        return true;
    ts_npy_close(npy);
    return false;
}

void ts_npy_close(ts_npy *npy)
{
    if (npy->f)
        ts_fclose(npy->f);
    npy->f = NULL;
}

bool ts_npy_read(ts_npy *npy, long long count, double *values, ts_err *err)
{
    enum { CHUNK = 1024 };
    unsigned char raw[CHUNK * 8];
    while (count > 0) {
        const size_t want = (size_t)(count < CHUNK ? count : CHUNK), got = fread(raw, (size_t)npy->width, want, npy->f);
        for (size_t i = 0; i < got; i++)
            *values++ = element(raw + i * (size_t)npy->width, npy->kind, npy->width, npy->swap);
        npy->done += (long long)got;
        count -= (long long)got;
        if (got < want)
            return ts_fail(err, "%s: reading stopped after %lld values: %s", npy->path, npy->done,
                           ferror(npy->f) ? strerror(errno) : "it is truncated");
    }
    return true;
}
