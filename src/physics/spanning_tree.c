#include "physics/spanning_tree.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int by_weight(const void *left, const void *right)
{
    const ts_edge *x = left, *y = right;
    if (x->weight != y->weight)
        return x->weight < y->weight ? -1 : 1;
    return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b > y->b) - (x->b < y->b);
}

/* ---- all pairs */

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

/* Puts d2 among the k smallest so far, which rise. */
static void keep_nearest(double *nearest, int k, double d2)
{
    if (!(d2 < nearest[k - 1]))
        return;
    int j = k - 1;
    for (; j > 0 && nearest[j - 1] > d2; j--)
        nearest[j] = nearest[j - 1];
    nearest[j] = d2;
}

void ts_cores_by_rows(int n, int dims, const double *columns, int k, double *core)
{
    ts_arena *arena = ts_arena_new();
    double *d2 = TS_NEW_N(arena, double, n), *nearest = TS_NEW_N(arena, double, k);
    for (int p = 0; p < n; p++) {
        distances(n, dims, columns, p, d2);
        for (int j = 0; j < k; j++)
            nearest[j] = INFINITY;
        for (int i = 0; i < n; i++)
            if (i != p)
                keep_nearest(nearest, k, d2[i]);
        core[p] = nearest[k - 1];
    }
    ts_arena_free(arena);
}

/* Prim's algorithm, one row of distances at a time. Ties follow the order of edges: among the edges of one point, the one from the lower
   point; among points, the lower (a, b). */
void ts_tree_by_rows(int n, int dims, const double *columns, const double *core, ts_edge *tree)
{
    ts_arena *arena = ts_arena_new();
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
        ts_edge nearest = {INFINITY, INT32_MAX, INT32_MAX};
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
            const ts_edge e = {best[v], v < from[v] ? v : from[v], v < from[v] ? from[v] : v};
            if (at < 0 || by_weight(&e, &nearest) < 0) {
                nearest = e;
                at = k;
            }
        }
        added = outside[at];
        outside[at] = outside[left - 1];
        tree[n - 1 - left] = nearest;
    }
    ts_arena_free(arena);
    qsort(tree, (size_t)(n - 1), sizeof *tree, by_weight);
}

/* ---- boxes */

/* A node of the k-d tree: the points order[first ... end - 1], and what is known of all of them. */
typedef struct node {
    int32_t first, end, right; /* right: the second child; the first one follows its parent; 0: a leaf */
    int32_t lowest;            /* point with the lowest number */
    int32_t part;              /* of the forest that all of them are in; -1: in several */
    double core;               /* the least */
} node;

typedef struct boxes {
    int n, dims, nodes;
    const double *columns, *core; /* core: NULL while there is none */
    int32_t *order;               /* [n] */
    node *node;                   /* [2 n] at most */
    double *lo, *hi;              /* [nodes][dims] */
    int32_t *part;                /* [n]: of each point */
} boxes;

typedef struct key {
    double value;
    int32_t point;
} key;

static int by_key(const void *left, const void *right)
{
    const key *x = left, *y = right;
    return x->value != y->value ? (x->value < y->value ? -1 : 1) : (x->point > y->point) - (x->point < y->point);
}

enum { LEAF = 12 };

