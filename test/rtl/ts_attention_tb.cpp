/* Events in the order of a ring: a token of the next layer enters when a context has left, the next event after ev_final, now and
   then an event that is dropped. Every context is compared with ts_attend(). Without stalls the cycles are those that the
   module's header states. */
#include <algorithm>
#include <deque>
#include <vector>

#include "Vtop.h"
#include "flips.h"
extern "C" {
#include "num/fixed.h"
}

/* Defaults of the module, where the case does not set them. */
#ifndef P_PARITY
#define P_PARITY 0
#endif
#ifndef P_QW
#define P_QW 12
#endif
#ifndef P_KW
#define P_KW 12
#endif
#ifndef P_VW
#define P_VW 12
#endif
#ifndef P_PW
#define P_PW 12
#endif
#ifndef P_CW
#define P_CW 12
#endif
#ifndef P_SW
#define P_SW 12
#endif
#ifndef P_FW
#define P_FW 6
#endif
#ifndef P_SSHIFT
#define P_SSHIFT 8
#endif
#ifndef P_C2
#define P_C2 29
#endif
#ifndef P_LW
#define P_LW 1
#endif
#ifndef P_REG
#define P_REG 2
#endif
#ifndef P_FAN
#define P_FAN 1
#endif
#ifndef P_QBEATS
#define P_QBEATS 1
#endif

static const int inner = P_H * P_DH, container = std::max({P_QW, P_KW, P_VW}), tag_bits = P_LW + 2;

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static int tree_cycles(int n)
{
    int levels = 0;
    while (1 << levels < n)
        levels++;
    return ceil_div(levels, P_REG);
}

/* Of a layer. */
struct constants {
    std::vector<int> score_e;
    int ctx_e, cbits;
    bits word() const
    {
        bits w(2 * P_H + 7);
        for (int h = 0; h < P_H; h++)
            w.put(2 * h, 2, score_e[static_cast<size_t>(h)]);
        w.put(2 * P_H, 2, ctx_e);
        w.put(2 * P_H + 2, 5, cbits);
        return w;
    }
};

/* q, k, v of an event in one layer: [n][inner]. */
struct tokens {
    int n, layer;
    std::vector<int32_t> q, k, v;
};

struct event {
    int n;
    bool dropped;
};

/* The cycles of ts_attention's header, of an event-layer that has the engine for itself and is never kept waiting: from its last
   token in to its first and last context out. */
struct timing {
    int first, last, early; /* early: by how much the last may come before `last` */
    explicit timing(int n)
    {
        const int groups = ceil_div(P_H, P_PH), chunks = ceil_div(P_DH, P_PD), blocks = ceil_div(n, P_PQ);
        const int row = P_PH * ceil_div(P_DH, P_NF), places = std::max(4 * P_PQ, 32);
        const int lg_key = tree_cycles(P_PKEY), recip = 1 + ceil_div(16, P_REG);
        const int c = ceil_div(n, P_PKEY) * chunks, item = std::max(c, P_PQ * row + chunks - 1);
        const int p = 9 + P_FAN + tree_cycles(P_PD) + (chunks > 1) + std::max(0, lg_key - 1);
        const int load = P_QBEATS > 1 ? P_QBEATS + 1 : 1; /* cycles of a query */
        const int tail = c + 20 + lg_key + recip + row;
        const int begin = std::max(c, std::min(n, P_PQ) * row + chunks - 1); /* an item of the first block */
        const int gap = (groups - 1) / 2 * std::max(2 * begin, c + p) + (groups - 1) % 2 * begin;
        early = c < p ? 1 + (c + p) / 2 : 0; /* such short items follow each other in pairs */
        const double held = static_cast<double>(gap + tail + (P_PQ - 1) * row + 2) / (places / P_PQ);
        const double block = std::max({groups * std::max<double>(item, (c + p) / 2.0), P_PQ * load + 1.0, held});
        first =
            std::max(groups * chunks + 2, P_QBEATS > 1 ? P_QBEATS + 4 : 4) + 1 + (std::min(n, P_PQ) - 1) * load + c + p - 1 + gap + tail;
        last = first + static_cast<int>((blocks - 1) * block) + (n - (blocks - 1) * P_PQ - 1) * row;
    }
};

