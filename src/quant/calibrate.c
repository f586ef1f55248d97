#include "quant/calibrate.h"

#include <cblas.h>
#include <math.h>

#include "base/blas.h"
#include "base/boundary.h"

enum { MOMENTS_MOST = 1024 }; /* channels */
enum { CHUNK = 16 };          /* events whose moments are in memory at one time */

typedef struct tensor {
    int channels;
    ts_range *range; /* [channels] */
    double *product; /* [channels][channels], lower triangle: sums of x x^T; NULL: not kept */
} tensor;

struct ts_calibration {
    ts_arena *arena;
    const ts_encoder *enc;
    int events;
    long long tokens;
    tensor *tensor; /* [layers][TS_ROLE_COUNT][TS_CALIBRATION_PARTS] */
};

static tensor *slot(const ts_calibration *cal, int layer, ts_role role, int part)
{
    CHECK(layer >= 0 && layer < cal->enc->layers && part >= 0 && part < TS_CALIBRATION_PARTS);
    return &cal->tensor[((size_t)layer * TS_ROLE_COUNT + (size_t)role) * TS_CALIBRATION_PARTS + (size_t)part];
}

ts_calibration *ts_calibration_new(ts_arena *arena, const ts_encoder *enc)
{
    ts_calibration *cal = TS_NEW(arena, ts_calibration);
    cal->arena = arena;
    cal->enc = enc;
    cal->tensor = TS_NEW_N(arena, tensor, (size_t)enc->layers * TS_ROLE_COUNT * TS_CALIBRATION_PARTS);
    return cal;
}

/* One event's ranges, apart from the calibration until the whole event is known to be finite. */
typedef struct collector {
    ts_arena *arena;
    ts_calibration *event;
    ts_err err;
} collector;

static void collect(ts_calibration *to, int layer, ts_role role, int part, int channels, int channel, const ts_range *add)
{
    tensor *t = slot(to, layer, role, part);
    if (!t->range) {
        t->channels = channels;
        t->range = TS_NEW_N(to->arena, ts_range, channels);
    }
    ts_range *r = &t->range[channel];
    if (r->events == 0) {
        *r = *add;
        return;
    }
    const float inner_min = fmaxf(r->min, add->min), inner_max = fminf(r->max, add->max);
    r->min2 = r->events == 1 ? inner_min : fminf(inner_min, r->min2);
    r->max2 = r->events == 1 ? inner_max : fmaxf(inner_max, r->max2);
    r->min = fminf(r->min, add->min);
    r->max = fmaxf(r->max, add->max);
    r->events += add->events;
    r->sum += add->sum;
    r->count += add->count;
}

static bool feeds_linear(ts_role role)
{
    return role == TS_ROLE_IN || role == TS_ROLE_EMBED_HIDDEN || role == TS_ROLE_QKV_IN || role == TS_ROLE_CTX || role == TS_ROLE_FFN_IN ||
           role == TS_ROLE_HIDDEN || role == TS_ROLE_HEAD_IN || role == TS_ROLE_HEAD_HIDDEN;
}

static void collect_product(ts_calibration *to, int layer, ts_role role, int part, int rows, int cols, const float *data)
{
    tensor *t = slot(to, layer, role, part);
    const size_t count = (size_t)rows * (size_t)cols;
    ts_arena *scratch = ts_arena_new();
    double *wide = TS_NEW_N(scratch, double, count);
    for (size_t i = 0; i < count; i++)
        wide[i] = (double)data[i];
    t->product = TS_NEW_N(to->arena, double, (size_t)cols *(size_t)cols);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, cols, rows, 1, wide, cols, 0, t->product, cols);
    ts_arena_free(scratch);
}

/* Range of one column, or of the whole matrix where cols is its row length and `whole` is set. */
static ts_range range_of(int rows, int cols, int column, bool whole, const float *data)
{
    ts_range r = {.min = data[column], .max = data[column], .events = 1};
    for (int i = 0; i < rows; i++) {
        const float *row = data + (size_t)i * (size_t)cols;
        for (int c = column; c < (whole ? cols : column + 1); c++) {
            r.min = row[c] < r.min ? row[c] : r.min;
            r.max = row[c] > r.max ? row[c] : r.max;
            r.sum += (double)row[c]; /* NaN survives here, unlike in min and max */
        }
    }
    r.min2 = r.min;
    r.max2 = r.max;
    r.count = whole ? (long long)rows * cols : rows;
    return r;
}

static void on_tensor(void *user, int layer, ts_role role, int part, int head, int rows, int cols, const float *data)
{
    collector *c = user;
    if (role == TS_ROLE_P || c->err.msg[0])
        return;
    const bool whole = role == TS_ROLE_SCORE;
    const int channels = whole ? c->event->enc->heads : cols;
    for (int i = 0; i < (whole ? 1 : cols); i++) {
        const ts_range r = range_of(rows, cols, i, whole, data);
        if (!isfinite(r.sum) || !isfinite(r.min) || !isfinite(r.max)) {
            ts_fail(&c->err, "calibration: layer %d makes values that are not finite in '%s'; check the scaling of the inputs", layer,
                    ts_role_name(role));
            return;
        }
        collect(c->event, layer, role, part, channels, whole ? head : i, &r);
    }
    if (feeds_linear(role) && cols <= MOMENTS_MOST)
        collect_product(c->event, layer, role, part, rows, cols, data);
}

