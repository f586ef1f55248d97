/* The host's share of assisted designs: at every cut of a model, what the host computes in front and behind makes the whole; with the
   slice's encoder between them, too; slices that cannot be are refused with what could be. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/random_encoder.h"
#include "host/assist.h"
#include "import/import.h"
#include "pass/fold.h"
#include "pass/subgraph.h"
#include "plan/host_bus.h"
#include "plan/predict.h"
#include "ref/encoder_eval.h"
#include "ref/graph_eval.h"
#include "small_model.h"

enum { HITS = 13 };

static const char *const models[] = {
    "assisted/conv_tokens",
    "assisted/conv_tokens_pre_norm",
    "assisted/directions",
    "torch_post",
    "torch_pre",
    "torch_pre_gelu_final",
    "torch_masked_mean",
    "torch_masked_pre_time_first",
    "torch_max",
    "torch_norms_around",
    "torch_norms_around_final",
    "onnx_fused_masked",
    "onnx_sdpa_masked_rows",
    "onnx_keras",
    "torch_annotated_mask",
};
enum { MODELS = sizeof models / sizeof *models };

typedef struct fixture {
    ts_arena *arena;
    const char *name;
    const ts_graph *g;
    const ts_recognition *found;
    const float *x; /* an event */
    ts_tensor y;    /* what the graph makes of it */
    bool keep;      /* ts_host.masks_keep */
} fixture;

static fixture make(const char *name)
{
    fixture f = {.arena = ts_arena_new(), .name = name};
    ts_err err = {""};
    const ts_graph *raw = ts_import_onnx(f.arena, ts_printf(f.arena, TS_SOURCE_DIR "/test/models/%s.onnx", name), &err);
    f.g = raw ? ts_fold(f.arena, raw, &err) : NULL;
    f.found = f.g ? ts_recognise_part(f.arena, f.g, &err) : NULL;
    if (!f.found)
        fail_msg("%s: %s", name, err.msg);
    f.keep = f.found->encoder->mask == TS_MASK_INPUT && f.found->encoder->mask_keeps;
    enum { MOST = 1024 };
    float *x = TS_NEW_N(f.arena, float, MOST);
    uint64_t seed = 5;
    for (int i = 0; i < MOST; i++)
        x[i] = 1.5F * ts_random_unit(&seed);
    f.x = x;
    bool *kept = TS_NEW_N(f.arena, bool, HITS);
    memset(kept, true, HITS);
    if (!ts_graph_eval_event(f.g, f.arena, HITS, x, f.keep ? kept : NULL, &f.y, NULL, NULL, &err))
        fail_msg("%s: %s", name, err.msg);
    return f;
}

/* Largest distance from the graph's own outputs, relative to their root mean square. */
static double distance(const fixture *f, const double *y)
{
    double worst = 0, squares = 0;
    const int64_t count = ts_count(&f->y);
    for (int64_t i = 0; i < count; i++) {
        const double want = ts_get_real(&f->y, i), d = fabs(y[i] - want);
        worst = !(d <= worst) ? d : worst;
        squares += want * want;
    }
    return worst / sqrt(squares / (double)count);
}

/* Front, what stands between (an encoder; NULL: nothing), back. */
static double through(const fixture *f, const ts_host *host, const ts_encoder *between)
{
    ts_err err = {""};
    bool pooled;
    const int n = ts_host_tokens(host, HITS), width = ts_host_width(host), outputs = ts_host_outputs(host, &pooled);
    assert_int_equal(ts_count(&f->y), outputs * (pooled ? 1 : HITS));
    float *tokens = TS_NEW_N(f->arena, float, n *width);
    if (!ts_host_front(host, HITS, f->x, tokens, &err))
        fail_msg("%s: %s", f->name, err.msg);
    const int values = between ? between->outputs : width;
    float *y = tokens;
    if (between) {
        assert_int_equal(between->features, width);
        y = TS_NEW_N(f->arena, float, n *values);
        ts_encoder_eval(between, n, tokens, y, NULL, NULL);
    }
    double *made = TS_NEW_N(f->arena, double, n *values), *out = TS_NEW_N(f->arena, double, ts_count(&f->y));
    for (int i = 0; i < n * values; i++)
        made[i] = (double)y[i];
    ts_host_time time = {0};
    if (!ts_host_back(host, HITS, f->x, made, out, &time, &err))
        fail_msg("%s: %s", f->name, err.msg);
    assert_int_equal(time.backs, 1);
    return distance(f, out);
}

