/* Small rings with every kind of norm, on the residual stream and on queries and keys: ring.h. Bit-exact with random stalls, cycle counts
   as predicted, and again in Icarus. */
#include "ring.h"

typedef struct norm_case {
    ts_norms norms;
    ts_norm_kind norm, qk_kind;
    int heads, qk_norm, layers, np;
    bool final;
    ts_act act;
    const char *formats;
    bool icarus;
} norm_case;

static const norm_case cases[] = {
    /* q, k and v of the first layer straight from the embedding's input: their norms are behind the merge */
    {TS_NORMS_LAST, TS_NORM_RMS, TS_NORM_LAYER, 2, 0, 2, 3, false, TS_ACT_MISH, "act_in=8", true},
    {TS_NORMS_LAST, TS_NORM_LAYER, TS_NORM_LAYER, 2, 4, 2, 2, false, TS_ACT_RELU, "", false},
    {TS_NORMS_LAST, TS_NORM_RMS, TS_NORM_RMS, 3, 4, 3, 4, true, TS_ACT_HARD_SWISH, "act_in=8,q=10,k=14", true},
    {TS_NORMS_FIRST, TS_NORM_RMS, TS_NORM_RMS, 3, 12, 2, 5, true, TS_ACT_ELU, "act_in=9,residual=20", false},
    {TS_NORMS_FIRST, TS_NORM_LAYER, TS_NORM_RMS, 4, 4, 2, 1, true, TS_ACT_TANH, "act_in=7,v=18", false},
    {TS_NORMS_AROUND, TS_NORM_RMS, TS_NORM_LAYER, 1, 4, 3, 4, true, TS_ACT_RELU, "residual=12", false},
};

static void run_case(const norm_case *c, uint64_t seed)
{
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 3,
                                    .d = 8,
                                    .heads = c->heads,
                                    .d_head = 4,
                                    .ff = 12,
                                    .outputs = 3,
                                    .layers = c->layers,
                                    .norms = c->norms,
                                    .norm = c->norm,
                                    .qk_norm = c->qk_norm,
                                    .qk_norm_kind = c->qk_kind,
                                    .has_final_norm = c->final,
                                    .act = c->act};
    const ts_imodel *im = make_model(arena, &shape, false, c->formats, seed);
    ts_plan plan = ts_plan_minimal(im, N_MAX);
    plan.attn.pq = 2;
    plan.nrm[TS_NRM_1].np = plan.nrm[TS_NRM_FINAL].np = 3;
    if (c->qk_norm)
        plan.nrm[TS_NRM_QK].np = c->np;
    ring r;
    open_ring(&r, im, &plan, arena);
    check(&r);
    check_times(&r);
    if (c->icarus)
        check_icarus(&r);
    close_ring(&r);
}

static void test_norms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&cases[i], 50 + i);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_norms)};
    return run_rings(argc, argv, tests, sizeof tests / sizeof *tests);
}
