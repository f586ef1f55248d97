#include "ref/encoder_eval.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"

enum { QUERY_BLOCK = 256 }; /* query rows whose scores exist at one time; a tap sees all rows at once instead */

static const float LOG2E = 1.44269504F;

/* One evaluation. Every buffer holds one value a token and channel, row-major. */
typedef struct eval {
    const ts_encoder *enc;
    int n;     /* tokens */
    int inner; /* heads * d_head */
    ts_tap tap;
    void *user;
    ts_arena *arena;          /* scratch of this call */
    float *x, *branch, *norm; /* [n][d]: residual stream, branch output, norm output */
    float *q, *k, *v, *ctx;   /* [n][inner] */
    float *hidden;            /* [n][ff] */
    float *score, *octaves;   /* [query rows][n]; octaves only with a tap */
} eval;

const char *ts_role_name(ts_role role)
{
    static const char *const names[TS_ROLE_COUNT] = {
#define X(id, name, doc) [TS_ROLE_##id] = name,
        TS_ROLES(X)
#undef X
    };
    CHECK((int)role >= 0 && role < TS_ROLE_COUNT);
    return names[role];
}

static void tap(const eval *e, int layer, ts_role role, int part, int rows, int cols, const float *data)
{
    if (e->tap)
        e->tap(e->user, layer, role, part, -1, rows, cols, data);
}

/* y[rows][out] = x[rows][in] w^T + b. The bias goes in first, so that the product adds to it in one call. */
static void linear(const ts_linear *lin, int rows, const float *x, float *y)
{
    for (int r = 0; r < rows; r++)
        memcpy(y + (size_t)r * (size_t)lin->out, lin->b, (size_t)lin->out * sizeof *y);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, lin->out, lin->in, 1.0F, x, lin->in, lin->w, lin->in, 1.0F, y, lin->out);
}

/* `rows` of norm->d channels; one in `period` uses the first gains. Moments in double: their error is then far below one unit of the float
   result, whatever the order of summation. */
static void normalise_groups(const ts_norm *norm, int rows, int period, const float *x, float *y)
{
    const int d = norm->d;
    for (int r = 0; r < rows; r++, x += d, y += d) {
        const float *gain = norm->gain + r % period * d, *bias = norm->bias + r % period * d;
        double sum = 0, squares = 0;
        for (int c = 0; c < d; c++)
            sum += (double)x[c];
        const double mean = ts_norm_centred(norm->kind) ? sum / d : 0;
        for (int c = 0; c < d; c++)
            squares += ((double)x[c] - mean) * ((double)x[c] - mean);
        const double scale = 1.0 / sqrt(squares / d + (double)norm->eps);
        for (int c = 0; c < d; c++)
            y[c] = (float)(((double)x[c] - mean) * scale) * gain[c] + bias[c];
    }
}

static void normalise(const ts_norm *norm, int rows, const float *x, float *y)
{
    normalise_groups(norm, rows, 1, x, y);
}

static void softmax_row(int n, float *row)
{
    float max = row[0], sum = 0.0F;
    for (int j = 1; j < n; j++)
        max = row[j] > max ? row[j] : max;
    for (int j = 0; j < n; j++)
        row[j] = expf(row[j] - max);
    for (int j = 0; j < n; j++)
        sum += row[j];
    const float scale = 1.0F / sum;
    for (int j = 0; j < n; j++)
        row[j] *= scale;
}

static void attend_head(eval *e, int layer, int head, float scale)
{
    const int n = e->n, dh = e->enc->d_head, ld = e->inner, block = e->tap ? n : QUERY_BLOCK;
    const size_t at = (size_t)head * (size_t)dh;
    for (int first = 0; first < n; first += block) {
        const int rows = n - first < block ? n - first : block;
        const size_t from = (size_t)first * (size_t)ld + at;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, n, dh, scale, e->q + from, ld, e->k + at, ld, 0.0F, e->score, n);
        if (e->tap) {
            const size_t count = (size_t)n * (size_t)n;
            for (size_t i = 0; i < count; i++)
                e->octaves[i] = e->score[i] * LOG2E;
            e->tap(e->user, layer, TS_ROLE_SCORE, 0, head, n, n, e->octaves);
        }
        for (int r = 0; r < rows; r++)
            softmax_row(n, e->score + (size_t)r * (size_t)n);
        if (e->tap)
            e->tap(e->user, layer, TS_ROLE_P, 0, head, n, n, e->score);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, dh, n, 1.0F, e->score, n, e->v + at, ld, 0.0F, e->ctx + from, ld);
    }
}

