/* sum[o][row] = (bias[o] + sum over i of w[o][i] * x[row][i]) >> s1, of ROWS rows. in: a multiple of 16; sum has room for an even `out`. */
static void productsWIDTH(int in, int out, const int16_t *x, const intWIDTH_t *w, const int32_t *bias, int s1, int32_t *sum)
{
    int o;
#ifdef VECTORS
    for (o = 0; o < out; o += 2, w += 2 * in, sum += 2 * ROWS) {
        const int both = o + 1 < out, odd = both ? in : 0;
        vector a0 = same(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        int i;
        for (i = 0; i < in; i += PER_VECTOR) {
            const vector u = LOAD(w + i), v = LOAD(w + odd + i);
            const vector x0 = load(x + i), x1 = load(x + in + i), x2 = load(x + 2 * in + i), x3 = load(x + 3 * in + i);
            a0 = add(a0, pairs(x0, u));
            b0 = add(b0, pairs(x0, v));
            a1 = add(a1, pairs(x1, u));
            b1 = add(b1, pairs(x1, v));
            a2 = add(a2, pairs(x2, u));
            b2 = add(b2, pairs(x2, v));
            a3 = add(a3, pairs(x3, u));
            b3 = add(b3, pairs(x3, v));
        }
        store_sums(sum, sums(a0, a1, a2, a3), bias[o], s1);
        store_sums(sum + ROWS, sums(b0, b1, b2, b3), bias[both ? o + 1 : o], s1);
    }
#else
    for (o = 0; o < out; o++, w += in) {
        int row;
        for (row = 0; row < ROWS; row++) {
            const int16_t *of_row = x + row * in;
            int32_t total = 0;
            int i;
            for (i = 0; i < in; i++)
                total += w[i] * of_row[i];
            sum[o * ROWS + row] = (total + bias[o]) >> s1;
        }
    }
#endif
}
