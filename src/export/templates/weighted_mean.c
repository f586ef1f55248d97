/* Sums over weights. */
typedef struct divisor {
    int64_t r; /* 1 / sum = r / 2^(length + 16) */
    int length;
} divisor;

static divisor divisor_of(uint64_t sum)
{
    divisor by;
    by.length = bit_length(sum);
    by.r = (int64_t)((((uint64_t)1 << (by.length + 16)) - 1) / sum);
    return by;
}

static int32_t weighted_mean(int64_t total, divisor by, int value_bits, int shift, int32_t limit)
{
    const int down = by.length + value_bits - 25;
    const int64_t a = down >= 0 ? (total + half(down)) >> down : total * ((int64_t)1 << -down);
    return clamp((a * by.r + half(shift)) >> shift, -limit, limit);
}
