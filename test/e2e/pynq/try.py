#!/usr/bin/env python3
"""A package's pynq/engine.py on the stand-in beside this: every event of the bench, its results as the bench expects them. Usage: try.py PACKAGE"""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import pynq

package = Path(sys.argv[1]).resolve()
pynq.package = package
sys.path.insert(0, str(package / "pynq"))
from engine import Engine, Refused

engine = Engine()
hardware = engine.dma.hardware
features, lane = engine.model["hits"]["values"], engine.model["hits"]["lane_bits"]
right = refused = 0


def signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


for hits, results in zip(hardware.hits, hardware.results):
    if not hits:
        continue
    words = [[signed(h >> (lane * f) & ((1 << lane) - 1), lane) for f in range(features)] for h in hits]
    try:
        got = engine.run_words(words)
    except Refused:
        assert results[-1][1] or len(hits) > engine.model["max_tokens"], "refused without a reason"
        refused += 1
        continue
    out = [signed(r >> (hardware.lane * k) & ((1 << hardware.lane) - 1), hardware.lane) for r, _ in results for k in range(hardware.lanes)]
    per = len(out) // len(got)
    want = np.array(out).reshape(len(got), per)[:, : engine.model["results"]["values"]]
    assert np.array_equal(got, want), "results differ"
    real = engine.run(np.array(words) * np.array(engine.model["hits"]["scale"]), standardised=True)
    assert np.array_equal(real, want * np.array(engine.model["results"]["scale"])), "real values differ"
    right += 1
assert right >= 3 and "EVENTS" in engine.counters() and (engine.registers.COMMAND, 2) in pynq.log
print(f"{right} events right, {refused} refused")
