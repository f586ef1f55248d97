/* AVX2 twins of kernels.c, chosen at run time: the library itself needs no more than the baseline instruction set. */
#include "emu/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

typedef __m256i vec;

AVX2 static inline vec load(const void *p)
{
    return _mm256_loadu_si256((const vec *)p);
}

AVX2 static inline void store(void *p, vec v)
{
    _mm256_storeu_si256((vec *)p, v);
}

/* acc + both products of each pair */
AVX2 static inline vec madd(vec acc, vec a, vec b)
{
    return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
}

/* Four rows share each load of weights. */
AVX2 static void product4(int pairs, int out, const int32_t *x, const int32_t *w, int32_t *acc)
{
    for (int o = 0; o < out; o += TS_LANES) {
        vec a0 = _mm256_setzero_si256(), a1 = a0, a2 = a0, a3 = a0;
        for (int i = 0; i < pairs; i++) {
            const vec wi = load(w + (int64_t)i * out + o);
            a0 = madd(a0, _mm256_set1_epi32(x[i]), wi);
            a1 = madd(a1, _mm256_set1_epi32(x[pairs + i]), wi);
            a2 = madd(a2, _mm256_set1_epi32(x[2 * pairs + i]), wi);
            a3 = madd(a3, _mm256_set1_epi32(x[3 * pairs + i]), wi);
        }
        store(acc + o, a0);
        store(acc + out + o, a1);
        store(acc + 2 * out + o, a2);
        store(acc + 3 * out + o, a3);
    }
}

AVX2 static void product(int rows, int pairs, int out, const int32_t *x, const int32_t *w, int32_t *acc)
{
    for (; rows >= 4; rows -= 4, x += 4 * pairs, acc += 4 * out)
        product4(pairs, out, x, w, acc);
    for (; rows > 0; rows--, x += pairs, acc += out)
        for (int o = 0; o < out; o += TS_LANES) {
            vec a = _mm256_setzero_si256();
            for (int i = 0; i < pairs; i++)
                a = madd(a, _mm256_set1_epi32(x[i]), load(w + (int64_t)i * out + o));
            store(acc + o, a);
        }
}

AVX2 static int32_t scores(int n, int pairs, const int32_t *q, const int32_t *k, int shift, int32_t limit, int32_t *score)
{
    const int width = ts_padded(n);
    const vec half = _mm256_set1_epi32(shift ? 1 << (shift - 1) : 0), top = _mm256_set1_epi32(limit), bottom = _mm256_set1_epi32(-limit);
    const __m128i count = _mm_cvtsi32_si128(shift);
    const vec lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    vec max = bottom;
    for (int j = 0; j < width; j += TS_LANES) {
        vec a = _mm256_setzero_si256();
        for (int i = 0; i < pairs; i++)
            a = madd(a, _mm256_set1_epi32(q[i]), load(k + (int64_t)i * width + j));
        a = _mm256_sra_epi32(_mm256_add_epi32(a, half), count);
        a = _mm256_max_epi32(_mm256_min_epi32(a, top), bottom);
        store(score + j, a);
        const vec real = _mm256_cmpgt_epi32(_mm256_set1_epi32(n - j), lane); /* not padding */
        max = _mm256_max_epi32(max, _mm256_blendv_epi8(bottom, a, real));
    }
    int32_t lanes[TS_LANES], best = -limit;
    store(lanes, max);
    for (int i = 0; i < TS_LANES; i++)
        best = lanes[i] > best ? lanes[i] : best;
    return best;
}

AVX2 static int64_t weights(int n, const int32_t *score, int32_t max, const uint32_t *exp2, int frac_bits, int16_t *p)
{
    const vec top = _mm256_set1_epi32(max), fraction = _mm256_set1_epi32((1 << frac_bits) - 1), one = _mm256_set1_epi32(1);
    const vec lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m128i count = _mm_cvtsi32_si128(frac_bits);
    const int width = ts_padded(n);
    vec sum = _mm256_setzero_si256();
    for (int j = 0; j < width; j += TS_LANES) {
        const vec delta = _mm256_sub_epi32(top, load(score + j));
        const vec whole = _mm256_srl_epi32(delta, count);
        const vec entry = _mm256_i32gather_epi32((const int *)exp2, _mm256_and_si256(delta, fraction), 4);
        /* half = 2^(whole-1), 0 for whole = 0; shifts of 32 and more give 0, as wanted */
        const vec half = _mm256_srli_epi32(_mm256_sllv_epi32(one, whole), 1);
        vec e = _mm256_srlv_epi32(_mm256_add_epi32(entry, half), whole);
        e = _mm256_and_si256(e, _mm256_cmpgt_epi32(_mm256_set1_epi32(n - j), lane));
        sum = _mm256_add_epi32(sum, e);
        const vec packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(e, e), 0x08);
        _mm_storeu_si128((__m128i *)(p + j), _mm256_castsi256_si128(packed));
    }
    int32_t lanes[TS_LANES];
    int64_t total = 0;
    store(lanes, sum);
    for (int i = 0; i < TS_LANES; i++)
        total += lanes[i];
    return total;
}

AVX2 static void context(int pairs, int width, int block, const int32_t *p, const int32_t *v, int64_t *acc)
{
    for (int c = 0; c < width; c += TS_LANES) {
        vec low = _mm256_setzero_si256(), high = low; /* 64-bit sums of lanes 0-3, 4-7 */
        for (int first = 0; first < pairs; first += block) {
            const int end = pairs - first < block ? pairs : first + block;
            vec a = _mm256_setzero_si256();
            for (int j = first; j < end; j++)
                a = madd(a, _mm256_set1_epi32(p[j]), load(v + (int64_t)j * width + c));
            low = _mm256_add_epi64(low, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(a)));
            high = _mm256_add_epi64(high, _mm256_cvtepi32_epi64(_mm256_extracti128_si256(a, 1)));
        }
        store(acc + c, low);
        store(acc + c + TS_LANES / 2, high);
    }
}

static const ts_kernels avx2 = {product, scores, weights, context};

const ts_kernels *ts_kernels_best(void)
{
    return __builtin_cpu_supports("avx2") ? &avx2 : &ts_kernels_portable;
}
#else
const ts_kernels *ts_kernels_best(void)
{
    return &ts_kernels_portable;
}
#endif
