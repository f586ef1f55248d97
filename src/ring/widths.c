/* Which stages a model's ring has, and how wide their containers are: the widest of all layers. */
#include <string.h>

#include "num/fixed.h"
#include "ring/plan.h"

static const char *const mode_names[] = {
#define X(id, name, doc) name,
    TS_MODES(X)
#undef X
};
static const char *const lin_names[] = {
#define X(id, name) name,
    TS_LIN_STAGES(X)
#undef X
};
static const char *const rqv_names[] = {"rq_qkv", "rq_ffn", "rq_head"};
static const char *const nrm_names[] = {"norm1", "norm2", "norm_final", "qk_norm"};
static const char *const style_names[] = {"block", "distributed", "ultra"};
static const char *const pairs_names[] = {"none", "keys", "queries"};

const char *ts_mode_name(ts_mode mode)
{
    return mode_names[mode];
}

const char *ts_lin_name(ts_lin_id id)
{
    return lin_names[id];
}

const char *ts_rqv_name(ts_rqv_id id)
{
    return rqv_names[id];
}

const char *ts_nrm_name(ts_nrm_id id)
{
    return nrm_names[id];
}

const char *ts_mem_style_name(ts_mem_style style)
{
    return style_names[style];
}

const char *ts_score_pairs_name(ts_score_pairs pairs)
{
    return pairs_names[pairs];
}

ts_ring_ways ts_ring_ways_of(const ts_imodel *im)
{
    ts_ring_ways w = {.has_attention = im->layers > im->starts_in_ffn, .has_ffn = im->layers > im->ends_in_attention};
    w.loop = im->layers > 1;
    w.through = im->layers > im->starts_in_ffn + im->ends_in_attention;
    w.attn_merge = w.loop && !im->starts_in_ffn;
    w.ffn_merge = w.through && im->starts_in_ffn;
    w.attn_route = w.through && im->ends_in_attention;
    w.ffn_route = w.loop && !im->ends_in_attention;
    w.store = !w.has_attention;
    return w;
}

/* With qkv0 the first layer's q, k, v come straight from the embedding: a one-layer ring then has no qkv stage at all, and a
   longer one borrows page 1 for the widths and leaves page 0 empty. */
static bool has_qkv(const ts_imodel *im)
{
    return im->layers > im->fused_qkv0 + im->starts_in_ffn;
}

const ts_ilin *ts_ring_lin(const ts_imodel *im, ts_lin_id id, int layer)
{
    CHECK(layer >= 0 && layer < im->layers);
    switch (id) {
    case TS_LIN_EMBED0:
    case TS_LIN_EMBED1:
    case TS_LIN_EMBED2:
        return (int)(id - TS_LIN_EMBED0) < im->embed_count ? &im->embed[id - TS_LIN_EMBED0] : NULL;
    case TS_LIN_HEAD0:
    case TS_LIN_HEAD1:
    case TS_LIN_HEAD2:
        return (int)(id - TS_LIN_HEAD0) < im->head_count ? &im->head[id - TS_LIN_HEAD0] : NULL;
    case TS_LIN_QKV0:
        return im->fused_qkv0 ? &im->qkv0 : NULL;
    case TS_LIN_QKV:
        return (im->fused_qkv0 && layer == 0) || !ts_imodel_has_attention(im, layer) ? NULL : &im->layer[layer].qkv;
    case TS_LIN_O:
        return ts_imodel_has_attention(im, layer) ? &im->layer[layer].o : NULL;
    case TS_LIN_FFN1:
        return ts_imodel_has_ffn(im, layer) ? &im->layer[layer].ffn1 : NULL;
    case TS_LIN_FFN2:
        return ts_imodel_has_ffn(im, layer) ? &im->layer[layer].ffn2 : NULL;
    case TS_LIN_COUNT:
        break;
    }
    BUG("no such linear stage");
}

const ts_rq *ts_ring_rqv(const ts_imodel *im, ts_rqv_id id, int layer)
{
    CHECK(layer >= 0 && layer < im->layers);
    switch (id) {
    case TS_RQV_QKV:
        return (im->fused_qkv0 && layer == 0) || !ts_imodel_has_attention(im, layer) ? NULL : &im->layer[layer].qkv_in;
    case TS_RQV_FFN:
        return ts_imodel_has_ffn(im, layer) ? &im->layer[layer].ffn_in : NULL;
    case TS_RQV_HEAD:
        return im->head_count > 0 ? &im->head_in : NULL;
    case TS_RQV_COUNT:
        break;
    }
    BUG("no such requantiser");
}

