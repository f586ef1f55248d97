/* What runs the stages in their order, made for the model: the forward pass of emu/forward.c, ROWS tokens at a time. */
#include "export/text.h"
#include "num/fixed.h"

/* A linear from one buffer to another. */
static void linear(FILE *f, ts_linear_form form, const char *stage, const char *scaling, const char *in, const char *out, const char *from,
                   const char *to)
{
    fprintf(f, "    sums%s(&%s, %s, %s, %s, w);\n    finish(&%s, %s, w->sum, %s, %s);\n", ts_linear_form_name(form), stage, in, out, from,
            scaling, out, to, out);
}

static void look_up(FILE *f, const ts_ilin *lin, const char *table, const char *width, const char *values)
{
    if (lin->table)
        fprintf(f, "    look_up(ROWS * %s, %s_table, %lld, %s);\n", width, table, (long long)ts_fmt_max(lin->rq.out.bits, true), values);
}

/* Embedding or head, from `from` to `to`; returns what its last linear reads. */
static const char *mlp(FILE *f, const ts_export_text *t, const char *what, const ts_ilin *lin, int count, const ts_linear_form *form,
                       const char *from, const char *to)
{
    ts_arena *arena = t->arena;
    for (int i = 0; i < count; i++) {
        const char *name = ts_printf(arena, "%s%d", what, i),
                   *next = i == count - 1 ? to
                           : i            ? "w->hidden1"
                                          : "w->hidden0",
                   *width = ts_printf(arena, "%d", lin[i].out);
        linear(f, form[i], name, ts_printf(arena, "%s_out", name), ts_printf(arena, "%d", lin[i].in), width, from, next);
        look_up(f, &lin[i], name, width, next);
        if (i < count - 1)
            from = next;
    }
    return from;
}

/* Behind the sums of q, k and v. */
static void finish_qkv(FILE *f, const ts_imodel *im, const char *scaling, const char *block)
{
    fprintf(f,
            "    for (part = 0; part < 3; part++)\n        finish(&%s[part], INNER, w->sum + part * INNER * ROWS, w->qkv + part * INNER, "
            "3 * INNER);\n",
            scaling);
    if (im->qk_norm)
        fprintf(f, "    normalise_heads(&%s->q_norm, %d, 0, w->qkv);\n    normalise_heads(&%s->k_norm, %d, 1, w->qkv);\n", block,
                im->qk_norm, block, im->qk_norm);
    fprintf(f, "    keep(first, w->qkv, w);\n");
}

static void embed(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    const char *to = "w->x + first * D", *block = "(&attention_blocks[0])";
    fprintf(f,
            "\n/* Input words of tokens from `first` on become the residual stream%s. Behind the event's last token there are zeros. */\n",
            im->fused_qkv0 ? ", and q, k and v of layer 0" : "");
    fprintf(f, "static void embed(const int32_t *words, int first, int count, workspace *w)\n{\n");
    fprintf(f, "    const int rows = count - first < ROWS ? count - first : ROWS;\n    int i;\n");
    if (im->embed_count > 0)
        fprintf(f, "    int32_t *in = w->in;\n");
    else
        fprintf(f, "    int32_t *in = %s;\n", to);
    if (im->fused_qkv0)
        fprintf(f, "    int part;\n");
    fprintf(f, "    for (i = 0; i < ROWS * FEATURES; i++)\n        in[i] = i < rows * FEATURES ? words[first * FEATURES + i] : 0;\n");
    if (im->embed_count > 0) {
        const char *last = mlp(f, t, "embed", im->embed, im->embed_count, t->form->embed, "in", to);
        if (im->fused_qkv0) {
            fprintf(f, "    sums%s(&qkv0, %d, 3 * INNER, %s, w);\n", ts_linear_form_name(t->form->qkv0), im->qkv0.in, last);
            finish_qkv(f, im, "qkv0_out", block);
        }
    }
    fprintf(f, "}\n");
}

static void project(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    const bool norm = ts_norm_at(im->norms, TS_BEFORE_ATTENTION) != 0;
    if (!t->form->project)
        return;
    fprintf(f, "\n/* q, k and v of ROWS tokens. */\nstatic void project(const attention_block *f, int first, workspace *w)\n{\n");
    fprintf(f, "    const int32_t *x = w->x + first * D;\n    int part;\n");
    if (norm)
        fprintf(f, "    normalise_rows(&f->before, x, w->branch);\n    x = w->branch;\n");
    fprintf(f, "    rescale(&f->qkv_in, x, w->stage);\n    sums%s(&f->qkv, D, 3 * INNER, w->stage, w);\n",
            ts_linear_form_name(t->form->qkv));
    finish_qkv(f, im, "f->qkv_out", "f");
    fprintf(f, "}\n");
}

