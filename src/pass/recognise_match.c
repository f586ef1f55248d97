/* The last step: bases -> encoder. Walks from the output back to the input; at each place exactly one thing can stand there,
   and what stands there instead is the error. */
#include <string.h>

#include "graph/encoder_part.h"
#include "pass/recognise_value.h"

static const char *const shapes_differ =
    "all layers of an encoder must have the same shape, because one physical layer serves them all; train with equal layers";

static const char *base_text(const rec_base *b)
{
    switch (b->kind) {
    case BASE_INPUT:
        return "the model's input";
    case BASE_LINEAR:
        return b->of->terms > 1 ? "a residual sum" : "a linear layer";
    case BASE_NORM:
        return b->norm == TS_NORM_LAYER ? "a layer normalisation" : "an RMS normalisation";
    case BASE_ACT:
        return "an activation";
    case BASE_ATTENTION:
        return "attention";
    case BASE_POOL:
        return "pooling";
    }
    BUG("unknown kind of base");
}

/* Linears and activations from `f` back to the first base that is neither; *bare: there are none. */
static const rec_base *match_mlp(rec *r, const rec_form *f, const char *what, ts_mlp *mlp, bool *bare)
{
    ts_linear lin[TS_MLP_MAX];
    ts_act act[TS_MLP_MAX], after = TS_ACT_NONE;
    int count = 0;
    const rec_base *root;
    for (;;) {
        if (ts_form_is_identity(f) && f->term[0].base->kind == BASE_ACT && after == TS_ACT_NONE) {
            after = f->term[0].base->act; /* it ends in an activation */
            root = f->term[0].base->from;
            f = root->kind == BASE_LINEAR && root->of->terms == 1 ? root->of : ts_form_identity(r, root);
        }
        if (f->terms != 1) {
            ts_rec_fail(r, f->node, "the %s starts from a sum of several things that is not a residual connection", what);
            return NULL;
        }
        /* Linears with nothing in between are one linear. */
        root = f->term[0].base;
        for (int row = 0; root->kind == BASE_LINEAR && root->of->terms == 1; row++) {
            if (row == REC_MAX_CHAIN) {
                ts_rec_fail(r, f->node, "the %s has too many linear layers in a row", what);
                return NULL;
            }
            root = root->of->term[0].base;
        }
        if (ts_form_is_identity(f) && f->term[0].base == root && after == TS_ACT_NONE)
            break; /* nothing between root and here */
        if (count == TS_MLP_MAX) {
            ts_rec_fail(r, f->node, "the %s has more than %d linear layers", what, TS_MLP_MAX);
            return NULL;
        }
        if (!ts_form_linear(r, f, root, &lin[count])) {
            ts_rec_fail(r, f->node, "the %s has too many linear layers in a row", what);
            return NULL;
        }
        act[count++] = after;
        if (root->kind != BASE_ACT)
            break;
        after = root->act;
        root = root->from;
        f = root->kind == BASE_LINEAR && root->of->terms == 1 ? root->of : ts_form_identity(r, root);
    }
    *bare = count == 0;
    if (count == 0) { /* the model has none: the hits, or the results, are the residual stream itself */
        lin[0] = ts_linear_identity(r->arena, root->width, what);
        act[0] = TS_ACT_NONE;
        count = 1;
    }
    mlp->count = count;
    for (int i = 0; i < count; i++) {
        mlp->lin[i] = lin[count - 1 - i];
        mlp->act[i] = act[count - 1 - i];
    }
    return root;
}

static ts_norm norm_of(const rec_base *b)
{
    return (ts_norm){.kind = b->norm, .d = b->group, .eps = (float)b->eps, .gain = b->gain, .bias = b->bias};
}

/* x + branch(...): a residual sum with its branch, which ends in a linear over `kind`. */
typedef struct block {
    const rec_base *residual, *inner; /* inner: ACT or ATTENTION */
    ts_linear out;
} block;

static bool is_sum(const rec_base *b)
{
    return b->kind == BASE_LINEAR && b->of->terms > 1;
}

