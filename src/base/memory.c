#include "base/memory.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/boundary.h"

enum { WORTH_ASKING = 1 << 28 }; /* requests below are tried without asking how much there is */

void ts_memory_fail(size_t bytes, const char *what)
{
    char amount[32] = "more";
    if (bytes < SIZE_MAX)
        snprintf(amount, sizeof amount, "%zu", bytes);
    ts_boundary_leave(TS_OUT_OF_MEMORY, "out of memory: %s bytes for %s", amount, what);
    fprintf(stderr, "tessera: out of memory: %s bytes for %s\n", amount, what);
    _exit(EXIT_FAILURE);
}

/* A file with one number; SIZE_MAX where it says none. */
static size_t number_in(const char *path)
{
    char text[32] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SIZE_MAX;
    const ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    const unsigned long long value = got > 0 ? strtoull(text, NULL, 10) : 0;
    return value > 0 && value < SIZE_MAX ? (size_t)value : SIZE_MAX; /* "max" is 0 here */
}

size_t ts_memory_limit(void)
{
    static const char *const groups[] = {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t most = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const size_t group = number_in(groups[i]);
        most = group < most ? group : most;
    }
    return most;
}

/* The product, at least 1; false where it is more than can be counted or than the machine has. */
static bool product(size_t count, size_t size, size_t *bytes)
{
    *bytes = SIZE_MAX;
    if (size != 0 && count > PTRDIFF_MAX / size)
        return false;
    *bytes = count == 0 || size == 0 ? 1 : count * size;
    return *bytes < WORTH_ASKING || *bytes <= ts_memory_limit();
}

/* A new block is known to the call that it is made in. */
static void *kept(void *p)
{
    if (p && !ts_boundary_keep(p)) {
        free(p);
        return NULL;
    }
    return p;
}

static void *got(void *p, size_t bytes, const char *what)
{
    p = kept(p);
    if (!p)
        ts_memory_fail(bytes, what);
    return p;
}

void *ts_malloc(size_t count, size_t size, const char *what)
{
    size_t bytes;
    const bool fits = product(count, size, &bytes);
    return got(fits ? malloc(bytes) : NULL, bytes, what);
}

void *ts_calloc(size_t count, size_t size, const char *what)
{
    size_t bytes;
    const bool fits = product(count, size, &bytes);
    return got(fits ? calloc(bytes, 1) : NULL, bytes, what);
}

void *ts_realloc(void *old, size_t count, size_t size, const char *what)
{
    size_t bytes;
    const bool fits = product(count, size, &bytes);
    if (!fits)
        ts_memory_fail(bytes, what);
    ts_boundary_drop(old);
    void *p = realloc(old, bytes);
    if (!p) { /* then the old one is still there */
        free(old);
        ts_memory_fail(bytes, what);
    }
    return got(p, bytes, what);
}

void *ts_try_realloc(void *old, size_t bytes)
{
    ts_boundary_drop(old);
    void *p = realloc(old, bytes);
    if (!p)
        (void)ts_boundary_keep(old); /* its place in the table is still free */
    return p && !ts_boundary_keep(p) ? (free(p), NULL) : p;
}

void ts_free(void *block)
{
    ts_boundary_drop(block);
    free(block);
}

void *ts_aligned_alloc(size_t alignment, size_t size, const char *what)
{
    size_t bytes;
    const bool fits = product(size, 1, &bytes);
    return got(fits ? aligned_alloc(alignment, bytes) : NULL, bytes, what);
}

void *ts_try_calloc(size_t count, size_t size)
{
    size_t bytes;
    return kept(product(count, size, &bytes) ? calloc(bytes, 1) : NULL);
}

/* ---- jansson, whose allocators are the process's: those that it has stay below, and what others make with it is not ours to lose. */

static json_malloc_t json_malloc_before;
static json_free_t json_free_before;

static void *json_memory(size_t bytes)
{
    void *p = json_malloc_before(bytes);
    return ts_boundary_is_here() ? got(p, bytes, "JSON") : p;
}

static void json_release(void *block)
{
    ts_boundary_drop(block);
    json_free_before(block);
}

static void start(void)
{
    json_get_alloc_funcs(&json_malloc_before, &json_free_before);
    json_set_alloc_funcs(json_memory, json_release);
}

void ts_memory_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}
