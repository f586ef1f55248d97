/* The residual stream of the integer model: its scales, the norms on it and the requantisers in front of the stages. */
#include <math.h>

#include "num/fixed.h"
#include "quant/quantiser.h"
#include "quant/stage.h"

/* A channel this many times above most others of its tensor leaves them few bits: worth a warning. */
static const double OUTLIER = 256;

/* ---- residual stream ---- */

/* One scale for all channels of the stream: tell where one of them rules it. */
static void check_residual(const ts_quantiser *q, int layer)
{
    const int d = q->enc->d;
    const ts_range *r = ts_q_ranges(q, layer, TS_ROLE_RES, 2, d);
    int top = 0, above = 0;
    for (int c = 1; c < d; c++)
        top = ts_q_reach(&r[c]) > ts_q_reach(&r[top]) ? c : top;
    for (int c = 0; c < d; c++)
        above += ts_q_reach(&r[top]) > OUTLIER * ts_q_reach(&r[c]);
    if (ts_q_reach(&r[top]) == 0)
        ts_formats_warn(q->fmt, "layers.%d.residual: always zero in calibration", layer);
    else if (d > 2 && above > d / 2)
        ts_formats_warn(q->fmt, "layers.%d.residual: channel %d reaches %.3g, over %g times most others, which are left with few bits",
                        layer, top, ts_q_reach(&r[top]), OUTLIER);
}

static double res_parts(const ts_quantiser *q, int layer, int first, int last)
{
    const int d = q->enc->d;
    double top = 0;
    int got;
    for (int part = first; part <= last; part++)
        if (ts_calibration_get(q->cal, layer, TS_ROLE_RES, part, &got))
            top = fmax(top, ts_q_tensor_reach(q, layer, TS_ROLE_RES, part, d));
    return top;
}

/* A norm behind a block rescales for free, so that each stretch of the stream between two such norms has its own scale. Pre-norm: nothing
   touches the stream but additions, so all layers share one. */
static void residual_scales(ts_quantiser *q)
{
    const int layers = q->enc->layers, width = q->im->res.bits;
    q->res_in = TS_NEW_N(q->scratch, double, layers + 1);
    q->res_mid = TS_NEW_N(q->scratch, double, layers);
    /* Stretches end where ts_norm_at has a norm; what they have to hold is collected from their last block to their first. */
    const ts_norms norms = q->enc->norms;
    const bool at_mid = ts_norm_at(norms, TS_BEHIND_ATTENTION) != 0, at_end = ts_norm_at(norms, TS_BEHIND_FFN) != 0;
    const ts_given *head_in = q->enc->head.lin[0].x_given;
    double all = 0;
    for (int l = 0; l < layers; l++) {
        check_residual(q, l);
        all = fmax(all, res_parts(q, l, 0, 6));
    }
    q->res_in[layers] = ts_given_snap(ts_q_signed_scale(TS_ROOM_WIDE * res_parts(q, layers - 1, 6, 6), width), head_in);
    for (int l = layers - 1; l >= 0; l--) {
        const double next = l + 1 < layers ? res_parts(q, l + 1, 0, 2) : res_parts(q, l, 6, 6);
        const double mid = !at_mid ? all : at_end ? res_parts(q, l, 3, 5) : fmax(res_parts(q, l, 3, 5), next);
        const double in = at_mid ? res_parts(q, l, 0, 2) : all;
        q->res_mid[l] = ts_q_signed_scale(TS_ROOM_WIDE * mid, width);
        q->res_in[l] = ts_q_signed_scale(TS_ROOM_WIDE * in, width);
        if (at_mid) {
            q->res_mid[l] = ts_given_snap(q->res_mid[l], q->given[l].ffn_in);
            q->res_in[l] = at_end ? ts_given_snap(q->res_in[l], q->given[l].qkv_in) : q->res_in[l];
        }
        if (!at_end)
            q->res_in[l + 1] = q->res_mid[l];
    }
    q->res_end = q->res_in[layers];
    if (q->enc->has_final_norm)
        q->res_end = ts_given_snap(ts_q_signed_scale(TS_ROOM_WIDE * res_parts(q, layers - 1, 7, 7), width), head_in);
    for (int l = 0; l < layers; l++) {
        q->layer[l].res_scale_in = q->res_in[l];
        q->layer[l].res_scale_mid = q->res_mid[l];
    }
}

