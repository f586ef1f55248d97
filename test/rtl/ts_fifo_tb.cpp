#include <cstring>

#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    const bool block = !strcmp(P_STYLE, "block");
    int count_bits = 0;
    while (P_DEPTH >> count_bits)
        count_bits++;
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_WIDTH);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_WIDTH);
    b.out("count", top.count, count_bits);
    source &s = b.add_source("s", {"s_data"});
    sink &m = b.add_sink("m", {"m_data"});
    const int words = 4000;
    for (int i = 0; i < words; i++) {
        bits word(P_WIDTH);
        for (int at = 0; at < P_WIDTH; at += 50)
            word.put(at, P_WIDTH - at < 50 ? P_WIDTH - at : 50, static_cast<int64_t>(b.rnd()));
        s.send({word});
        m.expect({word});
    }
    uint64_t inside = 0, most = 0;
    b.each_cycle([&] {
        inside = s.accepted_at.size() - m.count();
        most = inside > most ? inside : most;
        b.check(top.count == inside, "count is not the number of words inside");
        b.check(inside < P_DEPTH || !top.s_ready, "more than DEPTH words");
    });
    b.run();
    if (b.stalled()) {
        if (!b.failed())
            b.check(most == P_DEPTH, "never filled: the case tests too little");
    } else if (!b.failed()) {
        b.check(m.taken_at.front() == s.accepted_at.front() + (block ? 5 : 1), "latency is not as documented");
        if (!block || P_DEPTH > 6)
            b.check(m.taken_at.back() - m.taken_at.front() == words - 1, "a bubble at full rate");
    }
    return b.finish();
}
