/* Paged rings: predictions, costs, the choice of buffers against brute force, and what cannot be paged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "graph/random_encoder.h"
#include "plan/partition.h"
#include "ring/page_format.h"
#include "ring/pages.h"
#include "ring/plan_cost.h"
#include "small_model.h"

enum { HITS = 32, II = 256 };

typedef struct fixture {
    small_model m, one_layer;
    const ts_device *zcu102, *bare, *small; /* bare: without external memory; small: the model does not fit unless it is paged */
} fixture;

static small_model model(int layers)
{
    ts_err err = {""};
    const small_model m = small_model_make(&(ts_encoder_shape){.features = 3,
                                                               .d = 32,
                                                               .heads = 2,
                                                               .d_head = 16,
                                                               .ff = 64,
                                                               .outputs = 4,
                                                               .layers = layers,
                                                               .embed_count = 1,
                                                               .head_count = 1,
                                                               .act = TS_ACT_RELU},
                                           5, "", &err);
    if (!m.im)
        fail_msg("%s", err.msg);
    return m;
}

static ts_device *with_brams(ts_arena *arena, const ts_device *device, double brams)
{
    ts_device *d = TS_NEW(arena, ts_device);
    *d = *device;
    d->has.bram36 = brams;
    return d;
}

static ts_plan_options options(ts_paging_wish paging)
{
    return (ts_plan_options){.max_tokens = HITS, .plan_tokens = HITS, .target_ii = II, .utilisation = 1, .paging = paging};
}

static int setup(void **state)
{
    static fixture f;
    ts_err err = {""};
    f.m = model(6);
    f.one_layer = model(1);
    f.zcu102 = ts_device_find(f.m.arena, "zcu102", &err);
    assert_non_null(f.zcu102);
    ts_device *bare = TS_NEW(f.m.arena, ts_device);
    *bare = *f.zcu102;
    bare->memory_gbytes_per_s = 0;
    f.bare = bare;
    const ts_plan_options resident = options(TS_PAGING_NONE), paged = options(TS_PAGING_ASKED);
    ts_planned all, some;
    assert_true(ts_plan_search(f.m.arena, f.m.im, f.zcu102, &resident, &all, &err));
    assert_true(ts_plan_search(f.m.arena, f.m.im, f.zcu102, &paged, &some, &err));
    assert_true(some.cost.device.bram36 < all.cost.device.bram36 - 3);
    /* Neither block RAM nor LUT RAM for all weights. */
    ts_device *small = with_brams(f.m.arena, f.zcu102, some.cost.device.bram36 + 1);
    small->has.lut = some.cost.device.lut + 200;
    small->name = "small";
    f.small = small;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ts_arena_free(f->m.arena);
    ts_arena_free(f->one_layer.arena);
    return 0;
}

/* All four stages paged, in so many buffers. */
static ts_plan paged_plan(const fixture *f, int buffers, double rate, int latency)
{
    ts_err err = {""};
    ts_planned planned;
    const ts_plan_options opt = options(TS_PAGING_NONE);
    assert_true(ts_plan_search(f->m.arena, f->m.im, f->zcu102, &opt, &planned, &err));
    ts_plan plan = *planned.plan;
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        plan.lin[ts_paged_stage[i]].buffers = buffers;
    plan.paging = (ts_paging){.lanes = 1, .bursts = 16, .latency = latency, .rate = rate};
    if (!ts_plan_check(&plan, f->m.im, &err))
        fail_msg("%s", err.msg);
    return plan;
}

static long long waits(const ts_prediction *p)
{
    long long sum = 0;
    for (int s = 0; s < TS_PAGED_STAGES; s++)
        sum += p->stall_cycles[s];
    return sum;
}

/* ---- Predictions */

