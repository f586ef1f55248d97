"""The engine of this overlay under PYNQ: events in, results out, through the overlay's DMA.

    from engine import Engine
    engine = Engine()                           # loads the overlay beside this file; fails where it is of another build
    results = engine.run(hits)                  # [hits][features] real values -> [rows][outputs]
    print(engine.counters())

Never run on a board by those who made it. It is tried against a stand-in for PYNQ that has the events of the package's bench. For many events a
second, use the host library's back end `uio` from C (docs/host.md of tessera): one DMA transfer a Python call is some 100 us.
"""
import importlib.util
import json
from pathlib import Path

import numpy as np
import pynq


class Refused(ValueError):
    """The event has too many hits, or is malformed; nothing was computed."""


class Damaged(RuntimeError):
    """The event's results are not to be trusted: a word of a link, page or memory was damaged."""


class Layout:
    """Items of `bits` in words of the stream: slots of the smallest power of two of bytes, or whole words."""

    def __init__(self, bits, bus_bits):
        self.bytes, self.word = bits // 8, bus_bits // 8
        self.slot = self.word * -(-bits // bus_bits) if bits > bus_bits else 1 << (self.bytes - 1).bit_length()

    def pack(self, items):  # [items][bytes] -> bytes of the words
        padded = np.zeros((len(items), self.slot), np.uint8)
        padded[:, : self.bytes] = items
        return padded.reshape(-1)

    def unpack(self, data, count):  # bytes of the words -> [count][bytes]
        return data[: count * self.slot].reshape(count, self.slot)[:, : self.bytes]


class Engine:
    def __init__(self, package=None, timeout=10):
        """package: its directory; this file's parent's where it is not given."""
        here = Path(__file__).resolve().parent
        package = Path(package) if package else here.parent
        manifest = json.loads((package / "manifest.json").read_text())
        self.platform = json.loads((package / "platform.json").read_text())
        self.top = manifest["top"]
        self.model = manifest["run"]
        spec = importlib.util.spec_from_file_location("registers", package / f"{self.top}_registers.py")
        self.registers = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.registers)
        r = self.registers
        self.overlay = pynq.Overlay(str(here / f"{self.top}.bit"))
        self.engine, self.dma = self.overlay.engine, self.overlay.dma
        build = self.engine.read(r.BUILD_LO) | self.engine.read(r.BUILD_HI) << 32
        if self.engine.read(r.MAGIC) != r.MAGIC_VALUE or build != r.BUILD:
            raise RuntimeError(f"the overlay is not of this package: build {build:016x}, it should be {r.BUILD:016x}")
        if self.model["devices"][0]["loads"]:
            raise RuntimeError("the design's weights are loaded before the first event: use the host library (docs/host.md of tessera)")
        hits, results = self.model["hits"], self.model["results"]
        self.into = Layout(hits["lanes"] * hits["lane_bits"], hits["bus_bits"])
        self.out = Layout(results["lanes"] * results["lane_bits"], results["bus_bits"])
        self.hits = pynq.allocate((self.platform["most_bytes"]["hits"],), dtype=np.uint8)
        self.results = pynq.allocate((self.platform["most_bytes"]["results"],), dtype=np.uint8)
        self.pages = [self.load_pages(package, number, pages) for number, pages in enumerate(self.model["devices"][0].get("pages", []))]

    def load_pages(self, package, number, pages):
        """The image of a page loader into memory, and its address into the loader's registers."""
        name = f"PAGE{number or ''}"
        image = np.fromfile(package / pages["image"], np.uint8)
        memory = pynq.allocate((len(image) + pages["alignment"],), dtype=np.uint8)  # of which an aligned part is used
        skip = -memory.physical_address % pages["alignment"]
        memory[skip : skip + len(image)] = image
        memory.flush()
        address = memory.physical_address + skip
        for register, value in (("BASE_LO", address & 0xFFFFFFFF), ("BASE_HI", address >> 32), ("RUN", 1)):
            self.engine.write(getattr(self.registers, f"{name}_{register}"), value)
        return memory

    def run_words(self, words):
        """An event's integers [hits][values] through the hardware: its results' integers [rows][values]."""
        hits, results = self.model["hits"], self.model["results"]
        words = np.asarray(words)
        if words.ndim != 2 or words.shape[1] != hits["values"] or len(words) < 1:
            raise ValueError(f"an event is [hits][{hits['values']}], this is {list(words.shape)}")
        if len(words) > self.model["max_tokens"]:
            raise Refused(f"{len(words)} hits, the hardware takes {self.model['max_tokens']}")
        lane = np.dtype(f"<i{hits['lane_bits'] // 8}")
        data = self.into.pack(np.ascontiguousarray(words.astype(lane)).view(np.uint8).reshape(len(words), -1))
        self.hits[: len(data)] = data
        self.hits.flush()
        self.dma.recvchannel.transfer(self.results)
        self.dma.sendchannel.transfer(self.hits, nbytes=len(data))
        self.dma.sendchannel.wait()
        self.dma.recvchannel.wait()
        self.results.invalidate()
        size = self.dma.recvchannel.transferred
        got = np.array(self.results[:size])
        status = int.from_bytes(got[size - self.out.word : size - self.out.word + 4].tobytes(), "little")
        if status & 1:
            raise Refused(f"{len(words)} hits: refused by the hardware")
        if status & 2:
            raise Damaged("damaged: see STATUS and the counters")
        count = status >> 8
        out = np.dtype(f"<i{results['lane_bits'] // 8}")
        rows = np.ascontiguousarray(self.out.unpack(got, count)).view(out).reshape(count // results["transfers"], -1)
        return rows[:, : results["values"]].astype(np.int32)

    def run(self, values, standardised=False):
        """Real values [hits][features] (of detector columns, unless they are standardised) -> [rows][outputs]."""
        hits, results = self.model["hits"], self.model["results"]
        values = np.asarray(values, np.float64)
        if not standardised:
            columns = self.model.get("inputs", {}).get("inputs", [{}] * hits["values"])
            mean = np.array([c.get("mean", 0.0) for c in columns])
            std = np.array([c.get("std", 1.0) for c in columns])
            values = (values - mean) / std
        values = values.astype(np.float32).astype(np.float64)
        most = (1 << (hits["value_bits"] - 1)) - 1
        words = np.clip(np.floor(values / np.array(hits["scale"]) + 0.5), -most, most)
        return self.run_words(words) * np.array(results["scale"])

    def counters(self):
        """All counters, of the same cycle."""
        r = self.registers
        self.engine.write(r.COMMAND, 1 << r.COMMAND_LATCH[0])
        names = [n[:-3] for n in vars(r) if n.endswith("_LO") and n[:-3] + "_HI" in vars(r) and 0x80 <= vars(r)[n] < 0x100]
        return {n: self.engine.read(getattr(r, n + "_LO")) | self.engine.read(getattr(r, n + "_HI")) << 32 for n in names}
