/* Small rings end to end: a seeded encoder is quantised, planned, emitted, built with Verilator and compared with the integer model
   word by word, under every condition that the stream interfaces allow; the emitted test bench runs in Icarus, where memories and
   registers start unknown. */
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
#include "emit/emit.h"
#include "emu/emu.h"
#include "graph/random_encoder.h"
#include "plan/make.h"
#include "plan/pages.h"
#include "plan/plan.h"
#include "plan/predict.h"
#include "quant/quantise.h"
#include "quant/slice.h"
#include "scratch.h"
#include "sim/process.h"
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

static const ts_imodel *make_model(ts_arena *arena, const ts_encoder_shape *shape, bool classifier, const char *formats_text, uint64_t seed)
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

static void make_events(ring *r, uint64_t seed)
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

static void open_ring(ring *r, const ts_imodel *im, const ts_plan *plan, ts_arena *arena)
{
    ts_err err = {0};
    *r = (ring){.arena = arena, .im = im};
    r->dir = scratch_new("ring-test");
    make_events(r, 7);
    const ts_emit_options opt = {.im = im, .plan = plan, .events = EVENTS, .n = r->n, .x = r->x};
    if (!ts_emit(&opt, r->dir, &err) || !ts_design_load(arena, r->dir, &r->design, &err))
        fail_msg("%s", err.msg);
}

static void close_ring(ring *r)
{
    ts_design_free(&r->design);
    scratch_free(r->dir);
    ts_arena_free(r->arena);
}

static void ignore(void *user, int event, int layer, ts_role role, int part, const char *label, int rows, int cols, const int32_t *rtl,
                   const int32_t *model)
{
    (void)event, (void)layer, (void)role, (void)part, (void)label, (void)rows, (void)cols, (void)rtl, (void)model;
    ++*(int *)user;
}

/* Names the stage where RTL and model part. */
static void explain(ring *r, const ts_sim_result *wrong)
{
    ts_err err = {0};
    ts_sim_result result;
    int stages = 0;
    const ts_sim_options opt = {.events = EVENTS, .n = r->n, .x = r->x, .tap = ignore, .tap_user = &stages};
    if (!ts_simulate(r->arena, &r->design, &opt, &result, &err))
        fail_msg("%lld of %lld words differ: %s; trace: %s", wrong->mismatches, wrong->words, wrong->difference, err.msg);
    fail_msg("%lld of %lld words differ: %s; first in %s", wrong->mismatches, wrong->words, wrong->difference, result.trace_difference);
}

static ts_sim_result simulate(ring *r, ts_sim_options opt)
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

static void check(ring *r)
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
}

/* The emitted test bench in Icarus: everything that was not initialised is X there. */
static void check_icarus(const ring *r)
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
static void check_trace(ring *r)
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

static void set_fold(ts_plan *plan, ts_lin_id id, int pk, int pm, int nr)
{
    plan->lin[id].pk = pk;
    plan->lin[id].pm = pm;
    plan->lin[id].nr = nr;
}

static void test_smallest(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 4, .layers = 2, .act = TS_ACT_RELU};
    const ts_imodel *im = make_model(arena, &shape, false, "", 1);
    const ts_plan plan = ts_plan_minimal(im, N_MAX);
    ring r;
    open_ring(&r, im, &plan, arena);
    check(&r);
    check_trace(&r);
    check_icarus(&r);
    close_ring(&r);
}

