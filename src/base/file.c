#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

char *ts_file_read(ts_arena *arena, const char *path, size_t *size, ts_err *err)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) != 0 || S_ISDIR(st.st_mode)) {
        ts_fail(err, "%s: cannot read: %s", path, f && S_ISDIR(st.st_mode) ? "it is a directory" : strerror(errno));
        if (f)
            fclose(f);
        return NULL;
    }
    char *data = ts_alloc(arena, (size_t)st.st_size + 1, 1);
    const size_t got = fread(data, 1, (size_t)st.st_size, f);
    const bool failed = ferror(f) || got != (size_t)st.st_size;
    fclose(f);
    if (failed) {
        ts_fail(err, "%s: reading stopped after %zu of %lld bytes", path, got, (long long)st.st_size);
        return NULL;
    }
    *size = got;
    return data;
}

bool ts_file_write(const char *path, const void *data, size_t size, ts_err *err)
{
    char temp[4096];
    if (snprintf(temp, sizeof temp, "%s.new", path) >= (int)sizeof temp)
        return ts_fail(err, "%s: the path is too long", path);
    FILE *f = fopen(temp, "wb");
    if (!f)
        return ts_fail(err, "%s: cannot write: %s", path, strerror(errno));
    bool ok = fwrite(data, 1, size, f) == size;
    ok = fflush(f) == 0 && ok;
    ok = fclose(f) == 0 && ok;
    if (ok && rename(temp, path) == 0)
        return true;
    const int why = errno;
    remove(temp);
    return ts_fail(err, "%s: cannot write: %s", path, strerror(why));
}

bool ts_file_copy(ts_arena *arena, const char *from, const char *to, ts_err *err)
{
    size_t size;
    const char *data = ts_file_read(arena, from, &size, err);
    return data && ts_file_write(to, data, size, err);
}
