#include "physics/candidates.h"

#include <math.h>
#include <string.h>

#include "physics/hdbscan.h"

_Static_assert((int)TS_NO_CANDIDATE == (int)TS_HDBSCAN_NOISE, "the clusterer's noise is no candidate");

void ts_candidates_cluster(const ts_clustering *clustering, int n, int outputs, const double *y, int32_t *label)
{
    ts_arena *scratch = ts_arena_new();
    double *x = TS_NEW_N(scratch, double, (size_t)n *(size_t)clustering->columns);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < clustering->columns; c++)
            x[(size_t)i * (size_t)clustering->columns + (size_t)c] = y[(size_t)i * (size_t)outputs + (size_t)clustering->column[c]];
    ts_hdbscan(n, clustering->columns, x, clustering->min_cluster_size, clustering->min_samples, label);
    ts_arena_free(scratch);
}

static bool ignored(const ts_inputs *in, int class)
{
    for (int i = 0; i < in->ignore_count; i++)
        if (in->ignore[i] == class)
            return true;
    return false;
}

void ts_candidates_argmax(const ts_inputs *in, int n, const double *y, int32_t *label)
{
    ts_arena *scratch = ts_arena_new();
    bool *skip = TS_NEW_N(scratch, bool, in->outputs);
    for (int i = 0; i < in->ignore_count; i++)
        skip[in->ignore[i]] = true;
    for (int i = 0; i < n; i++) {
        const double *logit = y + (size_t)i * (size_t)in->outputs;
        int best = TS_NO_CANDIDATE;
        for (int c = 0; c < in->outputs; c++)
            if (!skip[c] && (best < 0 || logit[c] > logit[best]))
                best = c;
        label[i] = best;
    }
    ts_arena_free(scratch);
}

int ts_candidates_classes(const ts_inputs *in, int n, const double *class, int32_t *label)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        label[i] = (int32_t) class[i];
        if (ignored(in, label[i])) {
            label[i] = TS_NO_CANDIDATE;
            count++;
        }
    }
    return count;
}

static const struct {
    const char *name, *text;
    bool clusters, position, momentum, charge; /* needs */
} baselines[TS_BASELINES] = {
    [TS_BASELINE_ANGLES] = {"angles", "no model: hits' angles", true, true, false, false},
    [TS_BASELINE_TRUTH] = {"truth", "truth parameters", true, false, true, true},
    [TS_BASELINE_BINNED] = {"binned", "no model: hits' angles, binned", false, true, false, false},
    [TS_BASELINE_CLASSES] = {"classes", "truth classes", false, false, true, false},
};

const char *ts_baseline_name(ts_baseline b)
{
    return baselines[b].name;
}

const char *ts_baseline_describe(ts_baseline b)
{
    return baselines[b].text;
}

bool ts_baseline_clusters(ts_baseline b)
{
    return baselines[b].clusters;
}

bool ts_baseline_possible(ts_baseline b, const ts_truth *truth, ts_err *err)
{
    const ts_truth_event *e = &truth->event[0]; /* columns are there for all events or none */
    const char *missing = baselines[b].position && !e->position   ? "x, y, z"
                          : baselines[b].momentum && !e->momentum ? "px, py, pz"
                          : baselines[b].charge && !e->charge     ? "q"
                                                                  : NULL;
    return !missing || ts_fail_as(err, TS_BAD_FILE, "%s: baseline '%s' needs columns %s", truth->path, baselines[b].name, missing);
}

int ts_bins_class(const ts_bins *bins, const double *v)
{
    const double turn = atan2(v[1], v[0]) / (2 * M_PI);
    int phi = (int)floor((turn < 0 ? turn + 1 : turn) * bins->phis), theta = 0;
    phi = phi < bins->phis ? phi : bins->phis - 1; /* a tiny negative angle rounds to a full turn */
    const double angle = atan2(hypot(v[0], v[1]), v[2]);
    while (theta < bins->thetas - 1 && bins->edge[theta + 1] <= angle)
        theta++;
    return 1 + bins->thetas * phi + theta;
}

/* theta, sin phi, cos phi of a direction (x, y, z); phi = 0 on the beam. */
static void angles(const double *v, double *out)
{
    const double r = hypot(v[0], v[1]);
    out[0] = atan2(r, v[2]);
    out[1] = r > 0 ? v[1] / r : 0;
    out[2] = r > 0 ? v[0] / r : 1;
}

enum { ANGLES = 3 };

void ts_candidates_baseline(ts_baseline b, const ts_truth_event *ev, const ts_clustering *clustering, const ts_bins *bins, int32_t *label)
{
    ts_arena *scratch = ts_arena_new();
    const double *direction = baselines[b].position ? ev->position : ev->momentum;
    const int dims = ANGLES + (baselines[b].charge ? 1 : 0);
    double *x = TS_NEW_N(scratch, double, (size_t)ev->n *(size_t)dims);
    int *hit = TS_NEW_N(scratch, int, ev->n), n = 0; /* the hits that have what the baseline is made of */
    for (int i = 0; i < ev->n; i++) {
        label[i] = TS_NO_CANDIDATE;
        if (baselines[b].momentum && ev->particle_id[i] == 0)
            continue;
        angles(direction + 3 * i, x + n * dims);
        if (baselines[b].charge)
            x[n * dims + ANGLES] = ev->charge[i];
        hit[n++] = i;
    }
    if (baselines[b].clusters) {
        CHECK(clustering);
        int32_t *of = TS_NEW_N(scratch, int32_t, n);
        ts_hdbscan(n, dims, x, clustering->min_cluster_size, clustering->min_samples, of);
        for (int k = 0; k < n; k++)
            label[hit[k]] = of[k];
    } else {
        CHECK(bins);
        for (int k = 0; k < n; k++)
            label[hit[k]] = ts_bins_class(bins, direction + 3 * hit[k]);
    }
    ts_arena_free(scratch);
}
