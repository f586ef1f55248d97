/* An output directory appears whole or not at all: it is made under a temporary name beside its place and put there by one renaming, which
   exchanges it with the old one. What others have put into the old one is in the new one, too, from the moment on when that is there. */
#ifndef TS_OUTDIR_H
#define TS_OUTDIR_H
#include "base/temporary.h"

typedef struct ts_outdir {
    const char *path; /* where it will be, behind symbolic links */
    const char *temp; /* where it is being made */
    ts_temporary temporary;
} ts_outdir;

/* `path` must not exist, be an empty directory, or be a compiled design; anything else is refused, and so is one that the process is in (it
   would be in a directory that is nowhere). Directories above it are made, and stay. */
bool ts_outdir_begin(ts_arena *arena, const char *path, ts_outdir *out, ts_err *err);

/* Puts the new directory in place of the old one. Built simulators of the old one move along, and so does what is neither its own
   (design/files.h) nor a cache; where the new one has something of that name, or it cannot be kept, nothing is replaced. Of several
   that commit to one place at the same time each gets its turn. On failure the new directory is removed. */
bool ts_outdir_commit(ts_arena *arena, ts_outdir *out, ts_err *err);

void ts_outdir_abort(ts_outdir *out);

/* Makes a directory unless it exists. */
bool ts_outdir_make(const char *path, ts_err *err);

/* Whoever changes a file of a design holds its lock meanwhile, and so does whoever replaces it: waits for them. The directory is then what
   `path` leads to until ts_outdir_unlock. */
bool ts_outdir_lock(const char *path, int *lock, ts_err *err);
void ts_outdir_unlock(int lock);

#endif
