#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("a", top.a, P_AW);
    b.in("b", top.b, P_BW);
    b.out("p", top.p, P_AW + P_BW);
    std::deque<int64_t> pipe;
    for (int i = 0; i < 20000 && !b.failed(); i++) {
        const int64_t x = b.value(P_AW, P_ASIGNED, true), y = b.value(P_BW, P_BSIGNED, true);
        b.at("a").set(static_cast<uint64_t>(x));
        b.at("b").set(static_cast<uint64_t>(y));
        pipe.push_back(x * y);
        b.cycle();
        if (pipe.size() == 3) {
            const int64_t want = pipe.front();
            pipe.pop_front();
            if (bits(P_AW + P_BW, static_cast<uint64_t>(want)) != b.at("p").get())
                b.fail("p is %s, expected %lld", b.at("p").get().hex().c_str(), static_cast<long long>(want));
            b.compared();
        }
    }
    return b.finish();
}
