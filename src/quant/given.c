#define TS_FAIL_CODE TS_UNSUPPORTED
#include "quant/given.h"

#include <math.h>

#include "num/fixed.h"

/* Smallest signed format that holds +-most. */
static int signed_bits(int64_t most)
{
    return ts_bitlen((uint64_t)most) + 1;
}

/* Codes of a signed format around the middle: bits of the file where it has 2^b or 2^b - 1 codes. */
static int centred_bits(const ts_given *g)
{
    return ts_bitlen((uint64_t)((int64_t)g->high - g->low));
}

/* The code that y = 0 stands for. */
static int64_t centre(const ts_given *g)
{
    const int64_t codes = (int64_t)g->high - g->low + 1, all = (int64_t)1 << centred_bits(g);
    return g->low + all / 2 - (codes < all);
}

static bool is_centred(const ts_given *g)
{
    for (int c = 0; c < g->count; c++)
        if (g->zero[c] != centre(g))
            return false;
    return true;
}

int ts_given_bits(const ts_given *g, ts_given_kind kind)
{
    int64_t most = 0;
    switch (kind) {
    case TS_GIVEN_OFFSET:
        return centred_bits(g);
    case TS_GIVEN_UNSIGNED:
        return ts_bitlen((uint64_t)((int64_t)g->high - g->low));
    case TS_GIVEN_POSITIVE:
        for (int c = 0; c < g->count; c++)
            most = g->high - (int64_t)g->zero[c] > most ? g->high - (int64_t)g->zero[c] : most;
        return ts_bitlen((uint64_t)most);
    case TS_GIVEN_SIGNED:
        if (is_centred(g))
            return centred_bits(g);
        for (int c = 0; c < g->count; c++) {
            const int64_t up = g->high - (int64_t)g->zero[c], down = (int64_t)g->zero[c] - g->low;
            most = up > most ? up : most;
            most = down > most ? down : most;
        }
        return signed_bits(most);
    }
    BUG("unknown kind of a given format");
}

double ts_given_offset(const ts_given *g, int c, ts_given_kind kind)
{
    switch (kind) {
    case TS_GIVEN_OFFSET:
        return g->scale[c] * (double)(centre(g) - g->zero[c]);
    case TS_GIVEN_UNSIGNED:
        return g->scale[c] * (double)((int64_t)g->low - g->zero[c]);
    case TS_GIVEN_SIGNED:
    case TS_GIVEN_POSITIVE:
        return 0;
    }
    BUG("unknown kind of a given format");
}

bool ts_given_uniform(const ts_given *g)
{
    for (int c = 1; c < g->count; c++)
        if (g->scale[c] != g->scale[0] || g->zero[c] != g->zero[0])
            return false;
    return true;
}

double ts_given_snap(double scale, const ts_given *g)
{
    enum { MANTISSA = 10 }; /* fewer bits than m has: layers share shifts, which costs the smaller ratios some */
    if (!g || !ts_given_uniform(g))
        return scale;
    int exponent;
    const double mantissa = frexp(scale / g->scale[0], &exponent);
    return ldexp(ceil(ldexp(mantissa, MANTISSA)), exponent - MANTISSA) * g->scale[0];
}

const ts_given *ts_given_mlp_hidden(const ts_mlp *mlp, int i)
{
    const ts_given *read = mlp->lin[i + 1].x_given;
    return read ? read : ts_act_has_table(mlp->act[i]) ? NULL : mlp->lin[i].y_given;
}

ts_given_layer ts_given_of_layer(const ts_encoder *enc, int l)
{
    const ts_layer *layer = &enc->layer[l];
    const bool table = ts_act_has_table(enc->act);
    const ts_linear *const part[3] = {&layer->q, &layer->k, &layer->v};
    ts_given_layer g = {
        .q = enc->qk_norm ? NULL : layer->q.y_given, /* behind their norm nothing is prescribed */
        .k = enc->qk_norm ? NULL : layer->k.y_given,
        .v = layer->v.y_given,
        .p = layer->p_given,
        .ctx = layer->o.x_given,
        .ffn_in = layer->ffn1.x_given,
        .act_in = table ? layer->ffn1.y_given : NULL,
        .hidden = layer->ffn2.x_given || table ? layer->ffn2.x_given : layer->ffn1.y_given,
        .o_weights = layer->o.w_given != NULL,
        .ffn1_weights = layer->ffn1.w_given != NULL,
        .ffn2_weights = layer->ffn2.w_given != NULL,
    };
    for (int i = 0; i < 3; i++) {
        g.qkv_in = g.qkv_in ? g.qkv_in : part[i]->x_given;
        g.qkv_weights |= part[i]->w_given != NULL;
    }
    return g;
}

