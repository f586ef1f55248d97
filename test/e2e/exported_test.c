/* Exported C of a design against the emulator, word by word and value by value.
   Usage: exported_test DIR LIBRARY.so NAME [EVENTS.csv [LIMIT] | speed HITS]: the events of a file, or else random words for events of many
   lengths; or the time that each takes for an event of so many hits, on one thread, the best of several.
   (Run by export.sh; without arguments there is nothing to do.) */
#include <stdlib.h>
#include <tessera/tessera.h>
#include <time.h>

#include "design/design.h"
#include "exported.h"

enum { RANDOM_EVENTS = 24 };

static const char *const *argument;
static int arguments;
static tessera_error error;

static void check(tessera_code code)
{
    if (code != TESSERA_OK)
        fail_msg("%s", error.message);
}

static void *memory(size_t count, size_t size)
{
    void *made = malloc((count ? count : 1) * size);
    assert_non_null(made);
    memset(made, 0x5a, (count ? count : 1) * size);
    return made;
}

typedef struct both {
    const ts_imodel *im;
    const ts_emu *emu;
    int max_hits;
    exported e;
    void *workspace;
} both;

/* One event of words through both; `reals`: [rows][outputs] as the command has them, or NULL. */
static void compare(const both *b, int n, const int32_t *words, const double *reals)
{
    const int rows = b->im->pool == TS_POOL_NONE ? n : 1;
    const size_t results = (size_t)rows * (size_t)b->im->outputs;
    int32_t *want = memory(results, sizeof *want), *got = memory(results, sizeof *got);
    double *real = memory(results, sizeof *real);
    ts_emu_run(b->emu, n, words, want, NULL, NULL);
    assert_int_equal(b->e.run_words(words, n, got, b->workspace), 0);
    assert_memory_equal(got, want, results * sizeof *got);
    b->e.reals_of(got, rows, real);
    if (reals)
        assert_memory_equal(real, reals, results * sizeof *real);
    free(want);
    free(got);
    free(real);
}

static void compare_random(const both *b)
{
    const int most = (1 << (b->im->in.bits - 1)) - 1, features = b->im->features;
    uint32_t state = 1;
    for (int i = 0; i < RANDOM_EVENTS; i++) {
        const int n = i < 8 ? i + 1 : i == RANDOM_EVENTS - 1 ? b->max_hits : 1 + (int)((unsigned)i * 7919 % (unsigned)b->max_hits);
        if (n > b->max_hits)
            continue;
        int32_t *words = memory((size_t)n * (size_t)features, sizeof *words);
        for (int k = 0; k < n * features; k++) {
            state = state * 1664525 + 1013904223;
            words[k] = i % 4 == 3 ? (state >> 31 ? most : -most) : (int32_t)((int64_t)(state >> 8) * (2 * most + 1) >> 24) - most;
        }
        compare(b, n, words, NULL);
        free(words);
    }
}

/* What the library's engine gives, too, which is what the command writes. */
static int64_t compare_file(const both *b, const char *inputs)
{
    tessera_engine_options options = TESSERA_INIT(tessera_engine_options);
    tessera_engine *engine;
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_event event = TESSERA_INIT(tessera_event);
    tessera_events *events;
    int64_t done = 0;
    options.kind = TESSERA_INTEGER;
    options.path = argument[0];
    options.standardised = true;
    check(tessera_engine_open(&options, NULL, &engine, &error));
    source.events = argument[3];
    source.inputs = inputs;
    source.limit = arguments > 4 ? atoi(argument[4]) : 0;
    check(tessera_events_read(&source, NULL, &events, &error));
    for (int64_t i = 0; tessera_events_get(events, i, &event); i++) {
        tessera_arrays arrays = TESSERA_INIT(tessera_arrays);
        const int32_t hits = event.hits;
        bool refused;
        arrays.events = 1;
        arrays.features = event.features;
        arrays.hits = &hits;
        arrays.values = event.values;
        const int64_t rows = tessera_engine_rows(engine, &arrays);
        double *reals = memory((size_t)rows * (size_t)b->im->outputs, sizeof *reals);
        int32_t *words = memory((size_t)hits * (size_t)event.features, sizeof *words);
        check(tessera_engine_run(engine, &arrays, reals, &refused, NULL, &error));
        if (refused) {
            assert_int_equal(b->e.run_words(words, hits, NULL, b->workspace), -2);
        } else {
            assert_int_equal(b->e.words_of_standardised(event.values, hits, words), 0);
            compare(b, hits, words, reals);
            done++;
        }
        free(reals);
        free(words);
    }
    tessera_events_free(events);
    tessera_engine_free(engine);
    return done;
}

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void compare_speed(const both *b)
{
    enum { TIMES = 15 };
    const int hits = atoi(argument[4]), most = (1 << (b->im->in.bits - 1)) - 1, count = hits * b->im->features;
    int32_t *words = memory((size_t)count, sizeof *words), *results = memory((size_t)hits * (size_t)b->im->outputs, sizeof *results);
    double best[2] = {1e9, 1e9};
    for (int k = 0; k < count; k++)
        words[k] = (int)((unsigned)k * 2654435761u >> 12) % most / 2;
    for (int i = 0; i < 2 * TIMES; i++) {
        const double start = milliseconds();
        if (i % 2)
            assert_int_equal(b->e.run_words(words, hits, results, b->workspace), 0);
        else
            ts_emu_run(b->emu, hits, words, results, NULL, NULL);
        const double took = milliseconds() - start;
        best[i % 2] = took < best[i % 2] ? took : best[i % 2];
    }
    printf("%d hits: emulator %.2f ms, exported C %.2f ms, %.2f of its speed\n", hits, best[0], best[1], best[0] / best[1]);
    free(words);
    free(results);
}

static void test_exported(void **state)
{
    (void)state;
    ts_design design;
    both b;
    ts_err err = {""};
    if (arguments < 3)
        return;
    ts_arena *arena = ts_arena_new();
    if (!ts_design_load(arena, argument[0], &design, &err))
        fail_msg("%s", err.msg);
    b = (both){.im = design.im, .emu = ts_emu_new(arena, design.im, TS_EMU_AUTO), .max_hits = design.plan.n_max};
    void *library = exported_open(argument[1], argument[2], &b.e);
    b.workspace = memory(b.e.bytes, 1);
    if (arguments > 4 && strcmp(argument[3], "speed") == 0)
        compare_speed(&b);
    else if (arguments > 3)
        printf("%lld events\n", (long long)compare_file(&b, ts_printf(arena, "%s/inputs.json", argument[0])));
    else
        compare_random(&b);
    free(b.workspace);
    dlclose(library);
    ts_design_free(&design);
    ts_arena_free(arena);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exported)};
    argument = (const char *const *)argv + 1;
    arguments = argc - 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
