/* The float evaluation of encoders against a plain second one in double (all variants, sizes 1, prime, above one block of
   queries), its taps, and the published model's recorded outputs where the real data is there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/events.h"
#include "graph/random_encoder.h"
#include "import/import.h"
#include "pass/fold.h"
#include "pass/recognise.h"
#include "ref/encoder_eval.h"

#define DATA TS_SOURCE_DIR "/../shared/data"

static double *reals(ts_arena *arena, int count)
{
    return TS_NEW_N(arena, double, count);
}

static double *plain_linear(ts_arena *arena, const ts_linear *lin, int n, const double *x)
{
    double *y = reals(arena, n * lin->out);
    for (int t = 0; t < n; t++)
        for (int o = 0; o < lin->out; o++) {
            y[t * lin->out + o] = (double)lin->b[o];
            for (int i = 0; i < lin->in; i++)
                y[t * lin->out + o] += (double)lin->w[o * lin->in + i] * x[t * lin->in + i];
        }
    return y;
}

static double plain_act(ts_act act, double x)
{
    if (act == TS_ACT_RELU)
        return fmax(x, 0);
    if (act == TS_ACT_GELU_ERF)
        return x / 2 * erfc(-x / sqrt(2));
    if (act == TS_ACT_GELU_TANH)
        return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * pow(x, 3))));
    return ts_activate(act, x); /* extension_test.c knows them all */
}

static double *plain_norm(ts_arena *arena, const ts_norm *norm, int n, const double *x)
{
    double *y = reals(arena, n * norm->d);
    for (int t = 0; t < n; t++) {
        double mean = 0, square = 0;
        for (int c = 0; c < norm->d; c++) {
            mean += x[t * norm->d + c] / norm->d;
            square += pow(x[t * norm->d + c], 2) / norm->d;
        }
        for (int c = 0; c < norm->d; c++)
            y[t * norm->d + c] = (x[t * norm->d + c] - mean) / sqrt(square - mean * mean + (double)norm->eps) * (double)norm->gain[c] +
                                 (double)norm->bias[c];
    }
    return y;
}

static double *plain_add(ts_arena *arena, int count, const double *a, const double *b)
{
    double *y = reals(arena, count);
    for (int i = 0; i < count; i++)
        y[i] = a[i] + b[i];
    return y;
}

static double *plain_attention(ts_arena *arena, const ts_encoder *enc, const ts_layer *layer, int n, const double *x)
{
    const int inner = enc->heads * enc->d_head;
    const double *q = plain_linear(arena, &layer->q, n, x), *k = plain_linear(arena, &layer->k, n, x),
                 *v = plain_linear(arena, &layer->v, n, x);
    double *ctx = reals(arena, n * inner), *p = reals(arena, n);
    for (int h = 0; h < inner; h += enc->d_head)
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int j = 0; j < n; j++) {
                double s = 0;
                for (int c = h; c < h + enc->d_head; c++)
                    s += q[i * inner + c] * k[j * inner + c];
                sum += p[j] = exp(s * (double)layer->scale);
            }
            for (int j = 0; j < n; j++)
                for (int c = h; c < h + enc->d_head; c++)
                    ctx[i * inner + c] += p[j] / sum * v[j * inner + c];
        }
    return plain_linear(arena, &layer->o, n, ctx);
}

static double *plain_mlp(ts_arena *arena, const ts_linear *lin, const ts_act *act, int count, int n, double *x)
{
    for (int i = 0; i < count; i++) {
        x = plain_linear(arena, &lin[i], n, x);
        for (int k = 0; k < n * lin[i].out; k++)
            x[k] = plain_act(act[i], x[k]);
    }
    return x;
}

static double *plain_ffn(ts_arena *arena, const ts_encoder *enc, const ts_layer *layer, int n, double *x)
{
    const ts_linear lin[2] = {layer->ffn1, layer->ffn2};
    const ts_act act[2] = {enc->act, TS_ACT_NONE};
    return plain_mlp(arena, lin, act, 2, n, x);
}

