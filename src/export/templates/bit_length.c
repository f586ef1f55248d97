/* Bits of x: 0 for 0, floor(log2 x) + 1 otherwise. */
static int bit_length(uint64_t x)
{
    int bits = 0, step;
    for (step = 32; step > 0; step /= 2)
        if (x >> step) {
            bits += step;
            x >>= step;
        }
    return bits + (x ? 1 : 0);
}
