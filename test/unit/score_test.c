/* Scores of constructed events with known values, the same figures counted another way on random candidates; results files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "physics/rng.h"
#include "physics/score.h"

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

/* ---- Candidates against particles */

enum { ROOM = 64 };

/* particles and candidates are strings, a letter a hit: the same letter is the same particle, '0' is none; '.' is no candidate. */
static ts_score score(const char *particles, const char *candidates)
{
    int64_t id[ROOM];
    double weight[ROOM];
    int32_t label[ROOM];
    const int n = (int)strlen(particles);
    assert_int_equal(n, strlen(candidates));
    for (int i = 0; i < n; i++) {
        id[i] = particles[i] == '0' ? 0 : particles[i];
        weight[i] = 1;
        label[i] = candidates[i] == '.' ? -1 : candidates[i];
    }
    return ts_score_candidates(&(ts_truth_event){.n = n, .particle_id = id, .weight = weight}, label);
}

static void expect(const char *particles, const char *candidates, double trackml, double perfect, double double_majority, double lhc)
{
    const ts_score s = score(particles, candidates);
    const double wanted[TS_METRICS] = {
        [TS_TRACKML] = trackml, [TS_PERFECT] = perfect, [TS_DOUBLE_MAJORITY] = double_majority, [TS_LHC] = lhc};
    assert_true(s.defined);
    for (ts_metric m = 0; m < TS_METRICS; m++)
        if (fabs(s.value[m] - wanted[m]) > 1e-15)
            fail_msg("%s as %s: %s is %.17g, expected %.17g", particles, candidates, ts_metric_name(m), s.value[m], wanted[m]);
}

static void constructed_events(void **state)
{
    (void)state;
    expect("aaaabbbbb", "xxxxyyyyy", 1, 1, 1, 1);
    expect("aaaabbbbb", ".........", 0, 0, 0, 0); /* no candidate at all */
    /* Exactly half is not a majority: of the candidate, of the particle. */
    expect("aaabbb", "xxxxxx", 0, 0, 0, 0);
    expect("aaaaaa", "xxxyyy", 0, 0, 0, 1);
    expect("aaaaaaa", "xxxxyyy", 4. / 7, 0, 1, 1);
    /* Two merged particles, one with most of the hits: matched, purity 5/8. */
    expect("aaaaabbb", "xxxxxxxx", 5. / 8, 0, 0.5, 0);
    /* Purity of exactly 3/4 is not above it; 4/5 is. */
    expect("aaab", "xxxx", 3. / 4, 0, 0.5, 0);
    expect("aaaab", "xxxxx", 4. / 5, 0, 0.5, 1);
    /* Particles of one and two hits: candidates of fewer than three hits weigh in trackml and count nowhere else, particles do. */
    expect("abbccc", "xyyzzz", 1, 1. / 3, 1. / 3, 1);
    expect("aabb", "xxyy", 1, 0, 0, 0);
    /* A hit of no particle dilutes; it is never matched and weighs nothing, but such a candidate is one. */
    expect("aaa000", "xxxx..", 1, 0, 1, 0);
    expect("aaa0", "xxxx", 1, 0, 1, 0);
    expect("aaaaa0", "xxxxxx", 1, 0, 1, 1);
    expect("aaa000", "xxxyyy", 1, 1, 1, 0.5);
    expect("aaa000", "xxxxxx", 0, 0, 0, 0);
    expect("aaa0000", "xxxx...", 1, 0, 1, 0);
    /* Most of the candidate is noise, b is the first of the particles: 3 of 7 is no majority. */
    expect("bbb0000", "xxxxxxx", 0, 0, 0, 0);
    /* One particle in two candidates, of which only one can have more than half. */
    expect("aaaaaaabbb", "xxxxyyyzzz", 7. / 10, 0.5, 1, 1);
    expect("aaaa", "xxx.", 3. / 4, 0, 1, 1); /* all of its hits, but not all: not perfect */
    expect("a", "x", 1, 0, 0, 0);
    expect("a", ".", 0, 0, 0, 0);
}

