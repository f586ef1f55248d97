/* A frame for benches with two clocks (bench.h has one): periods and phases at random, edges in their order, streams that pause, a replay
   in Icarus from X.

       bench b(argc, argv);
       Vtop top(b.context());
       b.in("s_valid", top.s_valid, 1); ...               // every port but the clocks
       clocks c(b, argc, argv, [&] { top.eval(); });
       const int fast = c.add("s_clk", top.s_clk), slow = c.add("m_clk", top.m_clk);
       feeder &s = c.feed(fast, "s_valid", "s_ready", {"s_data"});
       taker &m = c.take(slow, "m_valid", "m_ready", {"m_data"});
       c.speeds(3.1, 1);                                  // periods, with random phases
       c.compare_from_now();                              // the replay, behind the first reset
       s.queue.push_back({...}); c.until([&] { return ...; });
       return c.finish();                                 // instead of b.finish()

   Inputs change behind the edge of their clock; what is sampled is what lay there before it. */
#ifndef TS_RTL_CLOCKS_H
#define TS_RTL_CLOCKS_H
#include "bench.h"

#include <cstdio>
#include <cstring>

/* Offers beats: valid and data stay until they are taken. */
struct feeder {
    std::deque<beat> queue;
    int pause = 0;                  /* percent of the cycles */
    bool on = true;                 /* false: nothing new is offered */
    std::vector<uint64_t> taken_at; /* cycles of its clock */
    bool offered = false;
    int clock = 0;
    std::string valid, ready;
    std::vector<std::string> data;
    beat now;
    void drop() /* what is offered, too: as in reset */
    {
        queue.clear();
        offered = on = false;
    }
};

/* Takes beats and hands them to `got`. */
struct taker {
    std::function<void(const beat &)> got;
    int pause = 0;
    std::vector<uint64_t> taken_at;
    int clock = 0;
    std::string valid, ready;
    std::vector<std::string> data;
    bool rising = true; /* false: ready stays as the bench sets it */
};

