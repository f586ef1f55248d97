/* tessera.h when memory runs out: whichever allocation of a call fails, the call says so or does without; nothing of it stays, no block, no
   file, no descriptor; and the next call works. Against the public header alone. This program's own malloc counts, and fails when told. */
#define _GNU_SOURCE /* dladdr */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tessera/tessera.h>

#include "scratch.h"

#define MODEL TS_SOURCE_DIR "/test/models/torch_first.onnx"
enum { EVENTS = 4, HITS = 9, FEATURES = 3, OUTPUTS = 2, POINTS = 60 };

/* ---- malloc */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CAN_FAIL = 0 }; /* they have a malloc of their own */
static atomic_long alive, asked, fail_at;
#else
enum { CAN_FAIL = 1 };
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static atomic_long alive, asked, fail_at; /* blocks; allocations since it was set to 0; which one fails, 0: none */

/* Of OpenMP's runtime, which ends the process where it gets none, and keeps what it has. */
static bool is_gomp(const void *from)
{
    Dl_info info;
    return dladdr(from, &info) != 0 && info.dli_fname && strstr(info.dli_fname, "libgomp") != NULL;
}

static bool fails(const void *from)
{
    if (fail_at == 0 || is_gomp(from))
        return false;
    return atomic_fetch_add(&asked, 1) + 1 == fail_at;
}

static void *made(void *p)
{
    alive += p != NULL;
    return p;
}

static void *none(void)
{
    errno = ENOMEM;
    return NULL;
}
#define FROM __builtin_return_address(0)

