#define TS_FAIL_CODE TS_UNSUPPORTED
#include "quant/quantise.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "num/fixed.h"
#include "quant/activation.h"
#include "quant/quantiser.h"
#include "quant/stage.h"

/* Scores with fewer fraction bits than this cost accuracy; with more, on real events, they do not. */
enum { FRAC_WORRY = 3 };

/* Of a score, as formats.h and the hardware have it. */
enum { SCORE_BITS_MOST = 24 };

/* A linear in double: [out][in] and [out]. */
typedef struct real_linear {
    int in, out;
    const double *w, *b;
} real_linear;

/* What a linear reads: a format, and the real value of its integers, x * scale[i] + offset[i]. */
typedef struct source {
    ts_fmt x;
    const double *scale, *offset; /* offset may be NULL: zeros */
    int layer, part;              /* which calibrated tensor it is */
    ts_role role;
} source;

static source rq_source(const ts_rq *rq, int layer, ts_role role)
{
    return (source){.x = rq->out, .scale = rq->y_scale, .offset = rq->y_offset, .layer = layer, .role = role};
}

/* ---- linears ---- */

static real_linear to_real(ts_quantiser *q, const ts_linear *lin)
{
    const size_t count = (size_t)lin->in * (size_t)lin->out;
    double *w = TS_NEW_N(q->scratch, double, count), *b = TS_NEW_N(q->scratch, double, lin->out);
    for (size_t i = 0; i < count; i++)
        w[i] = (double)lin->w[i];
    for (int o = 0; o < lin->out; o++)
        b[o] = (double)lin->b[o];
    return (real_linear){lin->in, lin->out, w, b};
}

/* Rows of q, then k, then v. */
static real_linear stack_qkv(ts_quantiser *q, const ts_layer *layer)
{
    const real_linear part[3] = {to_real(q, &layer->q), to_real(q, &layer->k), to_real(q, &layer->v)};
    const int d = q->enc->d;
    const size_t count = (size_t)q->inner * (size_t)d;
    double *w = TS_NEW_N(q->scratch, double, 3 * count), *b = TS_NEW_N(q->scratch, double, 3 * q->inner);
    for (int p = 0; p < 3; p++) {
        memcpy(w + (size_t)p * count, part[p].w, count * sizeof *w);
        memcpy(b + p * q->inner, part[p].b, (size_t)q->inner * sizeof *b);
    }
    return (real_linear){d, 3 * q->inner, w, b};
}

/* outer after inner, as one linear. */
static real_linear compose(ts_quantiser *q, real_linear outer, real_linear inner)
{
    double *w = TS_NEW_N(q->scratch, double, (size_t)outer.out *(size_t)inner.in), *b = TS_NEW_N(q->scratch, double, outer.out);
    for (int o = 0; o < outer.out; o++) {
        b[o] = outer.b[o];
        for (int j = 0; j < outer.in; j++) {
            const double f = outer.w[(size_t)o * (size_t)outer.in + (size_t)j];
            b[o] += f * inner.b[j];
            for (int i = 0; i < inner.in; i++)
                w[(size_t)o * (size_t)inner.in + (size_t)i] += f * inner.w[(size_t)j * (size_t)inner.in + (size_t)i];
        }
    }
    return (real_linear){inner.in, outer.out, w, b};
}

/* Variance of what rounding to an integer does. */
static const double ROUNDING = 1.0 / 12;

/* What is known of the inputs, in units of their integers. */
static void add_curvature(ts_quantiser *q, source from, ts_lin_plan *plan)
{
    ts_moments m;
    if (!ts_calibration_moments(q->scratch, q->cal, from.layer, from.role, from.part, &m))
        return;
    CHECK(m.channels == plan->in);
    double *h = TS_NEW_N(q->scratch, double, (size_t)m.channels *(size_t)m.channels), *mean = TS_NEW_N(q->scratch, double, m.channels);
    for (int i = 0; i < m.channels; i++) {
        mean[i] = (m.mean[i] - (from.offset ? from.offset[i] : 0)) / from.scale[i];
        for (int j = 0; j < m.channels; j++) {
            const size_t at = (size_t)i * (size_t)m.channels + (size_t)j;
            h[at] = m.covariance[at] / (from.scale[i] * from.scale[j]);
        }
    }
    plan->curvature = ts_curvature_new(q->scratch, m.channels, h, ROUNDING);
    plan->x_mean = mean;
}

