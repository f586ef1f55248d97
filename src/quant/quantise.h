/* Float encoder + ranges + formats -> integer model. Every scale is chosen here; docs/numerics.md says what the result means. */
#ifndef TS_QUANTISE_H
#define TS_QUANTISE_H
#include "quant/calibrate.h"
#include "quant/formats.h"
#include "quant/imodel.h"

/* NULL with a message where nothing was calibrated or a format cannot hold what the model needs. Tensors that never move, weights
   that are all zero and ranges ruled by one outlier are quantised sensibly and reported through formats->warn. The result has
   passed ts_imodel_verify, but where the hardware that is kept is too small: then formats->room has places, and the result is good for
   nothing but finding more of them (ts_weights_make). */
const ts_imodel *ts_quantise(ts_arena *arena, const ts_encoder *enc, const ts_calibration *cal, const ts_formats *formats, ts_err *err);

/* Whether the first layer's q, k, v are made straight from the embedding's input: the model gets a `qkv0`. Not where the model's file
   prescribes how they are made (quant/given.h). */
bool ts_fuses_qkv0(const ts_encoder *enc);

#endif
