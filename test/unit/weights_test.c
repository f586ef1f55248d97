/* Weights that come later: another model in the formats and shifts of hardware that is there. What fits gives results as good as hardware
   of its own; what does not says how many bits are missing, and with that margin it fits. Files are whole or refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc.h"
#include "base/file.h"
#include "design/weights.h"
#include "emu/emu.h"
#include "quant/kept.h"
#include "small_model.h"

enum { TOKENS = 13, MODELS = 24 };
#define DIR "weights_test_design"
#define FILE_NAME "weights_test.tsw"

/* A design of a model on disk, read back, with a margin. */
static void make_design(small_model *m, int margin, ts_design *design)
{
    ts_err err = {""};
    ts_room room = {.margin = margin};
    m->formats->room = margin ? &room : NULL;
    m->im = ts_quantise(m->arena, m->enc, m->cal, m->formats, &err);
    m->formats->room = NULL;
    assert_non_null(m->im);
    assert_int_equal(m->im->acc_margin, margin);
    ts_plan *plan = TS_NEW(m->arena, ts_plan);
    *plan = ts_plan_minimal(m->im, 32);
    ts_system system;
    if (!ts_system_of_ring(m->arena, m->im, plan, &system, &err) || !ts_design_write(&(ts_design_options){.system = &system}, DIR, &err) ||
        !ts_design_load(m->arena, DIR, design, &err))
        fail_msg("%s", err.msg);
}

/* `of` in the hardware of a design. */
static bool make_weights(const small_model *of, const ts_design *design, ts_room *room, ts_weights *w, ts_err *err)
{
    ts_formats *formats = ts_formats_default(of->arena, of->enc->layers);
    *room = (ts_room){.hardware = design->im};
    formats->room = room;
    if (!ts_kept_shape(of->enc, false, design->im, err) || !ts_kept_formats(formats, design->im, err))
        return false;
    const ts_imodel *im = ts_quantise(of->arena, of->enc, of->cal, formats, err);
    return im && ts_weights_make(of->arena, design, im, room, w, err);
}

/* Root of the mean square of what the integer model differs from floating point by, over that of the values. */
static double error_of(const small_model *m, const ts_imodel *im)
{
    const float *x = small_event(m->arena, m->enc, TOKENS, 77);
    const int rows = m->enc->pool == TS_POOL_NONE ? TOKENS : 1, count = rows * m->enc->outputs;
    int32_t *in = TS_NEW_N(m->arena, int32_t, TOKENS * im->features), *out = TS_NEW_N(m->arena, int32_t, count);
    float *want = TS_NEW_N(m->arena, float, count);
    double *got = TS_NEW_N(m->arena, double, count), error = 0, power = 0;
    ts_quantise_input(im, TOKENS, x, in);
    ts_emu_run(ts_emu_new(m->arena, im, TS_EMU_AUTO), TOKENS, in, out, NULL, NULL);
    ts_dequantise_output(im, rows, out, got);
    ts_encoder_eval(m->enc, TOKENS, x, want, NULL, NULL);
    for (int i = 0; i < count; i++) {
        error += pow(got[i] - (double)want[i], 2);
        power += pow((double)want[i], 2);
    }
    return sqrt(error / power);
}

static small_model make_model(const ts_encoder_shape *shape, uint64_t seed)
{
    ts_err err = {""};
    small_model m = small_model_make(shape, seed, "", &err);
    if (!m.im)
        fail_msg("seed %d: %s", (int)seed, err.msg);
    return m;
}

