#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("a", top.a, P_N * P_AW);
    b.in("b", top.b, P_N * P_BW);
    b.out("sum", top.sum, P_OW);
    int levels = 0;
    while ((1 << levels) < P_N)
        levels++;
    const size_t latency = static_cast<size_t>(3 + (levels + P_REG - 1) / P_REG);
    std::deque<int64_t> pipe;
    for (int i = 0; i < 5000 && !b.failed(); i++) {
        std::vector<int64_t> x, y;
        int64_t sum = 0;
        const int64_t x_all = b.value(P_AW, P_ASIGNED, true), y_all = b.value(P_BW, true, true);
        for (int n = 0; n < P_N; n++) {
            x.push_back(i % 8 == 0 ? x_all : b.value(P_AW, P_ASIGNED, true));
            y.push_back(i % 8 == 0 ? y_all : b.value(P_BW, true, true));
            sum += x.back() * y.back();
        }
        b.at("a").set(pack(x, P_AW));
        b.at("b").set(pack(y, P_BW));
        pipe.push_back(sum);
        b.cycle();
        if (pipe.size() == latency) {
            if (bits(P_OW, static_cast<uint64_t>(pipe.front())) != b.at("sum").get())
                b.fail("sum is %s, expected %lld", b.at("sum").get().hex().c_str(), static_cast<long long>(pipe.front()));
            pipe.pop_front();
            b.compared();
        }
    }
    return b.finish();
}
