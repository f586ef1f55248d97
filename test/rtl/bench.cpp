#include "bench.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

/* Benches link the kernels without the library around them: a broken invariant there ends the program, and no call of it. */
extern "C" void ts_boundary_leave(int code, const char *fmt, ...);
extern "C" void ts_boundary_leave(int, const char *, ...)
{
}

static uint64_t splitmix(uint64_t &state)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* ---- bits ---- */

bits::bits(int width, uint64_t value) : width_(width), word_(static_cast<size_t>((width + 31) / 32))
{
    put(0, width < 64 ? width : 64, static_cast<int64_t>(value));
}

void bits::put(int lsb, int width, int64_t value)
{
    if (lsb < 0 || width > 64 || lsb + width > width_) {
        fprintf(stderr, "bench: [%d +: %d] is outside a value of %d bits\n", lsb, width, width_);
        abort();
    }
    for (int i = 0; i < width;) {
        const int at = (lsb + i) % 32, n = std::min(32 - at, width - i);
        const uint32_t mask = (n == 32 ? ~0u : (1u << n) - 1) << at;
        uint32_t &w = word_[static_cast<size_t>((lsb + i) / 32)];
        w = (w & ~mask) | ((static_cast<uint32_t>(static_cast<uint64_t>(value) >> i) << at) & mask);
        i += n;
    }
}

uint64_t bits::u(int lsb, int width) const
{
    if (lsb < 0 || width > 64 || lsb + width > width_) {
        fprintf(stderr, "bench: [%d +: %d] is outside a value of %d bits\n", lsb, width, width_);
        abort();
    }
    uint64_t out = 0;
    for (int i = 0; i < width;) {
        const int at = (lsb + i) % 32, n = std::min(32 - at, width - i);
        const uint32_t mask = n == 32 ? ~0u : (1u << n) - 1;
        out |= static_cast<uint64_t>((word_[static_cast<size_t>((lsb + i) / 32)] >> at) & mask) << i;
        i += n;
    }
    return out;
}

int64_t bits::s(int lsb, int width) const
{
    const uint64_t sign = static_cast<uint64_t>(1) << (width - 1);
    return static_cast<int64_t>((u(lsb, width) ^ sign) - sign);
}

bits bits::masked(const bits &mask) const
{
    bits out = *this;
    for (size_t i = 0; i < word_.size(); i++)
        out.word_[i] &= mask.word_[i];
    return out;
}

std::string bits::hex() const
{
    std::string out;
    for (int i = (width_ + 3) / 4 - 1; i >= 0; i--)
        out += "0123456789abcdef"[u(4 * i, std::min(4, width_ - 4 * i))];
    return out;
}

std::string bits::binary(const bits *care) const
{
    std::string out;
    for (int i = width_ - 1; i >= 0; i--)
        out += care && !care->u(i, 1) ? 'x' : static_cast<char>('0' + u(i, 1));
    return out;
}

bits pack(const std::vector<int64_t> &value, int width)
{
    bits out(static_cast<int>(value.size()) * width);
    for (size_t i = 0; i < value.size(); i++)
        out.put(static_cast<int>(i) * width, width, value[i]);
    return out;
}

std::vector<int64_t> unpack(const bits &value, int width, bool is_signed)
{
    std::vector<int64_t> out;
    for (int i = 0; i + width <= value.width(); i += width)
        out.push_back(is_signed ? value.s(i, width) : static_cast<int64_t>(value.u(i, width)));
    return out;
}

/* ---- ports ---- */

bits port::get() const
{
    bits out(width_);
    if (bytes_ == 0) {
        memcpy(out.word_.data(), data_, 4 * out.word_.size());
    } else {
        uint64_t value = 0;
        memcpy(&value, data_, static_cast<size_t>(bytes_));
        out.put(0, width_, static_cast<int64_t>(value));
    }
    return out;
}

