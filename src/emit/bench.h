/* What the emitted test bench and the Verilator harness are made of, beside their templates. */
#ifndef TS_BENCH_H
#define TS_BENCH_H
#include "emit/emit.h"
#include "emit/top.h"
#include "ring/memories.h"

typedef struct ts_bench_files {
    const char *hits, *expect, *load; /* mem/NAME.hex; load: NULL where every memory has its image */
    const char *ring_vh;              /* macros for tb.v */
    const char *ring_h;               /* tables for sim.cpp */
    const char *sim_top;              /* tb/ts_sim_top.v, NULL where nothing is paged (emit/sim_top.h) */
} ts_bench_files;

/* A ring of the design, and where its memory images are. */
typedef struct ts_bench_ring {
    const ts_imodel *im;
    const ts_plan *plan;
    const char *mem; /* "mem/", "part0/mem/" */
} ts_bench_ring;

typedef struct ts_bench_options {
    const char *top;     /* module */
    const ts_imodel *im; /* of the whole chain: what is computed */
    int rings;
    const ts_bench_ring *ring; /* [rings] */
    int events;                /* as in ts_emit_options */
    const int *n;
    const int32_t *const *x;
    int stream_count; /* inner streams that can be traced, of a single ring */
    const ts_stream *streams;
    double hop_cycles; /* of all ways between rings together, for the watchdog */
} ts_bench_options;

ts_bench_files ts_bench_make(ts_arena *arena, const ts_bench_options *opt);

#endif
