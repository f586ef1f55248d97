/* tessera.h on generated events, scores and profiles: files and arrays give the same figures, errors have the right codes. Against the
   public header alone. */
#include <math.h>
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
#define INPUTS TS_SOURCE_DIR "/models/seeded.inputs.json"
#define CLASSES TS_SOURCE_DIR "/models/enccla.inputs.json"
enum { EVENTS = 8, OUTPUTS = 4 };

static const char *folder;
static char truth[700], results[700];
static tessera_error error;

static void good(tessera_code code)
{
    if (code != TESSERA_OK)
        fail_msg("%d: %s", (int)code, error.message);
}

static void bad(tessera_code code, tessera_code wanted, const char *part)
{
    if (code != wanted || error.code != wanted || !strstr(error.message, part))
        fail_msg("%d (wanted %d): '%s' lacks '%s'", (int)code, (int)wanted, error.message, part);
}

/* ---- events of a simulated detector */

static tessera_generate_options made_by_seed(const char *output)
{
    tessera_generate_options o = TESSERA_INIT(tessera_generate_options);
    tessera_generate_defaults(&o);
    o.output = output;
    o.events = EVENTS;
    o.tracks_least = 4;
    o.tracks_most = 9;
    o.seed = 5;
    return o;
}

static tessera_source source_of(const char *events)
{
    tessera_source s = TESSERA_INIT(tessera_source);
    s.events = events;
    s.inputs = INPUTS;
    return s;
}

static int setup(void **state)
{
    (void)state;
    folder = scratch_new("api");
    snprintf(truth, sizeof truth, "%.512s/hits.csv", folder);
    snprintf(results, sizeof results, "%.512s/results.csv", folder);
    const tessera_generate_options g = made_by_seed(truth);
    good(tessera_generate(&g, NULL, NULL, &error));
    tessera_source source = source_of(truth);
    tessera_run_options o = TESSERA_INIT(tessera_run_options);
    o.path = MODEL;
    o.source = &source;
    o.output = results;
    good(tessera_run(&o, NULL, NULL, NULL, &error));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(folder);
    return 0;
}

static bool same_files(const char *a, const char *b)
{
    FILE *f = fopen(a, "r"), *g = fopen(b, "r");
    assert_non_null(f);
    assert_non_null(g);
    int x, y;
    do {
        x = getc(f);
        y = getc(g);
    } while (x == y && x != EOF);
    fclose(f);
    fclose(g);
    return x == y;
}

static void heard_share(void *user, const tessera_progress *now)
{
    double *last = user;
    if (!now->step)
        *last = now->fraction;
}

static void generated(void **state)
{
    (void)state;
    char again[720];
    double last = -1;
    snprintf(again, sizeof again, "%.512s/again.csv", folder);
    tessera_generate_options o = made_by_seed(again);
    tessera_callbacks callbacks = TESSERA_INIT(tessera_callbacks);
    callbacks.user = &last;
    callbacks.progress = heard_share;
    tessera_report *report;
    good(tessera_generate(&o, &callbacks, &report, &error));
    assert_true(same_files(truth, again));
    assert_float_equal(last, 1, 0);
    assert_non_null(strstr(tessera_report_text(report), "8 events in trackml-like, 2 T\n"));
    assert_non_null(strstr(tessera_report_json(report), "\"events\": 8"));
    tessera_report_free(report);
    o.seed++;
    good(tessera_generate(&o, NULL, NULL, &error));
    assert_false(same_files(truth, again));
    o.tracks_most = 1001;
    bad(tessera_generate(&o, NULL, NULL, &error), TESSERA_USAGE, "tracks 4 to 1001");
    o = made_by_seed(again);
    o.efficiency = NAN;
    bad(tessera_generate(&o, NULL, NULL, &error), TESSERA_USAGE, "efficiency is nan; expected 0 to 1");
    o = made_by_seed(again);
    o.geometry = "no-such";
    bad(tessera_generate(&o, NULL, NULL, &error), TESSERA_USAGE, "no-such");
    o = made_by_seed("/no/such/folder.csv");
    bad(tessera_generate(&o, NULL, NULL, &error), TESSERA_NOT_WRITTEN, "/no/such/folder.csv");
    o = made_by_seed(NULL);
    bad(tessera_generate(&o, NULL, NULL, &error), TESSERA_USAGE, "output");
}

