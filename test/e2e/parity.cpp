/* Bits flipped in the memories of a compiled design while it computes: none may go by in silence. A Verilator harness of a design with
   parity, built by parity.sh; run in the design's directory:

       parity FLIPS SEED [ONLY]       ONLY: memories that have this in their names, of a design where others have no parity

   A bit of a word of a memory is flipped, at random, between two events or at any time in one, until FLIPS were counted. Then
     - an event's results are those of mem/expect.hex, or its last transfer has m_out_error;
     - of a flip between events: it is told of, and the event in error, if and only if the event used the word. That it did is seen beside
   the parity, at the memory's address and `used`; words that none uses (a table's that no value meets) change nothing;
     - what is told is the memory: written anew over the configuration bus, as a host does (page buffers are loaded anew by themselves), the
   next event is right and not in error. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <ring.h> /* of the design */

#include "Vring.h"
#include "bench.h"
#include "verilated.h"
#include "verilated_sym_props.h"
#include "verilated_syms.h"

namespace
{

uint64_t state;
uint64_t rnd() /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}
size_t below(size_t n)
{
    return static_cast<size_t>(rnd() % n);
}

[[noreturn]] void die(const char *why, long long a = 0, long long b = 0)
{
    printf("FAIL: %s (%lld, %lld)\n", why, a, b);
    exit(1);
}

/* ---- Files */

std::vector<bits> read_hex(const char *name, int width)
{
    std::ifstream in(name);
    std::vector<bits> words;
    for (std::string line; in >> line;) {
        bits word(width);
        for (int d = 0; d < static_cast<int>(line.size()); d++) {
            const int digit = std::stoi(line.substr(line.size() - 1 - static_cast<size_t>(d), 1), nullptr, 16);
            for (int b = 0; b < 4 && 4 * d + b < width; b++)
                word.put(4 * d + b, 1, digit >> b & 1);
        }
        words.push_back(word);
    }
    return words;
}

struct event {
    std::vector<bits> hits, results;
};

constexpr int hit_bits = RING_FEATURES * RING_HIT_LANE, out_bits = RING_LANES * RING_OUT_LANE;

std::vector<event> read_events()
{
    const std::vector<bits> hits = read_hex("mem/hits.hex", hit_bits + 1), results = read_hex("mem/expect.hex", out_bits + 2 + RING_LANES);
    std::vector<event> all;
    size_t at = 0;
    event e;
    for (const bits &hit : hits) {
        e.hits.push_back(hit);
        if (!hit.u(hit_bits, 1))
            continue;
        do
            e.results.push_back(results.at(at));
        while (!results[at++].u(out_bits, 1));
        if (!e.results[0].u(out_bits + 1, 1)) /* refused events have no results */
            all.push_back(e);
        e = event();
    }
    return all;
}

struct host_memory {
    const char *name;
    int part, id, width, depth;
};
const host_memory host_memories[] = {
#define X(name, part, id, width, depth, loaded) {name, part, id, width, depth},
    RING_MEMORIES(X)
#undef X
};

/* ---- The design */

struct slice { /* an array of ts_mem */
    uint8_t *data;
    size_t bytes, words; /* of a word */
    int bits;
};
struct checked { /* a memory with parity: ts_mem_checked or ts_page_mem */
    std::string name;
    bool paged;
    const uint8_t *used;
    const void *address;
    size_t address_bytes;
    uint64_t before[2]; /* addresses of the last two cycles */
    std::vector<slice> slices;
    std::vector<bool> seen; /* words that were used since this was cleared */
};

uint64_t load(const void *at, size_t bytes)
{
    return bytes == 1   ? *static_cast<const uint8_t *>(at)
           : bytes == 2 ? *static_cast<const uint16_t *>(at)
                        : *static_cast<const uint32_t *>(at);
}

std::vector<checked> find_memories(const char *only)
{
    std::vector<checked> all;
    const VerilatedScopeNameMap *scopes = Verilated::scopeNameMap();
    for (const auto &s : *scopes) {
        VerilatedVarNameMap *vars = const_cast<VerilatedScope *>(s.second)->varsp();
        if (!vars || !vars->count("used") || !vars->count("raddr") || !strstr(s.first, only))
            continue;
        const VerilatedVar &address = vars->at("raddr");
        all.push_back({s.first,
                       strstr(s.first, "g_paged") != nullptr,
                       static_cast<const uint8_t *>(vars->at("used").datap()),
                       address.datap(),
                       address.entSize(),
                       {0, 0},
                       {},
                       {}});
    }
    for (checked &c : all)
        for (const auto &s : *scopes) {
            VerilatedVarNameMap *vars = const_cast<VerilatedScope *>(s.second)->varsp();
            if (!vars || !vars->count("array") || std::string(s.first).compare(0, c.name.size() + 1, c.name + ".") != 0)
                continue;
            const VerilatedVar &array = vars->at("array");
            c.slices.push_back({static_cast<uint8_t *>(array.datap()), array.entSize(), static_cast<size_t>(array.unpacked().elements()),
                                array.packed().elements()});
            c.seen.resize(c.slices[0].words);
        }
    return all;
}

