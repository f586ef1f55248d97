/* Slices of the integer model: run one after the other they are the whole model, bit for bit; each is a model that verifies, saves
   and loads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emu/emu.h"
#include "quant/slice.h"
#include "small_model.h"

#define PATH "slice_test.tsm"
enum { TOKENS = 11, MODELS = 40 };

static const ts_imodel *slice(ts_arena *arena, const ts_imodel *im, int first, int end)
{
    ts_err err = {""};
    const ts_imodel *part = ts_imodel_slice(arena, im, ts_slice_between(im, first, end), &err);
    if (!part)
        fail_msg("%s", err.msg);
    return part;
}

static const int32_t *run(ts_arena *arena, const ts_imodel *im, bool reference, const int32_t *x)
{
    int32_t *y = TS_NEW_N(arena, int32_t, TOKENS * im->outputs);
    if (reference)
        ts_emu_reference(im, TOKENS, x, y, NULL, NULL);
    else
        ts_emu_run(ts_emu_new(arena, im, TS_EMU_AUTO), TOKENS, x, y, NULL, NULL);
    return y;
}

/* A model of random shape whose layers have formats of their own, and an event. */
typedef struct fixture {
    small_model m;
    const ts_imodel *im;
    const int32_t *x, *y;
    size_t bytes; /* of y */
} fixture;

static fixture make(uint64_t seed)
{
    const char *const formats[] = {"", "v=6,layers.0.v=11,ctx=9,q=7", "w=5,act=8,residual=18",
                                   "layers.1.v=14,layers.1.k=13,layers.0.ffn_in=6"};
    ts_encoder_shape shape = small_shape(seed);
    const char *text = formats[seed % 4];
    if (seed % 4 == 3 && shape.layers < 2)
        shape.layers = 3;
    ts_err err = {""};
    fixture f = {.m = small_model_make(&shape, seed, text, &err)};
    if (!f.m.im)
        fail_msg("seed %d: %s", (int)seed, err.msg);
    f.im = f.m.im;
    int32_t *x = TS_NEW_N(f.m.arena, int32_t, TOKENS * f.im->features);
    ts_quantise_input(f.im, TOKENS, small_event(f.m.arena, f.m.enc, TOKENS, 99 + seed), x);
    f.x = x;
    f.y = run(f.m.arena, f.im, true, x);
    f.bytes = (f.im->pool == TS_POOL_NONE ? TOKENS : 1) * (size_t)f.im->outputs * sizeof *f.y;
    return f;
}

static void test_every_cut(void **state)
{
    (void)state;
    int half = 0, fused = 0, norms[3] = {0};
    for (uint64_t seed = 0; seed < MODELS; seed++) {
        const fixture f = make(seed);
        ts_arena *arena = f.m.arena;
        const int blocks = ts_block_count(f.im);
        fused += f.im->fused_qkv0;
        norms[f.im->norms]++;
        for (int a = 0; a < blocks; a++)
            for (int b = a + 1; b <= blocks; b++) {
                /* 0 ... a, a ... b, b ... end: one, two or three slices. */
                const int32_t *x = f.x;
                const int cut[] = {0, a, b, blocks};
                for (int i = 0; i < 3; i++)
                    if (cut[i] < cut[i + 1]) {
                        const ts_imodel *part = slice(arena, f.im, cut[i], cut[i + 1]);
                        assert_int_equal(part->starts_in_ffn, cut[i] % 2);
                        assert_int_equal(part->ends_in_attention, cut[i + 1] % 2);
                        half += part->starts_in_ffn || part->ends_in_attention;
                        x = run(arena, part, (a + b + i) % 3 == 0, x);
                    }
                if (memcmp(x, f.y, f.bytes) != 0)
                    fail_msg("seed %d: cuts %d and %d change the outputs", (int)seed, a, b);
            }
        const int32_t *x = f.x;
        for (int i = 0; i < blocks; i++)
            x = run(arena, slice(arena, f.im, i, i + 1), i % 2, x);
        assert_memory_equal(x, f.y, f.bytes);
        ts_arena_free(arena);
    }
    assert_true(half > 0 && fused > 0 && norms[0] > MODELS / 8 && norms[1] > MODELS / 8 && norms[2] > MODELS / 8);
}

