#define TS_FAIL_CODE TS_BAD_FILE
#include "data/csv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/boundary.h"
#include "base/input.h"
#include "base/memory.h"

enum { ROOM = 1 << 16, ROW_MOST = 1 << 20, COLUMNS_MOST = 1 << 16 };

/* Reads on behind what the buffer holds; what is in front of csv->at makes room. *moved: by how much the rest went towards its front. */
static bool refill(ts_csv *csv, size_t *moved, ts_err *err)
{
    *moved = csv->at;
    memmove(csv->buffer, csv->buffer + csv->at, csv->end - csv->at);
    csv->end -= csv->at;
    csv->at = 0;
    if (csv->end == csv->room) {
        if (csv->room == ROW_MOST)
            return ts_fail(err, "%s:%lld: a row of over %d bytes (a quote that is not closed, or no text file?)", csv->path, csv->next_line,
                           ROW_MOST);
        csv->room *= 2;
        csv->buffer = ts_realloc(csv->buffer, csv->room + 1, 1, "a row");
    }
    const size_t got = fread(csv->buffer + csv->end, 1, csv->room - csv->end, csv->f);
    if (ferror(csv->f))
        return ts_fail_as(err, TS_BAD_FILE, "%s: reading stopped after %lld bytes: %s", csv->path, csv->bytes, strerror(errno));
    if (memchr(csv->buffer + csv->end, 0, got))
        return ts_fail(err, "%s: not a text file (it holds a NUL byte; UTF-16 must be saved as UTF-8)", csv->path);
    csv->end += got;
    csv->bytes += (long long)got;
    csv->whole = got == 0;
    return true;
}

/* Whether a quote at `at` opens a field that begins at or behind `start`: nothing but spaces is between it and a comma, or the start. */
static bool opens(const char *text, size_t start, size_t at)
{
    while (at > start && text[at - 1] == ' ')
        at--;
    return at == start || text[at - 1] == ',';
}

/* Finds the line end that ends the row at csv->at, or the end of the file: *stop. *lines: line ends in the row, that one included. */
static bool find_end(ts_csv *csv, size_t *stop, long long *lines, ts_err *err)
{
    size_t at = csv->at, closed = SIZE_MAX, moved; /* closed: behind the last closing quote */
    bool quoted = false;
    *lines = 0;
    for (;;) {
        if (at == csv->end) {
            if (!refill(csv, &moved, err))
                return false;
            at -= moved;
            closed -= closed == SIZE_MAX ? 0 : moved;
            if (!csv->whole)
                continue;
            *stop = csv->end;
            return !quoted || ts_fail(err, "%s:%lld: a quote that is never closed", csv->path, csv->next_line);
        }
        const char *from = csv->buffer + at, *line = memchr(from, '\n', csv->end - at);
        const size_t length = line ? (size_t)(line - from) : csv->end - at;
        const char *quote = memchr(from, '"', length);
        if (quote) {
            const size_t here = (size_t)(quote - csv->buffer);
            if (quoted)
                closed = here + 1;
            if (quoted || here == closed || opens(csv->buffer, csv->at, here)) /* a doubled quote closes and opens again */
                quoted = !quoted;
            at = here + 1;
            continue;
        }
        at += length;
        if (!line)
            continue;
        ++*lines;
        if (!quoted) {
            *stop = at;
            return true;
        }
        at++;
    }
}

/* The field at *p, in place, without the spaces or quotes around it; *p goes behind its comma, or becomes NULL where it is the last one.
   NULL where something follows a closing quote. */
static char *take_field(char **p)
{
    char *from = *p;
    while (*from == ' ')
        from++;
    if (*from != '"') {
        char *comma = strchr(from, ','), *end = comma ? comma : from + strlen(from);
        *p = comma ? comma + 1 : NULL;
        while (end > from && end[-1] == ' ')
            end--;
        *end = 0;
        return from;
    }
    char *to = from, *q = from + 1;
    for (; *q && !(*q == '"' && q[1] != '"'); q++) {
        q += *q == '"';
        *to++ = *q;
    }
    q += *q == '"';
    while (*q == ' ')
        q++;
    if (*q && *q != ',')
        return NULL;
    *p = *q ? q + 1 : NULL;
    *to = 0;
    return from;
}

/* Splits a row, in place; stores at most `room` fields and returns how many there are, or -1 where something follows a closing quote. */
static int split(char *p, char **field, int room)
{
    int n = 0;
    for (; p; n++) {
        char *own = take_field(&p);
        if (!own)
            return -1;
        if (n < room)
            field[n] = own;
    }
    return n;
}

/* The next row's text, without its line end; lines with nothing on them are skipped. */
static ts_csv_status take_row(ts_csv *csv, char **row, ts_err *err)
{
    while (!csv->whole || csv->at < csv->end) {
        size_t stop;
        long long lines;
        if (!find_end(csv, &stop, &lines, err))
            return TS_CSV_BAD;
        char *end = csv->buffer + stop;
        *row = csv->buffer + csv->at;
        csv->line = csv->next_line;
        csv->next_line += lines;
        csv->at = stop + (stop < csv->end);
        if (end > *row && end[-1] == '\r')
            end--;
        *end = 0;
        if ((*row)[strspn(*row, " \t")])
            return TS_CSV_ROW;
    }
    return TS_CSV_END;
}

static bool not_closed_in_row(const ts_csv *csv, ts_err *err)
{
    return ts_fail(err, "%s:%lld: something follows a closing quote in a value; a quote in it must be doubled", csv->path, csv->line);
}