void flip(const slice &s, size_t word, int bit)
{
    s.data[word * s.bytes + static_cast<size_t>(bit / 8)] ^= static_cast<uint8_t>(1 << bit % 8);
}

struct outcome {
    bool right = true, error = false;
    long long told = 0;
    int part = 0, memory = -1; /* the first that was told of */
};

class device
{
  public:
    explicit device(VerilatedContext &context)
        : top_(&context), hit_(top_.s_hit_data, hit_bits), out_(top_.m_out_data, out_bits), data_(top_.cfg_data, 72)
    {
#if RING_PAGED_RINGS > 0
        top_.page_run = 1;
#endif
        top_.rst = 1;
        for (int i = 0; i < 20; i++)
            cycle();
        top_.rst = 0;
        idle(4 * static_cast<int>(RING_SETTLE) + 200);
    }
    std::vector<checked> memories;

    void cycle()
    {
        top_.clk = 0;
        top_.eval();
        for (checked &c : memories) {
            if (*c.used)
                c.seen[c.before[1]] = true;
            c.before[1] = c.before[0];
            c.before[0] = load(c.address, c.address_bytes);
        }
        if (!top_.rst) {
            if (top_.fault)
                die("fault is up");
            if (top_.parity_error && now_) {
                if (!now_->told++) {
                    while (!(top_.parity_error >> now_->part & 1))
                        now_->part++;
                    now_->memory = static_cast<int>(top_.parity_memory >> 8 * now_->part & 255);
                }
            }
            settled();
        }
        top_.clk = 1;
        top_.eval();
        taken();
        now++;
    }
    void idle(int cycles)
    {
        for (int i = 0; i < cycles; i++)
            cycle();
    }
    /* at: in which of its cycles `then` is called, negative: never. Ends some cycles behind the last result. */
    outcome run(const event &e, long long at, const std::function<void()> &then)
    {
        outcome o;
        event_ = &e;
        now_ = &o;
        next_hit_ = result_ = 0;
        for (checked &c : memories)
            c.seen.assign(c.seen.size(), false);
        long long cycles = 0;
        for (; event_; cycles++) {
            if (cycles == at)
                then();
            cycle();
            if (cycles > RING_WATCHDOG)
                die("an event does not come out");
        }
        length = cycles;
        idle(40);
        now_ = nullptr;
        return o;
    }
    /* As a host scrubs: all words of the memory from its image. */
    void rewrite(int part, int id)
    {
        bool some = false;
        for (const host_memory &m : host_memories)
            for (int slice = 0; m.part == part && m.id == id && slice * 72 < m.width; slice++) {
                char name[256];
                snprintf(name, sizeof name, "%s_%03d.hex", m.name, slice);
                const std::vector<bits> words = read_hex(name, 72);
                if (static_cast<int>(words.size()) != m.depth)
                    die("an image has not all words");
                for (size_t a = 0; a < words.size(); a++) {
                    top_.cfg_we = 1;
#if RING_CUTS > 0
                    top_.cfg_part = static_cast<uint8_t>(part);
#endif
                    top_.cfg_mem = static_cast<uint8_t>(id);
                    top_.cfg_slice = static_cast<uint16_t>(slice);
                    top_.cfg_addr = static_cast<uint16_t>(a);
                    data_.set(words[a]);
                    cycle();
                }
                some = true;
            }
        top_.cfg_we = 0;
        if (!some)
            die("a memory was told of that the host does not know", id);
    }
    long long now = 0, length = 0;

