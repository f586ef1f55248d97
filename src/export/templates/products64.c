/* The same where operands or sums are wider: w: [out][in], not padded. */
static void products64(int in, int out, const int32_t *x, const int16_t *w, const int64_t *bias, int s1, int32_t *sum)
{
    int o, row, i;
    for (o = 0; o < out; o++, w += in)
        for (row = 0; row < ROWS; row++) {
            const int32_t *of_row = x + row * in;
            int64_t total = bias[o];
            for (i = 0; i < in; i++)
                total += (int64_t)w[i] * of_row[i];
            sum[o * ROWS + row] = (int32_t)(total >> s1);
        }
}
