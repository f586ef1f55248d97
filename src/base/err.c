#include "base/err.h"

#include <stdarg.h>
#include <string.h>

bool ts_fail(ts_err *err, const char *fmt, ...)
{
    if (err->msg[0])
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    return false;
}

bool ts_fail_in(ts_err *err, const char *fmt, ...)
{
    char old[sizeof err->msg], prefix[256];
    memcpy(old, err->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(prefix, sizeof prefix, fmt, ap);
    va_end(ap);
    size_t n = strlen(prefix);
    memcpy(err->msg, prefix, n);
    snprintf(err->msg + n, sizeof err->msg - n, ": %s", old);
    return false;
}

void ts_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "tessera: broken invariant at %s:%d: %s\nThis is a bug in tessera, not in your input; please report it.\n", file, line, what);
    abort();
}
