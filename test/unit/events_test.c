/* Event files, good and bad: what is read, and what is said of what cannot be. Files are made in a temporary folder, which is the
   current one meanwhile. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "physics/results.h"

static ts_arena *arena;
static const ts_inputs *xyz;
static char folder[] = "/tmp/events_test_XXXXXX";

static int setup(void **state)
{
    (void)state;
    arena = ts_arena_new();
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    ts_err err = {""};
    const char *json = "{\"inputs\":[{\"column\":\"x\",\"mean\":1,\"std\":2},{\"column\":\"y\"}],\"task\":\"regression\",\"outputs\":[\"a\"],\"mask\":null}";
    assert_true(ts_file_write("inputs.json", json, strlen(json), &err));
    xyz = ts_inputs_load(arena, "inputs.json", &err);
    assert_non_null(xyz);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ts_arena_free(arena);
    DIR *dir = opendir(".");
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(entry->d_name), 0);
    closedir(dir);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static const ts_events *load(const char *text, const ts_events_options *o, ts_err *err)
{
    ts_err werr = {""};
    assert_true(ts_file_write("events.csv", text, strlen(text), &werr));
    return ts_events_load(arena, "events.csv", xyz, o, err);
}

static void expect_error(const char *text, const char *part)
{
    ts_err err = {""};
    assert_null(load(text, NULL, &err));
    if (!strstr(err.msg, part))
        fail_msg("expected '%s' in: %s", part, err.msg);
}

static void reads_and_standardises(void **state)
{
    (void)state;
    ts_err err = {""};
    const ts_events *ev = load("event_id,y,hit_id,particle_id,x\n7,2,10,99999999999999999999,5\n7,3,11,1,1\r\n9,4,10,2,-1\n7,5,12,3,3\n", NULL, &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(ev->count, 2);
    assert_int_equal(ev->event[0].n, 3); /* the third row of event 7 stands apart */
    assert_int_equal(ev->event[0].id, 7);
    assert_int_equal(ev->event[0].row[2], 3);
    assert_true(ev->event[0].x[0] == 2.0f && ev->event[0].x[1] == 2.0f && ev->event[0].x[4] == 1.0f);
    assert_true(ev->event[1].x[0] == -1.0f);
    const ts_events *one = load("event_id,hit_id,x,y\n7,1,0,0\n8,2,0,0\n7,3,0,0\n", &(ts_events_options){.limit = 1}, &err);
    assert_int_equal(one->count, 1);
    assert_int_equal(one->event[0].n, 2);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    expect_error("", "empty");
    expect_error("event_id,hit_id,x,y\n", "no hits");
    expect_error("event_id,hit_id,x\n1,1,0\n", "column 'y' is missing");
    expect_error("hit_id,x,y\n1,1,0\n", "column 'event_id' is missing");
    expect_error("event_id,hit_id,x,y,x\n1,1,0,0,0\n", "stands twice");
    expect_error("event_id,hit_id,x,y\n1,1,0,nan\n", "events.csv:2: column y is 'nan'");
    expect_error("event_id,hit_id,x,y\n1,1,0,1e999\n", "not a finite number");
    expect_error("event_id,hit_id,x,y\n1,1,,0\n", "column x is ''");
    expect_error("event_id,hit_id,x,y\n1,1,0\n", "3 values, but the header has 4");
    expect_error("event_id,hit_id,x,y\n1.5,1,0,0\n", "event_id is '1.5'");
    expect_error("event_id,hit_id,x,y\n1,4,0,0\n1,4,0,0\n", "hit 4 stands twice in event 1");
    ts_err err = {""};
    assert_null(ts_events_load(arena, "no-such.csv", xyz, NULL, &err));
    assert_non_null(strstr(err.msg, "no-such.csv: cannot read"));
    err.msg[0] = 0;
    assert_null(ts_events_load(arena, ".", xyz, NULL, &err));
    assert_non_null(strstr(err.msg, "directory"));
}

