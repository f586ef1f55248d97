/* The frames of a link, from docs/links.md, bit by bit: what the benches of ts_link_* make them with and read them with. */
#ifndef TS_LINK_FRAME_H
#define TS_LINK_FRAME_H
#include "bench.h"

/* Remainder of the bits, first to last, times x^width, modulo x^width + poly. */
class divider {
  public:
    divider(int width, uint32_t poly) : width_(width), poly_(poly) {}
    void bit(uint64_t b)
    {
        const uint64_t out = (rest_ >> (width_ - 1) ^ b) & 1;
        rest_ = (rest_ << 1 ^ (out ? poly_ : 0)) & ((static_cast<uint64_t>(1) << width_) - 1);
    }
    void word(const bits &w, int width) /* its low bits, the highest of them first */
    {
        for (int i = width - 1; i >= 0; i--)
            bit(w.u(i, 1));
    }
    uint32_t rest() const { return static_cast<uint32_t>(rest_); }

  private:
    int width_;
    uint32_t poly_;
    uint64_t rest_ = 0;
};

struct frame {
    bool state = false, first = false, last = false, refused = false, error = false, fresh = false;
    int length = 2; /* words after the header, the CRC included */
    int event = 0;  /* modulo 4096 */
    int position = 0;
    std::vector<bits> payload; /* length - 1 words */

    int buffer_words() const { return state ? 0 : length; } /* by which it advances the position */
};

struct credit {
    bool taken = false, known = false;
    int limit = 0;
    static credit of(const bits &w) { return {w.u(17, 1) != 0, w.u(16, 1) != 0, static_cast<int>(w.u(0, 16))}; }
    bits word(int width) const
    {
        bits w(width, static_cast<uint64_t>(limit & 65535));
        w.put(16, 1, known);
        w.put(17, 1, taken);
        return w;
    }
};

inline uint64_t frame_header(const frame &f)
{
    bits h(64);
    h.put(58, 6, 0x2d);
    h.put(57, 1, f.state);
    h.put(56, 1, f.first);
    h.put(55, 1, f.last);
    h.put(54, 1, f.refused);
    h.put(53, 1, f.error);
    h.put(52, 1, f.fresh);
    h.put(44, 8, f.length);
    h.put(32, 12, f.event);
    h.put(16, 16, f.position);
    divider check(16, 0x3d65);
    for (int i = 63; i >= 16; i--)
        check.bit(h.u(i, 1));
    h.put(0, 16, check.rest());
    return h.u();
}

/* The frame's words on a link of `width` bits. */
inline std::vector<bits> frame_words(const frame &f, int width)
{
    const uint64_t header = frame_header(f);
    std::vector<bits> words;
    if (width == 32) {
        words.push_back(bits(32, header >> 32));
        words.push_back(bits(32, header & 0xffffffffu));
    } else {
        words.push_back(bits(width, header));
    }
    divider crc(32, 0x1edc6f41);
    crc.word(bits(64, header), 64);
    for (const bits &w : f.payload) {
        crc.word(w, width);
        words.push_back(w);
    }
    words.push_back(bits(width, crc.rest()));
    return words;
}

/* Reads the words of a link on which nothing goes wrong; anything that is not as the document says is a failure of the bench. */
class frame_reader {
  public:
    frame_reader(bench &b, int width) : bench_(b), width_(width) {}
    enum place { HEADER, PAYLOAD, CRC };
    /* Takes a word and says what it is; `f` is the frame so far, `done` that it is complete. */
    place word(const bits &w)
    {
        done = false;
        words_.push_back(w);
        const size_t header_words = width_ == 32 ? 2 : 1;
        if (words_.size() <= header_words) {
            if (words_.size() == header_words)
                header();
            return HEADER;
        }
        if (words_.size() < header_words + static_cast<size_t>(f.length)) {
            f.payload.push_back(w);
            return PAYLOAD;
        }
        const std::vector<bits> want = frame_words(f, width_);
        for (size_t i = 0; i < words_.size(); i++)
            if (words_[i] != want[i])
                bench_.fail("word %zu of a frame is %s, expected %s", i, words_[i].hex().c_str(), want[i].hex().c_str());
        words_.clear();
        bench_.compared();
        done = true;
        return CRC;
    }
    bool between() const { return words_.empty(); }
    void clear() { words_.clear(); }
    frame f;
    bool done = false;

