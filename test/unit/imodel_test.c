/* The integer model as a file, and the verifier: whatever is wrong is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "emu/emu.h"
#include "num/fixed.h"
#include "small_model.h"

#define PATH "imodel_test.tsm"
enum { TOKENS = 9 };

static small_model make(uint64_t seed)
{
    const ts_encoder_shape shape = small_shape(seed);
    ts_err err = {""};
    const small_model m = small_model_make(&shape, seed, "", &err);
    if (!m.im)
        fail_msg("seed %d: %s", (int)seed, err.msg);
    return m;
}

static void outputs(ts_arena *arena, const ts_encoder *enc, const ts_imodel *im, int32_t **y, size_t *bytes)
{
    int32_t *x = TS_NEW_N(arena, int32_t, TOKENS * im->features);
    ts_quantise_input(im, TOKENS, small_event(arena, enc, TOKENS, 99), x);
    *bytes = TOKENS * (size_t)im->outputs * sizeof **y;
    *y = TS_NEW_N(arena, int32_t, TOKENS * im->outputs);
    ts_emu_reference(im, TOKENS, x, *y, NULL, NULL);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        const small_model m = make(seed);
        ts_err err = {""};
        assert_true(ts_imodel_save(m.im, PATH, &err));
        const ts_imodel *back = ts_imodel_load(m.arena, PATH, &err);
        if (!back)
            fail_msg("seed %d: %s", (int)seed, err.msg);
        assert_string_equal(back->name, m.im->name);
        int32_t *a, *b;
        size_t bytes;
        outputs(m.arena, m.enc, m.im, &a, &bytes);
        outputs(m.arena, m.enc, back, &b, &bytes);
        assert_memory_equal(a, b, bytes);
        /* Saving again makes the same bytes. */
        size_t size[2];
        const char *first = ts_file_read(m.arena, PATH, &size[0], &err);
        assert_true(ts_imodel_save(back, PATH, &err));
        const char *second = ts_file_read(m.arena, PATH, &size[1], &err);
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(first, second, size[0]);
        ts_arena_free(m.arena);
    }
    remove(PATH);
}

static uint32_t crc32_of(const unsigned char *data, size_t size)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int b = 0; b < 8; b++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void write_bytes(const void *data, size_t size)
{
    ts_err err = {""};
    assert_true(ts_file_write(PATH, data, size, &err));
}

static void test_damage(void **state)
{
    (void)state;
    const ts_encoder_shape shape = {
        .features = 2, .d = 4, .heads = 2, .d_head = 2, .ff = 4, .outputs = 1, .layers = 2, .act = TS_ACT_GELU_ERF};
    ts_err err = {""};
    const small_model m = small_model_make(&shape, 1, "act=6", &err);
    assert_non_null(m.im);
    assert_true(ts_imodel_save(m.im, PATH, &err));
    size_t size;
    unsigned char *file = (unsigned char *)ts_file_read(m.arena, PATH, &size, &err);
    assert_non_null(file);
    uint64_t seed = 7;
    for (int i = 0; i < 4000; i++) { /* a flipped bit: the check sum sees it; with the check sum made good again, the parser and
                                        the verifier see it, or the model is still a legal one */
        const size_t bit = ts_random(&seed) % (8 * size);
        ts_arena *arena = ts_arena_new();
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (i < 500) {
            write_bytes(file, size);
            err.msg[0] = '\0';
            assert_null(ts_imodel_load(arena, PATH, &err));
            assert_non_null(strstr(err.msg, PATH));
        } else {
            unsigned char *copy = TS_NEW_N(arena, unsigned char, size);
            memcpy(copy, file, size);
            const uint32_t crc = crc32_of(file, size - 4);
            for (int b = 0; b < 4; b++)
                copy[size - 4 + (size_t)b] = (unsigned char)(crc >> (8 * b));
            write_bytes(copy, size);
            err.msg[0] = '\0';
            const ts_imodel *im = ts_imodel_load(arena, PATH, &err);
            assert_true(im ? !err.msg[0] : err.msg[0]);
            if (im) { /* and a legal one runs */
                int32_t *y;
                size_t bytes;
                outputs(arena, m.enc, im, &y, &bytes);
            }
        }
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
        ts_arena_free(arena);
    }
    for (size_t cut = 0; cut < size; cut += cut < 64 ? 1 : 97) {
        write_bytes(file, cut);
        err.msg[0] = '\0';
        assert_null(ts_imodel_load(m.arena, PATH, &err));
    }
    file[8] += 3; /* this program reads those of the next two versions, too */
    write_bytes(file, size);
    err.msg[0] = '\0';
    assert_null(ts_imodel_load(m.arena, PATH, &err));
    assert_non_null(strstr(err.msg, "reads versions 3 to 5"));
    remove(PATH);
    ts_arena_free(m.arena);
}

