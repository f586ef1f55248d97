// The devices of a package, simulated, as a library that a program opens: clocks, AXI4-Lite accesses, events in, results out, as a driver
// and a DMA would. tb/sim_library.mk builds sim/libtessera_sim.so of it; the host library's back end "sim" calls it. One thread at a time.
#include <sched.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "Vsim.h"
#include "sim_library.h"
#include "verilated.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

enum { VERSION = 1, DEVICES = SIM_DEVICES, HELD = 2, HIT_BYTES = SIM_HIT_BUS / 8, RESULT_BYTES = SIM_RESULT_BUS / 8 };

// As src/run/sim.c of the host library has it.
struct options {
    int stalls;                 // pauses of both streams, percent
    unsigned seed;              // of them
    unsigned bus_ps, engine_ps; // periods of all devices; 0: those that were planned for
    long long engine_stops;     // the engine clocks stand still from this time on, ns, until a restart; 0: they do not
    long long taker_stops;      // no result is taken behind so many words, until a restart; 0: always
};

typedef std::vector<uint8_t> bytes;

// Bits of a port, whatever type Verilator has for its width.
template <class port> static void put(port &to, const uint8_t *from, size_t size)
{
    memset(&to, 0, sizeof to);
    memcpy(&to, from, size < sizeof to ? size : sizeof to);
}
template <class port> static void get(const port &from, uint8_t *to, size_t size)
{
    memset(to, 0, size);
    memcpy(to, &from, size < sizeof from ? size : sizeof from);
}
template <class port> static bool bit(const port &of, int k)
{
    return (of >> k) & 1;
}
template <class port> static void set(port &of, int k, bool value)
{
    of = static_cast<port>(value ? of | (1U << k) : of & ~(1U << k));
}

struct clock_line {
    uint64_t next, half;
    bool high;
};

struct simulation {
    options o;
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vsim> top;
    std::vector<clock_line> clock; // bus clocks, engine clocks, link clocks
    uint64_t now = 0, seed = 0, cycles = 0;
    std::deque<bytes> in; // events that wait; the first is being sent
    size_t sent = 0;      // bytes of it
    bool closing = false; // its last word is offered
    bytes coming;         // of the event whose results come
    std::deque<std::pair<bytes, unsigned>> out;
    long long words = 0;
    bool held = false;
    std::string where;

    explicit simulation(const options &given) : o(given)
    {
    }

    bool chance(int percent)
    {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return static_cast<int>((seed >> 33) % 100) < percent;
    }

    void build(const char *directory, const char *arguments)
    {
        context.reset(new VerilatedContext);
        std::vector<std::string> words{"sim"};
        for (const char *at = arguments; *at;) {
            const size_t length = strcspn(at, " ");
            if (length)
                words.push_back(std::string(at, length));
            at += length + (at[length] == ' ');
        }
        std::vector<const char *> list;
        for (const std::string &word : words)
            list.push_back(word.c_str());
        context->commandArgs(static_cast<int>(list.size()), list.data());
        // Memory images are read by names below the package's directory: a thread of its own goes there, and the process stays where it is.
        bool there = false;
        std::thread([&] {
            there = unshare(CLONE_FS) == 0 && chdir(directory) == 0;
            if (!there)
                return;
            top.reset(new Vsim(context.get(), "sim"));
            start_clocks();
            top->aresetn = 0;
            top->eval();
        }).join();
        if (!there)
            top.reset();
    }

    void start_clocks()
    {
        clock.clear();
        for (int k = 0; k < DEVICES; k++)
            clock.push_back({now + 500 + 13U * static_cast<unsigned>(k), (o.bus_ps ? o.bus_ps : sim_bus_ps[k]) / 2, false});
        for (int k = 0; k < DEVICES; k++)
            clock.push_back({now + 700 + 17U * static_cast<unsigned>(k), (o.engine_ps ? o.engine_ps : sim_engine_ps[k]) / 2, false});
#if SIM_DEVICES > 1
        for (int k = 0; k < 2 * DEVICES - 2; k++)
            clock.push_back({now + 900 + 19U * static_cast<unsigned>(k), sim_link_ps[k] / 2, false});
        uint8_t word[4 * (DEVICES - 1)];
        for (int k = 0; k < DEVICES - 1; k++)
            memcpy(word + 4 * k, &sim_word_ps[k], 4);
        put(top->word, word, sizeof word);
#endif
        top->aclk = 0;
        top->engine_clk = 0;
    }

