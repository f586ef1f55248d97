/* Temporaries: files and directories that are made beside their place and renamed into it. Their names are `.NAME.tessera-` and twelve
   characters, of which the last four follow from the others: a name that was not made here is not taken for one. Each is locked by the
   process that makes it, so that one without a lock is what a killed process left, and may go. Nothing else is ever removed. */
#ifndef TS_TEMPORARY_H
#define TS_TEMPORARY_H
#include "base/arena.h"
#include "base/err.h"

typedef struct ts_temporary {
    const char *path;
    int fd;   /* of the file, for reading and writing; of the directory */
    int slot; /* in the list of those that ts_temporary_remove_all removes; -1: in none */
} ts_temporary;

/* Makes one beside `target`, and removes what killed processes left of the same target. */
bool ts_temporary_file(ts_arena *arena, const char *target, ts_temporary *temporary, ts_err *err);
bool ts_temporary_directory(ts_arena *arena, const char *target, ts_temporary *temporary, ts_err *err);

/* A name beside `target` for what it leads to while something else takes its place, and the one of these names that a killed process left
   (NULL: none). Such a thing is a whole one: it is not removed as temporaries are. */
const char *ts_temporary_aside_name(ts_arena *arena, const char *target);
const char *ts_temporary_aside(ts_arena *arena, const char *target);

/* Whether a file of that name (without its directory) is a temporary. */
bool ts_temporary_is(const char *name);

/* Not ours any more: renamed into its place, or removed. Its lock stays until fd is closed, by the caller. */
void ts_temporary_forget(ts_temporary *temporary);

/* Removes it, with what is in it, and closes fd. */
void ts_temporary_remove(ts_temporary *temporary);

/* All of this process: for its untimely end. Takes no memory and no lock; may be called by a signal handler. */
void ts_temporary_remove_all(void);

/* Removes a file, or a directory with all that is in it, never through a symbolic link; false where something stays. Takes no memory. */
bool ts_remove_tree(const char *path);

#endif
