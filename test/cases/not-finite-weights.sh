#!/usr/bin/env bash
# Weights of a training that diverged: no verb computes with them, and the initialiser, or the node that made them, is named.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
name="nan_weight.*initialiser 'encoder.layers.0.self_attn.out_proj.weight': 2 of its 64 values are not finite, the first at index 5 .nan."
for case in "nan_weight|$name" "inf_made|inf_made.*node 'by_zero' .Div.: 64 of the 64 values"; do
    model=$root/test/models/cases/${case%%|*}.onnx pattern=${case#*|}
    fails "inspect ${case%%|*}" "$pattern" "$tessera" inspect "$model"
    fails "float engine ${case%%|*}" "$pattern" "$tessera" run "$model" --engine float --events ev.csv --inputs in3.json -o o.csv
    fails "compile ${case%%|*}" "$pattern" "$tessera" compile "$model" --device zcu102 --events ev.csv --inputs in3.json -o d
    check "nothing is left of ${case%%|*}" [ ! -e d ] && check "and no results" [ ! -e o.csv ]
done
works "masks of minus infinity are none of those" "$tessera" inspect "$root/test/models/torch_masked.onnx"
finish
