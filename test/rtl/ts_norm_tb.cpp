/* ts_norm against ts_norm_token(): every page, extreme tokens, gains and biases, pages rewritten over the configuration bus;
   without stalls, the latency and the rate of the module's formula. */
#include "Vtop.h"
#include "norm.h"

namespace
{

constexpr norm_shape shape = {P_D, P_NP, P_W, P_BIASW, P_EPSW};
const int beats = shape.beats();
constexpr int count = P_D > 64 ? 100 : 300;

} // namespace

int main(int argc, char **argv)
{
    bench b(argc, argv);
    std::vector<norm_page> pages;
    std::vector<bits> gains, eps;
    for (int p = 0; p < P_PAGES; p++) {
        pages.push_back(make_page(b, shape, p));
        for (const bits &w : gain_words(shape, pages.back()))
            gains.push_back(w);
        eps.push_back(eps_word(shape, pages.back()));
    }
    write_image("g_", gains, shape.word());
    write_image("e_", eps, P_EPSW + P_PARITY);

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
            const std::vector<int64_t> wide = make_token(b, shape, i);
            const std::vector<int32_t> x(wide.begin(), wide.end());
            const uint64_t tag = b.rnd() & ((1u << P_TAGW) - 1);
            /* A single page serves all layers. */
            const uint64_t layer = P_PAGES > 1 ? b.rnd() % P_PAGES : tag & ((1u << P_LW) - 1);
            const norm_page &p = pages[P_PAGES > 1 ? layer : 0];
            const ts_norm_num num = {P_D, P_MEAN != 0, P_TSHIFT, P_YSHIFT, P_YW, p.eps, p.gain.data(), p.bias.data()};
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
        const int first = P_MEAN ? beats + tree : 0; /* pass 1 */
        const uint64_t latency =
            static_cast<uint64_t>(first + 2 * beats + tree + 18 + (18 + P_DIGITS - 1) / P_DIGITS + (16 + P_DIGITS - 1) / P_DIGITS);
        const uint64_t took = m.valid_at[0] - s.accepted_at[0], span = m.taken_at.back() - m.taken_at[0];
        if (took != latency)
            b.fail("latency %llu, not %llu", static_cast<unsigned long long>(took), static_cast<unsigned long long>(latency));
        if (span != static_cast<uint64_t>((count - 1) * beats))
            b.fail("%d tokens in %llu cycles, %d beats each", count, static_cast<unsigned long long>(span), beats);
    }

    /* Another page in place of the last one. */
    const int p = P_PAGES - 1;
    pages[static_cast<size_t>(p)] = make_page(b, shape, 2);
    const std::vector<bits> words = gain_words(shape, pages[static_cast<size_t>(p)]);
    for (int r = 0; r < beats; r++)
        configure(b, P_CFG_G, p * beats + r, words[static_cast<size_t>(r)]);
    configure(b, P_CFG_E, p, eps_word(shape, pages[static_cast<size_t>(p)]));
    send(count / 2);
    b.run();
    if (P_PARITY) {
        gains.clear();
        eps.clear();
        for (const norm_page &each : pages) {
            for (const bits &w : gain_words(shape, each))
                gains.push_back(w);
            eps.push_back(eps_word(shape, each));
        }
        flips f(b, top.fault, m, [&](size_t page) { s.send({bits(P_D * P_W, b.rnd()), bits(P_TAGW, page)}); });
        for (int round = 0; round < 10 && !b.failed(); round++) {
            f.one({1, gains, P_PAGES, false, false, [&](const std::vector<bits> &w) { configure_all(b, P_CFG_G, w); }}, P_PAGES, 400);
            f.one({2, eps, P_PAGES, false, false, [&](const std::vector<bits> &w) { configure_all(b, P_CFG_E, w); }}, P_PAGES, 400);
        }
    }
    return b.finish();
}