static void hidden_pages_cost_no_time(void **state)
{
    const fixture *f = *state;
    const ts_plan paged = paged_plan(f, 2, 1, 20);
    ts_plan resident = paged;
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        resident.lin[ts_paged_stage[i]].buffers = 0;
    const ts_prediction p = ts_predict(&paged, f->m.im, HITS), r = ts_predict(&resident, f->m.im, HITS);
    assert_int_equal(p.latency_cycles, r.latency_cycles);
    assert_int_equal(p.total_cycles, r.total_cycles);
    assert_true(fabs((double)p.interval_cycles / (double)r.interval_cycles - 1) < 0.005); /* token by token, and by a formula */
    assert_int_equal(waits(&p), 0);
    assert_int_equal(r.first_latency_cycles, r.latency_cycles);
    assert_true(p.first_latency_cycles >= p.latency_cycles);
}

/* A slower memory and fewer buffers never make it faster, more of an event's time is never hidden than the bus needs, and what an event
   takes longer is what its first tokens waited at most. */
static void predictions_are_monotone(void **state)
{
    const fixture *f = *state;
    static const int lengths[] = {1, 2, 7, 20, HITS};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        const int n = lengths[l];
        for (int latency = 10; latency <= 1000; latency *= 10) {
            ts_prediction before[3] = {{0}};
            for (double rate = 1; rate > 0.01; rate /= 2) {
                ts_prediction p[3];
                for (int buffers = 1; buffers <= 2; buffers++) {
                    const ts_plan plan = paged_plan(f, buffers, rate, latency);
                    const ts_ring_widths w = ts_ring_widths_of(f->m.im);
                    p[buffers] = ts_predict(&plan, f->m.im, n);
                    const ts_prediction *now = &p[buffers], *last = &before[buffers];
                    assert_true(now->latency_cycles >= last->latency_cycles && now->interval_cycles >= last->interval_cycles);
                    assert_true(now->first_latency_cycles >= now->latency_cycles);
                    const ts_page_order order = ts_page_order_of(f->m.arena, &plan, f->m.im);
                    assert_true((double)now->interval_cycles + 1 >= (double)order.beats / rate);
                    assert_true(now->interval_cycles <= now->first_latency_cycles + now->total_cycles + waits(now));
                    assert_true(fabs((double)now->latency_cycles - ts_predict_latency(&plan, f->m.im, &w, n) -
                                     ts_predict_page_delay(&plan, f->m.im, &w, n)) <= 1);
                }
                assert_true(p[1].latency_cycles >= p[2].latency_cycles);
                assert_true(p[1].interval_cycles >= p[2].interval_cycles);
                memcpy(before, p, sizeof before);
            }
        }
    }
}

/* Where the bus is all that counts, an event takes what its pages take. */
static void slow_memory_sets_the_pace(void **state)
{
    const fixture *f = *state;
    const ts_plan plan = paged_plan(f, 2, 0.02, 50);
    const ts_page_order order = ts_page_order_of(f->m.arena, &plan, f->m.im);
    const ts_prediction p = ts_predict(&plan, f->m.im, HITS);
    const double bus = (double)order.beats / plan.paging.rate;
    assert_true((double)p.interval_cycles >= bus - 1 && (double)p.interval_cycles <= 1.001 * bus);
}

/* The first of a queue finds its pages there, and a long queue settles at the interval. */
static void queues_agree(void **state)
{
    const fixture *f = *state;
    enum { EVENTS = 24 };
    for (int buffers = 1; buffers <= 2; buffers++) {
        const ts_plan plan = paged_plan(f, buffers, 0.3, 60);
        const ts_prediction p = ts_predict(&plan, f->m.im, HITS);
        int n[EVENTS];
        const ts_chain_ring ring = {.plan = &plan, .im = f->m.im};
        ts_event_times event[EVENTS];
        for (int e = 0; e < EVENTS; e++)
            n[e] = HITS;
        n[EVENTS - 1] = HITS + 1;
        ts_chain_run(&(ts_chain_queue){.ring = &ring, .count = 1, .events = EVENTS, .n = n}, event, NULL);
        assert_int_equal(llround(event[0].last_out), p.total_cycles);
        assert_true(event[EVENTS - 1].refused);
        assert_true(fabs(event[EVENTS - 2].last_out - event[EVENTS - 3].last_out - (double)p.interval_cycles) <= 1);
    }
}

