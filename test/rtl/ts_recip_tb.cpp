/* ts_recip against the kernel: every d where there are few, lengths and neighbours of powers of two and noise elsewhere. */
#include "Vtop.h"
#include "bench.h"
extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    constexpr int latency = 1 + (16 + P_DIGITS - 1) / P_DIGITS;
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("in_valid", top.in_valid, 1);
    b.in("in_d", top.in_d, P_DW);
    b.in("in_side", top.in_side, P_SIDEW);
    b.out("out_valid", top.out_valid, 1);
    b.out("out_r", top.out_r, 17, "out_valid");
    b.out("out_len", top.out_len, 6, "out_valid");
    b.out("out_side", top.out_side, P_SIDEW, "out_valid");

    const uint64_t all = (static_cast<uint64_t>(1) << P_DW) - 1;
    std::deque<uint64_t> todo;
    if (P_DW <= 12) {
        for (uint64_t d = 1; d <= all; d++)
            todo.push_back(d);
    } else {
        for (int i = 0; i < P_DW; i++)
            for (int64_t near = -2; near <= 2; near++) {
                const uint64_t d = ((static_cast<uint64_t>(1) << i) + static_cast<uint64_t>(near)) & all;
                if (d)
                    todo.push_back(d);
            }
        for (int i = 0; i < 20000; i++)
            todo.push_back(std::max<uint64_t>(1, (b.rnd() & all) >> b.pick(0, P_DW - 1)));
    }

    struct item {
        uint64_t d, side;
        bool valid;
    };
    std::deque<item> flight(latency, item{0, 0, false});
    uint64_t r = 0;
    for (int drain = latency + 4; drain > 0 && !b.failed(); drain -= todo.empty()) {
        item in = {b.rnd() & all, b.rnd() & ((1u << P_SIDEW) - 1), !todo.empty() && b.rnd() % 4 != 0};
        if (in.valid) {
            in.d = todo.front();
            todo.pop_front();
        }
        b.at("in_valid").set(in.valid);
        b.at("in_d").set(in.d);
        b.at("in_side").set(in.side);
        b.cycle();
        flight.push_back(in);
        flight.pop_front();
        const item &out = flight.front();
        if (top.out_valid != out.valid)
            b.fail("out_valid is %d", top.out_valid);
        if (out.valid) {
            int len;
            r = ts_recip(out.d, &len);
            if (top.out_len != len || top.out_side != out.side)
                b.fail("d %llu: len %d, not %d, or its side band", static_cast<unsigned long long>(out.d), top.out_len, len);
        }
        if (r && top.out_r != r)
            b.fail("d %llu: %u, not %u", static_cast<unsigned long long>(out.d), top.out_r, static_cast<unsigned>(r));
        b.compared();
    }
    return b.finish();
}
