/* A norm of d channels. centred: the mean is taken off (LayerNorm); otherwise it is an RMSNorm. bias has half a unit in it. */
typedef struct norm {
    int centred, t_shift, y_shift;
    uint64_t eps;
    const int32_t *gain;
    const int64_t *bias;
    int32_t limit;
} norm;

static uint64_t square_root(uint64_t u) /* floor, of at most 36 bits */
{
    uint64_t root = 0, bit;
    for (bit = (uint64_t)1 << 34; bit; bit >>= 2) {
        const uint64_t trial = root + bit;
        root >>= 1;
        if (u >= trial) {
            u -= trial;
            root += bit;
        }
    }
    return root;
}

/* first: of the channel that gains and biases are taken for */
static void normalise(const norm *f, int d, int first, const int32_t *x, int32_t *y)
{
    const int64_t times = f->centred ? d : 1, t_round = half(f->t_shift);
    int64_t sum = 0, r, z_round;
    uint64_t v = f->eps;
    int c, k, down;
    for (c = 0; c < d && f->centred; c++)
        sum += x[c];
    for (c = 0; c < d; c++) {
        const int64_t t = (times * x[c] - sum + t_round) >> f->t_shift;
        v += (uint64_t)(t * t);
    }
    k = (bit_length(v) + 1) / 2;
    down = 2 * k - 36;
    r = (int64_t)((((uint64_t)1 << 34) - 1) / square_root(down >= 0 ? v >> down : v << -down));
    z_round = half(k);
    for (c = 0; c < d; c++) {
        const int64_t t = (times * x[c] - sum + t_round) >> f->t_shift, z = (t * r + z_round) >> k;
        y[c] = clamp((z * f->gain[first + c] + f->bias[first + c]) >> f->y_shift, -f->limit, f->limit);
    }
}
