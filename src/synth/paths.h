/* The path check: how many adders and multiplexers lie between registers, on the word-level netlist before technology mapping. */
#ifndef TS_PATHS_H
#define TS_PATHS_H
#include "base/arena.h"
#include "base/err.h"

enum { TS_PATH_ADDERS = 4, TS_PATH_ADDER_WEIGHT = 2 };
typedef struct ts_paths {
    struct {
        int multiplexers;       /* levels of two-way multiplexers, most of any path; -1: there is no path */
        char module[96];        /* where that path ends */
    } with[TS_PATH_ADDERS + 1]; /* register-to-register paths with so many adders, comparisons and products; the last entry: or more */
    long long latches;          /* in the whole design, instances counted */
    long long multipliers;      /* $mul cells in the whole design, instances counted */
} ts_paths;

/* The most adders of any path, and where it ends. */
int ts_paths_adders(const ts_paths *paths, const char **where);

/* The deepest path in levels of two-way multiplexers, an adder (a LUT and a carry chain) counted as TS_PATH_ADDER_WEIGHT of them. */
int ts_paths_depth(const ts_paths *paths, const char **where);

/* netlist: what Yosys' write_json wrote after `proc; opt; memory_dff`, hierarchy kept. Paths through several modules are found: a
   module's combinational paths from port to port count where it is used. Arithmetic of at most 3 bits is one LUT and counts
   as none, and so does the bit of word + word + bit, the carry into the adder of the words. Multiplexers are those of if, case and ?:, of
   variable shifts and selections (a level a bit of the select) and reads of LUT RAM (one level, and one a bit of the address beyond 64
   words). */
bool ts_paths_check(ts_arena *arena, const char *netlist, const char *top, ts_paths *paths, ts_err *err);

#endif