/* Folds that divide nothing, one layer narrower than the others, random initial values. */
static void test_odd_folds(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 3, .d = 10, .heads = 3, .d_head = 5, .ff = 14, .outputs = 3, .layers = 3, .act = TS_ACT_RELU};
    const ts_imodel *im = make_model(arena, &shape, false, "layers.1.q=10,layers.1.k=9,layers.2.v=11,layers.0.hidden=10,layers.2.ffn_in=11", 2);
    ts_plan plan = ts_plan_minimal(im, N_MAX);
    set_fold(&plan, TS_LIN_QKV0, 3, 7, 7);
    set_fold(&plan, TS_LIN_QKV, 4, 6, 2);
    set_fold(&plan, TS_LIN_O, 7, 3, 1);
    set_fold(&plan, TS_LIN_FFN1, 3, 4, 1);
    set_fold(&plan, TS_LIN_FFN2, 14, 3, 3);
    set_fold(&plan, TS_LIN_HEAD0, 3, 2, 1);
    plan.rqv[TS_RQV_QKV].nr = 3;
    plan.rqv[TS_RQV_FFN].nr = 10;
    plan.nrm[TS_NRM_1].np = 4;
    plan.nrm[TS_NRM_2].np = 10;
    plan.attn = (ts_attn_fold){.pq = 3, .pkey = 2, .ph = 2, .pd = 3, .nf = 2, .kvstyle = TS_MEM_BLOCK, .sstyle = TS_MEM_DISTRIBUTED};
    plan.reg = 2;
    plan.mid_depth = 5;
    ring r;
    open_ring(&r, im, &plan, arena);
    check(&r);
    for (int seed = 1; seed <= 2; seed++)
        simulate(&r, (ts_sim_options){.random_init = true, .stall_percent = 20, .seed = (uint64_t)seed});
    close_ring(&r);
}

static const ts_encoder_shape packed_shape = {.features = 3, .d = 10, .heads = 3, .d_head = 5, .ff = 14, .outputs = 3, .layers = 3,
                                              .act = TS_ACT_RELU};

/* Two products a DSP in every stage, odd numbers of lanes, so that some are alone; scores in pairs of keys, then of queries. */
static void test_packed(void **state)
{
    (void)state;
    for (int pairs = TS_PAIR_KEYS; pairs <= TS_PAIR_QUERIES; pairs++) {
        ts_arena *arena = ts_arena_new();
        const ts_imodel *im = make_model(
            arena, &packed_shape, false,
            pairs == TS_PAIR_KEYS ? "w=8,in=12,q=10,k=9,p=11,v=8,hidden=11,layers.1.v=6" : "w=8,in=12,q=8,k=12,p=11,v=8,hidden=11",
            9);
        ts_plan plan = ts_plan_minimal(im, N_MAX);
        set_fold(&plan, TS_LIN_QKV0, 3, 7, 7);
        set_fold(&plan, TS_LIN_QKV, 4, 6, 2);
        set_fold(&plan, TS_LIN_O, 7, 3, 1);
        set_fold(&plan, TS_LIN_FFN1, 3, 4, 1);
        set_fold(&plan, TS_LIN_FFN2, 14, 3, 3);
        set_fold(&plan, TS_LIN_HEAD0, 3, 2, 1);
        for (int id = 0; id < TS_LIN_COUNT; id++)
            plan.lin[id].pack = true;
        plan.attn = (ts_attn_fold){.pq = 3, .pkey = 3, .ph = 2, .pd = 3, .nf = 2, .pairs = (ts_score_pairs)pairs, .pack_context = true,
                                   .kvstyle = TS_MEM_BLOCK, .sstyle = TS_MEM_DISTRIBUTED};
        ring r;
        open_ring(&r, im, &plan, arena);
        check(&r);
        for (int seed = 1; seed <= 2; seed++)
            simulate(&r, (ts_sim_options){.random_init = true, .stall_percent = 20, .seed = (uint64_t)seed});
        check_icarus(&r);
        close_ring(&r);
    }
}

/* The same formats planned: every stage of the ring packs, with half the DSPs that its products would take, and the hardware agrees. */
static void test_packed_plan(void **state)
{
    (void)state;
    ts_err err = {0};
    ts_arena *arena = ts_arena_new();
    const ts_imodel *im = make_model(arena, &packed_shape, false, "w=8,in=12,q=10,k=9,p=11,v=8,hidden=11", 10);
    const ts_device *device = ts_device_find(arena, "zcu102", &err);
    ts_planned planned;
    if (!ts_plan_search(arena, im, device, &(ts_plan_options){.max_tokens = N_MAX, .target_ii = 12}, &planned, &err))
        fail_msg("%s", err.msg);
    const ts_plan *plan = planned.plan;
    const ts_ring_widths w = ts_ring_widths_of(im);
    for (int id = 0; id < TS_LIN_COUNT; id++)
        if (w.lin[id].k)
            assert_int_equal(plan->lin[id].pack, plan->lin[id].pm > 1);
    assert_int_equal(plan->attn.pairs, TS_PAIR_KEYS);
    assert_true(plan->attn.pack_context);
    ring r;
    open_ring(&r, im, plan, arena);
    check(&r);
    close_ring(&r);
}

