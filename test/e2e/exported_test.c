/* Exported C of a design against the emulator, word by word and value by value.
   Usage: exported_test DIR LIBRARY.so NAME [EVENTS.csv [LIMIT] | speed HITS]: the events of a file, or else random words for events of many
   lengths; or the time that each takes for an event of so many hits, on one thread, the best of several.
   (Run by export.sh; without arguments there is nothing to do.) */
#include <stdlib.h>
#include <tessera/tessera.h>
#include <time.h>

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

/* One event of words through both; `reals`: [rows][outputs] of the engine, or NULL. */
static void compare(const tessera_engine *engine, const tessera_engine_info *info, const exported *e, int n, const int32_t *words,
                    const double *reals, void *workspace)
{
    const size_t results = (info->word_pooled ? 1 : (size_t)n) * (size_t)info->word_outputs;
    int32_t *want = memory(results, sizeof *want), *got = memory(results, sizeof *got);
    double *real = memory(results, sizeof *real);
    const int32_t hits = n;
    check(tessera_engine_run_words(engine, 1, &hits, words, want, &error));
    assert_int_equal(e->run_words(words, n, got, workspace), 0);
    assert_memory_equal(got, want, results * sizeof *got);
    e->reals_of(got, (int)results / info->word_outputs, real);
    if (reals)
        assert_memory_equal(real, reals, results * sizeof *real);
    free(want);
    free(got);
    free(real);
}

static void compare_random(const tessera_engine *engine, const tessera_engine_info *info, const exported *e, void *workspace)
{
    const int most = (1 << (info->input_bits - 1)) - 1;
    uint32_t state = 1;
    for (int i = 0; i < RANDOM_EVENTS; i++) {
        const int n = i < 8                    ? i + 1
                      : i == RANDOM_EVENTS - 1 ? info->max_tokens
                                               : 1 + (int)((unsigned)i * 7919 % (unsigned)info->max_tokens);
        if (n > info->max_tokens)
            continue;
        int32_t *words = memory((size_t)n * (size_t)info->word_features, sizeof *words);
        for (int k = 0; k < n * info->word_features; k++) {
            state = state * 1664525 + 1013904223;
            words[k] = i % 4 == 3 ? (state >> 31 ? most : -most) : (int32_t)((int64_t)(state >> 8) * (2 * most + 1) >> 24) - most;
        }
        compare(engine, info, e, n, words, NULL, workspace);
        free(words);
    }
}

static int64_t compare_file(const tessera_engine *engine, const tessera_engine_info *info, const exported *e, const char *inputs,
                            void *workspace)
{
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_event event = TESSERA_INIT(tessera_event);
    tessera_events *events;
    int64_t done = 0;
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
        double *reals = memory((size_t)rows * (size_t)info->outputs, sizeof *reals);
        int32_t *words = memory((size_t)hits * (size_t)event.features, sizeof *words);
        check(tessera_engine_run(engine, &arrays, reals, &refused, NULL, &error));
        if (refused) {
            assert_int_equal(e->run_words(words, hits, NULL, workspace), -2);
        } else {
            assert_int_equal(e->words_of_standardised(event.values, hits, words), 0);
            compare(engine, info, e, hits, words, reals, workspace);
            done++;
        }
        free(reals);
        free(words);
    }
    tessera_events_free(events);
    return done;
}

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void compare_speed(const tessera_engine *engine, const tessera_engine_info *info, const exported *e, void *workspace)
{
    enum { TIMES = 15 };
    const int32_t hits = atoi(argument[4]);
    const int most = (1 << (info->input_bits - 1)) - 1;
    int32_t *words = memory((size_t)hits * (size_t)info->word_features, sizeof *words),
            *results = memory((size_t)hits * (size_t)info->word_outputs, sizeof *results);
    double best[2] = {1e9, 1e9};
    for (int k = 0; k < hits * info->word_features; k++)
        words[k] = (int)((unsigned)k * 2654435761u >> 12) % most / 2;
    for (int i = 0; i < 2 * TIMES; i++) {
        const double start = milliseconds();
        if (i % 2)
            assert_int_equal(e->run_words(words, hits, results, workspace), 0);
        else
            check(tessera_engine_run_words(engine, 1, &hits, words, results, &error));
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
    tessera_engine_options options = TESSERA_INIT(tessera_engine_options);
    tessera_engine_info info = TESSERA_INIT(tessera_engine_info);
    tessera_engine *engine;
    exported e;
    if (arguments < 3)
        return;
    ts_arena *arena = ts_arena_new();
    options.kind = TESSERA_INTEGER;
    options.path = argument[0];
    options.standardised = true;
    check(tessera_engine_open(&options, NULL, &engine, &error));
    assert_true(tessera_engine_describe(engine, &info));
    void *library = exported_open(argument[1], argument[2], &e), *workspace = memory(e.bytes, 1);
    if (arguments > 4 && strcmp(argument[3], "speed") == 0)
        compare_speed(engine, &info, &e, workspace);
    else if (arguments > 3)
        printf("%lld events\n", (long long)compare_file(engine, &info, &e, ts_printf(arena, "%s/inputs.json", argument[0]), workspace));
    else
        compare_random(engine, &info, &e, workspace);
    free(workspace);
    dlclose(library);
    tessera_engine_free(engine);
    ts_arena_free(arena);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exported)};
    argument = (const char *const *)argv + 1;
    arguments = argc - 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
