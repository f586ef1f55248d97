/* Which events calibrate, which choose between formats and which have the last word: no event and no particle is in two of them. */
#ifndef TS_SPLIT_H
#define TS_SPLIT_H
#include <jansson.h>

#include "data/events.h"
#include "data/truth.h"

/* Events as the models see them. */
typedef struct ts_sample {
    int events;
    const int64_t *id;           /* [events] */
    const int *n;                /* [events] hits */
    const float *const *x;       /* [events]: [n][features], standardised */
    const ts_truth_event *truth; /* [events], of just these hits; NULL: not known */
    int dropped;                 /* hits left out because their particle is in a sample before this one */
} ts_sample;

typedef struct ts_split {
    ts_sample calibration, selection, test; /* test may have no events */
    bool reused;                            /* too few events: those that calibrate select, too */
    uint64_t seed;
} ts_split;

typedef struct ts_split_options {
    int calibrate, select; /* wanted numbers of events */
    uint64_t seed;
} ts_split_options;

/* Calibration takes the first events, as without a search, so that formats given back compile to the same model. Selection is drawn from
   the rest, test is what is left; with fewer events than wanted each gets a third, and where that is under eight, all calibrate and select.
   Events without hits are left out. truth: of the same file, or NULL. Where a particle has hits in several events (sub-events of one
   collision), its hits are dropped from the later samples; it is the same particle where id and momentum are the same, since many files
   number the particles of each event from 1. Particle 0 is noise and never counts. Fails where no event has a hit. */
bool ts_split_events(ts_arena *arena, const ts_events *events, const ts_truth *truth, const ts_split_options *options, ts_split *split,
                     ts_err *err);

/* {"seed", "calibration": [ids], "selection": [ids], "test": [ids], ...} for the report. New reference. */
json_t *ts_split_json(const ts_split *split);

#endif
