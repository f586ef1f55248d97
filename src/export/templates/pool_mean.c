/* One row for the event; the others of its block are zeros. */
static void pool(int count, const int32_t *x, int32_t *y)
{
    const divisor by = divisor_of((uint64_t)count);
    int c, t;
    for (c = 0; c < ROWS * D; c++)
        y[c] = 0;
    for (c = 0; c < D; c++) {
        int64_t sum = 0;
        for (t = 0; t < count; t++)
            sum += x[t * D + c];
        y[c] = weighted_mean(sum, by, RESIDUAL_BITS, 41 - RESIDUAL_BITS, RESIDUAL);
    }
}
