// A small ring around the pager: tokens of an event pass the gates and stages once a layer (stages with a page less than the others not
// in the last layer, as where the first queries, keys and values come from the embedding), and the next event enters behind the
// last layer. Every token finds the words of its layer's page in the page memory, as the write bus has filled it, when it enters the
// stage and still when it leaves; events whose tokens did not are flagged at their end, and no others.
#include "Vtop.h"
#include "paged.h"

enum { BASE = 0x3000, TAGW = P_LW + 2, LAST = 1 << P_LW, DROP = 2 << P_LW, ROOM = 3 };

struct token {
    uint64_t tag;
    int event, layer;
};

struct inside {
    token t;
    uint64_t due;
    int buffer;
    bool whole; // the page held what it should when the token came in
};

struct stage {
    int turns = 0;
    std::deque<token> queue; // in front of the gate
    std::deque<inside> held; // behind it
    bool offered = false;    // the token in front has been shown to the gate
    bool ready = false, out = false, taken = false;
    uint64_t next = 0; // the cycle from which on it takes another token
    uint64_t stalls = 0;
};

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("run", top.run, 1);
    b.out("idle", top.idle, 1);
    b.in("base", top.base, 40);
    b.out("m_axi_arvalid", top.m_axi_arvalid, 1);
    b.in("m_axi_arready", top.m_axi_arready, 1);
    b.out("m_axi_araddr", top.m_axi_araddr, 40, "m_axi_arvalid");
    b.out("m_axi_arlen", top.m_axi_arlen, 8, "m_axi_arvalid");
    b.out("m_axi_arsize", top.m_axi_arsize, 3);
    b.out("m_axi_arburst", top.m_axi_arburst, 2);
    b.in("m_axi_rvalid", top.m_axi_rvalid, 1);
    b.out("m_axi_rready", top.m_axi_rready, 1);
    b.in("m_axi_rdata", top.m_axi_rdata, 64 * P_LANES);
    b.in("m_axi_rresp", top.m_axi_rresp, 2);
    b.in("m_axi_rlast", top.m_axi_rlast, 1);
    b.out("w_stage", top.w_stage, P_STAGES);
    b.out("w_group", top.w_group, 8, "w_stage");
    b.out("w_address", top.w_address, 16, "w_stage");
    b.out("w_data", top.w_data, 72 * P_LANES, "w_stage");
    b.in("g_valid", top.g_valid, P_STAGES);
    b.out("g_ready", top.g_ready, P_STAGES);
    b.in("g_tag", top.g_tag, P_STAGES * TAGW);
    b.out("t_valid", top.t_valid, P_STAGES);
    b.in("t_ready", top.t_ready, P_STAGES);
    b.out("page", top.page, P_STAGES);
    b.in("o_valid", top.o_valid, P_STAGES);
    b.in("o_ready", top.o_ready, P_STAGES);
    b.in("o_tag", top.o_tag, P_STAGES * TAGW);
    b.in("out_done", top.out_done, 1);
    b.out("out_error", top.out_error, 1);
    b.out("error", top.error, 1);
    b.out("retries", top.retries, 16);
    b.out("late", top.late, P_STAGES);
    b.out("stalls", top.stalls, P_STAGES * 32);

    axi_memory memory(b, "m_axi_", P_LANES, P_BURSTS, BASE);
    const paged p(b, P_LANES, memory.bytes);
    page_memories mem(p);
    std::vector<stage> stages(P_STAGES);
    int layers = 0;
    for (int s = 0; s < P_STAGES; s++) {
        stages[static_cast<size_t>(s)].turns = element(TS_TEXT(P_TURNS), s, 8);
        layers = std::max(layers, stages[static_cast<size_t>(s)].turns);
        b.check(p.stage[static_cast<size_t>(s)].page.size() == static_cast<size_t>(stages[static_cast<size_t>(s)].turns),
                "the case's TURNS");
    }

    // ---- the ring
    std::deque<std::pair<uint64_t, token>> source; // tokens that are on their way to the first stage, from when on
    std::map<int, bool> spoilt;                    // events with a token that found a wrong word
    int tokens_of = 0, events = 0, entered = 0, done = 0, refusals = 0;
    bool follow = true; // the next event may enter: the one before it has begun its last layer
    uint64_t wrong_pages = 0, passed = 0;
    int interval = 1, delay = 5; // of a stage, in cycles: from token to token, and from its entry to its exit at least
    bool faults = false;         // pages may be wrong
    int done_due = -1;           // cycles until out_done
    const auto enter_layer = [&](int event, int layer) {
        // Now and then a refused event comes first: its tokens pass the first stage, none tagged last, and are dropped behind it.
        const uint64_t n = layer == 0 && b.pick(0, 3) == 0 ? static_cast<uint64_t>(b.pick(1, 5)) : 0;
        refusals += n > 0;
        for (uint64_t t = 0; t < n; t++)
            source.push_back({b.now() + t, {t == n - 1 ? uint64_t{DROP} : 0, -event - 1, 0}});
        for (int t = 0; t < tokens_of; t++)
            source.push_back({b.now() + static_cast<uint64_t>(b.pick(0, 3)),
                              {static_cast<uint64_t>(layer) | (t == tokens_of - 1 ? uint64_t{LAST} : 0), event, layer}});
        follow = layer + 1 == layers;
    };
    // A token leaves stage s (or, s = -1, the source).
    const auto hand_on = [&](int s, const token &t) {
        if (t.event < 0 && s >= 0)
            return;
        for (s++; s < P_STAGES; s++)
            if (t.layer < stages[static_cast<size_t>(s)].turns) {
                stages[static_cast<size_t>(s)].queue.push_back(t);
                return;
            }
        if (!(t.tag & LAST))
            return;
        if (t.layer + 1 < layers)
            enter_layer(t.event, t.layer + 1);
        else
            done_due = static_cast<int>(b.pick(1, 20));
    };

    b.each_cycle([&] {
        memory.sample();
        const uint64_t w = b.at("w_stage").get().u(), t_valid = b.at("t_valid").get().u(), g_ready = b.at("g_ready").get().u();
        for (int s = 0; s < P_STAGES; s++) {
            stage &st = stages[static_cast<size_t>(s)];
            const paged_stage &ps = p.stage[static_cast<size_t>(s)];
            const bool valid = t_valid >> s & 1, pass = valid && st.ready;
            if (b.at("stalls").get().u(32 * s, 32) != st.stalls)
                b.fail("stage %d: stalls are miscounted", s);
            const bool takes = g_ready >> s & 1;
            b.check(st.offered ? takes == pass : st.ready || !takes, "the ends of the handshake disagree");
            b.check(!valid || st.offered, "offers a token that is not there");
            st.stalls += st.offered && !valid;
            st.taken = pass;
            if (pass) {
                const token t = st.queue.front();
                const int buffer = static_cast<int>(b.at("page").get().u() >> s & 1);
                const bool whole = buffer < ps.buffers && mem.holds(p, s, buffer, t.layer);
                if (!whole && !faults)
                    b.fail("stage %d, event %d, layer %d: a token finds a wrong word", s, t.event, t.layer);
                const int event = t.event < 0 ? -t.event - 1 : t.event; // its page is that of the event behind it
                if (!whole) {
                    wrong_pages += !spoilt[event];
                    spoilt[event] = true;
                }
                st.held.push_back({t, b.now() + static_cast<uint64_t>(delay + b.pick(0, 3)), buffer, whole});
                st.next = b.now() + static_cast<uint64_t>(interval);
                st.queue.pop_front();
                passed++;
                b.compared(static_cast<uint64_t>(ps.words * ps.groups));
            }
            if (st.out) {
                const inside in = st.held.front();
                st.held.pop_front();
                if (mem.holds(p, s, in.buffer, in.t.layer) != in.whole)
                    b.fail("stage %d, event %d, layer %d: a page is overwritten that is in use", s, in.t.event, in.t.layer);
                hand_on(s, in.t);
            }
            if (w >> s & 1) {
                const size_t at =
                    static_cast<size_t>(b.at("w_address").get().u()) * static_cast<size_t>(ps.groups) + b.at("w_group").get().u();
                b.check(w == uint64_t{1} << s, "two stages are written");
                if (at >= mem.word[static_cast<size_t>(s)].size())
                    b.fail("stage %d: a write outside its buffers", s);
                else
                    mem.word[static_cast<size_t>(s)][at] = b.at("w_data").get();
            }
        }
        if (b.at("out_done").get().u()) {
            if (b.at("out_error").get().u() != spoilt[done])
                b.fail("event %d: flagged %d, found %d", done, static_cast<int>(b.at("out_error").get().u()), spoilt[done]);
            b.compared();
            done++;
        }
    });
    const auto cycle = [&] {
        uint64_t g_valid = 0, t_ready = 0, o_valid = 0, o_ready = 0;
        bits g_tag(P_STAGES * TAGW), o_tag(P_STAGES * TAGW);
        if (follow && entered < events) {
            tokens_of = static_cast<int>(b.pick(1, 12));
            enter_layer(entered++, 0);
        }
        while (!source.empty() && source.front().first <= b.now()) {
            hand_on(-1, source.front().second);
            source.pop_front();
        }
        for (int s = 0; s < P_STAGES; s++) {
            stage &st = stages[static_cast<size_t>(s)];
            if (st.taken || !st.offered)
                st.offered = !st.queue.empty() && b.pick(0, 3) > 0;
            st.ready = st.held.size() < ROOM && b.now() >= st.next && b.pick(0, 7) > 0;
            const bool valid = !st.held.empty() && st.held.front().due <= b.now(), ready = b.pick(0, 7) > 0;
            st.out = valid && ready;
            g_valid |= static_cast<uint64_t>(st.offered) << s;
            t_ready |= static_cast<uint64_t>(st.ready) << s;
            o_valid |= static_cast<uint64_t>(valid) << s;
            o_ready |= static_cast<uint64_t>(ready) << s;
            g_tag.put(s * TAGW, TAGW, static_cast<int64_t>(st.offered ? st.queue.front().tag : b.rnd()));
            o_tag.put(s * TAGW, TAGW, static_cast<int64_t>(valid ? st.held.front().t.tag : b.rnd()));
        }
        b.at("g_valid").set(g_valid);
        b.at("g_tag").set(g_tag);
        b.at("t_ready").set(t_ready);
        b.at("o_valid").set(o_valid);
        b.at("o_ready").set(o_ready);
        b.at("o_tag").set(o_tag);
        b.at("out_done").set(done_due == 0);
        if (done_due >= 0)
            done_due--;
        memory.drive();
        b.cycle();
    };
    const auto run_events = [&](int count) {
        events += count;
        for (uint64_t start = b.now(); done < events && !b.failed();) {
            cycle();
            if (b.now() > start + 400000)
                b.fail("watchdog: %d events of %d", done, events);
        }
    };
    const auto all_stalls = [&] {
        uint64_t sum = 0;
        for (const stage &st : stages)
            sum += st.stalls;
        return sum;
    };

    b.at("base").set(uint64_t{BASE});
    b.at("run").set(uint64_t{1});
    // Short of pages, then short of tokens: with two buffers everywhere, pages never come late.
    run_events(6);
    b.check(all_stalls() > 0, "nothing waited for a page");
    bool double_buffers = true;
    uint64_t beats = 0;
    for (const paged_stage &ps : p.stage)
        double_buffers = double_buffers && ps.buffers == 2;
    for (const transfer &t : p.transfers)
        beats = std::max(beats, t.beats);
    interval = static_cast<int>(static_cast<uint64_t>(P_STAGES) * (2 * beats + 80)); // a layer of one token outlasts all its pages
    delay = interval;
    run_events(1);
    const uint64_t before = all_stalls();
    run_events(2);
    b.check(!double_buffers || all_stalls() == before, "a token waited, though its page should have been there");
    interval = 1;
    delay = 5;
    memory.address_pause = 40;
    memory.data_pause = 30;
    memory.jitter = 60;
    run_events(8);
    b.check(!b.at("error").get().u() && b.at("retries").get().u() == 0 && b.at("late").get().u() == 0, "a flag without a fault");

    // Faults in a page's first words: RETRIES in a row are healed, one more makes one page bad, and flags the events that used it.
    int victim = -1, times = 0;
    memory.spoil = [&](uint64_t beat, bits &data, unsigned &) {
        if (times == 0 || p.transfers[static_cast<size_t>(victim)].beat + 1 != beat)
            return;
        times--;
        const int bit = static_cast<int>(b.pick(0, data.width() - 1));
        data.put(bit, 1, static_cast<int64_t>(1 - data.u(bit, 1)));
    };
    uint64_t retries = 0;
    for (int round = 0; round < 4 && !b.failed(); round++) {
        victim = static_cast<int>(b.pick(0, P_COUNT - 1));
        times = static_cast<int>(b.pick(1, P_RETRIES));
        retries += static_cast<uint64_t>(times);
        run_events(3);
        b.check(times == 0 && b.at("retries").get().u() == retries && !b.at("error").get().u(), "a fault that can be healed");
    }
    faults = true;
    for (int round = 0; round < 3 && !b.failed(); round++) {
        const uint64_t wrong = wrong_pages;
        victim = static_cast<int>(b.pick(0, P_COUNT - 1));
        times = P_RETRIES + 1;
        run_events(4);
        b.check(times == 0 && b.at("error").get().u() && wrong_pages == wrong + 1, "a page that stays bad flags one event");
    }
    faults = false;

    // A memory that says nothing for 10,000 cycles: told, and everything goes on.
    b.check(b.at("late").get().u() == 0, "late");
    memory.silent_until = b.now() + 10000;
    run_events(3);
    b.check(b.at("late").get().u() != 0, "nobody says that a page is late");

    // Stopped at any time, the loader drains, tokens wait, and nothing is lost; after a reset all begins anew.
    for (int round = 0; round < 8 && !b.failed(); round++) {
        events += 2;
        for (int64_t i = b.pick(1, 500); i > 0; i--)
            cycle();
        b.at("run").set(uint64_t{0});
        for (int i = 0; !b.at("idle").get().u() && !b.failed(); i++) {
            cycle();
            if (i > 100000)
                b.fail("watchdog: the loader does not become idle");
        }
        b.check(memory.empty(), "idle with bursts on their way");
        for (int i = 0; i < 300; i++)
            cycle();
        if (round % 4 == 3) {
            for (stage &st : stages) {
                stage anew;
                anew.turns = st.turns;
                anew.stalls = st.stalls; // of the cycle before the reset
                st = anew;
            }
            source.clear();
            spoilt.clear();
            entered = done = events = 0;
            done_due = -1;
            follow = true;
            top.rst = 1;
            cycle();
            top.rst = 0;
            for (stage &st : stages)
                st.stalls = 0;
        }
        b.at("run").set(uint64_t{1});
        run_events(2);
    }
    b.check(refusals > 0 && passed > 100, "counts");
    return b.finish();
}
