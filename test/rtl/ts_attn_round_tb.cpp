/* ts_attn_round against ts_rsh() and ts_sat(), at every limit. */
#include "Vtop.h"
#include "bench.h"

extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    constexpr size_t latency = 3;
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("x", top.x, P_IW);
    b.in("e", top.e, 2);
    b.in("limit", top.limit, P_OW - 1);
    b.in("none", top.none, 1);
    b.out("y", top.y, P_OW);

    struct item {
        int64_t y;
        int out_bits;
        bool none;
    };
    std::deque<item> pipe;
    int inside = 0, ends = 0;
    for (int i = 0; i < 20000 && !b.failed(); i++) {
        const int e = static_cast<int>(b.pick(0, 3)), out_bits = static_cast<int>(b.pick(2, P_OW));
        const int64_t lowest = -(static_cast<int64_t>(1) << (P_IW - 1));
        int64_t x = b.value(P_IW, true, true);
        if (i % 2) /* near a rounding or saturating step */
            x = ts_clamp((b.value(out_bits, true) << (P_SHIFT + e)) + b.pick(-2, 2) + (b.pick(0, 1) << (P_SHIFT + e) >> 1), lowest,
                         ts_fmt_max(P_IW, true));
        const item in = {ts_sat(ts_rsh(x, P_SHIFT + e), out_bits, true), out_bits, b.pick(0, 9) == 0};
        pipe.push_back(in);
        b.at("x").set(static_cast<uint64_t>(x));
        b.at("e").set(static_cast<uint64_t>(e));
        if (pipe.size() == latency) {
            b.at("limit").set(static_cast<uint64_t>(ts_fmt_max(pipe.front().out_bits, true)));
            b.at("none").set(pipe.front().none);
        }
        b.cycle();
        if (pipe.size() < latency)
            continue;
        const item out = pipe.front();
        pipe.pop_front();
        const int64_t want = out.none ? -ts_fmt_max(P_OW, true) - 1 : out.y;
        if (b.at("y").get().s() != want)
            b.fail("y is %lld, expected %lld", static_cast<long long>(b.at("y").get().s()), static_cast<long long>(want));
        (out.y == ts_fmt_max(out.out_bits, true) || out.y == -ts_fmt_max(out.out_bits, true) ? ends : inside)++;
        b.compared();
    }
    b.check(inside > 500 && ends > 500, "the values are all at the ends, or none is");
    return b.finish();
}
