/* ts_link_io, an end that talks to itself over a wire without faults, with a word lost, and with a channel that goes down; the link and the
   rings have clocks of any ratio. Events come out once each, in order and bit for bit, or in error where a word of theirs was lost; the
   counts are those of the bench. */
#include "Vtop.h"
#include "bench.h"
#include "clocks.h"

enum { SENT, RECEIVED, DAMAGED, MISSING, REPEATED, ENDED, DOWNS };

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.in("rst", top.rst, 1);
    b.in("link_rst", top.link_rst, 1);
    b.in("link_up", top.link_up, 1);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_TOKW);
    b.in("s_last", top.s_last, 1);
    b.in("s_refused", top.s_refused, 1);
    b.in("s_error", top.s_error, 1);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_TOKW);
    b.out("m_last", top.m_last, 1);
    b.out("m_refused", top.m_refused, 1);
    b.out("m_error", top.m_error, 1);
    b.out("up", top.up, 1);
    b.out("fault", top.fault, 1);
    b.out("counts", top.counts, 224);
    b.in("s_axis_tvalid", top.s_axis_tvalid, 1);
    b.in("s_axis_tdata", top.s_axis_tdata, P_LINKW);
    b.out("m_axis_tvalid", top.m_axis_tvalid, 1);
    b.in("m_axis_tready", top.m_axis_tready, 1);
    b.out("m_axis_tdata", top.m_axis_tdata, P_LINKW);
    clocks c(b, argc, argv, [&] { top.eval(); });
    const int ring = c.add("clk", top.clk), link = c.add("link_clk", top.link_clk);
    feeder &s = c.feed(ring, "s_valid", "s_ready", {"s_data", "s_last", "s_refused", "s_error"});
    taker &m = c.take(ring, "m_valid", "m_ready", {"m_data", "m_last", "m_refused", "m_error"});
    feeder &from = c.feed(link, "s_axis_tvalid", "", {"s_axis_tdata"});
    taker &to = c.take(link, "m_axis_tvalid", "m_axis_tready", {"m_axis_tdata"});
    c.input("rst");
    c.input("link_rst");
    c.input("link_up");
    c.output("up");
    c.output("fault");

    struct event {
        std::vector<bits> token;
        bool refused, error;
    };
    std::deque<event> expected;
    std::vector<bits> came; /* of the event that comes out */
    uint64_t sent = 0, received = 0, pulses = 0, flagged = 0;
    bool started = false;
    int drop = -1; /* words until one is lost; below 0: none */
    c.at_edge(ring, [&] { pulses += started && top.fault; });
    to.got = [&](const beat &word) {
        sent += started;
        if (started && drop != 0)
            from.queue.push_back(word);
        drop -= drop >= 0;
    };
    m.got = [&](const beat &got) {
        if (!started)
            return;
        b.compared();
        came.push_back(got[0]);
        if (!got[1].u())
            return;
        if (expected.empty())
            return b.fail("an event that was not sent");
        const event &want = expected.front();
        const bool whole = came.size() == want.token.size() && got[2].u() == want.refused && got[3].u() == want.error && came == want.token;
        if (!whole && !(got[3].u() && drop == -1 && flagged < 2))
            b.fail("an event is wrong");
        flagged += !whole;
        expected.pop_front();
        came.clear();
    };
    const auto random_bits = [&](int width) {
        bits out(width);
        for (int at = 0; at < width; at += 64)
            out.put(at, std::min(64, width - at), static_cast<int64_t>(b.rnd()));
        return out;
    };
    const auto send = [&](int length) {
        event e{{}, b.pick(0, 3) == 0, b.pick(0, 3) == 0};
        for (int i = 0; i < length; i++) {
            const bool last = i == length - 1;
            e.token.push_back(random_bits(P_TOKW));
            s.queue.push_back({e.token.back(), bits(1, last), bits(1, last && e.refused), bits(1, last && e.error)});
        }
        expected.push_back(e);
    };
    const auto count = [&](int which) { return b.at("counts").get().u(32 * which, 32); };
    const auto still = [&] {
        const int pause = to.pause;
        to.pause = 100; /* no word under way while numbers are compared */
        const uint64_t a = c.cycles(ring), z = c.cycles(link);
        c.until([&] { return c.cycles(ring) > a + 150 && c.cycles(link) > z + 150; });
        b.check(count(SENT) == sent && count(RECEIVED) == from.taken_at.size() - received, "words");
        to.pause = pause;
    };
    const auto reset = [&] {
        s.drop();
        from.drop();
        started = false;
        top.s_valid = top.s_axis_tvalid = 0;
        top.rst = top.link_rst = 1;
        const uint64_t a = c.cycles(ring), z = c.cycles(link);
        c.until([&] { return c.cycles(ring) > a + 30 && c.cycles(link) > z + 30; });
        from.drop(); /* what left before */
        expected.clear();
        came.clear();
        sent = pulses = flagged = 0;
        received = from.taken_at.size();
        top.rst = top.link_rst = 0;
        s.on = from.on = true;
        started = true;
    };

    top.link_up = 1;
    reset();
    c.run(200);
    c.compare_from_now();
    static const int pauses[] = {0, 0, 30, 80};
    for (int round = 0; round < 16 && !b.failed(); round++) {
        c.any_speeds();
        s.pause = pauses[b.pick(0, 3)];
        m.pause = pauses[b.pick(0, 3)];
        to.pause = pauses[b.pick(0, 3)];
        from.pause = 0;
        for (int i = 0; i < 12; i++)
            send(static_cast<int>(b.pick(1, P_NMAX)));
        if (round % 4 == 1) { /* the channel goes down for less than TIMEOUT, between any two words */
            c.run(static_cast<int>(b.pick(50, 2000)));
            top.link_up = 0;
            to.pause = 100;
            const uint64_t now = c.cycles(link);
            c.until([&] { return c.cycles(link) > now + 120; });
            const size_t before = to.taken_at.size();
            to.pause = 0;
            c.run(600); /* what was inside, and no more */
            b.check(to.taken_at.size() - before <= 24, "words are offered anew while the channel is down");
            b.check(!top.up, "up");
            top.link_up = 1;
        }
        c.until([&] { return expected.empty() && s.queue.empty(); });
        still();
        b.check(top.up && flagged == 0, "an event was flagged");
        for (int k = DAMAGED; k <= ENDED; k++)
            b.check(count(k) == 0, "faults where there were none");
        b.check(count(DOWNS) == static_cast<uint64_t>((round + 3) / 4) && pulses == count(DOWNS), "times that the channel fell");
    }

    /* Rate with equal clocks: tokens and frames as docs/links.md has them, and state frames. */
    c.speeds(1, 1, true);
    s.pause = m.pause = to.pause = from.pause = 0;
    c.run(3 * P_BEAT);
    const int wpt = (P_TOKW + P_LINKW - 2) / (P_LINKW - 1), per = std::max(1, P_PACKET / wpt);
    const double token = wpt + (P_LINKW == 32 ? 3.0 : 2.0) / per, all = 8 * P_NMAX * token;
    const size_t first = m.taken_at.size();
    for (int i = 0; i < 8; i++)
        send(P_NMAX);
    c.until([&] { return expected.empty(); });
    if (!b.failed()) {
        const double took = static_cast<double>(m.taken_at.back() - m.taken_at[first]);
        printf("%.2f cycles a token, %.2f of them words\n", took / (8 * P_NMAX), token);
        b.check(took < 1.1 * all + 60, "slower than the words are");
    }

    /* A word is lost: the events that it belongs to are in error, at most two, and it is said. */
    for (int round = 0; round < 6 && !b.failed(); round++) {
        reset();
        c.run(600);
        c.any_speeds();
        for (int i = 0; i < 12; i++)
            send(static_cast<int>(b.pick(1, P_NMAX)));
        drop = static_cast<int>(b.pick(20, 100));
        c.until([&] { return expected.empty() && s.queue.empty() && drop < 0; });
        const uint64_t now = c.cycles(link); /* the next state frame shows what is missing between events */
        c.until([&] { return c.cycles(link) > now + 2 * P_BEAT; });
        still();
        b.check(count(DAMAGED) + count(MISSING) > 0 && pulses > 0 && pulses <= count(DAMAGED) + count(MISSING) + count(ENDED),
                "what was lost");
        b.check(count(REPEATED) == 0 && count(DOWNS) == 0 && count(ENDED) <= flagged, "other counts");
    }
    return c.finish();
}
