#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("page", top.page, P_LW);
    b.out("base", top.base, P_AW);
    for (uint64_t page = 0; page < P_PAGES; page++) {
        b.at("page").set(page);
        b.cycle();
        if (b.at("base").get() != bits(P_AW, page * P_STRIDE))
            b.fail("page %d: base is %s", static_cast<int>(page), b.at("base").get().hex().c_str());
        b.compared();
    }
    return b.finish();
}