static void weights_and_ids(void **state)
{
    (void)state;
    /* Ids that differ by one beyond what a double can hold are two particles. */
    const int64_t id[] = {806149074943213568, 806149074943213568, 806149074943213568, 806149074943213569, -5, -5, -5};
    const double weight[] = {0.5, 0, 0.25, 0.25, 1, 1, 1};
    const int32_t label[] = {7, 7, 7, 7, 0, 0, 0};
    const ts_truth_event event = {.n = 7, .particle_id = id, .weight = weight};
    const ts_score s = ts_score_candidates(&event, label);
    assert_true(s.value[TS_TRACKML] == 3.75 / 4 && s.value[TS_PERFECT] == 1. / 3 && s.value[TS_DOUBLE_MAJORITY] == 2. / 3 &&
                s.value[TS_LHC] == 0.5);
}

static void nothing_to_find_is_no_score(void **state)
{
    (void)state;
    assert_false(score("", "").defined);
    assert_false(score("000", "xxx").defined);
    const ts_truth_event weightless = {.n = 1, .particle_id = (const int64_t[]){4}, .weight = (const double[]){0}};
    assert_false(ts_score_candidates(&weightless, (const int32_t[]){0}).defined);
}

/* The definitions once more, candidate by candidate and particle by particle, no sorting. */
static void counted_another_way(void **state)
{
    (void)state;
    for (uint64_t trial = 0; trial < 3000; trial++) {
        ts_rng r = ts_rng_make(21, trial, 0);
        const int n = 1 + (int)(ts_rng_uniform(&r) * (ROOM - 1)), kinds = 1 + (int)(ts_rng_uniform(&r) * 12);
        int64_t id[ROOM];
        double weight[ROOM], total = 0, found = 0;
        int32_t label[ROOM];
        for (int i = 0; i < n; i++) {
            id[i] = (int64_t)(ts_rng_uniform(&r) * kinds);
            label[i] = ts_rng_uniform(&r) < 0.7 ? (int32_t)id[i] : (int32_t)(ts_rng_uniform(&r) * 6) - 1;
            weight[i] = ts_rng_uniform(&r);
            total += id[i] ? weight[i] : 0;
        }
        int particles = 0, tracks = 0, perfect = 0, matched = 0, pure = 0;
        for (int64_t p = 1; p < kinds; p++) {
            int hits = 0;
            for (int i = 0; i < n; i++)
                hits += id[i] == p;
            particles += hits > 0;
            for (int32_t c = 0; c < 12; c++) {
                int size = 0, both = 0;
                double w = 0;
                for (int i = 0; i < n; i++) {
                    size += label[i] == c;
                    both += label[i] == c && id[i] == p;
                    w += label[i] == c && id[i] == p ? weight[i] : 0;
                }
                const double purity = size ? (double)both / size : 0, fraction = hits ? (double)both / hits : 0;
                found += purity > 0.5 && fraction > 0.5 ? w : 0;
                matched += size >= 3 && purity > 0.5 && fraction > 0.5;
                perfect += size >= 3 && purity == 1 && fraction == 1;
                pure += size >= 3 && purity > 0.75;
            }
        }
        for (int32_t c = 0; c < 12; c++) {
            int size = 0;
            for (int i = 0; i < n; i++)
                size += label[i] == c;
            tracks += size >= 3;
        }
        const ts_score s = ts_score_candidates(&(ts_truth_event){.n = n, .particle_id = id, .weight = weight}, label);
        assert_true(s.defined == (particles > 0));
        if (!s.defined)
            continue;
        assert_true(fabs(s.value[TS_TRACKML] - found / total) < 1e-12);
        assert_true(s.value[TS_PERFECT] == (double)perfect / particles && s.value[TS_DOUBLE_MAJORITY] == (double)matched / particles);
        assert_true(s.value[TS_LHC] == (tracks ? (double)pure / tracks : 0));
    }
}

/* ---- Means, losses, differences */

static void errors_are_over_events(void **state)
{
    (void)state;
    const ts_score real[4] = {{true, {0.5}}, {true, {0.7}}, {false, {0}}, {true, {0.9}}},
                   quantised[4] = {{true, {0.4}}, {true, {0.7}}, {false, {0}}, {true, {0.8}}};
    const ts_estimate mean = ts_score_mean(4, real, TS_TRACKML), loss = ts_score_loss(4, real, quantised, TS_TRACKML);
    assert_int_equal(mean.events, 3);
    assert_true(fabs(mean.mean - 0.7) < 1e-15 && fabs(mean.error - 0.2 / sqrt(3)) < 1e-15);
    /* Losses 0.1, 0, 0.1: mean 1/15, sample variance 1/300. */
    assert_true(fabs(loss.mean - 1. / 15) < 1e-15 && fabs(loss.error - sqrt(1. / 300 / 3)) < 1e-15);
    assert_true(isnan(ts_score_mean(1, real, TS_TRACKML).error) && isnan(ts_score_mean(0, real, TS_TRACKML).mean));
}

