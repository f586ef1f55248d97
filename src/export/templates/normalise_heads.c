/* q (part 0) or k (1) of ROWS tokens: `together` channels at a time. */
static void normalise_heads(const norm *f, int together, int part, int32_t *qkv)
{
    int row, first;
    for (row = 0; row < ROWS; row++, qkv += 3 * INNER)
        for (first = 0; first < INNER; first += together)
            normalise(f, together, first, qkv + part * INNER + first, qkv + part * INNER + first);
}
