/* Small rings: the smallest one, traced, too; folds that divide nothing; the directory. ring.h says what is compared. */
#include "ring.h"

static void test_smallest(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {
        .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 4, .layers = 2, .act = TS_ACT_RELU};
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
    const ts_encoder_shape shape = {
        .features = 3, .d = 10, .heads = 3, .d_head = 5, .ff = 14, .outputs = 3, .layers = 3, .act = TS_ACT_RELU};
    const ts_imodel *im =
        make_model(arena, &shape, false, "layers.1.q=10,layers.1.k=9,layers.2.v=11,layers.0.hidden=10,layers.2.ffn_in=11", 2);
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
    const ts_encoder_shape shape = {
        .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 16, .outputs = 4, .layers = 2, .act = TS_ACT_RELU};
    const ts_imodel *im = make_model(arena, &shape, false, "", 1);
    const ts_plan plan = ts_plan_minimal(im, N_MAX);
    ring r;
    open_ring(&r, im, &plan, arena);
    const char *before = file_list(&r, r.dir);
    assert_true(write_ring(&r, &plan, r.dir, &err)); /* replaces our own */
    assert_string_equal(before, file_list(&r, r.dir));

    const char *theirs = ts_printf(arena, "%s/rtl", r.dir); /* not empty, no manifest */
    assert_false(write_ring(&r, &plan, theirs, &err));
    assert_non_null(strstr(err.msg, "was not made by tessera"));
    err = (ts_err){0};
    assert_false(write_ring(&r, &plan, ts_printf(arena, "%s/manifest.json", r.dir), &err));
    assert_non_null(strstr(err.msg, "not a directory"));
    err = (ts_err){0};
    assert_false(write_ring(&r, &plan, ts_printf(arena, "%s/manifest.json/below/a/file", r.dir), &err)); /* nor can one be made there */
    assert_string_equal(before, file_list(&r, r.dir));
    close_ring(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_directory), cmocka_unit_test(test_smallest), cmocka_unit_test(test_odd_folds)};
    return run_rings(argc, argv, tests, sizeof tests / sizeof *tests);
}
