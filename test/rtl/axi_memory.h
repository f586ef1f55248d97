/* External memory behind an AXI4 read port, for benches: answers in order, with a latency and random pauses, checks the
   protocol, and can spoil beats. The design's ports are <prefix>ar..., <prefix>r...; drive() before a cycle, sample() in the bench's
   each_cycle. */
#ifndef TS_AXI_MEMORY_H
#define TS_AXI_MEMORY_H
#include "bench.h"

class axi_memory
{
  public:
    axi_memory(bench &owner, const std::string &prefix, int lanes, int bursts, uint64_t base)
        : b_(owner), prefix_(prefix), lanes_(lanes), bursts_(bursts), base_(base)
    {
    }
    std::vector<uint8_t> bytes;            /* from `base` on */
    int latency = 20, jitter = 0;          /* cycles from a taken address to its first beat; up to so many more */
    int address_pause = 0, data_pause = 0; /* percent of the cycles */
    uint64_t silent_until = 0;             /* no beat before this cycle */
    uint64_t beats = 0;                    /* delivered */
    std::function<void(uint64_t beat, bits &data, unsigned &resp)> spoil; /* beat: its number from base */
    bool empty() const
    {
        return queue_.empty();
    }

    void drive()
    {
        at("arready").set(b_.pick(1, 100) > address_pause);
        if (!offered_ && !queue_.empty() && queue_.front().due <= b_.now() && b_.now() >= silent_until && b_.pick(1, 100) > data_pause) {
            burst &q = queue_.front();
            const uint64_t beat = q.beat + q.done;
            data_ = bits(64 * lanes_);
            for (int i = 0; i < 8 * lanes_; i++)
                data_.put(8 * i, 8, bytes[beat * 8 * static_cast<uint64_t>(lanes_) + static_cast<uint64_t>(i)]);
            resp_ = 0;
            if (spoil)
                spoil(beat, data_, resp_);
            last_ = q.done + 1 == q.length;
            offered_ = true;
        }
        at("rvalid").set(offered_);
        at("rdata").set(offered_ ? data_ : bits(64 * lanes_, b_.rnd()));
        at("rresp").set(offered_ ? resp_ : b_.pick(0, 3));
        at("rlast").set(offered_ ? last_ : b_.pick(0, 1));
    }

    void sample()
    {
        const bool valid = at("arvalid").get().u(), ready = at("arready").get().u();
        const uint64_t address = at("araddr").get().u(), length = at("arlen").get().u() + 1;
        if (waiting_ && (!valid || address != address_ || length != length_))
            b_.fail("an address was taken back or changed before it was taken");
        waiting_ = valid && !ready;
        address_ = address;
        length_ = length;
        if (valid && ready) {
            const uint64_t size = 8 * static_cast<uint64_t>(lanes_);
            b_.check(at("arburst").get().u() == 1 && uint64_t{1} << at("arsize").get().u() == size, "burst type or size");
            b_.check(address >= base_ && address - base_ + length * size <= bytes.size(), "a burst outside the memory");
            b_.check(address % size == 0 && address / 4096 == (address + length * size - 1) / 4096, "a burst crosses 4 KiB");
            b_.check(static_cast<int>(queue_.size()) < bursts_, "too many bursts are on their way");
            due_ = std::max(due_, b_.now() + static_cast<uint64_t>(latency + b_.pick(0, jitter)));
            queue_.push_back({(address - base_) / size, length, 0, due_});
            if (b_.failed())
                queue_.pop_back();
        }
        if (offered_ && at("rready").get().u()) {
            offered_ = false;
            beats++;
            if (++queue_.front().done == queue_.front().length)
                queue_.pop_front();
        }
    }

  private:
    struct burst {
        uint64_t beat, length, done, due;
    };
    port &at(const std::string &name)
    {
        return b_.at(prefix_ + name);
    }
    bench &b_;
    std::string prefix_;
    int lanes_, bursts_;
    uint64_t base_, due_ = 0, address_ = 0, length_ = 0;
    std::deque<burst> queue_;
    bool waiting_ = false, offered_ = false, last_ = false;
    bits data_;
    unsigned resp_ = 0;
};

#endif
