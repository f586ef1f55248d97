#include "physics/score.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_HITS = 3 }; /* of a candidate that counts as a track */

const char *ts_metric_name(ts_metric metric)
{
    static const char *const name[TS_METRICS] = {"trackml", "perfect", "double_majority", "lhc"};
    return name[metric];
}

typedef struct hit {
    int32_t label;
    int32_t particle_hits; /* all hits of this hit's particle in the event */
    int64_t particle;
    double weight;
} hit;

static int by_particle(const void *left, const void *right)
{
    const hit *a = left, *b = right;
    return (a->particle > b->particle) - (a->particle < b->particle);
}

static int by_candidate(const void *left, const void *right)
{
    const hit *a = left, *b = right;
    return a->label != b->label ? (a->label < b->label ? -1 : 1) : by_particle(left, right);
}

/* What the hits of one candidate are: the real particle with most of them. */
typedef struct majority {
    int hits, particle_hits;
    double weight;
} majority;

static majority find_majority(const hit *h, int size)
{
    majority best = {0, 0, 0};
    for (int i = 0, end; i < size; i = end) {
        double weight = 0;
        for (end = i; end < size && h[end].particle == h[i].particle; end++)
            weight += h[end].weight;
        /* Of particles with equally many hits any will do: none of them has more than half. */
        if (h[i].particle != 0 && end - i > best.hits)
            best = (majority){end - i, h[i].particle_hits, weight};
    }
    return best;
}

ts_score ts_score_candidates(const ts_truth_event *truth, const int32_t *label)
{
    ts_arena *scratch = ts_arena_new();
    const int n = truth->n;
    hit *h = TS_NEW_N(scratch, hit, n);
    for (int i = 0; i < n; i++)
        h[i] = (hit){.label = label[i], .particle = truth->particle_id[i], .weight = truth->weight[i]};
    qsort(h, (size_t)n, sizeof *h, by_particle);
    int particles = 0, tracks = 0, perfect = 0, double_majority = 0, lhc = 0;
    double weight = 0, found = 0;
    for (int i = 0, end; i < n; i = end) {
        for (end = i; end < n && h[end].particle == h[i].particle; end++)
            weight += h[i].particle != 0 ? h[end].weight : 0;
        for (int k = i; k < end; k++)
            h[k].particle_hits = end - i;
        particles += h[i].particle != 0;
    }
    qsort(h, (size_t)n, sizeof *h, by_candidate);
    for (int i = 0, end; i < n; i = end) {
        for (end = i; end < n && h[end].label == h[i].label; end++)
            continue;
        if (h[i].label < 0)
            continue;
        const int size = end - i;
        const majority m = find_majority(h + i, size);
        const bool matched = 2 * m.hits > size && 2 * m.hits > m.particle_hits;
        found += matched ? m.weight : 0;
        if (size < MIN_HITS)
            continue;
        tracks++;
        perfect += m.hits == size && m.hits == m.particle_hits;
        double_majority += matched;
        lhc += 4 * m.hits > 3 * size;
    }
    ts_arena_free(scratch);
    if (!(weight > 0))
        return (ts_score){.defined = false};
    return (ts_score){.defined = true,
                      .value = {[TS_TRACKML] = found / weight,
                                [TS_PERFECT] = (double)perfect / particles,
                                [TS_DOUBLE_MAJORITY] = (double)double_majority / particles,
                                [TS_LHC] = tracks ? (double)lhc / tracks : 0}};
}

ts_score ts_score_outputs(const ts_truth_event *truth, const ts_inputs *inputs, const ts_clustering *clustering, const double *y)
{
    ts_arena *scratch = ts_arena_new();
    int32_t *label = TS_NEW_N(scratch, int32_t, truth->n);
    if (inputs->classification)
        ts_candidates_argmax(inputs, truth->n, y, label);
    else
        ts_candidates_cluster(clustering ? clustering : &inputs->cluster, truth->n, inputs->outputs, y, label);
    const ts_score score = ts_score_candidates(truth, label);
    ts_arena_free(scratch);
    return score;
}

static ts_estimate estimate(int n, double sum, double sum_of_squared_deviations)
{
    return (ts_estimate){.events = n, .mean = n > 0 ? sum / n : NAN, .error = n > 1 ? sqrt(sum_of_squared_deviations / (n - 1) / n) : NAN};
}

