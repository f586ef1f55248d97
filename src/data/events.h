/* Events, read one after the other: CSV (one row a hit, rows of an event together; `event_id` says which event, `hit_id` names the hit) or
   .npy [events][tokens][features].
   A CSV with x, y, z (mm, beam along z) also gives r, phi, theta, eta, sin_phi, cos_phi, sin_theta, cos_theta of the hit's position: an
   inputs file may name these, and they are computed where the CSV has no column of that name. Angles in radians, phi in (-pi, pi]. */
#ifndef TS_EVENTS_H
#define TS_EVENTS_H
#include <stdint.h>

#include "data/inputs.h"
#include "data/spread.h"

typedef struct ts_event {
    int64_t id;
    int n;                 /* hits that are not masked: what the model sees */
    const float *x;        /* [n][features], standardised; NULL where only the length was wanted */
    int rows;              /* of the file, masked hits too */
    const int64_t *hit_id; /* [rows]; position in the event for .npy */
    const int32_t *row;    /* [n]: which of the rows each hit is */
} ts_event;

typedef struct ts_events {
    const char *path;
    int count, features;
    const ts_event *event; /* [count], in order of the file */
} ts_events;

typedef struct ts_events_options {
    const char *lengths_path; /* .npy [events] of ints: true tokens of each event; NULL: all (.npy events only) */
    const char *mask_path;    /* .npy [events][tokens], nonzero = padding; NULL: none (.npy events only) */
    int limit;                /* read only the first so many events; 0: all */
    int keep;                 /* ts_event_stream_rest: only lengths of events behind the first so many that have hits; 0: keep all */
    bool standardised;        /* values are taken as they are, not as (value - mean) / std */
} ts_events_options;

/* Events in memory, their hits one after the other. */
typedef struct ts_event_arrays {
    int64_t events;
    int features;
    const int32_t *hits;   /* [events]: of each event, >= 0 */
    const float *values;   /* [sum of hits][features] */
    const int64_t *id;     /* [events], no two the same; NULL: 0, 1, 2, ... */
    const int64_t *hit_id; /* [sum of hits], in an event no two the same; NULL: 0, 1, 2, ... in every event */
} ts_event_arrays;

/* ---- one after the other */

typedef struct ts_event_stream ts_event_stream;

/* Opens the file and checks its columns, or its shape. Memory does not grow with the file, but for some bytes an event. `inputs` must
   outlive the stream. NULL with a message: missing columns, no events. */
ts_event_stream *ts_event_stream_open(const char *path, const ts_inputs *inputs, const ts_events_options *options, ts_err *err);
void ts_event_stream_close(ts_event_stream *stream); /* NULL will do */

/* The same of arrays, which must outlive the stream. Values are as those of a .npy of single precision. */
#define TS_ARRAYS "the arrays of events" /* what they are called in messages */
ts_event_stream *ts_event_stream_open_arrays(const ts_event_arrays *arrays, const ts_inputs *inputs, const ts_events_options *options,
                                             ts_err *err);

/* The next event, made in `arena`. BAD, with a message that names the file, line and column: values that are not finite as single-precision
   numbers, derived values of a hit on the beam axis, repeated hits, events whose rows do not stand together. */
typedef enum { TS_EVENT_READ, TS_EVENT_END, TS_EVENT_BAD } ts_event_status;
ts_event_status ts_event_next(ts_event_stream *stream, ts_arena *arena, ts_event *event, ts_err *err);

/* The next events together: up to `most` of them, and no more once they have `hits` hits. count is 0 at the end; NULL with a message. */
const ts_events *ts_event_stream_take(ts_event_stream *stream, ts_arena *arena, int most, int hits, ts_err *err);

/* All the others. progress, if not NULL, hears now and then how many are read, how many there are and what part that is, as the next two
 * say. */
typedef void ts_events_progress(void *user, long long done, long long total, double fraction);
const ts_events *ts_event_stream_rest(ts_event_stream *stream, ts_arena *arena, ts_events_progress *progress, void *user, ts_err *err);

long long ts_event_stream_total(const ts_event_stream *stream); /* events that there are to read, at most; 0: not known before the end */
double ts_event_stream_fraction(const ts_event_stream *stream); /* of the file that has been read; below 0: not known */
const ts_spread *ts_event_stream_spread(const ts_event_stream *stream); /* [features], of all hits so far */

/* All of a file at once. */
const ts_events *ts_events_load(ts_arena *arena, const char *path, const ts_inputs *inputs, const ts_events_options *options, ts_err *err);

bool ts_events_is_npy(const char *path); /* by its name; everything else is CSV */

#endif
