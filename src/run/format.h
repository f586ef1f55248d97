/* Between real values, the hardware's integers, and bytes of its streams. */
#ifndef TS_RUN_FORMAT_H
#define TS_RUN_FORMAT_H
#include "run/package.h"

/* Values as the model takes them, [hits][features], from what the caller has; false, TESSERA_USAGE, where one is not finite. */
bool ts_run_standardise(const ts_run_package *package, const ts_run_numbers *numbers, const tessera_run_event *event, float *values,
                        tessera_error *error);

/* words[tokens][values] of the hardware: floor(x / scale + 0.5), within its bits. */
void ts_run_quantise(const ts_run_stream *in, const double *scale, int64_t tokens, const float *values, int32_t *words);

/* Whether all are within the hardware's bits; false, TESSERA_USAGE. */
bool ts_run_check_words(const ts_run_stream *in, int64_t tokens, const int32_t *words, tessera_error *error);

/* Bytes of a stream of so many hits or rows, and both ways. */
size_t ts_run_stream_size(const ts_run_stream *stream, int64_t rows);
void ts_run_pack(const ts_run_stream *stream, int64_t rows, const int32_t *words, uint8_t *bytes);
void ts_run_unpack(const ts_run_stream *stream, int64_t rows, const uint8_t *bytes, int32_t *words);

/* Bytes of an event's results as they leave the hardware, with the status word behind them where there is one; at most so many of an event
   of so many rows. */
size_t ts_run_result_most(const ts_run_package *package, int64_t rows);

/* Takes the status word off what came: *size and *flags become those of the results; false where there is none, or it is not of them. */
bool ts_run_take_status(const ts_run_package *package, const uint8_t *bytes, size_t *size, unsigned *flags);

/* As hardware does, for those who stand for it: behind *size bytes of results; bytes has room for ts_run_result_most. */
void ts_run_put_status(const ts_run_package *package, uint8_t *bytes, size_t *size, unsigned flags);

/* Real values of rows: word * scale; of an arg-max {value * scale, class}. */
void ts_run_dequantise(const ts_run_package *package, const ts_run_numbers *numbers, int64_t rows, const int32_t *words, double *values);

#endif
