/* Exported C against the emulator: random models with every option and width, slices of them, events of every length up to the longest.
   Compiled with the warnings that the files promise to be free of, and so that undefined behaviour traps. Seeds 1, 2, ...;
   `export_test FIRST COUNT` runs others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "emu/emu.h"
#include "export/export.h"
#include "exported.h"
#include "quant/slice.h"
#include "scratch.h"
#include "small_model.h"

enum { MAX_HITS = 37, DEFAULT_SEEDS = 20 };
static uint64_t first_seed = 1;
static int seed_count = DEFAULT_SEEDS;

static const char *const formats[] = {
    "",
    "w=8",
    "act=8,act_in=9,w=8,in=8",
    "act=14,residual=20,w=14,act_in=13",
    "q=18,k=18,v=17,p=16,hidden=18,in=18",
    "p=15,v=16,q=16,k=16",
    "p=15,v=16,q=12,k=12",
    "w=8,layers.0.w_o=12,layers.0.q=11,ctx=9,p=11,v=8,hidden=11",
    "score=24,p=18,out=24,residual=8",
    "w=2,act=6,act_in=4,score=8",
    "in=4,hidden=16,w_ffn1=5,w_head=16,qkv_in=18",
};

static ts_encoder_shape random_shape(uint64_t seed)
{
    ts_encoder_shape shape = small_shape(seed);
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 99;
    shape.act = (ts_act)(ts_random(&s) % TS_ACT_COUNT);
    shape.norm = (ts_norm_kind)(ts_random(&s) % TS_NORM_COUNT);
    shape.qk_norm_kind = (ts_norm_kind)(ts_random(&s) % TS_NORM_COUNT);
    switch (ts_random(&s) % 4) {
    case 0:
        shape.qk_norm = shape.d_head;
        break;
    case 1:
        shape.qk_norm = shape.heads * shape.d_head;
        break;
    default:
        break;
    }
    return shape;
}

/* Events of many lengths, words that fill their format and ordinary ones; and the workspace is whatever it was. */
static void compare(ts_arena *arena, const ts_imodel *im, const exported *e, uint64_t seed)
{
    const ts_emu *emu = ts_emu_new(arena, im, TS_EMU_AUTO);
    void *workspace = malloc(e->bytes);
    memset(workspace, 0x5a, e->bytes);
    for (int n = 1; n <= MAX_HITS; n += n < 10 ? 1 : 9) {
        const int count = n * im->features, rows = im->pool == TS_POOL_NONE ? n : 1;
        int32_t *x = TS_NEW_N(arena, int32_t, count), *want = TS_NEW_N(arena, int32_t, rows * im->outputs),
                *got = TS_NEW_N(arena, int32_t, rows * im->outputs);
        const int32_t most = (1 << (im->in.bits - 1)) - 1;
        for (int i = 0; i < count; i++)
            x[i] = n % 3 == 2 ? (ts_random(&seed) & 1 ? most : -most) : (int32_t)((double)most * (double)ts_random_unit(&seed) * .9);
        ts_emu_run(emu, n, x, want, NULL, NULL);
        assert_int_equal(e->run_words(x, n, got, workspace), 0);
        assert_memory_equal(got, want, (size_t)rows * (size_t)im->outputs * sizeof *got);

        /* Real values: words in the middle of their intervals come out as they are, and results are words times units. */
        double *hits = TS_NEW_N(arena, double, count), *reals = TS_NEW_N(arena, double, rows * im->outputs),
               *real = TS_NEW_N(arena, double, rows * im->outputs);
        for (int i = 0; i < count; i++)
            hits[i] = x[i] * im->in_scale[i % im->features];
        ts_dequantise_output(im, rows, want, real);
        assert_int_equal(e->run(hits, n, reals, workspace), 0);
        assert_memory_equal(reals, real, (size_t)rows * (size_t)im->outputs * sizeof *real);
    }
    /* What is refused leaves results alone. */
    int32_t word = (1 << (im->in.bits - 1)), result = 77;
    assert_int_equal(e->run_words(&word, 0, &result, workspace), -1);
    assert_int_equal(e->run_words(&word, -5, &result, workspace), -1);
    assert_int_equal(e->run_words(&word, MAX_HITS + 1, &result, workspace), -2);
    if (im->features == 1)
        assert_int_equal(e->run_words(&word, 1, &result, workspace), -3);
    assert_int_equal(result, 77);
    free(workspace);
}

/* Seeds go through compilers, languages and the plain code in turn. */
static const char *const builds[][3] = {
    {"gcc", "-std=c99", "-g0"}, {"gcc", "-std=c99", "-DTESSERA_PLAIN_C"}, {"g++", "-std=c++11", "-g0"}, {"gcc", "-std=c99", "-mavx2"}};

