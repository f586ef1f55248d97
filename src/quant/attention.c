#include "quant/attention.h"

#include <math.h>

#include "num/fixed.h"

static const double LOG2E = 1.44269504088896340736;
enum { SCORE_E_MAX = 3, CTX_E_MAX = 3, CTX_SHIFT_MAX = 55 };

/* A channel's range counts at least this fraction of its head's largest, so that dead channels divide nothing by zero. */
static const double FLOOR = 1.0 / 1024;

static double reach(const ts_range *r)
{
    return fmax(fabs((double)r->min), fabs((double)r->max));
}

static double centre(const ts_range *r)
{
    return ((double)r->max + (double)r->min) / 2;
}

static double half(const ts_range *r)
{
    return ((double)r->max - (double)r->min) / 2;
}

/* A given scale that is this near to one the hardware can have is that one: scales in files are of single precision. */
static const double SAME = 1e-5;

/* The one of two factors that is further from 1. */
static double further(double a, double b)
{
    return fabs(log(b)) > fabs(log(a)) ? b : a;
}

/* Raises small ranges of one head to the floor. */
static void lift(int count, double *range)
{
    double top = 0;
    for (int c = 0; c < count; c++)
        top = fmax(top, range[c]);
    for (int c = 0; c < count; c++)
        range[c] = top > 0 ? fmax(range[c], FLOOR * top) : 1;
}

/* Ranges of q, in octaves per unit of k, and of k around its centre: a constant added to every key is invisible to softmax. A tensor that
   never changes still has the rounding errors of floating point as its range: less than a step of the inputs is none. */
static void score_ranges(const ts_attn_plan *p, double *q, double *k)
{
    const int inner = p->heads * p->d_head;
    for (int c = 0; c < inner; c++) {
        q[c] = fmax(p->room * reach(&p->q[c]), p->step[c]) * p->scale * LOG2E;
        k[c] = fmax(p->room * half(&p->k[c]), p->step[inner + c]);
    }
    for (int h = 0; h < p->heads; h++) {
        lift(p->d_head, q + h * p->d_head);
        lift(p->d_head, k + h * p->d_head);
    }
    for (int c = 0; c < p->heads * p->d_head; c++) {
        if (p->q_given)
            q[c] = p->q_given->scale[c] * (double)ts_fmt_max(p->q_fmt.bits, true) * p->scale * LOG2E;
        if (p->k_given)
            k[c] = p->k_given->scale[c] * (double)ts_fmt_max(p->k_fmt.bits, true);
    }
}

static double key_offset(const ts_attn_plan *p, int c)
{
    return p->k_given ? ts_given_offset(p->k_given, c, TS_GIVEN_OFFSET) : centre(&p->k[c]);
}

/* Octaves that a score of head h can have once keys are centred: what the ranges allow, or what was seen and moved. */
static double score_reach(const ts_attn_plan *p, int h, const double *q, const double *k)
{
    double most = 0, moved = p->room * reach(&p->score[h]);
    for (int c = 0; c < p->d_head; c++) {
        most += q[c] * k[c];
        moved += q[c] * fabs(key_offset(p, h * p->d_head + c));
    }
    return fmin(most, moved);
}

/* Largest t with 2^-t no smaller than any channel's (scale of q) * (scale of k) must be. */
static int head_exponent(const ts_attn_plan *p, const double *q, const double *k)
{
    const double codes = (double)ts_fmt_max(p->q_fmt.bits, true) * (double)ts_fmt_max(p->k_fmt.bits, true);
    double largest = 0;
    for (int c = 0; c < p->d_head; c++)
        largest = fmax(largest, q[c] * k[c] / codes);
    return (int)floor(-log2(largest) + SAME);
}

/* Splits 2^-t between q and k of each channel in proportion to their ranges, which balances the errors they make. A given scale stays,
   that of k before that of q: rounding k hurts more. */
static void split_scales(ts_attn_plan *p, int head, int t, const double *q, const double *k)
{
    const int inner = p->heads * p->d_head;
    for (int c = head * p->d_head; c < (head + 1) * p->d_head; c++) {
        const double q_scale = q[c] / (double)ts_fmt_max(p->q_fmt.bits, true), k_scale = k[c] / (double)ts_fmt_max(p->k_fmt.bits, true);
        const double slack = sqrt(ldexp(1, -t) / (q_scale * k_scale));
        const double more_k = p->k_given ? 1 : p->q_given ? slack * slack : slack, more_q = slack * slack / more_k;
        p->y_scale[c] = q_scale * more_q / (p->scale * LOG2E);
        p->y_scale[inner + c] = k_scale * more_k;
        p->y_offset[inner + c] = key_offset(p, c);
        if (p->q_given && p->k_given)
            p->q_factor = further(p->q_factor, more_q);
    }
}

