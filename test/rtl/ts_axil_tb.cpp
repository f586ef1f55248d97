/* ts_axil: accesses of a master that pauses, in random order, against registers that take their time; what is not there; registers that do
   not answer; resets in the middle. The rules of AXI4-Lite are watched by ts_axil_check inside. */
#include "Vtop.h"
#include "bench.h"
#include "clocks.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.in("s_axi_awvalid", top.s_axi_awvalid, 1);
    b.out("s_axi_awready", top.s_axi_awready, 1);
    b.in("s_axi_awaddr", top.s_axi_awaddr, P_ADDRW);
    b.in("s_axi_awprot", top.s_axi_awprot, 3);
    b.in("s_axi_wvalid", top.s_axi_wvalid, 1);
    b.out("s_axi_wready", top.s_axi_wready, 1);
    b.in("s_axi_wdata", top.s_axi_wdata, 32);
    b.in("s_axi_wstrb", top.s_axi_wstrb, 4);
    b.out("s_axi_bvalid", top.s_axi_bvalid, 1);
    b.in("s_axi_bready", top.s_axi_bready, 1);
    b.out("s_axi_bresp", top.s_axi_bresp, 2);
    b.in("s_axi_arvalid", top.s_axi_arvalid, 1);
    b.out("s_axi_arready", top.s_axi_arready, 1);
    b.in("s_axi_araddr", top.s_axi_araddr, P_ADDRW);
    b.in("s_axi_arprot", top.s_axi_arprot, 3);
    b.out("s_axi_rvalid", top.s_axi_rvalid, 1);
    b.in("s_axi_rready", top.s_axi_rready, 1);
    b.out("s_axi_rdata", top.s_axi_rdata, 32);
    b.out("s_axi_rresp", top.s_axi_rresp, 2);
    b.out("q_valid", top.q_valid, 1);
    b.in("q_ready", top.q_ready, 1);
    b.out("q_write", top.q_write, 1);
    b.out("q_address", top.q_address, P_ADDRW);
    b.out("q_data", top.q_data, 32);
    b.out("q_strobe", top.q_strobe, 4);
    b.in("a_valid", top.a_valid, 1);
    b.in("a_hit", top.a_hit, 1);
    b.in("a_data", top.a_data, 32);
    b.in("rst", top.rst, 1);
    clocks c(b, argc, argv, [&] { top.eval(); });
    const int clk = c.add("clk", top.clk);
    feeder &aw = c.feed(clk, "s_axi_awvalid", "s_axi_awready", {"s_axi_awaddr", "s_axi_awprot"});
    feeder &w = c.feed(clk, "s_axi_wvalid", "s_axi_wready", {"s_axi_wdata", "s_axi_wstrb"});
    feeder &ar = c.feed(clk, "s_axi_arvalid", "s_axi_arready", {"s_axi_araddr", "s_axi_arprot"});
    taker &bb = c.take(clk, "s_axi_bvalid", "s_axi_bready", {"s_axi_bresp"});
    taker &r = c.take(clk, "s_axi_rvalid", "s_axi_rready", {"s_axi_rdata", "s_axi_rresp"});
    taker &q = c.take(clk, "q_valid", "q_ready", {"q_write", "q_address", "q_data", "q_strobe"});
    for (const char *name : {"a_valid", "a_hit", "a_data", "rst"})
        c.input(name);

    struct access {
        uint64_t address, data, strobe;
    };
    std::deque<access> writes, reads;                       // sent, and not seen at the registers
    std::deque<std::pair<uint64_t, uint64_t>> b_due, r_due; // responses to come: response, data
    bool started = false, silent = false;
    int seen = 0, wait = -1; // requests; cycles to the answer of the one that is open
    bool hit = false, is_write = false;
    uint64_t value = 0;
    q.got = [&](const beat &got) {
        if (!started)
            return;
        is_write = got[0].u();
        std::deque<access> &list = is_write ? writes : reads;
        if (list.empty()) {
            b.fail("an access that was not sent");
            return;
        }
        const access a = list.front();
        list.pop_front();
        b.check(got[1].u() == a.address && (!is_write || (got[2].u() == a.data && got[3].u() == a.strobe)) && (is_write || got[3].u() == 0),
                "an access has changed on its way");
        b.check(wait < 0, "a second access, before the first one is answered");
        hit = a.address % 256 < 128;
        value = b.rnd() & 0xffffffff;
        wait = static_cast<int>(b.pick(0, 3) ? b.pick(0, 2) : b.pick(0, P_TIMEOUT / 2));
        seen++;
        if (!silent)
            (is_write ? b_due : r_due).push_back({hit ? 0 : 2, is_write ? 0 : value});
    };
    bb.got = [&](const beat &got) {
        if (!started)
            return;
        b.check(!b_due.empty() && got[0].u() == b_due.front().first, "a write's response");
        if (!b_due.empty())
            b_due.pop_front();
        b.compared();
    };
    r.got = [&](const beat &got) {
        if (!started)
            return;
        const bool ok = !r_due.empty() && got[1].u() == r_due.front().first;
        b.check(ok && (r_due.front().first || got[0].u() == r_due.front().second), "a read's response");
        if (!r_due.empty())
            r_due.pop_front();
        b.compared();
    };
    // The answer: set behind the edge that comes.
    const auto step = [&] {
        c.step();
        const bool now = wait == 0 && !silent;
        top.a_valid = now;
        top.a_hit = now ? hit : static_cast<CData>(b.pick(0, 1));
        top.a_data = static_cast<IData>(now && hit ? value : b.rnd());
        if (wait >= 0 && !silent)
            wait--;
        c.settle();
    };
    const auto steps = [&](int n) {
        for (int i = 0; i < n && !b.failed(); i++)
            step();
    };
    const auto send = [&](bool write) {
        const access a = {static_cast<uint64_t>(b.pick(0, (1 << P_ADDRW) - 1)), b.rnd() & 0xffffffff, static_cast<uint64_t>(b.pick(0, 15))};
        const bits prot(3, static_cast<uint64_t>(b.pick(0, 7)));
        if (write) {
            aw.queue.push_back({bits(P_ADDRW, a.address), prot});
            w.queue.push_back({bits(32, a.data), bits(4, a.strobe)});
            writes.push_back(a);
        } else {
            ar.queue.push_back({bits(P_ADDRW, a.address), prot});
            reads.push_back(a);
        }
    };
    const auto reset = [&] {
        for (feeder *f : {&aw, &w, &ar})
            f->drop();
        top.s_axi_awvalid = top.s_axi_wvalid = top.s_axi_arvalid = 0;
        started = false;
        top.rst = 1;
        writes.clear(), reads.clear(), b_due.clear(), r_due.clear();
        wait = -1;
        top.a_valid = 0;
        steps(static_cast<int>(b.pick(2, 5)));
        top.rst = 0;
        for (feeder *f : {&aw, &w, &ar})
            f->on = true;
        started = true;
    };
    const auto idle = [&] {
        return writes.empty() && reads.empty() && b_due.empty() && r_due.empty() && wait < 0 && !aw.offered && !w.offered && !ar.offered;
    };
    const auto until_idle = [&] {
        for (int i = 0; !idle() && !b.failed(); i++) {
            step();
            if (i > 200000)
                b.fail("watchdog: accesses without a response");
        }
    };

    reset();
    steps(4);
    c.compare_from_now();
    for (int round = 0; round < 30 && !b.failed(); round++) {
        static const int pauses[] = {0, 0, 40, 80};
        aw.pause = pauses[b.pick(0, 3)], w.pause = pauses[b.pick(0, 3)], ar.pause = pauses[b.pick(0, 3)];
        bb.pause = pauses[b.pick(0, 3)], r.pause = pauses[b.pick(0, 3)];
        q.pause = static_cast<int>(b.pick(0, 1) * 30); // far from TIMEOUT
        for (int i = 0; i < 40; i++)
            send(round % 3 == 0 || (round % 3 == 1 && b.pick(0, 1)));
        if (round % 5 == 4) {
            steps(static_cast<int>(b.pick(1, 60)));
            reset();
            send(true);
            send(false);
        }
        until_idle();
    }

    // Reads and writes take turns: neither waits for more than one of the other.
    aw.pause = w.pause = ar.pause = bb.pause = r.pause = q.pause = 0;
    for (int i = 0; i < 20; i++)
        send(true), send(false);
    size_t b_0 = bb.taken_at.size(), r_0 = r.taken_at.size();
    while (bb.taken_at.size() < b_0 + 10 && !b.failed())
        step();
    b.check(r.taken_at.size() - r_0 >= 8 && r.taken_at.size() - r_0 <= 12, "reads and writes do not take turns");
    until_idle();

    // Registers that do not answer: an error in time; errors at once, unseen, until the late answer has come; then as before.
    for (int round = 0; round < 6 && P_TIMEOUT && !b.failed(); round++) {
        silent = true;
        const bool write = round & 1;
        const uint64_t start = c.cycles(clk);
        (write ? b_due : r_due).push_back({2, 0});
        send(write);
        taker &t = write ? bb : r;
        const size_t had = t.taken_at.size();
        for (int i = 0; t.taken_at.size() == had && i < 4 * P_TIMEOUT; i++)
            step();
        const uint64_t took = c.cycles(clk) - start;
        b.check(t.taken_at.size() == had + 1 && took > P_TIMEOUT && took < P_TIMEOUT + 16, "no error in time");
        const int before = seen;
        for (int i = 0; i < 3; i++) {
            const bool other = b.pick(0, 1);
            (other ? b_due : r_due).push_back({2, 0});
            send(other);
            (other ? writes : reads).pop_back(); // the registers do not see it
        }
        steps(60);
        b.check(seen == before && b_due.empty() && r_due.empty(), "accesses behind one that is lost");
        silent = false; // the late answer
        wait = 0;
        steps(5);
        send(true), send(false);
        until_idle();
        b.check(seen == before + 2, "the next access is not seen");
    }
    steps(50);
    return c.finish();
}