/* Folds the source's scales into the weights and the offsets of both sides into the bias. y_offset may be NULL. */
static ts_lin_plan plan_linear(ts_quantiser *q, const char *name, real_linear lin, source from, int w_bits, double *y_scale,
                               const double *y_offset, ts_fmt y)
{
    ts_lin_plan plan = {.name = name, .in = lin.in, .out = lin.out, .x = from.x, .w_bits = w_bits, .y_scale = y_scale, .y = y};
    plan.w = TS_NEW_N(q->scratch, double, (size_t)lin.in *(size_t)lin.out);
    plan.b = TS_NEW_N(q->scratch, double, lin.out);
    for (int o = 0; o < lin.out; o++) {
        plan.b[o] = lin.b[o] - (y_offset ? y_offset[o] : 0);
        for (int i = 0; i < lin.in; i++) {
            const size_t at = (size_t)o * (size_t)lin.in + (size_t)i;
            plan.w[at] = lin.w[at] * from.scale[i];
            plan.b[o] += from.offset ? lin.w[at] * from.offset[i] : 0;
        }
    }
    add_curvature(q, from, &plan);
    return plan;
}

/* Units of the weights of linears that make one stage, where the file gives their integers. */
static void give_weights(ts_quantiser *q, ts_lin_plan *plan, source from, int count, const ts_linear *const *lin)
{
    double *unit = TS_NEW_N(q->scratch, double, plan->out);
    bool any = false;
    for (int n = 0, first = 0; n < count; first += lin[n++]->out)
        for (int o = 0; lin[n]->w_given && o < lin[n]->out; o++) {
            unit[first + o] = lin[n]->w_given->scale[o] * from.scale[0];
            any = true;
        }
    for (int i = 0; any && i < plan->in; i++)
        CHECK(from.scale[i] == from.scale[0]);
    plan->w_unit = any ? unit : NULL;
}

/* kept: requantisation in the hardware that is there, or NULL. */
static bool build(ts_quantiser *q, int count, const ts_lin_plan *plan, ts_ilin *const *lin, const ts_rq *kept)
{
    int *dead = TS_NEW_N(q->scratch, int, count);
    if (!ts_build_linears(q->arena, count, plan, lin, dead, q->fmt->room, kept, q->err))
        return false;
    for (int n = 0; n < count; n++) {
        lin[n]->y = plan[n].y;
        if (dead[n])
            ts_formats_warn(q->fmt, "%s: %d of %d outputs have no weight other than zero", plan[n].name, dead[n], plan[n].out);
    }
    return true;
}

static void set_activation(ts_ilin *lin, const ts_act_plan *act)
{
    lin->act = act->act;
    lin->table = act->table;
    lin->y = act->y;
}

