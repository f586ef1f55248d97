/* Every stage of one event, float beside integer (and beside what the simulated hardware had). */
#ifndef TS_TRACE_H
#define TS_TRACE_H
#include "emu/emu.h"
#include "graph/encoder.h"
#include "sim/simulate.h"

typedef struct ts_trace ts_trace;

ts_trace *ts_trace_new(ts_arena *arena);

/* Taps; user is the ts_trace. */
void ts_trace_float(void *user, int layer, ts_role role, int part, int head, int rows, int cols, const float *data);
void ts_trace_integer(void *user, int layer, ts_role role, int part, int rows, int cols, const int32_t *data, const double *scale,
                      const double *offset);
void ts_trace_rtl(void *user, int event, int layer, ts_role role, int part, const char *label, int rows, int cols, const int32_t *rtl,
                  const int32_t *model);

/* Writes DIR/stages.csv (a line a tensor: sizes and errors) and DIR/LAYER_ROLE_PART.csv (a line a value: row, column, float, integer as a
   real value, integer word, rtl word), and a summary of the stages to `out`. */
bool ts_trace_write(const ts_trace *trace, const char *dir, FILE *out, ts_err *err);

#endif
