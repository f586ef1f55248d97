/* Partitions: cuts against brute force over full plans, shares of one device, pins, and what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "graph/random_encoder.h"
#include "plan/partition.h"
#include "small_model.h"

typedef struct fixture {
    small_model m, trigger;
    const ts_device *pynq, *zcu102, *ice40;
} fixture;

enum { HITS = 48 };

static small_model model(const ts_encoder_shape *shape)
{
    ts_err err = {""};
    const small_model m = small_model_make(shape, 3, "", &err);
    if (!m.im)
        fail_msg("%s", err.msg);
    return m;
}

static int setup(void **state)
{
    static fixture f;
    ts_err err = {""};
    f.m = model(
        &(ts_encoder_shape){.features = 3, .d = 24, .heads = 3, .d_head = 8, .ff = 48, .outputs = 4, .layers = 4, .act = TS_ACT_RELU});
    f.trigger = model(
        &(ts_encoder_shape){.features = 3, .d = 16, .heads = 2, .d_head = 8, .ff = 32, .outputs = 4, .layers = 2, .act = TS_ACT_RELU});
    f.pynq = ts_device_find(f.m.arena, "pynq-z2", &err);
    f.zcu102 = ts_device_find(f.m.arena, "zcu102", &err);
    f.ice40 = ts_device_find(f.m.arena, "ice40up5k", &err);
    assert_true(f.pynq && f.zcu102 && f.ice40);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    ts_arena_free(f->m.arena);
    ts_arena_free(f->trigger.arena);
    return 0;
}

static ts_partition_options options(const ts_device *const *device, int devices, ts_objective objective)
{
    return (ts_partition_options){
        .plan = {.max_tokens = HITS, .plan_tokens = HITS}, .devices = devices, .device = device, .any_mode = true, .objective = objective};
}

static ts_partition search(const fixture *f, const ts_imodel *im, const ts_partition_options *opt)
{
    ts_err err = {""};
    ts_partition p;
    if (!ts_partition_search(f->m.arena, im, opt, &p, &err))
        fail_msg("%s", err.msg);
    /* Parts follow each other from end to end, on devices in the order of the list. */
    int end = 0;
    for (int i = 0; i < p.parts; i++) {
        assert_int_equal(p.part[i].slice.first, end);
        end = p.part[i].slice.end;
        assert_true(i == 0 || p.part[i].device >= p.part[i - 1].device);
        assert_true(ts_plan_check(p.part[i].planned.plan, p.part[i].im, &err));
        assert_ptr_equal(p.ring[i].plan, p.part[i].planned.plan);
    }
    assert_int_equal(end, ts_block_count(im));
    int chosen = 0;
    for (int i = 0; i < p.alternatives; i++) {
        chosen += p.alternative[i].chosen;
        assert_true(!p.alternative[i].chosen || p.alternative[i].fits);
    }
    assert_int_equal(chosen, 1);
    return p;
}

/* The least interval over every cut in two, each part planned in full. */
static double brute_force(const fixture *f, const ts_partition_options *opt)
{
    double best = INFINITY;
    const int blocks = ts_block_count(f->m.im);
    for (int cut = 1; cut < blocks; cut++) {
        ts_arena *arena = ts_arena_new();
        ts_chain_ring ring[2];
        bool fits = true;
        for (int i = 0; i < 2 && fits; i++) {
            ts_err err = {""};
            const ts_imodel *im =
                ts_imodel_slice(arena, f->m.im, i ? ts_slice_between(f->m.im, cut, blocks) : ts_slice_between(f->m.im, 0, cut), &err);
            ts_planned planned;
            fits = ts_plan_search(arena, im, opt->device[i], &opt->plan, &planned, &err);
            ring[i] = (ts_chain_ring){.plan = planned.plan, .im = im};
        }
        if (fits)
            best = fmin(best, (double)ts_chain_predict(ring, 2, HITS).interval_cycles);
        ts_arena_free(arena);
    }
    return best;
}

