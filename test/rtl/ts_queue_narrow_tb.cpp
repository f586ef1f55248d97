/* ts_queue_narrow: as ts_queue; besides, what its pieces cost in cycles. */
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
    b.in("s_last", top.s_last, 1);
    b.in("s_drop", top.s_drop, 1);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_WIDTH);
    source &s = b.add_source("s", {"s_data", "s_last", "s_drop"});
    sink &m = b.add_sink("m", {"m_data"});

    auto word = [&] {
        bits w(P_WIDTH);
        for (int at = 0; at < P_WIDTH; at += 64)
            w.put(at, std::min(64, P_WIDTH - at), static_cast<int64_t>(b.rnd()));
        return w;
    };
    std::vector<size_t> fed_by; /* of every word out: the index of its event's last word in */
    size_t sent = 0;
    for (int i = 0; i < 400; i++) {
        /* Single words, events as long as the queue, and those that are dropped when they fill it. */
        const int64_t n = i < 50 || b.rnd() % 4 == 0 ? 1 : b.rnd() % 4 == 0 ? P_DEPTH : b.pick(1, P_DEPTH);
        const bool drop = i >= 50 && b.rnd() % 3 == 0;
        for (int64_t k = 0; k < n; k++) {
            const bits w = word();
            s.send({w, bits(1, !drop && k == n - 1), bits(1, 0)});
            if (!drop) {
                m.expect({w});
                fed_by.push_back(sent + static_cast<size_t>(n - 1));
            }
        }
        sent += static_cast<size_t>(n);
        if (drop) {
            s.send({word(), bits(1, b.rnd() % 2), bits(1, 1)});
            sent++;
        }
    }
    const uint64_t ahead = P_BEATS > 1 ? P_BEATS + 4 : 4, cycles = P_BEATS > 1 ? P_BEATS + 1 : 1;
    b.run();
    for (size_t i = 0; i < m.valid_at.size() && !b.failed(); i++) {
        const uint64_t complete = s.accepted_at[fed_by[i]];
        if (m.valid_at[i] < complete + ahead)
            b.fail("word %zu is out in cycle %llu, its event was complete in %llu", i, static_cast<unsigned long long>(m.valid_at[i]),
                   static_cast<unsigned long long>(complete));
        if (i == 0 && !b.stalled())
            b.check(m.valid_at[0] == complete + ahead, "latency is not as documented");
    }
    if (!b.stalled() && !b.failed())
        b.check(m.taken_at[49] - m.taken_at[0] == 49 * cycles, "a bubble at full rate");
    return b.finish();
}
