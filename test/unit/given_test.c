/* Models that were quantised in training (test/models/qdq, made by test/models/qdq_models.py): the integer model has the file's integers
   and scales to the bit, says where it has not, and computes what the file's own graph computes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "emu/emu.h"
#include "graph/random_encoder.h"
#include "import/import.h"
#include "num/fixed.h"
#include "pass/fold.h"
#include "pass/recognise.h"
#include "quant/given.h"
#include "quant/quantise.h"
#include "ref/graph_eval.h"

#define MODELS TS_SOURCE_DIR "/test/models/qdq"

typedef struct given_model {
    ts_arena *arena;
    const ts_graph *file, *graph; /* as imported, folded */
    const ts_encoder *enc;
    ts_formats *formats;
    const ts_imodel *im;
    char warnings[4096]; /* one a line */
} given_model;

static void on_warning(void *user, const char *message)
{
    char *to = user;
    const size_t used = strlen(to);
    CHECK(used + strlen(message) + 2 < sizeof((given_model *)0)->warnings);
    snprintf(to + used, sizeof((given_model *)0)->warnings - used, "%s\n", message);
}

static const float *event(ts_arena *arena, const ts_encoder *enc, int n, uint64_t seed)
{
    float *x = TS_NEW_N(arena, float, n * enc->features);
    for (int i = 0; i < n * enc->features; i++)
        x[i] = 1.5F * ts_random_unit(&seed);
    return x;
}

/* Up to the integer model; false with a message where a step refuses. The caller frees the arena. */
static bool make(given_model *m, const char *path, const char *formats, ts_err *err)
{
    memset(m, 0, sizeof *m);
    m->arena = ts_arena_new();
    m->file = ts_import_onnx(m->arena, path, err);
    m->graph = m->file ? ts_fold(m->arena, m->file, err) : NULL;
    m->enc = m->graph ? ts_recognise(m->arena, m->graph, err) : NULL;
    if (!m->enc)
        return false;
    m->formats = ts_formats_default(m->arena, m->enc->layers);
    m->formats->warn = on_warning;
    m->formats->warn_user = m->warnings;
    if (!ts_given_formats(m->formats, m->enc, err) || !ts_formats_parse(m->formats, formats, err))
        return false;
    ts_calibration *cal = ts_calibration_new(m->arena, m->enc);
    for (int i = 0; i < 6; i++)
        if (!ts_calibration_add(cal, 20 + 7 * i, event(m->arena, m->enc, 20 + 7 * i, 900 + (uint64_t)i), err))
            return false;
    m->im = ts_quantise(m->arena, m->enc, cal, m->formats, err);
    return m->im != NULL;
}

static given_model make_good(const char *name, const char *formats)
{
    given_model m;
    ts_err err = {""};
    char path[512];
    snprintf(path, sizeof path, "%s/%s.onnx", MODELS, name);
    if (!make(&m, path, formats, &err))
        fail_msg("%s: %s", name, err.msg);
    return m;
}

/* Rows first ... first + [out] of a linear of the integer model are the file's integers. */
static void same_integers(const given_model *m, const char *name, const ts_ilin *lin, int first)
{
    const ts_value *v = ts_graph_find(m->file, ts_printf(m->arena, "%s.codes", name));
    if (!v || !v->constant)
        fail_msg("%s: no integers called %s.codes in the file", m->enc->name, name);
    const bool transposed = strcmp(m->enc->name, "weights_only") == 0; /* [out][in] there, with a Transpose behind */
    const int out = (int)v->constant->dim[transposed ? 0 : 1];
    for (int o = 0; o < out; o++)
        for (int i = 0; i < lin->in; i++) {
            const int64_t want = ts_get_int(v->constant, transposed ? (int64_t)o * lin->in + i : (int64_t)i * out + o);
            if (lin->w[(size_t)(first + o) * (size_t)lin->in + (size_t)i] != want)
                fail_msg("%s: weight [%d][%d] is %d, in the file %lld", name, o, i,
                         lin->w[(size_t)(first + o) * (size_t)lin->in + (size_t)i], (long long)want);
        }
}

