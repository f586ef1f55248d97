/* Minimum spanning trees of points by mutual reachability distance, and the core distances it is made of: what HDBSCAN begins with. */
#ifndef TS_SPANNING_TREE_H
#define TS_SPANNING_TREE_H
#include <stdint.h>

#include "base/arena.h"

/* Edges are totally ordered by (weight, a, b): the tree is the one that Kruskal's algorithm finds with that order, whatever algorithm finds
 * it. */
typedef struct ts_edge {
    double weight; /* squared mutual reachability distance: the largest of both core distances and the distance, squared */
    int32_t a, b;  /* points, a < b */
} ts_edge;

/* n points, columns [dims][n] of finite values; core [n]: squared distance of each point to its k-th neighbour, itself not counted (1 <= k
   < n); tree [n - 1], in the order of edges. Distances are sums of squares in the order of the columns, so that both ways make the same
   bits. All pairs, a row of them at one time: time O(n^2 dims), best for few points. */
void ts_cores_by_rows(int n, int dims, const double *columns, int k, double *core);
void ts_tree_by_rows(int n, int dims, const double *columns, const double *core, ts_edge *tree);

/* With a k-d tree: time about O(n log(n)^2) for points that are not all alike. */
void ts_cores_by_boxes(int n, int dims, const double *columns, int k, double *core);
void ts_tree_by_boxes(int n, int dims, const double *columns, const double *core, ts_edge *tree);

#endif