ts_act_given ts_given_hidden(ts_act act, const ts_given *g)
{
    if (!g)
        return (ts_act_given){0};
    return (ts_act_given){.y_scale = g->scale[0], .y_offset = ts_act_has_table(act) ? ts_given_offset(g, 0, TS_GIVEN_UNSIGNED) : 0};
}

ts_act_given ts_given_table(const ts_encoder *enc)
{
    ts_act_given table = {0};
    for (int l = 0; l < enc->layers; l++) {
        const ts_given_layer g = ts_given_of_layer(enc, l);
        const ts_act_given own = ts_given_hidden(enc->act, g.hidden);
        table.in_scale = g.act_in ? fmax(table.in_scale, g.act_in->scale[0]) : table.in_scale;
        if (own.y_scale > table.y_scale) {
            table.y_scale = own.y_scale;
            table.y_offset = own.y_offset;
        }
    }
    return table;
}

bool ts_given_keeps_qkv0(const ts_encoder *enc)
{
    const ts_given_layer g = ts_given_of_layer(enc, 0);
    return g.qkv_in || g.qkv_weights || enc->embed.lin[enc->embed.count - 1].w_given;
}

/* ---- formats ---- */

typedef struct taker {
    ts_formats *formats;
    const ts_encoder *enc;
    ts_err *err;
    int lowest; /* tensors that have a lowest code that no format here has */
    const char *lowest_name;
    bool p_said;
} taker;

/* Says where the format saturates elsewhere than the file. */
static void compare_range(taker *t, const char *what, const ts_given *g, ts_given_kind kind, int bits)
{
    const int64_t codes = (int64_t)g->high - g->low + 1;
    if (kind == TS_GIVEN_SIGNED && !is_centred(g))
        ts_formats_warn(
            t->formats,
            "%s (node '%s'): its zero point is not in the middle of its codes; it is held in %d bits around zero, and saturates later",
            what, g->name, bits);
    else if (kind == TS_GIVEN_SIGNED || kind == TS_GIVEN_OFFSET) {
        if (codes == (int64_t)1 << bits) {
            t->lowest_name = t->lowest++ ? t->lowest_name : g->name;
        } else if (codes != ((int64_t)1 << bits) - 1) {
            ts_formats_warn(t->formats, "%s (node '%s'): its %lld codes are no whole number of bits; it is held in %d, and saturates later",
                            what, g->name, (long long)codes, bits);
        }
    } else if (kind == TS_GIVEN_POSITIVE) {
        int64_t most = 0, least = INT64_MAX;
        for (int c = 0; c < g->count; c++) {
            const int64_t top = g->high - (int64_t)g->zero[c];
            most = top > most ? top : most;
            least = top < least ? top : least;
        }
        if (least != most || most != ((int64_t)1 << bits) - 1)
            ts_formats_warn(t->formats, "%s (node '%s'): its largest code is not that of %d bits, in which it is held; it saturates later",
                            what, g->name, bits);
    }
}

static bool take(taker *t, ts_fmt_key key, int layer, const char *what, const ts_given *g, ts_given_kind kind)
{
    if (!g)
        return true;
    const int bits = ts_given_bits(g, kind);
    compare_range(t, what, g, kind, bits);
    return ts_formats_fix(t->formats, key, layer, bits, g->name, t->err);
}

/* Bits that the integers of some linears need; -2^(b-1) needs one more than it had. */
static int weight_bits(taker *t, const char *what, int count, const ts_linear *const *lin)
{
    int64_t most = 0;
    const ts_linear *lowest = NULL;
    for (int n = 0; n < count; n++)
        for (int o = 0; lin[n]->w_given && o < lin[n]->out; o++)
            for (int i = 0; i < lin[n]->in; i++) {
                const int64_t w = llround((double)lin[n]->w[(size_t)o * (size_t)lin[n]->in + (size_t)i] / lin[n]->w_given->scale[o]);
                const int64_t size = w < 0 ? -w : w;
                most = size > most ? size : most;
                lowest = size == most && size > 1 && (size & (size - 1)) == 0 ? lin[n] : size == most ? NULL : lowest;
            }
    const int bits = signed_bits(most) > 2 ? signed_bits(most) : 2;
    if (lowest)
        ts_formats_warn(
            t->formats,
            "%s: the weights of node '%s' contain %lld, which takes %d bits here, since formats are symmetric; train them without their "
            "lowest code",
            what, lowest->w_given->name, -(long long)most, bits);
    return bits;
}

