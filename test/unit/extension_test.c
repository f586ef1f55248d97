/* What adding an activation or a norm promises (docs/adding-an-operator.md): each is recognised however exporters write it, computes in the
   float engine what the graph computes, and is quantised, written, read and executed like those that were there before. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emu/emu.h"
#include "import/import.h"
#include "pass/fold.h"
#include "pass/recognise.h"
#include "quant/activation.h"
#include "ref/graph_eval.h"

#include "onnx_encoder.h"
#include "scratch.h"
#include "small_model.h"

static const char *const layer_norm = "LayerNormalization $i,$g,$b $o axis=-1 epsilon=0.00001";
static const char *const constants =
    "half 0.5;one 1;two 2;three 3;six 6;sixth 0.16666667;root 0.70710678;quick 1.702;cube 0.044715;tanh_scale 0.79788456;"
    "zero 0;minus_half -0.5;tiny 1e-12";

/* How exporters write activations. Every one of activations.def but NONE is here. */
static const struct written {
    int act; /* of the file where this is not written yet: opset 18, domain com.microsoft */
    const char *text;
} acts[] = {
    {TS_ACT_RELU, "Relu $i $o"},
    {TS_ACT_RELU, "Max $i,zero $o"},
    {TS_ACT_GELU_ERF, "Mul $i,root $ta;Erf $ta $tb;Add $tb,one $tc;Mul $i,$tc $td;Mul $td,half $o"},
    {TS_ACT_GELU_TANH, "Mul $i,$i $ta;Mul $ta,$i $tb;Mul $tb,cube $tc;Add $i,$tc $td;Mul $td,tanh_scale $te;Tanh $te $tf;Add $tf,one $tg;"
                       "Mul $i,half $th;Mul $th,$tg $o"},
    {TS_ACT_SILU, "Sigmoid $i $ta;Mul $i,$ta $o"},
    {TS_ACT_GELU_QUICK, "Mul $i,quick $ta;Sigmoid $ta $tb;Mul $i,$tb $o"},
    {TS_ACT_GELU_QUICK, "com.microsoft:QuickGelu $i $o alpha=1.702"},
    {TS_ACT_SILU, "com.microsoft:QuickGelu $i $o alpha=1.0"},
    {TS_ACT_HARD_SWISH, "HardSwish $i $o"},
    {TS_ACT_HARD_SWISH, "HardSigmoid $i $ta alpha=0.16666667 beta=0.5;Mul $i,$ta $o"},
    {TS_ACT_HARD_SWISH, "Add $i,three $ta;Clip $ta,zero,six $tb;Mul $i,$tb $tc;Div $tc,six $o"},
    {TS_ACT_HARD_SWISH, "Add $i,three $ta;Clip $ta,zero,six $tb;Mul $tb,sixth $tc;Mul $tc,$i $o"},
    {TS_ACT_MISH, "Mish $i $o"},
    {TS_ACT_MISH, "Softplus $i $ta;Tanh $ta $tb;Mul $i,$tb $o"},
    {TS_ACT_ELU, "Elu $i $o"},
    {TS_ACT_ELU, "Elu $i $o alpha=1.0"},
    {TS_ACT_TANH, "Tanh $i $o"},
    {TS_ACT_SOFTPLUS, "Softplus $i $o"},
};

/* The encoder that a file of it is recognised as, in `arena`; NULL with an error. */
static const ts_encoder *recognised(ts_arena *arena, const ts_encoder *enc, const onnx_style *style, const ts_graph **g, ts_err *err)
{
    const pb file = onnx_encoder(arena, enc, style);
    *g = ts_import_onnx_bytes(arena, file.data, file.size, "written", ".", err);
    *g = *g ? ts_fold(arena, *g, err) : NULL;
    return *g ? ts_recognise(arena, *g, err) : NULL;
}

