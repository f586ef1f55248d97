/* Which events choose, what formats cost, the search for formats, and what formats do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "search/products.h"
#include "search/profile.h"
#include "search/search.h"
#include "small_model.h"

enum { HITS = 12, EVENTS = 30, PARTICLES = 40 };

static int setup(void **state)
{
    *state = ts_arena_new();
    return 0;
}

static int teardown(void **state)
{
    ts_arena_free(*state);
    return 0;
}

/* ---- events ---- */

/* EVENTS events of HITS hits, the second without any. Hit h of event e is of particle 1 + (e + h) % PARTICLES, whose momentum is its own.
 */
static const ts_events *make_events(ts_arena *arena, const ts_encoder *enc, int count, const ts_truth **truth)
{
    ts_event *event = TS_NEW_N(arena, ts_event, count);
    ts_truth_event *true_event = TS_NEW_N(arena, ts_truth_event, count);
    for (int e = 0; e < count; e++) {
        const int n = e == 1 ? 0 : HITS;
        event[e] = (ts_event){.id = 100 + e, .n = n, .x = small_event(arena, enc, HITS, (uint64_t)e + 7)};
        int64_t *hit = TS_NEW_N(arena, int64_t, HITS), *particle = TS_NEW_N(arena, int64_t, HITS);
        double *weight = TS_NEW_N(arena, double, HITS), *momentum = TS_NEW_N(arena, double, 3 * HITS);
        for (int h = 0; h < HITS; h++) {
            hit[h] = h;
            particle[h] = 1 + (e + h) % PARTICLES;
            weight[h] = 1;
            for (int c = 0; c < 3; c++)
                momentum[3 * h + c] = (double)particle[h] * (c + 1);
        }
        true_event[e] =
            (ts_truth_event){.id = event[e].id, .n = n, .hit_id = hit, .particle_id = particle, .weight = weight, .momentum = momentum};
    }
    ts_events *events = TS_NEW(arena, ts_events);
    *events = (ts_events){.path = "made.csv", .count = count, .features = enc->features, .event = event};
    ts_truth *all = TS_NEW(arena, ts_truth);
    *all = (ts_truth){.path = "made.csv", .count = count, .event = true_event};
    *truth = all;
    return events;
}

static const ts_encoder_shape shape = {
    .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 2, .layers = 2, .act = TS_ACT_RELU};

static int uses(const ts_sample *sample, int64_t id)
{
    int count = 0;
    for (int e = 0; e < sample->events; e++)
        count += sample->id[e] == id;
    return count;
}

static void mark_particles(const ts_sample *sample, int *seen, int as)
{
    for (int e = 0; e < sample->events; e++)
        for (int h = 0; h < sample->n[e]; h++) {
            const int64_t p = sample->truth[e].particle_id[h];
            assert_true(seen[p] == 0 || seen[p] == as); /* no particle is in two samples */
            seen[p] = as;
        }
}

static void test_split(void **state)
{
    ts_arena *arena = *state;
    ts_err err = {""};
    const ts_truth *truth;
    const ts_events *events = make_events(arena, ts_encoder_random(arena, &shape, 1), EVENTS, &truth);
    ts_split split, again;
    const ts_split_options wish = {.calibrate = 9, .select = 10, .seed = 3};
    assert_true(ts_split_events(arena, events, NULL, &wish, &split, &err));
    assert_int_equal(split.calibration.events, 9);
    assert_int_equal(split.selection.events, 10);
    assert_int_equal(split.test.events, EVENTS - 1 - 19);
    assert_false(split.reused);
    assert_int_equal(split.calibration.id[1], 102); /* in order, the empty event left out */
    for (int e = 0; e < EVENTS; e++)
        assert_int_equal(uses(&split.calibration, 100 + e) + uses(&split.selection, 100 + e) + uses(&split.test, 100 + e), e != 1);
    assert_true(ts_split_events(arena, events, NULL, &wish, &again, &err));
    for (int e = 0; e < 10; e++)
        assert_int_equal(split.selection.id[e], again.selection.id[e]);

    /* Particles as well; events that lose all hits go. Calibration has particles 1 ... 21 of 40. */
    assert_true(ts_split_events(arena, events, truth, &wish, &split, &err));
    int seen[PARTICLES + 1] = {0};
    mark_particles(&split.calibration, seen, 1);
    mark_particles(&split.selection, seen, 2);
    mark_particles(&split.test, seen, 3);
    assert_true(split.selection.dropped > 0 && split.selection.events > 0);
    for (int e = 0; e < split.selection.events; e++)
        assert_true(split.selection.n[e] > 0 && split.selection.n[e] == split.selection.truth[e].n);
}

