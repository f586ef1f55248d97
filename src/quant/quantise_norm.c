/* Norms of the integer model: on the residual stream, and on q and k. */
#include <math.h>
#include <string.h>

#include "num/fixed.h"
#include "quant/quantiser.h"
#include "quant/stage.h"

/* d * x - sum(x) of R-bit x has at most R + ceil(log2 d) + 1 bits; 18 go into the square. x itself has R, and one more when it is rounded.
 */
static int norm_t_shift(ts_norm_kind kind, int res_bits, int d)
{
    const int shift = ts_norm_centred(kind) ? res_bits + ts_bitlen((uint64_t)d - 1) + 1 - 18 : res_bits <= 18 ? 0 : res_bits + 1 - 18;
    return shift > 0 ? shift : 0;
}

void ts_q_norms(ts_quantiser *q, int count, const ts_norm_plan *plan)
{
    const double gain_max = (double)ts_fmt_max(TS_M_BITS, false);
    double largest = 0; /* real gain of a z in units of 2^-16 */
    for (int n = 0; n < count; n++)
        for (int c = 0; c < plan[n].channels; c++)
            largest = fmax(largest, fabs((double)plan[n].norm->gain[c]) * sqrt(plan[n].norm->d) / plan[n].y_scale[c] / 65536);
    int y_shift = 24; /* bias < 2^43 whatever the residual's width */
    while (y_shift > 0 && floor(ldexp(largest, y_shift) + 0.5) > gain_max)
        y_shift--;
    /* Room for larger gains. */
    const int margin = ts_room_margin(q->fmt->room);
    int spare = 0;
    while (spare < margin && floor(ldexp(largest, y_shift + spare + 1) + 0.5) <= gain_max)
        spare++;
    y_shift = y_shift > margin - spare ? y_shift - (margin - spare) : 0;
    y_shift = plan[0].kept ? plan[0].kept->y_shift : y_shift;
    for (int n = 0; n < count; n++) {
        const ts_norm_plan *p = &plan[n];
        const int d = p->norm->d, t_shift = norm_t_shift(p->norm->kind, q->im->res.bits, d);
        int32_t *gain = TS_NEW_N(q->arena, int32_t, p->channels);
        int64_t *bias = TS_NEW_N(q->arena, int64_t, p->channels);
        double most = 0;
        const double root_d = sqrt(d), b_max = (double)ts_fmt_max(TS_B_BITS, false);
        for (int c = 0; c < p->channels; c++) {
            const double g = floor(ldexp((double)p->norm->gain[c] * root_d / p->y_scale[c] / 65536, y_shift) + 0.5);
            const double real = (double)p->norm->bias[c] - (p->y_offset ? p->y_offset[c] : 0);
            const double b = floor(ldexp(real / p->y_scale[c], y_shift) + 0.5);
            most = fmax(most, fabs(g));
            gain[c] = (int32_t)fmin(fmax(g, -gain_max), gain_max);
            bias[c] = (int64_t)fmin(fmax(b, -b_max), b_max);
        }
        int bits = 0;
        while (ldexp(most, -bits) > gain_max)
            bits++;
        if (p->kept && bits > 0)
            ts_room_short(q->fmt->room, bits, "%s: its gains need %d bits, the hardware's have %d", p->name, TS_M_BITS + bits, TS_M_BITS);
        const double units = pow(d, ts_norm_centred(p->norm->kind) ? 3 : 1); /* of V, in squares of x */
        const double eps = floor((double)p->norm->eps * units * ldexp(1 / (p->x_scale * p->x_scale), -2 * t_shift) + 0.5);
        *p->to = (ts_inorm){.kind = p->norm->kind,
                            .d = d,
                            .t_shift = t_shift,
                            .y_shift = y_shift,
                            .gain = gain,
                            .bias = bias,
                            .y = p->y,
                            .y_scale = p->y_scale[0]};
        p->to->eps = !(eps >= 1) ? 1 : eps > 0x1p60 ? (uint64_t)1 << 60 : (uint64_t)eps;
    }
}

void ts_q_qk_norms(ts_quantiser *q)
{
    const int layers = q->enc->layers, inner = q->inner;
    q->qkv_scale = TS_NEW_N(q->scratch, double *, layers);
    q->qkv_offset = TS_NEW_N(q->scratch, double *, layers);
    ts_norm_plan *plan[2] = {TS_NEW_N(q->scratch, ts_norm_plan, layers), TS_NEW_N(q->scratch, ts_norm_plan, layers)};
    for (int l = 0; l < layers; l++) {
        const ts_attn_plan *attn = &q->attn[l];
        const ts_layer *from = &q->enc->layer[l];
        ts_ilayer *to = &q->layer[l];
        q->qkv_scale[l] = attn->y_scale;
        q->qkv_offset[l] = attn->y_offset;
        if (!q->enc->qk_norm)
            continue;
        double *scale = TS_NEW_N(q->arena, double, 3 * inner), *offset = TS_NEW_N(q->arena, double, 3 * inner);
        for (int p = 0; p < 2; p++) {
            const double x_scale = ts_q_signed_scale(TS_ROOM_WIDE * ts_q_tensor_reach(q, l, TS_ROLE_QK_IN, p, inner), q->im->res.bits);
            for (int c = 0; c < inner; c++)
                scale[p * inner + c] = x_scale;
            plan[p][l] = (ts_norm_plan){.norm = p ? &from->k_norm : &from->q_norm,
                                        .channels = inner,
                                        .x_scale = x_scale,
                                        .y_scale = attn->y_scale + p * inner,
                                        .y_offset = attn->y_offset + p * inner,
                                        .y = p ? to->k : to->q,
                                        .to = p ? &to->k_norm : &to->q_norm,
                                        .name = ts_printf(q->scratch, "layers.%d.%s", l, p ? "k_norm" : "q_norm"),
                                        .kept = !q->hardware ? NULL
                                                : p          ? &q->hardware->layer[l].k_norm
                                                             : &q->hardware->layer[l].q_norm};
        }
        memcpy(scale + 2 * inner, attn->y_scale + 2 * inner, (size_t)inner * sizeof *scale);
        memcpy(offset + 2 * inner, attn->y_offset + 2 * inner, (size_t)inner * sizeof *offset);
        q->qkv_scale[l] = scale;
        q->qkv_offset[l] = offset;
    }
    for (int p = 0; q->enc->qk_norm && p < 2; p++) {
        ts_q_norms(q, layers, plan[p]);
        for (int l = 0; l < layers; l++) {
            plan[p][l].to->channel_scale = plan[p][l].y_scale;
            plan[p][l].to->channel_offset = plan[p][l].y_offset;
        }
    }
}
