/* The frame of every Verilator bench: ports by name, streams with random stalls and protocol checks, expected beats, watchdog,
   PASS or FAIL with the seed. A bench is a program

       int main(int argc, char **argv)
       {
           bench b(argc, argv);
           Vtop top(b.context());
           b.dut(top);                      // finds clk, and fault, which must never be up
           b.reset(top.rst);                // control modules only
           b.in("s_valid", top.s_valid, 1); // every port, by name and width
           ...
           source &s = b.add_source("s", {"s_data", "s_tag"}); // valid and ready are <prefix>_valid, <prefix>_ready
           sink &m = b.add_sink("m", {"m_data", "m_tag"});
           s.send({data, tag});  m.expect({data, tag});         // any number, before or between runs
           b.run();                                             // until all is sent and received
           return b.finish();
       }

   The parameters of the case are macros P_<NAME> (run.sh includes them). Arguments: --seed N, --stall A,B,...: percent of the
   cycles in which each stream pauses, in the order in which streams were added; 100, for sinks only: ready waits for valid, so that
   a valid that waits for ready is found; --record DIR: also write tb.v and tb.txt, which
   replay the same cycles in Icarus, where memories and registers start at X. */
#ifndef TS_RTL_BENCH_H
#define TS_RTL_BENCH_H
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "verilated.h"

/* A value of any width; bits beyond the width are zero. */
class bits
{
  public:
    bits() = default;
    explicit bits(int width, uint64_t value = 0);
    int width() const
    {
        return width_;
    }
    void put(int lsb, int width, int64_t value); /* width <= 64; the value's low bits */
    uint64_t u(int lsb, int width) const;        /* width <= 64 */
    int64_t s(int lsb, int width) const;         /* sign-extended */
    uint64_t u() const
    {
        return u(0, width_);
    }
    int64_t s() const
    {
        return s(0, width_);
    }
    bool operator==(const bits &other) const
    {
        return width_ == other.width_ && word_ == other.word_;
    }
    bool operator!=(const bits &other) const
    {
        return !(*this == other);
    }
    bits masked(const bits &mask) const;
    std::string hex() const;
    /* As Verilog reads it: binary, x where `care` (if any) is zero. */
    std::string binary(const bits *care) const;

  private:
    friend class port;
    int width_ = 0;
    std::vector<uint32_t> word_;
};

/* All values of a vector port: element i at [i*width +: width]. */
bits pack(const std::vector<int64_t> &value, int width);
std::vector<int64_t> unpack(const bits &value, int width, bool is_signed);

/* A port of the design. */
class port
{
  public:
    port() = default;
    port(CData &p, int width) : data_(&p), bytes_(1), width_(width)
    {
    }
    port(SData &p, int width) : data_(&p), bytes_(2), width_(width)
    {
    }
    port(IData &p, int width) : data_(&p), bytes_(4), width_(width)
    {
    }
    port(QData &p, int width) : data_(&p), bytes_(8), width_(width)
    {
    }
    template <std::size_t N> port(VlWide<N> &p, int width) : data_(&p[0]), bytes_(0), width_(width)
    {
    }
    bits get() const;
    void set(const bits &value);
    void set(uint64_t value)
    {
        set(bits(width_, value));
    }
    int width() const
    {
        return width_;
    }

  private:
    void *data_ = nullptr;
    int bytes_ = 0; /* 0: words of 32 bits */
    int width_ = 0;
};

using beat = std::vector<bits>; /* one value a port of the stream */

class bench;

/* Pauses in `percent` of the cycles, now and then for long enough to fill every buffer behind it. */
class staller
{
  public:
    staller(int percent, uint64_t seed) : percent_(percent), state_(seed)
    {
    }
    bool now();
    bool always() const
    {
        return percent_ == 100;
    }

  private:
    int percent_;
    int left_ = 0;
    uint64_t state_;
};

/* Drives a stream; data ports carry noise while valid is low. */
class source
{
  public:
    void send(const beat &b)
    {
        queue_.push_back(b);
    }
    bool empty() const
    {
        return queue_.empty() && !valid_;
    }
    std::vector<uint64_t> accepted_at; /* the cycle in which each beat was taken */

  private:
    friend class bench;
    source(bench &owner, const std::string &prefix, const std::vector<std::string> &data, staller stalls);
    void drive();
    void sample();
    bench &bench_;
    std::string prefix_;
    port *valid_port_, *ready_port_;
    std::vector<port *> data_;
    staller staller_;
    std::deque<beat> queue_;
    bool valid_ = false;
};

/* Takes a stream and compares it, beat by beat. valid must hold with stable data until taken. */
class sink
{
  public:
    void expect(const beat &b)
    {
        expect(b, {});
    }
    /* Only the bits that are one in `care` are compared (a port's empty mask: all). */
    void expect(const beat &b, const beat &care)
    {
        expected_.push_back({b, care});
    }
    /* Instead of expected beats: called with each beat that is taken; returns false where it is wrong. */
    void check(std::function<bool(const beat &)> fn)
    {
        check_ = fn;
    }
    bool empty() const
    {
        return expected_.empty();
    }
    uint64_t count() const
    {
        return taken_at.size();
    }
    std::vector<uint64_t> taken_at; /* the cycle in which each beat was taken */
    std::vector<uint64_t> valid_at; /* the cycle in which each beat was first offered */

