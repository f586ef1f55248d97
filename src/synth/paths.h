/* The path check: how many adder levels lie between registers, on the word-level netlist before technology mapping. */
#ifndef TS_PATHS_H
#define TS_PATHS_H
#include "base/arena.h"
#include "base/err.h"

typedef struct ts_paths {
    int levels;         /* adders, comparisons and products on the longest register-to-register path */
    char module[96];    /* where that path ends */
    long long latches;  /* in the whole design, instances counted */
    long long multipliers; /* $mul cells in the whole design, instances counted */
} ts_paths;

/* netlist: what Yosys' write_json wrote after `proc; opt; memory_dff`, hierarchy kept. Paths through several modules are found: a
   module's combinational paths from port to port count where it is used. Arithmetic of at most 3 bits is one LUT and counts
   as none. */
bool ts_paths_check(ts_arena *arena, const char *netlist, const char *top, ts_paths *paths, ts_err *err);

#endif
