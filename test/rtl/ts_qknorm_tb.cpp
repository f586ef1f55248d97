/* ts_qknorm against ts_norm_token(): q and k group by group, v as it is; every page, extreme vectors, pages rewritten over the
   configuration bus; without stalls, the latency and the rate of the module's formula. */
#include "Vtop.h"
#include "norm.h"

namespace
{

constexpr int inner = P_GROUPS * P_D, count = inner > 64 ? 80 : 200;
constexpr norm_shape shape[2] = {{P_D, P_NP, P_W, P_QBIASW, P_EPSW}, {P_D, P_NP, P_W, P_KBIASW, P_EPSW}}; /* of q, of k */
const int beats = shape[0].beats();

/* Groups of a layer have pages side by side, as many as a power of two. */
int pages_of_layer()
{
    int pages = 1;
    while (pages < P_GROUPS)
        pages *= 2;
    return pages;
}

/* Both memories of q (0) or k (1), which share eps in a layer. */
struct side {
    std::vector<norm_page> page; /* [layers][groups] */
    std::vector<bits> gains, eps;
};

side make_side(bench &b, int which)
{
    side s;
    for (int layer = 0; layer < P_PAGES; layer++)
        for (int g = 0; g < pages_of_layer(); g++) {
            s.page.push_back(make_page(b, shape[which], (layer + g) % 4));
            for (const bits &w : gain_words(shape[which], s.page.back()))
                s.gains.push_back(w);
            s.eps.push_back(eps_word(shape[which], s.page.back()));
        }
    return s;
}

} // namespace

int main(int argc, char **argv)
{
    bench b(argc, argv);
    side sides[2] = {make_side(b, 0), make_side(b, 1)};
    write_image("qg_", sides[0].gains, shape[0].word());
    write_image("qe_", sides[0].eps, P_EPSW + P_PARITY);
    write_image("kg_", sides[1].gains, shape[1].word());
    write_image("ke_", sides[1].eps, P_EPSW + P_PARITY);

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
    b.in("s_data", top.s_data, 3 * inner * P_XW);
    b.in("s_tag", top.s_tag, P_TAGW);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, 3 * inner * P_YW);
    b.out("m_tag", top.m_tag, P_TAGW);
    b.at("cfg_we").set(0);
    source &s = b.add_source("s", {"s_data", "s_tag"});
    sink &m = b.add_sink("m", {"m_data", "m_tag"});

    auto send = [&](int tokens) {
        for (int i = 0; i < tokens; i++) {
            const uint64_t layer = b.rnd() % P_PAGES, tag = b.rnd() & ((1u << P_TAGW) - 1);
            std::vector<int64_t> in, out;
            for (int which = 0; which < 2; which++)
                for (int g = 0; g < P_GROUPS; g++) {
                    const std::vector<int64_t> wide = make_token(b, shape[which], i < 10 ? (i + g) % 10 : i);
                    const std::vector<int32_t> x(wide.begin(), wide.end());
                    const norm_page &p = sides[which].page[layer * static_cast<size_t>(pages_of_layer()) + static_cast<size_t>(g)];
                    const ts_norm_num num = {P_D,   P_MEAN != 0,   P_TSHIFT,     which ? P_KYSHIFT : P_QYSHIFT, which ? P_KW : P_QW,
                                             p.eps, p.gain.data(), p.bias.data()};
                    std::vector<int32_t> y(P_D);
                    ts_norm_token(&num, x.data(), y.data());
                    in.insert(in.end(), wide.begin(), wide.end());
                    out.insert(out.end(), y.begin(), y.end());
                }
            for (int c = 0; c < inner; c++) {
                in.push_back(b.value(P_VW, true));
                out.push_back(in.back());
            }
            const bits t(P_TAGW, (tag >> P_LW << P_LW) | layer);
            s.send({pack(in, P_XW), t});
            m.expect({pack(out, P_YW), t});
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
        const uint64_t took = m.valid_at[0] - s.accepted_at[0] - 1, /* and one into the token */
            span = m.taken_at.back() - m.taken_at[0];
        if (took != latency)
            b.fail("latency %llu from the last group, not %llu", static_cast<unsigned long long>(took),
                   static_cast<unsigned long long>(latency));
        if (span != static_cast<uint64_t>((count - 1) * P_GROUPS * beats))
            b.fail("%d tokens in %llu cycles, %d groups of %d beats each", count, static_cast<unsigned long long>(span), P_GROUPS, beats);
    }

    /* Another page in place of the last layer's last group, of q and of k. */
    const int page = (P_PAGES - 1) * pages_of_layer() + P_GROUPS - 1;
    for (int which = 0; which < 2; which++) {
        norm_page &p = sides[which].page[static_cast<size_t>(page)];
        p = make_page(b, shape[which], 2);
        const std::vector<bits> words = gain_words(shape[which], p);
        for (int r = 0; r < beats; r++)
            configure(b, which ? P_CFG_KG : P_CFG_QG, page * beats + r, words[static_cast<size_t>(r)]);
        configure(b, which ? P_CFG_KE : P_CFG_QE, page, eps_word(shape[which], p));
    }
    send(count / 2);
    b.run();
    if (P_PARITY) {
        flips f(b, top.fault, m, [&](size_t page) { s.send({bits(3 * inner * P_XW, b.rnd()), bits(P_TAGW, page)}); });
        for (int which = 0; which < 2; which++) {
            std::vector<bits> gains, eps;
            for (const norm_page &each : sides[which].page) {
                for (const bits &w : gain_words(shape[which], each))
                    gains.push_back(w);
                eps.push_back(eps_word(shape[which], each));
            }
            /* A bit of every word: pages of groups that are not there lie between them. */
            f.one({1 + 2 * which, gains, 1, true, false,
                   [&](const std::vector<bits> &w) { configure_all(b, which ? P_CFG_KG : P_CFG_QG, w); }},
                  P_PAGES, 400);
            f.one(
                {2 + 2 * which, eps, 1, true, false, [&](const std::vector<bits> &w) { configure_all(b, which ? P_CFG_KE : P_CFG_QE, w); }},
                P_PAGES, 400);
        }
    }
    return b.finish();
}