static void all_integers_are_the_files(const given_model *m)
{
    const ts_imodel *im = m->im;
    const int inner = im->heads * im->d_head;
    assert_false(im->fused_qkv0);
    same_integers(m, "embed", &im->embed[0], 0);
    same_integers(m, "head", &im->head[0], 0);
    for (int l = 0; l < im->layers; l++) {
        const ts_ilayer *layer = &im->layer[l];
        same_integers(m, ts_printf(m->arena, "layers.%d.q", l), &layer->qkv, 0);
        same_integers(m, ts_printf(m->arena, "layers.%d.k", l), &layer->qkv, inner);
        same_integers(m, ts_printf(m->arena, "layers.%d.v", l), &layer->qkv, 2 * inner);
        same_integers(m, ts_printf(m->arena, "layers.%d.o", l), &layer->o, 0);
        same_integers(m, ts_printf(m->arena, "layers.%d.ffn1", l), &layer->ffn1, 0);
        same_integers(m, ts_printf(m->arena, "layers.%d.ffn2", l), &layer->ffn2, 0);
        assert_int_equal(layer->qkv.w_bits, 8);
    }
}

static void same_scales(int count, const double *got, const ts_given *want)
{
    assert_non_null(want);
    for (int c = 0; c < count; c++)
        if (got[c] != want->scale[c])
            fail_msg("node '%s': scale of channel %d is %.17g, in the file %.17g", want->name, c, got[c], want->scale[c]);
}

/* Median and 99 % quantile of |integer - graph|, relative to the graph's outputs' standard deviation about zero. */
static void compare_outputs(const given_model *m, double *median, double *most)
{
    enum { N = 60 };
    ts_arena *arena = ts_arena_new();
    ts_err err = {""};
    const ts_imodel *im = m->im;
    const float *x = event(arena, m->enc, N, 4711);
    ts_tensor want;
    if (!ts_graph_eval_event(m->graph, arena, N, x, NULL, &want, NULL, NULL, &err))
        fail_msg("%s", err.msg);
    int32_t *x_int = TS_NEW_N(arena, int32_t, N * im->features), *y_int = TS_NEW_N(arena, int32_t, N * im->outputs);
    double *y = TS_NEW_N(arena, double, N * im->outputs), *error = TS_NEW_N(arena, double, N * im->outputs), squares = 0;
    ts_quantise_input(im, N, x, x_int);
    ts_emu_reference(im, N, x_int, y_int, NULL, NULL);
    ts_dequantise_output(im, N, y_int, y);
    const int count = N * im->outputs;
    for (int i = 0; i < count; i++) {
        const double w = (double)want.data.f[i];
        squares += w * w;
        error[i] = fabs(y[i] - w);
        for (int j = i; j > 0 && error[j - 1] > error[j]; j--) {
            const double swap = error[j];
            error[j] = error[j - 1];
            error[j - 1] = swap;
        }
    }
    const double unit = sqrt(squares / count);
    *median = error[count / 2] / unit;
    *most = error[count * 99 / 100] / unit;
    print_message("%-14s median %.2e, 99 %% %.2e\n", m->enc->name, *median, *most);
    ts_arena_free(arena);
}

static void nothing_is_changed_where_nothing_must_be(void **state)
{
    (void)state;
    const given_model m = make_good("exact", "");
    const ts_imodel *im = m.im;
    const int inner = im->heads * im->d_head;
    assert_string_equal(m.warnings, "");
    all_integers_are_the_files(&m);
    assert_int_equal(im->in.bits, 14);
    assert_int_equal(im->head_in.out.bits, 12);
    same_scales(im->features, im->in_scale, m.enc->embed.lin[0].x_given);
    same_scales(im->d, im->head_in.y_scale, m.enc->head.lin[0].x_given);
    for (int l = 0; l < im->layers; l++) {
        const ts_ilayer *to = &im->layer[l];
        const ts_layer *from = &m.enc->layer[l];
        assert_int_equal(to->qkv_in.out.bits, 12);
        assert_int_equal(to->q.bits, 12);
        assert_int_equal(to->ctx.bits, 12);
        assert_int_equal(to->ffn1.y.bits, 12);
        assert_false(to->ffn1.y.is_signed);
        same_scales(im->d, to->qkv_in.y_scale, from->q.x_given);
        same_scales(im->d, to->ffn_in.y_scale, from->ffn1.x_given);
        same_scales(inner, to->qkv.y_scale + inner, from->k.y_given);
        same_scales(inner, to->qkv.y_scale + 2 * inner, from->v.y_given);
        same_scales(inner, to->ctx_scale, from->o.x_given);
        same_scales(im->ff, to->ffn1.y_scale, from->ffn2.x_given);
        for (int c = 0; c < inner; c++) { /* times that of k a power of two exactly, which single precision cannot say */
            assert_true(fabs(to->qkv.y_scale[c] / from->q.y_given->scale[c] - 1) < 1e-6);
            assert_true(to->qkv.y_offset[inner + c] == 0 && to->qkv.y_offset[2 * inner + c] == 0);
        }
    }
    double median, most;
    compare_outputs(&m, &median, &most); /* probabilities, scores and residual stream are rounded here and not there */
    assert_true(median < 1e-3 && most < 2e-2);
    ts_arena_free(m.arena);
}

