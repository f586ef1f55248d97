#include "num/fixed.h"

#include <math.h>

#include "base/err.h"

uint32_t ts_recip(uint64_t d, int *len)
{
    CHECK(d >= 1 && d < (uint64_t)1 << 46);
    *len = ts_bitlen(d);
    return (uint32_t)((((uint64_t)1 << (*len + 16)) - 1) / d);
}

/* floor(sqrt(u)) by digits; exact for every 64-bit u. */
static uint32_t isqrt(uint64_t u)
{
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 62; bit; bit >>= 2) {
        const uint64_t trial = root + bit;
        root >>= 1;
        if (u >= trial) {
            u -= trial;
            root += bit;
        }
    }
    return (uint32_t)root;
}

uint32_t ts_rsqrt(uint64_t v, int *k)
{
    CHECK(v >= 1);
    *k = (ts_bitlen(v) + 1) / 2;
    const int down = 2 * *k - 36;
    const uint64_t u = down >= 0 ? v >> down : v << -down;
    return (uint32_t)((((uint64_t)1 << 34) - 1) / isqrt(u));
}

int64_t ts_wmean_by(int64_t acc, int64_t r, int len, int vbits, int shift, int bits)
{
    const int down = len + vbits - 25;
    const int64_t a = down >= 0 ? ts_rsh(acc, down) : acc * ((int64_t)1 << -down);
    return ts_sat(ts_rsh(a * r, shift), bits, true);
}

int64_t ts_wmean(int64_t acc, uint64_t sum, int vbits, int shift, int bits)
{
    int len;
    const int64_t r = ts_recip(sum, &len);
    return ts_wmean_by(acc, r, len, vbits, shift, bits);
}

void ts_norm_token(const ts_norm_num *num, const int32_t *x, int32_t *y)
{
    const int d = num->d, times = num->centred ? d : 1;
    int64_t sum = 0;
    uint64_t v = num->eps;
    for (int c = 0; c < d && num->centred; c++)
        sum += x[c];
    for (int c = 0; c < d; c++) {
        const int64_t t = ts_rsh((int64_t)times * x[c] - sum, num->t_shift);
        v += (uint64_t)(t * t);
    }
    int k;
    const int64_t r = ts_rsqrt(v, &k);
    for (int c = 0; c < d; c++) {
        const int64_t t = ts_rsh((int64_t)times * x[c] - sum, num->t_shift);
        const int64_t z = ts_rsh(t * r, k);
        y[c] = (int32_t)ts_requant(z, 0, num->gain[c], num->bias[c], num->y_shift, num->y_bits, true);
    }
}

void ts_exp2_table(int frac_bits, int p_bits, uint32_t *table)
{
    const int size = 1 << frac_bits;
    for (int f = 0; f < size; f++)
        table[f] = (uint32_t)floor(exp2(-(double)f / size) * (double)ts_fmt_max(p_bits, false) + 0.5);
}

static int64_t score(const ts_attn_num *num, int shift, const int32_t *q, const int32_t *k)
{
    int64_t dot = 0;
    for (int c = 0; c < num->dh; c++)
        dot += (int64_t)q[c] * k[c];
    return ts_sat(ts_rsh(dot, shift), num->score_bits, true);
}

void ts_attend(const ts_attn_num *num, int score_shift, int ctx_shift, int n, const int32_t *q, const int32_t *k, const int32_t *v,
               int stride, int32_t *ctx)
{
    const int dh = num->dh;
    CHECK(n >= 1 && dh <= 1024);
    int64_t max = INT64_MIN, acc[1024] = {0};
    for (int j = 0; j < n; j++) {
        const int64_t s = score(num, score_shift, q, k + (int64_t)j * stride);
        max = s > max ? s : max;
    }
    uint64_t sum = 0;
    for (int j = 0; j < n; j++) {
        const int64_t s = score(num, score_shift, q, k + (int64_t)j * stride);
        const uint32_t p = ts_exp2_neg((uint32_t)(max - s), num->exp2, num->frac_bits);
        sum += p;
        for (int c = 0; c < dh; c++)
            acc[c] += (int64_t)p * v[(int64_t)j * stride + c];
    }
    for (int c = 0; c < dh; c++)
        ctx[c] = (int32_t)ts_wmean(acc[c], sum, num->v_bits, ctx_shift, num->ctx_bits);
}
