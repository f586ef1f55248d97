// A gate between a stream of tokens and a stage that delays them, with pages that are announced at random times.
#include "Vtop.h"
#include "bench.h"

int main(int argc, char **argv)
{
    enum { TAGW = P_LW + 2, LAST = 1 << P_LW, DROP = 2 << P_LW };
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_tag", top.s_tag, TAGW);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("page", top.page, 1);
    b.out("page_bad", top.page_bad, 1);
    b.in("o_valid", top.o_valid, 1);
    b.in("o_ready", top.o_ready, 1);
    b.in("o_tag", top.o_tag, TAGW);
    b.in("loaded", top.loaded, 1);
    b.in("loaded_bad", top.loaded_bad, 1);
    b.out("freed", top.freed, 1);
    b.out("hit", top.hit, 1);
    b.out("hit_event", top.hit_event, P_EVW, "hit");
    b.out("stalls", top.stalls, 32);
    b.out("late", top.late, 1);
    source &s = b.add_source("s", {"s_tag"});
    sink &m = b.add_sink("m", {"page", "page_bad"});

    // Events of TURNS layers; now and then one is refused in its first layer, which leaves the page for the next event.
    std::vector<bool> broken;
    std::deque<uint64_t> tags;              // as they must leave the stage
    std::deque<std::pair<bool, int>> token; // of each passing token: does it hit a bad page, and its event
    int tokens = 0, events = 0;
    const auto push = [&](uint64_t tag) {
        const size_t page = broken.size() - 1;
        s.send({bits(TAGW, tag)});
        m.expect({bits(1, page % P_BUFFERS), bits(1, broken[page])});
        tags.push_back(tag);
        token.push_back({broken[page], events});
        tokens++;
    };
    const auto add_events = [&](int count, bool faults) {
        for (int e = 0; e < count; e++) {
            for (uint64_t layer = 0; layer < P_TURNS; layer++) {
                broken.push_back(faults && b.pick(0, 3) == 0);
                if (layer == 0 && b.pick(0, 2) == 0) {
                    for (int64_t n = b.pick(0, 5); n > 0; n--)
                        push(layer);
                    push(layer | DROP | (b.pick(0, 1) ? LAST : 0));
                }
                for (int64_t n = b.pick(1, 6); n > 1; n--)
                    push(layer);
                push(layer | LAST);
            }
            events++;
        }
    };

    // The stage: tokens come out after a while, one after the other.
    struct inside {
        uint64_t tag, due;
    };
    std::deque<inside> stage;
    size_t loaded = 0, freed = 0;
    uint64_t load_at = 0, stalls = 0, hits = 0;
    int pause = 5, free_due = 0;
    bool offer = false, ready = false, load = false, hit_due = false, late = false, allowed = true;
    int hit_event = 0, waited = 0, passed = 0;
    const auto drive = [&] {
        offer = !stage.empty() && stage.front().due <= b.now();
        ready = b.pick(0, 2) > 0;
        b.at("o_valid").set(offer);
        b.at("o_tag").set(offer ? stage.front().tag : b.rnd());
        b.at("o_ready").set(ready);
        load = allowed && loaded < broken.size() && loaded - freed < P_BUFFERS && b.now() >= load_at;
        b.at("loaded").set(load);
        b.at("loaded_bad").set(load ? broken[loaded] : b.pick(0, 1));
    };
    b.each_cycle([&] {
        const bool pass = b.at("m_valid").get().u() && b.at("m_ready").get().u();
        const bool waits = b.at("s_valid").get().u() && !b.at("m_valid").get().u();
        b.check(b.at("s_ready").get().u() == 0 || b.at("m_ready").get().u() == 1, "takes what the stage does not");
        b.check(b.at("stalls").get().u() == stalls, "stalls are miscounted");
        b.check(b.at("late").get().u() == late, "late");
        b.check(b.at("hit").get().u() == hit_due && (!hit_due || b.at("hit_event").get().u() == static_cast<uint64_t>(hit_event)),
                "a bad page's token, or its event, is not reported");
        b.compared(3);
        if (b.at("freed").get().u()) {
            b.check(free_due == 1, "a page is freed whose last token is not out");
            freed++;
            free_due = 0;
        }
        b.check(free_due == 0, "a page is not freed");
        hit_due = false;
        if (pass) {
            stage.push_back({tags.front(), b.now() + 1 + static_cast<uint64_t>(b.pick(0, 20))});
            tags.pop_front();
            hit_due = token.front().first;
            hit_event = token.front().second % (1 << P_EVW);
            hits += hit_due;
            token.pop_front();
            passed++;
        }
        // Waits add up as long as the page does not come.
        if (pass)
            waited = 0;
        if (waits && P_LATE > 0 && ++waited > P_LATE)
            late = true;
        stalls += waits;
        if (offer && ready) {
            if ((stage.front().tag & LAST) && !(stage.front().tag & DROP))
                free_due = 1;
            stage.pop_front();
        }
        if (load) {
            loaded++;
            load_at = b.now() + 1 + static_cast<uint64_t>(b.pick(0, pause));
        }
    });
    const auto run = [&] {
        // Pages must not wait for streams to be driven: drive in step with the bench.
        b.run(64, 20000, [&] {
            drive();
            return !stage.empty() || free_due;
        });
    };
    const auto settle = [&] {
        for (int i = 0; i < 3; i++) {
            drive();
            b.cycle();
        }
    };
    drive();
    add_events(200, true);
    run();
    settle();
    pause = 0; // pages are there before they are needed
    add_events(200, false);
    run();
    settle();
    b.check(freed == broken.size() && loaded == broken.size(), "pages are left over");
    b.check(hits > 0 && stalls > 0, "nothing was hit or nothing waited");
    b.check(passed == tokens, "tokens are left over");
    return b.finish();
}
