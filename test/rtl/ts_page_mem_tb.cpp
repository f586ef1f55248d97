#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    enum { SPAN = 72 * P_LANES, GROUPS = (P_WIDTH + SPAN - 1) / SPAN };
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    int aw = 1;
    while ((1 << aw) < P_DEPTH)
        aw++;
    b.in("we", top.we, 1);
    b.in("group", top.group, 8);
    b.in("waddr", top.waddr, 16);
    b.in("wdata", top.wdata, SPAN);
    b.in("raddr", top.raddr, aw);
    b.out("rdata", top.rdata, P_WIDTH);
    std::vector<bits> word(P_DEPTH, bits(P_WIDTH));
    std::vector<uint64_t> known(P_DEPTH, 0); // groups that were written
    std::vector<uint64_t> fresh(P_DEPTH, 0); // the cycle of the last write, plus one
    struct read {
        bool known;
        bits want;
    };
    std::deque<read> pipe;
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
            for (int at = 0; at < SPAN && group * SPAN + at < P_WIDTH; at++)
                word[waddr].put(group * SPAN + at, 1, static_cast<int64_t>(data.u(at, 1)));
            known[waddr] |= uint64_t{1} << group;
            fresh[waddr] = b.now() + 1;
        }
        b.cycle();
        if (pipe.size() == 2) {
            if (pipe.front().known && b.at("rdata").get() != pipe.front().want)
                b.fail("rdata is %s, expected %s", b.at("rdata").get().hex().c_str(), pipe.front().want.hex().c_str());
            b.compared(pipe.front().known);
            pipe.pop_front();
        }
    }
    return b.finish();
}