static void test_another_model(void **state)
{
    (void)state;
    int fitted = 0, grown = 0, beyond = 0;
    for (uint64_t seed = 0; seed < MODELS; seed++) {
        ts_encoder_shape shape = small_shape(seed);
        if (seed % 5 == 4)
            shape.qk_norm = shape.d_head;
        small_model old = make_model(&shape, seed), new = make_model(&shape, seed + 1000);
        ts_design design;
        ts_weights w;
        ts_room room;
        ts_err err = {""};
        make_design(&old, 0, &design);
        bool ok = make_weights(&new, &design, &room, &w, &err);
        if (!ok) {
            if (err.code != TS_DOES_NOT_FIT || room.missing < 1)
                fail_msg("seed %d: %s", (int)seed, err.msg);
            assert_non_null(strstr(err.msg, "acc_margin"));
            ts_design_free(&design);
            if (room.missing > TS_MARGIN_MAX) { /* norms of two channels have any gain */
                beyond++;
                ts_arena_free(old.arena);
                ts_arena_free(new.arena);
                continue;
            }
            const double before = error_of(&old, old.im);
            make_design(&old, room.missing, &design);
            const double own = error_of(&old, old.im);
            if (own > 4 * before + 0.003)
                fail_msg("seed %d: a margin of %d bits makes the design's own model %g wrong", (int)seed, room.missing, own);
            err = (ts_err){""};
            ok = make_weights(&new, &design, &room, &w, &err);
            grown += ok;
        } else {
            fitted++;
        }
        if (!ok)
            fail_msg("seed %d: the margin that was asked for is not enough: %s", (int)seed, err.msg);
        const double own = error_of(&new, new.im), there = error_of(&new, w.im);
        if (there > 1.5 * own + 0.003)
            fail_msg("seed %d: %g wrong in hardware of its own, %g in another's", (int)seed, own, there);
        /* The design's own model gives the design's own words. */
        assert_true(make_weights(&old, &design, &room, &w, &err));
        ts_design_free(&design);
        ts_arena_free(old.arena);
        ts_arena_free(new.arena);
    }
    assert_true(fitted > 0 && grown > 10 && beyond < MODELS / 8);
}

static ts_encoder_shape plain_shape(void)
{
    return (ts_encoder_shape){.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 2, .layers = 2, .act = TS_ACT_RELU};
}

/* Rows of weights that are all as large as their largest: the accumulator needs more bits than any that was proved. */
static void test_too_large(void **state)
{
    (void)state;
    ts_encoder_shape shape = plain_shape();
    shape.d = 10; /* 10 * 2047 * 2047 needs a bit more than rows of such weights have */
    small_model old = make_model(&shape, 3), new = make_model(&shape, 3);
    const ts_linear *ffn1 = &new.enc->layer[1].ffn1;
    for (int o = 0; o < ffn1->out; o++) {
        float *w = (float *)(uintptr_t)ffn1->w + o * ffn1->in, most = 0;
        for (int i = 0; i < ffn1->in; i++)
            most = fmaxf(most, fabsf(w[i]));
        for (int i = 0; i < ffn1->in; i++)
            w[i] = i % 2 ? most : -most;
    }
    ts_design design;
    ts_weights w;
    ts_room room;
    ts_err err = {""};
    make_design(&old, 0, &design);
    const ts_ring_widths before = ts_ring_widths_of(design.im);
    assert_false(make_weights(&new, &design, &room, &w, &err));
    assert_int_equal(err.code, TS_DOES_NOT_FIT);
    if (!strstr(err.msg, "layers.1.ffn1: its accumulator needs"))
        fail_msg("%s", err.msg);
    const int missing = room.missing;
    ts_design_free(&design);
    err = (ts_err){""};
    make_design(&old, missing, &design);
    const ts_ring_widths after = ts_ring_widths_of(design.im);
    assert_int_equal(after.lin[TS_LIN_FFN1].accw, before.lin[TS_LIN_FFN1].accw + missing);
    if (!make_weights(&new, &design, &room, &w, &err))
        fail_msg("%s", err.msg);
    ts_design_free(&design);
    ts_arena_free(old.arena);
    ts_arena_free(new.arena);
}

static void test_first_difference(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        ts_encoder_shape shape;
    } other[] = {
        {"layers: 3, the design was made for 2",
         {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 2, .layers = 3, .act = TS_ACT_RELU}},
        {"heads: 4", {.features = 3, .d = 8, .heads = 4, .d_head = 2, .ff = 16, .outputs = 2, .layers = 2, .act = TS_ACT_RELU}},
        {"width of the FFN: 24", {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 24, .outputs = 2, .layers = 2, .act = TS_ACT_RELU}},
        {"activation of the FFN: gelu, the design was made for relu",
         {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 2, .layers = 2, .act = TS_ACT_GELU_ERF}},
        {"norms of a layer: first, the design was made for last",
         {.features = 3,
          .d = 8,
          .heads = 2,
          .d_head = 4,
          .ff = 16,
          .outputs = 2,
          .layers = 2,
          .act = TS_ACT_RELU,
          .norms = TS_NORMS_FIRST}},
        {"norm1: RMSNorm, the design was made for LayerNorm",
         {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 2, .layers = 2, .act = TS_ACT_RELU, .norm = TS_NORM_RMS}},
        {"pooling: mean",
         {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 2, .layers = 2, .act = TS_ACT_RELU, .pool = TS_POOL_MEAN}},
        {"linears of the embed: 2, the design was made for 1",
         {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 2, .layers = 2, .act = TS_ACT_RELU, .embed_count = 2}},
    };
    const ts_encoder_shape shape = plain_shape();
    small_model old = make_model(&shape, 3);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        ts_err err = {""};
        const ts_encoder *enc = ts_encoder_random(old.arena, &other[i].shape, 5);
        assert_false(ts_kept_shape(enc, false, old.im, &err));
        if (!strstr(err.msg, other[i].message) || err.code != TS_UNSUPPORTED)
            fail_msg("'%s' instead of '%s'", err.msg, other[i].message);
    }
    ts_err err = {""};
    assert_false(ts_kept_shape(old.enc, true, old.im, &err));
    assert_non_null(strstr(err.msg, "task: classification"));
    ts_arena_free(old.arena);
}

