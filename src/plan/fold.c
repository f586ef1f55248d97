#include "plan/fold.h"

int ts_fold_requant(int pm, int ko)
{
    for (int nr = ts_ceil_div(pm, ko); nr < pm; nr++)
        if (pm % nr == 0)
            return nr;
    return pm;
}

ts_lin_fold ts_fold_linear(int in, int out, int ii)
{
    CHECK(in > 0 && out > 0 && ii > 0);
    ts_lin_fold best = {0};
    int best_dsp = 0, best_width = 0;
    for (int ko = 1; ko <= in && ko <= ii; ko++) {
        const int pk = ts_ceil_div(in, ko);
        if (ts_ceil_div(in, pk) != ko)
            continue;
        const int pm_min = ts_ceil_div(out, ii / ko);
        /* A few more outputs a cycle may have a divisor that saves more requantisers than they cost multipliers. */
        for (int pm = pm_min; pm <= out && pm <= pm_min + pm_min / 4 + 1; pm++) {
            const ts_lin_fold f = {.pk = pk, .pm = pm, .nr = ts_fold_requant(pm, ko)};
            const int dsp = pk * pm + f.nr;
            const int width = pm + f.nr; /* of biases and multipliers; weights are pk*pm wide whatever the fold */
            if (best.pk == 0 || dsp < best_dsp || (dsp == best_dsp && width < best_width)) {
                best = f;
                best_dsp = dsp;
                best_width = width;
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

bool ts_fold_attention(int heads, int d_head, int pq, double ii, const int *lengths, int count, ts_attn_fold *best)
{
    const double cycles = pq * ii + 1e-9;
    int longest = 1, best_slots = 0;
    for (int i = 0; i < count; i++)
        longest = lengths[i] > longest ? lengths[i] : longest;
    for (int hg = 1; hg <= heads; hg++) {
        const int ph = ts_ceil_div(heads, hg);
        if (ts_ceil_div(heads, ph) != hg)
            continue;
        for (int dc = 1; dc <= d_head; dc++) {
            const int pd = ts_ceil_div(d_head, dc);
            if (ts_ceil_div(d_head, pd) != dc)
                continue;
            /* Cycles fall as pkey grows: bisect for the smallest that is fast enough. */
            int lo = 1, hi = longest;
            while (lo < hi) {
                const int mid = (lo + hi) / 2;
                const ts_attn_fold f = {.pq = pq, .pkey = mid, .ph = ph, .pd = pd};
                if (mean_block(&f, heads, d_head, lengths, count) <= cycles)
                    hi = mid;
                else
                    lo = mid + 1;
            }
            const ts_attn_fold f = {.pq = pq, .pkey = lo, .ph = ph, .pd = pd};
            if (mean_block(&f, heads, d_head, lengths, count) > cycles)
                continue;
            /* Equal multipliers: the wider heads come first in this order and need fewer accumulators. */
            if (best_slots == 0 || ts_attn_slots(&f) < best_slots) {
                *best = f;
                best_slots = ts_attn_slots(&f);
            }
        }
    }
    return best_slots > 0;
}
