/* Models that were quantised in training: the operators on numbers worked out by hand, and what wrong files are told. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* x [batch][hits][4] -> y, with scales and zero points that the tests choose from. */
static model small_model(ts_arena *arena, int opset, const char *nodes)
{
    model m = model_new(arena, opset);
    const char *words[32];
    model_domain(&m, "com.microsoft", 1);
    model_domain(&m, "onnx.brevitas", 1);
    model_input(&m, "x", 1, "batch,hits,4");
    const int n = split(arena, nodes, ';', words, 32);
    for (int i = 0; i < n; i++)
        model_node(&m, words[i]);
    model_output(&m, "y");
    model_floats(&m, "half", "", (const float[]){0.5F});
    model_floats(&m, "zero", "", (const float[]){0});
    model_floats(&m, "minus", "", (const float[]){-1});
    model_floats(&m, "two", "2", (const float[]){1, 4});
    model_floats(&m, "four", "4", (const float[]){0.5F, 1, 2, 4});
    model_floats(&m, "four_rows", "4,1", (const float[]){0.5F, 1, 2, 4});
    model_floats(&m, "five", "5", (const float[]){1, 1, 1, 1, 1});
    model_floats(&m, "deep", "1,1,1,1", (const float[]){1});
    model_floats(&m, "bits", "", (const float[]){4});
    model_floats(&m, "none", "", (const float[]){0});
    model_tensor(&m, "z8", 3, "", (const int8_t[]){0}, 1);
    model_tensor(&m, "z8_three", 3, "", (const int8_t[]){3}, 1);
    model_tensor(&m, "z8_two", 3, "2", (const int8_t[]){0, 1}, 2);
    model_ints(&m, "pairs", "0,0,2,2");
    model_ints(&m, "whole", "0,0,4");
    model_tensor(&m, "z8_four", 3, "4", (const int8_t[]){0, 1, 2, 3}, 4);
    model_tensor(&m, "z16", 5, "", (const int16_t[]){0}, 2);
    model_tensor(&m, "low", 3, "", (const int8_t[]){-8}, 1);
    model_tensor(&m, "high", 3, "", (const int8_t[]){7}, 1);
    model_tensor(&m, "low12", 5, "", (const int16_t[]){-2047}, 2);
    model_tensor(&m, "high12", 5, "", (const int16_t[]){2047}, 2);
    return m;
}

static const ts_graph *load(ts_arena *arena, int opset, const char *nodes, ts_err *err)
{
    const model m = small_model(arena, opset, nodes);
    const pb bytes = model_bytes(&m);
    ts_graph *g = ts_import_onnx_bytes(arena, bytes.data, bytes.size, "test", ".", err);
    return g ? ts_fold(arena, g, err) : NULL;
}

/* One hit of four values. */
static void computes(ts_arena *arena, int opset, const char *nodes, const float *x, const float *want)
{
    ts_err err = {{0}};
    ts_tensor y;
    const ts_graph *g = load(arena, opset, nodes, &err);
    if (!g || !ts_graph_eval_event(g, arena, 1, x, NULL, &y, NULL, NULL, &err))
        fail_msg("%s: %s", nodes, err.msg);
    assert_int_equal(ts_count(&y), 4);
    for (int i = 0; i < 4; i++)
        if (y.data.f[i] != want[i])
            fail_msg("%s: element %d is %.9g, not %.9g", nodes, i, (double)y.data.f[i], (double)want[i]);
}

static void pairs_round_half_to_even_and_saturate(void **state)
{
    ts_arena *arena = *state;
    static const char pair[] = "QuantizeLinear x,half,z8 q;DequantizeLinear q,half,z8 y";
    for (int opset = 10; opset <= 24; opset++)
        computes(arena, opset, pair, (const float[]){0.25F, 0.75F, -0.3F, 1000}, (const float[]){0, 1, -0.5F, 63.5F});
    computes(arena, 13, pair, (const float[]){-0.25F, -0.75F, -1000, NAN}, (const float[]){0, -1, -64, -64});
    /* Without a zero point: uint8. */
    computes(arena, 13, "QuantizeLinear x,half q;DequantizeLinear q,half y", (const float[]){-1, 1, 127.4F, 200},
             (const float[]){0, 1, 127.5F, 127.5F});
    /* A zero point moves the range: -131 ... 124 steps. */
    computes(arena, 13, "QuantizeLinear x,half,z8_three q;DequantizeLinear q,half,z8_three y", (const float[]){0, 1.2F, 1000, -1000},
             (const float[]){0, 1, 62, -65.5F});
}

