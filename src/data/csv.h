/* CSV with a header line (RFC 4180), read as a stream: columns by name, values checked one by one, messages with file and line.
   Fields may stand in double quotes, which keep commas, line ends and (doubled) quotes; spaces around a field without quotes are not
   part of it. Lines end in LF or CR LF; lines without anything on them are skipped; a byte order mark is skipped. */
#ifndef TS_CSV_H
#define TS_CSV_H
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

typedef struct ts_csv {
    const char *path;
    int columns;
    char **name;    /* [columns], from the header */
    char **field;   /* [columns], of the row that was read last; until the next one is read */
    long long line; /* on which that row begins, the header's being 1 */
    /* how far the file is read: */
    FILE *f;
    char *buffer;
    size_t at, end, room;       /* in the buffer: what is not yet a row is at ... end */
    long long next_line, bytes; /* line of the next row; bytes read into the buffer so far */
    bool whole;                 /* nothing is left to read */
} ts_csv;

/* Opens the file and reads its header; `arena` keeps the names. Fails on empty files and repeated column names. What is open is closed by
   ts_csv_close, also after errors; closing what was never opened, or twice, does nothing. */
bool ts_csv_open(ts_arena *arena, const char *path, ts_csv *csv, ts_err *err);
void ts_csv_close(ts_csv *csv);

/* The column of that name, or -1. */
int ts_csv_column(const ts_csv *csv, const char *name);

/* As ts_csv_column; where it is absent, an error that says what for it is needed and which columns there are. */
bool ts_csv_need(const ts_csv *csv, const char *name, const char *what_for, int *column, ts_err *err);

/* Names of the columns, for messages; they are cut where they are too many. */
const char *ts_csv_names(const ts_csv *csv, char *text, size_t room);

/* The next row. BAD, with a message: NUL bytes, rows of another number of values than the header, quotes that do not close, rows of over a
   megabyte, failing reads. */
typedef enum { TS_CSV_ROW, TS_CSV_END, TS_CSV_BAD } ts_csv_status;
ts_csv_status ts_csv_next(ts_csv *csv, ts_err *err);

/* Decimal numbers, such as 7, -1.5, +1, 1e5; spaces around them do not count. */
bool ts_csv_integer(const ts_csv *csv, int column, int64_t *value, ts_err *err); /* 64 bits, never through a double */
bool ts_csv_number(const ts_csv *csv, int column, double *value, ts_err *err);   /* finite */

#endif
