#define _GNU_SOURCE /* fopencookie */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/boundary.h"
#include "base/memory.h"
#include "base/temporary.h"

/* ---- Reading */

/* To the end of what has no size, or another one than it said: first into memory that grows. */
static char *read_on(ts_arena *arena, int fd, const char *path, size_t room, size_t most, const char *kind, size_t *size, ts_err *err)
{
    char *data = ts_malloc(room, 1, "the contents of a file"), *kept = NULL;
    ssize_t got = 1;
    for (*size = 0; got > 0 && *size <= most; *size += got > 0 ? (size_t)got : 0) {
        if (*size == room) {
            room = room < most ? (room > most / 2 ? most + 1 : 2 * room) : room + 1;
            data = ts_realloc(data, room, 1, "the contents of a file");
        }
        do
            got = read(fd, data + *size, room - *size);
        while (got < 0 && errno == EINTR);
    }
    if (got < 0) {
        ts_fail_as(err, TS_BAD_FILE, "%s: reading stopped after %zu bytes: %s", path, *size, strerror(errno));
    } else if (*size > most) {
        ts_fail_as(err, TS_BAD_FILE, "%s: has more than %zu bytes, more than %s may have", path, most, kind);
    } else {
        kept = ts_alloc(arena, *size + 1, 1);
        memcpy(kept, data, *size);
    }
    ts_free(data);
    return kept;
}

/* A regular file, as long as it says it is. */
static char *read_whole(ts_arena *arena, int fd, const char *path, size_t length, size_t *size, ts_err *err)
{
    char *data = ts_alloc(arena, length + 1, 1);
    for (*size = 0; *size < length;) {
        const ssize_t got = read(fd, data + *size, length - *size);
        if (got > 0)
            *size += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return ts_fail_as(err, TS_BAD_FILE, "%s: reading stopped after %zu of %zu bytes%s%s", path, *size, length, got < 0 ? ": " : "",
                              got < 0 ? strerror(errno) : ""),
                   NULL;
    }
    return data;
}

char *ts_file_read_most(ts_arena *arena, const char *path, size_t most, const char *kind, size_t *size, ts_err *err)
{
    enum { FIRST_ROOM = 1 << 16 };
    struct stat st;
    char *data = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        ts_hold_fd(fd);
    if (fd < 0 || fstat(fd, &st) != 0)
        ts_fail_as(err, ts_code_of_read(errno), "%s: cannot read: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        ts_fail_as(err, TS_BAD_FILE, "%s: cannot read: it is a directory", path);
    else if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > most)
        ts_fail_as(err, TS_BAD_FILE, "%s: has %lld bytes; %s may have at most %zu", path, (long long)st.st_size, kind, most);
    else if (S_ISREG(st.st_mode) && st.st_size > 0)
        data = read_whole(arena, fd, path, (size_t)st.st_size, size, err);
    else
        data = read_on(arena, fd, path, FIRST_ROOM, most, kind, size, err);
    if (fd >= 0)
        ts_close(fd);
    return data;
}

char *ts_file_read(ts_arena *arena, const char *path, size_t *size, ts_err *err)
{
    const size_t half = ts_memory_limit() / 2;
    return ts_file_read_most(arena, path, half < PTRDIFF_MAX ? half : PTRDIFF_MAX - 1, "a file that fits half of this machine's memory",
                             size, err);
}

/* ---- Where a path leads */

enum { LINKS_MOST = 40 };

/* A descriptor of the process's own by its name: -1 if it is another path. */
static int own_descriptor(const char *path)
{
    static const char *const places[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const size_t n = strlen(places[i]);
        char *end;
        if (strncmp(path, places[i], n) != 0 || path[n] < '0' || path[n] > '9')
            continue;
        const long fd = strtol(path + n, &end, 10);
        if (*end == 0 && fd <= INT_MAX)
            return (int)fd;
    }
    return -1;
}

const char *ts_file_target(ts_arena *arena, const char *path, ts_err *err)
{
    char link[PATH_MAX];
    struct stat st, behind;
    const char *at = path;
    for (int i = 0; i <= LINKS_MOST; i++) {
        if (own_descriptor(at) >= 0 || lstat(at, &st) != 0 || !S_ISLNK(st.st_mode))
            return at;
        const ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0)
            return at;
        link[n] = 0;
        const char *slash = strrchr(at, '/'), *last = at;
        at = link[0] == '/' || !slash ? ts_strdup(arena, link) : ts_printf(arena, "%.*s/%s", (int)(slash - at), at, link);
        if (lstat(at, &behind) != 0 && stat(last, &st) == 0)
            return last; /* a link of /proc, whose text is no path */
    }
    ts_fail_as(err, TS_NOT_WRITTEN, "%s: cannot write: too many symbolic links", path);
    return NULL;
}

bool ts_file_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- Writing */

struct ts_writer_state {
    const char *target; /* behind the links */
    bool replaces;      /* a file that is there; otherwise a new one */
    bool direct;        /* written to as it is: no temporary */
    ts_temporary temporary;
    FILE *f; /* that of the writer */
    int fd;  /* what is written to */
    int why; /* errno of the first write that failed */
};

static bool cannot(ts_err *err, const char *path, int why)
{
    return ts_fail_as(err, ts_code_of_write(why), "%s: cannot write: %s", path, strerror(why));
}

