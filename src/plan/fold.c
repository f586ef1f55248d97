#include "plan/fold.h"

/* The accumulator, the bias and the multiplier of an output lane are some 50 LUTs; devices have about 200 a DSP. */
enum { LANES_A_DSP = 4 };

int ts_fold_requant(int pm, int ko)
{
    for (int nr = ts_ceil_div(pm, ko); nr < pm; nr++)
        if (pm % nr == 0)
            return nr;
    return pm;
}

ts_lin_fold ts_fold_linear(int in, int out, int ii, bool pack)
{
    CHECK(in > 0 && out > 0 && ii > 0);
    ts_lin_fold best = {0};
    int best_cost = 0;
    for (int ko = 1; ko <= in && ko <= ii; ko++) {
        const int pk = ts_ceil_div(in, ko);
        if (ts_ceil_div(in, pk) != ko)
            continue;
        const int pm_min = ts_ceil_div(out, ii / ko);
        /* A few more outputs a cycle may have a divisor that saves more requantisers than they cost multipliers. */
        for (int pm = pm_min; pm <= out && pm <= pm_min + pm_min / 4 + 1; pm++) {
            const ts_lin_fold f = {.pk = pk, .pm = pm, .nr = ts_fold_requant(pm, ko), .pack = pack && pm > 1};
            const int width = pm + f.nr; /* of biases and multipliers; weights are pk*pm wide whatever the fold */
            const int cost = LANES_A_DSP * (ts_lin_dsps(&f) + f.nr) + width;
            if (best.pk == 0 || cost < best_cost) {
                best = f;
                best_cost = cost;
            }
        }
    }
    CHECK(best.pk > 0); /* ko = 1 is always tried */
    return best;
}

static double mean_block(const ts_attn_fold *fold, int heads, int d_head, const int *lengths, int count)
{
    double cycles = 0, hits = 0;
    for (int i = 0; i < count; i++) {
        cycles += (double)lengths[i] * ts_attn_block(fold, heads, d_head, lengths[i]);
        hits += lengths[i];
    }
    return hits > 0 ? cycles / hits : 0;
}

/* The fewest keys a cycle with which blocks take at most `cycles`: they fall as keys are added. 0: not even all at once. */
static int keys_for(int heads, int d_head, ts_attn_fold fold, double cycles, const int *lengths, int count)
{
    int lo = 1, hi = 1;
    for (int i = 0; i < count; i++)
        hi = lengths[i] > hi ? lengths[i] : hi;
    fold.pkey = hi;
    if (mean_block(&fold, heads, d_head, lengths, count) > cycles)
        return 0;
    while (lo < hi) {
        fold.pkey = (lo + hi) / 2;
        if (mean_block(&fold, heads, d_head, lengths, count) <= cycles)
            hi = fold.pkey;
        else
            lo = fold.pkey + 1;
    }
    return lo;
}

/* Pairs where there are lanes to pair; of the two ways to pair scores the one with fewer DSPs, then the one with fewer packed operands. */
static void pack_lanes(ts_attn_fold *fold, ts_attn_packing packing)
{
    fold->pack_context = packing.context && fold->pd > 1;
    fold->pairs = packing.keys && fold->pkey > 1 ? TS_PAIR_KEYS : TS_PAIR_NONE;
    ts_attn_fold other = *fold;
    other.pairs = TS_PAIR_QUERIES;
    if (!packing.queries || fold->pq == 1)
        return;
    const int dsps = ts_attn_dsps(fold), others = ts_attn_dsps(&other);
    if (others < dsps || (others == dsps && fold->pq < fold->pkey))
        fold->pairs = TS_PAIR_QUERIES;
}

int ts_fold_attention(int heads, int d_head, int pq, double ii, ts_attn_packing packing, const int *lengths, int count,
                      ts_attn_fold list[TS_ATTN_FOLD_MAX])
{
    int found = 0, fewest = 0;
    for (int hg = 1; hg <= heads; hg++) {
        const int ph = ts_ceil_div(heads, hg);
        if (ts_ceil_div(heads, ph) != hg)
            continue;
        for (int dc = 1; dc <= d_head; dc++) {
            const int pd = ts_ceil_div(d_head, dc);
            if (ts_ceil_div(d_head, pd) != dc)
                continue;
            ts_attn_fold f = {.pq = pq, .ph = ph, .pd = pd};
            f.pkey = keys_for(heads, d_head, f, pq * ii + 1e-9, lengths, count);
            if (f.pkey == 0 || found == TS_ATTN_FOLD_MAX)
                continue;
            pack_lanes(&f, packing);
            list[found++] = f;
            fewest = fewest == 0 || ts_attn_dsps(&f) < fewest ? ts_attn_dsps(&f) : fewest;
        }
    }
    int kept = 0;
    for (int i = 0; i < found; i++)
        if (ts_attn_dsps(&list[i]) <= fewest + fewest / 8)
            list[kept++] = list[i];
    return kept;
}