static void pairs_have_scales_of_channels(void **state)
{
    ts_arena *arena = *state;
    static const float x[] = {1.3F, 1.3F, 1.3F, 1000}, want[] = {1.5F, 1, 2, 496};
    computes(arena, 13, "QuantizeLinear x,four,z8_four q axis=-1;DequantizeLinear q,four,z8_four y axis=-1", x, want);
    computes(arena, 13, "QuantizeLinear x,four,z8_four q axis=2;DequantizeLinear q,four,z8_four y axis=2", x, want);
    computes(arena, 13, "Reshape x,pairs r;QuantizeLinear r,two,z8_two q axis=2;DequantizeLinear q,two,z8_two d axis=2;Reshape d,whole y",
             (const float[]){1.3F, 1.7F, 1.3F, 3}, (const float[]){1, 2, 0, 4});
}

/* 4 bits and 12 bits, as exporters write them: a Clip of the codes, 16-bit codes, or QONNX's Quant. */
static void other_widths(void **state)
{
    ts_arena *arena = *state;
    static const float x[] = {1.3F, 100, -100, 0.75F};
    computes(arena, 13, "QuantizeLinear x,half,z8 q;Clip q,low,high c;DequantizeLinear c,half,z8 y", x, (const float[]){1.5F, 3.5F, -4, 1});
    computes(arena, 21, "QuantizeLinear x,half,z16 q;Clip q,low12,high12 c;DequantizeLinear c,half,z16 y",
             (const float[]){1.3F, 100, -1e4F, 1e4F}, (const float[]){1.5F, 100, -1023.5F, 1023.5F});
    computes(arena, 13, "com.microsoft:QuantizeLinear x,half,z16 q;Clip q,low12,high12 c;com.microsoft:DequantizeLinear c,half,z16 y",
             (const float[]){1.3F, 100, -1e4F, 1e4F}, (const float[]){1.5F, 100, -1023.5F, 1023.5F});
    computes(arena, 13, "onnx.brevitas:Quant x,half,none,bits y signed=1 narrow=0 rounding_mode='ROUND'", x,
             (const float[]){1.5F, 3.5F, -4, 1});
    computes(arena, 13, "onnx.brevitas:Quant x,half,none,bits y signed=1 narrow=1", x, (const float[]){1.5F, 3.5F, -3.5F, 1});
    computes(arena, 13, "qonnx.custom_op.general:IntQuant x,half,none,bits y signed=0", x, (const float[]){1.5F, 7.5F, 0, 1});
    computes(arena, 13, "onnx.brevitas:Quant x,four,none,bits y", (const float[]){1.3F, 1.3F, 1.3F, 1000}, (const float[]){1.5F, 1, 2, 28});
}

static void refuses(ts_arena *arena, const char *nodes, const char *why)
{
    ts_err err = {{0}};
    if (load(arena, 21, nodes, &err))
        fail_msg("%s: accepted", nodes);
    if (!strstr(err.msg, why))
        fail_msg("%s: the message is '%s', not '...%s...'", nodes, err.msg, why);
}

static void wrong_scales_are_refused(void **state)
{
    ts_arena *arena = *state;
    refuses(arena, "QuantizeLinear x,zero,z8 q;DequantizeLinear q,half,z8 y", "scale 0 (input 1, 'zero') is 0; scales must be positive");
    refuses(arena, "QuantizeLinear x,half,z8 q;DequantizeLinear q,minus,z8 y", "scale 0 (input 1, 'minus') is -1; scales must be positive");
    refuses(arena, "QuantizeLinear x,five,z8 q axis=2;DequantizeLinear q,half,z8 y", "5 scales and 1 zero points");
    refuses(arena, "QuantizeLinear x,five q axis=2;DequantizeLinear q,half y", "there are 5 scales, but dimension 2 (axis) of input 0");
    refuses(arena, "QuantizeLinear x,four q axis=3;DequantizeLinear q,half y", "axis 3 is out of range for 3 dimensions");
    refuses(arena, "QuantizeLinear x,four_rows q axis=2;DequantizeLinear q,half y", "the scale has shape [4,1]");
    refuses(arena, "QuantizeLinear x,half,z8 q;DequantizeLinear q,half,z16 y", "the zero point is int16 and the codes are int8");
    refuses(arena, "QuantizeLinear x,half,none q;DequantizeLinear q,half y", "codes of type float32 are not supported");
    refuses(arena, "QuantizeLinear x,half,z8 q block_size=2;DequantizeLinear q,half,z8 y", "'block_size' is 2");
    refuses(arena, "onnx.brevitas:Quant x,half,none,bits y rounding_mode='FLOOR'", "rounding_mode' is 'FLOOR'; supported: ROUND");
    refuses(arena, "onnx.brevitas:Quant x,half,none,half y", "0.5 bits are not supported");
    refuses(arena, "onnx.brevitas:Quant x,five,none,bits y", "do not fit together");
    refuses(arena, "onnx.brevitas:Quant x,deep,none,bits y", "does not fit into that of input 0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pairs_round_half_to_even_and_saturate),
        TEST(pairs_have_scales_of_channels),
        TEST(other_widths),
        TEST(wrong_scales_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
