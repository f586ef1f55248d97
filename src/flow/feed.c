#define TS_FAIL_CODE TS_USAGE
#include "flow/feed.h"

/* Whether an inputs file leaves every value as it is. */
static bool is_identity(const ts_inputs *in)
{
    for (int f = 0; f < in->features; f++)
        if (in->mean[f] != 0 || in->std[f] != 1)
            return false;
    return true;
}

bool ts_check_source(const ts_event_source *s, ts_err *err)
{
    const char *events = ts_option("events"), *samples = ts_option("samples");
    if ((s->events != NULL) + (s->samples != NULL) + (s->arrays != NULL) != 1)
        return ts_fail(err, "give %s FILE, or, for a model with an input of a fixed shape, %s FILE.npy", events, samples);
    if (s->samples && (s->inputs || s->lengths || s->mask))
        return ts_fail(err, "%s, %s and %s belong to %s; %s is taken as it is", ts_option("inputs"), ts_option("lengths"),
                       ts_option("mask"), events, samples);
    return !s->arrays || !(s->lengths || s->mask) ||
           ts_fail(err, "%s and %s belong to %s; arrays have the hits of each event", ts_option("lengths"), ts_option("mask"), events);
}

const char *ts_source_name(const ts_event_source *s)
{
    return s->events ? s->events : s->samples ? s->samples : TS_ARRAYS;
}

ts_events_options ts_event_options(const ts_event_source *s)
{
    return (ts_events_options){
        .lengths_path = s->lengths, .mask_path = s->mask, .limit = s->limit, .keep = s->keep, .standardised = s->standardised};
}

const ts_inputs *ts_source_inputs(ts_arena *arena, const ts_event_source *s, const char *path, int features, int outputs, ts_err *err)
{
    if (path)
        return ts_inputs_load(arena, path, err);
    if (!s->events || ts_events_is_npy(s->events))
        return ts_inputs_identity(arena, features, outputs);
    ts_fail(err, "%s FILE.json is needed with CSV events: it says which columns are model inputs (docs/exporting.md)", ts_option("inputs"));
    return NULL;
}

/* Whoever has values in a .npy knows whether they are raw; that this is known here too is not to be taken for granted. */
static void say_what_is_done(const ts_event_source *s, const ts_inputs *in)
{
    if (!s->events || !ts_events_is_npy(s->events) || !in->path || is_identity(in))
        return;
    if (s->standardised)
        ts_notice_note(s->notices, "%s: values are taken as standardised", s->events);
    else
        ts_notice_note(s->notices, "%s: raw values, standardised here as %s says (%s: they are already)", s->events, in->path,
                       ts_option("standardised"));
}

bool ts_feed_open(ts_arena *arena, const ts_event_source *s, const ts_inputs *in, const ts_host *host, ts_feed *feed, ts_err *err)
{
    *feed = (ts_feed){.source = s, .inputs = in, .host = host};
    if (s->samples)
        return ts_host_samples_open(arena, host, s->samples, &feed->samples, err);
    say_what_is_done(s, in);
    const ts_events_options o = ts_event_options(s);
    feed->stream = s->arrays ? ts_event_stream_open_arrays(s->arrays, in, &o, err) : ts_event_stream_open(s->events, in, &o, err);
    return feed->stream != NULL;
}

void ts_feed_close(ts_feed *feed)
{
    ts_event_stream_close(feed->stream);
    feed->stream = NULL;
    ts_npy_close(&feed->samples);
}

/* Samples that there are to read. */
static long long samples(const ts_feed *feed)
{
    const long long all = feed->samples.dim[0], limit = feed->source->limit;
    return limit && limit < all ? limit : all;
}

/* Whether the events have as many hits as the model's input, where that has a fixed shape. */
static bool fits(const ts_feed *feed, const ts_events *events, ts_err *err)
{
    int hits, features;
    if (!feed->stream || !feed->host || !ts_host_fixed_event(feed->host, &hits, &features))
        return true;
    for (int e = 0; e < events->count; e++)
        if (events->event[e].n != 0 && events->event[e].n != hits)
            return ts_fail_as(
                err, TS_BAD_FILE, "%s: event %lld has %d hits; the model takes exactly %d, as its input '%s' has a fixed shape",
                ts_source_name(feed->source), (long long)events->event[e].id, events->event[e].n, hits, feed->host->input->name);
    return true;
}

