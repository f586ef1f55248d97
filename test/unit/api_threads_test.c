/* tessera.h from two threads at once: compiling, reading, emulating and scoring give what they give one after the other. make tsan runs
   this under ThreadSanitizer. Against the public header alone. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tessera/tessera.h>

#include "scratch.h"

enum { THREADS = 2, ROUNDS = 2, RESULTS = 1 << 14 };

/* Two models, so that what one thread does is not what the other one does. */
static const struct {
    const char *model, *events, *inputs, *device;
} cases[THREADS] = {
    {TS_SOURCE_DIR "/models/seeded.onnx", TS_SOURCE_DIR "/models/seeded.csv", TS_SOURCE_DIR "/models/seeded.inputs.json", "zcu102"},
    {TS_SOURCE_DIR "/models/trigger.onnx", TS_SOURCE_DIR "/models/trigger.csv", TS_SOURCE_DIR "/models/trigger.inputs.json", "vu13p"},
};

static const char *folder;

/* What a thread makes of its model. */
typedef struct work {
    int which;
    char directory[700];
    char message[1024]; /* of the first call that failed; "" */
    char *report, *plan;
    double *results; /* [RESULTS] */
    int64_t count;
    long warnings, steps;
} work;

static bool good(work *w, tessera_code code, const tessera_error *error)
{
    if (code != TESSERA_OK && !w->message[0])
        snprintf(w->message, sizeof w->message, "%.1000s", error->message);
    return code == TESSERA_OK;
}

static void on_message(void *user, tessera_message_kind kind, const char *text)
{
    work *w = user;
    (void)kind;
    (void)text;
    w->warnings++;
}

static void on_progress(void *user, const tessera_progress *now)
{
    work *w = user;
    w->steps += now->step != NULL;
}

/* Every thread has a name of its own for options: messages must not mix them up. */
static const char *on_option(void *user, const char *member)
{
    const work *w = user;
    return strcmp(member, "tokens") == 0 ? (w->which ? "hits of one" : "hits of nought") : NULL;
}

static char *text_of(tessera_report *report)
{
    char *text = strdup(report ? tessera_report_json(report) : "");
    tessera_report_free(report);
    return text;
}

static bool compile(work *w, const tessera_callbacks *callbacks, const tessera_source *source)
{
    tessera_compile_options o = TESSERA_INIT(tessera_compile_options);
    tessera_report *report;
    tessera_error error;
    o.model = cases[w->which].model;
    o.output = w->directory;
    o.device = &cases[w->which].device;
    o.devices = 1;
    o.source = source;
    o.calibrate = 2;
    o.max_tokens = 128;
    if (!good(w, tessera_compile(&o, callbacks, &report, &error), &error))
        return false;
    w->report = text_of(report);
    return true;
}

static bool plan(work *w, const tessera_callbacks *callbacks)
{
    tessera_design *design;
    tessera_report *report = NULL;
    tessera_error error;
    if (!good(w, tessera_design_open(w->directory, &design, &error), &error))
        return false;
    const bool refused = tessera_design_report(design, 129, callbacks, &report, &error) == TESSERA_USAGE &&
                         strstr(error.message, w->which ? "hits of one 129" : "hits of nought 129");
    if (!refused)
        snprintf(w->message, sizeof w->message, "its options have another name: %.900s", error.message);
    const bool ok = refused && good(w, tessera_design_report(design, 0, callbacks, &report, &error), &error);
    w->plan = text_of(report);
    tessera_design_free(design);
    return ok;
}

static bool emulate(work *w, const tessera_source *source)
{
    tessera_engine_options o = TESSERA_INIT(tessera_engine_options);
    tessera_event event = TESSERA_INIT(tessera_event);
    tessera_engine_info info = TESSERA_INIT(tessera_engine_info);
    tessera_events *events = NULL;
    tessera_engine *engine = NULL;
    tessera_error error;
    o.kind = TESSERA_INTEGER;
    o.path = w->directory;
    o.standardised = true;
    bool ok = good(w, tessera_events_read(source, NULL, &events, &error), &error) &&
              good(w, tessera_engine_open(&o, NULL, &engine, &error), &error);
    ok = ok && tessera_engine_describe(engine, &info);
    w->results = calloc(RESULTS, sizeof *w->results);
    for (int64_t e = 0; ok && tessera_events_get(events, e, &event); e++) {
        const int32_t hits = event.hits;
        tessera_arrays a = TESSERA_INIT(tessera_arrays);
        a.events = 1;
        a.features = event.features;
        a.hits = &hits;
        a.values = event.values;
        const int64_t rows = tessera_engine_rows(engine, &a);
        if (w->count + rows * info.outputs > RESULTS)
            break;
        ok = good(w, tessera_engine_run(engine, &a, w->results + w->count, NULL, NULL, &error), &error);
        w->count += rows * info.outputs;
    }
    tessera_engine_free(engine);
    tessera_events_free(events);
    return ok;
}

static void *all_of_it(void *user)
{
    work *w = user;
    tessera_callbacks callbacks = TESSERA_INIT(tessera_callbacks);
    tessera_source source = TESSERA_INIT(tessera_source);
    callbacks.user = w;
    callbacks.message = on_message;
    callbacks.progress = on_progress;
    callbacks.option = on_option;
    source.events = cases[w->which].events;
    source.inputs = cases[w->which].inputs;
    source.limit = 6;
    (void)(compile(w, &callbacks, &source) && plan(w, &callbacks) && emulate(w, &source));
    return NULL;
}

static void begin(work *w, int which, const char *name)
{
    *w = (work){.which = which};
    assert_true(snprintf(w->directory, sizeof w->directory, "%s/%s%d", folder, name, which) < (int)sizeof w->directory);
}

static void end(work *w)
{
    free(w->report);
    free(w->plan);
    free(w->results);
}

static void at_once_as_one_after_the_other(void **state)
{
    (void)state;
    work alone[THREADS];
    folder = scratch_new("threads");
    for (int t = 0; t < THREADS; t++) {
        begin(&alone[t], t, "alone");
        all_of_it(&alone[t]);
        if (alone[t].message[0])
            fail_msg("%s", alone[t].message);
        assert_true(alone[t].count > 100 && alone[t].steps > 3);
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t thread[THREADS];
        work both[THREADS];
        for (int t = 0; t < THREADS; t++) {
            begin(&both[t], t, "both");
            assert_int_equal(pthread_create(&thread[t], NULL, all_of_it, &both[t]), 0);
        }
        for (int t = 0; t < THREADS; t++)
            pthread_join(thread[t], NULL);
        for (int t = 0; t < THREADS; t++) {
            const work *a = &alone[t], *b = &both[t];
            if (b->message[0])
                fail_msg("%s", b->message);
            assert_string_equal(a->report, b->report);
            assert_string_equal(a->plan, b->plan);
            assert_true(a->count == b->count && a->warnings == b->warnings && a->steps == b->steps);
            assert_memory_equal(a->results, b->results, (size_t)a->count * sizeof *a->results);
            end(&both[t]);
        }
    }
    for (int t = 0; t < THREADS; t++)
        end(&alone[t]);
    scratch_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_once_as_one_after_the_other)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
