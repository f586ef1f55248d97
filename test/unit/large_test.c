/* Import and folding of graphs at the limit of what is read, and of small files that ask for large ones: each in a process of its own,
   within two seconds of processor time and 300 MB, whether it is accepted or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "import/import.h"
#include "onnx_build.h"
#include "pass/fold.h"
#include "scratch.h"

enum { NODES = 100000, SECONDS = 2, MEGABYTES = 300 };

typedef pb build(ts_arena *arena);

static model start(ts_arena *arena, int opset)
{
    model m = model_new(arena, opset);
    model_input(&m, "x", 1, "batch,hits,8");
    model_output(&m, "y");
    return m;
}

/* A node with names by number; "" for a text that is not wanted. */
static void put_node(pb *to, unsigned field, const char *type, const char *const *in, int ins, const char *const *out, int outs,
                     const char *domain)
{
    pb n = {.arena = to->arena};
    for (int i = 0; i < ins; i++)
        pb_text(&n, 1, in[i]);
    for (int i = 0; i < outs; i++)
        pb_text(&n, 2, out[i]);
    pb_text(&n, 4, type);
    if (*domain)
        pb_text(&n, 7, domain);
    pb_message(to, field, &n);
}

static const char *name_of(ts_arena *arena, int i, int count)
{
    return i == 0 ? "x" : i == count ? "y" : ts_printf(arena, "v%d", i);
}

static pb chain_of(ts_arena *arena, int step, int count, const char *type, const char *domain, model m)
{
    for (int i = step > 0 ? 0 : count - 1; i >= 0 && i < count; i += step)
        put_node(&m.graph, 1, type, (const char *[]){name_of(arena, i, count)}, 1, (const char *[]){name_of(arena, i + 1, count)}, 1,
                 domain);
    return model_bytes(&m);
}

static pb chain(ts_arena *arena)
{
    return chain_of(arena, 1, NODES, "Relu", "", start(arena, 17));
}

static pb chain_backwards(ts_arena *arena)
{
    return chain_of(arena, -1, NODES, "Relu", "", start(arena, 17));
}

static pb fan_out(ts_arena *arena)
{
    model m = start(arena, 17);
    const char **all = TS_NEW_N(arena, const char *, NODES);
    for (int i = 0; i < NODES - 1; i++) {
        all[i] = ts_printf(arena, "v%d", i);
        put_node(&m.graph, 1, "Relu", (const char *[]){"x"}, 1, &all[i], 1, "");
    }
    put_node(&m.graph, 1, "Sum", all, NODES - 1, (const char *[]){"y"}, 1, "");
    return model_bytes(&m);
}

static pb initialisers(ts_arena *arena)
{
    model m = start(arena, 17);
    for (int i = 0; i < NODES; i++) {
        const char *c = ts_printf(arena, "c%d", i);
        model_floats(&m, c, "8", (const float[8]){(float)i});
        put_node(&m.graph, 1, "Add", (const char *[]){name_of(arena, i, NODES), c}, 2, (const char *[]){name_of(arena, i + 1, NODES)}, 1,
                 "");
    }
    return model_bytes(&m);
}

static pb constant_nodes(ts_arena *arena)
{
    model m = start(arena, 17);
    for (int i = 0; i < NODES / 2; i++) {
        const char *c = ts_printf(arena, "c%d", i);
        model_node(&m, ts_printf(arena, "Constant - %s value_float=%d.5", c, i));
        put_node(&m.graph, 1, "Add", (const char *[]){name_of(arena, i, NODES / 2), c}, 2,
                 (const char *[]){name_of(arena, i + 1, NODES / 2)}, 1, "");
    }
    return model_bytes(&m);
}

/* n + 1 + 1 + ...: an integer that depends on the number of hits, through every node */
static pb sizes(ts_arena *arena)
{
    model m = start(arena, 17);
    model_ints(&m, "one", "1");
    model_node(&m, "Shape x v0");
    const int count = NODES - 3;
    for (int i = 0; i < count; i++)
        put_node(&m.graph, 1, "Add", (const char *[]){ts_printf(arena, "v%d", i), "one"}, 2,
                 (const char *[]){ts_printf(arena, "v%d", i + 1)}, 1, "");
    model_node(&m, ts_printf(arena, "ReduceSum v%d s keepdims=0", count));
    model_node(&m, "Cast s f to=1");
    model_node(&m, "Add x,f y");
    return model_bytes(&m);
}

