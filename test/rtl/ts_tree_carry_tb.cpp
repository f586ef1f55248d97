#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("x", top.x, P_N * P_W);
    b.in("carry_in", top.carry_in, P_N);
    b.out("sum", top.sum, P_OW);
    b.out("carry", top.carry, 1);
    int levels = 0;
    while ((1 << levels) < P_N)
        levels++;
    const size_t latency = static_cast<size_t>((levels + P_REG - 1) / P_REG);
    std::deque<int64_t> pipe;
    for (int i = 0; i < 5000 && !b.failed(); i++) {
        std::vector<int64_t> x, carries;
        int64_t sum = 0;
        const int64_t all = b.value(P_W, true), carry = b.pick(0, 1);
        for (int n = 0; n < P_N; n++) {
            // Now and then all terms are equal: the longest carries and the largest sum, every carry or none.
            const int64_t value = i % 8 == 0 ? all : b.value(P_W, true), one = i % 8 < 2 ? carry : b.pick(0, 1);
            x.push_back(value - one); // as ts_mul2: value = x + carry is symmetric
            carries.push_back(one);
            sum += value;
        }
        b.at("x").set(pack(x, P_W));
        b.at("carry_in").set(pack(carries, 1));
        pipe.push_back(sum);
        b.cycle();
        if (pipe.size() == latency || latency == 0) {
            const int64_t got = b.at("sum").get().s() + static_cast<int64_t>(b.at("carry").get().u());
            if (got != pipe.front())
                b.fail("the sum is %lld, expected %lld", static_cast<long long>(got), static_cast<long long>(pipe.front()));
            pipe.pop_front();
            b.compared();
        }
    }
    return b.finish();
}
