/* ts_argmax: class and value of the first largest of M values; the lanes beyond are noise, the largest values more than others. */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_NR * P_YW);
    b.in("s_tag", top.s_tag, P_TAGW);
    b.in("s_eot", top.s_eot, 1);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, 64);
    b.out("m_tag", top.m_tag, P_TAGW);
    source &s = b.add_source("s", {"s_data", "s_tag", "s_eot"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});

    constexpr int groups = (P_M + P_PM - 1) / P_PM, rounds = P_PM / P_NR, beats = groups * rounds, tokens = 300;
    for (int t = 0; t < tokens; t++) {
        const int64_t low = -(static_cast<int64_t>(1) << (P_YW - 1)), high = -low - 1;
        const int kind = static_cast<int>(b.rnd() % 4);
        const bits tag(P_TAGW, b.rnd());
        int64_t best = 0, largest = low - 1;
        for (int j = 0; j < beats; j++) {
            std::vector<int64_t> value;
            for (int i = 0; i < P_NR; i++) {
                /* Where ts_linear puts a value. */
                const int64_t index = j / rounds * P_PM + j % rounds * P_NR + i;
                const bool real = index < P_M;
                value.push_back(!real       ? (b.rnd() % 2 ? high : b.pick(low, high))
                                : kind == 0 ? low /* all equal */
                                : kind == 1 ? (index == P_M - 1 ? low + 1 : low)
                                : kind == 2 ? b.pick(-2, 2) /* many equal */
                                            : b.value(P_YW, true, true));
                if (real && value.back() > largest) {
                    largest = value.back();
                    best = index;
                }
            }
            s.send({pack(value, P_YW), tag, bits(1, j == beats - 1)});
        }
        bits word(64);
        word.put(0, 32, largest);
        word.put(32, 32, best);
        m.expect({word, tag});
    }
    b.run();
    if (!b.stalled() && !b.failed()) {
        uint64_t levels = 0;
        while (1 << levels < P_NR)
            levels++;
        b.check(m.valid_at[0] == s.accepted_at[beats - 1] + levels + 4, "latency is not ceil(log2 NR) + 4");
        b.check(s.accepted_at.back() - s.accepted_at.front() == tokens * beats - 1, "a bubble at full rate");
    }
    return b.finish();
}
