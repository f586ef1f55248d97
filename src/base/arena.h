/* One arena per step of the flow: everything a step returns lives in its arena and dies with it. */
#ifndef TS_ARENA_H
#define TS_ARENA_H
#include <stddef.h>

typedef struct ts_arena ts_arena;

ts_arena *ts_arena_new(void);
void ts_arena_free(ts_arena *arena); /* NULL is allowed */

/* Zeroed memory for `count` objects of `size` bytes, 64-byte aligned (16, where they are less than 256 bytes). Never NULL: running out of
   memory, or a product that overflows, ends the call, as base/memory.h says (sizes that come from a file are checked against the file's
   length before they get here). */
void *ts_alloc(ts_arena *arena, size_t count, size_t size);
char *ts_strdup(ts_arena *arena, const char *text);
char *ts_printf(ts_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define TS_NEW(arena, type) ((type *)ts_alloc((arena), 1, sizeof(type)))
#define TS_NEW_N(arena, type, count) ((type *)ts_alloc((arena), (size_t)(count), sizeof(type)))

#endif
