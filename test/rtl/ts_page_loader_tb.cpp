// Stages that hold each page for a while and free it. Every word of every page is compared, no buffer may be written while its page
// is held, and pages come in the order of the schedule.
#include "Vtop.h"
#include "paged.h"

enum { BASE = 0x7000 };

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("run", top.run, 1);
    b.out("idle", top.idle, 1);
    b.in("base", top.base, 40);
    b.out("arvalid", top.arvalid, 1);
    b.in("arready", top.arready, 1);
    b.out("araddr", top.araddr, 40, "arvalid");
    b.out("arlen", top.arlen, 8, "arvalid");
    b.out("arsize", top.arsize, 3);
    b.out("arburst", top.arburst, 2);
    b.in("rvalid", top.rvalid, 1);
    b.out("rready", top.rready, 1);
    b.in("rdata", top.rdata, 64 * P_LANES);
    b.in("rresp", top.rresp, 2);
    b.in("rlast", top.rlast, 1);
    b.out("w_stage", top.w_stage, P_STAGES);
    b.out("w_group", top.w_group, 8, "w_stage");
    b.out("w_address", top.w_address, 16, "w_stage");
    b.out("w_data", top.w_data, 72 * P_LANES, "w_stage");
    b.out("loaded", top.loaded, P_STAGES);
    b.out("loaded_bad", top.loaded_bad, 1, "loaded");
    b.in("freed", top.freed, P_STAGES);
    b.out("error", top.error, 1);
    b.out("retries", top.retries, 16);

    axi_memory memory(b, "", P_LANES, P_BURSTS, BASE);
    const paged p(b, P_LANES, memory.bytes);
    page_memories mem(p);
    const bool fast = b.seed() == 1; // one seed without pauses, for cycle counts

    struct holder {
        int loaded = 0;               // pages announced so far
        std::deque<int> held;         // their numbers
        std::deque<uint64_t> until;   // when each is freed
        uint64_t written[2] = {0, 0}; // the cycle of the last write to each buffer
    };
    std::vector<holder> holders(P_STAGES);
    size_t next = 0; // transfer that must be announced next
    uint64_t announced = 0, bad = 0, words = 0;
    std::map<int, int> spoilt;     // of each transfer, the fetches that are still to be spoilt
    std::map<int, int> wanted_bad; // announcements that must be bad
    int longest_hold = 0;
    uint64_t freed_now = 0;

    int armed = -1; // the transfer whose fetch is being spoilt
    uint64_t victim_beat = 0;
    memory.spoil = [&](uint64_t beat, bits &data, unsigned &resp) {
        const int i = p.transfer_of(beat);
        const transfer &t = p.transfers[static_cast<size_t>(i)];
        // One fault in each fetch that is to be spoilt, anywhere between its first beat and its trailer.
        if (beat == t.beat) {
            armed = spoilt[i] > 0 ? i : -1;
            victim_beat = t.beat + b.rnd() % t.beats;
        }
        if (armed != i || beat != victim_beat)
            return;
        if (b.pick(0, 2) == 0) {
            resp = 2 + static_cast<unsigned>(b.pick(0, 1));
        } else {
            const int bit = static_cast<int>(b.pick(0, data.width() - 1));
            data.put(bit, 1, static_cast<int64_t>(1 - data.u(bit, 1)));
        }
        spoilt[i]--;
        armed = -1;
    };

    b.each_cycle([&] {
        memory.sample();
        const uint64_t w = b.at("w_stage").get().u(), done = b.at("loaded").get().u();
        for (int s = 0; s < P_STAGES; s++) {
            const paged_stage &st = p.stage[static_cast<size_t>(s)];
            holder &h = holders[static_cast<size_t>(s)];
            const int page_size = st.words * st.groups;
            // The stage's word of what it has freed reaches the loader in this cycle: see below.
            if (freed_now >> s & 1) {
                h.held.pop_front();
                h.until.pop_front();
            }
            if (w >> s & 1) {
                const int at = static_cast<int>(b.at("w_address").get().u() * static_cast<uint64_t>(st.groups) + b.at("w_group").get().u());
                b.check(w == uint64_t{1} << s, "two stages are written");
                if (b.at("w_group").get().u() >= static_cast<uint64_t>(st.groups) || at >= st.buffers * page_size) {
                    b.fail("stage %d: a write outside its buffers", s);
                    return;
                }
                for (int k : h.held)
                    b.check(k % st.buffers != at / page_size, "a buffer is written whose page is in use");
                mem.word[static_cast<size_t>(s)][static_cast<size_t>(at)] = b.at("w_data").get();
                h.written[at / page_size] = b.now();
                words++;
            }
            if (done >> s & 1) {
                const transfer &t = p.transfers[next];
                const bool is_bad = b.at("loaded_bad").get().u();
                b.check(done == uint64_t{1} << s && t.stage == s, "not the page that the schedule says");
                b.check(b.now() >= h.written[h.loaded % st.buffers] + 3, "a page is announced too early");
                b.check(static_cast<int>(h.held.size()) < st.buffers, "more pages than buffers");
                const int index = static_cast<int>(next);
                b.check(is_bad == (wanted_bad[index] > 0), "good and bad pages are mixed up");
                if (is_bad) {
                    wanted_bad[index]--;
                    bad++;
                } else if (!mem.holds(p, s, h.loaded % st.buffers, t.page)) {
                    b.fail("stage %d, page %d: a wrong word", s, t.page);
                }
                b.compared(static_cast<uint64_t>(page_size));
                h.held.push_back(h.loaded++);
                const uint64_t from = std::max(b.now(), h.until.empty() ? 0 : h.until.back());
                h.until.push_back(from + 1 + static_cast<uint64_t>(b.pick(0, longest_hold)));
                next = (next + 1) % p.transfers.size();
                announced++;
            }
        }
    });
    const auto cycle = [&] {
        freed_now = 0;
        for (int s = 0; s < P_STAGES; s++)
            if (!holders[static_cast<size_t>(s)].until.empty() && holders[static_cast<size_t>(s)].until.front() <= b.now())
                freed_now |= uint64_t{1} << s;
        b.at("freed").set(freed_now);
        memory.drive();
        b.cycle();
    };
    // Until so many more pages are announced.
    const auto load = [&](uint64_t pages) {
        const uint64_t until = announced + pages;
        for (uint64_t start = b.now(); announced < until && !b.failed();) {
            cycle();
            if (b.now() > start + 400000)
                b.fail("watchdog: %d pages of %d", static_cast<int>(announced), static_cast<int>(until));
        }
    };
    const auto stop = [&] {
        b.at("run").set(uint64_t{0});
        for (int i = 0; !b.at("idle").get().u() && !b.failed(); i++) {
            cycle();
            if (i > 200000)
                b.fail("watchdog: the loader does not become idle");
        }
        b.check(memory.empty(), "idle with bursts on their way");
    };

    // As fast as it goes: with two buffers, freed at once, a beat comes in every cycle.
    b.at("base").set(uint64_t{BASE});
    b.at("run").set(uint64_t{1});
    load(P_COUNT);
    bool full_rate = fast;
    for (const transfer &t : p.transfers)
        full_rate = full_rate && t.beats >= 50 && p.stage[static_cast<size_t>(t.stage)].buffers == 2;
    if (full_rate) {
        const uint64_t from = b.now(), before = memory.beats;
        load(3 * P_COUNT);
        b.check(memory.beats - before >= b.now() - from - 1, "the bus was not full");
    }
    // Pauses everywhere, pages held for long.
    if (!fast) {
        memory.address_pause = 40;
        memory.data_pause = 30;
        memory.jitter = 60;
    }
    longest_hold = 300;
    load(4 * P_COUNT);
    // Faults: RETRIES spoilt fetches are healed, one more is not.
    const auto count_of = [&] { return b.at("retries").get().u(); };
    uint64_t retries = 0;
    b.check(count_of() == 0, "retries without a fault");
    for (int round = 0; round < 12 && !b.failed(); round++) {
        const int victim = static_cast<int>(b.pick(0, P_COUNT - 1)), times = static_cast<int>(b.pick(1, P_RETRIES));
        spoilt[victim] = times;
        while (spoilt[victim] > 0 && !b.failed())
            cycle();
        load(P_COUNT);
        retries += static_cast<uint64_t>(times);
        if (!b.failed() && count_of() != retries)
            b.fail("retries is %d after %d spoilt fetches", static_cast<int>(count_of()), static_cast<int>(retries));
    }
    b.check(!b.at("error").get().u(), "error, but every page was healed");
    const int hopeless = static_cast<int>(b.pick(0, P_COUNT - 1));
    stop(); // so that no part of it is on its way
    spoilt[hopeless] = P_RETRIES + 1;
    wanted_bad[hopeless] = 1;
    b.at("run").set(uint64_t{1});
    while (bad == 0 && !b.failed())
        cycle();
    b.check(spoilt[hopeless] == 0, "a bad page was given up too early");
    load(2 * P_COUNT);
    b.check(b.at("error").get().u() && bad == 1, "a page that stays bad raises the flag");
    // A memory that says nothing for 10,000 cycles.
    memory.silent_until = b.now() + 10000;
    load(P_COUNT);
    // Stopped at any time, it drains and goes on where it was; after a reset, with the first page.
    for (int round = 0; round < 25 && !b.failed(); round++) {
        for (int64_t i = b.pick(1, 400); i > 0; i--)
            cycle();
        if (round % 4 == 3)
            spoilt[static_cast<int>(b.pick(0, P_COUNT - 1))] = 1;
        stop();
        const uint64_t before = announced;
        for (int i = 0; i < 50; i++)
            cycle();
        b.check(before == announced && b.at("idle").get().u() && !b.at("arvalid").get().u(), "not quiet while idle");
        if (round % 5 == 4) {
            top.rst = 1;
            cycle();
            top.rst = 0;
            next = 0;
            for (holder &h : holders)
                h = holder();
            b.check(!b.failed(), "reset");
        }
        b.at("run").set(uint64_t{1});
    }
    load(2 * P_COUNT);
    stop();
    b.check(words > 0 && b.at("retries").get().u() < 1000, "counts");
    return b.finish();
}
