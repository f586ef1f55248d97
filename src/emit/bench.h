/* What the emitted test bench and the Verilator harness are made of, beside their templates. */
#ifndef TS_BENCH_H
#define TS_BENCH_H
#include "emit/system.h"
#include "emit/top.h"
#include "ring/memories.h"

/* Events for test benches. */
typedef struct ts_bench_events {
    int count;
    const int *n;            /* [count] hits */
    const int32_t *const *x; /* [count], [n][features] */
} ts_bench_events;

/* A file of the design: its name in there. */
typedef struct ts_bench_file {
    const char *name, *text;
} ts_bench_file;

/* The files, all but the templates; a name of NULL ends the list. The bench takes the beginnings of the first few events; with none, random
   ones. */
const ts_bench_file *ts_bench_make(ts_arena *arena, const ts_system *system, const ts_bench_events *events);

/* The beginnings of the first few events that have hits, short enough for an interpreting simulator; returns how many. */
enum { TS_BENCH_EVENTS = 3 };
int ts_bench_beginnings(const ts_system *system, const ts_bench_events *events, int n[TS_BENCH_EVENTS], const int32_t *x[TS_BENCH_EVENTS]);

/* What mem/expect.hex is for the events of hits.hex, its text, with another model of the same shape. NULL where it is no such text. */
const char *ts_bench_expect(ts_arena *arena, const ts_system *system, const ts_imodel *im, const char *hits);

/* Cycles without a transfer at either port after which the engine counts as stuck: several times the slowest layer. */
long long ts_watchdog_cycles(const ts_system_ring *ring);

#endif
