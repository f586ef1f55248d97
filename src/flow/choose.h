/* From events to formats: which events calibrate, what the user asked of formats, and the search where the tool is to choose. */
#ifndef TS_CHOOSE_H
#define TS_CHOOSE_H
#include "data/events.h"
#include "flow/notices.h"
#include "quant/calibrate.h"
#include "quant/formats.h"
#include "ring/device.h"

/* Events that calibrate where nobody says how many, at most. */
enum { TS_CALIBRATE_MOST = 20 };

typedef struct ts_choose_options {
    const ts_notices *notices;
    const char *formats;   /* NULL, NAME=BITS,..., a file, "auto" or "packed" */
    int calibrate, select; /* events; calibrate 0: TS_CALIBRATE_MOST, or fewer that have hits enough */
    double loss;
    int max_tokens, plan_tokens; /* 0: those of the events */
    int acc_margin;              /* bits above what the model needs (quant/room.h) */
} ts_choose_options;

typedef struct ts_chosen {
    const ts_calibration *cal;
    const ts_formats *formats;
    json_t *calibration; /* {"file", "events", "tokens"} */
    json_t *search;      /* how the formats were found and what they do on test events; NULL where they were given */
} ts_chosen;

/* Calibrates, and parses or searches for formats. After success the caller frees. */
bool ts_choose_formats(ts_arena *arena, const ts_encoder *enc, const ts_inputs *inputs, const ts_events *events, const ts_device *device,
                       const ts_choose_options *options, ts_chosen *chosen, ts_err *err);

/* Calibrates on the first events: so many, or, where wish is 0, as many as say enough. */
const ts_calibration *ts_calibrate(ts_arena *arena, const ts_encoder *enc, const ts_events *events, int wish, const ts_notices *notices,
                                   ts_err *err);

/* Whether the formats asked for are searched ("auto", "packed"). */
bool ts_formats_are_searched(const char *formats);

void ts_chosen_free(ts_chosen *chosen); /* the JSON; the rest is in the arena */

#endif
