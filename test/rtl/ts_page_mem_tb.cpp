#include "Vtop.h"
#include "bench.h"

#ifndef P_PARITY
#define P_PARITY 0
#endif

int main(int argc, char **argv)
{
    enum { SPAN = 72 * P_LANES, ALL = P_WIDTH + P_PARITY, GROUPS = (ALL + SPAN - 1) / SPAN };
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    int aw = 1;
    while ((1 << aw) < P_DEPTH)
        aw++;
    b.in("we", top.we, 1);
    b.in("group", top.group, 8);
    b.in("waddr", top.waddr, 16);
    b.in("wdata", top.wdata, SPAN);
    b.in("raddr", top.raddr, aw);
    b.in("used", top.used, 1);
    b.at("used").set(uint64_t{0});
    b.out("rdata", top.rdata, P_WIDTH);
    b.out("flipped", top.flipped, 1);
    std::vector<bits> word(P_DEPTH, bits(ALL));
    std::vector<uint64_t> known(P_DEPTH, 0); // groups that were written
    std::vector<uint64_t> fresh(P_DEPTH, 0); // the cycle of the last write, plus one
    struct read {
        bool known;
        bits want;
    };
    std::deque<read> pipe;
    const auto data_of = [](const bits &all) {
        bits data(P_WIDTH);
        for (int at = 0; at < P_WIDTH; at++)
            data.put(at, 1, static_cast<int64_t>(all.u(at, 1)));
        return data;
    };
    std::deque<int> odd;
    for (int i = 0; i < 20 * P_DEPTH * GROUPS + 2000 && !b.failed(); i++) {
        const bool write = b.pick(0, 1);
        const size_t waddr = static_cast<size_t>(b.pick(0, P_DEPTH - 1)), raddr = static_cast<size_t>(b.pick(0, P_DEPTH - 1));
        const int group = static_cast<int>(b.pick(0, GROUPS - 1));
        bits data(SPAN);
        for (int at = 0; at < SPAN; at += 36)
            data.put(at, 36, static_cast<int64_t>(b.rnd()));
        b.at("we").set(write);
        b.at("group").set(static_cast<uint64_t>(group));
        b.at("waddr").set(waddr);
        b.at("wdata").set(data);
        b.at("raddr").set(raddr);
        // Certain two cycles after the write.
        pipe.push_back({known[raddr] == (uint64_t{1} << GROUPS) - 1 && (fresh[raddr] == 0 || b.now() >= fresh[raddr] + 1), word[raddr]});
        if (write) {
            for (int at = 0; at < SPAN && group * SPAN + at < ALL; at++)
                word[waddr].put(group * SPAN + at, 1, static_cast<int64_t>(data.u(at, 1)));
            known[waddr] |= uint64_t{1} << group;
            fresh[waddr] = b.now() + 1;
        }
        b.cycle();
        if (odd.size() == (ALL > 36 ? 2 : 1)) {
            b.check(odd.front() < 0 || top.flipped == odd.front(), "a word's parity is not as expected");
            odd.pop_front();
        }
        if (pipe.size() == 2) {
            const bits want = data_of(pipe.front().want);
            if (pipe.front().known && b.at("rdata").get() != want)
                b.fail("rdata is %s, expected %s", b.at("rdata").get().hex().c_str(), want.hex().c_str());
            // used holds for the next cycle, in which this word is there; flipped follows a level of parity, or two, later.
            int ones = 0;
            for (int at = 0; at < ALL; at++)
                ones += static_cast<int>(pipe.front().want.u(at, 1));
            const bool used = b.pick(0, 1);
            b.at("used").set(used);
            odd.push_back(!P_PARITY || !used ? 0 : pipe.front().known ? ones % 2 : -1);
            b.compared(pipe.front().known);
            pipe.pop_front();
        }
    }
    return b.finish();
}