void port::set(const bits &value)
{
    if (value.width() != width_) {
        fprintf(stderr, "bench: a value of %d bits for a port of %d\n", value.width(), width_);
        abort();
    }
    if (bytes_ == 0) {
        memcpy(data_, value.word_.data(), 4 * value.word_.size());
    } else {
        const uint64_t v = value.u(0, width_);
        memcpy(data_, &v, static_cast<size_t>(bytes_));
    }
}

/* ---- streams ---- */

bool staller::now()
{
    if (left_ > 0) {
        left_--;
        return true;
    }
    if (percent_ == 0)
        return false;
    const uint64_t r = splitmix(state_);
    if ((r >> 32) % 199 == 0)
        left_ = static_cast<int>((r >> 8) % 300);
    return static_cast<int>(r % 100) < percent_;
}

source::source(bench &owner, const std::string &prefix, const std::vector<std::string> &data, staller stalls)
    : bench_(owner), prefix_(prefix), valid_port_(&owner.at(prefix + "_valid")), ready_port_(&owner.at(prefix + "_ready")), staller_(stalls)
{
    for (const std::string &name : data)
        data_.push_back(&owner.at(name));
}

void source::drive()
{
    if (!valid_)
        valid_ = !queue_.empty() && !staller_.now();
    valid_port_->set(valid_);
    for (size_t i = 0; i < data_.size(); i++) {
        if (valid_) {
            data_[i]->set(queue_.front().at(i));
            continue;
        }
        bits noise(data_[i]->width());
        for (int at = 0; at < noise.width(); at += 64)
            noise.put(at, std::min(64, noise.width() - at), static_cast<int64_t>(splitmix(bench_.noise_)));
        data_[i]->set(noise);
    }
}

void source::sample()
{
    if (!valid_ || !ready_port_->get().u())
        return;
    accepted_at.push_back(bench_.cycle_);
    queue_.pop_front();
    valid_ = false;
    bench_.moved_ = bench_.cycle_;
}

sink::sink(bench &owner, const std::string &prefix, const std::vector<std::string> &data, staller stalls)
    : bench_(owner), prefix_(prefix), valid_port_(&owner.at(prefix + "_valid")), ready_port_(&owner.at(prefix + "_ready")), name_(data),
      staller_(stalls)
{
    for (const std::string &name : data)
        data_.push_back(&owner.at(name));
}

void sink::drive()
{
    ready_port_->set(staller_.always() ? waiting_ : !staller_.now());
}

const bits *sink::care(const std::string &name) const
{
    for (size_t i = 0; i < name_.size(); i++)
        if (name_[i] == name && !expected_.empty() && i < expected_.front().care.size() && expected_.front().care[i].width() > 0)
            return &expected_.front().care[i];
    return nullptr;
}

void sink::sample()
{
    if (!valid_port_->get().u()) {
        if (waiting_)
            bench_.fail("%s_valid fell before the beat was taken", prefix_.c_str());
        waiting_ = false;
        return;
    }
    beat now;
    for (const port *p : data_)
        now.push_back(p->get());
    if (!waiting_)
        valid_at.push_back(bench_.cycle_);
    else
        for (size_t i = 0; i < now.size(); i++)
            if (now[i] != held_[i])
                bench_.fail("%s changed while waiting: %s, was %s", name_[i].c_str(), now[i].hex().c_str(), held_[i].hex().c_str());
    held_ = now;
    waiting_ = !ready_port_->get().u();
    if (waiting_)
        return;
    bench_.moved_ = bench_.cycle_;
    taken_at.push_back(bench_.cycle_);
    bench_.compared();
    if (check_) {
        if (!check_(now))
            bench_.fail("%s: beat %zu is wrong", prefix_.c_str(), taken_at.size() - 1);
        return;
    }
    if (expected_.empty()) {
        bench_.fail("%s: beat %zu was not expected", prefix_.c_str(), taken_at.size() - 1);
        return;
    }
    const item want = expected_.front();
    for (size_t i = 0; i < now.size(); i++) {
        const bool all = i >= want.care.size() || want.care[i].width() == 0;
        if (all ? now[i] != want.value.at(i) : now[i].masked(want.care[i]) != want.value.at(i).masked(want.care[i]))
            bench_.fail("%s: beat %zu is %s, expected %s", name_[i].c_str(), taken_at.size() - 1, now[i].hex().c_str(),
                        want.value.at(i).hex().c_str());
    }
    expected_.pop_front();
}

