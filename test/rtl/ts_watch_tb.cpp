#include "Vtop.h"
#include "bench.h"

/* Each bit by itself, and several: fault stays up until reset, and the Verilog asks for the end of the simulation. */
int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.may_stop();
    b.reset(top.rst);
    b.in("bad", top.bad, P_N);
    b.out("fault", top.fault, 1);
    const int delay = P_N > 6 ? 2 : 1;
    port &bad = b.at("bad");
    bad.set(uint64_t{0});
    for (int round = 0; round < 4 * P_N; round++) {
        for (int i = 0; i < 20; i++) {
            b.cycle();
            b.check(!top.fault && !b.context()->gotError(), "a fault without an event");
        }
        const uint64_t also = round < P_N ? 0 : b.rnd();
        bad.set(bits(P_N, (uint64_t{1} << round % P_N) | (also & ((uint64_t{1} << P_N) - 1))));
        b.cycle();
        bad.set(uint64_t{0});
        b.check(b.context()->gotError(), "the simulation goes on");
        b.check(top.fault == (delay == 1), "fault comes too early or too late");
        for (int i = 0; i < 20; i++) {
            b.cycle();
            b.check(top.fault, "fault does not stay");
        }
        b.context()->gotError(false);
        b.context()->gotFinish(false);
        top.rst = 1;
        bad.set(bits(P_N, round % 2)); /* not during reset */
        b.cycle();
        bad.set(uint64_t{0});
        top.rst = 0;
        b.check(!top.fault && !b.context()->gotError(), "fault survives reset, or rises in it");
        b.compared();
    }
    return b.finish();
}