/* f is residual + W inner + bias. The residual is the term without weights that is not the branch. */
static bool match_block(rec *r, const rec_base *sum, rec_base_kind kind, const char *what, block *b)
{
    const rec_form *f = sum->of;
    int branch = -1;
    for (int i = 0; i < f->terms; i++)
        if (f->term[i].base->kind == kind)
            branch = i;
    if (f->terms != 2 || branch < 0)
        return ts_rec_fail(r, f->node, "this is a sum of %s (%s) and %s (%s), where the residual connection around the %s was expected",
                           base_text(f->term[0].base), ts_rec_name(f->term[0].base->node), base_text(f->term[1].base),
                           ts_rec_name(f->term[1].base->node), what);
    rec_form through = {.rows = f->rows, .terms = 1, .node = f->node}, around = through;
    through.term[0] = f->term[branch];
    through.bias = f->bias;
    around.term[0] = f->term[1 - branch];
    b->inner = f->term[branch].base;
    b->residual = f->term[1 - branch].base;
    if (!ts_form_is_identity(&around))
        return ts_rec_fail(r, f->node,
                           "the residual connection around the %s is scaled or reordered; it must add the block's input as it is", what);
    return ts_form_linear(r, &through, b->inner, &b->out);
}

static bool match_ffn(rec *r, const block *b, const rec_base **in, ts_layer *layer, ts_act *act)
{
    const rec_base *pre = b->inner->from;
    *act = b->inner->act;
    layer->ffn2 = b->out;
    const rec_form *f = pre->kind == BASE_LINEAR ? pre->of : NULL;
    if (!f || f->terms != 1)
        return ts_rec_fail(r, b->inner->node, "the activation of a feed-forward block must follow a linear layer, it follows %s (%s)",
                           base_text(pre), ts_rec_name(pre->node));
    *in = f->term[0].base;
    return ts_form_linear(r, f, *in, &layer->ffn1);
}

/* The norm that q, or k, is: all of it is one, or NULL. */
static const rec_base *norm_on(const rec_form *f)
{
    const rec_base *base = f->terms == 1 && !f->term[0].w ? f->term[0].base : NULL;
    return base && base->kind == BASE_NORM ? base : NULL;
}

/* What q is a linear of: of itself, or of what is normalised. */
static const rec_base *query_input(const rec_base *attention, const rec_base *residual)
{
    const rec_form *q = attention->q;
    const rec_base *norm = norm_on(q);
    if (norm && norm->from != residual)
        return norm->from->kind == BASE_LINEAR && norm->from->of->terms == 1 ? norm->from->of->term[0].base : norm->from;
    return q->terms == 1 ? q->term[0].base : residual;
}

/* Takes the norm off q, or k. f: [heads * d_head], head-major, a selection of the norm's channels with a factor and a term each, which
   become part of gain and bias. The rest is *f. */
static bool take_norm(rec *r, const rec_base *a, const rec_base *base, const rec_form **f, ts_norm *norm)
{
    const rec_term *t = &(*f)->term[0];
    const int inner = (*f)->rows, group = base->group, span = group == a->d_head ? group : inner;
    float *gain = ts_rec_floats(r, inner), *bias = ts_rec_floats(r, inner);
    int *uses = TS_NEW_N(r->arena, int, base->width);
    bool ok = group == base->width || group == a->d_head;
    for (int i = 0; i < inner; i++) {
        const int from = t->pick[i];
        const double factor = t->gain ? (double)t->gain[i] : 1;
        ok &= span == inner || from / group == t->pick[i / span * span] / group; /* a head is one of the groups */
        uses[from]++;
        gain[i] = (float)((double)base->gain[from] * factor);
        bias[i] = (float)((double)base->bias[from] * factor + ((*f)->bias ? (double)(*f)->bias[i] : 0));
    }
    for (int i = 0; i < base->width; i++) /* heads may be repeated, each channel of what is normalised together as often */
        ok &= uses[i] == uses[i / group * group];
    if (!ok)
        return ts_rec_fail(
            r, base->node,
            "this norm on queries or keys runs over groups of %d channels; it must run over each head (%d), or over all heads", group,
            a->d_head);
    *norm = (ts_norm){.kind = base->norm, .d = span, .eps = (float)base->eps, .gain = gain, .bias = bias};
    const rec_base *from = base->from;
    rec_form *under = TS_NEW(r->arena, rec_form);
    *under = *ts_form_select(r, from->kind == BASE_LINEAR ? from->of : ts_form_identity(r, from), inner, t->pick);
    under->grid = NULL; /* a rounding in front of the norm has no place */
    *f = under;
    return true;
}

