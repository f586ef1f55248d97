/* The file of weights that come later. */
#define TS_FAIL_CODE TS_BAD_FILE
#include <inttypes.h>
#include <string.h>

#include "base/crc.h"
#include "base/file.h"
#include "base/json.h"
#include "design/weights.h"
#include "quant/slice.h"

enum { VERSION = 1, MAGIC_SIZE = 8, FIXED_SIZE = MAGIC_SIZE + 8, CRC_SIZE = 4 };
static const char MAGIC[MAGIC_SIZE] = {'t', 's', 'w', 'e', 'i', 'g', 'h', 't'};
static const size_t MOST = (size_t)4 << 30;

static void put_32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static const char *hex(ts_arena *arena, uint64_t value, int digits)
{
    return ts_printf(arena, "%0*" PRIx64, digits, value);
}

static json_t *ring_json(ts_arena *arena, const ts_weights_ring *ring)
{
    json_t *memories = json_array();
    for (int m = 0; m < ring->memories; m++) {
        const ts_memory *mem = &ring->mem[m];
        json_array_append_new(memories, json_pack("{s:s, s:i, s:i, s:i, s:i}", "name", mem->name, "cfg_mem", mem->id, "slices",
                                                  ts_memory_slices(mem), "words", mem->depth, "bits", mem->width));
    }
    json_t *json = json_pack("{s:I, s:s, s:o, s:I}", "writes", (json_int_t)ring->writes, "crc", hex(arena, ring->crc, 8), "memories",
                             memories, "pages", (json_int_t)ring->page_bytes);
    CHECK(json);
    return json;
}

static json_t *scales_json(const double *scale, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(list, json_real(scale[i]));
    return list;
}

static json_t *header_json(ts_arena *arena, const ts_design *design, const ts_weights *w, size_t model_size)
{
    json_t *rings = json_array();
    for (int r = 0; r < w->rings; r++)
        json_array_append_new(rings, ring_json(arena, &w->ring[r]));
    json_t *json = json_pack("{s:s, s:{s:s, s:s}, s:I, s:I, s:o}", "model", w->im->name, "design", "model", design->im->name, "build",
                             hex(arena, ts_weights_build(arena, design), 16), "integer_model", (json_int_t)model_size, "inputs",
                             (json_int_t)w->inputs_size, "rings", rings);
    CHECK(json);
    /* What a host needs that does not read the integer model. */
    json_object_set_new(json, "scales",
                        json_pack("{s:o, s:o}", "hits", scales_json(w->im->in_scale, w->im->features), "results",
                                  scales_json(ts_imodel_out_scale(w->im), w->im->outputs)));
    return json;
}

