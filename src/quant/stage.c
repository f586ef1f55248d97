#define TS_FAIL_CODE TS_UNSUPPORTED
#include "quant/stage.h"

#include <math.h>

#include "num/fixed.h"

/* Largest signed format whose largest value is no more than the largest multiplier. */
enum { WHOLE_BITS = TS_M_BITS + 1 };

/* Largest bias, in steps of its accumulator; double holds every integer up to it. */
static const double BIAS_MAX = 0x1p51;

int64_t ts_acc_bound(const ts_ilin *lin)
{
    const int64_t x_max = ts_fmt_max(lin->x.bits, lin->x.is_signed);
    int64_t bound = 0;
    for (int o = 0; o < lin->out; o++) {
        const int32_t *w = lin->w + (size_t)o * (size_t)lin->in;
        int64_t up = 0, down = 0; /* sums of the weights that push each way when x >= 0 */
        for (int i = 0; i < lin->in; i++) {
            up += w[i] > 0 ? w[i] : 0;
            down -= w[i] < 0 ? w[i] : 0;
        }
        if (lin->x.is_signed)
            up = down = up + down;
        const int64_t b = lin->bias[o];
        up = up * x_max + (b > 0 ? b : 0);
        down = down * x_max - (b < 0 ? b : 0);
        bound = up > bound ? up : bound;
        bound = down > bound ? down : bound;
    }
    return bound;
}

/* Smallest s1 for which round(acc / 2^s1) fits 25 bits signed; rounding can carry, so widths alone do not tell. */
static int requant_shift(int64_t bound)
{
    int s1 = 0;
    while (ts_rsh(bound, s1) > ts_fmt_max(TS_RQ_IN_BITS, true))
        s1++;
    return s1;
}

/* Common s2 of ratios up to `largest`, such that the largest has a full mantissa. Beyond 40 a channel is zero anyway. Below 0, where an
   accumulator's step spans more than the largest multiplier, 0 does: multipliers are cut to the largest, and what is not zero still leaves
   any format of up to WHOLE_BITS bits. */
static int ratio_shift(double largest)
{
    int exponent;
    (void)frexp(largest, &exponent); /* largest = f * 2^exponent, 1/2 <= f < 1 */
    const int s2 = TS_M_BITS - exponent;
    return s2 > 40 ? 40 : s2 < 0 ? 0 : s2;
}

/* The same with room for ratios that are larger by a margin. */
static int roomy_shift(double largest, const ts_room *room)
{
    const int s2 = ratio_shift(largest) - ts_room_margin(room);
    return s2 > 0 ? s2 : 0;
}

/* Bits by which a ratio is too large for hardware that shifts by s2. */
static void check_ratio(const char *name, double ratio, int s2, ts_room *room)
{
    int bits = 0;
    while (ldexp(ratio, s2 - bits) > (double)ts_fmt_max(TS_M_BITS, false))
        bits++;
    if (bits > 0 && bits <= s2)
        ts_room_short(room, bits, "%s: its multipliers need %d bits, the hardware's have %d", name, TS_M_BITS + bits, TS_M_BITS);
}

/* m * 2^-(s2 + e) ~ ratio with as many bits of m as e allows. */
static void set_ratio(double ratio, int s2, int32_t *m, uint8_t *e)
{
    const double m_max = (double)ts_fmt_max(TS_M_BITS, false);
    int extra = 0;
    while (extra < TS_E_MAX && ldexp(ratio, s2 + extra + 1) <= m_max)
        extra++;
    const double mantissa = floor(ldexp(ratio, s2 + extra) + 0.5);
    *m = (int32_t)(mantissa < m_max ? mantissa : m_max);
    *e = (uint8_t)extra;
}

/* Whether the model's file gives the weights of output o as integers. */
static bool is_given(const ts_lin_plan *plan, int o)
{
    return plan->w_unit && plan->w_unit[o] > 0;
}

static bool too_large(const char *name, ts_err *err)
{
    return ts_fail(err, "%s: weights or ranges too large to quantise", name);
}

/* Real value of one unit of each output's weights: the file's, where it gives integers. A bias must not dwarf the products it is
   added to: beyond twice their largest sum, weights give up resolution for it. Rows of zeros take the unit of their neighbours. */