static void every_cut_carries_everything(void **state)
{
    (void)state;
    for (int m = 0; m < MODELS; m++) {
        const fixture f = make(models[m]);
        int cuts = 0;
        for (int c = 0; c <= 2 * f.found->encoder->layers; c++) {
            ts_host host;
            ts_err err = {""};
            if (!f.found->cut[c])
                continue;
            if (!ts_host_open(f.arena, f.g, f.found->cut[c], f.found->cut[c], f.keep, &host, &err))
                fail_msg("%s, cut %d: %s", f.name, c, err.msg);
            assert_int_equal(ts_host_width(&host), f.found->encoder->d);
            /* The same operators on the same values: not even the last bit differs. */
            if (through(&f, &host, NULL) > 0)
                fail_msg("%s: cut %d changes the results", f.name, c);
            cuts++;
        }
        if (cuts != 2 * f.found->encoder->layers + 1)
            fail_msg("%s: only %d cuts", f.name, cuts);
        ts_arena_free(f.arena);
    }
}

static void slices_and_their_hosts_are_the_model(void **state)
{
    (void)state;
    int slices = 0;
    for (int m = 0; m < MODELS; m++) {
        const fixture f = make(models[m]);
        const int layers = f.found->encoder->layers;
        for (int from = -1; from < layers; from++)
            for (int to = from < 0 ? 0 : from; to <= layers; to++) {
                const char *first = from < 0 ? "embed" : ts_printf(f.arena, "layers.%d", from);
                const char *last = to == layers ? "head" : ts_printf(f.arena, "layers.%d", to);
                const char *text = strcmp(first, last) == 0 ? first : ts_printf(f.arena, "%s-%s", first, last);
                ts_assist assist;
                ts_err err = {""};
                if (!ts_assist_choose(f.arena, f.g, f.found, text, &assist, &err))
                    fail_msg("%s, %s: %s", f.name, text, err.msg);
                ts_assist again;
                assert_true(ts_assist_choose(f.arena, f.g, f.found, assist.hardware, &again, &err));
                assert_string_equal(again.hardware, assist.hardware);
                assert_true(again.host.from == assist.host.from && again.host.to == assist.host.to);
                const double worst = through(&f, &assist.host, assist.encoder);
                if (!(worst <= 2e-5))
                    fail_msg("%s, %s: off by %g", f.name, text, worst);
                slices++;
            }
        ts_arena_free(f.arena);
    }
    assert_true(slices > 5 * MODELS);
}

static void by_itself_all_layers(void **state)
{
    (void)state;
    const fixture f = make("assisted/conv_tokens");
    ts_assist assist;
    ts_err err = {""};
    assert_true(ts_assist_choose(f.arena, f.g, f.found, NULL, &assist, &err));
    assert_string_equal(assist.hardware, "layers.0-1");
    assert_string_equal(assist.front, "Conv, Relu, MaxPool, Reshape, Transpose, Add");
    assert_non_null(strstr(assist.why, "'Conv_0' (Conv) has no hardware"));
    assert_int_equal(assist.tokens, 16);
    assert_int_equal(ts_host_features(&assist.host), 0);
    assert_string_equal(ts_host_samples_shape(f.arena, &assist.host), "[samples, 2, 8, 8]");
    ts_arena_free(f.arena);
}

static void half_layers(void **state)
{
    (void)state;
    const fixture f = make("torch_pre");
    static const char *const texts[][2] = {{"layers.1.ffn-2.attention", "layers.1.ffn-2.attention"},
                                           {"layers.0.attention", "layers.0.attention"},
                                           {"layers.2.ffn-layers.2.ffn", "layers.2.ffn"},
                                           {"layers.0.attention-layers.1", "layers.0-1"},
                                           {"embed-0.attention", "embed-layers.0.attention"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ts_assist assist;
        ts_err err = {""};
        if (!ts_assist_choose(f.arena, f.g, f.found, texts[i][0], &assist, &err))
            fail_msg("%s", err.msg);
        assert_string_equal(assist.hardware, texts[i][1]);
        /* Calibration reads whole layers: from the beginning of the one that the slice is in. */
        assert_true((assist.calibrate.from == assist.host.from) == (assist.slice.first % 2 == 0));
        assert_int_equal(assist.encoder->layers, (assist.slice.end + 1) / 2);
    }
    ts_arena_free(f.arena);
}

static void wrong_slices_say_what_could_be(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "foo",
                                        "layers.3",
                                        "layers.-1",
                                        "layers.2.foo",
                                        "layers.0-",
                                        "layers.0-9",
                                        "head",
                                        "embed",
                                        "layers.2-1",
                                        "head-layers.0",
                                        "layers.0-embed",
                                        "layers.1.ffn-1.attention",
                                        "layers",
                                        "1",
                                        "embed-embed",
                                        "layers.1x",
                                        "-"};
    const fixture f = make("torch_pre");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ts_assist assist;
        ts_err err = {""};
        if (ts_assist_choose(f.arena, f.g, f.found, wrong[i], &assist, &err))
            fail_msg("\"%s\" was taken as %s", wrong[i], assist.hardware);
        if (!strstr(err.msg, "embed, layers.0 ... layers.2, head"))
            fail_msg("\"%s\": %s", wrong[i], err.msg);
    }
    ts_arena_free(f.arena);
}