  private:
    void header()
    {
        const uint64_t bits64 = width_ == 32 ? words_[0].u() << 32 | words_[1].u() : words_[0].u(0, 64);
        const bits h(64, bits64);
        f = frame();
        f.state = h.u(57, 1);
        f.first = h.u(56, 1);
        f.last = h.u(55, 1);
        f.refused = h.u(54, 1);
        f.error = h.u(53, 1);
        f.fresh = h.u(52, 1);
        f.length = static_cast<int>(h.u(44, 8));
        f.event = static_cast<int>(h.u(32, 12));
        f.position = static_cast<int>(h.u(16, 16));
        if (f.length < 2 || (f.state && f.length != 2))
            bench_.fail("a header has length %d", f.length);
    }
    bench &bench_;
    int width_;
    std::vector<bits> words_;
};

/* A token's words, lowest bits first, and back. */
inline std::vector<bits> token_words(const bits &token, int width)
{
    std::vector<bits> words;
    for (int at = 0; at < token.width(); at += width) {
        bits w(width);
        for (int i = 0; i < width && at + i < token.width(); i += 32)
            w.put(i, std::min(32, token.width() - at - i), static_cast<int64_t>(token.u(at + i, std::min(32, token.width() - at - i))));
        words.push_back(w);
    }
    return words;
}

inline bits token_of(const std::vector<bits> &words, size_t first, int token_width)
{
    bits token(token_width);
    const int width = words[first].width();
    for (int at = 0; at < token_width; at += 32) {
        const int n = std::min(32, token_width - at);
        token.put(at, n, static_cast<int64_t>(words[first + static_cast<size_t>(at / width)].u(at % width, n)));
    }
    return token;
}

inline bits random_bits(bench &b, int width)
{
    bits w(width);
    for (int at = 0; at < width; at += 64)
        w.put(at, std::min(64, width - at), static_cast<int64_t>(b.rnd()));
    return w;
}

struct event {
    std::vector<bits> token;
    bool refused = false, error = false;
};

/* `lookalikes`: now and then a token has what looks like a header; payload may have any bits. */
inline bits random_token(bench &b, int token_width, int link_width, bool lookalikes)
{
    bits t = random_bits(b, token_width);
    if (lookalikes && b.rnd() % 4 == 0 && token_width >= 64) {
        frame f;
        f.state = b.rnd() % 2;
        f.first = b.rnd() % 2;
        f.length = static_cast<int>(b.pick(2, 30));
        f.event = static_cast<int>(b.rnd() % 4096);
        f.position = static_cast<int>(b.rnd() % 65536);
        const uint64_t header = frame_header(f);
        const int at = static_cast<int>(b.rnd() % static_cast<uint64_t>((token_width - 64) / link_width + 1)) * link_width;
        t.put(at, 64, static_cast<int64_t>(link_width == 32 ? header >> 32 | header << 32 : header));
    }
    return t;
}

inline event random_event(bench &b, int token_width, int link_width, int longest, bool lookalikes)
{
    event e;
    const int64_t n = b.rnd() % 3 == 0 ? b.pick(1, 2) : b.rnd() % 4 == 0 ? longest : b.pick(1, longest);
    for (int64_t i = 0; i < n; i++)
        e.token.push_back(b.rnd() % 8 == 0 ? bits(token_width) : random_token(b, token_width, link_width, lookalikes));
    e.refused = b.rnd() % 8 == 0;
    e.error = b.rnd() % 8 == 0;
    return e;
}

#endif
