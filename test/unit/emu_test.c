/* The emulator: vector and portable kernels against the specification in plain code, extreme models, taps, and its distance from the
   float model, on random models and on real events. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "data/events.h"
#include "emu/emu.h"
#include "emu/kernels.h"
#include "import/import.h"
#include "num/fixed.h"
#include "pass/fold.h"
#include "pass/recognise.h"
#include "quant/stage.h"
#include "small_model.h"

#define DATA TS_SOURCE_DIR "/../shared/data/"

static int rows_of(const ts_imodel *im, int n)
{
    return im->pool == TS_POOL_NONE ? n : 1;
}

/* Runs all executors on the same integers; they must agree. Returns the outputs. */
static const int32_t *run_all(ts_arena *arena, const ts_imodel *im, int n, const int32_t *x)
{
    const size_t count = (size_t)rows_of(im, n) * (size_t)im->outputs;
    int32_t *y[3];
    for (int i = 0; i < 3; i++)
        y[i] = TS_NEW_N(arena, int32_t, count);
    ts_emu_reference(im, n, x, y[0], NULL, NULL);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_PORTABLE), n, x, y[1], NULL, NULL);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_AUTO), n, x, y[2], NULL, NULL);
    assert_memory_equal(y[0], y[1], count * sizeof **y);
    assert_memory_equal(y[0], y[2], count * sizeof **y);
    return y[0];
}

static const int32_t *integers(ts_arena *arena, const ts_imodel *im, int n, const float *x)
{
    int32_t *to = TS_NEW_N(arena, int32_t, n * im->features);
    ts_quantise_input(im, n, x, to);
    return to;
}

static void test_twins(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "", "act=8,act_in=10,w=8", "act=14,residual=18,w=14", "q=18,k=18,v=17,p=16,hidden=18,in=18", "p=15,v=16,q=16,k=16", "p=16"};
    static const int n[] = {1, 2, 7, 8, 9, 33};
    for (uint64_t seed = 0; seed < 60; seed++) {
        const ts_encoder_shape shape = small_shape(seed);
        ts_err err = {""};
        const small_model m = small_model_make(&shape, seed, formats[seed % 6], &err);
        if (!m.im)
            fail_msg("seed %d: %s", (int)seed, err.msg);
        for (int i = 0; i < (int)(sizeof n / sizeof *n); i++)
            (void)run_all(m.arena, m.im, n[i], integers(m.arena, m.im, n[i], small_event(m.arena, m.enc, n[i], seed + 100)));
        ts_arena_free(m.arena);
    }
}

/* ---- kernels at the edges of their operands ---- */

static int32_t edge(uint64_t *seed, int32_t max)
{
    const uint64_t r = ts_random(seed);
    return r % 4 == 0 ? max : r % 4 == 1 ? -max : (int32_t)(r >> 33) % (max + 1);
}

static void edges(uint64_t *seed, int count, int32_t max, int32_t *pair)
{
    for (int i = 0; i < count; i++)
        pair[i] = (int32_t)((uint32_t)(uint16_t)edge(seed, max) | (uint32_t)edge(seed, max) << 16);
}

