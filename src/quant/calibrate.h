/* Ranges of every tensor of an encoder over calibration events: what quantisation takes its scales from. */
#ifndef TS_CALIBRATE_H
#define TS_CALIBRATE_H
#include "base/arena.h"
#include "base/err.h"
#include "graph/encoder.h"
#include "ref/encoder_eval.h"

typedef struct ts_range {
    float min, max;
    float min2, max2; /* of all events but the one that has min, or max; min and max themselves where there is one event */
    int events;
    double sum; /* of `count` values: their mean is sum / count */
    long long count;
} ts_range;

enum { TS_CALIBRATION_PARTS = 8 }; /* most parts of a (layer, role): those of RES */

typedef struct ts_calibration ts_calibration;

ts_calibration *ts_calibration_new(ts_arena *arena, const ts_encoder *enc);

/* Evaluates one event and widens the ranges. x: [n][features], standardised; n = 0 adds nothing. Fails (and leaves the
   calibration as it was) where the model makes a value that is not finite, and says where. */
bool ts_calibration_add(ts_calibration *cal, int n, const float *x, ts_err *err);

/* The same for many events, on all processors; the result does not depend on their number. n: [count], x: [count] arrays. Where it
   fails, the events before the first bad one have been added. */
bool ts_calibration_add_events(ts_calibration *cal, int count, const int *n, const float *const *x, ts_err *err);

int ts_calibration_events(const ts_calibration *cal); /* added so far, those without hits not counted */
long long ts_calibration_tokens(const ts_calibration *cal);

/* Ranges of a tensor, one a channel (SCORE: one a head); `part` as in ts_tap. NULL where the model has no such tensor or
   nothing was added. P and W are not kept: their ranges are known. */
const ts_range *ts_calibration_get(const ts_calibration *cal, int layer, ts_role role, int part, int *channels);

/* How the inputs of a linear vary together. */
typedef struct ts_moments {
    int channels;
    const double *mean;       /* [channels] */
    const double *covariance; /* [channels][channels] */
} ts_moments;

/* Of IN, EMBED_HIDDEN, QKV_IN, CTX, FFN_IN, HIDDEN, HEAD_IN and HEAD_HIDDEN, made in `arena`; false where the tensor is another one, has
   too many channels for it to be kept (over 1,024), or does not exist. */
bool ts_calibration_moments(ts_arena *arena, const ts_calibration *cal, int layer, ts_role role, int part, ts_moments *moments);

#endif
