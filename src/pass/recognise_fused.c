/* Operators that onnxruntime's optimiser makes of several others. */
#include <math.h>

#include "op/op.h"
#include "pass/recognise_value.h"

static const rec_val *operand(rec *r, const ts_node *node, int slot)
{
    const ts_value *in = ts_in(node, slot);
    if (!in || in->constant || !r->val[in->id]) {
        ts_rec_fail(r, node, "input %d must be a value of the hits", slot);
        return NULL;
    }
    return r->val[in->id];
}

static bool constant(rec *r, const ts_node *node, int slot, const ts_tensor **t)
{
    const ts_value *in = ts_in(node, slot);
    *t = in ? in->constant : NULL;
    return !in || in->constant || ts_rec_fail(r, node, "input %d must be constant", slot);
}

bool ts_rec_bias_gelu(rec *r, const ts_node *node)
{
    const ts_tensor *bias;
    const rec_val *v = operand(r, node, 0);
    if (!v || !constant(r, node, 1, &bias))
        return false;
    if (bias)
        v = ts_rec_shift(r, &node->out[0]->shape, v, bias, 1.0);
    v = v ? ts_rec_activation(r, v, ts_kind(node) == TS_OP_ms_FastGelu ? TS_ACT_GELU_TANH : TS_ACT_GELU_ERF) : NULL;
    r->val[node->out[0]->id] = v;
    return v != NULL;
}

/* out 0 = norm(in 0 + in 1 + bias), out 3 = the sum. SkipLayerNormalization has gain, beta, bias; SkipSimplifiedLayerNormalization, an
   RMS norm, has no beta. */
bool ts_rec_skip_norm(rec *r, const ts_node *node)
{
    const bool layer = ts_kind(node) == TS_OP_ms_SkipLayerNormalization;
    const ts_shape *shape = &node->out[0]->shape;
    const rec_val *x = operand(r, node, 0), *skip = x ? operand(r, node, 1) : NULL;
    const ts_tensor *gain, *beta = NULL, *bias;
    if (!skip || !constant(r, node, 2, &gain) || (layer && !constant(r, node, 3, &beta)) || !constant(r, node, layer ? 4 : 3, &bias))
        return false;
    const rec_val *sum = ts_rec_add(r, shape, x, skip, 1.0);
    if (sum && bias)
        sum = ts_rec_shift(r, shape, sum, bias, 1.0);
    if (!sum)
        return false;
    for (int i = 1; i < node->outs && i < 3; i++)
        if (node->out[i]->uses || node->out[i]->is_output)
            return ts_rec_fail(r, node, "its mean or deviation is used on its own, which no encoder does");
    const rec_val *norm = ts_rec_norm(r, sum, layer ? TS_NORM_LAYER : TS_NORM_RMS, (int)ts_layout_rows(&sum->layout), gain, beta,
                                      ts_attr_float(node, "epsilon", layer ? 1e-12 : 1e-5));
    if (!norm)
        return false;
    r->val[node->out[0]->id] = norm;
    if (node->outs > 3)
        r->val[node->out[3]->id] = sum;
    return true;
}

/* Scores of the given heads: [1][heads][n][n]. */
static const rec_val *score_of(rec *r, const ts_node *node, const rec_heads *h)
{
    ts_shape *shape = TS_NEW(r->arena, ts_shape);
    rec_val *score = TS_NEW(r->arena, rec_val);
    const ts_dim n = r->tokens ? ts_dim_of(r->tokens) : (ts_dim){{0, 1, 0}};
    *shape = (ts_shape){.rank = 4, .dim = {ts_dim_of(1), ts_dim_of(h->heads), n, n}};
    *score = (rec_val){.kind = VAL_SCORE, .shape = shape, .node = node, .q = h->q, .k = h->k, .heads = h->heads, .d_head = h->d_head};
    ts_layout_add(&score->layout, REC_CONST, h->heads);
    ts_layout_add(&score->layout, REC_TOKEN, 0);
    ts_layout_add(&score->layout, REC_KEY, 0);
    return score;
}