/* To what is no regular file. Of a descriptor of ours a copy: the same place in the same file. */
static int open_direct(const char *target)
{
    const int own = own_descriptor(target);
    if (own == STDOUT_FILENO)
        fflush(stdout);
    return own >= 0 ? fcntl(own, F_DUPFD_CLOEXEC, 0) : open(target, O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

static int write_all(int fd, const char *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = write(fd, data + done, size - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

/* The stream's own way out: it remembers why it failed, which a FILE does not. */
static ssize_t put(void *cookie, const char *data, size_t size)
{
    struct ts_writer_state *s = cookie;
    if (s->why == 0)
        s->why = write_all(s->fd, data, size);
    return s->why == 0 ? (ssize_t)size : 0;
}

/* Of a call that is left: what is in the buffer goes nowhere. The temporary is held by itself. */
static void release(void *writer)
{
    struct ts_writer_state *s = writer;
    s->why = s->why ? s->why : ECANCELED;
    (void)fclose(s->f);
    if (s->direct)
        close(s->fd);
}

/* Opens what is written to; 0, or errno. */
static int open_target(ts_writer *w, const struct stat *old)
{
    enum { BUFFER = 1 << 16 };
    struct ts_writer_state *s = w->state;
    if (s->direct && (s->fd = open_direct(s->target)) < 0)
        return errno;
    if (!s->direct)
        s->fd = s->temporary.fd;
    if (s->replaces) { /* whose it is, as far as we may say so, and who may read it */
        (void)!fchown(s->fd, old->st_uid, old->st_gid);
        (void)fchmod(s->fd, old->st_mode & 0777);
    }
    s->f = w->f = fopencookie(s, "w", (cookie_io_functions_t){.write = put});
    if (w->f)
        (void)setvbuf(w->f, NULL, _IOFBF, BUFFER);
    const int why = errno;
    if (!w->f && s->direct)
        close(s->fd);
    if (w->f)
        ts_hold(release, s);
    return w->f ? 0 : why;
}

bool ts_writer_open(ts_arena *arena, const char *path, ts_writer *w, ts_err *err)
{
    struct ts_writer_state *s = TS_NEW(arena, struct ts_writer_state);
    struct stat st;
    *w = (ts_writer){.path = path, .state = s};
    if (!(s->target = ts_file_target(arena, path, err)))
        return false;
    const bool there = stat(s->target, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return ts_fail_as(err, TS_NOT_WRITTEN, "%s: cannot write: it is a directory", path);
    s->direct = own_descriptor(s->target) >= 0 || (there && !S_ISREG(st.st_mode));
    s->replaces = there && !s->direct;
    if (s->replaces && access(s->target, W_OK) != 0)
        return cannot(err, path, errno);
    if (!s->direct && !ts_temporary_file(arena, s->target, &s->temporary, err))
        return false;
    const int why = open_target(w, &st);
    if (why != 0 && !s->direct)
        ts_temporary_remove(&s->temporary);
    return why == 0 || cannot(err, path, why);
}

/* Closes the stream; 0, or errno. A file that takes the place of another one is on the disk before that one is given up: some file systems
   would keep the new name and lose the new contents if the machine stopped now. A new file has nothing to lose. */
static int finish(ts_writer *w)
{
    struct ts_writer_state *s = w->state;
    ts_let_go(release, s);
    const bool failed = fclose(w->f) != 0;
    w->f = NULL;
    if (failed && s->why == 0)
        s->why = EIO;
    if (s->why == 0 && s->replaces && fdatasync(s->fd) != 0 && errno != EINVAL && errno != ENOSYS)
        s->why = errno;
    if (s->direct && close(s->fd) != 0 && s->why == 0)
        s->why = errno;
    return s->why;
}

bool ts_writer_commit(ts_writer *w, ts_err *err)
{
    struct ts_writer_state *s = w->state;
    int why = finish(w);
    if (s->direct)
        return why == 0 || cannot(err, w->path, why);
    if (why == 0 && rename(s->temporary.path, s->target) != 0)
        why = errno;
    if (why != 0) {
        ts_temporary_remove(&s->temporary);
        return cannot(err, w->path, why);
    }
    ts_temporary_forget(&s->temporary);
    if (close(s->temporary.fd) == 0 || errno == EINTR)
        return true;
    return cannot(err, w->path, errno);
}

void ts_writer_abort(ts_writer *w)
{
    struct ts_writer_state *s = w->state;
    s->replaces = false;
    (void)finish(w);
    if (!s->direct)
        ts_temporary_remove(&s->temporary);
}

bool ts_file_write(const char *path, const void *data, size_t size, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    ts_writer w;
    bool ok = ts_writer_open(scratch, path, &w, err);
    if (ok) {
        (void)!fwrite(data, 1, size, w.f);
        ok = ts_writer_commit(&w, err);
    }
    ts_arena_free(scratch);
    return ok;
}

static bool create(const char *path, const void *data, size_t size, bool synced, ts_err *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return cannot(err, path, errno);
    int why = write_all(fd, data, size);
    if (why == 0 && synced && fdatasync(fd) != 0 && errno != EINVAL && errno != ENOSYS)
        why = errno;
    if (close(fd) != 0 && why == 0)
        why = errno;
    return why == 0 || cannot(err, path, why);
}

bool ts_file_create(const char *path, const void *data, size_t size, ts_err *err)
{
    return create(path, data, size, false, err);
}

bool ts_file_create_synced(const char *path, const void *data, size_t size, ts_err *err)
{
    return create(path, data, size, true, err);
}
