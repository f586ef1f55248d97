/* ts_imodel_verify: every invariant that imodel.h, the emulator and the hardware rely on. */
#define TS_FAIL_CODE TS_DAMAGED
#include <math.h>
#include <string.h>

#include "num/fixed.h"
#include "quant/imodel.h"
#include "quant/stage.h"

enum { DIM_MAX = 1 << 16, LAYERS_MAX = 1 << 10, D_HEAD_MAX = 1024, TABLE_BITS_MAX = 14, SHIFT_MAX = 55 };

static bool same(ts_fmt a, ts_fmt b)
{
    return a.bits == b.bits && a.is_signed == b.is_signed;
}

static bool check_fmt(const char *name, ts_fmt f, int least, int most, ts_err *err)
{
    if (f.bits < least || f.bits > most)
        return ts_fail(err, "%s: a format of %d bits; %d to %d are possible", name, f.bits, least, most);
    return true;
}

static bool check_scales(const char *name, int count, const double *scale, const double *offset, ts_err *err)
{
    if (!scale)
        return ts_fail(err, "%s: no scales", name);
    for (int i = 0; i < count; i++)
        if (!isfinite(scale[i]) || scale[i] <= 0 || (offset && !isfinite(offset[i])))
            return ts_fail(err, "%s: scale or offset of channel %d is not usable", name, i);
    return true;
}

/* `bound`: largest magnitude that comes in. */
static bool check_rq(const char *name, const ts_rq *rq, int count, int64_t bound, ts_err *err)
{
    if (rq->count != count || !rq->m || !rq->e)
        return ts_fail(err, "%s: requantisation of %d channels instead of %d", name, rq->count, count);
    if (rq->s1 < 0 || rq->s1 > SHIFT_MAX || rq->s2 < 0 || rq->s2 > SHIFT_MAX)
        return ts_fail(err, "%s: shifts %d, %d are out of range", name, rq->s1, rq->s2);
    if (ts_rsh(bound, rq->s1) > ts_fmt_max(TS_RQ_IN_BITS, true))
        return ts_fail(err, "%s: %lld shifted by %d does not fit %d bits", name, (long long)bound, rq->s1, TS_RQ_IN_BITS);
    for (int c = 0; c < count; c++) {
        const int64_t m = rq->m[c], b = rq->b ? rq->b[c] : 0;
        if (m < -ts_fmt_max(TS_M_BITS, false) || m > ts_fmt_max(TS_M_BITS, false) || b < -ts_fmt_max(TS_B_BITS, false) ||
            b > ts_fmt_max(TS_B_BITS, false) || rq->e[c] > TS_E_MAX)
            return ts_fail(err, "%s: multiplier, offset or shift of channel %d is out of range", name, c);
    }
    return true;
}

static bool check_input(const char *name, const ts_rq *rq, int d, ts_fmt x, ts_err *err)
{
    if (!check_fmt(name, rq->out, 2, 18, err) || !check_rq(name, rq, d, ts_fmt_max(x.bits, x.is_signed), err) ||
        !check_scales(name, d, rq->y_scale, rq->y_offset, err))
        return false;
    return (rq->out.is_signed && rq->y_offset) || ts_fail(err, "%s: a stage input is signed and has offsets", name);
}

static bool check_activation(const char *name, const ts_ilin *lin, ts_err *err)
{
    if ((int)lin->act < 0 || lin->act >= TS_ACT_COUNT)
        return ts_fail(err, "%s: unknown activation %d", name, (int)lin->act);
    const bool table = ts_act_has_table(lin->act);
    if (table != (lin->table != NULL))
        return ts_fail(err, "%s: a table where there should be none, or none where there should be one", name);
    if (!table)
        return (same(lin->rq.out, lin->y) && lin->y.is_signed == (lin->act == TS_ACT_NONE)) ||
               ts_fail(err, "%s: output format does not fit the activation", name);
    if (!lin->rq.out.is_signed || lin->rq.out.bits > TABLE_BITS_MAX)
        return ts_fail(err, "%s: a table's index is signed and has at most %d bits", name, TABLE_BITS_MAX);
    for (int i = 0; i < 1 << lin->rq.out.bits; i++)
        if (lin->table[i] != ts_sat(lin->table[i], lin->y.bits, lin->y.is_signed))
            return ts_fail(err, "%s: table entry %d does not fit its format", name, i);
    return true;
}

