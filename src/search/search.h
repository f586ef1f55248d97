/* Formats chosen by measurement: fewest DSPs, then least memory, such that an integer model stays near its float model.
   docs/quantisation.md describes the search and what it finds. */
#ifndef TS_SEARCH_H
#define TS_SEARCH_H
#include "quant/calibrate.h"
#include "quant/formats.h"
#include "ring/device.h"
#include "search/judge.h"

typedef struct ts_search_options {
    const ts_device *device; /* which products share a DSP */
    const int *lengths;      /* [lengths_count], at least one: hits of the events to plan for */
    int lengths_count, max_tokens;
    double loss;                                   /* of the double-majority score that may be given up, > 0 */
    bool packed;                                   /* every product packs, whatever it costs in accuracy; `loss` does not apply */
    void (*progress)(void *user, double fraction); /* 0 ... 1; may be NULL */
    void *progress_user;
} ts_search_options;

typedef struct ts_found {
    const ts_formats *formats;
    ts_verdict verdict; /* on the events it was chosen by */
    double dsp_cost;    /* share of one DSP a product */
    bool within;        /* what was asked for was met (always true of packed) */
    json_t *report;     /* limits, sensitivities, candidates; the caller's reference */
} ts_found;

/* formats: where classifier and warn are taken from, and every format that is not searched for. Warns through formats->warn where the loss
   asked for cannot be met. Fails where the model cannot be quantised at all. */
bool ts_search_formats(ts_arena *arena, const ts_encoder *enc, const ts_calibration *cal, const ts_judge *judge, const ts_formats *formats,
                       const ts_search_options *options, ts_found *found, ts_err *err);

#endif
