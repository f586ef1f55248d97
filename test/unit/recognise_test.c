/* Every model in test/models and, where it is there, in the folder of real models: the recognised encoder computes what the
   graph computes; every model in test/models/refused is refused with a message that names the right node. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>

#include <cmocka.h>

#include "graph/random_encoder.h"
#include "import/import.h"
#include "pass/fold.h"
#include "pass/recognise.h"
#include "pass/understand.h"
#include "ref/encoder_eval.h"
#include "ref/graph_eval.h"
#include "ref/mask_watch.h"

#include "onnx_build.h"

#define REAL TS_SOURCE_DIR "/../shared/data/trackformers"
#define MODELS TS_SOURCE_DIR "/test/models"

enum { MAX_HITS = 60, MAX_MODELS = 128 };

typedef struct model_list {
    int count;
    char *path[MAX_MODELS];
} model_list;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_models(const char *directory, model_list *list)
{
    list->count = 0;
    DIR *dir = opendir(directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const size_t n = strlen(entry->d_name);
        if (n < 5 || strcmp(entry->d_name + n - 5, ".onnx") != 0)
            continue;
        assert_true(list->count < MAX_MODELS);
        char *path = malloc(strlen(directory) + n + 2);
        assert_non_null(path);
        sprintf(path, "%s/%s", directory, entry->d_name);
        list->path[list->count++] = path;
    }
    if (dir)
        closedir(dir);
    qsort(list->path, (size_t)list->count, sizeof *list->path, by_name);
}

static void free_models(model_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->path[i]);
}

static const ts_graph *load(ts_arena *arena, const char *path, ts_err *err)
{
    const ts_graph *g = ts_import_onnx(arena, path, err);
    return g ? ts_fold(arena, g, err) : NULL;
}

/* The graph on one event: inputs in the graph's order; `padding` in the sense of the model. */
static const ts_tensor *run_graph(ts_arena *arena, const ts_graph *g, const ts_encoder *enc, int n, const float *x, const bool *padding)
{
    ts_err err = {0};
    const ts_tensor **input = TS_NEW_N(arena, const ts_tensor *, g->inputs);
    for (int i = 0; i < g->inputs; i++) {
        int64_t dim[TS_MAX_RANK];
        for (int k = 0; k < g->input[i]->shape.rank; k++)
            dim[k] = ts_dim_at(g->input[i]->shape.dim[k], n);
        ts_tensor *t = ts_tensor_new(arena, g->input[i]->dtype, g->input[i]->shape.rank, dim);
        const bool is_mask = enc->mask_input ? strcmp(g->input[i]->name, enc->mask_input) == 0 : !ts_is_float(t->dtype);
        assert_int_equal(ts_count(t), is_mask ? n : n * enc->features);
        for (int64_t k = 0; k < ts_count(t); k++)
            ts_set_real(t, k, !is_mask ? (double)x[k] : (padding && padding[k]) != enc->mask_keeps);
        input[i] = t;
    }
    ts_tensor *out = TS_NEW(arena, ts_tensor);
    if (!ts_graph_eval(g, arena, input, out, NULL, NULL, &err))
        fail_msg("%s", err.msg);
    return out;
}

/* Largest difference, relative to the outputs' root mean square. */
static double difference(int64_t count, const float *a, const float *b)
{
    double worst = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        worst = d > worst || isnan(d) ? d : worst;
        squares += (double)a[i] * (double)a[i];
    }
    return worst / (sqrt(squares / (double)count) + 1e-30);
}

static double compare(const ts_graph *g, const ts_encoder *enc, int n, uint64_t seed)
{
    ts_arena *arena = ts_arena_new();
    const int rows = enc->pool == TS_POOL_NONE ? n : 1;
    float *x = TS_NEW_N(arena, float, n * enc->features), *y = TS_NEW_N(arena, float, rows * enc->outputs);
    for (int i = 0; i < n * enc->features; i++)
        x[i] = 1.5F * ts_random_unit(&seed);
    const ts_tensor *want = run_graph(arena, g, enc, n, x, NULL);
    assert_int_equal(ts_count(want), rows * enc->outputs);
    ts_encoder_eval(enc, n, x, y, NULL, NULL);
    const double worst = difference(rows * enc->outputs, want->data.f, y);
    ts_arena_free(arena);
    return worst;
}

