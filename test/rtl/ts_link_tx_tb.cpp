/* ts_link_tx: the frames are those of docs/links.md, carry every event unchanged and never go beyond the credit; nothing is sent
   before the peer has taken over the numbering; credit and life signs go out in time. */
#include "Vtop.h"
#include "ts_link_frame.h"

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
    b.in("tell", top.tell, 18);
    b.in("heard_valid", top.heard_valid, 1);
    b.in("heard", top.heard, 18);
    b.in("link_slot", top.link_slot, 1);
    b.out("link_valid", top.link_valid, 1);
    b.out("link_data", top.link_data, P_LINKW, "link_valid");
    source &s = b.add_source("s", {"s_data", "s_last", "s_refused", "s_error"});
    const bool calm = !b.stalled();
    const int wpt = (P_TOKW + P_LINKW - 2) / (P_LINKW - 1), ptok = std::max(1, P_PACKET / wpt), room = 3 * P_PACKET + 2 * wpt + 100;
    const int words_of_header = P_LINKW == 32 ? 2 : 1;

    frame_reader reader(b, P_LINKW);
    std::deque<event> due; /* sent, not seen on the link yet */
    size_t at = 0;         /* tokens of the first of them that were seen */
    uint64_t busy_from = 0, busy_to = 0, payload_words = 0;
    int number = 0, position = 0, limit = 0;
    int freed = 0; /* by the model of the peer */
    bool opened = false;
    std::deque<std::pair<uint64_t, credit>> answers;
    credit tell; /* of this side's receiver */
    std::deque<int> told;
    uint64_t last_state = 0;
    int frames = 0, full = 0, states = 0;
    std::deque<int> slots; /* link_slot of the cycles before */

    auto look = [&] {
        slots.push_back(top.link_slot);
        if (slots.size() > 5)
            slots.pop_front();
        if (!top.link_valid)
            return;
        b.check(slots.size() == 5 && slots.front(), "a word without a slot");
        const frame_reader::place place = reader.word(b.at("link_data").get());
        if (b.failed())
            return;
        const frame &f = reader.f;
        if (place == frame_reader::HEADER || !reader.done)
            return;
        /* A state frame that was on its way when the peer answered may still say fresh. */
        b.check(f.state ? f.fresh || opened : opened && !f.fresh, "data before the peer has taken over, or a wrong fresh");
        b.check(f.position == (position & 65535) && f.event == (number & 4095) && f.first == (at == 0), "position or event");
        if (f.state) {
            states++;
            last_state = b.now();
            const credit c = credit::of(f.payload[0]);
            bool known = false;
            for (int t : told)
                known = known || t == c.limit;
            b.check(known && c.known == tell.known && c.taken == tell.taken, "credit that was not told");
            if (f.fresh)
                answers.push_back({b.now() + 20, credit{true, true, room}});
            return;
        }
        frames++;
        position += f.buffer_words();
        b.check(static_cast<int16_t>(limit - position) >= 0, "beyond the limit");
        const int tokens = (f.length - 1) / wpt;
        b.check(tokens * wpt == f.length - 1 && tokens >= 1 && tokens <= ptok, "tokens of a packet");
        full += tokens == ptok;
        for (int i = 0; i < tokens && !b.failed(); i++) {
            if (due.empty() || at >= due.front().token.size()) {
                b.fail("more tokens than the event has");
                return;
            }
            b.check(token_of(f.payload, static_cast<size_t>(i * wpt), P_TOKW) == due.front().token[at++], "a token's bits");
        }
        payload_words += f.payload.size();
        if (!busy_from)
            busy_from = b.now() - static_cast<uint64_t>(f.length + words_of_header - 1);
        busy_to = b.now();
        const bool last = at == due.front().token.size();
        b.check(f.last == last && f.refused == (last && due.front().refused) && f.error == (last && due.front().error), "flags");
        if (last) {
            due.pop_front();
            at = 0;
            number++;
        }
    };
    b.each_cycle(look);

    /* What the peer frees, and what this side's receiver tells, in time. */
    auto drive = [&] {
        const bool slow = !calm && (b.now() / 3000) % 2 == 1;
        if (opened && freed < position && (!slow || b.rnd() % 16 == 0))
            freed = calm ? position : std::min<int>(position, freed + static_cast<int>(b.rnd() % 4));
        if (opened && answers.empty() && ((limit != freed + room && b.rnd() % (calm ? 2 : 40) == 0)))
            answers.push_back({b.now() + (calm ? 1 : b.rnd() % 30), credit{false, true, freed + room}});
        if (opened && b.rnd() % 500 == 0 && answers.empty())
            answers.push_back({b.now(), credit{false, false, static_cast<int>(b.rnd() % 65536)}}); /* not known: means nothing */
        const bool say = !answers.empty() && b.now() >= answers.front().first;
        b.at("heard_valid").set(say);
        b.at("heard").set(say ? answers.front().second.word(18) : random_bits(b, 18));
        if (say) {
            const credit c = answers.front().second;
            answers.pop_front();
            if (c.taken)
                opened = true;
            if (c.known)
                limit = c.limit;
        }
        if (!calm && b.rnd() % 3 == 0)
            tell.limit = (tell.limit + static_cast<int>(b.rnd() % 5)) & 65535;
        told.push_back(tell.limit);
        if (told.size() > 400)
            told.pop_front();
        b.at("tell").set(tell.word(18));
        b.at("link_slot").set(calm || (b.now() / 1000) % 3 == 0 || b.rnd() % 4 != 0);
        b.check(b.now() < last_state + P_BEAT + 2000, "no sign of life");
        return true;
    };
    auto send = [&](int events, int longest) {
        for (int i = 0; i < events; i++) {
            const event e = random_event(b, P_TOKW, P_LINKW, longest, true);
            for (size_t k = 0; k < e.token.size(); k++) {
                const bool last = k + 1 == e.token.size();
                s.send({e.token[k], bits(1, last), bits(1, last ? e.refused : b.rnd() % 2), bits(1, last ? e.error : b.rnd() % 2)});
            }
            due.push_back(e);
        }
    };
    tell.known = true;

    auto run = [&] {
        uint64_t quiet = 0;
        b.run(0, 20000, [&] {
            drive();
            quiet = due.empty() ? quiet + 1 : 0;
            return quiet < 50;
        });
    };
    send(400, 3 * ptok);
    run();
    if (calm && !b.failed()) {
        /* Long events back to back: the link's cycles against the words of the tokens. */
        busy_from = payload_words = 0;
        for (int i = 0; i < 20; i++) {
            event e;
            for (int k = 0; k < 8 * ptok; k++) {
                e.token.push_back(random_bits(b, P_TOKW));
                s.send({e.token.back(), bits(1, k + 1 == 8 * ptok), bits(1), bits(1)});
            }
            due.push_back(e);
        }
        run();
        const double overhead = static_cast<double>(busy_to - busy_from + 1) / static_cast<double>(payload_words) - 1;
        printf("overhead of a busy link: %.2f %%\n", 100 * overhead);
        const double frames_cost = static_cast<double>(words_of_header + 1) / (ptok * wpt);
        const double states_cost = static_cast<double>(words_of_header + 2) / (P_BEAT - 20);
        const double allowed = (1 + frames_cost) * (1 + states_cost) - 0.996;
        b.check(overhead <= allowed, "cycles beside header, CRC and state frames");
        /* A lone token. */
        event e;
        e.token.push_back(random_bits(b, P_TOKW));
        due.push_back(e);
        for (int i = 0; i < 100; i++) {
            drive();
            b.cycle();
        }
        last_state = b.now();
        const size_t accepted = s.accepted_at.size();
        s.send({e.token[0], bits(1, 1), bits(1), bits(1)});
        run();
        const uint64_t offered = s.accepted_at[accepted] - static_cast<uint64_t>(wpt - 1);
        printf("latency of a lone token: %llu to the CRC, %d words\n", static_cast<unsigned long long>(busy_to - offered), wpt);
    }
    b.check(b.failed() || full > 0, "no full packet");
    /* Reset in the middle of a packet: numbering begins anew, and the peer has to say that it follows. */
    if (!b.failed()) {
        send(20, 3 * ptok);
        for (int i = 0; i < 500; i++) {
            drive();
            b.cycle();
        }
        run();
        top.rst = 1;
        for (int i = 0; i < 4; i++)
            b.cycle();
        top.rst = 0;
        reader.clear();
        answers.clear();
        due.clear();
        slots.clear();
        position = number = freed = limit = 0;
        at = 0;
        opened = false;
        for (int i = 0; i < 300; i++) {
            drive();
            b.cycle();
        }
        send(100, 3 * ptok);
        run();
    }
    return b.finish();
}