static void derives_columns_from_the_position(void **state)
{
    (void)state;
    ts_err err = {""}, werr = {""};
    const char *json = "{\"inputs\":[{\"column\":\"r\",\"mean\":1,\"std\":2},{\"column\":\"phi\"},{\"column\":\"theta\"},{\"column\":\"eta\"},"
                       "{\"column\":\"sin_phi\"},{\"column\":\"cos_phi\"},{\"column\":\"sin_theta\"},{\"column\":\"cos_theta\"},{\"column\":\"z\"}],"
                       "\"task\":\"regression\",\"outputs\":[\"a\"]}";
    assert_true(ts_file_write("derived.json", json, strlen(json), &werr));
    const ts_inputs *in = ts_inputs_load(arena, "derived.json", &err);
    const char *text = "event_id,hit_id,x,y,z\n1,1,3,-4,12\n1,2,-3,4,-12\n";
    assert_true(ts_file_write("events.csv", text, strlen(text), &werr));
    const ts_events *ev = ts_events_load(arena, "events.csv", in, NULL, &err);
    assert_string_equal(err.msg, "");
    /* r = 5, |position| = 13; the second hit is the first one's mirror image. */
    static const double expected[2][9] = {
        {2, -0.927295218, 0.394791120, 1.609437912, -0.8, 0.6, 5.0 / 13, 12.0 / 13, 12},
        {2, 2.214297436, 2.746801534, -1.609437912, 0.8, -0.6, 5.0 / 13, -12.0 / 13, -12},
    };
    for (int i = 0; i < 2; i++)
        for (int f = 0; f < 9; f++)
            assert_float_equal(ev->event[0].x[i * 9 + f], expected[i][f], 1e-6);
    /* A column of the file comes before a computed one. */
    text = "event_id,hit_id,r,x,y,z,phi,theta,eta,sin_phi,cos_phi,sin_theta,cos_theta\n1,1,7,3,-4,12,1,2,3,4,5,6,7\n";
    assert_true(ts_file_write("events.csv", text, strlen(text), &werr));
    ev = ts_events_load(arena, "events.csv", in, NULL, &err);
    assert_string_equal(err.msg, "");
    assert_true(ev->event[0].x[0] == 3.0f && ev->event[0].x[3] == 3.0f && ev->event[0].x[8] == 12.0f);

    static const char *const bad[][2] = {
            {"event_id,hit_id,x,y,z,z\n1,1,3,4,12,12\n", "stands twice"},
        {"event_id,hit_id,x,z\n1,1,3,12\n", "column 'r' is missing and cannot be computed without x, y and z"},
        {"event_id,hit_id,x,y,z\n1,1,3,inf,12\n", "events.csv:2: column y is 'inf'"},
        {"event_id,hit_id,x,y,z\n1,1,3,4,5\n1,2,0,0,12\n", "events.csv:3: eta of a hit at x = 0, y = 0, z = 12"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err.msg[0] = 0;
        assert_true(ts_file_write("events.csv", bad[i][0], strlen(bad[i][0]), &werr));
        assert_null(ts_events_load(arena, "events.csv", in, NULL, &err));
        if (!strstr(err.msg, bad[i][1]))
            fail_msg("expected '%s' in: %s", bad[i][1], err.msg);
    }
}

static void npy(const char *path, const char *descr, const char *shape, const void *data, size_t size)
{
    char file[4096], header[256];
    const int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (char)n;
    file[9] = 0;
    memcpy(file + 10, header, (size_t)n);
    memcpy(file + 10 + n, data, size);
    ts_err err = {""};
    assert_true(ts_file_write(path, file, 10 + (size_t)n + size, &err));
}

static void reads_npy_with_lengths_and_masks(void **state)
{
    (void)state;
    const float x[2][3][2] = {{{3, 1}, {5, 2}, {0, 0}}, {{1, 7}, {1, 8}, {1, 9}}};
    const long long lengths[2] = {2, 3};
    const unsigned char mask[2][3] = {{0, 0, 0}, {1, 0, 1}};
    npy("e.npy", "<f4", "(2, 3, 2)", x, sizeof x);
    npy("l.npy", "<i8", "(2,)", lengths, sizeof lengths);
    npy("m.npy", "|b1", "(2, 3)", mask, sizeof mask);
    ts_err err = {""};
    const ts_events *ev = ts_events_load(arena, "e.npy", xyz, &(ts_events_options){.lengths_path = "l.npy", .mask_path = "m.npy"}, &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(ev->event[0].n, 2);
    assert_int_equal(ev->event[1].n, 1);
    assert_true(ev->event[1].x[1] == 8.0f && ev->event[0].x[0] == 1.0f);
    assert_int_equal(ev->rows, 6);

    ts_results *r = ts_results_new(arena, ev, TS_RESULT_VALUES, 1, false);
    ts_results_set(r, ev, 0, (const double[]){1.5, 2.5}, 1);
    ts_results_set(r, ev, 1, (const double[]){-1}, 1);
    assert_true(ts_results_write(r, ev, xyz, "out.csv", &err));
    size_t size;
    assert_string_equal(ts_file_read(arena, "out.csv", &size, &err), "event_id,hit_id,a\n0,0,1.5\n0,1,2.5\n0,2,0\n1,0,0\n1,1,-1\n1,2,0\n");

    npy("bad.npy", "<f4", "(2, 3, 200)", x, sizeof x);
    assert_null(ts_events_load(arena, "bad.npy", xyz, NULL, &err));
    assert_non_null(strstr(err.msg, "does not fit the file"));
}

static void argmax_takes_the_lowest_index(void **state)
{
    (void)state;
    ts_err err = {""};
    const ts_events *ev = load("event_id,hit_id,x,y\n1,1,0,0\n", NULL, &err);
    ts_results *r = ts_results_new(arena, ev, TS_RESULT_CLASS, 2, false);
    ts_results_set(r, ev, 0, (const double[]){0, 4, 4, 3}, 4);
    assert_true(r->y[0][0] == 1 && r->y[0][1] == 4);
}

static void inputs_files_are_checked(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{", "not valid JSON"},
        {"[]", "one JSON object"},
        {"{\"inputs\":[]}", "must be a list"},
        {"{\"inputs\":[{\"column\":\"x\",\"std\":0}],\"task\":\"regression\",\"outputs\":[\"a\"]}", "above 0"},
#define REST "\"task\":\"regression\",\"outputs\":[\"a\"]"
#define CLASSES "{\"inputs\":[{\"column\":\"x\"}],\"task\":\"classification\",\"outputs\":3,"
        {"{\"inputs\":[{\"column\":\"x\",\"mean\":0,\"scale\":140}]," REST "}", "inputs[0]: unknown member \"scale\"; known are column, mean, std"},
        {"{\"inputs\":[{\"column\":\"x\"},{\"column\":\"y\",\"Std\":1}]," REST "}", "inputs[1]: unknown member \"Std\""},
        {"{\"inputs\":[{\"column\":\"x\"}]," REST ",\"outpust\":2}", "unknown member \"outpust\"; known are inputs, task"},
        {"{\"inputs\":[{\"column\":\"x\"}]," REST ",\"cluster\":{\"method\":\"hdbscan\",\"min_sample\":2}}",
         "cluster: unknown member \"min_sample\"; known are method"},
        {"{\"inputs\":[{\"column\":\"x\"}]," REST ",\"cluster\":[]}", "\"cluster\" must be an object"},
        {CLASSES "\"bins\":{\"phi\":2,\"theta\":[0,1],\"eta\":[]}}", "bins: unknown member \"eta\"; known are phi, theta"},
        {CLASSES "\"ignore_class\":[0]}", "unknown member \"ignore_class\""},
        {"{\"inputs\":[\"x\"]," REST "}", "\"inputs[0]\" must be an object"},
        {"{\"inputs\":[{\"column\":\"x\"}]," REST ",\"mask\":1}", "\"mask\" must be the name"},
        {"{\"inputs\":[{\"column\":\"x\",\"column\":\"y\"}]," REST "}", "duplicate object key"},
        {"{\"inputs\":[{\"column\":\"x\",\"mean\":NaN}]," REST "}", "bad.json:1:"},
        {"{\"inputs\":[{\"column\":\"x\",\"mean\":\"0\"}]," REST "}", "\"mean\" must be a number"},
        {"{\"inputs\":[{\"column\":\"x\"}],\"task\":\"guess\",\"outputs\":[\"a\"]}", "\"task\" must be"},
        {"{\"inputs\":[{\"column\":\"x\"}],\"task\":\"classification\",\"outputs\":3,\"ignore_classes\":[3]}", "below 3"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_err err = {""};
        assert_true(ts_file_write("bad.json", bad[i][0], strlen(bad[i][0]), &err));
        assert_null(ts_inputs_load(arena, "bad.json", &err));
        if (!strstr(err.msg, bad[i][1]))
            fail_msg("expected '%s' in: %s", bad[i][1], err.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_standardises), cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(derives_columns_from_the_position), cmocka_unit_test(reads_npy_with_lengths_and_masks),
        cmocka_unit_test(argmax_takes_the_lowest_index), cmocka_unit_test(inputs_files_are_checked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