/* ---- scores */

static tessera_score_item item_of(const char *file, const char *baseline)
{
    tessera_score_item item = TESSERA_INIT(tessera_score_item);
    item.file = file;
    item.baseline = baseline;
    item.inputs = file ? INPUTS : NULL;
    return item;
}

static tessera_score_options options_of(const tessera_score_item *item, int items)
{
    tessera_score_options o = TESSERA_INIT(tessera_score_options);
    o.item = item;
    o.items = items;
    o.truth = truth;
    return o;
}

static tessera_score_row row_of(const tessera_scores *scores, int index)
{
    tessera_score_row row = TESSERA_INIT(tessera_score_row);
    assert_true(tessera_scores_get(scores, index, &row));
    return row;
}

static void of_files(void **state)
{
    (void)state;
    tessera_score_item item[] = {item_of(NULL, "truth"), item_of(results, NULL)};
    char label[] = "mine"; /* what is called so is called so when the caller's text is gone */
    item[1].label = label;
    tessera_score_options o = options_of(item, 2);
    o.against = &item[1];
    tessera_scores *scores;
    tessera_report *report;
    good(tessera_score(&o, NULL, &scores, &report, &error));
    memset(label, 'x', sizeof label - 1);
    assert_int_equal(tessera_scores_count(scores), 6); /* (5, 2) and (3, 2), of `against` first */
    const tessera_score_row own = row_of(scores, 0), baseline = row_of(scores, 2), last = row_of(scores, 5);
    assert_int_equal(own.item, -1);
    assert_string_equal(own.label, "mine");
    assert_int_equal(own.min_cluster_size, 5);
    assert_int_equal(own.columns, OUTPUTS);
    assert_int_equal(own.outputs, OUTPUTS);
    assert_true(own.compared);
    assert_float_equal(own.trackml_loss.mean, 0, 0);
    assert_float_equal(own.median_difference, 0, 0);
    assert_int_equal(baseline.item, 0);
    assert_int_equal(baseline.events, EVENTS);
    assert_false(baseline.compared);
    assert_true(baseline.trackml.mean > 0.9 && baseline.trackml.mean <= 1); /* the truth itself, clustered */
    assert_true(own.trackml.mean < baseline.trackml.mean);                  /* random weights */
    assert_int_equal(last.item, 1);
    assert_int_equal(last.min_cluster_size, 3);
    assert_true(isnan(last.same_class));
    assert_false(tessera_scores_get(scores, 6, &(tessera_score_row)TESSERA_INIT(tessera_score_row)));
    assert_non_null(strstr(tessera_report_text(report), "loss against mine, paired"));
    assert_non_null(strstr(tessera_report_json(report), "\"trackml\""));
    tessera_report_free(report);
    tessera_scores_free(scores);
}

/* Candidates of the truth itself, clustered by (3, 2), are the particles. */
static void candidates(void **state)
{
    (void)state;
    tessera_score_item item[] = {item_of(NULL, "truth"), item_of(results, NULL)};
    tessera_score_options o = options_of(item, 2);
    tessera_scores *scores;
    good(tessera_score(&o, NULL, &scores, NULL, &error));
    assert_int_equal(tessera_scores_events(scores), EVENTS);
    assert_int_equal(row_of(scores, 1).min_cluster_size, 3);
    tessera_candidates c = TESSERA_INIT(tessera_candidates), model = c;
    for (int e = 0; e < EVENTS; e++) {
        assert_true(tessera_scores_candidates(scores, 1, e, &c));
        assert_true(tessera_scores_candidates(scores, 2, e, &model));
        assert_int_equal(c.id, e);
        assert_true(c.hits > 4 && model.hits == c.hits && model.hit_id == c.hit_id);
        int together = 0;
        for (int i = 0; i < c.hits; i++)
            for (int k = 0; k < i; k++) {
                assert_true(c.hit_id[i] != c.hit_id[k]);
                if (!c.particle_id[i] || !c.particle_id[k] || c.candidate[i] < 0 || c.candidate[k] < 0)
                    continue;
                assert_int_equal(c.candidate[i] == c.candidate[k], c.particle_id[i] == c.particle_id[k]);
                together += c.candidate[i] == c.candidate[k];
            }
        assert_true(together > 0);
    }
    assert_false(tessera_scores_candidates(scores, 1, EVENTS, &c));
    assert_false(tessera_scores_candidates(scores, 1, -1, &c));
    assert_false(tessera_scores_candidates(scores, tessera_scores_count(scores), 0, &c));
    assert_false(tessera_scores_candidates(NULL, 0, 0, &c));
    tessera_scores_free(scores);
}

