#include "Vtop.h"
#include "bench.h"

/* A queue of events that begin and leave at random; a wrong word marks those inside, in time for one that leaves right behind it. */
int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("flipped", top.flipped, P_N);
    b.in("urgent", top.urgent, 1);
    b.in("hit", top.hit, 1);
    b.in("hit_last", top.hit_last, 1);
    b.in("leaves", top.leaves, 1);
    b.out("error", top.error, 1);
    b.out("told", top.told, 1);
    b.out("memory", top.memory, 8);
    std::deque<bool> inside;      /* an event's mark */
    std::deque<int> told{-1, -1}; /* the memory, or none */
    bool before = false;          /* a word was wrong in the cycle before */
    bool entering = false;        /* an event's last transfer is still to come */
    uint64_t marked = 0, clean = 0;
    for (const char *name : {"flipped", "urgent", "hit", "hit_last", "leaves"})
        b.at(name).set(uint64_t{0});
    b.cycle();
    for (int i = 0; i < 20000 && !b.failed(); i++) {
        const bool quiet = i / 500 % 2; /* long without a wrong word, so that marks end */
        const bool hit = (entering || static_cast<int>(inside.size()) < (1 << P_EVW) - 1) && b.pick(0, 2) == 0, last = b.pick(0, 1);
        const bool begins = hit && !entering;
        const bool leaves = !inside.empty() && b.pick(0, 3) == 0;
        const bool any = !quiet && b.pick(0, 15) == 0, urgent = any && b.pick(0, 3) == 0;
        const uint64_t bad = any ? (b.rnd() & ((uint64_t{1} << P_N) - 1)) | uint64_t{1} << b.pick(0, P_N - 1) : 0;
        b.at("flipped").set(bad);
        b.at("urgent").set(urgent);
        b.at("hit").set(hit);
        b.at("hit_last").set(last);
        entering = hit ? !last : entering;
        b.at("leaves").set(leaves);
        b.each_cycle([&] {
            if (!leaves)
                return;
            const bool mark = inside.front() || before || urgent;
            b.check(top.error == mark, mark ? "an event that may have used a wrong word is not marked" : "an event is marked for nothing");
            mark ? marked++ : clean++;
            b.compared();
        });
        b.cycle();
        if (leaves)
            inside.pop_front();
        if (before) /* of the events that are inside a cycle later: one that begins then has used nothing yet */
            for (auto &&event : inside)
                event = true;
        if (begins)
            inside.push_back(false);
        before = bad != 0;
        int first = -1;
        for (int n = P_N - 1; n >= 0; n--)
            if (bad >> n & 1)
                first = 0x51 + 2 * n; /* as the case's IDS say */
        told.push_back(first);
        b.check(top.told == (told.front() >= 0), "a wrong word is not told of, or one too many");
        b.check(told.front() < 0 || top.memory == told.front(), "it is told of another memory");
        told.pop_front();
    }
    b.check(marked > 100 && clean > 100, "too few events of either kind");
    return b.finish();
}
