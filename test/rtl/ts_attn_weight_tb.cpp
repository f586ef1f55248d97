/* ts_attn_weight against ts_exp2_neg(): every difference of a score from the maximum, and the lanes without a key. */
#include "Vtop.h"
#include "bench.h"

extern "C" {
#include "num/fixed.h"
}

int main(int argc, char **argv)
{
    constexpr size_t latency = 4;
    bench b(argc, argv);
    std::vector<uint32_t> table(1u << P_FW);
    ts_exp2_table(P_FW, P_PW, table.data());
    std::vector<bits> image;
    for (uint32_t entry : table)
        image.push_back(bits(P_PW, entry));
    write_image(P_INIT, image, P_PW);

    Vtop top(b.context());
    b.dut(top);
    b.in("score", top.score, P_SW);
    b.in("max", top.max, P_SW);
    b.out("p", top.p, P_PW);

    const int64_t hi = ts_fmt_max(P_SW, true);
    std::deque<uint64_t> pipe;
    for (int64_t delta = -1; delta <= 2 * hi && !b.failed(); delta++) { /* -1: no key */
        const int64_t max = b.pick(std::max(-hi, delta - hi), hi), score = delta < 0 ? -hi - 1 : max - delta;
        b.at("score").set(static_cast<uint64_t>(score));
        b.at("max").set(static_cast<uint64_t>(max));
        b.cycle();
        pipe.push_back(delta < 0 ? 0 : ts_exp2_neg(static_cast<uint32_t>(delta), table.data(), P_FW));
        if (pipe.size() < latency)
            continue;
        if (top.p != pipe.front())
            b.fail("weight %u, expected %llu", static_cast<unsigned>(top.p), static_cast<unsigned long long>(pipe.front()));
        pipe.pop_front();
        b.compared();
    }
    return b.finish();
}
