/* Small rings with two products a DSP: ring.h. */
#include "ring.h"

/* Two products a DSP in every stage, odd numbers of lanes, so that some are alone; scores in pairs of keys, then of queries. */
static void test_packed(void **state)
{
    (void)state;
    for (int pairs = TS_PAIR_KEYS; pairs <= TS_PAIR_QUERIES; pairs++) {
        ts_arena *arena = ts_arena_new();
        const ts_imodel *im = make_model(
            arena, &packed_shape, false,
            pairs == TS_PAIR_KEYS ? "w=8,in=12,q=10,k=9,p=11,v=8,hidden=11,layers.1.v=6" : "w=8,in=12,q=8,k=12,p=11,v=8,hidden=11", 9);
        ts_plan plan = ts_plan_minimal(im, N_MAX);
        set_fold(&plan, TS_LIN_QKV0, 3, 7, 7);
        set_fold(&plan, TS_LIN_QKV, 4, 6, 2);
        set_fold(&plan, TS_LIN_O, 7, 3, 1);
        set_fold(&plan, TS_LIN_FFN1, 3, 4, 1);
        set_fold(&plan, TS_LIN_FFN2, 14, 3, 3);
        set_fold(&plan, TS_LIN_HEAD0, 3, 2, 1);
        for (int id = 0; id < TS_LIN_COUNT; id++)
            plan.lin[id].pack = true;
        plan.attn = (ts_attn_fold){.pq = 3,
                                   .pkey = 3,
                                   .ph = 2,
                                   .pd = 3,
                                   .nf = 2,
                                   .pairs = (ts_score_pairs)pairs,
                                   .pack_context = true,
                                   .kvstyle = TS_MEM_BLOCK,
                                   .sstyle = TS_MEM_DISTRIBUTED};
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_packed), cmocka_unit_test(test_packed_plan)};
    return run_rings(argc, argv, tests, sizeof tests / sizeof *tests);
}
