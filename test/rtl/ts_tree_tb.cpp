#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("x", top.x, P_N * P_W);
    b.out("sum", top.sum, P_OW);
    int levels = 0;
    while ((1 << levels) < P_N)
        levels++;
    const size_t latency = static_cast<size_t>((levels + P_REG - 1) / P_REG);
    std::deque<int64_t> pipe;
    for (int i = 0; i < 5000 && !b.failed(); i++) {
        std::vector<int64_t> x;
        int64_t sum = 0;
        const int64_t all = b.value(P_W, true, true);
        for (int n = 0; n < P_N; n++) {
            // Now and then all values are equal: the longest carries and the largest sum.
            x.push_back(i % 8 == 0 ? all : b.value(P_W, true, true));
            sum += x.back();
        }
        b.at("x").set(pack(x, P_W));
        pipe.push_back(sum);
        b.cycle();
        if (pipe.size() == latency || latency == 0) {
            if (bits(P_OW, static_cast<uint64_t>(pipe.front())) != b.at("sum").get())
                b.fail("sum is %s, expected %lld", b.at("sum").get().hex().c_str(), static_cast<long long>(pipe.front()));
            pipe.pop_front();
            b.compared();
        }
    }
    return b.finish();
}
