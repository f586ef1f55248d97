#define TS_FAIL_CODE TS_DOES_NOT_FIT
#include "export/form.h"

#include <limits.h>

#include "num/fixed.h"
#include "quant/stage.h"

static int64_t largest(ts_fmt f)
{
    return ts_fmt_max(f.bits, f.is_signed);
}

static int64_t half(int shift)
{
    return shift > 0 ? (int64_t)1 << (shift - 1) : 0;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Takes one more linear of a role into account, of which *form is the widest so far. */
static void take(ts_export_form *f, const ts_ilin *lin, ts_linear_form *form)
{
    const bool narrow = largest(lin->x) <= INT16_MAX && lin->acc_bits <= 32 && ts_acc_bound(lin) + half(lin->rq.s1) <= INT32_MAX;
    const ts_linear_form own = !narrow ? TS_SUMS_64 : lin->w_bits > 8 ? TS_WEIGHTS_16 : TS_WEIGHTS_8;
    *form = own > *form ? own : *form;
    f->widest_in = larger(f->widest_in, ts_export_padded(lin->in, TS_EXPORT_PADDING));
    f->widest_out = larger(f->widest_out, ts_export_padded(lin->out, 2));
    if (lin->table) {
        f->tables = true;
        f->wide_tables |= largest(lin->y) > INT16_MAX;
    }
}

static void take_mlp(ts_export_form *f, const ts_ilin *lin, int count, ts_linear_form *form)
{
    for (int i = 0; i < count; i++) {
        take(f, &lin[i], &form[i]);
        f->has[form[i]] = true;
        if (i < count - 1)
            f->hidden = larger(f->hidden, lin[i].out);
    }
}

static void take_attention(ts_export_form *f, int l)
{
    const ts_imodel *im = f->im;
    const ts_ilayer *layer = &im->layer[l];
    const int64_t p = ts_fmt_max(im->p_bits, false), dot = im->d_head * largest(layer->q) * largest(layer->k);
    const int64_t keys = INT32_MAX / (p * largest(layer->v)) / TS_EXPORT_PADDING * TS_EXPORT_PADDING;
    f->attention_blocks++;
    if (l > 0 || !im->fused_qkv0) {
        f->project = true;
        take(f, &layer->qkv, &f->qkv);
    }
    take(f, &layer->o, &f->o);
    f->norms |= ts_norm_at(im->norms, TS_BEFORE_ATTENTION) || ts_norm_at(im->norms, TS_BEHIND_ATTENTION);
    f->narrow &= largest(layer->q) <= INT16_MAX && largest(layer->k) <= INT16_MAX && largest(layer->v) <= INT16_MAX;
    for (int h = 0; h < im->heads; h++) {
        const int shift = im->score_shift + layer->score_e[h];
        f->narrow &=
            shift <= 30 && dot + half(shift) <= INT32_MAX && ((dot + half(shift)) >> shift) + ts_fmt_max(im->score_bits, true) <= INT32_MAX;
    }
    f->summed_keys = f->summed_keys < keys ? f->summed_keys : (int)keys;
}

static void take_ffn(ts_export_form *f, int l)
{
    const ts_imodel *im = f->im;
    f->ffn_blocks++;
    take(f, &im->layer[l].ffn1, &f->ffn1);
    take(f, &im->layer[l].ffn2, &f->ffn2);
    f->hidden = larger(f->hidden, im->ff);
    f->norms |= ts_norm_at(im->norms, TS_BEFORE_FFN) || ts_norm_at(im->norms, TS_BEHIND_FFN);
}

static void buffer(ts_export_form *f, const char *name, int bits, int64_t count, const char *what)
{
    CHECK(f->buffers < TS_EXPORT_BUFFERS && (f->buffers == 0 || f->buffer[f->buffers - 1].bits >= bits));
    f->buffer[f->buffers++] = (ts_export_buffer){name, what, bits, count};
    f->workspace += count * bits / 8;
}

static void add_buffers(ts_export_form *f)
{
    const ts_imodel *im = f->im;
    const int64_t inner = (int64_t)im->heads * im->d_head, pairs = (im->d_head + 1) / 2, rows = TS_EXPORT_ROWS;
    if (f->attention)
        buffer(f, "total", 64, ts_export_padded(im->d_head, 4), "weighted sums of a head's values");
    buffer(f, "words", 32, (int64_t)f->max_hits * im->features, "the event");
    buffer(f, "x", 32, (int64_t)f->tokens * im->d, "residual stream, [tokens][width]");
    if (f->attention && !f->narrow) {
        buffer(f, "q", 32, f->tokens * inner, "[tokens][heads][channels], as k and v");
        buffer(f, "k", 32, f->tokens * inner, "");
        buffer(f, "v", 32, f->tokens * inner, "");
    }
    if (f->attention)
        buffer(f, "score", 32, f->keys, "of one query and head");
    buffer(f, "in", 32, rows * im->features, "from here on: of the few tokens that are computed at one time");
    buffer(f, "stage", 32, rows * im->d, "");
    buffer(f, "branch", 32, rows * im->d, "");
    buffer(f, "hidden0", 32, rows * f->hidden, "");
    buffer(f, "hidden1", 32, rows * f->hidden, "");
    buffer(f, "out", 32, rows * im->outputs, "");
    buffer(f, "sum", 32, rows * f->widest_out, "");
    if (f->attention) {
        buffer(f, "qkv", 32, rows * 3 * inner, "");
        buffer(f, "context", 32, rows * inner, "");
    }
    buffer(f, "packed", 16, rows * f->widest_in, "");
    if (f->narrow) {
        buffer(f, "q", 16, f->tokens * im->heads * 2 * pairs, "[tokens][heads][channels, in pairs]");
        buffer(f, "k", 16, im->heads * pairs * f->keys * 2, "[heads][pairs of channels][keys][2]");
        buffer(f, "v", 16, inner * f->keys, "[heads][channels][keys]");
        buffer(f, "p", 16, f->keys, "weights of one query and head");
    }
}

bool ts_export_form_of(const ts_imodel *im, int max_hits, ts_export_form *f, ts_err *err)
{
    enum { MOST = 1 << 30 }; /* so that all indices are integers of 32 bits */
    *f = (ts_export_form){.im = im,
                          .max_hits = max_hits,
                          .tokens = ts_export_padded(max_hits, TS_EXPORT_ROWS),
                          .keys = ts_export_padded(max_hits, TS_EXPORT_PADDING),
                          .hidden = 1,
                          .summed_keys = INT_MAX};
    f->exp2_end = (im->p_bits + 1) << im->frac_bits;
    f->narrow = im->p_bits <= 15 && f->exp2_end <= INT16_MAX && f->keys * ts_fmt_max(im->p_bits, false) <= INT32_MAX;
    take_mlp(f, im->embed, im->embed_count, f->embed);
    take_mlp(f, im->head, im->head_count, f->head);
    if (im->fused_qkv0)
        take(f, &im->qkv0, &f->qkv0);
    for (int l = 0; l < im->layers; l++) {
        if (ts_imodel_has_attention(im, l))
            take_attention(f, l);
        if (ts_imodel_has_ffn(im, l))
            take_ffn(f, l);
    }
    f->attention = f->attention_blocks > 0;
    f->ffn = f->ffn_blocks > 0;
    f->narrow &= f->attention;
    f->norms |= im->has_final_norm;
    f->has[f->qkv0] |= im->fused_qkv0;
    f->has[f->qkv] |= f->project;
    f->has[f->o] |= f->attention;
    f->has[f->ffn1] |= f->ffn;
    f->has[f->ffn2] |= f->ffn;
    add_buffers(f);
    return (f->workspace <= MOST && (int64_t)max_hits * im->outputs <= MOST) ||
           ts_fail(err, "events of %d hits need %lld bytes of memory in a run, over %d: compile the model with a smaller %s", max_hits,
                   (long long)f->workspace, MOST, ts_option("max_tokens"));
}
