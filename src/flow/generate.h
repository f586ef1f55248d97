/* Events of a simulated detector, with truth, as a file. */
#ifndef TS_FLOW_GENERATE_H
#define TS_FLOW_GENERATE_H
#include "flow/notices.h"
#include "physics/generate_csv.h"

typedef struct ts_generate_job {
    const ts_notices *notices;
    ts_generate_options options;
    const char *geometry; /* a name, or a file ending in .json; NULL: trackml-like */
    const char *output;
    int64_t first, count; /* of the events */
} ts_generate_job;

/* Checks the options' ranges, and that the output is no file that is read. text: what people are told of it, lines with their ends. */
bool ts_generate_file(ts_arena *arena, const ts_generate_job *job, ts_generate_totals *totals, const char **text, ts_err *err);

#endif
