/* ts_reset: up from power-up on and at the next edge after arst, however short; down STAGES + 1 edges behind it, at an edge. */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    const auto edge = [&] {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
    };
    top.clk = 0;
    top.arst = 0;
    top.eval();
    b.check(top.rst, "not up at power-up");
    for (int round = 0; round < 500; round++) {
        if (round > 0) {
            for (int64_t i = b.pick(0, 12); i > 0; i--)
                edge();
            const bool before = top.rst;
            top.arst = 1;
            top.eval();
            b.check(top.rst == before, "changes without an edge");
            for (int64_t i = b.pick(0, 5); i > 0; i--) {
                edge();
                b.check(top.rst, "not up while arst is");
            }
            top.arst = 0;
            top.eval();
        }
        for (int i = 0; i <= P_STAGES; i++) {
            if (round > 0 || i > 0)
                b.check(i == 0 || top.rst, "down too early");
            edge();
        }
        b.check(!top.rst, "still up");
        b.compared();
    }
    return b.finish();
}