static void subgraphs_of_nothing(void **state)
{
    (void)state;
    const fixture f = make("assisted/conv_tokens");
    ts_err err = {""};
    assert_null(ts_subgraph(f.arena, f.g, NULL, f.g->input[0], &err));
    assert_non_null(strstr(err.msg, "nothing computes 'hits'"));
    assert_null(ts_subgraph(f.arena, f.g, f.g->output[0], f.g->output[0], &err));
    /* The output does not need the image where the tokens are given. */
    const ts_graph *back = ts_subgraph(f.arena, f.g, f.found->to, f.g->output[0], &err);
    assert_non_null(back);
    assert_int_equal(back->inputs, 1);
    assert_string_equal(back->input[0]->name, f.found->to->name);
    ts_arena_free(f.arena);
}

/* A fast bus costs its latency and a token and a result; a slow one sets the pace of both ends. (Against simulation: test/e2e/run.sh.) */
static void the_bus_is_planned(void **state)
{
    (void)state;
    enum { N = 20, TOKEN = 16, RESULT = 40 };
    const ts_encoder_shape shape = {.features = 3,
                                    .d = 8,
                                    .heads = 2,
                                    .d_head = 4,
                                    .ff = 16,
                                    .outputs = 4,
                                    .layers = 2,
                                    .act = TS_ACT_RELU,
                                    .embed_count = 1,
                                    .head_count = 1};
    ts_err err = {""};
    const small_model m = small_model_make(&shape, 3, "", &err);
    assert_non_null(m.im);
    ts_plan plan = ts_plan_minimal(m.im, 32);
    plan.clock_mhz = 100;
    const ts_chain_ring ring = {.plan = &plan, .im = m.im};
    const ts_chain_prediction alone = ts_chain_predict(&ring, 1, N);
    const double fill = (double)(alone.total_cycles - alone.latency_cycles);

    const ts_host_prediction fast = ts_host_predict(&(ts_host_bus){12800, 250, ""}, &ring, 1, N, N, TOKEN, RESULT); /* 128 bits a cycle */
    assert_true(fabs(fast.token_cycles - 1) < 1e-9 && fabs(fast.row_cycles - 2.5) < 1e-9 && fabs(fast.flight_cycles - 25) < 1e-9);
    assert_true(fabs(fast.to_cycles - N) < 1e-9 && fabs(fast.from_cycles - 2.5 * N) < 1e-9);
    assert_true(fabs((double)(fast.latency_cycles - alone.total_cycles) - (2 * 25 + 1 + 2.5)) <= 1);
    assert_int_equal(fast.interval_cycles, alone.interval_cycles);

    /* Tokens 2,000 cycles apart: the last one comes at the end, and its results behind it. */
    const ts_host_prediction slow = ts_host_predict(&(ts_host_bus){6.4, 0, ""}, &ring, 1, N, N, TOKEN, 1);
    assert_true(fabs(slow.token_cycles - 2000) < 1e-6 && 2000 * (N - 1) > fill);
    assert_true(fabs((double)slow.latency_cycles - (2000.0 * N + (double)alone.latency_cycles + slow.row_cycles)) <= 1);
    assert_true(slow.interval_cycles >= 2000 * N);

    /* Results so slow that they leave one behind the other, from the first on. */
    const double span = (double)ts_predict(&plan, m.im, N).span_cycles;
    const ts_host_prediction back = ts_host_predict(&(ts_host_bus){12800, 0, ""}, &ring, 1, N, N, TOKEN, 160000);
    assert_true(fabs(back.row_cycles - 10000) < 1e-6);
    assert_true(fabs((double)back.latency_cycles - ((double)alone.total_cycles + 1 - span + 10000.0 * N)) <= 1);
    assert_true(back.interval_cycles >= 10000 * N);
    /* Of a pooled model one leaves. */
    const ts_host_prediction one = ts_host_predict(&(ts_host_bus){12800, 0, ""}, &ring, 1, N, 1, TOKEN, RESULT);
    assert_true(fabs(one.from_cycles - 2.5) < 1e-9);
    assert_int_equal(one.interval_cycles, alone.interval_cycles);
    ts_arena_free(m.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_carries_everything),
        cmocka_unit_test(slices_and_their_hosts_are_the_model),
        cmocka_unit_test(by_itself_all_layers),
        cmocka_unit_test(half_layers),
        cmocka_unit_test(wrong_slices_say_what_could_be),
        cmocka_unit_test(subgraphs_of_nothing),
        cmocka_unit_test(the_bus_is_planned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
