/* Files, read whole. */
#ifndef TS_RUN_FILE_H
#define TS_RUN_FILE_H
#include "run/fail.h"

/* The bytes of a file of at most `most`, and a NUL behind them, for free(); NULL with a message. */
char *ts_run_file(const char *path, size_t most, size_t *size, tessera_error *error);

/* "DIR/NAME", for free(); NULL with a message where memory runs out. */
char *ts_run_path(const char *dir, const char *name, tessera_error *error);

#endif
