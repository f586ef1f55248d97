/* What long work says while it goes on: notes, warnings and progress, to whoever asked for it. Nothing below the command line prints.
   All of it is heard on the thread that called the library, also where the work is spread over several. */
#ifndef TS_NOTICES_H
#define TS_NOTICES_H

typedef enum { TS_NOTE, TS_WARNING } ts_notice_kind; /* what was done, in case that it was not meant; what is likely to be wrong */

/* Members are NULL where nobody listens. */
typedef struct ts_notices {
    void *user;
    void (*message)(void *user, ts_notice_kind kind, const char *text); /* without a line's end behind it; lists have further lines */
    void (*step)(void *user, const char *what);                         /* begins now, and ends the one before; "": none goes on */
    /* How far the step is: events that are done (-1 where it does not go through events), how many there are (0: not known), and what
       part of the work is done, 0 ... 1 (below 0: not known). */
    void (*progress)(void *user, long long done, long long total, double fraction);
} ts_notices;

/* All of these do nothing where `notices` is NULL or nobody listens; printf-like. */
void ts_notice_note(const ts_notices *notices, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ts_notice_warn(void *notices, const char *text); /* a const ts_notices *: for what below takes a function and a user */
void ts_notice_warning(const ts_notices *notices, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ts_notice_step(const ts_notices *notices, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ts_notice_step_end(const ts_notices *notices);

/* May be called often, and from all threads of a parallel section. */
void ts_notice_at(const ts_notices *notices, double fraction);
void ts_notice_events(const ts_notices *notices, long long done, long long total, double fraction);

#endif
