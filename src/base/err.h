/* Errors are values: a function that can fail takes a ts_err and returns false (or NULL) after filling it. */
#ifndef TS_ERR_H
#define TS_ERR_H
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* What kind of thing went wrong; tessera.h explains them. They are exit statuses of the command line, too. */
typedef enum ts_code {
    TS_OK = 0,
    TS_FAILED = 1,
    TS_USAGE = 2,
    TS_NO_FILE = 4,
    TS_BAD_FILE = 5,
    TS_UNSUPPORTED = 6,
    TS_DOES_NOT_FIT = 7,
    TS_OUT_OF_MEMORY = 8,
    TS_NOT_WRITTEN = 9,
    TS_DAMAGED = 10,
    TS_DIFFERS = 11,
    TS_NO_TOOL = 12,
    TS_INTERNAL = 13,
    TS_CANCELLED = 14
} ts_code;

typedef struct ts_err {
    char msg[1024]; /* "" means no error; otherwise what is wrong, where, and what to do */
    ts_code code;   /* TS_OK: no error */
} ts_err;

/* Fills `err` (printf-like, the first failure is kept) and returns false, so that callers can `return ts_fail(...)`. A file whose failures
   are mostly of one kind defines TS_FAIL_CODE in front of its includes; ts_fail_as is for the others. */
#ifndef TS_FAIL_CODE
#define TS_FAIL_CODE TS_FAILED
#endif
#define ts_fail(err, ...) ts_fail_as((err), TS_FAIL_CODE, __VA_ARGS__)
bool ts_fail_as(ts_err *err, ts_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with the error that something else met. */
bool ts_fail_with(ts_err *err, const ts_err *met);

/* The code for a system call's errno: of what is read, of what is written, or `code`, but where memory ran out. */
ts_code ts_code_or(ts_code code, int number);
ts_code ts_code_of_read(int number);
ts_code ts_code_of_write(int number);

/* What a member of options is called in messages: by its name, or by the one that whoever listens on this thread has for it. */
const char *ts_option(const char *member);
typedef struct ts_option_names {
    const char *(*name)(void *user, const char *member); /* NULL: the member's own */
    void *user;
} ts_option_names;
ts_option_names ts_option_names_set(ts_option_names names); /* of this thread; returns those before */

/* Puts "PREFIX: " in front of the message of an error that is set; returns false. */
bool ts_fail_in(ts_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A broken invariant of our own, looked for in every build type, release too: ends the call of the library, or, outside of any, the
   process. Never for bad input. */
_Noreturn void ts_bug(const char *file, int line, const char *what);
#define BUG(what) ts_bug(__FILE__, __LINE__, what)
#define CHECK(cond) ((cond) ? (void)0 : ts_bug(__FILE__, __LINE__, #cond))

#endif
