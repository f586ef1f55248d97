/* Outputs that nothing uses and optional inputs that are not there, of every operator that has any: named and not read, named "", or left
   out. The values of what is used are the same in every form, and folding, recognising and evaluating take all of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "import/import.h"
#include "onnx_build.h"
#include "op/op.h"
#include "pass/fold.h"
#include "pass/recognise.h"
#include "ref/graph_eval.h"

enum { HITS = 6 };

static const float *noise(ts_arena *arena, int count)
{
    float *x = TS_NEW_N(arena, float, count);
    uint32_t seed = 7;
    for (int i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
    return x;
}

/* x [1][hits][8] through the nodes to y, evaluated folded and as it is read; also recognised, which may fail but not crash. */
static ts_tensor run(ts_arena *arena, int opset, const char *nodes)
{
    model m = model_new(arena, opset);
    const char *words[16];
    ts_err err = {{0}}, ignored = {{0}};
    ts_tensor y[2];
    model_domain(&m, "com.microsoft", 1);
    model_input(&m, "x", 1, "batch,hits,8");
    int n = split(arena, nodes, ';', words, 16);
    for (int i = 0; i < n; i++)
        model_node(&m, words[i]);
    model_floats(&m, "gain", "8", noise(arena, 8));
    model_floats(&m, "one4", "4", noise(arena, 4));
    model_floats(&m, "w", "8,24", noise(arena, 192));
    model_ints(&m, "four", "4,4");
    model_ints(&m, "u0", "0");
    model_ints(&m, "row", "0,0,8");
    model_output(&m, "y");
    pb bytes = model_bytes(&m);
    const ts_graph *g = ts_import_onnx_bytes(arena, bytes.data, bytes.size, "test", ".", &err);
    const ts_graph *folded = g ? ts_fold(arena, g, &err) : NULL;
    if (!folded)
        fail_msg("%s: %s", nodes, err.msg);
    ts_recognise_part(arena, folded, &ignored);
    ts_tensor x = {.dtype = TS_F32, .rank = 3, .dim = {1, HITS, 8}};
    ts_tensor_alloc(arena, &x);
    memcpy(x.data.f, noise(arena, HITS * 8), HITS * 8 * sizeof *x.data.f);
    for (int i = 0; i < 2; i++)
        if (!ts_graph_eval(i ? g : folded, arena, (const ts_tensor *const[]){&x}, &y[i], NULL, NULL, &err))
            fail_msg("%s: %s", nodes, err.msg);
    assert_int_equal(ts_count(&y[0]), ts_count(&y[1]));
    for (int64_t i = 0; i < ts_count(&y[0]); i++)
        assert_true(ts_get_real(&y[0], i) == ts_get_real(&y[1], i));
    return y[0];
}

static void assert_equal(const char *what, ts_tensor a, ts_tensor b)
{
    if (ts_count(&a) != ts_count(&b) || ts_count(&a) == 0)
        fail_msg("%s: %lld values, not %lld", what, (long long)ts_count(&a), (long long)ts_count(&b));
    for (int64_t i = 0; i < ts_count(&a); i++)
        if (!(ts_get_real(&a, i) == ts_get_real(&b, i)))
            fail_msg("%s: element %lld is %g, not %g", what, (long long)i, ts_get_real(&a, i), ts_get_real(&b, i));
}

/* A node "Op in {outputs} attrs", with what stands around it: %s is the list of its outputs. */
static const struct {
    int opset, outs, optional_from; /* outputs from this one on may be left out; the others may be "" only */
    const char *nodes;
} outputs[] = {
    {17, 3, 1, "LayerNormalization x,gain %s"},
    {17, 4, 1, "com.microsoft:SkipLayerNormalization x,gain,gain %s"},
    {17, 2, 1, "Dropout x %s"},
    {17, 2, 1, "MaxPool x %s kernel_shape=[2] strides=[1]"},
    {17, 2, 2, "Split x,four %s axis=2"},
    {18, 3, 3, "Split x %s axis=2 num_outputs=3"},
    {17, 3, 3, "Shape x s;Split s %s axis=0"},
    {17, 2, 2, "Shape x s;Constant - parts value_ints=[2,1];Split s,parts %s axis=0"},
    {17, 3, 3, "MatMul x,w p;Split p %s axis=2"},
    {15, 3, 1, "Unsqueeze x,u0 z;Transpose z t perm=[0,3,1,2];BatchNormalization t,gain,gain,gain,gain %s training_mode=1"},
    {24, 4, 1, "MatMul x,w p;Split p q,k,v axis=2;Attention q,k,v %s q_num_heads=2 kv_num_heads=2"},
};

static void unused_outputs(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof outputs / sizeof *outputs; c++)
        for (int used = 0; used < outputs[c].outs; used++) {
            ts_tensor first = {0};
            ts_arena *arena = ts_arena_new();
            for (int form = 0; form < 3; form++) { /* the others are named, "", or left out where they are behind */
                const char *list = "";
                int count = form == 2 && used + 1 >= outputs[c].optional_from ? used + 1 : outputs[c].outs;
                for (int k = 0; k < count; k++)
                    list = ts_printf(arena, "%s%s%s", list, k ? "," : "",
                                     k == used   ? "o"
                                     : form == 0 ? ts_printf(arena, "unread%d", k)
                                                 : "");
                const char *nodes = ts_printf(arena, outputs[c].nodes, list);
                nodes = ts_printf(arena, "%s;Cast o y to=1", nodes);
                const ts_tensor y = run(arena, outputs[c].opset, nodes);
                if (form == 0)
                    first = y;
                assert_equal(nodes, y, first);
            }
            ts_arena_free(arena);
        }
}

