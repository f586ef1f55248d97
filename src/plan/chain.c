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

/* As ts_predict_between wants it. A token leaves ring i's layers when there is a place on the way to the slow stage: in the output's slice, in
   the link's ends and in front of that stage. A place at the stage is filled from behind, and the link's by the sender once it has
   heard: all that takes time. The last place but one is given up by a token when the stage has done with it. */
static double slack_behind(const ts_chain_ring *ring, int count, int i, int n, double pace)
{
    if (i == count - 1)
        return 0;
    const ts_hop *hop = &ring[i + 1].before;
    const double out = ring[i].plan->half ? 1 : 2;
    if (hop->token_cycles >= pace)
        return 1 + out + hop->sends;
    const ts_layer_time next = ts_layer_time_of(ring[i + 1].plan, ring[i + 1].im, n);
    const double news = hop->room > 0 ? hop->news + fmin(hop->frame_cycles, hop->frame_tokens * pace) / 2 : 0;
    return 1 + out + hop->room + fmax(next.ahead - 1, 0) - (hop->latency + 2 * next.front + news) / fmax(1, pace);
}

ts_chain_prediction ts_chain_predict(const ts_chain_ring *ring, int count, int n, ts_prediction *part)
{
    CHECK(count >= 1);
    ts_chain_prediction chain = {.tokens = n};
    double macs = 0, in = 0,
           first = 0; /* in: when the event's last token is in ring i; first: when its first result leaves the one before */
    for (int i = 0; i < count; i++) {
        const ts_pace pace = neighbours(ring, count, i, n);
        const ts_prediction p = ts_predict_between(ring[i].plan, ring[i].im, n, pace, slack_behind(ring, count, i, n, pace.out));
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
