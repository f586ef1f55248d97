/* Errors are values: a function that can fail takes a ts_err and returns false (or NULL) after filling it. */
#ifndef TS_ERR_H
#define TS_ERR_H
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct ts_err {
    char msg[1024]; /* "" means no error; otherwise what is wrong, where, and what to do */
} ts_err;

/* Fills `err` (printf-like, the first failure is kept) and returns false, so that callers can `return ts_fail(...)`. */
bool ts_fail(ts_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "PREFIX: " in front of the message of an error that is set; returns false. */
bool ts_fail_in(ts_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A broken invariant of our own: reported and aborted in every build type, release too. Never for bad input. */
_Noreturn void ts_bug(const char *file, int line, const char *what);
#define BUG(what) ts_bug(__FILE__, __LINE__, what)
#define CHECK(cond) ((cond) ? (void)0 : ts_bug(__FILE__, __LINE__, #cond))

#endif