static void add_crc(void *user, const ts_weights_write *w)
{
    (void)w;
    ++*(long long *)user;
}

/* Every cut and every turned bit is found; another design refuses the file. */
static void test_files(void **state)
{
    (void)state;
    const ts_encoder_shape shape = plain_shape();
    small_model old = make_model(&shape, 3), new = make_model(&shape, 3);
    ts_design design;
    ts_weights w, back;
    ts_room room;
    ts_err err = {""};
    make_design(&old, 1, &design);
    assert_true(make_weights(&new, &design, &room, &w, &err));
    w.inputs = "{}";
    w.inputs_size = 2;
    assert_true(ts_weights_save(old.arena, &design, &w, FILE_NAME, &err));
    if (!ts_weights_load(old.arena, &design, FILE_NAME, &back, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(back.ring[0].crc, w.ring[0].crc);
    assert_memory_equal(back.ring[0].data, w.ring[0].data, (size_t)w.ring[0].writes * TS_WRITE_BYTES);
    assert_memory_equal(back.inputs, "{}", 2);
    long long writes = 0;
    ts_weights_each(&back, 0, add_crc, &writes);
    assert_int_equal(writes, w.ring[0].writes);
    size_t size;
    char *file = ts_file_read(old.arena, FILE_NAME, &size, &err);
    for (size_t at = 0; at < size; at += 1 + size / 97) {
        err = (ts_err){""};
        assert_true(ts_file_write(FILE_NAME, file, at, &err));
        assert_false(ts_weights_load(old.arena, &design, FILE_NAME, &back, &err));
        assert_int_equal(err.code, TS_BAD_FILE);
        err = (ts_err){""};
        file[at] ^= 4;
        assert_true(ts_file_write(FILE_NAME, file, size, &err));
        assert_false(ts_weights_load(old.arena, &design, FILE_NAME, &back, &err));
        assert_int_equal(err.code, TS_BAD_FILE);
        file[at] ^= 4;
    }
    /* Sound by its check sum, and not by its words: the last of these, in front of that sum. */
    err = (ts_err){""};
    file[size - 5] ^= 1;
    const uint32_t crc = ts_crc32c(TS_CRC32C, file, size - 4);
    for (int i = 0; i < 4; i++)
        file[size - 4 + (size_t)i] = (char)(crc >> (8 * i));
    assert_true(ts_file_write(FILE_NAME, file, size, &err));
    assert_false(ts_weights_load(old.arena, &design, FILE_NAME, &back, &err));
    assert_non_null(strstr(err.msg, "its words are not those of its model"));
    err = (ts_err){""};
    assert_true(ts_weights_save(old.arena, &design, &w, FILE_NAME, &err));
    ts_design_free(&design);
    make_design(&old, 2, &design);
    assert_false(ts_weights_load(old.arena, &design, FILE_NAME, &back, &err));
    assert_non_null(strstr(err.msg, "made for another design"));
    ts_design_free(&design);
    (void)unlink(FILE_NAME);
    ts_arena_free(old.arena);
    ts_arena_free(new.arena);
}

/* "123456789" and polynomial 0x1EDC6F41, neither reflected nor inverted. */
static void test_crc(void **state)
{
    (void)state;
    uint32_t slow = TS_CRC32C;
    for (const char *p = "123456789"; *p; p++) {
        slow ^= (uint32_t)*p << 24;
        for (int bit = 0; bit < 8; bit++)
            slow = slow << 1 ^ (slow >> 31 ? 0x1edc6f41 : 0);
    }
    assert_int_equal(ts_crc32c(TS_CRC32C, "123456789", 9), slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_model), cmocka_unit_test(test_too_large), cmocka_unit_test(test_first_difference),
        cmocka_unit_test(test_files),         cmocka_unit_test(test_crc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