static bool take_weights(taker *t, ts_fmt_key key, int layer, const char *what, int count, const ts_linear *const *lin)
{
    const char *name = NULL;
    bool all = true;
    for (int n = 0; n < count; n++) {
        name = !name && lin[n]->w_given ? lin[n]->w_given->name : name;
        all &= lin[n]->w_given != NULL;
        const ts_given *x = lin[n]->x_given;
        if (lin[n]->w_given && x && !ts_given_uniform(x))
            return ts_fail(
                t->err,
                "%s: the weights of node '%s' are integers, but what they multiply has a scale for each channel (node '%s'), so that "
                "the products cannot be added up; give it one scale",
                what, lin[n]->w_given->name, x->name);
    }
    if (!name)
        return true;
    int bits = weight_bits(t, what, count, lin);
    const int free_bits = ts_formats_get(t->formats, key, layer < 0 ? 0 : layer);
    if (!all && bits < free_bits) /* those that are not given want their own */
        bits = free_bits;
    return ts_formats_fix(t->formats, key, layer, bits, name, t->err);
}

static bool same_given(const ts_given *a, const ts_given *b)
{
    if (a == b)
        return true;
    bool same = a && b && a->count == b->count && a->low == b->low && a->high == b->high;
    for (int c = 0; same && c < a->count; c++)
        same = a->scale[c] == b->scale[c] && a->zero[c] == b->zero[c];
    return same;
}

static const char *name_of(const ts_given *g)
{
    return g ? g->name : "none";
}

static bool take_layer(taker *t, int l)
{
    const ts_layer *layer = &t->enc->layer[l];
    const ts_given_layer g = ts_given_of_layer(t->enc, l);
    const bool relu = t->enc->act == TS_ACT_RELU, table = ts_act_has_table(t->enc->act);
    const ts_linear *const qkv[3] = {&layer->q, &layer->k, &layer->v}, *const o[1] = {&layer->o}, *const ffn1[1] = {&layer->ffn1},
                           *const ffn2[1] = {&layer->ffn2};
    char what[8][40];
    static const char *const names[8] = {"qkv", "qkv_in", "q", "k", "v", "ctx", "ffn", "p"};
    for (int i = 0; i < 8; i++)
        snprintf(what[i], sizeof what[i], "layers.%d.%s", l, names[i]);
    for (int i = 1; i < 3; i++)
        if (!same_given(qkv[0]->x_given, qkv[i]->x_given))
            return ts_fail(
                t->err,
                "%s: queries and %s read an input that is rounded differently (nodes '%s', '%s'); the hardware rounds it once, for "
                "queries, keys and values",
                what[1], i == 1 ? "keys" : "values", name_of(qkv[0]->x_given), name_of(qkv[i]->x_given));
    if (g.hidden && !ts_given_uniform(g.hidden))
        return ts_fail(t->err, "%s: what stands between its linears has a scale for each channel (node '%s'); give it one scale", what[6],
                       g.hidden->name);
    if (g.p && !t->p_said) {
        t->p_said = true;
        ts_formats_warn(
            t->formats,
            "%s (node '%s'): probabilities keep their bits, not their scale: their step is a fraction of a hit's largest one, before the "
            "division by the sum",
            what[7], g.p->name);
    }
    const ts_act_given shared = table ? ts_given_table(t->enc) : (ts_act_given){0}, own = ts_given_hidden(t->enc->act, g.hidden);
    if (table && g.act_in && g.act_in->scale[0] != shared.in_scale)
        ts_formats_warn(t->formats, "%s (node '%s'): its scale is not that of all layers, which share one table: the largest is taken",
                        what[6], g.act_in->name);
    if (table && g.hidden && (own.y_scale != shared.y_scale || own.y_offset != shared.y_offset))
        ts_formats_warn(t->formats, "%s (node '%s'): its scale is not that of all layers, which share one table: the largest is taken",
                        what[6], g.hidden->name);
    const ts_given *p = g.p;
    for (int i = 0; i < l && p; i++) { /* one format for all layers: the widest */
        const ts_given *other = t->enc->layer[i].p_given;
        if (other && ts_given_bits(other, TS_GIVEN_POSITIVE) >= ts_given_bits(p, TS_GIVEN_POSITIVE))
            p = NULL;
    }
    return take(t, TS_FMT_QKV_IN, l, what[1], g.qkv_in, TS_GIVEN_OFFSET) && take(t, TS_FMT_Q, l, what[2], g.q, TS_GIVEN_SIGNED) &&
           take(t, TS_FMT_K, l, what[3], g.k, TS_GIVEN_OFFSET) && take(t, TS_FMT_V, l, what[4], g.v, TS_GIVEN_OFFSET) &&
           take(t, TS_FMT_CTX, l, what[5], g.ctx, TS_GIVEN_OFFSET) && take(t, TS_FMT_FFN_IN, l, what[6], g.ffn_in, TS_GIVEN_OFFSET) &&
           take(t, TS_FMT_ACT_IN, l, what[6], table ? g.act_in : NULL, TS_GIVEN_SIGNED) &&
           take(t, TS_FMT_HIDDEN, l, what[6], g.hidden,
                table  ? TS_GIVEN_UNSIGNED
                : relu ? TS_GIVEN_POSITIVE
                       : TS_GIVEN_SIGNED) &&
           (!p || ts_formats_fix(t->formats, TS_FMT_P, -1, ts_given_bits(p, TS_GIVEN_POSITIVE), p->name, t->err)) &&
           take_weights(t, TS_FMT_W_QKV, l, what[0], 3, qkv) && take_weights(t, TS_FMT_W_O, l, what[5], 1, o) &&
           take_weights(t, TS_FMT_W_FFN1, l, what[6], 1, ffn1) && take_weights(t, TS_FMT_W_FFN2, l, what[6], 1, ffn2);
}