/* Each function calls the one below twice: 2^15 nodes, and, one more level, too many. */
static pb nested(ts_arena *arena, int levels)
{
    model m = start(arena, 17);
    model_domain(&m, "local", 1);
    model_function(&m, "F0", "a", "b", "", "Relu a m;Relu m b");
    for (int i = 1; i < levels; i++)
        model_function(&m, ts_printf(arena, "F%d", i), "a", "b", "", ts_printf(arena, "local:F%d a m;local:F%d m b", i - 1, i - 1));
    model_node(&m, ts_printf(arena, "local:F%d x y", levels - 1));
    return model_bytes(&m);
}
static pb nested_functions(ts_arena *arena)
{
    return nested(arena, 14);
}
static pb nested_too_deep(ts_arena *arena)
{
    return nested(arena, 16);
}

/* A function of one node, built by hand, that is called 30,000 times. */
static pb called_often(ts_arena *arena, const char *inner_name, int inputs, const pb *attr)
{
    model m = start(arena, 17);
    pb f = {.arena = arena}, import = {.arena = arena}, local = {.arena = arena}, constant = {.arena = arena};
    model_domain(&m, "local", 1);
    pb_text(&f, 1, "F");
    for (int i = 0; i < inputs; i++)
        pb_text(&f, 4, ts_printf(arena, "a%d", i));
    pb_text(&f, 5, "b");
    if (attr) {
        pb_text(&constant, 2, "w");
        pb_text(&constant, 4, "Constant");
        pb_message(&constant, 5, attr);
        pb_message(&f, 7, &constant);
    }
    put_node(&f, 7, "Relu", (const char *[]){"a0"}, 1, &inner_name, 1, "");
    put_node(&f, 7, "Relu", &inner_name, 1, (const char *[]){"b"}, 1, "");
    pb_text(&import, 1, "");
    pb_int(&import, 2, 17);
    pb_message(&f, 9, &import);
    pb_text(&local, 1, "local");
    pb_int(&local, 2, 1);
    pb_message(&f, 9, &local);
    pb_text(&f, 10, "local");
    pb_message(&m.functions, 25, &f);
    return chain_of(arena, 1, 30000, "F", "local", m);
}

static char *letters(ts_arena *arena, size_t count)
{
    char *text = ts_alloc(arena, count + 1, 1);
    memset(text, 'n', count);
    return text;
}

static pb large_constant_in_a_function(ts_arena *arena)
{
    enum { COUNT = 1 << 18 };
    const int64_t dim = COUNT;
    const float *zeros = TS_NEW_N(arena, float, COUNT);
    pb t = tensor_raw(arena, "t", 1, 1, &dim, zeros, COUNT * sizeof *zeros), a = {.arena = arena};
    pb_text(&a, 1, "value");
    pb_message(&a, 5, &t);
    pb_int(&a, 20, 4);
    return called_often(arena, "m", 1, &a);
}
static pb long_names_in_a_function(ts_arena *arena)
{
    return called_often(arena, letters(arena, 1000000), 1, NULL);
}
static pb many_inputs_of_a_function(ts_arena *arena)
{
    return called_often(arena, "m", 50000, NULL);
}

/* One call of a long name: every node inside of it has that in front. */
static pb long_name_of_a_call(ts_arena *arena)
{
    model m = start(arena, 17);
    pb call = {.arena = arena};
    const char *body = "Relu a m";
    for (int i = 0; i < 14; i++)
        body = ts_printf(arena, "%s;Relu m%s m%sn", body, i ? letters(arena, (size_t)i) : "", i ? letters(arena, (size_t)i) : "");
    model_domain(&m, "local", 1);
    model_function(&m, "F", "a", ts_printf(arena, "m%s", letters(arena, 14)), "", body);
    for (int i = 0; i < 3; i++) {
        call.size = 0;
        pb_text(&call, 1, i ? ts_printf(arena, "v%d", i) : "x");
        pb_text(&call, 2, i == 2 ? "y" : ts_printf(arena, "v%d", i + 1));
        pb_text(&call, 3, letters(arena, 5000000));
        pb_text(&call, 4, "F");
        pb_text(&call, 7, "local");
        pb_message(&m.graph, 1, &call);
    }
    return model_bytes(&m);
}

