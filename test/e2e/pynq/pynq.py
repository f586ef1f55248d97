"""Stands for PYNQ: an overlay whose DMA has the events of the package's bench (mem/hits.hex, mem/expect.hex), word by word as rtl/ts_axis_in.v and
ts_axis_out.v have them, and registers that are those of the package. Whatever else is asked is an error."""
import re
from pathlib import Path

import numpy as np

package = Path(__file__)  # set by whoever imports it
log = []


class Buffer(np.ndarray):
    physical_address = 0x12345678
    device_address = 0x12345678

    def flush(self):
        log.append("flush")

    def invalidate(self):
        log.append("invalidate")


def allocate(shape, dtype=np.uint32):
    return np.zeros(shape, dtype).view(Buffer)


def defines():
    text = (package / "tb/ring.vh").read_text() + (package / "tb/board.vh").read_text()
    return {m[1]: int(m[2]) for m in re.finditer(r"`define (\w+) (\d+)\b", text)}


class Hardware:
    def __init__(self):
        d = defines()
        self.hit_bits, self.lanes, self.lane = d["RING_HIT_BITS"], d["RING_LANES"], d["RING_OUT_LANE"]
        self.word = d["BOARD_BITS"]
        self.hits, self.results = [[]], [[]]
        for line in (package / "mem/hits.hex").read_text().split():
            value = int(line, 16)
            self.hits[-1].append(value & ((1 << self.hit_bits) - 1))
            if value >> self.hit_bits & 1:
                self.hits.append([])
        out = self.lanes * self.lane
        for line in (package / "mem/expect.hex").read_text().split():
            value = int(line, 16)
            self.results[-1].append((value & ((1 << out) - 1), value >> (out + 1) & 1))
            if value >> out & 1:
                self.results.append([])
        self.out_bits = out

    def words(self, items, bits):
        """Bytes of the words of items."""
        size = (bits + 7) // 8
        slot = 1
        while slot < size and slot < self.word // 8:
            slot *= 2
        if bits > self.word:
            slot = -(-bits // self.word) * self.word // 8
        data = b"".join(i.to_bytes(slot, "little") for i in items)
        return data

    def answer(self, data):
        for hits, results in zip(self.hits, self.results):
            if hits and self.words(hits, self.hit_bits) == data:
                whole = self.words([r for r, refused in results], self.out_bits)
                whole += bytes(-len(whole) % (self.word // 8))
                return whole + ((len(results) << 8) | results[-1][1]).to_bytes(self.word // 8, "little")
        raise RuntimeError("these bytes are no event of the bench")


class Channel:
    def __init__(self, dma):
        self.dma, self.transferred = dma, 0


class Receive(Channel):
    def transfer(self, buffer):
        self.buffer = buffer

    def wait(self):
        if self.dma.sent is None:
            raise RuntimeError("waits for ever: no event was sent")
        data = self.dma.hardware.answer(self.dma.sent)
        self.dma.sent = None
        if len(data) > self.buffer.nbytes:
            raise RuntimeError("more results than the buffer holds")
        self.buffer[: len(data)] = np.frombuffer(data, np.uint8)
        self.transferred = len(data)


class Send(Channel):
    def transfer(self, buffer, start=0, nbytes=0):
        if not hasattr(self.dma.recvchannel, "buffer"):
            raise RuntimeError("results would have nowhere to go")
        if "flush" not in log:
            raise RuntimeError("the cache was not flushed")
        self.dma.sent = buffer[start : start + nbytes].tobytes()

    def wait(self):
        pass


class DMA:
    def __init__(self):
        self.hardware, self.sent = Hardware(), None
        self.recvchannel, self.sendchannel = Receive(self), Send(self)


class Registers:
    def __init__(self, text):
        self.value = {int(a, 16): int(v, 16) for n, a, v in re.findall(r"^(\w+) = (0x\w+)  #.*\n\1_VALUE = (0x\w+)", text, re.M)}
        self.known = {int(a, 16) for n, a in re.findall(r"^(\w+) = (0x\w+)  #", text, re.M)}

    def read(self, offset):
        if offset not in self.known:
            raise RuntimeError(f"bus error at {offset:#x}")
        return self.value.get(offset, 0)

    def write(self, offset, value):
        self.read(offset)
        log.append((offset, value))


class Overlay:
    def __init__(self, bit):
        for end in (".bit", ".hwh"):
            if not Path(bit).with_suffix(end).is_file():
                raise RuntimeError(f"no {end} beside {bit}")
        self.engine = Registers(next(package.glob("*_registers.py")).read_text())
        self.dma = DMA()