static bool check_linear(const char *name, const ts_ilin *lin, int in, int out, ts_fmt x, ts_err *err)
{
    if (lin->in != in || lin->out != out || !lin->w || !lin->bias)
        return ts_fail(err, "%s: %d to %d instead of %d to %d", name, lin->in, lin->out, in, out);
    if (!same(lin->x, x))
        return ts_fail(err, "%s: its input format is not the one of what it reads", name);
    if (lin->w_bits < 2 || lin->w_bits > 16)
        return ts_fail(err, "%s: weights of %d bits; 2 to 16 are possible", name, lin->w_bits);
    const size_t count = (size_t)in * (size_t)out;
    for (size_t i = 0; i < count; i++)
        if (lin->w[i] != ts_sat(lin->w[i], lin->w_bits, true))
            return ts_fail(err, "%s: weight %zu does not fit %d bits", name, i, lin->w_bits);
    for (int o = 0; o < out; o++)
        if (lin->bias[o] >= (int64_t)1 << 53 || lin->bias[o] <= -((int64_t)1 << 53))
            return ts_fail(err, "%s: bias %d is out of range", name, o);
    const int64_t bound = ts_acc_bound(lin);
    if (lin->acc_bits != ts_bitlen((uint64_t)bound) + 1)
        return ts_fail(err, "%s: accumulator of %d bits, but its weights need %d", name, lin->acc_bits, ts_bitlen((uint64_t)bound) + 1);
    if (lin->rq.b)
        return ts_fail(err, "%s: a linear's offsets belong into its bias", name);
    return check_rq(name, &lin->rq, out, bound, err) && check_fmt(name, lin->rq.out, 2, 24, err) && check_fmt(name, lin->y, 2, 24, err) &&
           check_activation(name, lin, err) && check_scales(name, out, lin->y_scale, lin->y_offset, err);
}

/* Embedding or head: counts, and formats from one linear to the next. */
static bool check_mlp(const char *what, const ts_ilin *lin, int count, int in, int out, ts_fmt x, ts_err *err)
{
    if (count < 1 || count > TS_MLP_MAX)
        return ts_fail(err, "%s: %d linears; 1 to %d are possible", what, count, TS_MLP_MAX);
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.%d", what, i);
        const int width = i == count - 1 ? out : lin[i].out;
        if (width < 1 || width > DIM_MAX || !check_linear(name, &lin[i], in, width, x, err))
            return ts_fail(err, "%s: width %d is out of range", name, width);
        in = width;
        x = lin[i].y;
    }
    return true;
}

/* Onto the residual stream: its format, or its non-negative half behind a ReLU. */
static bool check_onto_res(const char *name, const ts_ilin *lin, ts_fmt res, ts_err *err)
{
    const ts_fmt half = {res.bits - 1, false};
    return same(lin->y, res) || same(lin->y, half) || ts_fail(err, "%s: its output is not in the residual format", name);
}

/* All blocks of a kind share constants with the first of its kind, in layer 0 or, where that lacks it, layer 1. */
static const ts_ilayer *first_attention(const ts_imodel *im)
{
    return &im->layer[im->starts_in_ffn ? 1 : 0];
}

/* What reads and makes the residual format. d: channels that are normalised together, of `channels`; first: the norm of the same place in
   the first block that has one. */
static bool check_any_norm(const char *name, const ts_imodel *im, const ts_inorm *norm, int d, int channels, const ts_inorm *first,
                           ts_err *err)
{
    if (norm->d != d || !norm->gain || !norm->bias)
        return ts_fail(err, "%s: of %d channels instead of %d", name, norm->d, d);
    if ((int)norm->kind < 0 || norm->kind >= TS_NORM_COUNT || norm->kind != first->kind)
        return ts_fail(err, "%s: the layers of a ring have the same kind of norm", name);
    if (norm->t_shift != first->t_shift || norm->y_shift != first->y_shift)
        return ts_fail(err, "%s: the layers of a ring share their shifts", name);
    if (norm->t_shift < 0 || norm->t_shift > SHIFT_MAX || norm->y_shift < 0 || norm->y_shift > SHIFT_MAX)
        return ts_fail(err, "%s: shifts %d, %d are out of range", name, norm->t_shift, norm->y_shift);
    const int64_t times = ts_norm_centred(norm->kind) ? 2 * (int64_t)(d - 1) : 1;
    if (ts_rsh(times * ts_fmt_max(im->res.bits, true), norm->t_shift) > ts_fmt_max(18, true))
        return ts_fail(err, "%s: deviations shifted by %d do not fit 18 bits", name, norm->t_shift);
    if (norm->eps < 1 || norm->eps > (uint64_t)1 << 60)
        return ts_fail(err, "%s: epsilon is out of range", name);
    for (int c = 0; c < channels; c++)
        if (norm->gain[c] != ts_clamp(norm->gain[c], -ts_fmt_max(TS_M_BITS, false), ts_fmt_max(TS_M_BITS, false)) ||
            norm->bias[c] != ts_clamp(norm->bias[c], -ts_fmt_max(TS_B_BITS, false), ts_fmt_max(TS_B_BITS, false)))
            return ts_fail(err, "%s: gain or bias of channel %d is out of range", name, c);
    return true;
}

