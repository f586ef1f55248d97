#define _GNU_SOURCE /* getdents64 */
#define TS_FAIL_CODE TS_NOT_WRITTEN
#include "base/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/boundary.h"

enum { RANDOM = 8, SUM = 4, TAIL = RANDOM + SUM, BASE_MOST = 200, TRIES = 100, SLOTS = 16, DEEPEST = 64 };
static const char mark[] = ".tessera-", digits[] = "0123456789abcdefghijklmnopqrstuv"; /* 32 of them */

/* Those that are there now. State of the process, as a signal handler sees nothing else. */
static struct {
    atomic_int used; /* 0: free; 1: being filled; 2: there */
    char path[PATH_MAX];
} live[SLOTS];

/* ---- Removing */

/* getdents64 and the *at calls are all it takes: no memory, nothing that a signal could have interrupted. */
static bool empty_directory(int dir, int depth)
{
    _Alignas(struct dirent64) char buffer[2048];
    bool ok = true;
    for (ssize_t got; (got = getdents64(dir, buffer, sizeof buffer)) > 0;)
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *e = (const struct dirent64 *)(const void *)(buffer + at);
            at += e->d_reclen;
            if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || unlinkat(dir, e->d_name, 0) == 0)
                continue;
            const int below = depth < DEEPEST ? openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
            if (below >= 0) {
                empty_directory(below, depth + 1);
                close(below);
            }
            ok = unlinkat(dir, e->d_name, AT_REMOVEDIR) == 0 && ok;
        }
    return ok;
}

bool ts_remove_tree(const char *path)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    const int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir >= 0) {
        /* Removing while reading may skip entries on some file systems: again until nothing is left or nothing changes. */
        empty_directory(dir, 0);
        if (rmdir(path) != 0 && lseek(dir, 0, SEEK_SET) == 0)
            empty_directory(dir, 0);
        close(dir);
    }
    return rmdir(path) == 0 || errno == ENOENT;
}

/* Other threads still write into them, until they find that they are gone. */
void ts_temporary_remove_all(void)
{
    for (int i = 0; i < SLOTS; i++)
        if (atomic_load(&live[i].used) == 2) {
            for (int tries = 0; tries < 1000 && !ts_remove_tree(live[i].path); tries++)
                ;
            atomic_store(&live[i].used, 0);
        }
}

static int remember(const char *path)
{
    for (int i = 0; i < SLOTS; i++) {
        int unused = 0;
        if (strlen(path) < sizeof live[i].path && atomic_compare_exchange_strong(&live[i].used, &unused, 1)) {
            strcpy(live[i].path, path);
            atomic_store(&live[i].used, 2);
            return i;
        }
    }
    return -1;
}

static void release(void *temporary);

void ts_temporary_forget(ts_temporary *t)
{
    ts_let_go(release, t);
    if (t->slot >= 0)
        atomic_store(&live[t->slot].used, 0);
    t->slot = -1;
}

void ts_temporary_remove(ts_temporary *t)
{
    ts_remove_tree(t->path);
    ts_temporary_forget(t);
    close(t->fd);
}

/* ---- Names */

static uint32_t sum_of(const char *base, const char *random)
{
    uint32_t h = 0x811c9dc5u; /* FNV-1a */
    for (; *base; base++)
        h = (h ^ (unsigned char)*base) * 0x01000193u;
    for (int i = 0; i < RANDOM; i++)
        h = (h ^ (unsigned char)random[i]) * 0x01000193u;
    return h ^ h >> 12;
}

static void put_sum(const char *base, char tail[TAIL + 1])
{
    uint32_t sum = sum_of(base, tail);
    for (int i = RANDOM; i < TAIL; i++, sum >>= 5)
        tail[i] = digits[sum & 31];
    tail[TAIL] = 0;
}

static void new_tail(const char *base, char tail[TAIL + 1])
{
    unsigned char random[RANDOM];
    if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t some = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)getpid() << 20 ^ (uint64_t)now.tv_sec;
        for (int i = 0; i < RANDOM; i++, some >>= 8)
            random[i] = (unsigned char)some;
    }
    for (int i = 0; i < RANDOM; i++)
        tail[i] = digits[random[i] & 31];
    put_sum(base, tail);
}

/* The directory that `target` is in and its name there. */
static const char *split(ts_arena *arena, const char *target, const char **base)
{
    const char *slash = strrchr(target, '/');
    *base = slash ? slash + 1 : target;
    return !slash ? "." : slash == target ? "/" : ts_printf(arena, "%.*s", (int)(slash - target), target);
}

