/* HDBSCAN against cases worked by hand and against an independent clusterer made for checking only: no spanning tree, no hierarchy in
   memory, sets of points as bit masks, the definition read from the root down. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "physics/hdbscan.h"
#include "physics/rng.h"
#include "physics/spanning_tree.h"

enum { MAX_POINTS = 64, MAX_DIMS = 4, MAX_PAIRS = MAX_POINTS * (MAX_POINTS - 1) / 2 };

typedef struct pair {
    double d2; /* squared mutual reachability distance */
    int a, b;  /* a < b */
} pair;

typedef struct reference {
    int n, min_cluster_size, pairs;
    pair pair[MAX_PAIRS]; /* all of them, by distance, then by points */
    int label[MAX_POINTS];
} reference;

static int by_value(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static int by_distance(const void *x, const void *y)
{
    const pair *p = x, *q = y;
    if (p->d2 != q->d2)
        return p->d2 < q->d2 ? -1 : 1;
    return p->a != q->a ? p->a - q->a : p->b - q->b;
}

static int count(uint64_t set)
{
    return __builtin_popcountll(set);
}

/* Comes apart in two at the longest pair that is needed to connect the set; returns its density. The limit "distance 0 is a smaller and
   smaller distance" is taken here by a number that is small enough. */
static long double part(const reference *r, uint64_t set, uint64_t *left, uint64_t *right)
{
    uint64_t group[MAX_POINTS];
    int groups = count(set);
    for (int i = 0; i < r->n; i++)
        group[i] = 1ull << i;
    for (int k = 0; k < r->pairs; k++) {
        const pair *p = &r->pair[k];
        if (!(set >> p->a & 1) || !(set >> p->b & 1) || group[p->a] == group[p->b])
            continue;
        if (groups-- == 2) {
            *left = group[p->a];
            *right = group[p->b];
            return p->d2 > 0 ? 1 / sqrtl((long double)p->d2) : 1e9L;
        }
        const uint64_t joined = group[p->a] | group[p->b];
        for (int i = 0; i < r->n; i++)
            if (joined >> i & 1)
                group[i] = joined;
    }
    fail_msg("a set that does not come apart");
    return 0;
}

/* Labels the best clusters in the cluster `set`, born at density `birth`; returns their mass. Labels are sets' lowest points. */
static long double best(reference *r, uint64_t set, long double birth, bool root)
{
    long double own = 0, below = 0;
    uint64_t at = set;
    while (count(at) > 1) {
        uint64_t left, right;
        const long double density = part(r, at, &left, &right);
        const bool big_left = count(left) >= r->min_cluster_size, big_right = count(right) >= r->min_cluster_size;
        if (big_left != big_right) {
            const uint64_t stays = big_left ? left : right;
            own += (density - birth) * count(at & ~stays);
            at = stays;
            continue;
        }
        own += (density - birth) * count(at);
        if (big_left)
            below = best(r, left, density, false) + best(r, right, density, false);
        break;
    }
    if (root || below > own + 1e-7L)
        return below;
    for (int i = 0; i < r->n; i++)
        if (set >> i & 1)
            r->label[i] = __builtin_ctzll(set);
    return own;
}

static int reference_clusters(reference *r, int n, int dims, const double *x, int min_cluster_size, int min_samples, int32_t *label)
{
    static double d2[MAX_POINTS][MAX_POINTS];
    double core[MAX_POINTS], sorted[MAX_POINTS];
    *r = (reference){.n = n, .min_cluster_size = min_cluster_size};
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            d2[i][j] = 0;
            for (int c = 0; c < dims; c++)
                d2[i][j] += (x[i * dims + c] - x[j * dims + c]) * (x[i * dims + c] - x[j * dims + c]);
        }
        memcpy(sorted, d2[i], sizeof sorted);
        qsort(sorted, (size_t)n, sizeof *sorted, by_value);
        core[i] = sorted[min_samples < n ? min_samples : n - 1]; /* sorted[0] is the point itself, or a twin of it */
    }
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            r->pair[r->pairs++] = (pair){fmax(d2[i][j], fmax(core[i], core[j])), i, j};
    qsort(r->pair, (size_t)r->pairs, sizeof *r->pair, by_distance);
    for (int i = 0; i < n; i++)
        r->label[i] = -1;
    if (n > 1)
        best(r, n == 64 ? ~0ull : (1ull << n) - 1, 0, true);
    int clusters = 0;
    for (int i = 0; i < n; i++) {
        int twin = 0;
        while (twin < i && r->label[twin] != r->label[i])
            twin++;
        label[i] = r->label[i] < 0 ? -1 : twin < i ? label[twin] : clusters++;
    }
    return clusters;
}

