#include "search/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emu/emu.h"
#include "num/fixed.h"

enum { PARTS = 8 }; /* most parts of a (layer, role): those of RES */

/* One tensor over all events. */
typedef struct tensor {
    int channels;
    double min, max, error;
    double *sum, *square; /* [channels], of the float values */
    double rounding;      /* sum over values of (unit of the integer)^2 */
    int32_t largest;
    long long values, saturated, compared;
    /* of the event being run */
    int rows;
    const double *real; /* [rows][channels], of the integer model */
} tensor;

typedef struct profiler {
    const ts_imodel *im;
    tensor *tensor;  /* [layers][TS_ROLE_COUNT][PARTS] */
    ts_arena *arena; /* of sums */
    ts_arena *event; /* of one event's values */
} profiler;

static tensor *slot(const profiler *p, int layer, ts_role role, int part)
{
    CHECK(layer >= 0 && layer < p->im->layers && part >= 0 && part < PARTS);
    return &p->tensor[((size_t)layer * TS_ROLE_COUNT + (size_t)role) * PARTS + (size_t)part];
}

static ts_fmt format_of(const ts_imodel *im, int layer, ts_role role, int part)
{
    const ts_ilayer *l = &im->layer[layer];
    switch (role) {
    case TS_ROLE_IN:
        return im->in;
    case TS_ROLE_EMBED_HIDDEN:
        return im->embed[part].y;
    case TS_ROLE_RES:
        return im->res;
    case TS_ROLE_QKV_IN:
        return l->qkv_in.out;
    case TS_ROLE_QK_IN:
        return im->res;
    case TS_ROLE_Q:
        return l->q;
    case TS_ROLE_K:
        return l->k;
    case TS_ROLE_V:
        return l->v;
    case TS_ROLE_SCORE:
        return (ts_fmt){im->score_bits, true};
    case TS_ROLE_P:
        return (ts_fmt){im->p_bits, false};
    case TS_ROLE_CTX:
        return l->ctx;
    case TS_ROLE_FFN_IN:
        return l->ffn_in.out;
    case TS_ROLE_ACT_IN:
        return l->ffn1.rq.out;
    case TS_ROLE_HIDDEN:
        return l->ffn1.y;
    case TS_ROLE_HEAD_IN:
        return im->head_in.out;
    case TS_ROLE_HEAD_HIDDEN:
        return im->head[part].y;
    case TS_ROLE_OUT:
        return im->head_count > 0 ? im->head[im->head_count - 1].y : im->res;
    case TS_ROLE_W:
    case TS_ROLE_COUNT:
        break;
    }
    BUG("a role without a format");
}

static void on_integer(void *user, int layer, ts_role role, int part, int rows, int cols, const int32_t *data, const double *scale,
                       const double *offset)
{
    profiler *p = user;
    if (role == TS_ROLE_P)
        return; /* not divided yet, and at the end of its format in every row */
    const bool square = role == TS_ROLE_SCORE;
    tensor *t = slot(p, layer, role, square ? 0 : part);
    const ts_fmt fmt = format_of(p->im, layer, role, part);
    const int32_t end = (int32_t)ts_fmt_max(fmt.bits, fmt.is_signed);
    const size_t count = (size_t)rows * (size_t)cols;
    for (size_t i = 0; i < count; i++) {
        const int32_t magnitude = data[i] < 0 ? -data[i] : data[i];
        t->largest = magnitude > t->largest ? magnitude : t->largest;
        t->saturated += magnitude >= end;
    }
    t->values += (long long)count;
    if (square)
        return;
    double *real = TS_NEW_N(p->event, double, count);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            real[(size_t)r * (size_t)cols + (size_t)c] = data[(size_t)r * (size_t)cols + (size_t)c] * scale[c] + (offset ? offset[c] : 0);
            t->rounding += scale[c] * scale[c];
        }
    t->real = real;
    t->rows = rows;
    if (!t->sum) {
        t->channels = cols;
        t->sum = TS_NEW_N(p->arena, double, cols);
        t->square = TS_NEW_N(p->arena, double, cols);
    }
}

static void on_float(void *user, int layer, ts_role role, int part, int head, int rows, int cols, const float *data)
{
    profiler *p = user;
    if (role == TS_ROLE_SCORE || role == TS_ROLE_P)
        return;
    tensor *t = slot(p, layer, role, part);
    if (!t->real || t->rows != rows || t->channels != cols)
        return; /* what the integer model has in another form, or not at all */
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++) {
            const size_t at = (size_t)r * (size_t)cols + (size_t)c;
            const double x = (double)data[at];
            t->min = t->compared == 0 || x < t->min ? x : t->min;
            t->max = t->compared == 0 || x > t->max ? x : t->max;
            t->sum[c] += x;
            t->square[c] += x * x;
            t->error += (t->real[at] - x) * (t->real[at] - x);
            t->compared++;
        }
    t->real = NULL;
}

/* Sum over values of the squared distance from the mean of their channel. */
static double variation(const tensor *t)
{
    const double rows = (double)t->compared / t->channels;
    double sum = 0;
    for (int c = 0; c < t->channels; c++)
        sum += fmax(0, t->square[c] - t->sum[c] * t->sum[c] / rows);
    return sum;
}