/* ---- bench ---- */

bench::bench(int argc, char **argv)
{
    context_.fatalOnError(false); // an assertion fails the bench, with its seed
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        if (option == "--seed") {
            seed_ = strtoull(argv[i + 1], nullptr, 10);
        } else if (option == "--stall") {
            for (char *text = argv[i + 1]; *text;) {
                stall_.push_back(static_cast<int>(strtol(text, &text, 10)));
                text += *text == ',';
            }
        } else if (option == "--record") {
            record_dir_ = argv[i + 1];
        }
    }
    state_ = seed_ * 1000003u;
    noise_ = seed_ * 7919u + 5;
    context_.randReset(2); /* --x-initial unique: registers and memories start at random */
    context_.randSeed(static_cast<int>(seed_ % 1000000 + 1));
}

bench::~bench()
{
    if (record_file_)
        fclose(record_file_);
}

void bench::add(const std::string &name, const port &p, bool input, const std::string &valid)
{
    if (started_) {
        fprintf(stderr, "bench: port %s added after the first cycle\n", name.c_str());
        abort();
    }
    port_.push_back({name, p, input, valid});
    port_.reserve(256); /* streams keep pointers to ports */
    if (port_.size() > 250)
        abort();
}

port &bench::at(const std::string &name)
{
    for (port_info &p : port_)
        if (p.name == name)
            return p.p;
    fprintf(stderr, "bench: no port %s\n", name.c_str());
    abort();
}

staller bench::next_staller()
{
    const int percent = streams_ < stall_.size() ? stall_[streams_] : stall_.empty() ? 0 : stall_.back();
    streams_++;
    return staller(percent, seed_ * 31 + streams_ * 1000);
}

source &bench::add_source(const std::string &prefix, const std::vector<std::string> &data)
{
    source_.emplace_back(new source(*this, prefix, data, next_staller()));
    return *source_.back();
}

sink &bench::add_sink(const std::string &prefix, const std::vector<std::string> &data)
{
    sink_.emplace_back(new sink(*this, prefix, data, next_staller()));
    for (port_info &p : port_)
        for (const std::string &name : data)
            if (p.name == name)
                p.valid = prefix + "_valid";
    return *sink_.back();
}

bool bench::stalled() const
{
    for (int percent : stall_)
        if (percent > 0)
            return true;
    return false;
}

void bench::tick()
{
    *clk_ = 1;
    eval_();
    *clk_ = 0;
    eval_();
    cycle_++;
    if (may_stop_)
        return;
    if (context_.gotFinish() && !failed())
        fail("the Verilog ended the simulation");
    if (started_ && rst_ && !*rst_ && *fault_ && !failed())
        fail("fault is up");
}

void bench::record(bool in_reset)
{
    if (!record_file_)
        return;
    if (rst_)
        fprintf(record_file_, "%d ", static_cast<int>(*rst_));
    for (const port_info &p : port_) {
        if (p.input) {
            fprintf(record_file_, "%s ", p.p.get().binary(nullptr).c_str());
            continue;
        }
        const bits none(p.p.width()), *care = nullptr;
        if (in_reset || (!p.valid.empty() && !at(p.valid).get().u()))
            care = &none;
        for (const auto &s : sink_)
            care = care ? care : s->care(p.name);
        fprintf(record_file_, "%s ", p.p.get().binary(care).c_str());
    }
    fprintf(record_file_, "\n");
    recorded_++;
}

