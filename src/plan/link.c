#include "plan/link.h"

#include <math.h>

#include "ring/cost.h"

enum {
    WORD_STEP = 32,
    MARK = 1,          /* bits of a word that say what it is */
    FULL_PACKET = 128, /* words that a packet holds if its tokens do */
    TOKEN_WORDS = 127, /* at most: a packet is of at most 254 */
    PIPELINES = 40,    /* cycles of both ends, for the buffer (docs/links.md) */
    BEAT = 1024,
    SENDER = 10,
    RECEIVER = 14, /* cycles of a token's way in the ends, beside its words */
    HEADER_AND_CRC = 2,
    SIGNS = 4, /* of life, in a row, may be lost or late before a link counts as silent */
    DEPTH_STEP = 512,
    DEPTH_MAX = 16384,
    DEPTH_TOKENS = 2047, /* of the receiver's buffer: what its counters hold (rtl/ts_link_rx.v) */
};

static double round_trip(const ts_link *link)
{
    return 2.0 * link->flight + PIPELINES;
}

void ts_link_between(const ts_device *const *device, int devices, double *mbits, double *ns, const ts_device **unsaid)
{
    *mbits = INFINITY;
    *ns = 0;
    *unsaid = NULL;
    for (int i = 0; i < devices; i++) {
        const bool said = device[i]->link_mbits > 0;
        if (!said && !*unsaid)
            *unsaid = device[i];
        *mbits = fmin(*mbits, said ? device[i]->link_mbits : TS_LINK_MBITS);
        *ns = fmax(*ns, said ? device[i]->link_ns : TS_LINK_NS);
    }
}

/* Of a token on the link: whole words, which are not all payload. */
static int bits_sent(int token_bits, int word_bits)
{
    return cdiv(token_bits, word_bits - MARK) * word_bits;
}

ts_link ts_link_of(int token_bits, double mbits, double ns, double clock_mhz)
{
    const double bits = mbits / clock_mhz; /* a cycle */
    int words = cdiv((int)ceil(bits), WORD_STEP);
    words = imax(words, cdiv(cdiv(token_bits, TOKEN_WORDS) + MARK, WORD_STEP));
    int word_bits = words * WORD_STEP;
    /* A token that would just fill its words but for their marks takes one more: unless wider words are a tenth better. */
    if (10 * bits_sent(token_bits, word_bits + WORD_STEP) <= 9 * bits_sent(token_bits, word_bits))
        word_bits += WORD_STEP;
    return (ts_link){.word_bits = word_bits, .rate = fmin(1, bits / word_bits), .flight = (int)ceil(ns * clock_mhz / 1000)};
}

/* Cycles without a word that no link has whose way is whole: a state frame comes every BEAT cycles, behind a packet at most; SIGNS of them
   are waited for, and for a way that takes up to three times as long as it should. */
static int silence(const ts_link *link, int packet)
{
    enum { MOST = 1 << 30 };
    return (int)fmin(ceil(SIGNS * (BEAT + (packet + HEADER_AND_CRC + 1) / link->rate) + 2.0 * link->flight), MOST);
}

ts_link_ends ts_link_ends_of(const ts_link *link, int token_bits)
{
    const int words = cdiv(token_bits, link->word_bits - MARK), packet = imax(FULL_PACKET / words, 1) * words;
    const int most = imin(DEPTH_MAX, DEPTH_TOKENS * (words + 1)) / DEPTH_STEP * DEPTH_STEP;
    const double need = fmin(ceil(link->rate * round_trip(link)) + 2 * packet + words + 4, most);
    return (ts_link_ends){.token_words = words,
                          .packet = packet,
                          .depth = cdiv(imax((int)need, 2 * (words + 1)), DEPTH_STEP) * DEPTH_STEP,
                          .credit = packet,
                          .beat = BEAT,
                          .timeout = silence(link, packet)};
}

ts_hop ts_link_hop(const ts_link *link, int token_bits)
{
    const ts_link_ends ends = ts_link_ends_of(link, token_bits);
    const int words = ends.token_words, frame = HEADER_AND_CRC + (link->word_bits == WORD_STEP), state = frame + 1;
    /* Over a long way the sender waits for credit: so many words of the buffer are under way at most. */
    const double rate = fmin(link->rate, (ends.depth - 2 * ends.packet - words - 4) / round_trip(link));
    /* Where tokens wait, packets are full. The sender holds one and what comes in while its last words leave (rtl/ts_link_pack.v); the
       receiver's buffer those before it that leave room for all of it, each with a record, and one token is out of the buffer. How
       much of the packet was sent when the event's last token came is chance: half of it. */
    const int tokens = ends.packet / words, sends = tokens + cdiv(8, words);
    const double there = floor((ends.depth - ends.packet - 1) / (words + (double)words / ends.packet));
    /* At full rate packets are full, with a state frame every so often, between two of them; a token that comes alone is a packet, of which
       nothing is used before its CRC has come. */
    const double packet = (ends.packet + frame) / rate,
                 states = state * fmin(1, packet / (BEAT - state / rate > 1 ? BEAT - state / rate : 1));
    return (ts_hop){.token_cycles = fmax(words + (frame + states) * words / ends.packet, 1) / rate,
                    .words = words / link->rate,
                    .frame = frame / link->rate,
                    .state = state / link->rate,
                    .start = round_trip(link) + 2 * state / link->rate,
                    .latency = SENDER + (words + frame) / link->rate + link->flight + RECEIVER + words,
                    .sends = sends,
                    .room = sends + (tokens - 1) / 2.0 + there + 1,
                    .news = round_trip(link),
                    .frame_tokens = (double)ends.credit / words,
                    .frame_cycles = ends.beat};
}

/* Fitted to flat synthesis of one end as a whole at seven shapes, tokens of 320 ... 2,176 bits and words of 32 ... 352: within 10 %, the
   sender's LUTs up to 20 % too many. */
ts_cost ts_link_cost(const ts_link *link, int token_bits, bool sends, const ts_device *device)
{
    const ts_mapping map = ts_mapping_of(device);
    const ts_link_ends ends = ts_link_ends_of(link, token_bits);
    const int W = link->word_bits, WPT = ends.token_words;
    const ts_resources logic =
        sends ? (ts_resources){.lut = fmax(1500, 900 + 10.7 * W) + 0.5 * token_bits, .ff = 950 + 7.0 * imax(W, 64) + 0.1 * token_bits}
              : (ts_resources){.lut = fmax(1550, 1250 + 4.0 * W) + 3.5 * imax(W - 64, 0) + 0.03 * token_bits,
                               .ff = 1180 + 4.0 * W + token_bits};
    ts_cost cost = {logic, logic};
    ts_cost_add(&cost, 1,
                sends ? ts_cost_fifo_lut(&map, W, (ends.packet / WPT + cdiv(8, WPT)) * WPT)
                      : ts_cost_mem(&map, W, ends.depth, TS_MEM_BLOCK, false));
    return cost;
}
