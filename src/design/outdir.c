#define _GNU_SOURCE /* renameat2 */
#define TS_FAIL_CODE TS_NOT_WRITTEN
#include "design/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/boundary.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "design/files.h"

bool ts_outdir_make(const char *path, ts_err *err)
{
    struct stat st;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return true;
    return ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: cannot make this directory: %s", path, strerror(errno));
}

/* The directories that `path` lies in. */
static bool make_parents(ts_arena *arena, const char *path, ts_err *err)
{
    char *part = ts_strdup(arena, path);
    for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        if (!ts_outdir_make(part, err))
            return false;
        *slash = '/';
    }
    return true;
}

/* ---- Locks */

/* Whether `fd` is what the path leads to. */
static bool is_at(int fd, const char *path)
{
    struct stat by_fd, by_path;
    return fstat(fd, &by_fd) == 0 && stat(path, &by_path) == 0 && by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino;
}

/* -1 with errno where there is no such directory. The directory itself is locked, so that no file of a lock lies about; one that was
   replaced while its lock was waited for is another one. */
static int lock(const char *path)
{
    for (;;) {
        const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return -1;
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
        if (is_at(fd, path)) {
            ts_hold_fd(fd);
            return fd;
        }
        close(fd);
    }
}

bool ts_outdir_lock(const char *path, int *fd, ts_err *err)
{
    *fd = lock(path);
    return *fd >= 0 || ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: %s", path, strerror(errno));
}

void ts_outdir_unlock(int fd)
{
    ts_close(fd);
}

/* ---- Beginning */

static bool is_empty(const char *path)
{
    DIR *dir = ts_opendir(path);
    if (!dir)
        return false;
    int entries = 0;
    while (readdir(dir))
        entries++;
    ts_closedir(dir);
    return entries <= 2; /* . and .. */
}

/* The old one's manifest; *empty: it has none, and nothing else. */
static bool check_old(ts_arena *arena, const char *path, json_t **manifest, ts_err *err)
{
    *manifest = NULL;
    if (is_empty(path))
        return true;
    const char *file = ts_printf(arena, "%s/%s", path, TS_MANIFEST);
    if (access(file, F_OK) != 0)
        return ts_fail(err, "%s: is not empty and was not made by tessera (it has no %s): choose another output directory", path,
                       TS_MANIFEST);
    ts_err why = {""};
    *manifest = ts_json_load(file, &why);
    if (json_object_get(*manifest, "tessera_manifest"))
        return true;
    json_decref(*manifest);
    return ts_fail(
        err,
        "%s: what is in there cannot be told from files of others, as its manifest says nothing%s%s: remove it, or choose another output "
        "directory",
        path, why.msg[0] ? ": " : "", why.msg);
}

/* The process, and the shell it came from, would be left in a directory that has no name any more. */
static bool check_not_inside(const char *path, ts_err *err)
{
    char here[PATH_MAX];
    const size_t n = strlen(path);
    if (!getcwd(here, sizeof here) || strncmp(here, path, n) != 0 || (here[n] != 0 && here[n] != '/'))
        return true;
    return ts_fail(err, "%s: cannot replace the directory that this is run from: run it from outside, or choose another output directory",
                   path);
}

/* The place behind links and without slashes at its end; *there: something is. */
static const char *place_of(ts_arena *arena, const char *path, bool *there, ts_err *err)
{
    char *plain = ts_strdup(arena, path);
    for (size_t n = strlen(plain); n > 1 && plain[n - 1] == '/'; n--)
        plain[n - 1] = 0;
    struct stat st;
    *there = stat(plain, &st) == 0;
    if (!*there)
        return ts_file_target(arena, plain, err);
    if (!S_ISDIR(st.st_mode))
        return ts_fail(err, "%s: exists and is not a directory: choose another output directory", plain), NULL;
    char *real = realpath(plain, NULL);
    if (!real)
        return ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: %s", plain, strerror(errno)), NULL;
    const char *kept = ts_strdup(arena, real);
    ts_free(real);
    return check_not_inside(kept, err) ? kept : NULL;
}

