/* The model as constants: one array a tensor, and a descriptor for each stage. Arrays have the narrowest type that holds them. */
#include <stdarg.h>

#include "export/text.h"
#include "num/fixed.h"

static int64_t half(int shift)
{
    return shift > 0 ? (int64_t)1 << (shift - 1) : 0;
}

const char *ts_linear_form_name(ts_linear_form form)
{
    static const char *const names[] = {[TS_WEIGHTS_8] = "8", [TS_WEIGHTS_16] = "16", [TS_SUMS_64] = "64"};
    return names[form];
}

/* ---- Arrays */

typedef struct array {
    FILE *f;
    int column;
} array;

static array begin(FILE *f, const char *type, size_t count, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static array begin(FILE *f, const char *type, size_t count, const char *fmt, ...)
{
    va_list ap;
    fprintf(f, "static const %s ", type);
    va_start(ap, fmt);
    vfprintf(f, fmt, ap);
    va_end(ap);
    fprintf(f, "[%zu] = {", count);
    return (array){f, 0};
}

static void number(array *a, int64_t value)
{
    enum { WIDTH = 130 };
    if (a->column == 0 || a->column > WIDTH)
        a->column = fprintf(a->f, "%s\n    ", a->column ? "," : "") - 1;
    else
        a->column += fprintf(a->f, ", ");
    a->column += fprintf(a->f, "%lld", (long long)value);
}

static void end(const array *a)
{
    fprintf(a->f, "\n};\n");
}

/* ---- Linears */

/* Shifts of channels become factors: (x * m) >> (s2 + e) is (x * (m << (most - e))) >> (s2 + most), bit for bit. */
static int most_e(const ts_rq *rq)
{
    int most = 0;
    for (int c = 0; c < rq->count; c++)
        most = rq->e[c] > most ? rq->e[c] : most;
    return most;
}

static void multipliers(FILE *f, const char *name, const ts_rq *rq)
{
    const int most = most_e(rq);
    array a = begin(f, "int32_t", (size_t)rq->count, "%s_m", name);
    for (int c = 0; c < rq->count; c++)
        number(&a, rq->m[c] * ((int64_t)1 << (most - rq->e[c])));
    end(&a);
}

static void linear_arrays(FILE *f, const char *name, const ts_ilin *lin, ts_linear_form form)
{
    const int in = form == TS_SUMS_64 ? lin->in : ts_export_padded(lin->in, TS_EXPORT_PADDING);
    fprintf(f, "\n/* %d -> %d, weights of %d bits */\n", lin->in, lin->out, lin->w_bits);
    array a = begin(f, form == TS_WEIGHTS_8 ? "int8_t" : "int16_t", (size_t)in * (size_t)lin->out, "%s_w", name);
    for (int o = 0; o < lin->out; o++)
        for (int i = 0; i < in; i++)
            number(&a, i < lin->in ? lin->w[(size_t)o * (size_t)lin->in + (size_t)i] : 0);
    end(&a);
    a = begin(f, form == TS_SUMS_64 ? "int64_t" : "int32_t", (size_t)lin->out, "%s_bias", name);
    for (int o = 0; o < lin->out; o++)
        number(&a, lin->bias[o] + half(lin->rq.s1));
    end(&a);
    multipliers(f, name, &lin->rq);
}

static void linear_value(FILE *f, const char *name, const ts_ilin *lin)
{
    fprintf(f, "{%s_w, %s_bias, %d}", name, name, lin->rq.s1);
}

/* Of outputs from `first` on, in a format. */
static void scaling_value(FILE *f, const char *name, const ts_rq *rq, int first, ts_fmt fmt)
{
    const int64_t most = ts_fmt_max(fmt.bits, fmt.is_signed);
    fprintf(f, "{%s_m", name);
    if (first)
        fprintf(f, " + %d", first);
    fprintf(f, ", %d, %lld, %lld}", rq->s2 + most_e(rq), (long long)(fmt.is_signed ? -most : 0), (long long)most);
}

static void table_array(FILE *f, const char *name, const ts_ilin *lin)
{
    if (!lin->table)
        return;
    const int limit = (int)ts_fmt_max(lin->rq.out.bits, true);
    fprintf(f, "\n/* %s, from -%d to %d */\n", ts_act_name(lin->act), limit, limit);
    array a = begin(f, "table_entry", 2 * (size_t)limit + 1, "%s_table", name);
    for (int x = -limit; x <= limit; x++)
        number(&a, lin->table[x & ((1 << lin->rq.out.bits) - 1)]);
    end(&a);
}

/* A linear that stands alone: its descriptors, and its table. */
static void lone_linear(FILE *f, const char *name, const ts_ilin *lin, ts_linear_form form)
{
    linear_arrays(f, name, lin, form);
    table_array(f, name, lin);
    fprintf(f, "static const linear%s %s = ", ts_linear_form_name(form), name);
    linear_value(f, name, lin);
    fprintf(f, ";\nstatic const scaling %s_out = ", name);
    scaling_value(f, name, &lin->rq, 0, lin->rq.out);
    fprintf(f, ";\n");
}

/* ---- Stage inputs, norms */

static void rescaling_arrays(FILE *f, const char *name, const ts_rq *rq)
{
    const int most = most_e(rq);
    fprintf(f, "\n");
    multipliers(f, name, rq);
    array a = begin(f, "int64_t", (size_t)rq->count, "%s_b", name);
    for (int c = 0; c < rq->count; c++)
        number(&a, (rq->b ? rq->b[c] : 0) * ((int64_t)1 << (most - rq->e[c])) + half(rq->s2 + most));
    end(&a);
}

static void rescaling_value(FILE *f, const char *name, const ts_rq *rq)
{
    fprintf(f, "{%s_m, %s_b, %d, %d, %lld}", name, name, rq->s1, rq->s2 + most_e(rq), (long long)ts_fmt_max(rq->out.bits, true));
}

static void norm_arrays(FILE *f, const char *name, const ts_inorm *norm, int channels)
{
    fprintf(f, "\n");
    array a = begin(f, "int32_t", (size_t)channels, "%s_gain", name);
    for (int c = 0; c < channels; c++)
        number(&a, norm->gain[c]);
    end(&a);
    a = begin(f, "int64_t", (size_t)channels, "%s_bias", name);
    for (int c = 0; c < channels; c++)
        number(&a, norm->bias[c] + half(norm->y_shift));
    end(&a);
}

static void norm_value(FILE *f, const char *name, const ts_inorm *norm)
{
    fprintf(f, "{%d, %d, %d, %lluu, %s_gain, %s_bias, %lld}", ts_norm_centred(norm->kind), norm->t_shift, norm->y_shift,
            (unsigned long long)norm->eps, name, name, (long long)ts_fmt_max(norm->y.bits, true));
}

/* ---- Blocks. Each is written twice: its arrays, and its descriptor. */

typedef struct block {
    FILE *f;
    const ts_export_text *t;
    int layer;
    bool values; /* the descriptor's members, and not the arrays */
} block;

static const char *name_in(const block *b, const char *part)
{
    return ts_printf(b->t->arena, "layer%d_%s", b->layer, part);
}

static void block_norm(const block *b, const char *part, const ts_inorm *norm, int channels)
{
    if (!b->values) {
        norm_arrays(b->f, name_in(b, part), norm, channels);
        return;
    }
    fprintf(b->f, "        ");
    norm_value(b->f, name_in(b, part), norm);
    fprintf(b->f, ",\n");
}

static void block_rescaling(const block *b, const char *part, const ts_rq *rq)
{
    if (!b->values) {
        rescaling_arrays(b->f, name_in(b, part), rq);
        return;
    }
    fprintf(b->f, "        ");
    rescaling_value(b->f, name_in(b, part), rq);
    fprintf(b->f, ",\n");
}

static void block_linear(const block *b, const char *part, const ts_ilin *lin, ts_linear_form form)
{
    if (!b->values) {
        linear_arrays(b->f, name_in(b, part), lin, form);
        return;
    }
    fprintf(b->f, "        ");
    linear_value(b->f, name_in(b, part), lin);
    fprintf(b->f, ",\n        ");
}

static void block_scaling(const block *b, const char *part, const ts_rq *rq, int first, ts_fmt fmt, const char *behind)
{
    if (!b->values)
        return;
    scaling_value(b->f, name_in(b, part), rq, first, fmt);
    fprintf(b->f, "%s", behind);
}

static const ts_inorm *norm_at(const ts_imodel *im, int l, ts_norm_place place)
{
    const int which = ts_norm_at(im->norms, place);
    return which == 1 ? &im->layer[l].norm1 : which == 2 ? &im->layer[l].norm2 : NULL;
}

static void attention_block(const block *b)
{
    const ts_export_form *form = b->t->form;
    const ts_imodel *im = form->im;
    const ts_ilayer *layer = &im->layer[b->layer];
    const int inner = im->heads * im->d_head;
    const ts_inorm *before = norm_at(im, b->layer, TS_BEFORE_ATTENTION), *behind = norm_at(im, b->layer, TS_BEHIND_ATTENTION);
    if (before)
        block_norm(b, "before_attention", before, im->d);
    if (b->layer == 0 && im->fused_qkv0) { /* what qkv0 stands for */
        if (b->values && form->project)
            fprintf(b->f,
                    "        {NULL, NULL, 0, 0, 0},\n        {NULL, NULL, 0},\n        {{NULL, 0, 0, 0}, {NULL, 0, 0, 0}, {NULL, 0, 0, "
                    "0}},\n");
    } else {
        block_rescaling(b, "qkv_in", &layer->qkv_in);
        block_linear(b, "qkv", &layer->qkv, form->qkv);
        for (int part = 0; part < 3; part++) {
            if (b->values && part == 0)
                fprintf(b->f, "{");
            block_scaling(b, "qkv", &layer->qkv.rq, part * inner, ts_imodel_qkv_fmt(im, layer, part), part < 2 ? ", " : "},\n");
        }
    }
    if (im->qk_norm) {
        block_norm(b, "q_norm", &layer->q_norm, inner);
        block_norm(b, "k_norm", &layer->k_norm, inner);
    }
    if (b->values) {
        fprintf(b->f, "        %s, %d, %lld,\n", name_in(b, "score_shift"), im->ctx_shift + layer->ctx_e,
                (long long)ts_fmt_max(layer->ctx.bits, true));
    } else {
        fprintf(b->f, "\n");
        array a = begin(b->f, "unsigned char", (size_t)im->heads, "layer%d_score_shift", b->layer);
        for (int h = 0; h < im->heads; h++)
            number(&a, im->score_shift + layer->score_e[h]);
        end(&a);
    }
    block_linear(b, "o", &layer->o, form->o);
    block_scaling(b, "o", &layer->o.rq, 0, layer->o.rq.out, ",\n");
    if (behind)
        block_norm(b, "behind_attention", behind, im->d);
}

static void ffn_block(const block *b)
{
    const ts_export_form *form = b->t->form;
    const ts_imodel *im = form->im;
    const ts_ilayer *layer = &im->layer[b->layer];
    const ts_inorm *before = norm_at(im, b->layer, TS_BEFORE_FFN), *behind = norm_at(im, b->layer, TS_BEHIND_FFN);
    if (before)
        block_norm(b, "before_ffn", before, im->d);
    block_rescaling(b, "ffn_in", &layer->ffn_in);
    block_linear(b, "ffn1", &layer->ffn1, form->ffn1);
    block_scaling(b, "ffn1", &layer->ffn1.rq, 0, layer->ffn1.rq.out, ",\n");
    block_linear(b, "ffn2", &layer->ffn2, form->ffn2);
    block_scaling(b, "ffn2", &layer->ffn2.rq, 0, layer->ffn2.rq.out, ",\n");
    if (behind)
        block_norm(b, "behind_ffn", behind, im->d);
}

static void attention_type(FILE *f, const ts_export_form *form)
{
    const ts_imodel *im = form->im;
    fprintf(f, "\ntypedef struct attention_block {\n");
    if (ts_norm_at(im->norms, TS_BEFORE_ATTENTION))
        fprintf(f, "    norm before;\n");
    if (form->project)
        fprintf(f, "    rescaling qkv_in;\n    linear%s qkv;\n    scaling qkv_out[3]; /* q, k, v */\n", ts_linear_form_name(form->qkv));
    if (im->qk_norm)
        fprintf(f, "    norm q_norm, k_norm;\n");
    fprintf(f,
            "    const unsigned char *score_shift; /* [HEADS] */\n    int ctx_shift;\n    int32_t ctx_limit;\n"
            "    linear%s o;\n    scaling o_out;\n",
            ts_linear_form_name(form->o));
    if (ts_norm_at(im->norms, TS_BEHIND_ATTENTION))
        fprintf(f, "    norm behind;\n");
    fprintf(f, "} attention_block;\n");
}

static void ffn_type(FILE *f, const ts_export_form *form)
{
    const ts_imodel *im = form->im;
    fprintf(f, "\ntypedef struct ffn_block {\n");
    if (ts_norm_at(im->norms, TS_BEFORE_FFN))
        fprintf(f, "    norm before;\n");
    fprintf(f, "    rescaling in;\n    linear%s ffn1;\n    scaling ffn1_out;\n    linear%s ffn2;\n    scaling ffn2_out;\n",
            ts_linear_form_name(form->ffn1), ts_linear_form_name(form->ffn2));
    if (ts_norm_at(im->norms, TS_BEHIND_FFN))
        fprintf(f, "    norm behind;\n");
    fprintf(f, "} ffn_block;\n");
}

static void layer_tables(FILE *f, const ts_export_text *t)
{
    const ts_export_form *form = t->form;
    const ts_imodel *im = form->im;
    for (int l = 0; l < im->layers; l++) {
        const block b = {f, t, l, false};
        fprintf(f, "\n/* ---- Layer %d */\n", l);
        if (ts_imodel_has_attention(im, l))
            attention_block(&b);
        if (ts_imodel_has_ffn(im, l))
            ffn_block(&b);
    }
    if (form->ffn)
        table_array(f, "ffn", &im->layer[0].ffn1);
    for (int kind = 0; kind < 2; kind++) {
        if (!(kind ? form->ffn : form->attention))
            continue;
        (kind ? ffn_type : attention_type)(f, form);
        fprintf(f, "\nstatic const %s_block %s_blocks[%d] = {\n", kind ? "ffn" : "attention", kind ? "ffn" : "attention",
                kind ? form->ffn_blocks : form->attention_blocks);
        for (int l = 0; l < im->layers; l++) {
            if (!(kind ? ts_imodel_has_ffn(im, l) : ts_imodel_has_attention(im, l)))
                continue;
            const block b = {f, t, l, true};
            fprintf(f, "    {   /* layer %d */\n", l);
            (kind ? ffn_block : attention_block)(&b);
            fprintf(f, "    },\n");
        }
        fprintf(f, "};\n");
    }
}

/* ---- Ends */

static void mlp_tables(FILE *f, const ts_export_text *t, const char *what, const ts_ilin *lin, int count, const ts_linear_form *form)
{
    for (int i = 0; i < count; i++)
        lone_linear(f, ts_printf(t->arena, "%s%d", what, i), &lin[i], form[i]);
}

static void fused_tables(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    const ts_ilin *lin = &im->qkv0;
    const int inner = im->heads * im->d_head;
    fprintf(f, "\n/* q, k and v of layer 0 straight from what the embedding's last linear reads */\n");
    linear_arrays(f, "qkv0", lin, t->form->qkv0);
    fprintf(f, "static const linear%s qkv0 = ", ts_linear_form_name(t->form->qkv0));
    linear_value(f, "qkv0", lin);
    fprintf(f, ";\nstatic const scaling qkv0_out[3] = {\n");
    for (int part = 0; part < 3; part++) {
        fprintf(f, "    ");
        scaling_value(f, "qkv0", &lin->rq, part * inner, ts_imodel_qkv_fmt(im, &im->layer[0], part));
        fprintf(f, ",\n");
    }
    fprintf(f, "};\n");
}

static void doubles(FILE *f, const char *name, const char *what, int count, const double *value)
{
    fprintf(f, "\n/* %s */\nstatic const double %s[%d] = {", what, name, count);
    for (int i = 0; i < count; i++)
        fprintf(f, "%s%.17g", i == 0 ? "\n    " : i % 5 ? ", " : ",\n    ", value[i]);
    fprintf(f, "\n};\n");
}

static void exp2_table(FILE *f, const ts_export_form *form)
{
    const ts_imodel *im = form->im;
    fprintf(f, "\n/* (2^%d - 1) * 2^(-x / 2^%d), rounded */\n", im->p_bits, im->frac_bits);
    array a = begin(f, form->narrow ? "int16_t" : "int32_t", (size_t)form->exp2_end + 1, "exp2_of");
    for (int x = 0; x <= form->exp2_end; x++)
        number(&a, ts_exp2_neg((uint32_t)x, im->exp2, im->frac_bits));
    end(&a);
}

void ts_export_tables(FILE *f, const ts_export_text *t)
{
    const ts_imodel *im = t->form->im;
    mlp_tables(f, t, "embed", im->embed, im->embed_count, t->form->embed);
    if (im->fused_qkv0)
        fused_tables(f, t);
    layer_tables(f, t);
    if (im->has_final_norm) {
        norm_arrays(f, "final_norm", &im->final_norm, im->d);
        fprintf(f, "static const norm final_norm = ");
        norm_value(f, "final_norm", &im->final_norm);
        fprintf(f, ";\n");
    }
    if (im->head_count > 0) {
        rescaling_arrays(f, "head_in", &im->head_in);
        fprintf(f, "static const rescaling head_in = ");
        rescaling_value(f, "head_in", &im->head_in);
        fprintf(f, ";\n");
    }
    mlp_tables(f, t, "head", im->head, im->head_count, t->form->head);
    if (t->form->attention)
        exp2_table(f, t->form);
    if (t->model->inputs) {
        doubles(f, "mean", "Standardised values are (value - mean) / deviation.", im->features, t->model->inputs->mean);
        doubles(f, "deviation", "", im->features, t->model->inputs->std);
    }
    doubles(f, "input_unit", "What one unit of an input word stands for", im->features, im->in_scale);
    doubles(f, "output_unit", "What one unit of an output word stands for", im->outputs, ts_imodel_out_scale(im));
}
