/* ts_link, an end that talks to itself over a wire with delay and faults. Frames are read on the clean side of the wire, so that the
   bench knows what each fault hits: an event of which a data frame was hit must come out with m_error, every other event must come
   out bit for bit, and all of them in order, each once.
   --words N: nothing but N words of hostile and random payload on a clean wire, every event unchanged; ordinary runs have 20,000. */
#include <set>

#include "Vtop.h"
#include "ts_link_frame.h"

namespace
{

enum fault { NONE, FLIP, BURST, DROP_WORD, DROP_TAIL, DROP_FRAME, REPEAT, GARBAGE, INSERT, REPLACE, KINDS };

const char *const fault_name[KINDS] = {"none",           "flip",   "burst",   "drop a word", "drop the tail",
                                       "drop the frame", "repeat", "garbage", "insert",      "replace"};

} // namespace

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_TOKW);
    b.in("s_last", top.s_last, 1);
    b.in("s_refused", top.s_refused, 1);
    b.in("s_error", top.s_error, 1);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_TOKW, "m_valid");
    b.out("m_last", top.m_last, 1, "m_valid");
    b.out("m_refused", top.m_refused, 1, "m_valid");
    b.out("m_error", top.m_error, 1, "m_valid");
    b.in("tx_slot", top.tx_slot, 1);
    b.out("tx_valid", top.tx_valid, 1);
    b.out("tx_data", top.tx_data, P_LINKW, "tx_valid");
    b.in("rx_valid", top.rx_valid, 1);
    b.in("rx_data", top.rx_data, P_LINKW);
    b.out("faults", top.faults, 4);
    source &s = b.add_source("s", {"s_data", "s_last", "s_refused", "s_error"});
    const int wpt = (P_TOKW + P_LINKW - 2) / (P_LINKW - 1), ptok = std::max(1, P_PACKET / wpt);
    const size_t words_of_header = P_LINKW == 32 ? 2 : 1;
    const int payload_words = [&] {
        for (int i = 1; i + 1 < argc; i++)
            if (std::string(argv[i]) == "--words")
                return atoi(argv[i + 1]);
        return 0;
    }();
    const int events = std::min(300, std::max(40, 30000 / (wpt * P_NMAX))); /* of a phase */

    /* ---- The wire */
    struct wired {
        uint64_t at;
        bits word;
    };
    std::deque<wired> wire;
    int delay = 20;
    bool jitter = false;
    auto put = [&](const bits &w) {
        const uint64_t at = b.now() + static_cast<uint64_t>(delay) + (jitter ? b.rnd() % 8 : 0);
        wire.push_back({wire.empty() ? at : std::max(at, wire.back().at + 1), w});
    };

    /* ---- Faults */
    int fault_percent = 0;   /* of the frames */
    bool apart = true;       /* frames next to one that was hit stay whole */
    bool only_state = false; /* only state frames are hit, and vanish */
    bool silent = false;     /* nothing arrives */
    std::set<size_t> hit;    /* events of which something was lost or changed */
    size_t hits[KINDS] = {};
    int clean_frames = 0; /* since the last hit */
    int lost = 0;         /* frames in a row that were hit */
    frame_reader reader(b, P_LINKW), arriving(b, P_LINKW);
    fault kind = NONE;
    size_t at_word = 0, place = 0, event_number = 0, data_frames = 0;
    std::vector<bits> copy;

    /* A header tells what the frame will be: by then its first words are on the wire already, but for links of 32 bits, where
       they wait here. */
    std::vector<bits> waiting;
    auto flip = [&](bits &w, bool is_crc) {
        const int bit = static_cast<int>(b.rnd() % static_cast<uint64_t>(is_crc ? 32 : P_LINKW));
        w.put(bit, 1, static_cast<int64_t>(w.u(bit, 1) ^ 1));
    };
    auto through = [&](bits w, size_t index, size_t words) {
        const bool is_crc = index + 1 == words;
        copy.push_back(w);
        switch (kind) {
        case FLIP:
            if (index == place)
                flip(w, is_crc);
            break;
        case BURST:
            if (index == place) {
                flip(w, is_crc);
                for (int i = 0; i < 3; i++)
                    if (b.rnd() % 2)
                        flip(w, is_crc);
                if (w == copy.back())
                    flip(w, is_crc);
            }
            break;
        case DROP_WORD:
            if (index == place)
                return;
            break;
        case DROP_TAIL:
            if (index >= place)
                return;
            break;
        case DROP_FRAME:
            return;
        case GARBAGE:
            if (index == 0)
                for (int64_t n = b.pick(1, 2 * P_PACKET); n > 0; n--)
                    put(random_bits(b, P_LINKW));
            break;
        case INSERT:
            if (index == place) /* the whole header once more would do no harm */
                put(b.rnd() % 2 || (P_LINKW > 32 && index == 1) ? random_bits(b, P_LINKW) : copy[index - 1]);
            break;
        case REPLACE:
            if (index == place) {
                const bits old = w;
                w = random_bits(b, P_LINKW);
                if (w.u(0, 32) == old.u(0, 32))
                    flip(w, is_crc);
            }
            break;
        case NONE:
        case REPEAT:
        case KINDS:
            break;
        }
        if (!silent)
            put(w);
    };
    auto choose = [&](const frame &f, size_t words) {
        kind = NONE;
        /* Of life signs so many in a row that it is not taken for silence. */
        const bool may = only_state ? f.state && lost + 3 < P_TIMEOUT / P_BEAT : !apart || clean_frames >= 2;
        if (may && static_cast<int>(b.rnd() % 100) < fault_percent)
            kind = only_state ? DROP_FRAME : static_cast<fault>(b.pick(FLIP, KINDS - 1));
        place = b.rnd() % 3 ? b.rnd() % words : b.rnd() % 2 ? words - 1 : b.rnd() % words_of_header;
        if (kind == INSERT && place < words_of_header)
            place = words_of_header; /* the first word of two, repeated, would do no harm */
        clean_frames = kind == NONE ? clean_frames + 1 : 0;
        lost = kind == NONE ? 0 : lost + 1;
        hits[kind]++;
        if ((kind != NONE && kind != REPEAT && kind != GARBAGE) && !f.state)
            hit.insert(event_number);
        copy.clear();
        at_word = 0;
    };
    auto sniff = [&] {
        if (!top.tx_valid)
            return;
        const bits w = b.at("tx_data").get();
        const frame_reader::place where = reader.word(w);
        const frame &f = reader.f;
        const size_t words = words_of_header + static_cast<size_t>(f.length);
        if (where == frame_reader::HEADER) {
            waiting.push_back(w);
            if (waiting.size() < words_of_header)
                return;
            choose(f, words);
            for (const bits &h : waiting)
                through(h, at_word++, words);
            waiting.clear();
        } else {
            through(w, at_word++, words);
        }
        if (silent && !f.state)
            hit.insert(event_number);
        if (!reader.done)
            return;
        data_frames += !f.state;
        if (kind == REPEAT)
            for (const bits &c : copy)
                put(c);
        if (!f.state && f.last)
            event_number++;
    };

    /* ---- The output */
    std::deque<event> due;
    std::set<size_t> late; /* events that must be ended early for the silence in them */
    size_t out_number = 0, at = 0, errors = 0, collateral = 0, faults_seen = 0;
    bool strict = true, held = false;
    beat before;
    enum { READY, SOME, RARE, NEVER } taking = READY;
    uint64_t first_out = 0, last_out = 0;
    auto take = [&] {
        if (top.faults & 7) /* an event that is too long is one, too: of the fourth kind */
            faults_seen++;
        if (!top.m_valid) {
            b.check(!held, "m_valid fell");
            return;
        }
        const beat now = {b.at("m_data").get(), b.at("m_last").get(), b.at("m_refused").get(), b.at("m_error").get()};
        for (size_t i = 0; held && i < (before[1].u() ? 4u : 2u); i++)
            b.check(now[i] == before[i], "the output changed while waiting");
        if (!held && !first_out)
            first_out = b.now();
        held = !top.m_ready;
        before = now;
        if (held)
            return;
        last_out = b.now();
        b.compared();
        if (due.empty()) {
            b.fail("a token that nobody sent");
            return;
        }
        const event &e = due.front();
        const bool last = now[1].u(), error = now[3].u(), refused = now[2].u();
        const bool was_hit = hit.count(out_number) || late.count(out_number), too_long = e.token.size() > P_NMAX;
        const size_t length = too_long ? P_NMAX : e.token.size();
        const bool full = at + 1 == length;
        const bool right = at < length && now[0] == e.token[at];
        if (!last) {
            b.check(right && !full, "a wrong token, or no end");
        } else if (full && right && refused == (e.refused && !too_long) && error == (e.error || too_long)) {
            b.check(!was_hit || error, "an event that was hit came out as if nothing were");
        } else if (!was_hit && strict) {
            b.fail("event %zu, token %zu of %zu: last, error %d, but nothing had hit it", out_number, at, length, error);
        } else {
            b.check(error && !refused && at < length, "an event that was hit is not flagged");
            errors++;
            collateral += !was_hit;
        }
        at++;
        if (last) {
            due.pop_front();
            out_number++;
            at = 0;
        }
    };
    b.each_cycle([&] {
        sniff();
        take();
    });

    bool lookalikes = false;
    int slot_percent = 100, long_pause = 0;
    /* Nothing arrives for `pause_cycles` behind the word at which `pause_here` says so; nothing has befallen the wire then. */
    std::function<bool(frame_reader::place)> pause_here;
    int pause_cycles = 0, pause_left = 0;
    enum { WHOLE, NOISE, BAD_CRC } spoilt = WHOLE; /* all that arrives */
    auto cycle = [&] {
        const bool arrives = !wire.empty() && wire.front().at <= b.now() && pause_left == 0;
        pause_left -= pause_left > 0;
        bits word = arrives ? wire.front().word : random_bits(b, P_LINKW);
        if (arrives)
            wire.pop_front();
        if (arrives && (pause_here || spoilt == BAD_CRC)) {
            const frame_reader::place place = arriving.word(word);
            if (pause_here && pause_here(place)) {
                pause_left = pause_cycles;
                pause_here = nullptr;
                arriving.clear();
            }
            if (spoilt == BAD_CRC && place == frame_reader::CRC)
                flip(word, true);
        }
        if (spoilt == NOISE)
            word = random_bits(b, P_LINKW);
        b.at("rx_valid").set(arrives || spoilt == NOISE);
        b.at("rx_data").set(word);
        b.at("tx_slot").set(static_cast<int>(b.rnd() % 100) < slot_percent);
        if (taking == SOME && long_pause == 0 && b.rnd() % 500 == 0)
            long_pause = 400;
        long_pause -= long_pause > 0;
        const uint64_t r = b.rnd();
        b.at("m_ready").set(taking == READY || (taking == SOME && !long_pause && r % 3 != 0) || (taking == RARE && r % 32 == 0));
        b.cycle();
    };
    auto wait = [&](uint64_t cycles) {
        while (cycles-- > 0 && !b.failed())
            cycle();
    };
    auto settle = [&](const char *phase) {
        for (uint64_t last = b.now(); !due.empty() && !b.failed();) {
            const size_t left = due.size(), in = at;
            cycle();
            if (left != due.size() || in != at)
                last = b.now();
            if (b.now() - last > 30000)
                b.fail("%s: nothing comes out, %zu events are missing", phase, due.size());
        }
        wait(300);
        if (b.failed())
            printf("in phase: %s\n", phase);
    };
    auto send = [&](const event &e, size_t from = 0, size_t to = SIZE_MAX) {
        for (size_t k = from; k < e.token.size() && k < to; k++) {
            const bool last = k + 1 == e.token.size();
            s.send({e.token[k], bits(1, last), bits(1, last ? e.refused : b.rnd() % 2), bits(1, last ? e.error : b.rnd() % 2)});
        }
    };
    auto send_hostile = [&] {
        event e;
        for (int64_t n = b.pick(1, P_NMAX); n > 0; n--)
            e.token.push_back(b.rnd() % 4 ? hostile_token(b, P_TOKW, P_LINKW, reader.f) : random_bits(b, P_TOKW));
        send(e);
        due.push_back(e);
        return static_cast<int>(e.token.size()) * wpt;
    };
    auto send_some = [&](int many) {
        for (int i = 0; i < many; i++) {
            const event e = random_event(b, P_TOKW, P_LINKW, b.rnd() % 8 == 0 ? P_NMAX + 3 : P_NMAX, lookalikes);
            send(e);
            due.push_back(e);
        }
    };
    /* Now and then after each phase: what came before leaves no trace. */
    auto quiet = [&](const char *phase) {
        fault_percent = 0;
        only_state = silent = lookalikes = false;
        strict = true;
        const size_t before_errors = errors;
        wait(2 * P_BEAT);
        settle(phase);
        send_some(10);
        settle(phase);
        b.check(errors == before_errors || b.failed(), "an event after the faults is not right");
    };

    /* ---- Nothing goes wrong, whatever the tokens look like */
    lookalikes = true;
    wait(100 + 2 * P_BEAT);
    const uint64_t hostile_from = b.now();
    int hostile_words = 0, sent_words = 0;
    for (const int most = payload_words ? payload_words : 20000; hostile_words < most && !b.failed();) {
        jitter = b.rnd() % 2;
        slot_percent = b.rnd() % 2 ? 100 : 70;
        for (sent_words = 0; sent_words < 2000;)
            sent_words += send_hostile();
        settle("hostile payload");
        hostile_words += sent_words;
    }
    b.check(errors == 0 && faults_seen == 0, "payload was taken for a header");
    if (payload_words) {
        printf("%d words of hostile payload in %zu events, unchanged, in %llu cycles\n", hostile_words, out_number,
               static_cast<unsigned long long>(b.now() - hostile_from));
        return b.finish();
    }
    for (int i = 0; i < 6 && !b.failed(); i++) {
        taking = i % 3 == 0 ? READY : i % 3 == 1 ? SOME : RARE;
        delay = 1 + static_cast<int>(b.rnd() % 60);
        jitter = i >= 3;
        slot_percent = i % 2 ? 70 : 100;
        send_some(events / 4);
        settle("clean");
    }
    b.check(errors == 0 && faults_seen == 0, "faults, where there were none");
    taking = READY;
    slot_percent = 100;
    jitter = false;
    delay = 50;
    if (!b.stalled() && !b.failed()) {
        first_out = 0;
        event e;
        e.token.push_back(random_bits(b, P_TOKW));
        const size_t accepted = s.accepted_at.size();
        send(e);
        due.push_back(e);
        settle("latency");
        const uint64_t offered = s.accepted_at[accepted] - static_cast<uint64_t>(wpt - 1);
        printf("latency of a lone token: %llu cycles and the wire's %d, %d words\n",
               static_cast<unsigned long long>(first_out - offered) - static_cast<unsigned long long>(delay), delay, wpt);
        /* Whether the buffer is long enough for the round trip. */
        first_out = 0;
        size_t tokens = 0;
        for (int i = 0; i < 10 + 40 * ptok / P_NMAX; i++) {
            event l;
            for (int k = 0; k < P_NMAX; k++)
                l.token.push_back(random_bits(b, P_TOKW));
            tokens += l.token.size();
            send(l);
            due.push_back(l);
        }
        settle("rate");
        const double rate =
            static_cast<double>(tokens * static_cast<size_t>(wpt)) / static_cast<double>(last_out - first_out + static_cast<uint64_t>(wpt));
        printf("rate: %.3f words of tokens a cycle\n", rate);
        if (P_DEPTH >= 2 * (delay + 40) + P_CREDIT + 2 * P_PACKET && P_NMAX >= 4 * ptok)
            b.check(rate > 1 / (1.02 + static_cast<double>(words_of_header + 1) / (ptok * wpt) +
                                static_cast<double>(words_of_header + 2) / std::min(P_CREDIT, P_BEAT)),
                    "the link is slower than its frames");
    }

    /* ---- Single faults of every kind */
    for (int i = 0; i < 6 && !b.failed(); i++) {
        fault_percent = 40;
        apart = true;
        taking = i % 3 == 0 ? READY : i % 3 == 1 ? SOME : RARE;
        slot_percent = i % 2 ? 60 : 100;
        send_some(events);
        settle("single faults");
        quiet("after single faults");
    }
    taking = READY;
    slot_percent = 100;
    for (int k = FLIP; k < KINDS && !b.failed(); k++)
        if (hits[k] < 5)
            b.fail("only %zu faults of kind \"%s\"", hits[k], fault_name[k]);
    b.check(b.failed() || errors > 20, "hardly an event was hit");

    /* ---- State frames vanish: credit comes later, nothing else happens */
    const size_t errors_before = errors;
    fault_percent = 80;
    only_state = true;
    taking = SOME;
    send_some(events / 2);
    settle("lost credit");
    b.check(errors == errors_before, "a lost state frame hit an event");
    quiet("after lost credit");

    /* ---- The output stops for 10,000 cycles */
    send_some(events / 2);
    wait(50);
    taking = NEVER;
    wait(10000);
    taking = READY;
    settle("output stopped");
    b.check(errors == errors_before, "a stop of the output hit an event");

    /* ---- The source stops within an event: as long as state frames say that nothing is missing, it is late and right */
    auto event_of = [&](size_t least) {
        event e = random_event(b, P_TOKW, P_LINKW, P_NMAX, true);
        while (e.token.size() < least)
            e.token.push_back(random_bits(b, P_TOKW));
        e.token.resize(std::min<size_t>(e.token.size(), P_NMAX));
        e.error = false; /* any other way to have it flagged */
        return e;
    };
    for (int i = 0; i < 2 && !b.failed() && P_NMAX > 1; i++) {
        const event e = event_of(2);
        due.push_back(e);
        const size_t half = e.token.size() / 2;
        send(e, 0, half);
        wait(i ? 3 * P_TIMEOUT + 10000 : P_TIMEOUT);
        send(e, half);
        send_some(3);
        settle("source stopped");
    }
    b.check(errors == errors_before, "a stop of the source hit an event");

    /* ---- Nothing comes for exactly as long as is allowed, or a cycle longer: behind a header, within the payload, and between two
       packets of an event */
    enum { BEHIND_HEADER, WITHIN_PAYLOAD, BEHIND_PACKET, PLACES };
    const int pauses[] = {P_TIMEOUT / 2, P_TIMEOUT, P_TIMEOUT + 1, P_TIMEOUT + 2, 3 * P_TIMEOUT};
    for (int of = 0; of < (P_NMAX > 1 ? PLACES : BEHIND_PACKET) && !b.failed(); of++)
        for (const int cycles : pauses) {
            settle("before a pause");
            while (!(wire.empty() && reader.between()))
                cycle();
            const event e = event_of(2);
            const bool too_long = cycles > P_TIMEOUT;
            const int number = static_cast<int>(event_number & 4095);
            int64_t payload = b.pick(1, static_cast<int64_t>(e.token.size()) * wpt);
            bool paused = false;
            pause_cycles = cycles;
            arriving.clear();
            pause_here = [&](frame_reader::place place) {
                const frame &f = arriving.f;
                if (f.state || f.event != number)
                    return false;
                payload -= place == frame_reader::PAYLOAD;
                paused = of == BEHIND_HEADER    ? place == frame_reader::HEADER && arriving.has_header()
                         : of == WITHIN_PAYLOAD ? place == frame_reader::PAYLOAD && payload == 0
                                                : place == frame_reader::CRC && !f.last;
                return paused;
            };
            if (too_long)
                late.insert(out_number);
            const size_t flagged = errors, faulty = faults_seen;
            due.push_back(e);
            send(e, 0, 1); /* a packet of its own */
            for (const size_t sent = data_frames; data_frames == sent && !b.failed();)
                cycle();
            send(e, 1);
            settle("pause");
            pause_here = nullptr;
            wait(2 * P_BEAT);
            b.check(paused || b.failed(), "there was no pause");
            if (!b.failed() && errors != flagged + too_long)
                b.fail("a pause of %d cycles of %d, at place %d: flagged %zu", cycles, P_TIMEOUT, of, errors - flagged);
            b.check(too_long || faults_seen == faulty, "a pause that is allowed is a fault");
            send_some(3);
            settle("behind a pause");
        }

    /* ---- What arrives is noise only, or no frame is whole any more: the event that had begun is ended all the same */
    for (int i = 0; i < 4 && !b.failed() && P_NMAX > 1; i++) {
        settle("before noise");
        const event e = event_of(2);
        const size_t flagged = errors;
        late.insert(out_number);
        due.push_back(e);
        send(e, 0, 1);
        wait(static_cast<uint64_t>(delay + 2 * wpt + 100));
        while (!(wire.empty() && reader.between()))
            cycle();
        spoilt = i % 2 ? NOISE : BAD_CRC;
        arriving.clear();
        wait(P_TIMEOUT + 4 * P_BEAT + 2000);
        b.check(due.empty() && errors == flagged + 1, "an event that does not end is not ended");
        spoilt = WHOLE;
        send(e, 1);
        wait(1000);
        quiet("after noise");
    }

    /* ---- Nothing arrives for 10,000 cycles, several times */
    for (int i = 0; i < 4 && !b.failed(); i++) {
        send_some(events / 4);
        wait(b.rnd() % 300);
        strict = false;
        silent = true;
        wait(i % 2 ? 10000 : 300);
        silent = false;
        settle("silence");
        quiet("after silence");
    }

    /* ---- The last event is lost as a whole: it is known without another */
    for (int i = 0; i < 3 && !b.failed(); i++) {
        event e = random_event(b, P_TOKW, P_LINKW, std::min(P_NMAX, 3), false);
        silent = true;
        send(e);
        due.push_back(e);
        wait(static_cast<uint64_t>(40 + 8 * wpt));
        silent = false;
        for (int k = 0; k < 2 * P_BEAT + 500 && !due.empty() && !b.failed(); k++)
            cycle();
        b.check(due.empty(), "a lost event is not reported");
    }

    /* ---- Faults on top of each other */
    if (!b.failed()) {
        strict = apart = false;
        lookalikes = true;
        fault_percent = 30;
        taking = SOME;
        jitter = true;
        send_some(2 * events);
        settle("storm");
        taking = READY;
        quiet("after the storm");
    }
    printf("%zu events, %zu flagged, %zu of them not hit themselves, %zu cycles with faults; ", out_number, errors, collateral,
           faults_seen);
    for (int k = FLIP; k < KINDS; k++)
        printf("%s %zu%s", fault_name[k], hits[k], k + 1 < KINDS ? ", " : "\n");
    return b.finish();
}
