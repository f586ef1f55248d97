/* tessera.h on events: engines give the bits that the command writes, from files and from arrays, on any number of threads; errors have the
   right codes. Against the public header alone. */
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

#define MODEL TS_SOURCE_DIR "/models/seeded.onnx"
#define EVENTS TS_SOURCE_DIR "/models/seeded.csv"
#define INPUTS TS_SOURCE_DIR "/models/seeded.inputs.json"
enum { MOST_TOKENS = 150, LIMIT = 12 };

static const char *folder;
static char design[700];
static tessera_error error;

/* Paths in the folder; live until the next few. */
static const char *at(const char *name)
{
    static char path[4][700];
    static int next;
    char *to = path[next++ % 4];
    snprintf(to, sizeof path[0], "%.512s/%.100s", folder, name);
    return to;
}

static void good(tessera_code code)
{
    if (code != TESSERA_OK)
        fail_msg("%d: %s", (int)code, error.message);
    assert_int_equal(error.code, TESSERA_OK);
    assert_string_equal(error.message, "");
}

static void bad(tessera_code code, tessera_code wanted, const char *part)
{
    if (code != wanted || error.code != wanted || !strstr(error.message, part))
        fail_msg("%d (wanted %d): '%s' lacks '%s'", (int)code, (int)wanted, error.message, part);
}

static tessera_source source_of(const char *events)
{
    tessera_source s = TESSERA_INIT(tessera_source);
    s.events = events;
    s.inputs = INPUTS;
    return s;
}

/* ---- events in memory */

typedef struct memory {
    tessera_arrays arrays;
    int64_t rows;
    int32_t *hits;
    float *values; /* standardised */
    int64_t *id, *hit_id;
} memory;

static void memory_free(memory *m)
{
    free(m->hits);
    free(m->values);
    free(m->id);
    free(m->hit_id);
}

/* The first events of the file, as its hits are standardised. */
static memory memory_of(int limit)
{
    tessera_events *events;
    tessera_source s = source_of(EVENTS);
    s.limit = limit;
    good(tessera_events_read(&s, NULL, &events, &error));
    const int64_t count = tessera_events_count(events);
    memory m = {.hits = calloc((size_t)count, sizeof *m.hits), .id = calloc((size_t)count, sizeof *m.id)};
    int features = 0;
    for (int64_t e = 0; e < count; e++) {
        tessera_event ev = TESSERA_INIT(tessera_event);
        assert_true(tessera_events_get(events, e, &ev));
        features = ev.features;
        const size_t rows = (size_t)(m.rows + ev.hits);
        m.values = realloc(m.values, rows * (size_t)features * sizeof *m.values);
        m.hit_id = realloc(m.hit_id, rows * sizeof *m.hit_id);
        memcpy(m.values + m.rows * features, ev.values, (size_t)ev.hits * (size_t)features * sizeof *m.values);
        memcpy(m.hit_id + m.rows, ev.hit_id, (size_t)ev.hits * sizeof *m.hit_id);
        m.id[e] = ev.id;
        m.hits[e] = ev.hits;
        m.rows += ev.hits;
    }
    assert_false(tessera_events_get(events, count, &(tessera_event)TESSERA_INIT(tessera_event)));
    assert_false(tessera_events_get(events, -1, &(tessera_event)TESSERA_INIT(tessera_event)));
    tessera_events_free(events);
    m.arrays = (tessera_arrays){
        .size = sizeof m.arrays, .events = count, .features = features, .hits = m.hits, .values = m.values, .id = m.id, .hit_id = m.hit_id};
    return m;
}

static tessera_engine *engine_of(tessera_engine_kind kind, const char *path, bool standardised)
{
    tessera_engine *engine;
    tessera_engine_options o = TESSERA_INIT(tessera_engine_options);
    o.kind = kind;
    o.path = path;
    o.inputs = INPUTS;
    o.standardised = standardised;
    good(tessera_engine_open(&o, NULL, &engine, &error));
    return engine;
}

static tessera_engine_info info_of(const tessera_engine *engine)
{
    tessera_engine_info info = TESSERA_INIT(tessera_engine_info);
    assert_true(tessera_engine_describe(engine, &info));
    return info;
}

