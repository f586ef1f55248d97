/* An encoder as an ONNX file, its norms and activations written as an exporter would: for tests of what is recognised.
   How something is written is a text of nodes, "Sigmoid $i $ts;Mul $i,$ts $o": $i and $o are its input and output, $t begins a name of its
   own, $g and $b are gain and bias, $e epsilon, $n the number of channels that are normalised together; other names are constants. */
#ifndef TS_ONNX_ENCODER_H
#define TS_ONNX_ENCODER_H
#include <stdio.h>

#include "graph/encoder.h"
#include "onnx_build.h"

typedef struct onnx_style {
    const char *act, *norm;
    const char *qk;       /* the norm on q and k; NULL: written as the others */
    bool behind_heads;    /* that norm stands behind the transposition to [batch, heads, n, width] */
    const char *constant; /* "half 0.5;root 0.7071" */
    const char *domain;   /* another one that is used, or NULL */
    int opset;
} onnx_style;

typedef struct onnx_writer {
    model m;
    const ts_encoder *enc;
    const onnx_style *style;
    int names;
} onnx_writer;

static inline const char *new_name(onnx_writer *w)
{
    return ts_printf(w->m.arena, "v%d", w->names++);
}

static inline const char *write_floats(onnx_writer *w, const char *dims, const float *data)
{
    const char *name = new_name(w);
    model_floats(&w->m, name, dims, data);
    return name;
}

/* One node with its names put in: "Add %s,%s %s". Returns the output, the last name. */
#define WRITE(w, out, ...) (model_node(&(w)->m, ts_printf((w)->m.arena, __VA_ARGS__)), (out))

static inline const char *write_linear(onnx_writer *w, const ts_linear *lin, const char *x)
{
    float *turned = TS_NEW_N(w->m.arena, float, (size_t)lin->in *(size_t)lin->out);
    for (int o = 0; o < lin->out; o++)
        for (int i = 0; i < lin->in; i++)
            turned[i * lin->out + o] = lin->w[o * lin->in + i];
    const char *k = write_floats(w, ts_printf(w->m.arena, "%d,%d", lin->in, lin->out), turned);
    const char *b = write_floats(w, ts_printf(w->m.arena, "%d", lin->out), lin->b), *t = new_name(w), *y = new_name(w);
    model_node(&w->m, ts_printf(w->m.arena, "MatMul %s,%s %s", x, k, t));
    return WRITE(w, y, "Add %s,%s %s", t, b, y);
}

/* A text of nodes. */
static inline const char *write_text(onnx_writer *w, const char *text, const char *x, const char *gain, const char *bias, const char *eps,
                                     int n)
{
    const char *own = new_name(w), *y = new_name(w);
    pb line = {.arena = w->m.arena};
    for (const char *c = text;; c++) {
        if (*c == ';' || !*c) {
            pb_put(&line, "", 1);
            model_node(&w->m, (const char *)line.data);
            line.size = 0;
            if (!*c)
                return y;
        } else if (*c == '$') {
            const char *with = *++c == 'i' ? x
                               : *c == 'o' ? y
                               : *c == 't' ? own
                               : *c == 'g' ? gain
                               : *c == 'b' ? bias
                               : *c == 'e' ? eps
                                           : ts_printf(w->m.arena, "%d", n);
            CHECK(with);
            pb_put(&line, with, strlen(with));
        } else {
            pb_put(&line, c, 1);
        }
    }
}

static inline const char *write_norm(onnx_writer *w, const ts_norm *norm, const char *text, const char *dims, const char *x)
{
    const char *gain = write_floats(w, dims, norm->gain), *bias = write_floats(w, dims, norm->bias), *eps = write_floats(w, "", &norm->eps);
    return write_text(w, text, x, gain, bias, eps, norm->d);
}

static inline const char *write_norm_on(onnx_writer *w, const ts_norm *norm, const char *x)
{
    return write_norm(w, norm, w->style->norm, ts_printf(w->m.arena, "%d", norm->d), x);
}

static inline const char *write_act(onnx_writer *w, ts_act act, const char *x)
{
    return act == TS_ACT_NONE ? x : write_text(w, w->style->act, x, NULL, NULL, NULL, 0);
}

/* To [batch, heads, n, width], with the norm on it, where there is one. */
static inline const char *write_heads(onnx_writer *w, const ts_norm *norm, const char *x)
{
    const ts_encoder *enc = w->enc;
    const bool each = enc->qk_norm == enc->d_head && enc->heads > 1, behind = w->style->behind_heads && each;
    const char *text = w->style->qk ? w->style->qk : w->style->norm;
    if (norm && !each)
        x = write_norm(w, norm, text, ts_printf(w->m.arena, "%d", enc->qk_norm), x);
    const char *shape = new_name(w), *apart = new_name(w), *turned = new_name(w);
    model_ints(&w->m, shape, ts_printf(w->m.arena, "0,-1,%d,%d", enc->heads, enc->d_head));
    model_node(&w->m, ts_printf(w->m.arena, "Reshape %s,%s %s", x, shape, apart));
    if (norm && each && !behind)
        apart = write_norm(w, norm, text, ts_printf(w->m.arena, "%d,%d", enc->heads, enc->d_head), apart);
    model_node(&w->m, ts_printf(w->m.arena, "Transpose %s %s perm=[0,2,1,3]", apart, turned));
    if (norm && behind)
        turned = write_norm(w, norm, text, ts_printf(w->m.arena, "%d,1,%d", enc->heads, enc->d_head), turned);
    return turned;
}

