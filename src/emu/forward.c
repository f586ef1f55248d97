#include "emu/forward.h"

#include <string.h>

#include "num/fixed.h"

typedef struct run {
    const ts_emu *emu;
    const ts_imodel *im;
    int n, inner;
    ts_emu_tap tap;
    void *user;
    ts_arena *arena;        /* scratch of this call */
    double *flat;           /* [max(d, ff)]: a scale that is one for all channels */
    int32_t *x;             /* [n][d]: residual stream */
    int32_t *norm, *branch; /* [n][d] */
    int32_t *stage;         /* [n][d]: stage input after requantisation */
    int32_t *qkv, *ctx;     /* [n][3 * inner], [n][inner] */
    int32_t *hidden;        /* [n][ff] */
} run;

static void tap(const run *r, int layer, ts_role role, int part, int rows, int cols, const int32_t *data, const double *scale,
                const double *offset)
{
    if (r->tap)
        r->tap(r->user, layer, role, part, rows, cols, data, scale, offset);
}

static void tap_res(const run *r, int layer, int part, const int32_t *data, double scale)
{
    if (!r->tap)
        return;
    for (int c = 0; c < r->im->d; c++)
        r->flat[c] = scale;
    r->tap(r->user, layer, TS_ROLE_RES, part, r->n, r->im->d, data, r->flat, NULL);
}

static void linear(const run *r, const ts_packed *p, int rows, const int32_t *x, int32_t *y)
{
    ts_emu_linear(r->emu, r->arena, p, rows, x, y);
}

static void requantise(const ts_rq *rq, int rows, const int32_t *x, int32_t *y)
{
    for (int i = 0; i < rows; i++)
        for (int c = 0; c < rq->count; c++) {
            const size_t at = (size_t)i * (size_t)rq->count + (size_t)c;
            y[at] = (int32_t)ts_requant(x[at], rq->s1, rq->m[c], rq->b ? rq->b[c] : 0, rq->s2 + rq->e[c], rq->out.bits, rq->out.is_signed);
        }
}

/* One vector of norm->d channels, which are channels `first` ... of the gains. */
static void normalise_one(const ts_inorm *norm, int first, const int32_t *x, int32_t *y)
{
    const ts_norm_num num = {norm->d,   ts_norm_centred(norm->kind), norm->t_shift,     norm->y_shift, norm->y.bits,
                             norm->eps, norm->gain + first,          norm->bias + first};
    ts_norm_token(&num, x, y);
}

static void normalise(const ts_inorm *norm, int rows, const int32_t *x, int32_t *y)
{
    for (int i = 0; i < rows; i++)
        normalise_one(norm, 0, x + (size_t)i * (size_t)norm->d, y + (size_t)i * (size_t)norm->d);
}

static void add_branch(run *r)
{
    const size_t count = (size_t)r->n * (size_t)r->im->d;
    for (size_t i = 0; i < count; i++)
        r->x[i] = (int32_t)ts_sat((int64_t)r->x[i] + r->branch[i], r->im->res.bits, true);
}

/* Taps q (which = 0), k or v (2), which lie side by side in one row. */
static void tap_part(const run *r, int layer, ts_role role, int part, int which, const double *scale, const double *offset)
{
    if (!r->tap)
        return;
    const size_t inner = (size_t)r->inner;
    int32_t *data = TS_NEW_N(r->arena, int32_t, (size_t)r->n * inner);
    for (int t = 0; t < r->n; t++)
        memcpy(data + (size_t)t * inner, r->qkv + (size_t)t * 3 * inner + (size_t)which * inner, inner * sizeof *data);
    tap(r, layer, role, part, r->n, r->inner, data, scale, offset);
}

/* q, k and v as the linear made them become what attention takes: normalised, where the model has a norm on q and k. */
static void finish_qkv(run *r, int layer, const ts_ilin *lin)
{
    static const ts_role role[3] = {TS_ROLE_Q, TS_ROLE_K, TS_ROLE_V};
    const ts_inorm *norms[3] = {&r->im->layer[layer].q_norm, &r->im->layer[layer].k_norm, NULL};
    for (int p = 0; p < 3; p++) {
        const double *scale = lin->y_scale + p * r->inner, *offset = lin->y_offset ? lin->y_offset + p * r->inner : NULL;
        if (r->im->qk_norm && norms[p]) {
            tap_part(r, layer, TS_ROLE_QK_IN, p, p, scale, offset);
            for (int t = 0; t < r->n; t++)
                for (int first = 0; first < r->inner; first += norms[p]->d) {
                    int32_t *at = r->qkv + ((size_t)t * 3 + (size_t)p) * (size_t)r->inner + first;
                    normalise_one(norms[p], first, at, at);
                }
            scale = norms[p]->channel_scale;
            offset = norms[p]->channel_offset;
        }
        tap_part(r, layer, role[p], 0, p, scale, offset);
    }
}

