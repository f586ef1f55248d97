/* ts_drain: no hit is lost or let through where none may be, a soft reset comes when and only when nothing is inside, and ends. */
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("enable", top.enable, 1);
    b.in("reset", top.reset, 1);
    b.in("page_run", top.page_run, 1);
    b.in("page_idle", top.page_idle, 1);
    b.out("run", top.run, 1);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_last", top.s_last, 1);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.in("out_valid", top.out_valid, 1);
    b.in("out_ready", top.out_ready, 1);
    b.in("out_last", top.out_last, 1);
    b.out("ring_rst", top.ring_rst, 1);
    b.out("idle", top.idle, 1);
    b.out("resetting", top.resetting, 1);
    b.out("drained", top.drained, 1);
    for (const char *name :
         {"enable", "reset", "page_run", "page_idle", "s_valid", "s_last", "m_ready", "out_valid", "out_ready", "out_last"})
        b.at(name).set(uint64_t{0});
    b.cycle();
    int inside = 0, left = 0;          /* events, and hits of the one that enters */
    bool asked = false, empty = false; /* a reset is under way; nothing was inside since */
    int resets = 0, wanted = 0, high = 0, waited = 0, taken = 0, held = 0;
    bool burst = false, offered = false; /* a hit was offered and not taken */
    for (int i = 0; i < 20000; i++) {
        const bool quiet = i > 19000; /* everything comes out */
        const bool ask = !quiet && b.rnd() % 300 == 0, enable = b.rnd() % 40 != 0 ? top.enable : !top.enable;
        const bool gives = inside > 0 && b.rnd() % 100 < 30; /* one that is refused ends before its last hit has come */
        burst = top.run && b.rnd() % 4 == 0 ? true : burst && b.rnd() % 3 != 0;
        b.at("enable").set(quiet ? 0 : enable);
        b.at("reset").set(ask);
        b.at("page_run").set(1);
        b.at("page_idle").set(!burst);
        if (!held) /* a hit that is offered stays */
            b.at("s_valid").set(inside < P_EVENTS || left > 0 ? b.rnd() % 100 < 60 : 0);
        if (!held)
            b.at("s_last").set(b.rnd() % 3 == 0);
        b.at("m_ready").set(b.rnd() % 100 < 70);
        b.at("out_valid").set(gives || b.rnd() % 5 == 0);
        b.at("out_ready").set(b.rnd() % 100 < 70);
        b.at("out_last").set(gives);
        top.eval();
        const bool takes = top.s_valid && top.s_ready, ends = top.out_valid && top.out_ready && top.out_last;
        b.check(takes == (top.m_valid && top.m_ready), "a hit passes on one side alone");
        b.check(!top.m_valid || top.s_valid, "a hit from nowhere");
        b.check(top.resetting == asked, "a reset begins at once, and only when asked for");
        b.check(!offered || top.m_valid, "a hit that was offered is taken back");
        if (left == 0 && !offered)
            b.check(!top.m_valid || (top.enable && !asked && !ask && !top.ring_rst), "an event enters that may not");
        else
            b.check(top.m_valid == top.s_valid, "an event that is entering is held up");
        b.check(!(top.ring_rst && (inside > 0 || left > 0 || offered || burst || top.run)), "a ring is reset with something inside");
        offered = top.m_valid && !top.m_ready;
        b.check(!(asked && empty && high > 0) || !top.run, "pages go on into the reset");
        if (ask && !asked) {
            asked = true;
            wanted++;
        }
        if (takes) {
            const bool begins = left == 0;
            left = top.s_last ? 0 : 1;
            inside += begins;
            taken++;
        }
        held = top.s_valid && !takes;
        inside -= ends;
        b.cycle();
        b.check(!top.idle || (inside == 0 && left == 0 && !offered), "idle with an event inside");
        high = top.ring_rst ? high + 1 : high;
        waited = asked && inside == 0 && left == 0 && !offered && !burst ? waited + 1 : 0;
        b.check(waited < P_HOLD + 200, "a reset that does not come");
        empty = inside == 0 && left == 0 && !offered;
        if (top.drained) {
            b.check(asked && high == P_HOLD, "a reset of another length");
            asked = false;
            high = 0;
            resets++;
        }
        b.compared();
    }
    b.check(inside == 0 && left == 0 && top.idle && !asked, "something is left inside");
    b.check(resets == wanted && resets > 5 && taken > 500, "too little happened");
    return b.finish();
}
