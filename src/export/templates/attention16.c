/* ---- Attention: a query against all keys of its event, head by head */

/* score[j] = round(q . k_j / 2^shift), not yet within its format; returns the largest. keys: a multiple of PER_VECTOR. q: [HEAD_PAIRS][2],
   k: [HEAD_PAIRS][KEYS][2]. */
static int32_t scores_of(int keys, const int16_t *q, const int16_t *k, int shift, int32_t *score)
{
    const int32_t round = (int32_t)half(shift);
    int i, j;
#ifdef VECTORS
    vector query[HEAD_PAIRS], largest = same(INT32_MIN);
    int32_t lanes[PER_VECTOR / 2], best;
    for (i = 0; i < HEAD_PAIRS; i++) {
        int32_t pair;
        memcpy(&pair, q + 2 * i, sizeof pair);
        query[i] = same(pair);
    }
    for (j = 0; j < keys; j += PER_VECTOR) {
        const int16_t *at = k + 2 * j;
        vector a = same(round), b = a;
        for (i = 0; i < HEAD_PAIRS; i++, at += 2 * KEYS) {
            a = add(a, pairs(load(at), query[i]));
            b = add(b, pairs(load(at + PER_VECTOR), query[i]));
        }
        a = shift_right(a, shift);
        b = shift_right(b, shift);
        store(score + j, a);
        store(score + j + PER_VECTOR / 2, b);
        largest = larger(largest, larger(a, b));
    }
    store(lanes, largest);
    best = lanes[0];
    for (i = 1; i < PER_VECTOR / 2; i++)
        best = lanes[i] > best ? lanes[i] : best;
#else
    int32_t best = INT32_MIN;
    for (j = 0; j < keys; j++)
        score[j] = round;
    for (i = 0; i < HEAD_PAIRS; i++, q += 2, k += 2 * KEYS)
        for (j = 0; j < keys; j++)
            score[j] += q[0] * k[2 * j] + q[1] * k[2 * j + 1];
    for (j = 0; j < keys; j++) {
        score[j] >>= shift;
        best = score[j] > best ? score[j] : best;
    }
#endif
    return best;
}

/* p[j] = exp2(score[j] - best), with scores within their format, and 0 from n up to keys; returns the sum. */
static int32_t weights_of(int n, int keys, const int32_t *score, int32_t best, int16_t *p)
{
    const int32_t top = best > SCORE ? SCORE : best < -SCORE ? -SCORE : best, farthest = top + SCORE < EXP2_END ? top + SCORE : EXP2_END;
    int32_t sum = 0;
    int j;
#ifdef VECTORS
    const vector tops = same(top), zero = same(0), far = same16((short)farthest);
    for (j = 0; j < keys; j += PER_VECTOR) {
        const vector below = narrow(subtract(tops, load(score + j)), subtract(tops, load(score + j + PER_VECTOR / 2)));
        store(p + j, larger16(smaller16(below, far), zero));
    }
#else
    for (j = 0; j < keys; j++) {
        const int32_t below = top - score[j];
        p[j] = (int16_t)(below < 0 ? 0 : below > farthest ? farthest : below);
    }
#endif
    for (j = 0; j < n; j++) {
        p[j] = exp2_of[p[j]];
        sum += p[j];
    }
    for (; j < keys; j++)
        p[j] = 0;
    return sum;
}