static void attend(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    if (!t->form->attention)
        return;
    fprintf(f, "\n/* Attention of ROWS tokens, and what it adds to the residual stream. */\n"
               "static void attend(const attention_block *f, int first, int count, workspace *w)\n{\n"
               "    int32_t *x = w->x + first * D;\n    int row, i;\n"
               "    for (row = 0; row < ROWS; row++)\n"
               "        if (first + row < count)\n"
               "            attend_one(first + row, count, f->score_shift, f->ctx_shift, f->ctx_limit, w->context + row * INNER, w);\n"
               "        else\n"
               "            for (i = 0; i < INNER; i++)\n"
               "                w->context[row * INNER + i] = 0;\n");
    linear(f, t->form->o, "f->o", "f->o_out", "INNER", "D", "w->context", "w->branch");
    fprintf(f, "    add_branch(w->branch, x);\n");
    if (ts_norm_at(im->norms, TS_BEHIND_ATTENTION))
        fprintf(f, "    normalise_rows(&f->behind, x, x);\n");
    fprintf(f, "}\n");
}

static void feed_forward(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    const bool norm = ts_norm_at(im->norms, TS_BEFORE_FFN) != 0;
    if (!t->form->ffn)
        return;
    fprintf(f, "\nstatic void feed_forward(const ffn_block *f, int first, workspace *w)\n{\n    int32_t *x = w->x + first * D;\n");
    if (norm)
        fprintf(f, "    normalise_rows(&f->before, x, w->branch);\n");
    fprintf(f, "    rescale(&f->in, %s, w->stage);\n", norm ? "w->branch" : "x");
    linear(f, t->form->ffn1, "f->ffn1", "f->ffn1_out", "D", "FF", "w->stage", "w->hidden0");
    look_up(f, &im->layer[0].ffn1, "ffn", "FF", "w->hidden0");
    linear(f, t->form->ffn2, "f->ffn2", "f->ffn2_out", "FF", "D", "w->hidden0", "w->branch");
    fprintf(f, "    add_branch(w->branch, x);\n");
    if (ts_norm_at(im->norms, TS_BEHIND_FFN))
        fprintf(f, "    normalise_rows(&f->behind, x, x);\n");
    fprintf(f, "}\n");
}

static void head(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    fprintf(f, "\n/* Results of rows from `first` on, as words and as real values, where they are wanted. */\n"
               "static void give(const int32_t *x, int first, int count, int32_t *results, double *reals, workspace *w)\n{\n"
               "    const int rows = count - first < ROWS ? count - first : ROWS;\n    int i;\n");
    if (im->head_count > 0) {
        fprintf(f, "    rescale(&head_in, x, w->stage);\n");
        mlp(f, t, "head", im->head, im->head_count, t->form->head, "w->stage", "w->out");
        fprintf(f, "    x = w->out;\n");
    } else {
        fprintf(f, "    (void)w;\n");
    }
    fprintf(f, "    for (i = 0; i < rows * OUTPUTS; i++) {\n"
               "        if (results)\n            results[first * OUTPUTS + i] = x[i];\n"
               "        if (reals)\n            reals[first * OUTPUTS + i] = x[i] * output_unit[i %% OUTPUTS];\n    }\n}\n");
}

static void run(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    fprintf(f, "\nstatic void run(const int32_t *words, int count, int32_t *results, double *reals, workspace *w)\n{\n    int first, l;\n"
               "    for (first = 0; first < count; first += ROWS)\n        embed(words, first, count, w);\n"
               "    for (l = 0; l < LAYERS; l++) {\n");
    if (t->form->attention) {
        const char *indent = im->starts_in_ffn ? "    " : "", *index = im->starts_in_ffn ? "l - 1" : "l";
        if (im->starts_in_ffn)
            fprintf(f, "        if (l > 0) { /* layer 0 has no attention here */\n");
        if (t->form->project)
            fprintf(f,
                    "%s        for (first = 0; first < count%s; first += ROWS)\n%s            project(&attention_blocks[%s], first, w);\n",
                    indent, im->fused_qkv0 ? " && l > 0" : "", indent, index);
        if (t->form->narrow)
            fprintf(f, "%s        fill_up(count, w);\n", indent);
        fprintf(f,
                "%s        for (first = 0; first < count; first += ROWS)\n%s            attend(&attention_blocks[%s], first, count, w);\n",
                indent, indent, index);
        if (im->starts_in_ffn)
            fprintf(f, "        }\n");
    }
    if (t->form->ffn) {
        if (im->ends_in_attention)
            fprintf(f, "        for (first = 0; first < count && l < LAYERS - 1; first += ROWS) /* the last layer has no FFN here */\n");
        else
            fprintf(f, "        for (first = 0; first < count; first += ROWS)\n");
        fprintf(f, "            feed_forward(&ffn_blocks[l], first, w);\n");
    }
    fprintf(f, "    }\n");
    if (im->has_final_norm)
        fprintf(f,
                "    for (first = 0; first < count; first += ROWS)\n        normalise_rows(&final_norm, w->x + first * D, w->x + first * "
                "D);\n");
    if (im->pool != TS_POOL_NONE)
        fprintf(f, "    pool(%sw->x, w->branch);\n    give(w->branch, 0, 1, results, reals, w);\n",
                im->pool == TS_POOL_FIRST ? "" : "count, ");
    else
        fprintf(f, "    for (first = 0; first < count; first += ROWS)\n        give(w->x + first * D, first, count, results, reals, w);\n");
    fprintf(f, "}\n");
}

