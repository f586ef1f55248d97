/* Verilator harness of a ring: sends events through s_hit, records what comes out of m_out and when. It judges nothing.

       sim EVENTS RESULTS [--stalls PERCENT] [--seed N] [--random] [--lone] [--load] [--pace TOKEN RESULT] [--trace FILE] [--patience
   CYCLES]
           [--part-stall PART TRANSFER CYCLES] [--switch WRITES EVENT] [+wire_...: ts_sim_wire.v] [+memory_...: ts_sim_memory.v]

   EVENTS:  int32 words: number of events; for each its number of hits, then the hits' values.
   RESULTS: int32 words; for each event: 1 if refused and 2 if in error, transfers, cycle (64 bits, low word first) at which its first hit
   was offered, its first and last hit were accepted, its first and last result were taken; for each cut between parts the cycles at which
            its first and last token were taken; then RING_LANES words a transfer. At the end, for each cut, the cycles (64 bits) in
            which a token waited; for each paged ring, pages fetched again and 1 if one was given up; for each paged stage, 1 if a page was
            late and the cycles (64 bits) in which tokens waited for pages.
   --random: registers, and memories without an image, start at random values instead of zero.
   --lone:  an event is offered only when the one before has left. --load: memories are written over the configuration bus.
   With pages, events come once the first pages had the time to arrive: RING_SETTLE cycles after reset.
   --patience: so many cycles more than RING_WATCHDOG without a transfer. --part-stall: once PART has given transfer TRANSFER (from 0) it
            stands still.
   --switch: when the events before EVENT (from 0) have left, WRITES are written over the configuration bus: int32 words, their number, then
   of each {part, memory, slice, address, data, data, data}. With pages, the pager is stopped, the rings are reset, and it begins anew with
            the images of +memory_next.
   --pace:  cycles that a token, or a result, takes on the host's bus: no two follow each other faster.
   --trace: every transfer of the inner streams, in a build with RING_TRACE: stream, tag, values.
   Exit status 0: done; 3: nothing moved for RING_WATCHDOG cycles; 2: usage or files, or the Verilog ended the simulation.
   Long because a design has one harness, in one file. */
#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "Vring.h"
#include "ring.h"
#include "verilated.h"
#ifdef RING_TRACE
#include "Vring___024root.h"
#endif

