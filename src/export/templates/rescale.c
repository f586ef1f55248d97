/* The input of a linear from the residual stream, a scale and an offset each channel. b has half a unit in it. */
typedef struct rescaling {
    const int32_t *m;
    const int64_t *b;
    int s1, shift;
    int32_t limit;
} rescaling;

static void rescale(const rescaling *f, const int32_t *x, int32_t *y)
{
    const int64_t round = half(f->s1);
    int row, c;
    for (row = 0; row < ROWS; row++, x += D, y += D)
        for (c = 0; c < D; c++)
            y[c] = clamp((((x[c] + round) >> f->s1) * f->m[c] + f->b[c]) >> f->shift, -f->limit, f->limit);
}
