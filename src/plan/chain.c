#include "plan/chain.h"

#include <math.h>

/* Of the rings before and behind ring i, and of the ways to and from them. */
static ts_pace neighbours(const ts_chain_ring *ring, int count, int i, int n)
{
    ts_pace pace = {0, 0};
    if (i > 0)
        pace.in = fmax(ring[i].before.token_cycles, ts_ring_pace(ring[i - 1].plan, ring[i - 1].im, n).out);
    if (i < count - 1)
        pace.out = fmax(ring[i + 1].before.token_cycles, ts_ring_pace(ring[i + 1].plan, ring[i + 1].im, n).in);
    return pace;
}

/* Tokens between ring i's last stage and the next one's slow entry stage. In the rings: the last norm's results (3), the output, the
   admission, the fork (a slice each), the requantiser (one under way, 3 results), the linear behind it (one under way). */
static int slack_behind(const ts_chain_ring *ring, int count, int i)
{
    enum { IN_RINGS = 11, HOP_WORDS = 4 };
    return i < count - 1 ? IN_RINGS + HOP_WORDS + (int)(ring[i + 1].before.latency / fmax(1, ring[i + 1].before.token_cycles)) : 0;
}

ts_chain_prediction ts_chain_predict(const ts_chain_ring *ring, int count, int n, ts_prediction *part)
{
    CHECK(count >= 1);
    ts_chain_prediction chain = {.tokens = n};
    double macs = 0, in = 0,
           first = 0; /* in: when the event's last token is in ring i; first: when its first result leaves the one before */
    for (int i = 0; i < count; i++) {
        const ts_prediction p = ts_predict_between(ring[i].plan, ring[i].im, n, neighbours(ring, count, i, n), slack_behind(ring, count, i));
        /* Alone in the chain, an event waits for nobody: each ring runs at its own pace, as its tokens come. */
        const ts_prediction lone = ts_predict(ring[i].plan, ring[i].im, n);
        const double fill = fmax((double)(lone.total_cycles - lone.latency_cycles), i ? (n - 1) * ring[i].before.token_cycles : 0);
        in = i == 0 ? fill : fmax(in, first + fill) + ring[i].before.latency;
        in += (double)lone.latency_cycles;
        first = in - (double)lone.span_cycles;
        if (i == 0)
            chain.latency_cycles = -llround(fill);
        if (p.interval_cycles > chain.interval_cycles) {
            chain.interval_cycles = p.interval_cycles;
            chain.slowest = i;
        }
        macs += ts_model_macs(ring[i].im, n);
        chain.mac_units += p.mac_units;
        if (part)
            part[i] = p;
    }
    chain.total_cycles = llround(in);
    chain.latency_cycles += chain.total_cycles;
    chain.mac_utilisation = macs / ((double)chain.mac_units * (double)chain.interval_cycles);
    return chain;
}
