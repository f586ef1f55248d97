/* q, k and v of ROWS tokens, as attention reads them. */
static void keep(int first, const int32_t *qkv, workspace *w)
{
    int row, h, c;
    for (row = 0; row < ROWS; row++, qkv += 3 * INNER)
        for (h = 0; h < HEADS; h++)
            for (c = 0; c < 2 * HEAD_PAIRS; c++) {
                const int at = h * HEAD + c, token = first + row;
                w->q[(token * HEADS + h) * 2 * HEAD_PAIRS + c] = (int16_t)(c < HEAD ? qkv[at] : 0);
                w->k[((h * HEAD_PAIRS + c / 2) * KEYS + token) * 2 + c % 2] = (int16_t)(c < HEAD ? qkv[INNER + at] : 0);
                if (c < HEAD)
                    w->v[at * KEYS + token] = (int16_t)qkv[2 * INNER + at];
            }
}

/* Behind the last key, up to whole vectors: the first key again, which changes no maximum, with a weight of 0. */
static void fill_up(int count, workspace *w)
{
    const int end = (count + PER_VECTOR - 1) / PER_VECTOR * PER_VECTOR;
    int i, j;
    for (i = 0; i < HEADS * HEAD_PAIRS; i++)
        for (j = 2 * count; j < 2 * end; j++)
            w->k[i * KEYS * 2 + j] = w->k[i * KEYS * 2 + j % 2];
    for (i = 0; i < INNER; i++)
        for (j = count; j < end; j++)
            w->v[i * KEYS + j] = 0;
}

/* The context of a token. shift: [HEADS], of the scores */
static void attend_one(int token, int count, const unsigned char *shift, int ctx_shift, int32_t limit, int32_t *context, workspace *w)
{
    const int keys = (count + PER_VECTOR - 1) / PER_VECTOR * PER_VECTOR;
    int h, c;
    for (h = 0; h < HEADS; h++, context += HEAD) {
        const int32_t best =
            scores_of(keys, w->q + (token * HEADS + h) * 2 * HEAD_PAIRS, w->k + h * HEAD_PAIRS * KEYS * 2, shift[h], w->score);
        const divisor by = divisor_of((uint64_t)weights_of(count, keys, w->score, best, w->p));
        weighted_sums(keys, w->p, w->v + h * HEAD * KEYS, w->total);
        for (c = 0; c < HEAD; c++)
            context[c] = weighted_mean(w->total[c], by, VALUE_BITS, ctx_shift, limit);
    }
}
