/* ---- Arithmetic. Negative numbers are shifted right as every compiler for two's complement does; this line does not compile elsewhere. */

typedef char shifts_are_arithmetic[(-3 >> 1) == -2 ? 1 : -1];

/* What is added in front of a shift by s that rounds half up. */
static int64_t half(int s)
{
    return s > 0 ? (int64_t)1 << (s - 1) : 0;
}

static int32_t clamp(int64_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : (int32_t)x;
}