/* The linears of the embedding or the head. `end` is the format of the last one's output, end_scale [out] its scale. */
static bool build_mlp(ts_quantiser *q, const ts_mlp *mlp, const char *name, int layer, ts_role hidden_role, source from, int w_bits,
                      int hidden_bits, ts_fmt end, double *end_scale, ts_role end_role, ts_ilin *to, const ts_ilin *kept)
{
    for (int i = 0; i < mlp->count; i++) {
        const bool last = i == mlp->count - 1;
        const int out = mlp->lin[i].out;
        const ts_act act = mlp->act[i];
        /* Only what comes out of an activation was measured. */
        const ts_range *r = ts_q_ranges(q, layer, last ? end_role : hidden_role, last ? 0 : i, out);
        double low = 0, high = 0;
        for (int c = 0; c < out; c++) {
            low = fmin(low, (double)r[c].min);
            high = fmax(high, (double)r[c].max);
        }
        low = act == TS_ACT_NONE ? ts_q_room(r) * low : -INFINITY;
        high = ts_q_room(r) * high + ts_act_below(act);
        const int in_bits = ts_q_bits(q, TS_FMT_ACT_IN, layer);
        const ts_act_given given = last ? (ts_act_given){0} : ts_given_hidden(act, ts_given_mlp_hidden(mlp, i));
        ts_act_plan plan = last ? ts_plan_act_onto(q->arena, act, in_bits, end, end_scale[0], low, high)
                                : ts_plan_hidden(q->arena, act, in_bits, hidden_bits, low, high, given);
        double *y_scale = last ? end_scale : ts_q_constant(q->arena, out, plan.y_scale);
        double *in_scale = plan.table ? ts_q_constant(q->arena, out, plan.in_scale) : y_scale;
        double *y_offset = plan.y_offset != 0 ? ts_q_constant(q->arena, out, plan.y_offset) : NULL;
        ts_lin_plan lin =
            plan_linear(q, ts_printf(q->scratch, "%s.%d", name, i), to_real(q, &mlp->lin[i]), from, w_bits, in_scale, NULL, plan.in);
        give_weights(q, &lin, from, 1, (const ts_linear *const[]){&mlp->lin[i]});
        ts_ilin *const where = &to[i];
        if (!build(q, 1, &lin, &where, kept ? &kept[i].rq : NULL))
            return false;
        set_activation(where, &plan);
        where->y_scale = y_scale;
        where->y_offset = y_offset;
        from = (source){plan.y, y_scale, y_offset, layer, i, hidden_role};
    }
    return true;
}

static bool embed(ts_quantiser *q)
{
    const ts_encoder *enc = q->enc;
    const ts_range *r = ts_q_ranges(q, 0, TS_ROLE_IN, 0, enc->features);
    double *scale = TS_NEW_N(q->arena, double, enc->features);
    const ts_linear *first = &enc->embed.lin[0];
    double largest = 0;
    for (int c = 0; c < enc->features; c++) {
        scale[c] = ts_q_signed_scale(TS_ROOM_WIDE * ts_q_reach(&r[c]), q->im->in.bits);
        largest = fmax(largest, scale[c]);
    }
    for (int c = 0; c < enc->features; c++)
        scale[c] = first->x_given ? first->x_given->scale[c] : first->w_given ? largest : scale[c];
    q->im->in_scale = scale;
    return build_mlp(q, &enc->embed, "embed", 0, TS_ROLE_EMBED_HIDDEN, (source){.x = q->im->in, .scale = scale, .role = TS_ROLE_IN},
                     ts_q_bits(q, TS_FMT_W_EMBED, 0), ts_q_bits(q, TS_FMT_EMBED_HIDDEN, 0), q->im->res,
                     ts_q_constant(q->arena, enc->d, q->res_in[0]), TS_ROLE_RES, q->im->embed, q->hardware ? q->hardware->embed : NULL);
}

static bool head(ts_quantiser *q)
{
    const ts_encoder *enc = q->enc;
    const int last = enc->layers - 1, out_bits = ts_q_bits(q, TS_FMT_OUT, 0);
    const ts_range *r = ts_q_ranges(q, last, TS_ROLE_OUT, 0, enc->outputs);
    /* A table behind the last linear, and arg-max, need one scale for all outputs. */
    const ts_act act = enc->head.act[enc->head.count - 1];
    const bool shared = q->im->classifier || ts_act_has_table(act);
    double *scale = TS_NEW_N(q->arena, double, enc->outputs);
    const double all = ts_q_signed_scale(TS_ROOM_WIDE * ts_q_tensor_reach(q, last, TS_ROLE_OUT, 0, enc->outputs), out_bits);
    for (int o = 0; o < enc->outputs; o++)
        scale[o] = shared || ts_q_reach(&r[o]) == 0 ? all : ts_q_signed_scale(TS_ROOM_WIDE * ts_q_reach(&r[o]), out_bits);
    const ts_given *given = enc->head.lin[enc->head.count - 1].y_given;
    if (given && shared && !ts_given_uniform(given))
        return ts_fail(q->err, "out: node '%s' has a scale for each output, but they must share one; give it one scale", given->name);
    for (int o = 0; given && o < enc->outputs; o++)
        scale[o] = given->scale[o];
    return build_mlp(q, &enc->head, "head", last, TS_ROLE_HEAD_HIDDEN, rq_source(&q->im->head_in, last, TS_ROLE_HEAD_IN),
                     ts_q_bits(q, TS_FMT_W_HEAD, 0), ts_q_bits(q, TS_FMT_HEAD_HIDDEN, 0), (ts_fmt){out_bits, true}, scale, TS_ROLE_OUT,
                     q->im->head, q->hardware ? q->hardware->head : NULL);
}

