typedef struct linearWIDTH {
    /* [outputs][inputs, padded to a multiple of 16] */
    const intWIDTH_t *w;
    const int32_t *bias; /* [outputs], with half a unit of the shift */
    int s1;
} linearWIDTH;

/* Leaves the sums of ROWS rows of x in w->sum. */
static void sumsWIDTH(const linearWIDTH *f, int in, int out, const int32_t *x, workspace *w)
{
    const int padded = (in + 15) / 16 * 16;
    to_16_bits(in, padded, x, w->packed);
    productsWIDTH(padded, out, w->packed, f->w, f->bias, f->s1, w->sum);
}
