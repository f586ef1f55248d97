#define TS_FAIL_CODE TS_UNSUPPORTED
#include "quant/kept.h"

#include <string.h>

#include "quant/quantise.h"

/* ---- Shape */

static bool same_number(const char *what, int model, int hardware, ts_err *err)
{
    return model == hardware || ts_fail(err, "%s: %d, the design was made for %d", what, model, hardware);
}

static bool same_name(const char *what, const char *model, const char *hardware, ts_err *err)
{
    return strcmp(model, hardware) == 0 || ts_fail(err, "%s: %s, the design was made for %s", what, model, hardware);
}

static bool same_mlp(const char *what, const ts_mlp *mlp, const ts_ilin *lin, int count, ts_err *err)
{
    char name[48];
    snprintf(name, sizeof name, "linears of the %s", what);
    if (!same_number(name, mlp->count, count, err))
        return false;
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s.%d: inputs", what, i);
        if (!same_number(name, mlp->lin[i].in, lin[i].in, err))
            return false;
        snprintf(name, sizeof name, "%s.%d: outputs", what, i);
        if (!same_number(name, mlp->lin[i].out, lin[i].out, err))
            return false;
        snprintf(name, sizeof name, "%s.%d: activation", what, i);
        if (!same_name(name, ts_act_name(mlp->act[i]), ts_act_name(lin[i].act), err))
            return false;
    }
    return true;
}

static bool same_norms(const ts_encoder *enc, const ts_imodel *im, ts_err *err)
{
    const ts_layer *e = &enc->layer[0];
    const ts_ilayer *i = &im->layer[0];
    return same_name("norms of a layer", ts_norms_name(enc->norms), ts_norms_name(im->norms), err) &&
           same_name("norm1", ts_norm_name(e->norm1.kind), ts_norm_name(i->norm1.kind), err) &&
           same_name("norm2", ts_norm_name(e->norm2.kind), ts_norm_name(i->norm2.kind), err) &&
           same_number("channels of a norm on queries and keys", enc->qk_norm, im->qk_norm, err) &&
           (!enc->qk_norm || same_name("norm on queries and keys", ts_norm_name(e->q_norm.kind), ts_norm_name(i->q_norm.kind), err)) &&
           same_name("norm in front of the head", enc->has_final_norm ? ts_norm_name(enc->final_norm.kind) : "none",
                     im->has_final_norm ? ts_norm_name(im->final_norm.kind) : "none", err);
}

bool ts_kept_shape(const ts_encoder *enc, bool classifier, const ts_imodel *im, ts_err *err)
{
    const struct {
        const char *what;
        int model, hardware;
    } sizes[] = {{"layers", enc->layers, im->layers},   {"width", enc->d, im->d},
                 {"heads", enc->heads, im->heads},      {"width of a head", enc->d_head, im->d_head},
                 {"width of the FFN", enc->ff, im->ff}, {"values of a hit", enc->features, im->features},
                 {"outputs", enc->outputs, im->outputs}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!same_number(sizes[i].what, sizes[i].model, sizes[i].hardware, err))
            return false;
    return same_name("activation of the FFN", ts_act_name(enc->act), ts_act_name(im->layer[0].ffn1.act), err) && same_norms(enc, im, err) &&
           same_name("pooling", ts_pool_name(enc->pool), ts_pool_name(im->pool), err) &&
           same_mlp("embed", &enc->embed, im->embed, im->embed_count, err) && same_mlp("head", &enc->head, im->head, im->head_count, err) &&
           same_name("task", classifier ? "classification" : "regression", im->classifier ? "classification" : "regression", err) &&
           same_name("the first layer's q, k and v",
                     ts_fuses_qkv0(enc) ? "made straight from the embedding's input" : "made from the residual stream",
                     im->fused_qkv0 ? "made straight from the embedding's input" : "made from the residual stream", err);
}

/* ---- Formats */

static bool keep(ts_formats *f, ts_fmt_key key, int layer, int bits, ts_err *err)
{
    const size_t at = (size_t)key * (size_t)f->layers + (size_t)layer;
    if (f->fixed[at] && f->bits[at] != bits)
        return ts_fail(err, "layers.%d.%s: node '%s' of the model fixes %d bits, the design has %d", layer, ts_formats_name(key),
                       f->fixed[at], f->bits[at], bits);
    f->bits[at] = bits;
    return true;
}

/* Behind a ReLU the signed format's non-negative half. */
static int whole_bits(const ts_ilin *lin)
{
    return lin->y.bits + (lin->act == TS_ACT_RELU);
}

static bool keep_layer(ts_formats *f, const ts_imodel *im, int l, ts_err *err)
{
    const ts_ilayer *layer = &im->layer[l];
    const ts_ilin *hidden = im->embed_count > 1 ? &im->embed[0] : NULL, *head = &im->head[im->head_count - 1];
    const struct {
        ts_fmt_key key;
        int bits;
    } all[] = {{TS_FMT_IN, im->in.bits},
               {TS_FMT_EMBED_HIDDEN, hidden ? hidden->y.bits : ts_formats_get(f, TS_FMT_EMBED_HIDDEN, l)},
               {TS_FMT_RES, im->res.bits},
               {TS_FMT_QKV_IN, layer->qkv_in.out.bits},
               {TS_FMT_Q, layer->q.bits},
               {TS_FMT_K, layer->k.bits},
               {TS_FMT_V, layer->v.bits},
               {TS_FMT_SCORE, im->score_bits},
               {TS_FMT_P, im->p_bits},
               {TS_FMT_CTX, layer->ctx.bits},
               {TS_FMT_FFN_IN, layer->ffn_in.out.bits},
               {TS_FMT_ACT_IN, layer->ffn1.table ? layer->ffn1.rq.out.bits : ts_formats_get(f, TS_FMT_ACT_IN, l)},
               {TS_FMT_HIDDEN, layer->ffn1.y.bits},
               {TS_FMT_HEAD_IN, im->head_in.out.bits},
               {TS_FMT_HEAD_HIDDEN, im->head_count > 1 ? im->head[0].y.bits : ts_formats_get(f, TS_FMT_HEAD_HIDDEN, l)},
               {TS_FMT_OUT, whole_bits(head)},
               {TS_FMT_W_EMBED, im->embed[0].w_bits},
               {TS_FMT_W_QKV, layer->qkv.w_bits},
               {TS_FMT_W_O, layer->o.w_bits},
               {TS_FMT_W_FFN1, layer->ffn1.w_bits},
               {TS_FMT_W_FFN2, layer->ffn2.w_bits},
               {TS_FMT_W_HEAD, im->head[0].w_bits}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!keep(f, all[i].key, l, all[i].bits, err))
            return false;
    return true;
}

/* Tables of embedding and head take the bits of the FFN's, in the layer that they stand at. */
static bool keep_tables(ts_formats *f, const ts_imodel *im, ts_err *err)
{
    for (int i = 0; i < im->embed_count; i++)
        if (im->embed[i].table && !keep(f, TS_FMT_ACT_IN, 0, im->embed[i].rq.out.bits, err))
            return false;
    for (int i = 0; i < im->head_count; i++)
        if (im->head[i].table && !keep(f, TS_FMT_ACT_IN, im->layers - 1, im->head[i].rq.out.bits, err))
            return false;
    return true;
}

bool ts_kept_formats(ts_formats *f, const ts_imodel *im, ts_err *err)
{
    CHECK(f->layers == im->layers && im->embed_count > 0 && im->head_count > 0);
    for (int l = 0; l < im->layers; l++)
        if (!keep_layer(f, im, l, err))
            return false;
    return keep_tables(f, im, err);
}