void bench::cycle()
{
    if (!started_) {
        started_ = true;
        if (!record_dir_.empty()) {
            record_file_ = fopen((record_dir_ + "/tb.txt").c_str(), "w");
            if (!record_file_) {
                fail("cannot write %s/tb.txt", record_dir_.c_str());
                return;
            }
        }
        *clk_ = 0;
        if (rst_) {
            *rst_ = 1;
            for (const auto &s : source_)
                s->valid_port_->set(0);
            for (int i = 0; i < 8; i++) {
                eval_();
                record(true);
                tick();
            }
            *rst_ = 0;
        }
    }
    for (const auto &s : source_)
        s->drive();
    for (const auto &s : sink_)
        s->drive();
    eval_();
    record(false);
    if (hook_)
        hook_();
    for (const auto &s : source_)
        s->sample();
    for (const auto &s : sink_)
        s->sample();
    tick();
}

void bench::run(int drain, uint64_t watchdog, std::function<bool()> more)
{
    moved_ = cycle_;
    for (;;) {
        bool busy = more && more();
        for (const auto &s : source_)
            busy = busy || !s->empty();
        for (const auto &s : sink_)
            busy = busy || !s->empty();
        if (!busy)
            break;
        if (failed())
            return;
        cycle();
        if (cycle_ - moved_ > watchdog) {
            for (const auto &s : source_)
                if (!s->empty())
                    fail("watchdog: %s has %zu beats left to send", s->prefix_.c_str(), s->queue_.size());
            for (const auto &s : sink_)
                if (!s->empty())
                    fail("watchdog: %s still expects %zu beats", s->prefix_.c_str(), s->expected_.size());
            fail("watchdog: nothing moved for %llu cycles", static_cast<unsigned long long>(watchdog));
            return;
        }
    }
    for (int i = 0; i < drain && !failed(); i++)
        cycle();
}

void bench::fail(const char *fmt, ...)
{
    if (failures_++ >= 10)
        return;
    va_list args;
    va_start(args, fmt);
    printf("  cycle %llu: ", static_cast<unsigned long long>(cycle_));
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
}

/* The replay holds the inputs of every cycle and the outputs that mattered; the design runs in Icarus from X. */
void bench::write_replay()
{
    FILE *f = fopen((record_dir_ + "/tb.v").c_str(), "w");
    if (!f) {
        fail("cannot write %s/tb.v", record_dir_.c_str());
        return;
    }
    fprintf(f, "module tb;\n    reg clk = 0;\n");
    std::string format, scan, connect = ".clk(clk)", compare;
    if (rst_) {
        fprintf(f, "    reg rst;\n");
        format = "%b ";
        scan = ", rst";
        connect += ", .rst(rst)";
    }
    for (const port_info &p : port_) {
        const std::string range = "[" + std::to_string(p.p.width() - 1) + ":0] ";
        format += "%b ";
        if (p.input) {
            fprintf(f, "    reg %s%s;\n", range.c_str(), p.name.c_str());
            scan += ", " + p.name;
        } else {
            fprintf(f, "    wire %s%s;\n    reg %swant_%s;\n", range.c_str(), p.name.c_str(), range.c_str(), p.name.c_str());
            scan += ", want_" + p.name;
            compare += "                for (i = 0; i < " + std::to_string(p.p.width()) + "; i = i + 1)\n" +
                       "                    if (want_" + p.name + "[i] !== 1'bx && want_" + p.name + "[i] !== " + p.name + "[i]) begin\n" +
                       "                        if (bad < 10) $display(\"  cycle %0d: " + p.name + "[%0d] is %b, expected %b\", n, i, " +
                       p.name + "[i], want_" + p.name + "[i]);\n" + "                        bad = bad + 1;\n                    end\n";
        }
        connect += ", ." + p.name + "(" + p.name + ")";
    }
    fprintf(f, "    integer file, n, i, bad, got;\n\n`include \"dut.vh\"\n        (%s);\n", connect.c_str());
    fprintf(f, "    initial begin\n        file = $fopen(\"tb.txt\", \"r\"); bad = 0;\n");
    fprintf(f, "        for (n = 0; n < %llu; n = n + 1) begin\n", static_cast<unsigned long long>(recorded_));
    fprintf(f, "            got = $fscanf(file, \"%s\\n\"%s);\n", format.c_str(), scan.c_str());
    fprintf(f, "            #1;\n            begin\n%s            end\n            #1 clk = 1; #1 clk = 0;\n        end\n",
            compare.c_str());
    fprintf(f, "        if (bad == 0 && n == %llu && got > 0) $display(\"PASS %%0d cycles\", n);\n",
            static_cast<unsigned long long>(recorded_));
    fprintf(f, "        else $display(\"FAIL %%0d differences\", bad);\n        $finish;\n    end\nendmodule\n");
    fclose(f);
}