/* branch = o(attention). `fused`: input of the fused first QKV, or NULL. `x`: what the block reads otherwise. */
static void attention(run *r, int l, const int32_t *x, const int32_t *fused)
{
    const ts_ilayer *layer = &r->im->layer[l];
    const ts_packed_layer *packed = &r->emu->layer[l];
    const ts_packed *qkv = fused ? &r->emu->qkv0 : &packed->qkv;
    if (!fused) {
        requantise(&layer->qkv_in, r->n, x, r->stage);
        tap(r, l, TS_ROLE_QKV_IN, 0, r->n, r->im->d, r->stage, layer->qkv_in.y_scale, layer->qkv_in.y_offset);
    }
    linear(r, qkv, r->n, fused ? fused : r->stage, r->qkv);
    finish_qkv(r, l, qkv->lin);
    ts_emu_attention(r->emu, r->arena, l, r->n, r->qkv, r->ctx, r->tap, r->user);
    const double *v_offset = qkv->lin->y_offset ? qkv->lin->y_offset + 2 * r->inner : NULL;
    tap(r, l, TS_ROLE_CTX, 0, r->n, r->inner, r->ctx, layer->ctx_scale, v_offset);
    linear(r, &packed->o, r->n, r->ctx, r->branch);
    tap_res(r, l, 1, r->branch, layer->res_scale_in);
}

static void feed_forward(run *r, int l, const int32_t *x)
{
    const ts_ilayer *layer = &r->im->layer[l];
    const ts_packed_layer *packed = &r->emu->layer[l];
    requantise(&layer->ffn_in, r->n, x, r->stage);
    tap(r, l, TS_ROLE_FFN_IN, 0, r->n, r->im->d, r->stage, layer->ffn_in.y_scale, layer->ffn_in.y_offset);
    linear(r, &packed->ffn1, r->n, r->stage, r->hidden);
    tap(r, l, TS_ROLE_HIDDEN, 0, r->n, r->im->ff, r->hidden, layer->ffn1.y_scale, layer->ffn1.y_offset);
    linear(r, &packed->ffn2, r->n, r->hidden, r->branch);
    tap_res(r, l, 4, r->branch, layer->res_scale_mid);
}

static const ts_inorm *norm_at(const run *r, int l, ts_norm_place place)
{
    const int which = ts_norm_at(r->im->norms, place);
    return which == 1 ? &r->im->layer[l].norm1 : which == 2 ? &r->im->layer[l].norm2 : NULL;
}

/* What a block reads: the residual stream, or its normalisation. */
static const int32_t *block_input(run *r, const ts_inorm *norm)
{
    if (!norm)
        return r->x;
    normalise(norm, r->n, r->x, r->norm);
    return r->norm;
}

static void attention_block(run *r, int l, const int32_t *fused)
{
    const ts_ilayer *layer = &r->im->layer[l];
    const ts_inorm *behind = norm_at(r, l, TS_BEHIND_ATTENTION);
    tap_res(r, l, 0, r->x, layer->res_scale_in);
    attention(r, l, block_input(r, norm_at(r, l, TS_BEFORE_ATTENTION)), fused);
    add_branch(r);
    tap_res(r, l, 2, r->x, layer->res_scale_in);
    if (behind) {
        normalise(behind, r->n, r->x, r->x);
        tap_res(r, l, 3, r->x, layer->res_scale_mid);
    }
}

static void ffn_block(run *r, int l)
{
    const ts_ilayer *layer = &r->im->layer[l];
    const ts_inorm *behind = norm_at(r, l, TS_BEHIND_FFN);
    feed_forward(r, l, block_input(r, norm_at(r, l, TS_BEFORE_FFN)));
    add_branch(r);
    tap_res(r, l, 5, r->x, layer->res_scale_mid);
    if (behind)
        normalise(behind, r->n, r->x, r->x);
    tap_res(r, l, 6, r->x, behind ? behind->y_scale : layer->res_scale_mid);
}

