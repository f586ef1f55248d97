#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/boundary.h"
#include "base/plain.h"

/* Messages go into reports, too, which are UTF-8: a message that is too long does not end in half a character. */
static void cut(char *text, int wanted, size_t size)
{
    if (wanted >= (int)size)
        text[ts_text_whole(text, size - 1)] = 0;
}

bool ts_fail_as(ts_err *err, ts_code code, const char *fmt, ...)
{
    if (err->msg[0])
        return false;
    err->code = code;
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

bool ts_fail_with(ts_err *err, const ts_err *met)
{
    if (!err->msg[0])
        *err = *met;
    return false;
}

ts_code ts_code_or(ts_code code, int number)
{
    return number == ENOMEM ? TS_OUT_OF_MEMORY : code;
}

ts_code ts_code_of_read(int number)
{
    return ts_code_or(number == EIO || number == EISDIR ? TS_BAD_FILE : TS_NO_FILE, number);
}

ts_code ts_code_of_write(int number)
{
    return ts_code_or(TS_NOT_WRITTEN, number);
}

static _Thread_local ts_option_names option_names;

const char *ts_option(const char *member)
{
    const char *name = option_names.name ? option_names.name(option_names.user, member) : NULL;
    return name ? name : member;
}

ts_option_names ts_option_names_set(ts_option_names names)
{
    const ts_option_names before = option_names;
    option_names = names;
    return before;
}

void ts_bug(const char *file, int line, const char *what)
{
    ts_boundary_leave(TS_INTERNAL, "broken invariant at %s:%d: %s: this is a bug in tessera, not in your input; please report it", file,
                      line, what);
    fprintf(stderr, "tessera: broken invariant at %s:%d: %s\nThis is a bug in tessera, not in your input; please report it.\n", file, line,
            what);
    abort();
}
