/* One row for the event, that of its first token; the others of its block are zeros. */
static void pool(const int32_t *x, int32_t *y)
{
    int c;
    for (c = 0; c < ROWS * D; c++)
        y[c] = c < D ? x[c] : 0;
}
