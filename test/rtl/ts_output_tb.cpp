/* ts_output: results and refusals in the order of the events, sign extension, the end of an event. */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("d_valid", top.d_valid, 1);
    b.out("d_ready", top.d_ready, 1);
    b.in("d_data", top.d_data, 2);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_OPW * P_YW);
    b.in("s_tag", top.s_tag, P_TAGW);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_OPW * P_LANEW);
    b.out("m_last", top.m_last, 1);
    b.out("m_refused", top.m_refused, 1);
    b.out("m_error", top.m_error, 1);
    source &s = b.add_source("s", {"s_data", "s_tag"});
    source &d = b.add_source("d", {"d_data"});
    sink &m = b.add_sink("m", {"m_data", "m_last", "m_refused", "m_error"});
    uint64_t beats = 0;
    for (int e = 0; e < 300; e++) {
        /* First accepted events without a break, then refused ones in any number between them. */
        const bool refused = e > 50 && b.rnd() % 2;
        const bool in_error = b.rnd() % 3 == 0;
        d.send({bits(2, (in_error ? 2u : 0u) | (refused ? 1u : 0u))});
        if (refused) {
            const bits any(P_OPW * P_LANEW), flag(1, 1);
            if (P_ZEROS)
                m.expect({any, flag, flag, bits(1, in_error)});
            else
                m.expect({any, flag, flag, bits(1, in_error)}, {any, flag, flag, flag});
            continue;
        }
        const int64_t n = b.rnd() % 2 ? 1 : b.pick(1, 7);
        for (int64_t t = 0; t < n; t++)
            for (int beat = 0; beat < P_BPT; beat++, beats++) {
                std::vector<int64_t> value;
                for (int i = 0; i < P_OPW; i++)
                    value.push_back(b.value(P_YW, P_YSIGNED, true));
                bits tag(P_TAGW, b.rnd());
                tag.put(P_LW, 1, t == n - 1);
                s.send({pack(value, P_YW), tag});
                const bool last = t == n - 1 && beat == P_BPT - 1;
                m.expect({pack(value, P_LANEW), bits(1, last), bits(1, 0), bits(1, last && in_error)});
            }
    }
    b.run();
    if (!b.stalled() && !b.failed())
        b.check(m.taken_at.back() - m.taken_at.front() == m.count() - 1, "a bubble at full rate");
    b.check(s.accepted_at.size() == beats, "results were left behind");
    return b.finish();
}
