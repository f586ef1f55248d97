/* Float evaluation: fused operators against the same written out, old and new meanings of an operator, masks, empty events,
   and real models against outputs that onnxruntime made. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "data/events.h"
#include "import/import.h"
#include "onnx_build.h"
#include "pass/fold.h"
#include "ref/graph_eval.h"

enum { D = 8, HEADS = 2, HITS = 5 };

static int setup(void **state)
{
    *state = ts_arena_new();
    return 0;
}

static int teardown(void **state)
{
    ts_arena_free(*state);
    return 0;
}

/* Pseudo-random numbers in [-1, 1), the same on every machine. */
static const float *noise(ts_arena *arena, int count, uint32_t seed)
{
    float *x = TS_NEW_N(arena, float, count);
    for (int i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
    return x;
}

static const ts_graph *load(ts_arena *arena, const model *m)
{
    ts_err err = {{0}};
    pb bytes = model_bytes(m);
    ts_graph *g = ts_import_onnx_bytes(arena, bytes.data, bytes.size, "test", ".", &err);
    if (g)
        g = ts_fold(arena, g, &err);
    if (!g)
        fail_msg("%s", err.msg);
    return g;
}

/* x [batch][hits][8] -> y, with weights that every test here can use. */
static const ts_graph *graph_of(ts_arena *arena, int opset, const char *nodes)
{
    model m = model_new(arena, opset);
    const char *words[32];
    model_domain(&m, "com.microsoft", 1);
    model_input(&m, "x", 1, "batch,hits,8");
    int n = split(arena, nodes, ';', words, 32);
    for (int i = 0; i < n; i++)
        model_node(&m, words[i]);
    model_output(&m, "y");
    model_floats(&m, "w", "8,24", noise(arena, 8 * 24, 1));
    model_floats(&m, "wt", "24,8", noise(arena, 8 * 24, 1));
    model_floats(&m, "b", "24", noise(arena, 24, 2));
    model_floats(&m, "skip", "1,1,8", noise(arena, 8, 3));
    model_floats(&m, "gain", "8", noise(arena, 8, 4));
    model_floats(&m, "bias", "8", noise(arena, 8, 5));
    model_floats(&m, "half", "", (const float[]){0.5F});
    model_ints(&m, "heads", "0,0,2,4");
    model_ints(&m, "whole", "0,0,8");
    model_ints(&m, "packed", "0,0,2,3,4");
    model_ints(&m, "packed_kv", "0,0,2,2,4");
    return load(arena, &m);
}

static ts_tensor eval(ts_arena *arena, const ts_graph *g, int hits, const float *x, const bool *padding)
{
    ts_err err = {{0}};
    ts_tensor y;
    if (!ts_graph_eval_event(g, arena, hits, x, padding, &y, NULL, NULL, &err))
        fail_msg("%s", err.msg);
    return y;
}

/* `fused`, in its opset, against the same in operators of opset 17 */
static void assert_same_at(ts_arena *arena, int opset, const char *fused, const char *written_out)
{
    const float *x = noise(arena, HITS * D, 99);
    ts_tensor a = eval(arena, graph_of(arena, opset, fused), HITS, x, NULL),
              b = eval(arena, graph_of(arena, 17, written_out), HITS, x, NULL);
    assert_int_equal(ts_count(&a), ts_count(&b));
    assert_true(ts_count(&a) > 0);
    for (int64_t i = 0; i < ts_count(&a); i++)
        if (!(fabsf(a.data.f[i] - b.data.f[i]) <= 2e-6F))
            fail_msg("%s: element %lld is %.9g, written out %.9g", fused, (long long)i, (double)a.data.f[i], (double)b.data.f[i]);
}

static void assert_same(ts_arena *arena, const char *fused, const char *written_out)
{
    assert_same_at(arena, 17, fused, written_out);
}

static void fused_operators_are_what_they_fuse(void **state)
{
    ts_arena *arena = *state;
    static const char gelu[] = "Mul s,root q;Erf q e;Add e,one f;Mul s,f g;Mul g,half y;Constant - one value_float=1.0;"
                               "Constant - root value_float=0.70710678118;";
    static const char gelu_tanh[] =
        "Mul s,s s2;Mul s2,s s3;Mul s3,c s4;Add s,s4 s5;Mul s5,r q;Tanh q e;Add e,one f;Mul s,f g;Mul g,half y;"
        "Constant - one value_float=1.0;Constant - c value_float=0.044715;Constant - r value_float=0.7978845608;";
    assert_same(arena, "com.microsoft:BiasGelu x,bias y", ts_printf(arena, "%sAdd x,bias s", gelu));
    assert_same(arena, "com.microsoft:Gelu x y", ts_printf(arena, "%sIdentity x s", gelu));
    assert_same(arena, "com.microsoft:FastGelu x,bias y", ts_printf(arena, "%sAdd x,bias s", gelu_tanh));
    assert_same(arena, "com.microsoft:FastGelu x y", ts_printf(arena, "%sIdentity x s", gelu_tanh));
    assert_same(arena, "com.microsoft:FusedMatMul x,x y transB=1 alpha=0.5", "Transpose x t perm=[0,2,1];MatMul x,t s;Mul s,half y");
    assert_same(arena, "com.microsoft:FusedMatMul x,x y transA=1", "Transpose x t perm=[0,2,1];MatMul t,x y");
    assert_same(arena, "com.microsoft:SkipLayerNormalization x,skip,gain,bias y epsilon=0.01",
                "Add x,skip s;LayerNormalization s,gain,bias y epsilon=0.01");
    assert_same(arena, "com.microsoft:SkipLayerNormalization x,skip,gain,,bias n,,,y", "Add x,skip s;Add s,bias y");
    assert_same(
        arena, "LayerNormalization x,gain,bias y epsilon=0.01",
        "ReduceMean x m axes=[-1];Sub x,m c;Mul c,c c2;ReduceMean c2 v axes=[-1];Constant - e value_float=0.01;Add v,e w2;Sqrt w2 d;"
        "Div c,d n;Mul n,gain g;Add g,bias y");
    assert_same(arena, "Einsum x,w y equation='bni,io->bno'", "MatMul x,w y");
    assert_same(arena, "Einsum x,x y equation='bni,bmi->bnm'", "Transpose x t perm=[0,2,1];MatMul x,t y");
    assert_same(arena, "Einsum x,x y equation='bni,bmi->mbn'", "Transpose x t perm=[0,2,1];MatMul x,t s;Transpose s y perm=[2,0,1]");
    assert_same(arena, "Einsum x,gain,gain y equation='...i,i,i'",
                "Mul gain,gain g;Mul x,g s;ReduceSum s,last y keepdims=0;"
                "Constant - last value_ints=[-1]");
    assert_same(arena, "Gemm r,w,b g;Unsqueeze g,zero y;Squeeze x,zero r;Constant - zero value_ints=[0]", "MatMul x,w s;Add s,b y");
}

/* Scaled dot-product attention of q, k, v [1][n][8] with two heads, scale 1/2. */
#define WRITTEN_OUT \
    "Reshape q,heads q4;Transpose q4 qh perm=[0,2,1,3];Reshape k,heads k4;Transpose k4 kh perm=[0,2,3,1];Reshape v,heads v4;" \
    "Transpose v4 vh perm=[0,2,1,3];MatMul qh,kh s0;Mul s0,half s;Softmax s p;MatMul p,vh c;Transpose c t perm=[0,2,1,3];Reshape t,whole " \
    "y"
#define PROJECTED "MatMul x,w qkv0;Add qkv0,b qkv;Split qkv q,k,v axis=-1;"

static void attention_operators(void **state)
{
    ts_arena *arena = *state;
    assert_same(arena, "com.microsoft:Attention x,w,b y num_heads=2", PROJECTED WRITTEN_OUT);
    assert_same(arena, PROJECTED "com.microsoft:MultiHeadAttention q,k,v y num_heads=2", PROJECTED WRITTEN_OUT);
    assert_same(arena, "MatMul x,w s;Split s q,k,v axis=-1;com.microsoft:MultiHeadAttention q,k,v,b y num_heads=2", PROJECTED WRITTEN_OUT);
    /* packed [b][n][heads][3][width]: from q, k, v by heads, stacked */
    assert_same(arena,
                PROJECTED
                "Reshape q,heads qa;Reshape k,heads ka;Reshape v,heads va;Constant - ax value_ints=[3];Unsqueeze qa,ax q5;"
                "Unsqueeze ka,ax k5;Unsqueeze va,ax v5;Concat q5,k5,v5 all axis=3;com.microsoft:MultiHeadAttention all y num_heads=2",
                PROJECTED WRITTEN_OUT);
    assert_same(arena,
                PROJECTED "Reshape k,heads ka;Reshape v,heads va;Constant - ax value_ints=[3];Unsqueeze ka,ax k5;Unsqueeze va,ax v5;"
                          "Concat k5,v5 kv axis=3;com.microsoft:MultiHeadAttention q,kv y num_heads=2",
                PROJECTED WRITTEN_OUT);
}

/* A mask that is computed from the data, as EncCla's is: hits whose first feature is negative are padding. */
#define MASK \
    "Constant - f value_ints=[0];Gather x,f x0 axis=2;Constant - z value_float=0.0;GreaterOrEqual x0,z keep3;Constant - ax " \
    "value_ints=[2];" \
    "Squeeze keep3,ax keep;Constant - low value_float=-10000.0;"

static void attention_masks(void **state)
{
    ts_arena *arena = *state;
    const char *plain = MASK PROJECTED
        "Reshape q,heads q4;Transpose q4 qh perm=[0,2,1,3];Reshape k,heads k4;Transpose k4 kh perm=[0,2,3,1];Reshape v,heads v4;"
        "Transpose v4 vh perm=[0,2,1,3];MatMul qh,kh s0;Mul s0,half s1;Constant - at value_ints=[1,2];Unsqueeze keep,at k5;"
        "Where k5,z,low add;Add s1,add s;Softmax s p;MatMul p,vh c;Transpose c t perm=[0,2,1,3];Reshape t,whole y";
    assert_same(arena, MASK "Cast keep m to=6;com.microsoft:Attention x,w,b,m y num_heads=2", plain);
    assert_same(arena, MASK PROJECTED "Cast keep m to=6;com.microsoft:MultiHeadAttention q,k,v,,m y num_heads=2", plain);
    /* the same as a bias of the scores: [1][1][n][n] */
    assert_same(arena,
                MASK PROJECTED
                "Where keep,z,low row;Shape row n2;Constant - one value_ints=[1];Gather n2,one n;Concat one,one,n,n nn axis=0;"
                "Expand row,nn bias4;com.microsoft:MultiHeadAttention q,k,v,,,bias4 y num_heads=2",
                plain);
}

/* Scores of q, k, v with two heads, `score` applied to s0 to make s, and heads of k and v from `kv`. */
#define QUERY4 "Reshape q,heads q4;Transpose q4 qh perm=[0,2,1,3];"
#define KEY4 "Reshape k,heads k4;Transpose k4 kt perm=[0,2,1,3];Reshape v,heads v4;Transpose v4 vh perm=[0,2,1,3];"
#define SCORES QUERY4 KEY4 "Transpose kt kh perm=[0,1,3,2];MatMul qh,kh raw;Mul raw,half s0;"
#define ANSWER "MatMul p,vh c;Transpose c t perm=[0,2,1,3];Reshape t,whole y"
#define TRIANGLE \
    "Shape x sh;Constant - one value_int=1;Constant - nil value_int=0;Gather sh,one n;Range nil,n,one r;Constant - u0 value_ints=[0];" \
    "Constant - u1 value_ints=[1];Unsqueeze r,u0 row;Unsqueeze r,u1 col;LessOrEqual row,col see;"
#define FLOOR "Constant - inf value_float=-1000000.0;"

static void attention_of_opset_23(void **state)
{
    ts_arena *arena = *state;
    static const char plain[] = PROJECTED WRITTEN_OUT;
    static const int opsets[] = {23, 24};
    for (int i = 0; i < 2; i++) {
        assert_same_at(arena, opsets[i], PROJECTED "Attention q,k,v y q_num_heads=2 kv_num_heads=2", plain);
        assert_same_at(arena, opsets[i], PROJECTED QUERY4 KEY4 "Attention qh,kt,vh c;Transpose c t perm=[0,2,1,3];Reshape t,whole y",
                       plain);
    }
    /* both heads of the query on one of key and value: the first four channels */
    assert_same_at(arena, 23,
                   PROJECTED "Constant - parts value_ints=[4,4];Split k,parts k1,k2 axis=-1;Split v,parts v1,v2 axis=-1;"
                             "Attention q,k1,v1 y q_num_heads=2 kv_num_heads=1",
                   PROJECTED "Split k k1,k2 axis=-1;Split v v1,v2 axis=-1;Concat k1,k1 kk axis=-1;Concat v1,v1 vv axis=-1;"
                             "Reshape q,heads q4;Transpose q4 qh perm=[0,2,1,3];Reshape kk,heads k4;Transpose k4 kh perm=[0,2,3,1];"
                             "Reshape vv,heads v4;Transpose v4 vh perm=[0,2,1,3];MatMul qh,kh raw;Mul raw,half s;Softmax s p;" ANSWER);
    assert_same_at(arena, 23, PROJECTED "Attention q,k,v y q_num_heads=2 kv_num_heads=2 scale=0.25 softcap=0.5",
                   PROJECTED SCORES "Mul s0,half s1;Div s1,half s2;Tanh s2 s3;Mul s3,half s;Softmax s p;" ANSWER);
    assert_same_at(arena, 23, PROJECTED "Attention q,k,v y q_num_heads=2 kv_num_heads=2 is_causal=1",
                   PROJECTED SCORES TRIANGLE FLOOR "Where see,s0,inf s;Softmax s p;" ANSWER);
    /* masks: boolean for [queries][keys], and one that is added to all heads */
    assert_same_at(arena, 24, PROJECTED TRIANGLE "Attention q,k,v,see y q_num_heads=2 kv_num_heads=2",
                   PROJECTED SCORES TRIANGLE FLOOR "Where see,s0,inf s;Softmax s p;" ANSWER);
    assert_same_at(arena, 23,
                   MASK PROJECTED
                   "Where keep,z,low row;Unsqueeze row,f r3;Expand r3,long bias3;Attention q,k,v,r3 y q_num_heads=2 kv_num_heads=2;"
                   "Constant - long value_ints=[1,1,1]",
                   MASK PROJECTED SCORES "Where keep,z,low row;Unsqueeze row,f r3;Add s0,r3 s;Softmax s p;" ANSWER);
    /* keys that are padding, by their number */
    assert_same_at(arena, 24, PROJECTED "Constant - three value_ints=[3];Attention q,k,v,,,,three y q_num_heads=2 kv_num_heads=2",
                   PROJECTED SCORES TRIANGLE FLOOR "Constant - three value_int=3;Less row,three in;Where in,s0,inf s;Softmax s p;" ANSWER);
    /* the other outputs: keys and scores */
    assert_same_at(arena, 23, PROJECTED "Attention q,k,v c,kp q_num_heads=2 kv_num_heads=2;Transpose kp t perm=[0,2,1,3];Reshape t,whole y",
                   PROJECTED "Identity k y");
    assert_same_at(arena, 23, PROJECTED "Attention q,k,v c,,,y q_num_heads=2 kv_num_heads=2 softcap=2.0", PROJECTED SCORES "Identity s0 y");
    assert_same_at(arena, 23, PROJECTED "Attention q,k,v c,,,y q_num_heads=2 kv_num_heads=2 qk_matmul_output_mode=3",
                   PROJECTED SCORES "Softmax s0 y");
    assert_same_at(arena, 23, "RMSNormalization x,gain y epsilon=0.01",
                   "Mul x,x xx;ReduceMean xx m axes=[-1];Constant - e value_float=0.01;Add m,e me;Sqrt me d;Div x,d n;Mul n,gain y");
}

/* What ONNX's Attention cannot have here is refused by name. */
static void attention_of_opset_23_refused(void **state)
{
    static const struct {
        const char *nodes, *word;
    } cases[] = {
        {"Attention x,x,x y", "q_num_heads"},
        {"Attention x,x,x y q_num_heads=3 kv_num_heads=3", "multiple of 3 heads"},
        {"Attention x,x,x y q_num_heads=2 kv_num_heads=4", "cannot share"},
        {"Attention x,x,x,,past,past y q_num_heads=2 kv_num_heads=2;Unsqueeze x,zero past", "past_key"},
        {"Attention x,x,x,wt y q_num_heads=2 kv_num_heads=2", "does not fit [batch, heads, queries, keys]"},
        {"Attention x,x,x,x y,,,s q_num_heads=2 kv_num_heads=2 softcap=1.0 qk_matmul_output_mode=2", "different things"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ts_arena *arena = ts_arena_new();
        model m = model_new(arena, 23);
        const char *words[8];
        model_input(&m, "x", 1, "batch,8,8");
        int n = split(arena, cases[i].nodes, ';', words, 8);
        for (int k = 0; k < n; k++)
            model_node(&m, words[k]);
        model_floats(&m, "wt", "24,8", noise(arena, 8 * 24, 1));
        model_ints(&m, "zero", "0");
        model_output(&m, "y");
        ts_err err = {{0}};
        pb bytes = model_bytes(&m);
        ts_graph *g = ts_import_onnx_bytes(arena, bytes.data, bytes.size, "test", ".", &err);
        assert_true(!g || !ts_fold(arena, g, &err));
        if (!strstr(err.msg, cases[i].word) || !strstr(err.msg, "Attention"))
            fail_msg("'%s': '%s' is not in it", err.msg, cases[i].word);
        ts_arena_free(arena);
    }
    (void)state;
}

/* softmax(x) at opset 11 is over everything from axis 1 on, at 13 over the last axis. */
static void softmax_has_two_meanings(void **state)
{
    ts_arena *arena = *state;
    const float *x = noise(arena, HITS * D, 7);
    ts_tensor old = eval(arena, graph_of(arena, 11, "Softmax x y"), HITS, x, NULL),
              new = eval(arena, graph_of(arena, 13, "Softmax x y"), HITS, x, NULL);
    double old_sum = 0, new_sum = 0;
    for (int i = 0; i < HITS * D; i++) {
        old_sum += old.data.f[i];
        new_sum += new.data.f[i];
    }
    assert_true(fabs(old_sum - 1) < 1e-5 && fabs(new_sum - HITS) < 1e-5);
}

/* Attention over x with a key-padding mask, as PyTorch exports it: Where(mask, -inf, 0) is added to the scores. */
static const ts_graph *masked_graph(ts_arena *arena)
{
    model m = model_new(arena, 17);
    model_input(&m, "x", 1, "batch,hits,8");
    model_input(&m, "mask", 9, "batch,hits");
    const char *const nodes[] = {"Constant - ax value_ints=[1]",
                                 "Unsqueeze mask,ax m3",
                                 "Where m3,ninf,zero add",
                                 "Transpose x t perm=[0,2,1]",
                                 "MatMul x,t s0",
                                 "Add s0,add s",
                                 "Softmax s p",
                                 "MatMul p,x y"};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        model_node(&m, nodes[i]);
    model_floats(&m, "ninf", "", (const float[]){-INFINITY});
    model_floats(&m, "zero", "", (const float[]){0});
    model_output(&m, "y");
    return load(arena, &m);
}

static void masked_hits_do_not_matter(void **state)
{
    ts_arena *arena = *state;
    const ts_graph *g = masked_graph(arena);
    const float *x = noise(arena, HITS * D, 11);
    float kept[HITS * D];
    const bool padding[HITS] = {false, true, false, true, false};
    int n = 0;
    for (int i = 0; i < HITS; i++)
        if (!padding[i])
            memcpy(kept + D * n++, x + D * i, sizeof(float) * D);
    ts_tensor with = eval(arena, g, HITS, x, padding), without = eval(arena, g, n, kept, NULL);
    for (int i = 0, k = 0; i < HITS; i++)
        for (int j = 0; !padding[i] && j < D; j++, k++)
            assert_true(fabsf(with.data.f[i * D + j] - without.data.f[k]) < 1e-6F);
}

static void all_masked_and_empty_events_have_results(void **state)
{
    ts_arena *arena = *state;
    const ts_graph *g = masked_graph(arena);
    const bool padding[HITS] = {true, true, true, true, true};
    ts_tensor y = eval(arena, g, HITS, noise(arena, HITS * D, 11), padding);
    assert_int_equal(ts_count(&y), HITS * D);
    for (int i = 0; i < HITS * D; i++)
        assert_true(y.data.f[i] == 0);
    y = eval(arena, g, 0, NULL, NULL);
    assert_int_equal(ts_count(&y), 0);
    y = eval(arena, graph_of(arena, 17, "ReduceMean x y axes=[1] keepdims=0"), 0, NULL, NULL);
    assert_int_equal(ts_count(&y), D);
    assert_true(y.data.f[0] == 0);
}

static void wrong_inputs_are_refused(void **state)
{
    ts_arena *arena = *state;
    const ts_graph *g = masked_graph(arena);
    ts_tensor out[1];
    const ts_tensor *x = ts_tensor_new(arena, TS_F32, 3, (const int64_t[]){1, 4, 8}),
                    *two = ts_tensor_new(arena, TS_F32, 3, (const int64_t[]){2, 4, 8}),
                    *narrow = ts_tensor_new(arena, TS_F32, 3, (const int64_t[]){1, 4, 7}),
                    *mask = ts_tensor_new(arena, TS_BOOL, 2, (const int64_t[]){1, 4}),
                    *short_mask = ts_tensor_new(arena, TS_BOOL, 2, (const int64_t[]){1, 3}),
                    *float_mask = ts_tensor_new(arena, TS_F32, 2, (const int64_t[]){1, 4});
    const ts_tensor *const cases[][2] = {{two, mask}, {narrow, mask}, {x, short_mask}, {x, float_mask}, {mask, mask}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ts_err err = {{0}};
        assert_false(ts_graph_eval(g, arena, cases[i], out, NULL, NULL, &err));
        assert_non_null(strstr(err.msg, "input '"));
    }
    ts_err err = {{0}};
    assert_true(ts_graph_eval(g, arena, (const ts_tensor *const[]){x, mask}, out, NULL, NULL, &err));
    ts_tensor y;
    const bool padding[1] = {true};
    assert_false(ts_graph_eval_event(graph_of(arena, 17, "Relu x y"), arena, 1, noise(arena, D, 1), padding, &y, NULL, NULL, &err));
    assert_non_null(strstr(err.msg, "no padding mask"));
}

/* Real models; the files are not part of the project. */
#define DATA TS_SOURCE_DIR "/../shared/data/"

typedef struct comparison {
    double max, squares;
    long values, wrong_classes;
} comparison;

static void compare_event(const ts_tensor *y, int n, bool classes, FILE *want, comparison *c)
{
    int width = (int)y->dim[y->rank - 1];
    char line[512];
    for (int hit = 0; hit < n; hit++) {
        const float *row = y->data.f + (int64_t)hit * width;
        assert_non_null(fgets(line, sizeof line, want));
        char *p = strchr(strchr(line, ',') + 1, ',') + 1; /* past event_id and hit_id */
        int first = 0, last = width;
        if (classes) {
            first = (int)strtol(p, &p, 10);
            last = first + 1;
            p++;
            for (int k = 0; k < width; k++)
                if (row[k] > row[first]) {
                    c->wrong_classes++;
                    break;
                }
        }
        for (int k = first; k < last; k++, p++) {
            double d = fabs(row[k] - strtod(p, &p));
            c->max = d > c->max ? d : c->max;
            c->squares += d * d;
            c->values++;
        }
    }
}

static void real_models_agree_with_onnxruntime(void **state)
{
    ts_arena *arena = *state;
    static const struct {
        const char *onnx, *inputs, *events, *want;
    } cases[] = {
        {"encreg_trackml_50to100", "encreg_trackml", "trackml_50to100.csv", "trackml_50to100.float.csv"},
        {"encreg_trackml_50to100_masked_opset17", "encreg_trackml", "trackml_50to100.csv", "trackml_50to100.float.csv"},
        {"enccla_trackml_10to50", "enccla_trackml", "trackml_10to50.csv", "trackml_10to50.float.csv"},
    };
    struct stat info;
    if (stat(DATA, &info) != 0) {
        print_message("skipped: %s is not there\n", DATA);
        skip();
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ts_err err = {{0}};
        ts_graph *g = ts_import_onnx(arena, ts_printf(arena, DATA "trackformers/%s.onnx", cases[i].onnx), &err);
        g = g ? ts_fold(arena, g, &err) : NULL;
        const ts_inputs *inputs = g ? ts_inputs_load(arena, ts_printf(arena, DATA "trackml/%s.inputs.json", cases[i].inputs), &err) : NULL;
        const ts_events_options options = {.limit = 10};
        const ts_events *events =
            inputs ? ts_events_load(arena, ts_printf(arena, DATA "trackml/%s", cases[i].events), inputs, &options, &err) : NULL;
        if (!events)
            fail_msg("%s", err.msg);
        FILE *want = fopen(ts_printf(arena, DATA "trackml/%s", cases[i].want), "r");
        char header[256];
        assert_non_null(want);
        assert_non_null(fgets(header, sizeof header, want));
        comparison c = {0};
        for (int e = 0; e < events->count; e++) {
            ts_tensor y = eval(arena, g, events->event[e].n, events->event[e].x, NULL);
            compare_event(&y, events->event[e].n, inputs->classification, want, &c);
        }
        fclose(want);
        double rms = sqrt(c.squares / (double)c.values);
        print_message("%s: %ld values, largest difference %.2g, rms %.2g, %ld classes differ\n", cases[i].onnx, c.values, c.max, rms,
                      c.wrong_classes);
        assert_true(c.values > 1000 && c.max <= 5e-3 && rms <= 1e-4 && c.wrong_classes == 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fused_operators_are_what_they_fuse),
        TEST(attention_operators),
        TEST(attention_masks),
        TEST(attention_of_opset_23),
        cmocka_unit_test(attention_of_opset_23_refused),
        TEST(softmax_has_two_meanings),
        TEST(masked_hits_do_not_matter),
        TEST(all_masked_and_empty_events_have_results),
        TEST(wrong_inputs_are_refused),
        TEST(real_models_agree_with_onnxruntime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
