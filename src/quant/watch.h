/* What calibration events say that makes formats doubtful: too few of them, inputs that never vary, values far from all others. */
#ifndef TS_WATCH_H
#define TS_WATCH_H
#include "quant/calibrate.h"
#include "quant/formats.h"

/* Warns through formats->warn, naming the tensor and what to do. column [features]: names of the inputs, or NULL. */
void ts_watch_calibration(const ts_encoder *enc, const ts_calibration *cal, const ts_formats *formats, const char *const *column);

#endif
