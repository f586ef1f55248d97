/* Small rings with pages in external memory, and whatever can befall those: ring.h. */
#include "ring.h"

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

/* Predicted cycles of a paged ring against simulated ones, for equal events, each as soon as the ring takes it and each behind the last
   one. Of events so short the latency is only within some per cent (as in check_times); most of the waits are. */
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
        const ts_chain_ring one = {.plan = &r->design.plan, .im = r->im};
        ts_event_times predicted[COUNT];
        double waits[COUNT][TS_PAGED_STAGES], sum = 0;
        ts_chain_run(&(ts_chain_queue){.ring = &one, .count = 1, .events = COUNT, .n = n, .lone = lone}, predicted, waits);
        for (int e = 0; e < COUNT; e++)
            for (int s = 0; s < TS_PAGED_STAGES; s++)
                sum += waits[e][s];
        const double seen_sum = (double)total_stalls(&result);
        if (fabs(sum - seen_sum) > seen_sum * WAIT_PERCENT / 100 + FEW * COUNT)
            fail_msg("%s, %s: waits of %.0f cycles predicted, %.0f simulated", r->im->name, lone ? "lone" : "waiting", sum, seen_sum);
        const ts_prediction p = ts_predict(&r->design.plan, r->im, HITS);
        for (int e = 0; e < COUNT; e++) {
            const double total = predicted[e].last_out - predicted[e].first_in;
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
    const ts_encoder_shape shape = {
        .features = 3, .d = 10, .heads = 3, .d_head = 5, .ff = 14, .outputs = 3, .layers = 3, .act = TS_ACT_RELU};
    const ts_imodel *im =
        make_model(arena, &shape, false, "layers.1.q=10,layers.1.k=9,layers.2.v=11,layers.0.hidden=10,layers.2.ffn_in=11", 2);
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
    const ts_encoder_shape shape = {.features = 4,
                                    .d = 8,
                                    .heads = 2,
                                    .d_head = 3,
                                    .ff = 12,
                                    .outputs = 5,
                                    .layers = 2,
                                    .norms = TS_NORMS_FIRST,
                                    .has_final_norm = true,
                                    .act = TS_ACT_GELU_ERF};
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paged), cmocka_unit_test(test_paged_single),
                                       cmocka_unit_test(test_paged_mixed)};
    return run_rings(argc, argv, tests, sizeof tests / sizeof *tests);
}
