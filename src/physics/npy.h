/* .npy arrays (NumPy's format 1.0-3.0, C order, little-endian), read as doubles. */
#ifndef TS_NPY_H
#define TS_NPY_H
#include "base/arena.h"
#include "base/err.h"

enum { TS_NPY_RANK = 4 };
typedef struct ts_npy {
    int rank;
    long long dim[TS_NPY_RANK];
    const double *data; /* [dim[0]]...[dim[rank-1]] */
} ts_npy;

const ts_npy *ts_npy_load(ts_arena *arena, const char *path, ts_err *err);

#endif
