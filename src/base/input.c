#include "base/input.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/boundary.h"

FILE *ts_input_open(const char *path, ts_err *err)
{
    struct stat st;
    FILE *f = ts_fopen(path, "rb");
    if (f && fstat(fileno(f), &st) == 0 && !S_ISDIR(st.st_mode))
        return f;
    ts_fail_as(err, f ? TS_BAD_FILE : ts_code_of_read(errno), "%s: cannot read: %s", path,
               f && S_ISDIR(st.st_mode) ? "it is a directory" : strerror(errno));
    if (f)
        ts_fclose(f);
    return NULL;
}

long long ts_input_size(FILE *f)
{
    struct stat st;
    return fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) ? (long long)st.st_size : -1;
}
