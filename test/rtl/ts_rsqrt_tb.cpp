/* ts_rsqrt against the kernel: every v where there are few, powers of two and their neighbours and noise of every length. */
#include "Vtop.h"
#include "bench.h"
extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    constexpr int latency = 3 + (18 + P_DIGITS - 1) / P_DIGITS + (16 + P_DIGITS - 1) / P_DIGITS;
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("in_valid", top.in_valid, 1);
    b.in("in_v", top.in_v, P_VW);
    b.in("in_side", top.in_side, P_SIDEW);
    b.out("out_valid", top.out_valid, 1);
    b.out("out_r", top.out_r, 17, "out_valid");
    b.out("out_k", top.out_k, 6, "out_valid");
    b.out("out_side", top.out_side, P_SIDEW, "out_valid");

    const uint64_t all = (static_cast<uint64_t>(1) << P_VW) - 1;
    std::deque<uint64_t> todo;
    if (P_VW <= 12) {
        for (uint64_t v = 1; v <= all; v++)
            todo.push_back(v);
    } else {
        for (int i = 0; i < P_VW; i++)
            for (int64_t near = -2; near <= 2; near++) {
                const uint64_t v = ((static_cast<uint64_t>(1) << i) + static_cast<uint64_t>(near)) & all;
                if (v)
                    todo.push_back(v);
            }
        for (int i = 0; i < 20000; i++)
            todo.push_back(std::max<uint64_t>(1, (b.rnd() & all) >> b.pick(0, P_VW - 1)));
    }

    struct item {
        uint64_t v, side;
        bool valid;
    };
    std::deque<item> flight(latency, item{0, 0, false});
    uint64_t r = 0;
    int k = 0;
    for (int drain = latency + 4; drain > 0 && !b.failed(); drain -= todo.empty()) {
        item in = {b.rnd() & all, b.rnd() & ((1u << P_SIDEW) - 1), !todo.empty() && b.rnd() % 4 != 0};
        if (in.valid) {
            in.v = todo.front();
            todo.pop_front();
        }
        b.at("in_valid").set(in.valid);
        b.at("in_v").set(in.v);
        b.at("in_side").set(in.side);
        b.cycle();
        flight.push_back(in);
        flight.pop_front();
        const item &out = flight.front();
        if (top.out_valid != out.valid)
            b.fail("out_valid is %d", top.out_valid);
        if (out.valid) {
            r = ts_rsqrt(out.v, &k);
            if (top.out_side != out.side)
                b.fail("the side band is wrong");
        }
        if (r && (top.out_r != r || top.out_k != k))
            b.fail("v %llu: %u / 2^(16+%d), not %u, %d", static_cast<unsigned long long>(out.v), top.out_r, top.out_k,
                   static_cast<unsigned>(r), k);
        b.compared();
    }
    return b.finish();
}