  private:
    friend class bench;
    struct item {
        beat value, care;
    };
    sink(bench &owner, const std::string &prefix, const std::vector<std::string> &data, staller stalls);
    void drive();
    void sample();
    const bits *care(const std::string &name) const;
    bench &bench_;
    std::string prefix_;
    port *valid_port_, *ready_port_;
    std::vector<std::string> name_;
    std::vector<port *> data_;
    staller staller_;
    std::deque<item> expected_;
    std::function<bool(const beat &)> check_;
    bool waiting_ = false; /* valid was up without ready: `held` must stay */
    beat held_;
};

class bench
{
  public:
    bench(int argc, char **argv);
    ~bench();
    VerilatedContext *context()
    {
        return &context_;
    }
    template <class T> void dut(T &top)
    {
        eval_ = [&top] { top.eval(); };
        find_clock(top, 0);
        find_fault(top, 0);
    }
    void reset(CData &rst)
    {
        rst_ = &rst;
    }
    template <class T> void in(const std::string &name, T &p, int width)
    {
        add(name, port(p, width), true, "");
    }
    /* Replays compare an output always, or only while the one-bit output `valid` is up. */
    template <class T> void out(const std::string &name, T &p, int width, const std::string &valid = "")
    {
        add(name, port(p, width), false, valid);
    }
    port &at(const std::string &name);
    source &add_source(const std::string &prefix, const std::vector<std::string> &data);
    sink &add_sink(const std::string &prefix, const std::vector<std::string> &data);

    /* One clock cycle: drives the streams, settles, samples, ticks. The first call resets (8 cycles) first. Between two calls
       outputs show the values before the next edge, settled with the inputs of the cycle that has just ended. */
    void cycle();
    /* Called in every cycle when inputs and outputs have settled, before the clock's edge. */
    void each_cycle(std::function<void()> fn)
    {
        hook_ = fn;
    }
    /* An assertion of the Verilog ($stop), or the output `fault` of the design, is no failure of the bench. */
    void may_stop()
    {
        may_stop_ = true;
    }
    /* Cycles until all sources are empty and all sinks have what they expect (and `more` is false), then `drain` more, in
       which nothing may arrive. A failure, or nothing moving for `watchdog` cycles, ends it. */
    void run(int drain = 64, uint64_t watchdog = 20000, std::function<bool()> more = nullptr);
    void fail(const char *fmt, ...) __attribute__((format(printf, 2, 3)));
    void check(bool ok, const char *what)
    {
        if (!ok)
            fail("%s", what);
    }
    /* Counts a comparison that the bench made itself: a bench that compared nothing does not pass. */
    void compared(uint64_t count = 1)
    {
        compared_ += count;
    }
    bool failed() const
    {
        return failures_ > 0;
    }
    uint64_t now() const
    {
        return cycle_;
    }
    int finish(); /* the program's exit status */

    /* Random data, independent of the stalls. */
    uint64_t rnd();
    int64_t pick(int64_t lo, int64_t hi);
    /* A value of a format, with its extremes, 0 and +-1 far more often than chance; `full`: the most negative value too. */
    int64_t value(int width, bool is_signed, bool full = false);
    uint64_t seed() const
    {
        return seed_;
    }
    bool stalled() const; /* some stream pauses: no cycle counts can be expected */

  private:
    friend class source;
    friend class sink;
    struct port_info {
        std::string name;
        port p;
        bool input;
        std::string valid;
    };
    template <class T> auto find_clock(T &top, int) -> decltype((void)top.clk)
    {
        clk_ = &top.clk;
    }
    template <class T> void find_clock(T &, long)
    {
    } /* combinational: a cycle only settles */
    template <class T> auto find_fault(T &top, int) -> decltype((void)top.fault)
    {
        fault_ = &top.fault;
    }
    template <class T> void find_fault(T &, long)
    {
    }
    void add(const std::string &name, const port &p, bool input, const std::string &valid);
    staller next_staller();
    void tick();
    void record(bool in_reset);
    void write_replay();

    VerilatedContext context_;
    std::function<void()> eval_, hook_;
    CData no_clock_ = 0, *clk_ = &no_clock_, *rst_ = nullptr, no_fault_ = 0, *fault_ = &no_fault_;
    std::vector<port_info> port_;
    std::vector<std::unique_ptr<source>> source_;
    std::vector<std::unique_ptr<sink>> sink_;
    std::vector<int> stall_;
    size_t streams_ = 0;
    uint64_t seed_ = 1, state_ = 1, noise_ = 1, cycle_ = 0, moved_ = 0, compared_ = 0, recorded_ = 0;
    int failures_ = 0;
    bool started_ = false, may_stop_ = false;
    std::string record_dir_;
    FILE *record_file_ = nullptr;
};

/* The word with its parity bit on top, so that it has an even number of ones. */
bits with_parity(const bits &word);
std::vector<bits> with_parity(const std::vector<bits> &word);

/* Writes a memory image as ts_mem reads it: words of `width` bits in slices of at most 72, <prefix><slice, 3 digits>.hex. */
void write_image(const std::string &prefix, const std::vector<bits> &word, int width);

#endif
