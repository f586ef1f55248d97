/* JSON files that users write: read whole, with messages that name file and place; nothing in them goes unnoticed. And JSON as text,
   without a way to fail unseen. */
#ifndef TS_JSON_H
#define TS_JSON_H
#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"

/* The object that a file's text is; the caller's to json_decref. NULL with a message (PATH:LINE:COLUMN where it is known) for what is no
   JSON, repeats a member, or is another value than an object. A byte order mark in front is skipped. */
json_t *ts_json_parse(const char *path, const char *text, size_t size, ts_err *err);

/* The same of a file of at most TS_JSON_MOST bytes; a pipe will do. */
enum { TS_JSON_MOST = 256 << 20 };
json_t *ts_json_load(const char *path, ts_err *err);

/* Whether every member of `object` is one of `known` (ends with NULL): what is mistyped would otherwise just not count. The message names
   the member, the place `where` ("" for the file's own object), and the known ones. */
bool ts_json_only(const json_t *object, const char *path, const char *where, const char *const *known, ts_err *err);

/* As json_dumps, in the arena. */
char *ts_json_text(ts_arena *arena, const json_t *json, size_t flags);

#endif