static void test_pre_norm(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 4, .d = 8, .heads = 2, .d_head = 3, .ff = 12, .outputs = 5, .layers = 2, .embed_count = 2,
                                    .head_count = 2, .embed_hidden = 6, .head_hidden = 7, .norms = TS_NORMS_FIRST, .has_final_norm = true,
                                    .act = TS_ACT_GELU_ERF};
    const ts_imodel *im = make_model(arena, &shape, false, "act_in=8", 3);
    ts_plan plan = ts_plan_minimal(im, N_MAX);
    set_fold(&plan, TS_LIN_FFN1, 2, 4, 2);
    plan.attn.pq = 2;
    ring r;
    open_ring(&r, im, &plan, arena);
    check(&r);
    check_icarus(&r);
    close_ring(&r);
}

/* Weights in memories without initial contents: harness and bench load them. */
static void test_loaded(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 3, .d = 8, .heads = 1, .d_head = 8, .ff = 8, .outputs = 3, .layers = 2, .embed_count = 2,
                                    .embed_hidden = 5, .act = TS_ACT_RELU};
    const ts_imodel *im = make_model(arena, &shape, false, "w=6", 4);
    ts_plan plan = ts_plan_minimal(im, N_MAX);
    plan.lin[TS_LIN_QKV].wstyle = plan.lin[TS_LIN_FFN1].wstyle = TS_MEM_ULTRA;
    ring r;
    open_ring(&r, im, &plan, arena);
    check(&r);
    simulate(&r, (ts_sim_options){.random_init = true, .seed = 6});
    check_icarus(&r);
    close_ring(&r);
}

static void test_classifier(void **state)
{
    (void)state;
    for (int raw = 0; raw < 2; raw++) {
        ts_arena *arena = ts_arena_new();
        const ts_encoder_shape shape = {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 8, .outputs = 11, .layers = 2, .act = TS_ACT_RELU};
        const ts_imodel *im = make_model(arena, &shape, true, "", 5);
        ts_plan plan = ts_plan_minimal(im, N_MAX);
        set_fold(&plan, TS_LIN_HEAD0, 4, 4, 2);
        plan.argmax = !raw;
        ring r;
        open_ring(&r, im, &plan, arena);
        check(&r);
        close_ring(&r);
    }
}

static void test_pooled(void **state)
{
    (void)state;
    const ts_pool pools[] = {TS_POOL_MEAN, TS_POOL_MAX, TS_POOL_FIRST};
    for (int p = 0; p < 3; p++) {
        ts_arena *arena = ts_arena_new();
        const ts_encoder_shape shape = {.features = 2, .d = 8, .heads = 2, .d_head = 4, .ff = 8, .outputs = 3, .layers = 1, .pool = pools[p],
                                        .act = TS_ACT_RELU};
        const ts_imodel *im = make_model(arena, &shape, false, "", 6);
        const ts_plan plan = ts_plan_minimal(im, N_MAX);
        ring r;
        open_ring(&r, im, &plan, arena);
        check(&r);
        close_ring(&r);
    }
}

/* Predicted cycles against simulated ones, for equal events, alone and back to back; two of them fit the queues. */
static void check_times(const ring *r)
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

