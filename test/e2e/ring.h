/* Small rings end to end: a seeded encoder is quantised, planned, emitted, built with Verilator and compared with the integer model
   word by word, under every condition that the stream interfaces allow; the emitted test bench runs in Icarus, where memories and
   registers start unknown. Included by the tests of this folder, several of which run at the same time. */
#ifndef TS_E2E_RING_H
#define TS_E2E_RING_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "design/design.h"
#include "emu/emu.h"
#include "exported.h"
#include "graph/random_encoder.h"
#include "plan/make.h"
#include "plan/predict.h"
#include "process/process.h"
#include "quant/quantise.h"
#include "quant/slice.h"
#include "ring/pages.h"
#include "ring/plan.h"
#include "scratch.h"
#include "sim/simulate.h"

enum { N_MAX = 12, EVENTS = 9 };

/* A run's worth of hits: lengths cover 1, the longest, one too long (refused) between ordinary ones. */
static const int lengths[EVENTS] = {5, 1, N_MAX, N_MAX + 1, 3, N_MAX, 2 * N_MAX + 3, 1, 7};

typedef struct ring {
    ts_arena *arena;
    const ts_imodel *im;
    const char *dir;
    ts_design design;
    int n[EVENTS];
    const int32_t *x[EVENTS];
} ring;

static inline const ts_imodel *make_model(ts_arena *arena, const ts_encoder_shape *shape, bool classifier, const char *formats_text,
                                          uint64_t seed)
{
    ts_err err = {0};
    const ts_encoder *enc = ts_encoder_random(arena, shape, seed);
    ts_calibration *cal = ts_calibration_new(arena, enc);
    for (int e = 0; e < 4; e++) {
        float *x = TS_NEW_N(arena, float, N_MAX * shape->features);
        for (int i = 0; i < N_MAX * shape->features; i++)
            x[i] = 2 * ts_random_unit(&seed);
        assert_true(ts_calibration_add(cal, N_MAX, x, &err));
    }
    ts_formats *formats = ts_formats_default(arena, shape->layers);
    formats->classifier = classifier;
    if (!ts_formats_parse(formats, formats_text, &err))
        fail_msg("%s", err.msg);
    const ts_imodel *im = ts_quantise(arena, enc, cal, formats, &err);
    if (!im)
        fail_msg("%s", err.msg);
    return im;
}

static inline void make_events(ring *r, uint64_t seed)
{
    for (int e = 0; e < EVENTS; e++) {
        int32_t *x = TS_NEW_N(r->arena, int32_t, lengths[e] * r->im->features);
        float *f = TS_NEW_N(r->arena, float, lengths[e] * r->im->features);
        for (int i = 0; i < lengths[e] * r->im->features; i++)
            f[i] = 2 * ts_random_unit(&seed);
        ts_quantise_input(r->im, lengths[e], f, x);
        r->n[e] = lengths[e];
        r->x[e] = x;
    }
}

static inline bool write_ring(ring *r, const ts_plan *plan, const char *dir, ts_err *err)
{
    ts_system system;
    const ts_design_options opt = {.system = &system, .events = {EVENTS, r->n, r->x}};
    return ts_system_of_ring(r->arena, r->im, plan, &system, err) && ts_design_write(&opt, dir, err);
}

static inline void open_ring(ring *r, const ts_imodel *im, const ts_plan *plan, ts_arena *arena)
{
    ts_err err = {0};
    *r = (ring){.arena = arena, .im = im};
    r->dir = scratch_new("ring-test");
    make_events(r, 7);
    if (!write_ring(r, plan, r->dir, &err) || !ts_design_load(arena, r->dir, &r->design, &err))
        fail_msg("%s", err.msg);
}

static inline void close_ring(ring *r)
{
    ts_design_free(&r->design);
    scratch_free(r->dir);
    ts_arena_free(r->arena);
}

