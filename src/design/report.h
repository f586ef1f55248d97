/* DIR/report.json: what compile, simulate and synth found, for machines; the same as a table, for people. */
#ifndef TS_REPORT_H
#define TS_REPORT_H
#include <jansson.h>
#include <stdio.h>

#include "base/err.h"
#include "design/design.h"

/* Reads DIR/report.json; NULL with a message where it is missing or damaged. New reference. */
json_t *ts_report_load(const char *dir, ts_err *err);

/* Replaces one member of the design's report, atomically, and unless another design has taken its place; takes the reference to `value`. */
bool ts_report_put(const ts_design *design, const char *member, json_t *value, ts_err *err);

/* Writes a whole report (borrowed) to PATH as ts_file_write does, with sorted members. */
bool ts_report_write(const char *path, const json_t *report, ts_err *err);

/* A whole report as it is written: with sorted members. */
char *ts_report_text(ts_arena *arena, const json_t *report);

/* The report as a table: model, device, predicted and, where there, simulated and synthesised figures side by side. */
void ts_report_print(FILE *out, const json_t *report);

/* Its member "host", of an assisted design: what is in hardware, what the host does, and, where that is there, the way between. */
void ts_report_print_host(FILE *out, const json_t *host, double clock_mhz);

/* The member "measured" of that. */
void ts_report_print_measured(FILE *out, const json_t *measured);

#endif