/* Both norms at the attention block. */
static void test_norms_around_attention(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 4, .d = 8, .heads = 2, .d_head = 4, .ff = 12, .outputs = 3, .layers = 3, .norms = TS_NORMS_AROUND,
                                    .has_final_norm = true, .act = TS_ACT_GELU_ERF};
    const ts_imodel *im = make_model(arena, &shape, false, "act_in=9,layers.1.q=9", 13);
    ts_plan plan = ts_plan_minimal(im, N_MAX);
    set_fold(&plan, TS_LIN_FFN2, 2, 4, 2);
    plan.attn.pq = 2;
    plan.nrm[TS_NRM_2].np = 3;
    ring r;
    open_ring(&r, im, &plan, arena);
    check(&r);
    check_times(&r);
    check_icarus(&r);
    close_ring(&r);
}

/* Slices: with half layers at either end or both, and of a single block. */
static void test_slices(void **state)
{
    (void)state;
    static const int cuts[][2] = {{1, 2}, {1, 3}, {2, 3}, {1, 4}, {1, 5}, {2, 5}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        ts_arena *arena = ts_arena_new();
        ts_err err = {0};
        const ts_norms norms = (ts_norms)(i % 3);
        const ts_encoder_shape shape = {.features = 3, .d = 6, .heads = 2, .d_head = 3, .ff = 8, .outputs = 3, .layers = 3, .norms = norms,
                                        .has_final_norm = norms != TS_NORMS_LAST, .act = TS_ACT_RELU};
        const ts_imodel *whole = make_model(arena, &shape, false, "layers.0.v=11,layers.2.v=10,layers.1.q=9,residual=17", 7 + i);
        const ts_imodel *im = ts_imodel_slice(arena, whole, ts_slice_between(whole, cuts[i][0], cuts[i][1]), &err);
        if (!im)
            fail_msg("%s", err.msg);
        ts_plan plan = ts_plan_minimal(im, N_MAX);
        set_fold(&plan, TS_LIN_FFN1, 3, 2, 1);
        set_fold(&plan, TS_LIN_QKV, 2, 3, 3);
        plan.attn.pq = 2;
        ring r;
        open_ring(&r, im, &plan, arena);
        check(&r);
        check_times(&r);
        if (i % 4 == 1)
            check_icarus(&r);
        close_ring(&r);
    }
}

/* So many page buffers, 0: resident. */
static void set_buffers(ts_plan *plan, int o, int ffn1, int ffn2, int qkv)
{
    const int buffers[TS_PAGED_STAGES] = {o, ffn1, ffn2, qkv};
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        plan->lin[ts_paged_stage[i]].buffers = buffers[i];
}

/* The manifest says where each page of external memory is: the last beat of each has the transfer's number in every lane. */
static void check_page_file(ring *r)
{
    ts_err err = {0};
    size_t size;
    const char *image = ts_file_read(r->arena, ts_printf(r->arena, "%s/mem/pages.bin", r->dir), &size, &err);
    assert_non_null(image);
    const json_t *pages = json_object_get(r->design.manifest, "pages"), *order = json_object_get(pages, "order"), *transfer;
    const size_t beat = (size_t)json_integer_value(json_object_get(pages, "beat_bytes"));
    size_t at = 0, i;
    json_array_foreach(order, i, transfer)
    {
        assert_int_equal(json_integer_value(json_object_get(transfer, "byte")), at);
        at += (size_t)json_integer_value(json_object_get(transfer, "bytes"));
        assert_true(at <= size);
        for (size_t lane = 0; lane < beat / 8; lane++)
            assert_int_equal(image[at - beat + 8 * lane + 4], i);
    }
    assert_true(i > 0 && at == size);
    assert_int_equal(json_integer_value(json_object_get(pages, "bytes")), size);
}

static long long total_stalls(const ts_sim_result *r)
{
    long long sum = 0;
    for (int i = 0; i < r->paged; i++)
        sum += r->paged_stage[i].stalls;
    return sum;
}

static bool some_late(const ts_sim_result *r)
{
    bool late = false;
    for (int i = 0; i < r->paged; i++)
        late = late || r->paged_stage[i].late;
    return late;
}

/* Whatever befalls the pages of one event: a late one, or one that is fetched again, does no harm; one that stays bad, or cannot be read,
   spoils its own event and no other. */
