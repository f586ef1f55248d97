/* LD_PRELOAD: what goes wrong seldom goes wrong when it is told to.
     FAIL_AT=N       the Nth allocation of the process returns NULL (counted over malloc, calloc, realloc, aligned_alloc, posix_memalign,
   from 1) FAIL_COUNT=FILE at the end of the process the number of allocations is written there NO_EXCHANGE=1   the file system cannot
   exchange two names (renameat2 with flags fails with EINVAL) */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long count, at = -1;

static int fails(void)
{
    if (atomic_load(&at) < 0) {
        const char *text = getenv("FAIL_AT");
        atomic_store(&at, text ? strtol(text, NULL, 10) : 0);
    }
    return atomic_fetch_add(&count, 1) + 1 == atomic_load(&at);
}

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return fails() ? no_memory() : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? no_memory() : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? no_memory() : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? no_memory() : __libc_memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
    *p = fails() ? NULL : __libc_memalign(alignment, size);
    return *p ? 0 : ENOMEM;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (flags && getenv("NO_EXCHANGE")) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

__attribute__((destructor)) static void say(void)
{
    const char *file = getenv("FAIL_COUNT");
    char text[32];
    if (!file)
        return;
    const int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&count)), fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd >= 0) {
        (void)!write(fd, text, (size_t)n);
        close(fd);
    }
}
