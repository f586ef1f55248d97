/* total[c] = sum over j of p[j] * v[c][j]. v: [HEAD][KEYS]; total has room for a multiple of four. */
static void weighted_sums(int keys, const int16_t *p, const int16_t *v, int64_t *total)
{
    int c, i, j;
    for (c = 0; c < HEAD; c += 4, total += 4) {
        const int16_t *of[4];
        int first, end;
        for (i = 0; i < 4; i++) {
            of[i] = v + (c + i < HEAD ? c + i : c) * KEYS;
            total[i] = 0;
        }
        for (first = 0; first < keys; first = end) { /* so many products fit a 32-bit sum */
            int32_t sum[4];
            end = keys - first < SUMMED_KEYS ? keys : first + SUMMED_KEYS;
#ifdef VECTORS
            vector s0 = same(0), s1 = s0, s2 = s0, s3 = s0;
            for (j = first; j < end; j += PER_VECTOR) {
                const vector weights = load(p + j);
                s0 = add(s0, pairs(weights, load(of[0] + j)));
                s1 = add(s1, pairs(weights, load(of[1] + j)));
                s2 = add(s2, pairs(weights, load(of[2] + j)));
                s3 = add(s3, pairs(weights, load(of[3] + j)));
            }
            _mm_storeu_si128((__m128i *)(void *)sum, sums(s0, s1, s2, s3));
#else
            for (i = 0; i < 4; i++) {
                int32_t all = 0;
                for (j = first; j < end; j++)
                    all += p[j] * of[i][j];
                sum[i] = all;
            }
#endif
            for (i = 0; i < 4; i++)
                total[i] += sum[i];
        }
    }
}