/* A score of the given heads, masked by inputs `mask_slot` (0 = padding) and `bias_slot` (added), attended: the node's output. */
static bool attend(rec *r, const ts_node *node, rec_heads *h, int mask_slot, int bias_slot)
{
    const ts_value *mask = ts_in(node, mask_slot), *bias = ts_in(node, bias_slot);
    const double masked = ts_attr_float(node, "mask_filter_value", -10000);
    const double scale = ts_attr_float(node, "scale", 0);
    const ts_dim n = r->tokens ? ts_dim_of(r->tokens) : (ts_dim){{0, 1, 0}};
    const rec_val *s = score_of(r, node, h);
    if (bias) {
        const rec_val *m = ts_mask_of(r, bias);
        if (!m)
            return ts_rec_fail(r, node, "input %d (score bias) is neither a padding mask nor constant; positional biases have no hardware",
                               bias_slot);
        const int hit = m->level[1] == 0;
        if (m->level[hit] != 0 || (m->level[1 - hit] != 0 && !(m->level[1 - hit] <= REC_DROP)))
            return ts_rec_fail(r, node, "input %d (score bias) must be 0 for hits and -infinity, or a large negative number, for padding",
                               bias_slot);
        if (m->level[1 - hit] != 0)
            s = ts_mask_score(r, s, m, 1 - hit);
    }
    if (s && mask) {
        const rec_val *m = ts_mask_of(r, mask);
        if (!m || m->shape->rank != 2 || !m->mask)
            return ts_rec_fail(r, node, "input %d (mask) must be a key-padding mask [batch, hits] that is an input of the model",
                               mask_slot);
        if ((m->level[0] == 0) == (m->level[1] == 0) || !(masked <= REC_DROP))
            return ts_rec_fail(
                r, node, "input %d (mask) must be 0 for padding and 1 for hits, and mask_filter_value a large negative number", mask_slot);
        ts_shape *wide = TS_NEW(r->arena, ts_shape); /* [1][n] -> [1][1][1][n] */
        *wide = (ts_shape){.rank = 4, .dim = {ts_dim_of(1), ts_dim_of(1), ts_dim_of(1), n}};
        m = ts_rec_reshape(r, m, wide);
        s = m ? ts_mask_score(r, s, m, m->level[1] == 0) : NULL;
    }
    if (!s)
        return false;
    if (s->mask && s->mask_axis != REC_KEY)
        return ts_rec_fail(r, node, "the mask leaves out queries instead of keys; use a key-padding mask");
    h->mask = s->mask;
    h->scale = scale != 0 ? scale : 1 / sqrt((double)h->d_head);
    const rec_base *base = ts_rec_attend(r, h);
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = (rec_val){.kind = VAL_LINEAR, .shape = &node->out[0]->shape, .node = node, .scale = 1.0, .form = ts_form_identity(r, base)};
    ts_layout_add(&out->layout, REC_TOKEN, 0);
    ts_layout_add(&out->layout, REC_CONST, base->width);
    r->val[node->out[0]->id] = out;
    return true;
}

bool ts_rec_fused_attention(rec *r, const ts_node *node)
{
    const rec_val *x = operand(r, node, 0);
    const ts_tensor *w, *bias;
    if (!x || !constant(r, node, 1, &w) || !constant(r, node, 2, &bias) || !(x = ts_rec_linear(r, x)))
        return false;
    const int in = (int)w->dim[0], total = (int)w->dim[1], heads = (int)ts_attr_int(node, "num_heads", 1);
    const ts_attr *sizes = ts_attr_find(node, "qkv_hidden_sizes");
    if (total % 3 != 0 || (sizes && sizes->i[2] != sizes->i[0]))
        return ts_rec_fail(r, node, "q, k and v must have the same width");
    const int inner = total / 3;
    const rec_base *base = ts_form_freeze(r, ts_form_scale(r, x->form, x->scale, NULL));
    const rec_form *part[3];
    for (int p = 0; p < 3; p++) {
        rec_form *f = TS_NEW(r->arena, rec_form);
        float *fw = TS_NEW_N(r->arena, float, (int64_t)inner *in), *fb = TS_NEW_N(r->arena, float, inner);
        for (int i = 0; i < inner; i++) {
            fb[i] = bias ? (float)ts_get_real(bias, p * inner + i) : 0.0F;
            for (int j = 0; j < in; j++)
                fw[(int64_t)i * in + j] = (float)ts_get_real(w, (int64_t)j * total + p * inner + i);
        }
        *f = (rec_form){.rows = inner, .terms = 1, .bias = fb, .node = node, .frozen = TS_NEW(r->arena, const rec_base *)};
        f->term[0] = (rec_term){.base = base, .w = fw};
        part[p] = f;
    }
    rec_heads h = {.q = part[0], .k = part[1], .v = part[2], .heads = heads, .d_head = inner / heads};
    return attend(r, node, &h, 3, 5);
}