static void test_kernels(void **state)
{
    (void)state;
    enum { WIDTH = 48, PAIRS = 5, ROWS = 7, OUT = 16 };
    const ts_kernels *const best = ts_kernels_best(), *const plain = &ts_kernels_portable;
    uint32_t exp2[1 << 6];
    ts_exp2_table(6, 15, exp2);
    uint64_t seed = 11;
    for (int round = 0; round < 200; round++) {
        const int n = 1 + (int)(ts_random(&seed) % WIDTH), width = ts_padded(n), shift = (int)(ts_random(&seed) % 20);
        int32_t q[PAIRS], k[PAIRS * WIDTH], v[WIDTH / 2 * OUT], score[2][WIDTH], p[2][WIDTH / 2];
        int64_t acc[2][OUT];
        const int32_t reach = round % 2 ? 8191 : 90; /* with the small one, scores that are hardly shifted stay within their format */
        edges(&seed, PAIRS, reach, q);
        edges(&seed, PAIRS * width, reach, k);
        const int32_t max = best->scores(n, PAIRS, q, k, shift, 131071, score[0]);
        assert_int_equal(plain->scores(n, PAIRS, q, k, shift, 131071, score[1]), max);
        assert_memory_equal(score[0], score[1], (size_t)width * sizeof **score);
        const int64_t sum = best->weights(n, score[0], max, exp2, 6, (int16_t *)(void *)p[0]);
        assert_int_equal(plain->weights(n, score[0], max, exp2, 6, (int16_t *)(void *)p[1]), sum);
        assert_memory_equal(p[0], p[1], (size_t)width * sizeof(int16_t));
        edges(&seed, width / 2 * OUT, 32767, v);
        best->context(width / 2, OUT, 1, p[0], v, acc[0]);
        plain->context(width / 2, OUT, 1, p[0], v, acc[1]);
        assert_memory_equal(acc[0], acc[1], sizeof acc[0]);
        int32_t x[ROWS * PAIRS], w[PAIRS * OUT], product[2][ROWS * OUT];
        edges(&seed, ROWS * PAIRS, 8191, x);
        edges(&seed, PAIRS * OUT, 8191, w);
        best->product(ROWS, PAIRS, OUT, x, w, product[0]);
        plain->product(ROWS, PAIRS, OUT, x, w, product[1]);
        assert_memory_equal(product[0], product[1], sizeof product[0]);
    }
}

/* ---- everything at saturation ---- */

typedef enum { ALL_MAX, ALL_MIN, CHECKER, RANDOM, PATTERNS } pattern;

static int64_t at_limit(pattern p, int64_t limit, size_t i, uint64_t *seed)
{
    const bool minus = p == ALL_MIN || (p == CHECKER && i % 2) || (p == RANDOM && (ts_random(seed) & 1));
    return minus ? -limit : limit;
}

static void saturate_linear(ts_arena *arena, ts_ilin *lin, pattern p, uint64_t *seed)
{
    const size_t count = (size_t)lin->in * (size_t)lin->out;
    int32_t *w = TS_NEW_N(arena, int32_t, count), *m = TS_NEW_N(arena, int32_t, lin->out);
    int64_t *bias = TS_NEW_N(arena, int64_t, lin->out);
    for (size_t i = 0; i < count; i++)
        w[i] = (int32_t)at_limit(p, ts_fmt_max(lin->w_bits, true), i, seed);
    for (int o = 0; o < lin->out; o++) {
        bias[o] = at_limit(p, lin->in * ts_fmt_max(lin->w_bits, true), (size_t)o, seed);
        m[o] = (int32_t)at_limit(p, ts_fmt_max(TS_M_BITS, false), (size_t)o, seed);
    }
    lin->w = w;
    lin->bias = bias;
    lin->rq.m = m;
    const int64_t bound = ts_acc_bound(lin);
    lin->acc_bits = ts_bitlen((uint64_t)bound) + 1;
    while (ts_rsh(bound, lin->rq.s1) > ts_fmt_max(TS_RQ_IN_BITS, true))
        lin->rq.s1++;
}

static void saturate_norm(ts_arena *arena, ts_inorm *norm, pattern p, uint64_t *seed)
{
    int32_t *gain = TS_NEW_N(arena, int32_t, norm->d);
    int64_t *bias = TS_NEW_N(arena, int64_t, norm->d);
    for (int c = 0; c < norm->d; c++) {
        gain[c] = (int32_t)at_limit(p, ts_fmt_max(TS_M_BITS, false), (size_t)c, seed);
        bias[c] = at_limit(p, ts_fmt_max(TS_B_BITS, false), (size_t)c, seed);
    }
    norm->gain = gain;
    norm->bias = bias;
}

