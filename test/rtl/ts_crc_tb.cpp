/* ts_crc against division bit by bit: data, then SHIFT zero bits. */
#include "Vtop.h"
#include "ts_link_frame.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.in("data", top.data, P_W);
    b.out("rest", top.rest, P_CW);
    for (int i = 0; i < 2000; i++) {
        bits data(P_W);
        if (i < P_W)
            data.put(i, 1, 1);
        else
            data = random_bits(b, P_W);
        b.at("data").set(data);
        b.cycle();
        uint64_t rest = 0;
        for (int k = P_W + P_SHIFT - 1; k >= 0; k--) {
            rest = rest << 1 | (k >= P_SHIFT ? data.u(k - P_SHIFT, 1) : 0);
            if (rest >> P_CW & 1)
                rest ^= static_cast<uint64_t>(1) << P_CW | P_POLY;
        }
        if (top.rest != rest)
            b.fail("data %s: %llx, expected %llx", data.hex().c_str(), static_cast<unsigned long long>(top.rest),
                   static_cast<unsigned long long>(rest));
        b.compared();
    }
    return b.finish();
}
