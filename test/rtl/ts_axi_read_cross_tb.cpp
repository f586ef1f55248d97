/* ts_axi_read_cross: bursts as ts_pager makes them, against a memory that takes its time, between clocks of any ratio; a beat a cycle. What
   AXI4 asks of both sides is watched by ts_axi_read_check inside. */
#include "Vtop.h"
#include "bench.h"
#include "clocks.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    enum { BYTES = P_DATAW / 8 };
    b.in("s_axi_arvalid", top.s_axi_arvalid, 1);
    b.out("s_axi_arready", top.s_axi_arready, 1);
    b.in("s_axi_araddr", top.s_axi_araddr, P_ADDRW);
    b.in("s_axi_arlen", top.s_axi_arlen, 8);
    b.in("s_axi_arsize", top.s_axi_arsize, 3);
    b.in("s_axi_arburst", top.s_axi_arburst, 2);
    b.out("s_axi_rvalid", top.s_axi_rvalid, 1);
    b.in("s_axi_rready", top.s_axi_rready, 1);
    b.out("s_axi_rdata", top.s_axi_rdata, P_DATAW);
    b.out("s_axi_rresp", top.s_axi_rresp, 2);
    b.out("s_axi_rlast", top.s_axi_rlast, 1);
    b.out("m_axi_arvalid", top.m_axi_arvalid, 1);
    b.in("m_axi_arready", top.m_axi_arready, 1);
    b.out("m_axi_araddr", top.m_axi_araddr, P_ADDRW);
    b.out("m_axi_arlen", top.m_axi_arlen, 8);
    b.out("m_axi_arsize", top.m_axi_arsize, 3);
    b.out("m_axi_arburst", top.m_axi_arburst, 2);
    b.in("m_axi_rvalid", top.m_axi_rvalid, 1);
    b.out("m_axi_rready", top.m_axi_rready, 1);
    b.in("m_axi_rdata", top.m_axi_rdata, P_DATAW);
    b.in("m_axi_rresp", top.m_axi_rresp, 2);
    b.in("m_axi_rlast", top.m_axi_rlast, 1);
    b.in("s_rst", top.s_rst, 1);
    b.in("m_rst", top.m_rst, 1);
    clocks c(b, argc, argv, [&] { top.eval(); });
    const int engine = c.add("s_clk", top.s_clk), bus = c.add("m_clk", top.m_clk);
    const std::vector<std::string> address = {"_axi_araddr", "_axi_arlen", "_axi_arsize", "_axi_arburst"};
    const std::vector<std::string> data = {"_axi_rdata", "_axi_rresp", "_axi_rlast"};
    const auto of = [](const char *side, std::vector<std::string> names) {
        for (std::string &n : names)
            n = side + n;
        return names;
    };
    feeder &ar = c.feed(engine, "s_axi_arvalid", "s_axi_arready", of("s", address));
    taker &r = c.take(engine, "s_axi_rvalid", "s_axi_rready", of("s", data));
    taker &mar = c.take(bus, "m_axi_arvalid", "m_axi_arready", of("m", address));
    feeder &mr = c.feed(bus, "m_axi_rvalid", "m_axi_rready", of("m", data));
    c.input("s_rst");
    c.input("m_rst");

    bool started = false;
    std::deque<beat> bursts, beats; // to be seen by the memory; by the master
    int late = 0;                   // bursts that the memory keeps waiting
    std::deque<beat> held;
    mar.got = [&](const beat &got) {
        if (!started)
            return;
        b.check(!bursts.empty() && got == bursts.front(), "a burst has changed on its way");
        if (!bursts.empty())
            bursts.pop_front();
        for (uint64_t i = 0; i <= got[1].u(); i++) {
            bits word(P_DATAW);
            for (int at = 0; at < P_DATAW; at += 32)
                word.put(at, 32, static_cast<int64_t>(b.rnd()));
            const beat one = {word, bits(2, static_cast<uint64_t>(b.pick(0, 9) ? 0 : 2)), bits(1, i == got[1].u())};
            held.push_back(one);
            beats.push_back(one);
        }
    };
    r.got = [&](const beat &got) {
        if (!started)
            return;
        b.check(!beats.empty() && got == beats.front(), "a beat has changed on its way");
        if (!beats.empty())
            beats.pop_front();
        b.compared();
    };
    c.at_edge(bus, [&] { // a latency of its own
        if (held.empty() || late-- > 0)
            return;
        late = static_cast<int>(b.pick(0, 3) ? 0 : b.pick(0, 12));
        do {
            mr.queue.push_back(held.front());
            held.pop_front();
        } while (!held.empty() && !mr.queue.back()[2].u());
    });
    uint64_t at = 0;
    const auto send = [&](int count, bool whole) {
        const uint64_t most = std::min<uint64_t>(256, 4096 / BYTES);
        for (int i = 0; i < count; i++) {
            const uint64_t left = (4096 - at % 4096) / BYTES;
            const uint64_t length =
                whole ? std::min(left, most) : static_cast<uint64_t>(b.pick(1, static_cast<int64_t>(std::min<uint64_t>(left, 24))));
            int size = 0;
            while (1 << size < BYTES)
                size++;
            const beat burst = {bits(P_ADDRW, at), bits(8, length - 1), bits(3, static_cast<uint64_t>(size)), bits(2, 1)};
            ar.queue.push_back(burst);
            bursts.push_back(burst);
            at = (at + length * BYTES) % (uint64_t{1} << (P_ADDRW < 30 ? P_ADDRW : 30));
        }
    };
    const auto empty = [&] { return ar.queue.empty() && !ar.offered && bursts.empty() && beats.empty(); };
    const auto reset = [&] {
        ar.drop(), mr.drop();
        top.s_axi_arvalid = top.m_axi_rvalid = 0;
        top.s_rst = top.m_rst = 1;
        started = false;
        const uint64_t a = c.cycles(engine), z = c.cycles(bus);
        c.until([&] { return c.cycles(engine) > a + 1 && c.cycles(bus) > z + 1; });
        top.s_rst = top.m_rst = 0;
        ar.on = mr.on = started = true;
    };
    reset();
    c.run(100);
    c.compare_from_now();
    for (int round = 0; round < 24 && !b.failed(); round++) {
        static const int pauses[] = {0, 0, 30, 80};
        c.any_speeds();
        ar.pause = pauses[b.pick(0, 3)], r.pause = pauses[b.pick(0, 3)], mar.pause = pauses[b.pick(0, 3)], mr.pause = pauses[b.pick(0, 3)];
        send(20, false);
        c.until(empty);
        if (round % 4 == 3)
            reset();
    }
    c.speeds(1, 1, true);
    ar.pause = r.pause = mar.pause = mr.pause = 0;
    reset();
    c.run(100);
    at = 0;
    send(6, true);
    const size_t first = r.taken_at.size(), sent = mr.taken_at.size();
    const uint64_t ahead = c.cycles(engine) - c.cycles(bus);
    while (!empty() && !b.failed()) {
        late = 0;
        c.step();
    }
    const uint64_t latency = b.failed() ? 0 : r.taken_at[first] - ahead - mr.taken_at[sent];
    b.check(b.failed() || latency == P_SYNC + 3 || latency == P_SYNC + 4, "latency of a beat"); // a synchroniser may be a cycle late
    b.check(b.failed() || r.taken_at.back() - r.taken_at[first] <= r.taken_at.size() - first - 1 + 8 * 6, "not a beat a cycle");
    return c.finish();
}
