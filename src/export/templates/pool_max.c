/* One row for the event; the others of its block are zeros. */
static void pool(int count, const int32_t *x, int32_t *y)
{
    int c, t;
    for (c = 0; c < ROWS * D; c++)
        y[c] = c < D ? x[c] : 0;
    for (t = 1; t < count; t++)
        for (c = 0; c < D; c++)
            y[c] = x[t * D + c] > y[c] ? x[t * D + c] : y[c];
}