bool ts_outdir_begin(ts_arena *arena, const char *path, ts_outdir *out, ts_err *err)
{
    bool there;
    *out = (ts_outdir){.path = place_of(arena, path, &there, err)};
    if (!out->path || (!there && !make_parents(arena, out->path, err)))
        return false;
    /* A file system that cannot exchange needs two renamings, and the process may have been killed between them. */
    const char *aside = ts_temporary_aside(arena, out->path);
    if (aside && (there ? ts_remove_tree(aside) : rename(aside, out->path) == 0))
        there = true;
    if (there) {
        json_t *manifest;
        if (!check_old(arena, out->path, &manifest, err))
            return false;
        json_decref(manifest);
    }
    if (!ts_temporary_directory(arena, out->path, &out->temporary, err))
        return false;
    out->temp = out->temporary.path;
    return true;
}

void ts_outdir_abort(ts_outdir *out)
{
    ts_temporary_remove(&out->temporary);
}

/* ---- Keeping what is not ours */

typedef struct keeper {
    ts_arena *arena;
    const char *from, *to, *path; /* path: what `from` is called */
    const json_t *manifest;       /* of `from`; NULL: it is empty */
    ts_err *err;
} keeper;

static bool is_kept(const keeper *k, const char *name)
{
    const ts_file_kind kind = ts_design_file_kind(k->manifest, name);
    const char *base = name + strlen("sim/");
    return kind == TS_FILE_OF_OTHERS ||
           (kind == TS_FILE_OF_CACHE && strncmp(name, "sim/sim-", 8) == 0 && !strchr(base, '/') && !strchr(base, '.'));
}

static bool make_parents_in(const keeper *k, const char *name)
{
    char *part = ts_strdup(k->arena, name);
    for (char *slash = part; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = 0;
        struct stat st;
        const char *to = ts_printf(k->arena, "%s/%s", k->to, part);
        const bool made = lstat(ts_printf(k->arena, "%s/%s", k->from, part), &st) == 0 && mkdir(to, st.st_mode & 0777) == 0;
        if (made)
            (void)!lchown(to, st.st_uid, st.st_gid);
        else if (errno != EEXIST)
            return ts_fail_as(k->err, ts_code_or(TS_FAIL_CODE, errno), "%s/%s: cannot be kept: %s", k->path, name, strerror(errno));
    }
    return true;
}