/* No score may saturate, and the shift that brings one to its fraction bits is not negative. least: exponent of the head with the coarsest
   scales; out: that which heads begin from. */
static void shift_scores(ts_attn_shared *shared, int *least)
{
    const double most = (double)ts_fmt_max(shared->score_bits, true), reach = ldexp(shared->reach, ts_room_margin(shared->room));
    while (shared->frac_bits > 2 && (ldexp(reach, shared->frac_bits) > most || shared->frac_bits > *least))
        shared->frac_bits--;
    shared->clipped = *least < shared->frac_bits;
    *least = shared->clipped ? shared->frac_bits : *least;
    shared->score_shift = *least - shared->frac_bits;
}

/* The same with the shifts of hardware that is there. t: [layers][heads] exponents. */
static int keep_scores(ts_attn_shared *shared, int heads, int layers, const int *t)
{
    const ts_imodel *there = shared->room->hardware;
    shared->frac_bits = there->frac_bits;
    shared->score_shift = there->score_shift;
    const int base = there->frac_bits + there->score_shift;
    for (int i = 0; i < layers * heads; i++)
        if (t[i] < base)
            ts_room_short(shared->room, base - t[i], "layers.%d: queries and keys of head %d are 2^%d times what the score's shift allows",
                          i / heads, i % heads, base - t[i]);
    int bits = 0;
    while (ldexp(shared->reach, shared->frac_bits - bits) > (double)ts_fmt_max(shared->score_bits, true))
        bits++;
    if (bits > 0)
        ts_room_short(shared->room, bits, "attention: scores reach %.3g octaves, which needs %d bits, the hardware's have %d",
                      shared->reach, shared->score_bits + bits, shared->score_bits);
    return base;
}

static void plan_scores(int layers, ts_attn_plan *plan, ts_attn_shared *shared)
{
    ts_arena *scratch = ts_arena_new();
    const int heads = plan[0].heads, d_head = plan[0].d_head, inner = heads * d_head;
    double *q = TS_NEW_N(scratch, double, layers *inner), *k = TS_NEW_N(scratch, double, layers *inner);
    int *t = TS_NEW_N(scratch, int, layers *heads);
    int least = 60;
    shared->reach = 0;
    for (int l = 0; l < layers; l++) {
        score_ranges(&plan[l], q + l * inner, k + l * inner);
        for (int h = 0; h < heads; h++) {
            const double *qh = q + l * inner + h * d_head, *kh = k + l * inner + h * d_head;
            shared->reach = fmax(shared->reach, score_reach(&plan[l], h, qh, kh));
            t[l * heads + h] = head_exponent(&plan[l], qh, kh);
            least = t[l * heads + h] < least ? t[l * heads + h] : least;
        }
    }
    least -= ts_room_margin(shared->room);
    if (shared->room && shared->room->hardware)
        least = keep_scores(shared, heads, layers, t);
    else
        shift_scores(shared, &least);
    for (int l = 0; l < layers; l++)
        for (int h = 0; h < heads; h++) {
            int e = t[l * heads + h] - least;
            e = (int)ts_clamp(e, 0, SCORE_E_MAX);
            plan[l].score_e[h] = (uint8_t)e;
            split_scales(&plan[l], h, least + e, q + l * inner, k + l * inner);
        }
    ts_arena_free(scratch);
}

/* v around its centre (probabilities sum to one, so that the context moves by the same constant). The context is finer than v by a
   power of two, as far as its calibrated range allows. Returns the shift this asks of ts_wmean with its v_bits. */
