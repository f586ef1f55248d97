#include "emu/emu.h"

#include <math.h>
#include <string.h>

#include "base/boundary.h"
#include "emu/forward.h"
#include "num/fixed.h"

static int64_t largest(ts_fmt f)
{
    return ts_fmt_max(f.bits, f.is_signed);
}

/* ---- packing ---- */

static uint32_t pair_of(int32_t low, int32_t high)
{
    return (uint32_t)(uint16_t)low | (uint32_t)(uint16_t)high << 16;
}

static ts_packed pack(ts_arena *arena, const ts_ilin *lin, bool vectors)
{
    ts_packed p = {.lin = lin, .parts = 1, .fmt = {lin->rq.out}, .pairs = (lin->in + 1) / 2, .width = ts_padded(lin->out)};
    if (!vectors || largest(lin->x) > INT16_MAX || lin->w_bits > 16 || lin->acc_bits > 32)
        return p;
    int32_t *pair = TS_NEW_N(arena, int32_t, (size_t)p.pairs * (size_t)p.width);
    for (int i = 0; i < p.pairs; i++)
        for (int o = 0; o < lin->out; o++) {
            const int32_t *w = lin->w + (size_t)o * (size_t)lin->in + 2 * (size_t)i;
            pair[(size_t)i * (size_t)p.width + (size_t)o] = (int32_t)pair_of(w[0], 2 * i + 1 < lin->in ? w[1] : 0);
        }
    p.pair = pair;
    return p;
}

static ts_packed pack_qkv(ts_arena *arena, const ts_imodel *im, const ts_ilin *lin, const ts_ilayer *layer, bool vectors)
{
    ts_packed p = pack(arena, lin, vectors);
    p.parts = 3;
    for (int i = 0; i < 3; i++)
        p.fmt[i] = ts_imodel_qkv_fmt(im, layer, i);
    return p;
}

/* Whether 16-bit operands and 32-bit sums hold everything attention makes. */
static bool narrow_attention(const ts_imodel *im, const ts_ilayer *layer)
{
    const int64_t dot = im->d_head * largest(layer->q) * largest(layer->k);
    for (int h = 0; h < im->heads; h++) {
        const int shift = im->score_shift + layer->score_e[h];
        if (shift > 30 || dot + (shift ? (int64_t)1 << (shift - 1) : 0) > INT32_MAX)
            return false;
    }
    return largest(layer->q) <= INT16_MAX && largest(layer->k) <= INT16_MAX && largest(layer->v) <= INT16_MAX && im->p_bits <= 15;
}

static ts_packed_layer pack_layer(ts_arena *arena, const ts_imodel *im, int l, bool vectors)
{
    const ts_ilayer *layer = &im->layer[l];
    ts_packed_layer p = {.context_block = 0};
    if (ts_imodel_has_attention(im, l)) {
        const int64_t product = 2 * ts_fmt_max(im->p_bits, false) * largest(layer->v);
        p.qkv = pack_qkv(arena, im, &layer->qkv, layer, vectors);
        p.o = pack(arena, &layer->o, vectors);
        p.narrow_attention = vectors && narrow_attention(im, layer);
        p.context_block = (int)(INT32_MAX / product);
    }
    if (ts_imodel_has_ffn(im, l)) {
        p.ffn1 = pack(arena, &layer->ffn1, vectors);
        p.ffn2 = pack(arena, &layer->ffn2, vectors);
    }
    return p;
}

static ts_emu *make(ts_arena *arena, const ts_imodel *im, const ts_kernels *kernels)
{
    const bool vectors = kernels != NULL;
    ts_emu *emu = TS_NEW(arena, ts_emu);
    emu->im = im;
    emu->kernels = kernels;
    for (int i = 0; i < im->embed_count; i++)
        emu->embed[i] = pack(arena, &im->embed[i], vectors);
    if (im->fused_qkv0)
        emu->qkv0 = pack_qkv(arena, im, &im->qkv0, &im->layer[0], vectors);
    emu->layer = TS_NEW_N(arena, ts_packed_layer, im->layers);
    for (int l = 0; l < im->layers; l++)
        emu->layer[l] = pack_layer(arena, im, l, vectors);
    for (int i = 0; i < im->head_count; i++)
        emu->head[i] = pack(arena, &im->head[i], vectors);
    return emu;
}