static int weight_scales(const ts_lin_plan *plan, double *scale)
{
    const double w_max = (double)ts_fmt_max(plan->w_bits, true), x_max = (double)ts_fmt_max(plan->x.bits, plan->x.is_signed);
    double largest = 0;
    int dead = 0;
    for (int o = 0; o < plan->out; o++) {
        double max = 0;
        for (int i = 0; i < plan->in; i++)
            max = fmax(max, fabs(plan->w[(size_t)o * (size_t)plan->in + (size_t)i]));
        dead += max == 0;
        if (is_given(plan, o)) {
            scale[o] = plan->w_unit[o];
            continue;
        }
        scale[o] = fmax(max / w_max, fabs(plan->b[o]) / (2 * plan->in * w_max * x_max));
        largest = fmax(largest, scale[o]);
    }
    for (int o = 0; o < plan->out; o++)
        if (scale[o] == 0)
            scale[o] = largest > 0 ? largest : plan->y_scale[o];
    return dead;
}

static void round_nearest(const ts_lin_plan *plan, int o, const double *scale, int32_t *w)
{
    const double w_max = (double)ts_fmt_max(plan->w_bits, true);
    for (int i = 0; i < plan->in; i++) {
        const size_t at = (size_t)o * (size_t)plan->in + (size_t)i;
        w[at] = (int32_t)fmin(fmax(floor(plan->w[at] / scale[o] + 0.5), -w_max), w_max);
    }
}

/* The bias takes up what the rounding errors of the weights make of the inputs' mean. */
static int64_t quantise_bias(const ts_lin_plan *plan, int o, double scale, const int32_t *w)
{
    double b = plan->b[o];
    for (int i = 0; plan->x_mean && !is_given(plan, o) && i < plan->in; i++)
        b += (plan->w[(size_t)o * (size_t)plan->in + (size_t)i] - scale * w[(size_t)o * (size_t)plan->in + (size_t)i]) * plan->x_mean[i];
    return (int64_t)fmin(fmax(floor(b / scale + 0.5), -2 * BIAS_MAX), 2 * BIAS_MAX);
}

/* Nothing may be cast that does not fit: file formats allow weights, and integers that files prescribe allow biases, of any size. */
static bool fits(const ts_lin_plan *plan, const double *scale, ts_err *err)
{
    for (int o = 0; o < plan->out; o++) {
        double sum = fabs(plan->b[o]);
        for (int i = 0; i < plan->in; i++)
            sum += fabs(plan->w[(size_t)o * (size_t)plan->in + (size_t)i]);
        if (!isfinite(sum) || !isfinite(1 / scale[o]) || scale[o] <= 0 || fabs(plan->b[o]) / scale[o] > BIAS_MAX)
            return too_large(plan->name, err);
    }
    return true;
}

static void quantise_weights(ts_arena *arena, const ts_lin_plan *plan, const double *scale, ts_ilin *lin)
{
    int32_t *w = TS_NEW_N(arena, int32_t, (size_t)plan->out * (size_t)plan->in);
    int64_t *bias = TS_NEW_N(arena, int64_t, plan->out);
    if (plan->curvature)
        ts_round_rows(plan->curvature, plan->out, plan->w, scale, (int32_t)ts_fmt_max(plan->w_bits, true), w);
    for (int o = 0; o < plan->out; o++)
        if (!plan->curvature || is_given(plan, o))
            round_nearest(plan, o, scale, w);
    for (int o = 0; o < plan->out; o++)
        bias[o] = quantise_bias(plan, o, scale[o], w);
    lin->in = plan->in;
    lin->out = plan->out;
    lin->x = plan->x;
    lin->w_bits = plan->w_bits;
    lin->w = w;
    lin->bias = bias;
    lin->y_scale = plan->y_scale;
    lin->acc_bits = ts_bitlen((uint64_t)ts_acc_bound(lin)) + 1;
}

/* Bits by which what is left of an accumulator of hardware that shifts by s1 is too large. */
static void check_accumulator(const char *name, int64_t bound, int s1, ts_room *room)
{
    int bits = 0;
    while (ts_rsh(bound, s1 + bits) > ts_fmt_max(TS_RQ_IN_BITS, true))
        bits++;
    if (bits > 0)
        ts_room_short(room, bits, "%s: its accumulator needs %d bits, the hardware's shift by %d leaves room for %d", name,
                      ts_bitlen((uint64_t)bound) + 1, s1, ts_bitlen((uint64_t)bound) + 1 - bits);
}