static bool check_norm(const char *name, const ts_imodel *im, const ts_inorm *norm, const ts_inorm *first, ts_err *err)
{
    return check_any_norm(name, im, norm, im->d, im->d, first, err) &&
           (same(norm->y, im->res) || ts_fail(err, "%s: its output is not in the residual format", name)) &&
           check_scales(name, 1, &norm->y_scale, NULL, err);
}

/* y: the format of q, or k, as attention takes it; one for all layers, which share the norm's last adder. */
static bool check_qk_norm(const char *name, const ts_imodel *im, const ts_inorm *norm, ts_fmt y, const ts_inorm *first, ts_err *err)
{
    const int inner = im->heads * im->d_head;
    return check_any_norm(name, im, norm, im->qk_norm, inner, first, err) &&
           ((same(norm->y, y) && same(y, first->y)) || ts_fail(err, "%s: its output has one format in all layers", name)) &&
           check_scales(name, inner, norm->channel_scale, norm->channel_offset, err);
}

static bool check_shared(const char *name, const ts_rq *rq, const ts_rq *first, ts_err *err)
{
    return (rq->s1 == first->s1 && rq->s2 == first->s2) || ts_fail(err, "%s: the layers of a ring share their shifts", name);
}

static bool check_qkv(const char *name, const ts_imodel *im, const ts_ilayer *layer, const ts_ilin *qkv, int in, ts_fmt x, ts_err *err)
{
    if (!check_linear(name, qkv, in, 3 * im->heads * im->d_head, x, err))
        return false;
    return (qkv->act == TS_ACT_NONE && qkv->y.bits == ts_imodel_qkv_widest(im, layer).bits) ||
           ts_fail(err, "%s: its output format is the widest of q, k and v", name);
}

static bool check_attention(const ts_imodel *im, const ts_ilayer *layer, ts_err *err)
{
    const ts_fmt fmt[] = {layer->q, layer->k, layer->v, layer->ctx};
    for (int i = 0; i < 4; i++)
        if (!check_fmt("q, k, v, ctx", fmt[i], 2, 18, err) || !fmt[i].is_signed)
            return ts_fail(err, "q, k, v, ctx: formats are signed");
    if (!layer->score_e)
        return ts_fail(err, "score: no shifts");
    for (int h = 0; h < im->heads; h++)
        if (layer->score_e[h] > 3)
            return ts_fail(err, "score: shift of head %d is out of range", h);
    if (layer->ctx_e < 0 || layer->ctx_e > 3)
        return ts_fail(err, "ctx: shift %d is out of range", layer->ctx_e);
    return check_scales("ctx", im->heads * im->d_head, layer->ctx_scale, NULL, err);
}

static bool check_qk_norms(const ts_imodel *im, const ts_ilayer *layer, const ts_ilayer *first, ts_err *err)
{
    if (im->qk_norm == 0)
        return true;
    return check_qk_norm("q_norm", im, &layer->q_norm, layer->q, &first->q_norm, err) &&
           check_qk_norm("k_norm", im, &layer->k_norm, layer->k, &first->k_norm, err) &&
           ((layer->q_norm.kind == layer->k_norm.kind && layer->q_norm.t_shift == layer->k_norm.t_shift) ||
            ts_fail(err, "k_norm: of another kind than q_norm"));
}