namespace
{

struct event {
    int tokens = 0;
    const int32_t *hits = nullptr;
    bool refused = false, error = false, done = false;
    int64_t offered = -1, first_in = -1, last_in = -1, first_out = -1, last_out = -1;
    std::vector<int32_t> words;
#if RING_CUTS > 0
    int64_t first_at_cut[RING_CUTS] = {}, last_at_cut[RING_CUTS] = {};
#endif
};

/* splitmix64, as everywhere in the project. */
struct random_bits {
    uint64_t state;
    bool percent(int p)
    {
        uint64_t z = state += 0x9e3779b97f4a7c15ull;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return static_cast<int>((z ^ (z >> 31)) % 100) < p;
    }
};

/* Ports are 8 to 64 bits or arrays of 32-bit words, little-endian either way. */
template <class T> void set_port(T &port, const std::vector<uint32_t> &words)
{
    std::memcpy(&port, words.data(), sizeof port < words.size() * 4 ? sizeof port : words.size() * 4);
}

template <class T> std::vector<uint32_t> get_port(const T &port)
{
    std::vector<uint32_t> words((sizeof port + 3) / 4, 0);
    std::memcpy(words.data(), &port, sizeof port);
    return words;
}

int64_t field(const std::vector<uint32_t> &words, int lsb, int width, bool is_signed)
{
    uint64_t value = 0;
    for (int done = 0; done < width;) {
        const int at = (lsb + done) % 32, take = width - done < 32 - at ? width - done : 32 - at;
        value |= static_cast<uint64_t>(words[static_cast<size_t>((lsb + done) / 32)] >> at & ((1ull << take) - 1)) << done;
        done += take;
    }
    if (is_signed && value >> (width - 1) & 1)
        value |= ~0ull << width;
    return static_cast<int64_t>(value);
}

[[noreturn]] void die(const std::string &what)
{
    std::fprintf(stderr, "sim: %s\n", what.c_str());
    std::exit(2);
}

std::vector<int32_t> read_words(const char *path)
{
    FILE *f = std::fopen(path, "rb");
    if (!f)
        die(std::string("cannot read ") + path);
    std::vector<int32_t> words;
    int32_t buffer[4096];
    for (size_t n; (n = std::fread(buffer, 4, 4096, f)) > 0;)
        words.insert(words.end(), buffer, buffer + n);
    std::fclose(f);
    return words;
}

/* A way that carries one transfer in so many cycles: the bus of a host. */
struct pace {
    double cycles = 0, next = 0;
    bool waits(int64_t cycle) const
    {
        return static_cast<double>(cycle) < next;
    }
    void moved(int64_t cycle)
    {
        next = std::max(next, static_cast<double>(cycle)) + cycles;
    }
};

class simulation
{
  public:
    simulation(VerilatedContext *context, int stalls, uint64_t seed, bool lone)
        : top_(new Vring(context)), random_{seed}, stalls_(stalls), lone_(lone)
    {
    }
    ~simulation()
    {
        top_->final();
        delete top_;
    }
    void read_events(const std::vector<int32_t> &words);
    void reset();
    void load();
    void set_switch(const std::vector<int32_t> *writes, int event)
    {
        writes_ = writes;
        switch_at_ = static_cast<size_t>(event);
    }
    bool run();
    void write_results(const char *path) const;
    void set_pace(double token, double result)
    {
        to_.cycles = token;
        from_.cycles = result;
    }
    bool open_trace(const char *path)
    {
        return (trace_ = std::fopen(path, "wb")) != nullptr;
    }
    void settle();
    void set_patience(int64_t cycles)
    {
        patience_ = RING_WATCHDOG + cycles;
    }
    void set_part_stall(int part, int64_t transfer, int64_t cycles)
    {
        stall_part_ = part;
        stall_transfer_ = transfer;
        stall_cycles_ = cycles;
    }
    bool close_trace()
    {
        return !trace_ || std::fclose(trace_) == 0;
    }

  private:
    Vring *top_;
    random_bits random_;
    int stalls_;
    bool lone_;
    pace to_, from_; /* of s_hit and m_out; transfers of m_out */
    int64_t cycle_ = 0;
    std::vector<event> events_;
    size_t in_ = 0, out_ = 0; /* events whose hits are being sent and whose results are awaited */
    int hit_ = 0;             /* of event in_ */
    FILE *trace_ = nullptr;
    int64_t patience_ = RING_WATCHDOG;
    const std::vector<int32_t> *writes_ = nullptr; /* at the switch, which is still to come */
    size_t switch_at_ = 0;
    int stall_part_ = -1; /* stands still for stall_cycles_ once it has given stall_transfer_ */
    int64_t stall_transfer_ = 0, stall_cycles_ = 0, held_ = 0;
    uint32_t next_hold_ = 0;
#if RING_CUTS > 0
    size_t at_cut_[RING_CUTS] = {}; /* event whose tokens pass there */
    bool inside_[RING_CUTS] = {};   /* some of them have */
    int64_t blocked_[RING_CUTS] = {};
    void watch_cuts();
    void hold_part();
#endif

