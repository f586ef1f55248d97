#include "Vtop.h"
#include "flips.h"

extern "C" {
#include "num/fixed.h"
}

#ifndef P_PACK
#define P_PACK 0
#endif
#ifndef P_PARITY
#define P_PARITY 0
#define P_PARITY_W 0
#endif
#ifndef P_PAGED
#define P_PAGED 0
#define P_BUFFERS 1
#define P_LANES 1
#endif

enum { MO = (P_M + P_PM - 1) / P_PM, KO = (P_K + P_PK - 1) / P_PK, R = P_PM / P_NR, STEPS = MO * KO, BT = MO * R };
enum { QE = 18 + 3 + (P_VARBITS ? 5 : 0), RQW = P_TABLE ? P_IDXW : P_YW, TAGW = P_LW + 2 };
enum {
    W_BITS = P_PM * P_PK * P_WW + P_PARITY_W,
    B_BITS = P_PM * P_ACCW + P_PARITY,
    Q_BITS = P_NR * QE + P_PARITY,
    T_BITS = P_YW + P_PARITY
};
enum { SPAN = 72 * P_LANES, GROUPS = (W_BITS + SPAN - 1) / SPAN }; // of a write of a paged weight memory
enum { ID_W = 4, ID_B = 5, ID_Q = 6, ID_T = 7 };                   // as the case's parameters say

struct layer {
    std::vector<std::vector<int64_t>> w; // [M][K]
    std::vector<int64_t> bias;
    std::vector<int32_t> m;
    std::vector<int> e, width;
};

static int64_t accumulate(const layer &l, int c, const std::vector<int64_t> &x)
{
    int64_t acc = l.bias[static_cast<size_t>(c)];
    for (size_t k = 0; k < P_K; k++)
        acc += l.w[static_cast<size_t>(c)][k] * x[k];
    return acc;
}

// Weights: mostly random, some rows at saturation; multipliers that bring typical sums into the output's range.
static layer random_layer(bench &b)
{
    layer l;
    for (int c = 0; c < P_M; c++) {
        std::vector<int64_t> row;
        const int64_t all = b.value(P_WW, true);
        const bool extreme = b.pick(0, 3) == 0;
        for (int k = 0; k < P_K; k++)
            row.push_back(extreme ? all : b.value(P_WW, true));
        l.w.push_back(row);
        l.bias.push_back(b.value(P_ACCW - 2, true));
        l.m.push_back(static_cast<int32_t>(b.value(18, true)));
        l.e.push_back(static_cast<int>(b.pick(0, 7)));
        l.width.push_back(P_VARBITS ? static_cast<int>(b.pick(2, RQW)) : RQW);
    }
    return l;
}

// The page memories' words, laid out as the header of ts_linear says.
static void lay_out(const std::vector<layer> &layers, std::vector<bits> &w, std::vector<bits> &bias, std::vector<bits> &q)
{
    for (const layer &l : layers)
        for (int mo = 0; mo < MO; mo++) {
            for (int ko = 0; ko < KO; ko++) {
                bits word(P_PM * P_PK * P_WW);
                const auto weight = [&](int i, int j) {
                    const size_t m = static_cast<size_t>(mo * P_PM + i), k = static_cast<size_t>(ko * P_PK + j);
                    return m < P_M && k < P_K ? l.w[m][k] : 0;
                };
                for (int i = 0; i < P_PM; i++)
                    for (int j = 0; j < P_PK; j++)
                        word.put((i * P_PK + j) * P_WW, P_WW, weight(i, j) - (P_PACK && i % 2 == 1 && weight(i - 1, j) < 0));
                w.push_back(word);
            }
            bits word(P_PM * P_ACCW);
            for (int i = 0; i < P_PM && mo * P_PM + i < P_M; i++)
                word.put(i * P_ACCW, P_ACCW, l.bias[static_cast<size_t>(mo * P_PM + i)]);
            bias.push_back(word);
            for (int r = 0; r < R; r++) {
                bits entry(P_NR * QE);
                for (int i = 0; i < P_NR; i++) {
                    const size_t c = static_cast<size_t>(mo * P_PM + r * P_NR + i);
                    if (c >= P_M)
                        continue;
                    entry.put(i * QE, 18, l.m[c]);
                    entry.put(i * QE + 18, 3, l.e[c]);
                    if (P_VARBITS)
                        entry.put(i * QE + 21, 5, l.width[c]);
                }
                q.push_back(entry);
            }
        }
    w = P_PARITY_W ? with_parity(w) : w;
    bias = P_PARITY ? with_parity(bias) : bias;
    q = P_PARITY ? with_parity(q) : q;
}