bool ts_build_linears(ts_arena *arena, int count, const ts_lin_plan *plan, ts_ilin *const *lin, int *dead_rows, ts_room *room,
                      const ts_rq *kept, ts_err *err)
{
    double **scale = TS_NEW_N(arena, double *, count);
    int64_t bound = 0;
    for (int n = 0; n < count; n++) {
        scale[n] = TS_NEW_N(arena, double, plan[n].out);
        const int dead = weight_scales(&plan[n], scale[n]);
        if (dead_rows)
            dead_rows[n] = dead;
        if (!fits(&plan[n], scale[n], err))
            return false;
        quantise_weights(arena, &plan[n], scale[n], lin[n]);
        const int64_t own = ts_acc_bound(lin[n]);
        bound = own > bound ? own : bound;
        if (kept)
            check_accumulator(plan[n].name, own, kept->s1, room);
    }
    const int s1 = kept ? kept->s1 : requant_shift(bound << ts_room_margin(room));
    double largest = 0;
    for (int n = 0; n < count; n++)
        for (int o = 0; o < plan[n].out; o++) {
            const double ratio = ldexp(scale[n][o], s1) / plan[n].y_scale[o];
            if (plan[n].y.bits > WHOLE_BITS && ratio > (double)ts_fmt_max(TS_M_BITS, false))
                return ts_fail(err,
                               "%s: its output has so many more bits than its products that they cannot be scaled up; give it at most %d "
                               "bits, or its input or weights more",
                               plan[n].name, WHOLE_BITS);
            largest = fmax(largest, ratio);
        }
    if (!isfinite(largest))
        return too_large(plan[0].name, err);
    const int s2 = kept ? kept->s2 : roomy_shift(largest, room);
    for (int n = 0; n < count; n++) {
        const int out = plan[n].out;
        int32_t *m = TS_NEW_N(arena, int32_t, out);
        uint8_t *e = TS_NEW_N(arena, uint8_t, out);
        double own = 0;
        for (int o = 0; o < out; o++)
            own = fmax(own, ldexp(scale[n][o], s1) / plan[n].y_scale[o]);
        if (kept)
            check_ratio(plan[n].name, own, s2, room);
        for (int o = 0; o < out; o++)
            set_ratio(ldexp(scale[n][o], s1) / plan[n].y_scale[o], s2, &m[o], &e[o]);
        lin[n]->rq = (ts_rq){.count = out, .s1 = s1, .s2 = s2, .m = m, .e = e, .out = plan[n].y};
    }
    return true;
}

bool ts_build_rqs(ts_arena *arena, int count, const ts_rq_plan *plan, ts_rq *const *rq, ts_room *room, const ts_rq *kept, ts_err *err)
{
    double largest = 0;
    for (int n = 0; n < count; n++)
        for (int c = 0; c < plan[n].count; c++) {
            const double ratio = plan[n].x_scale / plan[n].y_scale[c];
            if (!isfinite(ratio) || !isfinite(plan[n].y_offset[c]))
                return too_large(plan[n].name, err);
            largest = fmax(largest, ratio);
        }
    const int s2 = kept ? kept->s2 : roomy_shift(largest, room);
    for (int n = 0; n < count; n++) {
        const ts_rq_plan *p = &plan[n];
        int32_t *m = TS_NEW_N(arena, int32_t, p->count);
        uint8_t *e = TS_NEW_N(arena, uint8_t, p->count);
        int64_t *b = TS_NEW_N(arena, int64_t, p->count);
        double *y_scale = TS_NEW_N(arena, double, p->count), *y_offset = TS_NEW_N(arena, double, p->count);
        const double b_max = (double)ts_fmt_max(TS_B_BITS, false);
        double own = 0;
        for (int c = 0; c < p->count; c++)
            own = fmax(own, p->x_scale / p->y_scale[c]);
        if (kept)
            check_ratio(p->name, own, s2, room);
        for (int c = 0; c < p->count; c++) {
            set_ratio(p->x_scale / p->y_scale[c], s2, &m[c], &e[c]);
            m[c] = m[c] < 1 ? 1 : m[c];
            y_scale[c] = ldexp(p->x_scale / m[c], s2 + e[c]);
            b[c] = (int64_t)fmin(fmax(floor(ldexp(-p->y_offset[c] / y_scale[c], s2 + e[c]) + 0.5), -b_max), b_max);
            y_offset[c] = -ldexp((double)b[c], -(s2 + e[c])) * y_scale[c];
        }
        *rq[n] =
            (ts_rq){.count = p->count, .s1 = 0, .s2 = s2, .m = m, .e = e, .b = b, .out = p->y, .y_scale = y_scale, .y_offset = y_offset};
    }
    return true;
}