/* Makes the node of these points and those below it; `scratch` [n]. */
static int build(boxes *b, int first, int end, key *scratch)
{
    const int at = b->nodes++;
    double *lo = b->lo + (size_t)at * (size_t)b->dims, *hi = b->hi + (size_t)at * (size_t)b->dims;
    int widest = 0;
    for (int c = 0; c < b->dims; c++) {
        const double *column = b->columns + (size_t)c * (size_t)b->n;
        lo[c] = hi[c] = column[b->order[first]];
        for (int i = first + 1; i < end; i++) {
            const double value = column[b->order[i]];
            lo[c] = value < lo[c] ? value : lo[c];
            hi[c] = value > hi[c] ? value : hi[c];
        }
        widest = hi[c] - lo[c] > hi[widest] - lo[widest] ? c : widest;
    }
    b->node[at] = (node){.first = first, .end = end};
    if (end - first <= LEAF)
        return at;
    const double *column = b->columns + (size_t)widest * (size_t)b->n;
    for (int i = first; i < end; i++)
        scratch[i] = (key){column[b->order[i]], b->order[i]};
    qsort(scratch + first, (size_t)(end - first), sizeof *scratch, by_key);
    for (int i = first; i < end; i++)
        b->order[i] = scratch[i].point;
    const int middle = first + (end - first) / 2;
    build(b, first, middle, scratch);
    b->node[at].right = build(b, middle, end, scratch);
    return at;
}

static boxes boxes_new(ts_arena *arena, int n, int dims, const double *columns)
{
    boxes b = {.n = n, .dims = dims, .columns = columns};
    b.order = TS_NEW_N(arena, int32_t, n);
    b.node = TS_NEW_N(arena, node, 2 * (size_t)n);
    b.lo = TS_NEW_N(arena, double, 2 * (size_t)n * (size_t)dims);
    b.hi = TS_NEW_N(arena, double, 2 * (size_t)n * (size_t)dims);
    for (int i = 0; i < n; i++)
        b.order[i] = i;
    build(&b, 0, n, TS_NEW_N(arena, key, n));
    return b;
}

static double distance2(const boxes *b, int p, int q)
{
    double sum = 0;
    for (int c = 0; c < b->dims; c++) {
        const double *column = b->columns + (size_t)c * (size_t)b->n, d = column[q] - column[p];
        sum += d * d;
    }
    return sum;
}

/* No more than distance2 of p and any point of the node: every step rounds the same way, and rounding keeps order. */
static double box_distance2(const boxes *b, int p, int at)
{
    const double *lo = b->lo + (size_t)at * (size_t)b->dims, *hi = b->hi + (size_t)at * (size_t)b->dims;
    double sum = 0;
    for (int c = 0; c < b->dims; c++) {
        const double x = b->columns[(size_t)c * (size_t)b->n + (size_t)p], below = lo[c] - x, above = x - hi[c];
        const double d = below > 0 ? below : above > 0 ? above : 0;
        sum += d * d;
    }
    return sum;
}

/* `least` is the node's box_distance2. */
static void find_nearest(const boxes *b, int at, int p, double least, int k, double *nearest)
{
    const node *here = &b->node[at];
    if (!(least < nearest[k - 1]))
        return;
    if (!here->right) {
        for (int i = here->first; i < here->end; i++)
            if (b->order[i] != p)
                keep_nearest(nearest, k, distance2(b, p, b->order[i]));
        return;
    }
    const double left = box_distance2(b, p, at + 1), right = box_distance2(b, p, here->right);
    const bool swap = right < left;
    find_nearest(b, swap ? here->right : at + 1, p, swap ? right : left, k, nearest);
    find_nearest(b, swap ? at + 1 : here->right, p, swap ? left : right, k, nearest);
}

void ts_cores_by_boxes(int n, int dims, const double *columns, int k, double *core)
{
    ts_arena *arena = ts_arena_new();
    const boxes b = boxes_new(arena, n, dims, columns);
    double *nearest = TS_NEW_N(arena, double, k);
    for (int p = 0; p < n; p++) {
        for (int j = 0; j < k; j++)
            nearest[j] = INFINITY;
        find_nearest(&b, 0, p, 0, k, nearest);
        core[p] = nearest[k - 1];
    }
    ts_arena_free(arena);
}

static double largest(double a, double b)
{
    return a > b ? a : b;
}

static ts_edge make_edge(double weight, int32_t p, int32_t q)
{
    return (ts_edge){weight, p < q ? p : q, p < q ? q : p};
}