/* Returns the input of the last linear, whose output is in y. */
static const int32_t *run_mlp(run *r, const ts_packed *packed, int count, int layer, ts_role hidden, int rows, const int32_t *x, int32_t *y)
{
    for (int i = 0; i < count - 1; i++) {
        const ts_ilin *lin = packed[i].lin;
        int32_t *to = TS_NEW_N(r->arena, int32_t, (size_t)rows * (size_t)lin->out);
        linear(r, &packed[i], rows, x, to);
        tap(r, layer, hidden, i, rows, lin->out, to, lin->y_scale, lin->y_offset);
        x = to;
    }
    linear(r, &packed[count - 1], rows, x, y);
    return x;
}

/* One row for the event, in the format and scale of its tokens. */
static void pool(const run *r, const int32_t *x, int32_t *y)
{
    const int d = r->im->d;
    for (int c = 0; c < d; c++) {
        int64_t sum = 0;
        int32_t max = x[c];
        for (int t = 0; t < r->n; t++) {
            const int32_t value = x[(size_t)t * (size_t)d + (size_t)c];
            sum += value;
            max = value > max ? value : max;
        }
        const int bits = r->im->res.bits;
        y[c] = r->im->pool == TS_POOL_MEAN  ? (int32_t)ts_wmean(sum, (uint64_t)r->n, bits, 41 - bits, bits)
               : r->im->pool == TS_POOL_MAX ? max
                                            : x[c];
    }
}

static void run_head(run *r, int32_t *y)
{
    const ts_imodel *im = r->im;
    const int last = im->layers - 1;
    if (im->has_final_norm) {
        normalise(&im->final_norm, r->n, r->x, r->x);
        tap_res(r, last, 7, r->x, im->final_norm.y_scale);
    }
    const int32_t *x = r->x;
    int rows = r->n;
    if (im->pool != TS_POOL_NONE) {
        pool(r, r->x, r->norm);
        x = r->norm;
        rows = 1;
    }
    requantise(&im->head_in, rows, x, r->stage);
    tap(r, last, TS_ROLE_HEAD_IN, 0, rows, im->d, r->stage, im->head_in.y_scale, im->head_in.y_offset);
    run_mlp(r, r->emu->head, im->head_count, last, TS_ROLE_HEAD_HIDDEN, rows, r->stage, y);
    tap(r, last, TS_ROLE_OUT, 0, rows, im->outputs, y, im->head[im->head_count - 1].y_scale, NULL);
}

void ts_emu_run(const ts_emu *emu, int n, const int32_t *x, int32_t *y, ts_emu_tap tap_fn, void *user)
{
    const ts_imodel *im = emu->im;
    CHECK(n >= 0);
    if (n == 0) {
        if (im->pool != TS_POOL_NONE)
            memset(y, 0, (size_t)im->outputs * sizeof *y);
        return;
    }
    run r = {.emu = emu, .im = im, .n = n, .inner = im->heads * im->d_head, .tap = tap_fn, .user = user, .arena = ts_arena_new()};
    const size_t tokens = (size_t)n, d = tokens * (size_t)im->d;
    r.flat = TS_NEW_N(r.arena, double, im->d);
    r.x = TS_NEW_N(r.arena, int32_t, d);
    r.norm = TS_NEW_N(r.arena, int32_t, d);
    r.branch = TS_NEW_N(r.arena, int32_t, d);
    r.stage = TS_NEW_N(r.arena, int32_t, d);
    r.qkv = TS_NEW_N(r.arena, int32_t, 3 * tokens * (size_t)r.inner);
    r.ctx = TS_NEW_N(r.arena, int32_t, tokens * (size_t)r.inner);
    r.hidden = TS_NEW_N(r.arena, int32_t, tokens * (size_t)im->ff);
    tap(&r, 0, TS_ROLE_IN, 0, n, im->features, x, im->in_scale, NULL);
    const int32_t *fused = NULL;
    if (im->embed_count > 0)
        fused = run_mlp(&r, emu->embed, im->embed_count, 0, TS_ROLE_EMBED_HIDDEN, n, x, r.x);
    else
        memcpy(r.x, x, d * sizeof *x);
    for (int l = 0; l < im->layers; l++) {
        if (ts_imodel_has_attention(im, l))
            attention_block(&r, l, l == 0 && im->fused_qkv0 ? fused : NULL);
        if (ts_imodel_has_ffn(im, l))
            ffn_block(&r, l);
    }
    if (im->head_count > 0) {
        run_head(&r, y);
    } else {
        memcpy(y, r.x, d * sizeof *y);
        tap(&r, im->layers - 1, TS_ROLE_OUT, 0, n, im->d, y, im->res_out_scale, NULL);
    }
    ts_arena_free(r.arena);
}
