/* Folding: how many multipliers a stage gets, so that it takes a token every II cycles. Pure arithmetic on shapes; the styles
   of memories and the finalising lanes are left zero. */
#ifndef TS_PLAN_FOLD_H
#define TS_PLAN_FOLD_H
#include "ring/plan.h"

/* The cheapest fold of a linear in -> out of at most `ii` cycles a token: fewest DSPs (those of pk*pm multipliers and nr requantisers)
   and lanes of outputs, four of which count as one. `pack`: the stage's formats allow two products a DSP. */
ts_lin_fold ts_fold_linear(int in, int out, int ii, bool pack);

/* What of attention the formats allow to pack: scores with a query, or with a key, as the shared factor; the context. */
typedef struct ts_attn_packing {
    bool keys, queries, context;
} ts_attn_packing;

/* Folds with `pq` queries whose blocks take at most pq * ii cycles, on average over events of lengths[count] hits weighted by their
   hits: one for each way to divide heads and head width, with the fewest keys; those that need many more DSPs than the
   best are left out. Returns how many there are: 0 if even the widest is too slow. */
enum { TS_ATTN_FOLD_MAX = 64 };
int ts_fold_attention(int heads, int d_head, int pq, double ii, ts_attn_packing packing, const int *lengths, int count,
                      ts_attn_fold list[TS_ATTN_FOLD_MAX]);

/* DSPs of the multipliers of a linear; of attention's scores and context. Of an odd number of lanes the last has its own. */
static inline int ts_lin_dsps(const ts_lin_fold *fold)
{
    return fold->pk * (fold->pack ? ts_ceil_div(fold->pm, 2) : fold->pm);
}

static inline int ts_attn_dsps(const ts_attn_fold *fold)
{
    const int queries = fold->pairs == TS_PAIR_QUERIES ? ts_ceil_div(fold->pq, 2) : fold->pq;
    const int keys = fold->pairs == TS_PAIR_KEYS ? ts_ceil_div(fold->pkey, 2) : fold->pkey;
    const int channels = fold->pack_context ? ts_ceil_div(fold->pd, 2) : fold->pd;
    return fold->ph * (queries * keys * fold->pd + fold->pq * fold->pkey * channels);
}

/* Cycles that a block of pq queries takes over n keys, in either pass. */
static inline int ts_attn_block(const ts_attn_fold *fold, int heads, int d_head, int n)
{
    return ts_ceil_div(n, fold->pkey) * ts_ceil_div(heads, fold->ph) * ts_ceil_div(d_head, fold->pd);
}

/* The smallest number of requantisers that divides pm and keeps up with groups of pm values every ko cycles. */
int ts_fold_requant(int pm, int ko);

#endif