static bool read_header(ts_arena *arena, ts_csv *csv, ts_err *err)
{
    size_t moved;
    if (!refill(csv, &moved, err))
        return false;
    if (csv->end == 0)
        return ts_fail(err, "%s: the file is empty; expected a header and one row a hit", csv->path);
    if (csv->end >= 3 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0)
        csv->at = 3;
    char *row;
    const ts_csv_status status = take_row(csv, &row, err);
    if (status != TS_CSV_ROW)
        return status == TS_CSV_END &&
               ts_fail(err, "%s: the file is empty but for line ends; expected a header and one row a hit", csv->path);
    char *own = ts_strdup(arena, row);
    csv->columns = 1;
    for (const char *p = own; *p; p++)
        csv->columns += *p == ',';
    if (strchr(own, '\r') && !strchr(own, '"'))
        return ts_fail(err, "%s: its lines end in CR alone; save it with LF or CR LF", csv->path);
    if (csv->columns > COLUMNS_MOST)
        return ts_fail(err, "%s: more than %d columns", csv->path, COLUMNS_MOST);
    csv->name = TS_NEW_N(arena, char *, csv->columns);
    csv->field = TS_NEW_N(arena, char *, csv->columns);
    csv->columns = split(own, csv->name, csv->columns);
    if (csv->columns < 0)
        return not_closed_in_row(csv, err);
    if (csv->columns == 1 && strpbrk(csv->name[0], ";\t"))
        return ts_fail(err, "%s: its values are not separated by commas (the header is '%.60s')", csv->path, csv->name[0]);
    for (int c = 0; c < csv->columns; c++)
        if (ts_csv_column(csv, csv->name[c]) != c)
            return ts_fail(err, "%s: column '%.60s' stands twice in the header", csv->path, csv->name[c]);
    return true;
}

bool ts_csv_open(ts_arena *arena, const char *path, ts_csv *csv, ts_err *err)
{
    *csv = (ts_csv){.path = ts_strdup(arena, path), .f = ts_input_open(path, err), .room = ROOM, .next_line = 1};
    if (!csv->f)
        return false;
    csv->buffer = ts_malloc(csv->room + 1, 1, "a row");
    if (read_header(arena, csv, err))
        return true;
    ts_csv_close(csv);
    return false;
}

void ts_csv_close(ts_csv *csv)
{
    if (csv->f)
        ts_fclose(csv->f);
    ts_free(csv->buffer);
    csv->f = NULL;
    csv->buffer = NULL;
}

int ts_csv_column(const ts_csv *csv, const char *name)
{
    for (int c = 0; c < csv->columns; c++)
        if (strcmp(csv->name[c], name) == 0)
            return c;
    return -1;
}

const char *ts_csv_names(const ts_csv *csv, char *text, size_t room)
{
    text[0] = 0;
    size_t used = 0;
    for (int c = 0; c < csv->columns && used < room; c++)
        used += (size_t)snprintf(text + used, room - used, "%s%s", c ? ", " : "", csv->name[c]);
    return text;
}

bool ts_csv_need(const ts_csv *csv, const char *name, const char *what_for, int *column, ts_err *err)
{
    char there[400];
    *column = ts_csv_column(csv, name);
    return *column >= 0 || ts_fail(err, "%s: column '%s' is missing; it is needed %s (the file has: %s)", csv->path, name, what_for,
                                   ts_csv_names(csv, there, sizeof there));
}

ts_csv_status ts_csv_next(ts_csv *csv, ts_err *err)
{
    char *row;
    const ts_csv_status status = take_row(csv, &row, err);
    if (status != TS_CSV_ROW)
        return status;
    const int got = split(row, csv->field, csv->columns);
    if (got == csv->columns)
        return TS_CSV_ROW;
    if (got < 0)
        not_closed_in_row(csv, err);
    else
        ts_fail(err, "%s:%lld: %d value%s, but the header has %d columns (is the file truncated?)", csv->path, csv->line, got,
                got == 1 ? "" : "s", csv->columns);
    return TS_CSV_BAD;
}

/* Where a number begins, and whether it is only digits, signs, points and exponents: no names, no hexadecimal. */
static const char *decimal(const char *text, const char *characters)
{
    text += strspn(text, " ");
    const size_t length = strspn(text, characters);
    return length > 0 && !text[length + strspn(text + length, " ")] ? text : NULL;
}

bool ts_csv_integer(const ts_csv *csv, int column, int64_t *value, ts_err *err)
{
    const char *text = decimal(csv->field[column], "+-0123456789");
    char *end = NULL;
    errno = 0;
    if (text)
        *value = strtoll(text, &end, 10);
    return (text && end > text && !end[strspn(end, " ")] && !errno) ||
           ts_fail(err, "%s:%lld: column %s is '%.40s', not a 64-bit integer", csv->path, csv->line, csv->name[column], csv->field[column]);
}

bool ts_csv_number(const ts_csv *csv, int column, double *value, ts_err *err)
{
    const char *text = decimal(csv->field[column], "+-.0123456789eE");
    char *end = NULL;
    if (text)
        *value = strtod(text, &end);
    return (text && end > text && !end[strspn(end, " ")] && isfinite(*value)) ||
           ts_fail(err, "%s:%lld: column %s is '%.40s', not a finite number", csv->path, csv->line, csv->name[column], csv->field[column]);
}
