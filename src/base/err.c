#include "base/err.h"

#include <stdarg.h>
#include <string.h>

#include "base/plain.h"

/* Messages go into reports, too, which are UTF-8: a message that is too long does not end in half a character. */
static void cut(char *text, int wanted, size_t size)
{
    if (wanted >= (int)size)
        text[ts_text_whole(text, size - 1)] = 0;
}

bool ts_fail(ts_err *err, const char *fmt, ...)
{
    if (err->msg[0])
        return false;
    va_list ap;
    va_start(ap, fmt);
    cut(err->msg, vsnprintf(err->msg, sizeof err->msg, fmt, ap), sizeof err->msg);
    va_end(ap);
    return false;
}

bool ts_fail_in(ts_err *err, const char *fmt, ...)
{
    char old[sizeof err->msg], prefix[sizeof err->msg / 2];
    memcpy(old, err->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    cut(prefix, vsnprintf(prefix, sizeof prefix, fmt, ap), sizeof prefix);
    va_end(ap);
    size_t n = strlen(prefix);
    memcpy(err->msg, prefix, n);
    cut(err->msg, (int)n + snprintf(err->msg + n, sizeof err->msg - n, ": %s", old), sizeof err->msg);
    return false;
}

void ts_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "tessera: broken invariant at %s:%d: %s\nThis is a bug in tessera, not in your input; please report it.\n", file, line,
            what);
    abort();
}