/* Largest difference of an encoder's results from a graph's, and from another encoder's, relative to their size. */
static double difference(ts_arena *arena, const ts_graph *g, const ts_encoder *found, const ts_encoder *made, uint64_t seed)
{
    enum { N = 13 };
    ts_err err = {""};
    const float *x = small_event(arena, made, N, seed);
    const int count = N * made->outputs;
    float *y = TS_NEW_N(arena, float, count), *z = TS_NEW_N(arena, float, count);
    ts_tensor want;
    if (!ts_graph_eval_event(g, arena, N, x, NULL, &want, NULL, NULL, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(ts_count(&want), count);
    ts_encoder_eval(found, N, x, y, NULL, NULL);
    ts_encoder_eval(made, N, x, z, NULL, NULL);
    double worst = 0, square = 0;
    for (int i = 0; i < count; i++) {
        worst = fmax(worst, fmax(fabs((double)y[i] - (double)want.data.f[i]), fabs((double)z[i] - (double)want.data.f[i])));
        square += (double)y[i] * (double)y[i] / count;
    }
    return worst / sqrt(square);
}

static void check_written(const ts_encoder_shape *shape, const onnx_style *style, const char *what, uint64_t seed)
{
    ts_arena *arena = ts_arena_new();
    ts_err err = {""};
    const ts_graph *g;
    const ts_encoder *made = ts_encoder_random(arena, shape, seed), *found = recognised(arena, made, style, &g, &err);
    if (!found)
        fail_msg("%s: %s", what, err.msg);
    assert_int_equal(found->act, made->act);
    assert_int_equal(found->norms, made->norms);
    assert_int_equal(found->has_final_norm, made->has_final_norm);
    assert_int_equal(found->qk_norm, made->qk_norm);
    assert_int_equal(found->layer[0].norm1.kind, made->layer[0].norm1.kind);
    assert_int_equal(found->layer[0].q_norm.kind, made->layer[0].q_norm.kind);
    const double worst = difference(arena, g, found, made, seed);
    if (!(worst < 3e-5))
        fail_msg("%s: differs by %g", what, worst);
    ts_arena_free(arena);
}

static const ts_encoder_shape small = {
    .features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 12, .outputs = 2, .layers = 2, .embed_count = 2, .head_count = 2};

static void test_activations_are_recognised(void **state)
{
    (void)state;
    bool seen[TS_ACT_COUNT] = {[TS_ACT_NONE] = true};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        ts_encoder_shape shape = small;
        shape.act = (ts_act)acts[i].act;
        const onnx_style style = {.act = acts[i].text, .norm = layer_norm, .constant = constants, .domain = "com.microsoft", .opset = 18};
        check_written(&shape, &style, acts[i].text, i);
        seen[acts[i].act] = true;
    }
    for (int a = 0; a < TS_ACT_COUNT; a++)
        if (!seen[a])
            fail_msg("activation '%s' is in activations.def, but nobody says here how it is written", ts_act_name((ts_act)a));
}

static void test_other_arguments_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"Elu $i $o alpha=0.5", "attribute"},
        {"Mul $i,half $ta;Sigmoid $ta $tb;Mul $i,$tb $o", "Sigmoid"},
        {"Add $i,two $ta;Clip $ta,zero,six $tb;Mul $i,$tb $tc;Div $tc,six $o", "Clip"},
        {"HardSigmoid $i $ta;Mul $i,$ta $o", "hard Swish"},
        {"Softplus $i $ta;Mul $i,$ta $o", "no activation"},
        {"Sigmoid $i $ta;Tanh $ta $tb;Mul $i,$tb $o", "Tanh"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ts_arena *arena = ts_arena_new();
        ts_err err = {""};
        const ts_graph *g;
        ts_encoder_shape shape = small;
        shape.act = TS_ACT_RELU;
        const onnx_style style = {.act = wrong[i].text, .norm = layer_norm, .constant = constants, .domain = "com.microsoft", .opset = 18};
        const ts_encoder *found = recognised(arena, ts_encoder_random(arena, &shape, i), &style, &g, &err);
        if (found || !strstr(err.msg, wrong[i].message))
            fail_msg("%s: %s", wrong[i].text, found ? "taken" : err.msg);
        ts_arena_free(arena);
    }
}

/* What activations.def says of each: its name is its own, single precision agrees with double, the limits are limits. */
static void test_activation_rows(void **state)
{
    (void)state;
    for (int a = 0; a < TS_ACT_COUNT; a++) {
        const ts_act act = (ts_act)a;
        for (int b = 0; b < a; b++)
            assert_string_not_equal(ts_act_name(act), ts_act_name((ts_act)b));
        assert_int_equal(ts_act_has_table(act), act != TS_ACT_NONE && act != TS_ACT_RELU);
        for (double x = -30; x <= 30; x += 0.01) {
            float y = (float)x;
            ts_activate_floats(act, 1, &y);
            const double want = ts_activate(act, (double)(float)x);
            if (!(fabs((double)y - want) <= 2e-6 * (1 + fabs(want))))
                fail_msg("%s(%g): %g in single, %g in double precision", ts_act_name(act), x, (double)y, want);
            if (x > 0 && !(want >= x - ts_act_below(act) - 1e-6))
                fail_msg("%s(%g) = %g is more than %g below it", ts_act_name(act), x, want, ts_act_below(act));
            /* Beyond the limits it moves by less than a step of 12 bits of what it makes between them. */
            const double low = -ts_act_low(act), high = ts_act_high(act), step = 5.0 / 4096;
            if (x < low && !(fabs(want - ts_activate(act, low)) <= step))
                fail_msg("%s has not reached its limit at %g", ts_act_name(act), low);
            if (x > high && !(fabs(want - ts_activate(act, high)) <= step))
                fail_msg("%s has not reached its limit at %g", ts_act_name(act), high);
        }
    }
}