static bool match_attention(rec *r, const block *b, const rec_base *in, ts_encoder *enc, ts_layer *layer)
{
    const rec_base *a = b->inner;
    const rec_form *form[3] = {a->q, a->k, a->v};
    ts_linear *lin[3] = {&layer->q, &layer->k, &layer->v};
    static const char *const name[3] = {"queries", "keys", "values"};
    const rec_base *const residual = b->residual, *norms[2] = {norm_on(a->q), norm_on(a->k)};
    if (norms[0] && norms[1] && norms[0]->from != residual && norms[1]->from != residual) {
        if (!take_norm(r, a, norms[0], &form[0], &layer->q_norm) || !take_norm(r, a, norms[1], &form[1], &layer->k_norm))
            return false;
        if (layer->q_norm.d != layer->k_norm.d)
            return ts_rec_fail(r, a->node, "the norms on queries and keys run over %d and %d channels; they must run over as many",
                               layer->q_norm.d, layer->k_norm.d);
        enc->qk_norm = layer->q_norm.d;
    } else if ((norms[0] && norms[0]->from != residual) != (norms[1] && norms[1]->from != residual)) {
        return ts_rec_fail(r, a->node, "of queries and keys only the %s are normalised; norms stand on both, or on neither",
                           norms[0] && norms[0]->from != residual ? "queries" : "keys");
    }
    for (int i = 0; i < 3; i++)
        if (!ts_form_linear(r, form[i], in, lin[i]))
            return ts_rec_fail(r, a->node,
                               "the %s of this attention are no linear function of %s (%s), which feeds the residual connection; only "
                               "self-attention has hardware",
                               name[i], base_text(in), ts_rec_name(in->node));
    layer->o = b->out;
    layer->scale = (float)a->scale;
    layer->p_given = ts_grid_take(r, a->p);
    enc->heads = a->heads;
    enc->d_head = a->d_head;
    return true;
}

static bool same_shape(rec *r, const ts_encoder *enc, const ts_encoder *one, int ff, ts_act act, const rec_base *at, const rec_base *ffn)
{
    if (one->heads != enc->heads || one->d_head != enc->d_head)
        return ts_rec_fail(r, at->node, "this layer has %d heads of %d channels, the ones after it %d of %d; %s", one->heads, one->d_head,
                           enc->heads, enc->d_head, shapes_differ);
    if (one->qk_norm != enc->qk_norm)
        return ts_rec_fail(r, at->node, "this layer's queries and keys are %snormalised as those of the ones after it are%s; %s",
                           one->qk_norm ? "" : "not ", one->qk_norm ? " not" : "", shapes_differ);
    if (ff != enc->ff)
        return ts_rec_fail(r, ffn->node, "this layer's feed-forward block is %d wide, those after it %d; %s", ff, enc->ff, shapes_differ);
    if (act != enc->act)
        return ts_rec_fail(r, ffn->node, "this layer's activation is %s, that of those after it %s; %s", ts_act_name(act),
                           ts_act_name(enc->act), shapes_differ);
    return true;
}

/* One layer whose last thing is z; *z becomes what it starts from, *mid the stream between its blocks. */
static bool match_layer(rec *r, ts_encoder *enc, const rec_base **z, ts_layer *layer, const rec_base **mid, const rec_mask **mask,
                        bool first)
{
    const rec_base *sum2 = ts_norm_at(enc->norms, TS_BEHIND_FFN) ? (*z)->from : *z, *ffn_in, *at, *attn_in;
    block ffn, attn;
    ts_act act;
    ts_encoder one = {0};
    if (!match_block(r, sum2, BASE_ACT, "feed-forward block", &ffn) || !match_ffn(r, &ffn, &ffn_in, layer, &act))
        return false;
    if (ts_norm_at(enc->norms, TS_BEFORE_FFN)) {
        if (ffn_in->kind != BASE_NORM || ffn_in->from != ffn.residual)
            return ts_rec_fail(r, sum2->node, "layers mix pre-norm and post-norm; %s", shapes_differ);
        layer->norm2 = norm_of(ffn_in);
        at = ffn.residual;
    } else {
        if (ffn_in != ffn.residual || ffn_in->kind != BASE_NORM)
            return ts_rec_fail(
                r, sum2->node,
                "the feed-forward block reads %s (%s), its residual connection %s (%s); without a norm of its own it has one "
                "normalisation, behind the attention, for both",
                base_text(ffn_in), ts_rec_name(ffn_in->node), base_text(ffn.residual), ts_rec_name(ffn.residual->node));
        if (enc->norms == TS_NORMS_AROUND) {
            layer->norm2 = norm_of(ffn_in);
        } else {
            layer->norm2 = norm_of(*z);
            layer->norm1 = norm_of(ffn_in);
        }
        at = ffn_in->from;
    }
    if (!is_sum(at))
        return ts_rec_fail(r, at->node, "%s stands where the residual sum after attention was expected", base_text(at));
    if (!match_block(r, at, BASE_ATTENTION, "attention block", &attn))
        return false;
    attn_in = query_input(attn.inner, attn.residual);
    const bool normalised = attn_in->kind == BASE_NORM && attn_in->from == attn.residual;
    if (normalised != (ts_norm_at(enc->norms, TS_BEFORE_ATTENTION) != 0))
        return ts_rec_fail(r, attn.inner->node,
                           "this attention reads %s, but the layer's feed-forward block %s; both blocks must be pre-norm or both post-norm",
                           normalised ? "a normalisation of its residual connection" : "its residual connection as it is",
                           normalised ? "does not" : "reads a normalisation of it");
    if (!normalised)
        attn_in = attn.residual; /* through linears in between, perhaps */
    else
        layer->norm1 = norm_of(attn_in);
    if (!match_attention(r, &attn, attn_in, &one, layer))
        return false;
    if (first) {
        enc->heads = one.heads;
        enc->d_head = one.d_head;
        enc->qk_norm = one.qk_norm;
        enc->ff = layer->ffn1.out;
        enc->act = act;
        *mask = attn.inner->mask;
    } else if (!same_shape(r, enc, &one, layer->ffn1.out, act, attn.inner, ffn.inner)) {
        return false;
    }
    /* Where a mask from the data never fires, it makes no difference which layers have it. */
    if (*mask != attn.inner->mask && ((*mask && (*mask)->input) || (attn.inner->mask && attn.inner->mask->input)))
        return ts_rec_fail(r, attn.inner->node,
                           "some layers use the padding mask and others do not, or another one; all layers must leave out the same hits");
    *mid = ffn.residual;
    *z = attn.residual;
    return true;
}

