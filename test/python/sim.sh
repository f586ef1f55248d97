#!/usr/bin/env bash
# A Device of Python on simulated hardware, through its AXI ports: the integer engine's bits, with pauses. Builds a simulator: 40 s of processors.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export PYTHONPATH=$root/build/python PYTHONDONTWRITEBYTECODE=1
cat >"$dir/events.py" <<'P'
import sys
import warnings
import numpy as np
import tessera

model, step = sys.argv[1:]
events, lengths = np.random.default_rng(5).normal(size=(6, 9, tessera.Model(model).info.features)), [9, 1, 4, 9, 3, 5]
if step == "make":
    warnings.simplefilter("ignore")
    tessera.compile(model, "design", "zcu102", events=events, lengths=lengths, standardised=True).package("board", status="word")
else:
    with tessera.Device("board", "sim:stalls=30,seed=2", timeout=120) as device:
        np.testing.assert_array_equal(device.run(events, lengths, standardised=True), tessera.Design("design").run(events, lengths, standardised=True))
        assert device.statistics().taken == 6 and device.statistics().stall_in > 0
    print("1 passed, 0 failed")
P
cd "$dir"
/usr/bin/python3 events.py "$root/test/models/torch_mean.onnx" make
(cd board && make -s -f tb/sim_library.mk >"$dir/log" 2>&1) || { tail -n 20 "$dir/log"; exit 1; }
/usr/bin/python3 events.py "$root/test/models/torch_mean.onnx" run