/* Error of a shape's integer model, saved and loaded, relative to the size of the results. */
static double integer_error(const ts_encoder_shape *shape, uint64_t seed, const char *formats, const char *what)
{
    enum { N = 35 };
    ts_err err = {""};
    const small_model m = small_model_make(shape, seed, formats, &err);
    if (!m.im)
        fail_msg("%s: %s", what, err.msg);
    const char *folder = scratch_new("extension"), *path = ts_printf(m.arena, "%s/model.tsm", folder);
    assert_true(ts_imodel_save(m.im, path, &err));
    const ts_imodel *loaded = ts_imodel_load(m.arena, path, &err);
    if (!loaded)
        fail_msg("%s", err.msg);
    assert_int_equal(loaded->layer[0].ffn1.act, shape->act);
    assert_int_equal(loaded->layer[0].norm1.kind, shape->norm);
    assert_int_equal(loaded->qk_norm, shape->qk_norm);
    assert_int_equal(loaded->layer[0].q_norm.kind, shape->qk_norm_kind);
    const float *x = small_event(m.arena, m.enc, N, seed + 5);
    const int count = N * shape->outputs;
    int32_t *in = TS_NEW_N(m.arena, int32_t, N * shape->features), *y = TS_NEW_N(m.arena, int32_t, count),
            *plain = TS_NEW_N(m.arena, int32_t, count);
    float *want = TS_NEW_N(m.arena, float, count);
    double *got = TS_NEW_N(m.arena, double, count), error = 0, size = 0;
    ts_quantise_input(loaded, N, x, in);
    ts_emu_run(ts_emu_new(m.arena, loaded, TS_EMU_AUTO), N, in, y, NULL, NULL);
    ts_emu_reference(m.im, N, in, plain, NULL, NULL);
    assert_memory_equal(y, plain, (size_t)count * sizeof *y);
    ts_dequantise_output(loaded, N, y, got);
    ts_encoder_eval(m.enc, N, x, want, NULL, NULL);
    for (int i = 0; i < count; i++) {
        error += pow(got[i] - (double)want[i], 2);
        size += pow((double)want[i], 2);
    }
    print_message("%-28s error %.3f %%\n", what, 100 * sqrt(error / size));
    scratch_free(folder);
    ts_arena_free(m.arena);
    return sqrt(error / size);
}

static void test_activations_in_integers(void **state)
{
    (void)state;
    for (int a = 1; a < TS_ACT_COUNT; a++) {
        ts_encoder_shape shape = {.features = 3, .d = 16, .heads = 2, .d_head = 8, .ff = 32, .outputs = 4, .layers = 2, .embed_count = 2};
        shape.act = (ts_act)a;
        assert_true(integer_error(&shape, 100 + (uint64_t)a, "", ts_act_name((ts_act)a)) < 0.02);
    }
}

/* ---- norms ---- */

/* How exporters write RMS norms: PyTorch's own and hand-written ones, onnxruntime's, JAX's, F.normalize. */
static const char *const rms_norms[] = {
    "RMSNormalization $i,$g $o axis=-1 epsilon=0.00001",
    "SimplifiedLayerNormalization $i,$g $o axis=-1 epsilon=0.00001",
    "Pow $i,two $ta;ReduceMean $ta $tb axes=[-1];Add $tb,$e $tc;Sqrt $tc $td;Reciprocal $td $te;Mul $i,$te $tf;Mul $tf,$g $o",
    "Pow $i,two $ta;ReduceMean $ta $tb axes=[-1];Add $tb,$e $tc;Sqrt $tc $td;Div $i,$td $te;Mul $g,$te $o",
    "Mul $i,$i $ta;ReduceMean $ta $tb axes=[-1];Add $tb,$e $tc;Sqrt $tc $td;Div one,$td $te;Mul $i,$te $tf;Mul $g,$tf $o",
    "Pow $i,two $ta;ReduceMean $ta $tb axes=[-1];Add $e,$tb $tc;Pow $tc,minus_half $td;Mul $i,$td $te;Cast $te $tf to=1;Mul $tf,$g $o",
    "Pow $i,two $ta;ReduceMean $ta $tb axes=[-1];Add $tb,$e $tc;Sqrt $tc $td;Div $g,$td $te;Mul $i,$te $o",
    "Mul $i,$i $ta;ReduceMean $ta $tb axes=[-1] keepdims=0;Unsqueeze $tb,last $tu;Add $tu,$e $tc;Sqrt $tc $td;Div $i,$td $te;Mul $te,$g $o",
};

