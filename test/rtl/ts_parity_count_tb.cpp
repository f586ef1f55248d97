#include "Vtop.h"
#include "bench.h"

/* Words told of at random, cleared now and then: the count, and the first ring and memory since. */
int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("error", top.error, P_RINGS);
    b.in("memory", top.memory, 8 * P_RINGS);
    b.in("clear", top.clear, 1);
    b.out("count", top.count, 32);
    b.out("where", top.where, 17);
    for (const char *name : {"error", "memory", "clear"})
        b.at(name).set(uint64_t{0});
    b.cycle();
    uint64_t count = 0, where = 0;
    for (int i = 0; i < 5000 && !b.failed(); i++) {
        const uint64_t error = b.pick(0, 3) ? 0 : b.rnd() & ((uint64_t{1} << P_RINGS) - 1);
        const bool clear = b.pick(0, 30) == 0;
        bits memory(8 * P_RINGS);
        for (int r = 0; r < P_RINGS; r++)
            memory.put(8 * r, 8, static_cast<int64_t>(b.rnd()));
        b.at("error").set(error);
        b.at("memory").set(memory);
        b.at("clear").set(clear);
        if (clear)
            count = where = 0;
        count += error != 0;
        for (int r = 0; r < P_RINGS && !(where >> 16); r++)
            if (error >> r & 1)
                where = uint64_t{1} << 16 | static_cast<uint64_t>(r) << 8 | memory.u(8 * r, 8);
        b.cycle();
        b.check(top.count == count, "the count is wrong");
        b.check(top.where == where, "the place is wrong");
        b.compared();
    }
    return b.finish();
}
