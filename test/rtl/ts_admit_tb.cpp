/* ts_admit: tags, refusals, the order's descriptors, and that no event enters before the one in front of it has made its keys and
   values (ev_final, which the bench gives some time after it has seen the event's last token). */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_WIDTH);
    b.in("s_last", top.s_last, 1);
    b.in("s_refused", top.s_refused, 1);
    b.in("s_error", top.s_error, 1);
    b.in("ev_final", top.ev_final, 1);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_WIDTH);
    b.out("m_tag", top.m_tag, P_TAGW);
    b.out("d_valid", top.d_valid, 1);
    b.in("d_ready", top.d_ready, 1);
    b.out("d_data", top.d_data, 2);
    source &s = b.add_source("s", {"s_data", "s_last", "s_refused", "s_error"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});
    sink &d = b.add_sink("d", {"d_data"});

    struct event {
        size_t first_token;
        bool refused;
    };
    std::vector<event> events;
    std::deque<bool> out_last; /* of every token that comes out: it ends an accepted event */
    size_t sent = 0;
    for (int i = 0; i < 400; i++) {
        /* Single tokens back to back, the longest, one and many too long, anything. */
        const int64_t special[] = {1, 1, P_NMAX, P_NMAX + 1, P_NMAX + 1, 2 * P_NMAX + 3};
        const int64_t n = i < 20 ? 1 : i < 30 ? P_NMAX + 1 : b.rnd() % 2 ? special[b.rnd() % 6] : b.pick(1, P_NMAX + 2);
        const bool given_up = b.rnd() % 4 == 0; /* the last transfer refuses the event, wherever it has got to */
        const bool refused = given_up || n > P_NMAX;
        const int64_t drop = given_up && n <= P_NMAX ? n - 1 : P_NMAX; /* the token that takes the event back, if it is refused */
        const bool in_error = b.rnd() % 4 == 0;
        events.push_back({sent, refused});
        for (int64_t k = 0; k < n; k++) {
            bits word(P_WIDTH, b.rnd());
            s.send({word, bits(1, k == n - 1), bits(1, given_up && k == n - 1), bits(1, k == n - 1 ? in_error : b.rnd() % 2)});
            if (refused && k > drop)
                continue;
            bits tag(P_TAGW);
            tag.put(P_LW, 1, k == n - 1 && !refused);
            tag.put(P_LW + 1, 1, refused && k == drop);
            m.expect({word, tag});
            out_last.push_back(k == n - 1 && !refused);
        }
        /* Of an event that is refused before its end, the order knows no more than that. */
        d.expect({bits(2, (refused && n > P_NMAX + 1 ? 0u : in_error ? 2u : 0u) | (refused ? 1u : 0u))});
        sent += static_cast<size_t>(n);
    }

    std::vector<uint64_t> final_at; /* of every accepted event */
    size_t seen = 0;
    uint64_t due = 0;
    b.run(64, 20000, [&] {
        bool final = false;
        for (; seen < m.taken_at.size(); seen++)
            if (out_last[seen])
                due = b.now() + static_cast<uint64_t>(b.rnd() % 3 ? b.pick(0, 5) : b.pick(0, 60));
        if (due && b.now() >= due) {
            final = true;
            due = 0;
            final_at.push_back(b.now());
        }
        b.at("ev_final").set(final);
        return due != 0;
    });

    size_t accepted = 0;
    for (size_t e = 0; e + 1 < events.size() && !b.failed(); e++) {
        if (events[e].refused)
            continue;
        const uint64_t entered = s.accepted_at[events[e + 1].first_token], allowed = final_at[accepted++] + 1;
        if (entered < allowed || (!b.stalled() && entered != allowed))
            b.fail("event %zu entered in cycle %llu, allowed from %llu", e + 1, static_cast<unsigned long long>(entered),
                   static_cast<unsigned long long>(allowed));
    }
    return b.finish();
}