/* ---- attention ---- */

/* Says where attention's scales are not those of the model's file: they are tied to each other here. */
static void compare_given(const ts_quantiser *q, int l)
{
    static const double exact = 1e-4;
    const ts_attn_plan *p = &q->attn[l];
    const double *v_offset = p->y_offset + 2 * q->inner;
    if (fabs(p->q_factor - 1) > exact)
        ts_formats_warn(
            q->fmt,
            "layers.%d.q (node '%s'): its scale is %.4g times the file's: scales of q and k must multiply to a power of two of the score "
            "in octaves, 2^-t / (softmax scale * log2 e), with t in a span of 3 over all heads and layers",
            l, p->q_given->name, p->q_factor);
    if (fabs(p->ctx_factor - 1) > exact)
        ts_formats_warn(
            q->fmt,
            "layers.%d.ctx (node '%s'): its scale is %.4g times the file's: it is that of v times a power of two, which varies by at "
            "most 2^3 over the layers",
            l, p->ctx_given->name, p->ctx_factor);
    for (int c = 0; p->ctx_given && c < q->inner; c++)
        if (fabs(ts_given_offset(p->ctx_given, c, TS_GIVEN_OFFSET) - v_offset[c]) > exact * p->ctx_scale[c]) {
            ts_formats_warn(q->fmt, "layers.%d.ctx (node '%s'): its zero point is not kept: the context is held around the middle of v", l,
                            p->ctx_given->name);
            break;
        }
}

/* [3 * inner]: how far one step of one input moves each of q, k and v at most. */
static double *steps_of_qkv(ts_quantiser *q, int l)
{
    const int d = q->enc->d, out = 3 * q->inner;
    const real_linear lin = stack_qkv(q, &q->enc->layer[l]);
    const double *x_scale = q->layer[l].qkv_in.y_scale;
    double *step = TS_NEW_N(q->scratch, double, out);
    for (int o = q->enc->qk_norm ? 2 * q->inner : 0; o < out; o++) /* norms make any step of their own size */
        for (int i = 0; i < d; i++)
            step[o] = fmax(step[o], fabs(lin.w[(size_t)o * (size_t)d + (size_t)i]) * x_scale[i]);
    return step;
}

/* Octaves that scores have in all events but one; in that one, where there is no other. */
static double score_reach_of_others(const ts_quantiser *q)
{
    double most = 0;
    for (int l = 0; l < q->enc->layers; l++) {
        int heads;
        const ts_range *r = ts_calibration_get(q->cal, l, TS_ROLE_SCORE, 0, &heads);
        for (int h = 0; h < heads; h++)
            most = fmax(most, fmax(fabs((double)r[h].min2), fabs((double)r[h].max2)));
    }
    return most;
}

/* With the fewest fraction bits there are, scores do not fit: they would saturate, and softmax not tell one from another. Where that is so
   in one event only, it is doubtful, and the others have a model. */
static bool score_too_wide(const ts_quantiser *q, const ts_attn_shared *shared)
{
    const double most = (double)ts_fmt_max(shared->score_bits, true);
    if (ldexp(score_reach_of_others(q), shared->frac_bits) <= most) {
        ts_formats_warn(
            q->fmt,
            "score: one event has scores of up to %.3g octaves, which %d bits do not hold: there they saturate. Is that event real?",
            shared->reach, shared->score_bits);
        return true;
    }
    int bits = shared->score_bits;
    while (bits < SCORE_BITS_MOST && ldexp(shared->reach, shared->frac_bits) > (double)ts_fmt_max(bits, true))
        bits++;
    const bool helps = isfinite(shared->reach) && ldexp(shared->reach, shared->frac_bits) <= (double)ts_fmt_max(bits, true);
    char wider[80] = "; no format holds them";
    if (helps)
        snprintf(wider, sizeof wider, "; %s score=%d would hold them", ts_option("formats"), bits);
    return ts_fail(q->err,
                   "attention: scores reach %.3g octaves (powers of two); %d bits with %d fraction bits hold %.0f%s. Scores that large are "
                   "mostly of inputs "
                   "that are not standardised as in training: see the inputs file",
                   shared->reach, shared->score_bits, shared->frac_bits, ldexp(most, -shared->frac_bits), wider);
}

