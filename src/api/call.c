#include "api/call.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/boundary.h"
#include "base/memory.h"
#include "base/temporary.h"

#define SAME(own, public) _Static_assert((int)(own) == (int)(public), #own " is " #public)
SAME(TS_FAILED, TESSERA_FAILED);
SAME(TS_USAGE, TESSERA_USAGE);
SAME(TS_NO_FILE, TESSERA_NO_FILE);
SAME(TS_BAD_FILE, TESSERA_BAD_FILE);
SAME(TS_UNSUPPORTED, TESSERA_UNSUPPORTED);
SAME(TS_DOES_NOT_FIT, TESSERA_DOES_NOT_FIT);
SAME(TS_OUT_OF_MEMORY, TESSERA_OUT_OF_MEMORY);
SAME(TS_NOT_WRITTEN, TESSERA_NOT_WRITTEN);
SAME(TS_DAMAGED, TESSERA_DAMAGED);
SAME(TS_DIFFERS, TESSERA_DIFFERS);
SAME(TS_NO_TOOL, TESSERA_NO_TOOL);
SAME(TS_INTERNAL, TESSERA_INTERNAL);
SAME(TS_CANCELLED, TESSERA_CANCELLED);
SAME(TS_NOTE, TESSERA_NOTE);
SAME(TS_WARNING, TESSERA_WARNING);
_Static_assert(sizeof((tessera_error *)0)->message >= sizeof((ts_err *)0)->msg, "a message has room");

const char *tessera_version(void)
{
    return TESSERA_VERSION;
}

const char *tessera_code_name(tessera_code code)
{
    static const char *const names[] = {
#define CODE(name, text) [TESSERA_##name] = (text),
#include "base/code_names.def"
#undef CODE
    };
    const size_t at = (size_t)code;
    return at < sizeof names / sizeof *names && names[at] ? names[at] : "unknown";
}

void tessera_remove_temporaries(void)
{
    ts_temporary_remove_all();
}

/* ---- A call */

typedef struct call {
    tessera_callbacks callbacks;
    ts_call_body *body;
    void *job;
    ts_notices notices;
    char step[200]; /* that goes on */
} call;

/* Leaves the call where the caller wants that. Behind its end, where the last step is said to be over, there is nothing to leave. */
static void listen(const call *c)
{
    if (c->callbacks.cancel && c->callbacks.cancel(c->callbacks.user))
        ts_boundary_leave(TS_CANCELLED, "cancelled%s%s", *c->step ? " while " : "", c->step);
}

static void on_message(void *user, ts_notice_kind kind, const char *text)
{
    const tessera_callbacks *to = &((const call *)user)->callbacks;
    if (to->message)
        to->message(to->user, (tessera_message_kind)kind, text);
    listen(user);
}

static void on_step(void *user, const char *what)
{
    call *c = user;
    const tessera_callbacks *to = &c->callbacks;
    snprintf(c->step, sizeof c->step, "%s", what);
    if (to->progress)
        to->progress(to->user, &(tessera_progress){.size = sizeof(tessera_progress), .step = what, .fraction = -1, .events = -1});
    if (*what)
        listen(c);
}

static void on_progress(void *user, long long done, long long total, double fraction)
{
    const tessera_callbacks *to = &((const call *)user)->callbacks;
    if (to->progress)
        to->progress(to->user,
                     &(tessera_progress){.size = sizeof(tessera_progress), .fraction = fraction, .events = done, .expected = total});
    listen(user);
}

static bool run(void *user, ts_err *err)
{
    call *c = user;
    return c->body(c->job, &c->notices, err);
}

/* Numbers are written with points, whatever the host program's locale says. */
static locale_t plain_locale;

static void make_locale(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t take_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_locale);
    return uselocale(plain_locale); /* 0, where there was no memory for it: as it is */
}

tessera_code ts_call(const tessera_callbacks *callbacks, tessera_error *error, ts_call_body *body, void *job)
{
    call c = {.body = body, .job = job};
    ts_memory_start();
    const locale_t locale = take_locale();
    ts_err err = {""};
    bool ok = !callbacks || TS_TAKE_OPTIONS(&c.callbacks, callbacks, tessera_callbacks, &err);
    c.notices = (ts_notices){.user = &c, .message = on_message, .step = on_step, .progress = on_progress};
    const ts_option_names before = ts_option_names_set((ts_option_names){c.callbacks.option, c.callbacks.user});
    ok = ok && ts_boundary_run(run, &c, &err);
    if (!ok && err.code == TS_OUT_OF_MEMORY && *c.step) {
        const size_t used = strlen(err.msg);
        snprintf(err.msg + used, sizeof err.msg - used, ", while %s", c.step);
    }
    ts_notice_step_end(&c.notices);
    ts_option_names_set(before);
    uselocale(locale);
    const tessera_code code = ok ? TESSERA_OK : err.code ? (tessera_code)err.code : TESSERA_FAILED;
    if (error) {
        *error = (tessera_error){.code = code};
        memcpy(error->message, ok ? "" : err.msg, ok ? 1 : sizeof err.msg);
    }
    return code;
}

/* ---- Structures that begin with their size */

bool ts_take_options(void *own, size_t own_size, const void *given, const char *what, ts_err *err)
{
    size_t size = 0;
    memset(own, 0, own_size);
    if (given)
        memcpy(&size, given, sizeof size);
    if (size < sizeof size)
        return ts_fail_as(err, TS_USAGE, "%s are missing, or their member size is not set", what);
    memcpy(own, given, size < own_size ? size : own_size);
    return true;
}

void ts_give_summary(void *to, const void *from, size_t from_size)
{
    size_t size = 0;
    if (!to)
        return;
    memcpy(&size, to, sizeof size);
    if (size > sizeof size) {
        memcpy((char *)to + sizeof size, (const char *)from + sizeof size, (size < from_size ? size : from_size) - sizeof size);
    }
}

/* ---- Reports */

struct tessera_report {
    ts_arena *arena;
    const char *text, *json;
};

tessera_report *ts_report_new(const char *text, const char *json)
{
    ts_arena *arena = ts_arena_new();
    tessera_report *report = TS_NEW(arena, tessera_report);
    report->arena = arena;
    report->text = ts_strdup(arena, text);
    report->json = ts_strdup(arena, json ? json : "{}");
    return report;
}

const char *tessera_report_text(const tessera_report *report)
{
    return report ? report->text : "";
}

const char *tessera_report_json(const tessera_report *report)
{
    return report ? report->json : "{}";
}

void tessera_report_free(tessera_report *report)
{
    if (report)
        ts_arena_free(report->arena);
}
