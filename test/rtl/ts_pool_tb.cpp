/* ts_pool against ts_wmean(), the largest or the first value; events from one token to NMAX, at saturation and at random. */
#include <cstring>

#include "Vtop.h"
#include "bench.h"
extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    constexpr bool mean = P_MODE[0] == 'm' && P_MODE[1] == 'e', max = P_MODE[0] == 'm' && P_MODE[1] == 'a';
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_D * P_W);
    b.in("s_tag", top.s_tag, P_TAGW);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_D * P_W);
    b.out("m_tag", top.m_tag, P_TAGW);
    source &s = b.add_source("s", {"s_data", "s_tag"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});

    std::vector<size_t> last_token;
    size_t sent = 0;
    for (int e = 0; e < 150; e++) {
        const int64_t n = e < 10 ? 1 : e < 14 ? P_NMAX : b.rnd() % 2 ? b.pick(1, P_NMAX) : b.pick(1, std::min(P_NMAX, 4));
        const int64_t high = ts_fmt_max(P_W, true);
        std::vector<int64_t> pooled(P_D);
        bits tag(P_TAGW);
        for (int64_t k = 0; k < n; k++) {
            std::vector<int64_t> x;
            for (int c = 0; c < P_D; c++)
                x.push_back(e == 11 ? high : e == 12 ? -high : e == 13 ? (k % 2 ? high : -high) : b.value(P_W, true));
            for (size_t c = 0; c < P_D; c++)
                pooled[c] = k == 0 ? x[c] : mean ? pooled[c] + x[c] : max ? std::max(pooled[c], x[c]) : pooled[c];
            tag = bits(P_TAGW, b.rnd());
            tag.put(P_LW, 1, k == n - 1);
            s.send({pack(x, P_W), tag});
        }
        if (mean)
            for (int64_t &v : pooled)
                v = ts_wmean(v, static_cast<uint64_t>(n), P_W, 41 - P_W, P_W);
        m.expect({pack(pooled, P_W), tag});
        sent += static_cast<size_t>(n);
        last_token.push_back(sent - 1);
    }
    b.run();
    if (!b.stalled() && !b.failed()) {
        const uint64_t latency = mean ? P_D + 10 + (16 + P_DIGITS - 1) / P_DIGITS : 1;
        const uint64_t took = m.valid_at[0] - s.accepted_at[last_token[0]];
        if (took != latency)
            b.fail("latency %llu, not %llu", static_cast<unsigned long long>(took), static_cast<unsigned long long>(latency));
    }
    return b.finish();
}
