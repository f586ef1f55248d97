/* Files that are read from their beginning to their end, of any size; pipes and devices will do. */
#ifndef TS_INPUT_H
#define TS_INPUT_H
#include <stdio.h>

#include "base/err.h"

/* Opened for reading; NULL with a message where that cannot be, or the path is a directory. The caller's to ts_fclose (base/boundary.h). */
FILE *ts_input_open(const char *path, ts_err *err);

/* Bytes of the file; -1 where it has no size (a pipe). */
long long ts_input_size(FILE *f);

#endif
