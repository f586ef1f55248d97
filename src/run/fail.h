/* Errors of the run library, as those of tessera.h: one sentence that says what is wrong, where, and what to do. */
#ifndef TS_RUN_FAIL_H
#define TS_RUN_FAIL_H
#include <stdarg.h>
#include <tessera/tessera_run.h>

/* Fills *error (never NULL inside of the library), whatever was in it; returns false. */
bool ts_run_fail(tessera_error *error, tessera_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " in front of it; returns false. */
bool ts_run_fail_in(tessera_error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Of memory that was not there; returns false. */
bool ts_run_fail_memory(tessera_error *error, size_t bytes);

#endif