static bool attention_scales(ts_quantiser *q)
{
    const int layers = q->enc->layers;
    q->attn = TS_NEW_N(q->scratch, ts_attn_plan, layers);
    for (int l = 0; l < layers; l++) {
        ts_ilayer *to = &q->layer[l];
        ts_attn_plan *plan = &q->attn[l];
        *plan = (ts_attn_plan){
            .heads = q->enc->heads,
            .d_head = q->enc->d_head,
            .scale = (double)q->enc->layer[l].scale,
            .q = ts_q_ranges(q, l, TS_ROLE_Q, 0, q->inner),
            .k = ts_q_ranges(q, l, TS_ROLE_K, 0, q->inner),
            .v = ts_q_ranges(q, l, TS_ROLE_V, 0, q->inner),
            .ctx = ts_q_ranges(q, l, TS_ROLE_CTX, 0, q->inner),
            .score = ts_q_ranges(q, l, TS_ROLE_SCORE, 0, q->enc->heads),
            .q_fmt = to->q = (ts_fmt){q->enc->qk_norm ? ts_formats_widest(q->fmt, TS_FMT_Q) : ts_q_bits(q, TS_FMT_Q, l), true},
            .k_fmt = to->k = (ts_fmt){q->enc->qk_norm ? ts_formats_widest(q->fmt, TS_FMT_K) : ts_q_bits(q, TS_FMT_K, l), true},
            .v_fmt = to->v = (ts_fmt){ts_q_bits(q, TS_FMT_V, l), true},
            .ctx_fmt = to->ctx = (ts_fmt){ts_q_bits(q, TS_FMT_CTX, l), true},
            .step = steps_of_qkv(q, l),
            .room = ts_q_room(ts_q_ranges(q, l, TS_ROLE_Q, 0, q->inner)),
            .q_given = q->given[l].q,
            .k_given = q->given[l].k,
            .v_given = q->given[l].v,
            .ctx_given = q->given[l].ctx,
            .one_v_scale = q->given[l].o_weights,
        };
        if (!(plan->scale > 0) || !isfinite(plan->scale))
            return ts_fail(q->err, "layers.%d: attention scale %g is not a positive number", l, plan->scale);
    }
    ts_attn_shared shared = {.score_bits = ts_q_bits(q, TS_FMT_SCORE, 0), .frac_bits = ts_q_bits(q, TS_FMT_FRAC, 0), .room = q->fmt->room};
    ts_plan_attention(q->arena, layers, q->attn, &shared);
    const bool wide = ldexp(shared.reach, shared.frac_bits) > (double)ts_fmt_max(shared.score_bits, true);
    if (wide && !score_too_wide(q, &shared))
        return false;
    for (int l = 0; l < layers; l++)
        compare_given(q, l);
    if (!wide && shared.frac_bits < FRAC_WORRY && shared.frac_bits < ts_q_bits(q, TS_FMT_FRAC, 0))
        ts_formats_warn(q->fmt, "score: %d fraction bits instead of %d, so that scores of up to %.3g octaves fit %d bits", shared.frac_bits,
                        ts_q_bits(q, TS_FMT_FRAC, 0), shared.reach, shared.score_bits);
    if (shared.clipped)
        ts_formats_warn(q->fmt,
                        "q, k: scores need coarser steps than q and k of so few bits give; large ones saturate. Give q and k more bits");
    ts_imodel *im = q->im;
    im->score_bits = shared.score_bits;
    im->frac_bits = shared.frac_bits;
    im->score_shift = shared.score_shift;
    im->ctx_shift = shared.ctx_shift;
    im->v_bits = shared.v_bits;
    im->p_bits = ts_q_bits(q, TS_FMT_P, 0);
    uint32_t *exp2 = TS_NEW_N(q->arena, uint32_t, (size_t)1 << im->frac_bits);
    ts_exp2_table(im->frac_bits, im->p_bits, exp2);
    im->exp2 = exp2;
    for (int l = 0; l < layers; l++) {
        q->layer[l].score_e = q->attn[l].score_e;
        q->layer[l].ctx_e = q->attn[l].ctx_e;
        q->layer[l].ctx_scale = q->attn[l].ctx_scale;
    }
    return true;
}