static void check_page_faults(ring *r)
{
    enum { VICTIM = 4, ORDER = 3 }; /* event VICTIM is number ORDER of those that are not refused */
    const ts_page_order order = ts_page_order_of(r->arena, &r->design.plan, r->im);
    for (int i = 0; i < order.count; i++)
        for (int kind = TS_PAGE_LATE; kind <= TS_PAGE_ERROR; kind++) {
            const ts_page_fault fault = {.kind = (ts_page_fault_kind)kind, .page = ORDER * order.count + i, .late_cycles = 20000};
            const ts_sim_result result = simulate(r, (ts_sim_options){.page_fault = fault, .stall_percent = i % 2 ? 20 : 0, .seed = 9});
            const bool bad = kind == TS_PAGE_FLIP_ALWAYS || kind == TS_PAGE_ERROR;
            assert_int_equal(result.flagged, bad);
            assert_int_equal(result.event[VICTIM].error, bad);
            assert_int_equal(result.gave_up[0], bad);
            assert_int_equal(some_late(&result), kind == TS_PAGE_LATE);
            if (kind == TS_PAGE_LATE)
                assert_true(result.pages_again[0] == 0 && total_stalls(&result) > 4096);
            else
                assert_in_range(result.pages_again[0], bad ? TS_PAGE_RETRIES : 1, bad ? TS_PAGE_RETRIES + 1 : 1);
        }
}

/* Long events of one length: where the plan's memory is fast enough, nothing waits for the second of two buffers. */
static ts_sim_result simulate_long(ring *r)
{
    enum { COUNT = 4 };
    ts_err err = {0};
    int n[COUNT];
    const int32_t *x[COUNT];
    for (int e = 0; e < COUNT; e++) {
        n[e] = N_MAX;
        x[e] = r->x[2];
    }
    ts_sim_result result;
    const ts_sim_options opt = {.events = COUNT, .n = n, .x = x, .seed = 1};
    if (!ts_simulate(r->arena, &r->design, &opt, &result, &err))
        fail_msg("%s", err.msg);
    assert_true(result.bit_exact && !some_late(&result) && result.pages_again[0] == 0);
    return result;
}

/* Predicted cycles of a paged ring against simulated ones, for equal events, each as soon as the ring takes it and each behind the last one. Of
   events so short the latency is only within some per cent (as in check_times); most of the waits are. */
static void check_paged_times(const ring *r)
{
    enum { COUNT = 7, HITS = N_MAX / 2, PERCENT = 6, WAIT_PERCENT = 10, FEW = 20 };
    ts_err err = {0};
    int n[COUNT];
    const int32_t *x[COUNT];
    for (int e = 0; e < COUNT; e++) {
        n[e] = HITS;
        x[e] = r->x[2];
    }
    for (int lone = 0; lone < 2; lone++) {
        ts_sim_result result;
        const ts_sim_options opt = {.events = COUNT, .n = n, .x = x, .seed = 1, .lone = lone};
        if (!ts_simulate(r->arena, &r->design, &opt, &result, &err))
            fail_msg("%s", err.msg);
        assert_true(result.bit_exact);
        long long predicted[COUNT], waits[TS_PAGED_STAGES], sum = 0;
        ts_predict_paged_queue(&r->design.plan, r->im, COUNT, n, lone, predicted, waits);
        for (int s = 0; s < TS_PAGED_STAGES; s++)
            sum += waits[s];
        const long long seen_sum = total_stalls(&result);
        if (llabs(sum - seen_sum) > seen_sum * WAIT_PERCENT / 100 + FEW * COUNT)
            fail_msg("%s, %s: waits of %lld cycles predicted, %lld simulated", r->im->name, lone ? "lone" : "waiting", sum, seen_sum);
        const ts_prediction p = ts_predict(&r->design.plan, r->im, HITS);
        for (int e = 0; lone && e < COUNT; e++) { /* from the first hit on, as in check_times */
            const double total = (double)(predicted[e] + p.total_cycles - p.latency_cycles);
            const double seen = (double)(result.event[e].last_out - result.event[e].first_in);
            if (fabs(total - seen) > seen * PERCENT / 100)
                fail_msg("%s: event %d: %.0f cycles predicted, %.0f simulated", r->im->name, e, total, seen);
        }
        const double interval = (double)p.interval_cycles;
        const double seen = (double)(result.event[COUNT - 1].last_out - result.event[2].last_out) / (COUNT - 3);
        if (!lone && fabs(interval - seen) > seen * PERCENT / 100)
            fail_msg("%s: interval of %.0f cycles predicted, %.1f simulated", r->im->name, interval, seen);
    }
}

