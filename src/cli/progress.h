/* A line on stderr for steps that take over two seconds: what is going on and for how long. */
#ifndef TS_PROGRESS_H
#define TS_PROGRESS_H

/* Names the step that begins now (printf-like); ends the one before. */
void ts_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* How far the step is; may be called often, from any thread: what part of the work is done (0 ... 1, below 0: not known), and, where it
   goes through events (done, below 0: it does not), how many are done and how many there are (total, 0: not known). */
void ts_progress_events(long long done, long long total, double fraction);

/* Ends the last step and wipes the line. */
void ts_progress_end(void);

#endif
