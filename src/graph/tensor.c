#include "graph/tensor.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    int onnx, bytes;
    ts_store store;
} dtypes[] = {
#define X(id, name, onnx, bytes, storage) {name, onnx, bytes, TS_STORE_##storage},
    TS_DTYPES(X)
#undef X
};

const char *ts_dtype_name(ts_dtype dtype)
{
    return dtypes[dtype].name;
}
int ts_dtype_bytes(ts_dtype dtype)
{
    return dtypes[dtype].bytes;
}
ts_store ts_dtype_store(ts_dtype dtype)
{
    return dtypes[dtype].store;
}

ts_dtype ts_dtype_from_onnx(int number)
{
    for (int i = 0; i < TS_DTYPE_COUNT; i++)
        if (dtypes[i].onnx == number)
            return (ts_dtype)i;
    return TS_NONE;
}

bool ts_count_dims(int rank, const int64_t *dim, int64_t *count)
{
    int64_t n = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0 || dim[i] > TS_MAX_ELEMENTS)
            return false;
        if (dim[i] == 0)
            empty = true;
        else if (n > TS_MAX_ELEMENTS / dim[i])
            return false;
        else
            n *= dim[i];
    }
    *count = empty ? 0 : n;
    return true;
}

int64_t ts_count(const ts_tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

size_t ts_store_bytes(ts_dtype dtype)
{
    return dtypes[dtype].store == TS_STORE_F ? sizeof(float) : sizeof(int64_t);
}

void ts_tensor_alloc(ts_arena *arena, ts_tensor *t)
{
    t->data.any = ts_alloc(arena, (size_t)ts_count(t), ts_store_bytes(t->dtype));
}

ts_tensor *ts_tensor_new(ts_arena *arena, ts_dtype dtype, int rank, const int64_t *dim)
{
    CHECK(rank >= 0 && rank <= TS_MAX_RANK);
    ts_tensor *t = TS_NEW(arena, ts_tensor);
    t->dtype = dtype;
    t->rank = rank;
    for (int i = 0; i < rank; i++)
        t->dim[i] = dim[i];
    ts_tensor_alloc(arena, t);
    return t;
}

void ts_copy(ts_tensor *to, int64_t to_index, const ts_tensor *from, int64_t from_index, int64_t count)
{
    size_t bytes = ts_store_bytes(to->dtype);
    if (count > 0)
        memcpy((char *)to->data.any + (size_t)to_index * bytes, (const char *)from->data.any + (size_t)from_index * bytes,
               (size_t)count * bytes);
}

double ts_get_real(const ts_tensor *t, int64_t index)
{
    switch (ts_dtype_store(t->dtype)) {
    case TS_STORE_F:
        return t->data.f[index];
    case TS_STORE_D:
        return t->data.d[index];
    case TS_STORE_I:
        return t->dtype == TS_U64 ? (double)(uint64_t)t->data.i[index] : (double)t->data.i[index];
    }
    BUG("storage of a tensor");
}

/* Truncates towards zero and saturates; C's own conversion is undefined outside of the range. */
static int64_t real_to_int(double x)
{
    if (isnan(x))
        return 0;
    if (x >= 0x1p63)
        return INT64_MAX;
    if (x < -0x1p63)
        return INT64_MIN;
    return (int64_t)x;
}

int64_t ts_get_int(const ts_tensor *t, int64_t index)
{
    return ts_dtype_store(t->dtype) == TS_STORE_I ? t->data.i[index] : real_to_int(ts_get_real(t, index));
}

void ts_set_real(ts_tensor *t, int64_t index, double value)
{
    switch (ts_dtype_store(t->dtype)) {
    case TS_STORE_F:
        t->data.f[index] = (float)value;
        return;
    case TS_STORE_D:
        t->data.d[index] = value;
        return;
    case TS_STORE_I:
        if (t->dtype == TS_BOOL)
            t->data.i[index] = value != 0; /* NaN is true, as in C and NumPy */
        else if (t->dtype == TS_U64 && value >= 0x1p63 && value < 0x1p64)
            t->data.i[index] = (int64_t)(uint64_t)value;
        else
            t->data.i[index] = real_to_int(value);
        return;
    }
    BUG("storage of a tensor");
}

void ts_tensor_set_floats(ts_tensor *t, const float *values)
{
    for (int64_t i = 0, n = ts_count(t); i < n; i++)
        ts_set_real(t, i, (double)values[i]);
    ts_tensor_narrow(t);
}

static uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float bits_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float ts_f16_to_float(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                      : exponent == 0 ? ldexpf((float)fraction, -24)
                                      : ldexpf((float)(1024 + fraction), exponent - 25);
    return bits >> 15 ? -magnitude : magnitude;
}

float ts_round_f16(float x)
{
    if (!isfinite(x) || x == 0)
        return x;
    int exponent;
    frexpf(x, &exponent); /* |x| in [2^(exponent-1), 2^exponent): the last of 11 bits is worth 2^(exponent-11) */
    int unit = exponent - 11 < -24 ? -24 : exponent - 11;
    float y = ldexpf(nearbyintf(ldexpf(x, -unit)), unit); /* the default rounding mode is nearest even */
    return fabsf(y) > 65504.0f ? copysignf(INFINITY, x) : y;
}

float ts_round_bf16(float x)
{
    if (isnan(x))
        return x;
    uint32_t bits = float_bits(x);
    bits += 0x7fff + (bits >> 16 & 1);
    return bits_float(bits & 0xffff0000u);
}

void ts_tensor_narrow(ts_tensor *t)
{
    int64_t n = ts_count(t);
    switch (t->dtype) {
    case TS_F16:
        for (int64_t i = 0; i < n; i++)
            t->data.f[i] = ts_round_f16(t->data.f[i]);
        break;
    case TS_BF16:
        for (int64_t i = 0; i < n; i++)
            t->data.f[i] = ts_round_bf16(t->data.f[i]);
        break;
#define WRAP(id, type) \
    case id: \
        for (int64_t i = 0; i < n; i++) \
            t->data.i[i] = (type)t->data.i[i]; \
        break;
        WRAP(TS_I8, int8_t)
        WRAP(TS_I16, int16_t)
        WRAP(TS_I32, int32_t)
        WRAP(TS_U8, uint8_t)
        WRAP(TS_U16, uint16_t)
        WRAP(TS_U32, uint32_t)
#undef WRAP
    case TS_BOOL:
        for (int64_t i = 0; i < n; i++)
            t->data.i[i] = t->data.i[i] != 0;
        break;
    case TS_NONE:
    case TS_F32:
    case TS_F64:
    case TS_I64:
    case TS_U64:
    case TS_DTYPE_COUNT:
        break;
    }
}
