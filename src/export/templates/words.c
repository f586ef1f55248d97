/* ---- Between real values and integers */

#ifdef __FAST_MATH__
#error "no -ffast-math here: the hosts of the hardware round as IEEE 754 says, and so must this"
#endif

/* Whether single precision holds it: not an infinity, and not NaN. */
static int is_single(double x)
{
    return x < 3.4028235677973366e38 && x > -3.4028235677973366e38;
}

/* floor(x / unit + 1/2), within the format */
static int32_t to_word(float x, double unit)
{
    const double value = (double)x / unit + 0.5, limit = (double)INPUT;
    int32_t word;
    if (value >= limit)
        return INPUT;
    if (value < -limit)
        return -INPUT;
    word = (int32_t)value;
    return (double)word > value ? word - 1 : word;
}