static collector evaluate(const ts_encoder *enc, int n, const float *x)
{
    collector c = {.arena = ts_arena_new()};
    c.event = ts_calibration_new(c.arena, enc);
    ts_arena *scratch = ts_arena_new(); /* ranges are kept until all events are done, results need not be */
    ts_encoder_eval(enc, n, x, TS_NEW_N(scratch, float, (size_t)n *(size_t)enc->outputs), on_tensor, &c);
    ts_arena_free(scratch);
    return c;
}

static void add_product(ts_calibration *to, tensor *sum, const tensor *add)
{
    const size_t count = (size_t)add->channels * (size_t)add->channels;
    if (!sum->product)
        sum->product = TS_NEW_N(to->arena, double, count);
    for (size_t i = 0; i < count; i++)
        sum->product[i] += add->product[i];
}

/* Takes one event's ranges over. */
static bool merge(ts_calibration *cal, int n, const collector *c, ts_err *err)
{
    if (c->err.msg[0])
        return ts_fail_with(err, &c->err);
    if (n > 0) {
        for (int layer = 0; layer < cal->enc->layers; layer++)
            for (int role = 0; role < TS_ROLE_COUNT; role++)
                for (int part = 0; part < TS_CALIBRATION_PARTS; part++) {
                    const tensor *t = slot(c->event, layer, (ts_role)role, part);
                    for (int i = 0; i < t->channels; i++)
                        if (t->range[i].count)
                            collect(cal, layer, (ts_role)role, part, t->channels, i, &t->range[i]);
                    if (t->product)
                        add_product(cal, slot(cal, layer, (ts_role)role, part), t);
                }
        cal->events++;
        cal->tokens += n;
    }
    return true;
}

bool ts_calibration_add(ts_calibration *cal, int n, const float *x, ts_err *err)
{
    if (!ts_encoder_eval_check(cal->enc, n, true, err))
        return false;
    ts_blas_start(); /* one thread a product: how it is split changes the last bits of its sums */
    const collector c = evaluate(cal->enc, n, x);
    const bool ok = merge(cal, n, &c, err);
    ts_arena_free(c.arena);
    return ok;
}

typedef struct chunk {
    const ts_calibration *cal;
    const int *n;
    const float *const *x;
    collector *c;
} chunk;

static void evaluate_one(void *user, int i)
{
    const chunk *k = user;
    k->c[i] = evaluate(k->cal->enc, k->n[i], k->x[i]);
}

bool ts_calibration_add_events(ts_calibration *cal, int count, const int *n, const float *const *x, ts_err *err)
{
    collector c[CHUNK];
    int longest = 0;
    for (int i = 0; i < count; i++)
        longest = n[i] > longest ? n[i] : longest;
    if (!ts_encoder_eval_check(cal->enc, longest, true, err))
        return false;
    const bool many = ts_encoder_eval_fits(cal->enc, longest, true, ts_parallel_threads());
    ts_blas_start();
    bool ok = true;
    for (int first = 0; first < count && ok; first += CHUNK) {
        const int here = count - first < CHUNK ? count - first : CHUNK;
        ts_parallel(here, 1, many, evaluate_one, &(chunk){cal, n + first, x + first, c});
        for (int i = 0; i < here; i++) { /* in order, so that sums round the same way every time */
            ok = ok && merge(cal, n[first + i], &c[i], err);
            ts_arena_free(c[i].arena);
        }
    }
    return ok;
}

int ts_calibration_events(const ts_calibration *cal)
{
    return cal->events;
}

long long ts_calibration_tokens(const ts_calibration *cal)
{
    return cal->tokens;
}

const ts_range *ts_calibration_get(const ts_calibration *cal, int layer, ts_role role, int part, int *channels)
{
    const tensor *t = slot(cal, layer, role, part);
    *channels = t->channels;
    return t->range;
}

bool ts_calibration_moments(ts_arena *arena, const ts_calibration *cal, int layer, ts_role role, int part, ts_moments *m)
{
    const tensor *t = slot(cal, layer, role, part);
    if (!t->product)
        return false;
    const size_t size = (size_t)t->channels;
    double *mean = TS_NEW_N(arena, double, size), *covariance = TS_NEW_N(arena, double, size *size);
    for (size_t i = 0; i < size; i++)
        mean[i] = t->range[i].sum / (double)t->range[i].count;
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++)
            covariance[i * size + j] = covariance[j * size + i] = t->product[i * size + j] / (double)t->range[i].count - mean[i] * mean[j];
    *m = (ts_moments){t->channels, mean, covariance};
    return true;
}
