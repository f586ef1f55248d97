#ifdef VECTORS
/* to[row] = (sum[row] + bias) >> s1 */
static void store_sums(int32_t *to, __m128i sum, int32_t bias, int s1)
{
    sum = _mm_sra_epi32(_mm_add_epi32(sum, _mm_set1_epi32(bias)), _mm_cvtsi32_si128(s1));
    _mm_storeu_si128((__m128i *)(void *)to, sum);
}
#endif