    void edge();
    void write(int part, int id, int slice, int address, const std::vector<uint32_t> &data);
    void reset_rings();
    void switch_weights();
    void offer();
    void take();
    void diagnose() const;
    void trace();
};

void simulation::read_events(const std::vector<int32_t> &words)
{
    size_t at = 1;
    for (int e = 0; !words.empty() && e < words[0]; e++) {
        event ev;
        if (at >= words.size() || words[at] < 1)
            die("the file of events is cut off");
        ev.tokens = words[at++];
        ev.hits = &words[at];
        at += static_cast<size_t>(ev.tokens) * RING_FEATURES;
        if (at > words.size())
            die("the file of events is cut off");
        events_.push_back(ev);
    }
}

/* From the settled values before a rising edge to those after it. */
void simulation::edge()
{
    top_->clk = 1;
    top_->eval();
    top_->clk = 0;
    cycle_++;
    if (top_->contextp()->gotFinish())
        die("the Verilog ended the simulation");
    if (top_->fault && !top_->rst)
        die("fault is up: a buffer overflowed or ran empty");
}

void simulation::reset()
{
    top_->clk = 0;
    top_->rst = 1;
    top_->s_hit_valid = 0;
    top_->s_hit_refused = 0;
    top_->s_hit_error = 0;
    top_->m_out_ready = 0;
    top_->cfg_we = 0;
#if RING_PAGED_RINGS > 0
    top_->page_run = 1;
    top_->page_next = 0;
#endif
#if RING_CUTS > 0
    top_->hold = 0;
#endif
    reset_rings();
    cycle_ = 0;
}

void simulation::reset_rings()
{
    top_->rst = 1;
    for (int i = 0; i < 8; i++) {
        top_->eval();
        edge();
    }
    top_->rst = 0;
}

/* One word's slice over the configuration bus. */
void simulation::write(int part, int id, int slice, int address, const std::vector<uint32_t> &data)
{
    top_->cfg_we = 1;
#if RING_CUTS > 0
    top_->cfg_part = static_cast<CData>(part);
#endif
    (void)part;
    top_->cfg_mem = static_cast<CData>(id);
    top_->cfg_slice = static_cast<SData>(slice);
    top_->cfg_addr = static_cast<SData>(address);
    set_port(top_->cfg_data, data);
    top_->eval();
    edge();
    top_->cfg_we = 0;
}

/* No event is inside. As a driver does it on a board. */
void simulation::switch_weights()
{
    enum { WORDS = 7 };
    const int32_t *word = writes_->data() + 1;
#if RING_PAGED_RINGS > 0
    top_->page_run = 0;
    do {
        top_->eval();
        edge();
    } while (!top_->page_idle);
#endif
    for (int32_t w = 0; w < (*writes_)[0]; w++, word += WORDS)
        write(word[0], word[1], word[2], word[3],
              {static_cast<uint32_t>(word[4]), static_cast<uint32_t>(word[5]), static_cast<uint32_t>(word[6])});
#if RING_PAGED_RINGS > 0
    reset_rings();
    top_->page_next = 1;
    top_->page_run = 1;
    for (int64_t i = 0; i < RING_SETTLE; i++) {
        top_->eval();
        edge();
    }
#endif
    writes_ = nullptr;
}

/* Writes memories over the configuration bus: those without initial contents, or all of them. */
void simulation::load()
{
    struct memory {
        const char *images;
        int part, id, width, depth;
        bool needed;
    };
    static const memory memories[] = {
#define X(images, part, id, width, depth, needed) {images, part, id, width, depth, needed != 0},
        RING_MEMORIES(X)
#undef X
    };
    for (const memory &m : memories)
        for (int slice = 0; slice * 72 < m.width; slice++) {
            char path[64], line[64];
            std::snprintf(path, sizeof path, "%s_%03d.hex", m.images, slice);
            FILE *f = std::fopen(path, "r");
            if (!f)
                die(std::string("cannot read ") + path);
            for (int address = 0; address < m.depth; address++) {
                if (!std::fgets(line, sizeof line, f))
                    die(std::string(path) + " is cut off");
                line[std::strcspn(line, "\n")] = 0;
                std::vector<uint32_t> data(3, 0);
                for (const char *p = line; *p; p++) {
                    data[2] = data[2] << 4 | data[1] >> 28;
                    data[1] = data[1] << 4 | data[0] >> 28;
                    data[0] = data[0] << 4 | static_cast<uint32_t>(*p <= '9' ? *p - '0' : *p - 'a' + 10);
                }
                write(m.part, m.id, slice, address, data);
            }
            std::fclose(f);
        }
    cycle_ = 0;
}

/* A design is up for a while before its first event. */
void simulation::settle()
{
    for (int64_t i = 0; i < RING_SETTLE; i++) {
        top_->eval();
        edge();
    }
    cycle_ = 0;
}

/* Puts the next hit on s_hit unless this cycle pauses. A hit that is on offer stays. */
void simulation::offer()
{
    if (top_->s_hit_valid || in_ == events_.size() || (writes_ && in_ == switch_at_) || (lone_ && hit_ == 0 && out_ != in_) ||
        to_.waits(cycle_) || random_.percent(stalls_))
        return;
    event &ev = events_[in_];
    const int32_t *hit = ev.hits + static_cast<ptrdiff_t>(hit_) * RING_FEATURES;
    std::vector<uint32_t> words((RING_FEATURES * RING_HIT_LANE + 63) / 64 * 2, 0);
    for (int i = 0; i < RING_FEATURES; i++) {
        const uint64_t value = static_cast<uint32_t>(hit[i]) & ((1ull << RING_HIT_LANE) - 1);
        const size_t bit = static_cast<size_t>(i) * RING_HIT_LANE;
        words[bit / 32] |= static_cast<uint32_t>(value << bit % 32);
        if (bit % 32 + RING_HIT_LANE > 32)
            words[bit / 32 + 1] |= static_cast<uint32_t>(value << bit % 32 >> 32);
    }
    top_->s_hit_valid = 1;
    set_port(top_->s_hit_data, words);
    top_->s_hit_last = hit_ == ev.tokens - 1;
    if (hit_ == 0)
        ev.offered = cycle_;
}

/* Records a transfer of m_out. */
void simulation::take()
{
    if (out_ == events_.size())
        die("more results than events");
    event &ev = events_[out_];
    const std::vector<uint32_t> words = get_port(top_->m_out_data);
    for (int i = 0; i < RING_LANES; i++)
        ev.words.push_back(static_cast<int32_t>(field(words, i * RING_OUT_LANE, RING_OUT_LANE, true)));
    ev.refused = ev.refused || top_->m_out_refused;
    ev.error = ev.error || top_->m_out_error;
    if (ev.first_out < 0)
        ev.first_out = cycle_;
    ev.last_out = cycle_;
    if (top_->m_out_last) {
        ev.done = true;
        out_++;
    }
}

/* Until every event has left; false when nothing moves any more. */
bool simulation::run()
{
    int64_t idle = 0;
    while (out_ < events_.size()) {
        if (writes_ && out_ == switch_at_)
            switch_weights();
        offer();
        const bool held = to_.waits(cycle_) || from_.waits(cycle_);
        top_->m_out_ready = !from_.waits(cycle_) && !random_.percent(stalls_);
        top_->eval();
        const bool taken = top_->m_out_valid && top_->m_out_ready, accepted = top_->s_hit_valid && top_->s_hit_ready;
        if (trace_)
            trace();
#if RING_CUTS > 0
        watch_cuts();
        hold_part();
#endif
        if (taken) {
            take();
            from_.moved(cycle_);
        }
        if (accepted) {
            to_.moved(cycle_);
            event &ev = events_[in_];
            if (hit_ == 0)
                ev.first_in = cycle_;
            ev.last_in = cycle_;
            if (++hit_ == ev.tokens) {
                hit_ = 0;
                in_++;
            }
        }
        idle = taken || accepted || held ? 0 : idle + 1;
        if (idle > patience_) {
            diagnose();
            return false;
        }
        edge();
#if RING_CUTS > 0
        top_->hold = next_hold_;
#endif
        if (accepted)
            top_->s_hit_valid = 0;
    }
    return true;
}

#if RING_CUTS > 0
/* What passes between the parts, and what waits there. */
void simulation::watch_cuts()
{
    for (int c = 0; c < RING_CUTS; c++) {
        if (!(top_->cut_valid >> c & 1))
            continue;
        if (!(top_->cut_ready >> c & 1)) {
            blocked_[c]++;
            continue;
        }
        if (at_cut_[c] == events_.size())
            die("more events between parts than were sent");
        event &ev = events_[at_cut_[c]];
        if (!inside_[c])
            ev.first_at_cut[c] = cycle_;
        ev.last_at_cut[c] = cycle_;
        inside_[c] = !(top_->cut_last >> c & 1);
        at_cut_[c] += !inside_[c];
    }
}
#endif

#if RING_CUTS > 0
/* From the next cycle on. */
void simulation::hold_part()
{
    if (held_ > 0 && --held_ == 0)
        next_hold_ = 0;
    if (stall_part_ >= 0 && (top_->part_gives >> stall_part_ & 1) && stall_transfer_-- == 0) {
        next_hold_ = 1u << stall_part_;
        held_ = stall_cycles_;
    }
}
#endif

void simulation::diagnose() const
{
    std::fprintf(stderr,
                 "sim: stuck at cycle %" PRId64 ": nothing moved for %lld cycles; s_hit valid %d ready %d, %d hits of event %zu sent; "
                 "m_out valid %d ready %d, event %zu awaited\n",
                 cycle_, static_cast<long long>(patience_), top_->s_hit_valid, top_->s_hit_ready, hit_, in_, top_->m_out_valid,
                 top_->m_out_ready, out_);
#ifdef RING_TRACE
#define X(number, name, wire, first, count, width, is_signed) \
    if (first == 0) \
        std::fprintf(stderr, "sim:   %-12s valid %d ready %d tag %x\n", name, top_->rootp->wire##_valid, top_->rootp->wire##_ready, \
                     static_cast<unsigned>(top_->rootp->wire##_tag));
    RING_STREAMS(X)
#undef X
#endif
}

/* int32 words: stream, tag, values. */
void simulation::trace()
{
#ifdef RING_TRACE
#define X(number, name, wire, first, count, width, is_signed) \
    if (top_->rootp->wire##_valid && top_->rootp->wire##_ready) { \
        const std::vector<uint32_t> words = get_port(top_->rootp->wire##_data); \
        std::vector<int32_t> record = {number, static_cast<int32_t>(top_->rootp->wire##_tag)}; \
        for (int i = 0; i < count; i++) \
            record.push_back(static_cast<int32_t>(field(words, (first + i) * width, width, is_signed))); \
        std::fwrite(record.data(), 4, record.size(), trace_); \
    }
    RING_STREAMS(X)
#undef X
#endif
}

void simulation::write_results(const char *path) const
{
    FILE *f = std::fopen(path, "wb");
    if (!f)
        die(std::string("cannot write ") + path);
    for (const event &ev : events_) {
        std::vector<int32_t> record = {ev.refused + 2 * ev.error, static_cast<int32_t>(ev.words.size() / RING_LANES)};
        for (const int64_t c : {ev.offered, ev.first_in, ev.last_in, ev.first_out, ev.last_out}) {
            record.push_back(static_cast<int32_t>(c & 0xffffffff));
            record.push_back(static_cast<int32_t>(c >> 32));
        }
#if RING_CUTS > 0
        for (int k = 0; k < RING_CUTS; k++)
            for (const int64_t c : {ev.first_at_cut[k], ev.last_at_cut[k]}) {
                record.push_back(static_cast<int32_t>(c & 0xffffffff));
                record.push_back(static_cast<int32_t>(c >> 32));
            }
#endif
        record.insert(record.end(), ev.words.begin(), ev.words.end());
        std::fwrite(record.data(), 4, record.size(), f);
    }
#if RING_CUTS > 0
    for (const int64_t c : blocked_) {
        const int32_t words[2] = {static_cast<int32_t>(c & 0xffffffff), static_cast<int32_t>(c >> 32)};
        std::fwrite(words, 4, 2, f);
    }
#endif
#if RING_PAGED_RINGS > 0
    const std::vector<uint32_t> retries = get_port(top_->page_retries), errors = get_port(top_->page_error);
    for (int r = 0; r < RING_PAGED_RINGS; r++) {
        const int32_t words[2] = {static_cast<int32_t>(field(retries, 16 * r, 16, false)),
                                  static_cast<int32_t>(field(errors, r, 1, false))};
        std::fwrite(words, 4, 2, f);
    }
    const std::vector<uint32_t> late = get_port(top_->page_late), stalls = get_port(top_->page_stalls);
    for (int s = 0; s < RING_PAGED_STAGES; s++) {
        const int32_t words[3] = {static_cast<int32_t>(field(late, s, 1, false)), static_cast<int32_t>(field(stalls, 32 * s, 32, false)),
                                  0};
        std::fwrite(words, 4, 3, f);
    }
#endif
    if (std::fclose(f) != 0)
        die(std::string("cannot write ") + path);
}

} // namespace

int main(int argc, char **argv)
{
    const char *files[2] = {nullptr, nullptr}, *trace = nullptr;
    int count = 0, stalls = 0;
    uint64_t seed = 1;
    bool lone = false, load = false, random = false;
    long long patience = 0, part_stall[3] = {-1, 0, 0};
    double token = 0, result = 0;
    const char *writes = nullptr;
    int switch_at = 0;
    for (int i = 1; i < argc; i++) {
        const std::string arg = argv[i];
        if (arg == "--lone")
            lone = true;
        else if (arg == "--load")
            load = true;
        else if (arg == "--random")
            random = true;
        else if (arg == "--stalls" && i + 1 < argc)
            stalls = std::atoi(argv[++i]);
        else if (arg == "--seed" && i + 1 < argc)
            seed = std::strtoull(argv[++i], nullptr, 10);
        else if (arg == "--pace" && i + 2 < argc) {
            token = std::atof(argv[++i]);
            result = std::atof(argv[++i]);
        } else if (arg == "--switch" && i + 2 < argc) {
            writes = argv[++i];
            switch_at = std::atoi(argv[++i]);
        } else if (arg == "--trace" && i + 1 < argc)
            trace = argv[++i];
        else if (arg == "--patience" && i + 1 < argc)
            patience = std::atoll(argv[++i]);
        else if (arg == "--part-stall" && i + 3 < argc)
            for (long long &number : part_stall)
                number = std::atoll(argv[++i]);
        else if (arg[0] == '+')
            continue; /* for the Verilog */
        else if (count < 2 && arg[0] != '-')
            files[count++] = argv[i];
        else
            die("unknown argument " + arg);
    }
    if (count != 2)
        die("usage: sim EVENTS RESULTS [--stalls PERCENT] [--seed N] [--random] [--lone] [--load] [--pace TOKEN RESULT] [--trace FILE] "
            "[--patience CYCLES] [--part-stall PART TRANSFER CYCLES] [--switch WRITES EVENT]");
    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.fatalOnError(false); /* an assertion ends the run as any other end of the Verilog does */
    context.randReset(random ? 2 : 0);
    context.randSeed(static_cast<int>(seed % 0x7fffffff) + 1);
    simulation sim(&context, stalls, seed, lone);
    sim.set_pace(token, result);
    const std::vector<int32_t> words = read_words(files[0]);
    sim.read_events(words);
    const std::vector<int32_t> later = writes ? read_words(writes) : std::vector<int32_t>();
    if (writes && (later.empty() || later.size() != 1 + 7 * static_cast<size_t>(later[0])))
        die("the file of weights is cut off");
    if (writes)
        sim.set_switch(&later, switch_at);
    if (trace && !sim.open_trace(trace))
        die(std::string("cannot write ") + trace);
    sim.reset();
    if (load)
        sim.load();
    sim.settle();
    sim.set_patience(patience);
    sim.set_part_stall(static_cast<int>(part_stall[0]), part_stall[1], part_stall[2]);
    const bool finished = sim.run();
    if (!sim.close_trace())
        die(std::string("cannot write ") + trace);
    sim.write_results(files[1]);
    return finished ? 0 : 3;
}