const ts_inorm *ts_ring_nrm(const ts_imodel *im, ts_nrm_id id, int layer)
{
    CHECK(layer >= 0 && layer < im->layers);
    switch (id) {
    case TS_NRM_1:
        return ts_imodel_has_attention(im, layer) ? &im->layer[layer].norm1 : NULL;
    case TS_NRM_2:
        return (ts_imodel_norm_in_attention(im, 2) ? ts_imodel_has_attention(im, layer) : ts_imodel_has_ffn(im, layer))
                   ? &im->layer[layer].norm2
                   : NULL;
    case TS_NRM_FINAL:
        return im->has_final_norm ? &im->final_norm : NULL;
    case TS_NRM_QK:
        return im->qk_norm && ts_imodel_has_attention(im, layer) ? &im->layer[layer].q_norm : NULL;
    case TS_NRM_COUNT:
        break;
    }
    BUG("no such normalisation");
}

const ts_inorm *ts_ring_k_norm(const ts_imodel *im, int layer)
{
    return ts_ring_nrm(im, TS_NRM_QK, layer) ? &im->layer[layer].k_norm : NULL;
}

static int lin_pages(const ts_imodel *im, ts_lin_id id)
{
    const ts_ring_ways ways = ts_ring_ways_of(im);
    if (id == TS_LIN_QKV)
        return has_qkv(im) ? im->layers : 0;
    if (id == TS_LIN_O)
        return ways.has_attention ? im->layers : 0;
    if (id == TS_LIN_FFN1 || id == TS_LIN_FFN2)
        return ways.has_ffn ? im->layers : 0;
    return ts_ring_lin(im, id, 0) ? 1 : 0;
}

static int rqv_pages(const ts_imodel *im, ts_rqv_id id)
{
    if (id == TS_RQV_QKV)
        return has_qkv(im) ? im->layers : 0;
    if (id == TS_RQV_FFN)
        return ts_ring_ways_of(im).has_ffn ? im->layers : 0;
    return ts_ring_rqv(im, id, 0) ? 1 : 0;
}

static int nrm_pages(const ts_imodel *im, ts_nrm_id id)
{
    const ts_ring_ways ways = ts_ring_ways_of(im);
    if (id == TS_NRM_FINAL)
        return im->has_final_norm ? 1 : 0;
    if (id == TS_NRM_QK)
        return im->qk_norm && ways.has_attention ? im->layers : 0;
    return (ts_imodel_norm_in_attention(im, id == TS_NRM_1 ? 1 : 2) ? ways.has_attention : ways.has_ffn) ? im->layers : 0;
}

