#include "physics/hdbscan.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* Distances are squared until a density is made of them: the order is the same, and two of them are equal only where the
   arithmetic before the root says so. */

/* An edge of the minimum spanning tree. Edges are totally ordered by (weight, a, b): the tree is the one that Kruskal's algorithm finds
   with that order, whatever algorithm finds it. */
typedef struct edge {
    double weight; /* squared mutual reachability distance */
    int32_t a, b;  /* points, a < b */
} edge;

static int by_weight(const void *left, const void *right)
{
    const edge *x = left, *y = right;
    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b > y->b) - (x->b < y->b);
}

/* d2 [n]: squared distances from point p to all; columns [dims][n], so that the inner loop runs over points. */
static void distances(int n, int dims, const double *columns, int p, double *restrict d2)
{
    memset(d2, 0, (size_t)n * sizeof *d2);
    for (int c = 0; c < dims; c++) {
        const double *restrict column = columns + (size_t)c * (size_t)n;
        const double here = column[p];
        for (int i = 0; i < n; i++)
            d2[i] += (column[i] - here) * (column[i] - here);
    }
}

/* The k-th smallest (k from 1) of d2 [n] without d2[p]; nearest [k] is scratch. */
static double kth_neighbour(int n, const double *d2, int p, int k, double *nearest)
{
    for (int j = 0; j < k; j++)
        nearest[j] = INFINITY;
    for (int i = 0; i < n; i++) {
        if (!(d2[i] < nearest[k - 1]) || i == p)
            continue;
        int j = k - 1;
        for (; j > 0 && nearest[j - 1] > d2[i]; j--)
            nearest[j] = nearest[j - 1];
        nearest[j] = d2[i];
    }
    return nearest[k - 1];
}

/* Prim's algorithm, one row of distances at a time. Ties follow the order of edges: among the edges of one point, the one from the lower
   point; among points, the lower (a, b). */
static void spanning_tree(ts_arena *arena, int n, int dims, const double *columns, const double *core, edge *tree)
{
    double *d2 = TS_NEW_N(arena, double, n), *best = TS_NEW_N(arena, double, n);
    int32_t *from = TS_NEW_N(arena, int32_t, n), *outside = TS_NEW_N(arena, int32_t, n);
    for (int i = 0; i < n - 1; i++) {
        outside[i] = i + 1; /* point 0 begins the tree */
        best[i + 1] = INFINITY;
        from[i + 1] = INT32_MAX;
    }
    int added = 0;
    for (int left = n - 1; left > 0; left--) {
        distances(n, dims, columns, added, d2);
        edge nearest = {INFINITY, INT32_MAX, INT32_MAX};
        int at = -1;
        for (int k = 0; k < left; k++) {
            const int v = outside[k];
            const double reach = core[v] > core[added] ? core[v] : core[added], w = d2[v] > reach ? d2[v] : reach;
            if (w < best[v] || (w == best[v] && added < from[v])) {
                best[v] = w;
                from[v] = added;
            }
            if (best[v] > nearest.weight)
                continue;
            const edge e = {best[v], v < from[v] ? v : from[v], v < from[v] ? from[v] : v};
            if (at < 0 || by_weight(&e, &nearest) < 0) {
                nearest = e;
                at = k;
            }
        }
        added = outside[at];
        outside[at] = outside[left - 1];
        tree[n - 1 - left] = nearest;
    }
    qsort(tree, (size_t)(n - 1), sizeof *tree, by_weight);
}

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

static merge *single_linkage(ts_arena *arena, int n, const edge *tree)
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
    double *columns = TS_NEW_N(arena, double, (size_t)n * (size_t)dims), *core = TS_NEW_N(arena, double, n),
           *d2 = TS_NEW_N(arena, double, n);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < dims; c++)
            columns[(size_t)c * (size_t)n + (size_t)i] = x[(size_t)i * (size_t)dims + (size_t)c];
    const int k = min_samples < n - 1 ? min_samples : n - 1;
    double *nearest = TS_NEW_N(arena, double, k);
    for (int i = 0; i < n; i++) {
        distances(n, dims, columns, i, d2);
        core[i] = kth_neighbour(n, d2, i, k, nearest);
    }
    edge *tree = TS_NEW_N(arena, edge, n - 1);
    spanning_tree(arena, n, dims, columns, core, tree);
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