    void drive(size_t k, bool value)
    {
        if (k < DEVICES)
            set(top->aclk, static_cast<int>(k), value);
        else if (k < 2 * DEVICES)
            set(top->engine_clk, static_cast<int>(k) - DEVICES, value);
#if SIM_DEVICES > 1
        else
            set(top->link_clk, static_cast<int>(k) - 2 * DEVICES, value);
#endif
    }

    // What the two streams do at this edge of the bus clock; what they offer changes behind it.
    void before_edge(int k, bool &taken, bool &got)
    {
        taken = k == 0 && top->s_tvalid && top->s_tready;
        got = k == DEVICES - 1 && top->m_tvalid && top->m_tready;
        if (got) {
            uint8_t data[RESULT_BYTES], keep[(RESULT_BYTES + 7) / 8];
            get(top->m_tdata, data, sizeof data);
            get(top->m_tkeep, keep, sizeof keep);
            for (int i = 0; i < RESULT_BYTES; i++)
                if (keep[i / 8] >> (i % 8) & 1)
                    coming.push_back(data[i]);
            words++;
            if (top->m_tlast) {
                out.push_back({coming, static_cast<unsigned>(top->m_tuser)});
                coming.clear();
            }
        }
    }

    void behind_edge(int k, bool taken)
    {
        if (k == 0) {
            if (taken && closing) {
                in.pop_front();
                sent = 0;
                closing = false;
            }
            if (taken)
                top->s_tvalid = 0;
            if (!top->s_tvalid && !in.empty() && !chance(o.stalls)) {
                const bytes &event = in.front();
                const size_t size = event.size() - sent < HIT_BYTES ? event.size() - sent : HIT_BYTES;
                uint8_t keep[(HIT_BYTES + 7) / 8] = {0};
                for (size_t i = 0; i < size; i++)
                    keep[i / 8] = static_cast<uint8_t>(keep[i / 8] | 1U << (i % 8));
                put(top->s_tdata, event.data() + sent, size);
                put(top->s_tkeep, keep, sizeof keep);
                sent += size;
                closing = sent == event.size();
                top->s_tlast = closing;
                top->s_tvalid = 1;
            }
        }
        if (k == DEVICES - 1)
            top->m_tready = out.size() < HELD && !(o.taker_stops && words >= o.taker_stops) && !chance(o.stalls);
    }

    // To the next edges. False where the simulation has ended itself.
    bool step(bool &bus, int &device)
    {
        bus = false;
        uint64_t next = UINT64_MAX;
        for (const clock_line &c : clock)
            next = c.next < next ? c.next : next;
        now = next;
        context->time(now);
        const bool stopped = o.engine_stops && now > static_cast<uint64_t>(o.engine_stops) * 1000;
        bool edge[DEVICES] = {false}, taken[DEVICES] = {false}, got = false;
        for (size_t k = 0; k < clock.size(); k++) {
            clock_line &c = clock[k];
            if (c.next != now)
                continue;
            c.next += c.half;
            if (stopped && k >= DEVICES && k < 2 * DEVICES)
                continue;
            c.high = !c.high;
            if (k < DEVICES && c.high) {
                edge[k] = true;
                before_edge(static_cast<int>(k), taken[k], got);
            }
            drive(k, c.high);
        }
        top->eval();
        for (int k = 0; k < DEVICES; k++)
            if (edge[k]) {
                behind_edge(k, taken[k]);
                cycles += k == 0;
                bus = true;
                device |= 1 << k;
            }
        top->eval();
        return !context->gotFinish();
    }

    // Cycles of the first device's bus clock, or until a result is there.
    int run(long long count, bool stop)
    {
        const uint64_t end = cycles + static_cast<uint64_t>(count);
        while (cycles < end && !(stop && !out.empty())) {
            bool bus;
            int device = 0;
            if (!step(bus, device))
                return -1;
        }
        return out.empty() ? 0 : 1;
    }

    void forget()
    {
        in.clear();
        out.clear();
        coming.clear();
        sent = 0;
        closing = false;
    }

    void reset()
    {
        forget();
        top->s_tvalid = 0;
        top->m_tready = 0;
        top->awvalid = 0;
        top->wvalid = 0;
        top->bready = 0;
        top->arvalid = 0;
        top->rready = 0;
        top->aresetn = 0;
        run(64, false);
        forget(); // what was still taken before the reset was seen
        top->s_tvalid = 0;
        top->aresetn = 1;
        run(256, false);
    }