/* ---- Costs */

static void pages_take_less_memory(void **state)
{
    const fixture *f = *state;
    double brams = INFINITY;
    for (int buffers = 2; buffers >= 1; buffers--) {
        const ts_plan plan = paged_plan(f, buffers, 1, 50);
        ts_stage_cost list[TS_STAGE_COST_MAX];
        const int count = ts_plan_stage_costs(&plan, f->m.im, f->zcu102, list);
        const ts_cost pager = ts_plan_pager_cost(&plan, f->m.im), all = ts_plan_cost(&plan, f->m.im, f->zcu102);
        bool listed = false;
        for (int i = 0; i < count; i++)
            if (strcmp(list[i].stage, "pager") == 0) {
                listed = true;
                assert_true(list[i].cost.yosys.lut == pager.yosys.lut && list[i].cost.yosys.ff == pager.yosys.ff);
            }
        assert_true(listed && pager.yosys.lut > 500 && pager.yosys.bram36 == 0);
        assert_true(all.device.bram36 <= brams);
        brams = all.device.bram36;
    }
    ts_plan resident = paged_plan(f, 1, 1, 50);
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        resident.lin[ts_paged_stage[i]].buffers = 0;
    assert_true(ts_plan_cost(&resident, f->m.im, f->zcu102).device.bram36 > brams);
    assert_true(ts_plan_pager_cost(&resident, f->m.im).yosys.lut == 0);
}

/* ---- The choice */

/* No choice of buffers, port and memories of the weights that fits has a lower latency than the planner's, with the same folds. */
static void buffers_are_the_best(void **state)
{
    const fixture *f = *state;
    static const double gbytes[] = {0.4, 1, 20};
    for (size_t g = 0; g < sizeof gbytes / sizeof *gbytes; g++) {
        ts_err err = {""};
        ts_plan_options opt = options(TS_PAGING_ALLOWED);
        opt.memory = (ts_ext_memory){gbytes[g], 300};
        ts_planned planned;
        if (!ts_plan_search(f->m.arena, f->m.im, f->small, &opt, &planned, &err))
            fail_msg("%s", err.msg);
        assert_true(ts_plan_is_paged(planned.plan));
        long long best = planned.prediction.latency_cycles;
        for (int code = 0; code < 81; code++)
            for (int styles = 0; styles < 16; styles++)
                for (int lanes = 1; lanes <= 8; lanes *= 2) {
                    ts_plan plan = *planned.plan;
                    plan.paging = ts_paging_of(&opt.memory, plan.clock_mhz, lanes);
                    for (int i = 0, rest = code; i < TS_PAGED_STAGES; i++, rest /= 3) {
                        plan.lin[ts_paged_stage[i]].buffers = rest % 3;
                        plan.lin[ts_paged_stage[i]].wstyle = styles >> i & 1 ? TS_MEM_DISTRIBUTED : TS_MEM_BLOCK;
                    }
                    if (!ts_plan_is_paged(&plan))
                        plan.paging = (ts_paging){0};
                    const ts_cost cost = ts_plan_cost(&plan, f->m.im, f->small);
                    if (ts_device_load(f->small, &cost.device, NULL) > 1)
                        continue;
                    const long long latency = ts_predict(&plan, f->m.im, HITS).latency_cycles;
                    best = latency < best ? latency : best;
                }
        /* A per cent for a device that is less full. */
        if ((double)planned.prediction.latency_cycles > 1.01 * (double)best)
            fail_msg("%.1f GB/s: %lld cycles; the best choice has %lld", gbytes[g], planned.prediction.latency_cycles, best);
    }
}