/* Events through an engine: [rows][outputs], to be freed. refused: [events] or NULL. */
static double *results_of(const tessera_engine *engine, const tessera_arrays *events, bool *refused, int64_t *count)
{
    const int64_t rows = tessera_engine_rows(engine, events);
    const int outputs = info_of(engine).outputs;
    double *y = malloc((size_t)rows * (size_t)outputs * sizeof *y);
    good(tessera_engine_run(engine, events, y, refused, count, &error));
    return y;
}

/* ---- files */

static char *text_of(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    const long size = ftell(f);
    rewind(f);
    char *text = calloc((size_t)size + 1, 1);
    assert_int_equal(fread(text, 1, (size_t)size, f), size);
    fclose(f);
    return text;
}

/* Results in memory as the command writes them. */
static char *written(const memory *m, const char *names, int outputs, const double *y, const bool *refused)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    fprintf(f, "event_id,hit_id,%s\n", names);
    for (int64_t e = 0, row = 0; e < m->arrays.events; e++)
        for (int32_t i = 0; i < m->hits[e]; i++, row++) {
            if (refused && refused[e])
                continue;
            fprintf(f, "%lld,%lld", (long long)m->id[e], (long long)m->hit_id[row]);
            for (int o = 0; o < outputs; o++)
                fprintf(f, ",%.9g", y[row * outputs + o]);
            fputc('\n', f);
        }
    fclose(f);
    return text;
}

static tessera_code run_file(tessera_engine_kind kind, const tessera_source *source, const char *output, tessera_run_summary *summary)
{
    tessera_run_options o = TESSERA_INIT(tessera_run_options);
    o.path = design;
    o.engine = kind;
    o.source = source;
    o.output = output;
    return tessera_run(&o, NULL, summary, NULL, &error);
}

/* ---- tests */

static int setup(void **state)
{
    (void)state;
    folder = scratch_new("api");
    snprintf(design, sizeof design, "%.512s/design", folder);
    const char *const device[] = {"zcu102"};
    tessera_source source = source_of(EVENTS);
    tessera_compile_options o = TESSERA_INIT(tessera_compile_options);
    o.model = MODEL;
    o.output = design;
    o.device = device;
    o.devices = 1;
    o.source = &source;
    o.max_tokens = MOST_TOKENS;
    good(tessera_compile(&o, NULL, NULL, &error));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(folder);
    return 0;
}

static void as_the_command_writes(void **state)
{
    (void)state;
    static const tessera_engine_kind kinds[] = {TESSERA_FLOAT, TESSERA_INTEGER};
    memory m = memory_of(LIMIT);
    for (int k = 0; k < 2; k++) {
        tessera_source source = source_of(EVENTS);
        source.limit = LIMIT;
        tessera_run_summary summary = TESSERA_INIT(tessera_run_summary);
        good(run_file(kinds[k], &source, at("file.csv"), &summary));
        assert_int_equal(summary.events, LIMIT);
        tessera_engine *engine = engine_of(kinds[k], design, true);
        assert_int_equal(info_of(engine).features, 3);
        assert_int_equal(info_of(engine).outputs, 4);
        assert_false(info_of(engine).pooled);
        assert_int_equal(info_of(engine).max_tokens, k ? MOST_TOKENS : 0);
        bool refused[LIMIT];
        int64_t count;
        double *y = results_of(engine, &m.arrays, refused, &count);
        assert_int_equal(count, summary.refused);
        int too_long = 0;
        for (int64_t e = 0, row = 0; e < LIMIT; row += m.hits[e++]) {
            const bool longer = k && m.hits[e] > MOST_TOKENS;
            too_long += longer;
            assert_int_equal(refused[e], longer);
            assert_int_equal(isnan(y[4 * row]), longer);
        }
        assert_int_equal(too_long, count);
        assert_int_equal(count > 0, k);
        char *made = written(&m, "theta,sin_phi,cos_phi,q", 4, y, refused), *file = text_of(at("file.csv"));
        assert_string_equal(made, file);
        /* And arrays into a file, as they are. */
        source = (tessera_source)TESSERA_INIT(tessera_source);
        source.arrays = &m.arrays;
        source.standardised = true;
        good(run_file(kinds[k], &source, at("arrays.csv"), NULL));
        char *arrays = text_of(at("arrays.csv"));
        assert_string_equal(arrays, file);
        free(arrays);
        free(made);
        free(file);
        free(y);
        tessera_engine_free(engine);
    }
    memory_free(&m);
}

