/* Small rings that are slices of a model: ring.h. */
#include "ring.h"

/* Slices: with half layers at either end or both, and of a single block. */
static void test_slices(void **state)
{
    (void)state;
    static const int cuts[][2] = {{1, 2}, {1, 3}, {2, 3}, {1, 4}, {1, 5}, {2, 5}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        ts_arena *arena = ts_arena_new();
        ts_err err = {0};
        const ts_norms norms = (ts_norms)(i % 3);
        const ts_encoder_shape shape = {.features = 3,
                                        .d = 6,
                                        .heads = 2,
                                        .d_head = 3,
                                        .ff = 8,
                                        .outputs = 3,
                                        .layers = 3,
                                        .norms = norms,
                                        .has_final_norm = norms != TS_NORMS_LAST,
                                        .act = TS_ACT_RELU};
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_slices)};
    return run_rings(argc, argv, tests, sizeof tests / sizeof *tests);
}