int bench::finish()
{
    if (compared_ == 0)
        fail("nothing was compared");
    if (record_file_) {
        fclose(record_file_);
        record_file_ = nullptr;
        write_replay();
    }
    std::string stalls;
    for (int percent : stall_)
        stalls += (stalls.empty() ? "" : ",") + std::to_string(percent);
    printf("%s seed %llu stalls %s: %llu comparisons, %llu cycles\n", failed() ? "FAIL" : "PASS", static_cast<unsigned long long>(seed_),
           stalls.empty() ? "none" : stalls.c_str(), static_cast<unsigned long long>(compared_), static_cast<unsigned long long>(cycle_));
    return failed() ? 1 : 0;
}

uint64_t bench::rnd()
{
    return splitmix(state_);
}

int64_t bench::pick(int64_t lo, int64_t hi)
{
    return lo + static_cast<int64_t>(rnd() % static_cast<uint64_t>(hi - lo + 1));
}

int64_t bench::value(int width, bool is_signed, bool full)
{
    const int64_t hi = (static_cast<int64_t>(1) << (is_signed ? width - 1 : width)) - 1;
    const int64_t lo = is_signed ? (full ? -hi - 1 : -hi) : 0;
    switch (rnd() % 12) {
    case 0:
        return hi;
    case 1:
        return lo;
    case 2:
        return 0;
    case 3:
        return hi > 0 ? 1 : hi;
    case 4:
        return lo < 0 ? -1 : 0;
    default:
        return pick(lo, hi);
    }
}

bits with_parity(const bits &word)
{
    bits all(word.width() + 1);
    int64_t odd = 0;
    for (int at = 0; at < word.width(); at++) {
        const auto bit = static_cast<int64_t>(word.u(at, 1));
        all.put(at, 1, bit);
        odd ^= bit;
    }
    all.put(word.width(), 1, odd);
    return all;
}

std::vector<bits> with_parity(const std::vector<bits> &word)
{
    std::vector<bits> all;
    for (const bits &w : word)
        all.push_back(with_parity(w));
    return all;
}

void write_image(const std::string &prefix, const std::vector<bits> &word, int width)
{
    for (int slice = 0; slice * 72 < width; slice++) {
        char name[16];
        snprintf(name, sizeof name, "%03d.hex", slice);
        FILE *f = fopen((prefix + name).c_str(), "w");
        if (!f) {
            fprintf(stderr, "bench: cannot write %s%s\n", prefix.c_str(), name);
            abort();
        }
        const int n = std::min(72, width - slice * 72);
        for (const bits &w : word) {
            bits part(n);
            for (int at = 0; at < n; at += 36)
                part.put(at, std::min(36, n - at), static_cast<int64_t>(w.u(slice * 72 + at, std::min(36, n - at))));
            fprintf(f, "%s\n", part.hex().c_str());
        }
        fclose(f);
    }
}
