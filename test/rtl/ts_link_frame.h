/* The frames of a link, from docs/links.md, bit by bit: what the benches of ts_link_* make them with and read them with. */
#ifndef TS_LINK_FRAME_H
#define TS_LINK_FRAME_H
#include "bench.h"

/* Remainder of the bits, first to last, times x^width, modulo x^width + poly. */
class divider
{
  public:
    divider(int width, uint32_t poly) : width_(width), poly_(poly)
    {
    }
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
    uint32_t rest() const
    {
        return static_cast<uint32_t>(rest_);
    }

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
    std::vector<bits> payload; /* length - 1 words, without mark */

    int buffer_words() const
    {
        return state ? 0 : length;
    } /* by which it advances the position */
};

struct credit {
    bool taken = false, known = false;
    int limit = 0;
    static credit of(const bits &w)
    {
        return {w.u(17, 1) != 0, w.u(16, 1) != 0, static_cast<int>(w.u(0, 16))};
    }
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
    h.put(15, 16, f.position);
    divider check(15, 0x4599);
    for (int i = 63; i >= 15; i--)
        check.bit(h.u(i, 1));
    h.put(0, 15, check.rest());
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
        words.back().put(width - 1, 1, 1);
    }
    for (const bits &w : f.payload) {
        words.push_back(w);
        words.back().put(width - 1, 1, 0);
    }
    divider crc(32, 0x1edc6f41);
    for (const bits &w : words)
        crc.word(w, width);
    words.push_back(bits(width, width == 32 ? crc.rest() & 0x7fffffff : crc.rest()));
    return words;
}

/* Reads the words of a link on which nothing goes wrong; anything that is not as the document says is a failure of the bench. */
class frame_reader
{
  public:
    frame_reader(bench &b, int width) : bench_(b), width_(width)
    {
    }
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
    bool between() const
    {
        return words_.empty();
    }
    bool has_header() const
    {
        return words_.size() >= (width_ == 32 ? 2u : 1u);
    }
    void clear()
    {
        words_.clear();
    }
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
        f.position = static_cast<int>(h.u(15, 16));
        if (f.length < 2 || (f.state && f.length != 2))
            bench_.fail("a header has length %d", f.length);
    }
    bench &bench_;
    int width_;
    std::vector<bits> words_;
};

/* A token's words, lowest bits first, and back. A word's top bit is the mark. */
inline std::vector<bits> token_words(const bits &token, int width)
{
    std::vector<bits> words;
    for (int at = 0; at < token.width(); at += width - 1) {
        const int n = std::min(width - 1, token.width() - at);
        bits w(width);
        for (int i = 0; i < n; i += 32)
            w.put(i, std::min(32, n - i), static_cast<int64_t>(token.u(at + i, std::min(32, n - i))));
        words.push_back(w);
    }
    return words;
}

inline bits token_of(const std::vector<bits> &words, size_t first, int token_width)
{
    bits token(token_width);
    for (int at = 0; at < token_width; first++) {
        const int n = std::min(words[first].width() - 1, token_width - at);
        for (int i = 0; i < n; i += 32)
            token.put(at + i, std::min(32, n - i), static_cast<int64_t>(words[first].u(i, std::min(32, n - i))));
        at += n;
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

/* The words of `from` without their marks become words `at` ... of a token, as far as they fit. */
inline void put_words(bits &token, int at, const std::vector<bits> &from)
{
    for (const bits &w : from) {
        const int n = w.width() - 1, bit = at++ * n;
        for (int i = 0; i < n && bit + i < token.width(); i += 32)
            token.put(bit + i, std::min(std::min(32, n - i), token.width() - bit - i), static_cast<int64_t>(w.u(i, std::min(32, n - i))));
    }
}

/* Something that looks like a frame: any fields, or those near `like`. */
inline frame random_frame(bench &b, const frame *like)
{
    frame f;
    f.state = b.rnd() % 4 == 0;
    f.first = b.rnd() % 2;
    f.last = b.rnd() % 2;
    f.refused = b.rnd() % 8 == 0;
    f.error = b.rnd() % 8 == 0;
    f.fresh = b.rnd() % 8 == 0;
    f.length = f.state ? 2 : static_cast<int>(b.rnd() % 4 ? b.pick(2, 30) : b.pick(2, 255));
    f.event = static_cast<int>(b.rnd() % 4096);
    f.position = static_cast<int>(b.rnd() % 65536);
    if (like && b.rnd() % 8) {
        f.event = like->event + static_cast<int>(b.pick(0, 3)) & 4095;
        f.position = like->position + static_cast<int>(b.pick(0, 600)) & 65535;
        if (b.rnd() % 2)
            f.length = like->length;
    }
    return f;
}

/* Whose words are meant to be taken for frames: headers, the next ones among them, headers in each word, whole frames with the right CRC,
   words again. `like`: the frame that is on the link now. */
inline bits hostile_token(bench &b, int token_width, int link_width, const frame &like)
{
    bits t(token_width);
    const int words = (token_width + link_width - 2) / (link_width - 1);
    const frame same = random_frame(b, &like);
    const uint64_t kind = b.rnd() % 4;
    for (int at = 0; at < words;) {
        frame f = kind == 0 ? same : random_frame(b, &like);
        if (kind == 1) { /* with all that belongs to it */
            f.length = static_cast<int>(b.pick(2, 6));
            for (int i = 0; i < f.length - 1; i++)
                f.payload.push_back(f.state ? credit{true, true, f.position}.word(link_width)
                                            : bits(link_width, b.rnd() % 3 ? b.rnd() : 0));
        }
        std::vector<bits> made = frame_words(f, link_width);
        if (kind != 1)
            made.pop_back(); /* the header alone */
        if (kind == 3 && b.rnd() % 2)
            made = {bits(link_width, b.rnd() % 2 ? b.rnd() : ~static_cast<uint64_t>(0))};
        put_words(t, at, made);
        at += static_cast<int>(made.size());
    }
    if (b.rnd() % 8 == 0) /* as if a link's words were cut from it whole */
        for (int bit = 0; bit + 64 <= token_width; bit += std::max(64, link_width))
            t.put(bit, 64, static_cast<int64_t>(frame_header(same)));
    return t;
}

/* `lookalikes`: now and then a token has what looks like a header; payload may have any bits. */
inline bits random_token(bench &b, int token_width, int link_width, bool lookalikes)
{
    bits t = random_bits(b, token_width);
    if (lookalikes && b.rnd() % 4 == 0 && token_width >= 64) {
        std::vector<bits> made = frame_words(random_frame(b, nullptr), link_width);
        made.pop_back();
        const int words = (token_width + link_width - 2) / (link_width - 1);
        put_words(t, static_cast<int>(b.rnd() % static_cast<uint64_t>(words)), made);
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
