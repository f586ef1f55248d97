/* ts_async_fifo: words in order between two clocks of any ratio and phase, nothing lost, nothing repeated; resets of either side, alone or
   both, of any length: no word of before one comes out behind it. Latency and rate with equal clocks. */
#include "Vtop.h"
#include "bench.h"
#include "clocks.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_WIDTH);
    b.in("s_rst", top.s_rst, 1);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_WIDTH);
    b.in("m_rst", top.m_rst, 1);
    clocks c(b, argc, argv, [&] { top.eval(); });
    const int sc = c.add("s_clk", top.s_clk), mc = c.add("m_clk", top.m_clk);
    feeder &s = c.feed(sc, "s_valid", "s_ready", {"s_data"});
    taker &m = c.take(mc, "m_valid", "m_ready", {"m_data"});
    c.input("s_rst");
    c.input("m_rst");

    std::deque<bits> inside; // accepted and not out
    bool strict = true;      // between two resets: nothing is lost
    bool started = false;    // registers start at anything
    bool waiting = false;    // m_valid was up and m_ready was not
    bits held;
    const bool numbered = P_WIDTH >= 32;  // every word is another
    uint64_t accepted = 0, forbidden = 0; // words so far; those that a reset of the m side has taken away
    c.at_edge(sc, [&] {
        if (s.offered && top.s_ready) {
            inside.push_back(s.now[0]);
            accepted = numbered ? s.now[0].u(0, 32) + 1 : 0;
        }
    });
    c.at_edge(mc, [&] {
        if (numbered && top.m_valid && top.m_ready && started && !top.m_rst && b.at("m_data").get().u(0, 32) < forbidden)
            b.fail("a word of before the reset");
        if (top.m_rst)
            forbidden = accepted;
        const bits out = b.at("m_data").get();
        if (strict && started && waiting && (!top.m_valid || out != held))
            b.fail("a word changed before it was taken");
        waiting = top.m_valid && !top.m_ready && !top.m_rst;
        held = out;
    });
    uint64_t out = 0;
    m.got = [&](const beat &got) {
        if (!started)
            return;
        // While one side is being emptied, words of it are lost, in front of those that come.
        while (!strict && !inside.empty() && inside.front() != got[0])
            inside.pop_front();
        if (inside.empty() || inside.front() != got[0])
            b.fail("a word that is not the next one");
        else
            inside.pop_front();
        b.compared();
        out++;
    };
    uint64_t number = 0;
    const auto send = [&](int count) {
        for (int i = 0; i < count; i++) {
            bits word(P_WIDTH, b.rnd());
            if (numbered)
                word.put(0, 32, static_cast<int64_t>(number++));
            s.queue.push_back({word});
        }
    };
    const auto empty = [&] { return s.queue.empty() && !s.offered && inside.empty(); };
    const auto both_reset = [&] {
        top.s_rst = top.m_rst = 1;
        c.run(40);
        inside.clear();
        top.s_rst = top.m_rst = 0;
    };

    both_reset();
    started = true;
    c.run(200);
    c.compare_from_now();
    for (int round = 0; round < 24 && !b.failed(); round++) {
        static const int pauses[] = {0, 0, 30, 80};
        c.any_speeds();
        s.pause = pauses[b.pick(0, 3)];
        m.pause = pauses[b.pick(0, 3)];
        send(400);
        c.until(empty);
    }

    // A word a cycle, and the latency, with equal clocks: a synchroniser may be a cycle late.
    s.pause = m.pause = 0;
    for (int together = 0; together < 2 && !b.failed(); together++) {
        c.speeds(1, 1, together == 1);
        uint64_t least = 100, most = 0;
        for (int i = 0; i < 40 && !b.failed(); i++) {
            c.run(60);
            const size_t first_in = s.taken_at.size(), first_out = m.taken_at.size();
            const uint64_t offset = c.cycles(mc) - c.cycles(sc);
            send(1);
            c.until(empty);
            const uint64_t latency = m.taken_at[first_out] - offset - s.taken_at[first_in];
            least = std::min(least, latency);
            most = std::max(most, latency);
        }
        if (together && (least != P_SYNC + 3 || most != P_SYNC + 4))
            b.fail("latency of %d to %d cycles", static_cast<int>(least), static_cast<int>(most));
        const size_t first_out = m.taken_at.size();
        send(300);
        c.until(empty);
        if (P_DEPTH >= 16 && m.taken_at.back() - m.taken_at[first_out] > 299 + 2)
            b.fail("300 words in %d cycles", static_cast<int>(m.taken_at.back() - m.taken_at[first_out] + 1));
    }

    // Resets of one side or both, while words are on their way; every word behind them is another one.
    for (int round = 0; round < (numbered ? 60 : 0) && !b.failed(); round++) {
        c.any_speeds();
        s.pause = b.pick(0, 1) ? 40 : 0;
        m.pause = b.pick(0, 1) ? 40 : 0;
        send(60);
        c.run(static_cast<int>(b.pick(1, 150)));
        strict = false;
        const int64_t which = b.pick(1, 3);
        const bool whole = which == 3;
        for (int pulses = static_cast<int>(b.pick(1, 3)); pulses > 0; pulses--) {
            top.s_rst = which & 1;
            top.m_rst = which >> 1 & 1;
            // One edge of each clock at least sees it.
            const uint64_t a = c.cycles(sc), z = c.cycles(mc);
            c.until([&] { return c.cycles(sc) > a && c.cycles(mc) > z; });
            c.run(static_cast<int>(b.pick(0, 12)));
            top.s_rst = top.m_rst = 0;
            c.run(static_cast<int>(b.pick(1, 25)));
        }
        c.run(300); // all is over
        const uint64_t lost = inside.size();
        if (whole && s.queue.empty() && top.m_valid == 0 && lost > 60)
            b.fail("more words are lost than there were");
        // Behind it, what is accepted comes out, and nothing else: of what was inside no word may come any more.
        s.on = false;
        m.pause = 0;
        c.run(400);
        inside.clear();
        strict = true;
        waiting = false;
        s.on = true;
        s.queue.clear();
        send(50);
        const uint64_t before = out;
        c.until(empty);
        c.run(100);
        b.check(b.failed() || out >= before + 50, "words are missing behind a reset");
    }
    return c.finish();
}
