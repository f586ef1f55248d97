#include "quant/round.h"

#include <math.h>
#include <string.h>

#include "base/err.h"

enum { PASSES = 4 }; /* over all weights of a row; most rows are at rest after two */
enum { LANES = 8 };  /* rows that are rounded side by side */

struct ts_curvature {
    int n;
    const int *order; /* [n]: inputs by rising variance. Rounding begins at the last: what matters most is rounded freely, the rest makes up
                         for it */
    const double *h;  /* [n][n], in that order */
    const double
        *r; /* [n][n], lower triangle: h = r r^T; each row divided by its diagonal element of r^T: row k is what errors k ... do to j < k */
};

/* Plain Cholesky: the sizes are small, and a library's sums may round differently with the number of threads. r^T r = h, r upper. */
static void factor(int n, const double *h, double *r)
{
    for (int j = 0; j < n; j++) {
        double *row = r + (size_t)j * (size_t)n;
        for (int i = j; i < n; i++)
            row[i] = h[(size_t)j * (size_t)n + (size_t)i];
        for (int k = 0; k < j; k++) {
            const double *above = r + (size_t)k * (size_t)n;
            const double f = above[j];
            for (int i = j; i < n; i++)
                row[i] -= f * above[i];
        }
        /* Of a covariance with noise on its diagonal only rounding could take the pivot to zero. */
        const double pivot = sqrt(fmax(row[j], 1e-12 * h[(size_t)j * (size_t)n + (size_t)j]));
        for (int i = j; i < n; i++)
            row[i] /= pivot;
    }
}

const ts_curvature *ts_curvature_new(ts_arena *arena, int n, const double *h, double noise)
{
    CHECK(n > 0 && noise > 0);
    const size_t size = (size_t)n;
    ts_curvature *c = TS_NEW(arena, ts_curvature);
    int *order = TS_NEW_N(arena, int, n);
    double *sorted = TS_NEW_N(arena, double, size *size), *r = TS_NEW_N(arena, double, size *size);
    for (int i = 0; i < n; i++) { /* insertion sort: stable, so that equal variances keep their order on any machine */
        int at = i;
        for (; at > 0 && h[(size_t)order[at - 1] * (size + 1)] > h[(size_t)i * (size + 1)]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            sorted[(size_t)i * size + (size_t)j] = h[(size_t)order[i] * size + (size_t)order[j]] + (i == j ? noise : 0);
    factor(n, sorted, r);
    for (int j = 0; j < n; j++) /* transposed and divided, so that rounding one weight passes its error on along a row */
        for (int k = j + 1; k < n; k++)
            r[(size_t)k * size + (size_t)j] = r[(size_t)j * size + (size_t)k] / r[(size_t)j * (size + 1)];
    *c = (ts_curvature){n, order, sorted, r};
    return c;
}

static double nearest(double x, double max)
{
    return fmin(fmax(floor(x + 0.5), -max), max);
}

/* Up to LANES rows side by side: [n][LANES] of everything, so that each element of the curvature is read once for all of them. */
typedef struct lanes {
    double (*wanted)[LANES]; /* weights in units of their integers, later with the errors of others added */
    double (*q)[LANES];      /* their integers */
    double (*left)[LANES];   /* what rounding leaves of each */
    double (*slope)[LANES];  /* the curvature times that */
} lanes;

static void add_scaled(double *to, double f, const double *from)
{
    for (int l = 0; l < LANES; l++)
        to[l] += f * from[l];
}

static void nearest_plane(const ts_curvature *c, double max, lanes *a)
{
    double(*own)[LANES] = a->slope; /* not in use yet */
    memcpy(own, a->wanted, (size_t)c->n * sizeof *own);
    for (int j = c->n - 1; j >= 0; j--) {
        for (int l = 0; l < LANES; l++) {
            a->q[j][l] = nearest(a->wanted[j][l], max);
            a->left[j][l] = own[j][l] - a->q[j][l];
        }
        for (int k = 0; k < j; k++)
            add_scaled(a->wanted[k], c->r[(size_t)j * (size_t)c->n + (size_t)k], a->left[j]);
    }
}

static void single_changes(const ts_curvature *c, double max, lanes *a)
{
    const int n = c->n;
    memset(a->slope, 0, (size_t)n * sizeof *a->slope);
    for (int j = 0; j < n; j++)
        for (int k = 0; k < n; k++)
            add_scaled(a->slope[k], c->h[(size_t)j * (size_t)n + (size_t)k], a->left[j]);
    bool moved = true;
    for (int pass = 0; pass < PASSES && moved; pass++) {
        moved = false;
        for (int j = 0; j < n; j++) {
            const double *row = c->h + (size_t)j * (size_t)n;
            double step[LANES];
            bool any = false;
            for (int l = 0; l < LANES; l++) {
                step[l] = a->q[j][l] - nearest(a->q[j][l] + a->slope[j][l] / row[j], max);
                any |= step[l] != 0;
            }
            if (!any)
                continue;
            moved = true;
            for (int l = 0; l < LANES; l++) {
                a->q[j][l] -= step[l];
                a->left[j][l] += step[l];
            }
            for (int k = 0; k < n; k++)
                add_scaled(a->slope[k], row[k], step);
        }
    }
}

static void round_lanes(const ts_curvature *c, int rows, const double *w, const double *scale, int32_t max, int32_t *q)
{
    ts_arena *scratch = ts_arena_new();
    const size_t n = (size_t)c->n;
    double(*all)[LANES] = ts_alloc(scratch, 4 * n, sizeof *all);
    lanes a = {all, all + n, all + 2 * n, all + 3 * n};
    for (size_t j = 0; j < n; j++)
        for (int l = 0; l < rows; l++)
            a.wanted[j][l] = w[(size_t)l * n + (size_t)c->order[j]] / scale[l];
    nearest_plane(c, (double)max, &a);
    single_changes(c, (double)max, &a);
    for (int l = 0; l < rows; l++)
        for (size_t j = 0; j < n; j++)
            q[(size_t)l * n + (size_t)c->order[j]] = (int32_t)fmin(fmax(a.q[j][l], -(double)max), (double)max);
    ts_arena_free(scratch);
}

void ts_round_rows(const ts_curvature *c, int rows, const double *w, const double *scale, int32_t max, int32_t *q)
{
    const size_t n = (size_t)c->n;
    for (int first = 0; first < rows; first += LANES)
        round_lanes(c, rows - first < LANES ? rows - first : LANES, w + (size_t)first * n, scale + first, max, q + (size_t)first * n);
}
