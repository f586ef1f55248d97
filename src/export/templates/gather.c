/* ROWS rows as 16-bit integers, with zeros up to `padded`. */
static void to_16_bits(int in, int padded, const int32_t *x, int16_t *to)
{
    int row, i;
    for (row = 0; row < ROWS; row++, x += in, to += padded) {
        for (i = 0; i < in; i++)
            to[i] = (int16_t)x[i];
        for (; i < padded; i++)
            to[i] = 0;
    }
}