static void cut_in_two_is_near_the_best(void **state)
{
    const fixture *f = *state;
    const ts_device *const two[] = {f->pynq, f->pynq};
    const ts_partition_options opt = options(two, 2, TS_OBJECTIVE_THROUGHPUT);
    const ts_partition p = search(f, f->m.im, &opt);
    assert_int_equal(p.mode, TS_MODE_SPLIT);
    assert_int_equal(p.parts, 2);
    const double best = brute_force(f, &opt), got = (double)p.prediction.interval_cycles;
    if (got > 1.1 * best)
        fail_msg("interval %.0f; the best cut has %.0f", got, best);
}

static void more_devices_are_never_worse(void **state)
{
    const fixture *f = *state;
    const ts_device *const list[] = {f->pynq, f->pynq, f->pynq, f->pynq};
    for (int objective = TS_OBJECTIVE_LATENCY; objective <= TS_OBJECTIVE_THROUGHPUT; objective++) {
        double before = INFINITY;
        for (int devices = 1; devices <= 4; devices++) {
            const ts_partition_options opt = options(list, devices, (ts_objective)objective);
            const ts_partition p = search(f, f->m.im, &opt);
            const double now = (double)(objective == TS_OBJECTIVE_LATENCY ? p.prediction.latency_cycles : p.prediction.interval_cycles);
            if (now > before * 1.01)
                fail_msg("%s with %d devices: %.0f after %.0f cycles", ts_objective_name((ts_objective)objective), devices, now, before);
            before = now;
        }
    }
}

/* One device that can do it all is used alone, wherever it stands in the list. */
static void fewer_devices_are_enough(void **state)
{
    const fixture *f = *state;
    const ts_device *const list[] = {f->ice40, f->zcu102, f->ice40};
    for (int objective = TS_OBJECTIVE_LATENCY; objective <= TS_OBJECTIVE_AREA; objective++) {
        const ts_partition_options opt = options(list, 3, (ts_objective)objective);
        const ts_partition p = search(f, f->m.im, &opt);
        assert_int_equal(p.mode, objective == TS_OBJECTIVE_THROUGHPUT ? TS_MODE_REPLICATED : TS_MODE_MONOLITHIC);
        for (int i = 0; i < p.parts; i++) {
            assert_int_equal(p.part[i].device, 1);
            assert_true(p.part[i].planned.plan->clock_mhz >= f->zcu102->clock_mhz); /* not that of the devices that are not used */
        }
    }
}

/* Rings on one device share it, and a small model is faster for it. */
static void rings_share_a_device(void **state)
{
    const fixture *f = *state;
    const ts_partition_options opt = options(&f->zcu102, 1, TS_OBJECTIVE_THROUGHPUT);
    const ts_partition p = search(f, f->trigger.im, &opt);
    assert_int_equal(p.mode, TS_MODE_REPLICATED);
    assert_int_equal(p.parts, 2);
    ts_resources sum = {0};
    for (int i = 0; i < p.parts; i++) {
        const ts_resources *need = &p.part[i].planned.cost.device;
#define X(field, label) sum.field += need->field;
        TS_RESOURCES(X)
#undef X
    }
    assert_true(ts_device_load(f->zcu102, &sum, NULL) <= 0.8);
    ts_partition_options one = opt;
    one.any_mode = false;
    one.mode = TS_MODE_MONOLITHIC;
    assert_true(search(f, f->trigger.im, &one).prediction.interval_cycles > p.prediction.interval_cycles);
    one = options(&f->zcu102, 1, TS_OBJECTIVE_LATENCY);
    assert_int_equal(search(f, f->trigger.im, &one).mode, TS_MODE_MONOLITHIC);
}

/* Weighed as they are built, neighbours and all: what was chosen is what comes out, and nothing better was passed over. */
static void rings_are_weighed_in_full(void **state)
{
    const fixture *f = *state;
    for (int objective = TS_OBJECTIVE_LATENCY; objective <= TS_OBJECTIVE_THROUGHPUT; objective++) {
        ts_partition_options opt = options(&f->zcu102, 1, (ts_objective)objective);
        opt.any_mode = false;
        opt.mode = TS_MODE_REPLICATED;
        const ts_partition p = search(f, f->m.im, &opt);
        for (int i = 0; i < p.alternatives; i++) {
            const ts_alternative *a = &p.alternative[i];
            if (!a->fits)
                continue;
            const bool throughput = objective == TS_OBJECTIVE_THROUGHPUT;
            const long long theirs = throughput ? a->interval_cycles : a->latency_cycles;
            const long long ours = throughput ? p.prediction.interval_cycles : p.prediction.latency_cycles;
            assert_true(a->chosen ? theirs == ours : theirs >= ours);
        }
    }
}