    // To the next rising edge of a device's bus clock; false where it has ended.
    bool edge_of(int device)
    {
        for (;;) {
            bool bus;
            int which = 0;
            if (!step(bus, which))
                return false;
            if (which >> device & 1)
                return true;
        }
    }
};

EXPORT int tessera_sim_version()
{
    return VERSION;
}

EXPORT int tessera_sim_devices()
{
    return DEVICES;
}

// NULL where the directory cannot be gone to.
EXPORT void *tessera_sim_open(const char *directory, const options *o, const char *plus_arguments)
{
    std::unique_ptr<simulation> s(new simulation(*o));
    s->seed = 0x9e3779b97f4a7c15ULL * (o->seed + 1);
    s->build(directory, plus_arguments);
    if (!s->top)
        return nullptr;
    s->reset();
    return s.release();
}

EXPORT void tessera_sim_close(void *handle)
{
    simulation *s = static_cast<simulation *>(handle);
    s->top->final();
    delete s;
}

// 0: done; 1: SLVERR; 2: no answer in `cycles` of the bus clock; 3: the simulation has ended itself.
EXPORT int tessera_sim_access(void *handle, int device, int write, unsigned address, unsigned *value, long long cycles)
{
    simulation *s = static_cast<simulation *>(handle);
    Vsim *t = s->top.get();
    bool address_open = true, data_open = write;
    if (write) {
        t->awaddr = static_cast<unsigned short>(address);
        t->wdata = *value;
        set(t->awvalid, device, true);
        set(t->wvalid, device, true);
        set(t->bready, device, true);
    } else {
        t->araddr = static_cast<unsigned short>(address);
        set(t->arvalid, device, true);
        set(t->rready, device, true);
    }
    t->eval();
    int result = 2;
    for (long long i = 0; i < cycles; i++) {
        // As the signals are now, they are at the next edge.
        const bool address_taken = write ? bit(t->awready, device) : bit(t->arready, device), data_taken = bit(t->wready, device);
        const bool answered = write ? bit(t->bvalid, device) : bit(t->rvalid, device);
        uint8_t data[4 * DEVICES], response[DEVICES];
        get(t->rdata, data, sizeof data);
        response[0] = 0;
        const unsigned responses = write ? t->bresp : t->rresp;
        if (!s->edge_of(device)) {
            result = 3;
            break;
        }
        if (address_open && address_taken) {
            address_open = false;
            if (write)
                set(t->awvalid, device, false);
            else
                set(t->arvalid, device, false);
        }
        if (data_open && data_taken) {
            data_open = false;
            set(t->wvalid, device, false);
        }
        if (answered && !address_open && !data_open) {
            result = (responses >> (2 * device) & 3) ? 1 : 0;
            if (!write)
                memcpy(value, data + 4 * device, 4);
            break;
        }
    }
    set(t->bready, device, false);
    set(t->rready, device, false);
    t->eval();
    return result;
}

// 1: taken; 0: not now.
EXPORT int tessera_sim_send(void *handle, const uint8_t *event, size_t size)
{
    simulation *s = static_cast<simulation *>(handle);
    if (s->in.size() >= HELD)
        return 0;
    s->in.emplace_back(event, event + size);
    return 1;
}

// 1: *size bytes, *flags; 0: nothing is there; -1: it does not fit.
EXPORT int tessera_sim_take(void *handle, uint8_t *to, size_t room, size_t *size, unsigned *flags)
{
    simulation *s = static_cast<simulation *>(handle);
    if (s->out.empty())
        return 0;
    const bytes &event = s->out.front().first;
    if (event.size() > room)
        return -1;
    memcpy(to, event.data(), event.size());
    *size = event.size();
    *flags = s->out.front().second;
    s->out.pop_front();
    return 1;
}

// Cycles of the first bus clock, fewer where a result comes. 1: one is there; 0: none; -1: the simulation has ended itself.
EXPORT int tessera_sim_run(void *handle, long long cycles)
{
    return static_cast<simulation *>(handle)->run(cycles, true);
}

// As power-up: what was stopped goes on.
EXPORT void tessera_sim_restart(void *handle)
{
    simulation *s = static_cast<simulation *>(handle);
    s->o.engine_stops = 0;
    s->o.taker_stops = 0;
    s->reset();
}

EXPORT unsigned long long tessera_sim_pages(int device, int loader)
{
    return sim_pages[device] + (static_cast<unsigned long long>(loader) << 32);
}
