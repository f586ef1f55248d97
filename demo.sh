#!/usr/bin/env bash
# From a bare machine to hardware that agrees with its integer model: installs what is missing, builds, compiles a shipped model for a
# ZCU102, simulates the generated Verilog on events and prints what came out. Usage: ./demo.sh [DEVICE]
set -euo pipefail
cd "$(dirname "$0")"
device=${1:-zcu102}
out=out/demo-$device
model=models/seeded

say() { printf '\n== %s\n' "$*"; }
say "installing what is missing"
scripts/install.sh
say "building tessera"
make -s 2>&1 | tail -n 1
tessera=build/tessera
say "the model"
$tessera inspect $model.onnx
say "compiling for $device"
$tessera compile $model.onnx --device "$device" --events $model.csv --inputs $model.inputs.json --max-tokens 256 -o "$out"
say "simulating the generated Verilog on four events, every output word compared with the integer model"
$tessera simulate "$out" --events $model.csv --limit 4
say "the same events through float, integer and hardware"
for engine in float integer rtl; do
    $tessera run "$out" --engine $engine --events $model.csv --limit 4 -o "$out-$engine.csv"
done
awk -F, -v integer="$out-integer.csv" -v rtl="$out-rtl.csv" '
    FNR == 1 { for (i = 3; i <= NF; i++) name[i] = $i; columns = NF; getline a < integer; getline b < rtl; next }
    {
        getline a < integer; getline b < rtl; split(a, p, ","); split(b, q, ",")
        for (i = 3; i <= NF; i++) {
            sum[i] += $i; square[i] += $i * $i; d = p[i] - $i; error[i] += d * d
            if (p[i] != q[i]) differ[i]++
        }
        hits++
    }
    END {
        printf "%-10s %14s %26s %24s\n", "output", "spread (float)", "rms error of 12-bit model", "hardware differs in"
        for (i = 3; i <= columns; i++) {
            std = sqrt(square[i] / hits - (sum[i] / hits) ^ 2)
            printf "%-10s %14.4f %17.4f (%4.1f %%) %17d of %d\n", name[i], std, sqrt(error[i] / hits), 100 * sqrt(error[i] / hits) / std, differ[i], hits
        }
    }' "$out-float.csv"
say "$out holds the Verilog (rtl/), memory images (mem/), test bench (tb/) and report.json"