static inline void ignore(void *user, int event, int layer, ts_role role, int part, const char *label, int rows, int cols,
                          const int32_t *rtl, const int32_t *model)
{
    (void)event, (void)layer, (void)role, (void)part, (void)label, (void)rows, (void)cols, (void)rtl, (void)model;
    ++*(int *)user;
}

/* Names the stage where RTL and model part. */
static inline void explain(ring *r, const ts_sim_result *wrong)
{
    ts_err err = {0};
    ts_sim_result result;
    int stages = 0;
    const ts_sim_options opt = {.events = EVENTS, .n = r->n, .x = r->x, .tap = ignore, .tap_user = &stages};
    if (!ts_simulate(r->arena, &r->design, &opt, &result, &err))
        fail_msg("%lld of %lld words differ: %s; trace: %s", wrong->mismatches, wrong->words, wrong->difference, err.msg);
    fail_msg("%lld of %lld words differ: %s; first in %s", wrong->mismatches, wrong->words, wrong->difference, result.trace_difference);
}

static inline ts_sim_result simulate(ring *r, ts_sim_options opt)
{
    ts_err err = {0};
    ts_sim_result result;
    opt.events = EVENTS;
    opt.n = r->n;
    opt.x = r->x;
    if (!ts_simulate(r->arena, &r->design, &opt, &result, &err)) {
        if (!opt.tap) { /* again with a trace, for the state of every stage */
            ts_err more = {0};
            int stages = 0;
            opt.tap = ignore;
            opt.tap_user = &stages;
            ts_simulate(r->arena, &r->design, &opt, &result, &more);
            fail_msg("%s\n%s", err.msg, more.msg);
        }
        fail_msg("%s", err.msg);
    }
    if (!result.bit_exact && !opt.tap)
        explain(r, &result);
    assert_true(result.bit_exact);
    return result;
}

static inline void check(ring *r)
{
    const ts_sim_result free_running = simulate(r, (ts_sim_options){.seed = 1});
    assert_true(free_running.rebuilt);
    assert_int_equal(free_running.refused, 2);
    for (int e = 0; e < EVENTS; e++)
        assert_int_equal(free_running.event[e].refused, lengths[e] > N_MAX);
    assert_false(simulate(r, (ts_sim_options){.stall_percent = 30, .seed = 2}).rebuilt);
    simulate(r, (ts_sim_options){.stall_percent = 80, .seed = 3});
    simulate(r, (ts_sim_options){.lone = true, .seed = 4});
    /* Written over themselves through the configuration bus. */
    simulate(r, (ts_sim_options){.load = true, .stall_percent = 10, .seed = 5});
    exported_check(r->arena, r->dir, r->im, N_MAX, EVENTS, r->n, r->x);
}

/* The emitted test bench in Icarus: everything that was not initialised is X there. */
static inline void check_icarus(const ring *r)
{
    ts_err err = {0};
    const char *const compile[] = {"iverilog", "-g2005", "-y", "rtl", "-y", "tb", "-I", "tb", "-o", "tb.vvp", "tb/tb.v", NULL};
    const char *const run[] = {"vvp", "-n", "tb.vvp", NULL};
    const char *const stalled[] = {"vvp", "-n", "tb.vvp", "+stalls=40", "+memory_stalls=30", NULL};
    const char *log = ts_printf(r->arena, "%s/tb.log", r->dir);
    assert_int_equal(ts_process_run(r->dir, compile, log, &err), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ts_process_run(r->dir, i ? stalled : run, log, &err), 0);
        const char *tail = ts_process_log_tail(r->arena, log, 400);
        if (!strstr(tail, "PASS") || strstr(tail, "FAIL"))
            fail_msg("%s: %s", log, tail);
        assert_int_equal(remove(log), 0);
    }
    /* A bench without one of its images must not pass. */
    assert_int_equal(remove(ts_printf(r->arena, "%s/mem/ffn1_b_000.hex", r->dir)), 0);
    assert_int_equal(ts_process_run(r->dir, run, log, &err), 0);
    const char *tail = ts_process_log_tail(r->arena, log, 400);
    assert_true(strstr(tail, "FAIL") && !strstr(tail, "PASS"));
}