/* Padded hits among real ones: the graph's results of the real ones are the encoder's results without the others. */
static double compare_padded(const ts_graph *g, const ts_encoder *enc, int n, uint64_t seed)
{
    ts_arena *arena = ts_arena_new();
    const int rows = enc->pool == TS_POOL_NONE ? n : 1;
    float *x = TS_NEW_N(arena, float, n * enc->features), *kept = TS_NEW_N(arena, float, n * enc->features);
    float *y = TS_NEW_N(arena, float, n * enc->outputs), *want = TS_NEW_N(arena, float, n * enc->outputs);
    bool *padding = TS_NEW_N(arena, bool, n);
    int hits = 0;
    for (int i = 0; i < n; i++) {
        padding[i] = i % 3 == 1;
        for (int c = 0; c < enc->features; c++)
            x[i * enc->features + c] = 1.5F * ts_random_unit(&seed);
        if (!padding[i])
            memcpy(kept + hits++ * enc->features, x + i * enc->features, (size_t)enc->features * sizeof *x);
    }
    const ts_tensor *all = run_graph(arena, g, enc, n, x, padding);
    ts_encoder_eval(enc, hits, kept, y, NULL, NULL);
    for (int i = 0, k = 0; i < rows; i++)
        if (rows == 1 || !padding[i])
            memcpy(want + k++ * enc->outputs, all->data.f + i * enc->outputs, (size_t)enc->outputs * sizeof *want);
    const double worst = difference((rows == 1 ? 1 : hits) * enc->outputs, want, y);
    ts_arena_free(arena);
    return worst;
}

static int check_model(const char *path, double limit)
{
    static const int lengths[] = {1, 2, 7, MAX_HITS};
    ts_arena *arena = ts_arena_new();
    ts_err err = {0};
    const ts_graph *g = load(arena, path, &err);
    const ts_recognition *found = g ? ts_recognise_whole(arena, g, &err) : NULL;
    const ts_encoder *enc = found ? found->encoder : NULL;
    int bad = 0;
    if (!enc) {
        print_error("%s\n", err.msg);
        bad = 1;
    }
    double worst = 0;
    for (size_t i = 0; enc && found->tokens == 0 && i < sizeof lengths / sizeof *lengths; i++)
        worst = fmax(worst, compare(g, enc, lengths[i], 77 + i));
    if (enc && found->tokens > 0)
        worst = compare(g, enc, (int)found->tokens, 77);
    if (enc && enc->mask == TS_MASK_INPUT)
        worst = fmax(worst, compare_padded(g, enc, 31, 5));
    if (enc)
        print_message("%-40s %d layers, %d/%d/%d, norm %s, %lld parameters: %.1e\n", enc->name, enc->layers, enc->d, enc->heads, enc->ff,
                      ts_norms_name(enc->norms), enc->parameters, worst);
    if (!(worst < limit)) {
        print_error("%s: encoder and graph differ by %g\n", path, worst);
        bad = 1;
    }
    ts_arena_free(arena);
    return bad;
}

static void test_models(void **state)
{
    (void)state;
    model_list list;
    list_models(MODELS, &list);
    assert_true(list.count > 0);
    int bad = 0;
    for (int i = 0; i < list.count; i++)
        bad += check_model(list.path[i], 2e-5);
    free_models(&list);
    assert_int_equal(bad, 0);
}

/* The event of form_models.py. */
static void form_event(int n, int features, float *x)
{
    for (int i = 0; i < n * features; i++)
        x[i] = (float)sin(1.7 * i + 0.3 * (i / features));
}