static ts_lin_plan plan_qkv(ts_quantiser *q, int l, real_linear lin, source from)
{
    return plan_linear(q, ts_printf(q->scratch, "layers.%d.qkv", l), lin, from, ts_q_bits(q, TS_FMT_W_QKV, l), q->qkv_scale[l],
                       q->qkv_offset[l], ts_imodel_qkv_widest(q->im, &q->layer[l]));
}

static bool attention_linears(ts_quantiser *q)
{
    const int layers = q->enc->layers;
    ts_lin_plan *plan = TS_NEW_N(q->scratch, ts_lin_plan, layers);
    ts_ilin **to = TS_NEW_N(q->scratch, ts_ilin *, layers);
    ts_q_qk_norms(q);
    for (int l = 0; l < layers; l++) {
        const ts_layer *layer = &q->enc->layer[l];
        const source in = rq_source(&q->layer[l].qkv_in, l, TS_ROLE_QKV_IN);
        plan[l] = plan_qkv(q, l, stack_qkv(q, layer), in);
        give_weights(q, &plan[l], in, 3, (const ts_linear *const[]){&layer->q, &layer->k, &layer->v});
        to[l] = &q->layer[l].qkv;
    }
    if (!build(q, layers, plan, to, q->hardware ? &q->hardware->layer[0].qkv.rq : NULL))
        return false;
    for (int l = 0; l < layers; l++)
        to[l]->y_offset = q->qkv_offset[l];
    for (int l = 0; l < layers; l++) {
        const source ctx = {q->layer[l].ctx, q->attn[l].ctx_scale, q->attn[l].y_offset + 2 * q->inner, l, 0, TS_ROLE_CTX};
        plan[l] = plan_linear(q, ts_printf(q->scratch, "layers.%d.o", l), to_real(q, &q->enc->layer[l].o), ctx, ts_q_bits(q, TS_FMT_W_O, l),
                              ts_q_constant(q->arena, q->enc->d, q->res_in[l]), NULL, q->im->res);
        give_weights(q, &plan[l], ctx, 1, (const ts_linear *const[]){&q->enc->layer[l].o});
        to[l] = &q->layer[l].o;
    }
    return build(q, layers, plan, to, q->hardware ? &q->hardware->layer[0].o.rq : NULL);
}

/* Embedding and first QKV are linear after linear: one product of few inputs spares a fill of the ring. */
bool ts_fuses_qkv0(const ts_encoder *enc)
{
    const int last = enc->embed.count - 1;
    return enc->norms == TS_NORMS_LAST && enc->embed.act[last] == TS_ACT_NONE && enc->embed.lin[last].in < enc->d &&
           !ts_given_keeps_qkv0(enc);
}

static bool fuse_qkv0(ts_quantiser *q)
{
    const ts_encoder *enc = q->enc;
    const int last = enc->embed.count - 1;
    if (!ts_fuses_qkv0(enc))
        return true;
    const ts_ilin *before = last > 0 ? &q->im->embed[last - 1] : NULL;
    const source from = before ? (source){before->y, before->y_scale, before->y_offset, 0, last - 1, TS_ROLE_EMBED_HIDDEN}
                               : (source){.x = q->im->in, .scale = q->im->in_scale, .role = TS_ROLE_IN};
    const real_linear both = compose(q, stack_qkv(q, &enc->layer[0]), to_real(q, &enc->embed.lin[last]));
    const ts_lin_plan plan = plan_qkv(q, 0, both, from);
    ts_ilin *const to = &q->im->qkv0;
    if (!build(q, 1, &plan, &to, q->hardware ? &q->hardware->qkv0.rq : NULL))
        return false;
    to->y_offset = q->qkv_offset[0];
    q->im->fused_qkv0 = true;
    return true;
}