  private:
    void settled()
    {
        going_ = event_ && next_hit_ < event_->hits.size() && top_.s_hit_valid && top_.s_hit_ready;
        if (!top_.m_out_valid || !top_.m_out_ready)
            return;
        if (!event_)
            die("a result without an event");
        const bits got = out_.get(), &want = event_->results.at(result_ < event_->results.size() ? result_ : 0);
        bool right = result_ < event_->results.size() && top_.m_out_last == want.u(out_bits, 1) && !top_.m_out_refused;
        for (int l = 0; l < RING_LANES; l++)
            if (want.u(out_bits + 2 + l, 1) && got.u(l * RING_OUT_LANE, RING_OUT_LANE) != want.u(l * RING_OUT_LANE, RING_OUT_LANE))
                right = false;
        now_->right = now_->right && right;
        result_++;
        if (top_.m_out_last) {
            now_->error = top_.m_out_error;
            event_ = nullptr;
        }
    }
    void taken()
    {
        next_hit_ += going_;
        top_.m_out_ready = rnd() % 4 != 0;
        const bool more = event_ && next_hit_ < event_->hits.size();
        if (more) {
            bits data(hit_bits);
            for (int at = 0; at < hit_bits; at++)
                data.put(at, 1, static_cast<int64_t>(event_->hits[next_hit_].u(at, 1)));
            hit_.set(data);
            top_.s_hit_last = static_cast<uint8_t>(event_->hits[next_hit_].u(hit_bits, 1));
        }
        top_.s_hit_valid = more;
    }
    Vring top_;
    port hit_, out_, data_;
    const event *event_ = nullptr;
    outcome *now_ = nullptr;
    size_t next_hit_ = 0, result_ = 0;
    bool going_ = false;
};

} // namespace

int main(int argc, char **argv)
{
    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.randReset(0);
    context.threads(1);
    Verilated::threadContextp(&context);
    if (argc < 3)
        return 2;
    const int wanted = atoi(argv[1]);
    state = strtoull(argv[2], nullptr, 10);
    const std::vector<event> events = read_events();
    device d(context);
    d.memories = find_memories(argc > 3 ? argv[3] : "");
    if (d.memories.empty() || events.empty())
        die("nothing to flip, or no events");
    std::vector<long long> length;
    for (const event &e : events) {
        const outcome o = d.run(e, -1, nullptr);
        if (!o.right || o.error || o.told)
            die("an event without a flip is wrong or in error", o.right, o.told);
        length.push_back(d.length);
    }
    const auto clean = [&](const char *why) {
        const outcome o = d.run(events[below(events.size())], -1, nullptr);
        if (!o.right || o.error || o.told)
            die(why, o.right, o.told);
    };
    int flips = 0, between = 0, counted = 0, unused = 0, wrong = 0, paged = 0;
    while (counted < wanted) {
        checked &c = d.memories[below(d.memories.size())];
        const slice &s = c.slices[below(c.slices.size())];
        const size_t word = below(s.words), e = below(events.size());
        const int bit = static_cast<int>(below(static_cast<size_t>(s.bits)));
        const bool idle = rnd() % 2;
        d.idle(4 * static_cast<int>(RING_SETTLE) + 20); /* pages are there */
        flips++;
        between += idle;
        if (idle)
            flip(s, word, bit);
        bool done = idle;
        outcome o = d.run(events[e], idle ? -1 : static_cast<long long>(below(static_cast<size_t>(length[e]))), [&] {
            flip(s, word, bit);
            done = true;
        });
        if (!done) { /* the event was shorter than before: pauses of results are random */
            flips--;
            continue;
        }
        const bool used = c.seen[word];
        const auto judge = [&] {
            if (!o.right && !o.error)
                die("SILENT: an event is wrong and not in error", flips, bit);
            if ((o.told > 0) != o.error)
                die("what is told of and the event's error differ", o.told, o.error);
            wrong += !o.right;
        };
        judge();
        if (idle && used != (o.told > 0)) {
            printf("%s word %zu bit %d of a slice\n", c.name.c_str(), word, bit);
            die(used ? "a flipped word was used and not counted" : "a word that was not used was counted", flips);
        }
        if (!o.told && c.paged && !idle) { /* it may lie in a page for the next event */
            o = d.run(events[e], -1, nullptr);
            judge();
        }
        counted += o.told > 0;
        paged += o.told > 0 && c.paged;
        unused += !o.told;
        if (o.told && !c.paged)
            d.rewrite(o.part, o.memory);
        else if (!c.paged)
            flip(s, word, bit); /* nobody noticed: as it was */
        clean(c.paged ? "a page that was loaded again is wrong" : "a memory that was written anew is wrong");
    }
    printf("PASS: %d flips in %zu memories, %d of them between events: %d counted (%d in page buffers) and their events in error, of which "
           "%d had wrong "
           "results; %d in words that were not used any more, or not yet, and all results right; none silently wrong; %lld cycles\n",
           flips, d.memories.size(), between, counted, paged, wrong, unused, d.now);
    return 0;
}
