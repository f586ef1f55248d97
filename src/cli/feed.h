/* Events as a verb reads them: from a file of events or of samples, a few at a time. */
#ifndef TS_FEED_H
#define TS_FEED_H
#include "cli/session.h"

typedef struct ts_feed {
    const ts_event_source *source;
    const ts_inputs *inputs;
    const ts_host *host;     /* NULL: all of the model is hardware */
    ts_event_stream *stream; /* of --events, or */
    ts_npy samples;          /* of --input */
    long long taken;         /* events so far */
} ts_feed;

/* As ts_load_events, which see; closed by ts_feed_close, also after errors. Says of .npy events what is done to their values. */
bool ts_feed_open(ts_arena *arena, const ts_event_source *source, const ts_inputs *inputs, const ts_host *host, ts_feed *feed, ts_err *err);
void ts_feed_close(ts_feed *feed);

/* The next events: up to `most`, and no more once they have `hits` hits. count is 0 at the end; NULL with a message. */
const ts_events *ts_feed_take(ts_feed *feed, ts_arena *arena, int most, int hits, ts_err *err);

/* Whether the events have as many hits as the model's input, where that has a fixed shape. */
bool ts_feed_fits(const ts_feed *feed, const ts_events *events, ts_err *err);

/* All events, to be simulated together; fails where there are more than hardware can be simulated with in a day. */
const ts_events *ts_feed_take_all(ts_feed *feed, ts_arena *arena, ts_err *err);

/* For the progress line: `done` of the events that were taken are done. */
void ts_feed_progress(const ts_feed *feed, long long done);

/* Warns where the values read so far are no standardised ones. */
void ts_feed_watch(const ts_feed *feed);

#endif