/* Results of the engine, as an item of their own. */
typedef struct computed {
    tessera_arrays events;
    tessera_results results;
    int32_t hits[EVENTS];
    int64_t id[EVENTS];
    bool refused[EVENTS];
    int64_t *hit_id;
    double *y;
    float *x;
} computed;

static void compute(computed *c)
{
    tessera_source source = source_of(truth);
    tessera_events *events;
    int64_t rows = 0;
    *c = (computed){.events.size = sizeof c->events};
    good(tessera_events_read(&source, NULL, &events, &error));
    assert_int_equal(tessera_events_count(events), EVENTS);
    for (int e = 0; e < EVENTS; e++) {
        tessera_event ev = TESSERA_INIT(tessera_event);
        assert_true(tessera_events_get(events, e, &ev));
        c->x = realloc(c->x, (size_t)(rows + ev.hits) * 3 * sizeof *c->x);
        c->hit_id = realloc(c->hit_id, (size_t)(rows + ev.hits) * sizeof *c->hit_id);
        memcpy(c->x + 3 * rows, ev.values, (size_t)ev.hits * 3 * sizeof *c->x);
        memcpy(c->hit_id + rows, ev.hit_id, (size_t)ev.hits * sizeof *c->hit_id);
        c->hits[e] = ev.hits;
        c->id[e] = ev.id;
        rows += ev.hits;
    }
    tessera_events_free(events);
    c->events.events = EVENTS;
    c->events.features = 3;
    c->events.hits = c->hits;
    c->events.values = c->x;
    c->events.id = c->id;
    c->events.hit_id = c->hit_id;
    tessera_engine_options o = TESSERA_INIT(tessera_engine_options);
    o.path = MODEL;
    tessera_engine *engine;
    good(tessera_engine_open(&o, NULL, &engine, &error));
    c->y = calloc((size_t)rows * OUTPUTS, sizeof *c->y);
    good(tessera_engine_run(engine, &c->events, c->y, c->refused, NULL, &error));
    tessera_engine_free(engine);
    /* As a file has them: nine digits. */
    for (int64_t i = 0; i < rows * OUTPUTS; i++) {
        char text[40];
        snprintf(text, sizeof text, "%.9g", c->y[i]);
        c->y[i] = strtod(text, NULL);
    }
    c->results =
        (tessera_results){.size = sizeof c->results, .events = &c->events, .outputs = OUTPUTS, .values = c->y, .refused = c->refused};
}

static void computed_free(computed *c)
{
    free(c->x);
    free(c->y);
    free(c->hit_id);
}

static tessera_score_item item_in_memory(const computed *c)
{
    tessera_score_item item = TESSERA_INIT(tessera_score_item);
    item.results = &c->results;
    item.inputs = INPUTS;
    return item;
}

static void of_arrays(void **state)
{
    (void)state;
    computed c;
    compute(&c);
    tessera_score_item item[] = {item_of(results, NULL), item_in_memory(&c)};
    tessera_score_options o = options_of(item, 2);
    tessera_scores *scores;
    o.against = &item[0];
    good(tessera_score(&o, NULL, &scores, NULL, &error));
    assert_int_equal(tessera_scores_count(scores), 6);
    for (int i = 0; i < 2; i++) {
        const tessera_score_row file = row_of(scores, 2 + i), memory = row_of(scores, 4 + i);
        assert_memory_equal(&file.trackml, &memory.trackml, 4 * sizeof file.trackml);
        assert_true(memory.compared);
        assert_float_equal(memory.p95_difference, 0, 0);
    }
    tessera_scores_free(scores);

    /* Without an inputs file all outputs are clustered, which here is the same. */
    item[1].inputs = NULL;
    o.against = NULL;
    good(tessera_score(&o, NULL, &scores, NULL, &error));
    const tessera_score_row file = row_of(scores, 0), memory = row_of(scores, 2);
    assert_memory_equal(&file.trackml, &memory.trackml, 4 * sizeof file.trackml);
    tessera_scores_free(scores);

    /* Refused events have no results. */
    c.refused[2] = true;
    bad(tessera_score(&o, NULL, &scores, NULL, &error), TESSERA_BAD_FILE, "event 2 of");
    assert_null(scores);
    o.subset = true;
    good(tessera_score(&o, NULL, &scores, NULL, &error));
    assert_int_equal(row_of(scores, 0).events, EVENTS - 1);
    tessera_scores_free(scores);
    computed_free(&c);
}

