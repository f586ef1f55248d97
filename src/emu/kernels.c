#include "emu/kernels.h"

#include "num/fixed.h"

/* Low and high half of a pair. */
static int32_t low(int32_t pair)
{
    return (int16_t)(uint16_t)(uint32_t)pair;
}

static int32_t high(int32_t pair)
{
    return (int16_t)(uint16_t)((uint32_t)pair >> 16);
}

static int32_t dot2(int32_t a, int32_t b)
{
    return low(a) * low(b) + high(a) * high(b);
}

static void product(int rows, int pairs, int out, const int32_t *x, const int32_t *w, int32_t *acc)
{
    for (int r = 0; r < rows; r++, acc += out, x += pairs) {
        for (int o = 0; o < out; o++)
            acc[o] = 0;
        for (int i = 0; i < pairs; i++)
            for (int o = 0; o < out; o++)
                acc[o] += dot2(x[i], w[(int64_t)i * out + o]);
    }
}

static int32_t scores(int n, int pairs, const int32_t *q, const int32_t *k, int shift, int32_t limit, int32_t *score)
{
    const int width = ts_padded(n);
    int32_t max = -limit;
    product(1, pairs, width, q, k, score);
    for (int j = 0; j < width; j++) {
        score[j] = (int32_t)ts_clamp(ts_rsh(score[j], shift), -limit, limit);
        max = j < n && score[j] > max ? score[j] : max;
    }
    return max;
}

static int64_t weights(int n, const int32_t *score, int32_t max, const uint32_t *exp2, int frac_bits, int16_t *p)
{
    const int width = ts_padded(n);
    int64_t sum = 0;
    for (int j = 0; j < width; j++) {
        p[j] = j < n ? (int16_t)ts_exp2_neg((uint32_t)(max - score[j]), exp2, frac_bits) : 0;
        sum += p[j];
    }
    return sum;
}

static void context(int pairs, int width, int block, const int32_t *p, const int32_t *v, int64_t *acc)
{
    (void)block; /* sums are 64 bits wide here */
    for (int c = 0; c < width; c++)
        acc[c] = 0;
    for (int j = 0; j < pairs; j++)
        for (int c = 0; c < width; c++)
            acc[c] += dot2(p[j], v[(int64_t)j * width + c]);
}

const ts_kernels ts_kernels_portable = {product, scores, weights, context};