static inline const char *write_attention(onnx_writer *w, const ts_layer *layer, const char *x)
{
    const ts_encoder *enc = w->enc;
    const bool normed = enc->qk_norm != 0;
    const char *q = write_heads(w, normed ? &layer->q_norm : NULL, write_linear(w, &layer->q, x));
    const char *k = write_heads(w, normed ? &layer->k_norm : NULL, write_linear(w, &layer->k, x));
    const char *v = write_heads(w, NULL, write_linear(w, &layer->v, x)), *scale = write_floats(w, "", &layer->scale);
    const char *kt = new_name(w), *s = new_name(w), *scaled = new_name(w), *p = new_name(w), *ctx = new_name(w), *back = new_name(w);
    const char *shape = new_name(w), *flat = new_name(w);
    model_node(&w->m, ts_printf(w->m.arena, "Transpose %s %s perm=[0,1,3,2]", k, kt));
    model_node(&w->m, ts_printf(w->m.arena, "MatMul %s,%s %s", q, kt, s));
    model_node(&w->m, ts_printf(w->m.arena, "Mul %s,%s %s", s, scale, scaled));
    model_node(&w->m, ts_printf(w->m.arena, "Softmax %s %s axis=-1", scaled, p));
    model_node(&w->m, ts_printf(w->m.arena, "MatMul %s,%s %s", p, v, ctx));
    model_node(&w->m, ts_printf(w->m.arena, "Transpose %s %s perm=[0,2,1,3]", ctx, back));
    model_ints(&w->m, shape, ts_printf(w->m.arena, "0,-1,%d", enc->heads * enc->d_head));
    model_node(&w->m, ts_printf(w->m.arena, "Reshape %s,%s %s", back, shape, flat));
    return write_linear(w, &layer->o, flat);
}

static inline const char *write_layer(onnx_writer *w, const ts_layer *layer, const char *x)
{
    const ts_norms norms = w->enc->norms;
    for (int block = 0; block < 2; block++) {
        const int before = ts_norm_at(norms, block ? TS_BEFORE_FFN : TS_BEFORE_ATTENTION),
                  behind = ts_norm_at(norms, block ? TS_BEHIND_FFN : TS_BEHIND_ATTENTION);
        const ts_norm *norm[] = {NULL, &layer->norm1, &layer->norm2};
        const char *in = before ? write_norm_on(w, norm[before], x) : x, *sum = new_name(w);
        const char *y = block ? write_linear(w, &layer->ffn2, write_act(w, w->enc->act, write_linear(w, &layer->ffn1, in)))
                              : write_attention(w, layer, in);
        model_node(&w->m, ts_printf(w->m.arena, "Add %s,%s %s", x, y, sum));
        x = behind ? write_norm_on(w, norm[behind], sum) : sum;
    }
    return x;
}

static inline const char *write_mlp(onnx_writer *w, const ts_mlp *mlp, const char *x)
{
    for (int i = 0; i < mlp->count; i++)
        x = write_act(w, mlp->act[i], write_linear(w, &mlp->lin[i], x));
    return x;
}

/* Input "hits" [batch, n, features], output "results" [batch, n, outputs]; without pooling. */
static inline pb onnx_encoder(ts_arena *arena, const ts_encoder *enc, const onnx_style *style)
{
    onnx_writer w = {.m = model_new(arena, style->opset), .enc = enc, .style = style};
    CHECK(enc->pool == TS_POOL_NONE);
    if (style->domain)
        model_domain(&w.m, style->domain, 1);
    const char *word[16], *pair[2];
    const int constants = style->constant ? split(arena, style->constant, ';', word, 16) : 0;
    for (int i = 0; i < constants; i++) {
        CHECK(split(arena, word[i], ' ', pair, 2) == 2);
        const float value = strtof(pair[1], NULL);
        model_floats(&w.m, pair[0], "", &value);
    }
    model_ints(&w.m, "last", "-1");
    model_input(&w.m, "hits", 1, ts_printf(arena, "batch,n,%d", enc->features));
    const char *x = write_mlp(&w, &enc->embed, "hits");
    for (int i = 0; i < enc->layers; i++)
        x = write_layer(&w, &enc->layer[i], x);
    if (enc->has_final_norm)
        x = write_norm_on(&w, &enc->final_norm, x);
    x = write_mlp(&w, &enc->head, x);
    model_node(&w.m, ts_printf(arena, "Identity %s results", x));
    model_output(&w.m, "results");
    return model_bytes(&w.m);
}

#endif
