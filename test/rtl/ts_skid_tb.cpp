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
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_WIDTH);
    source &s = b.add_source("s", {"s_data"});
    sink &m = b.add_sink("m", {"m_data"});
    for (int i = 0; i < 2000; i++) {
        const bits word(P_WIDTH, b.rnd());
        s.send({word});
        m.expect({word});
    }
    b.run();
    if (!b.stalled() && !b.failed()) {
        b.check(m.taken_at.front() == s.accepted_at.front() + 1, "latency is not 1");
        b.check(m.taken_at.back() - m.taken_at.front() == 1999, "a bubble at full rate");
    }
    return b.finish();
}
