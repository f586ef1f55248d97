/* Bits flipped in memories whose words have parity: who uses the word says so in time, and nobody else; written anew it is right again. */
#ifndef TS_FLIPS_H
#define TS_FLIPS_H
#include "bench.h"

class flips
{
  public:
    /* fault: of the design. send: one token of a page. From here on results are not compared. */
    flips(bench &b, const CData &fault, sink &m, std::function<void(size_t)> send) : bench_(b), sink_(m), send_(send)
    {
        b.may_stop();
        m.check([](const beat &) { return true; });
        b.each_cycle([this, &fault, &b] {
            if (fault && !seen_)
                at_ = b.now();
            seen_ |= fault;
        });
    }

    struct memory {
        int bit;                 /* of fault */
        std::vector<bits> words; /* of all pages */
        size_t pages;            /* 1: it has no pages, whatever tokens have */
        bool every;              /* a bit of every word: which one a token uses depends on its values */
        bool urgent;             /* may be found in the cycle of the result itself, and not before it */
        std::function<void(const std::vector<bits> &)> write;
    };

    /* drain: cycles that a token takes at most */
    void one(const memory &mem, size_t pages, int drain)
    {
        bench &b = bench_;
        std::vector<bits> wrong = mem.words;
        const size_t page = static_cast<size_t>(b.pick(0, static_cast<int64_t>(pages) - 1)), each = mem.words.size() / mem.pages;
        const size_t first = mem.pages > 1 ? page * each : 0;
        const size_t chosen = first + static_cast<size_t>(b.pick(0, static_cast<int64_t>(each) - 1));
        for (size_t i = 0; i < wrong.size(); i++)
            if (mem.every || i == chosen) {
                const int at = static_cast<int>(b.pick(0, wrong[i].width() - 1));
                wrong[i].put(at, 1, static_cast<int64_t>(1 - wrong[i].u(at, 1)));
            }
        mem.write(wrong);
        run(page, drain);
        b.check(seen_ == uint64_t{1} << mem.bit, "a flipped bit is not found, or in another memory");
        b.check(sink_.valid_at.empty() || at_ + !mem.urgent <= sink_.valid_at.back(), "a flipped bit is found too late");
        b.compared();
        if (mem.pages > 1 && !mem.every) {
            run((page + 1) % pages, drain);
            b.check(seen_ == 0, "a word that is not used counts");
        }
        mem.write(mem.words);
        run(page, drain);
        b.check(seen_ == 0, "a word that was written anew is wrong");
    }

  private:
    void run(size_t page, int drain)
    {
        const uint64_t before = sink_.count();
        seen_ = at_ = 0;
        send_(page);
        bench_.run(bench_.stalled() ? drain + 2000 : drain);
        bench_.check(sink_.count() > before, "a token is lost");
    }
    bench &bench_;
    sink &sink_;
    std::function<void(size_t)> send_;
    uint64_t seen_ = 0, at_ = 0;
};

#endif
