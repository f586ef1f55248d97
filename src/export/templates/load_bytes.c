#ifdef VECTORS
/* As many 8-bit integers as a vector has elements of 16. */
static vector load_bytes(const int8_t *p)
{
#ifdef __AVX2__
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)p));
#else
    const vector bytes = _mm_loadl_epi64((const __m128i *)(const void *)p);
    return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
#endif
}
#endif
