/* ts_attn_scale, with the reciprocal from the kernel, against ts_wmean(). */
#include "Vtop.h"
#include "bench.h"

extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    constexpr size_t latency = 8;
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("acc", top.acc, P_ACCW);
    b.in("len", top.len, 6);
    b.in("r", top.r, 17);
    b.in("e", top.e, 2);
    b.in("limit", top.limit, P_CW - 1);
    b.out("y", top.y, P_CW);

    struct item {
        int64_t y;
        uint64_t r;
        int e, out_bits;
    };
    std::deque<item> pipe;
    int inside = 0;
    for (int i = 0; i < 20000 && !b.failed(); i++) {
        /* The sum of weights of which the largest is 2^PW - 1; values within +-(2^(VW-1)-1). */
        const uint64_t least = (1u << P_PW) - 1, most = (static_cast<uint64_t>(1) << P_SUMW) - 1;
        const uint64_t sum = std::max(least, (b.pick(0, 3) ? b.rnd() & most : most) >> b.pick(0, P_SUMW - P_PW));
        const int64_t widest = static_cast<int64_t>(sum) * ts_fmt_max(P_VW, true);
        const int64_t acc = b.pick(0, 9) ? b.pick(-widest, widest) >> b.pick(0, P_VW) : b.pick(0, 1) ? widest : -widest;
        int len;
        item in = {0, ts_recip(sum, &len), static_cast<int>(b.pick(0, 3)), static_cast<int>(b.pick(2, P_CW))};
        in.y = ts_wmean(acc, sum, P_VW, P_SHIFT + in.e, in.out_bits);
        pipe.push_back(in);
        const size_t n = pipe.size();
        b.at("acc").set(static_cast<uint64_t>(acc));
        b.at("len").set(static_cast<uint64_t>(len));
        if (n > 2)
            b.at("r").set(pipe[n - 3].r);
        if (n > 5)
            b.at("e").set(static_cast<uint64_t>(pipe[n - 6].e));
        if (n > 7)
            b.at("limit").set(static_cast<uint64_t>(ts_fmt_max(pipe[n - 8].out_bits, true)));
        b.cycle();
        if (n < latency)
            continue;
        const item out = pipe.front();
        pipe.pop_front();
        if (b.at("y").get().s() != out.y)
            b.fail("y is %lld, expected %lld", static_cast<long long>(b.at("y").get().s()), static_cast<long long>(out.y));
        inside += out.y != 0 && out.y != ts_fmt_max(out.out_bits, true) && out.y != -ts_fmt_max(out.out_bits, true);
        b.compared();
    }
    b.check(inside > 500, "hardly a value that is neither zero nor saturated");
    return b.finish();
}
