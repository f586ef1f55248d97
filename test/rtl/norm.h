/* Pages and tokens of normalisations, for the benches of ts_norm and of what has it inside. */
#ifndef TS_NORM_H
#define TS_NORM_H
#include <algorithm>

#include "flips.h"
extern "C" {
#include "num/fixed.h"
}

#ifndef P_PARITY
#define P_PARITY 0
#endif

struct norm_shape {
    int d, np, w, biasw, epsw;
    int word() const /* of gains and biases */
    {
        return np * entry() + P_PARITY;
    }
    int beats() const
    {
        return (d + np - 1) / np;
    }
    int entry() const
    {
        return biasw + 18;
    }
};

struct norm_page {
    uint64_t eps;
    std::vector<int32_t> gain;
    std::vector<int64_t> bias;
};

inline norm_page make_page(bench &b, const norm_shape &s, int kind)
{
    norm_page p;
    p.eps = kind == 0   ? 1
            : kind == 1 ? (static_cast<uint64_t>(1) << s.epsw) - 1
                        : static_cast<uint64_t>(b.pick(1, 1 << std::min(20, s.epsw - 1)));
    for (int c = 0; c < s.d; c++) {
        /* Gains near those that fill the output's range, and the extremes of both. */
        p.gain.push_back(static_cast<int32_t>(b.rnd() % 2 ? b.value(18, true) : b.pick(-(1 << 12), 1 << 12)));
        p.bias.push_back(b.rnd() % 2 ? b.value(s.biasw, true) : b.pick(-(1 << std::min(24, s.biasw - 2)), 1 << std::min(24, s.biasw - 2)));
    }
    return p;
}

inline std::vector<bits> gain_words(const norm_shape &s, const norm_page &p)
{
    std::vector<bits> words;
    for (int r = 0; r < s.beats(); r++) {
        bits w(s.np * s.entry());
        for (int i = 0; i < s.np && r * s.np + i < s.d; i++) {
            w.put(i * s.entry(), 18, p.gain[static_cast<size_t>(r * s.np + i)]);
            w.put(i * s.entry() + 18, s.biasw, p.bias[static_cast<size_t>(r * s.np + i)]);
        }
        words.push_back(P_PARITY ? with_parity(w) : w);
    }
    return words;
}

inline bits eps_word(const norm_shape &s, const norm_page &p)
{
    const bits w(s.epsw, p.eps);
    return P_PARITY ? with_parity(w) : w;
}

inline void configure(bench &b, int memory, int addr, const bits &word)
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

inline void configure_all(bench &b, int memory, const std::vector<bits> &words)
{
    for (size_t i = 0; i < words.size(); i++)
        configure(b, memory, static_cast<int>(i), words[i]);
}

inline std::vector<int64_t> make_token(bench &b, const norm_shape &s, int i)
{
    const int64_t hi = ts_fmt_max(s.w, true);
    std::vector<int64_t> x;
    const int kind = i < 10 ? i : static_cast<int>(b.pick(0, 12));
    const int64_t some = b.value(s.w, true), spread = hi >> b.pick(0, s.w - 2);
    for (int c = 0; c < s.d; c++)
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
            x.push_back(c == s.d - 1 ? -hi : hi);
            break;
        case 6:
            x.push_back(some);
            break;
        case 7:
            x.push_back(c < s.d / 2 ? hi : -hi);
            break;
        case 8:
            x.push_back(c % 3 == 0);
            break;
        case 9:
            x.push_back(b.value(s.w, true));
            break;
        default:
            x.push_back(b.pick(-spread, spread));
            break;
        }
    return x;
}

#endif
