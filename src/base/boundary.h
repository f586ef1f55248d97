/* Where a call of the library begins: what runs inside may leave it from anywhere, when memory runs out or an invariant is broken, and
   comes back as an error. What was allocated inside (base/memory.h) and what is held is given back first. Outside of any boundary, in
   tests of parts, such ends are the process's.
   In a circle with base/err.h: a boundary is left with an error, and a broken invariant leaves the boundary. */
#ifndef TS_BOUNDARY_H
#define TS_BOUNDARY_H
#include <dirent.h>
#include <stdio.h>

#include "base/err.h"

/* False where body is false, or was left; *err says why. Calls nest; each thread has its own. What body allocated and did not free stays,
   where it was not left. */
bool ts_boundary_run(bool (*body)(void *user, ts_err *err), void *user, ts_err *err);

/* Leaves the innermost boundary of this thread with an error; comes back where there is none. */
void ts_boundary_leave(ts_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What has to be given back when the boundary is left, other than memory: a file, a directory, a temporary. `release` is called before
   memory is given back, the last one first; it must not fail. Between the two calls, which belong to one thread, `what` must not move.
   Without a boundary they do nothing. */
void ts_hold(void (*release)(void *what), void *what);
void ts_let_go(void (*release)(void *what), const void *what); /* the last of the kind; none is fine */

/* The same around functions of the C library. */
void ts_hold_fd(int fd);
int ts_close(int fd);
FILE *ts_fopen(const char *path, const char *mode); /* NULL with errno, as fopen */
int ts_fclose(FILE *f);
DIR *ts_opendir(const char *path);
void ts_closedir(DIR *d);

/* Runs body(user, 0) ... body(user, count - 1) on the threads that OpenMP has, `chunk` at a time; what leaves the boundary in one of them
   leaves it for all, behind the last that had begun. threads: false: one after the other. */
void ts_parallel_most(int threads); /* of the process, from now on; before: as many as OpenMP gives */
int ts_parallel_threads(void);      /* that a section begun here would have */
void ts_parallel(int count, int chunk, bool threads, void (*body)(void *user, int index), void *user);

/* ---- For base/memory.c: memory that belongs to the boundary. */
bool ts_boundary_is_here(void);     /* this thread is in a call */
bool ts_boundary_keep(void *block); /* false where it cannot be remembered, for want of memory */
void ts_boundary_drop(void *block);

#endif