bool ts_weights_save(ts_arena *arena, const ts_design *design, const ts_weights *w, const char *path, ts_err *err)
{
    size_t model_size, size = FIXED_SIZE + CRC_SIZE;
    const unsigned char *model = ts_imodel_bytes(arena, w->im, &model_size);
    json_t *json = header_json(arena, design, w, model_size);
    const char *header = ts_json_text(arena, json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    size += strlen(header) + model_size + w->inputs_size;
    for (int r = 0; r < w->rings; r++)
        size += (size_t)w->ring[r].writes * TS_WRITE_BYTES + w->ring[r].page_bytes;
    uint8_t *file = ts_alloc(arena, size, 1), *next = file + FIXED_SIZE;
    memcpy(file, MAGIC, MAGIC_SIZE);
    put_32(file + MAGIC_SIZE, VERSION);
    put_32(file + MAGIC_SIZE + 4, (uint32_t)strlen(header));
    const struct {
        const void *data;
        size_t size;
    } first[] = {{header, strlen(header)}, {model, model_size}, {w->inputs, w->inputs_size}};
    for (size_t i = 0; i < sizeof first / sizeof *first; next += first[i++].size)
        if (first[i].size)
            memcpy(next, first[i].data, first[i].size);
    for (int r = 0; r < w->rings; r++) {
        const ts_weights_ring *ring = &w->ring[r];
        memcpy(next, ring->data, (size_t)ring->writes * TS_WRITE_BYTES);
        next += (size_t)ring->writes * TS_WRITE_BYTES;
        if (ring->page_bytes)
            memcpy(next, ring->pages, ring->page_bytes);
        next += ring->page_bytes;
    }
    put_32(next, ts_crc32c(TS_CRC32C, file, size - CRC_SIZE));
    return ts_file_write(path, file, size, err);
}

/* ---- Read back */

static bool check_file(const uint8_t *file, size_t size, ts_err *err)
{
    if (size < FIXED_SIZE + CRC_SIZE || memcmp(file, MAGIC, MAGIC_SIZE) != 0)
        return ts_fail(err, "not a file of weights that tessera wrote");
    if (get_32(file + MAGIC_SIZE) != VERSION)
        return ts_fail(err, "version %u of the format, this tessera reads version %d: make the file again", get_32(file + MAGIC_SIZE),
                       VERSION);
    if (get_32(file + size - CRC_SIZE) != ts_crc32c(TS_CRC32C, file, size - CRC_SIZE))
        return ts_fail(err, "damaged or truncated (its check sum is wrong): make the file again");
    return get_32(file + MAGIC_SIZE + 4) <= size - FIXED_SIZE - CRC_SIZE || ts_fail(err, "its header is longer than the file");
}

/* A member's number of bytes, taken off what is left of the file. */
static bool take(const json_t *object, const char *key, const uint8_t **at, size_t *left, const uint8_t **from, size_t *size, ts_err *err)
{
    const json_int_t bytes = json_integer_value(json_object_get(object, key));
    if (bytes < 0 || (uint64_t)bytes > *left)
        return ts_fail(err, "its header says %lld bytes of '%s', but %zu are left", (long long)bytes, key, *left);
    *from = *at;
    *size = (size_t)bytes;
    *at += bytes;
    *left -= (size_t)bytes;
    return true;
}

static bool check_design(ts_arena *arena, const ts_design *design, const json_t *header, ts_err *err)
{
    const json_t *of = json_object_get(header, "design");
    const char *build = json_string_value(json_object_get(of, "build")), *model = json_string_value(json_object_get(of, "model"));
    const char *own = hex(arena, ts_weights_build(arena, design), 16);
    return (build && strcmp(build, own) == 0) ||
           ts_fail(err, "made for another design (of %s, build %s); %s is build %s: make them again for this one", model ? model : "?",
                   build ? build : "?", design->dir, own);
}

/* The file's words must be those that its model gives: then it is whole, and this program reads it as its writer did. */
static bool same_words(const ts_weights *w, const json_t *rings, const uint8_t *at, size_t left, ts_err *err)
{
    for (int r = 0; r < w->rings; r++) {
        const ts_weights_ring *ring = &w->ring[r];
        const json_t *json = json_array_get(rings, (size_t)r);
        const size_t bytes = (size_t)ring->writes * TS_WRITE_BYTES;
        if (json_integer_value(json_object_get(json, "writes")) != ring->writes ||
            (size_t)json_integer_value(json_object_get(json, "pages")) != ring->page_bytes || left < bytes + ring->page_bytes ||
            memcmp(at, ring->data, bytes) != 0 || (ring->page_bytes && memcmp(at + bytes, ring->pages, ring->page_bytes) != 0))
            return ts_fail(err, "its words are not those of its model: make the file again");
        at += bytes + ring->page_bytes;
        left -= bytes + ring->page_bytes;
    }
    return left == 0 || ts_fail(err, "%zu bytes too long", left);
}

static bool same_shape(const ts_imodel *a, const ts_imodel *b)
{
    bool same = a->features == b->features && a->d == b->d && a->heads == b->heads && a->d_head == b->d_head && a->ff == b->ff &&
                a->outputs == b->outputs && a->layers == b->layers && a->norms == b->norms && a->qk_norm == b->qk_norm &&
                a->has_final_norm == b->has_final_norm && a->fused_qkv0 == b->fused_qkv0 && a->pool == b->pool &&
                a->classifier == b->classifier && a->embed_count == b->embed_count && a->head_count == b->head_count &&
                a->starts_in_ffn == b->starts_in_ffn && a->ends_in_attention == b->ends_in_attention && a->frac_bits == b->frac_bits;
    return same;
}

static bool parse(ts_arena *arena, const ts_design *design, const json_t *header, const uint8_t *at, size_t left, ts_weights *w,
                  ts_err *err)
{
    const uint8_t *model = NULL, *inputs = NULL;
    size_t model_size = 0, inputs_size = 0;
    if (!check_design(arena, design, header, err) || !take(header, "integer_model", &at, &left, &model, &model_size, err) ||
        !take(header, "inputs", &at, &left, &inputs, &inputs_size, err))
        return false;
    const ts_imodel *im = ts_imodel_of_bytes(arena, memcpy(ts_alloc(arena, model_size + 1, 1), model, model_size), model_size, err);
    if (!im)
        return false;
    if (!same_shape(im, design->im))
        return ts_fail(err, "its model has not the design's shape: make the file again");
    ts_room room = {.hardware = design->im};
    if (!ts_weights_make(arena, design, im, &room, w, err) || !same_words(w, json_object_get(header, "rings"), at, left, err))
        return false;
    if (inputs_size) {
        w->inputs = memcpy(ts_alloc(arena, inputs_size + 1, 1), inputs, inputs_size);
        w->inputs_size = inputs_size;
    }
    return true;
}

bool ts_weights_load(ts_arena *arena, const ts_design *design, const char *path, ts_weights *w, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    size_t size;
    const uint8_t *file = (const uint8_t *)ts_file_read_most(scratch, path, MOST, "a file of weights", &size, err);
    bool ok = file && (check_file(file, size, err) || ts_fail_in(err, "%s", path));
    if (ok) {
        const size_t length = get_32(file + MAGIC_SIZE + 4);
        json_error_t where;
        json_t *header = json_loadb((const char *)file + FIXED_SIZE, length, JSON_REJECT_DUPLICATES, &where);
        ok = (header || ts_fail(err, "its header is not what this version writes")) &&
             parse(arena, design, header, file + FIXED_SIZE + length, size - FIXED_SIZE - length - CRC_SIZE, w, err);
        json_decref(header);
        if (!ok) {
            ts_fail_in(err, "%s", path);
            err->code = err->code == TS_OUT_OF_MEMORY ? err->code : TS_BAD_FILE;
        }
    }
    ts_arena_free(scratch);
    return ok;
}