static ts_imodel saturated(ts_arena *arena, const ts_imodel *from, pattern p)
{
    uint64_t seed = 5;
    ts_imodel im = *from;
    ts_ilayer *layer = TS_NEW_N(arena, ts_ilayer, im.layers);
    memcpy(layer, im.layer, (size_t)im.layers * sizeof *layer);
    for (int i = 0; i < im.embed_count; i++)
        saturate_linear(arena, &im.embed[i], p, &seed);
    if (im.fused_qkv0)
        saturate_linear(arena, &im.qkv0, p, &seed);
    for (int l = 0; l < im.layers; l++) { /* the same widths in all layers: s1 grows alike */
        ts_ilin *const lin[] = {&layer[l].qkv, &layer[l].o, &layer[l].ffn1, &layer[l].ffn2};
        for (int i = 0; i < 4; i++)
            saturate_linear(arena, lin[i], p, &seed);
        saturate_norm(arena, &layer[l].norm1, p, &seed);
        saturate_norm(arena, &layer[l].norm2, p, &seed);
    }
    if (im.has_final_norm)
        saturate_norm(arena, &im.final_norm, p, &seed);
    for (int i = 0; i < im.head_count; i++)
        saturate_linear(arena, &im.head[i], p, &seed);
    im.layer = layer;
    return im;
}

static void test_extreme(void **state)
{
    (void)state;
    for (uint64_t variant = 0; variant < 4; variant++) {
        ts_encoder_shape shape = {.features = 3, .d = 12, .heads = 3, .d_head = 4, .ff = 20, .outputs = 5, .layers = 2, .embed_count = 2};
        shape.norms = (ts_norms)(variant % 3);
        shape.act = variant & 2 ? TS_ACT_SILU : TS_ACT_RELU;
        ts_err err = {""};
        const small_model m = small_model_make(&shape, variant, variant & 1 ? "act=12" : "w=16,p=15,v=16,q=15,k=15,ctx=16", &err);
        if (!m.im)
            fail_msg("%s", err.msg);
        for (pattern weights = ALL_MAX; weights < PATTERNS; weights++) {
            const ts_imodel im = saturated(m.arena, m.im, weights);
            if (!ts_imodel_verify(&im, &err))
                fail_msg("%s", err.msg);
            for (pattern inputs = ALL_MAX; inputs < PATTERNS; inputs++)
                for (int n = 1; n <= 17; n += 8) {
                    uint64_t seed = 9;
                    int32_t *x = TS_NEW_N(m.arena, int32_t, n * 3);
                    for (int i = 0; i < 3 * n; i++)
                        x[i] = (int32_t)at_limit(inputs, ts_fmt_max(im.in.bits, true), (size_t)i, &seed);
                    const int32_t *y = run_all(m.arena, &im, n, x);
                    for (int i = 0; i < 5 * n; i++)
                        assert_int_equal(y[i], ts_sat(y[i], 18, true));
                }
        }
        ts_arena_free(m.arena);
    }
}

/* ---- edges of an event ---- */

static void test_events(void **state)
{
    (void)state;
    enum { EVENTS = 9 };
    for (int pool = 0; pool < 2; pool++) {
        const ts_encoder_shape shape = {.features = 2,
                                        .d = 8,
                                        .heads = 2,
                                        .d_head = 4,
                                        .ff = 8,
                                        .outputs = 3,
                                        .layers = 2,
                                        .act = TS_ACT_RELU,
                                        .pool = pool ? TS_POOL_MEAN : TS_POOL_NONE};
        ts_err err = {""};
        const small_model m = small_model_make(&shape, 1, "", &err);
        assert_non_null(m.im);
        const ts_emu *emu = ts_emu_new(m.arena, m.im, TS_EMU_AUTO);
        int32_t nothing[3] = {7, 7, 7};
        ts_emu_run(emu, 0, NULL, nothing, NULL, NULL);
        assert_int_equal(nothing[0], pool ? 0 : 7);
        int n[EVENTS];
        const int32_t *x[EVENTS];
        int32_t *y[EVENTS];
        for (int i = 0; i < EVENTS; i++) {
            n[i] = 4 * i;
            x[i] = integers(m.arena, m.im, n[i], small_event(m.arena, m.enc, n[i], (uint64_t)i));
            y[i] = TS_NEW_N(m.arena, int32_t, 3 * (n[i] + 1));
        }
        ts_emu_run_events(emu, EVENTS, n, x, y);
        for (int i = 1; i < EVENTS; i++)
            assert_memory_equal(y[i], run_all(m.arena, m.im, n[i], x[i]), (size_t)rows_of(m.im, n[i]) * 3 * sizeof(int32_t));
        ts_arena_free(m.arena);
    }
}