static void check_paged(ring *r)
{
    check_page_file(r);
    check(r);
    check_paged_times(r);
    simulate(r, (ts_sim_options){.memory_percent = 60, .seed = 6});
    simulate(r, (ts_sim_options){.memory_percent = 90, .stall_percent = 50, .seed = 7});
}

/* Two buffers everywhere, the first queries, keys and values from the embedding; every fault. */
static void test_paged(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 3, .d = 10, .heads = 3, .d_head = 5, .ff = 14, .outputs = 3, .layers = 3, .act = TS_ACT_RELU};
    const ts_imodel *im = make_model(arena, &shape, false, "layers.1.q=10,layers.1.k=9,layers.2.v=11,layers.0.hidden=10,layers.2.ffn_in=11", 2);
    assert_true(im->fused_qkv0);
    ts_plan plan = ts_plan_minimal(im, N_MAX);
    set_fold(&plan, TS_LIN_QKV, 4, 6, 2);
    set_fold(&plan, TS_LIN_O, 7, 3, 1);
    set_fold(&plan, TS_LIN_FFN1, 3, 4, 1);
    set_fold(&plan, TS_LIN_FFN2, 14, 3, 3);
    set_buffers(&plan, 2, 2, 2, 2);
    plan.paging = (ts_paging){.lanes = 1, .bursts = 4, .latency = 30, .rate = 0.9};
    ring r;
    open_ring(&r, im, &plan, arena);
    check_paged(&r);
    check_page_faults(&r);
    const ts_sim_result settled = simulate_long(&r);
    assert_int_equal(settled.paged, 4);
    assert_int_equal(total_stalls(&settled), 0);
    for (int seed = 1; seed <= 2; seed++)
        simulate(&r, (ts_sim_options){.random_init = true, .memory_percent = 30, .seed = (uint64_t)seed});
    check_icarus(&r);
    close_ring(&r);
}

/* One buffer everywhere, over a slow bus; every layer's queries, keys and values by the ring's own stage. */
static void test_paged_single(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 4, .d = 8, .heads = 2, .d_head = 3, .ff = 12, .outputs = 5, .layers = 2, .norms = TS_NORMS_FIRST,
                                    .has_final_norm = true, .act = TS_ACT_GELU_ERF};
    const ts_imodel *im = make_model(arena, &shape, false, "act_in=8,layers.1.q=9", 3);
    assert_false(im->fused_qkv0);
    ts_plan plan = ts_plan_minimal(im, N_MAX);
    set_fold(&plan, TS_LIN_FFN1, 2, 4, 2);
    set_fold(&plan, TS_LIN_QKV, 8, 6, 6);
    plan.attn.pq = 2;
    set_buffers(&plan, 1, 1, 1, 1);
    plan.paging = (ts_paging){.lanes = 2, .bursts = 1, .latency = 50, .rate = 0.25};
    ring r;
    open_ring(&r, im, &plan, arena);
    check_paged(&r);
    check_trace(&r);
    check_page_faults(&r);
    assert_true(total_stalls((const ts_sim_result[]){simulate_long(&r)}) > 0);
    check_icarus(&r);
    close_ring(&r);
}

/* Some stages paged, with one buffer and with two, in UltraRAM, with two products a DSP, over a wide bus; a slice that begins in an FFN
   block and one that ends in front of one. */
