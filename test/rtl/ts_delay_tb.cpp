#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("in", top.in, P_WIDTH);
    b.out("out", top.out, P_WIDTH);
    std::deque<bits> pipe;
    for (int i = 0; i < 500 && !b.failed(); i++) {
        const bits word(P_WIDTH, b.rnd());
        b.at("in").set(word);
        pipe.push_back(word);
        b.cycle();
        if (pipe.size() == P_CYCLES || P_CYCLES == 0) {
            b.check(b.at("out").get() == pipe.front(), "out is not what came in CYCLES before");
            pipe.pop_front();
            b.compared();
        }
    }
    return b.finish();
}
