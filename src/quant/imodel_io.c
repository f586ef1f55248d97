/* model.tsm: 8 bytes magic, u32 version, u32 length of the JSON header, header, tensors, u32 CRC-32 of everything before it; little-endian.
   The header is {"values": {PATH: integer}, "tensors": {PATH: [type, offset, count]}}; offsets count from the first byte behind it.
   Saving and loading walk the model with the same functions, so that neither can forget a field. */
#define TS_FAIL_CODE TS_DAMAGED
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/plain.h"
#include "quant/imodel.h"
#include "quant/room.h"

enum { VERSION = 5, MARGINS = 5, NORMS = 4, OLDEST = 3, MAGIC_SIZE = 8, FIXED_SIZE = MAGIC_SIZE + 8, CRC_SIZE = 4, DIM_MAX = 1 << 16 };
static const char MAGIC[MAGIC_SIZE] = {'t', 'e', 's', 's', 'e', 'r', 'a', '\n'};

typedef enum { U8, I32, U32, I64, F64 } kind;
static const char *const kind_name[] = {"u8", "i32", "u32", "i64", "f64"};
static const size_t kind_size[] = {1, 4, 4, 8, 8};

/* One walk. Loading: `error` is set by the first thing amiss, and everything after it does nothing. */
typedef struct walk {
    bool saving;
    ts_arena *arena; /* of the model being loaded; scratch when saving */
    ts_err *err;
    char path[96];
    json_t *values, *tensors;
    unsigned char *data; /* tensors */
    size_t size, room;
} walk;

static uint32_t crc32_of(const unsigned char *data, size_t size)
{
    static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 4 ^ nibble[(crc ^ data[i]) & 15];
        crc = crc >> 4 ^ nibble[(crc ^ data[i] >> 4) & 15];
    }
    return ~crc;
}