static void test_split_few(void **state)
{
    ts_arena *arena = *state;
    ts_err err = {""};
    const ts_truth *truth;
    const ts_encoder *enc = ts_encoder_random(arena, &shape, 1);
    const ts_split_options wish = {.calibrate = 20, .select = 20, .seed = 1};
    ts_split split;
    assert_true(ts_split_events(arena, make_events(arena, enc, 28, &truth), NULL, &wish, &split, &err)); /* 27 with hits */
    assert_int_equal(split.calibration.events, 9);
    assert_int_equal(split.selection.events, 9);
    assert_int_equal(split.test.events, 9);
    assert_true(ts_split_events(arena, make_events(arena, enc, 5, &truth), NULL, &wish, &split, &err));
    assert_int_equal(split.calibration.events, 4);
    assert_true(split.reused && split.selection.events == 4 && split.test.events == 0);
    ts_events empty = *make_events(arena, enc, 2, &truth);
    empty.event++;
    empty.count = 1;
    assert_false(ts_split_events(arena, &empty, NULL, &wish, &split, &err));
    assert_non_null(strstr(err.msg, "no event has a hit"));
}

/* ---- cost ---- */

static void test_cost(void **state)
{
    ts_arena *arena = *state;
    ts_err err = {""};
    const ts_encoder *enc = ts_encoder_random(arena, &shape, 1);
    const ts_device *device = ts_device_find(arena, "zcu102", &err);
    const int n = 100;
    const ts_products products = ts_products_of(enc, &n, 1);
    double macs = 0;
    for (int i = 0; i < products.count; i++)
        macs += products.product[i].macs;
    /* Embedding 3 x 8 (besides, it is part of layer 0's 3 x 24), layers, head 8 x 2. */
    const double layer = 8 * 8 + 2 * 8 * 16 + 2 * n * 8, qkv = 3 * 8 * 8;
    assert_true(fabs(macs / (n * (3.0 * 8 + 3 * 24 + 2 * layer + qkv + 8 * 2)) - 1) < 1e-12);
    ts_formats *f = ts_formats_default(arena, 2);
    assert_true(ts_dsp_cost(&products, f, device) == 1); /* 12 x 12 never packs */
    assert_true(ts_formats_parse(f, "v=8,p=11", &err));
    assert_true(fabs(ts_dsp_cost(&products, f, device) - (1 - n * 2.0 * n * 8 / 2 / macs)) < 1e-12);
    assert_true(ts_formats_parse(f, "layers.1.v=9", &err)); /* the widest layer rules the ring */
    assert_true(ts_dsp_cost(&products, f, device) == 1);
    assert_true(ts_formats_parse(f, "w=8,in=12,q=10,k=9,p=11,v=8,hidden=11", &err));
    assert_true(ts_dsp_cost(&products, f, device) == 0.5);
    ts_formats *less = ts_formats_copy(arena, f);
    ts_formats_set(less, TS_FMT_K, 8);
    assert_true(ts_memory_bits(enc, less, 256) < ts_memory_bits(enc, f, 256));
}

/* ---- search ---- */

typedef struct searched {
    ts_found found;
    int warnings;
} searched;

static void count_warning(void *user, const char *text)
{
    (void)text;
    ++*(int *)user;
}

static searched find_formats(ts_arena *arena, double loss, bool packed, const char *device_name)
{
    ts_err err = {""};
    searched s = {.warnings = 0};
    const ts_encoder *enc = ts_encoder_random(arena, &shape, 5);
    const ts_truth *truth;
    const ts_events *events = make_events(arena, enc, EVENTS, &truth);
    ts_split split;
    assert_true(ts_split_events(arena, events, NULL, &(ts_split_options){.calibrate = 10, .select = 10, .seed = 1}, &split, &err));
    ts_calibration *cal = ts_calibration_new(arena, enc);
    assert_true(ts_calibration_add_events(cal, split.calibration.events, split.calibration.n, split.calibration.x, &err));
    const ts_judge *judge = ts_judge_new(arena, enc, ts_inputs_identity(arena, 3, 2), &split.selection);
    ts_formats *start = ts_formats_default(arena, enc->layers);
    start->warn = count_warning;
    start->warn_user = &s.warnings;
    const int length = HITS;
    const ts_search_options options = {.device = ts_device_find(arena, device_name, &err),
                                       .lengths = &length,
                                       .lengths_count = 1,
                                       .max_tokens = 64,
                                       .loss = loss,
                                       .packed = packed};
    assert_non_null(options.device);
    if (!ts_search_formats(arena, enc, cal, judge, start, &options, &s.found, &err))
        fail_msg("%s", err.msg);
    /* What is reported is what the formats do. */
    const ts_imodel *im = ts_quantise(arena, enc, cal, s.found.formats, &err);
    assert_non_null(im);
    const ts_verdict v = ts_judge_measure(judge, im, false);
    assert_true(v.median == s.found.verdict.median && v.p95 == s.found.verdict.p95);
    const ts_products products = ts_products_of(enc, &length, 1);
    assert_true(s.found.dsp_cost == ts_dsp_cost(&products, s.found.formats, options.device));
    return s;
}

