/* What every function of tessera.h does first and last. */
#ifndef TS_API_CALL_H
#define TS_API_CALL_H
#include <tessera/tessera.h>

#include "base/arena.h"
#include "base/err.h"
#include "flow/notices.h"

/* The work of a call. job: what the function was given and makes; notices: never NULL. */
typedef bool ts_call_body(void *job, const ts_notices *notices, ts_err *err);

/* Runs it behind a boundary (base/boundary.h), with the callbacks as notices and as names of options; fills *error (may be NULL), returns
   its code. callbacks may be NULL. */
tessera_code ts_call(const tessera_callbacks *callbacks, tessera_error *error, ts_call_body *body, void *job);

/* The caller's options as this version has them: *own is zero but for what `given` has of it. False with a message where there are none, or
   their size is not set. what: "tessera_run_options". */
bool ts_take_options(void *own, size_t own_size, const void *given, const char *what, ts_err *err);
#define TS_TAKE_OPTIONS(own, given, type, err) ts_take_options((own), sizeof(type), (given), #type, (err))

/* Fills a caller's summary, as far as its size goes; NULL and a size of zero are fine. from: of this version, size included. */
void ts_give_summary(void *to, const void *from, size_t from_size);

/* A report of its own, copies of both texts. json: an object, or NULL: {}. */
tessera_report *ts_report_new(const char *text, const char *json);

#endif
