#include "cli/progress.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* The one piece of global state: there is one terminal. A watcher thread prints, so that the steps need not. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop, printed;
    char what[200];
    double fraction;         /* < 0: unknown */
    long long events, total; /* events: -1 where the step has none; total: 0 where it is not known */
    struct timespec since;
} line = {.stop = true, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)(now.tv_sec - line.since.tv_sec) + 1e-9 * (double)(now.tv_nsec - line.since.tv_nsec);
}

/* 1234567 as 1,234,567. */
static void put_count(char *to, size_t room, long long count)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%lld", count);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < room; i++) {
        to[used++] = digits[i];
        if (i + 1 < length && (length - 1 - i) % 3 == 0)
            to[used++] = ',';
    }
    to[used] = 0;
}

/* "12,340 of 100,000 events, 310/s, 4 min left"; what is not known is left out. */
static void put_events(char *to, size_t room, double t)
{
    char done[32], total[32] = "", part[32] = "", left[32] = "";
    put_count(done, sizeof done, line.events);
    if (line.total > 0) {
        put_count(part, sizeof part, line.total);
        snprintf(total, sizeof total, " of %s", part);
        part[0] = 0;
    } else if (line.fraction > 0) {
        snprintf(part, sizeof part, ", %.0f %% of the file", 100 * line.fraction);
    }
    const double rest = line.fraction > 0 ? t * (1 - line.fraction) / line.fraction : -1;
    if (rest >= 90)
        snprintf(left, sizeof left, ", %.0f min left", rest / 60);
    else if (rest >= 0)
        snprintf(left, sizeof left, ", %.0f s left", rest);
    const double rate = t > 0 ? (double)line.events / t : 0;
    snprintf(to, room, ", %s%s events%s, %.*f/s%s", done, total, part, rate < 10, rate, left);
}

/* On a terminal the line is redrawn twice a second; in a log it appears once, and then every 30 s. */
static void print(bool terminal)
{
    const double t = seconds();
    char how_far[160] = "";
    if (line.events >= 0)
        put_events(how_far, sizeof how_far, t);
    else if (line.fraction >= 0)
        snprintf(how_far, sizeof how_far, " %3.0f %%, %.0f s", 100 * line.fraction, t);
    else
        snprintf(how_far, sizeof how_far, ", %.0f s", t);
    if (terminal)
        fprintf(stderr, "\r\033[K%s%s", line.what, how_far);
    else
        fprintf(stderr, "%s%s ...\n", line.what, how_far);
    fflush(stderr);
    line.printed = true;
}

static void *watch(void *unused)
{
    const bool terminal = isatty(STDERR_FILENO);
    pthread_mutex_lock(&line.lock);
    while (!line.stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        const double t = seconds();
        const double wait = t < 2 ? 2 - t : terminal ? 0.5 : 30;
        until.tv_sec += (time_t)wait;
        until.tv_nsec += (long)((wait - (double)(time_t)wait) * 1e9);
        if (until.tv_nsec >= 1000000000L) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000L;
        }
        pthread_cond_timedwait(&line.wake, &line.lock, &until);
        if (!line.stop && seconds() >= 2)
            print(terminal);
    }
    if (line.printed && terminal)
        fprintf(stderr, "\r\033[K");
    pthread_mutex_unlock(&line.lock);
    return NULL;
}

void ts_progress_end(void)
{
    pthread_mutex_lock(&line.lock);
    const bool running = line.running;
    line.stop = true;
    line.running = false;
    pthread_cond_signal(&line.wake);
    pthread_mutex_unlock(&line.lock);
    if (running)
        pthread_join(line.thread, NULL);
}

void ts_progress(const char *fmt, ...)
{
    ts_progress_end();
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line.what, sizeof line.what, fmt, ap);
    va_end(ap);
    line.fraction = -1;
    line.events = -1;
    line.stop = line.printed = false;
    clock_gettime(CLOCK_REALTIME, &line.since);
    line.running = pthread_create(&line.thread, NULL, watch, NULL) == 0;
}

void ts_progress_events(long long done, long long total, double fraction)
{
    pthread_mutex_lock(&line.lock);
    line.events = done;
    line.total = total;
    line.fraction = fraction;
    pthread_mutex_unlock(&line.lock);
}
