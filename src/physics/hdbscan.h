/* HDBSCAN: hierarchical density-based clustering with noise (Campello, Moulavi, Sander 2013), as docs/scores.md defines it. */
#ifndef TS_HDBSCAN_H
#define TS_HDBSCAN_H
#include <stdint.h>

enum { TS_HDBSCAN_NOISE = -1 };

/* Clusters n points x [n][dims] (finite values) by Euclidean distance. label [n]: the cluster of each point, numbered from 0 in order
   of the cluster's first point, or TS_HDBSCAN_NOISE. Returns the number of clusters.
   min_cluster_size >= 2: fewer points are no cluster. min_samples >= 1: a point's core distance is that to its min_samples-th neighbour,
   itself not counted (to the farthest point where there are fewer). Clusters are chosen by excess of mass; the root, all points
   together, is never one. Exact: the same points in the same order give the same labels everywhere.
   Memory O(n dims); time O(n^2 dims) for few points, about O(n log(n)^2) for many (physics/spanning_tree.h). */
int ts_hdbscan(int n, int dims, const double *x, int min_cluster_size, int min_samples, int32_t *label);

#endif
