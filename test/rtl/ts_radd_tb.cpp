/* ts_radd against ts_sat(): every pair of values where there are few, extremes elsewhere. */
#include "Vtop.h"
#include "bench.h"
extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("a_valid", top.a_valid, 1);
    b.out("a_ready", top.a_ready, 1);
    b.in("a_data", top.a_data, P_D * P_W);
    b.in("a_tag", top.a_tag, P_TAGW);
    b.in("b_valid", top.b_valid, 1);
    b.out("b_ready", top.b_ready, 1);
    b.in("b_data", top.b_data, P_D * P_W);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_D * P_W);
    b.out("m_tag", top.m_tag, P_TAGW);
    source &branch = b.add_source("a", {"a_data", "a_tag"}), &residual = b.add_source("b", {"b_data"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});

    /* All pairs of values, formats' and beyond, when they fit a few thousand tokens. */
    const int64_t values = static_cast<int64_t>(1) << P_W;
    const bool exhaustive = P_W <= 6;
    const int64_t tokens = exhaustive ? (values * values + P_D - 1) / P_D : 1000;
    for (int64_t i = 0, pair = 0; i < tokens; i++) {
        std::vector<int64_t> x, y, sum;
        for (int c = 0; c < P_D; c++, pair++) {
            x.push_back(exhaustive ? pair % values - values / 2 : b.value(P_W, true, true));
            y.push_back(exhaustive ? pair / values % values - values / 2 : b.value(P_W, true, true));
            sum.push_back(ts_sat(x.back() + y.back(), P_W, true));
        }
        const bits tag(P_TAGW, b.rnd());
        branch.send({pack(x, P_W), tag});
        residual.send({pack(y, P_W)});
        m.expect({pack(sum, P_W), tag});
    }
    b.run();
    if (!b.stalled() && !b.failed()) {
        /* Folded, a token is taken with its last step. */
        const int steps = (P_D + P_NR - 1) / P_NR, cycles = steps > 1 ? steps + 2 : 1;
        b.check(m.valid_at.front() == branch.accepted_at.front() + (steps > 1 ? 3 : 2), "wrong latency");
        b.check(m.taken_at.back() - m.taken_at.front() == static_cast<uint64_t>((tokens - 1) * cycles), "a bubble at full rate");
    }
    return b.finish();
}
