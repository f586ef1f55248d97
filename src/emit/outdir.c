#include "emit/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool ts_outdir_make(const char *path, ts_err *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    return ts_fail(err, "%s: cannot make this directory: %s", path, strerror(errno));
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

bool ts_outdir_remove(ts_arena *arena, const char *path, ts_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? true : ts_fail(err, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        DIR *dir = opendir(path);
        if (!dir)
            return ts_fail(err, "%s: %s", path, strerror(errno));
        bool ok = true;
        for (const struct dirent *e; ok && (e = readdir(dir));)
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                ok = ts_outdir_remove(arena, ts_printf(arena, "%s/%s", path, e->d_name), err);
        closedir(dir);
        if (!ok)
            return false;
    }
    return remove(path) == 0 ? true : ts_fail(err, "%s: cannot remove: %s", path, strerror(errno));
}

static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    int entries = 0;
    while (readdir(dir))
        entries++;
    closedir(dir);
    return entries <= 2; /* . and .. */
}

bool ts_outdir_begin(ts_arena *arena, const char *path, const char *marker, ts_outdir *out, ts_err *err)
{
    char *plain = ts_strdup(arena, path);
    for (size_t n = strlen(plain); n > 1 && plain[n - 1] == '/'; n--)
        plain[n - 1] = 0;
    *out = (ts_outdir){.path = plain, .temp = ts_printf(arena, "%s.new", plain)};
    struct stat st;
    if (stat(plain, &st) == 0) {
        if (!S_ISDIR(st.st_mode))
            return ts_fail(err, "%s: exists and is not a directory: choose another output directory", plain);
        if (!is_empty(plain) && access(ts_printf(arena, "%s/%s", plain, marker), F_OK) != 0)
            return ts_fail(err, "%s: is not empty and was not made by tessera (it has no %s): choose another output directory", plain,
                           marker);
    }
    /* A run that was killed may have left one. */
    if (!make_parents(arena, out->temp, err) || !ts_outdir_remove(arena, out->temp, err))
        return false;
    if (mkdir(out->temp, 0777) != 0)
        return ts_fail(err, "%s: cannot make this directory: %s", out->temp, strerror(errno));
    return true;
}

bool ts_outdir_commit(ts_arena *arena, const ts_outdir *out, const char *keep, ts_err *err)
{
    const char *old = ts_printf(arena, "%s.old", out->path);
    if (!ts_outdir_remove(arena, old, err))
        return false;
    const bool replaced = rename(out->path, old) == 0;
    if (!replaced && errno != ENOENT)
        return ts_fail(err, "%s: cannot be replaced: %s", out->path, strerror(errno));
    if (rename(out->temp, out->path) != 0) {
        ts_fail(err, "%s: cannot be renamed to %s: %s", out->temp, out->path, strerror(errno));
        if (replaced && rename(old, out->path) != 0)
            ts_fail_in(err, "the old directory is now %s", old);
        return false;
    }
    if (!replaced)
        return true;
    if (keep) /* a cache: its loss costs time only */
        (void)rename(ts_printf(arena, "%s/%s", old, keep), ts_printf(arena, "%s/%s", out->path, keep));
    return ts_outdir_remove(arena, old, err);
}

void ts_outdir_abort(ts_arena *arena, const ts_outdir *out)
{
    ts_err ignored = {0};
    ts_outdir_remove(arena, out->temp, &ignored);
}
