/* .npy arrays (NumPy's format 1.0-3.0, C order, either byte order) of floats of 16, 32 or 64 bits, integers and bools, read as doubles
   from first to last. */
#ifndef TS_NPY_H
#define TS_NPY_H
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

enum { TS_NPY_RANK = 4 };
typedef struct ts_npy {
    const char *path;
    int rank;
    long long dim[TS_NPY_RANK];
    /* how far it is read: */
    FILE *f;
    char kind; /* of values: NumPy's letter */
    int width; /* bytes of each */
    bool swap; /* they have the other byte order */
    long long done;
} ts_npy;

/* Opens the file and reads what it says of its array. Fails with the type's name on other types and orders, and where the file's size is
   not the shape's. Closed by ts_npy_close, also after errors; closing twice does nothing. */
bool ts_npy_open(ts_arena *arena, const char *path, ts_npy *npy, ts_err *err);
void ts_npy_close(ts_npy *npy);

/* The next `count` values, the last axis varying fastest. */
bool ts_npy_read(ts_npy *npy, long long count, double *values, ts_err *err);

#endif