class clocks
{
  public:
    clocks(bench &b, int argc, char **argv, std::function<void()> eval) : b_(b), eval_(eval)
    {
        for (int i = 1; i + 1 < argc; i++)
            if (!strcmp(argv[i], "--record"))
                dir_ = argv[i + 1];
    }
    int add(const std::string &name, CData &clk)
    {
        clk = 0;
        clock_.push_back({name, &clk, 1000, 0, 0, nullptr});
        return static_cast<int>(clock_.size()) - 1;
    }
    /* Called at each edge of a clock, with the values that it sees, before anything changes. */
    void at_edge(int clock, std::function<void()> fn)
    {
        clock_[static_cast<size_t>(clock)].fn = fn;
    }
    /* Every port that the replay drives or compares; an output with `valid` only while that is up. */
    void input(const std::string &name)
    {
        input_.push_back(name);
    }
    void output(const std::string &name, const std::string &valid = "")
    {
        output_.push_back({name, valid});
    }
    feeder &feed(int clock, const std::string &valid, const std::string &ready, const std::vector<std::string> &data)
    {
        feeder_.emplace_back(new feeder);
        feeder &f = *feeder_.back();
        f.clock = clock, f.valid = valid, f.ready = ready, f.data = data;
        input(valid);
        if (!ready.empty()) /* else it is always taken */
            output(ready);
        for (const std::string &d : data)
            input(d);
        return f;
    }
    taker &take(int clock, const std::string &valid, const std::string &ready, const std::vector<std::string> &data)
    {
        taker_.emplace_back(new taker);
        taker &t = *taker_.back();
        t.clock = clock, t.valid = valid, t.ready = ready, t.data = data;
        output(valid);
        input(ready);
        for (const std::string &d : data)
            output(d, valid);
        return t;
    }
    /* Periods in any unit; phases at random, or none (edges together where the periods are the same). */
    void speeds(double first, double second, bool together = false)
    {
        const double period[2] = {first, second};
        for (size_t i = 0; i < clock_.size() && i < 2; i++) {
            clock_[i].period = static_cast<uint64_t>(period[i] * 1000 + 0.5);
            clock_[i].next = now_ + 1 + (together ? 0 : static_cast<uint64_t>(b_.pick(0, static_cast<int64_t>(clock_[i].period))));
        }
    }
    /* 1 and 0.2 to 5, both unrelated. */
    void any_speeds()
    {
        const double r = static_cast<double>(b_.pick(201, 1000)) / 1000 * (b_.pick(0, 1) ? 1 : 4.99);
        speeds(1, b_.pick(0, 7) == 0 ? 1 : r);
    }
    uint64_t cycles(int clock) const
    {
        return clock_[static_cast<size_t>(clock)].cycles;
    }
    void compare_from_now()
    {
        compare_ = true;
    }
    /* One edge, or several at the same time. */
    void step()
    {
        if (!settled_)
            settle();
        uint64_t first = ~uint64_t{0};
        for (const clock &c : clock_)
            first = std::min(first, c.next);
        now_ = first;
        record();
        for (size_t i = 0; i < clock_.size(); i++)
            if (clock_[i].next == now_)
                sample(static_cast<int>(i));
        for (clock &c : clock_)
            if (c.next == now_)
                *c.clk = 1;
        eval_();
        for (size_t i = 0; i < clock_.size(); i++) {
            clock &c = clock_[i];
            if (c.next != now_)
                continue;
            drive(static_cast<int>(i));
            *c.clk = 0;
            c.next += c.period;
            c.cycles++;
        }
        settle();
        if (b_.context()->gotFinish() && !b_.failed())
            b_.fail("the Verilog ended the simulation");
    }
    /* Inputs that the bench has set take effect. */
    void settle()
    {
        eval_();
        settled_ = true;
    }
    void run(int edges)
    {
        for (int i = 0; i < edges && !b_.failed(); i++)
            step();
    }
    /* Until it is so, or nothing has been taken for 20,000 edges. */
    void until(const std::function<bool()> &so)
    {
        moved_ = 0;
        while (!so() && !b_.failed()) {
            step();
            if (++moved_ > 20000)
                b_.fail("watchdog: nothing moved");
        }
    }
    int finish()
    {
        if (file_) {
            fclose(file_);
            file_ = nullptr;
            write_replay();
        }
        return b_.finish();
    }