const ts_events *ts_feed_take(ts_feed *feed, ts_arena *arena, int most, int hits, ts_err *err)
{
    if (feed->stream) {
        const ts_events *events = ts_event_stream_take(feed->stream, arena, most, hits, err);
        feed->count = events ? events->count : 0;
        feed->taken += feed->count;
        return events && fits(feed, events, err) ? events : NULL;
    }
    ts_events *events = TS_NEW(arena, ts_events);
    ts_event *event = TS_NEW_N(arena, ts_event, most);
    *events = (ts_events){.path = feed->source->samples, .features = ts_host_width(feed->host), .event = event};
    const int keep = feed->source->keep, n = ts_host_tokens(feed->host, 1);
    for (int rows = 0; events->count < most && rows < hits && feed->taken < samples(feed); rows += n) {
        ts_event *to = &event[events->count++];
        const int number = (int)feed->taken++;
        if (keep && number >= keep)
            *to = (ts_event){.id = number, .n = n, .rows = n};
        else if (!ts_host_sample(arena, feed->host, &feed->samples, number, to, err))
            return NULL;
    }
    feed->count = events->count;
    return events;
}

const ts_events *ts_feed_take_all(ts_feed *feed, ts_arena *arena, ts_err *err)
{
    enum { EVENTS = 1 << 17, HITS = 1 << 20 };
    const ts_events *events = ts_feed_take(feed, arena, EVENTS, HITS, err);
    const ts_events *more = events && events->count > 0 ? ts_feed_take(feed, arena, 1, 1, err) : events;
    if (!more || more == events || more->count == 0)
        return more ? events : NULL;
    ts_fail(err, "%s: over %d events are more than hardware is simulated with; give the first K with %s", events->path, events->count,
            ts_option("limit"));
    return NULL;
}

void ts_feed_progress(const ts_feed *feed, long long done)
{
    const double read = feed->stream ? ts_event_stream_fraction(feed->stream) : (double)feed->taken / (double)samples(feed);
    const long long known = feed->stream ? ts_event_stream_total(feed->stream) : samples(feed), total = read >= 1 ? feed->taken : known;
    ts_notice_events(feed->source->notices, done, total, feed->taken > 0 ? read * (double)done / (double)feed->taken : read);
}

void ts_feed_watch(const ts_feed *feed)
{
    const ts_event_source *s = feed->source;
    const ts_inputs *in = feed->inputs;
    const char *name = ts_source_name(s);
    char seen[300];
    if (!feed->stream || !ts_spread_is_odd(ts_event_stream_spread(feed->stream), in, seen, sizeof seen))
        return;
    if (!in->path)
        ts_notice_warning(s->notices, "%s: %s; values go to the model as they are. If it was trained on standardised ones, give %s", name,
                          seen, ts_option("inputs"));
    else if (s->standardised)
        ts_notice_warning(s->notices, "%s: %s, not about 0 and 1: are they raw values, not %s ones?", name, seen,
                          ts_option("standardised"));
    else if (is_identity(in))
        ts_notice_warning(s->notices, "%s: %s, and %s (mean 0, std 1 everywhere) leaves them so. Is it the model's?", name, seen, in->path);
    else
        ts_notice_warning(s->notices,
                          "%s: standardised as %s says, %s, not about 0 and 1: are the values in the units of that file? Those that are "
                          "standardised already need %s",
                          name, in->path, seen, ts_option("standardised"));
}

const ts_events *ts_load_events(ts_arena *arena, const ts_event_source *s, const ts_inputs *inputs, const ts_host *host, ts_err *err)
{
    ts_notice_step(s->notices, "reading %s", ts_source_name(s));
    ts_feed feed;
    const ts_events *events = NULL;
    const ts_notices none = {0}, *hears = s->notices ? s->notices : &none;
    if (ts_feed_open(arena, s, inputs, host, &feed, err))
        events = feed.stream ? ts_event_stream_rest(feed.stream, arena, hears->progress, hears->user, err)
                             : ts_feed_take(&feed, arena, (int)feed.samples.dim[0], INT32_MAX, err);
    if (events && !fits(&feed, events, err))
        events = NULL;
    ts_notice_step_end(s->notices);
    if (events)
        ts_feed_watch(&feed);
    ts_feed_close(&feed);
    return events;
}

/* Values of a hit where no model says how many: those of the arrays, or of the file. 0 where the file does not say, or what it is. */
static bool own_features(ts_arena *arena, const ts_event_source *s, int *features, ts_err *err)
{
    *features = s->arrays ? s->arrays->features : 0;
    if (s->arrays || s->inputs || !ts_events_is_npy(s->events))
        return true;
    ts_npy npy;
    const bool opened = ts_npy_open(arena, s->events, &npy, err);
    ts_npy_close(&npy);
    if (opened && npy.rank == 3 && npy.dim[2] <= INT32_MAX)
        *features = (int)npy.dim[2];
    return opened;
}

const ts_events *ts_read_events(ts_arena *arena, const ts_event_source *s, ts_err *err)
{
    if (!ts_check_source(s, err))
        return NULL;
    if (s->samples) {
        ts_fail(err, "%s: what samples are is a model's to say; give %s", s->samples, ts_option("events"));
        return NULL;
    }
    int features;
    const ts_inputs *inputs = own_features(arena, s, &features, err) ? ts_source_inputs(arena, s, s->inputs, features, 0, err) : NULL;
    return inputs ? ts_load_events(arena, s, inputs, NULL, err) : NULL;
}