int main(int argc, char **argv)
{
    bench b(argc, argv);
    std::vector<constants> layer_constants;
    std::vector<bits> image;
    for (int l = 0; l < P_LAYERS; l++) {
        constants c;
        for (int h = 0; h < P_H; h++)
            c.score_e.push_back(static_cast<int>(b.pick(0, 3)));
        c.ctx_e = static_cast<int>(b.pick(0, 3));
        c.cbits = static_cast<int>(b.pick(std::max(2, P_CW - 4), P_CW));
        layer_constants.push_back(c);
        image.push_back(l == 0 ? bits(2 * P_H + 7) : c.word()); /* layer 0's comes over the configuration bus */
    }
    write_image(P_INIT_A, P_PARITY ? with_parity(image) : image, 2 * P_H + 7 + P_PARITY);
    std::vector<uint32_t> exp2(1u << P_FW);
    ts_exp2_table(P_FW, P_PW, exp2.data());
    image.clear();
    for (uint32_t entry : exp2)
        image.push_back(bits(P_PW, entry));
    write_image(P_INIT_X, image, P_PW);

    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, 3 * inner * container);
    b.in("s_tag", top.s_tag, tag_bits);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, inner * P_CW);
    b.out("m_tag", top.m_tag, tag_bits);
    b.out("ev_final", top.ev_final, 1);
    b.in("cfg_we", top.cfg_we, 1);
    b.in("cfg_mem", top.cfg_mem, 8);
    b.in("cfg_slice", top.cfg_slice, 10);
    b.in("cfg_addr", top.cfg_addr, 16);
    b.in("cfg_data", top.cfg_data, 72);
    source &s = b.add_source("s", {"s_data", "s_tag"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});

    const auto write = [&](size_t address, const bits &value) {
        b.at("cfg_mem").set(P_CFG_A);
        b.at("cfg_slice").set(uint64_t{0});
        b.at("cfg_addr").set(address);
        b.at("cfg_data").set(bits(72, value.u()));
        b.at("cfg_we").set(1);
        b.cycle();
        b.at("cfg_we").set(0);
    };
    std::vector<bits> words;
    for (const constants &c : layer_constants)
        words.push_back(P_PARITY ? with_parity(c.word()) : c.word());
    write(0, words[0]);

    std::vector<event> events;
    for (int n : {P_NMAX, 1, P_PQ - 1, P_PQ, P_PQ + 1, P_PKEY, P_PKEY + 1, 7, 13, 2})
        if (n >= 1 && n <= P_NMAX)
            events.push_back({n, false});
    for (int i = 0; i < 6; i++) {
        events.push_back({static_cast<int>(b.pick(0, P_NMAX)), true}); /* dropped after so many tokens */
        events.push_back({static_cast<int>(b.pick(1, P_NMAX)), false});
    }
    for (size_t i = 1; i < events.size(); i++)
        std::swap(events[i], events[static_cast<size_t>(b.pick(1, static_cast<int64_t>(i)))]);

    const ts_attn_num num = {P_DH, P_SW, P_FW, P_PW, P_VW, P_CW, exp2.data()};
    std::deque<tokens> inside; /* event-layers that have entered, oldest first */
    size_t next_event = 0, complete = 0, finals = 0;
    int taken = 0, fed = 0; /* of inside[0]; of its next layer */

    auto make = [&](int n, int layer) {
        tokens t{n, layer, {}, {}, {}};
        const int amplitude = static_cast<int>(b.pick(P_QW - 5, P_QW)); /* flat and sharp distributions */
        for (int i = 0; i < n * inner; i++) {
            t.q.push_back(static_cast<int32_t>(b.value(amplitude, true)));
            t.k.push_back(static_cast<int32_t>(b.value(P_KW, true)));
            t.v.push_back(static_cast<int32_t>(b.value(P_VW, true)));
        }
        return t;
    };
    auto send = [&](const tokens &t, int i, bool last, bool drop) {
        bits data(3 * inner * container), tag(tag_bits);
        for (int c = 0; c < inner; c++) {
            const size_t at = static_cast<size_t>(i * inner + c);
            data.put(c * container, container, t.q[at]);
            data.put((inner + c) * container, container, t.k[at]);
            data.put((2 * inner + c) * container, container, t.v[at]);
        }
        tag.put(0, P_LW, t.layer);
        tag.put(P_LW, 1, last);
        tag.put(P_LW + 1, 1, drop);
        s.send({data, tag});
    };
    auto admit = [&] {
        while (next_event < events.size()) {
            const event e = events[next_event++];
            const tokens t = make(e.n + e.dropped, 0);
            for (int i = 0; i < t.n; i++)
                send(t, i, i == t.n - 1, e.dropped && i == t.n - 1);
            if (!e.dropped) {
                inside.push_back(t);
                complete++;
                break;
            }
        }
    };

    m.check([&](const beat &now) {
        const tokens &t = inside.front();
        const constants &c = layer_constants[static_cast<size_t>(t.layer)];
        bool right = !inside.empty();
        ts_attn_num layer_num = num;
        layer_num.ctx_bits = c.cbits;
        for (int h = 0; right && h < P_H; h++) {
            int32_t ctx[P_DH];
            ts_attend(&layer_num, P_SSHIFT + c.score_e[static_cast<size_t>(h)], P_C2 + c.ctx_e, t.n,
                      &t.q[static_cast<size_t>(taken * inner + h * P_DH)], &t.k[static_cast<size_t>(h * P_DH)],
                      &t.v[static_cast<size_t>(h * P_DH)], inner, ctx);
            for (int i = 0; i < P_DH; i++)
                if (now[0].s((h * P_DH + i) * P_CW, P_CW) != ctx[i]) {
                    b.fail("n %d layer %d token %d head %d channel %d is %lld, expected %d", t.n, t.layer, taken, h, i,
                           static_cast<long long>(now[0].s((h * P_DH + i) * P_CW, P_CW)), ctx[i]);
                    right = false;
                }
        }
        right = right && now[1].u() == static_cast<uint64_t>(t.layer | (taken == t.n - 1) << P_LW);
        if (t.layer + 1 < P_LAYERS) {
            if (fed == 0)
                inside.push_back(make(t.n, t.layer + 1));
            send(inside.back(), fed, fed == t.n - 1, false);
            fed = fed + 1 == t.n ? 0 : fed + 1;
        }
        if (++taken == t.n) {
            taken = 0;
            inside.pop_front();
        }
        return right;
    });
    b.each_cycle([&] {
        if (top.ev_final) {
            finals++;
            admit();
        }
    });
    admit();
    b.run(200, 20000, [&] { return !inside.empty(); });
    b.check(finals == complete, "ev_final must pulse once an event");
    b.check(next_event == events.size(), "events were not admitted");

    /* Cycle counts: events one at a time, so that every event-layer is alone in the engine. */
    if (!b.stalled())
        for (int n : {1, P_PQ, P_NMAX / 2 + 1, P_NMAX - 1, P_NMAX}) {
            if (n < 1 || n > P_NMAX)
                continue;
            const size_t in = s.accepted_at.size(), out = m.taken_at.size();
            events.push_back({n, false});
            admit();
            b.run(0, 20000, [&] { return !inside.empty(); });
            const timing want(n);
            for (int l = 0; l < P_LAYERS && !b.failed(); l++) {
                const size_t begin = static_cast<size_t>(l * n), end = begin + static_cast<size_t>(n) - 1;
                const int first = static_cast<int>(m.valid_at[out + begin] - s.accepted_at[in + end]);
                const int last = static_cast<int>(m.valid_at[out + end] - s.accepted_at[in + end]);
                if (first != want.first || last < want.last - want.early || last > want.last + (want.early ? 1 : 0))
                    b.fail("n %d: contexts %d ... %d cycles after the last token, expected %d ... %d", n, first, last, want.first,
                           want.last);
            }
        }
    if (P_PARITY) {
        flips f(b, top.fault, m, [&](size_t layer) { send(make(1, static_cast<int>(layer)), 0, true, false); });
        const auto write_all = [&](const std::vector<bits> &all) {
            for (size_t l = 0; l < all.size(); l++)
                write(l, all[l]);
        };
        for (int round = 0; round < 20 && !b.failed(); round++)
            f.one({1, words, P_LAYERS, false, false, write_all}, P_LAYERS, 300);
    }
    return b.finish();
}