static void test_input_conversion(void **state)
{
    (void)state;
    const double scale[2] = {0.5, 2};
    const ts_imodel im = {.features = 2, .in = {4, true}, .in_scale = scale};
    const float x[8] = {0.25F, -1, -0.25F, 1, 100, -100, 3.2F, 13};
    const int32_t want[8] = {1, 0, 0, 1, 7, -7, 6, 7};
    int32_t got[8];
    ts_quantise_input(&im, 4, x, got);
    assert_memory_equal(got, want, sizeof want);
}

enum { SEEN = 40, SEEN_SEED = 5 }; /* the last event that small_model_make calibrates with */

/* ---- taps: the same tensors as the float reference's, near its values ---- */

typedef struct tapped {
    ts_arena *arena;
    const float *real[4][TS_ROLE_COUNT][8];
    int seen, heads;
} tapped;

static void keep(void *user, int layer, ts_role role, int part, int head, int rows, int cols, const float *data)
{
    tapped *t = user;
    const size_t count = (size_t)rows * (size_t)cols;
    float *copy = TS_NEW_N(t->arena, float, count);
    memcpy(copy, data, count * sizeof *copy);
    t->real[layer][role][head < 0 ? part : head] = copy;
}

static void compare(void *user, int layer, ts_role role, int part, int rows, int cols, const int32_t *data, const double *scale,
                    const double *offset)
{
    tapped *t = user;
    const float *real = t->real[layer][role][part];
    assert_non_null(real);
    t->seen++;
    if (role == TS_ROLE_SCORE || role == TS_ROLE_P) /* keys are centred, and the division comes later: not comparable one by one */
        return;
    double error = 0, power = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            const double x = (double)real[r * cols + c], y = data[r * cols + c] * scale[c] + (offset ? offset[c] : 0);
            error += (x - y) * (x - y);
            power += x * x;
        }
    if (error > 0.02 * 0.02 * power)
        fail_msg("layer %d %s %d: error %g of %g", layer, ts_role_name(role), part, sqrt(error), sqrt(power));
}

static void test_taps(void **state)
{
    (void)state;
    for (int variant = 0; variant < 6; variant++) {
        ts_encoder_shape shape = {
            .features = 3, .d = 16, .heads = 2, .d_head = 8, .ff = 32, .outputs = 4, .layers = 3, .embed_count = 2, .head_count = 2};
        shape.norms = (ts_norms)(variant % 3);
        shape.has_final_norm = shape.norms != TS_NORMS_LAST;
        shape.act = variant & 2 ? TS_ACT_GELU_ERF : TS_ACT_RELU;
        ts_err err = {""};
        const uint64_t seed = 20 + (uint64_t)variant;
        const small_model m = small_model_make(&shape, seed, "act=14,w=14", &err);
        assert_non_null(m.im);
        /* An event of the calibration, so that saturation does not blur the comparison. */
        const float *x = small_event(m.arena, m.enc, SEEN, seed + SEEN_SEED);
        const int32_t *x_int = integers(m.arena, m.im, SEEN, x);
        float y[4 * SEEN];
        int32_t y_int[4 * SEEN];
        tapped t = {.arena = m.arena};
        ts_encoder_eval(m.enc, SEEN, x, y, keep, &t);
        ts_emu_run(ts_emu_new(m.arena, m.im, TS_EMU_AUTO), SEEN, x_int, y_int, compare, &t);
        const int fast = t.seen;
        assert_true(fast > 3 * 15);
        ts_emu_reference(m.im, SEEN, x_int, y_int, compare, &t);
        assert_int_equal(t.seen, 2 * fast);
        ts_arena_free(m.arena);
    }
}