static void test_paged_mixed(void **state)
{
    (void)state;
    static const int cuts[][2] = {{1, 5}, {2, 5}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        ts_arena *arena = ts_arena_new();
        ts_err err = {0};
        const ts_imodel *whole = make_model(arena, &packed_shape, false, "w=8,in=12,q=10,k=9,p=11,v=8,hidden=11,layers.1.v=6", 9 + i);
        const ts_imodel *im = ts_imodel_slice(arena, whole, ts_slice_between(whole, cuts[i][0], cuts[i][1]), &err);
        if (!im)
            fail_msg("%s", err.msg);
        ts_plan plan = ts_plan_minimal(im, N_MAX);
        set_fold(&plan, TS_LIN_QKV, 4, 6, 2);
        set_fold(&plan, TS_LIN_FFN1, 3, 4, 1);
        set_fold(&plan, TS_LIN_FFN2, 14, 10, 10);
        set_buffers(&plan, i ? 2 : 1, 2, i ? 1 : 2, i ? 2 : 0);
        plan.lin[TS_LIN_QKV].pack = plan.lin[TS_LIN_FFN2].pack = plan.lin[TS_LIN_FFN1].pack = true;
        plan.lin[TS_LIN_FFN2].wstyle = TS_MEM_ULTRA;
        plan.lin[TS_LIN_O].wstyle = TS_MEM_DISTRIBUTED;
        plan.paging = (ts_paging){.lanes = i ? 8 : 4, .bursts = 16, .latency = 100, .rate = 1};
        ring r;
        open_ring(&r, im, &plan, arena);
        check_paged(&r);
        check_icarus(&r);
        close_ring(&r);
    }
}

static char *file_list(ring *r, const char *dir)
{
    ts_err err = {0};
    const char *log = ts_printf(r->arena, "%s.sum", dir);
    const char *const argv[] = {"sh", "-c", "find . -type f | sort | xargs md5sum", NULL};
    assert_int_equal(ts_process_run(dir, argv, log, &err), 0);
    char *text = ts_strdup(r->arena, ts_process_log_tail(r->arena, log, 1 << 20));
    assert_int_equal(remove(log), 0);
    return text;
}

/* The same model and plan give the same bytes; a directory of somebody else's is left alone. */
static void test_directory(void **state)
{
    (void)state;
    ts_err err = {0};
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 4, .layers = 2, .act = TS_ACT_RELU};
    const ts_imodel *im = make_model(arena, &shape, false, "", 1);
    const ts_plan plan = ts_plan_minimal(im, N_MAX);
    ring r;
    open_ring(&r, im, &plan, arena);
    const char *before = file_list(&r, r.dir);
    const ts_emit_options opt = {.im = im, .plan = &plan, .events = EVENTS, .n = r.n, .x = r.x};
    assert_true(ts_emit(&opt, r.dir, &err)); /* replaces our own */
    assert_string_equal(before, file_list(&r, r.dir));

    const char *theirs = ts_printf(arena, "%s/rtl", r.dir); /* not empty, no manifest */
    assert_false(ts_emit(&opt, theirs, &err));
    assert_non_null(strstr(err.msg, "was not made by tessera"));
    err = (ts_err){0};
    assert_false(ts_emit(&opt, ts_printf(arena, "%s/manifest.json", r.dir), &err));
    assert_non_null(strstr(err.msg, "not a directory"));
    err = (ts_err){0};
    assert_false(ts_emit(&opt, ts_printf(arena, "%s/manifest.json/below/a/file", r.dir), &err)); /* nor can one be made there */
    assert_string_equal(before, file_list(&r, r.dir));
    close_ring(&r);
}

/* ring_test [PATTERN]: the tests whose names match. */
int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory), cmocka_unit_test(test_smallest), cmocka_unit_test(test_odd_folds), cmocka_unit_test(test_pre_norm),
        cmocka_unit_test(test_norms_around_attention),
        cmocka_unit_test(test_packed),    cmocka_unit_test(test_packed_plan),
        cmocka_unit_test(test_loaded),    cmocka_unit_test(test_classifier), cmocka_unit_test(test_pooled),
        cmocka_unit_test(test_slices),     cmocka_unit_test(test_paged),  cmocka_unit_test(test_paged_single),
        cmocka_unit_test(test_paged_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
