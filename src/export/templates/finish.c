/* How the sums of some outputs become values. */
typedef struct scaling {
    const int32_t *m;
    int shift;
    int32_t low, high; /* of the format */
} scaling;

/* y[row][o] = round(sum[o][row] * m[o] / 2^shift), within the format. stride: of the rows of y. */
static void finish(const scaling *f, int out, const int32_t *sum, int32_t *y, int stride)
{
    const int64_t round = half(f->shift);
    int o, row;
    for (o = 0; o < out; o++, sum += ROWS)
        for (row = 0; row < ROWS; row++)
            y[row * stride + o] = clamp((sum[row] * (int64_t)f->m[o] + round) >> f->shift, f->low, f->high);
}
