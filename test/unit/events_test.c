/* Event files, good and bad: what is read, and what is said of what cannot be. Files are made in a temporary folder, which is the
   current one meanwhile. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/results.h"

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
    const char *json = "{\"inputs\":[{\"column\":\"x\",\"mean\":1,\"std\":2},{\"column\":\"y\"}],\"task\":\"regression\",\"outputs\":["
                       "\"a\"],\"mask\":null}";
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
    const ts_events *ev =
        load("event_id,y,hit_id,particle_id,x\n7,2,10,99999999999999999999,5\n7,3,11,1,1\r\n7,5,12,3,3\n9,4,10,2,-1\n", NULL, &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(ev->count, 2);
    assert_int_equal(ev->event[0].n, 3);
    assert_int_equal(ev->event[0].id, 7);
    assert_int_equal(ev->event[0].row[2], 2);
    assert_int_equal(ev->event[0].hit_id[2], 12);
    assert_true(ev->event[0].x[0] == 2.0f && ev->event[0].x[1] == 2.0f && ev->event[0].x[4] == 1.0f);
    assert_true(ev->event[1].x[0] == -1.0f);
    const ts_events *one = load("event_id,hit_id,x,y\n7,1,0,0\n7,3,0,0\n8,2,0,0\n7,4,0,oops\n", &(ts_events_options){.limit = 1}, &err);
    assert_int_equal(one->count, 1); /* nothing behind it was read */
    assert_int_equal(one->event[0].n, 2);
    /* Only the lengths of events behind the first ones that have hits. */
    const ts_events *lengths = load("event_id,hit_id,x,y\n7,1,0,0\n7,3,0,0\n8,2,0,0\n", &(ts_events_options){.keep = 1}, &err);
    assert_int_equal(lengths->count, 2);
    assert_non_null(lengths->event[0].x);
    assert_null(lengths->event[1].x);
    assert_int_equal(lengths->event[1].n, 1);
    const ts_events *as_is = load("event_id,hit_id,x,y\n7,1,5,2\n", &(ts_events_options){.standardised = true}, &err);
    assert_true(as_is->event[0].x[0] == 5.0f && as_is->event[0].x[1] == 2.0f);
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
    expect_error("event_id,hit_id,x,y\n1,4,0,0\n2,1,0,0\n1,5,0,0\n",
                 "events.csv:4: event 1 goes on behind rows of another one; sort the file");
    expect_error("event_id,hit_id,x,y\n1,1,0,0\n1,2,1e40,0\n",
                 "events.csv:3: column x is 1e+40, which is not a finite single-precision number");
    expect_error("event_id,hit_id,x,y\n1,1,0x10,0\n", "column x is '0x10', not a finite number");
    expect_error("event_id,hit_id,x,y\n1,1,\"1,5\",0\n", "column x is '1,5', not a finite number");
    expect_error("event_id,hit_id,x,y\n1,1,infinity,0\n", "not a finite number");
    expect_error("event_id,hit_id,x,y\n1,1,1 2,0\n", "column x is '1 2'");
    expect_error("event_id,hit_id,x,y\n1,1,\"0,0\n", "events.csv:2: a quote that is never closed");
    expect_error("event_id,hit_id,x,y\n1,1,\"0\"0,0\n", "events.csv:2: something follows a closing quote");
    expect_error("event_id;hit_id;x;y\n1;1;0;0\n", "its values are not separated by commas");
    expect_error("event_id,hit_id,x,y\r1,1,0,0\r", "lines end in CR alone");
    expect_error("\n\n", "empty but for line ends");
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
    const char *json =
        "{\"inputs\":[{\"column\":\"r\",\"mean\":1,\"std\":2},{\"column\":\"phi\"},{\"column\":\"theta\"},{\"column\":\"eta\"},"
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
    assert_int_equal(ev->event[0].rows, 3);

    ts_result_file r;
    assert_true(ts_result_file_open(arena, "out.csv", xyz, TS_RESULT_VALUES, 1, false, &r, &err));
    ts_result_file_put(&r, &ev->event[0], (const double[]){1.5, 2.5});
    ts_result_file_put(&r, &ev->event[1], (const double[]){-1});
    assert_true(ts_result_file_commit(&r, &err));
    size_t size;
    assert_string_equal(ts_file_read(arena, "out.csv", &size, &err), "event_id,hit_id,a\n0,0,1.5\n0,1,2.5\n0,2,0\n1,0,0\n1,1,-1\n1,2,0\n");
}