static void expect(int n, const double *x, int min_cluster_size, int min_samples, const int32_t *wanted)
{
    int32_t label[MAX_POINTS];
    int clusters = 0;
    for (int i = 0; i < n; i++)
        clusters = wanted[i] >= clusters ? wanted[i] + 1 : clusters;
    assert_int_equal(ts_hdbscan(n, 1, x, min_cluster_size, min_samples, label), clusters);
    for (int i = 0; i < n; i++)
        if (label[i] != wanted[i])
            fail_msg("point %d at %g: cluster %d, expected %d", i, x[i], label[i], wanted[i]);
}

#define POINTS(...) ((const double[]){__VA_ARGS__})
#define LABELS(...) ((const int32_t[]){__VA_ARGS__})

static void too_few_points_are_noise(void **state)
{
    (void)state;
    assert_int_equal(ts_hdbscan(0, 3, POINTS(0), 5, 2, NULL), 0);
    expect(1, POINTS(7), 2, 1, LABELS(-1));
    expect(3, POINTS(0, 0, 0), 2, 9, LABELS(-1, -1, -1));
    expect(4, POINTS(0, 0, 9, 9), 2, 1, LABELS(0, 0, 1, 1));
    expect(4, POINTS(0, 0, 9, 9), 2, 9, LABELS(-1, -1, -1, -1)); /* core distance to the farthest: all are 9 apart, no two together */
}