/* A second name for the file in the new directory: it is never without one, whenever this is interrupted. */
static bool keep_file(const keeper *k, const char *name)
{
    const char *from = ts_printf(k->arena, "%s/%s", k->from, name), *to = ts_printf(k->arena, "%s/%s", k->to, name);
    struct stat a, b;
    if (!make_parents_in(k, name))
        return false;
    if (linkat(AT_FDCWD, from, AT_FDCWD, to, 0) == 0 || errno == ENOENT)
        return true;
    const int why = errno;
    if (why == EEXIST && lstat(from, &a) == 0 && lstat(to, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return true;
    if (why == EEXIST)
        return ts_fail(
            k->err,
            "%s/%s: is not the old design's, and the new one has a file of that name: move it away, or choose another output directory",
            k->path, name);
    return ts_fail_as(k->err, ts_code_or(TS_FAIL_CODE, why),
                      "%s/%s: was not made by tessera and cannot be kept (%s): move it away, or choose another output directory", k->path,
                      name, strerror(why));
}

static bool keep_below(const keeper *k, const char *below)
{
    DIR *d = ts_opendir(ts_printf(k->arena, "%s/%s", k->from, below));
    if (!d)
        return errno == ENOENT ||
               ts_fail_as(k->err, ts_code_or(TS_FAIL_CODE, errno), "%s/%s: cannot read: %s", k->path, below, strerror(errno));
    bool ok = true;
    for (const struct dirent *e; ok && (e = readdir(d));) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (ts_temporary_is(e->d_name))
            continue; /* what a killed process left of a report: with the lock there is no living one */
        const char *name = ts_printf(k->arena, "%s%s", below, e->d_name);
        if (lstat(ts_printf(k->arena, "%s/%s", k->from, name), &st) != 0)
            continue; /* somebody removed it */
        if (!S_ISDIR(st.st_mode)) {
            ok = !is_kept(k, name) || keep_file(k, name);
            continue;
        }
        const char *inside = ts_printf(k->arena, "%s/", name);
        if (ts_design_file_kind(k->manifest, inside) != TS_FILE_OF_CACHE) /* the builds of a simulator */
            ok = (ts_design_directory(k->manifest, name) || make_parents_in(k, inside)) && keep_below(k, inside);
    }
    ts_closedir(d);
    return ok;
}

/* ---- Putting in place */

/* Both names lead to the other's directory afterwards. Where the file system cannot do that at once, the old one is put aside first. */
static bool exchange(ts_arena *arena, const ts_outdir *out)
{
    if (renameat2(AT_FDCWD, out->temp, AT_FDCWD, out->path, RENAME_EXCHANGE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    const char *aside = ts_temporary_aside_name(arena, out->path);
    if (rename(out->path, aside) != 0)
        return false;
    if (rename(out->temp, out->path) != 0) {
        const int why = errno;
        (void)rename(aside, out->path);
        errno = why;
        return false;
    }
    (void)rename(aside, out->temp);
    return true;
}

/* Where there is nothing yet; false with EEXIST where there is now. */
static bool put_new(const ts_outdir *out)
{
    if (renameat2(AT_FDCWD, out->temp, AT_FDCWD, out->path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (access(out->path, F_OK) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(out->temp, out->path) == 0;
}

/* With the old one's lock. Either way the temporary's name is gone afterwards, with what is not wanted any more. */
static bool replace(ts_arena *arena, ts_outdir *out, int old, ts_err *err)
{
    json_t *manifest = NULL;
    struct stat st;
    keeper k = {arena, out->path, out->temp, out->path, NULL, err};
    bool ok = check_old(arena, out->path, &manifest, err);
    k.manifest = manifest;
    ok = ok && keep_below(&k, "");
    if (ok && fstat(old, &st) == 0)
        (void)fchmod(out->temporary.fd, st.st_mode & 0777);
    if (ok && !exchange(arena, out))
        ok = ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: cannot be replaced: %s", out->path, strerror(errno));
    bool lost = false;
    if (ok) {
        /* What came in between: the old directory has the temporary's name now. */
        k.from = out->temp;
        k.to = out->path;
        lost = !keep_below(&k, "");
    }
    json_decref(manifest);
    if (!lost) {
        ts_temporary_remove(&out->temporary);
        return ok;
    }
    ts_temporary_forget(&out->temporary);
    close(out->temporary.fd);
    return ts_fail_in(err, "%s is replaced; what it was is now %s", out->path, out->temp);
}

bool ts_outdir_commit(ts_arena *arena, ts_outdir *out, ts_err *err)
{
    enum { TRIES = 1000 };
    for (int i = 0; i < TRIES; i++) {
        const int old = lock(out->path);
        if (old >= 0) {
            const bool ok = replace(arena, out, old, err);
            ts_close(old);
            return ok;
        }
        if (errno == ENOENT && put_new(out)) {
            ts_temporary_forget(&out->temporary);
            close(out->temporary.fd);
            return true;
        }
        if (errno != EEXIST) /* somebody was quicker: then it is replaced */
            break;
    }
    ts_fail_as(err, ts_code_or(TS_FAIL_CODE, errno), "%s: cannot be put in place: %s", out->path, strerror(errno));
    ts_outdir_abort(out);
    return false;
}
