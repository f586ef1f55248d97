/* ts_isqrt: root^2 <= u < (root+1)^2, for every u where there are few, squares and their neighbours and noise elsewhere. */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    constexpr int latency = (P_UW / 2 + P_DIGITS - 1) / P_DIGITS;
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("in_valid", top.in_valid, 1);
    b.in("in_u", top.in_u, P_UW);
    b.in("in_side", top.in_side, P_SIDEW);
    b.out("out_valid", top.out_valid, 1);
    b.out("out_root", top.out_root, P_UW / 2, "out_valid");
    b.out("out_side", top.out_side, P_SIDEW, "out_valid");

    const uint64_t all = (static_cast<uint64_t>(1) << P_UW) - 1;
    std::deque<uint64_t> todo;
    if (P_UW <= 12) {
        for (uint64_t u = 0; u <= all; u++)
            todo.push_back(u);
    } else {
        for (uint64_t u : {uint64_t(0), uint64_t(1), uint64_t(2), all, all - 1, (all + 1) / 4, (all + 1) / 4 - 1})
            todo.push_back(u);
        for (int i = 0; i < 20000; i++) {
            const uint64_t root = (b.rnd() & all) >> (P_UW / 2);
            todo.push_back(i % 2 ? b.rnd() & all : std::min(all, root * root + static_cast<uint64_t>(b.pick(root ? -1 : 0, 1))));
        }
    }

    struct item {
        uint64_t u, side;
        bool valid;
    };
    std::deque<item> flight(latency, item{0, 0, false});
    bool some = false;
    uint64_t u = 0;
    for (int drain = latency + 4; drain > 0 && !b.failed(); drain -= todo.empty()) {
        item in = {b.rnd() & all, b.rnd() & ((1u << P_SIDEW) - 1), !todo.empty() && b.rnd() % 4 != 0};
        if (in.valid) {
            in.u = todo.front();
            todo.pop_front();
        }
        b.at("in_valid").set(in.valid);
        b.at("in_u").set(in.u);
        b.at("in_side").set(in.side);
        b.cycle();
        flight.push_back(in);
        flight.pop_front();
        const item &out = flight.front();
        if (top.out_valid != out.valid)
            b.fail("out_valid is %d", top.out_valid);
        if (out.valid) {
            some = true;
            u = out.u;
            if (top.out_side != out.side)
                b.fail("the side band is wrong");
        }
        const uint64_t root = top.out_root;
        if (some && (root * root > u || (root + 1) * (root + 1) <= u))
            b.fail("the root of %llu is not %llu", static_cast<unsigned long long>(u), static_cast<unsigned long long>(root));
        b.compared();
    }
    return b.finish();
}