static void hops_count(void **state)
{
    const fixture *f = *state;
    const ts_device *const two[] = {f->pynq, f->pynq};
    ts_partition_options opt = options(two, 2, TS_OBJECTIVE_THROUGHPUT);
    opt.any_mode = false;
    opt.mode = TS_MODE_SPLIT;
    opt.link = ts_link_of(f->m.im->d * f->m.im->res.bits, 10000, 500, 100);
    const ts_partition near = search(f, f->m.im, &opt);
    opt.link.flight += 500;
    const ts_partition far = search(f, f->m.im, &opt);
    assert_int_equal(far.prediction.latency_cycles - near.prediction.latency_cycles, 500);
    opt.link.rate = 1e-4; /* slower than any ring */
    assert_true((double)search(f, f->m.im, &opt).prediction.interval_cycles >= 1e4 * (HITS - 1));
}

/* What fits between two rings does not hold the first one up, however slow the second one's entry is. */
static void a_slow_taker_costs_what_does_not_fit(void **state)
{
    const fixture *f = *state;
    const ts_partition_options opt = options(&f->pynq, 1, TS_OBJECTIVE_THROUGHPUT);
    const int blocks = ts_block_count(f->m.im), cut = blocks - 2;
    ts_chain_ring ring[2];
    for (int i = 0; i < 2; i++) {
        ts_err err = {""};
        const ts_imodel *im =
            ts_imodel_slice(f->m.arena, f->m.im, i ? ts_slice_between(f->m.im, cut, blocks) : ts_slice_between(f->m.im, 0, cut), &err);
        assert_non_null(im);
        ts_planned planned;
        assert_true(ts_plan_search(f->m.arena, im, f->pynq, &opt.plan, &planned, &err));
        ring[i] = (ts_chain_ring){.plan = planned.plan, .im = im};
    }
    ts_plan slow = *ring[1].plan;
    ts_lin_fold *qkv = &slow.lin[TS_LIN_QKV];
    const ts_ring_widths w = ts_ring_widths_of(ring[1].im);
    const ts_prediction first = ts_predict(ring[0].plan, ring[0].im, HITS);
    qkv->pk = qkv->pm = qkv->nr = 1;
    while (ts_lin_ii(&w.lin[TS_LIN_QKV], qkv) * HITS >
           first.interval_cycles) /* about as slow as the first ring is with all of its layers */
        qkv->pk++;
    ring[1].plan = &slow;
    const ts_prediction second = ts_predict(&slow, ring[1].im, HITS);
    const long long own = first.interval_cycles > second.interval_cycles ? first.interval_cycles : second.interval_cycles;
    long long before = LLONG_MAX, interval = 0;
    for (int room = 0; room <= HITS; room += HITS / 4) {
        ring[1].before = (ts_hop){.token_cycles = 1, .latency = 1, .room = room};
        interval = ts_chain_predict(ring, 2, HITS).interval_cycles;
        assert_true(interval <= before && (room > 0 || interval > own));
        before = interval;
    }
    assert_int_equal(interval, own);

    /* Tokens of 33 words, a packet of 3: the sender's 4, 12 in 512 words less a packet, one out of the buffer, and half a packet. */
    const ts_hop hop = ts_link_hop(&(ts_link){.word_bits = 64, .rate = 0.78125, .flight = 100}, 2048);
    assert_true(fabs(hop.sends - 4) < 1e-9 && fabs(hop.room - 18) < 1e-9);
}

/* Words of a token have a bit each that is not payload; a link is silent when four state frames, behind a packet each, and the way there
   and back have gone by. */