/* `.NAME.tessera-`, of a name that leaves room for it. */
static const char *prefix_of(ts_arena *arena, const char *base)
{
    return ts_printf(arena, ".%.*s%s", BASE_MOST, base, mark);
}

static bool is_ours(const char *name, const char *prefix, const char *base)
{
    char tail[TAIL + 1];
    const size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0 || strlen(name) != n + TAIL)
        return false;
    memcpy(tail, name + n, RANDOM);
    put_sum(base, tail);
    return strcmp(name + n, tail) == 0;
}

bool ts_temporary_is(const char *name)
{
    char base[BASE_MOST], prefix[BASE_MOST + sizeof mark + 2];
    const size_t n = strlen(name), around = 1 + sizeof mark - 1 + TAIL;
    if (n <= around || n - around >= sizeof base) /* of a longer name the base is not all there */
        return false;
    snprintf(base, sizeof base, "%.*s", (int)(n - around), name + 1);
    snprintf(prefix, sizeof prefix, ".%s%s", base, mark);
    return is_ours(name, prefix, base);
}

/* ---- Making */

/* Whether `fd` is what the path still leads to. */
static bool is_at(int fd, const char *path)
{
    struct stat by_fd, by_path;
    return fstat(fd, &by_fd) == 0 && lstat(path, &by_path) == 0 && by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino;
}

/* Whoever gets the lock of one that is not his has outlived the process that made it. Removes all of them, or finds the first. */
static const char *left_behind(ts_arena *arena, const char *dir, const char *prefix, const char *base, bool remove)
{
    const char *found = NULL;
    DIR *d = ts_opendir(dir);
    for (const struct dirent *e; d && !found && (e = readdir(d));) {
        if (!is_ours(e->d_name, prefix, base))
            continue;
        const char *path = ts_printf(arena, "%s/%s", dir, e->d_name);
        const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_at(fd, path)) {
            if (remove)
                ts_remove_tree(path);
            else
                found = path;
        }
        close(fd);
    }
    if (d)
        ts_closedir(d);
    return found;
}

/* -1 with EEXIST where another name has to be tried: this one is taken, or another process's sweep was here before the lock. */
static int make(const char *path, bool directory)
{
    if (!directory)
        return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (mkdir(path, 0777) != 0)
        return -1;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        const int why = errno;
        rmdir(path);
        errno = why == ENOENT ? EEXIST : why;
    }
    return fd;
}

static void release(void *temporary)
{
    ts_temporary_remove(temporary);
}

static bool make_locked(ts_arena *arena, const char *target, bool directory, ts_temporary *t, ts_err *err)
{
    const char *base, *dir = split(arena, target, &base), *prefix = prefix_of(arena, base);
    left_behind(arena, dir, prefix, base, true);
    for (int i = 0; i < TRIES; i++) {
        char tail[TAIL + 1];
        new_tail(base, tail);
        t->path = ts_printf(arena, "%s/%s%s", dir, prefix, tail);
        t->fd = make(t->path, directory);
        if (t->fd < 0 && errno == EEXIST)
            continue;
        if (t->fd < 0)
            return ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: cannot write: %s", target, strerror(errno));
        /* Another process's sweep may have been quicker with the lock, and takes it away. A file system without locks has no sweep either.
         */
        if ((flock(t->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && is_at(t->fd, t->path)) {
            t->slot = remember(t->path);
            ts_hold(release, t);
            return true;
        }
        close(t->fd);
    }
    return ts_fail(err, "%s: cannot write: no name for a temporary beside it", target);
}

bool ts_temporary_file(ts_arena *arena, const char *target, ts_temporary *temporary, ts_err *err)
{
    return make_locked(arena, target, false, temporary, err);
}

bool ts_temporary_directory(ts_arena *arena, const char *target, ts_temporary *temporary, ts_err *err)
{
    return make_locked(arena, target, true, temporary, err);
}

/* Their last four characters follow from another name: no sweep takes one for a temporary of the target. */
static const char *aside_base(ts_arena *arena, const char *base)
{
    return ts_printf(arena, "%s/old", base);
}

const char *ts_temporary_aside_name(ts_arena *arena, const char *target)
{
    char tail[TAIL + 1];
    const char *base, *dir = split(arena, target, &base);
    new_tail(aside_base(arena, base), tail);
    return ts_printf(arena, "%s/%s%s", dir, prefix_of(arena, base), tail);
}

const char *ts_temporary_aside(ts_arena *arena, const char *target)
{
    const char *base, *dir = split(arena, target, &base);
    return left_behind(arena, dir, prefix_of(arena, base), aside_base(arena, base), false);
}
