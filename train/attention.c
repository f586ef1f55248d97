/* Attention forward and backward for the training scripts, on a CPU: no [tokens][tokens] matrix is ever stored, four queries share each
   load of a key, sixteen keys share an instruction. Built by attention.py.

   Besides the context it returns, per query, the mean logarithm of the attention to the hits of the query's own particle. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16, QUERIES = 4, MAX_WIDTH = 32 };

/* Into attention_forward and attention_backward, where the width is a constant: a query block then stays in registers. */
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(LANES * sizeof(float))));
typedef int bits __attribute__((vector_size(LANES * sizeof(int))));

/* One head of one event: q, k, v with `stride` floats from token to token, transposed and zero-padded to whole vectors. */
typedef struct head {
    long tokens, vectors;
    lanes *k, *v;      /* [width][vectors] */
    lanes *particle;   /* [vectors] */
    lanes *s[QUERIES]; /* scores, then probabilities: [vectors] */
    lanes *t[QUERIES]; /* gradients of the scores */
    lanes *dk, *dv;    /* [width][vectors] */
} head;

static lanes spread(float x)
{
    return (lanes){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}

static float sum(lanes x)
{
    float total = 0;
    for (int i = 0; i < LANES; i++)
        total += x[i];
    return total;
}

static void head_alloc(head *h, long tokens, int width)
{
    const size_t vectors = (size_t)((tokens + LANES - 1) / LANES), w = (size_t)width;
    lanes *at = aligned_alloc(sizeof(lanes), (4 * w + 1 + 2 * QUERIES) * vectors * sizeof(lanes));
    if (!at)
        abort();
    *h = (head){
        .tokens = tokens, .vectors = (long)vectors, .k = at, .v = at + w * vectors, .dk = at + 2 * w * vectors, .dv = at + 3 * w * vectors};
    h->particle = at + 4 * w * vectors;
    for (size_t i = 0; i < QUERIES; i++) {
        h->s[i] = h->particle + (1 + i) * vectors;
        h->t[i] = h->particle + (1 + QUERIES + i) * vectors;
    }
}

static void transpose_in(lanes *to, const float *from, long tokens, long vectors, int width, long stride)
{
    float *out = (float *)to;
    memset(out, 0, (size_t)(vectors * width) * sizeof(lanes));
    for (long j = 0; j < tokens; j++)
        for (int d = 0; d < width; d++)
            out[d * vectors * LANES + j] = from[j * stride + d];
}

static void load_particles(head *h, const float *particle)
{
    float *to = (float *)h->particle;
    for (long j = 0; j < h->vectors * LANES; j++)
        to[j] = j < h->tokens ? particle[j] : NAN; /* equal to none */
}

static void transpose_out(float *to, const lanes *from, long tokens, long vectors, int width, long stride)
{
    const float *in = (const float *)from;
    for (long j = 0; j < tokens; j++)
        for (int d = 0; d < width; d++)
            to[j * stride + d] = in[d * vectors * LANES + j];
}

/* out[i][] = a[i] . b over the width, for QUERIES queries. */
INLINE void scores(lanes *const out[QUERIES], float a[QUERIES][MAX_WIDTH], const lanes *b, long vectors, int width)
{
    for (long j = 0; j < vectors; j++) {
        lanes s[QUERIES] = {{0}};
        UNROLL for (int d = 0; d < width; d++) UNROLL for (int i = 0; i < QUERIES; i++) s[i] += spread(a[i][d]) * b[d * vectors + j];
        for (int i = 0; i < QUERIES; i++)
            out[i][j] = s[i];
    }
}

/* out[i][d] = sum over keys of w[i][] * b[d][]. */
INLINE void mix(float out[QUERIES][MAX_WIDTH], lanes *const w[QUERIES], const lanes *b, long vectors, int width)
{
    for (int d = 0; d < width; d += 2) {
        lanes s[QUERIES][2] = {{{0}}};
        for (long j = 0; j < vectors; j++)
            UNROLL for (int i = 0; i < QUERIES; i++)
            {
                s[i][0] += w[i][j] * b[d * vectors + j];
                s[i][1] += w[i][j] * b[(d + 1) * vectors + j];
            }
        for (int i = 0; i < QUERIES; i++) {
            out[i][d] = sum(s[i][0]);
            out[i][d + 1] = sum(s[i][1]);
        }
    }
}

/* out[d][] += sum over the queries of w[i][] * a[i][d]. */
INLINE void spread_back(lanes *out, lanes *const w[QUERIES], float a[QUERIES][MAX_WIDTH], long vectors, int width)
{
    for (long j = 0; j < vectors; j++)
        UNROLL for (int d = 0; d < width; d++)
        {
            lanes s = out[d * vectors + j];
            UNROLL for (int i = 0; i < QUERIES; i++) s += w[i][j] * spread(a[i][d]);
            out[d * vectors + j] = s;
        }
}

/* Rows of a query block; past the last query, the last one again (its results are not stored). */
static void load(float to[QUERIES][MAX_WIDTH], const float *from, long first, long tokens, int width, long stride, float factor)
{
    for (int i = 0; i < QUERIES; i++)
        for (int d = 0; d < width; d++)
            to[i][d] = factor * from[(first + i < tokens ? first + i : tokens - 1) * stride + d];
}

static void mask_tail(const head *h, lanes *row)
{
    for (long j = h->tokens; j < h->vectors * LANES; j++)
        ((float *)row)[j] = -1e30f;
}

/* e^x for x <= 0 to about 2e-7 relative; 0 below -87. A polynomial, because a call of expf is not vectorised. */
static lanes exponential(lanes x)
{
    const lanes y = x * spread(1.44269504f), rounder = spread(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    const lanes whole = (y + rounder) - rounder, f = (y - whole) * spread(0.693147181f);
    lanes e = spread(1.0f / 720);
    e = e * f + spread(1.0f / 120);
    e = e * f + spread(1.0f / 24);
    e = e * f + spread(1.0f / 6);
    e = e * f + spread(0.5f);
    e = e * f + spread(1);
    e = e * f + spread(1);
    return (lanes)(((bits)e + (__builtin_convertvector(whole, bits) << 23)) & (x > spread(-87)));
}

static void exponentials(lanes *row, long vectors, float shift)
{
    for (long j = 0; j < vectors; j++)
        row[j] = exponential(row[j] - spread(shift));
}

static float largest(const lanes *row, long vectors)
{
    const float *s = (const float *)row;
    float max = -INFINITY;
#pragma omp simd reduction(max : max)
    for (long j = 0; j < vectors * LANES; j++)
        max = s[j] > max ? s[j] : max;
    return max;
}

static float own_mean(const head *h, const lanes *row, float particle)
{
    const float *x = (const float *)row, *of = (const float *)h->particle;
    float total = 0, count = 0;
#pragma omp simd reduction(+ : total, count)
    for (long j = 0; j < h->vectors * LANES; j++) {
        total += of[j] == particle ? x[j] : 0;
        count += of[j] == particle ? 1.0f : 0.0f;
    }
    return total / count;
}

static float own_count(const head *h, float particle)
{
    const float *of = (const float *)h->particle;
    float count = 0;
#pragma omp simd reduction(+ : count)
    for (long j = 0; j < h->vectors * LANES; j++)
        count += of[j] == particle ? 1.0f : 0.0f;
    return count;
}

INLINE void forward(head *h, const float *q, const float *k, const float *v, const float *particle, float *context, float *log_sum,
                    float *log_own, int width, long stride, long out_stride)
{
    const float scale = 1.0f / sqrtf((float)width);
    transpose_in(h->k, k, h->tokens, h->vectors, width, stride);
    transpose_in(h->v, v, h->tokens, h->vectors, width, stride);
    load_particles(h, particle);
    for (long first = 0; first < h->tokens; first += QUERIES) {
        float a[QUERIES][MAX_WIDTH], o[QUERIES][MAX_WIDTH], total[QUERIES];
        load(a, q, first, h->tokens, width, stride, scale);
        scores(h->s, a, h->k, h->vectors, width);
        for (int i = 0; i < QUERIES; i++) {
            mask_tail(h, h->s[i]);
            const float max = largest(h->s[i], h->vectors), own = first + i < h->tokens ? own_mean(h, h->s[i], particle[first + i]) : 0;
            exponentials(h->s[i], h->vectors, max);
            lanes t = {0};
            for (long j = 0; j < h->vectors; j++)
                t += h->s[i][j];
            total[i] = sum(t);
            if (first + i < h->tokens) {
                log_sum[first + i] = max + logf(total[i]);
                log_own[first + i] = own - log_sum[first + i];
            }
        }
        mix(o, h->s, h->v, h->vectors, width);
        for (int i = 0; i < QUERIES && first + i < h->tokens; i++)
            for (int d = 0; d < width; d++)
                context[(first + i) * out_stride + d] = o[i][d] / total[i];
    }
}

INLINE void backward(head *h, const float *q, const float *k, const float *v, const float *particle, const float *context,
                     const float *log_sum, const float *d_context, const float *d_own, float *dq, float *dk, float *dv, int width,
                     long stride, long out_stride)
{
    const float scale = 1.0f / sqrtf((float)width);
    transpose_in(h->k, k, h->tokens, h->vectors, width, stride);
    transpose_in(h->v, v, h->tokens, h->vectors, width, stride);
    load_particles(h, particle);
    memset(h->dk, 0, (size_t)(2 * width * h->vectors) * sizeof(lanes));
    for (long first = 0; first < h->tokens; first += QUERIES) {
        float a[QUERIES][MAX_WIDTH], g[QUERIES][MAX_WIDTH], o[QUERIES][MAX_WIDTH];
        load(a, q, first, h->tokens, width, stride, scale);
        load(g, d_context, first, h->tokens, width, out_stride, 1);
        load(o, context, first, h->tokens, width, out_stride, 1);
        scores(h->s, a, h->k, h->vectors, width);
        scores(h->t, g, h->v, h->vectors, width);
        for (int i = 0; i < QUERIES; i++) {
            const long row = first + i;
            if (row >= h->tokens) {
                memset(h->s[i], 0, (size_t)h->vectors * sizeof(lanes));
                memset(h->t[i], 0, (size_t)h->vectors * sizeof(lanes));
                continue;
            }
            mask_tail(h, h->s[i]);
            exponentials(h->s[i], h->vectors, log_sum[row]);
            float centre = 0;
            for (int d = 0; d < width; d++)
                centre += g[i][d] * o[i][d];
            const float bonus = d_own[row] != 0 ? d_own[row] / own_count(h, particle[row]) : 0;
            centre += d_own[row];
            const float own = particle[row], *of = (const float *)h->particle, *p = (const float *)h->s[i];
            float *t = (float *)h->t[i];
#pragma omp simd
            for (long j = 0; j < h->vectors * LANES; j++)
                t[j] = p[j] * (t[j] - centre) + (of[j] == own ? bonus : 0);
        }
        mix(o, h->t, h->k, h->vectors, width);
        for (int i = 0; i < QUERIES && first + i < h->tokens; i++)
            for (int d = 0; d < width; d++)
                dq[(first + i) * stride + d] = scale * o[i][d];
        spread_back(h->dk, h->t, a, h->vectors, width);
        spread_back(h->dv, h->s, g, h->vectors, width);
    }
    transpose_out(dk, h->dk, h->tokens, h->vectors, width, stride);
    transpose_out(dv, h->dv, h->tokens, h->vectors, width, stride);
}

#define FOR_WIDTH(call) \
    switch (width) { \
    case 8: { \
        enum { W = 8 }; \
        call; \
        break; \
    } \
    case 16: { \
        enum { W = 16 }; \
        call; \
        break; \
    } \
    case 32: { \
        enum { W = 32 }; \
        call; \
        break; \
    } \
    default: \
        abort(); \
    }

/* qkv [events][tokens][3][heads][width], particle [events][tokens] (floats that are only compared) -> context
   [events][tokens][heads][width], log_sum and log_own [events][heads][tokens]. */
void attention_forward(const float *qkv, const float *particle, float *context, float *log_sum, float *log_own, long events, long tokens,
                       int heads, int width)
{
    const long d = (long)heads * width;
    head h;
    head_alloc(&h, tokens, width);
    for (long e = 0; e < events; e++)
        for (int n = 0; n < heads; n++) {
            const float *q = qkv + e * tokens * 3 * d + n * width;
            const long row = (e * heads + n) * tokens;
            FOR_WIDTH(forward(&h, q, q + d, q + 2 * d, particle + e * tokens, context + e * tokens * d + n * width, log_sum + row,
                              log_own + row, W, 3 * d, d))
        }
    free(h.k);
}

/* Gradients d_context, d_own of the loss in, d_qkv out; the rest as above. */
void attention_backward(const float *qkv, const float *particle, const float *context, const float *log_sum, const float *d_context,
                        const float *d_own, float *d_qkv, long events, long tokens, int heads, int width)
{
    const long d = (long)heads * width;
    head h;
    head_alloc(&h, tokens, width);
    for (long e = 0; e < events; e++)
        for (int n = 0; n < heads; n++) {
            const long at = e * tokens * 3 * d + n * width, out = e * tokens * d + n * width, row = (e * heads + n) * tokens;
            FOR_WIDTH(backward(&h, qkv + at, qkv + at + d, qkv + at + 2 * d, particle + e * tokens, context + out, log_sum + row,
                               d_context + out, d_own + row, d_qkv + at, d_qkv + at + d, d_qkv + at + 2 * d, W, 3 * d, d))
        }
    free(h.k);
}
