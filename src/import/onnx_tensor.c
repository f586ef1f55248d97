/* TensorProto -> tensor: raw bytes, typed lists, or a range of another file. */
#define TS_FAIL_CODE TS_BAD_FILE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/boundary.h"
#include "base/file.h"
#include "base/memory.h"
#include "import/import.h"
#include "import/onnx_read.h"

static uint64_t little_endian(const uint8_t *bytes, int count)
{
    uint64_t x = 0;
    for (int i = count - 1; i >= 0; i--)
        x = x << 8 | bytes[i];
    return x;
}

/* One element from its bits in a file. */
static void set_bits(ts_tensor *t, int64_t index, uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    switch (t->dtype) {
    case TS_F32:
        memcpy(&t->data.f[index], &word, sizeof word);
        return;
    case TS_F16:
        t->data.f[index] = ts_f16_to_float((uint16_t)bits);
        return;
    case TS_BF16:
        word <<= 16;
        memcpy(&t->data.f[index], &word, sizeof word);
        return;
    case TS_F64:
        memcpy(&t->data.d[index], &bits, sizeof bits);
        return;
    case TS_I8:
    case TS_I16:
    case TS_I32:
    case TS_I64:
    case TS_U8:
    case TS_U16:
    case TS_U32:
    case TS_U64:
    case TS_BOOL:
        memcpy(&t->data.i[index], &bits, sizeof bits);
        return; /* narrowed, and its sign extended, at the end */
    case TS_NONE:
    case TS_DTYPE_COUNT:
        break;
    }
    BUG("type of a tensor");
}

static void set_raw(ts_tensor *t, const uint8_t *bytes)
{
    int width = ts_dtype_bytes(t->dtype);
    for (int64_t i = 0, n = ts_count(t); i < n; i++)
        set_bits(t, i, little_endian(bytes + i * width, width));
}

/* The list that holds a type's elements, and how many there are in it. */
static size_t typed_count(const Onnx__TensorProto *p, ts_dtype dtype)
{
    switch (dtype) {
    case TS_F32:
        return p->n_float_data;
    case TS_F64:
        return p->n_double_data;
    case TS_I64:
        return p->n_int64_data;
    case TS_U32:
    case TS_U64:
        return p->n_uint64_data;
    case TS_F16:
    case TS_BF16:
    case TS_I8:
    case TS_I16:
    case TS_I32:
    case TS_U8:
    case TS_U16:
    case TS_BOOL:
        return p->n_int32_data;
    case TS_NONE:
    case TS_DTYPE_COUNT:
        break;
    }
    BUG("type of a tensor");
}

static void set_typed(ts_tensor *t, const Onnx__TensorProto *p)
{
    for (int64_t i = 0, n = ts_count(t); i < n; i++)
        switch (t->dtype) {
        case TS_F32:
            t->data.f[i] = p->float_data[i];
            break;
        case TS_F64:
            t->data.d[i] = p->double_data[i];
            break;
        case TS_I64:
            t->data.i[i] = p->int64_data[i];
            break;
        case TS_U32:
        case TS_U64:
            set_bits(t, i, p->uint64_data[i]);
            break;
        case TS_F16:
        case TS_BF16:
        case TS_I8:
        case TS_I16:
        case TS_I32:
        case TS_U8:
        case TS_U16:
        case TS_BOOL:
            set_bits(t, i, (uint64_t)(int64_t)p->int32_data[i]);
            break;
        case TS_NONE:
        case TS_DTYPE_COUNT:
            BUG("type of a tensor");
        }
}

static const char *external_field(const Onnx__TensorProto *p, const char *key)
{
    for (size_t i = 0; i < p->n_external_data; i++)
        if (strcmp(ts_or_empty(p->external_data[i]->key), key) == 0)
            return ts_or_empty(p->external_data[i]->value);
    return NULL;
}

static bool read_number(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == 0 && errno == 0;
}

/* Whether a location climbs: ONNX has paths below the model's directory only. */
static bool climbs(const char *location)
{
    for (const char *p = location; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == 0))
            return true;
    }
    return false;
}

/* The path of an external file: relative, and after following links still below the model's directory. */
static char *confined_path(ts_arena *arena, const char *location, const char *directory, const char *what, ts_err *err)
{
    if (location[0] == 0 || location[0] == '/' || climbs(location))
        return ts_fail(err, "%s: external data at '%s' must be a path relative to the model's directory, without '..'", what, location),
               NULL;
    const char *path = ts_printf(arena, "%s/%s", directory, location);
    char *result = NULL, *real_path = realpath(path, NULL);
    int why = errno;
    char *real_directory = real_path ? realpath(directory, NULL) : NULL;
    why = real_path ? errno : why;
    if (!real_path || !real_directory) {
        ts_fail_as(err, ts_code_of_read(why), "%s: external data '%s' cannot be opened (%s); put it beside the model", what, path,
                   strerror(why));
    } else {
        size_t n = strlen(real_directory);
        bool below = strncmp(real_path, real_directory, n) == 0 && (real_path[n] == '/' || strcmp(real_directory, "/") == 0);
        if (below)
            result = ts_strdup(arena, real_path);
        else
            ts_fail(err, "%s: external data '%s' is outside of the model's directory; copy it there", what, location);
    }
    ts_free(real_path);
    ts_free(real_directory);
    return result;
}

