/* total[c] = sum over j of p[j] * v[c][j]; only two products fit a 32-bit sum. v: [HEAD][KEYS] */
static void weighted_sums(int keys, const int16_t *p, const int16_t *v, int64_t *total)
{
    int c, j;
    for (c = 0; c < HEAD; c++, v += KEYS) {
        int64_t sum = 0;
#ifdef VECTORS
        for (j = 0; j < keys; j += PER_VECTOR) {
            int32_t part[PER_VECTOR / 2];
            int i;
            store(part, pairs(load(p + j), load(v + j)));
            for (i = 0; i < PER_VECTOR / 2; i++)
                sum += part[i];
        }
#else
        for (j = 0; j < keys; j++)
            sum += p[j] * v[j];
#endif
        total[c] = sum;
    }
}