static void links_have_marked_words(void **state)
{
    (void)state;
    const ts_link ethernet = ts_link_of(640, 10000, 500, 250), exact = ts_link_of(512, 128000, 0, 250);
    assert_int_equal(ethernet.word_bits, 64);
    assert_int_equal(exact.word_bits, 544); /* one word instead of two */
    const ts_link_ends ends = ts_link_ends_of(&ethernet, 640);
    assert_int_equal(ends.token_words, 11);
    assert_int_equal(ends.packet, 121);
    assert_int_equal(ends.timeout, 4 * 1024 + 4 * 124 * 8 / 5 + 2 * 125 + 1); /* 5139.6 */
    assert_int_equal(ts_link_ends_of(&exact, 512).token_words, 1);
}

static void pins_hold(void **state)
{
    const fixture *f = *state;
    const ts_device *const two[] = {f->pynq, f->pynq};
    ts_partition_options opt = options(two, 2, TS_OBJECTIVE_THROUGHPUT);
    ts_pin pin[TS_PIN_MAX];
    ts_err err = {""};
    assert_true(ts_pin_parse("layers.0.ffn=0", f->m.im, two, 2, pin, &opt.pins, &err));
    assert_true(ts_pin_parse("layers.1=1", f->m.im, two, 2, pin, &opt.pins, &err));
    assert_int_equal(opt.pins, 3);
    opt.pin = pin;
    const ts_partition p = search(f, f->m.im, &opt);
    assert_int_equal(p.parts, 2);
    assert_int_equal(p.part[0].slice.end, 2);
    opt.pins = 0;
    assert_true(ts_pin_parse("head=0", f->m.im, two, 2, pin, &opt.pins, &err));
    assert_true(ts_pin_parse("embed=1", f->m.im, two, 2, pin, &opt.pins, &err));
    ts_partition none;
    assert_false(ts_partition_search(f->m.arena, f->m.im, &opt, &none, &err));
    assert_non_null(strstr(err.msg, "pins"));
    static const char *const wrong[] = {"layers.4=0", "layers.1",    "=0",           "layer.1=0", "layers.1.norm=0",
                                        "head=2",     "head=zcu102", "head=pynq-z2", "layers.x=0"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int count = 0;
        ts_err bad = {""};
        assert_false(ts_pin_parse(wrong[i], f->m.im, two, 2, pin, &count, &bad));
        assert_non_null(strstr(bad.msg, "pin"));
    }
    const ts_device *const mixed[] = {f->pynq, f->zcu102};
    int count = 0;
    assert_true(ts_pin_parse("head=zcu102", f->m.im, mixed, 2, pin, &count, &err));
    assert_true(count == 1 && pin[0].block == 7 && pin[0].device == 1);
}

static void what_does_not_fit_says_why(void **state)
{
    const fixture *f = *state;
    const ts_device *const two[] = {f->ice40, f->ice40};
    for (int mode = 0; mode < 3; mode++) {
        ts_partition_options opt = options(two, mode == 1 ? 1 : 2, TS_OBJECTIVE_THROUGHPUT);
        opt.any_mode = mode == 0;
        opt.mode = mode == 1 ? TS_MODE_REPLICATED : TS_MODE_SPLIT;
        ts_partition p;
        ts_err err = {""};
        assert_false(ts_partition_search(f->m.arena, f->m.im, &opt, &p, &err));
        assert_non_null(strstr(err.msg, mode == 1 ? "ice40up5k" : "more than the"));
    }
    ts_partition_options opt = options(&f->pynq, 1, TS_OBJECTIVE_LATENCY);
    opt.any_mode = false;
    opt.mode = TS_MODE_SPLIT;
    ts_partition p;
    ts_err err = {""};
    assert_false(ts_partition_search(f->m.arena, f->m.im, &opt, &p, &err));
    assert_non_null(strstr(err.msg, "at least two devices"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_in_two_is_near_the_best),
        cmocka_unit_test(more_devices_are_never_worse),
        cmocka_unit_test(fewer_devices_are_enough),
        cmocka_unit_test(rings_share_a_device),
        cmocka_unit_test(rings_are_weighed_in_full),
        cmocka_unit_test(hops_count),
        cmocka_unit_test(a_slow_taker_costs_what_does_not_fit),
        cmocka_unit_test(links_have_marked_words),
        cmocka_unit_test(pins_hold),
        cmocka_unit_test(what_does_not_fit_says_why),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
