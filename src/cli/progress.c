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
    double fraction; /* < 0: unknown */
    struct timespec since;
} line = {.stop = true, .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)(now.tv_sec - line.since.tv_sec) + 1e-9 * (double)(now.tv_nsec - line.since.tv_nsec);
}

/* On a terminal the line is redrawn twice a second; in a log it appears once, and then every 30 s. */
static void print(bool terminal)
{
    const double t = seconds();
    char percent[16] = "";
    if (line.fraction >= 0)
        snprintf(percent, sizeof percent, " %3.0f %%", 100 * line.fraction);
    if (terminal)
        fprintf(stderr, "\r\033[K%s%s, %.0f s", line.what, percent, t);
    else
        fprintf(stderr, "%s%s, %.0f s ...\n", line.what, percent, t);
    fflush(stderr);
    line.printed = true;
}

static void *watch(void *unused)
{
    (void)unused;
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
    line.stop = line.printed = false;
    clock_gettime(CLOCK_REALTIME, &line.since);
    line.running = pthread_create(&line.thread, NULL, watch, NULL) == 0;
}

const char *ts_progress_step(void)
{
    return line.stop ? "" : line.what;
}

void ts_progress_at(double fraction)
{
    pthread_mutex_lock(&line.lock);
    line.fraction = fraction;
    pthread_mutex_unlock(&line.lock);
}
