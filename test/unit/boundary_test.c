/* Calls that are left: what they had is given back, in order, also from threads; outside of them nothing changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/boundary.h"
#include "base/memory.h"

static char log_text[64]; /* what was given back */

static void give_back(void *what)
{
    strcat(log_text, what);
}

static bool well(void *user, ts_err *err)
{
    (void)err;
    char *kept = ts_malloc(100, 1, "what stays");
    void *passing = ts_malloc(100, 1, "what goes");
    memset(kept, 7, 100);
    ts_free(passing);
    ts_hold(give_back, (void *)"a");
    ts_let_go(give_back, (void *)"a");
    *(char **)user = kept;
    return true;
}

static void done(void **state)
{
    (void)state;
    ts_err err = {""};
    char *kept = NULL;
    log_text[0] = 0;
    assert_true(ts_boundary_run(well, &kept, &err));
    assert_int_equal(err.code, TS_OK);
    assert_string_equal(log_text, "");
    assert_int_equal(kept[99], 7); /* under AddressSanitizer it would be told otherwise */
    ts_free(kept);
}

static bool too_much(void *user, ts_err *err)
{
    (void)user;
    static char first[] = "1", second[] = "2", third[] = "3";
    ts_fail_as(err, TS_BAD_FILE, "what was wrong before does not count");
    ts_arena *arena = ts_arena_new();
    ts_hold(give_back, first);
    ts_hold(give_back, second);
    ts_hold(give_back, third);
    ts_let_go(give_back, second);
    for (int i = 0; i < 1000; i++)
        TS_NEW_N(arena, char, 1000);
    (void)ts_alloc(arena, SIZE_MAX / 4, 4);
    fail();
    return true;
}

static void out_of_memory(void **state)
{
    (void)state;
    ts_err err = {""};
    log_text[0] = 0;
    assert_false(ts_boundary_run(too_much, NULL, &err));
    assert_int_equal(err.code, TS_OUT_OF_MEMORY);
    assert_string_equal(err.msg, "out of memory: more bytes for working memory");
    assert_string_equal(log_text, "31");
}

static bool broken(void *user, ts_err *err)
{
    (void)err;
    CHECK(user != NULL);
    return true;
}

static bool around(void *user, ts_err *err)
{
    ts_err inner = {""};
    void *before = ts_malloc(10, 1, "before");
    ts_hold(give_back, (void *)"x");
    const bool ok = ts_boundary_run(broken, user, &inner);
    ts_let_go(give_back, (void *)"x");
    ts_free(before);
    return ok || ts_fail_with(err, &inner);
}

static void a_bug(void **state)
{
    (void)state;
    ts_err err = {""};
    log_text[0] = 0;
    assert_false(ts_boundary_run(around, NULL, &err));
    assert_int_equal(err.code, TS_INTERNAL);
    assert_non_null(strstr(err.msg, "boundary_test.c:"));
    assert_non_null(strstr(err.msg, "user != NULL"));
    assert_string_equal(log_text, "");
    assert_true(ts_boundary_run(around, &err, &(ts_err){""}));
}

static void each(void *user, int i)
{
    int *seen = user;
    void *own = ts_malloc(1000, 1, "a thread's");
    seen[i] = 1;
    if (i == 40)
        ts_memory_fail(12345, "the fortieth");
    ts_free(own);
}

static bool sections(void *user, ts_err *err)
{
    (void)err;
    void *own = ts_malloc(1000, 1, "the call's");
    ts_parallel(40, 1, true, each, user);
    ts_parallel(100, 1, true, each, user);
    ts_free(own);
    return true;
}

static void from_threads(void **state)
{
    (void)state;
    ts_err err = {""};
    int seen[100] = {0};
    assert_false(ts_boundary_run(sections, seen, &err));
    assert_int_equal(err.code, TS_OUT_OF_MEMORY);
    assert_string_equal(err.msg, "out of memory: 12345 bytes for the fortieth");
    for (int i = 0; i < 40; i++)
        assert_int_equal(seen[i], 1);
}

/* Blocks that a call kept are freed by another one, and what grows moves from place to place. */
static bool grow(void *user, ts_err *err)
{
    (void)err;
    char **text = user;
    for (size_t size = 1; size < 1 << 16; size *= 2)
        *text = ts_realloc(*text, size, 1, "text");
    for (int i = 0; i < 5000; i++)
        ts_free(ts_malloc(16, 1, "little"));
    char *more = ts_try_realloc(*text, 1 << 17);
    assert_non_null(more);
    *text = more;
    return true;
}

static void from_call_to_call(void **state)
{
    (void)state;
    char *text = NULL;
    ts_err err = {""};
    for (int i = 0; i < 3; i++)
        assert_true(ts_boundary_run(grow, &text, &err));
    assert_false(ts_boundary_run(too_much, NULL, &err)); /* and is not this call's to give back */
    text[(1 << 17) - 1] = 1;
    ts_free(text);
}

/* Outside of any call these are the process's ends. */
static void without_a_call(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        ts_memory_fail(1, "a test");
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(done),         cmocka_unit_test(out_of_memory),     cmocka_unit_test(a_bug),
        cmocka_unit_test(from_threads), cmocka_unit_test(from_call_to_call), cmocka_unit_test(without_a_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