void *malloc(size_t size)
{
    return fails(FROM) ? none() : made(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return fails(FROM) ? none() : made(__libc_calloc(n, size));
}

void *realloc(void *old, size_t size)
{
    return fails(FROM) ? none() : old ? __libc_realloc(old, size) : made(__libc_realloc(NULL, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(FROM) ? none() : made(__libc_memalign(alignment, size));
}

void *memalign(size_t alignment, size_t size) /* OpenMP's runtime asks it */
{
    return fails(FROM) ? none() : made(__libc_memalign(alignment, size));
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    *p = fails(FROM) ? NULL : made(__libc_memalign(alignment, size));
    return *p ? 0 : ENOMEM;
}

void free(void *p)
{
    alive -= p != NULL;
    __libc_free(p);
}
#endif

/* ---- calls */

static const char *folder;
static char design[700], generated[700], scored[700];
static float values[EVENTS * HITS * FEATURES];
static int32_t hits[EVENTS];

static tessera_arrays arrays(void)
{
    tessera_arrays a = TESSERA_INIT(tessera_arrays);
    a.events = EVENTS;
    a.features = FEATURES;
    a.hits = hits;
    a.values = values;
    return a;
}

static tessera_code compile(tessera_error *error)
{
    const char *const devices[] = {"zcu102", "zcu102"};
    const tessera_arrays a = arrays();
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_compile_options o = TESSERA_INIT(tessera_compile_options);
    tessera_report *report = NULL;
    source.arrays = &a;
    o.model = MODEL;
    o.output = design;
    o.device = devices;
    o.devices = 2;
    o.source = &source;
    o.max_tokens = 16;
    o.target_ii = 200;
    const tessera_code code = tessera_compile(&o, NULL, &report, error);
    assert_true((code == TESSERA_OK) == (report != NULL));
    tessera_report_free(report);
    return code;
}

static tessera_code inspect(tessera_error *error)
{
    tessera_model_options o = TESSERA_INIT(tessera_model_options);
    tessera_model *model;
    tessera_report *report = NULL;
    o.path = MODEL;
    tessera_code code = tessera_model_open(&o, NULL, &model, error);
    if (code == TESSERA_OK)
        code = tessera_model_report(model, &report, error);
    tessera_report_free(report);
    tessera_model_free(model);
    return code;
}

static tessera_code plan(tessera_error *error)
{
    tessera_design *d;
    tessera_report *report = NULL;
    tessera_code code = tessera_design_open(design, &d, error);
    if (code == TESSERA_OK)
        code = tessera_design_report(d, 0, NULL, &report, error);
    tessera_report_free(report);
    tessera_design_free(d);
    return code;
}

static tessera_code emulate(tessera_error *error)
{
    tessera_engine_options o = TESSERA_INIT(tessera_engine_options);
    tessera_engine *engine;
    const tessera_arrays a = arrays();
    double results[EVENTS * HITS * OUTPUTS];
    o.kind = TESSERA_INTEGER;
    o.path = design;
    tessera_code code = tessera_engine_open(&o, NULL, &engine, error);
    if (code == TESSERA_OK)
        code = tessera_engine_run(engine, &a, results, NULL, NULL, error);
    tessera_engine_free(engine);
    return code;
}

static tessera_code generate(tessera_error *error)
{
    tessera_generate_options o = TESSERA_INIT(tessera_generate_options);
    tessera_report *report = NULL;
    tessera_generate_defaults(&o);
    o.output = generated;
    o.events = 3;
    o.tracks_least = o.tracks_most = 4;
    const tessera_code code = tessera_generate(&o, NULL, &report, error);
    assert_true((code == TESSERA_OK) == (report != NULL));
    tessera_report_free(report);
    return code;
}

static tessera_source generated_events(void)
{
    tessera_source source = TESSERA_INIT(tessera_source);
    source.events = generated;
    source.inputs = TS_SOURCE_DIR "/models/seeded.inputs.json";
    return source;
}

static tessera_code read_events(tessera_error *error)
{
    const tessera_source source = generated_events();
    tessera_events *events;
    const tessera_code code = tessera_events_read(&source, NULL, &events, error);
    assert_true((code == TESSERA_OK) == (tessera_events_count(events) == 3));
    tessera_events_free(events);
    return code;
}

static tessera_code run_float(tessera_error *error)
{
    const tessera_source source = generated_events();
    tessera_run_options o = TESSERA_INIT(tessera_run_options);
    o.path = TS_SOURCE_DIR "/models/seeded.onnx";
    o.engine = TESSERA_FLOAT;
    o.source = &source;
    o.output = scored;
    return tessera_run(&o, NULL, NULL, NULL, error);
}

static tessera_code run_integer(tessera_error *error)
{
    char output[720];
    const tessera_arrays a = arrays();
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_run_options o = TESSERA_INIT(tessera_run_options);
    tessera_report *report = NULL;
    snprintf(output, sizeof output, "%.512s/integer.csv", folder);
    source.arrays = &a;
    o.path = design;
    o.engine = TESSERA_INTEGER;
    o.source = &source;
    o.output = output;
    const tessera_code code = tessera_run(&o, NULL, NULL, &report, error);
    tessera_report_free(report);
    return code;
}

static tessera_code score(tessera_error *error)
{
    tessera_score_item item[2] = {TESSERA_INIT(tessera_score_item), TESSERA_INIT(tessera_score_item)};
    tessera_score_options o = TESSERA_INIT(tessera_score_options);
    tessera_scores *scores;
    tessera_report *report;
    item[0].file = scored;
    item[1].baseline = "truth";
    o.item = item;
    o.items = 2;
    o.against = item;
    o.truth = generated;
    const tessera_code code = tessera_score(&o, NULL, &scores, &report, error);
    assert_true((code == TESSERA_OK) == (tessera_scores_count(scores) == 6));
    assert_true((code == TESSERA_OK) == (report != NULL));
    tessera_scores_free(scores);
    tessera_report_free(report);
    return code;
}

static tessera_code profile(tessera_error *error)
{
    const tessera_arrays a = arrays();
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_profile_options o = TESSERA_INIT(tessera_profile_options);
    tessera_report *report;
    source.arrays = &a;
    o.directory = design;
    o.source = &source;
    const tessera_code code = tessera_profile(&o, NULL, &report, error);
    assert_true((code == TESSERA_OK) == (report != NULL));
    tessera_report_free(report);
    return code;
}

/* ---- what may not stay */

static int entries(const char *path)
{
    DIR *d = opendir(path);
    int count = 0;
    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

static void sweep(tessera_code (*call)(tessera_error *error))
{
    tessera_error error;
    if (!CAN_FAIL)
        skip();
    for (int i = 0; i < 2; i++) /* what is made once in a process is there then */
        if (call(&error) != TESSERA_OK)
            fail_msg("%s", error.message);
    fail_at = LONG_MAX;
    asked = 0;
    assert_int_equal(call(&error), TESSERA_OK);
    const long count = asked, blocks = alive;
    const int files = entries(folder), descriptors = entries("/proc/self/fd");
    const long step = count / POINTS + 1;
    long told = 0, tried = 0;
    assert_true(count > 10);
    for (long i = 1; i <= count; i += step) {
        asked = 0;
        fail_at = i;
        const tessera_code code = call(&error);
        fail_at = LONG_MAX;
        if (code != TESSERA_OK && code != TESSERA_OUT_OF_MEMORY)
            fail_msg("allocation %ld of %ld: %d: %s", i, count, (int)code, error.message);
        assert_true((code == TESSERA_OK) == (error.message[0] == 0));
        told += code != TESSERA_OK;
        tried++;
        const char *aside = strstr(error.message, "what it was is now "), *end = aside ? strstr(aside, ": ") : NULL;
        if (end) {           /* a directory that took its place and could not be looked through: kept for whoever has something in it */
            char path[1100]; /* as long as a message */
            snprintf(path, sizeof path, "%.*s", (int)(end - strchr(aside, '/')), strchr(aside, '/'));
            scratch_remove(path);
        }
        if (alive != blocks || entries(folder) != files || entries("/proc/self/fd") != descriptors)
            fail_msg("allocation %ld of %ld: %ld blocks, %d files, %d descriptors stay (%s)", i, count, (long)alive - blocks,
                     entries(folder) - files, entries("/proc/self/fd") - descriptors, error.message);
    }
    assert_true(2 * told > tried);
    assert_int_equal(call(&error), TESSERA_OK);
    fail_at = 0;
}

static void inspecting(void **state)
{
    (void)state;
    sweep(inspect);
}

static void compiling(void **state)
{
    (void)state;
    sweep(compile);
}

static void planning(void **state)
{
    (void)state;
    sweep(plan);
}

static void emulating(void **state)
{
    (void)state;
    sweep(emulate);
}

static void generating(void **state)
{
    (void)state;
    sweep(generate);
}

static void reading(void **state)
{
    (void)state;
    sweep(read_events);
}

static void running(void **state)
{
    (void)state;
    sweep(run_float);
    sweep(run_integer);
}

static void scoring(void **state)
{
    (void)state;
    sweep(score);
}

static void profiling(void **state)
{
    (void)state;
    sweep(profile);
}

static int setup(void **state)
{
    (void)state;
    tessera_error error;
    folder = scratch_new("memory");
    snprintf(design, sizeof design, "%.512s/design", folder);
    snprintf(generated, sizeof generated, "%.512s/hits.csv", folder);
    snprintf(scored, sizeof scored, "%.512s/results.csv", folder);
    for (int e = 0; e < EVENTS; e++)
        hits[e] = HITS - e;
    for (int i = 0; i < EVENTS * HITS * FEATURES; i++)
        values[i] = (float)(i * 37 % 101) / 32 - 1.5f;
    return compile(&error) == TESSERA_OK && generate(&error) == TESSERA_OK && run_float(&error) == TESSERA_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(inspecting), cmocka_unit_test(compiling),  cmocka_unit_test(planning),
                                       cmocka_unit_test(emulating),  cmocka_unit_test(generating), cmocka_unit_test(reading),
                                       cmocka_unit_test(running),    cmocka_unit_test(scoring),    cmocka_unit_test(profiling)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
