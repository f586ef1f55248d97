/* ONNX import and shape inference: what is read, and that files which are wrong are refused with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "import/import.h"
#include "onnx_build.h"
#include "pass/fold.h"
#include "ref/graph_eval.h"

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

static ts_graph *import(const model *m, ts_err *err)
{
    pb bytes = model_bytes(m);
    return ts_import_onnx_bytes(m->arena, bytes.data, bytes.size, "test", ".", err);
}

/* The folded graph of a model that must be accepted. */
static ts_graph *accept(const model *m)
{
    ts_err err = {{0}};
    ts_graph *g = import(m, &err);
    if (g)
        g = ts_fold(m->arena, g, &err);
    if (!g)
        fail_msg("refused: %s", err.msg);
    return g;
}

/* The model must be refused, by import or by folding, with a message that has all words of the list. */
static void refuse(const model *m, const char *words)
{
    ts_err err = {{0}};
    const char *list[8];
    ts_graph *g = import(m, &err);
    if (g && ts_fold(m->arena, g, &err))
        fail_msg("accepted, but expected an error about: %s", words);
    int n = split(m->arena, words, '|', list, 8);
    for (int i = 0; i < n; i++)
        if (!strstr(err.msg, list[i]))
            fail_msg("'%s' is missing in: %s", list[i], err.msg);
}

static const char *shape_text(ts_arena *arena, const ts_value *v)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < v->shape.rank; i++) {
        fputs(i ? "," : "", out);
        ts_dim_print(out, v->shape.dim[i]);
    }
    fclose(out);
    char *copy = ts_strdup(arena, text);
    free(text);
    return copy;
}

static void assert_output(const model *m, const char *shape)
{
    const ts_graph *g = accept(m);
    assert_string_equal(shape_text(m->arena, g->output[0]), shape);
}

/* x [batch, hits, 3] -> y through the given nodes (';' between them). */
static model chain(ts_arena *arena, int opset, const char *nodes)
{
    model m = model_new(arena, opset);
    const char *words[16];
    model_input(&m, "x", 1, "batch,hits,3");
    int n = split(arena, nodes, ';', words, 16);
    for (int i = 0; i < n; i++)
        model_node(&m, words[i]);
    model_output(&m, "y");
    return m;
}

static void shapes_follow_the_number_of_hits(void **state)
{
    ts_arena *arena = *state;
    model m = chain(arena, 13, "Reshape x,shape y");
    model_ints(&m, "shape", "0,0,3,1");
    assert_output(&m, "1,n,3,1");

    m = chain(arena, 13, "Reshape x,shape y");
    model_ints(&m, "shape", "-1");
    assert_output(&m, "3*n");

    m = chain(arena, 13, "Transpose x t perm=[0,2,1];MatMul x,t s;Flatten s y axis=0");
    assert_output(&m, "1,n*n");

    m = chain(arena, 13, "Concat x,first,x y axis=1"); /* a token in front, and everything twice */
    model_floats(&m, "first", "1,1,3", (const float[]){1, 2, 3});
    assert_output(&m, "1,2*n+1,3");

    m = chain(arena, 13, "Shape x s;Gather s,one n axis=0;Concat n,three,minus shape axis=0;Reshape x,shape y");
    model_ints(&m, "one", "1");
    model_ints(&m, "three", "3");
    model_ints(&m, "minus", "-1");
    assert_output(&m, "n,3,1");
    const ts_value *shape = ts_graph_find(accept(&m), "shape");
    assert_non_null(shape);
    assert_non_null(shape->known);
    assert_true(ts_dim_is_hits(shape->known[0]) && ts_dim_is(shape->known[1], 3) && ts_dim_is(shape->known[2], -1));
}

static void what_does_not_depend_on_hits_is_folded(void **state)
{
    model m = chain(*state, 13, "Shape x s;Gather s,two d axis=0;ConstantOfShape d zeros;Exp zeros ones;Identity x same;Add same,ones y");
    model_ints(&m, "two", "2");
    const ts_graph *g = accept(&m);
    assert_int_equal(g->nodes, 1);
    assert_ptr_equal(g->node[0]->in[0], g->input[0]);
    const ts_tensor *ones = g->node[0]->in[1]->constant;
    assert_non_null(ones);
    assert_int_equal(ts_count(ones), 3);
    assert_true(ones->data.f[0] == 1.0F && ones->data.f[2] == 1.0F);
}