/* branch = o(attention(x)). */
static void attention(eval *e, int index, const float *x)
{
    const ts_layer *layer = &e->enc->layer[index];
    tap(e, index, TS_ROLE_QKV_IN, 0, e->n, e->enc->d, x);
    linear(&layer->q, e->n, x, e->q);
    linear(&layer->k, e->n, x, e->k);
    linear(&layer->v, e->n, x, e->v);
    if (e->enc->qk_norm) {
        const int groups = e->inner / e->enc->qk_norm;
        tap(e, index, TS_ROLE_QK_IN, 0, e->n, e->inner, e->q);
        tap(e, index, TS_ROLE_QK_IN, 1, e->n, e->inner, e->k);
        normalise_groups(&layer->q_norm, e->n * groups, groups, e->q, e->q);
        normalise_groups(&layer->k_norm, e->n * groups, groups, e->k, e->k);
    }
    tap(e, index, TS_ROLE_Q, 0, e->n, e->inner, e->q);
    tap(e, index, TS_ROLE_K, 0, e->n, e->inner, e->k);
    tap(e, index, TS_ROLE_V, 0, e->n, e->inner, e->v);
    for (int head = 0; head < e->enc->heads; head++)
        attend_head(e, index, head, layer->scale);
    tap(e, index, TS_ROLE_CTX, 0, e->n, e->inner, e->ctx);
    linear(&layer->o, e->n, e->ctx, e->branch);
    tap(e, index, TS_ROLE_RES, 1, e->n, e->enc->d, e->branch);
}

/* branch = ffn2(act(ffn1(x))). */
static void feed_forward(eval *e, int index, const float *x)
{
    const ts_layer *layer = &e->enc->layer[index];
    tap(e, index, TS_ROLE_FFN_IN, 0, e->n, e->enc->d, x);
    linear(&layer->ffn1, e->n, x, e->hidden);
    tap(e, index, TS_ROLE_ACT_IN, 0, e->n, e->enc->ff, e->hidden);
    ts_activate_floats(e->enc->act, (size_t)e->n * (size_t)e->enc->ff, e->hidden);
    tap(e, index, TS_ROLE_HIDDEN, 0, e->n, e->enc->ff, e->hidden);
    linear(&layer->ffn2, e->n, e->hidden, e->branch);
    tap(e, index, TS_ROLE_RES, 4, e->n, e->enc->d, e->branch);
}

static void add_branch(eval *e, int index, int part)
{
    const size_t count = (size_t)e->n * (size_t)e->enc->d;
    for (size_t i = 0; i < count; i++)
        e->x[i] += e->branch[i];
    tap(e, index, TS_ROLE_RES, part, e->n, e->enc->d, e->x);
}

static const ts_norm *norm_at(const ts_encoder *enc, const ts_layer *layer, ts_norm_place place)
{
    const int which = ts_norm_at(enc->norms, place);
    return which == 1 ? &layer->norm1 : which == 2 ? &layer->norm2 : NULL;
}

/* What a block reads: the residual stream, or its normalisation. */
static const float *block_input(eval *e, const ts_norm *norm)
{
    if (!norm)
        return e->x;
    normalise(norm, e->n, e->x, e->norm);
    return e->norm;
}

static void run_layer(eval *e, int index)
{
    const ts_encoder *enc = e->enc;
    const ts_layer *layer = &enc->layer[index];
    const ts_norm *behind_attention = norm_at(enc, layer, TS_BEHIND_ATTENTION), *behind_ffn = norm_at(enc, layer, TS_BEHIND_FFN);
    tap(e, index, TS_ROLE_RES, 0, e->n, enc->d, e->x);
    attention(e, index, block_input(e, norm_at(enc, layer, TS_BEFORE_ATTENTION)));
    add_branch(e, index, 2);
    if (behind_attention) {
        normalise(behind_attention, e->n, e->x, e->x);
        tap(e, index, TS_ROLE_RES, 3, e->n, enc->d, e->x);
    }
    feed_forward(e, index, block_input(e, norm_at(enc, layer, TS_BEFORE_FFN)));
    add_branch(e, index, 5);
    if (behind_ffn)
        normalise(behind_ffn, e->n, e->x, e->x);
    tap(e, index, TS_ROLE_RES, 6, e->n, enc->d, e->x);
}

/* The linears of an embedding or a head. x is not written; the last linear writes y. */
static void run_mlp(eval *e, const ts_mlp *mlp, int layer, ts_role hidden_role, int rows, const float *x, float *y)
{
    for (int i = 0; i < mlp->count; i++) {
        const bool last = i == mlp->count - 1;
        const ts_linear *lin = &mlp->lin[i];
        const size_t count = (size_t)rows * (size_t)lin->out;
        float *to = last ? y : TS_NEW_N(e->arena, float, count);
        linear(lin, rows, x, to);
        ts_activate_floats(mlp->act[i], count, to);
        if (!last)
            tap(e, layer, hidden_role, i, rows, lin->out, to);
        x = to;
    }
}

