#define TS_FAIL_CODE TS_BAD_FILE
#include "graph/encoder.h"

#include <math.h>

int ts_norm_at(ts_norms norms, ts_norm_place place)
{
    static const int table[][4] = {
        [TS_NORMS_LAST] = {[TS_BEHIND_ATTENTION] = 1, [TS_BEHIND_FFN] = 2},
        [TS_NORMS_FIRST] = {[TS_BEFORE_ATTENTION] = 1, [TS_BEFORE_FFN] = 2},
        [TS_NORMS_AROUND] = {[TS_BEFORE_ATTENTION] = 1, [TS_BEHIND_ATTENTION] = 2},
    };
    return table[norms][place];
}

const char *ts_norms_name(ts_norms norms)
{
    static const char *const names[] = {[TS_NORMS_LAST] = "last", [TS_NORMS_FIRST] = "first", [TS_NORMS_AROUND] = "around attention"};
    return names[norms];
}

static const struct {
    const char *name;
    bool centred;
} norm_kinds[] = {
#define NORM(id, name, centred) [TS_NORM_##id] = {name, centred},
#include "graph/norms.def"
#undef NORM
};

const char *ts_norm_name(ts_norm_kind kind)
{
    return norm_kinds[kind].name;
}

bool ts_norm_centred(ts_norm_kind kind)
{
    return norm_kinds[kind].centred;
}

const char *ts_pool_name(ts_pool pool)
{
    switch (pool) {
    case TS_POOL_NONE:
        return "none";
    case TS_POOL_MEAN:
        return "mean";
    case TS_POOL_MAX:
        return "max";
    case TS_POOL_FIRST:
        return "first";
    }
    BUG("unknown pooling");
}

const char *ts_mask_name(ts_mask mask)
{
    switch (mask) {
    case TS_MASK_NONE:
        return "none";
    case TS_MASK_INPUT:
        return "input";
    case TS_MASK_DATA:
        return "data";
    }
    BUG("unknown mask");
}

static long long linear_parameters(const ts_linear *lin)
{
    return (long long)lin->out * (lin->in + 1);
}

static long long mlp_parameters(const ts_mlp *mlp)
{
    long long sum = 0;
    for (int i = 0; i < mlp->count; i++)
        sum += linear_parameters(&mlp->lin[i]);
    return sum;
}

long long ts_encoder_parameters(const ts_encoder *enc)
{
    long long sum = mlp_parameters(&enc->embed) + mlp_parameters(&enc->head) + (enc->has_final_norm ? 2LL * enc->d : 0);
    for (int i = 0; i < enc->layers; i++) {
        const ts_layer *layer = &enc->layer[i];
        sum += linear_parameters(&layer->q) + linear_parameters(&layer->k) + linear_parameters(&layer->v) + linear_parameters(&layer->o);
        sum += linear_parameters(&layer->ffn1) + linear_parameters(&layer->ffn2) + 4LL * enc->d;
        sum += enc->qk_norm ? 4LL * enc->heads * enc->d_head : 0;
    }
    return sum;
}

