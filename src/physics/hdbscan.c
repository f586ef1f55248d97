#include "physics/hdbscan.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "physics/spanning_tree.h"

/* Distances are squared until a density is made of them: the order is the same, and two of them are equal only where the
   arithmetic before the root says so. */

/* From so many points on, boxes are faster than all pairs; the tree is the same. */
enum { MANY = 1500 };

/* The single-linkage hierarchy: nodes 0 ... n-1 are the points, node n + m is what merge m (in order of weight) joins. */
typedef struct merge {
    int32_t child[2], size;
    double lambda; /* density at which the children come apart: 1 / distance, INFINITY at distance 0 */
} merge;

static int32_t find(int32_t *parent, int32_t node)
{
    int32_t root = node;
    while (parent[root] != root)
        root = parent[root];
    while (parent[node] != root) {
        const int32_t next = parent[node];
        parent[node] = root;
        node = next;
    }
    return root;
}

static merge *single_linkage(ts_arena *arena, int n, const ts_edge *tree)
{
    merge *merges = TS_NEW_N(arena, merge, n - 1);
    int32_t *parent = TS_NEW_N(arena, int32_t, 2 * n - 1);
    for (int i = 0; i < 2 * n - 1; i++)
        parent[i] = i;
    for (int m = 0; m < n - 1; m++) {
        merge *g = &merges[m];
        *g = (merge){.child = {find(parent, tree[m].a), find(parent, tree[m].b)}, .lambda = 1 / sqrt(tree[m].weight)};
        for (int c = 0; c < 2; c++) {
            g->size += g->child[c] < n ? 1 : merges[g->child[c] - n].size;
            parent[g->child[c]] = n + m;
        }
    }
    return merges;
}

/* A sum of densities of which some are infinite: ordered by the number of infinite terms, then by the finite part. It is the limit of
   letting distance 0 be a smaller and smaller one. */
typedef struct mass {
    int64_t infinite;
    double finite;
} mass;

static void mass_add(mass *sum, int points, double lambda, double birth)
{
    if (isinf(birth))
        return; /* born where it ends: no lifetime */
    sum->infinite += isinf(lambda) ? points : 0;
    sum->finite += points * ((isinf(lambda) ? 0 : lambda) - birth);
}

/* Sums of the same densities in another order differ by rounding; that must not decide. */
static bool mass_exceeds(mass a, mass b)
{
    if (a.infinite != b.infinite)
        return a.infinite > b.infinite;
    return a.finite - b.finite > 1e-12 * (fabs(a.finite) + fabs(b.finite));
}

/* A node of the condensed tree: the hierarchy without the merges that only add fewer than min_cluster_size points. */
typedef struct cluster {
    int32_t parent; /* -1: the root */
    double birth;   /* density at which it comes apart from its sibling; 0 for the root */
    mass stability; /* sum over its points of (density at which the point leaves) - birth */
    mass below;     /* sum of the stabilities of the best choice of clusters below it */
    bool selected;
    int32_t label;
} cluster;

/* Walks the hierarchy from the root down. home [n]: the last cluster each point was in. Returns the number of clusters, parents first. */
static int condense(ts_arena *arena, int n, const merge *merges, int min_cluster_size, cluster *clusters, int32_t *home)
{
    int32_t *stack = TS_NEW_N(arena, int32_t, n), *in = TS_NEW_N(arena, int32_t, 2 * n - 1); /* in: the cluster each node belongs to */
    int depth = 0, count = 1;
    clusters[0] = (cluster){.parent = -1};
    stack[depth++] = 2 * n - 2;
    while (depth > 0) {
        const int32_t node = stack[--depth], c = in[node];
        const merge *g = &merges[node - n];
        int32_t size[2];
        for (int s = 0; s < 2; s++)
            size[s] = g->child[s] < n ? 1 : merges[g->child[s] - n].size;
        /* A part that is no cluster any more still goes down to its points, which all leave c where they come apart from it: its
           mass is added once, here. */
        const bool alive = c >= 0;
        const bool splits = alive && size[0] >= min_cluster_size && size[1] >= min_cluster_size;
        for (int s = 0; s < 2; s++) {
            const int32_t child = g->child[s];
            const bool stays = alive && !splits && size[s] >= min_cluster_size;
            if (alive && !stays)
                mass_add(&clusters[c].stability, size[s], g->lambda, clusters[c].birth);
            if (splits) {
                clusters[count] = (cluster){.parent = c, .birth = g->lambda};
                in[child] = count++;
            } else {
                in[child] = stays ? c : alive ? -1 - c : c; /* -1 - c: out of cluster c */
            }
            if (child < n)
                home[child] = in[child] < 0 ? -1 - in[child] : in[child];
            else
                stack[depth++] = child;
        }
    }
    return count;
}

/* Excess of mass, from the leaves up: a cluster is chosen unless the clusters below it last longer together. */
static void select_clusters(int count, cluster *clusters)
{
    for (int c = count - 1; c > 0; c--) {
        cluster *k = &clusters[c];
        k->selected = !mass_exceeds(k->below, k->stability);
        const mass best = k->selected ? k->stability : k->below;
        clusters[k->parent].below.infinite += best.infinite;
        clusters[k->parent].below.finite += best.finite;
    }
    for (int c = 1; c < count; c++) { /* parents first: below a chosen cluster none is chosen, its points are the cluster's */
        cluster *k = &clusters[c];
        const int32_t above = clusters[k->parent].label;
        if (k->parent > 0 && above >= 0) {
            k->selected = false;
            k->label = above;
        } else {
            k->label = k->selected ? c : TS_HDBSCAN_NOISE;
        }
    }
}

int ts_hdbscan(int n, int dims, const double *x, int min_cluster_size, int min_samples, int32_t *label)
{
    CHECK(n >= 0 && n <= INT32_MAX / 2 && dims >= 1 && min_cluster_size >= 2 && min_samples >= 1);
    for (int i = 0; i < n; i++)
        label[i] = TS_HDBSCAN_NOISE;
    if (n < 2 * min_cluster_size)
        return 0; /* the root cannot split into two clusters */
    ts_arena *arena = ts_arena_new();
    double *columns = TS_NEW_N(arena, double, (size_t)n *(size_t)dims), *core = TS_NEW_N(arena, double, n);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < dims; c++)
            columns[(size_t)c * (size_t)n + (size_t)i] = x[(size_t)i * (size_t)dims + (size_t)c];
    const int k = min_samples < n - 1 ? min_samples : n - 1;
    ts_edge *tree = TS_NEW_N(arena, ts_edge, n - 1);
    (n < MANY ? ts_cores_by_rows : ts_cores_by_boxes)(n, dims, columns, k, core);
    (n < MANY ? ts_tree_by_rows : ts_tree_by_boxes)(n, dims, columns, core, tree);
    const merge *merges = single_linkage(arena, n, tree);
    cluster *clusters = TS_NEW_N(arena, cluster, n);
    int32_t *home = TS_NEW_N(arena, int32_t, n), *number = TS_NEW_N(arena, int32_t, n);
    const int count = condense(arena, n, merges, min_cluster_size, clusters, home);
    select_clusters(count, clusters);
    int chosen = 0;
    for (int i = 0; i < n; i++) {
        const int32_t c = home[i] > 0 ? clusters[home[i]].label : TS_HDBSCAN_NOISE;
        if (c >= 0) {
            if (number[c] == 0)
                number[c] = ++chosen;
            label[i] = number[c] - 1;
        }
    }
    ts_arena_free(arena);
    return chosen;
}
