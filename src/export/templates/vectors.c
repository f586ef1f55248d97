/* ---- Vectors of 16-bit integers, where the compiler may use them; plain C elsewhere, or where TESSERA_PLAIN_C is defined. Nothing rounds
   or overflows, so both give the same bits. */

#if defined(__AVX2__) && !defined(TESSERA_PLAIN_C)
#include <immintrin.h>
typedef __m256i vector;
enum { PER_VECTOR = 16 };
#define VECTORS
#define load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define store(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), (v))
#define same(x) _mm256_set1_epi32(x) /* in every 32 bits */
#define same16(x) _mm256_set1_epi16(x)
#define add(a, b) _mm256_add_epi32((a), (b)) /* 32 bits each, as the next four */
#define subtract(a, b) _mm256_sub_epi32((a), (b))
#define shift_right(a, n) _mm256_sra_epi32((a), _mm_cvtsi32_si128(n))
#define larger(a, b) _mm256_max_epi32((a), (b))
#define pairs(a, b) _mm256_madd_epi16((a), (b)) /* a[2i] * b[2i] + a[2i+1] * b[2i+1] */
#define larger16(a, b) _mm256_max_epi16((a), (b))
#define smaller16(a, b) _mm256_min_epi16((a), (b))
#define narrow(a, b) _mm256_permute4x64_epi64(_mm256_packs_epi32((a), (b)), 0xd8) /* to 16 bits, saturating */
#elif defined(__SSE2__) && !defined(TESSERA_PLAIN_C)
#include <emmintrin.h>
typedef __m128i vector;
enum { PER_VECTOR = 8 };
#define VECTORS
#define load(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define store(p, v) _mm_storeu_si128((__m128i *)(void *)(p), (v))
#define same(x) _mm_set1_epi32(x)
#define same16(x) _mm_set1_epi16(x)
#define add(a, b) _mm_add_epi32((a), (b))
#define subtract(a, b) _mm_sub_epi32((a), (b))
#define shift_right(a, n) _mm_sra_epi32((a), _mm_cvtsi32_si128(n))
#define larger(a, b) _mm_or_si128(_mm_and_si128(_mm_cmpgt_epi32((a), (b)), (a)), _mm_andnot_si128(_mm_cmpgt_epi32((a), (b)), (b)))
#define pairs(a, b) _mm_madd_epi16((a), (b))
#define larger16(a, b) _mm_max_epi16((a), (b))
#define smaller16(a, b) _mm_min_epi16((a), (b))
#define narrow(a, b) _mm_packs_epi32((a), (b))
#else
enum { PER_VECTOR = 8 };
#endif

#ifdef VECTORS
/* The sums of each of four vectors of 32-bit integers. */
static __m128i sums(vector a, vector b, vector c, vector d)
{
#ifdef __AVX2__
    const vector ab = _mm256_hadd_epi32(a, b), cd = _mm256_hadd_epi32(c, d), abcd = _mm256_hadd_epi32(ab, cd);
    return _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1));
#else
    const vector ab = add(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
    const vector cd = add(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
    return add(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
#endif
}
#endif