/* ---- norms ---- */

/* Scale of the norm in front of a pre-norm block, from what the block reads. */
static double pre_norm_scale(const ts_quantiser *q, int layer, ts_role role, const ts_given *given)
{
    return ts_given_snap(ts_q_signed_scale(TS_ROOM_WIDE * ts_q_tensor_reach(q, layer, role, 0, q->enc->d), q->im->res.bits), given);
}

/* A norm on the residual stream. */
static ts_norm_plan stream_norm(ts_quantiser *q, const char *name, const ts_norm *norm, double x_scale, double y_scale, ts_inorm *to,
                                const ts_inorm *kept)
{
    const int d = q->enc->d;
    return (ts_norm_plan){.norm = norm,
                          .channels = d,
                          .x_scale = x_scale,
                          .y_scale = ts_q_constant(q->scratch, d, y_scale),
                          .y = q->im->res,
                          .to = to,
                          .name = name,
                          .kept = kept};
}

static void norms(ts_quantiser *q)
{
    const int layers = q->enc->layers;
    ts_norm_plan *plan = TS_NEW_N(q->scratch, ts_norm_plan, 2 * layers + 1);
    int count = 0;
    for (int l = 0; l < layers; l++) {
        const ts_layer *from = &q->enc->layer[l];
        ts_ilayer *to = &q->layer[l];
        const ts_norm *norm[] = {NULL, &from->norm1, &from->norm2};
        ts_inorm *inorm[] = {NULL, &to->norm1, &to->norm2};
        const ts_ilayer *there = q->hardware ? &q->hardware->layer[l] : NULL;
        const ts_inorm *kept[] = {NULL, there ? &there->norm1 : NULL, there ? &there->norm2 : NULL};
        const struct {
            ts_norm_place place;
            double in, out;
        } stream[] = {{TS_BEFORE_ATTENTION, q->res_in[l], pre_norm_scale(q, l, TS_ROLE_QKV_IN, q->given[l].qkv_in)},
                      {TS_BEHIND_ATTENTION, q->res_in[l], q->res_mid[l]},
                      {TS_BEFORE_FFN, q->res_mid[l], pre_norm_scale(q, l, TS_ROLE_FFN_IN, q->given[l].ffn_in)},
                      {TS_BEHIND_FFN, q->res_mid[l], q->res_in[l + 1]}};
        for (size_t p = 0; p < sizeof stream / sizeof *stream; p++) {
            const int which = ts_norm_at(q->enc->norms, stream[p].place);
            if (which)
                plan[count++] = stream_norm(q, ts_printf(q->scratch, "layers.%d.norm%d", l, which), norm[which], stream[p].in,
                                            stream[p].out, inorm[which], kept[which]);
        }
    }
    if (q->enc->has_final_norm)
        plan[count++] = stream_norm(q, "norm_final", &q->enc->final_norm, q->res_in[layers], q->res_end, &q->im->final_norm,
                                    q->hardware ? &q->hardware->final_norm : NULL);
    ts_q_norms(q, count, plan);
}

/* ---- stage inputs ---- */

/* As the model's file has it, or per channel, centred between its extremes and no finer than the stream it is made from. The channels
   share a scale where the weights they meet are integers. */
