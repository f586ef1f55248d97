/* ts_merge: each input's words come out in its order, p first where both offer one. The top bit tells the inputs apart. */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("p_valid", top.p_valid, 1);
    b.out("p_ready", top.p_ready, 1);
    b.in("p_data", top.p_data, P_WIDTH);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_WIDTH);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_WIDTH);
    source *in[2] = {&b.add_source("s", {"s_data"}), &b.add_source("p", {"p_data"})};
    sink &m = b.add_sink("m", {"m_data"});

    std::deque<bits> want[2];
    for (int i = 0; i < 4000; i++) {
        const bool priority = b.rnd() % 2;
        bits word(P_WIDTH, b.rnd());
        word.put(P_WIDTH - 1, 1, priority);
        in[priority]->send({word});
        want[priority].push_back(word);
    }
    const uint64_t sent = want[0].size() + want[1].size();
    m.check([&](const beat &got) {
        std::deque<bits> &queue = want[got[0].u(P_WIDTH - 1, 1)];
        if (queue.empty() || queue.front() != got[0])
            return false;
        queue.pop_front();
        return true;
    });
    b.each_cycle([&] {
        if (top.p_valid && top.s_valid && top.s_ready)
            b.fail("s is served although p has a word");
    });
    b.run(64, 20000, [&] { return m.count() < sent; });
    if (!b.stalled() && !b.failed())
        b.check(m.taken_at.back() - m.taken_at.front() == sent - 1, "a bubble at full rate");
    return b.finish();
}