/* All points together are never a cluster, however dense they are. */
static void the_root_is_never_chosen(void **state)
{
    (void)state;
    expect(12, POINTS(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), 5, 2, LABELS(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
    expect(10, POINTS(3, 3, 3, 3, 3, 3, 3, 3, 3, 3), 5, 2, LABELS(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
}

/* The point at 50 leaves its cluster long before the cluster ends, and still belongs to it; the one at 1000 leaves the root. */
static void outliers(void **state)
{
    (void)state;
    expect(12, POINTS(0, 1, 2, 3, 4, 50, 1000, 100, 101, 102, 103, 104), 5, 1, LABELS(0, 0, 0, 0, 0, 0, -1, 1, 1, 1, 1, 1));
}

/* Two groups of three, 1 apart within, far from a third. Apart by 2, the parent's mass is 6 (1/2 - 1/94) = 2.94 and the children's
   2 * 3 (1 - 1/2) = 3.00; apart by 1.9, 6 (1/1.9 - 1/94.1) = 3.09 and 2 * 3 (1 - 1/1.9) = 2.84. */
static void excess_of_mass_decides(void **state)
{
    (void)state;
    expect(9, POINTS(0, 1, 2, 4, 5, 6, 100, 101, 102), 3, 1, LABELS(0, 0, 0, 1, 1, 1, 2, 2, 2));
    expect(9, POINTS(0, 1, 2, 3.9, 4.9, 5.9, 100, 101, 102), 3, 1, LABELS(0, 0, 0, 0, 0, 0, 1, 1, 1));
}

/* Apart by 3 within groups of 3, by 4.5 between and by 9 from the third, parent and children have the same mass, 6 (1/4.5 - 1/9) =
   2 * 3 (1/3 - 1/4.5): the parent stays, and in any unit, whatever the rounding. */
static void equal_masses_keep_the_parent(void **state)
{
    (void)state;
    const double at[9] = {0, 3, 6, 10.5, 13.5, 16.5, 25.5, 28.5, 31.5};
    for (int power = -40; power <= 40; power++) {
        double x[9];
        for (int i = 0; i < 9; i++)
            x[i] = at[i] * pow(1.7, power);
        expect(9, x, 3, 1, LABELS(0, 0, 0, 0, 0, 0, 1, 1, 1));
    }
}

/* The point at 4 is 2 from either group: the pair of lower indices joins it first. */
static void ties_go_by_index(void **state)
{
    (void)state;
    expect(7, POINTS(0, 1, 2, 4, 6, 7, 8), 3, 1, LABELS(0, 0, 0, 0, 1, 1, 1));
    expect(7, POINTS(8, 7, 6, 4, 2, 1, 0), 3, 1, LABELS(0, 0, 0, 0, 1, 1, 1));
    expect(7, POINTS(4, 6, 7, 8, 2, 1, 0), 3, 1, LABELS(0, 0, 0, 0, 1, 1, 1));
    expect(7, POINTS(6, 7, 8, 2, 1, 0, 4), 3, 1, LABELS(0, 0, 0, 1, 1, 1, 0));
}

/* Groups of equal points last to infinite density: they beat any parent, and the finite part still decides between infinities. */
static void equal_points(void **state)
{
    (void)state;
    expect(15, POINTS(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 10, 10, 10, 10, 10), 5, 2, LABELS(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 2, 2, 2, 2, 2));
    /* A pair of equal points is no group of three: with two neighbours asked for, its core distance is that to a third. */
    expect(8, POINTS(0, 0, 1, 1, 9, 9, 10, 10), 3, 2, LABELS(0, 0, 0, 0, 1, 1, 1, 1));
}

/* Distances that overflow or underflow when squared are ties, not NaNs. */
static void extreme_values(void **state)
{
    (void)state;
    expect(6, POINTS(-1e308, -1e308, -1e308, 1e308, 1e308, 1e308), 3, 1, LABELS(0, 0, 0, 1, 1, 1));
    expect(6, POINTS(0, 1e-200, 2e-200, 1, 1, 1), 3, 1, LABELS(0, 0, 0, 1, 1, 1));
    /* 1.4e-162 squared is 0, twice that is not: two pairs at distance 0 join at distance 0 and have no lifetime of their own. */
    expect(6, POINTS(0, 4.2e-162, 1.4e-162, 2.8e-162, 1, 1), 2, 1, LABELS(0, 0, 0, 0, 1, 1));
}

/* Many small sets: grids (ties everywhere), repeated points, continuous clouds. */
static void agrees_with_the_reference(void **state)
{
    (void)state;
    static reference r;
    int clusters_seen = 0, noise_seen = 0;
    for (uint64_t trial = 0; trial < 12000; trial++) {
        ts_rng rng = ts_rng_make(20, trial, 0);
        const int n = 1 + (int)(ts_rng_uniform(&rng) * (trial % 100 ? 40 : 64)), dims = 1 + (int)(ts_rng_uniform(&rng) * MAX_DIMS);
        const int min_cluster_size = 2 + (int)(ts_rng_uniform(&rng) * 5), min_samples = 1 + (int)(ts_rng_uniform(&rng) * 5);
        const int steps = 2 + (int)(ts_rng_uniform(&rng) * 12), groups = 1 + (int)(ts_rng_uniform(&rng) * 6);
        double x[MAX_POINTS * MAX_DIMS], centre[8][MAX_DIMS];
        for (int g = 0; g < groups; g++)
            for (int c = 0; c < dims; c++)
                centre[g][c] = ts_rng_uniform(&rng) * 8;
        for (int i = 0; i < n; i++) {
            const int g = (int)(ts_rng_uniform(&rng) * groups), twin = (int)(ts_rng_uniform(&rng) * (i + 1));
            const bool copy = trial % 4 == 1 && i > 0 && ts_rng_uniform(&rng) < 0.5;
            for (int c = 0; c < dims; c++) {
                const double u = ts_rng_uniform(&rng), grid = floor(u * steps);
                double v = 0;
                switch (trial % 4) {
                case 0:
                    v = grid;
                    break;
                case 1:
                    v = u;
                    break;
                case 2:
                    v = centre[g][c] + u;
                    break;
                default:
                    v = floor(2 * centre[g][c]) + (u < 0.6 ? 0 : u < 0.8 ? 1 : 0.5);
                    break;
                }
                x[i * dims + c] = copy ? x[(twin < i ? twin : 0) * dims + c] : v;
            }
        }
        int32_t label[MAX_POINTS], wanted[MAX_POINTS];
        const int clusters = ts_hdbscan(n, dims, x, min_cluster_size, min_samples, label);
        const int expected = reference_clusters(&r, n, dims, x, min_cluster_size, min_samples, wanted);
        clusters_seen += clusters;
        for (int i = 0; i < n; i++) {
            noise_seen += label[i] < 0;
            if (label[i] != wanted[i] || clusters != expected)
                fail_msg("trial %d: %d points in %d dimensions, (%d, %d): point %d in cluster %d, expected %d", (int)trial, n, dims,
                         min_cluster_size, min_samples, i, label[i], wanted[i]);
        }
    }
    assert_true(clusters_seen > 10000 && noise_seen > 10000); /* the sets are not all trivial */
}

/* Both ways to the tree, bit for bit: scattered points, clusters, grids full of ties, copies of one point. */
static void both_trees_are_the_same(void **state)
{
    (void)state;
    enum { MOST = 700 };
    static double columns[4 * MOST], core[2][MOST];
    static ts_edge tree[2][MOST];
    for (int seed = 0; seed < 160; seed++) {
        ts_rng rng = ts_rng_make(5, (uint64_t)seed, 0);
        const int n = 2 + (int)ts_rng_below(&rng, seed < 40 ? 40 : MOST - 2), dims = 1 + seed % 4, kind = seed % 5;
        const int k = 1 + (int)ts_rng_below(&rng, n > 12 ? 12 : (uint32_t)(n - 1));
        for (int i = 0; i < n; i++)
            for (int c = 0; c < dims; c++) {
                double *x = &columns[c * n + i];
                if (kind == 0)
                    *x = ts_rng_normal(&rng);
                else if (kind == 1)
                    *x = ts_rng_below(&rng, 4); /* a grid: many distances are equal */
                else if (kind == 2)
                    *x = i % 9 * 10 + 0.01 * ts_rng_normal(&rng);
                else if (kind == 3)
                    *x = i % 3; /* copies */
                else
                    *x = ts_rng_normal(&rng) * pow(10, (double)ts_rng_below(&rng, 9) - 4);
            }
        ts_cores_by_rows(n, dims, columns, k, core[0]);
        ts_cores_by_boxes(n, dims, columns, k, core[1]);
        assert_memory_equal(core[0], core[1], (size_t)n * sizeof **core);
        ts_tree_by_rows(n, dims, columns, core[0], tree[0]);
        ts_tree_by_boxes(n, dims, columns, core[0], tree[1]);
        for (int e = 0; e < n - 1; e++)
            if (tree[0][e].a != tree[1][e].a || tree[0][e].b != tree[1][e].b || tree[0][e].weight < tree[1][e].weight ||
                tree[0][e].weight > tree[1][e].weight)
                fail_msg("seed %d, kind %d, %d points: edge %d is %d-%d and %d-%d", seed, kind, n, e, tree[0][e].a, tree[0][e].b,
                         tree[1][e].a, tree[1][e].b);
    }
}

/* 60,000 points in clusters: seconds, not minutes. */
static void many_points(void **state)
{
    (void)state;
    enum { POINTS = 60000, TRACKS = 6000, DIMS = 4 };
    ts_rng rng = ts_rng_make(6, 0, 0);
    double *x = malloc((size_t)POINTS * DIMS * sizeof *x), *centre = malloc((size_t)TRACKS * DIMS * sizeof *centre);
    int32_t *label = malloc(POINTS * sizeof *label);
    assert_true(x && centre && label);
    for (int i = 0; i < TRACKS * DIMS; i++)
        centre[i] = ts_rng_uniform(&rng);
    for (int i = 0; i < POINTS; i++)
        for (int c = 0; c < DIMS; c++)
            x[i * DIMS + c] = centre[i % TRACKS * DIMS + c] + 1e-3 * ts_rng_normal(&rng);
    const clock_t start = clock();
    const int found = ts_hdbscan(POINTS, DIMS, x, 5, 2, label);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("%d points, %d clusters: %.1f s\n", POINTS, found, seconds);
    int apart = 0; /* hits of a track that do not share its first hit's cluster */
    for (int i = TRACKS; i < POINTS; i++)
        apart += label[i] != label[i % TRACKS];
    assert_true(found > TRACKS * 9 / 10 && found <= TRACKS && apart < POINTS / 20);
    assert_true(seconds < 30); /* all pairs take minutes */
    free(x);
    free(centre);
    free(label);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_trees_are_the_same),
        cmocka_unit_test(many_points),
        cmocka_unit_test(too_few_points_are_noise),
        cmocka_unit_test(the_root_is_never_chosen),
        cmocka_unit_test(outliers),
        cmocka_unit_test(excess_of_mass_decides),
        cmocka_unit_test(equal_masses_keep_the_parent),
        cmocka_unit_test(ties_go_by_index),
        cmocka_unit_test(equal_points),
        cmocka_unit_test(extreme_values),
        cmocka_unit_test(agrees_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
