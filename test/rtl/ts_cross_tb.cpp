/* ts_cross: requests one at a time, each seen once and answered with its own answer, between clocks of any ratio; resets in the middle. */
#include "Vtop.h"
#include "bench.h"
#include "clocks.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_QW);
    b.out("s_a_valid", top.s_a_valid, 1);
    b.out("s_a_data", top.s_a_data, P_RW);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_QW);
    b.in("m_a_valid", top.m_a_valid, 1);
    b.in("m_a_data", top.m_a_data, P_RW);
    b.in("s_rst", top.s_rst, 1);
    b.in("m_rst", top.m_rst, 1);
    b.out("fault", top.fault, 1);
    clocks c(b, argc, argv, [&] { top.eval(); });
    const int sc = c.add("s_clk", top.s_clk), mc = c.add("m_clk", top.m_clk);
    feeder &s = c.feed(sc, "s_valid", "s_ready", {"s_data"});
    taker &m = c.take(mc, "m_valid", "m_ready", {"m_data"});
    c.output("s_a_valid");
    c.output("s_a_data", "s_a_valid");
    for (const char *name : {"m_a_valid", "m_a_data", "s_rst", "m_rst"})
        c.input(name);
    c.output("fault");

    bits request(P_QW), answer(P_RW);
    bool started = false, open = false; // a request is on its way
    int seen = 0, wait = -1;
    uint64_t asked = 0, latency = 0;
    m.got = [&](const beat &got) {
        if (!started)
            return;
        b.check(open && got[0] == request, "a request that is not the one that was sent");
        seen++;
        answer = bits(P_RW, b.rnd());
        wait = static_cast<int>(b.pick(0, 1) ? 0 : b.pick(0, 20));
    };
    c.at_edge(sc, [&] {
        if (!started || !top.s_a_valid)
            return;
        b.check(open && b.at("s_a_data").get() == answer && seen == 1, "an answer that is not the request's");
        b.compared();
        latency = c.cycles(sc) - asked;
        open = false;
    });
    c.at_edge(mc, [&] {
        if (started && top.fault)
            b.fail("fault");
        if (top.m_a_valid)
            wait = -1;
    });
    const auto step = [&] {
        const uint64_t edge = c.cycles(mc);
        c.step();
        if (c.cycles(mc) == edge)
            return;
        top.m_a_valid = wait == 0;
        b.at("m_a_data").set(wait == 0 ? answer : bits(P_RW, b.rnd()));
        wait -= wait > 0;
        c.settle();
    };
    const auto ask = [&] {
        request = bits(P_QW, b.rnd());
        open = true;
        seen = 0;
        asked = c.cycles(sc) + 1;
        s.queue.push_back({request});
        for (int i = 0; open && !b.failed(); i++) {
            step();
            if (i > 2000)
                b.fail("watchdog: no answer");
        }
    };
    const auto reset = [&] {
        s.drop();
        top.s_valid = top.m_a_valid = 0;
        top.s_rst = top.m_rst = 1;
        started = open = false;
        wait = -1;
        const uint64_t a = c.cycles(sc), z = c.cycles(mc);
        c.until([&] { return c.cycles(sc) > a + 1 && c.cycles(mc) > z + 1; });
        if (b.pick(0, 1)) {
            top.m_rst = 0;
            c.run(static_cast<int>(b.pick(0, 20)));
        }
        top.s_rst = top.m_rst = 0;
        wait = -1;
        s.on = started = true;
    };
    reset();
    c.run(100);
    c.compare_from_now();
    for (int round = 0; round < 60 && !b.failed(); round++) {
        c.any_speeds();
        m.pause = b.pick(0, 1) ? 50 : 0;
        for (int i = 0; i < 10; i++)
            ask();
        if (round % 3 == 2) { // a request is on its way
            request = bits(P_QW, b.rnd());
            open = true;
            seen = 0;
            s.queue.push_back({request});
            for (int64_t i = b.pick(0, 30); i > 0 && open; i--)
                step();
            reset();
        }
    }
    c.speeds(1, 1, true);
    m.pause = 0;
    c.run(200); // a reset may be under way
    for (int i = 0; i < 40; i++) {
        ask();
        if (latency < 2 * (P_SYNC + 3) + 1 || latency > 2 * (P_SYNC + 3) + 1 + 2 + 1 + 20) // synchronisers late; the answer's own time
            b.fail("an answer after %d cycles", static_cast<int>(latency));
    }
    c.run(100);
    return c.finish();
}
