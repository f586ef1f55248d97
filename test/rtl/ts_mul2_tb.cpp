#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    enum { K = P_AW + P_BW - P_ASIGNED };
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("a", top.a, P_AW);
    b.in("b0", top.b0, P_BW);
    b.in("b1_less", top.b1_less, P_BW);
    b.out("p0", top.p0, K);
    b.out("p1", top.p1, K);
    struct products {
        int64_t a, b0, b1;
    };
    std::vector<products> list;
    const int64_t most = (int64_t{1} << (P_BW - 1)) - 1; // of the pair; the shared factor may be the most negative number, too
    const int64_t high = (int64_t{1} << (P_AW - P_ASIGNED)) - 1, low = P_ASIGNED ? -high - 1 : 0;
    if (P_AW + 2 * P_BW <= 15) { // everything
        for (int64_t a = low; a <= high; a++)
            for (int64_t b0 = -most; b0 <= most; b0++)
                for (int64_t b1 = -most; b1 <= most; b1++)
                    list.push_back({a, b0, b1});
    } else {
        const std::vector<int64_t> pair = {-most, -most + 1, -most / 2, -1, 0, 1, most / 2, most - 1, most};
        for (int64_t a : {low, low + 1, low / 2, -int64_t{P_ASIGNED}, int64_t{0}, int64_t{1}, high / 2, high - 1, high})
            for (int64_t b0 : pair)
                for (int64_t b1 : pair)
                    list.push_back({a, b0, b1});
        for (int i = 0; i < 20000; i++)
            list.push_back({b.value(P_AW, P_ASIGNED, true), b.value(P_BW, true), b.value(P_BW, true)});
    }
    std::deque<products> pipe;
    for (size_t i = 0; i < list.size() && !b.failed(); i++) {
        const products &now = list[i];
        b.at("a").set(static_cast<uint64_t>(now.a));
        b.at("b0").set(static_cast<uint64_t>(now.b0));
        b.at("b1_less").set(static_cast<uint64_t>(now.b1 - (now.b0 < 0)));
        pipe.push_back(now);
        b.cycle();
        if (pipe.size() == 3) {
            const products was = pipe.front();
            const int64_t p0 = b.at("p0").get().s(), p1 = b.at("p1").get().s() + (p0 < 0);
            if (p0 != was.a * was.b0 || p1 != was.a * was.b1)
                b.fail("%lld * (%lld, %lld) is (%lld, %lld)", static_cast<long long>(was.a), static_cast<long long>(was.b0),
                       static_cast<long long>(was.b1), static_cast<long long>(p0), static_cast<long long>(p1));
            pipe.pop_front();
            b.compared();
        }
    }
    return b.finish();
}
