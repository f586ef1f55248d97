#include "flow/notices.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE = 2048 };

void ts_notice_warning(const ts_notices *notices, const char *fmt, ...)
{
    if (!notices || !notices->warning)
        return;
    char text[MESSAGE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    notices->warning(notices->user, text);
}

void ts_notice_progress(const ts_notices *notices, const char *fmt, ...)
{
    if (!notices || !notices->progress)
        return;
    char text[MESSAGE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    notices->progress(notices->user, text);
}
