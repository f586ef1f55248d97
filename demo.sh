#!/usr/bin/env bash
# From a bare machine to hardware that agrees with its integer model: installs what is missing, builds, compiles a shipped model for a
# ZCU102, simulates the generated Verilog on events and prints what came out. Usage: ./demo.sh [DEVICE]
set -euo pipefail
cd "$(dirname "$0")"
device=${1:-zcu102}
out=out/demo-$device
model=models/encreg
events=5

say() { printf '\n== %s\n' "$*"; }
say "installing what is missing"
scripts/install.sh
say "building tessera"
make -s 2>&1 | tail -n 1
tessera=build/tessera
say "the model"
$tessera inspect $model.onnx
say "compiling for $device"
$tessera compile $model.onnx --device "$device" --events $model.csv --inputs $model.inputs.json --max-tokens 768 -o "$out"
say "simulating the generated Verilog on $events events of 10 to 50 tracks, every output word compared with the integer model"
$tessera simulate "$out" --events $model.csv --limit $events
say "the same events through float, integer and hardware: do they find the tracks?"
head -n 1 $model.csv >"$out-truth.csv"
awk -F, -v events=$events 'NR > 1 && !($1 in seen) { seen[$1]; if (++count > events) exit } NR > 1' $model.csv >>"$out-truth.csv"
for engine in float integer rtl; do
    $tessera run "$out" --engine $engine --events "$out-truth.csv" -o "$out-$engine.csv"
done
cmp "$out-integer.csv" "$out-rtl.csv"
$tessera score "integer=$out-integer.csv,hardware=$out-rtl.csv,baseline:angles,baseline:truth" \
    --truth "$out-truth.csv" --inputs $model.inputs.json --against "float=$out-float.csv"
say "the larger model: EncCla, which gives each hit a class, by its integer model"
classifier=models/enccla whole=out/demo-enccla
if ! $tessera compile $classifier.onnx --device "$device" --events $classifier.csv --inputs $classifier.inputs.json --max-tokens 768 -o $whole; then
    echo "not on this device; its integer model is the same for every device, so here is a larger one"
    $tessera compile $classifier.onnx --device u250 --events $classifier.csv --inputs $classifier.inputs.json --max-tokens 768 -o $whole
fi
for engine in float integer; do
    $tessera run $whole --engine $engine --events $classifier.csv -o $whole-$engine.csv
done
$tessera score "integer=$whole-integer.csv,baseline:binned,baseline:classes" \
    --truth $classifier.csv --inputs $classifier.inputs.json --against "float=$whole-float.csv"
say "$out holds the Verilog (rtl/), memory images (mem/), test bench (tb/) and report.json"
case $device in
u50 | u55c | u200 | u250 | u280) target=vitis page=boards/alveo.md ;;
ice40* | ecp5*) target=yosys page=boards.md ;;
*) target=vivado page=boards/$device.md && [ -f docs/$page ] || page=boards.md ;;
esac
say "the next step towards a board: $tessera package $out --target $target -o $out-board   (docs/$page)"