// Rewrites a page memory over the configuration bus.
static void configure(bench &b, int id, const std::vector<bits> &word, int width)
{
    b.at("cfg_we").set(1);
    b.at("cfg_mem").set(static_cast<uint64_t>(id));
    for (size_t addr = 0; addr < word.size(); addr++)
        for (int slice = 0; slice * 72 < width; slice++) {
            bits data(72);
            for (int at = 0; at < 72 && slice * 72 + at < width; at++)
                data.put(at, 1, static_cast<int64_t>(word[addr].u(slice * 72 + at, 1)));
            b.at("cfg_slice").set(static_cast<uint64_t>(slice));
            b.at("cfg_addr").set(addr);
            b.at("cfg_data").set(data);
            b.cycle();
        }
    b.at("cfg_we").set(uint64_t{0});
}

int main(int argc, char **argv)
{
    bench b(argc, argv);
    std::vector<layer> layers;
    std::vector<bits> word_w, word_b, word_q, word_t;
    std::vector<int64_t> table;
    for (int p = 0; p < P_PAGES; p++)
        layers.push_back(random_layer(b));
    lay_out(layers, word_w, word_b, word_q);
    if (P_TABLE)
        for (int i = 0; i < 1 << RQW; i++) {
            table.push_back(static_cast<int64_t>(b.rnd() & ((uint64_t{1} << P_YW) - 1)));
            word_t.push_back(bits(P_YW, static_cast<uint64_t>(table.back())));
        }
    word_t = P_PARITY ? with_parity(word_t) : word_t;
    write_image("w", word_w, W_BITS);
    write_image("b", word_b, B_BITS);
    write_image("q", word_q, Q_BITS);
    write_image("t", word_t, T_BITS);

    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    const int out_width = (P_BEATS ? P_NR : P_M) * P_YW;
    b.in("s_valid", top.s_valid, 1);
    b.out("s_ready", top.s_ready, 1);
    b.in("s_data", top.s_data, P_K * P_XW);
    b.in("s_tag", top.s_tag, TAGW);
    b.in("s_page", top.s_page, 1);
    b.in("w_we", top.w_we, 1);
    b.in("w_group", top.w_group, 8);
    b.in("w_addr", top.w_addr, 16);
    b.in("w_data", top.w_data, SPAN);
    b.out("m_valid", top.m_valid, 1);
    b.in("m_ready", top.m_ready, 1);
    b.out("m_data", top.m_data, out_width);
    b.out("m_tag", top.m_tag, TAGW);
    b.out("m_eot", top.m_eot, 1);
    b.in("cfg_we", top.cfg_we, 1);
    b.in("cfg_mem", top.cfg_mem, 8);
    b.in("cfg_slice", top.cfg_slice, 10);
    b.in("cfg_addr", top.cfg_addr, 16);
    b.in("cfg_data", top.cfg_data, 72);
    source &s = b.add_source("s", {"s_data", "s_tag", "s_page"});
    sink &m = b.add_sink("m", {"m_data", "m_tag", "m_eot"});

    const auto send_token = [&](const layer &l, uint64_t number, uint64_t buffer) {
        std::vector<int64_t> x;
        const int64_t all = b.value(P_XW, P_XSIGNED);
        const bool extreme = b.pick(0, 3) == 0;
        for (int k = 0; k < P_K; k++)
            x.push_back(extreme ? all : b.value(P_XW, P_XSIGNED));
        const bits tag(TAGW, number | b.rnd() % 4 << P_LW);
        s.send({pack(x, P_XW), tag, bits(1, buffer)});
        bits vector(BT * P_NR * P_YW), care(BT * P_NR * P_YW);
        for (int c = 0; c < P_M; c++) {
            const size_t i = static_cast<size_t>(c);
            const int64_t acc = accumulate(l, c, x);
            b.check(ts_clamp(acc, -((int64_t)1 << (P_ACCW - 1)), ((int64_t)1 << (P_ACCW - 1)) - 1) == acc, "the case's ACCW is too small");
            b.check(ts_bitlen(static_cast<uint64_t>(ts_rsh(acc < 0 ? ~acc : acc, P_S1))) <= 24, "the case's S1 is too small");
            int64_t y = ts_requant(acc, P_S1, l.m[i], 0, P_S2 + l.e[i], l.width[i], P_YSIGNED);
            if (P_TABLE)
                y = table[static_cast<size_t>(y) & ((size_t{1} << RQW) - 1)];
            vector.put(c * P_YW, P_YW, y);
            for (int at = 0; at < P_YW; at++)
                care.put(c * P_YW + at, 1, 1);
        }
        if (!P_BEATS) {
            bits exact(P_M * P_YW);
            for (int at = 0; at < exact.width(); at++)
                exact.put(at, 1, static_cast<int64_t>(vector.u(at, 1)));
            m.expect({exact, tag, bits(1, 1)});
            return;
        }
        for (int j = 0; j < BT; j++) {
            bits value(out_width), mask(out_width);
            for (int at = 0; at < out_width; at++) {
                value.put(at, 1, static_cast<int64_t>(vector.u(j * out_width + at, 1)));
                mask.put(at, 1, static_cast<int64_t>(care.u(j * out_width + at, 1)));
            }
            m.expect({value, tag, bits(1, j == BT - 1)}, {mask, bits(), bits()});
        }
    };
    const auto send = [&](int tokens) {
        for (int t = 0; t < tokens; t++) {
            const size_t page = static_cast<size_t>(b.pick(0, P_PAGES - 1));
            send_token(layers[page], page, b.rnd() & 1);
        }
    };
    // Paged: in each turn all tokens use new weights. A page is written as soon as the tokens that used its buffer have left, while
    // those of the other buffer run; its own follow in the cycle after the last write.
    const auto take_turns = [&](int turns, int tokens) {
        int page = 0, left = 0;    // the page being written; turns whose tokens have all left
        size_t at = 0;             // the next write of the page
        std::vector<uint64_t> end; // of each turn that was sent: beats that have come when its last token has left
        layer l;
        std::vector<bits> word;
        b.run(64, 20000, [&] {
            while (left < static_cast<int>(end.size()) && m.count() >= end[static_cast<size_t>(left)])
                left++;
            const size_t number = static_cast<size_t>(page % P_PAGES);
            if (at > 0 && at == word.size() * GROUPS) {
                for (int t = 0; t < tokens; t++)
                    send_token(l, number, static_cast<uint64_t>(page % P_BUFFERS));
                end.push_back((end.empty() ? m.count() : end.back()) + static_cast<uint64_t>(tokens * (P_BEATS ? BT : 1)));
                page++;
                at = 0;
            }
            const bool write = page < turns && page < left + P_BUFFERS && (!b.stalled() || b.pick(0, 3) > 0);
            bits data(SPAN);
            for (int i = 0; i < P_LANES; i++)
                for (int from = 0; from < 72; from += 36)
                    data.put(i * 72 + from, 36, static_cast<int64_t>(b.rnd()));
            size_t addr = b.rnd() & 0xffff, group = b.rnd() & 0xff;
            if (write) {
                if (at == 0) {
                    l = layers[static_cast<size_t>(page % P_PAGES)];
                    l.w = random_layer(b).w;
                    std::vector<bits> bias, q;
                    word.clear();
                    lay_out({l}, word, bias, q);
                }
                addr = at / GROUPS;
                group = at % GROUPS;
                for (int i = 0; i < SPAN && static_cast<int>(group) * SPAN + i < word[addr].width(); i++)
                    data.put(i, 1, static_cast<int64_t>(word[addr].u(static_cast<int>(group) * SPAN + i, 1)));
                addr += static_cast<size_t>(page % P_BUFFERS) * STEPS;
                at++;
            }
            b.at("w_we").set(write);
            b.at("w_addr").set(addr);
            b.at("w_group").set(group);
            b.at("w_data").set(data);
            return left < turns;
        });
    };
    const int tokens = P_PAGED ? 7 : 60 + 6000 / STEPS; // one after the other, if nothing pauses
    if (P_PAGED) {
        take_turns(20, tokens);
    } else {
        send(tokens);
        b.run();
    }
    if (!b.stalled() && !b.failed()) {
        int levels = 0;
        while ((1 << levels) < P_PK)
            levels++;
        const uint64_t lag =
            static_cast<uint64_t>(13 + (levels + P_REG - 1) / P_REG + (R > 1 ? R : 0) + 2 * P_TABLE + (!P_BEATS && BT > 1));
        const uint64_t first = s.accepted_at[0] - (STEPS - 1); // it is taken with its last step
        if (P_BEATS)
            b.check(m.valid_at[0] == first + KO + lag - (R - 1), "latency to the first beat is not as documented");
        b.check(m.valid_at[P_BEATS ? BT - 1 : 0] == first + STEPS + lag, "latency is not as documented");
        b.check(s.accepted_at[static_cast<size_t>(tokens - 1)] == first + static_cast<uint64_t>(tokens * STEPS - 1),
                "a bubble at full rate");
    }
    // The same hardware with other numbers, written at run time.
    layers.clear();
    word_w.clear();
    word_b.clear();
    word_q.clear();
    for (int p = 0; p < P_PAGES; p++)
        layers.push_back(random_layer(b));
    lay_out(layers, word_w, word_b, word_q);
    configure(b, ID_W, word_w, W_BITS); // not the weights of a paged stage
    configure(b, ID_B, word_b, B_BITS);
    configure(b, ID_Q, word_q, Q_BITS);
    if (P_PAGED) {
        take_turns(6, 3);
    } else {
        send(20);
        b.run();
    }
    if (!P_PARITY && !P_PARITY_W)
        return b.finish();

    const auto write_paged = [&](const std::vector<bits> &words) { // into buffer 0
        for (size_t n = 0; n < words.size() * GROUPS; n++) {
            bits data(SPAN);
            for (int i = 0; i < SPAN && static_cast<int>(n % GROUPS) * SPAN + i < W_BITS; i++)
                data.put(i, 1, static_cast<int64_t>(words[n / GROUPS].u(static_cast<int>(n % GROUPS) * SPAN + i, 1)));
            b.at("w_we").set(1);
            b.at("w_addr").set(n / GROUPS);
            b.at("w_group").set(n % GROUPS);
            b.at("w_data").set(data);
            b.cycle();
        }
        b.at("w_we").set(uint64_t{0});
        b.cycle();
    };
    const auto writer = [&](int id, int width) {
        return [&b, id, width](const std::vector<bits> &words) { configure(b, id, words, width); };
    };
    flips f(b, top.fault, m, [&](size_t page) { s.send({bits(P_K * P_XW, b.rnd()), bits(TAGW, page), bits(1)}); });
    for (int round = 0; round < 12 && !b.failed(); round++) {
        if (P_PARITY_W && P_PAGED) // a layer's words
            f.one({1, {word_w.begin(), word_w.begin() + STEPS}, 1, false, false, write_paged}, P_PAGES, STEPS + 200);
        else if (P_PARITY_W)
            f.one({1, word_w, P_PAGES, false, false, writer(ID_W, W_BITS)}, P_PAGES, STEPS + 200);
        if (P_PARITY) {
            f.one({2, word_b, P_PAGES, false, false, writer(ID_B, B_BITS)}, P_PAGES, STEPS + 200);
            f.one({3, word_q, P_PAGES, false, false, writer(ID_Q, Q_BITS)}, P_PAGES, STEPS + 200);
        }
        if (P_PARITY && P_TABLE && round < 2)
            f.one({4, word_t, 1, true, true, writer(ID_T, T_BITS)}, P_PAGES, STEPS + 200);
    }
    return b.finish();
}