/* q, k, v are three inputs, or interleaved head by head: q|k|v in the first one ([n][heads][3][width]), k|v in the second. */
bool ts_rec_multi_head_attention(rec *r, const ts_node *node)
{
    const int heads = (int)ts_attr_int(node, "num_heads", 1);
    const int given = ts_in(node, 2) ? 3 : ts_in(node, 1) ? 2 : 1;
    const ts_tensor *bias;
    const rec_form *part[3];
    int inner = 0;
    if (!constant(r, node, 3, &bias))
        return false;
    for (int p = 0; p < 3; p++) {
        const int slot = p < given ? p : given - 1;
        const int parts = given == 1 ? 3 : given == 2 && slot == 1 ? 2 : 1; /* that the operand holds */
        const rec_val *v = operand(r, node, slot);
        const rec_form *f = v ? ts_rec_form(r, v) : NULL;
        if (!f)
            return false;
        const int width = f->rows / parts / heads, first = slot == p && parts > 1 ? 0 : parts == 1 ? 0 : p - slot;
        int *row = TS_NEW_N(r->arena, int, heads *width);
        for (int h = 0; h < heads; h++)
            for (int i = 0; i < width; i++)
                row[h * width + i] = (h * parts + first) * width + i;
        if (p > 0 && heads * width != inner)
            return ts_rec_fail(r, node, "q, k and v must have the same width");
        inner = heads * width;
        f = ts_form_select(r, f, inner, row);
        if (bias) {
            double *by = TS_NEW_N(r->arena, double, inner);
            for (int i = 0; i < inner; i++)
                by[i] = ts_get_real(bias, p * inner + i);
            f = ts_form_shift(r, f, by);
        }
        part[p] = f;
    }
    rec_heads h = {.q = part[0], .k = part[1], .v = part[2], .heads = heads, .d_head = inner / heads};
    return attend(r, node, &h, 4, 5);
}

/* ONNX's own Attention: inputs [batch][heads][n][width], or [batch][n][heads * width] with the heads as attributes. */

enum { IN_MASK = 3, IN_PAST_KEY, IN_PAST_VALUE, IN_LENGTHS, OUT_PRESENT_KEY = 1, OUT_PRESENT_VALUE, OUT_SCORES };

static bool is_used(const ts_node *node, int k)
{
    return k < node->outs && node->out[k] && (node->out[k]->uses > 0 || node->out[k]->is_output);
}

/* What attention in a decoder has and an encoder does not. */
static bool check_extras(rec *r, const ts_node *node)
{
    if (ts_attr_int(node, "is_causal", 0))
        return ts_rec_fail(r, node,
                           "is_causal: each hit attends to those before it only; hits are a set, and causal masks have no hardware");
    if (ts_attr_float(node, "softcap", 0) != 0)
        return ts_rec_fail(r, node, "softcap: scores through a tanh have no hardware; train without it");
    if (ts_in(node, IN_PAST_KEY) || ts_in(node, IN_PAST_VALUE) || is_used(node, OUT_PRESENT_KEY) || is_used(node, OUT_PRESENT_VALUE))
        return ts_rec_fail(
            r, node, "keys and values of earlier calls (past_key, present_key) belong to decoders; export the encoder without a cache");
    if (ts_in(node, IN_LENGTHS))
        return ts_rec_fail(r, node,
                           "nonpad_kv_seqlen: padding is given as a number of hits; give it as a key-padding mask, or leave it out");
    return !is_used(node, OUT_SCORES) ||
           ts_rec_fail(r, node, "its scores are used on their own (output qk_matmul_output), which no encoder does");
}

/* Input `slot` as [heads * width] of each hit, head by head. */
static const rec_form *heads_of(rec *r, const ts_node *node, int slot, const char *attr, int *heads, int *width)
{
    const rec_val *v = operand(r, node, slot);
    rec_split split;
    if (!v || !(v = ts_rec_linear(r, v)) || !ts_rec_split(r, v, &split))
        return NULL;
    const int64_t rows = ts_layout_rows(&v->layout);
    const bool apart = split.rank == 4;
    bool ok = ts_layout_tokens(&v->layout) == 1;
    for (int i = 0; i < split.rank; i++)
        for (int j = split.start[i]; j < split.start[i + 1]; j++)
            ok &= (split.axes.axis[j].kind != REC_CONST) == (i == (apart ? 2 : 1));
    if (!ok) {
        ts_rec_fail(r, node, "input %d must have the hits in dimension %d and the channels of heads behind%s", slot, apart ? 2 : 1,
                    apart ? ", with the heads in front" : "");
        return NULL;
    }
    *heads = (int)(apart ? v->shape->dim[1].c[0] : ts_attr_int(node, attr, 1));
    *width = (int)(rows / *heads);
    return ts_form_scale(r, v->form, v->scale, NULL);
}