static void check_model(ts_arena *arena, const char *dir, const ts_imodel *im, const char *name, uint64_t seed)
{
    ts_err err = {""};
    ts_exported made;
    exported e;
    const ts_export_model model = {.im = im, .max_hits = MAX_HITS};
    const char *const *how = builds[seed % (sizeof builds / sizeof *builds)];
    if (strcmp(how[2], "-mavx2") == 0 && !__builtin_cpu_supports("avx2"))
        how = builds[0];
    if (!ts_export(arena, &model, &(ts_export_options){.name = name}, dir, &made, &err))
        fail_msg("%s", err.msg);
    exported_build(arena, dir, name, how[0], how[1], how[2]);
    void *library = exported_open(ts_printf(arena, "%s/%s.so", dir, name), name, &e);
    assert_int_equal(e.class_of != NULL, im->classifier);
    if (made.workspace > (int64_t)e.bytes + 64 || made.workspace < (int64_t)e.bytes - 64)
        fail_msg("%s: a workspace of %lld bytes, which has %zu", name, (long long)made.workspace, e.bytes);
    compare(arena, im, &e, seed);
    dlclose(library);
}

static void test_random(void **state)
{
    (void)state;
    const char *dir = scratch_new("exported");
    for (uint64_t seed = first_seed; seed < first_seed + (uint64_t)seed_count; seed++) {
        const ts_encoder_shape shape = random_shape(seed);
        const char *how = formats[seed % (sizeof formats / sizeof *formats)];
        ts_err err = {""};
        small_model m = small_model_make(&shape, seed, how, &err);
        if (!m.im) { /* formats that the model cannot have */
            m = (ts_arena_free(m.arena), err = (ts_err){""}, small_model_make(&shape, seed, "", &err));
            how = "";
        }
        if (!m.im)
            fail_msg("seed %d: %s", (int)seed, err.msg);
        print_message("seed %d: %d layers, width %d, %d heads of %d, %s, %s, formats \"%s\"\n", (int)seed, shape.layers, shape.d,
                      shape.heads, shape.d_head, ts_act_name(shape.act), ts_pool_name(shape.pool), how);
        check_model(m.arena, dir, m.im, ts_printf(m.arena, "whole%d", (int)seed), seed);
        if (seed % 3 == 0) {
            const int blocks = ts_block_count(m.im), first = (int)(seed / 3) % blocks, end = first + 1 + (int)(seed / 5) % (blocks - first);
            const ts_imodel *slice = ts_imodel_slice(m.arena, m.im, ts_slice_between(m.im, first, end), &err);
            if (slice)
                check_model(m.arena, dir, slice, ts_printf(m.arena, "slice%d", (int)seed), seed + 1);
            err = (ts_err){""};
        }
        ts_arena_free(m.arena);
    }
    scratch_free(dir);
}

static void test_names(void **state)
{
    (void)state;
    const char *dir = scratch_new("exported");
    const ts_encoder_shape shape = {.features = 2, .d = 4, .heads = 1, .d_head = 4, .ff = 4, .outputs = 1, .layers = 1, .act = TS_ACT_RELU};
    ts_err err = {""};
    const small_model m = small_model_make(&shape, 1, "", &err);
    const ts_export_model model = {.im = m.im, .max_hits = 4};
    static const char *const wrong[] = {"",
                                        "1a",
                                        "_a",
                                        "a b",
                                        "a-b",
                                        "a/b",
                                        "int",
                                        "class",
                                        "restrict",
                                        "a\xc3\xa4",
                                        "a123456789012345678901234567890123456789012345678901234567890"};
    ts_exported made;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err = (ts_err){""};
        assert_false(ts_export(m.arena, &model, &(ts_export_options){.name = wrong[i]}, dir, &made, &err));
        assert_int_equal(err.code, TS_USAGE);
    }
    err = (ts_err){""};
    /* A file of somebody else's stays, and nothing is written beside it. */
    const char *theirs = ts_printf(m.arena, "%s/mine.h", dir), *code = ts_printf(m.arena, "%s/mine.c", dir);
    assert_true(ts_file_write(theirs, "int x;\n", 7, &err));
    assert_false(ts_export(m.arena, &model, &(ts_export_options){.name = "mine"}, dir, &made, &err));
    assert_int_equal(err.code, TS_NOT_WRITTEN);
    assert_non_null(strstr(err.msg, "mine.h"));
    assert_int_not_equal(access(code, F_OK), 0);
    assert_int_equal(remove(theirs), 0);
    err = (ts_err){""};
    size_t size[2];
    const char *text[2];
    for (int i = 0; i < 2; i++) { /* over its own, with the same bytes */
        assert_true(ts_export(m.arena, &model, &(ts_export_options){.name = "mine", .cms = true}, dir, &made, &err));
        assert_int_equal(made.files, 3);
        text[i] = ts_file_read(m.arena, code, &size[i], &err);
        assert_non_null(text[i]);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(text[0], text[1], size[0]);
    ts_arena_free(m.arena);
    scratch_free(dir);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        seed_count = atoi(argv[2]);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