static bool check_attention_block(const ts_imodel *im, const ts_ilayer *layer, ts_err *err)
{
    const ts_ilayer *first = first_attention(im);
    if (!check_attention(im, layer, err) || !check_norm("norm1", im, &layer->norm1, &first->norm1, err) ||
        (ts_imodel_norm_in_attention(im, 2) && !check_norm("norm2", im, &layer->norm2, &first->norm2, err)) ||
        !check_qk_norms(im, layer, first, err) || !check_input("qkv_in", &layer->qkv_in, im->d, im->res, err) ||
        !check_qkv("qkv", im, layer, &layer->qkv, im->d, layer->qkv_in.out, err) ||
        !check_linear("o", &layer->o, im->heads * im->d_head, im->d, layer->ctx, err))
        return false;
    if (!same(layer->o.y, im->res) || layer->o.act != TS_ACT_NONE)
        return ts_fail(err, "o: its output is in the residual format");
    return check_shared("qkv_in", &layer->qkv_in, &first->qkv_in, err) && check_shared("qkv", &layer->qkv.rq, &first->qkv.rq, err) &&
           check_shared("o", &layer->o.rq, &first->o.rq, err);
}

static bool check_ffn_block(const ts_imodel *im, const ts_ilayer *layer, ts_err *err)
{
    const ts_ilayer *first = &im->layer[0];
    if ((!ts_imodel_norm_in_attention(im, 2) && !check_norm("norm2", im, &layer->norm2, &first->norm2, err)) ||
        !check_input("ffn_in", &layer->ffn_in, im->d, im->res, err) ||
        !check_linear("ffn1", &layer->ffn1, im->d, im->ff, layer->ffn_in.out, err) ||
        !check_linear("ffn2", &layer->ffn2, im->ff, im->d, layer->ffn1.y, err))
        return false;
    if (!same(layer->ffn2.y, im->res) || layer->ffn2.act != TS_ACT_NONE)
        return ts_fail(err, "ffn2: its output is in the residual format");
    if (layer->ffn1.act != first->ffn1.act)
        return ts_fail(err, "ffn1: the layers of a ring share their activation");
    if (layer->ffn1.table && (layer->ffn1.rq.out.bits != first->ffn1.rq.out.bits || layer->ffn1.y.bits != first->ffn1.y.bits ||
                              memcmp(layer->ffn1.table, first->ffn1.table, sizeof(int32_t) << first->ffn1.rq.out.bits) != 0))
        return ts_fail(err, "ffn1: the layers of a ring share their activation table");
    return check_shared("ffn_in", &layer->ffn_in, &first->ffn_in, err) && check_shared("ffn1", &layer->ffn1.rq, &first->ffn1.rq, err) &&
           check_shared("ffn2", &layer->ffn2.rq, &first->ffn2.rq, err);
}

static bool check_layer(const ts_imodel *im, int l, ts_err *err)
{
    const ts_ilayer *layer = &im->layer[l];
    const double res[2] = {layer->res_scale_in, layer->res_scale_mid};
    return check_scales("residual", 2, res, NULL, err) && (!ts_imodel_has_attention(im, l) || check_attention_block(im, layer, err)) &&
           (!ts_imodel_has_ffn(im, l) || check_ffn_block(im, layer, err));
}

/* Where tokens come in: the embedding, or the residual stream itself. */
static bool check_entry(const ts_imodel *im, ts_err *err)
{
    if (im->embed_count == 0) {
        if (im->features != im->d || !same(im->in, im->res))
            return ts_fail(err, "a slice without embedding takes tokens of %d values in the residual format", im->d);
        return !im->fused_qkv0 || ts_fail(err, "qkv0: a slice without embedding has no fused first QKV");
    }
    if (im->starts_in_ffn)
        return ts_fail(err, "a slice that starts in an FFN block has no embedding");
    return check_mlp("embed", im->embed, im->embed_count, im->features, im->d, im->in, err) &&
           check_onto_res("embed", &im->embed[im->embed_count - 1], im->res, err);
}