/* One of several query heads uses head h / (heads / kv) of keys and values. */
static const rec_form *repeat_heads(rec *r, const rec_form *f, int heads, int kv, int width)
{
    if (kv == heads)
        return f;
    int *row = TS_NEW_N(r->arena, int, heads *width);
    for (int h = 0; h < heads; h++)
        for (int i = 0; i < width; i++)
            row[h * width + i] = h / (heads / kv) * width + i;
    return ts_form_select(r, f, heads * width, row);
}

/* A mask that is boolean (true: a hit) or added; anything else but padding has no hardware. */
static const rec_val *mask_scores(rec *r, const ts_node *node, const rec_val *score, const ts_value *in)
{
    const rec_val *m = ts_mask_of(r, in);
    if (!m && in->constant)
        return in->dtype == TS_BOOL
                   ? (ts_rec_fail(r, node,
                                  "its mask '%s' is one for every pair of hits (causal, or a window), which has no hardware; "
                                  "use a key-padding mask",
                                  in->name),
                      NULL)
                   : ts_rec_shift(r, score->shape, score, in->constant, 1.0);
    if (!m) {
        ts_rec_fail(r, node, "its mask '%s' depends on more than which hits are padding: causal masks and position biases have no hardware",
                    in->name);
        return NULL;
    }
    const bool logical = in->dtype == TS_BOOL;
    const double hit = logical ? 1 : 0;
    if (m->level[0] == hit && m->level[1] == hit) {
        ts_mask_watch(r, m, hit);
        return score;
    }
    const int padding = m->level[0] == hit;
    if (!m->mask || m->level[1 - padding] != hit || !(logical ? m->level[padding] == 0 : m->level[padding] <= REC_DROP)) {
        ts_rec_fail(r, node, "its mask '%s' must be %s for hits and %s for padding", in->name, logical ? "true" : "0",
                    logical ? "false" : "-infinity, or a large negative number,");
        return NULL;
    }
    return ts_mask_score(r, score, m, padding);
}

bool ts_rec_attention(rec *r, const ts_node *node)
{
    rec_heads h = {.heads = 0};
    int heads[3], width[3];
    const rec_form *part[3];
    if (!check_extras(r, node))
        return false;
    for (int p = 0; p < 3; p++)
        if (!(part[p] = heads_of(r, node, p, p ? "kv_num_heads" : "q_num_heads", &heads[p], &width[p])))
            return false;
    if (width[0] != width[1] || width[0] != width[2])
        return ts_rec_fail(r, node, "heads are %d wide in the queries, %d in the keys and %d in the values; they must be the same",
                           width[0], width[1], width[2]);
    if (heads[1] != heads[2] || heads[0] % heads[1])
        return ts_rec_fail(r, node, "%d query heads do not share %d heads of keys and %d of values evenly", heads[0], heads[1], heads[2]);
    h = (rec_heads){.heads = heads[0], .d_head = width[0], .scale = ts_attr_float(node, "scale", 1 / sqrt((double)width[0])), .q = part[0]};
    h.k = repeat_heads(r, part[1], heads[0], heads[1], width[0]);
    h.v = repeat_heads(r, part[2], heads[0], heads[1], width[0]);
    const rec_val *score = score_of(r, node, &h);
    if (ts_in(node, IN_MASK) && !(score = mask_scores(r, node, score, ts_in(node, IN_MASK))))
        return false;
    if (score->mask && score->mask_axis != REC_KEY)
        return ts_rec_fail(r, node, "the mask leaves out queries instead of keys; use a key-padding mask [batch, 1, 1, hits]");
    h.mask = score->mask;
    const rec_base *base = ts_rec_attend(r, &h);
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = (rec_val){.kind = VAL_LINEAR, .shape = &node->out[0]->shape, .node = node, .scale = 1.0, .form = ts_form_identity(r, base)};
    if (out->shape->rank == 4)
        ts_layout_add(&out->layout, REC_CONST, h.heads);
    ts_layout_add(&out->layout, REC_TOKEN, 0);
    ts_layout_add(&out->layout, REC_CONST, out->shape->rank == 4 ? h.d_head : base->width);
    r->val[node->out[0]->id] = out;
    return true;
}
