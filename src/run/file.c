#include "run/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot(const char *path, int number, tessera_error *error)
{
    const bool missing = number == ENOENT || number == ENOTDIR || number == EACCES;
    return ts_run_fail(error,
                       number == ENOMEM ? TESSERA_OUT_OF_MEMORY
                       : missing        ? TESSERA_NO_FILE
                                        : TESSERA_FAILED,
                       "%s: cannot read: %s", path, strerror(number));
}

static bool read_all(int fd, const char *path, char *data, size_t size, tessera_error *error)
{
    for (size_t got = 0; got < size;) {
        const ssize_t n = read(fd, data + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot(path, errno, error);
        if (n == 0)
            return ts_run_fail(error, TESSERA_BAD_FILE, "%s: became shorter while it was read", path);
        got += (size_t)n;
    }
    return true;
}

char *ts_run_file(const char *path, size_t most, size_t *size, tessera_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *data = NULL;
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    if (!ok)
        cannot(path, errno, error);
    else if (!S_ISREG(st.st_mode))
        ok = ts_run_fail(error, TESSERA_NO_FILE, "%s: is no file", path);
    else if (st.st_size < 0 || (unsigned long long)st.st_size > most)
        ok = ts_run_fail(error, TESSERA_BAD_FILE, "%s: has %lld bytes, more than %zu", path, (long long)st.st_size, most);
    if (ok) {
        *size = (size_t)st.st_size;
        data = malloc(*size + 1);
        ok = data ? read_all(fd, path, data, *size, error) : ts_run_fail_memory(error, *size + 1);
    }
    if (ok)
        data[*size] = 0;
    if (fd >= 0)
        close(fd);
    if (ok)
        return data;
    free(data);
    return NULL;
}

char *ts_run_path(const char *dir, const char *name, tessera_error *error)
{
    const size_t room = strlen(dir) + strlen(name) + 2;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/%s", dir, name);
    else
        ts_run_fail_memory(error, room);
    return path;
}
