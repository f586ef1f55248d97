/* ts_norm against ts_norm_token(): every page, extreme tokens, gains and biases, pages rewritten over the configuration bus;
   without stalls, the latency and the rate of the module's formula. */
#include "Vtop.h"
#include "bench.h"
extern "C" {
#include "num/fixed.h"
}

namespace
{

constexpr int beats = (P_D + P_NP - 1) / P_NP;
constexpr int entry = P_BIASW + 18;
constexpr int count = P_D > 64 ? 100 : 300;

struct page {
    uint64_t eps;
    std::vector<int32_t> gain;
    std::vector<int64_t> bias;
};

page make_page(bench &b, int kind)
{
    page p;
    p.eps = kind == 0   ? 1
            : kind == 1 ? (static_cast<uint64_t>(1) << P_EPSW) - 1
                        : static_cast<uint64_t>(b.pick(1, 1 << std::min(20, P_EPSW - 1)));
    for (int c = 0; c < P_D; c++) {
        /* Gains near those that fill the output's range, and the extremes of both. */
        p.gain.push_back(static_cast<int32_t>(b.rnd() % 2 ? b.value(18, true) : b.pick(-(1 << 12), 1 << 12)));
        p.bias.push_back(b.rnd() % 2 ? b.value(P_BIASW, true) : b.pick(-(1 << std::min(24, P_BIASW - 2)), 1 << std::min(24, P_BIASW - 2)));
    }
    return p;
}

std::vector<bits> gain_words(const page &p)
{
    std::vector<bits> words;
    for (int r = 0; r < beats; r++) {
        bits w(P_NP * entry);
        for (int i = 0; i < P_NP && r * P_NP + i < P_D; i++) {
            w.put(i * entry, 18, p.gain[static_cast<size_t>(r * P_NP + i)]);
            w.put(i * entry + 18, P_BIASW, p.bias[static_cast<size_t>(r * P_NP + i)]);
        }
        words.push_back(w);
    }
    return words;
}

void configure(bench &b, int memory, int addr, const bits &word)
{
    for (int slice = 0; slice * 72 < word.width(); slice++) {
        bits part(72);
        for (int at = 0; at < 72 && slice * 72 + at < word.width(); at++)
            part.put(at, 1, static_cast<int64_t>(word.u(slice * 72 + at, 1)));
        b.at("cfg_we").set(1);
        b.at("cfg_mem").set(static_cast<uint64_t>(memory));
        b.at("cfg_slice").set(static_cast<uint64_t>(slice));
        b.at("cfg_addr").set(static_cast<uint64_t>(addr));
        b.at("cfg_data").set(part);
        b.cycle();
    }
    b.at("cfg_we").set(0);
}

std::vector<int64_t> make_token(bench &b, int i)
{
    const int64_t hi = ts_fmt_max(P_W, true);
    std::vector<int64_t> x;
    const int kind = i < 10 ? i : static_cast<int>(b.pick(0, 12));
    const int64_t some = b.value(P_W, true), spread = hi >> b.pick(0, P_W - 2);
    for (int c = 0; c < P_D; c++)
        switch (kind) {
        case 0:
            x.push_back(0);
            break;
        case 1:
            x.push_back(hi);
            break;
        case 2:
            x.push_back(-hi);
            break;
        case 3:
            x.push_back(c % 2 ? hi : -hi);
            break;
        case 4:
            x.push_back(c == 0 ? hi : -hi);
            break;
        case 5:
            x.push_back(c == P_D - 1 ? -hi : hi);
            break;
        case 6:
            x.push_back(some);
            break;
        case 7:
            x.push_back(c < P_D / 2 ? hi : -hi);
            break;
        case 8:
            x.push_back(c % 3 == 0);
            break;
        case 9:
            x.push_back(b.value(P_W, true));
            break;
        default:
            x.push_back(b.pick(-spread, spread));
            break;
        }
    return x;
}

} // namespace

int main(int argc, char **argv)
{
    bench b(argc, argv);
    std::vector<page> pages;
    std::vector<bits> gains, eps;
    for (int p = 0; p < P_PAGES; p++) {
        pages.push_back(make_page(b, p));
        for (const bits &w : gain_words(pages.back()))
            gains.push_back(w);
        eps.push_back(bits(P_EPSW, pages.back().eps));
    }
    write_image("g_", gains, P_NP * entry);
    write_image("e_", eps, P_EPSW);

    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("cfg_we", top.cfg_we, 1);
    b.in("cfg_mem", top.cfg_mem, 8);
    b.in("cfg_slice", top.cfg_slice, 10);
    b.in("cfg_addr", top.cfg_addr, 16);
    b.in("cfg_data", top.cfg_data, 72);
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_D * P_W);
    b.in("s_tag", top.s_tag, P_TAGW);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, P_D * P_YW);
    b.out("m_tag", top.m_tag, P_TAGW);
    b.at("cfg_we").set(0);
    source &s = b.add_source("s", {"s_data", "s_tag"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});

    auto send = [&](int tokens) {
        for (int i = 0; i < tokens; i++) {
            const std::vector<int64_t> wide = make_token(b, i);
            const std::vector<int32_t> x(wide.begin(), wide.end());
            const uint64_t tag = b.rnd() & ((1u << P_TAGW) - 1);
            /* A single page serves all layers. */
            const uint64_t layer = P_PAGES > 1 ? b.rnd() % P_PAGES : tag & ((1u << P_LW) - 1);
            const page &p = pages[P_PAGES > 1 ? layer : 0];
            const ts_norm_num num = {P_D, P_TSHIFT, P_YSHIFT, P_YW, p.eps, p.gain.data(), p.bias.data()};
            std::vector<int32_t> y(P_D);
            ts_norm_token(&num, x.data(), y.data());
            const bits t(P_TAGW, (tag >> P_LW << P_LW) | layer);
            s.send({pack(wide, P_W), t});
            m.expect({pack(std::vector<int64_t>(y.begin(), y.end()), P_YW), t});
        }
    };
    send(count);
    b.run();
    if (!b.stalled() && !b.failed()) {
        int tree = 0;
        while (1 << (tree * P_REG) < P_NP)
            tree++;
        const uint64_t latency =
            static_cast<uint64_t>(3 * beats + 2 * tree + 18 + (18 + P_DIGITS - 1) / P_DIGITS + (16 + P_DIGITS - 1) / P_DIGITS);
        const uint64_t took = m.valid_at[0] - s.accepted_at[0], span = m.taken_at.back() - m.taken_at[0];
        if (took != latency)
            b.fail("latency %llu, not %llu", static_cast<unsigned long long>(took), static_cast<unsigned long long>(latency));
        if (span != static_cast<uint64_t>((count - 1) * beats))
            b.fail("%d tokens in %llu cycles, %d beats each", count, static_cast<unsigned long long>(span), beats);
    }

    /* Another page in place of the last one. */
    const int p = P_PAGES - 1;
    pages[static_cast<size_t>(p)] = make_page(b, 2);
    const std::vector<bits> words = gain_words(pages[static_cast<size_t>(p)]);
    for (int r = 0; r < beats; r++)
        configure(b, P_CFG_G, p * beats + r, words[static_cast<size_t>(r)]);
    configure(b, P_CFG_E, p, bits(P_EPSW, pages[static_cast<size_t>(p)].eps));
    send(count / 2);
    b.run();
    return b.finish();
}