const ts_emu *ts_emu_new(ts_arena *arena, const ts_imodel *im, ts_emu_kind kind)
{
    return make(arena, im, kind == TS_EMU_PORTABLE ? &ts_kernels_portable : ts_kernels_best());
}

void ts_emu_reference(const ts_imodel *im, int n, const int32_t *x, int32_t *y, ts_emu_tap tap, void *user)
{
    ts_arena *arena = ts_arena_new();
    ts_emu_run(make(arena, im, NULL), n, x, y, tap, user);
    ts_arena_free(arena);
}

/* ---- linear ---- */

static int32_t finish(const ts_packed *p, int o, int64_t acc)
{
    const ts_ilin *lin = p->lin;
    const ts_fmt fmt = p->fmt[p->parts == 1 ? 0 : o / (lin->out / p->parts)];
    const int64_t y = ts_requant(acc, lin->rq.s1, lin->rq.m[o], 0, lin->rq.s2 + lin->rq.e[o], fmt.bits, fmt.is_signed);
    return lin->table ? lin->table[y & ((1 << fmt.bits) - 1)] : (int32_t)y;
}

static void linear_reference(const ts_packed *p, int rows, const int32_t *x, int32_t *y)
{
    const ts_ilin *lin = p->lin;
    for (int r = 0; r < rows; r++, x += lin->in, y += lin->out)
        for (int o = 0; o < lin->out; o++) {
            const int32_t *w = lin->w + (size_t)o * (size_t)lin->in;
            int64_t acc = lin->bias[o];
            for (int i = 0; i < lin->in; i++)
                acc += (int64_t)w[i] * x[i];
            y[o] = finish(p, o, acc);
        }
}

enum { ROW_BLOCK = 32 }; /* rows whose pairs and accumulators exist at one time */

void ts_emu_linear(const ts_emu *emu, ts_arena *scratch, const ts_packed *p, int rows, const int32_t *x, int32_t *y)
{
    const ts_ilin *lin = p->lin;
    if (!p->pair) {
        linear_reference(p, rows, x, y);
        return;
    }
    int32_t *pairs = TS_NEW_N(scratch, int32_t, ROW_BLOCK * (size_t)p->pairs),
            *acc = TS_NEW_N(scratch, int32_t, ROW_BLOCK * (size_t)p->width);
    for (int first = 0; first < rows; first += ROW_BLOCK) {
        const int count = rows - first < ROW_BLOCK ? rows - first : ROW_BLOCK;
        for (int r = 0; r < count; r++, x += lin->in)
            for (int i = 0; i < p->pairs; i++)
                pairs[r * p->pairs + i] = (int32_t)pair_of(x[2 * i], 2 * i + 1 < lin->in ? x[2 * i + 1] : 0);
        emu->kernels->product(count, p->pairs, p->width, pairs, p->pair, acc);
        for (int r = 0; r < count; r++, y += lin->out)
            for (int o = 0; o < lin->out; o++)
                y[o] = finish(p, o, acc[r * p->width + o] + lin->bias[o]);
    }
}

/* ---- attention ---- */

/* Scores and probabilities of one query, for the taps. */
static void explain_row(const ts_imodel *im, int shift, int d_head, int n, const int32_t *q, const int32_t *k, int stride, int32_t *score,
                        int32_t *p)
{
    int32_t max = INT32_MIN;
    for (int j = 0; j < n; j++) {
        int64_t dot = 0;
        for (int c = 0; c < d_head; c++)
            dot += (int64_t)q[c] * k[(size_t)j * (size_t)stride + (size_t)c];
        score[j] = (int32_t)ts_sat(ts_rsh(dot, shift), im->score_bits, true);
        max = score[j] > max ? score[j] : max;
    }
    for (int j = 0; j < n; j++)
        p[j] = (int32_t)ts_exp2_neg((uint32_t)(max - score[j]), im->exp2, im->frac_bits);
}

