#include "Vtop.h"
#include "flips.h"

extern "C" {
#include "num/fixed.h"
}

#ifndef P_PARITY
#define P_PARITY 0
#endif

enum { STEPS = (P_D + P_NR - 1) / P_NR, QE = 18 + 3 + (P_VARBITS ? 5 : 0) + P_BIASW, TAGW = P_LW + 2, ID = 9, BITS = P_NR * QE + P_PARITY };

struct channel {
    int32_t m;
    int64_t b;
    int e, width;
};

// One page a layer; words as the header of ts_rqvec says.
static std::vector<bits> random_pages(bench &b, std::vector<std::vector<channel>> &pages)
{
    std::vector<bits> word;
    pages.clear();
    for (int p = 0; p < P_PAGES; p++) {
        std::vector<channel> page;
        for (int r = 0; r < STEPS; r++) {
            bits entry(P_NR * QE);
            for (int i = 0; i < P_NR && r * P_NR + i < P_D; i++) {
                const channel c = {static_cast<int32_t>(b.value(18, true)), P_BIASW ? b.value(P_BIASW ? P_BIASW : 1, true) : 0,
                                   static_cast<int>(b.pick(0, 7)), P_VARBITS ? static_cast<int>(b.pick(2, P_YW)) : P_YW};
                entry.put(i * QE, 18, c.m);
                entry.put(i * QE + 18, 3, c.e);
                if (P_VARBITS)
                    entry.put(i * QE + 21, 5, c.width);
                entry.put((i + 1) * QE - P_BIASW, P_BIASW, c.b);
                page.push_back(c);
            }
            word.push_back(entry);
        }
        pages.push_back(page);
    }
    return P_PARITY ? with_parity(word) : word;
}

int main(int argc, char **argv)
{
    bench b(argc, argv);
    std::vector<std::vector<channel>> pages;
    write_image("q", random_pages(b, pages), BITS);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_D * P_XW);
    b.in("s_tag", top.s_tag, TAGW);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_D * P_YW);
    b.out("m_tag", top.m_tag, TAGW);
    b.in("cfg_we", top.cfg_we, 1);
    b.in("cfg_mem", top.cfg_mem, 8);
    b.in("cfg_slice", top.cfg_slice, 10);
    b.in("cfg_addr", top.cfg_addr, 16);
    b.in("cfg_data", top.cfg_data, 72);
    source &s = b.add_source("s", {"s_data", "s_tag"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});
    const auto send = [&](int tokens) {
        for (int t = 0; t < tokens; t++) {
            const int page = static_cast<int>(b.pick(0, P_PAGES - 1));
            const bits tag(TAGW, static_cast<uint64_t>(page) | b.rnd() % 4 << P_LW);
            std::vector<int64_t> x, y;
            for (size_t c = 0; c < P_D; c++) {
                const channel &ch = pages[static_cast<size_t>(page)][c];
                x.push_back(b.value(P_XW, true, true));
                y.push_back(ts_requant(x.back(), 0, ch.m, ch.b, P_S2 + ch.e, ch.width, true));
            }
            s.send({pack(x, P_XW), tag});
            m.expect({pack(y, P_YW), tag});
        }
    };
    const int tokens = 100 + 4000 / STEPS;
    send(tokens);
    b.run();
    if (!b.stalled() && !b.failed()) {
        b.check(m.valid_at[0] == s.accepted_at[0] - (STEPS - 1) + STEPS + 9 + (STEPS > 1), "latency is not as documented");
        b.check(s.accepted_at.back() == s.accepted_at[0] + static_cast<uint64_t>((tokens - 1) * STEPS), "a bubble at full rate");
    }
    // The same hardware with other numbers, written at run time.
    const std::vector<bits> word = random_pages(b, pages);
    const auto write = [&](const std::vector<bits> &words) {
        b.at("cfg_we").set(1);
        b.at("cfg_mem").set(ID);
        for (size_t addr = 0; addr < words.size(); addr++)
            for (int slice = 0; slice * 72 < BITS; slice++) {
                bits data(72);
                for (int at = 0; at < 72 && slice * 72 + at < BITS; at++)
                    data.put(at, 1, static_cast<int64_t>(words[addr].u(slice * 72 + at, 1)));
                b.at("cfg_slice").set(static_cast<uint64_t>(slice));
                b.at("cfg_addr").set(addr);
                b.at("cfg_data").set(data);
                b.cycle();
            }
        b.at("cfg_we").set(uint64_t{0});
    };
    write(word);
    send(30);
    b.run();
    if (P_PARITY) {
        flips f(b, top.fault, m, [&](size_t page) { s.send({bits(P_D * P_XW, b.rnd()), bits(TAGW, page)}); });
        for (int round = 0; round < 20 && !b.failed(); round++)
            f.one({1, word, P_PAGES, false, false, write}, P_PAGES, STEPS + 200);
    }
    return b.finish();
}
