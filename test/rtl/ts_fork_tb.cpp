/* ts_fork: both outputs get every word in order. */
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
    b.out("m0_valid", top.m0_valid, 1);
    b.in("m0_ready", top.m0_ready, 1);
    b.out("m0_data", top.m0_data, P_WIDTH);
    b.out("m1_valid", top.m1_valid, 1);
    b.in("m1_ready", top.m1_ready, 1);
    b.out("m1_data", top.m1_data, P_WIDTH);
    source &s = b.add_source("s", {"s_data"});
    sink &m0 = b.add_sink("m0", {"m0_data"});
    sink &m1 = b.add_sink("m1", {"m1_data"});
    for (int i = 0; i < 2000; i++) {
        const bits word(P_WIDTH, b.rnd());
        s.send({word});
        m0.expect({word});
        m1.expect({word});
    }
    b.run();
    if (!b.stalled() && !b.failed()) {
        b.check(m0.taken_at.front() == s.accepted_at.front() + 1, "latency is not 1");
        b.check(m0.taken_at.back() - m0.taken_at.front() == 1999, "a bubble at full rate");
    }
    return b.finish();
}
