/* Memory that never comes back as NULL. Every allocation of the library, and of jansson and protobuf-c below it, passes here, so that
   running out is met in one place: it leaves the call of the library (base/boundary.h) with TS_OUT_OF_MEMORY, and takes what the call had
   allocated along. */
#ifndef TS_MEMORY_H
#define TS_MEMORY_H
#include <stdbool.h>
#include <stddef.h>

/* Passes jansson's allocations here, once. Before the first call's first json_t is made. */
void ts_memory_start(void);

/* Of `bytes` (SIZE_MAX: more than can be counted) for `what`: for those who allocate by themselves. Outside of any call it ends the
 * process.
 */
_Noreturn void ts_memory_fail(size_t bytes, const char *what);

/* As malloc, calloc, realloc and aligned_alloc of count * size bytes, for ts_free; `what` goes into the message. */
void *ts_malloc(size_t count, size_t size, const char *what);
void *ts_calloc(size_t count, size_t size, const char *what);
void *ts_realloc(void *old, size_t count, size_t size, const char *what);
void *ts_aligned_alloc(size_t alignment, size_t bytes, const char *what);

/* Of these, of jansson, and of the C library's own functions that allocate. NULL will do. */
void ts_free(void *block);

/* As realloc, for ts_free: NULL where there is too little, and then `old` is still there. */
void *ts_try_realloc(void *old, size_t bytes);

/* The same where it is no end: NULL where there is too little, for sizes that follow from an event and whose failure can be told with its
   name. Zeroed. */
void *ts_try_calloc(size_t count, size_t size);

/* Bytes that this machine, or the control group that the process is in, has in all: what wants more is refused before it is tried, where
   the system would promise it and kill the process later. */
size_t ts_memory_limit(void);

#endif