/* One row that stands for the event. n >= 1. */
static void pool(const eval *e, const float *x, float *y)
{
    const int n = e->n, d = e->enc->d;
    for (int c = 0; c < d; c++) {
        double sum = 0;
        float max = x[c];
        for (int t = 0; t < n; t++) {
            const float value = x[(size_t)t * (size_t)d + (size_t)c];
            sum += (double)value;
            max = value > max ? value : max;
        }
        y[c] = e->enc->pool == TS_POOL_MEAN ? (float)(sum / n) : e->enc->pool == TS_POOL_MAX ? max : x[c];
    }
}

void ts_encoder_eval(const ts_encoder *enc, int n, const float *x, float *y, ts_tap tap_fn, void *user)
{
    CHECK(n >= 0);
    if (n == 0) {
        if (enc->pool != TS_POOL_NONE)
            memset(y, 0, (size_t)enc->outputs * sizeof *y);
        return;
    }
    eval e = {.enc = enc, .n = n, .inner = enc->heads * enc->d_head, .tap = tap_fn, .user = user, .arena = ts_arena_new()};
    const size_t tokens = (size_t)n, residual = tokens * (size_t)enc->d, inner = tokens * (size_t)e.inner;
    e.x = TS_NEW_N(e.arena, float, residual);
    e.branch = TS_NEW_N(e.arena, float, residual);
    e.norm = TS_NEW_N(e.arena, float, residual);
    e.q = TS_NEW_N(e.arena, float, inner);
    e.k = TS_NEW_N(e.arena, float, inner);
    e.v = TS_NEW_N(e.arena, float, inner);
    e.ctx = TS_NEW_N(e.arena, float, inner);
    e.hidden = TS_NEW_N(e.arena, float, tokens *(size_t)enc->ff);
    e.score = TS_NEW_N(e.arena, float, tokens *(tap_fn || n < QUERY_BLOCK ? tokens : QUERY_BLOCK));
    if (tap_fn)
        e.octaves = TS_NEW_N(e.arena, float, tokens *tokens);

    tap(&e, 0, TS_ROLE_IN, 0, n, enc->features, x);
    run_mlp(&e, &enc->embed, 0, TS_ROLE_EMBED_HIDDEN, n, x, e.x);
    for (int i = 0; i < enc->layers; i++)
        run_layer(&e, i);
    const int last = enc->layers - 1;
    if (enc->has_final_norm) {
        normalise(&enc->final_norm, n, e.x, e.x);
        tap(&e, last, TS_ROLE_RES, 7, n, enc->d, e.x);
    }
    const float *head_in = e.x;
    int rows = n;
    if (enc->pool != TS_POOL_NONE) {
        pool(&e, e.x, e.norm);
        head_in = e.norm;
        rows = 1;
    }
    tap(&e, last, TS_ROLE_HEAD_IN, 0, rows, enc->d, head_in);
    run_mlp(&e, &enc->head, last, TS_ROLE_HEAD_HIDDEN, rows, head_in, y);
    tap(&e, last, TS_ROLE_OUT, 0, rows, enc->outputs, y);
    ts_arena_free(e.arena);
}

static double bytes_for(const ts_encoder *enc, int n, bool tapped)
{
    const double rows = tapped || n < QUERY_BLOCK ? n : QUERY_BLOCK;
    const double floats =
        (double)n * (3.0 * enc->d + 4.0 * enc->heads * enc->d_head + enc->ff + (double)enc->outputs) + rows * n * (tapped ? 2 : 1);
    return floats * sizeof(float);
}

bool ts_encoder_eval_fits(const ts_encoder *enc, int n, bool tapped, int at_once)
{
    return at_once * bytes_for(enc, n, tapped) < 0.75 * (double)ts_memory_limit();
}

bool ts_encoder_eval_check(const ts_encoder *enc, int n, bool tapped, ts_err *err)
{
    return ts_encoder_eval_fits(enc, n, tapped, 1) || ts_fail_as(err, TS_OUT_OF_MEMORY,
                                                                 "an event of %d hits: the float model's scores of all pairs of hits take "
                                                                 "%.0f MB, more than three quarters of this machine's %.0f MB; "
                                                                 "use shorter events, or the first of them alone",
                                                                 n, bytes_for(enc, n, tapped) / 1e6, (double)ts_memory_limit() / 1e6);
}
