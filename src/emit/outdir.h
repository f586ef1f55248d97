/* An output directory appears whole or not at all: it is made under a temporary name beside its place and renamed. */
#ifndef TS_OUTDIR_H
#define TS_OUTDIR_H
#include "base/arena.h"
#include "base/err.h"

typedef struct ts_outdir {
    const char *path; /* where it will be */
    const char *temp; /* where it is being made */
} ts_outdir;

/* `path` must not exist, be an empty directory, or be one that holds `marker` (a file of ours); anything else is refused.
   Directories above it are made, and stay. */
bool ts_outdir_begin(ts_arena *arena, const char *path, const char *marker, ts_outdir *out, ts_err *err);

/* Puts the new directory in place of the old one; `keep` (or NULL) is a subdirectory of the old one that moves to the new. */
bool ts_outdir_commit(ts_arena *arena, const ts_outdir *out, const char *keep, ts_err *err);

/* Removes what was made. */
void ts_outdir_abort(ts_arena *arena, const ts_outdir *out);

/* mkdir; an existing directory is fine. */
bool ts_outdir_make(const char *path, ts_err *err);

/* rm -r. Symbolic links are removed, not followed. */
bool ts_outdir_remove(ts_arena *arena, const char *path, ts_err *err);

#endif