/* ---- The calls of the header */

static void convert(FILE *f, const ts_export_text *t)
{
    const char *name = t->name, *upper = t->upper;
    fprintf(f, "\nint %s_words_of(const double *hits, int count, int32_t *words)\n{\n", name);
    fprintf(f, "    int i, c;\n    for (i = 0; i < count; i++)\n        for (c = 0; c < FEATURES; c++, hits++, words++) {\n");
    fprintf(f, "            const double value = %s;\n", t->model->inputs ? "(*hits - mean[c]) / deviation[c]" : "*hits");
    fprintf(f, "            if (!is_single(*hits) || !is_single(value))\n                return %s_BAD_VALUE;\n", upper);
    fprintf(f, "            *words = to_word((float)value, input_unit[c]);\n        }\n    return %s_OK;\n}\n", upper);
    fprintf(f, "\nint %s_words_of_standardised(const float *values, int count, int32_t *words)\n{\n", name);
    fprintf(f, "    int i, c;\n    for (i = 0; i < count; i++)\n        for (c = 0; c < FEATURES; c++, values++, words++) {\n");
    fprintf(f, "            if (!is_single((double)*values))\n                return %s_BAD_VALUE;\n", upper);
    fprintf(f, "            *words = to_word(*values, input_unit[c]);\n        }\n    return %s_OK;\n}\n", upper);
    fprintf(f, "\nvoid %s_reals_of(const int32_t *results, int rows, double *reals)\n{\n    int i, o;\n", name);
    fprintf(
        f,
        "    for (i = 0; i < rows; i++)\n        for (o = 0; o < OUTPUTS; o++)\n            *reals++ = *results++ * output_unit[o];\n}\n");
}

static void calls(FILE *f, const ts_export_text *t)
{
    const char *name = t->name, *upper = t->upper;
    fprintf(f, "\nint %s_run_words(const int32_t *words, int count, int32_t *results, %s_workspace *w)\n{\n    int i;\n", name, name);
    fprintf(f, "    if (count < 1)\n        return %s_NO_HITS;\n    if (count > MAX_HITS)\n        return %s_TOO_MANY_HITS;\n", upper,
            upper);
    fprintf(f,
            "    for (i = 0; i < count * FEATURES; i++)\n        if (words[i] < -INPUT || words[i] > INPUT)\n            return "
            "%s_BAD_VALUE;\n",
            upper);
    fprintf(f, "    run(words, count, results, NULL, w);\n    return %s_OK;\n}\n", upper);
    fprintf(f, "\nint %s_run(const double *hits, int count, double *results, %s_workspace *w)\n{\n    int code;\n", name, name);
    fprintf(f, "    if (count < 1)\n        return %s_NO_HITS;\n    if (count > MAX_HITS)\n        return %s_TOO_MANY_HITS;\n", upper,
            upper);
    fprintf(f,
            "    code = %s_words_of(hits, count, w->words);\n    if (code == %s_OK)\n        run(w->words, count, NULL, results, w);\n"
            "    return code;\n}\n",
            name, upper);
    if (t->form->im->classifier)
        fprintf(f,
                "\nint %s_class(const int32_t *result)\n{\n    int best = 0, o;\n    for (o = 1; o < OUTPUTS; o++)\n"
                "        if (result[o] > result[best])\n            best = o;\n    return best;\n}\n",
                name);
    fprintf(f,
            "\nconst char *%s_message(int code)\n{\n    switch (code) {\n    case %s_OK:\n        return \"done\";\n    case %s_NO_HITS:\n"
            "        return \"an event has at least one hit\";\n    case %s_TOO_MANY_HITS:\n        return \"more hits than the hardware "
            "takes\";\n"
            "    case %s_BAD_VALUE:\n        return \"a value is not a finite number, or a word is outside of its format\";\n    default:\n"
            "        return \"no such code\";\n    }\n}\n",
            name, upper, upper, upper, upper);
    fprintf(f, "\nsize_t %s_workspace_bytes(void)\n{\n    return sizeof(%s_workspace);\n}\n", name, name);
}

void ts_export_stages(FILE *f, const ts_export_text *t)
{
    fprintf(f, "\n/* ---- The model, ROWS tokens at a time */\n");
    embed(f, t);
    project(f, t);
    attend(f, t);
    feed_forward(f, t);
    head(f, t);
    run(f, t);
    fprintf(f, "\n/* ---- What the header declares */\n");
    convert(f, t);
    calls(f, t);
}
