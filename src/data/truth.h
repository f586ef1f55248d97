/* What is known of an event file's hits: which particle made each, and with what momentum. */
#ifndef TS_TRUTH_H
#define TS_TRUTH_H
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct ts_truth_event {
    int64_t id;
    int n;                      /* hits that are not masked; the same, in the same order, as in ts_event */
    const int64_t *hit_id;      /* [n] */
    const int64_t *particle_id; /* [n]; 0: made by no particle */
    const double *weight;       /* [n], >= 0: what the hit counts in the trackml score */
    const double *position;     /* [n][3]: x, y, z in mm; NULL where the file does not say */
    const double *momentum;     /* [n][3]: px, py, pz at the vertex in GeV; NULL where the file does not say */
    const double *charge;       /* [n]; NULL where the file does not say */
} ts_truth_event;

typedef struct ts_truth {
    const char *path;
    int count;
    const ts_truth_event *event; /* [count], in order of first appearance */
    int hits;                    /* of all events, masked ones not counted */
    int32_t rows;
    const struct ts_truth_key *key; /* [rows], sorted: where each hit of the file is */
} ts_truth;

/* Reads the columns event_id, hit_id, particle_id and weight, and x,y,z, px,py,pz and q where they are there. mask: column whose nonzero
   values mark padding, or NULL. Errors name file and line: missing columns, ids that are no integers, repeated hits, no hits. */
const ts_truth *ts_truth_load(ts_arena *arena, const char *path, const char *mask, ts_err *err);

/* Where a hit is: index of its event and of the hit in it, or -1 for a masked hit. False: there is no such hit. */
bool ts_truth_find(const ts_truth *truth, int64_t event_id, int64_t hit_id, int *event, int *hit);

#endif