static double decibel(double signal, double noise)
{
    return signal > 0 && noise > 0 ? 10 * log10(signal / noise) : NAN;
}

static ts_profile_row row_of(const profiler *p, int layer, ts_role role, int part, const tensor *t)
{
    const ts_fmt fmt = format_of(p->im, layer, role, part);
    ts_profile_row row = {.layer = layer,
                          .part = part,
                          .role = role,
                          .fmt = fmt,
                          .min = t->min,
                          .max = t->max,
                          .values = t->values,
                          .saturated = t->saturated,
                          .snr = NAN,
                          .own = NAN};
    row.used = (double)t->largest / (double)ts_fmt_max(fmt.bits, fmt.is_signed);
    if (t->compared > 0) {
        const double signal = variation(t);
        row.snr = decibel(signal, t->error);
        row.own = decibel(signal, t->rounding / 12 * (double)t->compared / (double)t->values);
    }
    return row;
}

static int worst_first(const void *left, const void *right)
{
    const ts_profile_row *a = left, *b = right;
    if (isnan(a->snr) != isnan(b->snr))
        return isnan(a->snr) ? 1 : -1;
    if (!isnan(a->snr) && (a->snr < b->snr || a->snr > b->snr))
        return a->snr < b->snr ? -1 : 1;
    if (a->layer != b->layer)
        return a->layer < b->layer ? -1 : 1;
    if (a->role != b->role)
        return a->role < b->role ? -1 : 1;
    return (a->part > b->part) - (a->part < b->part);
}

const ts_profile *ts_profile_measure(ts_arena *arena, const ts_encoder *enc, const ts_events *floating, const ts_imodel *im,
                                     const ts_events *tokens, void (*progress)(void *user, double fraction), void *user)
{
    CHECK(enc->layers == im->layers && floating->count == tokens->count);
    profiler p = {.im = im, .arena = ts_arena_new()};
    const size_t slots = (size_t)im->layers * TS_ROLE_COUNT * PARTS;
    p.tensor = TS_NEW_N(p.arena, tensor, slots);
    const ts_emu *emu = ts_emu_new(p.arena, im, TS_EMU_AUTO);
    ts_profile *profile = TS_NEW(arena, ts_profile);
    for (int e = 0; e < tokens->count; e++) {
        const ts_event *ev = &tokens->event[e];
        if (progress)
            progress(user, (double)e / tokens->count);
        if (ev->n == 0)
            continue;
        p.event = ts_arena_new();
        const size_t n = (size_t)ev->n;
        int32_t *x = TS_NEW_N(p.event, int32_t, n * (size_t)im->features), *y = TS_NEW_N(p.event, int32_t, n * (size_t)im->outputs);
        ts_quantise_input(im, ev->n, ev->x, x);
        ts_emu_run(emu, ev->n, x, y, on_integer, &p);
        ts_encoder_eval(enc, ev->n, floating->event[e].x, TS_NEW_N(p.event, float, n *(size_t)enc->outputs), on_float, &p);
        ts_arena_free(p.event);
        profile->events++;
        profile->hits += ev->n;
    }
    ts_profile_row *row = TS_NEW_N(arena, ts_profile_row, slots);
    for (int layer = 0; layer < im->layers; layer++)
        for (int role = 0; role < TS_ROLE_COUNT; role++)
            for (int part = 0; part < PARTS; part++) {
                const tensor *t = slot(&p, layer, (ts_role)role, part);
                if (t->values > 0)
                    row[profile->rows++] = row_of(&p, layer, (ts_role)role, part, t);
            }
    qsort(row, (size_t)profile->rows, sizeof *row, worst_first);
    profile->row = row;
    ts_arena_free(p.arena);
    return profile;
}

void ts_profile_name(const ts_profile_row *row, char *text, size_t size)
{
    static const char *const residual[PARTS] = {"layer input", "attention branch", "sum 1",     "norm 1", "FFN branch",
                                                "sum 2",       "layer output",     "final norm"};
    if (row->role == TS_ROLE_RES)
        snprintf(text, size, "layers.%d.residual, %s", row->layer, residual[row->part]);
    else if (row->part > 0)
        snprintf(text, size, "layers.%d.%s, %d", row->layer, ts_role_name(row->role), row->part);
    else
        snprintf(text, size, "layers.%d.%s", row->layer, ts_role_name(row->role));
}

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *ts_profile_json(const ts_profile *profile)
{
    json_t *tensors = json_array();
    for (int i = 0; i < profile->rows; i++) {
        const ts_profile_row *r = &profile->row[i];
        json_array_append_new(tensors,
                              json_pack("{s:i, s:s, s:i, s:i, s:b, s:f, s:f, s:f, s:I, s:I, s:o, s:o}", "layer", r->layer, "role",
                                        ts_role_name(r->role), "part", r->part, "bits", r->fmt.bits, "signed", r->fmt.is_signed, "min",
                                        r->min, "max", r->max, "used", r->used, "values", (json_int_t)r->values, "saturated",
                                        (json_int_t)r->saturated, "snr_db", number(r->snr), "rounding_alone_db", number(r->own)));
    }
    json_t *all = json_pack("{s:i, s:I, s:o}", "events", profile->events, "hits", (json_int_t)profile->hits, "tensors", tensors);
    CHECK(all);
    return all;
}
