/* What long work says while it goes on: warnings and progress, to whoever asked for it. Nothing below the command line prints. */
#ifndef TS_NOTICES_H
#define TS_NOTICES_H

typedef struct ts_notices {
    void *user;
    void (*warning)(void *user, const char *message);  /* one sentence without a line's end; NULL: nobody listens */
    void (*progress)(void *user, const char *message); /* what is being done now, "event 12 of 200"; NULL: nobody listens */
} ts_notices;

/* Both do nothing where `notices` is NULL or nobody listens; printf-like. */
void ts_notice_warning(const ts_notices *notices, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ts_notice_progress(const ts_notices *notices, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