static void test_paths(void **state)
{
    (void)state;
    const small_model m = make(1);
    ts_err err = {""};
    assert_false(ts_imodel_save(m.im, "no/such/directory/model.tsm", &err));
    assert_non_null(strstr(err.msg, "no/such/directory"));
    err.msg[0] = '\0';
    assert_null(ts_imodel_load(m.arena, "no-such-file.tsm", &err));
    assert_non_null(strstr(err.msg, "no-such-file.tsm"));
    err.msg[0] = '\0';
    write_bytes("hello", 5);
    assert_null(ts_imodel_load(m.arena, PATH, &err));
    assert_non_null(strstr(err.msg, "not an integer model"));
    remove(PATH);
    ts_arena_free(m.arena);
}

/* One fault at a time, in copies of the parts that a fault touches. */
typedef struct faulty {
    ts_imodel im;
    ts_ilayer layer[3];
    int32_t w[256];
    uint8_t score_e[4];
} faulty;

static void fresh(faulty *f, const ts_imodel *im)
{
    f->im = *im;
    memcpy(f->layer, im->layer, sizeof f->layer);
    f->im.layer = f->layer;
    memcpy(f->w, im->layer[1].o.w, sizeof f->w);
    memcpy(f->score_e, im->layer[1].score_e, sizeof f->score_e);
    f->layer[1].o.w = f->w;
    f->layer[1].score_e = f->score_e;
}

static void refused(const faulty *f, const char *says)
{
    ts_err err = {""};
    assert_false(ts_imodel_verify(&f->im, &err));
    if (!strstr(err.msg, says))
        fail_msg("'%s' does not say '%s'", err.msg, says);
}

static void test_verify(void **state)
{
    (void)state;
    const ts_encoder_shape shape = {
        .features = 3, .d = 16, .heads = 4, .d_head = 4, .ff = 20, .outputs = 4, .layers = 3, .act = TS_ACT_RELU};
    ts_err err = {""};
    const small_model m = small_model_make(&shape, 3, "", &err);
    faulty f;
    fresh(&f, m.im);
    assert_true(ts_imodel_verify(&f.im, &err));
    f.layer[1].o.acc_bits--;
    refused(&f, "layers.1: o: accumulator");
    fresh(&f, m.im);
    f.w[7] = 2048;
    refused(&f, "weight 7 does not fit 12 bits");
    fresh(&f, m.im);
    f.w[7] = -2048; /* formats are symmetric */
    refused(&f, "weight 7");
    fresh(&f, m.im);
    f.layer[2].qkv.rq.s1++;
    refused(&f, "qkv: the layers of a ring share their shifts");
    fresh(&f, m.im);
    f.layer[2].norm2.y_shift++;
    refused(&f, "norm2: the layers of a ring share");
    fresh(&f, m.im);
    f.layer[0].norm1.eps = 0;
    refused(&f, "epsilon");
    fresh(&f, m.im);
    f.layer[1].ffn_in.out.bits--;
    refused(&f, "ffn1: its input format");
    fresh(&f, m.im);
    f.score_e[3] = 4;
    refused(&f, "shift of head 3");
    fresh(&f, m.im);
    f.layer[1].ctx_e = -1;
    refused(&f, "ctx");
    fresh(&f, m.im);
    f.layer[1].res_scale_mid = 0;
    refused(&f, "residual");
    fresh(&f, m.im);
    f.im.frac_bits = 7; /* the table no longer ends where it should, but begins right: other constants tell */
    f.im.p_bits = 11;
    refused(&f, "exp2 table");
    fresh(&f, m.im);
    f.im.head_count = 4;
    refused(&f, "head: 4 linears");
    fresh(&f, m.im);
    f.im.classifier = true;
    refused(&f, "share one scale");
    fresh(&f, m.im);
    f.im.norms = TS_NORMS_FIRST;
    refused(&f, "qkv0");
    ts_arena_free(m.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
