#!/usr/bin/env bash
# A small build of the seeded model through Yosys: DSPs and block RAMs as predicted, LUTs and flip-flops within 15 %, no latch, no
# product in LUTs, no path longer than the plan promises. Takes several minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
build/tessera compile models/seeded.onnx --device pynq-z2 --inputs models/seeded.inputs.json --events models/seeded.csv --max-tokens 64 -o "$dir/d"
build/tessera synth "$dir/d"
/usr/bin/python3 - "$dir/d/report.json" <<'P'
import json, sys
r = json.load(open(sys.argv[1]))
p, s = r["predicted"]["resources"]["yosys"], r["synthesised"]["resources"]
assert p["dsp"] == s["dsp"] and p["bram36"] == s["bram36"], (p, s)
assert abs(p["lut"] / s["lut"] - 1) < 0.15 and abs(p["ff"] / s["ff"] - 1) < 0.15, (p, s)
P
echo "1 passed, 0 failed"