static void arrays_that_cannot_be(void **state)
{
    (void)state;
    computed c;
    compute(&c);
    tessera_score_item item = item_in_memory(&c);
    const tessera_score_options o = options_of(&item, 1);
    c.y[7] = NAN;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_BAD_FILE, "value 3 of hit");
    c.y[7] = 0;
    c.hit_id[0] += 1000000;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_BAD_FILE, "results of other events?");
    c.hit_id[0] = c.hit_id[1];
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_BAD_FILE, "stands twice in event 0");
    c.results.outputs = 3;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_BAD_FILE, "have 3 outputs, but");
    c.results.values = NULL;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_USAGE, "results: values");
    computed_free(&c);
}

static void items_that_cannot_be(void **state)
{
    (void)state;
    tessera_score_item item[] = {item_of(results, NULL), item_of(NULL, "truth")};
    tessera_score_options o = options_of(item, 0);
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_USAGE, "1 to 64 results");
    o = options_of(item, 2);
    o.truth = NULL;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_USAGE, "truth");
    o.truth = INPUTS;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_BAD_FILE, "seeded.inputs.json");
    o.truth = truth;
    o.against = &item[1];
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_USAGE, "against takes a results file");
    o.against = NULL;
    item[1].baseline = "guess";
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_USAGE, "unknown baseline 'guess'");
    item[1].file = results;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_USAGE, "one of file, results and baseline");
    item[1] = item_of(NULL, "binned");
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_USAGE, "needs an inputs file with \"bins\"");
    item[1].inputs = CLASSES;
    good(tessera_score(&o, NULL, NULL, NULL, &error));
    item[1].file = "missing.csv";
    item[1].baseline = NULL;
    item[1].inputs = NULL;
    bad(tessera_score(&o, NULL, NULL, NULL, &error), TESSERA_NO_FILE, "missing.csv");
    tessera_scores_free(NULL);
    assert_int_equal(tessera_scores_count(NULL), 0);
}

/* ---- profile */

static void profiled(void **state)
{
    (void)state;
    char directory[720];
    const char *const device[] = {"zcu102"};
    tessera_source source = source_of(truth);
    tessera_compile_options c = TESSERA_INIT(tessera_compile_options);
    snprintf(directory, sizeof directory, "%.512s/design", folder);
    c.model = MODEL;
    c.output = directory;
    c.device = device;
    c.devices = 1;
    c.source = &source;
    good(tessera_compile(&c, NULL, NULL, &error));
    tessera_profile_options o = TESSERA_INIT(tessera_profile_options);
    o.directory = directory;
    o.source = &source;
    source.limit = 3;
    tessera_report *report, *all;
    good(tessera_profile(&o, NULL, &report, &error));
    assert_ptr_equal(strstr(tessera_report_text(report), "3 events, "), tessera_report_text(report));
    assert_non_null(strstr(tessera_report_json(report), "\"snr_db\""));
    assert_non_null(strstr(tessera_report_text(report), "(all shows them)"));
    o.all = true;
    good(tessera_profile(&o, NULL, &all, &error));
    assert_true(strlen(tessera_report_text(all)) > strlen(tessera_report_text(report)));
    tessera_report_free(report);
    tessera_report_free(all);
    o.directory = folder;
    bad(tessera_profile(&o, NULL, &report, &error), TESSERA_NO_FILE, "not a compiled design");
    assert_null(report);
    o.directory = truth;
    bad(tessera_profile(&o, NULL, NULL, &error), TESSERA_NO_FILE, "a directory that a model was compiled into");
    o.directory = NULL;
    bad(tessera_profile(&o, NULL, NULL, &error), TESSERA_USAGE, "directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated),
        cmocka_unit_test(of_files),
        cmocka_unit_test(candidates),
        cmocka_unit_test(of_arrays),
        cmocka_unit_test(arrays_that_cannot_be),
        cmocka_unit_test(items_that_cannot_be),
        cmocka_unit_test(profiled),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