/* The least edge from p into another part of the forest, where it comes before *best. `least` is the node's box_distance2. */
static void find_edge(const boxes *b, int at, int p, double least, ts_edge *best)
{
    const node *here = &b->node[at];
    const ts_edge bound = make_edge(largest(largest(least, here->core), b->core[p]), p, here->lowest);
    if (here->part == b->part[p] || by_weight(&bound, best) > 0)
        return;
    if (!here->right) {
        for (int i = here->first; i < here->end; i++) {
            const int q = b->order[i];
            if (b->part[q] == b->part[p])
                continue;
            const ts_edge e = make_edge(largest(distance2(b, p, q), largest(b->core[p], b->core[q])), p, q);
            if (by_weight(&e, best) < 0)
                *best = e;
        }
        return;
    }
    const double left = box_distance2(b, p, at + 1), right = box_distance2(b, p, here->right);
    const bool swap = right < left;
    find_edge(b, swap ? here->right : at + 1, p, swap ? right : left, best);
    find_edge(b, swap ? at + 1 : here->right, p, swap ? left : right, best);
}

/* What is known of all points of each node: children stand behind their parents. */
static void summarise(boxes *b)
{
    for (int at = b->nodes - 1; at >= 0; at--) {
        node *here = &b->node[at];
        if (here->right) {
            const node *left = &b->node[at + 1], *right = &b->node[here->right];
            here->lowest = left->lowest < right->lowest ? left->lowest : right->lowest;
            here->core = left->core < right->core ? left->core : right->core;
            here->part = left->part == right->part ? left->part : -1;
            continue;
        }
        here->lowest = b->order[here->first];
        here->part = b->part[here->lowest];
        here->core = INFINITY;
        for (int i = here->first; i < here->end; i++) {
            const int32_t p = b->order[i];
            here->lowest = p < here->lowest ? p : here->lowest;
            here->core = b->core[p] < here->core ? b->core[p] : here->core;
            here->part = b->part[p] == here->part ? here->part : -1;
        }
    }
}

static int32_t find_root(int32_t *parent, int32_t p)
{
    while (parent[p] != p)
        p = parent[p] = parent[parent[p]];
    return p;
}

/* Boruvka's algorithm: every part of the forest gets its least edge to another one, until there is one part. Edges are totally ordered, so
   that these never close a circle. */
void ts_tree_by_boxes(int n, int dims, const double *columns, const double *core, ts_edge *tree)
{
    ts_arena *arena = ts_arena_new();
    boxes b = boxes_new(arena, n, dims, columns);
    b.core = core;
    b.part = TS_NEW_N(arena, int32_t, n);
    int32_t *parent = TS_NEW_N(arena, int32_t, n);
    ts_edge *best = TS_NEW_N(arena, ts_edge, n); /* of the part that has this point as its root */
    for (int p = 0; p < n; p++)
        parent[p] = p;
    for (int found = 0; found < n - 1;) {
        for (int p = 0; p < n; p++) {
            b.part[p] = find_root(parent, p);
            best[p] = (ts_edge){INFINITY, INT32_MAX, INT32_MAX};
        }
        summarise(&b);
        for (int i = 0; i < n; i++) { /* neighbours one after the other: their parts' edges are short soon */
            const int p = b.order[i];
            if (core[p] <= best[b.part[p]].weight)
                find_edge(&b, 0, p, 0, &best[b.part[p]]);
        }
        const int before = found;
        for (int p = 0; p < n; p++) {
            if (b.part[p] != p)
                continue;
            const int32_t from = find_root(parent, best[p].a), to = find_root(parent, best[p].b);
            if (from == to) /* the other part has the same edge */
                continue;
            parent[from > to ? from : to] = from > to ? to : from;
            tree[found++] = best[p];
        }
        CHECK(found > before);
    }
    ts_arena_free(arena);
    qsort(tree, (size_t)(n - 1), sizeof *tree, by_weight);
}
