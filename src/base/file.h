/* Whole files: read into memory, written so that a reader never sees half of one. */
#ifndef TS_FILE_H
#define TS_FILE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* The file's bytes and a NUL behind them; NULL with a message when it cannot be read or is a directory. */
char *ts_file_read(ts_arena *arena, const char *path, size_t *size, ts_err *err);

/* Writes to PATH.new and renames: the old file stays whole when anything fails. */
bool ts_file_write(const char *path, const void *data, size_t size, ts_err *err);

/* The same bytes at another place. */
bool ts_file_copy(ts_arena *arena, const char *from, const char *to, ts_err *err);

#endif
