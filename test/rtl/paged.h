/* What the benches of the page loader share: the case's parameters, pages at random, and the external memory that holds them. */
#ifndef TS_PAGED_H
#define TS_PAGED_H
#include "axi_memory.h"

extern "C" {
#include "emit/page_image.c"
}

#define TS_TEXT_(x) #x
#define TS_TEXT(x) TS_TEXT_(x)

/* Element i, `width` bits, of a parameter written as N'hDIGITS. */
static int element(const char *parameter, int i, int width)
{
    const std::string text(parameter);
    const std::string digits = text.substr(text.find('h') + 1);
    int value = 0;
    for (int bit = (i + 1) * width - 1; bit >= i * width; bit--) {
        const int at = static_cast<int>(digits.size()) - 1 - bit / 4;
        const int digit = at < 0 ? 0 : std::stoi(digits.substr(static_cast<size_t>(at), 1), nullptr, 16);
        value = value << 1 | (digit >> bit % 4 & 1);
    }
    return value;
}

struct paged_stage {
    int buffers, words, groups;
    std::vector<std::vector<bits>> page; /* [of an event][write]: what comes over the write bus, 72 bits a lane */
};

struct transfer {
    int stage, page;
    uint64_t beat, beats;
};

/* All that a case's SCHEDULE says, with random contents; fills `bytes`. */
struct paged {
    std::vector<paged_stage> stage;
    std::vector<transfer> transfers;

    paged(bench &b, int lanes, std::vector<uint8_t> &bytes)
    {
        for (int s = 0; s < P_STAGES; s++)
            stage.push_back({element(TS_TEXT(P_BUFFERS), s, 2), element(TS_TEXT(P_WORDS), s, 16), element(TS_TEXT(P_GROUPS), s, 8), {}});
        for (int i = 0; i < P_COUNT; i++) {
            const int s = element(TS_TEXT(P_SCHEDULE), i, 8);
            paged_stage &st = stage[static_cast<size_t>(s)];
            // A word that is a little narrower than its groups: the packer pads it.
            const int width = 72 * lanes * st.groups - static_cast<int>(b.pick(0, 71)), stride = (width + 31) / 32;
            std::vector<uint32_t> word(static_cast<size_t>(st.words * stride));
            for (size_t w = 0; w < word.size(); w++) {
                const int left = width - static_cast<int>(w) % stride * 32;
                word[w] = static_cast<uint32_t>(b.rnd()) & (left >= 32 ? ~0u : (1u << left) - 1);
            }
            std::vector<bits> writes;
            for (int n = 0; n < st.words * st.groups; n++) {
                bits value(72 * lanes);
                for (int bit = 0; bit < 72 * lanes; bit++) {
                    const int from = n % st.groups * 72 * lanes + bit;
                    if (from < width)
                        value.put(bit, 1, word[static_cast<size_t>(n / st.groups * stride + from / 32)] >> from % 32 & 1);
                }
                writes.push_back(value);
            }
            const uint64_t beats = static_cast<uint64_t>(ts_page_beats(st.words, width, lanes)), at = bytes.size();
            bytes.resize(at + beats * 8 * static_cast<uint64_t>(lanes));
            ts_page_pack(word.data(), st.words, width, lanes, static_cast<uint32_t>(i), bytes.data() + at);
            transfers.push_back({s, static_cast<int>(st.page.size()), at / 8 / static_cast<uint64_t>(lanes), beats});
            st.page.push_back(writes);
        }
    }
    /* The transfer that a beat of the memory belongs to. */
    int transfer_of(uint64_t beat) const
    {
        int i = 0;
        while (beat >= transfers[static_cast<size_t>(i)].beat + transfers[static_cast<size_t>(i)].beats)
            i++;
        return i;
    }
};

/* The page memories, as the write bus fills them. */
struct page_memories {
    std::vector<std::vector<bits>> word; /* [stage][buffer * words * groups + ...] */
    explicit page_memories(const paged &p)
    {
        for (const paged_stage &s : p.stage)
            word.emplace_back(static_cast<size_t>(s.buffers * s.words * s.groups));
    }
    bool holds(const paged &p, int stage, int buffer, int page) const
    {
        const paged_stage &s = p.stage[static_cast<size_t>(stage)];
        const std::vector<bits> &want = s.page[static_cast<size_t>(page)];
        for (size_t n = 0; n < want.size(); n++)
            if (word[static_cast<size_t>(stage)][static_cast<size_t>(buffer) * want.size() + n] != want[n])
                return false;
        return true;
    }
};

#endif
