/* ts_counters: against counts of the same cycles, kept at random moments; all of one moment. */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    for (auto &p : {std::make_pair("in_valid", &top.in_valid), std::make_pair("in_ready", &top.in_ready),
                    std::make_pair("in_last", &top.in_last), std::make_pair("out_valid", &top.out_valid),
                    std::make_pair("out_ready", &top.out_ready), std::make_pair("out_last", &top.out_last),
                    std::make_pair("out_refused", &top.out_refused), std::make_pair("out_error", &top.out_error),
                    std::make_pair("ring_fault", &top.ring_fault), std::make_pair("latch", &top.latch)}) {
        *p.second = 0;
        b.in(p.first, *p.second, 1);
    }
    b.out("count", top.count, 512);
    b.out("fault", top.fault, 1);

    struct state {
        uint64_t word[8];
    };
    state sum = {}, one = {};   // of all cycles before this one, and without the last of them
    std::deque<uint64_t> begun; // events inside
    bool between = true;
    uint64_t time = 0, whole = 0; // whole: events of which the input has ended
    bool sticky = false;
    state want = {};
    for (int i = 0; i < 6000 && !b.failed(); i++) {
        if (i == 4000) { // all from the beginning, also with events inside
            top.rst = 1;
            top.in_valid = top.out_valid = top.latch = 0;
            b.cycle();
            top.rst = 0;
            sum = one = want = {};
            begun.clear();
            between = true;
            time = whole = 0;
            sticky = false;
        }
        const bool room = begun.size() < P_EVENTS;
        top.in_valid = i % 4000 > 1 && b.pick(0, 3) > 0; // not in the first cycle behind a reset
        top.in_ready = b.pick(0, 3) > 0 && (room || !between);
        top.in_last = b.pick(0, 3) == 0;
        // Results only of events that have begun a cycle before; the last one only when its input has ended.
        top.out_valid = !begun.empty() && b.pick(0, 2) > 0;
        top.out_ready = b.pick(0, 3) > 0;
        top.out_last = whole > 0 && b.pick(0, 2) == 0;
        top.out_refused = top.out_last && b.pick(0, 3) == 0;
        top.out_error = top.out_last && b.pick(0, 3) == 0;
        top.ring_fault = i > 2500 && b.pick(0, 300) == 0;
        top.latch = b.pick(0, 9) == 0;
        if (top.latch) {
            want = one;
            want.word[6] = time;
            want.word[7] = sticky;
        }
        const bool in = top.in_valid && top.in_ready, ends = top.out_valid && top.out_ready && top.out_last;
        one = sum;
        sum.word[0] += ends;
        sum.word[1] += ends && top.out_refused;
        sum.word[2] += ends && top.out_error;
        sum.word[3] += top.in_valid && !top.in_ready;
        sum.word[4] += top.out_valid && !top.out_ready;
        if (ends) {
            sum.word[5] = time - begun.front() + 1;
            begun.pop_front();
            whole--;
        }
        if (in && between)
            begun.push_back(time);
        whole += in && top.in_last;
        if (in)
            between = top.in_last;
        sticky = sticky || top.ring_fault;
        time++;
        b.cycle();
        const bits got = b.at("count").get();
        for (int w = 0; w < 8; w++)
            if (got.u(64 * w, 64) != want.word[w])
                b.fail("cycle %d: word %d is %llu, not %llu", i, w, static_cast<unsigned long long>(got.u(64 * w, 64)),
                       static_cast<unsigned long long>(want.word[w]));
        b.compared(8);
    }
    b.check(sum.word[1] > 10 && sum.word[2] > 10, "hardly an event");
    return b.finish();
}
