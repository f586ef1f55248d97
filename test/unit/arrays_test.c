/* Events in memory: the same as those of a file that has them, and what is said of arrays that cannot be. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/events.h"
#include "scratch.h"

static ts_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = ts_arena_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_arena_free(arena);
    return 0;
}

/* x = (value - 1) / 2, y as it is. */
static const ts_inputs *two_inputs(void)
{
    static const char *const column[] = {"x", "y"};
    static const double mean[] = {1, 0}, std[] = {2, 1};
    static const ts_inputs in = {.path = "in.json", .features = 2, .column = column, .mean = mean, .std = std};
    return &in;
}

static const int32_t hits[] = {2, 0, 3};
static const int64_t ids[] = {7, -9007199254740993, 3}, hit_ids[] = {5, 4, 9, 1, 9007199254740993};
static const float values[] = {3, 0.5f, -2, 1e-3f, 1, 7, 0.25f, -1, 100, 3};
static const ts_event_arrays whole = {.events = 3, .features = 2, .hits = hits, .values = values, .id = ids, .hit_id = hit_ids};

static const ts_events *take(const ts_event_arrays *arrays, const ts_events_options *o, int most, ts_err *err)
{
    ts_event_stream *s = ts_event_stream_open_arrays(arrays, two_inputs(), o, err);
    const ts_events *events = s ? ts_event_stream_take(s, arena, most, INT32_MAX, err) : NULL;
    ts_event_stream_close(s);
    return events;
}

static void same_event(const ts_event *a, const ts_event *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->x, b->x, (size_t)a->n * 2 * sizeof *a->x);
    assert_memory_equal(a->hit_id, b->hit_id, (size_t)a->rows * sizeof *a->hit_id);
    assert_memory_equal(a->row, b->row, (size_t)a->n * sizeof *a->row);
}

static void as_of_a_file(void **state)
{
    (void)state;
    static const char csv[] = "event_id,hit_id,x,y\n7,5,3,0.5\n7,4,-2,0.001\n3,9,1,7\n3,1,0.25,-1\n3,9007199254740993,100,3\n";
    const char *folder = scratch_new("arrays"), *path = ts_printf(arena, "%s/events.csv", folder);
    ts_err written = {""};
    assert_true(ts_file_write(path, csv, sizeof csv - 1, &written));
    for (int standardised = 0; standardised < 2; standardised++) {
        ts_err err = {""};
        const ts_events_options o = {.standardised = standardised};
        const ts_events *file = ts_events_load(arena, path, two_inputs(), &o, &err), *made = take(&whole, &o, 9, &err);
        assert_non_null(file);
        assert_non_null(made);
        assert_int_equal(made->count, 3);
        assert_int_equal(made->features, 2);
        same_event(&made->event[0], &file->event[0]);
        same_event(&made->event[2], &file->event[1]); /* a CSV cannot say that there is an event without hits */
        assert_int_equal(made->event[1].id, ids[1]);
        assert_int_equal(made->event[1].n, 0);
        assert_true(made->event[0].x[0] == (standardised ? 3.0F : 1.0F));
    }
    scratch_free(folder);
}

static void numbered(void **state)
{
    (void)state;
    ts_err err = {""};
    ts_event_arrays bare = whole;
    bare.id = bare.hit_id = NULL;
    const ts_events *made = take(&bare, NULL, 9, &err);
    assert_non_null(made);
    assert_int_equal(made->event[2].id, 2);
    assert_int_equal(made->event[2].hit_id[0], 0);
    assert_int_equal(made->event[2].hit_id[2], 2);
}

static void limited(void **state)
{
    (void)state;
    ts_err err = {""};
    assert_int_equal(take(&whole, &(ts_events_options){.limit = 2}, 9, &err)->count, 2);
    assert_int_equal(take(&whole, NULL, 1, &err)->count, 1);
    ts_event_stream *s = ts_event_stream_open_arrays(&whole, two_inputs(), NULL, &err);
    assert_int_equal(ts_event_stream_total(s), 3);
    const ts_events *rest = ts_event_stream_rest(s, arena, NULL, NULL, &err);
    assert_int_equal(rest->count, 3);
    assert_float_equal(ts_event_stream_fraction(s), 1, 0);
    assert_int_equal(ts_event_stream_spread(s)[1].count, 5);
    ts_event_stream_close(s);
}

static void expect_error(const ts_event_arrays *arrays, const char *part)
{
    ts_err err = {""};
    assert_null(take(arrays, NULL, 9, &err));
    if (!strstr(err.msg, part))
        fail_msg("'%s' is not in '%s'", part, err.msg);
}

static void refused(void **state)
{
    (void)state;
    ts_event_arrays a = whole;
    a.events = 0;
    expect_error(&a, "there are no events");
    a = whole;
    a.features = 3;
    expect_error(&a, "a hit has 3 values, not 2");
    a = whole;
    a.hits = (const int32_t[]){2, -1, 3};
    expect_error(&a, "has -1 hits");
    a = whole;
    a.id = (const int64_t[]){7, 8, 7};
    expect_error(&a, "two events have the id 7");
    a = whole;
    a.hit_id = (const int64_t[]){5, 5, 9, 1, 2};
    expect_error(&a, "hit 5 stands twice in event 7");
    float bad[10];
    for (int i = 0; i < 2; i++) {
        memcpy(bad, values, sizeof bad);
        bad[7] = i ? NAN : INFINITY;
        a = whole;
        a.values = bad;
        expect_error(&a, "value 1 of hit 1 of event 3 is");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_of_a_file),
        cmocka_unit_test(numbered),
        cmocka_unit_test(limited),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
