/* Calls that the caller cancels, wherever they ask: they end with their code, leave no file behind, and the next one works. Against the
   public header alone. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <tessera/tessera.h>

#include "scratch.h"

#define MODEL TS_SOURCE_DIR "/models/seeded.onnx"
#define EVENTS TS_SOURCE_DIR "/models/seeded.csv"
#define INPUTS TS_SOURCE_DIR "/models/seeded.inputs.json"

static const char *folder;
static char design[700], results[700];
static tessera_error error;

static int files(void)
{
    int count = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}

/* Cancels when it is asked for the `at`-th time. */
typedef struct asked {
    int at, count;
    char step[100]; /* that was said last */
} asked;

static bool cancel(void *user)
{
    asked *a = user;
    return ++a->count >= a->at;
}

static void on_progress(void *user, const tessera_progress *now)
{
    asked *a = user;
    if (now->step && *now->step)
        snprintf(a->step, sizeof a->step, "%s", now->step);
}

static tessera_source source_of(void)
{
    tessera_source s = TESSERA_INIT(tessera_source);
    s.events = EVENTS;
    s.inputs = INPUTS;
    s.limit = 4;
    return s;
}

static tessera_code compile(const tessera_callbacks *callbacks)
{
    static const char *const device[] = {"zcu102"};
    const tessera_source source = source_of();
    tessera_compile_options o = TESSERA_INIT(tessera_compile_options);
    o.model = MODEL;
    o.output = design;
    o.device = device;
    o.devices = 1;
    o.source = &source;
    return tessera_compile(&o, callbacks, NULL, &error);
}

static tessera_code run(const tessera_callbacks *callbacks)
{
    const tessera_source source = source_of();
    tessera_run_options o = TESSERA_INIT(tessera_run_options);
    o.path = design;
    o.engine = TESSERA_INTEGER;
    o.source = &source;
    o.output = results;
    return tessera_run(&o, callbacks, NULL, NULL, &error);
}

static tessera_code profile(const tessera_callbacks *callbacks)
{
    const tessera_source source = source_of();
    tessera_profile_options o = TESSERA_INIT(tessera_profile_options);
    o.directory = design;
    o.source = &source;
    return tessera_profile(&o, callbacks, NULL, &error);
}

static tessera_code score(const tessera_callbacks *callbacks)
{
    tessera_score_item item = TESSERA_INIT(tessera_score_item);
    item.baseline = "angles";
    tessera_score_options o = TESSERA_INIT(tessera_score_options);
    o.item = &item;
    o.items = 1;
    o.truth = EVENTS;
    return tessera_score(&o, callbacks, NULL, NULL, &error);
}

/* Cancelled at every place where it asks, up to `most`, and then not at all. made: files that it leaves. */
static void cancelled(tessera_code (*call)(const tessera_callbacks *callbacks), int most, int made)
{
    asked a = {.at = INT32_MAX};
    tessera_callbacks callbacks = TESSERA_INIT(tessera_callbacks);
    callbacks.user = &a;
    callbacks.progress = on_progress;
    callbacks.cancel = cancel;
    const int before = files();
    for (int at = 1; at <= most; at++) {
        a = (asked){.at = at};
        const tessera_code code = call(&callbacks);
        if (code == TESSERA_OK)
            break;
        assert_int_equal(code, TESSERA_CANCELLED);
        assert_int_equal(error.code, TESSERA_CANCELLED);
        if (!strstr(error.message, "cancelled") || !strstr(error.message, a.step))
            fail_msg("'%s' lacks '%s'", error.message, a.step);
        assert_int_equal(a.count, at); /* nothing goes on behind it */
        assert_int_equal(files(), before);
    }
    a = (asked){.at = INT32_MAX};
    if (call(&callbacks) != TESSERA_OK)
        fail_msg("%s", error.message);
    assert_true(a.count > 2);
    assert_int_equal(files(), before + made);
}

static void at_every_place(void **state)
{
    (void)state;
    folder = scratch_new("cancel");
    snprintf(design, sizeof design, "%.512s/design", folder);
    snprintf(results, sizeof results, "%.512s/results.csv", folder);
    cancelled(compile, 30, 1);
    cancelled(run, 30, 1);
    cancelled(profile, 10, 0);
    cancelled(score, 40, 0);
    assert_string_equal(tessera_code_name(TESSERA_CANCELLED), "cancelled");
    scratch_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_every_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