ts_fmt ts_ring_qkv_fmt(const ts_imodel *im, int layer, int channel)
{
    return ts_imodel_qkv_fmt(im, &im->layer[layer], channel / (im->heads * im->d_head));
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

/* Most bits of an offset, signed, and of an epsilon (ts_imodel_verify). */
enum { OFFSET_BITS = 44, EPS_BITS = 61 };

/* Signed bits that hold x. */
static int bits_of(int64_t x)
{
    return ts_bitlen((uint64_t)(x < 0 ? ~x : x)) + 1;
}

static int widest_bias(int count, const int64_t *b, int bits)
{
    for (int c = 0; b && c < count; c++)
        bits = max_int(bits, bits_of(b[c]));
    return bits;
}

static ts_lin_widths lin_widths(const ts_imodel *im, ts_lin_id id)
{
    ts_lin_widths w = {.pages = lin_pages(im, id)};
    bool first = true;
    int narrowest = 64;
    for (int page = 0; page < w.pages; page++) {
        const ts_ilin *lin = ts_ring_lin(im, id, page);
        if (!lin)
            continue;
        CHECK(first || (w.k == lin->in && w.m == lin->out && w.xsigned == lin->x.is_signed && w.s1 == lin->rq.s1 && w.s2 == lin->rq.s2 &&
                        w.table == (lin->table != NULL)));
        w.k = lin->in;
        w.m = lin->out;
        w.xsigned = lin->x.is_signed;
        w.s1 = lin->rq.s1;
        w.s2 = lin->rq.s2;
        w.table = lin->table != NULL;
        w.xw = max_int(w.xw, lin->x.bits);
        w.ww = max_int(w.ww, lin->w_bits);
        w.accw = max_int(w.accw, lin->acc_bits);
        if (id == TS_LIN_QKV || id == TS_LIN_QKV0) {
            w.ysigned = true;
            for (int c = 0; c < lin->out; c += im->d_head)
                narrowest = ts_ring_qkv_fmt(im, page, c).bits < narrowest ? ts_ring_qkv_fmt(im, page, c).bits : narrowest;
        } else {
            const int bits = lin->table ? lin->rq.out.bits : lin->y.bits;
            CHECK(first || (w.ysigned == lin->rq.out.is_signed && (!w.table || w.idxw == bits)));
            w.ysigned = lin->rq.out.is_signed;
            w.yw = max_int(w.yw, lin->y.bits);
            w.idxw = max_int(w.idxw, bits);
            narrowest = bits < narrowest ? bits : narrowest;
        }
        first = false;
    }
    if (id == TS_LIN_QKV || id == TS_LIN_QKV0) { /* both feed one stream: one container */
        w.yw = im->v_bits;
        for (int l = 0; l < im->layers; l++)
            w.yw = max_int(w.yw, ts_imodel_qkv_widest(im, &im->layer[l]).bits);
        w.idxw = w.yw;
    }
    w.varbits = narrowest < w.idxw;
    return w;
}

static ts_rqv_widths rqv_widths(const ts_imodel *im, ts_rqv_id id)
{
    ts_rqv_widths w = {.pages = rqv_pages(im, id), .xw = im->res.bits};
    int narrowest = 64;
    for (int page = 0; page < w.pages; page++) {
        const ts_rq *rq = ts_ring_rqv(im, id, page);
        if (!rq)
            continue;
        CHECK(rq->s1 == 0 && rq->out.is_signed && (w.d == 0 || (w.d == rq->count && w.s2 == rq->s2)));
        w.d = rq->count;
        w.s2 = rq->s2;
        w.yw = max_int(w.yw, rq->out.bits);
        w.biasw = widest_bias(rq->count, rq->b, w.biasw);
        narrowest = rq->out.bits < narrowest ? rq->out.bits : narrowest;
    }
    w.varbits = narrowest < w.yw;
    return w;
}

static ts_nrm_widths nrm_widths(const ts_imodel *im, ts_nrm_id id)
{
    ts_nrm_widths w = {.pages = nrm_pages(im, id), .groups = 1, .biasw = 1, .epsw = 1, .k_biasw = 1};
    const int channels = id == TS_NRM_QK ? im->heads * im->d_head : im->d;
    for (int page = 0; page < w.pages; page++) {
        const ts_inorm *n = ts_ring_nrm(im, id, page);
        if (!n)
            continue;
        CHECK(w.d == 0 || (w.t_shift == n->t_shift && w.y_shift == n->y_shift && w.centred == ts_norm_centred(n->kind)));
        w.centred = ts_norm_centred(n->kind);
        w.d = n->d;
        w.groups = channels / n->d;
        w.t_shift = n->t_shift;
        w.y_shift = n->y_shift;
        w.biasw = widest_bias(channels, n->bias, w.biasw);
        w.epsw = max_int(w.epsw, ts_bitlen(n->eps));
        if (id != TS_NRM_QK)
            continue;
        const ts_inorm *k = ts_ring_k_norm(im, page);
        w.k_y_shift = k->y_shift;
        w.k_biasw = widest_bias(channels, k->bias, w.k_biasw);
        w.epsw = max_int(w.epsw, ts_bitlen(k->eps));
    }
    return w;
}

/* What the hardware has more than the model needs: of accumulators, offsets and, whose scale counts twice, epsilons. */
static void add_margin(int margin, ts_ring_widths *w)
{
    for (int id = 0; id < TS_LIN_COUNT; id++)
        w->lin[id].accw += w->lin[id].k ? margin : 0;
    for (int id = 0; id < TS_RQV_COUNT; id++)
        w->rqv[id].biasw = w->rqv[id].d ? min_int(w->rqv[id].biasw + margin, OFFSET_BITS) : w->rqv[id].biasw;
    for (int id = 0; id < TS_NRM_COUNT; id++) {
        ts_nrm_widths *n = &w->nrm[id];
        if (n->d == 0)
            continue;
        n->biasw = min_int(n->biasw + margin, OFFSET_BITS);
        n->k_biasw = min_int(n->k_biasw + margin, OFFSET_BITS);
        n->epsw = min_int(n->epsw + 2 * margin, EPS_BITS);
    }
}

ts_ring_widths ts_ring_widths_of(const ts_imodel *im)
{
    if (im->hardware)
        return *im->hardware;
    ts_ring_widths w = {.in_w = im->in.bits,
                        .res_w = im->res.bits,
                        .pw = im->p_bits,
                        .sw = im->score_bits,
                        .fw = im->frac_bits,
                        .score_shift = im->score_shift,
                        .ctx_shift = im->ctx_shift,
                        .vw = im->v_bits};
    w.lw = max_int(1, ts_bitlen((uint64_t)im->layers - 1));
    w.tagw = w.lw + 2;
    for (int l = 0; l < im->layers; l++) {
        w.qw = max_int(w.qw, im->layer[l].q.bits);
        w.kw = max_int(w.kw, im->layer[l].k.bits);
        w.cw = max_int(w.cw, im->layer[l].ctx.bits);
    }
    w.xw = max_int(w.qw, max_int(w.kw, w.vw));
    for (int id = 0; id < TS_LIN_COUNT; id++)
        w.lin[id] = lin_widths(im, (ts_lin_id)id);
    for (int id = 0; id < TS_RQV_COUNT; id++)
        w.rqv[id] = rqv_widths(im, (ts_rqv_id)id);
    for (int id = 0; id < TS_NRM_COUNT; id++)
        w.nrm[id] = nrm_widths(im, (ts_nrm_id)id);
    if (im->acc_margin)
        add_margin(im->acc_margin, &w);
    return w;
}