static bool is_layer_end(const rec_base *z, ts_norms norms)
{
    return ts_norm_at(norms, TS_BEHIND_FFN) ? z->kind == BASE_NORM && is_sum(z->from) : is_sum(z);
}

/* Whether a residual sum is that of attention over a normalisation of its residual. */
static bool attends_to_norm(const rec_base *sum)
{
    for (int i = 0; is_sum(sum) && sum->of->terms == 2 && i < 2; i++) {
        const rec_base *attention = sum->of->term[i].base, *residual = sum->of->term[1 - i].base;
        if (attention->kind == BASE_ATTENTION && attention->q->terms == 1) {
            const rec_base *in = query_input(attention, residual);
            return in->kind == BASE_NORM && in->from == residual;
        }
    }
    return false;
}

/* Decides where the layers have their norms, takes a final normalisation off. */
static bool match_style(rec *r, ts_encoder *enc, const rec_base **z)
{
    const bool normed = (*z)->kind == BASE_NORM;
    if (!is_sum(*z) && !normed)
        return ts_rec_fail(r, (*z)->node, "%s stands where the end of an encoder layer was expected (a residual sum or its normalisation)",
                           base_text(*z));
    const rec_base *sum = normed ? (*z)->from : *z;
    if (is_sum(sum)) {
        block b;
        ts_layer layer;
        ts_act act;
        const rec_base *in;
        if (!match_block(r, sum, BASE_ACT, "feed-forward block", &b) || !match_ffn(r, &b, &in, &layer, &act))
            return false;
        if (in->kind == BASE_NORM && in == b.residual && (!normed || attends_to_norm(in->from)))
            enc->norms = TS_NORMS_AROUND;
        else if (!normed || (in->kind == BASE_NORM && in != b.residual))
            enc->norms = TS_NORMS_FIRST;
    } else if (sum->kind != BASE_NORM) { /* a post-norm encoder's final norm follows its last one */
        return ts_rec_fail(r, (*z)->node, "this normalisation follows %s (%s); it must follow a residual connection", base_text(sum),
                           ts_rec_name(sum->node));
    }
    if (normed && (enc->norms != TS_NORMS_LAST || !is_sum(sum))) {
        enc->has_final_norm = true;
        enc->final_norm = norm_of(*z);
        *z = sum;
    }
    return true;
}