static bool all_finite(const float *x, long long count)
{
    for (long long i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* `where` is the layer's number, or -1 outside of the layers. */
static bool complain(const ts_encoder *enc, int where, const char *what, const char *why, ts_err *err)
{
    if (where >= 0)
        return ts_fail(err, "%s: layer %d: %s: %s", enc->name, where, what, why);
    return ts_fail(err, "%s: %s: %s", enc->name, what, why);
}

static bool verify_linear(const ts_encoder *enc, int where, const char *what, const ts_linear *lin, int in, int out, ts_err *err)
{
    if (lin->in != in || lin->out != out) {
        char why[128];
        snprintf(why, sizeof why, "a linear layer %d -> %d stands where %d -> %d was expected", lin->in, lin->out, in, out);
        return complain(enc, where, what, why, err);
    }
    if (!all_finite(lin->w, (long long)in * out) || !all_finite(lin->b, out))
        return complain(enc, where, what, "a weight or bias is infinite or not a number; train again, or repair the file", err);
    return true;
}

static bool verify_mlp(const ts_encoder *enc, const char *what, const ts_mlp *mlp, int in, int out, ts_err *err)
{
    if (mlp->count < 1 || mlp->count > TS_MLP_MAX)
        return complain(enc, -1, what, "the number of linear layers must be 1 to 3", err);
    for (int i = 0; i < mlp->count; i++) {
        const int to = i == mlp->count - 1 ? out : mlp->lin[i].out;
        if (!verify_linear(enc, -1, what, &mlp->lin[i], in, to, err))
            return false;
        in = to;
    }
    return true;
}

/* d: channels that are normalised together, of `channels`. like: one of the same place in another layer. */
static bool verify_norm(const ts_encoder *enc, int where, const char *what, const ts_norm *norm, int d, int channels, const ts_norm *like,
                        ts_err *err)
{
    if (norm->d != d)
        return complain(enc, where, what, "the normalisation is not as wide as what it stands on", err);
    if (norm->kind != like->kind)
        return complain(enc, where, what, "it is of another kind than in the other layers", err);
    if (!(norm->eps >= 0.0F) || !isfinite(norm->eps))
        return complain(enc, where, what, "epsilon must be zero or positive", err);
    if (!all_finite(norm->gain, channels) || !all_finite(norm->bias, channels))
        return complain(enc, where, what, "a gain or bias is infinite or not a number; train again, or repair the file", err);
    return true;
}

bool ts_encoder_verify(const ts_encoder *enc, ts_err *err)
{
    const int d = enc->d, inner = enc->heads * enc->d_head;
    if (enc->features < 1 || d < 1 || enc->heads < 1 || enc->d_head < 1 || enc->ff < 1 || enc->outputs < 1 || enc->layers < 1)
        return ts_fail(err, "%s: an encoder needs at least one feature, channel, head, output and layer", enc->name);
    if (!verify_mlp(enc, "embedding", &enc->embed, enc->features, d, err) || !verify_mlp(enc, "head", &enc->head, d, enc->outputs, err))
        return false;
    if (enc->has_final_norm && !verify_norm(enc, -1, "final norm", &enc->final_norm, d, d, &enc->final_norm, err))
        return false;
    if (enc->qk_norm != 0 && enc->qk_norm != enc->d_head && enc->qk_norm != inner)
        return ts_fail(err, "%s: norms on q and k run over a head, or over all heads, not over %d channels", enc->name, enc->qk_norm);
    for (int i = 0; i < enc->layers; i++) {
        const ts_layer *layer = &enc->layer[i], *like = &enc->layer[0];
        if (!verify_linear(enc, i, "q", &layer->q, d, inner, err) || !verify_linear(enc, i, "k", &layer->k, d, inner, err) ||
            !verify_linear(enc, i, "v", &layer->v, d, inner, err) || !verify_linear(enc, i, "attention output", &layer->o, inner, d, err) ||
            !verify_linear(enc, i, "ffn1", &layer->ffn1, d, enc->ff, err) ||
            !verify_linear(enc, i, "ffn2", &layer->ffn2, enc->ff, d, err) ||
            !verify_norm(enc, i, "norm 1", &layer->norm1, d, d, &like->norm1, err) ||
            !verify_norm(enc, i, "norm 2", &layer->norm2, d, d, &like->norm2, err))
            return false;
        if (enc->qk_norm && layer->q_norm.kind != layer->k_norm.kind)
            return complain(enc, i, "norm on k", "it is of another kind than that on q", err);
        if (enc->qk_norm && (!verify_norm(enc, i, "norm on q", &layer->q_norm, enc->qk_norm, inner, &like->q_norm, err) ||
                             !verify_norm(enc, i, "norm on k", &layer->k_norm, enc->qk_norm, inner, &like->k_norm, err)))
            return false;
        if (!isfinite(layer->scale))
            return complain(enc, i, "attention", "the scale of the scores is not finite", err);
    }
    return true;
}

double ts_encoder_macs(const ts_encoder *enc, double n)
{
    const double inner = (double)enc->heads * enc->d_head;
    double io = 0;
    for (int i = 0; i < enc->embed.count; i++)
        io += (double)enc->embed.lin[i].in * enc->embed.lin[i].out;
    for (int i = 0; i < enc->head.count; i++)
        io += (double)enc->head.lin[i].in * enc->head.lin[i].out;
    return n * (enc->layers * (4 * enc->d * inner + 2.0 * enc->d * enc->ff + 2 * n * inner) + io);
}

static int count_given(int count, const ts_linear *const *lin, int *with_weights, int *with_input)
{
    for (int i = 0; i < count; i++) {
        *with_weights += lin[i]->w_given != NULL;
        *with_input += lin[i]->x_given != NULL;
    }
    return count;
}

int ts_encoder_linears(const ts_encoder *enc, int *with_weights, int *with_input)
{
    int count = 0;
    *with_weights = *with_input = 0;
    for (int i = 0; i < enc->embed.count; i++)
        count += count_given(1, (const ts_linear *const[]){&enc->embed.lin[i]}, with_weights, with_input);
    for (int l = 0; l < enc->layers; l++) {
        const ts_layer *y = &enc->layer[l];
        count += count_given(6, (const ts_linear *const[]){&y->q, &y->k, &y->v, &y->o, &y->ffn1, &y->ffn2}, with_weights, with_input);
    }
    for (int i = 0; i < enc->head.count; i++)
        count += count_given(1, (const ts_linear *const[]){&enc->head.lin[i]}, with_weights, with_input);
    return count;
}

static bool is_identity(const ts_mlp *mlp)
{
    const ts_linear *lin = &mlp->lin[0];
    bool same = mlp->count == 1 && mlp->act[0] == TS_ACT_NONE && lin->in == lin->out;
    for (int o = 0; same && o < lin->out; o++)
        for (int i = 0; same && i < lin->in; i++)
            same = lin->w[o * lin->in + i] == (o == i ? 1.0F : 0.0F) && lin->b[o] == 0.0F;
    return same;
}

static void describe_mlp(FILE *out, const char *what, const ts_mlp *mlp)
{
    if (is_identity(mlp)) {
        fprintf(out, "  %-11s none\n", what);
        return;
    }
    fprintf(out, "  %-11s %d", what, mlp->lin[0].in);
    for (int i = 0; i < mlp->count; i++) {
        fprintf(out, " -> %d", mlp->lin[i].out);
        if (mlp->act[i] != TS_ACT_NONE)
            fprintf(out, " %s", ts_act_name(mlp->act[i]));
    }
    fputc('\n', out);
}

void ts_encoder_describe(FILE *out, const ts_encoder *enc, int64_t tokens)
{
    fprintf(out, "%s: Transformer encoder, %d layers, width %d, %d heads of %d, FFN %d %s, norm %s%s%s\n", enc->name, enc->layers, enc->d,
            enc->heads, enc->d_head, enc->ff, ts_act_name(enc->act), ts_norms_name(enc->norms), enc->has_final_norm ? ", final norm" : "",
            ts_norm_centred(enc->layer[0].norm1.kind) ? "" : ", without mean (RMSNorm)");
    if (enc->qk_norm)
        fprintf(out, "  %-11s %s on queries and keys, over %s\n", "attention", ts_norm_name(enc->layer[0].q_norm.kind),
                enc->qk_norm == enc->d_head ? "each head" : "all heads");
    describe_mlp(out, "embedding", &enc->embed);
    describe_mlp(out, "head", &enc->head);
    const char *token = tokens ? "token" : "hit";
    fprintf(out, "  %-11s %s%s\n", "pooling", enc->pool == TS_POOL_NONE ? "none; the head runs on every " : ts_pool_name(enc->pool),
            enc->pool == TS_POOL_NONE ? token : "");
    fprintf(out, "  %-11s %lld\n", "parameters", enc->parameters);
    if (tokens)
        fprintf(out, "  %-11s %.1f M\n", "MACs", ts_encoder_macs(enc, (double)tokens) / 1e6);
    else
        fprintf(out, "  %-11s %.1f M at 100 hits, %.1f M at 512\n", "MACs", ts_encoder_macs(enc, 100) / 1e6,
                ts_encoder_macs(enc, 512) / 1e6);
    int weights, inputs;
    const int linears = ts_encoder_linears(enc, &weights, &inputs);
    if (weights || inputs)
        fprintf(out, "  %-11s in training: of %d linears, %d have integer weights and %d an input with given scales\n", "quantised",
                linears, weights, inputs);
    fprintf(out, "  %-11s %s\n", "mask", enc->mask == TS_MASK_NONE ? "none; the true number of hits is always used" : enc->mask_note);
}
