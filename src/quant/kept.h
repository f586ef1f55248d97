/* A model for hardware that was made for another one: shape and formats are kept. */
#ifndef TS_KEPT_H
#define TS_KEPT_H
#include "quant/formats.h"
#include "quant/imodel.h"

/* Whether the encoder has the shape of the hardware's model: sizes, activations, norms, where they stand, pooling, classes. The message
   names the first difference. classifier: the encoder's task. */
bool ts_kept_shape(const ts_encoder *enc, bool classifier, const ts_imodel *hardware, ts_err *err);

/* The hardware's bits in all formats; fails where the model's file fixes others. */
bool ts_kept_formats(ts_formats *formats, const ts_imodel *hardware, ts_err *err);

#endif