/* Asked for, pages are used even where all weights fit; the number of buffers may be fixed. */
static void wishes_hold(void **state)
{
    const fixture *f = *state;
    for (int buffers = 0; buffers <= 2; buffers++) {
        ts_err err = {""};
        ts_plan_options opt = options(TS_PAGING_ASKED);
        opt.page_buffers = buffers;
        ts_planned planned;
        assert_true(ts_plan_search(f->m.arena, f->m.im, f->zcu102, &opt, &planned, &err));
        for (int i = 0; i < TS_PAGED_STAGES; i++) {
            const int has = planned.plan->lin[ts_paged_stage[i]].buffers;
            assert_true(buffers ? has == buffers : has > 0);
        }
        opt.paging = TS_PAGING_ALLOWED;
        assert_true(ts_plan_search(f->m.arena, f->m.im, f->zcu102, &opt, &planned, &err));
        assert_false(ts_plan_is_paged(planned.plan));
        assert_int_equal(planned.plan->paging.lanes, 0);
    }
}

/* The port is as wide as its pages need and no wider than the memory. */
static void ports_follow_the_memory(void **state)
{
    (void)state;
    static const struct {
        double gbytes, clock;
        int lanes;
        double rate;
    } cases[] = {{1.6, 200, 1, 1}, {0.8, 200, 1, 0.5}, {100, 250, 8, 1}, {8, 250, 4, 1}, {8, 250, 8, 0.5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ts_paging p = ts_paging_of(&(ts_ext_memory){cases[i].gbytes, 400}, cases[i].clock, cases[i].lanes);
        assert_true(p.lanes == cases[i].lanes && fabs(p.rate - cases[i].rate) < 1e-9);
        assert_int_equal(p.latency, (int)(400 * cases[i].clock / 1000));
        /* What is on its way fills the time until the first beat comes. */
        assert_true(p.bursts * ts_page_burst_beats(p.lanes) >= p.latency * p.rate + ts_page_burst_beats(p.lanes));
    }
    const ts_device slow = {.memory_gbytes_per_s = 10, .memory_ns = 700}, silent = {.memory_gbytes_per_s = 10};
    assert_true(fabs(ts_ext_memory_of(&slow).gbytes_per_s - 8) < 1e-9 && ts_ext_memory_of(&slow).ns == 700);
    assert_true(ts_ext_memory_of(&silent).ns > 100);
}

/* ---- Partitions */

static ts_partition_options wish(const ts_device *const *device, int devices)
{
    ts_partition_options o = {.plan = options(TS_PAGING_NONE), .devices = devices, .device = device, .any_mode = true};
    return o;
}

static void auto_pages_what_does_not_fit(void **state)
{
    const fixture *f = *state;
    ts_err err = {""};
    ts_partition p;
    ts_partition_options o = wish(&f->small, 1);
    if (!ts_partition_search(f->m.arena, f->m.im, &o, &p, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(p.mode, TS_MODE_PAGED);
    assert_int_equal(p.alternatives, 2);
    assert_true(p.alternative[0].mode == TS_MODE_MONOLITHIC && !p.alternative[0].fits && p.alternative[1].chosen);
    assert_non_null(strstr(p.why, "Paged, because"));
    assert_non_null(strstr(p.why, "more than the"));
    o = wish(&f->zcu102, 1);
    assert_true(ts_partition_search(f->m.arena, f->m.im, &o, &p, &err));
    assert_int_equal(p.mode, TS_MODE_MONOLITHIC);
    o.any_mode = false;
    o.mode = TS_MODE_PAGED;
    assert_true(ts_partition_search(f->m.arena, f->m.im, &o, &p, &err));
    assert_int_equal(p.mode, TS_MODE_PAGED);
    o.mode = TS_MODE_MONOLITHIC;
    o.device = &f->small;
    assert_false(ts_partition_search(f->m.arena, f->m.im, &o, &p, &err));
}

/* Of a list, paged on one device is weighed against a split, and is chosen where it is at least as good. */
static void paged_is_weighed_against_a_split(void **state)
{
    const fixture *f = *state;
    const ts_device *const two[] = {f->small, f->small};
    for (int objective = TS_OBJECTIVE_LATENCY; objective <= TS_OBJECTIVE_AREA; objective++) {
        ts_err err = {""};
        ts_partition p;
        ts_partition_options o = wish(two, 2);
        o.objective = (ts_objective)objective;
        if (!ts_partition_search(f->m.arena, f->m.im, &o, &p, &err))
            fail_msg("%s", err.msg);
        double best[2] = {INFINITY, INFINITY};
        for (int i = 0; i < p.alternatives; i++) {
            const ts_alternative *a = &p.alternative[i];
            const double value = (double)(objective == TS_OBJECTIVE_THROUGHPUT ? a->interval_cycles : a->latency_cycles);
            if (a->fits)
                best[a->parts > 1] = fmin(best[a->parts > 1], value);
        }
        assert_true(isfinite(best[0]));
        assert_int_equal(p.parts, objective == TS_OBJECTIVE_AREA || best[0] <= best[1] ? 1 : 2);
        assert_int_equal(p.mode, p.parts > 1 ? TS_MODE_SPLIT : TS_MODE_PAGED);
    }
}

/* Where that is better, and where no cut fits otherwise, parts of a split are paged. */
static void parts_are_paged_where_that_is_better(void **state)
{
    const fixture *f = *state;
    int paged = 0, resident = 0;
    bool any = false;
    for (double brams = f->small->has.bram36; brams > 0; brams -= 2) {
        ts_device *d = with_brams(f->m.arena, f->small, brams);
        d->has.lut += 2500; /* for the ends of links */
        const ts_device *const two[] = {d, d};
        ts_partition_options o = wish(two, 2);
        o.any_mode = false;
        o.mode = TS_MODE_SPLIT;
        ts_err err = {""};
        ts_partition p;
        if (!ts_partition_search(f->m.arena, f->m.im, &o, &p, &err))
            break;
        any = false;
        for (int i = 0; i < p.parts; i++)
            any = any || ts_plan_is_paged(p.part[i].planned.plan);
        assert_int_equal(p.mode, TS_MODE_SPLIT);
        paged += any;
        resident += !any;
        if (any)
            assert_non_null(strstr(p.why, ", paged, interval"));
    }
    assert_true(resident > 0 && paged > 0 && any); /* the smallest of all that do are */
}

static void what_cannot_be_paged_says_why(void **state)
{
    const fixture *f = *state;
    static const struct {
        bool any, one_layer, no_memory, tiny;
        const char *says[3];
    } cases[] = {{false, true, false, false, {"one layer", NULL, NULL}},
                 {false, false, true, false, {"no external memory", "memory says", NULL}},
                 {true, false, true, true, {"no external memory", "LUT", "more than the"}},
                 {true, false, false, true, {"With weights in external memory", "LUT", "would do"}},
                 {false, false, false, true, {"even with weights in external memory", "LUT", "more than the"}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ts_device *d = with_brams(f->m.arena, cases[i].no_memory ? f->bare : f->zcu102, cases[i].tiny ? 1 : f->zcu102->has.bram36);
        if (cases[i].tiny)
            d->has.lut = 9000;
        const ts_device *const list[] = {d};
        ts_partition_options o = wish(list, 1);
        o.any_mode = cases[i].any;
        o.mode = TS_MODE_PAGED;
        ts_err err = {""};
        ts_partition p;
        assert_false(ts_partition_search(f->m.arena, cases[i].one_layer ? f->one_layer.im : f->m.im, &o, &p, &err));
        for (int k = 0; k < 3 && cases[i].says[k]; k++)
            if (!strstr(err.msg, cases[i].says[k]))
                fail_msg("\"%s\" does not say \"%s\"", err.msg, cases[i].says[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_pages_cost_no_time),
        cmocka_unit_test(predictions_are_monotone),
        cmocka_unit_test(slow_memory_sets_the_pace),
        cmocka_unit_test(queues_agree),
        cmocka_unit_test(pages_take_less_memory),
        cmocka_unit_test(buffers_are_the_best),
        cmocka_unit_test(wishes_hold),
        cmocka_unit_test(ports_follow_the_memory),
        cmocka_unit_test(auto_pages_what_does_not_fit),
        cmocka_unit_test(paged_is_weighed_against_a_split),
        cmocka_unit_test(parts_are_paged_where_that_is_better),
        cmocka_unit_test(what_cannot_be_paged_says_why),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