static int by_value(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static void differences_by_rank(void **state)
{
    (void)state;
    /* One output with values -1, 1 (std 1), and one that never varies (0.1 summed and divided is not 0.1, and must not be a spread). */
    const double reference[] = {-1, 0.1, 1, 0.1, -1, 0.1, 1, 0.1}, y[] = {-1.5, 9, 1, 9, -1.1, 9, 1.3, 9};
    const ts_difference d = ts_output_difference(2, (const int[]){3, 1}, 2, (const double *const[]){y, y + 6},
                                                 (const double *const[]){reference, reference + 6});
    assert_int_equal(d.constant, 1);
    assert_true(fabs(d.median - 0.2) < 1e-12); /* of 0, 0.1, 0.3, 0.5 */
    assert_true(fabs(d.p95 - (0.3 + 0.85 * 0.2)) < 1e-12);
    assert_true(
        isnan(ts_output_difference(1, (const int[]){3}, 2, (const double *const[]){NULL}, (const double *const[]){reference}).median));
    for (uint64_t trial = 0; trial < 300; trial++) {
        ts_rng r = ts_rng_make(22, trial, 0);
        const int n = 2 + (int)(ts_rng_uniform(&r) * 200);
        double a[202], b[202], sorted[202], mean = 0, std = 0;
        for (int i = 0; i < n; i++) {
            b[i] = i % 2 ? 1 : floor(ts_rng_uniform(&r) * 7);
            a[i] = b[i] + floor(ts_rng_uniform(&r) * (trial % 2 ? 5 : 1e6));
            mean += b[i] / n;
        }
        for (int i = 0; i < n; i++)
            std += (b[i] - mean) * (b[i] - mean) / n;
        for (int i = 0; i < n; i++)
            sorted[i] = fabs(a[i] - b[i]) / sqrt(std);
        qsort(sorted, (size_t)n, sizeof *sorted, by_value);
        const ts_difference got = ts_output_difference(1, &n, 1, (const double *const[]){a}, (const double *const[]){b});
        if (std == 0)
            continue;
        const double rank = 0.95 * (n - 1), median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
        const int low = (int)rank, high = low + 1 < n ? low + 1 : low;
        const double p95 = sorted[low] + (rank - low) * (sorted[high] - sorted[low]);
        assert_true(fabs(got.median - median) <= 1e-9 * (1 + median) && fabs(got.p95 - p95) <= 1e-9 * (1 + p95));
    }
}

/* ---- Outputs to candidates */

static void argmax_skips_ignored_classes(void **state)
{
    (void)state;
    const ts_inputs in = {.classification = true, .outputs = 4, .ignore_count = 2, .ignore = (const int[]){0, 2}};
    const double y[] = {9, 1, 9, 2, 9, 3, 9, 3, 0, -2, 0, -3};
    int32_t label[3];
    ts_candidates_argmax(&in, 3, y, label);
    assert_true(label[0] == 3 && label[1] == 1 && label[2] == 1); /* the lowest index wins ties */
    assert_int_equal(ts_candidates_classes(&in, 3, (const double[]){2, 3, 0}, label), 2);
    assert_true(label[0] == -1 && label[1] == 3 && label[2] == -1);
    const ts_inputs none = {.classification = true, .outputs = 1, .ignore_count = 1, .ignore = (const int[]){0}};
    ts_candidates_argmax(&none, 1, y, label);
    assert_int_equal(label[0], -1);
}

static void bins_of_directions(void **state)
{
    (void)state;
    const double edge[] = {0, 1, 2, 3.14159265358979};
    const ts_bins bins = {.phis = 4, .thetas = 3, .edge = edge};
    assert_int_equal(ts_bins_class(&bins, (const double[]){0, 0, 1}), 1);
    assert_int_equal(ts_bins_class(&bins, (const double[]){1, 0, 0}), 2);
    assert_int_equal(ts_bins_class(&bins, (const double[]){0, 1, 0}), 1 + 3 + 1); /* phi = pi/2 opens the second bin */
    assert_int_equal(ts_bins_class(&bins, (const double[]){1, -1, -9}), 1 + 9 + 2);
    assert_int_equal(ts_bins_class(&bins, (const double[]){1, -1e-300, 0}), 1 + 9 + 1); /* just below a full turn */
    assert_int_equal(ts_bins_class(&bins, (const double[]){-1, 0, -1e-9}), 1 + 6 + 1);
    assert_int_equal(ts_bins_class(&bins, (const double[]){1, 0, -1e9}), 3); /* at the last edge */
    const double quarter[] = {0, atan2(1, 0), 4};
    const ts_bins halves = {.phis = 1, .thetas = 2, .edge = quarter};
    assert_int_equal(ts_bins_class(&halves, (const double[]){1, 0, 0}), 2); /* on an edge: the bin that it opens */
}

/* Two particles back to back, three hits each, and one hit of none: what each baseline makes of them. */
static void baselines(void **state)
{
    (void)state;
    const int64_t id[] = {5, 5, 5, 6, 6, 6, 0};
    const double weight[] = {1, 1, 1, 1, 1, 1, 1}, charge[] = {1, 1, 1, -1, -1, -1, 0};
    const double position[] = {1, 0, 0, 2, 0.1, 0, 3, 0.2, 0, -1, 0, 0, -2, 0.1, 0, -3, 0.2, 0, 0, 5, 0};
    const double momentum[] = {1, 0, 0, 1, 0, 0, 1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, 0, 0, 0};
    const double edge[] = {0, 1, 4};
    const ts_bins bins = {.phis = 2, .thetas = 2, .edge = edge};
    const ts_clustering clustering = {.min_cluster_size = 3, .min_samples = 1};
    const ts_truth_event event = {
        .n = 7, .particle_id = id, .weight = weight, .position = position, .momentum = momentum, .charge = charge};
    static const int32_t wanted[TS_BASELINES][7] = {
        [TS_BASELINE_ANGLES] = {0, 0, 0, 1, 1, 1, 0}, /* the lone hit is as near to both sides: lower indices */
        [TS_BASELINE_TRUTH] = {0, 0, 0, 1, 1, 1, -1},
        [TS_BASELINE_BINNED] = {2, 2, 2, 4, 2, 2, 2}, /* phi of the fourth hit is pi, that of the others below */
        [TS_BASELINE_CLASSES] = {2, 2, 2, 4, 4, 4, -1},
    };
    for (ts_baseline b = 0; b < TS_BASELINES; b++) {
        int32_t label[7];
        ts_candidates_baseline(b, &event, &clustering, &bins, label);
        for (int i = 0; i < 7; i++)
            if (label[i] != wanted[b][i])
                fail_msg("baseline %s, hit %d: %d, expected %d", ts_baseline_name(b), i, label[i], wanted[b][i]);
    }
}

/* ---- Files */

static const char truth_text[] = "event_id,hit_id,x,y,z,particle_id,weight,px,py,pz,q\n"
                                 "7,1,1,0,0,806149074943213568,1,1,0,0,1\n"
                                 "7,2,1,0,0,806149074943213569,0.5,1,0,0,1\n"
                                 "9,1,1,0,0,0,1,1,0,0,1\n"
                                 "7,3,1,0,0,-3,0,1,2,0,-1\n";

static const ts_truth *load_truth(const char *text, const char *mask, ts_err *err)
{
    ts_err werr = {""};
    assert_true(ts_file_write("truth.csv", text, strlen(text), &werr));
    return ts_truth_load(arena, "truth.csv", mask, err);
}

static const ts_inputs *load_inputs(const char *tail, ts_err *err)
{
    ts_err werr = {""};
    const char *json = ts_printf(arena, "{\"inputs\": [{\"column\": \"x\"}], %s}", tail);
    assert_true(ts_file_write("score.json", json, strlen(json), &werr));
    return ts_inputs_load(arena, "score.json", err);
}

static void expect_part(const ts_err *err, const char *part)
{
    if (!strstr(err->msg, part))
        fail_msg("expected '%s' in: %s", part, err->msg);
}

static void truth_is_read(void **state)
{
    (void)state;
    ts_err err = {""};
    const ts_truth *t = load_truth(truth_text, NULL, &err);
    assert_string_equal(err.msg, "");
    assert_true(t->count == 2 && t->hits == 4 && t->event[0].n == 3 && t->event[0].id == 7 && t->event[1].id == 9);
    assert_true(t->event[0].particle_id[1] - t->event[0].particle_id[0] == 1);
    assert_true(t->event[0].hit_id[2] == 3 && t->event[0].momentum[3 * 2 + 1] == 2 && t->event[0].charge[2] == -1 &&
                t->event[0].weight[1] == 0.5);
    int e, i;
    assert_true(ts_truth_find(t, 7, 3, &e, &i) && e == 0 && i == 2);
    assert_true(ts_truth_find(t, 9, 1, &e, &i) && e == 1 && i == 0);
    assert_false(ts_truth_find(t, 9, 2, &e, &i) || ts_truth_find(t, 8, 1, &e, &i));
    /* Masked hits are found and are not there. */
    t = load_truth("event_id,hit_id,particle_id,weight,pad\n1,1,5,1,1\n1,2,5,1,0\n2,1,5,1,1\n", "pad", &err);
    assert_true(t->count == 2 && t->event[0].n == 1 && t->event[0].hit_id[0] == 2 && t->event[1].n == 0 && !t->event[0].position);
    assert_true(ts_truth_find(t, 1, 1, &e, &i) && i == -1);
    assert_false(ts_baseline_possible(TS_BASELINE_TRUTH, t, &err));
    expect_part(&err, "needs columns px, py, pz");
}

static void bad_truth(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "the file is empty"},
        {"event_id,hit_id,weight\n1,1,1\n", "column 'particle_id' is missing"},
        {"event_id,hit_id,particle_id\n1,1,1\n", "column 'weight' is missing"},
        {"hit_id,particle_id,weight\n1,1,1\n", "column 'event_id' is missing"},
        {"event_id,hit_id,particle_id,weight,weight\n1,1,1,1,1\n", "'weight' stands twice"},
        {"event_id,hit_id,particle_id,weight\n", "no hits"},
        {"event_id,hit_id,particle_id,weight\n1,1,1,1\n1,1,2,1\n", "hit 1 stands twice in event 1"},
        {"event_id,hit_id,particle_id,weight\n1,1,1e18,1\n", "truth.csv:2: column particle_id is '1e18', not a 64-bit integer"},
        {"event_id,hit_id,particle_id,weight\n1,1,99999999999999999999,1\n", "not a 64-bit integer"},
        {"event_id,hit_id,particle_id,weight\n1,1,1,nan\n", "weight is 'nan'"},
        {"event_id,hit_id,particle_id,weight\n1,1,1,-1\n", "weight is negative"},
        {"event_id,hit_id,particle_id,weight\n1,1,1\n", "3 values, but the header has 4"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_err err = {""};
        assert_null(load_truth(bad[i][0], NULL, &err));
        expect_part(&err, bad[i][1]);
    }
    ts_err err = {""};
    assert_null(load_truth(truth_text, "padding", &err));
    expect_part(&err, "column 'padding' is missing");
}