/* Values that are raw are standardised by the design's own inputs file: (x - 0) / 400. */
static void raw_values(void **state)
{
    (void)state;
    memory m = memory_of(3), raw = memory_of(3);
    for (int64_t i = 0; i < 3 * m.rows; i++) {
        raw.values[i] = rintf(400 * m.values[i]);
        m.values[i] = (float)((double)raw.values[i] / 400);
    }
    tessera_engine *engine = engine_of(TESSERA_INTEGER, design, false), *plain = engine_of(TESSERA_INTEGER, design, true);
    double *a = results_of(engine, &raw.arrays, NULL, NULL), *b = results_of(plain, &m.arrays, NULL, NULL);
    assert_memory_equal(a, b, (size_t)m.rows * 4 * sizeof *a);
    free(a);
    free(b);
    tessera_engine_free(engine);
    tessera_engine_free(plain);
    memory_free(&m);
    memory_free(&raw);
}

static void words(void **state)
{
    (void)state;
    memory m = memory_of(LIMIT);
    tessera_engine *engine = engine_of(TESSERA_INTEGER, design, true);
    const tessera_engine_info info = info_of(engine);
    assert_int_equal(info.word_features, 3);
    assert_int_equal(info.word_outputs, 4);
    assert_int_equal(info.input_bits, 16);
    assert_true(info.input_signed);
    int32_t *in = calloc((size_t)m.rows * 3, sizeof *in), *out = calloc((size_t)m.rows * 4, sizeof *out);
    double *real = calloc((size_t)m.rows * 4, sizeof *real);
    bool refused[LIMIT];
    double *y = results_of(engine, &m.arrays, refused, NULL);
    good(tessera_engine_to_words(engine, m.rows, m.values, in, &error));
    good(tessera_engine_run_words(engine, m.arrays.events, m.hits, in, out, &error));
    good(tessera_engine_from_words(engine, m.rows, out, real, &error));
    for (int64_t e = 0, row = 0; e < LIMIT; row += m.hits[e++])
        for (int64_t i = 4 * row; i < 4 * (row + m.hits[e]); i++) {
            if (refused[e])
                assert_int_equal(out[i], 0);
            else
                assert_memory_equal(&real[i], &y[i], sizeof *y);
            assert_true(abs(out[i]) < 1 << (info.output_bits - info.output_signed));
        }
    in[5] = -32768; /* 16 bits, signed and symmetric */
    bad(tessera_engine_run_words(engine, m.arrays.events, m.hits, in, out, &error), TESSERA_USAGE, "value 2 of row 1 is -32768");
    m.values[4] = NAN;
    bad(tessera_engine_to_words(engine, m.rows, m.values, in, &error), TESSERA_USAGE, "value 1 of row 1");
    bad(tessera_engine_from_words(engine, -1, out, real, &error), TESSERA_USAGE, "-1");
    tessera_engine *floating = engine_of(TESSERA_FLOAT, design, true);
    bad(tessera_engine_to_words(floating, 1, m.values, in, &error), TESSERA_USAGE, "integer engine's");
    tessera_engine_free(floating);
    tessera_engine_free(engine);
    free(in);
    free(out);
    free(real);
    free(y);
    memory_free(&m);
}

static void pooled(void **state)
{
    (void)state;
    const int32_t hits[] = {4, 1, 0};
    const float values[15] = {0.5f, -1, 0.25f, 1, 0.1f, 2, 0.75f};
    tessera_arrays a = TESSERA_INIT(tessera_arrays);
    a.events = 3;
    a.features = 3;
    a.hits = hits;
    a.values = values;
    tessera_engine_options o = TESSERA_INIT(tessera_engine_options);
    o.path = TS_SOURCE_DIR "/test/models/torch_mean.onnx";
    tessera_engine *engine;
    good(tessera_engine_open(&o, NULL, &engine, &error));
    assert_true(info_of(engine).pooled);
    assert_int_equal(tessera_engine_rows(engine, &a), 3);
    const int outputs = info_of(engine).outputs;
    double *y = results_of(engine, &a, NULL, NULL);
    assert_true(y[0] < 0 || y[0] > 0);
    for (int i = 0; i < outputs; i++)
        assert_true(y[2 * outputs + i] == 0);
    free(y);
    a.events = 0;
    good(tessera_engine_run(engine, &a, NULL, NULL, NULL, &error));
    tessera_engine_free(engine);
}