/* Every type that is read gives the same numbers; every other one is refused by name. */
static void npy_types(void **state)
{
    (void)state;
    static const float f4[2] = {3, -1.5F};
    static const double f8[2] = {3, -1.5};
    static const unsigned short f2[2] = {0x4200, 0xbe00};
    static const unsigned char swapped[8] = {0x40, 0x40, 0, 0, 0xbf, 0xc0, 0, 0};
    static const signed char i1[2] = {3, -2};
    static const short i2[2] = {3, -2};
    static const int i4[2] = {3, -2};
    static const long long i8[2] = {3, -2};
    static const struct {
        const char *descr;
        const void *data;
        size_t size;
        float y;
    } good[] = {{"<f4", f4, sizeof f4, -1.5F}, {"<f8", f8, sizeof f8, -1.5F},
                {"<f2", f2, sizeof f2, -1.5F}, {">f4", swapped, sizeof swapped, -1.5F},
                {"|i1", i1, sizeof i1, -2},    {"<i2", i2, sizeof i2, -2},
                {"<i4", i4, sizeof i4, -2},    {"<i8", i8, sizeof i8, -2}};
    ts_err err = {""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        npy("t.npy", good[i].descr, "(1, 1, 2)", good[i].data, good[i].size);
        const ts_events *ev = ts_events_load(arena, "t.npy", xyz, NULL, &err);
        if (!ev)
            fail_msg("%s: %s", good[i].descr, err.msg);
        assert_true(ev->event[0].x[0] == 1.0F && ev->event[0].x[1] == good[i].y);
    }
    static const double huge[2] = {0, 1e300}, nan[2] = {0, NAN};
    static const struct {
        const char *descr, *shape;
        const void *data;
        size_t size;
        const char *says;
    } bad[] = {
        {"<f4", "(2, 3, 200)", f4, sizeof f4, "does not fit the file: it has 8 bytes of values, not 4800 (is it truncated?)"},
        {"<f4", "(1, 1, 1)", f4, sizeof f4, "it has 8 bytes of values, not 4 (several arrays?)"},
        {"<f4", "(4611686018427387904, 4, 2)", f4, 0, "does not fit the file"}, /* 0 bytes modulo 2 ^ 64 */
        {"|O", "(1, 1, 2)", f4, sizeof f4, "Python objects (a pickle)"},
        {"<c8", "(1, 1, 1)", f4, sizeof f4, "of type '<c8'"},
        {"<f16", "(1, 1, 1)", f4, sizeof f4, "of type '<f16'"},
        {"<U2", "(1, 1, 1)", f4, sizeof f4, "of type '<U2'"},
        {"<f4", "(1, 2)", f4, sizeof f4, "expected [events][tokens][2 features], found rank 2"},
        {"<f4", "(1, 1, 2, 1, 1)", f4, sizeof f4, "at most 4 dimensions"},
        {"<f4", "(0, 1, 2)", f4, 0, "holds no tokens"},
        {"<f8", "(1, 1, 2)", huge, sizeof huge, "bad.npy: [0][0][1] is 1e+300, which is not a finite single-precision number"},
        {"<f8", "(1, 1, 2)", nan, sizeof nan, "[0][0][1] is nan, which is not a finite number"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err.msg[0] = 0;
        npy("bad.npy", bad[i].descr, bad[i].shape, bad[i].data, bad[i].size);
        assert_null(ts_events_load(arena, "bad.npy", xyz, NULL, &err));
        if (!strstr(err.msg, bad[i].says))
            fail_msg("%s %s: expected '%s' in: %s", bad[i].descr, bad[i].shape, bad[i].says, err.msg);
    }
    static const char fortran[] = "\x93NUMPY\x01\x00\x42\x00{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1, 2), }     \n12345678";
    err.msg[0] = 0;
    assert_true(ts_file_write("bad.npy", fortran, sizeof fortran - 1, &err));
    assert_null(ts_events_load(arena, "bad.npy", xyz, NULL, &err));
    assert_non_null(strstr(err.msg, "Fortran order"));
}

static void argmax_takes_the_lowest_index(void **state)
{
    (void)state;
    ts_err err = {""};
    size_t size;
    const ts_events *ev = load("event_id,hit_id,x,y\n1,1,0,0\n", NULL, &err);
    ts_result_file r;
    assert_true(ts_result_file_open(arena, "out.csv", xyz, TS_RESULT_CLASS, 4, false, &r, &err));
    ts_result_file_put(&r, &ev->event[0], (const double[]){0, 4, 4, 3});
    assert_true(ts_result_file_commit(&r, &err));
    assert_string_equal(ts_file_read(arena, "out.csv", &size, &err), "event_id,hit_id,class,value\n1,1,1,4\n");
}

/* What other programs write: quotes, blanks, line ends, a byte order mark. All read as the plain file does. */
static void csv_dialects(void **state)
{
    (void)state;
    static const char *const same[] = {
        "event_id,hit_id,x,y\n7,1,5,2\n7,2,-1e1,0.5\n",
        ("\xef\xbb\xbf"
         "event_id,hit_id,x,y\r\n7,1,5,2\r\n7,2,-1e1,0.5"),
        "\"event_id\",\"hit_id\",\"x\",\"y\"\n7,1,\"5\",2\n\"7\",2,-10,\".5\"\n",
        "\n  \nevent_id , hit_id,x, y\n\n7,1, 5 ,+2\n\r\n 7,2,-10.0,5e-1\n\n\n",
        "event_id,what,hit_id,x,y\n7,\"a, \"\"b\"\"\nc\",1,\" 5 \",2\n7,d\"e,2,-10,0.5\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        ts_err err = {""};
        const ts_events *ev = load(same[i], NULL, &err);
        if (!ev)
            fail_msg("%zu: %s", i, err.msg);
        assert_int_equal(ev->count, 1);
        assert_int_equal(ev->event[0].n, 2);
        assert_int_equal(ev->event[0].hit_id[1], 2);
        const float want[4] = {2, 2, -5.5F, 0.5F};
        assert_memory_equal(ev->event[0].x, want, sizeof want);
    }
    /* Lines are counted through quoted line ends. */
    expect_error("event_id,hit_id,x,y,t\n1,1,0,0,\"a\n\nb\"\n1,2,0,no,c\n", "events.csv:5: column y is 'no'");
    /* Rows longer than any buffer, but not without end. */
    char *wide = malloc(3 << 20);
    ts_err err = {""};
    for (int kb = 60; kb < 1100; kb += 340) {
        const int head = sprintf(wide, "event_id,hit_id,x,y,t\n1,1,3,0,");
        memset(wide + head, 'a', (size_t)kb << 10);
        sprintf(wide + head + (kb << 10), "\n1,2,5,0,b\n");
        err.msg[0] = 0;
        const ts_events *ev = load(wide, NULL, &err);
        if (kb < 1000)
            assert_true(ev && ev->event[0].n == 2 && ev->event[0].x[2] == 2.0F);
        else
            assert_non_null(strstr(err.msg, "events.csv:2: a row of over 1048576 bytes"));
    }
    free(wide);
    err.msg[0] = 0;
    assert_true(ts_file_write("nul.csv",
                              "event_id,hit_id,x,y\n1,1,0,\0"
                              "0\n",
                              28, &err));
    assert_null(ts_events_load(arena, "nul.csv", xyz, NULL, &err));
    assert_non_null(strstr(err.msg, "NUL byte"));
}

/* Names that are no plain words go through a results file and back. */
static void results_quote_names(void **state)
{
    (void)state;
    ts_err err = {""};
    static const char *const names[] = {"a,b", "say \"c\"", " d "};
    ts_inputs in = *xyz;
    in.output = names;
    const ts_events *ev = load("event_id,hit_id,x,y\n1,1,0,0\n", NULL, &err);
    ts_result_file r;
    assert_true(ts_result_file_open(arena, "out.csv", &in, TS_RESULT_VALUES, 3, false, &r, &err));
    ts_result_file_put(&r, &ev->event[0], (const double[]){1, 2, 3});
    assert_true(ts_result_file_commit(&r, &err));
    const ts_inputs *back = ts_results_inputs(arena, "out.csv", &err);
    assert_non_null(back);
    for (int o = 0; o < 3; o++)
        assert_string_equal(back->output[o], names[o]);
}

/* Many events, in any order of their ids, one after the other; every one is found again where it repeats. */
static void streams_events(void **state)
{
    (void)state;
    enum { EVENTS = 5000 };
    FILE *f = fopen("many.csv", "w");
    assert_non_null(f);
    fputs("event_id,hit_id,x,y\n", f);
    for (long long e = 0; e < EVENTS; e++)
        for (int h = 0; h < e % 7 + 1; h++)
            fprintf(f, "%lld,%d,%lld,%d\n", e * 7919 % EVENTS - 100, h, e, h);
    fclose(f);
    ts_err err = {""};
    ts_event_stream *s = ts_event_stream_open("many.csv", xyz, NULL, &err);
    assert_non_null(s);
    int count = 0;
    for (;;) {
        ts_arena *batch = ts_arena_new();
        const ts_events *events = ts_event_stream_take(s, batch, 1000, 300, &err);
        assert_non_null(events);
        int hits = 0;
        for (int i = 0; i < events->count; i++, count++) {
            const ts_event *ev = &events->event[i];
            assert_int_equal(ev->id, count * 7919LL % EVENTS - 100);
            assert_int_equal(ev->n, count % 7 + 1);
            assert_true(ev->x[0] == (float)(count - 1) / 2 && ev->x[2 * ev->n - 1] == (float)(ev->n - 1));
            hits += ev->n;
        }
        assert_true(hits < 300 + 7);
        ts_arena_free(batch);
        if (hits == 0)
            break;
    }
    assert_int_equal(count, EVENTS);
    const ts_spread *spread = ts_event_stream_spread(s);
    assert_true(spread[1].count > 19000 && ts_spread_mean(&spread[1]) > 1.9 && ts_spread_mean(&spread[1]) < 2.1);
    assert_true(ts_event_stream_fraction(s) > 0.999);
    ts_event_stream_close(s);
    f = fopen("many.csv", "a");
    fputs("4242,1,0,0\n", f);
    fclose(f);
    assert_null(ts_events_load(arena, "many.csv", xyz, NULL, &err));
    assert_non_null(strstr(err.msg, "event 4242 goes on behind rows of another one"));
}

static void says_where_inputs_are_not_standardised(void **state)
{
    (void)state;
    static const struct {
        double mean, deviation;
        bool odd;
    } cases[] = {{0, 1, false},  {0.5, 2, false}, {1, 0.3, false}, {0, 1.0 / 140, true}, {-6, 0.2, true},
                 {0, 140, true}, {30, 1, true},   {0, 0.1, true},  {1, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ts_spread spread[2] = {{.count = 0}};
        char text[200] = "";
        for (int k = 0; k < 20; k++) {
            ts_spread_add(&spread[0], k & 1 ? 1 : -1);
            ts_spread_add(&spread[1], cases[i].mean + cases[i].deviation * (k & 1 ? 1 : -1));
        }
        if (ts_spread_is_odd(spread, xyz, text, sizeof text) != cases[i].odd)
            fail_msg("mean %g, deviation %g: %s", cases[i].mean, cases[i].deviation, text);
        assert_true(!cases[i].odd || strstr(text, "y has mean ") == text);
    }
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
        {"{\"inputs\":[{\"column\":\"x\",\"mean\":0,\"scale\":140}]," REST "}",
         "inputs[0]: unknown member \"scale\"; known are column, mean, std"},
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
        cmocka_unit_test(reads_and_standardises),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(derives_columns_from_the_position),
        cmocka_unit_test(reads_npy_with_lengths_and_masks),
        cmocka_unit_test(argmax_takes_the_lowest_index),
        cmocka_unit_test(inputs_files_are_checked),
        cmocka_unit_test(npy_types),
        cmocka_unit_test(csv_dialects),
        cmocka_unit_test(results_quote_names),
        cmocka_unit_test(streams_events),
        cmocka_unit_test(says_where_inputs_are_not_standardised),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