/* How exporters write layers that begin with the same weights: five names for a million numbers are no growth. */
static void shared_constants_are_not_growth(void **state)
{
    enum { NUMBERS = 1 << 20, NAMES = 5 };
    const char *nodes = "";
    for (int i = 0; i < NAMES; i++)
        nodes = ts_printf(*state, "%sIdentity big copy%d;Gather copy%d,at g%d axis=0;Add %s,g%d %s;", nodes, i, i, i,
                          i ? ts_printf(*state, "sum%d", i) : "x", i, i < NAMES - 1 ? ts_printf(*state, "sum%d", i + 1) : "y");
    char *text = ts_strdup(*state, nodes);
    text[strlen(text) - 1] = '\0';
    model m = chain(*state, 13, text);
    float *big = TS_NEW_N((ts_arena *)*state, float, NUMBERS);
    big[7] = 3;
    model_floats(&m, "big", ts_printf(*state, "%d", NUMBERS), big);
    model_ints(&m, "at", "7");
    const ts_graph *g = accept(&m);
    assert_int_equal(g->nodes, NAMES);
    for (int i = 0; i < NAMES; i++)
        assert_true(g->node[i]->in[1]->constant && g->node[i]->in[1]->constant->data.f[0] == 3.0F);
}

static void rounded_and_clamped_sizes_are_not_taken_for_polynomials(void **state)
{
    model m = chain(*state, 13, "Shape x s;Gather s,one n axis=0;Div n,hundred q;Range zero,q,step r;Cast r y to=1");
    model_ints(&m, "one", "1");
    model_ints(&m, "hundred", "100"); /* 0 up to 99 hits, 1 from 100 on */
    model_ints(&m, "zero", "0");
    model_ints(&m, "step", "1");
    refuse(&m, "'r'|size");
    model c = chain(*state, 13, "Slice x,from,to,axes y");
    model_ints(&c, "from", "0");
    model_ints(&c, "to", "16");
    model_ints(&c, "axes", "1");
    refuse(&c, "'y'|size");
}