/* Every stage agrees; with one bit of one bias changed behind the model's back, the trace names the stage that has it. */
static inline void check_trace(ring *r)
{
    ts_err err = {0};
    int stages = 0;
    ts_sim_result result = simulate(r, (ts_sim_options){.stall_percent = 20, .seed = 8, .tap = ignore, .tap_user = &stages});
    assert_null(result.trace_difference);
    assert_int_equal(result.events, EVENTS - 2);
    assert_true(stages > 10 * result.events);

    const char *path = ts_printf(r->arena, "%s/mem/o_b_000.hex", r->dir);
    size_t size;
    char *image = ts_file_read(r->arena, path, &size, &err);
    assert_non_null(image);
    const char *saved = ts_strdup(r->arena, image);
    char *digit = strchr(image, '\n') - 3; /* a bit of weight 2^11 in the bias of layer 0's first output */
    *digit = "89abcdef01234567"[*digit <= '9' ? *digit - '0' : *digit - 'a' + 10];
    assert_true(ts_file_write(path, image, size, &err));
    const ts_sim_options opt = {.events = EVENTS, .n = r->n, .x = r->x, .tap = ignore, .tap_user = &stages};
    assert_true(ts_simulate(r->arena, &r->design, &opt, &result, &err));
    assert_false(result.rebuilt);
    assert_false(result.bit_exact);
    assert_non_null(result.difference);
    assert_non_null(result.trace_difference);
    if (!strstr(result.trace_difference, "layer 0, attention branch (stream \"branch1\"): token 0, channel 0"))
        fail_msg("%s", result.trace_difference);
    assert_true(ts_file_write(path, saved, size, &err));
}

static inline void set_fold(ts_plan *plan, ts_lin_id id, int pk, int pm, int nr)
{
    plan->lin[id].pk = pk;
    plan->lin[id].pm = pm;
    plan->lin[id].nr = nr;
}

/* Predicted cycles against simulated ones, for equal events, alone and back to back; two of them fit the queues. */
static inline void check_times(const ring *r)
{
    enum { COUNT = 7, HITS = N_MAX / 2, PERCENT = 6 };
    ts_err err = {0};
    int n[COUNT];
    const int32_t *x[COUNT];
    for (int e = 0; e < COUNT; e++) {
        n[e] = HITS;
        x[e] = r->x[2];
    }
    const ts_prediction p = ts_predict(&r->design.plan, r->im, HITS);
    for (int lone = 0; lone < 2; lone++) {
        ts_sim_result result;
        const ts_sim_options opt = {.events = COUNT, .n = n, .x = x, .seed = 1, .lone = lone};
        if (!ts_simulate(r->arena, &r->design, &opt, &result, &err))
            fail_msg("%s", err.msg);
        assert_true(result.bit_exact);
        const double predicted = (double)(lone ? p.total_cycles : p.interval_cycles);
        const ts_sim_event *last = &result.event[COUNT - 1]; /* the slow stages' queues take the last hit early: the first one counts */
        const double seen = lone ? (double)(last->last_out - last->first_in)
                                 : (double)(result.event[COUNT - 1].last_out - result.event[2].last_out) / (COUNT - 3);
        if (fabs(predicted - seen) > seen * PERCENT / 100)
            fail_msg("%s: %s of %.0f cycles predicted, %.1f simulated", r->im->name, lone ? "total" : "interval", predicted, seen);
    }
}

static const ts_encoder_shape packed_shape = {
    .features = 3, .d = 10, .heads = 3, .d_head = 5, .ff = 14, .outputs = 3, .layers = 3, .act = TS_ACT_RELU};

/* The tests of a program: all, or those whose names match its argument. */
static inline int run_rings(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("rings", tests, count, NULL, NULL);
}

#endif
