#include "Vtop.h"
#include "bench.h"

/* Words with one, two and no bits wrong, used and not: flipped LEVELS cycles later, for those that are used and odd, and never in a reset.
 */
int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("used", top.used, 1);
    b.in("word", top.word, P_WIDTH);
    b.out("flipped", top.flipped, 1);
    const int levels = P_WIDTH <= 36 ? 1 : P_WIDTH <= 1296 ? 2 : P_WIDTH <= 46656 ? 3 : 4;
    std::deque<bool> expected;
    b.at("used").set(uint64_t{0});
    b.at("word").set(uint64_t{0});
    for (int i = 0; i < 8; i++)
        b.cycle();
    for (int i = 0; i < 2000 + 4 * P_WIDTH && !b.failed(); i++) {
        bits word(P_WIDTH);
        for (int at = 0; i % 3 && at < P_WIDTH; at += 36)
            word.put(at, std::min(36, P_WIDTH - at), static_cast<int64_t>(b.rnd()));
        if (i < 4 * P_WIDTH) { /* every bit by itself, too */
            const int at = i / 4;
            word.put(at, 1, static_cast<int64_t>(1 - word.u(at, 1)));
        }
        bool odd = false;
        for (int at = 0; at < P_WIDTH; at++)
            odd ^= word.u(at, 1);
        const bool used = b.pick(0, 3) > 0;
        b.at("used").set(used);
        b.at("word").set(word);
        expected.push_back(used && odd);
        b.cycle();
        if (static_cast<int>(expected.size()) == levels) {
            b.check(top.flipped == expected.front(),
                    expected.front() ? "a wrong word is not found" : "a right word, or one that is not used, is found");
            b.compared();
            expected.pop_front();
        }
    }
    b.at("used").set(1);
    b.at("word").set(bits(P_WIDTH, 1));
    top.rst = 1;
    for (int i = 0; i < 2 * levels; i++) {
        b.cycle();
        if (i >= levels - 1)
            b.check(!top.flipped, "a word in a reset is found");
    }
    return b.finish();
}