typedef struct worker {
    const tessera_engine *engine;
    const tessera_arrays *events;
    double *y;
    tessera_error error;
    int number;
} worker;

static void *work(void *user)
{
    worker *w = user;
    for (int i = 0; i < 3 && w->error.code == TESSERA_OK; i++)
        tessera_engine_run(w->engine, w->events, w->y, NULL, NULL, &w->error);
    if (w->error.code == TESSERA_OK) { /* a file of its own */
        char path[700];
        tessera_run_options o = TESSERA_INIT(tessera_run_options);
        tessera_source source = source_of(EVENTS);
        snprintf(path, sizeof path, "%.512s/thread%d.csv", folder, w->number);
        source.limit = LIMIT;
        o.path = design;
        o.engine = w->number & 1 ? TESSERA_FLOAT : TESSERA_INTEGER;
        o.source = &source;
        o.output = path;
        tessera_run(&o, NULL, NULL, NULL, &w->error);
    }
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    memory m = memory_of(LIMIT);
    tessera_engine *engine[2] = {engine_of(TESSERA_INTEGER, design, true), engine_of(TESSERA_FLOAT, design, true)};
    double *alone[2] = {results_of(engine[0], &m.arrays, NULL, NULL), results_of(engine[1], &m.arrays, NULL, NULL)};
    worker w[THREADS];
    pthread_t thread[THREADS];
    for (int t = 0; t < THREADS; t++) {
        w[t] = (worker){.engine = engine[t & 1], .events = &m.arrays, .y = calloc((size_t)m.rows * 4, sizeof(double)), .number = t};
        assert_int_equal(pthread_create(&thread[t], NULL, work, &w[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        pthread_join(thread[t], NULL);
        assert_string_equal(w[t].error.message, "");
        for (int64_t i = 0; i < 4 * m.rows; i++)
            assert_true(w[t].y[i] == alone[t & 1][i] || (isnan(w[t].y[i]) && isnan(alone[t & 1][i])));
        free(w[t].y);
    }
    for (int kind = 0; kind < 2; kind++) {
        char *a = text_of(at(kind ? "thread1.csv" : "thread0.csv")), *b = text_of(at(kind ? "thread3.csv" : "thread2.csv"));
        assert_string_equal(a, b);
        free(a);
        free(b);
        free(alone[kind]);
        tessera_engine_free(engine[kind]);
    }
    memory_free(&m);
}

static void all_refused(void **state)
{
    (void)state;
    memory m = memory_of(LIMIT), longest = m;
    tessera_source source = TESSERA_INIT(tessera_source);
    source.arrays = &longest.arrays;
    source.standardised = true;
    for (int64_t e = 0, row = 0; e < LIMIT; row += m.hits[e++])
        if (m.hits[e] > MOST_TOKENS) { /* that one alone */
            longest.arrays.events = 1;
            longest.arrays.hits = m.hits + e;
            longest.arrays.values = m.values + 3 * row;
            longest.arrays.hit_id = m.hit_id + row;
            longest.arrays.id = m.id + e;
        }
    assert_int_equal(longest.arrays.events, 1);
    tessera_run_summary summary = TESSERA_INIT(tessera_run_summary);
    bad(run_file(TESSERA_INTEGER, &source, at("none.csv"), &summary), TESSERA_DOES_NOT_FIT, "compile it with max_tokens");
    assert_int_equal(summary.refused, 1);
    assert_null(fopen(at("none.csv"), "r"));
    memory_free(&m);
}

static const char *shout(void *user, const char *member)
{
    return strcmp(member, user) == 0 ? "THE OPTION" : NULL;
}

static void codes(void **state)
{
    (void)state;
    tessera_source source = source_of(EVENTS);
    bad(run_file(TESSERA_INTEGER, NULL, at("o.csv"), NULL), TESSERA_USAGE, "tessera_source");
    bad(run_file((tessera_engine_kind)7, &source, at("o.csv"), NULL), TESSERA_USAGE, "engine 7");
    bad(run_file(TESSERA_INTEGER, &source, at("no/such.csv"), NULL), TESSERA_NOT_WRITTEN, "cannot write");
    bad(run_file(TESSERA_INTEGER, &source, EVENTS, NULL), TESSERA_USAGE, "the events file: it would be lost");
    source.lengths = "l.npy";
    bad(run_file(TESSERA_INTEGER, &source, at("o.csv"), NULL), TESSERA_USAGE, "lengths");
    source = source_of(at("missing.csv"));
    bad(run_file(TESSERA_INTEGER, &source, at("o.csv"), NULL), TESSERA_NO_FILE, "missing.csv");
    source = source_of(INPUTS);
    bad(run_file(TESSERA_INTEGER, &source, at("o.csv"), NULL), TESSERA_BAD_FILE, "seeded.inputs.json");
    source = source_of(NULL);
    bad(run_file(TESSERA_INTEGER, &source, at("o.csv"), NULL), TESSERA_USAGE, "give events FILE, or");
    tessera_callbacks callbacks = TESSERA_INIT(tessera_callbacks);
    callbacks.option = shout;
    callbacks.user = (char[]){"events"};
    tessera_events *events;
    bad(tessera_events_read(&source, &callbacks, &events, &error), TESSERA_USAGE, "give THE OPTION FILE, or");
    assert_null(events);
    source.events = EVENTS;
    source.inputs = NULL;
    bad(tessera_events_read(&source, &callbacks, &events, &error), TESSERA_USAGE, "inputs FILE.json is needed");
    source.limit = -1;
    bad(tessera_events_read(&source, NULL, &events, &error), TESSERA_USAGE, "limit is -1");

    tessera_engine *engine;
    tessera_engine_options o = TESSERA_INIT(tessera_engine_options);
    o.path = MODEL;
    o.kind = TESSERA_INTEGER;
    bad(tessera_engine_open(&o, NULL, &engine, &error), TESSERA_USAGE, "a directory that a model was compiled into");
    assert_null(engine);
    o.kind = TESSERA_RTL;
    bad(tessera_engine_open(&o, NULL, &engine, &error), TESSERA_USAGE, "tessera_run");
    o.kind = TESSERA_FLOAT;
    o.path = at("missing.onnx");
    bad(tessera_engine_open(&o, NULL, &engine, &error), TESSERA_NO_FILE, "missing.onnx");
    o.path = EVENTS;
    bad(tessera_engine_open(&o, NULL, &engine, &error), TESSERA_BAD_FILE, "seeded.csv");
    o.size = 0;
    bad(tessera_engine_open(&o, NULL, &engine, &error), TESSERA_USAGE, "size is not set");

    memory m = memory_of(2);
    engine = engine_of(TESSERA_INTEGER, design, true);
    double *y = calloc((size_t)m.rows * 4, sizeof *y);
    m.values[1] = INFINITY;
    bad(tessera_engine_run(engine, &m.arrays, y, NULL, NULL, &error), TESSERA_USAGE, "value 1 of hit 0 of event 0 is inf");
    m.values[1] = 0;
    m.arrays.features = 2;
    bad(tessera_engine_run(engine, &m.arrays, y, NULL, NULL, &error), TESSERA_USAGE, "a hit has 2 values, not 3");
    m.arrays.features = 3;
    m.hits[0] = -1;
    assert_int_equal(tessera_engine_rows(engine, &m.arrays), -1);
    bad(tessera_engine_run(engine, &m.arrays, y, NULL, NULL, &error), TESSERA_USAGE, "-1 hits");
    free(y);
    tessera_engine_free(engine);
    tessera_engine_free(NULL);
    tessera_events_free(NULL);
    memory_free(&m);
}

/* A caller that was built when the structure was shorter: what it does not have has its default. */
static void shorter(void **state)
{
    (void)state;
    tessera_source source = source_of(EVENTS);
    source.size = offsetof(tessera_source, lengths);
    source.lengths = "never looked at";
    source.limit = -5;
    tessera_events *events;
    good(tessera_events_read(&source, NULL, &events, &error));
    assert_int_equal(tessera_events_count(events), 30);
    tessera_event ev = {.size = offsetof(tessera_event, values), .values = (const float *)(const void *)&source};
    assert_true(tessera_events_get(events, 3, &ev));
    assert_int_equal(ev.id, 3);
    assert_ptr_equal(ev.values, &source);
    tessera_events_free(events);
}

/* [2][2][3] of single precision. */
static void write_npy(const char *path, const float *values)
{
    char header[128];
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10);
    const char *text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }";
    memcpy(header + 10, text, strlen(text));
    header[127] = '\n';
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(header, 1, sizeof header, f);
    fwrite(values, sizeof *values, 12, f);
    assert_int_equal(fclose(f), 0);
}

/* Without an inputs file values are as they are; with one they are standardised. */
static void of_npy(void **state)
{
    (void)state;
    const float values[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 800};
    tessera_source source = TESSERA_INIT(tessera_source);
    tessera_events *events;
    tessera_event ev = TESSERA_INIT(tessera_event);
    write_npy(at("events.npy"), values);
    source.events = at("events.npy");
    for (int inputs = 0; inputs < 2; inputs++) {
        source.inputs = inputs ? INPUTS : NULL;
        good(tessera_events_read(&source, NULL, &events, &error));
        assert_int_equal(tessera_events_count(events), 2);
        assert_true(tessera_events_get(events, 1, &ev));
        assert_int_equal(ev.hits, 2);
        assert_int_equal(ev.features, 3);
        assert_int_equal(ev.hit_id[1], 1);
        assert_true(ev.values[5] == (inputs ? 2.0F : 800.0F));
        tessera_events_free(events);
    }
    source.inputs = TS_SOURCE_DIR "/models/trigger.inputs.json"; /* of other columns */
    source.samples = at("events.npy");
    bad(tessera_events_read(&source, NULL, &events, &error), TESSERA_USAGE, "give events FILE");
    source.events = NULL;
    source.inputs = NULL;
    bad(tessera_events_read(&source, NULL, &events, &error), TESSERA_USAGE, "a model's to say");
}

typedef struct heard {
    int warnings, steps, counts;
    int64_t last;
    char text[400];
} heard;

static void on_message(void *user, tessera_message_kind kind, const char *text)
{
    heard *h = user;
    h->warnings += kind == TESSERA_WARNING;
    snprintf(h->text, sizeof h->text, "%s", text);
}

static void on_progress(void *user, const tessera_progress *now)
{
    heard *h = user;
    h->steps += now->step && *now->step;
    if (!now->step && now->events >= 0) {
        h->counts++;
        h->last = now->events;
    }
}

static void callbacks_hear(void **state)
{
    (void)state;
    heard h = {0};
    tessera_callbacks callbacks = TESSERA_INIT(tessera_callbacks);
    callbacks.user = &h;
    callbacks.message = on_message;
    callbacks.progress = on_progress;
    tessera_source source = source_of(EVENTS);
    source.standardised = true; /* they are not */
    source.limit = LIMIT;
    tessera_run_options o = TESSERA_INIT(tessera_run_options);
    o.path = design;
    o.engine = TESSERA_FLOAT;
    o.source = &source;
    o.output = at("o.csv");
    tessera_report *report;
    good(tessera_run(&o, &callbacks, NULL, &report, &error));
    assert_string_equal(tessera_report_text(report), "");
    tessera_report_free(report);
    assert_int_equal(h.warnings, 1);
    assert_non_null(strstr(h.text, "not standardised ones?"));
    assert_true(h.steps >= 2 && h.counts > 0);
    assert_int_equal(h.last, LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_command_writes),
        cmocka_unit_test(raw_values),
        cmocka_unit_test(words),
        cmocka_unit_test(pooled),
        cmocka_unit_test(threads),
        cmocka_unit_test(all_refused),
        cmocka_unit_test(codes),
        cmocka_unit_test(shorter),
        cmocka_unit_test(of_npy),
        cmocka_unit_test(callbacks_hear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