/* Where results leave: the head, or the residual stream. */
static bool check_exit(const ts_imodel *im, ts_err *err)
{
    if (im->head_count == 0) {
        if (im->outputs != im->d || im->pool != TS_POOL_NONE || im->has_final_norm || im->classifier)
            return ts_fail(err, "a slice without head gives tokens of %d values: no pooling, no final norm, no classes", im->d);
        return check_scales("out", im->d, im->res_out_scale, NULL, err);
    }
    if (im->ends_in_attention)
        return ts_fail(err, "a slice that ends in an attention block has no head");
    if (im->has_final_norm && !check_norm("final_norm", im, &im->final_norm, &im->final_norm, err))
        return false;
    if (!check_input("head_in", &im->head_in, im->d, im->res, err) ||
        !check_mlp("head", im->head, im->head_count, im->d, im->outputs, im->head_in.out, err))
        return false;
    const double *scale = im->head[im->head_count - 1].y_scale;
    for (int o = 1; im->classifier && o < im->outputs; o++)
        if (scale[o] < scale[0] || scale[o] > scale[0])
            return ts_fail(err, "head: the outputs of a classifier share one scale");
    return true;
}

static bool check_ring(const ts_imodel *im, ts_err *err)
{
    const int dims[] = {im->features, im->d, im->heads, im->d_head, im->ff, im->outputs};
    for (int i = 0; i < (int)(sizeof dims / sizeof *dims); i++)
        if (dims[i] < 1 || dims[i] > DIM_MAX)
            return ts_fail(err, "a dimension of %d is out of range", dims[i]);
    if (im->layers < 1 || im->layers > LAYERS_MAX || im->d_head > D_HEAD_MAX || im->heads > DIM_MAX / im->d_head || !im->layer || !im->name)
        return ts_fail(err, "%d layers, %d heads of %d: out of range", im->layers, im->heads, im->d_head);
    if (im->qk_norm != 0 && im->qk_norm != im->d_head && im->qk_norm != im->heads * im->d_head)
        return ts_fail(err, "norms on q and k over %d channels: over those of a head (%d), or of all heads", im->qk_norm, im->d_head);
    if (im->layers == 1 && im->starts_in_ffn && im->ends_in_attention)
        return ts_fail(err, "a slice has at least one block");
    if (im->pool < TS_POOL_NONE || im->pool > TS_POOL_FIRST)
        return ts_fail(err, "unknown pooling %d", (int)im->pool);
    if (!check_fmt("in", im->in, 2, im->embed_count ? 18 : 20, err) || !check_fmt("residual", im->res, 8, 20, err) ||
        !check_scales("in", im->features, im->in_scale, NULL, err))
        return false;
    if (!im->in.is_signed || !im->res.is_signed)
        return ts_fail(err, "in, residual: formats are signed");
    if (im->score_bits < 2 || im->score_bits > 24 || im->frac_bits < 0 || im->frac_bits > 12 || im->p_bits < 2 || im->p_bits > 18 ||
        im->score_shift < 0 || im->score_shift > SHIFT_MAX || im->ctx_shift < 0 || im->ctx_shift > SHIFT_MAX || !im->exp2)
        return ts_fail(err, "score, p or ctx: constants are out of range");
    for (int l = 0; l < im->layers; l++)
        if (im->v_bits > 18 || (ts_imodel_has_attention(im, l) && im->v_bits < im->layer[l].v.bits))
            return ts_fail(err, "v: %d bits do not hold the values of layer %d", im->v_bits, l);
    for (int f = 0; f < 1 << im->frac_bits; f++)
        if (im->exp2[f] > (f ? im->exp2[f - 1] : (uint32_t)ts_fmt_max(im->p_bits, false)))
            return ts_fail(err, "exp2 table: entry %d is larger than the one before it", f);
    return im->exp2[0] == (uint32_t)ts_fmt_max(im->p_bits, false) ||
           ts_fail(err, "exp2 table: the first entry is not the largest probability");
}

bool ts_imodel_verify(const ts_imodel *im, ts_err *err)
{
    if (!check_ring(im, err) || !check_entry(im, err))
        return false;
    for (int l = 0; l < im->layers; l++)
        if (!check_layer(im, l, err))
            return ts_fail_in(err, "layers.%d", l);
    if (im->fused_qkv0) {
        const ts_ilin *last = &im->embed[im->embed_count - 1];
        if (im->norms != TS_NORMS_LAST || last->act != TS_ACT_NONE)
            return ts_fail(err, "qkv0: something stands between the embedding's last linear and the first QKV");
        if (!check_qkv("qkv0", im, &im->layer[0], &im->qkv0, last->in, last->x, err))
            return false;
    }
    return check_exit(im, err);
}