static double *plain_eval(ts_arena *arena, const ts_encoder *enc, int n, const float *input)
{
    const int count = n * enc->d;
    double *x = reals(arena, n * enc->features);
    for (int i = 0; i < n * enc->features; i++)
        x[i] = (double)input[i];
    x = plain_mlp(arena, enc->embed.lin, enc->embed.act, enc->embed.count, n, x);
    for (int i = 0; i < enc->layers; i++) {
        const ts_layer *layer = &enc->layer[i];
        if (enc->norms == TS_NORMS_AROUND) {
            x = plain_add(arena, count, x, plain_attention(arena, enc, layer, n, plain_norm(arena, &layer->norm1, n, x)));
            x = plain_norm(arena, &layer->norm2, n, x);
            x = plain_add(arena, count, x, plain_ffn(arena, enc, layer, n, x));
        } else if (enc->norms == TS_NORMS_FIRST) {
            x = plain_add(arena, count, x, plain_attention(arena, enc, layer, n, plain_norm(arena, &layer->norm1, n, x)));
            x = plain_add(arena, count, x, plain_ffn(arena, enc, layer, n, plain_norm(arena, &layer->norm2, n, x)));
        } else {
            x = plain_norm(arena, &layer->norm1, n, plain_add(arena, count, x, plain_attention(arena, enc, layer, n, x)));
            x = plain_norm(arena, &layer->norm2, n, plain_add(arena, count, x, plain_ffn(arena, enc, layer, n, x)));
        }
    }
    if (enc->has_final_norm)
        x = plain_norm(arena, &enc->final_norm, n, x);
    int rows = n;
    if (enc->pool != TS_POOL_NONE) {
        double *row = reals(arena, enc->d);
        for (int c = 0; c < enc->d; c++) {
            double sum = 0, max = -INFINITY;
            for (int t = 0; t < n; t++) {
                sum += x[t * enc->d + c];
                max = fmax(max, x[t * enc->d + c]);
            }
            row[c] = enc->pool == TS_POOL_MEAN ? sum / n : enc->pool == TS_POOL_MAX ? max : x[c];
        }
        x = row;
        rows = 1;
    }
    return plain_mlp(arena, enc->head.lin, enc->head.act, enc->head.count, rows, x);
}

static void count_taps(void *user, int layer, ts_role role, int part, int head, int rows, int cols, const float *data)
{
    int *seen = user;
    (void)layer, (void)part;
    assert_true(rows >= 1 && cols >= 1 && isfinite(data[(size_t)rows * (size_t)cols - 1]));
    assert_true((head >= 0) == (role == TS_ROLE_SCORE || role == TS_ROLE_P));
    seen[role]++;
}

static void check_variant(const ts_encoder_shape *shape, int n, uint64_t seed)
{
    ts_arena *arena = ts_arena_new();
    const ts_encoder *enc = ts_encoder_random(arena, shape, seed);
    ts_err err = {0};
    assert_true(ts_encoder_verify(enc, &err));
    assert_int_equal(enc->parameters, ts_encoder_parameters(enc));
    const int rows = enc->pool == TS_POOL_NONE ? n : 1, count = rows * enc->outputs;
    float *x = TS_NEW_N(arena, float, n * enc->features), *y = TS_NEW_N(arena, float, count), *tapped = TS_NEW_N(arena, float, count);
    for (int i = 0; i < n * enc->features; i++)
        x[i] = ts_random_unit(&seed);
    int seen[TS_ROLE_COUNT] = {0};
    ts_encoder_eval(enc, n, x, y, NULL, NULL);
    ts_encoder_eval(enc, n, x, tapped, count_taps, seen);
    const double *want = plain_eval(arena, enc, n, x);
    for (int i = 0; i < count; i++)
        if (!(fabs((double)y[i] - want[i]) < 3e-5) || !(fabs((double)tapped[i] - want[i]) < 3e-5))
            fail_msg("n = %d, seed %llu: output %d is %g, with taps %g, expected %g", n, (unsigned long long)seed, i, (double)y[i],
                     (double)tapped[i], want[i]);
    const int layers = enc->layers, parts = enc->norms == TS_NORMS_FIRST ? 6 : 7;
    assert_int_equal(seen[TS_ROLE_IN], 1);
    assert_int_equal(seen[TS_ROLE_EMBED_HIDDEN], enc->embed.count - 1);
    assert_int_equal(seen[TS_ROLE_HEAD_HIDDEN], enc->head.count - 1);
    assert_int_equal(seen[TS_ROLE_RES], layers * parts + enc->has_final_norm);
    assert_int_equal(seen[TS_ROLE_SCORE], layers * enc->heads);
    assert_int_equal(seen[TS_ROLE_P], layers * enc->heads);
    assert_int_equal(seen[TS_ROLE_Q], layers);
    assert_int_equal(seen[TS_ROLE_CTX], layers);
    assert_int_equal(seen[TS_ROLE_ACT_IN], layers);
    assert_int_equal(seen[TS_ROLE_OUT], 1);
    ts_arena_free(arena);
}

static void test_variants(void **state)
{
    (void)state;
    static const int lengths[] = {1, 2, 13, 37};
    static const ts_act acts[] = {TS_ACT_RELU, TS_ACT_GELU_ERF, TS_ACT_GELU_TANH, TS_ACT_SILU};
    for (int v = 0; v < 16; v++) {
        const ts_encoder_shape shape = {.features = 3,
                                        .d = 12,
                                        .heads = 1 + v % 3,
                                        .d_head = 5,
                                        .ff = 7,
                                        .outputs = 4,
                                        .layers = 1 + v % 2,
                                        .embed_count = 1 + v % 3,
                                        .head_count = 3 - v % 3,
                                        .embed_hidden = 9,
                                        .head_hidden = 6,
                                        .norms = (ts_norms)(v % 3),
                                        .has_final_norm = v & 2,
                                        .act = acts[v % 4],
                                        .pool = (ts_pool)(v / 4)};
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            check_variant(&shape, lengths[i], (uint64_t)v);
    }
}