static void batch_is_bound_and_other_free_sizes_are_hits(void **state)
{
    static const struct {
        const char *dims, *shape;
    } cases[] = {{"batch,hits,3", "1,n,3"}, {"?,?,3", "1,n,3"},      {"1,hits,3", "1,n,3"}, {"hits,3", "n,3"},
                 {"batch,16,3", "1,16,3"},  {"batch_size,3", "1,3"}, {"2,16,3", "2,16,3"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        model m = model_new(*state, 13);
        model_input(&m, "x", 1, cases[i].dims);
        model_node(&m, "Relu x y");
        model_output(&m, "y");
        assert_output(&m, cases[i].shape);
    }
}

static void refusals_say_what_and_where_and_what_to_do(void **state)
{
    ts_arena *arena = *state;
    model m = chain(arena, 13, "ConvTranspose x,w y");
    model_floats(&m, "w", "1,3,1", (const float[]){1, 2, 3});
    refuse(&m, "ConvTranspose_0|ConvTranspose, opset 13|not supported|on its own");
    m = chain(arena, 13, "Conv x,w y");
    model_floats(&m, "w", "1,3,1", (const float[]){1, 2, 3});
    refuse(&m, "Conv_0|Conv, opset 13|do not fit");
    m = chain(arena, 13, "Frobnicate x y");
    refuse(&m, "Frobnicate_0|not supported|rewrite");
    m = chain(arena, 25, "Relu x y");
    refuse(&m, "opset 25|up to 24|opset_version=24");
    m = chain(arena, 4, "Add x,x y");
    refuse(&m, "Add_0|opset 4|7 to 24");
    m = chain(arena, 13, "Relu x y alpha=0.5");
    refuse(&m, "Relu_0|attribute 'alpha'|not supported");
    m = chain(arena, 13, "Softmax x y axis=7");
    refuse(&m, "Softmax_0|axis 7|out of range");
    m = chain(arena, 13, "Cast x y to=8");
    refuse(&m, "Cast_0|type number 8|float32");
    m = chain(arena, 13, "somewhere.else:Gelu x y");
    refuse(&m, "somewhere.else|version of the domain");
    m = chain(arena, 13, "com.microsoft:MultiHeadAttention x,x,x y num_heads=2");
    refuse(&m, "MultiHeadAttention_0|2 heads");
    m = chain(arena, 13, "com.microsoft:Attention x,w y num_heads=1 unidirectional=1");
    refuse(&m, "Attention_0|unidirectional");
    m = chain(arena, 13, "MatMul x,x y");
    refuse(&m, "2 hits|MatMul_0|cannot be multiplied");
    m = chain(arena, 13, "Relu z y");
    refuse(&m, "Relu_0|nothing produces|'z'");
    m = chain(arena, 13, "Relu y z;Relu z y");
    refuse(&m, "depends on its own output");
    m = chain(arena, 13, "Relu x y;Exp x y");
    refuse(&m, "Exp_1|'y'|another node");
    m = chain(arena, 13, "Relu x,x y");
    refuse(&m, "Relu_0|2 inputs");
    m = chain(arena, 13, "Relu x z");
    refuse(&m, "nothing produces the model's output 'y'");
    m = chain(arena, 13, "Dropout x,r,t y");
    model_floats(&m, "r", "", (const float[]){0.5F});
    pb t = tensor_raw(arena, "t", 9, 0, NULL, "\1", 1);
    pb_message(&m.graph, 5, &t);
    refuse(&m, "Dropout_0|training mode|model.eval()");
}

static void tensors_of_every_type(void **state)
{
    /* -3 (or 3, or true) in every type, raw and in the typed list. */
    static const struct {
        int type;
        unsigned field; /* of the typed list */
        uint64_t bits;
        int bytes;
        double value;
    } cases[] = {{1, 4, 0xc0400000, 4, -3},
                 {10, 5, 0xc200, 2, -3},
                 {16, 5, 0xc040, 2, -3},
                 {11, 10, 0xc008000000000000, 8, -3},
                 {3, 5, 0xfd, 1, -3},
                 {5, 5, 0xfffd, 2, -3},
                 {6, 5, 0xfffffffd, 4, -3},
                 {7, 7, 0xfffffffffffffffd, 8, -3},
                 {2, 5, 3, 1, 3},
                 {4, 5, 3, 2, 3},
                 {12, 11, 3, 4, 3},
                 {13, 11, 3, 8, 3},
                 {9, 5, 1, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int typed = 0; typed < 2; typed++) {
            model m = chain(*state, 13, "Cast w f to=1;Add x,f y");
            pb t = {.arena = *state};
            pb_int(&t, 1, 1);
            pb_int(&t, 2, cases[i].type);
            pb_text(&t, 8, "w");
            uint64_t bits = cases[i].bits;
            if (!typed)
                pb_bytes(&t, 9, &bits, (size_t)cases[i].bytes);
            else if (cases[i].type == 1 || cases[i].type == 11)
                pb_bytes(&t, cases[i].field, &bits, (size_t)cases[i].bytes); /* packed */
            else
                pb_int(&t, cases[i].field, (int64_t)bits);
            pb_message(&m.graph, 5, &t);
            const ts_graph *g = accept(&m);
            const ts_tensor *f = g->node[0]->in[1]->constant;
            assert_non_null(f);
            assert_true(ts_get_real(f, 0) == cases[i].value);
        }
}

static void damaged_tensors(void **state)
{
    ts_arena *arena = *state;
    static const struct {
        const char *dims;
        int type;
        size_t bytes;
        const char *words;
    } cases[] = {{"3", 1, 11, "'w'|11 bytes|12"},
                 {"3", 1, 13, "'w'|13 bytes"},
                 {"-3", 1, 12, "'w'|shape"},
                 {"4294967296,4294967296", 1, 0, "'w'|shape"},
                 {"1,1,1,1,1,1,1,1,3", 1, 12, "'w'|9 dimensions"},
                 {"3", 8, 12, "'w'|type number 8"},
                 {"3", 99, 12, "'w'|type number 99"},
                 {"500000000", 1, 12, "'w'|truncated"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t dim[16];
        model m = chain(arena, 13, "Add x,w y");
        int rank = dims_of(arena, cases[i].dims, dim);
        pb t = tensor_raw(arena, "w", cases[i].type, rank, dim, "0123456789abcdef", cases[i].bytes);
        pb_message(&m.graph, 5, &t);
        refuse(&m, cases[i].words);
    }
}

/* Few bytes that ask for a lot. */
static void bombs(void **state)
{
    ts_arena *arena = *state;
    model m = chain(arena, 13, "ConstantOfShape big c;Add x,c y");
    model_ints(&m, "big", "1000000,1000000");
    refuse(&m, "ConstantOfShape_0|not possible");
    m = chain(arena, 13, "ConstantOfShape big c;ReduceMean c mean;Add x,mean y");
    model_ints(&m, "big", "100000,3");
    accept(&m);
    m = chain(arena, 13, "ConstantOfShape big c;Add x,c y");
    model_ints(&m, "big", "100000000,3");
    refuse(&m, "ConstantOfShape_0|many times the size");
    m = chain(arena, 13, "Range from,to,step r;Cast r y to=1");
    model_ints(&m, "from", "-9223372036854775807");
    model_ints(&m, "to", "9223372036854775807");
    model_ints(&m, "step", "1");
    refuse(&m, "Range_0|not possible");
    m = chain(arena, 13, "Tile w,big t;Add x,t y");
    model_floats(&m, "w", "2,2", (const float[]){1, 2, 3, 4});
    model_ints(&m, "big", "9223372036854775807,2");
    refuse(&m, "Tile_0|not possible");
    m = chain(arena, 13, "Slice x,from,to,axes,step y");
    model_ints(&m, "from", "-9223372036854775807");
    model_ints(&m, "to", "9223372036854775807");
    model_ints(&m, "axes", "2");
    model_ints(&m, "step", "-9223372036854775807");
    assert_output(&m, "1,n,0");

    /* Messages in messages: graph in attribute in node in graph ... */
    pb inner = {.arena = arena};
    for (int i = 0; i < 20000; i++) {
        pb attr = {.arena = arena}, n = {.arena = arena}, graph = {.arena = arena};
        pb_message(&attr, 6, &inner);
        pb_message(&n, 5, &attr);
        pb_message(&graph, 1, &n);
        inner = graph;
        if (inner.size > 100000)
            break;
    }
    pb file = {.arena = arena};
    pb_message(&file, 7, &inner);
    ts_err err = {{0}};
    assert_null(ts_import_onnx_bytes(arena, file.data, file.size, "deep", ".", &err));
    assert_non_null(strstr(err.msg, "levels deep"));
}

static void functions_are_inlined(void **state)
{
    ts_arena *arena = *state;
    model m = chain(arena, 17, "local:scale x,k s by=2.5;local:scale s, y by=3.0");
    model_domain(&m, "local", 1);
    model_floats(&m, "k", "", (const float[]){10});
    /* The second call leaves k out; `unused` does not matter then. */
    model_function(&m, "scale", "a,k", "r", "by", "local:times a t by=@by;Identity k unused;Identity t r");
    model_function(&m, "times", "a", "r", "by", "Constant - c value_float=@by;Mul a,c r");
    ts_err err = {{0}};
    ts_graph *g = import(&m, &err);
    assert_null(g); /* Identity of an absent input */
    assert_non_null(strstr(err.msg, "input 0 is missing"));

    m = chain(arena, 17, "local:scale x s by=2.5;local:scale s y by=3.0");
    model_domain(&m, "local", 1);
    model_function(&m, "scale", "a,k", "r", "by", "local:times a t by=@by;Identity t r");
    model_function(&m, "times", "a", "r", "by", "Constant - c value_float=@by;Mul a,c r");
    g = accept(&m);
    assert_int_equal(g->nodes, 3); /* two products, and the Identity that makes the model's output */
    float x[3] = {1, 2, -1};
    ts_tensor y;
    assert_true(ts_graph_eval_event(g, arena, 1, x, NULL, &y, NULL, NULL, &err));
    assert_true(y.data.f[0] == 7.5F && y.data.f[2] == -7.5F);

    m = chain(arena, 17, "local:same x z;Relu z y"); /* an output that is an input */
    model_domain(&m, "local", 1);
    model_function(&m, "same", "a", "a", "", "Relu a unused");
    assert_output(&m, "1,n,3");

    m = chain(arena, 17, "local:loop x y");
    model_domain(&m, "local", 1);
    model_function(&m, "loop", "a", "b", "", "local:loop a b");
    refuse(&m, "levels deep");

    m = chain(arena, 17, "local:d15 x y"); /* doubles with every level */
    model_domain(&m, "local", 1);
    model_function(&m, "d0", "a", "b", "", "Relu a b");
    for (int i = 1; i <= 15; i++)
        model_function(&m, ts_printf(arena, "d%d", i), "a", "b", "",
                       ts_printf(arena, "local:d%d a c;local:d%d c d;local:d%d d e;local:d%d e b", i - 1, i - 1, i - 1, i - 1));
    refuse(&m, "more than 120000 nodes");
}

static void write_file(const char *path, const void *data, size_t size)
{
    ts_err err = {{0}};
    if (!ts_file_write(path, data, size, &err))
        fail_msg("%s", err.msg);
}

static void external_data(void **state)
{
    ts_arena *arena = *state;
    char outer[] = "/tmp/tessera_import_XXXXXX";
    assert_non_null(mkdtemp(outer));
    const char *directory = ts_printf(arena, "%s/model", outer), *path = ts_printf(arena, "%s/m.onnx", directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    const float data[] = {0, 1.5F, -2, 4};
    write_file(ts_printf(arena, "%s/weights.bin", directory), data, sizeof data);
    write_file(ts_printf(arena, "%s/outside.bin", outer), data, sizeof data);
    assert_int_equal(symlink("../outside.bin", ts_printf(arena, "%s/link.bin", directory)), 0);
    static const struct {
        const char *location, *offset, *length, *words;
    } cases[] = {{"weights.bin", "4", "12", NULL},
                 {"weights.bin", "4", NULL, NULL},
                 {"weights.bin", "8", "12", "16 bytes|truncated"},
                 {"weights.bin", "18446744073709551615", "12", "truncated"},
                 {"weights.bin", "4", "16", "16 bytes|need 12"},
                 {"weights.bin", "x", NULL, "damaged"},
                 {"../outside.bin", "4", "12", "outside"},
                 {"link.bin", "4", "12", "outside"},
                 {"/etc/passwd", "0", "12", "relative"},
                 {"missing.bin", "0", "12", "cannot be opened"},
                 {"", "0", "12", "relative"},
                 {".", "0", "12", "outside"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        model m = chain(arena, 13, "Add x,w y");
        pb t = {.arena = arena};
        const char *const entries[][2] = {{"location", cases[i].location}, {"offset", cases[i].offset}, {"length", cases[i].length}};
        pb_int(&t, 1, 3);
        pb_int(&t, 2, 1);
        pb_text(&t, 8, "w");
        for (int k = 0; k < 3; k++)
            if (entries[k][1]) {
                pb e = {.arena = arena};
                pb_text(&e, 1, entries[k][0]);
                pb_text(&e, 2, entries[k][1]);
                pb_message(&t, 13, &e);
            }
        pb_int(&t, 14, 1);
        pb_message(&m.graph, 5, &t);
        pb bytes = model_bytes(&m);
        write_file(path, bytes.data, bytes.size);
        ts_err err = {{0}};
        const ts_graph *g = ts_import_onnx(arena, path, &err);
        if (cases[i].words) {
            const char *words[4];
            int n = split(arena, cases[i].words, '|', words, 4);
            assert_null(g);
            for (int k = 0; k < n; k++)
                if (!strstr(err.msg, words[k]))
                    fail_msg("'%s' is missing in: %s", words[k], err.msg);
        } else {
            if (!g)
                fail_msg("%s", err.msg);
            const ts_tensor *w = ts_graph_find(g, "w")->constant;
            assert_true(w->data.f[0] == 1.5F && w->data.f[2] == 4);
            assert_string_equal(g->name, "m");
        }
    }
    const char *const leftovers[] = {"model/weights.bin", "model/link.bin", "model/m.onnx", "outside.bin"};
    for (int i = 0; i < 4; i++)
        unlink(ts_printf(arena, "%s/%s", outer, leftovers[i]));
    rmdir(directory);
    rmdir(outer);
}

static void files_that_cannot_be_read(void **state)
{
    ts_err err = {{0}};
    assert_null(ts_import_onnx(*state, "/nowhere/model.onnx", &err));
    assert_non_null(strstr(err.msg, "/nowhere/model.onnx"));
    ts_err directory = {{0}};
    assert_null(ts_import_onnx(*state, "/tmp", &directory));
    assert_non_null(strstr(directory.msg, "directory"));
    ts_err empty = {{0}};
    assert_null(ts_import_onnx(*state, "/dev/null", &empty));
    assert_true(empty.msg[0]);
}

/* A block with most kinds of nodes and attributes, for damaging. */
static model small_block(ts_arena *arena)
{
    static float w[36];
    for (int i = 0; i < 36; i++)
        w[i] = (float)(i % 7 - 3) / 4;
    model m = chain(arena, 17,
                    "Shape x s;Gather s,one n axis=0;Concat n,three shape axis=0;Reshape x,shape r;Gemm r,w,b g transB=1 alpha=0.5;"
                    "LayerNormalization g,b,b l axis=-1 epsilon=0.001;Transpose l t perm=[1,0];MatMul l,t q;Softmax q p axis=-1;"
                    "Einsum p,l e equation='ij,jk->ik';local:f e h a=2.0;Unsqueeze h,zero y");
    model_domain(&m, "local", 1);
    model_function(&m, "f", "i", "o", "a", "Constant - c value_float=@a;Mul i,c o");
    model_ints(&m, "one", "1");
    model_ints(&m, "three", "3");
    model_ints(&m, "zero", "0");
    model_floats(&m, "w", "3,3", w);
    model_floats(&m, "b", "3", w + 9);
    return m;
}

/* Whatever the bytes are: an error with a message, or a graph that passes the verifier, can be dumped and evaluated. */
static bool try_bytes(const uint8_t *data, size_t size)
{
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    ts_graph *g = ts_import_onnx_bytes(arena, data, size, "damaged", ".", &err);
    ts_graph *folded = g ? ts_fold(arena, g, &err) : NULL;
    bool ok = folded != NULL;
    assert_true(ok || err.msg[0]);
    if (ok) {
        const float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        ts_tensor y;
        bool fits = folded->inputs == 1 && folded->input[0]->shape.rank == 3 && ts_dim_at(folded->input[0]->shape.dim[0], 3) == 1 &&
                    ts_dim_at(folded->input[0]->shape.dim[1], 3) == 3 && ts_dim_at(folded->input[0]->shape.dim[2], 3) == 3;
        if (fits)
            (void)ts_graph_eval_event(folded, arena, 3, x, NULL, &y, NULL, NULL, &err);
    }
    ts_arena_free(arena);
    return ok;
}

static void every_truncation_is_an_error(void **state)
{
    model m = small_block(*state);
    pb bytes = model_bytes(&m);
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = malloc(size + 1); /* exact, so that the sanitisers see a read beyond the end */
        if (size)
            memcpy(copy, bytes.data, size);
        bool ok = try_bytes(copy, size);
        free(copy);
        if (ok && size < bytes.size - 120) /* cut between the parts at the very end, the file may still be whole */
            fail_msg("accepted when cut to %zu of %zu bytes", size, bytes.size);
    }
    assert_true(try_bytes(bytes.data, bytes.size));
}

static void no_flipped_bit_does_harm(void **state)
{
    model m = small_block(*state);
    pb bytes = model_bytes(&m);
    int refused = 0;
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refused += !try_bytes(bytes.data, bytes.size);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused > (int)bytes.size); /* most are noticed; a flipped weight cannot be */
}

static void dumps_are_deterministic(void **state)
{
    char *text[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        ts_arena *arena = ts_arena_new();
        model m = small_block(arena);
        FILE *out = open_memstream(&text[i], &size[i]);
        ts_graph_dump(out, accept(&m));
        fclose(out);
        ts_arena_free(arena);
    }
    (void)state;
    assert_string_equal(text[0], text[1]);
    assert_non_null(strstr(text[0], "= Softmax("));
    free(text[0]);
    free(text[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shapes_follow_the_number_of_hits),
        TEST(what_does_not_depend_on_hits_is_folded),
        TEST(shared_constants_are_not_growth),
        TEST(rounded_and_clamped_sizes_are_not_taken_for_polynomials),
        TEST(batch_is_bound_and_other_free_sizes_are_hits),
        TEST(refusals_say_what_and_where_and_what_to_do),
        TEST(tensors_of_every_type),
        TEST(damaged_tensors),
        TEST(bombs),
        TEST(functions_are_inlined),
        TEST(external_data),
        TEST(files_that_cannot_be_read),
        TEST(every_truncation_is_an_error),
        TEST(no_flipped_bit_does_harm),
        TEST(dumps_are_deterministic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
