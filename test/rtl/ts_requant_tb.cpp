#include "Vtop.h"
#include "bench.h"

extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    const int bpw = P_BIASW > 0 ? P_BIASW : 1, latency = 6;
    b.dut(top);
    b.reset(top.rst);
    b.in("in_valid", top.in_valid, 1);
    b.in("in_acc", top.in_acc, P_IW);
    b.in("in_m", top.in_m, 18);
    b.in("in_e", top.in_e, 3);
    b.in("in_b", top.in_b, bpw);
    b.in("in_bits", top.in_bits, 5);
    b.in("in_tag", top.in_tag, 3);
    b.out("out_valid", top.out_valid, 1);
    b.out("out_y", top.out_y, P_OW, "out_valid");
    b.out("out_tag", top.out_tag, 3, "out_valid");
    struct result {
        bool valid;
        int64_t y, tag;
    };
    std::deque<result> pipe;
    int saturated = 0, inside = 0;
    for (int i = 0; i < 20000 && !b.failed(); i++) {
        int64_t acc = b.value(P_IW, true, true);
        // The contract: round(acc >> S1) fits 25 bits.
        const int64_t limit = (int64_t)1 << (24 + P_S1);
        acc = ts_clamp(acc, -limit, limit - 1 - (((int64_t)1 << P_S1) >> 1));
        int64_t m = b.value(18, true), bias = P_BIASW ? b.value(bpw, true, true) : 0;
        const int e = static_cast<int>(b.pick(0, 7));
        const int bits_out = P_VARBITS ? static_cast<int>(b.pick(2, P_OW)) : P_OW;
        if (i % 4 == 0) {
            // A result near the middle or the ends of the format: the multiplier that brings acc there.
            const int64_t x = ts_rsh(acc, P_S1), want = b.value(bits_out + 1, true);
            bias = b.pick(0, 1) ? bias : 0;
            if (x != 0)
                m = ts_clamp(((want << (P_S2 + e)) - bias) / x, -131071, 131071);
        }
        const bool valid = b.pick(0, 3) != 0;
        b.at("in_valid").set(valid);
        b.at("in_acc").set(static_cast<uint64_t>(acc));
        b.at("in_m").set(static_cast<uint64_t>(m));
        b.at("in_e").set(static_cast<uint64_t>(e));
        b.at("in_b").set(static_cast<uint64_t>(bias));
        b.at("in_bits").set(static_cast<uint64_t>(bits_out));
        const int64_t tag = b.pick(0, 7);
        b.at("in_tag").set(static_cast<uint64_t>(tag));
        const int64_t y = ts_requant(acc, P_S1, static_cast<int32_t>(m), bias, P_S2 + e, bits_out, P_OSIGNED);
        const bool ends = y == ts_fmt_max(bits_out, P_OSIGNED) || y == (P_OSIGNED ? -ts_fmt_max(bits_out, true) : 0);
        saturated += ends;
        inside += !ends;
        pipe.push_back({valid, y, tag});
        b.cycle();
        if (pipe.size() == latency) {
            const result want = pipe.front();
            pipe.pop_front();
            if (top.out_valid != want.valid)
                b.fail("out_valid is %d", top.out_valid);
            if (want.valid && (b.at("out_y").get() != bits(P_OW, static_cast<uint64_t>(want.y)) ||
                               b.at("out_tag").get().u() != static_cast<uint64_t>(want.tag)))
                b.fail("y is %s, expected %lld", b.at("out_y").get().hex().c_str(), static_cast<long long>(want.y));
            b.compared(want.valid);
        }
    }
    b.check(saturated > 300 && inside > 300, "the values are all at the ends, or none is");
    return b.finish();
}
