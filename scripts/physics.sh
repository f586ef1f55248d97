#!/usr/bin/env bash
# How good are the tracks? Fresh events through the shipped models, float and integer, beside what needs no model and what truth would give, in one
# table. Usage: scripts/physics.sh [EVENTS [SEED]]   (200 events of 10-50 tracks, seed 1003, which no model was trained on or chosen by)
set -euo pipefail
cd "$(dirname "$0")/.."
events=${1:-200} seed=${2:-1003}
tessera=build/tessera
out=out/physics
mkdir -p $out

$tessera events --events "$events" --tracks 10-50 --seed "$seed" -o $out/hits.csv
items=
run() { # run MODEL LABEL BASELINES: results of both engines, and their items for the table
    $tessera compile "models/$1.onnx" --device zcu102 --max-tokens 768 --plan-tokens 300 --events "models/$1.csv" \
        --inputs "models/$1.inputs.json" -o "$out/$1" >"$out/$1.log"
    for engine in float integer; do
        $tessera run "$out/$1" --engine $engine --events $out/hits.csv -o "$out/$1-$engine.csv"
        items+="$2($engine)=$out/$1-$engine.csv@models/$1.inputs.json,"
    done
    items+=$3
}
run encreg EncReg baseline:angles,baseline:truth,
run enccla EncCla baseline:binned@models/enccla.inputs.json,baseline:classes@models/enccla.inputs.json
$tessera score "$items" --truth $out/hits.csv --inputs models/encreg.inputs.json
