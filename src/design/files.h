/* Which files belong to a design: the manifest's member "files", name -> bytes, or null for files that change afterwards. Everything else
   in the directory is somebody else's. */
#ifndef TS_DESIGN_FILES_H
#define TS_DESIGN_FILES_H
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

/* Files of every design, and copies of what it was compiled from. */
#define TS_MANIFEST "manifest.json"
#define TS_INTEGER_MODEL "model.tsm"
#define TS_REPORT "report.json"
#define TS_MODEL_COPY "model.onnx"
#define TS_INPUTS_COPY "inputs.json"

/* The files that are in the directory now, sorted, and the manifest that is about to be written: its member "files". New reference; NULL
   with a message where the directory cannot be read. */
json_t *ts_design_files(ts_arena *arena, const char *dir, ts_err *err);

/* Whether every file of the design that is in `dir` is there with its size; the message names the one that is not. */
bool ts_design_files_check(ts_arena *arena, const char *dir, const json_t *manifest, ts_err *err);

/* Where a device that the program does not know is in a design. */
const char *ts_design_device_file(ts_arena *arena, const char *dir, const char *name);

/* Whether the manifest has the file. */
bool ts_design_has(const json_t *manifest, const char *name);

/* What a directory's files are, for the one that replaces it: a design's, a cache's (of simulators and syntheses, made again when they are
   missed), or somebody else's. manifest: of the directory, or NULL; where it has no "files" (of an older version) whatever has a design's
   names counts. */
typedef enum { TS_FILE_OF_DESIGN, TS_FILE_OF_CACHE, TS_FILE_OF_OTHERS } ts_file_kind;
ts_file_kind ts_design_file_kind(const json_t *manifest, const char *name);

/* Whether a directory called `name` is one that a design has by itself. */
bool ts_design_directory(const json_t *manifest, const char *name);

#endif
