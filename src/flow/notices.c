#include "flow/notices.h"

#include <omp.h>
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE = 2048 };

static void say(const ts_notices *notices, ts_notice_kind kind, const char *fmt, va_list ap)
{
    char text[MESSAGE];
    if (!notices || !notices->message)
        return;
    vsnprintf(text, sizeof text, fmt, ap);
    notices->message(notices->user, kind, text);
}

void ts_notice_note(const ts_notices *notices, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(notices, TS_NOTE, fmt, ap);
    va_end(ap);
}

void ts_notice_warning(const ts_notices *notices, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(notices, TS_WARNING, fmt, ap);
    va_end(ap);
}

void ts_notice_warn(void *notices, const char *text)
{
    ts_notice_warning(notices, "%s", text);
}

void ts_notice_step(const ts_notices *notices, const char *fmt, ...)
{
    char text[MESSAGE];
    if (!notices || !notices->step)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    notices->step(notices->user, text);
}

void ts_notice_step_end(const ts_notices *notices)
{
    if (notices && notices->step)
        notices->step(notices->user, "");
}

void ts_notice_at(const ts_notices *notices, double fraction)
{
    ts_notice_events(notices, -1, 0, fraction);
}

void ts_notice_events(const ts_notices *notices, long long done, long long total, double fraction)
{
    if (notices && notices->progress && omp_get_thread_num() == 0) /* the thread that the section began on */
        notices->progress(notices->user, done, total, fraction);
}