  private:
    struct clock {
        std::string name;
        CData *clk;
        uint64_t period, next, cycles;
        std::function<void()> fn;
    };
    bool up(const std::string &name)
    {
        return b_.at(name).get().u() != 0;
    }
    void sample(int at)
    {
        const clock &c = clock_[static_cast<size_t>(at)];
        if (c.fn)
            c.fn();
        for (auto &f : feeder_)
            if (f->clock == at && f->offered && (f->ready.empty() || up(f->ready))) {
                f->offered = false;
                f->taken_at.push_back(c.cycles);
                moved_ = 0;
            }
        for (auto &t : taker_)
            if (t->clock == at && up(t->valid) && up(t->ready)) {
                beat got;
                for (const std::string &d : t->data)
                    got.push_back(b_.at(d).get());
                t->taken_at.push_back(c.cycles);
                moved_ = 0;
                if (t->got)
                    t->got(got);
            }
    }
    void drive(int at)
    {
        for (auto &f : feeder_) {
            if (f->clock != at)
                continue;
            if (!f->offered && f->on && !f->queue.empty() && b_.pick(1, 100) > f->pause) {
                f->now = f->queue.front();
                f->queue.pop_front();
                f->offered = true;
            }
            b_.at(f->valid).set(f->offered);
            for (size_t i = 0; i < f->data.size(); i++) {
                port &p = b_.at(f->data[i]);
                p.set(f->offered ? f->now[i] : noise(p.width()));
            }
        }
        for (auto &t : taker_)
            if (t->clock == at)
                b_.at(t->ready).set(b_.pick(1, 100) > t->pause);
    }
    bits noise(int width)
    {
        bits out(width);
        for (int at = 0; at < width; at += 64)
            out.put(at, std::min(64, width - at), static_cast<int64_t>(b_.rnd()));
        return out;
    }
    void record()
    {
        if (dir_.empty() || recorded_ >= 20000)
            return;
        if (!file_)
            file_ = fopen((dir_ + "/tb.txt").c_str(), "w");
        for (const clock &c : clock_)
            fprintf(file_, "%d ", c.next == now_);
        for (const std::string &name : input_)
            fprintf(file_, "%s ", b_.at(name).get().binary(nullptr).c_str());
        for (const auto &o : output_) {
            const bits none(b_.at(o.first).width());
            const bool counts = compare_ && (o.second.empty() || up(o.second));
            fprintf(file_, "%s ", b_.at(o.first).get().binary(counts ? nullptr : &none).c_str());
        }
        fprintf(file_, "\n");
        recorded_++;
    }
    void write_replay()
    {
        FILE *f = fopen((dir_ + "/tb.v").c_str(), "w");
        std::string format, scan, connect, edges, compare;
        if (!f) {
            b_.fail("cannot write %s/tb.v", dir_.c_str());
            return;
        }
        fprintf(f, "module tb;\n");
        for (const clock &c : clock_) {
            fprintf(f, "    reg %s = 0, rise_%s;\n", c.name.c_str(), c.name.c_str());
            format += "%b ", scan += ", rise_" + c.name, connect += (connect.empty() ? "." : ", .") + c.name + "(" + c.name + ")";
            edges += " " + c.name + " = rise_" + c.name + ";";
        }
        for (const std::string &name : input_) {
            fprintf(f, "    reg [%d:0] %s;\n", b_.at(name).width() - 1, name.c_str());
            format += "%b ", scan += ", " + name, connect += ", ." + name + "(" + name + ")";
        }
        for (const auto &o : output_) {
            const std::string &name = o.first;
            const int width = b_.at(name).width();
            fprintf(f, "    wire [%d:0] %s;\n    reg [%d:0] want_%s;\n", width - 1, name.c_str(), width - 1, name.c_str());
            format += "%b ", scan += ", want_" + name, connect += ", ." + name + "(" + name + ")";
            compare += "            for (i = 0; i < " + std::to_string(width) + "; i = i + 1)\n                if (want_" + name +
                       "[i] !== 1'bx && want_" + name + "[i] !== " + name + "[i]) begin\n                    if (bad < 10) $display(\"  " +
                       "edge %0d: " + name + "[%0d] is %b, expected %b\", n, i, " + name + "[i], want_" + name +
                       "[i]);\n                    bad = bad + 1;\n                end\n";
        }
        fprintf(f, "    integer file, n, i, bad, got;\n\n`include \"dut.vh\"\n        (%s);\n", connect.c_str());
        fprintf(f, "    initial begin\n        file = $fopen(\"tb.txt\", \"r\"); bad = 0;\n");
        fprintf(f, "        for (n = 0; n < %llu; n = n + 1) begin\n            got = $fscanf(file, \"%s\\n\"%s);\n            #1;\n%s",
                static_cast<unsigned long long>(recorded_), format.c_str(), scan.c_str(), compare.c_str());
        fprintf(f, "            #1%s #1", edges.c_str());
        for (const clock &c : clock_)
            fprintf(f, " %s = 0;", c.name.c_str());
        fprintf(f, "\n        end\n        if (bad == 0 && n == %llu && got > 0) $display(\"PASS %%0d edges\", n);\n",
                static_cast<unsigned long long>(recorded_));
        fprintf(f, "        else $display(\"FAIL %%0d differences\", bad);\n        $finish;\n    end\nendmodule\n");
        fclose(f);
    }

    bench &b_;
    std::function<void()> eval_;
    std::vector<clock> clock_;
    std::vector<std::unique_ptr<feeder>> feeder_;
    std::vector<std::unique_ptr<taker>> taker_;
    std::vector<std::string> input_;
    std::vector<std::pair<std::string, std::string>> output_;
    std::string dir_;
    FILE *file_ = nullptr;
    uint64_t now_ = 0, moved_ = 0, recorded_ = 0;
    bool settled_ = false, compare_ = false;
};

#endif
