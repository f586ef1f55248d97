/* ---- Attention: a query against all keys of its event, head by head */

/* score[j] = q . k_j / 2^shift, rounded, within its format; returns the largest. */
static int32_t scores_of(int n, const int32_t *q, const int32_t *k, int shift, int32_t *score)
{
    const int64_t round = half(shift);
    int32_t best = -SCORE;
    int c, j;
    for (j = 0; j < n; j++, k += INNER) {
        int64_t dot = round;
        for (c = 0; c < HEAD; c++)
            dot += (int64_t)q[c] * k[c];
        score[j] = clamp(dot >> shift, -SCORE, SCORE);
        best = score[j] > best ? score[j] : best;
    }
    return best;
}

/* Scores become exp2(score - best); returns the sum. */
static int64_t weights_of(int n, int32_t best, int32_t *score)
{
    int64_t sum = 0;
    int j;
    for (j = 0; j < n; j++) {
        const int32_t below = best - score[j];
        score[j] = exp2_of[below > EXP2_END ? EXP2_END : below];
        sum += score[j];
    }
    return sum;
}

static void weighted_sums(int n, const int32_t *p, const int32_t *v, int64_t *total)
{
    int c, j;
    for (c = 0; c < HEAD; c++)
        total[c] = 0;
    for (j = 0; j < n; j++, v += INNER)
        for (c = 0; c < HEAD; c++)
            total[c] += (int64_t)p[j] * v[c];
}
