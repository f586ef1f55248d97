/* What the emitted test bench and the Verilator harness are made of, beside their templates. */
#ifndef TS_BENCH_H
#define TS_BENCH_H
#include "emit/emit.h"
#include "emit/memories.h"
#include "emit/top.h"

typedef struct ts_bench_files {
    const char *hits, *expect, *load; /* mem/NAME.hex; load: NULL where every memory has its image */
    const char *ring_vh;              /* macros for tb.v */
    const char *ring_h;               /* tables for sim.cpp */
} ts_bench_files;

ts_bench_files ts_bench_make(ts_arena *arena, const ts_emit_options *opt, const ts_memory *mem, int memories, const ts_stream *streams,
                             int stream_count);

#endif
