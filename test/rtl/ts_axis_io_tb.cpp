/* ts_axis_io (ts_axis_in, ts_axis_out, a ts_async_fifo each way): hits and results of random events, bit for bit as docs and a model have
   it, with clocks of any ratio and pauses everywhere; malformed events are refused in their place; resets in the middle; rate and latency.
 */
#include "Vtop.h"
#include "bench.h"
#include "clocks.h"

enum { BYTES = P_BUSW / 8 };

struct layout {
    int words, slot, per; /* words of an item, bytes of a slot, slots of a word */
    explicit layout(int width)
    {
        words = (width + P_BUSW - 1) / P_BUSW;
        slot = width / 8;
        if (words > 1)
            slot = BYTES;
        else
            while (slot & (slot - 1))
                slot++; /* the next power of two */
        per = BYTES / slot;
    }
};

struct word {
    bits data{P_BUSW}, keep{BYTES};
    bool last = false;
};

static bits random_bits(bench &b, int width)
{
    bits out(width);
    for (int at = 0; at < width; at += 64)
        out.put(at, std::min(64, width - at), static_cast<int64_t>(b.rnd()));
    return out;
}

static void copy(bits &to, int at, const bits &from, int lsb, int width)
{
    for (int i = 0; i < width; i += 8)
        to.put(at + i, 8, static_cast<int64_t>(from.u(lsb + i, 8)));
}