static void test_rms_norms_are_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rms_norms / sizeof *rms_norms; i++)
        for (int norms = 0; norms < 3; norms++) {
            ts_encoder_shape shape = small;
            shape.act = TS_ACT_RELU;
            shape.norm = TS_NORM_RMS;
            shape.norms = (ts_norms)norms;
            shape.has_final_norm = norms != TS_NORMS_LAST;
            const onnx_style style = {.act = "Relu $i $o", .norm = rms_norms[i], .constant = constants, .opset = i ? 17 : 23};
            check_written(&shape, &style, rms_norms[i], 10 * i + (uint64_t)norms);
        }
}

/* The same norms on queries and keys: of each head in front of the transposition and behind it, of all heads, LayerNorm too; the gains
   differ from head to head. */
static void test_norms_on_q_and_k_are_recognised(void **state)
{
    (void)state;
    for (int i = -1; i < (int)(sizeof rms_norms / sizeof *rms_norms); i++)
        for (int variant = 0; variant < 6; variant++) {
            ts_encoder_shape shape = {
                .features = 3, .d = 12, .heads = 3, .d_head = 4, .ff = 12, .outputs = 2, .layers = 2, .act = TS_ACT_RELU};
            shape.norms = (ts_norms)(variant % 3);
            shape.heads = variant == 4 ? 1 : 3;
            shape.qk_norm = variant % 2 && variant != 5 ? shape.heads * 4 : 4;
            shape.qk_norm_kind = i < 0 ? TS_NORM_LAYER : TS_NORM_RMS;
            /* Operators have one gain for what they normalise, so none for each head. */
            const bool decomposed = i > 1;
            const char *text =
                i < 0 ? "ReduceMean $i $ta axes=[-1];Sub $i,$ta $tb;Pow $tb,two $tc;ReduceMean $tc $td axes=[-1];Add $td,$e $te;"
                        "Sqrt $te $tf;Div $tb,$tf $th;Mul $th,$g $tk;Add $tk,$b $o"
                      : rms_norms[i];
            if (i >= 0 && !decomposed && shape.qk_norm == 4 && shape.heads > 1)
                continue;
            const onnx_style style = {.act = "Relu $i $o",
                                      .norm = layer_norm,
                                      .qk = text,
                                      .behind_heads = variant > 2,
                                      .constant = constants,
                                      .opset = i == 0 ? 23 : 17};
            check_written(&shape, &style, text, 100 * (uint64_t)(i + 1) + (uint64_t)variant);
        }
}

/* Every kind of norm in every place, with residual streams of any width. */
static void test_norms_in_integers(void **state)
{
    (void)state;
    static const char *const formats[] = {"", "residual=20", "residual=18,q=10,k=14", "layers.0.q=9,residual=12"};
    for (int variant = 0; variant < 36; variant++) {
        ts_encoder_shape shape = {.features = 3, .d = 24, .heads = 3, .d_head = 8, .ff = 32, .outputs = 4, .layers = 3, .act = TS_ACT_RELU};
        shape.norms = (ts_norms)(variant % 3);
        shape.has_final_norm = variant % 2;
        shape.norm = (ts_norm_kind)(variant / 3 % TS_NORM_COUNT);
        shape.qk_norm = variant / 6 % 3 == 0 ? 0 : variant / 6 % 3 == 1 ? 8 : 24;
        shape.qk_norm_kind = shape.qk_norm ? (ts_norm_kind)(variant / 18 % TS_NORM_COUNT) : TS_NORM_LAYER;
        char what[96];
        snprintf(what, sizeof what, "%s %s, q and k %d %s", ts_norms_name(shape.norms), ts_norm_name(shape.norm), shape.qk_norm,
                 ts_norm_name(shape.qk_norm_kind));
        const bool narrow = variant % 4 == 3;
        assert_true(integer_error(&shape, 300 + (uint64_t)variant, formats[variant % 4], what) < (narrow ? 0.05 : 0.02));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations_are_recognised),
        cmocka_unit_test(test_other_arguments_are_refused),
        cmocka_unit_test(test_activation_rows),
        cmocka_unit_test(test_activations_in_integers),
        cmocka_unit_test(test_rms_norms_are_recognised),
        cmocka_unit_test(test_norms_on_q_and_k_are_recognised),
        cmocka_unit_test(test_norms_in_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
