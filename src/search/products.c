#include "search/products.h"

#include "quant/quantise.h"

static void add(ts_products *list, const char *name, ts_fmt_key factor, bool factor_signed, ts_fmt_key weight, double macs)
{
    CHECK(list->count < TS_PRODUCT_MAX);
    list->product[list->count++] =
        (ts_product){.name = name, .factor = factor, .weight = weight, .factor_signed = factor_signed, .macs = macs};
}

static void add_mlp(ts_products *list, const ts_mlp *mlp, const char *const name[TS_MLP_MAX], ts_fmt_key in, ts_fmt_key hidden,
                    ts_fmt_key weight, double tokens)
{
    for (int i = 0; i < mlp->count; i++)
        add(list, name[i], i == 0 ? in : hidden, i == 0 || mlp->act[i - 1] == TS_ACT_NONE, weight,
            tokens * mlp->lin[i].in * mlp->lin[i].out);
}

ts_products ts_products_of(const ts_encoder *enc, const int *lengths, int count)
{
    static const char *const embed[TS_MLP_MAX] = {"embed0", "embed1", "embed2"}, *const head[TS_MLP_MAX] = {"head0", "head1", "head2"};
    CHECK(count > 0);
    double n = 0, pairs = 0;
    for (int i = 0; i < count; i++) {
        n += (double)lengths[i] / count;
        pairs += (double)lengths[i] * lengths[i] / count;
    }
    const double inner = (double)enc->heads * enc->d_head, layers = enc->layers;
    const bool fused = ts_fuses_qkv0(enc);
    const int last = enc->embed.count - 1;
    ts_products list = {0};
    add_mlp(&list, &enc->embed, embed, TS_FMT_IN, TS_FMT_EMBED_HIDDEN, TS_FMT_W_EMBED, n);
    if (fused)
        add(&list, "qkv0", last == 0 ? TS_FMT_IN : TS_FMT_EMBED_HIDDEN, last == 0 || enc->embed.act[last - 1] == TS_ACT_NONE, TS_FMT_W_QKV,
            n * enc->embed.lin[last].in * 3 * inner);
    if (!fused || enc->layers > 1)
        add(&list, "qkv", TS_FMT_QKV_IN, true, TS_FMT_W_QKV, n * (fused ? layers - 1 : layers) * enc->d * 3 * inner);
    add(&list, "score", TS_FMT_Q, true, TS_FMT_K, pairs * layers * inner);
    list.product[list.count - 1].either = true;
    add(&list, "context", TS_FMT_P, false, TS_FMT_V, pairs * layers * inner);
    add(&list, "o", TS_FMT_CTX, true, TS_FMT_W_O, n * layers * inner * enc->d);
    add(&list, "ffn1", TS_FMT_FFN_IN, true, TS_FMT_W_FFN1, n * layers * enc->d * enc->ff);
    add(&list, "ffn2", TS_FMT_HIDDEN, enc->act == TS_ACT_NONE, TS_FMT_W_FFN2, n * layers * enc->ff * enc->d);
    add_mlp(&list, &enc->head, head, TS_FMT_HEAD_IN, TS_FMT_HEAD_HIDDEN, TS_FMT_W_HEAD, enc->pool == TS_POOL_NONE ? n : 1);
    return list;
}

bool ts_product_packs(const ts_product *p, const ts_device *device, int factor_bits, int weight_bits)
{
    return ts_dsp_packs(device, factor_bits, p->factor_signed, weight_bits) ||
           (p->either && ts_dsp_packs(device, weight_bits, true, factor_bits));
}

double ts_dsp_cost(const ts_products *list, const ts_formats *formats, const ts_device *device)
{
    double all = 0, cost = 0;
    for (int i = 0; i < list->count; i++) {
        const ts_product *p = &list->product[i];
        const bool packs = ts_product_packs(p, device, ts_formats_widest(formats, p->factor), ts_formats_widest(formats, p->weight));
        all += p->macs;
        cost += packs ? p->macs / 2 : p->macs;
    }
    return cost / all;
}

static double mlp_weights(const ts_mlp *mlp)
{
    double count = 0;
    for (int i = 0; i < mlp->count; i++)
        count += (double)mlp->lin[i].in * mlp->lin[i].out;
    return count;
}

double ts_memory_bits(const ts_encoder *enc, const ts_formats *f, int max_tokens)
{
    const double inner = (double)enc->heads * enc->d_head, layers = enc->layers, n = max_tokens, d = enc->d, ff = enc->ff;
    double bits = mlp_weights(&enc->embed) * ts_formats_widest(f, TS_FMT_W_EMBED);
    bits += mlp_weights(&enc->head) * ts_formats_widest(f, TS_FMT_W_HEAD);
    if (ts_fuses_qkv0(enc))
        bits += enc->embed.lin[enc->embed.count - 1].in * 3 * inner * ts_formats_widest(f, TS_FMT_W_QKV);
    bits += layers * d * 3 * inner * ts_formats_widest(f, TS_FMT_W_QKV);
    bits += layers * inner * d * ts_formats_widest(f, TS_FMT_W_O);
    bits += layers * d * ff * (ts_formats_widest(f, TS_FMT_W_FFN1) + ts_formats_widest(f, TS_FMT_W_FFN2));
    bits += 2 * n * inner * (ts_formats_widest(f, TS_FMT_K) + ts_formats_widest(f, TS_FMT_V)); /* two banks: read and written */
    bits += n * (inner * ts_formats_widest(f, TS_FMT_Q) + d * ts_formats_widest(f, TS_FMT_RES));
    return bits;
}
