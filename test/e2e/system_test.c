/* Partitioned designs end to end: a seeded model as rings that share a device, and cut over two devices, planned, emitted, built as one
   simulator and compared word by word with the integer model of the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "design/design.h"
#include "emu/emu.h"
#include "exported.h"
#include "process/process.h"
#include "ring/pages.h"
#include "scratch.h"
#include "sim/simulate.h"
#include "small_model.h"

enum { N_MAX = 20, EVENTS = 9, EQUAL = 8, PERCENT = 3 };

/* Lengths cover 1, the longest, and two that are too long between ordinary ones. */
static const int lengths[EVENTS] = {5, 1, N_MAX, N_MAX + 1, 3, N_MAX, 2 * N_MAX + 3, 1, 7};

typedef struct chain {
    small_model m;
    const ts_device *device[3];
    ts_partition partition;
    const char *dir;
    ts_design design;
    int n[EVENTS];
    const int32_t *x[EVENTS];
} chain;

static const int32_t *event(const small_model *m, int n, uint64_t seed)
{
    int32_t *x = TS_NEW_N(m->arena, int32_t, n * m->im->features);
    ts_quantise_input(m->im, n, small_event(m->arena, m->enc, n, seed), x);
    return x;
}

/* The partition's plans are changed by `change`, which may be NULL, before they are built. */
static void open_changed_chain(chain *c, const ts_encoder_shape *shape, const char *formats, const char *const *device, int devices,
                               const ts_partition_options *wish, void (*change)(int part, ts_plan *plan))
{
    ts_err err = {""};
    *c = (chain){.m = small_model_make(shape, 9, formats, &err)};
    if (!c->m.im)
        fail_msg("%s", err.msg);
    for (int d = 0; d < devices; d++)
        assert_non_null(c->device[d] = ts_device_find(c->m.arena, device[d], &err));
    ts_partition_options opt = *wish;
    opt.plan.max_tokens = N_MAX;
    opt.plan.plan_tokens = N_MAX / 2;
    opt.device = c->device;
    opt.devices = devices;
    if (!ts_partition_search(c->m.arena, c->m.im, &opt, &c->partition, &err))
        fail_msg("%s", err.msg);
    for (int p = 0; change && p < c->partition.parts; p++) {
        ts_plan *plan = TS_NEW(c->m.arena, ts_plan);
        *plan = *c->partition.part[p].planned.plan;
        change(p, plan);
        c->partition.part[p].planned.plan = plan;
    }
    for (int e = 0; e < EVENTS; e++) {
        c->n[e] = lengths[e];
        c->x[e] = event(&c->m, lengths[e], 70 + (uint64_t)e);
    }
    c->dir = scratch_new("system-test");
    ts_system system;
    const ts_design_options options = {.system = &system, .events = {EVENTS, c->n, c->x}};
    if (!ts_system_of_partition(c->m.arena, c->m.im, &c->partition, c->device, &system, &err) || !ts_design_write(&options, c->dir, &err) ||
        !ts_design_load(c->m.arena, c->dir, &c->design, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(c->design.parts, c->partition.parts);
    assert_int_equal(c->design.mode, c->partition.mode);
    if (!change)
        assert_int_equal(ts_design_predict(c->m.arena, &c->design, N_MAX / 2).interval_cycles, c->partition.prediction.interval_cycles);
}

static void open_chain(chain *c, const ts_encoder_shape *shape, const char *formats, const char *const *device, int devices,
                       const ts_partition_options *wish)
{
    open_changed_chain(c, shape, formats, device, devices, wish, NULL);
}

static void close_chain(chain *c)
{
    ts_design_free(&c->design);
    scratch_free(c->dir);
    ts_arena_free(c->m.arena);
}

static ts_sim_result simulate(const chain *c, ts_sim_options opt)
{
    ts_err err = {""};
    ts_sim_result result;
    if (opt.events == 0) {
        opt.events = EVENTS;
        opt.n = c->n;
        opt.x = c->x;
    }
    if (!ts_simulate(c->m.arena, &c->design, &opt, &result, &err))
        fail_msg("%s", err.msg);
    if (!result.bit_exact)
        fail_msg("%s", result.difference);
    return result;
}

static void check(const chain *c)
{
    const ts_sim_result first = simulate(c, (ts_sim_options){.seed = 1});
    assert_int_equal(first.refused, 2);
    assert_int_equal(first.cuts, c->partition.parts - 1);
    for (int e = 0; e < EVENTS; e++) {
        assert_int_equal(first.event[e].refused, lengths[e] > N_MAX);
        for (int k = 0; k < first.cuts; k++) { /* in order along the chain; a refusal too passes every cut, in its turn */
            const ts_sim_cut *cut = &first.event[e].cut[k];
            assert_true(cut->first <= cut->last && (cut->first < cut->last) == (lengths[e] > 1 && lengths[e] <= N_MAX));
            assert_true(cut->first > (k ? cut[-1].first : first.event[e].first_in) && cut->last < first.event[e].last_out);
            assert_true(e == 0 || cut->first > first.event[e - 1].cut[k].last);
        }
    }
    simulate(c, (ts_sim_options){.stall_percent = 30, .link_percent = 40, .seed = 2});
    simulate(c, (ts_sim_options){.stall_percent = 80, .link_percent = 90, .seed = 3});
    simulate(c, (ts_sim_options){.lone = true, .load = true, .link_percent = 10, .seed = 4});
    exported_check(c->m.arena, c->dir, c->m.im, N_MAX, EVENTS, c->n, c->x);
}

/* Whatever befalls a word on the link, forth or back: the event that it belongs to is flagged, at most that one and its neighbour, which
   may share a packet with it; every other event is right. Silence for less than the link's limit is a delay. */
static void check_faults(const chain *c)
{
    enum { NEAR = 20 }; /* cycles: what the sender had begun */
    static const int words[] = {3, 95, 200, 300, 400};
    const int silence = ts_link_ends_of(&c->partition.link, c->m.im->d * c->m.im->res.bits).timeout;
    int flagged[TS_LINK_HOLD + 1] = {0};
    for (int kind = TS_LINK_FLIP; kind <= TS_LINK_HOLD; kind++)
        for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
            ts_link_fault fault = {.kind = (ts_link_fault_kind)kind, .word = words[w], .hold_cycles = silence + NEAR};
            const ts_sim_options opt = {.link_fault = fault, .link_percent = w % 2 ? 20 : 0, .seed = 7};
            const ts_sim_result r = simulate(c, opt);
            assert_true(r.flagged <= 2);
            flagged[kind] += r.flagged;
            ts_sim_options shorter = opt;
            shorter.link_fault.hold_cycles = silence - NEAR;
            if (kind == TS_LINK_HOLD)
                assert_int_equal(simulate(c, shorter).flagged, 0);
        }
    /* A word between the events' belongs to none. */
    assert_true(flagged[TS_LINK_FLIP] >= 3 && flagged[TS_LINK_DROP] >= 3 && flagged[TS_LINK_HOLD] >= 3);
    for (int kind = TS_LINK_FLIP; kind <= TS_LINK_HOLD; kind++) { /* credit that comes late costs time and nothing else */
        const ts_link_fault fault = {.kind = (ts_link_fault_kind)kind, .wire = 1, .word = 4, .hold_cycles = 10000};
        assert_int_equal(simulate(c, (ts_sim_options){.link_fault = fault, .seed = 8}).flagged, 0);
    }
}

/* A part stands still once it has given a transfer, in the middle of an event or at its end, for longer than a link may be silent:
   everything is late and right, in front of a link, too, which says all the while that nothing is missing. */
static void check_part_stalls(const chain *c)
{
    enum { FIRST = 6, MIDDLE = FIRST + 7, LAST = FIRST + N_MAX - 1 }; /* residual tokens of the third event */
    const long long undisturbed = simulate(c, (ts_sim_options){.seed = 10}).cycles;
    for (int part = 0; part < c->partition.parts; part++)
        for (int transfer = MIDDLE; transfer <= LAST; transfer += LAST - MIDDLE) {
            const ts_part_stall stall = {.part = part, .transfer = transfer, .cycles = 10000};
            const ts_sim_result r = simulate(c, (ts_sim_options){.part_stall = stall, .seed = 10});
            assert_int_equal(r.flagged, 0);
            assert_in_range(r.cycles, undisturbed + 5000, undisturbed + 10500);
        }
}

static void near(const char *what, double predicted, double seen)
{
    if (fabs(predicted - seen) > seen * PERCENT / 100)
        fail_msg("%s: %.0f cycles predicted, %.1f simulated", what, predicted, seen);
}

static void check_times(const chain *c)
{
    enum { HITS = N_MAX / 2 };
    int n[EQUAL];
    const int32_t *x[EQUAL];
    for (int e = 0; e < EQUAL; e++) {
        n[e] = HITS;
        x[e] = event(&c->m, HITS, 90 + (uint64_t)e);
    }
    const ts_chain_prediction p = ts_design_predict(c->m.arena, &c->design, HITS);
    const ts_sim_result queue = simulate(c, (ts_sim_options){.events = EQUAL, .n = n, .x = x, .seed = 5});
    /* Once every part has an event. */
    near("interval", (double)p.interval_cycles, (double)(queue.event[EQUAL - 1].last_out - queue.event[EQUAL - 4].last_out) / 3);
    const ts_sim_result lone = simulate(c, (ts_sim_options){.events = 2, .n = n, .x = x, .lone = true, .seed = 6});
    near("first hit to last result", (double)p.total_cycles, (double)(lone.event[1].last_out - lone.event[1].first_in));
}

/* Events of any lengths, back to back and alone: each from its first hit in to its last result out, their interval, all of it. */
static void check_sequences(const chain *c)
{
    enum { SEQUENCES = 4, LENGTH = 14 };
    static const int fixed[][LENGTH] = {{N_MAX, N_MAX, N_MAX, 1, 1, 1, 1, N_MAX, 2, N_MAX - 1, 7, 7, 13, 1},
                                        {1, 1, N_MAX, 1, N_MAX, 1, N_MAX, N_MAX, 3, 2, 1, N_MAX, N_MAX / 2, N_MAX / 2}};
    for (int s = 0; s < SEQUENCES; s++) {
        uint64_t state = 31 + (uint64_t)s;
        int n[LENGTH];
        const int32_t *x[LENGTH];
        for (int e = 0; e < LENGTH; e++) {
            n[e] = s < 2 ? fixed[s][e] : 1 + (int)(ts_random(&state) % N_MAX);
            x[e] = event(&c->m, n[e], 200 + (uint64_t)(s * LENGTH + e));
        }
        const bool lone = s == SEQUENCES - 1;
        const ts_sim_result seen = simulate(c, (ts_sim_options){.events = LENGTH, .n = n, .x = x, .lone = lone, .seed = 9});
        ts_event_times times[LENGTH];
        ts_chain_run(
            &(ts_chain_queue){
                .ring = ts_system_chain(c->m.arena, &c->design.system), .count = c->design.parts, .events = LENGTH, .n = n, .lone = lone},
            times, NULL);
        for (int e = 0; e < LENGTH; e++)
            near(ts_printf(c->m.arena, "sequence %d, event %d of %d hits", s, e, n[e]), times[e].last_out - times[e].first_in,
                 (double)(seen.event[e].last_out - seen.event[e].first_in));
        near("interval of a sequence", ts_chain_interval(times, LENGTH), seen.interval_cycles);
        near("all of a sequence", times[LENGTH - 1].last_out, (double)seen.cycles);
    }
}

/* The emitted bench of the whole chain, in Icarus: everything that was not initialised is X there. */
static void check_icarus(const chain *c)
{
    ts_err err = {""};
    ts_arena *arena = c->m.arena;
    const char *log = ts_printf(arena, "%s/tb.log", c->dir), *argv[40] = {"iverilog", "-g2005", "-I", "tb", "-o", "tb.vvp"};
    int argc = 6;
    for (int p = -1; p < c->design.parts; p++) {
        argv[argc++] = "-y";
        argv[argc++] = p < 0 ? "rtl" : ts_printf(arena, "part%d/rtl", p);
    }
    argv[argc++] = "-y";
    argv[argc++] = "tb";
    argv[argc++] = "tb/tb.v";
    assert_int_equal(ts_process_run(c->dir, argv, log, &err), 0);
    const char *const run[] = {"vvp", "-n", "tb.vvp", "+stalls=30", "+wire_pauses=20", "+memory_stalls=20", NULL};
    assert_int_equal(ts_process_run(c->dir, run, log, &err), 0);
    const char *tail = ts_process_log_tail(arena, log, 400);
    if (!strstr(tail, "PASS") || strstr(tail, "FAIL"))
        fail_msg("%s: %s", log, tail);
}

/* Three rings of a layer each on one device. */
static void test_replicated(void **state)
{
    (void)state;
    const ts_encoder_shape shape = {
        .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 4, .layers = 3, .act = TS_ACT_RELU};
    const char *const device[] = {"zcu102"};
    chain c;
    open_chain(&c, &shape, "layers.1.v=10,layers.0.q=9", device, 1,
               &(ts_partition_options){.plan.target_ii = 16, .mode = TS_MODE_REPLICATED, .objective = TS_OBJECTIVE_THROUGHPUT});
    assert_int_equal(c.partition.parts, 3);
    check(&c);
    check_times(&c);
    check_sequences(&c);
    check_part_stalls(&c);
    check_icarus(&c);
    close_chain(&c);
}

/* Over two devices, with a slow way between them; cut inside a layer by a pin. */
static void test_split(void **state)
{
    (void)state;
    const ts_encoder_shape shape = {.features = 3,
                                    .d = 8,
                                    .heads = 2,
                                    .d_head = 4,
                                    .ff = 12,
                                    .outputs = 3,
                                    .layers = 4,
                                    .norms = TS_NORMS_FIRST,
                                    .has_final_norm = true,
                                    .act = TS_ACT_RELU};
    const char *const device[] = {"pynq-z2", "pynq-z2"};
    static const ts_pin pins[] = {{2, 0}, {3, 1}};
    chain c;
    open_chain(&c, &shape, "residual=17", device, 2,
               &(ts_partition_options){.plan.target_ii = 20,
                                       .mode = TS_MODE_SPLIT,
                                       .objective = TS_OBJECTIVE_THROUGHPUT,
                                       .pins = 2,
                                       .pin = pins,
                                       .link = {.word_bits = 32, .rate = 0.9, .flight = 75}});
    assert_int_equal(c.partition.parts, 2);
    assert_int_equal(c.partition.part[1].slice.first, 3);
    check(&c);
    check_times(&c);
    check_sequences(&c);
    check_faults(&c);
    check_part_stalls(&c);
    close_chain(&c);
}

/* Two buffers in one part, one in the other, each with a memory of its own. */
static void page(int part, ts_plan *plan)
{
    for (int i = 0; i < TS_PAGED_STAGES; i++)
        plan->lin[ts_paged_stage[i]].buffers = part ? i % 2 + 1 : 2;
    plan->paging = (ts_paging){.lanes = part ? 1 : 2, .bursts = 4, .latency = part ? 60 : 20, .rate = part ? 0.8 : 1};
}

static void test_paged_parts(void **state)
{
    (void)state;
    const ts_encoder_shape shape = {
        .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 12, .outputs = 3, .layers = 4, .act = TS_ACT_RELU};
    const char *const device[] = {"pynq-z2", "pynq-z2"};
    static const ts_pin pins[] = {{2, 0}, {3, 1}};
    chain c;
    open_changed_chain(&c, &shape, "residual=17", device, 2,
                       &(ts_partition_options){.plan.target_ii = 20,
                                               .mode = TS_MODE_SPLIT,
                                               .objective = TS_OBJECTIVE_THROUGHPUT,
                                               .pins = 2,
                                               .pin = pins,
                                               .link = {.word_bits = 32, .rate = 0.9, .flight = 75}},
                       page);
    assert_int_equal(c.partition.parts, 2);
    check(&c);
    check_sequences(&c);
    simulate(&c, (ts_sim_options){.memory_percent = 50, .link_percent = 20, .seed = 11});
    for (int part = 0; part < 2; part++) {
        const ts_system_ring *ring = &c.design.part[part];
        const ts_page_order order = ts_page_order_of(c.m.arena, ring->plan, ring->im);
        ts_page_fault fault = {.kind = TS_PAGE_FLIP, .part = part, .page = 2 * order.count + 1};
        const ts_sim_result again = simulate(&c, (ts_sim_options){.page_fault = fault, .seed = 12});
        assert_true(again.flagged == 0 && again.paged == 2 * TS_PAGED_STAGES);
        assert_true(again.pages_again[part] == 1 && again.pages_again[!part] == 0);
        fault.kind = TS_PAGE_FLIP_ALWAYS;
        const ts_sim_result bad = simulate(&c, (ts_sim_options){.page_fault = fault, .seed = 13});
        assert_true(bad.flagged == 1 && bad.event[2].error && bad.gave_up[part] && !bad.gave_up[!part]);
    }
    check_icarus(&c);
    close_chain(&c);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_replicated), cmocka_unit_test(test_split), cmocka_unit_test(test_paged_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