/* Nodes that nothing needs at all, of every kind above: they change nothing, whatever their outputs are called. */
static void nodes_that_nothing_needs(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof outputs / sizeof *outputs; c++)
        for (int form = 0; form < 2; form++) {
            ts_arena *arena = ts_arena_new();
            const char *list = "";
            for (int k = 0; k < outputs[c].outs; k++)
                list = ts_printf(arena, "%s%s%s", list, k ? "," : "", form == 0 ? ts_printf(arena, "unread%d", k) : "");
            const char *nodes = ts_printf(arena, outputs[c].nodes, list);
            assert_equal(nodes, run(arena, outputs[c].opset, ts_printf(arena, "%s;Relu x y", nodes)),
                         run(arena, outputs[c].opset, "Relu x y"));
            ts_arena_free(arena);
        }
}

/* Optional inputs: given, "" and left out must be the same where the default is given. */
static void absent_inputs(void **state)
{
    static const struct {
        int opset;
        const char *forms[4];
    } cases[] = {
        {17, {"Clip x y", "Clip x, y", "Clip x,, y"}},
        {17, {"Clip x,low y;Constant - low value_float=0.0", "Clip x,low, y;Constant - low value_float=0.0", "Relu x y"}},
        {17, {"LayerNormalization x,gain y", "LayerNormalization x,gain, y", "LayerNormalization x,gain,zero y;Sub gain,gain zero"}},
        {17, {"Gemm r,w g;Squeeze x,u0 r;Unsqueeze g,u0 y", "Gemm r,w, g;Squeeze x,u0 r;Unsqueeze g,u0 y", "MatMul x,w y"}},
        {18, {"ReduceMean x y", "ReduceMean x, y"}},
        {17, {"Squeeze x s;Unsqueeze s,u0 y", "Squeeze x, s;Unsqueeze s,u0 y"}},
        {17, {"Dropout x y", "Dropout x, y", "Dropout x,, y", "Identity x y"}},
        {18,
         {"Pad x,none y;Constant - none value_ints=[0,0,0,0,0,0]", "Pad x,none,, y;Constant - none value_ints=[0,0,0,0,0,0]",
          "Identity x y"}},
        {17,
         {"Slice x,u0,end,ax y;Constant - end value_ints=[3];Constant - ax value_ints=[2]",
          "Slice x,u0,end,ax, y;Constant - end value_ints=[3];Constant - ax value_ints=[2]"}},
        {17,
         {"QuantizeLinear x,half q;DequantizeLinear q,half y;Constant - half value_float=0.5",
          "QuantizeLinear x,half, q;DequantizeLinear q,half, y;Constant - half value_float=0.5"}},
        {17, {"com.microsoft:SkipLayerNormalization x,gain,gain y", "com.microsoft:SkipLayerNormalization x,gain,gain,, y"}},
        {17,
         {"MatMul x,w p;Split p q,k,v axis=2;com.microsoft:MultiHeadAttention q,k,v y num_heads=2",
          "MatMul x,w p;Split p q,k,v axis=2;com.microsoft:MultiHeadAttention q,k,v,,, y num_heads=2"}},
        {17, {"com.microsoft:Attention x,w y num_heads=2", "com.microsoft:Attention x,w,,,, y num_heads=2"}},
        {23, {"Attention x,x,x y q_num_heads=2 kv_num_heads=2", "Attention x,x,x,,, y q_num_heads=2 kv_num_heads=2"}},
    };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        ts_arena *arena = ts_arena_new();
        for (int f = 1; f < 4 && cases[c].forms[f]; f++)
            assert_equal(cases[c].forms[f], run(arena, cases[c].opset, cases[c].forms[f]), run(arena, cases[c].opset, cases[c].forms[0]));
        ts_arena_free(arena);
    }
}

/* An input that an operator needs, "" or left out, is an error that names the node. */
static void needed_inputs(void **state)
{
    (void)state;
    static const struct row {
        const char *domain, *name;
        int version;
    } rows[] = {
#define OP(id, domain, name, since, until) {domain, name, until},
#include "op/ops.def"
#undef OP
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int form = 0; form < 2; form++) {
            const ts_op_hooks *h = ts_op_find(rows[i].domain, rows[i].name)->hooks;
            const int must = h->min_in;
            if (must == 0)
                continue;
            ts_arena *arena = ts_arena_new();
            model m = model_new(arena, rows[i].domain[0] ? 17 : rows[i].version);
            if (rows[i].domain[0])
                model_domain(&m, rows[i].domain, rows[i].version);
            model_input(&m, "x", 1, "1,hits,8");
            const char *list = must == 1 ? "-" : "x";
            for (int k = 1; k < must - 1; k++)
                list = ts_printf(arena, "%s,x", list);
            if (form == 1) /* "" in the last place */
                list = must == 1 ? "," : ts_printf(arena, "%s,", list);
            model_node(&m, ts_printf(arena, "%s%s%s %s y", rows[i].domain, rows[i].domain[0] ? ":" : "", rows[i].name, list));
            model_output(&m, "y");
            ts_err err = {{0}};
            pb bytes = model_bytes(&m);
            if (ts_import_onnx_bytes(arena, bytes.data, bytes.size, "test", ".", &err))
                fail_msg("%s with inputs %s is accepted", rows[i].name, list);
            if (!strstr(err.msg, rows[i].name) || !strstr(err.msg, "input"))
                fail_msg("%s with inputs %s: %s", rows[i].name, list, err.msg);
            ts_arena_free(arena);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unused_outputs),
        cmocka_unit_test(nodes_that_nothing_needs),
        cmocka_unit_test(absent_inputs),
        cmocka_unit_test(needed_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