/* The host's part of an assisted design: without embedding and without head where the user says so. */
static void test_bare(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < MODELS; seed++) {
        const fixture f = make(seed);
        const int blocks = ts_block_count(f.im);
        ts_err err = {""};
        const ts_imodel *body = ts_imodel_slice(f.m.arena, f.im, (ts_slice){0, blocks, true, false}, &err);
        assert_non_null(body);
        assert_int_equal(body->outputs, f.im->d);
        /* Without a head the outputs are the last layer's, which a tap of the whole model sees. */
        const int32_t *y = run(f.m.arena, body, false, f.x);
        const ts_imodel *parts[] = {slice(f.m.arena, f.im, 0, blocks - 1),
                                    ts_imodel_slice(f.m.arena, f.im, (ts_slice){blocks - 1, blocks, false, false}, &err)};
        assert_non_null(parts[1]);
        const int32_t *z = run(f.m.arena, parts[1], true, run(f.m.arena, parts[0], true, f.x));
        assert_memory_equal(y, z, TOKENS * (size_t)f.im->d * sizeof *y);
        const ts_imodel *inner = ts_imodel_slice(f.m.arena, f.im, (ts_slice){0, blocks, false, true}, &err);
        if (f.im->fused_qkv0) {
            assert_null(inner);
            assert_non_null(strstr(err.msg, "embedding"));
        } else {
            assert_non_null(inner);
            assert_int_equal(inner->features, f.im->d);
        }
        ts_arena_free(f.m.arena);
    }
}

static void same_bits(const char *what, int count, const double *a, const double *b)
{
    if (memcmp(a, b, (size_t)count * sizeof *a) != 0)
        fail_msg("%s: scales differ", what);
}

/* What leaves one slice enters the next in the same units, and the units are those that the whole model's residual has there. */
static void test_scales(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < MODELS; seed++) {
        const fixture f = make(seed);
        const int blocks = ts_block_count(f.im);
        for (int cut = 1; cut < blocks; cut++) {
            const ts_imodel *before = slice(f.m.arena, f.im, 0, cut), *after = slice(f.m.arena, f.im, cut, blocks);
            same_bits("cut", f.im->d, ts_imodel_out_scale(before), after->in_scale);
            const ts_ilayer *layer = &f.im->layer[(cut - 1) / 2];
            const int norm = ts_norm_at(f.im->norms, cut % 2 ? TS_BEHIND_ATTENTION : TS_BEHIND_FFN);
            const double written = norm == 1   ? layer->norm1.y_scale
                                   : norm == 2 ? layer->norm2.y_scale
                                   : cut % 2   ? layer->res_scale_in
                                               : layer->res_scale_mid;
            same_bits("norm", 1, after->in_scale, &written);
        }
        same_bits("head", f.im->outputs, ts_imodel_out_scale(slice(f.m.arena, f.im, blocks - 1, blocks)),
                  f.im->head[f.im->head_count - 1].y_scale);
        ts_arena_free(f.m.arena);
    }
}

static void test_files(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        const fixture f = make(seed);
        const int blocks = ts_block_count(f.im);
        const int32_t *x = f.x;
        for (int first = 0, end; first < blocks; first = end) {
            end = first + 1 + (int)(seed % 3) < blocks ? first + 1 + (int)(seed % 3) : blocks;
            ts_err err = {""};
            assert_true(ts_imodel_save(slice(f.m.arena, f.im, first, end), PATH, &err));
            const ts_imodel *back = ts_imodel_load(f.m.arena, PATH, &err);
            if (!back)
                fail_msg("seed %d: %s", (int)seed, err.msg);
            x = run(f.m.arena, back, false, x);
        }
        assert_memory_equal(x, f.y, f.bytes);
        ts_arena_free(f.m.arena);
    }
    remove(PATH);
}

static void test_bad(void **state)
{
    (void)state;
    const ts_encoder_shape shape = {.features = 2, .d = 4, .heads = 2, .d_head = 2, .ff = 4, .outputs = 3, .layers = 2};
    ts_err err = {""};
    const small_model m = small_model_make(&shape, 1, "", &err);
    assert_non_null(m.im);
    const ts_slice bad[] = {{0, 0, true, false}, {2, 1, false, false}, {-1, 2, true, false}, {0, 5, true, true},
                            {1, 3, true, false}, {1, 3, false, true},  {4, 4, false, true}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err.msg[0] = '\0';
        assert_null(ts_imodel_slice(m.arena, m.im, bad[i], &err));
        assert_non_null(strstr(err.msg, "cuts"));
    }
    /* A slice's own rules, broken one at a time. */
    const ts_imodel *part = slice(m.arena, m.im, 1, 3);
    ts_imodel broken[6];
    for (int i = 0; i < 6; i++)
        broken[i] = *part;
    broken[0].features = 3;
    broken[1].in.bits--;
    broken[2].pool = TS_POOL_MEAN;
    broken[3].outputs = 3;
    broken[4].v_bits = 2;
    broken[5].starts_in_ffn = false; /* then layer 0's attention block is all zeros */
    for (int i = 0; i < 6; i++)
        assert_false(ts_imodel_verify(&broken[i], &err));
    err.msg[0] = '\0';
    assert_true(ts_imodel_verify(part, &err));
    ts_arena_free(m.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut), cmocka_unit_test(test_bare), cmocka_unit_test(test_scales),
        cmocka_unit_test(test_files),     cmocka_unit_test(test_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
