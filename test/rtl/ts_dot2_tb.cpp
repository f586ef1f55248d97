#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("a", top.a, P_N * P_AW);
    b.in("b0", top.b0, P_N * P_BW);
    b.in("b1_less", top.b1_less, P_N * P_BW);
    b.out("sum0", top.sum0, P_OW);
    b.out("sum1", top.sum1, P_OW);
    b.out("carry", top.carry, 1);
    int levels = 0;
    while ((1 << levels) < P_N)
        levels++;
    const size_t latency = static_cast<size_t>(3 + (levels + P_REG - 1) / P_REG);
    struct sums {
        int64_t s0, s1;
    };
    std::deque<sums> pipe;
    for (int i = 0; i < 6000 && !b.failed(); i++) {
        std::vector<int64_t> a, b0, b1_less;
        sums now = {0, 0};
        // Now and then all terms are equal: the largest sums, every borrow or none.
        const int64_t all = b.value(P_AW, P_ASIGNED, true), all0 = b.value(P_BW, true), all1 = b.value(P_BW, true);
        for (int n = 0; n < P_N; n++) {
            const bool equal = i % 4 == 0;
            const int64_t x = equal ? all : b.value(P_AW, P_ASIGNED, true), w0 = equal ? all0 : b.value(P_BW, true);
            const int64_t w1 = equal ? all1 : b.value(P_BW, true);
            a.push_back(x);
            b0.push_back(w0);
            b1_less.push_back(w1 - (w0 < 0));
            now.s0 += x * w0;
            now.s1 += x * w1;
        }
        b.at("a").set(pack(a, P_AW));
        b.at("b0").set(pack(b0, P_BW));
        b.at("b1_less").set(pack(b1_less, P_BW));
        pipe.push_back(now);
        b.cycle();
        if (pipe.size() == latency) {
            const int64_t s0 = b.at("sum0").get().s(), s1 = b.at("sum1").get().s() + static_cast<int64_t>(b.at("carry").get().u());
            if (s0 != pipe.front().s0 || s1 != pipe.front().s1)
                b.fail("the sums are %lld and %lld, expected %lld and %lld", static_cast<long long>(s0), static_cast<long long>(s1),
                       static_cast<long long>(pipe.front().s0), static_cast<long long>(pipe.front().s1));
            pipe.pop_front();
            b.compared();
        }
    }
    return b.finish();
}
