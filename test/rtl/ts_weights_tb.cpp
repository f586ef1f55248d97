/* ts_weights: every commit while idle is written, once, where it should be, and none otherwise; count, refused and check are those of what
   was written, as a host computes them. */
#include "Vtop.h"
#include "ts_link_frame.h"

static uint32_t crc_of(uint32_t crc, const bits &word)
{
    for (int k = 119; k >= 0; k--) {
        const bool top = (crc >> 31 ^ word.u(k, 1)) & 1;
        crc = crc << 1 ^ (top ? 0x1edc6f41 : 0);
    }
    return crc;
}

int main(int argc, char **argv)
{
    bench b(argc, argv);
    Vtop top(b.context());
    b.dut(top);
    b.reset(top.rst);
    b.in("idle", top.idle, 1);
    b.in("commit", top.commit, 3);
    b.in("memory", top.memory, 16);
    b.in("slice", top.slice, 10);
    b.in("address", top.address, 16);
    b.in("data", top.data, 72);
    b.out("cfg_we", top.cfg_we, 1);
    b.out("cfg_part", top.cfg_part, 8);
    b.out("cfg_mem", top.cfg_mem, 8);
    b.out("cfg_slice", top.cfg_slice, 10);
    b.out("cfg_addr", top.cfg_addr, 16);
    b.out("cfg_data", top.cfg_data, 72);
    b.out("crc", top.crc, 32);
    b.out("count", top.count, 32);
    b.out("refused", top.refused, 16);
    for (const char *name : {"idle", "commit", "memory", "slice", "address"})
        b.at(name).set(uint64_t{0});
    b.at("data").set(bits(72));
    b.cycle();
    uint32_t crc = 0xffffffff, count = 0, refused = 0, written = 0, lost = 0, cleared = 0;
    uint64_t last = 0;
    for (int i = 0; i < 20000; i++) {
        const uint64_t memory = b.rnd() & 0xffff, slice = b.rnd() & 0x3ff, address = b.rnd() % 8 ? b.rnd() & 0xffff : 0xffff;
        const bits data = random_bits(b, 72);
        const unsigned dice = static_cast<unsigned>(b.rnd() % 100);
        const unsigned commit = dice < 30 ? 1 : dice < 70 ? 2 : dice < 71 ? 4 : 0;
        const bool idle = b.rnd() % 10 != 0;
        b.at("idle").set(idle);
        b.at("commit").set(commit);
        b.at("memory").set(memory);
        b.at("slice").set(slice);
        b.at("address").set(address);
        b.at("data").set(data);
        b.cycle();
        b.at("commit").set(uint64_t{0});
        b.check(top.cfg_we == ((commit & 3) != 0 && idle), "a write that was not asked for, or none where one was");
        if (top.cfg_we) {
            last = commit == 2 ? (last + 1) & 0xffff : address;
            b.check(top.cfg_part == memory >> 8 && top.cfg_mem == (memory & 255) && top.cfg_slice == slice && top.cfg_addr == last,
                    "a write to another place");
            bits word(120);
            for (int k = 0; k < 72; k++) {
                word.put(k, 1, data.u(k, 1));
                b.check((top.cfg_data[k / 32] >> k % 32 & 1) == data.u(k, 1), "other data");
            }
            word.put(72, 16, last);
            word.put(88, 10, slice);
            word.put(104, 16, memory);
            crc = crc_of(crc, word);
            count++;
            written++;
        } else if (commit & 3) {
            refused++;
            lost++;
        } else if (commit) {
            crc = 0xffffffff;
            count = refused = 0;
            cleared++;
        }
        if (b.rnd() % 4 == 0) { /* one commit behind the other, mostly */
            for (int k = 0; k < 3; k++)
                b.cycle();
            if (top.crc != crc || top.count != count || top.refused != refused)
                b.fail("crc %08x, count %u, refused %u; expected %08x, %u, %u", top.crc, top.count, top.refused, crc, count, refused);
            b.compared();
        }
    }
    b.check(written > 5000 && lost > 500 && cleared > 50, "too little happened");
    return b.finish();
}