static ts_rq_plan plan_input(ts_quantiser *q, const char *name, const ts_range *r, double x_scale, int width, const ts_given *given,
                             bool one_scale)
{
    const int d = q->enc->d;
    ts_rq_plan plan = {.name = name, .count = d, .x_scale = x_scale, .x = q->im->res, .y = {width, true}};
    plan.y_scale = TS_NEW_N(q->scratch, double, d);
    plan.y_offset = TS_NEW_N(q->scratch, double, d);
    double largest = 0;
    for (int c = 0; c < d; c++) {
        const double half = ((double)r[c].max - (double)r[c].min) / 2;
        plan.y_offset[c] = ((double)r[c].max + (double)r[c].min) / 2;
        plan.y_scale[c] = fmax(ts_q_room(&r[c]) * half / (double)ts_fmt_max(width, true), x_scale);
        largest = fmax(largest, plan.y_scale[c]);
    }
    for (int c = 0; c < d; c++) {
        if (given)
            plan.y_offset[c] = ts_given_offset(given, c, TS_GIVEN_OFFSET);
        plan.y_scale[c] = given ? given->scale[c] : one_scale ? largest : plan.y_scale[c];
    }
    if (given && given->scale[0] < x_scale)
        ts_formats_warn(q->fmt, "residual: its step is %.3g times that of node '%s', which is rounded from it; give it more bits",
                        x_scale / given->scale[0], given->name);
    return plan;
}

/* Scale of what a block reads: of its own norm's output, or of the stream. */
static double input_scale(const ts_quantiser *q, int layer, ts_norm_place place, double stream)
{
    const int which = ts_norm_at(q->enc->norms, place);
    return which == 1 ? q->layer[layer].norm1.y_scale : which == 2 ? q->layer[layer].norm2.y_scale : stream;
}

static bool stage_inputs(ts_quantiser *q)
{
    const int layers = q->enc->layers, d = q->enc->d;
    const ts_linear *head = &q->enc->head.lin[0];
    ts_rq_plan *plan = TS_NEW_N(q->scratch, ts_rq_plan, layers);
    ts_rq **to = TS_NEW_N(q->scratch, ts_rq *, layers);
    for (int l = 0; l < layers; l++) {
        plan[l] = plan_input(q, ts_printf(q->scratch, "layers.%d.qkv_in", l), ts_q_ranges(q, l, TS_ROLE_QKV_IN, 0, d),
                             input_scale(q, l, TS_BEFORE_ATTENTION, q->res_in[l]), ts_q_bits(q, TS_FMT_QKV_IN, l), q->given[l].qkv_in,
                             q->given[l].qkv_weights);
        to[l] = &q->layer[l].qkv_in;
    }
    if (!ts_build_rqs(q->arena, layers, plan, to, q->fmt->room, q->hardware ? &q->hardware->layer[0].qkv_in : NULL, q->err))
        return false;
    for (int l = 0; l < layers; l++) {
        plan[l] = plan_input(q, ts_printf(q->scratch, "layers.%d.ffn_in", l), ts_q_ranges(q, l, TS_ROLE_FFN_IN, 0, d),
                             input_scale(q, l, TS_BEFORE_FFN, q->res_mid[l]), ts_q_bits(q, TS_FMT_FFN_IN, l), q->given[l].ffn_in,
                             q->given[l].ffn1_weights);
        to[l] = &q->layer[l].ffn_in;
    }
    if (!ts_build_rqs(q->arena, layers, plan, to, q->fmt->room, q->hardware ? &q->hardware->layer[0].ffn_in : NULL, q->err))
        return false;
    plan[0] = plan_input(q, "head_in", ts_q_ranges(q, layers - 1, TS_ROLE_HEAD_IN, 0, d), q->res_end, ts_q_bits(q, TS_FMT_HEAD_IN, 0),
                         head->x_given, head->w_given != NULL);
    to[0] = &q->im->head_in;
    return ts_build_rqs(q->arena, 1, plan, to, q->fmt->room, q->hardware ? &q->hardware->head_in : NULL, q->err);
}

bool ts_quantise_stream(ts_quantiser *q)
{
    residual_scales(q);
    norms(q);
    return stage_inputs(q);
}
