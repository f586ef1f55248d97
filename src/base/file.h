/* Files: read whole, written so that a reader never sees half of one and nothing of the user's is lost. */
#ifndef TS_FILE_H
#define TS_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

/* ---- Reading */

/* The file's bytes and a NUL behind them; NULL with a message when it cannot be read or is a directory. Pipes and devices are read to their
 * end. */
char *ts_file_read(ts_arena *arena, const char *path, size_t *size, ts_err *err);

/* The same of at most `most` bytes, which is what `kind` ("a JSON file") may have: more is refused, before it is read where the size is
 * known. */
char *ts_file_read_most(ts_arena *arena, const char *path, size_t most, const char *kind, size_t *size, ts_err *err);

/* ---- Writing

   A file is made beside its place, under a name that nobody has (base/temporary.h), and renamed into it when it is whole: the old file
   stays until then, and when anything fails. A symbolic link stays; what it points to is replaced, or made. What is not a regular file (a
   device, a pipe, the process's own standard output) is opened and written to. A file that is replaced keeps its permissions, a new one
   gets those of the umask. */
typedef struct ts_writer {
    FILE *f; /* write here; failures are found at the commit */
    const char *path;
    struct ts_writer_state *state;
} ts_writer;
bool ts_writer_open(ts_arena *arena, const char *path, ts_writer *writer, ts_err *err);

/* Puts the file in its place; false with a message where it could not be written whole. The writer is closed either way. */
bool ts_writer_commit(ts_writer *writer, ts_err *err);

/* Closes and drops it. */
void ts_writer_abort(ts_writer *writer);

/* Bytes as such a file. */
bool ts_file_write(const char *path, const void *data, size_t size, ts_err *err);

/* A new file in a directory that is ours alone and not yet in its place: written directly, never over another one. */
bool ts_file_create(const char *path, const void *data, size_t size, ts_err *err);

/* The same, and on the disk before it returns: for what cannot be made again. */
bool ts_file_create_synced(const char *path, const void *data, size_t size, ts_err *err);

/* ---- Asking */

/* Where writing to `path` ends, behind all symbolic links, also where nothing is there yet; NULL with a message where links go in circles.
 */
const char *ts_file_target(ts_arena *arena, const char *path, ts_err *err);

/* Whether both are there, and the same regular file, by whatever names. */
bool ts_file_same(const char *a, const char *b);

#endif
