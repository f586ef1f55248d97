/* CSV with a header line and numbers: columns by name, values checked one by one, messages with file and line. */
#ifndef TS_CSV_H
#define TS_CSV_H
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct ts_csv {
    const char *path;
    int columns;
    char **name;  /* [columns], from the header */
    char **field; /* [columns], of the row that was read last */
    int line;     /* of that row, the header being 1 */
    char *rest;   /* what has not been read, or NULL at the end */
} ts_csv;

/* Reads the file and its header. Fails on empty files, NUL bytes and repeated column names. */
bool ts_csv_open(ts_arena *arena, const char *path, ts_csv *csv, ts_err *err);

/* The column of that name, or -1. */
int ts_csv_column(const ts_csv *csv, const char *name);

/* As ts_csv_column; where it is absent, an error that says what for it is needed and which columns there are. */
bool ts_csv_need(const ts_csv *csv, const char *name, const char *what_for, int *column, ts_err *err);

typedef enum { TS_CSV_ROW, TS_CSV_END, TS_CSV_BAD } ts_csv_status;
ts_csv_status ts_csv_next(ts_csv *csv, ts_err *err);

bool ts_csv_integer(const ts_csv *csv, int column, int64_t *value, ts_err *err); /* 64 bits, never through a double */
bool ts_csv_number(const ts_csv *csv, int column, double *value, ts_err *err);   /* finite */

#endif
