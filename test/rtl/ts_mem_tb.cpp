#include <cstring>

#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    // The image must be there before the first evaluation.
    std::vector<bits> word;
    for (int i = 0; i < P_DEPTH; i++) {
        bits w(P_WIDTH);
        for (int at = 0; at < P_WIDTH; at += 50)
            w.put(at, std::min(50, P_WIDTH - at), static_cast<int64_t>(b.rnd()));
        word.push_back(w);
    }
    if (strlen(P_INIT) > 0)
        write_image(P_INIT, word, P_WIDTH);
    Vtop top(b.context());
    b.dut(top);
    int aw = 1;
    while ((1 << aw) < P_DEPTH)
        aw++;
    b.in("we", top.we, 1);
    b.in("waddr", top.waddr, aw);
    b.in("wdata", top.wdata, P_WIDTH);
    b.in("raddr", top.raddr, aw);
    b.out("rdata", top.rdata, P_WIDTH);
    b.in("cfg_we", top.cfg_we, 1);
    b.in("cfg_mem", top.cfg_mem, 8);
    b.in("cfg_slice", top.cfg_slice, 10);
    b.in("cfg_addr", top.cfg_addr, 16);
    b.in("cfg_data", top.cfg_data, 72);
    std::vector<bool> known(P_DEPTH, strlen(P_INIT) > 0);
    struct read {
        bool known;
        bits want;
    };
    std::deque<read> pipe;
    for (int i = 0; i < 8 * P_DEPTH + 2000 && !b.failed(); i++) {
        const bool write = b.pick(0, 2) == 0 && i > P_DEPTH;
        const int waddr = static_cast<int>(b.pick(0, P_DEPTH - 1)), slice = static_cast<int>(b.pick(0, (P_WIDTH - 1) / 72));
        int raddr = i < P_DEPTH ? i : static_cast<int>(b.pick(0, P_DEPTH - 1));
        bits wdata(P_WIDTH), data(72);
        for (int at = 0; at < P_WIDTH; at += 50)
            wdata.put(at, std::min(50, P_WIDTH - at), static_cast<int64_t>(b.rnd()));
        data.put(0, 60, static_cast<int64_t>(b.rnd()));
        data.put(60, 12, static_cast<int64_t>(b.rnd()));
        const int id = static_cast<int>(b.pick(P_CFG_ID, P_CFG_ID + 1)), target = id == P_CFG_ID;
        // Writes that are not meant for it: the other port, another memory.
        b.at("we").set(P_CFG ? b.pick(0, 1) : write);
        b.at("waddr").set(static_cast<uint64_t>(waddr));
        b.at("wdata").set(wdata);
        b.at("cfg_we").set(P_CFG ? write : b.pick(0, 1));
        b.at("cfg_mem").set(static_cast<uint64_t>(id));
        b.at("cfg_slice").set(static_cast<uint64_t>(slice));
        b.at("cfg_addr").set(static_cast<uint64_t>(waddr));
        b.at("cfg_data").set(data);
        b.at("raddr").set(static_cast<uint64_t>(raddr));
        // A read of the word that is being written may return either.
        pipe.push_back({known[static_cast<size_t>(raddr)] && !(write && raddr == waddr), word[static_cast<size_t>(raddr)]});
        if (write && !P_CFG) {
            word[static_cast<size_t>(waddr)] = wdata;
            known[static_cast<size_t>(waddr)] = true;
        } else if (write && target) {
            for (int at = 0; at < 72 && slice * 72 + at < P_WIDTH; at++)
                word[static_cast<size_t>(waddr)].put(slice * 72 + at, 1, static_cast<int64_t>(data.u(at, 1)));
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