/* Weights of more than a million values in Constant nodes, transposed twice: what folding may make is measured by these, too. */
static pb weights_in_nodes(ts_arena *arena)
{
    enum { COLUMNS = 150000 };
    model m = start(arena, 17);
    const float *zeros = TS_NEW_N(arena, float, 8 * COLUMNS);
    pb t = tensor_raw(arena, "t", 1, 2, (const int64_t[]){8, COLUMNS}, zeros, 8 * COLUMNS * sizeof *zeros), a = {.arena = arena},
       n = {.arena = arena};
    pb_text(&a, 1, "value");
    pb_message(&a, 5, &t);
    pb_int(&a, 20, 4);
    pb_text(&n, 2, "w");
    pb_text(&n, 4, "Constant");
    pb_message(&n, 5, &a);
    pb_message(&m.graph, 1, &n);
    model_node(&m, "Transpose w t");
    model_node(&m, "Transpose t u");
    model_node(&m, "MatMul x,u y");
    return model_bytes(&m);
}

/* A product of constants whose terms are too many to compute while a file is read. */
static pb costly_constants(ts_arena *arena)
{
    model m = start(arena, 17);
    const float *zeros = TS_NEW_N(arena, float, 1 << 20);
    model_floats(&m, "a", "1,1,1024,1024", zeros);
    model_floats(&m, "k", "1,1,512,512", zeros);
    model_node(&m, "Conv a,k c");
    model_node(&m, "ReduceMean c f keepdims=0");
    model_node(&m, "Add x,f y");
    return model_bytes(&m);
}

static void limits(build *make, const char *refused)
{
    ts_arena *arena = ts_arena_new();
    int message[2];
    assert_int_equal(pipe(message), 0);
    const pb bytes = make(arena);
    const char *folder = scratch_new("large_test");
    const char *path = ts_printf(arena, "%s/model.onnx", folder);
    FILE *f = fopen(path, "wb");
    assert_true(f && fwrite(bytes.data, 1, bytes.size, f) == bytes.size && fclose(f) == 0);
    const pid_t child = fork();
    if (child == 0) { /* a new image: its memory is not that of the tests before it */
        dup2(message[1], STDOUT_FILENO);
        execl("/proc/self/exe", "large_test", path, (char *)NULL);
        _exit(127);
    }
    close(message[1]);
    char said[4096] = "";
    size_t used = 0;
    for (ssize_t n; used < sizeof said - 1 && (n = read(message[0], said + used, sizeof said - 1 - used)) > 0;)
        used += (size_t)n;
    close(message[0]);
    int status;
    struct rusage usage;
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    scratch_free(folder);
    ts_arena_free(arena);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || (refused ? !strstr(said, refused) : strncmp(said, "folded", 6) != 0))
        fail_msg("ended with %d: %s", status, said);
    const double seconds = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6;
    print_message("    %.2f s, %ld MB: %.70s\n", seconds, usage.ru_maxrss / 1024, said);
#ifndef __SANITIZE_ADDRESS__
    assert_true(seconds < SECONDS);
    assert_true(usage.ru_maxrss / 1024 < MEGABYTES);
#endif
}

#define ACCEPTED(make) \
    static void test_##make(void **state) \
    { \
        (void)state; \
        limits(make, NULL); \
    }
#define REFUSED(make, why) \
    static void test_##make(void **state) \
    { \
        (void)state; \
        limits(make, why); \
    }
ACCEPTED(chain)
ACCEPTED(chain_backwards)
ACCEPTED(fan_out)
ACCEPTED(initialisers)
ACCEPTED(constant_nodes)
ACCEPTED(sizes)
ACCEPTED(nested_functions)
REFUSED(nested_too_deep, "more than")
ACCEPTED(large_constant_in_a_function)
REFUSED(long_names_in_a_function, "a name in it has 1000000 characters")
REFUSED(many_inputs_of_a_function, "inputs, outputs and attributes")
ACCEPTED(long_name_of_a_call)
ACCEPTED(weights_in_nodes)
REFUSED(costly_constants, "to compute")

static int read_one(const char *path)
{
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    const ts_graph *g = ts_import_onnx(arena, path, &err);
    const ts_graph *folded = g ? ts_fold(arena, g, &err) : NULL;
    if (folded)
        printf("folded, %d nodes\n", folded->nodes);
    else
        printf("%s\n", err.msg);
    ts_arena_free(arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return read_one(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_chain_backwards),
        cmocka_unit_test(test_fan_out),
        cmocka_unit_test(test_initialisers),
        cmocka_unit_test(test_constant_nodes),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_nested_functions),
        cmocka_unit_test(test_nested_too_deep),
        cmocka_unit_test(test_large_constant_in_a_function),
        cmocka_unit_test(test_long_names_in_a_function),
        cmocka_unit_test(test_many_inputs_of_a_function),
        cmocka_unit_test(test_long_name_of_a_call),
        cmocka_unit_test(test_weights_in_nodes),
        cmocka_unit_test(test_costly_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