/* Items as words; what is not theirs is noise (or zero), and so is TKEEP of paddings. */
static std::vector<word> words_of(bench &b, const layout &l, const std::vector<bits> &item, bool noise)
{
    std::vector<word> out;
    const int width = item[0].width();
    for (size_t i = 0; i < item.size();) {
        for (int w = 0; w < l.words; w++) {
            word o;
            const size_t count = std::min<size_t>(static_cast<size_t>(l.per), item.size() - i);
            if (noise)
                o.data = random_bits(b, P_BUSW);
            for (size_t k = 0; k < count; k++) {
                const int from = w * P_BUSW, n = std::min<int>(P_BUSW, width - from);
                copy(o.data, static_cast<int>(k) * l.slot * 8, item[i + k], from, n);
                for (int byte = 0; byte < l.slot; byte++)
                    o.keep.put(static_cast<int>(k) * l.slot + byte, 1, noise && w == l.words - 1 && byte >= n / 8 ? b.pick(0, 1) : 1);
            }
            out.push_back(o);
        }
        i += static_cast<size_t>(l.per);
    }
    out.back().last = true;
    return out;
}

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.in("s_axis_tvalid", top.s_axis_tvalid, 1);
    b.out("s_axis_tready", top.s_axis_tready, 1);
    b.in("s_axis_tdata", top.s_axis_tdata, P_BUSW);
    b.in("s_axis_tkeep", top.s_axis_tkeep, BYTES);
    b.in("s_axis_tlast", top.s_axis_tlast, 1);
    b.out("m_axis_tvalid", top.m_axis_tvalid, 1);
    b.in("m_axis_tready", top.m_axis_tready, 1);
    b.out("m_axis_tdata", top.m_axis_tdata, P_BUSW);
    b.out("m_axis_tkeep", top.m_axis_tkeep, BYTES);
    b.out("m_axis_tlast", top.m_axis_tlast, 1);
    b.out("m_axis_tuser", top.m_axis_tuser, 2);
    b.out("s_hit_valid", top.s_hit_valid, 1);
    b.in("s_hit_ready", top.s_hit_ready, 1);
    b.out("s_hit_data", top.s_hit_data, P_HITW);
    b.out("s_hit_last", top.s_hit_last, 1);
    b.out("s_hit_refused", top.s_hit_refused, 1);
    b.out("s_hit_error", top.s_hit_error, 1);
    b.in("m_out_valid", top.m_out_valid, 1);
    b.out("m_out_ready", top.m_out_ready, 1);
    b.in("m_out_data", top.m_out_data, P_OUTW);
    b.in("m_out_last", top.m_out_last, 1);
    b.in("m_out_refused", top.m_out_refused, 1);
    b.in("m_out_error", top.m_out_error, 1);
    b.in("bus_rst", top.bus_rst, 1);
    b.in("rst", top.rst, 1);
    clocks c(b, argc, argv, [&] { top.eval(); });
    const int bus = c.add("bus_clk", top.bus_clk), engine = c.add("clk", top.clk);
    feeder &s = c.feed(bus, "s_axis_tvalid", "s_axis_tready", {"s_axis_tdata", "s_axis_tkeep", "s_axis_tlast"});
    taker &m = c.take(bus, "m_axis_tvalid", "m_axis_tready", {"m_axis_tdata", "m_axis_tkeep", "m_axis_tlast", "m_axis_tuser"});
    taker &hit = c.take(engine, "s_hit_valid", "s_hit_ready", {"s_hit_data", "s_hit_last", "s_hit_refused", "s_hit_error"});
    feeder &out = c.feed(engine, "m_out_valid", "m_out_ready", {"m_out_data", "m_out_last", "m_out_refused", "m_out_error"});
    c.input("bus_rst");
    c.input("rst");

    const layout in(P_HITW), to(P_OUTW);
    std::deque<beat> hits, words; // expected
    bool started = false;
    hit.got = [&](const beat &got) {
        if (!started)
            return;
        const bool ok = !hits.empty() && got[1] == hits.front()[1] && got[2] == hits.front()[2] && got[3] == hits.front()[3] &&
                        (got[2].u() || got[0] == hits.front()[0]); // of a refusal there is no hit
        if (!ok)
            b.fail("s_hit is not what it should be");
        else
            hits.pop_front();
        b.compared();
    };
    m.got = [&](const beat &got) {
        if (!started)
            return;
        if (words.empty() || got != words.front())
            b.fail("m_axis is not what it should be");
        else
            words.pop_front();
        b.compared();
    };

    const bits one(1, 1), zero(1);
    int refusals = 0;
    // What the hits of an event's words are: the rule of ts_axis_in, a byte at a time.
    const auto expect_hits = [&](const std::vector<word> &event) {
        bits part(in.words * P_BUSW);
        int have = 0; // words of the hit so far
        for (const word &w : event) {
            const int need = P_HITW / 8 - have * BYTES; // bytes of the hit from here on
            const bool ends = have == in.words - 1;
            std::vector<int> whole, some;
            for (int k = 0; k < in.per; k++) {
                int n = 0;
                for (int byte = 0; byte < std::min<int>(need, BYTES); byte++)
                    n += static_cast<int>(w.keep.u(k * in.slot + byte, 1));
                whole.push_back(n == std::min<int>(need, BYTES));
                some.push_back(n > 0);
            }
            int count = 0;
            while (count < in.per && whole[static_cast<size_t>(count)])
                count++;
            bool bad = false;
            for (int k = count; k < in.per; k++)
                bad = bad || some[static_cast<size_t>(k)];
            bad = bad || count == 0 || (!w.last && count < in.per) || (w.last && !ends);
            if (bad) {
                hits.push_back({bits(P_HITW), one, one, one});
                refusals++;
                return;
            }
            copy(part, have * P_BUSW, w.data, 0, P_BUSW);
            have++;
            for (int k = 0; ends && k < count; k++) {
                bits h(P_HITW);
                copy(h, 0, part, k * in.slot * 8, P_HITW);
                hits.push_back({h, w.last && k == count - 1 ? one : zero, zero, zero});
            }
            if (ends)
                have = 0;
        }
    };
    const auto send_event = [&](int length, bool damage) {
        std::vector<bits> item;
        for (int i = 0; i < length; i++)
            item.push_back(random_bits(b, P_HITW));
        std::vector<word> w = words_of(b, in, item, true);
        for (int n = damage ? static_cast<int>(b.pick(1, 2)) : 0; n > 0; n--) {
            const size_t at = static_cast<size_t>(b.pick(0, static_cast<int64_t>(w.size()) - 1));
            switch (b.pick(0, 4)) {
            case 0: /* a byte is missing */
                w[at].keep.put(static_cast<int>(b.pick(0, BYTES - 1)), 1, 0);
                break;
            case 1: /* ends here */
                w.resize(at + 1);
                w.back().last = true;
                break;
            case 2: /* a last word without a hit */
                w.back().last = false;
                w.push_back({random_bits(b, P_BUSW), bits(BYTES), true});
                break;
            case 3: /* from the first byte on */
                w[at].keep.put(0, 1, 0);
                break;
            default: /* anything */
                w[at].keep = random_bits(b, BYTES);
            }
        }
        expect_hits(w);
        for (const word &o : w)
            s.queue.push_back({o.data, o.keep, bits(1, o.last)});
    };
    const auto send_results = [&](int length, bool flags) {
        std::vector<bits> item;
        for (int i = 0; i < length; i++)
            item.push_back(random_bits(b, P_OUTW));
        const bits refused(1, flags ? static_cast<uint64_t>(b.pick(0, 1)) : 0), error(1, flags ? static_cast<uint64_t>(b.pick(0, 1)) : 0);
        for (size_t i = 0; i < item.size(); i++) {
            const bool last = i + 1 == item.size();
            out.queue.push_back({item[i], bits(1, last), last ? refused : zero, last ? error : zero});
        }
        const uint64_t user = error.u() * 2 + refused.u();
        for (const word &o : words_of(b, to, item, false))
            if (P_STATUS)
                words.push_back({o.data, bits(BYTES, ~0ULL), zero, bits(2)});
            else
                words.push_back({o.data, o.keep, bits(1, o.last), bits(2, o.last ? user : 0)});
        if (P_STATUS) {
            bits status(P_BUSW);
            status.put(0, 32, static_cast<int64_t>(user + (static_cast<uint64_t>(length) << 8)));
            words.push_back({status, bits(BYTES, ~0ULL), one, bits(2, user)});
        }
    };
    const auto empty = [&] { return s.queue.empty() && !s.offered && out.queue.empty() && !out.offered && hits.empty() && words.empty(); };
    // Both domains, as ts_reset does it: up at the next edge of each, down when it likes.
    const auto reset = [&] {
        s.drop();
        out.drop();
        top.s_axis_tvalid = top.m_out_valid = 0;
        top.bus_rst = top.rst = 1;
        hits.clear();
        words.clear();
        started = false;
        const uint64_t a = c.cycles(bus), z = c.cycles(engine);
        c.until([&] { return c.cycles(bus) > a + 1 && c.cycles(engine) > z + 1; });
        c.run(static_cast<int>(b.pick(0, 20)));
        if (b.pick(0, 1)) {
            top.bus_rst = 0;
            c.run(static_cast<int>(b.pick(0, 20)));
        }
        top.bus_rst = top.rst = 0;
        started = true;
        s.on = out.on = true;
    };

    reset();
    c.run(100);
    c.compare_from_now();
    for (int round = 0; round < 40 && !b.failed(); round++) {
        static const int pauses[] = {0, 0, 30, 80};
        c.any_speeds();
        s.pause = pauses[b.pick(0, 3)];
        m.pause = pauses[b.pick(0, 3)];
        hit.pause = pauses[b.pick(0, 3)];
        out.pause = pauses[b.pick(0, 3)];
        for (int i = 0; i < 12; i++) {
            send_event(static_cast<int>(b.pick(1, 3 * in.per + 5)), round % 2 == 1 && b.pick(0, 2) == 0);
            send_results(static_cast<int>(b.pick(1, 3 * to.per + 5)), true);
        }
        if (round % 3 == 2) { // a reset in the middle: nothing of before comes out
            c.run(static_cast<int>(b.pick(1, 200)));
            reset();
            send_event(static_cast<int>(b.pick(1, 9)), false);
            send_results(static_cast<int>(b.pick(1, 9)), true);
        }
        c.until(empty);
    }
    c.run(200); // nothing more
    b.check(b.failed() || refusals > 20, "hardly an event was malformed");

    // Rate and latency with equal clocks.
    c.speeds(1, 1, true);
    s.pause = m.pause = hit.pause = out.pause = 0;
    c.run(200);
    const size_t in_0 = s.taken_at.size(), hit_0 = hit.taken_at.size(), out_0 = out.taken_at.size(), word_0 = m.taken_at.size();
    const uint64_t ahead = c.cycles(engine) - c.cycles(bus); // cycles are counted from the beginning of each clock
    send_event(200, false);
    send_results(200, false);
    c.until(empty);
    if (!b.failed()) {
        const uint64_t to_hit = hit.taken_at[hit_0] - ahead - s.taken_at[in_0 + static_cast<size_t>(in.words) - 1];
        const uint64_t last_of_first = static_cast<uint64_t>(to.words == 1 ? to.per - 1 : 0);
        const uint64_t to_word = m.taken_at[word_0] - (out.taken_at[out_0 + last_of_first] - ahead);
        printf("hit %d cycles behind its word, word %d behind its result\n", static_cast<int>(to_hit), static_cast<int>(to_word));
        const uint64_t hit_least = 4 + P_SYNC + 1, word_least = 4 + P_SYNC + (to.words > 1); // and one more where a synchroniser is late
        b.check(to_hit >= hit_least && to_hit <= hit_least + 1 && to_word >= word_least && to_word <= word_least + 1, "latency");
        b.check(hit.taken_at.back() - hit.taken_at[hit_0] <= static_cast<uint64_t>(199 * in.words + 2), "not a hit, or a word, a cycle");
        b.check(out.taken_at.back() - out.taken_at[out_0] <= static_cast<uint64_t>(199 * to.words + 2), "not a result, or a word, a cycle");
    }
    return c.finish();
}