/* One encoder in many ways of writing it: each is whole, and computes what numpy computed. */
static void test_forms(void **state)
{
    (void)state;
    enum { HITS = 16, SHOWN = 8 };
    char name[128], path[512];
    int size, forms = 0, bad = 0;
    FILE *values = fopen(MODELS "/forms/values.txt", "r");
    assert_non_null(values);
    while (fscanf(values, "%127s %d", name, &size) == 2) {
        double want[SHOWN + 1];
        for (int i = 0; i <= SHOWN; i++)
            want[i] = i < size || i == SHOWN ? (fscanf(values, "%lf", &want[i]) == 1 ? want[i] : NAN) : 0;
        ts_arena *arena = ts_arena_new();
        ts_err err = {0};
        snprintf(path, sizeof path, MODELS "/forms/%s.onnx", name);
        const ts_graph *imported = ts_import_onnx(arena, path, &err), *g = NULL;
        const ts_recognition *found = imported ? ts_understand(arena, imported, &g, &err) : NULL;
        double worst = INFINITY;
        if (found && found->from->is_input && found->to->is_output && (found->tokens == 0 || found->tokens == HITS)) {
            const ts_encoder *enc = found->encoder;
            float x[HITS * 3];
            form_event(HITS, enc->features, x);
            const ts_tensor *y = run_graph(arena, g, enc, HITS, x, NULL);
            assert_int_equal(ts_count(y), size);
            double sum = 0;
            for (int i = 0; i < size; i++)
                sum += (double)y->data.f[i];
            worst = fabs(sum - want[SHOWN]) / size;
            for (int i = 0; i < SHOWN && i < size; i++)
                worst = fmax(worst, fabs((double)y->data.f[i] - want[i]));
            worst = fmax(worst, compare(g, enc, HITS, 3));
            if (found->tokens == 0)
                worst = fmax(worst, compare(g, enc, 5, 4));
            if (enc->mask == TS_MASK_INPUT)
                worst = fmax(worst, compare_padded(g, enc, 31, 5));
        }
        if (!(worst < 1e-4)) {
            print_error("%s: differs by %g %s\n", name, worst, err.msg);
            bad++;
        }
        forms++;
        ts_arena_free(arena);
    }
    fclose(values);
    print_message("%d forms\n", forms);
    assert_true(forms > 40);
    assert_int_equal(bad, 0);
}

/* A chain of `nodes` nodes, each of the kinds in turn on the one before it, with a product at the end so that it might have attention. CPU
   seconds of reading its axes, folding, recognising and searching. */
static double ladder_time(const char *const *kinds, int count, int nodes, char *message, size_t size)
{
    /* kinds[]: "Add 2": with how many inputs */
    ts_arena *arena = ts_arena_new();
    model m = model_new(arena, 17);
    char text[96];
    model_input(&m, "t0", 1, "batch,n,8");
    for (int i = 0; i < nodes; i++) {
        const char *kind = kinds[i % count];
        const int letters = (int)strcspn(kind, " ");
        if (kind[letters + 1] == '2')
            snprintf(text, sizeof text, "%.*s t%d,t%d t%d", letters, kind, i, i, i + 1);
        else
            snprintf(text, sizeof text, "%.*s t%d t%d", letters, kind, i, i + 1);
        model_node(&m, text);
    }
    snprintf(text, sizeof text, "Transpose t%d turned perm=[0,2,1]", nodes);
    model_node(&m, text);
    snprintf(text, sizeof text, "MatMul t%d,turned y", nodes);
    model_node(&m, text);
    model_output(&m, "y");
    const pb file = model_bytes(&m);
    ts_err err = {""};
    const ts_graph *imported = ts_import_onnx_bytes(arena, file.data, file.size, "ladder", ".", &err), *g;
    if (!imported)
        fail_msg("%s", err.msg);
    const clock_t start = clock();
    const ts_recognition *found = ts_understand(arena, imported, &g, &err);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_null(found);
    snprintf(message, size, "%.200s", err.msg);
    ts_arena_free(arena);
    return seconds;
}

/* Ten times the nodes take about ten times the time: searching parts, sharing equal things and adding up forms were all worse once. */
static void test_ladders(void **state)
{
    (void)state;
    static const char *const kinds[][2] = {
        {"Add 2", NULL},    {"Relu 1", NULL},    {"Relu 1", "Mul 2"},    {"Softmax 1", NULL},
        {"Exp 1", "Add 2"}, {"Elu 1", "Relu 1"}, {"Elu 1", "Softmax 1"},
    };
    enum { NODES = 2000, TIMES = 10 };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char message[256];
        const int count = kinds[i][1] ? 2 : 1;
        const double few = ladder_time(kinds[i], count, NODES, message, sizeof message);
        const double many = ladder_time(kinds[i], count, TIMES * NODES, message, sizeof message);
        print_message("%d and %d nodes: %.3f and %.3f s; %s\n", NODES, TIMES * NODES, few, many, message);
        assert_true(strlen(message) > 0);
        assert_true(many < 4 * TIMES * few + 0.1);
    }
}

