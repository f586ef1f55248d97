/* Rows of one event while they are read: what the readers of event files share.
   In a circle with data/events.h: it is the inside of it. */
#ifndef TS_EVENT_ROWS_H
#define TS_EVENT_ROWS_H
#include "data/csv.h"
#include "data/events.h"
#include "data/npy.h"

enum { TS_EVENT_ROWS_MOST = 1 << 20 }; /* of one event; any more is a file that is not what it says */

typedef struct ts_event_rows {
    int features, count, room;
    int64_t *hit_id; /* [room] */
    bool *masked;    /* [room] */
    float *x;        /* [room][features] */
} ts_event_rows;

/* One more row, not masked; its values are [features] at the returned place. */
float *ts_event_row_add(ts_event_rows *rows, int64_t hit_id);
void ts_event_rows_free(ts_event_rows *rows);

/* Model input f that `value` becomes; false, with nothing said, where it is no finite single-precision number. */
bool ts_event_value(const ts_inputs *in, int f, double value, float *x);

/* Ids of events that are over. */
typedef struct ts_id_set ts_id_set;
ts_id_set *ts_id_set_new(void);
bool ts_id_set_add(ts_id_set *set, int64_t id); /* false where the id is there already */
void ts_id_set_free(ts_id_set *set);            /* NULL will do */

/* ---- CSV */

typedef struct ts_csv_events {
    ts_csv csv;
    const ts_inputs *in;
    int event_column, hit_column, mask_column;       /* mask: -1 without */
    int position[3];                                 /* columns of x, y, z; -1: none */
    int *column;                                     /* [features]; -1: derived */
    double (**derive)(double x, double y, double z); /* [features]: NULL where there is a column */
    bool derived;                                    /* some are */
    bool waiting;                                    /* the row that was read last is the next event's first */
    ts_id_set *seen;
} ts_csv_events;
bool ts_csv_events_open(ts_arena *arena, const char *path, const ts_inputs *in, bool standardised, ts_csv_events *csv, ts_err *err);
ts_event_status ts_csv_events_next(ts_csv_events *csv, ts_event_rows *rows, int64_t *id, ts_err *err);
void ts_csv_events_close(ts_csv_events *csv);

/* ---- .npy */

typedef struct ts_npy_events {
    ts_npy npy, mask;
    const ts_inputs *in;
    const double *lengths; /* [events], or NULL */
    const char *lengths_path;
    bool has_mask;
    double *value, *masked; /* one event's: [tokens][features], [tokens] */
    long long next;
} ts_npy_events;
bool ts_npy_events_open(ts_arena *arena, const char *path, const ts_inputs *in, const ts_events_options *o, ts_npy_events *npy,
                        ts_err *err);
ts_event_status ts_npy_events_next(ts_npy_events *npy, ts_event_rows *rows, int64_t *id, ts_err *err);
void ts_npy_events_close(ts_npy_events *npy);

/* ---- arrays */

typedef struct ts_array_events {
    const ts_event_arrays *from;
    const ts_inputs *in;
    ts_id_set *seen;
    int64_t next, hit; /* the next event, and the number of its first hit among all */
} ts_array_events;
bool ts_array_events_open(const ts_event_arrays *arrays, const ts_inputs *in, ts_array_events *from, ts_err *err);
ts_event_status ts_array_events_next(ts_array_events *from, ts_event_rows *rows, int64_t *id, ts_err *err);
void ts_array_events_close(ts_array_events *from);

#endif
