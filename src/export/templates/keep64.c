/* q, k and v of ROWS tokens, as attention reads them. */
static void keep(int first, const int32_t *qkv, workspace *w)
{
    int row, c;
    for (row = 0; row < ROWS; row++, qkv += 3 * INNER)
        for (c = 0; c < INNER; c++) {
            const int at = (first + row) * INNER + c;
            w->q[at] = qkv[c];
            w->k[at] = qkv[INNER + c];
            w->v[at] = qkv[2 * INNER + c];
        }
}

/* The context of a token. shift: [HEADS], of the scores */
static void attend_one(int token, int count, const unsigned char *shift, int ctx_shift, int32_t limit, int32_t *context, workspace *w)
{
    int h, c;
    for (h = 0; h < HEADS; h++, context += HEAD) {
        const int32_t best = scores_of(count, w->q + token * INNER + h * HEAD, w->k + h * HEAD, shift[h], w->score);
        const divisor by = divisor_of((uint64_t)weights_of(count, best, w->score));
        weighted_sums(count, w->score, w->v + h * HEAD, w->total);
        for (c = 0; c < HEAD; c++)
            context[c] = weighted_mean(w->total[c], by, VALUE_BITS, ctx_shift, limit);
    }
}