static void put(unsigned char *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *from, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

static bool failed(const walk *w)
{
    return w->err->msg[0] != '\0';
}

/* Appends ".NAME" to the path; the return value restores it with leave(). */
static size_t enter(walk *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static size_t enter(walk *w, const char *fmt, ...)
{
    const size_t old = strlen(w->path);
    va_list ap;
    va_start(ap, fmt);
    if (old)
        w->path[old] = '.';
    vsnprintf(w->path + old + (old > 0), sizeof w->path - old - 1, fmt, ap);
    va_end(ap);
    return old;
}

static void leave(walk *w, size_t old)
{
    w->path[old] = '\0';
}

/* ---- values and tensors ---- */

static void integer(walk *w, const char *name, int64_t least, int64_t most, int64_t *value)
{
    const size_t old = enter(w, "%s", name);
    if (w->saving) {
        json_object_set_new(w->values, w->path, json_integer(*value));
    } else if (!failed(w)) {
        json_t *item = json_object_get(w->values, w->path);
        *value = json_integer_value(item);
        if (!json_is_integer(item) || *value < least || *value > most)
            ts_fail(w->err, "%s is missing or out of range", w->path);
    }
    leave(w, old);
}

static void small(walk *w, const char *name, int least, int most, int *value)
{
    int64_t wide = *value;
    integer(w, name, least, most, &wide);
    *value = failed(w) ? least : (int)wide;
}

/* One that is `usual` where the file does not have it: what newer versions have more. */
static void newer(walk *w, const char *name, int least, int most, int usual, int *value)
{
    const size_t old = enter(w, "%s", name);
    const bool there = w->saving ? *value != usual : !failed(w) && json_object_get(w->values, w->path);
    leave(w, old);
    if (there)
        small(w, name, least, most, value);
    else if (!w->saving)
        *value = usual;
}

static void flag(walk *w, const char *name, bool *value)
{
    int wide = *value;
    small(w, name, 0, 1, &wide);
    *value = wide;
}

static void append(walk *w, kind k, size_t count, const void *from)
{
    const size_t bytes = count * kind_size[k];
    if (w->room - w->size < bytes) {
        const size_t room = 2 * (w->room + bytes);
        unsigned char *data = TS_NEW_N(w->arena, unsigned char, room);
        if (w->size)
            memcpy(data, w->data, w->size);
        w->data = data;
        w->room = room;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        if (kind_size[k] == 8) {
            memcpy(&value, (const char *)from + 8 * i, 8);
        } else if (kind_size[k] == 4) {
            uint32_t narrow;
            memcpy(&narrow, (const char *)from + 4 * i, 4);
            value = narrow;
        } else {
            value = ((const unsigned char *)from)[i];
        }
        put(w->data + w->size, value, kind_size[k]);
        w->size += kind_size[k];
    }
}

static void *extract(walk *w, kind k, size_t count, size_t offset)
{
    const size_t size = kind_size[k];
    unsigned char *to = ts_alloc(w->arena, count, size);
    for (size_t i = 0; i < count; i++) {
        const uint64_t value = get(w->data + offset + i * size, size);
        const uint32_t narrow = (uint32_t)value;
        if (size == 8)
            memcpy(to + 8 * i, &value, 8);
        else if (size == 4)
            memcpy(to + 4 * i, &narrow, 4);
        else
            to[i] = (unsigned char)value;
    }
    return to;
}

/* Saving: writes *from. Loading: returns the tensor, NULL where it is absent and may be. */
static void *tensor(walk *w, const char *name, kind k, size_t count, bool optional, const void *from)
{
    void *result = NULL;
    const size_t old = enter(w, "%s", name);
    if (w->saving) {
        if (from) {
            json_object_set_new(w->tensors, w->path, json_pack("[s, I, I]", kind_name[k], (json_int_t)w->size, (json_int_t)count));
            append(w, k, count, from);
        }
    } else if (!failed(w)) {
        json_t *item = json_object_get(w->tensors, w->path);
        const char *type = json_string_value(json_array_get(item, 0));
        const json_int_t offset = json_integer_value(json_array_get(item, 1)), stored = json_integer_value(json_array_get(item, 2));
        if (!item && optional)
            result = NULL;
        else if (!type || strcmp(type, kind_name[k]) != 0 || stored < 0 || (size_t)stored != count || offset < 0 ||
                 (size_t)offset > w->size || count > (w->size - (size_t)offset) / kind_size[k])
            ts_fail(w->err, "tensor %s is missing, of another size, or beyond the end of the file", w->path);
        else
            result = extract(w, k, count, (size_t)offset);
    }
    leave(w, old);
    return result;
}

#define WALK_TENSOR(w, name, kind, count, optional, field) \
    do { \
        void *loaded_ = tensor((w), (name), (kind), (size_t)(count), (optional), (field)); \
        if (!(w)->saving) \
            (field) = loaded_; \
    } while (0)

static void real(walk *w, const char *name, double *value)
{
    const double *p = value;
    WALK_TENSOR(w, name, F64, 1, false, p);
    *value = p ? *p : 0;
}

/* ---- parts of the model ---- */

static void walk_fmt(walk *w, const char *name, ts_fmt *fmt)
{
    const size_t old = enter(w, "%s", name);
    small(w, "bits", 1, 32, &fmt->bits);
    flag(w, "signed", &fmt->is_signed);
    leave(w, old);
}

static void walk_rq(walk *w, const char *name, ts_rq *rq)
{
    const size_t old = enter(w, "%s", name);
    small(w, "count", 1, 3 * DIM_MAX, &rq->count);
    small(w, "s1", 0, 62, &rq->s1);
    small(w, "s2", 0, 62, &rq->s2);
    walk_fmt(w, "out", &rq->out);
    WALK_TENSOR(w, "m", I32, rq->count, false, rq->m);
    WALK_TENSOR(w, "e", U8, rq->count, false, rq->e);
    WALK_TENSOR(w, "b", I64, rq->count, true, rq->b);
    WALK_TENSOR(w, "y_scale", F64, rq->count, true, rq->y_scale);
    WALK_TENSOR(w, "y_offset", F64, rq->count, true, rq->y_offset);
    leave(w, old);
}

static void walk_ilin(walk *w, const char *name, ts_ilin *lin)
{
    const size_t old = enter(w, "%s", name);
    int act = (int)lin->act;
    small(w, "in", 1, DIM_MAX, &lin->in);
    small(w, "out", 1, 3 * DIM_MAX, &lin->out);
    walk_fmt(w, "x", &lin->x);
    small(w, "w_bits", 2, 16, &lin->w_bits);
    small(w, "acc_bits", 1, 64, &lin->acc_bits);
    small(w, "act", 0, TS_ACT_COUNT - 1, &act);
    lin->act = (ts_act)act;
    walk_fmt(w, "y", &lin->y);
    walk_rq(w, "rq", &lin->rq);
    WALK_TENSOR(w, "w", I32, (size_t)lin->in * (size_t)lin->out, false, lin->w);
    WALK_TENSOR(w, "bias", I64, lin->out, false, lin->bias);
    WALK_TENSOR(w, "table", I32, (size_t)1 << lin->rq.out.bits, true, lin->table);
    WALK_TENSOR(w, "y_scale", F64, lin->out, false, lin->y_scale);
    WALK_TENSOR(w, "y_offset", F64, lin->out, true, lin->y_offset);
    leave(w, old);
}

/* channels: of a norm on q or k; 0: of one on the residual stream, d */
static void walk_norm(walk *w, const char *name, size_t channels, ts_inorm *norm)
{
    const size_t old = enter(w, "%s", name);
    int64_t eps = (int64_t)norm->eps;
    int which = (int)norm->kind;
    newer(w, "kind", 0, TS_NORM_COUNT - 1, TS_NORM_LAYER, &which);
    norm->kind = (ts_norm_kind)which;
    small(w, "d", 1, DIM_MAX, &norm->d);
    small(w, "t_shift", 0, 62, &norm->t_shift);
    small(w, "y_shift", 0, 62, &norm->y_shift);
    integer(w, "eps", 1, INT64_MAX, &eps);
    norm->eps = (uint64_t)eps;
    WALK_TENSOR(w, "gain", I32, channels ? channels : (size_t)norm->d, false, norm->gain);
    WALK_TENSOR(w, "bias", I64, channels ? channels : (size_t)norm->d, false, norm->bias);
    walk_fmt(w, "y", &norm->y);
    if (channels) {
        WALK_TENSOR(w, "channel_scale", F64, channels, false, norm->channel_scale);
        WALK_TENSOR(w, "channel_offset", F64, channels, true, norm->channel_offset);
    } else {
        real(w, "y_scale", &norm->y_scale);
    }
    leave(w, old);
}

static void walk_attention_block(walk *w, const ts_imodel *im, ts_ilayer *layer)
{
    walk_norm(w, "norm1", 0, &layer->norm1);
    if (ts_imodel_norm_in_attention(im, 2))
        walk_norm(w, "norm2", 0, &layer->norm2);
    if (im->qk_norm) {
        walk_norm(w, "q_norm", (size_t)im->heads * (size_t)im->d_head, &layer->q_norm);
        walk_norm(w, "k_norm", (size_t)im->heads * (size_t)im->d_head, &layer->k_norm);
    }
    walk_rq(w, "qkv_in", &layer->qkv_in);
    walk_ilin(w, "qkv", &layer->qkv);
    walk_fmt(w, "q", &layer->q);
    walk_fmt(w, "k", &layer->k);
    walk_fmt(w, "v", &layer->v);
    walk_fmt(w, "ctx", &layer->ctx);
    WALK_TENSOR(w, "score_e", U8, im->heads, false, layer->score_e);
    small(w, "ctx_e", 0, 3, &layer->ctx_e);
    walk_ilin(w, "o", &layer->o);
    WALK_TENSOR(w, "ctx_scale", F64, (size_t)im->heads * (size_t)im->d_head, false, layer->ctx_scale);
}

static void walk_ffn_block(walk *w, const ts_imodel *im, ts_ilayer *layer)
{
    if (!ts_imodel_norm_in_attention(im, 2))
        walk_norm(w, "norm2", 0, &layer->norm2);
    walk_rq(w, "ffn_in", &layer->ffn_in);
    walk_ilin(w, "ffn1", &layer->ffn1);
    walk_ilin(w, "ffn2", &layer->ffn2);
}

static void walk_layer(walk *w, const ts_imodel *im, int index, ts_ilayer *layer)
{
    const size_t old = enter(w, "layers.%d", index);
    if (ts_imodel_has_attention(im, index))
        walk_attention_block(w, im, layer);
    if (ts_imodel_has_ffn(im, index))
        walk_ffn_block(w, im, layer);
    real(w, "res_scale_in", &layer->res_scale_in);
    real(w, "res_scale_mid", &layer->res_scale_mid);
    leave(w, old);
}

static void walk_name(walk *w, ts_imodel *im)
{
    int length = w->saving ? (int)strlen(im->name) : 0;
    small(w, "name_length", 0, 4096, &length);
    const unsigned char *bytes = w->saving ? (const unsigned char *)im->name : NULL;
    WALK_TENSOR(w, "name", U8, length, false, bytes);
    if (!w->saving && !failed(w)) {
        char *name = TS_NEW_N(w->arena, char, length + 1);
        memcpy(name, bytes, (size_t)length);
        im->name = ts_text_plain(w->arena, name);
    }
}

static void walk_mlp(walk *w, const char *name, int *count, ts_ilin *lin)
{
    const size_t old = enter(w, "%s", name);
    small(w, "count", 0, TS_MLP_MAX, count);
    for (int i = 0; i < *count && !failed(w); i++) {
        const size_t inner = enter(w, "%d", i);
        walk_ilin(w, "lin", &lin[i]);
        leave(w, inner);
    }
    leave(w, old);
}

/* `layer` is im->layer when saving, and is made here when loading. */
static void walk_model(walk *w, ts_imodel *im, ts_ilayer *layer)
{
    int pool = (int)im->pool, norms = (int)im->norms;
    walk_name(w, im);
    small(w, "features", 1, DIM_MAX, &im->features);
    small(w, "d", 1, DIM_MAX, &im->d);
    small(w, "heads", 1, DIM_MAX, &im->heads);
    small(w, "d_head", 1, DIM_MAX, &im->d_head);
    small(w, "ff", 1, DIM_MAX, &im->ff);
    small(w, "outputs", 1, DIM_MAX, &im->outputs);
    small(w, "layers", 1, 1 << 10, &im->layers);
    flag(w, "starts_in_ffn", &im->starts_in_ffn);
    flag(w, "ends_in_attention", &im->ends_in_attention);
    small(w, "norms", TS_NORMS_LAST, TS_NORMS_AROUND, &norms);
    im->norms = (ts_norms)norms;
    flag(w, "has_final_norm", &im->has_final_norm);
    newer(w, "qk_norm", 0, DIM_MAX, 0, &im->qk_norm);
    flag(w, "fused_qkv0", &im->fused_qkv0);
    small(w, "pool", TS_POOL_NONE, TS_POOL_FIRST, &pool);
    im->pool = (ts_pool)pool;
    flag(w, "classifier", &im->classifier);
    walk_fmt(w, "in", &im->in);
    WALK_TENSOR(w, "in_scale", F64, im->features, false, im->in_scale);
    walk_mlp(w, "embed", &im->embed_count, im->embed);
    if (im->fused_qkv0)
        walk_ilin(w, "qkv0", &im->qkv0);
    walk_fmt(w, "residual", &im->res);
    small(w, "score_bits", 1, 32, &im->score_bits);
    small(w, "frac_bits", 0, 16, &im->frac_bits);
    small(w, "score_shift", 0, 62, &im->score_shift);
    small(w, "ctx_shift", 0, 62, &im->ctx_shift);
    small(w, "p_bits", 1, 32, &im->p_bits);
    small(w, "v_bits", 1, 32, &im->v_bits);
    newer(w, "acc_margin", 0, TS_MARGIN_MAX, 0, &im->acc_margin);
    WALK_TENSOR(w, "exp2", U32, (size_t)1 << im->frac_bits, false, im->exp2);
    if (!w->saving)
        layer = TS_NEW_N(w->arena, ts_ilayer, im->layers);
    for (int l = 0; l < im->layers && !failed(w); l++)
        walk_layer(w, im, l, &layer[l]);
    im->layer = layer;
    if (im->has_final_norm)
        walk_norm(w, "final_norm", 0, &im->final_norm);
    walk_mlp(w, "head", &im->head_count, im->head);
    if (im->head_count > 0)
        walk_rq(w, "head_in", &im->head_in);
    else
        WALK_TENSOR(w, "res_out_scale", F64, im->d, false, im->res_out_scale);
}

/* ---- files ---- */

/* The oldest that says all of the model: programs of older versions read what they know, and no more. */
static uint32_t version_of(const ts_imodel *im)
{
    bool old = im->qk_norm == 0 && ts_norm_centred(im->final_norm.kind);
    for (int l = 0; l < im->layers; l++)
        old &= ts_norm_centred(im->layer[l].norm1.kind) && ts_norm_centred(im->layer[l].norm2.kind);
    return im->acc_margin ? MARGINS : old ? OLDEST : NORMS;
}

unsigned char *ts_imodel_bytes(ts_arena *arena, const ts_imodel *im, size_t *bytes)
{
    ts_err none = {""};
    walk w = {.saving = true, .arena = ts_arena_new(), .err = &none, .values = json_object(), .tensors = json_object()};
    /* The walk is written for loading too and takes pointers that it could write through; a copy keeps the promise of const. */
    ts_imodel copy = *im;
    ts_ilayer *layer = TS_NEW_N(w.arena, ts_ilayer, im->layers);
    memcpy(layer, im->layer, (size_t)im->layers * sizeof *layer);
    walk_model(&w, &copy, layer);
    CHECK(!failed(&w));
    json_t *root = json_pack("{s:o, s:o}", "values", w.values, "tensors", w.tensors);
    const char *header = ts_json_text(w.arena, root, JSON_COMPACT | JSON_SORT_KEYS);
    const size_t length = strlen(header), size = FIXED_SIZE + length + w.size + CRC_SIZE;
    CHECK(length < UINT32_MAX);
    unsigned char *file = TS_NEW_N(arena, unsigned char, size);
    memcpy(file, MAGIC, MAGIC_SIZE);
    put(file + MAGIC_SIZE, version_of(im), 4);
    put(file + MAGIC_SIZE + 4, length, 4);
    memcpy(file + FIXED_SIZE, header, length);
    memcpy(file + FIXED_SIZE + length, w.data, w.size);
    put(file + size - CRC_SIZE, crc32_of(file, size - CRC_SIZE), CRC_SIZE);
    json_decref(root);
    ts_arena_free(w.arena);
    *bytes = size;
    return file;
}

bool ts_imodel_save(const ts_imodel *im, const char *path, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    size_t size;
    const unsigned char *file = ts_imodel_bytes(scratch, im, &size);
    const bool ok = ts_file_write(path, file, size, err);
    ts_arena_free(scratch);
    return ok;
}

static bool check_file(const unsigned char *file, size_t size, ts_err *err)
{
    if (size < FIXED_SIZE + CRC_SIZE || memcmp(file, MAGIC, MAGIC_SIZE) != 0)
        return ts_fail(err, "not an integer model of tessera (model.tsm)");
    if (get(file + MAGIC_SIZE, 4) < OLDEST || get(file + MAGIC_SIZE, 4) > VERSION)
        return ts_fail(err, "version %u of the model format; this program reads versions %d to %d: compile the model again",
                       (unsigned)get(file + MAGIC_SIZE, 4), OLDEST, VERSION);
    if (get(file + size - CRC_SIZE, CRC_SIZE) != crc32_of(file, size - CRC_SIZE))
        return ts_fail(err, "damaged or truncated (its check sum is wrong): compile the model again");
    return get(file + MAGIC_SIZE + 4, 4) <= size - FIXED_SIZE - CRC_SIZE || ts_fail(err, "its header is longer than the file");
}

ts_imodel *ts_imodel_of_bytes(ts_arena *arena, unsigned char *file, size_t size, ts_err *err)
{
    if (!check_file(file, size, err))
        return NULL;
    const size_t length = (size_t)get(file + MAGIC_SIZE + 4, 4);
    json_error_t where;
    json_t *root = json_loadb((const char *)file + FIXED_SIZE, length, JSON_REJECT_DUPLICATES, &where);
    walk w = {.arena = arena, .err = err, .data = file + FIXED_SIZE + length, .size = size - FIXED_SIZE - length - CRC_SIZE};
    w.values = json_object_get(root, "values");
    w.tensors = json_object_get(root, "tensors");
    ts_imodel *im = TS_NEW(arena, ts_imodel);
    if (!w.values || !w.tensors)
        ts_fail(err, "its header is not what this version writes");
    else
        walk_model(&w, im, NULL);
    json_decref(root);
    return !failed(&w) && ts_imodel_verify(im, err) ? im : NULL;
}

ts_imodel *ts_imodel_load(ts_arena *arena, const char *path, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    size_t size;
    ts_imodel *im = NULL;
    char *file = ts_file_read(scratch, path, &size, err);
    if (file && !(im = ts_imodel_of_bytes(arena, (unsigned char *)file, size, err)))
        ts_fail_in(err, "%s", path);
    ts_arena_free(scratch);
    return im;
}
