/* Tensors with concrete shapes: constants of a graph, and everything the float reference computes. */
#ifndef TS_TENSOR_H
#define TS_TENSOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* name, ONNX's number, bytes in a file, storage: F float, D double, I int64_t. F16 and BF16 are held as float and rounded where they
   are produced; integers and booleans are held as int64_t and wrapped where they are produced. */
#define TS_DTYPES(X) \
    X(NONE, "none", 0, 0, I) \
    X(F32, "float32", 1, 4, F) \
    X(F16, "float16", 10, 2, F) \
    X(BF16, "bfloat16", 16, 2, F) \
    X(F64, "float64", 11, 8, D) \
    X(I8, "int8", 3, 1, I) \
    X(I16, "int16", 5, 2, I) \
    X(I32, "int32", 6, 4, I) \
    X(I64, "int64", 7, 8, I) \
    X(U8, "uint8", 2, 1, I) \
    X(U16, "uint16", 4, 2, I) \
    X(U32, "uint32", 12, 4, I) \
    X(U64, "uint64", 13, 8, I) \
    X(BOOL, "bool", 9, 1, I)
typedef enum {
#define X(id, name, onnx, bits, storage) TS_##id,
    TS_DTYPES(X)
#undef X
        TS_DTYPE_COUNT
} ts_dtype;

typedef enum { TS_STORE_F, TS_STORE_D, TS_STORE_I } ts_store;

const char *ts_dtype_name(ts_dtype dtype);
int ts_dtype_bytes(ts_dtype dtype); /* of one element in a file */
ts_store ts_dtype_store(ts_dtype dtype);
ts_dtype ts_dtype_from_onnx(int number); /* TS_NONE where it is not supported */
static inline bool ts_is_float(ts_dtype t)
{
    return t == TS_F32 || t == TS_F16 || t == TS_BF16 || t == TS_F64;
}

enum { TS_MAX_RANK = 8 };
/* Elements of the largest tensor that is ever made: scores of 5,000 hits and 16 heads fit, a hostile shape does not. */
#define TS_MAX_ELEMENTS ((int64_t)1 << 29)

typedef struct ts_tensor {
    ts_dtype dtype;
    int rank;
    int64_t dim[TS_MAX_RANK];
    union { /* by ts_dtype_store(dtype); row-major, the last dimension fastest; NULL: only type and shape are known */
        float *f;
        double *d;
        int64_t *i;
        void *any;
    } data;
} ts_tensor;

int64_t ts_count(const ts_tensor *t); /* elements, 1 for a scalar */

/* The checked product of dimensions: false where one is negative or the product exceeds TS_MAX_ELEMENTS. */
bool ts_count_dims(int rank, const int64_t *dim, int64_t *count);

/* Zeroed data for t's type and shape, which ts_count_dims has accepted. */
void ts_tensor_alloc(ts_arena *arena, ts_tensor *t);
ts_tensor *ts_tensor_new(ts_arena *arena, ts_dtype dtype, int rank, const int64_t *dim);
size_t ts_store_bytes(ts_dtype dtype); /* of one element in memory */

/* Elements by bytes: for hooks that only move data. */
void ts_copy(ts_tensor *to, int64_t to_index, const ts_tensor *from, int64_t from_index, int64_t count);

/* Brings every element into dtype's range: wraps integers, rounds float16 and bfloat16. Nothing for the native types. */
void ts_tensor_narrow(ts_tensor *t);

/* All elements, from as many floats: rounded where the type is narrower. */
void ts_tensor_set_floats(ts_tensor *t, const float *values);

/* One element as a number, whatever the storage. */
double ts_get_real(const ts_tensor *t, int64_t index);
int64_t ts_get_int(const ts_tensor *t, int64_t index); /* floats truncate towards zero and saturate; NaN is 0 */
void ts_set_real(ts_tensor *t, int64_t index, double value);

float ts_f16_to_float(uint16_t bits);
float ts_round_f16(float x); /* nearest even; overflow becomes infinity */
float ts_round_bf16(float x);

#endif