static ts_results *read_results(const char *text, const ts_inputs *in, ts_err *err)
{
    ts_err werr = {""}, terr = {""};
    assert_true(ts_file_write("results.csv", text, strlen(text), &werr));
    const ts_truth *truth = load_truth(truth_text, NULL, &terr);
    return ts_results_read(arena, "results.csv", in, truth, err);
}

static void results_are_matched_by_ids(void **state)
{
    (void)state;
    ts_err err = {""};
    const ts_inputs *in = load_inputs("\"task\": \"regression\", \"outputs\": [\"a\", \"b\"]", &err);
    assert_true(in->cluster.columns == 2 && in->cluster.min_cluster_size == 5 && in->cluster.min_samples == 2);
    ts_results *r = read_results("hit_id,b,event_id,a\r\n3,30,7,3\r\n1,10,7,1\r\n2,20,7,2\r\n", in, &err);
    assert_string_equal(err.msg, "");
    assert_true(r->kind == TS_RESULT_VALUES && r->width == 2 && r->y[1] == NULL);
    for (int i = 0; i < 3; i++)
        assert_true(r->y[0][2 * i] == i + 1 && r->y[0][2 * i + 1] == 10 * (i + 1));

    const ts_inputs *classes = load_inputs("\"task\": \"classification\", \"outputs\": 2, \"ignore_classes\": [0]", &err);
    r = read_results("event_id,hit_id,class,value\n9,1,1,0.5\n", classes, &err);
    assert_true(r->kind == TS_RESULT_CLASS && r->width == 1 && r->y[0] == NULL && r->y[1][0] == 1);
    r = read_results("event_id,hit_id,logit1,logit0\n9,1,1,0.5\n", classes, &err);
    assert_true(r->kind == TS_RESULT_VALUES && r->width == 2 && r->y[1][0] == 0.5 && r->y[1][1] == 1);

    /* Without an inputs file the header says what it is. */
    in = ts_results_inputs(arena, "results.csv", &err);
    assert_true(in->classification && in->outputs == 2 && in->ignore_count == 0);
    assert_null(read_results("event_id,hit_id,u,v\n9,1,1,0.5\n", classes, &err)); /* no classes in it */
    in = ts_results_inputs(arena, "results.csv", &err);
    assert_true(!in->classification && in->outputs == 2 && strcmp(in->output[1], "v") == 0 && in->cluster.columns == 2);
}

