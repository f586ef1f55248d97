/* Small rings of every form of encoder: ring.h. */
#include "ring.h"

static void test_pre_norm(void **state)
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
                                    .embed_count = 2,
                                    .head_count = 2,
                                    .embed_hidden = 6,
                                    .head_hidden = 7,
                                    .norms = TS_NORMS_FIRST,
                                    .has_final_norm = true,
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
    const ts_encoder_shape shape = {.features = 3,
                                    .d = 8,
                                    .heads = 1,
                                    .d_head = 8,
                                    .ff = 8,
                                    .outputs = 3,
                                    .layers = 2,
                                    .embed_count = 2,
                                    .embed_hidden = 5,
                                    .act = TS_ACT_RELU};
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
        const ts_encoder_shape shape = {
            .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 8, .outputs = 11, .layers = 2, .act = TS_ACT_RELU};
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
        const ts_encoder_shape shape = {
            .features = 2, .d = 8, .heads = 2, .d_head = 4, .ff = 8, .outputs = 3, .layers = 1, .pool = pools[p], .act = TS_ACT_RELU};
        const ts_imodel *im = make_model(arena, &shape, false, "", 6);
        const ts_plan plan = ts_plan_minimal(im, N_MAX);
        ring r;
        open_ring(&r, im, &plan, arena);
        check(&r);
        close_ring(&r);
    }
}

/* Both norms at the attention block. */
static void test_norms_around_attention(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 4,
                                    .d = 8,
                                    .heads = 2,
                                    .d_head = 4,
                                    .ff = 12,
                                    .outputs = 3,
                                    .layers = 3,
                                    .norms = TS_NORMS_AROUND,
                                    .has_final_norm = true,
                                    .act = TS_ACT_GELU_ERF};
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pre_norm), cmocka_unit_test(test_norms_around_attention),
                                       cmocka_unit_test(test_loaded), cmocka_unit_test(test_classifier), cmocka_unit_test(test_pooled)};
    return run_rings(argc, argv, tests, sizeof tests / sizeof *tests);
}
