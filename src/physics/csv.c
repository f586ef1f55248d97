#include "physics/csv.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* Ends the line at csv->rest and returns it, without its line end; NULL at the end of the file. */
static char *take_line(ts_csv *csv)
{
    char *line = csv->rest;
    if (!line)
        return NULL;
    csv->rest = strchr(line, '\n');
    if (csv->rest)
        *csv->rest++ = 0;
    csv->line++;
    const size_t length = strlen(line);
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = 0;
    return line;
}

/* Splits at commas, in place, spaces around values dropped; stores at most `room` fields and returns how many there are. */
static int split(char *p, char **field, int room)
{
    for (int n = 0;; n++) {
        char *comma = strchr(p, ',');
        char *end = comma ? comma : p + strlen(p);
        while (p < end && *p == ' ')
            p++;
        while (end > p && end[-1] == ' ')
            end--;
        *end = 0;
        if (n < room)
            field[n] = p;
        if (!comma)
            return n + 1;
        p = comma + 1;
    }
}

bool ts_csv_open(ts_arena *arena, const char *path, ts_csv *csv, ts_err *err)
{
    size_t size;
    char *file = ts_file_read(arena, path, &size, err);
    if (!file)
        return false;
    if (size == 0)
        return ts_fail(err, "%s: the file is empty; expected a header and one row a hit", path);
    if (memchr(file, 0, size))
        return ts_fail(err, "%s: not a text file (it holds a NUL byte)", path);
    *csv = (ts_csv){.path = ts_strdup(arena, path), .rest = strncmp(file, "\xef\xbb\xbf", 3) == 0 ? file + 3 : file, .columns = 1};
    char *line = take_line(csv);
    for (const char *p = line; *p; p++)
        csv->columns += *p == ',';
    csv->name = TS_NEW_N(arena, char *, csv->columns);
    csv->field = TS_NEW_N(arena, char *, csv->columns);
    split(line, csv->name, csv->columns);
    for (int c = 0; c < csv->columns; c++)
        if (ts_csv_column(csv, csv->name[c]) != c)
            return ts_fail(err, "%s: column '%.60s' stands twice in the header", path, csv->name[c]);
    return true;
}

int ts_csv_column(const ts_csv *csv, const char *name)
{
    for (int c = 0; c < csv->columns; c++)
        if (strcmp(csv->name[c], name) == 0)
            return c;
    return -1;
}

bool ts_csv_need(const ts_csv *csv, const char *name, const char *what_for, int *column, ts_err *err)
{
    *column = ts_csv_column(csv, name);
    if (*column >= 0)
        return true;
    char there[400] = "";
    for (int c = 0, used = 0; c < csv->columns && used < (int)sizeof there; c++)
        used += snprintf(there + used, sizeof there - (size_t)used, "%s%s", c ? ", " : "", csv->name[c]);
    return ts_fail(err, "%s: column '%s' is missing; it is needed %s (the file has: %s)", csv->path, name, what_for, there);
}

ts_csv_status ts_csv_next(ts_csv *csv, ts_err *err)
{
    char *line = take_line(csv);
    if (!line || (!*line && (!csv->rest || !*csv->rest)))
        return TS_CSV_END;
    const int got = split(line, csv->field, csv->columns);
    if (got != csv->columns) {
        ts_fail(err, "%s:%d: %d value%s, but the header has %d columns (is the file truncated?)", csv->path, csv->line, got,
                got == 1 ? "" : "s", csv->columns);
        return TS_CSV_BAD;
    }
    return TS_CSV_ROW;
}

bool ts_csv_integer(const ts_csv *csv, int column, int64_t *value, ts_err *err)
{
    const char *text = csv->field[column];
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return (*text && !*end && !errno) ||
           ts_fail(err, "%s:%d: %s is '%.40s', not a 64-bit integer", csv->path, csv->line, csv->name[column], text);
}

bool ts_csv_number(const ts_csv *csv, int column, double *value, ts_err *err)
{
    const char *text = csv->field[column];
    char *end;
    *value = strtod(text, &end);
    return (*text && !*end && isfinite(*value)) ||
           ts_fail(err, "%s:%d: %s is '%.40s', not a finite number", csv->path, csv->line, csv->name[column], text);
}
