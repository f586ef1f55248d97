/* The kernels that move events: what they put on a stream, and what of a stream is in memory afterwards. Built with the package's own
 * sources. */
#include "hits_in.cpp"
#include "results_out.cpp"
#include <cstdio>
#include <vector>

enum { EVENTS = 40, STRIDE = 9, BYTES = STREAM_BITS / 8 };
static int wrong;
static void check(bool ok, const char *what, unsigned event)
{
    if (!ok && wrong++ < 10)
        printf("event %u: %s\n", event, what);
}

int main()
{
    std::vector<ap_uint<STREAM_BITS>> memory(EVENTS * STRIDE), back(EVENTS * STRIDE);
    std::vector<unsigned> lengths(EVENTS), words(EVENTS);
    for (size_t i = 0; i < memory.size(); i++)
        for (int bit = 0; bit < STREAM_BITS; bit++)
            memory[i][bit] = (i * 2654435761u + bit * 40503u) >> 7 & 1;
    for (unsigned e = 0; e < EVENTS; e++)
        lengths[e] = 1 + e * 7 % (STRIDE * BYTES);
    hls::stream<word> stream;
    hits_in(memory.data(), lengths.data(), EVENTS, STRIDE, stream);
    const hls::stream<word> sent = stream;
    size_t at = 0;
    for (unsigned e = 0; e < EVENTS; e++) {
        const unsigned count = (lengths[e] + BYTES - 1) / BYTES;
        for (unsigned n = 0; n < count; n++, at++) {
            const word &w = sent.words[at];
            check(w.data == memory[e * STRIDE + n], "data", e);
            check(w.last[0] == (n + 1 == count), "last", e);
            for (unsigned i = 0; i < BYTES; i++)
                check(w.keep[i] == (n * BYTES + i < lengths[e]), "keep", e);
        }
    }
    check(at == sent.words.size(), "words that belong to no event", EVENTS);
    stream.words.clear();
    for (const word &w : sent.words)
        stream.write(w);
    results_out(back.data(), words.data(), EVENTS, STRIDE, stream);
    for (unsigned e = 0; e < EVENTS; e++) {
        check(words[e] == (lengths[e] + BYTES - 1) / BYTES, "length", e);
        for (unsigned n = 0; n < words[e]; n++)
            check(back[e * STRIDE + n] == memory[e * STRIDE + n], "memory", e);
    }
    std::vector<ap_uint<STREAM_BITS>> small(3);
    for (int n = 0; n < 5; n++) {
        word w = {};
        w.last = n == 4;
        w.data[n] = 1;
        stream.write(w);
    }
    small[2].set();
    results_out(small.data(), words.data(), 1, 2, stream);
    check(words[0] == 5 && small[2].all() && small[1][1], "an event that is too long for its place", 0);
    printf("%d events of %d bits: %d wrong\n", EVENTS, STREAM_BITS, wrong);
    return wrong != 0;
}
