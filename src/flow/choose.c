#include "flow/choose.h"

#include <stdint.h>
#include <string.h>

#include "base/plain.h"
#include "quant/given.h"
#include "quant/quantise.h"
#include "quant/room.h"
#include "quant/watch.h"
#include "search/search.h"

/* Of the shuffle that decides which events select and which test. */
enum { SPLIT_SEED = 1 };

bool ts_formats_are_searched(const char *formats)
{
    return formats && (strcmp(formats, "auto") == 0 || strcmp(formats, "packed") == 0);
}

static ts_calibration *calibrate_on(ts_arena *arena, const ts_encoder *enc, const ts_events *events, int count, const ts_notices *notices,
                                    ts_err *err)
{
    ts_notice_step(notices, "calibrating on %s", events->path);
    enum { BATCH = 64, BATCH_HITS = 8192 }; /* bound the memory and move the progress line */
    ts_calibration *cal = ts_calibration_new(arena, enc);
    int n[BATCH], done = 0, e = 0;
    const float *x[BATCH];
    const ts_event *from[BATCH];
    while (done < count && e < events->count) {
        int batch = 0;
        for (int hits = 0; batch < BATCH && hits < BATCH_HITS && done + batch < count && e < events->count; e++)
            if (events->event[e].n > 0) {
                hits += events->event[e].n;
                from[batch] = &events->event[e];
                n[batch] = events->event[e].n;
                x[batch++] = events->event[e].x;
            }
        if (!ts_calibration_add_events(cal, batch, n, x, err)) {
            ts_fail_in(err, "%s: event %lld", events->path, (long long)from[ts_calibration_events(cal) - done]->id);
            return NULL;
        }
        done += batch;
        ts_notice_at(notices, (double)done / count);
    }
    return cal;
}

/* The first events, as many as the user wants; of long ones fewer say as much of every tensor, and take the square of their length in time.
 */
static int events_to_calibrate(const ts_events *events, int wish)
{
    enum { ENOUGH_EVENTS = 3, ENOUGH_HITS = 16000 };
    int count = 0;
    double hits = 0;
    for (int e = 0; e < events->count && count < TS_CALIBRATE_MOST && (count < ENOUGH_EVENTS || hits < ENOUGH_HITS); e++) {
        count += events->event[e].n > 0;
        hits += events->event[e].n;
    }
    return wish > 0 ? wish : count;
}

const ts_calibration *ts_calibrate(ts_arena *arena, const ts_encoder *enc, const ts_events *events, int wish, const ts_notices *notices,
                                   ts_err *err)
{
    return calibrate_on(arena, enc, events, events_to_calibrate(events, wish), notices, err);
}

static json_t *calibration_json(ts_arena *arena, const ts_events *events, const ts_calibration *cal)
{
    const char *slash = strrchr(events->path, '/');
    json_t *ids = json_array();
    for (int e = 0, used = 0; e < events->count && used < ts_calibration_events(cal); e++)
        if (events->event[e].n > 0 && ++used)
            json_array_append_new(ids, json_integer((json_int_t)events->event[e].id));
    json_t *json = json_pack("{s:s, s:o, s:I}", "file", ts_text_plain(arena, slash ? slash + 1 : events->path), "events", ids, "tokens",
                             (json_int_t)ts_calibration_tokens(cal));
    CHECK(json);
    return json;
}

static void on_progress(void *user, double fraction)
{
    ts_notice_at(user, fraction);
}

static ts_search_options search_options(ts_arena *arena, const ts_events *events, const ts_device *device, const ts_choose_options *o)
{
    const int count = o->plan_tokens ? 1 : events->count;
    int *lengths = TS_NEW_N(arena, int, count), longest = 1;
    for (int e = 0; e < events->count; e++)
        longest = events->event[e].n > longest ? events->event[e].n : longest;
    for (int e = 0; e < count; e++)
        lengths[e] = o->plan_tokens ? o->plan_tokens : events->event[e].n;
    return (ts_search_options){.device = device,
                               .lengths = lengths,
                               .lengths_count = count,
                               .max_tokens = o->max_tokens ? o->max_tokens : longest,
                               .loss = o->loss,
                               .packed = strcmp(o->formats, "packed") == 0,
                               .progress = on_progress,
                               .progress_user = (void *)(uintptr_t)o->notices};
}