static double limit(const ts_found *found, const char *name)
{
    return json_real_value(json_object_get(json_object_get(found->report, "limits"), name));
}

static void test_search(void **state)
{
    const searched loose = find_formats(*state, 0.1, false, "zcu102"), tight = find_formats(*state, 0.002, false, "zcu102"),
                   packed = find_formats(*state, 0.005, true, "zcu102"), again = find_formats(*state, 0.1, false, "zcu102");
    const searched *all[2] = {&loose, &tight};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(all[i]->found.within, all[i]->warnings == 0);
        if (all[i]->found.within)
            assert_true(all[i]->found.verdict.median <= limit(&all[i]->found, "median_error") &&
                        all[i]->found.verdict.p95 <= limit(&all[i]->found, "p95_error"));
    }
    assert_true(loose.found.within);
    assert_true(loose.found.dsp_cost < 1);
    assert_true(tight.found.dsp_cost >= loose.found.dsp_cost);
    assert_true(tight.found.verdict.median < loose.found.verdict.median);
    assert_true(packed.found.dsp_cost == 0.5);
    json_t *one = ts_formats_json(loose.found.formats), *other = ts_formats_json(again.found.formats);
    assert_true(json_equal(one, other));
    json_decref(one);
    json_decref(other);
    json_decref(loose.found.report);
    json_decref(tight.found.report);
    json_decref(packed.found.report);
    json_decref(again.found.report);
}

/* ---- profile ---- */

static const ts_profile_row *find_row(const ts_profile *p, int layer, ts_role role)
{
    for (int i = 0; i < p->rows; i++)
        if (p->row[i].layer == layer && p->row[i].role == role)
            return &p->row[i];
    fail_msg("no row for layer %d, %s", layer, ts_role_name(role));
    return NULL;
}

static void test_profile(void **state)
{
    ts_arena *arena = *state;
    ts_err err = {""};
    const small_model wide = small_model_make(&shape, 5, "w=14,in=16,qkv_in=14,q=14,k=14,v=14,p=14,ctx=14,ffn_in=14,hidden=14,head_in=14",
                                              &err),
                      narrow = small_model_make(&shape, 5, "w=14,in=16,qkv_in=14,q=14,k=14,v=14,p=14,ctx=14,ffn_in=6,hidden=14,head_in=14",
                                                &err);
    assert_true(wide.im && narrow.im);
    const ts_truth *truth;
    ts_events events = *make_events(arena, wide.enc, 4, &truth);
    const ts_profile *a = ts_profile_measure(arena, wide.enc, &events, wide.im, &events, NULL, NULL),
                     *b = ts_profile_measure(arena, narrow.enc, &events, narrow.im, &events, NULL, NULL);
    assert_int_equal(a->events, 3); /* the second has no hits */
    assert_int_equal(a->hits, 3 * HITS);
    for (int i = 1; i < a->rows; i++) /* worst first */
        assert_true(isnan(a->row[i].snr) || a->row[i - 1].snr <= a->row[i].snr);
    const ts_profile_row *fine = find_row(a, 1, TS_ROLE_FFN_IN), *coarse = find_row(b, 1, TS_ROLE_FFN_IN);
    assert_int_equal(coarse->fmt.bits, 6);
    assert_true(fabs(fine->own - coarse->own - 8 * 6.02) < 0.5); /* 6.02 dB a bit */
    assert_true(coarse->snr < fine->snr && coarse->snr < coarse->own + 1);
    assert_true(fine->min == coarse->min && fine->max == coarse->max);
    assert_int_equal(find_row(a, 0, TS_ROLE_IN)->saturated, 0);
    assert_int_equal(find_row(a, 0, TS_ROLE_IN)->values, 3 * HITS * 3);

    /* A hundred times as large: inputs saturate. */
    ts_event *event = TS_NEW_N(arena, ts_event, 4);
    for (int e = 0; e < 4; e++) {
        float *x = TS_NEW_N(arena, float, HITS * 3);
        for (int i = 0; i < HITS * 3; i++)
            x[i] = 100 * events.event[e].x[i];
        event[e] = (ts_event){.id = e, .n = events.event[e].n, .x = x};
    }
    events.event = event;
    const ts_profile *c = ts_profile_measure(arena, wide.enc, &events, wide.im, &events, NULL, NULL);
    assert_true(find_row(c, 0, TS_ROLE_IN)->saturated > HITS && find_row(c, 0, TS_ROLE_IN)->used == 1);
    json_t *json = ts_profile_json(c);
    assert_int_equal(json_array_size(json_object_get(json, "tensors")), c->rows);
    json_decref(json);
    ts_arena_free(wide.arena);
    ts_arena_free(narrow.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_split, setup, teardown),   cmocka_unit_test_setup_teardown(test_split_few, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cost, setup, teardown),    cmocka_unit_test_setup_teardown(test_search, setup, teardown),
        cmocka_unit_test_setup_teardown(test_profile, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