/* Linears of the embedding or the head: one format for what stands between any two of them, and for their weights. */
static bool take_mlp(taker *t, const ts_mlp *mlp, const char *what, ts_fmt_key hidden_key, ts_fmt_key w_key)
{
    const ts_linear *lin[TS_MLP_MAX];
    const ts_given *first = NULL;
    int bits = 0;
    for (int i = 0; i < mlp->count; i++)
        lin[i] = &mlp->lin[i];
    for (int i = 0; i + 1 < mlp->count; i++) {
        const ts_given *g = ts_given_mlp_hidden(mlp, i);
        const ts_act act = mlp->act[i];
        if (!g)
            continue;
        if (!ts_given_uniform(g))
            return ts_fail(t->err, "%s: what stands between its linears has a scale for each channel (node '%s'); give it one scale", what,
                           g->name);
        const ts_given_kind kind = act == TS_ACT_NONE ? TS_GIVEN_SIGNED : act == TS_ACT_RELU ? TS_GIVEN_POSITIVE : TS_GIVEN_UNSIGNED;
        const int own = ts_given_bits(g, kind);
        if (first && own != bits)
            return ts_fail(t->err, "%s: nodes '%s' and '%s' have %d and %d bits; what stands between its linears has one format", what,
                           first->name, g->name, bits, own);
        compare_range(t, what, g, kind, own);
        first = first ? first : g;
        bits = own;
    }
    return (!first || ts_formats_fix(t->formats, hidden_key, -1, bits, first->name, t->err)) &&
           take_weights(t, w_key, -1, what, mlp->count, lin);
}

bool ts_given_formats(ts_formats *formats, const ts_encoder *enc, ts_err *err)
{
    taker t = {.formats = formats, .enc = enc, .err = err};
    for (int i = 0; i < enc->notes; i++)
        ts_formats_warn(t.formats, "%s", enc->note[i]);
    for (int l = 0; l < enc->layers; l++)
        if (!take_layer(&t, l))
            return false;
    if (!take(&t, TS_FMT_IN, -1, "in", enc->embed.lin[0].x_given, TS_GIVEN_SIGNED) ||
        !take(&t, TS_FMT_HEAD_IN, -1, "head_in", enc->head.lin[0].x_given, TS_GIVEN_OFFSET) ||
        !take(&t, TS_FMT_OUT, -1, "out", enc->head.lin[enc->head.count - 1].y_given, TS_GIVEN_SIGNED) ||
        !take_mlp(&t, &enc->embed, "embed", TS_FMT_EMBED_HIDDEN, TS_FMT_W_EMBED) ||
        !take_mlp(&t, &enc->head, "head", TS_FMT_HEAD_HIDDEN, TS_FMT_W_HEAD))
        return false;
    if (t.lowest)
        ts_formats_warn(
            t.formats,
            "%d tensors (the first: node '%s') have a lowest code of -2^(bits-1); formats are symmetric, and they saturate one step above "
            "it",
            t.lowest, t.lowest_name);
    return true;
}
