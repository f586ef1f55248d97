/* Runs a program and keeps what it says in a file. */
#ifndef TS_PROCESS_H
#define TS_PROCESS_H
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/* argv[0] is looked up in PATH; NULL ends argv. Runs in directory `dir`; stdout and stderr are appended to the file `log`. A TMPDIR that is
   not plain is kept from it: Yosys, for one, hands it to a shell. Returns the exit status (128 + signal where one ended it), or -1 with a
   message when it could not be started (is it installed?). */
int ts_process_run(const char *dir, const char *const *argv, const char *log, ts_err *err);

/* Whether the tools that are run here take `path` for itself wherever they hand it on, to make or a shell: letters, digits, '.', '_', '-',
 * '/'. */
bool ts_path_is_plain(const char *path);

/* The last lines of a log, at most `chars` characters, for a message. "" when it cannot be read. */
const char *ts_process_log_tail(ts_arena *arena, const char *log, int chars);

#endif