static void expect_warning(const given_model *m, const char *text)
{
    if (!strstr(m->warnings, text))
        fail_msg("%s: no warning has '%s':\n%s", m->enc->name, text, m->warnings);
}

/* uint8 around a zero point on every tensor, weights with one scale a tensor. */
static void every_tensor_rounded(void **state)
{
    (void)state;
    const given_model m = make_good("onnxruntime", "");
    all_integers_are_the_files(&m);
    for (int l = 0; l < m.im->layers; l++) {
        const ts_ilayer *to = &m.im->layer[l];
        const ts_given *x = m.enc->layer[l].q.x_given;
        assert_int_equal(to->qkv_in.out.bits, 8);
        assert_int_equal(to->k.bits, 8);
        same_scales(m.im->d, to->qkv_in.y_scale, x);
        for (int c = 0; c < m.im->d; c++) /* y = code - 128 */
            assert_true(fabs(to->qkv_in.y_offset[c] - x->scale[c] * (128 - 115)) < 1e-6 * x->scale[c]);
    }
    assert_int_equal(m.im->p_bits, 8);
    assert_int_equal(m.im->in.bits, 9); /* no offset: 140 steps above zero */
    expect_warning(&m,
                   "in (node 'node_in_rounded_codes'): its zero point is not in the middle of its codes; it is held in 9 bits around zero");
    expect_warning(&m, "layers.0.q (node 'node_layers.0.q_rounded_codes'): its scale is");
    expect_warning(&m, "layers.0.p (node 'node_layers.0.p_rounded_codes'): probabilities keep their bits, not their scale");
    expect_warning(&m, "node 'node_layers.1.sum_rounded_codes': its rounding is left out");
    expect_warning(
        &m, "node 'node_layers.1.qkv_in_rounded_codes': the residual connection that reads it takes it as it is before this rounding");
    expect_warning(
        &m, "node 'node_layers.1.ffn_in_rounded_codes': the residual connection that reads it takes it as it is before this rounding");
    expect_warning(&m, "node 'node_layers.1.score_rounded_codes': its rounding is left out");
    expect_warning(&m, "have a lowest code of -2^(bits-1)");
    double median, most;
    compare_outputs(&m, &median, &most); /* the file rounds the residual stream, scores and probabilities to 8 bits besides */
    assert_true(median < 0.1);
    ts_arena_free(m.arena);
}

/* Real weights that are rounded in the graph to 4 bits: QuantizeLinear, Clip, DequantizeLinear on constants. */
static void weights_rounded_in_the_graph(void **state)
{
    (void)state;
    const given_model m = make_good("brevitas", "");
    assert_string_equal(m.warnings, "");
    for (int l = 0; l < m.im->layers; l++) {
        const ts_linear *from = &m.enc->layer[l].ffn2;
        const ts_ilin *to = &m.im->layer[l].ffn2;
        assert_int_equal(to->w_bits, 4);
        assert_int_equal(m.im->layer[l].qkv.w_bits, 4);
        assert_int_equal(m.im->layer[l].ffn1.y.bits, 8);
        for (int i = 0; i < from->in * from->out; i++)
            assert_int_equal(to->w[i], llround((double)from->w[i] / from->w_given->scale[i / from->in]));
    }
    double median, most;
    compare_outputs(&m, &median, &most);
    assert_true(median < 1e-2);
    ts_arena_free(m.arena);
}

