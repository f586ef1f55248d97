/* Events: CSV (one row a hit, `event_id` groups, `hit_id` names the hit) or .npy [events][tokens][features].
   A CSV with x, y, z (mm, beam along z) also gives r, phi, theta, eta, sin_phi, cos_phi, sin_theta, cos_theta of the hit's position: an
   inputs file may name these, and they are computed where the CSV has no column of that name. Angles in radians, phi in (-pi, pi]. */
#ifndef TS_EVENTS_H
#define TS_EVENTS_H
#include <stdint.h>

#include "physics/inputs.h"

typedef struct ts_event {
    int64_t id;
    int n;             /* hits that are not masked: what the model sees */
    const float *x;    /* [n][features], standardised */
    const int32_t *row; /* [n]: row of the file (from 0, header not counted) that each hit came from */
} ts_event;

typedef struct ts_events {
    const char *path;
    int count, features;
    const ts_event *event;    /* [count], in order of first appearance */
    int32_t rows;             /* of all events here, masked ones too */
    const int64_t *hit_id;    /* [rows]; position in the event for .npy */
    const int32_t *row_event; /* [rows]: index into event */
    bool masked;              /* some rows are padding */
} ts_events;

typedef struct ts_events_options {
    const char *lengths_path; /* .npy [events] of ints: true tokens of each event; NULL: all (.npy events only) */
    const char *mask_path;    /* .npy [events][tokens], nonzero = padding; NULL: none (.npy events only) */
    int limit;                /* read only the first so many events; 0: all */
} ts_events_options;

/* Reads and standardises. Errors name the file, line and column: missing columns, NaN, derived
   values of a hit on the beam axis that are not finite, repeated hits, no events. */
const ts_events *ts_events_load(ts_arena *arena, const char *path, const ts_inputs *inputs, const ts_events_options *options, ts_err *err);

bool ts_events_is_npy(const char *path); /* by its name; everything else is CSV */

#endif
