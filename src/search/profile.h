/* What integer formats do to every tensor of a model on given events: how much of a format is used, what saturates, signal to noise. */
#ifndef TS_PROFILE_H
#define TS_PROFILE_H
#include <jansson.h>

#include "data/events.h"
#include "graph/encoder.h"
#include "quant/imodel.h"

typedef struct ts_profile_row {
    int layer, part; /* as in ref/encoder_eval.h */
    ts_role role;
    ts_fmt fmt;
    double min, max;             /* of the float model */
    double used;                 /* largest integer magnitude, as a share of the format's */
    long long values, saturated; /* integers; those at the ends of their format */
    double snr, own;             /* dB: variance of the float values over the mean square error, with all that came before it; and over the
                                    rounding of this format alone. NaN: constant, or not comparable (scores are defined up to a constant a query) */
} ts_profile_row;

typedef struct ts_profile {
    int events, rows;
    long long hits;
    const ts_profile_row *row; /* [rows], the lowest snr first, those without one last, by layer and role */
} ts_profile;

/* Runs both models on all events that have hits. enc is what im was quantised from, or what a slice of that was: it has its layers whole.
   Each reads its own events, of the same lengths. progress may be NULL. */
const ts_profile *ts_profile_measure(ts_arena *arena, const ts_encoder *enc, const ts_events *floating, const ts_imodel *im,
                                     const ts_events *tokens, void (*progress)(void *user, double fraction), void *user);

/* For report.json; new reference. */
json_t *ts_profile_json(const ts_profile *profile);

/* "layers.2.residual, sum 1" in `text` of `size` bytes. */
void ts_profile_name(const ts_profile_row *row, char *text, size_t size);

#endif
