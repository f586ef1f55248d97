/* For those who evaluate cost_table.def, term by term: the functions that terms use, and what its lines expand to. */
#ifndef TS_COST_TERMS_H
#define TS_COST_TERMS_H
#include "ring/cost.h"

/* ---- Functions of terms; bench/fit_cost.py has the same */

static inline int clog2(int x)
{
    int bits = 0;
    while (bits < 31 && (1 << bits) < x)
        bits++;
    return bits;
}

static inline int cdiv(int a, int b)
{
    return ts_ceil_div(a, b);
}

static inline int imin(int a, int b)
{
    return a < b ? a : b;
}

static inline int imax(int a, int b)
{
    return a > b ? a : b;
}

/* Bits of all adders of ts_tree, and of its registers. */
static inline int tree_adds(int n, int w, int ow)
{
    int bits = 0;
    for (int level = 1; level <= clog2(n); level++)
        bits += cdiv(n, 1 << (level - 1)) / 2 * imin(w + level, ow);
    return bits;
}

static inline int tree_regs(int n, int w, int ow, int reg)
{
    int bits = 0;
    for (int level = 1; level <= clog2(n); level++)
        if (level % reg == 0 || level == clog2(n))
            bits += cdiv(n, 1 << level) * imin(w + level, ow);
    return bits;
}

/* Registers of a tree that halves a power of two. */
static inline int pairs_regs(int n, int reg)
{
    int words = 0;
    for (int level = 1; level <= clog2(n); level++)
        if (level % reg == 0 || level == clog2(n))
            words += 1 << (clog2(n) - level);
    return words;
}

/* ---- The fitted part: with COST_<module> defined, including the table adds the module's terms to the ts_resources `self` of a
   function that has the module's parameters */

#define LET(name, value) const int name = (value);
#define LUT(factor, term) self.lut += (factor) * (double)(term);
#define FF(factor, term) self.ff += (factor) * (double)(term);

static inline ts_cost both(ts_resources r)
{
    return (ts_cost){r, r};
}

#endif