static void tap_scores(const ts_imodel *im, int l, int n, const int32_t *qkv, ts_emu_tap tap, void *user)
{
    ts_arena *scratch = ts_arena_new();
    const int dh = im->d_head, inner = im->heads * dh, stride = 3 * inner;
    int32_t *score = TS_NEW_N(scratch, int32_t, (size_t)n * (size_t)n), *p = TS_NEW_N(scratch, int32_t, (size_t)n * (size_t)n);
    double *octave = TS_NEW_N(scratch, double, n), *unit = TS_NEW_N(scratch, double, n);
    for (int j = 0; j < n; j++) {
        octave[j] = ldexp(1, -im->frac_bits);
        unit[j] = 1 / (double)ts_fmt_max(im->p_bits, false);
    }
    for (int h = 0; h < im->heads; h++) {
        for (int i = 0; i < n; i++)
            explain_row(im, im->score_shift + im->layer[l].score_e[h], dh, n, qkv + (size_t)i * (size_t)stride + (size_t)(h * dh),
                        qkv + inner + h * dh, stride, score + (size_t)i * (size_t)n, p + (size_t)i * (size_t)n);
        tap(user, l, TS_ROLE_SCORE, h, n, n, score, octave, NULL);
        tap(user, l, TS_ROLE_P, h, n, n, p, unit, NULL);
    }
    ts_arena_free(scratch);
}

static void attention_reference(const ts_imodel *im, int l, int n, const int32_t *qkv, int32_t *ctx)
{
    const ts_ilayer *layer = &im->layer[l];
    const int dh = im->d_head, inner = im->heads * dh, stride = 3 * inner;
    const ts_attn_num num = {dh, im->score_bits, im->frac_bits, im->p_bits, im->v_bits, layer->ctx.bits, im->exp2};
    for (int h = 0; h < im->heads; h++)
        for (int i = 0; i < n; i++)
            ts_attend(&num, im->score_shift + layer->score_e[h], im->ctx_shift + layer->ctx_e, n,
                      qkv + (size_t)i * (size_t)stride + (size_t)(h * dh), qkv + inner + h * dh, qkv + 2 * inner + h * dh, stride,
                      ctx + (size_t)i * (size_t)inner + (size_t)(h * dh));
}

/* One head's operands as the kernels want them. */
typedef struct head_pairs {
    int pairs, keys, key_pairs, width; /* of d_head; padded n; padded n / 2; padded d_head */
    int32_t *k;                        /* [pairs][keys]: two channels of a key */
    int32_t *v;                        /* [key_pairs][width]: two keys of a channel */
} head_pairs;

static void pack_head(head_pairs *h, int n, int d_head, int stride, const int32_t *k, const int32_t *v)
{
    for (int j = 0; j < n; j++)
        for (int i = 0; i < h->pairs; i++) {
            const int32_t *at = k + (size_t)j * (size_t)stride + 2 * (size_t)i;
            h->k[(size_t)i * (size_t)h->keys + (size_t)j] = (int32_t)pair_of(at[0], 2 * i + 1 < d_head ? at[1] : 0);
        }
    for (int j = 0; j < n; j += 2)
        for (int c = 0; c < d_head; c++) {
            const int32_t *at = v + (size_t)j * (size_t)stride + (size_t)c;
            h->v[(size_t)(j / 2) * (size_t)h->width + (size_t)c] = (int32_t)pair_of(at[0], j + 1 < n ? at[stride] : 0);
        }
}