static bool set_mask(rec *r, ts_encoder *enc, const rec_mask *mask, const rec_base *pool)
{
    enc->mask_note = "";
    if (mask && mask->input) {
        enc->mask = TS_MASK_INPUT;
        enc->mask_input = ts_strdup(r->arena, mask->input->name);
        enc->mask_keeps = !r->true_is_padding;
        enc->mask_note = ts_printf(r->arena, "input '%s', %s; the host drops masked hits and gives zeros as their results",
                                   mask->input->name, r->true_is_padding ? "true marks padding" : "true marks hits");
    }
    enc->data_masks = r->data_masks;
    enc->data_mask = r->data_mask;
    if (r->data_masks > 0) {
        const char *data = ts_printf(r->arena, "computed from the data (%s); taken as never firing on a real hit", r->data_note);
        enc->mask_note = enc->mask == TS_MASK_INPUT ? ts_printf(r->arena, "%s; and one %s", enc->mask_note, data) : data;
        enc->mask = enc->mask == TS_MASK_INPUT ? TS_MASK_INPUT : TS_MASK_DATA;
    }
    const rec_mask *pooled = pool ? pool->mask : NULL;
    if (pool && enc->mask == TS_MASK_INPUT && pooled != mask)
        return ts_rec_fail(
            r, pool->node,
            "the pooling takes masked hits in, which the attention leaves out; pool with the mask (sum of unmasked values over "
            "their number, or maximum with -infinity at padding)");
    if (pooled && enc->mask != TS_MASK_INPUT)
        return ts_rec_fail(r, pool->node, "the pooling leaves masked hits out, which the attention takes in; use the mask in both");
    return true;
}

const ts_encoder *ts_rec_match(rec *r, const rec_form *output)
{
    ts_encoder *enc = TS_NEW(r->arena, ts_encoder);
    enc->name = ts_strdup(r->arena, r->graph->name);
    r->stuck = NULL;
    if (output->terms > 1) /* a residual sum as it is, with no norm and no head behind */
        output = ts_form_identity(r, ts_form_freeze(r, output));
    const rec_base *z = match_mlp(r, output, "head", &enc->head, &r->bare_head), *pool = NULL;
    if (!z)
        return NULL;
    if (z->kind == BASE_POOL) {
        pool = z;
        enc->pool = z->pool;
        z = z->from;
    }
    enc->d = z->width;
    enc->outputs = enc->head.lin[enc->head.count - 1].out;
    if (!match_style(r, enc, &z))
        return NULL;
    int layers = 0, room = 8;
    ts_layer *backward = TS_NEW_N(r->arena, ts_layer, room);
    const rec_base **stream = TS_NEW_N(r->arena, const rec_base *, 2 * room + 1); /* from the last cut back to the first */
    stream[0] = z;
    const rec_mask *mask = NULL;
    while (is_layer_end(z, enc->norms)) {
        if (layers == room) {
            ts_layer *more = TS_NEW_N(r->arena, ts_layer, 2 * room);
            memcpy(more, backward, (size_t)room * sizeof *more);
            backward = more;
            const rec_base **longer = TS_NEW_N(r->arena, const rec_base *, 4 * room + 1);
            memcpy(longer, stream, (size_t)(2 * room + 1) * sizeof *longer);
            stream = longer;
            room *= 2;
        }
        if (!match_layer(r, enc, &z, &backward[layers], &stream[2 * layers + 1], &mask, layers == 0))
            return NULL;
        layers++;
        stream[2 * layers] = z;
        r->stuck = z;
    }
    if (is_layer_end(z, TS_NORMS_LAST) || is_layer_end(z, TS_NORMS_FIRST)) {
        ts_rec_fail(r, z->node, "layers mix pre-norm and post-norm; %s", shapes_differ);
        return NULL;
    }
    ts_layer *layer = TS_NEW_N(r->arena, ts_layer, layers);
    for (int i = 0; i < layers; i++)
        layer[i] = backward[layers - 1 - i];
    enc->layers = layers;
    enc->layer = layer;
    r->layers = layers;
    r->cut = TS_NEW_N(r->arena, const rec_base *, 2 * layers + 1);
    for (int i = 0; i <= 2 * layers; i++)
        r->cut[i] = stream[2 * layers - i];
    const rec_form *embedded = z->kind == BASE_LINEAR ? z->of : ts_form_identity(r, z);
    z = layers ? match_mlp(r, embedded, "embedding", &enc->embed, &r->bare_embed) : z;
    if (!z)
        return NULL;
    r->stuck = layers ? z : NULL;
    if (z->kind != BASE_INPUT || layers == 0) {
        ts_rec_fail(
            r, z->node,
            "%s stands where %s was expected; the embedding must be one to %d linear layers from the hits to the first encoder layer",
            base_text(z), layers ? "the model's input" : "an encoder layer", TS_MLP_MAX);
        return NULL;
    }
    enc->features = z->width;
    if (!set_mask(r, enc, mask, pool))
        return NULL;
    enc->parameters = ts_encoder_parameters(enc);
    ts_grid_notes(r, enc);
    return ts_encoder_verify(enc, r->err) ? enc : NULL;
}