/* ---- FFN ---- */

/* What an activation between the linears of an FFN has to cover. */
typedef struct hidden_span {
    double low, high; /* inputs, with room */
    int in_bits, bits;
} hidden_span;

static void widen(const ts_quantiser *q, int l, hidden_span *span)
{
    const ts_range *r = ts_q_ranges(q, l, TS_ROLE_ACT_IN, 0, q->enc->ff);
    const int in_bits = ts_q_bits(q, TS_FMT_ACT_IN, l), hidden_bits = ts_q_bits(q, TS_FMT_HIDDEN, l);
    for (int c = 0; c < q->enc->ff; c++) {
        span->low = fmin(span->low, ts_q_room(r) * (double)r[c].min);
        span->high = fmax(span->high, ts_q_room(r) * (double)r[c].max);
    }
    span->in_bits = in_bits > span->in_bits ? in_bits : span->in_bits;
    span->bits = hidden_bits > span->bits ? hidden_bits : span->bits;
}

/* A table is one memory in the hardware: all layers share it, and with it scales and formats. */
static ts_act_plan *plan_hidden(ts_quantiser *q)
{
    const ts_act kind = q->enc->act;
    const int layers = q->enc->layers;
    ts_act_plan *act = TS_NEW_N(q->scratch, ts_act_plan, layers);
    hidden_span all = {0};
    for (int l = 0; l < layers; l++) {
        hidden_span own = {0};
        widen(q, l, &own);
        widen(q, l, &all);
        if (!ts_act_has_table(kind))
            act[l] = ts_plan_hidden(q->arena, kind, own.in_bits, own.bits, own.low, own.high, ts_given_hidden(kind, q->given[l].hidden));
        if (ts_q_tensor_reach(q, l, TS_ROLE_HIDDEN, 0, q->enc->ff) == 0)
            ts_formats_warn(q->fmt, "layers.%d.hidden: always zero in calibration", l);
    }
    if (ts_act_has_table(kind)) {
        act[0] = ts_plan_hidden(q->arena, kind, all.in_bits, all.bits, all.low, all.high, ts_given_table(q->enc));
        for (int l = 1; l < layers; l++)
            act[l] = act[0];
    }
    return act;
}

static bool ffn(ts_quantiser *q)
{
    const ts_encoder *enc = q->enc;
    const int layers = enc->layers, ff = enc->ff;
    ts_lin_plan *plan = TS_NEW_N(q->scratch, ts_lin_plan, layers);
    ts_act_plan *act = plan_hidden(q);
    ts_ilin **to = TS_NEW_N(q->scratch, ts_ilin *, layers);
    for (int l = 0; l < layers; l++) {
        plan[l] = plan_linear(q, ts_printf(q->scratch, "layers.%d.ffn1", l), to_real(q, &enc->layer[l].ffn1),
                              rq_source(&q->layer[l].ffn_in, l, TS_ROLE_FFN_IN), ts_q_bits(q, TS_FMT_W_FFN1, l),
                              ts_q_constant(q->arena, ff, act[l].in_scale), NULL, act[l].in);
        give_weights(q, &plan[l], rq_source(&q->layer[l].ffn_in, l, TS_ROLE_FFN_IN), 1, (const ts_linear *const[]){&enc->layer[l].ffn1});
        to[l] = &q->layer[l].ffn1;
    }
    if (!build(q, layers, plan, to, q->hardware ? &q->hardware->layer[0].ffn1.rq : NULL))
        return false;
    for (int l = 0; l < layers; l++) {
        ts_ilin *ffn1 = to[l];
        set_activation(ffn1, &act[l]);
        ffn1->y_scale = ts_q_constant(q->arena, ff, act[l].y_scale);
        ffn1->y_offset = act[l].y_offset != 0 ? ts_q_constant(q->arena, ff, act[l].y_offset) : NULL;
        const source hidden = {ffn1->y, ffn1->y_scale, ffn1->y_offset, l, 0, TS_ROLE_HIDDEN};
        plan[l] = plan_linear(q, ts_printf(q->scratch, "layers.%d.ffn2", l), to_real(q, &enc->layer[l].ffn2), hidden,
                              ts_q_bits(q, TS_FMT_W_FFN2, l), ts_q_constant(q->arena, enc->d, q->res_mid[l]), NULL, q->im->res);
        give_weights(q, &plan[l], hidden, 1, (const ts_linear *const[]){&enc->layer[l].ffn2});
        to[l] = &q->layer[l].ffn2;
    }
    return build(q, layers, plan, to, q->hardware ? &q->hardware->layer[0].ffn2.rq : NULL);
}