/* What was chosen, on the events that took no part in choosing. */
static bool test(const ts_encoder *enc, const ts_inputs *inputs, const ts_split *split, const ts_notices *notices, const ts_chosen *chosen,
                 ts_err *err)
{
    if (split->test.events == 0)
        return true;
    ts_notice_step(notices, "testing the formats on %d events", split->test.events);
    ts_arena *arena = ts_arena_new();
    ts_formats *quiet = ts_formats_copy(arena, chosen->formats);
    quiet->warn = NULL;
    const ts_imodel *im = ts_quantise(arena, enc, chosen->cal, quiet, err);
    if (im) {
        const ts_judge *judge = ts_judge_new(arena, enc, inputs, &split->test);
        const ts_verdict v = ts_judge_measure(judge, im, true);
        json_object_set_new(chosen->search, "test", ts_verdict_json(&v, split->test.events, inputs->classification));
    }
    ts_arena_free(arena);
    return im != NULL;
}

static bool search(ts_arena *arena, const ts_encoder *enc, const ts_inputs *inputs, const ts_split *split, const ts_formats *start,
                   const ts_search_options *options, const ts_notices *notices, ts_chosen *chosen, ts_err *err)
{
    ts_notice_step(notices, "choosing formats by %d events", split->selection.events);
    if (split->reused)
        ts_notice_warning(notices, "formats are chosen by the %d events that calibrate, since there are no others; give more events",
                          split->selection.events);
    ts_found found;
    const ts_judge *judge = ts_judge_new(arena, enc, inputs, &split->selection);
    if (!ts_search_formats(arena, enc, chosen->cal, judge, start, options, &found, err))
        return false;
    chosen->formats = found.formats;
    chosen->search = found.report;
    json_object_set_new(chosen->search, "events", ts_split_json(split));
    return test(enc, inputs, split, notices, chosen, err);
}

bool ts_choose_formats(ts_arena *arena, const ts_encoder *enc, const ts_inputs *inputs, const ts_events *events, const ts_device *device,
                       const ts_choose_options *o, ts_chosen *chosen, ts_err *err)
{
    *chosen = (ts_chosen){.cal = NULL};
    ts_formats *formats = ts_formats_default(arena, enc->layers);
    formats->classifier = inputs->classification;
    formats->warn = ts_notice_warn;
    formats->warn_user = (void *)(uintptr_t)o->notices;
    if (o->acc_margin) {
        formats->room = TS_NEW(arena, ts_room);
        formats->room->margin = o->acc_margin;
    }
    if (!ts_given_formats(formats, enc, err))
        return false;
    ts_split split;
    int count = events_to_calibrate(events, o->calibrate);
    if (ts_formats_are_searched(o->formats)) {
        ts_err untrue = {""}; /* events need not say which particle made a hit */
        const ts_truth *truth = ts_events_is_npy(events->path) ? NULL : ts_truth_load(arena, events->path, inputs->mask, &untrue);
        if (!truth)
            ts_notice_warning(o->notices, "formats are chosen by output errors alone, without track scores: %s",
                              untrue.msg[0] ? untrue.msg : "the events do not say which particle made a hit");
        if (!ts_split_events(arena, events, truth, &(ts_split_options){count, o->select, SPLIT_SEED}, &split, err))
            return false;
        count = split.calibration.events;
    } else if (!ts_formats_parse(formats, o->formats, err)) {
        return false;
    }
    chosen->cal = calibrate_on(arena, enc, events, count, o->notices, err);
    if (!chosen->cal)
        return false;
    ts_watch_calibration(enc, chosen->cal, formats, inputs->column);
    chosen->formats = formats;
    const ts_search_options options =
        ts_formats_are_searched(o->formats) ? search_options(arena, events, device, o) : (ts_search_options){.device = device};
    if (ts_formats_are_searched(o->formats) && !search(arena, enc, inputs, &split, formats, &options, o->notices, chosen, err)) {
        ts_chosen_free(chosen);
        return false;
    }
    chosen->calibration = calibration_json(arena, events, chosen->cal);
    return true;
}

void ts_chosen_free(ts_chosen *chosen)
{
    json_decref(chosen->calibration);
    json_decref(chosen->search);
    chosen->calibration = chosen->search = NULL;
}