/* The value of event e: a score, or, with a reference, what is lost against it. */
static bool value_of(const ts_score *reference, const ts_score *scores, ts_metric metric, int e, double *value)
{
    if (!scores[e].defined || (reference && !reference[e].defined))
        return false;
    *value = reference ? reference[e].value[metric] - scores[e].value[metric] : scores[e].value[metric];
    return true;
}

static ts_estimate mean_of(int events, const ts_score *reference, const ts_score *scores, ts_metric metric)
{
    double sum = 0, squares = 0, value;
    int n = 0;
    for (int e = 0; e < events; e++)
        if (value_of(reference, scores, metric, e, &value)) {
            sum += value;
            n++;
        }
    for (int e = 0; e < events; e++)
        if (value_of(reference, scores, metric, e, &value))
            squares += (value - sum / n) * (value - sum / n);
    return estimate(n, sum, squares);
}

ts_estimate ts_score_mean(int events, const ts_score *scores, ts_metric metric)
{
    return mean_of(events, NULL, scores, metric);
}

ts_estimate ts_score_loss(int events, const ts_score *reference, const ts_score *scores, ts_metric metric)
{
    return mean_of(events, reference, scores, metric);
}

/* Partially orders v [n] so that v[k] is the k-th smallest, nothing before it is above it and nothing behind it below (quickselect). */
static double kth_smallest(double *v, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        const double pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i >= j)
                break;
            const double t = v[i];
            v[i++] = v[j];
            v[j--] = t;
        }
        /* Hoare's partition: v[low ... j] <= pivot <= v[j + 1 ... high], and j < high. */
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[k];
}

/* Linear interpolation between the two nearest ranks; v is reordered. */
static double percentile(double *v, size_t n, double share)
{
    const double rank = share * (double)(n - 1);
    const size_t k = (size_t)rank;
    const double below = kth_smallest(v, n, k);
    double above = k + 1 < n ? v[k + 1] : below;
    for (size_t i = k + 1; i < n; i++)
        above = v[i] < above ? v[i] : above;
    return below + (rank - (double)k) * (above - below);
}

/* std [outputs] of the reference over all hits of the events that both have; 0 exactly where it never varies. Returns the hits. */
static size_t deviations(int events, const int *n, int outputs, const double *const *a, const double *const *reference, double *std)
{
    ts_arena *scratch = ts_arena_new();
    double *mean = TS_NEW_N(scratch, double, outputs);
    bool *varies = TS_NEW_N(scratch, bool, outputs);
    size_t hits = 0;
    for (int e = 0; e < events; e++)
        hits += a[e] && reference[e] ? (size_t)n[e] : 0;
    const double **row = TS_NEW_N(scratch, const double *, hits);
    for (int e = 0, r = 0; e < events; e++)
        for (int i = 0; a[e] && reference[e] && i < n[e]; i++)
            row[r++] = reference[e] + (size_t)i * (size_t)outputs;
    for (size_t r = 0; r < hits; r++)
        for (int o = 0; o < outputs; o++) {
            mean[o] += row[r][o] / (double)hits;
            varies[o] |= row[r][o] != row[0][o];
        }
    for (size_t r = 0; r < hits; r++)
        for (int o = 0; o < outputs; o++)
            std[o] += (row[r][o] - mean[o]) * (row[r][o] - mean[o]);
    for (int o = 0; o < outputs; o++)
        std[o] = varies[o] ? sqrt(std[o] / (double)hits) : 0;
    ts_arena_free(scratch);
    return hits;
}

ts_difference ts_output_difference(int events, const int *n, int outputs, const double *const *a, const double *const *reference)
{
    ts_difference result = {.median = NAN, .p95 = NAN};
    ts_arena *scratch = ts_arena_new();
    double *std = TS_NEW_N(scratch, double, outputs);
    const size_t hits = deviations(events, n, outputs, a, reference, std);
    for (int o = 0; o < outputs; o++)
        result.constant += std[o] == 0;
    double *d = TS_NEW_N(scratch, double, hits *(size_t)(outputs - result.constant));
    size_t count = 0;
    for (int e = 0; e < events; e++)
        for (size_t i = 0; a[e] && reference[e] && i < (size_t)n[e]; i++)
            for (int o = 0; o < outputs; o++)
                if (std[o] > 0)
                    d[count++] = fabs(a[e][i * (size_t)outputs + (size_t)o] - reference[e][i * (size_t)outputs + (size_t)o]) / std[o];
    if (count > 0) {
        result.median = percentile(d, count, 0.5);
        result.p95 = percentile(d, count, 0.95);
    }
    ts_arena_free(scratch);
    return result;
}