static void bad_results(void **state)
{
    (void)state;
    ts_err ok = {""};
    const ts_inputs *in = load_inputs("\"task\": \"regression\", \"outputs\": [\"a\"]", &ok);
    static const char *const bad[][2] = {
        {"", "the file is empty"},
        {"event_id,hit_id\n9,1\n", "column 'a' is missing; it is needed as one of the model's outputs"},
        {"event_id,a\n9,1\n", "one result a hit, not one an event"},
        {"event_id,hit_id,a\n9,2,0\n", "results.csv:2: hit 2 of event 9 is not in truth.csv"},
        {"event_id,hit_id,a\n8,1,0\n", "hit 1 of event 8 is not in"},
        {"event_id,hit_id,a\n9,1,0\n9,1,0\n", "results.csv:3: hit 1 stands twice in event 9"},
        {"event_id,hit_id,a\n7,1,0\n7,3,0\n", "hit 2 of event 7 is missing"},
        {"event_id,hit_id,a\n9,1,nan\n", "results.csv:2: column a is 'nan', not a finite number"},
        {"event_id,hit_id,a\n9,1,-inf\n", "not a finite number"},
        {"event_id,hit_id,a\n9,1,\n", "a is ''"},
        {"event_id,hit_id,a\n9,1.0,0\n", "hit_id is '1.0', not a 64-bit integer"},
        {"event_id,hit_id,a\n9,1\n", "2 values, but the header has 3"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_err err = {""};
        assert_null(read_results(bad[i][0], in, &err));
        expect_part(&err, bad[i][1]);
    }
    const ts_inputs *classes = load_inputs("\"task\": \"classification\", \"outputs\": 3", &ok);
    static const char *const wrong[] = {"3", "-1", "1.5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ts_err err = {""};
        assert_null(read_results(ts_printf(arena, "event_id,hit_id,class,value\n9,1,%s,1\n", wrong[i]), classes, &err));
        expect_part(&err, "is not a class from 0 to 2");
    }
    ts_err err = {""};
    assert_null(read_results("event_id,hit_id,logit0\n9,1,1\n", classes, &err));
    expect_part(&err, "column 'logit1' is missing");
}

static void inputs_of_clusterers_and_bins(void **state)
{
    (void)state;
#define REGRESSION "\"task\": \"regression\", \"outputs\": [\"a\", \"b\"], \"cluster\": "
#define CLASSES "\"task\": \"classification\", \"outputs\": 7, \"bins\": "
    ts_err err = {""};
    const ts_inputs *in = load_inputs(REGRESSION "{\"method\": \"hdbscan\", \"columns\": [\"b\"], \"min_cluster_size\": 3}", &err);
    assert_true(in->cluster.columns == 1 && in->cluster.column[0] == 1 && in->cluster.min_cluster_size == 3 &&
                in->cluster.min_samples == 2);
    in = load_inputs(CLASSES "{\"phi\": 3, \"theta\": [0, 1.5, 3.2]}", &err);
    assert_true(in->bins->phis == 3 && in->bins->thetas == 2 && in->bins->edge[2] == 3.2);
    static const char *const bad[][2] = {
        {REGRESSION "{\"method\": \"dbscan\"}", "cluster.method must be \"hdbscan\""},
        {REGRESSION "{\"method\": \"hdbscan\", \"columns\": []}", "must be a list of outputs"},
        {REGRESSION "{\"method\": \"hdbscan\", \"columns\": [\"c\"]}", "(c) is not one of the outputs"},
        {REGRESSION "{\"method\": \"hdbscan\", \"columns\": [\"a\", \"a\"]}", "names 'a' twice"},
        {REGRESSION "{\"method\": \"hdbscan\", \"min_cluster_size\": 1}", "min_cluster_size must be an integer from 2"},
        {REGRESSION "{\"method\": \"hdbscan\", \"min_samples\": 0}", "min_samples must be an integer from 1"},
        {CLASSES "{\"phi\": 3}", "must be {\"phi\""},
        {CLASSES "{\"phi\": 3, \"theta\": [0, 1, 2, 3]}", "3 of phi times 3 of theta (4 edges)"},
        {CLASSES "{\"phi\": 3, \"theta\": [0, 2, 1]}", "bins.theta[2] must be a number above the one before"},
        {"\"task\": \"classification\", \"outputs\": 7, \"cluster\": {\"method\": \"hdbscan\"}", "belongs to a regression"},
        {"\"task\": \"regression\", \"outputs\": [\"a\"], \"bins\": {\"phi\": 3, \"theta\": [0, 1]}", "belongs to a classification"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ts_err failed = {""};
        assert_null(load_inputs(bad[i][0], &failed));
        expect_part(&failed, bad[i][1]);
    }
}

/* The way of a search within one process: truth and outputs in, a score out; the noise of the clusterer is no candidate. */
static void outputs_are_scored(void **state)
{
    (void)state;
    double y[2 * 13];
    int64_t id[13];
    double weight[13];
    for (int i = 0; i < 13; i++) {
        id[i] = 1 + i / 6;
        weight[i] = 1;
        y[2 * i] = i < 12 ? (i / 6) * 10 + 0.01 * (i % 6) : 1e4;
        y[2 * i + 1] = 1e6 * i; /* an output that is not clustered */
    }
    ts_err err = {""};
    const ts_inputs *in = load_inputs(REGRESSION "{\"method\": \"hdbscan\", \"columns\": [\"a\"]}", &err);
    const ts_truth_event event = {.n = 13, .particle_id = id, .weight = weight};
    const ts_score s = ts_score_outputs(&event, in, NULL, y);
    assert_true(s.defined && s.value[TS_TRACKML] == 12. / 13 && s.value[TS_PERFECT] == 2. / 3 && s.value[TS_LHC] == 1);
    const ts_clustering big = {.columns = 1, .column = (const int[]){0}, .min_cluster_size = 7, .min_samples = 2};
    assert_true(ts_score_outputs(&event, in, &big, y).value[TS_TRACKML] == 0);
    const ts_truth_event one = {.n = 1, .particle_id = id, .weight = weight}, none = {.n = 0, .particle_id = id, .weight = weight};
    assert_true(ts_score_outputs(&one, in, NULL, y).value[TS_TRACKML] == 0); /* a lone hit is the clusterer's noise */
    assert_false(ts_score_outputs(&none, in, NULL, y).defined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constructed_events),
        cmocka_unit_test(weights_and_ids),
        cmocka_unit_test(nothing_to_find_is_no_score),
        cmocka_unit_test(counted_another_way),
        cmocka_unit_test(errors_are_over_events),
        cmocka_unit_test(differences_by_rank),
        cmocka_unit_test(argmax_skips_ignored_classes),
        cmocka_unit_test(bins_of_directions),
        cmocka_unit_test(baselines),
        cmocka_unit_test(truth_is_read),
        cmocka_unit_test(bad_truth),
        cmocka_unit_test(results_are_matched_by_ids),
        cmocka_unit_test(bad_results),
        cmocka_unit_test(inputs_of_clusterers_and_bins),
        cmocka_unit_test(outputs_are_scored),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