/* Trained models have channels of very different sizes, which magnify the rounding of either side. */
static void test_real_models(void **state)
{
    (void)state;
    model_list list;
    list_models(REAL, &list);
    if (list.count == 0) {
        print_message("no real models in " REAL ": skipped\n");
        skip();
    }
    int bad = 0;
    for (int i = 0; i < list.count; i++)
        bad += check_model(list.path[i], 1e-3);
    free_models(&list);
    assert_int_equal(bad, 0);
}

/* A mask that the model computes from its data is taken as never firing; where it does, the float evaluation of the graph notices. */
static void test_masks_from_data(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        float x[4][3]; /* hits */
        bool fires[4];
    } cases[] = {
        /* sum over the features == 0 */
        {MODELS "/onnx_data_mask.onnx", {{1, 2, 3}, {0, 0, 0}, {1, -3, 2}, {0, 0, 1}}, {false, true, true, false}},
        {MODELS "/onnx_data_mask.onnx", {{1, 2, 3}, {4, 5, 6}, {1, 0, 0}, {0, 0, 1}}, {false}},
        /* all features == 0, expanded to [1][heads][hits][hits] before it is used */
        {MODELS "/onnx_data_mask_expanded.onnx", {{1, 2, 3}, {0, 0, 0}, {1, -3, 2}, {0, 0, 1}}, {false, true, false, false}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ts_arena *arena = ts_arena_new();
        ts_err err = {0};
        const ts_graph *g = load(arena, cases[i].path, &err);
        const ts_encoder *enc = g ? ts_recognise(arena, g, &err) : NULL;
        if (!enc)
            fail_msg("%s", err.msg);
        assert_int_equal(enc->mask, TS_MASK_DATA);
        assert_int_equal(enc->data_masks, 1);
        assert_non_null(strstr(enc->mask_note, "never firing"));
        bool fires[4] = {false};
        ts_mask_watch watch = {enc, 4, fires};
        ts_tensor y;
        if (!ts_graph_eval_event(g, arena, 4, &cases[i].x[0][0], NULL, &y, ts_mask_watch_tap, &watch, &err))
            fail_msg("%s", err.msg);
        assert_memory_equal(fires, cases[i].fires, sizeof fires);
        ts_arena_free(arena);
    }
}

/* The file next to each refused model holds words that its message must have. */
static void test_refused(void **state)
{
    (void)state;
    model_list list;
    list_models(MODELS "/refused", &list);
    assert_true(list.count > 0);
    int bad = 0;
    for (int i = 0; i < list.count; i++) {
        ts_arena *arena = ts_arena_new();
        ts_err err = {0};
        char word[256], *path = list.path[i];
        const ts_graph *g = load(arena, path, &err);
        const ts_encoder *enc = g ? ts_recognise(arena, g, &err) : NULL;
        ts_err read = {0}; /* what the file's axes say */
        const ts_graph *imported = ts_import_onnx(arena, path, &read), *understood;
        if (imported)
            ts_understand(arena, imported, &understood, &read);
        print_message("%s\n", enc ? "accepted" : err.msg);
        memcpy(path + strlen(path) - 5, ".txt", 5);
        FILE *words = fopen(path, "r");
        assert_non_null(words);
        while (fgets(word, sizeof word, words)) {
            word[strcspn(word, "\n")] = 0;
            if (enc || (!strstr(err.msg, word) && !strstr(read.msg, word))) {
                print_error("%s: no '%s' in the message: %s\n", path, word, enc ? "accepted" : err.msg);
                bad++;
            }
        }
        fclose(words);
        ts_arena_free(arena);
    }
    free_models(&list);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),          cmocka_unit_test(test_forms),   cmocka_unit_test(test_ladders),
        cmocka_unit_test(test_masks_from_data), cmocka_unit_test(test_refused), cmocka_unit_test(test_real_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