/* ---- all of it ---- */

static void describe(ts_quantiser *q)
{
    const ts_encoder *enc = q->enc;
    ts_imodel *im = q->im;
    im->name = ts_strdup(q->arena, enc->name);
    im->features = enc->features;
    im->d = enc->d;
    im->heads = enc->heads;
    im->d_head = enc->d_head;
    im->ff = enc->ff;
    im->outputs = enc->outputs;
    im->layers = enc->layers;
    im->norms = enc->norms;
    im->qk_norm = enc->qk_norm;
    im->has_final_norm = enc->has_final_norm;
    im->pool = enc->pool;
    im->classifier = q->fmt->classifier;
    im->in = (ts_fmt){ts_q_bits(q, TS_FMT_IN, 0), true};
    im->res = (ts_fmt){ts_q_bits(q, TS_FMT_RES, 0), true};
    im->embed_count = enc->embed.count;
    im->head_count = enc->head.count;
    im->layer = q->layer;
    im->acc_margin = ts_room_margin(q->fmt->room);
}

/* Whether every tensor, with the room that it is given, is within what the float model can have itself. */
static bool ranges_fit(const ts_quantiser *q)
{
    for (int l = 0; l < q->enc->layers; l++)
        for (int role = 0; role < TS_ROLE_COUNT; role++)
            for (int part = 0; part < TS_CALIBRATION_PARTS; part++) {
                int channels;
                const ts_range *r = ts_calibration_get(q->cal, l, (ts_role)role, part, &channels);
                for (int c = 0; r && c < channels; c++) {
                    const ts_range wide = ts_q_expect(r[c]);
                    if (TS_ROOM_WIDE * ts_q_reach(&wide) > (double)FLT_MAX)
                        return ts_fail(q->err, "layer %d: weights or ranges too large to quantise: '%s' reaches %.3g", l,
                                       ts_role_name((ts_role)role), ts_q_reach(&r[c]));
                }
            }
    return true;
}

const ts_imodel *ts_quantise(ts_arena *arena, const ts_encoder *enc, const ts_calibration *cal, const ts_formats *formats, ts_err *err)
{
    CHECK(formats->layers == enc->layers);
    if (ts_calibration_events(cal) == 0) {
        ts_fail(err, "nothing to calibrate with: no event with at least one hit; give events");
        return NULL;
    }
    ts_quantiser q = {.arena = arena, .scratch = ts_arena_new(), .enc = enc, .cal = cal, .fmt = formats, .err = err};
    q.hardware = formats->room ? formats->room->hardware : NULL;
    q.inner = enc->heads * enc->d_head;
    q.im = TS_NEW(arena, ts_imodel);
    q.layer = TS_NEW_N(arena, ts_ilayer, enc->layers);
    q.given = TS_NEW_N(q.scratch, ts_given_layer, enc->layers);
    for (int l = 0; l < enc->layers; l++)
        q.given[l] = ts_given_of_layer(enc, l);
    describe(&q);
    const bool ok = ranges_fit(&q) && ts_quantise_stream(&q) && embed(&q) && attention_scales(&q) && attention_linears(&q) &&
                    fuse_qkv0(&q) && ffn(&q) && head(&q);
    ts_arena_free(q.scratch);
    if (ok && formats->room && formats->room->places > 0)
        return q.im;
    return ok && ts_imodel_verify(q.im, err) ? q.im : NULL;
}
