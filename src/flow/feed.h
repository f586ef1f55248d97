/* Events as long work reads them: from a file of events or of samples, a few at a time or all at once. */
#ifndef TS_FEED_H
#define TS_FEED_H
#include "data/events.h"
#include "flow/notices.h"
#include "host/host.h"

/* Where events come from. */
typedef struct ts_event_source {
    const char *events, *inputs, *lengths, *mask; /* a file of events with what belongs to it, or */
    const char *samples;                          /* a .npy, for models with an input of a fixed shape, or */
    const ts_event_arrays *arrays;                /* events in memory, with an inputs file */
    const ts_notices *notices;
    int limit;
    int keep;          /* only the lengths of events behind the first so many; 0: keep all */
    bool standardised; /* values are taken as they are */
} ts_event_source;
ts_events_options ts_event_options(const ts_event_source *source);

const char *ts_source_name(const ts_event_source *source); /* for messages */

/* Whether exactly one of `events`, `samples` and `arrays` is there, and nothing that belongs to another one. */
bool ts_check_source(const ts_event_source *source, ts_err *err);

/* The inputs file at `path`, or, where it is NULL, values as they are, which cannot be where CSV is read. */
const ts_inputs *ts_source_inputs(ts_arena *arena, const ts_event_source *source, const char *path, int features, int outputs, ts_err *err);

typedef struct ts_feed {
    const ts_event_source *source;
    const ts_inputs *inputs;
    const ts_host *host;     /* NULL: all of the model is hardware */
    ts_event_stream *stream; /* of events or arrays, or */
    ts_npy samples;
    long long taken; /* events so far, and */
    int count;       /* of the last ts_feed_take */
} ts_feed;

/* As ts_load_events, which see; closed by ts_feed_close, also after errors. Says of .npy events what is done to their values. */
bool ts_feed_open(ts_arena *arena, const ts_event_source *source, const ts_inputs *inputs, const ts_host *host, ts_feed *feed, ts_err *err);
void ts_feed_close(ts_feed *feed);

/* The next events: up to `most`, and no more once they have `hits` hits. count is 0 at the end; NULL with a message. */
const ts_events *ts_feed_take(ts_feed *feed, ts_arena *arena, int most, int hits, ts_err *err);

/* All events, to be simulated together; fails where there are more than hardware can be simulated with in a day. */
const ts_events *ts_feed_take_all(ts_feed *feed, ts_arena *arena, ts_err *err);

/* `done` of the events that were taken are done. */
void ts_feed_progress(const ts_feed *feed, long long done);

/* Warns where the values read so far are no standardised ones. */
void ts_feed_watch(const ts_feed *feed);

/* Events as the model's input takes them, all at once; warns where they are no standardised ones. host: NULL for a model that is all
   hardware. */
const ts_events *ts_load_events(ts_arena *arena, const ts_event_source *source, const ts_inputs *inputs, const ts_host *host, ts_err *err);

/* The same without a model: of events or arrays, as their inputs file says, or as they are where there is none, which CSV needs. */
const ts_events *ts_read_events(ts_arena *arena, const ts_event_source *source, ts_err *err);

#endif