/* QONNX's Quant, norms first, a table. */
static void quant_nodes_and_a_table(void **state)
{
    (void)state;
    const given_model m = make_good("qonnx_gelu", "");
    assert_string_equal(m.warnings, "");
    for (int l = 0; l < m.im->layers; l++) {
        const ts_ilayer *to = &m.im->layer[l];
        const ts_layer *from = &m.enc->layer[l];
        assert_int_equal(to->ffn1.w_bits, 6);
        assert_int_equal(to->ffn1.rq.out.bits, 10);
        assert_int_equal(to->ffn1.y.bits, 10);
        same_scales(m.im->ff, to->ffn1.y_scale, from->ffn2.x_given);
        same_scales(m.im->d, to->qkv_in.y_scale, from->k.x_given);
        same_scales(m.im->d, to->ffn_in.y_scale, from->ffn1.x_given);
        assert_non_null(from->ffn1.y_given);
    }
    double median, most;
    compare_outputs(&m, &median, &most);
    assert_true(median < 1e-2);
    ts_arena_free(m.arena);
}

/* Activations are free; their scales must be such that the integers of the weights stay. */
static void weights_alone(void **state)
{
    (void)state;
    const given_model m = make_good("weights_only", "qkv_in=10,layers.1.hidden=11");
    assert_string_equal(m.warnings, "");
    all_integers_are_the_files(&m);
    assert_int_equal(m.im->layer[0].qkv_in.out.bits, 10);
    assert_int_equal(m.im->layer[1].ffn1.y.bits, 11);
    double median, most;
    compare_outputs(&m, &median, &most);
    assert_true(median < 2e-2);
    ts_arena_free(m.arena);
}

/* Scales of q and k that multiply to no power of two: k keeps its own, and q is told. */
static void scores_of_no_power_of_two(void **state)
{
    (void)state;
    const given_model m = make_good("odd_scales", "");
    const int inner = m.im->heads * m.im->d_head;
    expect_warning(&m, "layers.1.q (node 'node_layers.1.q_rounded_codes'): its scale is 1.538 times the file's");
    for (int l = 0; l < m.im->layers; l++)
        same_scales(inner, m.im->layer[l].qkv.y_scale + inner, m.enc->layer[l].k.y_given);
    double median, most;
    compare_outputs(&m, &median, &most);
    assert_true(median < 5e-3);
    ts_arena_free(m.arena);
}

static void the_file_overrides_the_user(void **state)
{
    (void)state;
    static const struct {
        const char *formats, *message;
    } cases[] = {
        {"layers.1.q=10",
         "format 'q' of layer 1: the model was quantised in training to 12 bits (node 'node_layers.1.q_rounded_codes'), not 10"},
        {"w=10", "format 'w_embed' of layer 0: the model was quantised in training to 8 bits"},
        {"q=12,w=8,p=10", NULL}, /* the same bits once more, and what the file leaves open */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        given_model m;
        ts_err err = {""};
        const bool ok = make(&m, MODELS "/exact.onnx", cases[i].formats, &err);
        if (ok != !cases[i].message || (!ok && !strstr(err.msg, cases[i].message)))
            fail_msg("%s: '%s'", cases[i].formats, err.msg);
        if (ok)
            assert_int_equal(m.im->p_bits, 10);
        ts_arena_free(m.arena);
    }
}

static void what_cannot_be_kept_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"two_readers",  "scales_of_inputs",     "other_scale",  "no_dequantise",
                                        "zero_outside", "channels_of_integers", "joined_codes", "three_bits"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        given_model m;
        ts_err err = {""}, io = {""};
        char path[512], text[512];
        size_t size;
        snprintf(path, sizeof path, "%s/refused/%s.onnx", MODELS, names[i]);
        snprintf(text, sizeof text, "%s/refused/%s.txt", MODELS, names[i]);
        if (make(&m, path, "", &err))
            fail_msg("%s: accepted", names[i]);
        char *want = ts_file_read(m.arena, text, &size, &io);
        assert_non_null(want);
        want[strcspn(want, "\n")] = 0;
        if (!strstr(err.msg, want))
            fail_msg("%s: the message is '%s', not '...%s...'", names[i], err.msg, want);
        ts_arena_free(m.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_changed_where_nothing_must_be),
        cmocka_unit_test(every_tensor_rounded),
        cmocka_unit_test(weights_rounded_in_the_graph),
        cmocka_unit_test(quant_nodes_and_a_table),
        cmocka_unit_test(weights_alone),
        cmocka_unit_test(scores_of_no_power_of_two),
        cmocka_unit_test(the_file_overrides_the_user),
        cmocka_unit_test(what_cannot_be_kept_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