/* ---- distance from the float model ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct distance {
    double median, rms; /* of |integer - float| / standard deviation of the float output */
} distance;

static distance measure(ts_arena *arena, const ts_encoder *enc, const ts_imodel *im, int events, const int *n, const float *const *x)
{
    const ts_emu *emu = ts_emu_new(arena, im, TS_EMU_AUTO);
    const int outputs = im->outputs;
    size_t total = 0, at = 0;
    for (int i = 0; i < events; i++)
        total += (size_t)rows_of(im, n[i]);
    float *real = TS_NEW_N(arena, float, total *(size_t)outputs);
    double *got = TS_NEW_N(arena, double, total *(size_t)outputs), squares = 0;
    for (int i = 0; i < events; i++) {
        const int rows = rows_of(im, n[i]);
        int32_t *y = TS_NEW_N(arena, int32_t, rows * outputs);
        ts_emu_run(emu, n[i], integers(arena, im, n[i], x[i]), y, NULL, NULL);
        ts_encoder_eval(enc, n[i], x[i], real + at, NULL, NULL);
        ts_dequantise_output(im, rows, y, got + at);
        at += (size_t)(rows * outputs);
    }
    for (int o = 0; o < outputs; o++) {
        double mean = 0, var = 0;
        for (size_t i = 0; i < total; i++)
            mean += (double)real[i * (size_t)outputs + (size_t)o] / (double)total;
        for (size_t i = 0; i < total; i++)
            var += pow((double)real[i * (size_t)outputs + (size_t)o] - mean, 2) / (double)total;
        for (size_t i = 0; i < total; i++) {
            double *e = &got[i * (size_t)outputs + (size_t)o];
            *e = fabs(*e - (double)real[i * (size_t)outputs + (size_t)o]) / sqrt(var);
            squares += *e * *e;
        }
    }
    const size_t count = total * (size_t)outputs;
    qsort(got, count, sizeof *got, ascending);
    return (distance){got[count / 2], sqrt(squares / (double)count)};
}

static void test_accuracy_random(void **state)
{
    (void)state;
    for (int variant = 0; variant < 6; variant++) {
        ts_encoder_shape shape = {.features = 3, .d = 32, .heads = 4, .d_head = 8, .ff = 64, .outputs = 4, .layers = 4};
        shape.norms = (ts_norms)(variant % 3);
        shape.has_final_norm = shape.norms != TS_NORMS_LAST;
        shape.act = variant & 2 ? TS_ACT_GELU_TANH : TS_ACT_RELU;
        ts_err err = {""};
        const uint64_t seed = 40 + (uint64_t)variant;
        const small_model m = small_model_make(&shape, seed, "", &err);
        assert_non_null(m.im);
        const int n = SEEN;
        const float *x = small_event(m.arena, m.enc, n, seed + SEEN_SEED);
        const distance d = measure(m.arena, m.enc, m.im, 1, &n, &x);
        print_message("random %d: median %.3f %%, rms %.3f %%\n", variant, 100 * d.median, 100 * d.rms);
        assert_true(d.median < 0.003 && d.rms < 0.006);
        ts_arena_free(m.arena);
    }
}

