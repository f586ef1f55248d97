/* An output, before any work is done for it. */
#ifndef TS_OUTPUT_H
#define TS_OUTPUT_H
#include "design/design.h"
#include "flow/feed.h"

/* Whether `output` can be written, and is not the file `input` (what: "the events file"); NULL inputs are fine. */
bool ts_check_output(const char *output, ts_err *err);
bool ts_check_output_is_not(const char *output, const char *input, const char *what, ts_err *err);

/* None of the files that the events come from. */
bool ts_check_output_source(const char *output, const ts_event_source *source, ts_err *err);

/* None of a design's own files. */
bool ts_check_output_design(const char *output, const ts_design *design, ts_err *err);

#endif
