/* ONNX's own backend tests of single operators (Debian: libonnx-testdata), through import, folding and evaluation.
   Every test whose operators are in ops.def must pass, unless node_rejected.txt lists it with the reason; that file also says
   how many must pass, so that support cannot shrink unnoticed. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "import/import.h"
#include "pass/fold.h"
#include "ref/graph_eval.h"

#define DATA "/usr/share/libonnx-testdata/data/node"
#define REJECTED TS_SOURCE_DIR "/test/ops/node_rejected.txt"
static const double relative = 1e-3, absolute = 1e-7; /* the bounds of ONNX's own runner */

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static bool equal(const ts_tensor *got, const ts_tensor *want, ts_err *err)
{
    bool same = got->dtype == want->dtype && got->rank == want->rank;
    for (int i = 0; same && i < got->rank; i++)
        same = got->dim[i] == want->dim[i];
    if (!same)
        return ts_fail(err, "MISMATCH: type or shape: %s, rank %d, not %s, rank %d", ts_dtype_name(got->dtype), got->rank,
                       ts_dtype_name(want->dtype), want->rank);
    for (int64_t i = 0; i < ts_count(got); i++) {
        double g = ts_get_real(got, i), w = ts_get_real(want, i);
        if (!(g == w || (isnan(g) && isnan(w)) || fabs(g - w) <= absolute + relative * fabs(w)))
            return ts_fail(err, "MISMATCH: element %lld is %.9g, not %.9g", (long long)i, g, w);
    }
    return true;
}

/* A tensor of the test data. Where the model has bfloat16, the data files hold its bits as uint16. */
static const ts_tensor *load(ts_arena *arena, const char *path, ts_dtype dtype, ts_err *err)
{
    const ts_tensor *t = ts_import_tensor(arena, path, err);
    if (!t || t->dtype != TS_U16 || dtype != TS_BF16)
        return t;
    ts_tensor *real = ts_tensor_new(arena, TS_BF16, t->rank, t->dim);
    for (int64_t i = 0; i < ts_count(t); i++) {
        uint32_t bits = (uint32_t)t->data.i[i] << 16;
        memcpy(&real->data.f[i], &bits, sizeof bits);
    }
    return real;
}

static bool check_graph(ts_arena *arena, const ts_graph *g, const ts_tensor *const *input, const char *set, ts_err *err)
{
    ts_tensor *output = TS_NEW_N(arena, ts_tensor, g->outputs);
    if (!ts_graph_eval(g, arena, input, output, NULL, NULL, err))
        return false;
    for (int i = 0; i < g->outputs; i++) {
        const ts_tensor *want = load(arena, ts_printf(arena, "%s/output_%d.pb", set, i), output[i].dtype, err);
        if (!want || !equal(&output[i], want, err))
            return false;
    }
    return true;
}

static bool check_case(ts_arena *arena, const char *path, ts_err *err)
{
    const ts_graph *g = ts_import_onnx(arena, ts_printf(arena, "%s/model.onnx", path), err);
    if (!g)
        return false;
    for (int set = 0;; set++) {
        const char *set_path = ts_printf(arena, "%s/test_data_set_%d", path, set);
        if (!exists(set_path))
            return set > 0 ? true : ts_fail(err, "MISMATCH: no data");
        const ts_tensor **input = TS_NEW_N(arena, const ts_tensor *, g->inputs);
        for (int i = 0; i < g->inputs; i++)
            if (!(input[i] = load(arena, ts_printf(arena, "%s/input_%d.pb", set_path, i), g->input[i]->dtype, err)))
                return false;
        if (!check_graph(arena, g, input, set_path, err))
            return false;
        /* Folded as well, where that is possible: not where a shape is an input. */
        ts_err cannot_fold = {{0}};
        const ts_graph *folded = ts_fold(arena, g, &cannot_fold);
        if (folded && !check_graph(arena, folded, input, set_path, err))
            return ts_fail_in(err, "MISMATCH after folding");
    }
}

/* The line of `name` in the list, or NULL. */
static bool is_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == '\n') && p[n] == ':')
            return true;
    return false;
}

static void backend_node_tests(void **state)
{
    (void)state;
    struct dirent **names;
    int count = exists(DATA) ? scandir(DATA, &names, NULL, alphasort) : 0;
    if (count <= 0) {
        print_message("skipped: %s is not there (Debian package libonnx-testdata)\n", DATA);
        skip();
    }
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    size_t size;
    const char *list = ts_file_read(arena, REJECTED, &size, &err);
    if (!list)
        fail_msg("%s", err.msg);
    int must_pass = -1;
    assert_int_equal(sscanf(list, "pass: %d", &must_pass), 1);

    int passed = 0, rejected = 0, other = 0, wrong = 0;
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        ts_arena *scratch = ts_arena_new();
        const char *path = ts_printf(scratch, "%s/%s", DATA, name);
        if (strncmp(name, "test_", 5) == 0 && exists(ts_printf(scratch, "%s/model.onnx", path))) {
            ts_err why = {{0}};
            bool ok = check_case(scratch, path, &why);
            if (ok)
                passed++;
            else if (strstr(why.msg, "this operator is not supported"))
                other++;
            else if (is_listed(list, name))
                rejected++;
            else {
                wrong++;
                print_message("%s: %s\n", name, why.msg);
            }
        }
        ts_arena_free(scratch);
        free(names[i]);
    }
    free(names);
    ts_arena_free(arena);
    print_message("node tests: %d passed, %d rejected as listed, %d wrong, %d of other operators\n", passed, rejected, wrong, other);
    assert_int_equal(wrong, 0);
    assert_true(passed >= must_pass);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(backend_node_tests)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
