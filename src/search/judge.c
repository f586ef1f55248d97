#include "search/judge.h"

#include <math.h>
#include <stdlib.h>

#include "base/blas.h"
#include "base/boundary.h"
#include "emu/emu.h"

struct ts_judge {
    const ts_inputs *inputs;
    const ts_sample *sample;
    int outputs;
    int *rows;        /* [events]: of outputs; 1 where pooled */
    double **real;    /* [events]: [rows][outputs], of the float model */
    double *lead;     /* [all rows]: classifiers: the float winner's lead over the second */
    double sure_lead; /* its median */
    bool scores;      /* there is truth, a row a hit */
    ts_score *score;  /* [events], of the float model */
};

/* The winner, the lowest index among equals. *lead: by how much it leads the second. */
static int winner(int outputs, const double *y, double *lead)
{
    int best = 0;
    double second = -INFINITY;
    for (int o = 1; o < outputs; o++) {
        if (y[o] > y[best]) {
            second = y[best];
            best = o;
        } else if (y[o] > second) {
            second = y[o];
        }
    }
    *lead = y[best] - second;
    return best;
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void find_leads(ts_arena *arena, ts_judge *j)
{
    size_t rows = 0, at = 0;
    for (int e = 0; e < j->sample->events; e++)
        rows += (size_t)j->rows[e];
    j->lead = TS_NEW_N(arena, double, rows);
    double *sorted = TS_NEW_N(arena, double, rows);
    for (int e = 0; e < j->sample->events; e++)
        for (int r = 0; r < j->rows[e]; r++, at++) {
            (void)winner(j->outputs, j->real[e] + (size_t)r * (size_t)j->outputs, &j->lead[at]);
            sorted[at] = j->lead[at];
        }
    qsort(sorted, rows, sizeof *sorted, by_value);
    j->sure_lead = sorted[rows / 2];
}

/* Events that are scored side by side. */
typedef struct scoring {
    const ts_judge *judge;
    double *const *y;
    ts_score *score;
} scoring;

static void score_event(void *user, int e)
{
    const scoring *s = user;
    s->score[e] = ts_score_outputs(&s->judge->sample->truth[e], s->judge->inputs, NULL, s->y[e]);
}

static void score_events(const ts_judge *j, double *const *y, ts_score *score)
{
    ts_parallel(j->sample->events, 1, true, score_event, &(scoring){j, y, score});
}

/* Events that the float model computes side by side. */
typedef struct evaluation {
    const ts_judge *judge;
    const ts_encoder *enc;
} evaluation;

static void evaluate_event(void *user, int e)
{
    const evaluation *v = user;
    const ts_sample *sample = v->judge->sample;
    const size_t count = (size_t)v->judge->rows[e] * (size_t)v->enc->outputs;
    ts_arena *scratch = ts_arena_new();
    float *y = TS_NEW_N(scratch, float, count);
    ts_encoder_eval(v->enc, sample->n[e], sample->x[e], y, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        v->judge->real[e][i] = (double)y[i];
    ts_arena_free(scratch);
}

const ts_judge *ts_judge_new(ts_arena *arena, const ts_encoder *enc, const ts_inputs *inputs, const ts_sample *sample)
{
    ts_judge *j = TS_NEW(arena, ts_judge);
    const int events = sample->events;
    *j = (ts_judge){.inputs = inputs, .sample = sample, .outputs = enc->outputs};
    j->rows = TS_NEW_N(arena, int, events);
    j->real = TS_NEW_N(arena, double *, events);
    for (int e = 0; e < events; e++) {
        j->rows[e] = enc->pool != TS_POOL_NONE ? 1 : sample->n[e];
        j->real[e] = TS_NEW_N(arena, double, (size_t)j->rows[e] * (size_t)enc->outputs);
    }
    ts_blas_start(); /* events run side by side, and sums round the same way on any number of processors */
    ts_parallel(events, 1, true, evaluate_event, &(evaluation){j, enc});
    if (inputs->classification && events > 0)
        find_leads(arena, j);
    j->scores = sample->truth != NULL && enc->pool == TS_POOL_NONE && events > 0;
    if (j->scores) {
        j->score = TS_NEW_N(arena, ts_score, events);
        score_events(j, j->real, j->score);
    }
    return j;
}

int ts_judge_events(const ts_judge *j)
{
    return j->sample->events;
}

bool ts_judge_float_score(const ts_judge *j, ts_estimate *score)
{
    if (j->scores)
        *score = ts_score_mean(j->sample->events, j->score, TS_TRACKML);
    return j->scores && score->events > 0;
}

static void compare_classes(const ts_judge *j, double *const *y, ts_verdict *v)
{
    size_t rows = 0, sure = 0, wrong = 0, wrong_sure = 0;
    for (int e = 0; e < j->sample->events; e++)
        for (int r = 0; r < j->rows[e]; r++, rows++) {
            const size_t at = (size_t)r * (size_t)j->outputs;
            double lead;
            const bool differs = winner(j->outputs, y[e] + at, &lead) != winner(j->outputs, j->real[e] + at, &lead);
            const bool is_sure = j->lead[rows] > j->sure_lead;
            wrong += differs;
            sure += is_sure;
            wrong_sure += differs && is_sure;
        }
    v->disagree = rows ? (double)wrong / (double)rows : 0;
    v->disagree_sure = sure ? (double)wrong_sure / (double)sure : 0;
}

ts_verdict ts_judge_measure(const ts_judge *j, const ts_imodel *im, bool score)
{
    const int events = j->sample->events;
    ts_arena *arena = ts_arena_new();
    int32_t **x = TS_NEW_N(arena, int32_t *, events), **y = TS_NEW_N(arena, int32_t *, events);
    double **wide = TS_NEW_N(arena, double *, events);
    for (int e = 0; e < events; e++) {
        const size_t count = (size_t)j->rows[e] * (size_t)j->outputs;
        x[e] = TS_NEW_N(arena, int32_t, (size_t)j->sample->n[e] * (size_t)im->features);
        y[e] = TS_NEW_N(arena, int32_t, count);
        wide[e] = TS_NEW_N(arena, double, count);
        ts_quantise_input(im, j->sample->n[e], j->sample->x[e], x[e]);
    }
    ts_emu_run_events(ts_emu_new(arena, im, TS_EMU_AUTO), events, j->sample->n, (const int32_t *const *)x, y);
    for (int e = 0; e < events; e++)
        ts_dequantise_output(im, j->rows[e], y[e], wide[e]);
    const ts_difference d = ts_output_difference(events, j->rows, j->outputs, (const double *const *)wide, (const double *const *)j->real);
    ts_verdict v = {.median = isnan(d.median) ? 0 : d.median, .p95 = isnan(d.p95) ? 0 : d.p95};
    if (j->inputs->classification && events > 0)
        compare_classes(j, wide, &v);
    if (score && j->scores) {
        ts_score *own = TS_NEW_N(arena, ts_score, events);
        score_events(j, wide, own);
        const ts_estimate majority = ts_score_loss(events, j->score, own, TS_DOUBLE_MAJORITY);
        v.metric = TS_TRACKML;
        v.loss = ts_score_loss(events, j->score, own, TS_TRACKML);
        if (majority.mean > v.loss.mean) {
            v.metric = TS_DOUBLE_MAJORITY;
            v.loss = majority;
        }
        v.scored = v.loss.events > 0;
    }
    ts_arena_free(arena);
    return v;
}

json_t *ts_verdict_json(const ts_verdict *v, int events, bool classifier)
{
    json_t *json = json_pack("{s:i, s:f, s:f}", "events", events, "median_error", v->median, "p95_error", v->p95);
    if (classifier) {
        json_object_set_new(json, "argmax_agreement", json_real(1 - v->disagree));
        json_object_set_new(json, "argmax_agreement_above_median_margin", json_real(1 - v->disagree_sure));
    }
    if (v->scored) {
        json_object_set_new(json, "loss_of", json_string(ts_metric_name(v->metric)));
        json_object_set_new(json, "loss", json_real(v->loss.mean));
        json_object_set_new(json, "loss_error", isnan(v->loss.error) ? json_null() : json_real(v->loss.error));
    }
    return json;
}