/* Longer than one block of queries. */
static void test_long(void **state)
{
    (void)state;
    const ts_encoder_shape shape = {.features = 3, .d = 8, .heads = 2, .d_head = 4, .ff = 8, .outputs = 2, .layers = 1, .act = TS_ACT_RELU};
    check_variant(&shape, 523, 99);
}

static void test_no_hits(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    ts_encoder_shape shape = {.features = 2, .d = 4, .heads = 1, .d_head = 4, .ff = 4, .outputs = 2, .layers = 1, .act = TS_ACT_RELU};
    float y[2] = {5, 5}, x[1] = {0};
    ts_encoder_eval(ts_encoder_random(arena, &shape, 1), 0, x, y, NULL, NULL);
    assert_true(y[0] == 5 && y[1] == 5);
    shape.pool = TS_POOL_MEAN;
    ts_encoder_eval(ts_encoder_random(arena, &shape, 1), 0, x, y, NULL, NULL);
    assert_true(y[0] == 0 && y[1] == 0);
    ts_arena_free(arena);
}

static void test_verify(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    const ts_encoder_shape shape = {.features = 2, .d = 4, .heads = 2, .d_head = 2, .ff = 6, .outputs = 2, .layers = 2, .act = TS_ACT_RELU};
    ts_encoder *enc = ts_encoder_random(arena, &shape, 1);
    ts_layer *layer = (ts_layer *)enc->layer; /* made a moment ago, in writable memory */
    ts_err err = {0};
    float weights[24] = {0};
    const ts_layer good = layer[1];
    layer[1].ffn1.out = 5;
    assert_false(ts_encoder_verify(enc, &err));
    assert_non_null(strstr(err.msg, "layer 1: ffn1: a linear layer 4 -> 5 stands where 4 -> 6"));
    layer[1] = good;
    weights[7] = NAN;
    layer[1].ffn2.w = weights;
    err = (ts_err){0};
    assert_false(ts_encoder_verify(enc, &err));
    assert_non_null(strstr(err.msg, "layer 1: ffn2: a weight or bias is infinite"));
    layer[1] = good;
    err = (ts_err){0};
    assert_true(ts_encoder_verify(enc, &err));
    ts_arena_free(arena);
}

/* The recorded outputs of the published model: at most 5e-3 off, 1e-4 root mean square. */
static void test_recorded(void **state)
{
    (void)state;
    ts_arena *arena = ts_arena_new();
    ts_err err = {0};
    FILE *csv = fopen(DATA "/trackml/trackml_50to100.float.csv", "r");
    if (!csv) {
        print_message("no recorded outputs in " DATA ": skipped\n");
        ts_arena_free(arena);
        skip();
    }
    const ts_graph *g = ts_import_onnx(arena, DATA "/trackformers/encreg_trackml_50to100.onnx", &err);
    g = g ? ts_fold(arena, g, &err) : NULL;
    const ts_encoder *enc = g ? ts_recognise(arena, g, &err) : NULL;
    const ts_inputs *inputs = enc ? ts_inputs_load(arena, DATA "/trackml/encreg_trackml.inputs.json", &err) : NULL;
    const ts_events_options options = {.limit = 10};
    const ts_events *events = inputs ? ts_events_load(arena, DATA "/trackml/trackml_50to100.csv", inputs, &options, &err) : NULL;
    if (!events)
        fail_msg("%s", err.msg);
    int hits = 0;
    for (int i = 0; i < events->count; i++)
        hits += events->event[i].n;
    float *out = TS_NEW_N(arena, float, hits * 4), *to = out;
    for (int i = 0; i < events->count; i++) {
        const ts_event *event = &events->event[i];
        ts_encoder_eval(enc, event->n, event->x, to, NULL, NULL);
        to += 4 * event->n;
    }
    char line[256];
    double worst = 0, squares = 0, want[4];
    int rows = 0;
    assert_non_null(fgets(line, sizeof line, csv));
    while (fgets(line, sizeof line, csv)) {
        assert_true(rows < hits);
        assert_int_equal(sscanf(line, "%*d,%*d,%lf,%lf,%lf,%lf", &want[0], &want[1], &want[2], &want[3]), 4);
        for (int c = 0; c < 4; c++) {
            const double d = fabs(want[c] - (double)out[4 * rows + c]);
            worst = fmax(worst, d);
            squares += d * d;
        }
        rows++;
    }
    fclose(csv);
    print_message("%d hits: largest difference %.2e, rms %.2e\n", rows, worst, sqrt(squares / (4.0 * rows)));
    assert_int_equal(rows, hits);
    assert_true(worst <= 5e-3 && sqrt(squares / (4.0 * rows)) <= 1e-4);
    ts_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variants), cmocka_unit_test(test_long),     cmocka_unit_test(test_no_hits),
        cmocka_unit_test(test_verify),   cmocka_unit_test(test_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
