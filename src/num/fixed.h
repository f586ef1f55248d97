/* The only round, saturate, requantise, reciprocal and reciprocal square root of the project. docs/numerics.md is the
   specification; rtl/ implements the same steps and is compared with these functions bit for bit.
   All functions are pure; all shifts of negative numbers are arithmetic (floor). */
#ifndef TS_FIXED_H
#define TS_FIXED_H
#include <stdbool.h>
#include <stdint.h>

/* round(x / 2^s), half toward +infinity; 0 <= s <= 62. */
static inline int64_t ts_rsh(int64_t x, int s)
{
    return s == 0 ? x : (x + ((int64_t)1 << (s - 1))) >> s;
}

static inline int64_t ts_clamp(int64_t x, int64_t lo, int64_t hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* Largest value of a format. Signed formats are symmetric, +-(2^(bits-1)-1); unsigned ones are 0 ... 2^bits-1. */
static inline int64_t ts_fmt_max(int bits, bool is_signed)
{
    return ((int64_t)1 << (is_signed ? bits - 1 : bits)) - 1;
}

static inline int64_t ts_sat(int64_t x, int bits, bool is_signed)
{
    const int64_t hi = ts_fmt_max(bits, is_signed);
    return ts_clamp(x, is_signed ? -hi : 0, hi);
}

/* Number of bits of x: 0 for 0, floor(log2 x) + 1 otherwise. */
static inline int ts_bitlen(uint64_t x)
{
    return x ? 64 - __builtin_clzll(x) : 0;
}

/* y = sat(round((round(acc / 2^s1) * m + b) / 2^s2)).
   round(acc / 2^s1) must fit 25 bits signed, |m| < 2^17, |b| < 2^43, s2 includes the channel's own few bits (S2 + e). */
static inline int64_t ts_requant(int64_t acc, int s1, int32_t m, int64_t b, int s2, int bits, bool is_signed)
{
    return ts_sat(ts_rsh(ts_rsh(acc, s1) * m + b, s2), bits, is_signed);
}

/* r = floor((2^(L+16) - 1) / d) with L = bitlen(d), d >= 1: 2^16 <= r < 2^17 and 1/d ~ r / 2^(L+16). Returns r, *L. */
uint32_t ts_recip(uint64_t d, int *len);

/* 1/sqrt(v) ~ r / 2^(16+k) for v >= 1: k = ceil(bitlen(v)/2); u = v brought to 36 bits by 2k-36 bits (shifted right,
   truncating, or left), 2^34 <= u < 2^36; q = floor(sqrt(u)); r = floor((2^34 - 1) / q), 2^16 <= r < 2^17. */
uint32_t ts_rsqrt(uint64_t v, int *k);

/* Weighted sum divided by its weights, acc / sum in units of 2^-(41 - vbits - shift): |acc| < sum * 2^(vbits-1).
   a = acc scaled by 2^(25 - vbits - bitlen(sum)) and rounded (25 bits signed); y = sat(round(a * r / 2^shift)).
   shift = 41 - vbits - g gives y = acc / sum * 2^g. Used for the context of attention and for mean pooling. */
int64_t ts_wmean(int64_t acc, uint64_t sum, int vbits, int shift, int bits);

/* The same with the sum's reciprocal at hand: r and len from ts_recip(sum). */
int64_t ts_wmean_by(int64_t acc, int64_t r, int len, int vbits, int shift, int bits);

/* Normalisation of one token, or one head of it. x, y: [d]. */
typedef struct ts_norm_num {
    int d;               /* channels */
    bool centred;        /* layer normalisation: the mean is taken off; false: RMS normalisation */
    int t_shift;         /* t = round((d*x - sum(x)) / 2^t_shift), at most 18 bits signed; not centred: round(x / 2^t_shift) */
    int y_shift;         /* y = sat(round((z*gain + bias) / 2^y_shift)), z = t/sqrt(V) in units of 2^-16 */
    int y_bits;          /* residual format, signed */
    uint64_t eps;        /* V = sum(t^2) + eps, eps >= 1 */
    const int32_t *gain; /* [d], |gain| < 2^17 */
    const int64_t *bias; /* [d], |bias| < 2^43 */
} ts_norm_num;
void ts_norm_token(const ts_norm_num *num, const int32_t *x, int32_t *y);

/* exp2 table of softmax: table[f] = round(2^(-f/2^frac_bits) * (2^p_bits - 1)), f = 0 ... 2^frac_bits - 1. */
void ts_exp2_table(int frac_bits, int p_bits, uint32_t *table);

/* Probability of a score that lies delta = max - score >= 0 (units of 2^-frac_bits octaves) below the row's largest. */
static inline uint32_t ts_exp2_neg(uint32_t delta, const uint32_t *table, int frac_bits)
{
    const uint32_t i = delta >> frac_bits;
    return i > 31 ? 0 : (uint32_t)ts_rsh(table[delta & ((1u << frac_bits) - 1)], (int)i);
}

/* Attention of one query of one head over n keys. q: [dh]; k, v: row j at k + j*stride; ctx: [dh].
   score_j = sat(round(q.k_j / 2^score_shift)) to score_bits; p_j = exp2(score_j - max); ctx = wmean(sum p_j v_j). */
typedef struct ts_attn_num {
    int dh;
    int score_bits; /* of a score, signed, symmetric */
    int frac_bits;  /* fraction bits of a score, in octaves (log2) */
    int p_bits;     /* of a probability, unsigned */
    int v_bits, ctx_bits;
    const uint32_t *exp2; /* [2^frac_bits] */
} ts_attn_num;
void ts_attend(const ts_attn_num *num, int score_shift, int ctx_shift, int n, const int32_t *q, const int32_t *k, const int32_t *v,
               int stride, int32_t *ctx);

#endif
