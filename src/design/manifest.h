/* manifest.json of a design, as it is written and read. */
#ifndef TS_MANIFEST_H
#define TS_MANIFEST_H
#include <jansson.h>

#include "emit/system.h"

enum { TS_MANIFEST_VERSION = 2 };

/* Of a system, without its list of files; extra: further members, or NULL. New reference. */
json_t *ts_manifest_of(ts_arena *arena, const ts_system *system, json_t *extra);

/* Adds the files that are in the directory now to the manifest and writes it there; takes the reference. */
bool ts_manifest_write(ts_arena *arena, const char *dir, json_t *manifest, ts_err *err);

/* What entry i of "parts" says of the ring in it, whose model and plan are set: where it is in the chain, and the way to it, with the link
   that this is. */
bool ts_manifest_part(ts_arena *arena, const json_t *entry, int i, ts_system_ring *ring, ts_link *link, ts_err *err);

#endif