static int plan_context(ts_attn_plan *p, int v_bits)
{
    const int inner = p->heads * p->d_head;
    double *v = p->y_scale + 2 * inner, *offset = p->y_offset + 2 * inner;
    double largest = 0; /* context in units of v */
    for (int c = 0; c < inner; c++)
        v[c] = fmax(p->room * half(&p->v[c]), p->step[2 * inner + c]);
    for (int h = 0; h < p->heads; h++)
        lift(p->d_head, v + h * p->d_head);
    double widest = 0;
    for (int c = 0; c < inner; c++)
        widest = fmax(widest, v[c]);
    for (int c = 0; c < inner; c++) {
        v[c] = (p->one_v_scale ? widest : v[c]) / (double)ts_fmt_max(p->v_fmt.bits, true);
        offset[c] = centre(&p->v[c]);
        if (p->v_given) {
            v[c] = p->v_given->scale[c];
            offset[c] = ts_given_offset(p->v_given, c, TS_GIVEN_OFFSET);
        }
        largest = fmax(largest, fmax((double)p->ctx[c].max - offset[c], offset[c] - (double)p->ctx[c].min) / v[c]);
    }
    if (p->ctx_given) { /* no finer than the file has it */
        double finest = INFINITY;
        for (int c = 0; c < inner; c++)
            finest = fmin(finest, v[c] / p->ctx_given->scale[c]);
        return 41 - v_bits - (int)floor(log2(finest) + SAME);
    }
    const double room = (double)ts_fmt_max(p->ctx_fmt.bits, true) / p->room;
    int gain = p->ctx_fmt.bits - 2; /* beyond this a unit of v would be the whole format */
    while (gain > -p->v_fmt.bits && ldexp(largest, gain) > room)
        gain--;
    return 41 - v_bits - gain;
}

/* Shared by layers that ask for `least` to `most`: each adds up to CTX_E_MAX. */
static int ctx_shift(const ts_attn_shared *shared, int least, int most, int layers, const ts_attn_plan *plan)
{
    if (!shared->room || !shared->room->hardware) {
        const int coarse = most - CTX_E_MAX + ts_room_margin(shared->room);
        return least > coarse ? least : coarse > CTX_SHIFT_MAX ? CTX_SHIFT_MAX : coarse;
    }
    const int there = shared->room->hardware->ctx_shift;
    for (int l = 0; l < layers; l++)
        if (plan[l].ctx_e > there + CTX_E_MAX)
            ts_room_short(shared->room, plan[l].ctx_e - there - CTX_E_MAX,
                          "layers.%d.ctx: it needs a shift of %d, the hardware's is at most %d", l, plan[l].ctx_e, there + CTX_E_MAX);
    return there;
}

void ts_plan_attention(ts_arena *arena, int layers, ts_attn_plan *plan, ts_attn_shared *shared)
{
    const int inner = plan[0].heads * plan[0].d_head;
    int least = 62, most = 0, v_bits = 0; /* v_bits: of the widest layer, the ring has one ts_wmean */
    for (int l = 0; l < layers; l++)
        v_bits = plan[l].v_fmt.bits > v_bits ? plan[l].v_fmt.bits : v_bits;
    shared->v_bits = v_bits;
    for (int l = 0; l < layers; l++) {
        plan[l].y_scale = TS_NEW_N(arena, double, 3 * inner);
        plan[l].y_offset = TS_NEW_N(arena, double, 3 * inner);
        plan[l].ctx_scale = TS_NEW_N(arena, double, inner);
        plan[l].score_e = TS_NEW_N(arena, uint8_t, plan[l].heads);
        plan[l].q_factor = plan[l].ctx_factor = 1;
        plan[l].ctx_e = plan_context(&plan[l], v_bits);
        least = plan[l].ctx_e < least ? plan[l].ctx_e : least;
        most = plan[l].ctx_e > most ? plan[l].ctx_e : most;
    }
    plan_scores(layers, plan, shared);
    shared->ctx_shift = ctx_shift(shared, least, most, layers, plan);
    for (int l = 0; l < layers; l++) {
        plan[l].ctx_e = (int)ts_clamp(plan[l].ctx_e - shared->ctx_shift, 0, CTX_E_MAX);
        const int gain = 41 - v_bits - shared->ctx_shift - plan[l].ctx_e;
        for (int c = 0; c < inner; c++)
            plan[l].ctx_scale[c] = ldexp(plan[l].y_scale[2 * inner + c], -gain);
        for (int c = 0; c < inner && plan[l].ctx_given; c++)
            plan[l].ctx_factor = further(plan[l].ctx_factor, plan[l].ctx_scale[c] / plan[l].ctx_given->scale[c]);
    }
}