/* Calibrated on the very events that are measured: a few pooled vectors say little about the range of others. */
static void test_pooling(void **state)
{
    (void)state;
    enum { EVENTS = 20 };
    for (ts_pool pool = TS_POOL_MEAN; pool <= TS_POOL_FIRST; pool++) {
        ts_encoder_shape shape = {.features = 3, .d = 16, .heads = 2, .d_head = 8, .ff = 32, .outputs = 4, .layers = 2};
        shape.act = TS_ACT_RELU;
        shape.pool = pool;
        ts_err err = {""};
        ts_arena *arena = ts_arena_new();
        const ts_encoder *enc = ts_encoder_random(arena, &shape, 60);
        int n[EVENTS];
        const float *x[EVENTS];
        for (int i = 0; i < EVENTS; i++) {
            n[i] = 1 + i;
            x[i] = small_event(arena, enc, n[i], 2000 + (uint64_t)i);
        }
        ts_calibration *cal = ts_calibration_new(arena, enc);
        assert_true(ts_calibration_add_events(cal, EVENTS, n, x, &err));
        const ts_imodel *im = ts_quantise(arena, enc, cal, ts_formats_default(arena, enc->layers), &err);
        assert_non_null(im);
        const distance d = measure(arena, enc, im, EVENTS, n, x);
        print_message("pooled by %s: median %.3f %%, rms %.3f %%\n", ts_pool_name(pool), 100 * d.median, 100 * d.rms);
        assert_true(d.median < 0.02 && d.rms < 0.04);
        ts_arena_free(arena);
    }
}

static const ts_encoder *load_encoder(ts_arena *arena, const char *path)
{
    ts_err err = {""};
    const ts_graph *g = ts_import_onnx(arena, path, &err);
    g = g ? ts_fold(arena, g, &err) : NULL;
    const ts_encoder *enc = g ? ts_recognise(arena, g, &err) : NULL;
    if (!enc)
        fail_msg("%s", err.msg);
    return enc;
}

static const ts_events *load_events(ts_arena *arena, const char *file, int limit)
{
    ts_err err = {""};
    const ts_inputs *inputs = ts_inputs_load(arena, DATA "trackml/encreg_trackml.inputs.json", &err);
    const ts_events_options options = {.limit = limit};
    const ts_events *events = inputs ? ts_events_load(arena, file, inputs, &options, &err) : NULL;
    if (!events)
        fail_msg("%s", err.msg);
    return events;
}

static void test_accuracy_real(void **state)
{
    (void)state;
    enum { CALIBRATE = 20, MEASURE = 20 };
    struct stat st;
    if (stat(DATA, &st) != 0) {
        print_message("skipped: no %s\n", DATA);
        skip();
    }
    ts_arena *arena = ts_arena_new();
    const ts_encoder *enc = load_encoder(arena, DATA "trackformers/encreg_trackml_50to100.onnx");
    const ts_events *seen = load_events(arena, DATA "trackml/trackml_50to100.csv", CALIBRATE);
    const ts_events *fresh = load_events(arena, DATA "trackml/trackml_50to100_test.csv", MEASURE);
    int n[MEASURE];
    const float *x[MEASURE];
    for (int i = 0; i < CALIBRATE; i++) {
        n[i] = seen->event[i].n;
        x[i] = seen->event[i].x;
    }
    ts_err err = {""};
    ts_calibration *cal = ts_calibration_new(arena, enc);
    assert_true(ts_calibration_add_events(cal, CALIBRATE, n, x, &err));
    const ts_imodel *im = ts_quantise(arena, enc, cal, ts_formats_default(arena, enc->layers), &err);
    if (!im)
        fail_msg("%s", err.msg);
    for (int i = 0; i < MEASURE; i++) {
        n[i] = fresh->event[i].n;
        x[i] = fresh->event[i].x;
    }
    const distance d = measure(arena, enc, im, MEASURE, n, x);
    print_message("EncReg 50-100: median %.3f %%, rms %.3f %%\n", 100 * d.median, 100 * d.rms);
    assert_true(d.median <= 0.012);
    ts_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twins),           cmocka_unit_test(test_kernels),          cmocka_unit_test(test_extreme),
        cmocka_unit_test(test_events),          cmocka_unit_test(test_input_conversion), cmocka_unit_test(test_taps),
        cmocka_unit_test(test_accuracy_random), cmocka_unit_test(test_pooling),          cmocka_unit_test(test_accuracy_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
