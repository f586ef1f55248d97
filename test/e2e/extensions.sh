#!/usr/bin/env bash
# Models with what docs/adding-an-operator.md takes as its examples, an activation, RMSNorm, norms on queries and keys, from PyTorch to simulated
# hardware: the float engine against onnxruntime, the hardware against the integer model with random stalls, cycles against their prediction.
# onnxruntime is that of scripts/install.sh --bench, in out/; without it that comparison is left out, and said to be. --synth: resources, too (minutes).
set -uo pipefail
cd "$(dirname "$0")/../.."
tessera=$PWD/${TESSERA:-build/tessera}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

check() { # WHAT COMMAND...
    local what=$1 start=$SECONDS
    shift
    if "$@" >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      $what ($((SECONDS - start)) s)"; else
        failed=$((failed + 1)); echo "FAILED  $what: $*"; tail -n 15 "$scratch/log"
    fi
}
report() { # DIR EXPRESSION
    /usr/bin/python3 - "$1" "$2" <<'P'
import json, sys
r = json.load(open(sys.argv[1] + "/report.json"))
s, p, y = r.get("simulated"), r["predicted"], r.get("synthesised")
print(json.dumps(s), json.dumps(p))
sys.exit(0 if eval(sys.argv[2]) else 1)
P
}

export ORT_FROM=${ORT_FROM:-$PWD/out/onnxruntime/x.js}
have_ort=
[ -d "$(dirname "$ORT_FROM")/node_modules/onnxruntime-node" ] && command -v node >/dev/null && have_ort=1
[ -n "$have_ort" ] || echo "skipped the comparison with onnxruntime: it is not there (scripts/install.sh --bench)"

# The float engine and onnxruntime on three events: the largest difference, relative to the size of the results.
like_onnxruntime() { # MODEL
    /usr/bin/python3 - "$tessera" "$1" "$scratch" <<'P'
import csv, subprocess, sys
import numpy as np
tessera, model, scratch = sys.argv[1:]
x = np.random.default_rng(5).normal(size=(3, 57, 3)).astype(np.float32)
np.save(scratch + "/x.npy", x)
x.tofile(scratch + "/x.f32")
subprocess.run(["node", "test/e2e/ort.mjs", model, scratch + "/x.f32", "57", "3", scratch + "/y.f32"], check=True)
subprocess.run([tessera, "run", model, "--engine", "float", "--events", scratch + "/x.npy", "-o", scratch + "/y.csv"], check=True)
want = np.fromfile(scratch + "/y.f32", np.float32).reshape(3 * 57, -1)
rows = list(csv.DictReader(open(scratch + "/y.csv")))
got = np.array([[float(v) for k, v in row.items() if k not in ("event_id", "hit_id")] for row in rows])
error = np.abs(got - want).max() / np.sqrt((want ** 2).mean())
print("largest difference", error)
sys.exit(0 if got.shape == want.shape and error < 1e-4 else 1)
P
}

exact="s['bit_exact'] and s['mismatches'] == 0"
small="--layers 2 --d 16 --heads 2 --ff 32 --events 12 --tracks 2 4"
model() { # NAME OPTIONS...
    local name=$1 m=$scratch/$1
    shift
    check "$name: made" /usr/bin/python3 train/seeded.py $small "$@" -o "$m"
    [ -z "$have_ort" ] || check "$name: float engine within 1e-4 of onnxruntime" like_onnxruntime "$m.onnx"
    check "$name: compiled" "$tessera" compile "$m.onnx" --device pynq-z2 --inputs "$m.inputs.json" --events "$m.csv" --max-tokens 64 -o "$m.d"
    check "$name: simulated with stalls" "$tessera" simulate "$m.d" --events "$m.csv" --limit 4 --stalls 30 --seed 3
    check "$name: bit-exact with stalls" report "$m.d" "$exact and s['stall_percent'] == 30"
    check "$name: simulated" "$tessera" simulate "$m.d" --events "$m.csv" --limit 4 --lone
    check "$name: bit-exact, cycles within 2 %" report "$m.d" \
        "$exact and all(abs(e['latency_cycles'] / e['predicted_cycles'] - 1) < .02 for e in s['per_event'])"
    if [ -n "$synth" ]; then
        check "$name: synthesised" "$tessera" synth "$m.d"
        check "$name: DSPs and block RAM as predicted, LUTs and flip-flops within 15 %" report "$m.d" \
            "all(p['resources']['yosys'][k] == y['resources'][k] for k in ('dsp', 'bram36')) and all(abs(p['resources']['yosys'][k] / y['resources'][k] - 1) < .15 for k in ('lut', 'ff'))"
    fi
}
synth=
[ "${1-}" = --synth ] && synth=1
model mish --act mish
model rms_norm --norm rms --act silu
model qk_norm --norm layer --qk-norm heads
model qk_rms_norm --norm rms --qk-norm all
echo "$passed passed, $failed failed"
[ $failed = 0 ]