static void attention_vector(const ts_emu *emu, ts_arena *scratch, int l, int n, const int32_t *qkv, int32_t *ctx)
{
    const ts_imodel *im = emu->im;
    const ts_ilayer *layer = &im->layer[l];
    const ts_kernels *kernels = emu->kernels;
    const int dh = im->d_head, inner = im->heads * dh, stride = 3 * inner, ctx_shift = im->ctx_shift + layer->ctx_e;
    const int32_t limit = (int32_t)ts_fmt_max(im->score_bits, true);
    head_pairs head = {(dh + 1) / 2, ts_padded(n), ts_padded(n) / 2, ts_padded(dh), NULL, NULL};
    head.k = TS_NEW_N(scratch, int32_t, (size_t)head.pairs * (size_t)head.keys);
    head.v = TS_NEW_N(scratch, int32_t, (size_t)head.key_pairs * (size_t)head.width);
    int32_t *q = TS_NEW_N(scratch, int32_t, head.pairs), *score = TS_NEW_N(scratch, int32_t, head.keys);
    int32_t *p = TS_NEW_N(scratch, int32_t, head.key_pairs); /* written as 16-bit integers */
    int64_t *acc = TS_NEW_N(scratch, int64_t, head.width);
    for (int h = 0; h < im->heads; h++) {
        const int32_t *from = qkv + h * dh;
        pack_head(&head, n, dh, stride, from + inner, from + 2 * inner);
        for (int t = 0; t < n; t++) {
            const int32_t *query = from + (size_t)t * (size_t)stride;
            for (int i = 0; i < head.pairs; i++)
                q[i] = (int32_t)pair_of(query[2 * i], 2 * i + 1 < dh ? query[2 * i + 1] : 0);
            const int32_t max = kernels->scores(n, head.pairs, q, head.k, im->score_shift + layer->score_e[h], limit, score);
            const int64_t sum = kernels->weights(n, score, max, im->exp2, im->frac_bits, (int16_t *)(void *)p);
            kernels->context(head.key_pairs, head.width, emu->layer[l].context_block, p, head.v, acc);
            int len;
            const int64_t r = ts_recip((uint64_t)sum, &len);
            int32_t *to = ctx + (size_t)t * (size_t)inner + (size_t)(h * dh);
            for (int c = 0; c < dh; c++)
                to[c] = (int32_t)ts_wmean_by(acc[c], r, len, im->v_bits, ctx_shift, layer->ctx.bits);
        }
    }
}

void ts_emu_attention(const ts_emu *emu, ts_arena *scratch, int layer, int n, const int32_t *qkv, int32_t *ctx, ts_emu_tap tap, void *user)
{
    if (tap)
        tap_scores(emu->im, layer, n, qkv, tap, user);
    if (emu->layer[layer].narrow_attention && n <= TS_NARROW_TOKENS)
        attention_vector(emu, scratch, layer, n, qkv, ctx);
    else
        attention_reference(emu->im, layer, n, qkv, ctx);
}

/* ---- events, input, output ---- */

typedef struct many {
    const ts_emu *emu;
    const int *n;
    const int32_t *const *x;
    int32_t *const *y;
} many;

static void run_event(void *user, int i)
{
    const many *m = user;
    ts_emu_run(m->emu, m->n[i], m->x[i], m->y[i], NULL, NULL);
}

void ts_emu_run_events(const ts_emu *emu, int events, const int *n, const int32_t *const *x, int32_t *const *y)
{
    ts_parallel(events, 1, true, run_event, &(many){emu, n, x, y});
}

void ts_quantise_input(const ts_imodel *im, int n, const float *x, int32_t *x_int)
{
    const double max = (double)ts_fmt_max(im->in.bits, true);
    for (int t = 0; t < n; t++)
        for (int c = 0; c < im->features; c++, x++, x_int++) {
            const double value = floor((double)*x / im->in_scale[c] + 0.5);
            *x_int = (int32_t)fmin(fmax(value, -max), max);
        }
}

void ts_dequantise_output(const ts_imodel *im, int rows, const int32_t *y_int, double *y)
{
    const double *scale = ts_imodel_out_scale(im);
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < im->outputs; o++, y++, y_int++)
            *y = *y_int * scale[o];
}