/* Checks a tensor's type and shape; fills t but for its data. */
static bool read_shape(const Onnx__TensorProto *p, const char *what, ts_tensor *t, int64_t *count, ts_err *err)
{
    t->dtype = p->data_type > 0 ? ts_dtype_from_onnx(p->data_type) : TS_NONE;
    if (t->dtype == TS_NONE)
        return ts_fail_as(err, TS_UNSUPPORTED,
                          "%s: ONNX type number %d is not supported; use float32, or an integer type of at most 64 bits", what,
                          (int)p->data_type);
    if (p->n_dims > TS_MAX_RANK)
        return ts_fail_as(err, TS_UNSUPPORTED, "%s has %zu dimensions; at most %d are supported", what, p->n_dims, TS_MAX_RANK);
    t->rank = (int)p->n_dims;
    for (int i = 0; i < t->rank; i++)
        t->dim[i] = p->dims[i];
    return ts_count_dims(t->rank, t->dim, count) ||
           ts_fail(err, "%s: its shape has a negative size or more than %lld elements; the file is damaged", what,
                   (long long)TS_MAX_ELEMENTS);
}

uint8_t *ts_onnx_external(ts_arena *arena, const Onnx__TensorProto *p, const char *what, const char *directory, size_t *size, ts_err *err)
{
    const char *location = external_field(p, "location"), *offset_text = external_field(p, "offset"),
               *length_text = external_field(p, "length");
    ts_tensor t;
    int64_t count;
    if (!read_shape(p, what, &t, &count, err))
        return NULL;
    uint64_t want = (uint64_t)count * (uint64_t)ts_dtype_bytes(t.dtype), offset = 0, length = want;
    *size = (size_t)want;
    if (!location || (offset_text && !read_number(offset_text, &offset)) || (length_text && !read_number(length_text, &length)))
        return ts_fail(err, "%s: its external-data record is damaged", what), NULL;
    if (length != want)
        return ts_fail(err, "%s: %llu bytes of external data, but its shape and type need %llu", what, (unsigned long long)length,
                       (unsigned long long)want),
               NULL;
    const char *path = confined_path(arena, location, directory, what, err);
    if (!path)
        return NULL;
    struct stat info;
    if (stat(path, &info) != 0)
        return ts_fail_as(err, ts_code_of_read(errno), "%s: external data '%s' cannot be opened (%s)", what, path, strerror(errno)), NULL;
    if (!S_ISREG(info.st_mode))
        return ts_fail(err, "%s: external data '%s' is not a file", what, path), NULL;
    if (offset > (uint64_t)info.st_size || want > (uint64_t)info.st_size - offset)
        return ts_fail(err, "%s: external data '%s' has %lld bytes, but %llu at offset %llu are needed; the file is truncated", what, path,
                       (long long)info.st_size, (unsigned long long)want, (unsigned long long)offset),
               NULL;
    FILE *file = ts_fopen(path, "rb");
    if (!file)
        return ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: external data '%s' cannot be opened (%s)", what, path,
                          strerror(errno)),
               NULL;
    uint8_t *bytes = ts_alloc(arena, (size_t)want + 1, 1);
    errno = 0;
    const bool ok = fseeko(file, (off_t)offset, SEEK_SET) == 0 && fread(bytes, 1, (size_t)want, file) == want;
    const int why = errno;
    ts_fclose(file);
    if (!ok)
        ts_fail_as(err, ts_code_or(TS_FAIL_CODE, why), "%s: external data '%s' cannot be read (%s)", what, path,
                   why ? strerror(why) : "it ends early");
    return ok ? bytes : NULL;
}

static bool read_external(ts_arena *arena, ts_tensor *t, const Onnx__TensorProto *p, const char *what, const char *directory, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    size_t size;
    const uint8_t *bytes = ts_onnx_external(scratch, p, what, directory, &size, err);
    if (bytes) {
        ts_tensor_alloc(arena, t);
        set_raw(t, bytes);
    }
    ts_arena_free(scratch);
    return bytes != NULL;
}

ts_tensor *ts_onnx_tensor(ts_arena *arena, const Onnx__TensorProto *p, const char *what, const char *directory, ts_err *err)
{
    ts_tensor *t = TS_NEW(arena, ts_tensor);
    int64_t count;
    if (!read_shape(p, what, t, &count, err))
        return NULL;
    if (p->segment) {
        ts_fail_as(err, TS_UNSUPPORTED, "%s is stored in segments, which is not supported; re-export the model", what);
        return NULL;
    }
    if (p->has_data_location && p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        if (!read_external(arena, t, p, what, directory, err))
            return NULL;
    } else {
        uint64_t have = p->has_raw_data ? p->raw_data.len : typed_count(p, t->dtype);
        uint64_t want = (uint64_t)count * (p->has_raw_data ? (uint64_t)ts_dtype_bytes(t->dtype) : 1);
        if (have != want) {
            ts_fail(err, "%s: has %llu %s of data, but its shape and type need %llu; the file is truncated or damaged", what,
                    (unsigned long long)have, p->has_raw_data ? "bytes" : "elements", (unsigned long long)want);
            return NULL;
        }
        ts_tensor_alloc(arena, t);
        if (p->has_raw_data)
            set_raw(t, p->raw_data.data);
        else
            set_typed(t, p);
    }
    ts_tensor_narrow(t);
    return t;
}

ts_tensor *ts_import_tensor(ts_arena *arena, const char *path, ts_err *err)
{
    size_t size;
    const uint8_t *data = (const uint8_t *)ts_file_read_most(arena, path, TS_ONNX_MOST, TS_ONNX_KIND, &size, err);
    if (!data || !ts_wire_check(&onnx__tensor_proto__descriptor, data, size, err))
        return NULL;
    ProtobufCAllocator allocator = ts_proto_allocator(arena);
    Onnx__TensorProto *p = onnx__tensor_proto__unpack(&allocator, size, data);
    if (!p) {
        ts_fail(err, "'%s' is not an ONNX tensor", path);
        return NULL;
    }
    return ts_onnx_tensor(arena, p, path, ".", err);
}
