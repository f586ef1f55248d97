#!/usr/bin/env bash
# Models that all engines but the float one took: float16 inputs, inputs that nothing reads, outputs that nothing reads, integer results.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
models=$root/test/models/cases
events=(--events ev.csv --inputs in3.json)
works "the model as it was" "$tessera" run "$small_model" --engine float "${events[@]}" -o plain.csv

# largest difference of two results files (event_id and results: the model pools)
difference() { paste -d, "$1" "$2" | awk -F, 'NR > 1 { for (i = 2; i <= NF / 2; i++) { d = $i - $(i + NF / 2); d = d < 0 ? -d : d; if (d > m) m = d } } END { print m + 0 }'; }

for model in split_of_shape unread_input; do
    works "inspect $model" "$tessera" inspect "$models/$model.onnx"
    says "$model is all in hardware" "everything in the file is supported"
    works "run $model" "$tessera" run "$models/$model.onnx" --engine float "${events[@]}" -o "$model.csv"
    check "$model gives what the model gives" cmp -s plain.csv "$model.csv"
done

works "run half" "$tessera" run "$models/half.onnx" --engine float "${events[@]}" -o half.csv
check "float16 is near float32" awk "BEGIN { exit !($(difference plain.csv half.csv) < 0.01) }"
check "and is not float32" awk "BEGIN { exit !($(difference plain.csv half.csv) > 0) }"
works "compile half" "$tessera" compile "$models/half.onnx" --device zcu102 --max-tokens 16 --target-ii 200 "${events[@]}" -o half
works "the float engine of its design" "$tessera" run half --engine float --events ev.csv -o half2.csv
check "gives the same" cmp -s half.csv half2.csv

echo '{"inputs":[{"column":"x","mean":0,"std":400},{"column":"y","mean":0,"std":400},{"column":"z","mean":0,"std":400}],"task":"regression","outputs":["class"]}' >class.json
works "run arg_max" "$tessera" run "$models/arg_max.onnx" --engine float --events ev.csv --inputs class.json -o class.csv
awk -F, 'NR > 1 { print $1 "," ($3 > $2 ? 1 : 0) }' plain.csv >want.csv
sed 1d class.csv >got.csv
check "classes are integers, the larger of both results" cmp -s want.csv got.csv
works "compile arg_max" "$tessera" compile "$models/arg_max.onnx" --device zcu102 --max-tokens 16 --target-ii 200 --events ev.csv --inputs class.json -o class
works "the integer engine, with the host's share" "$tessera" run class --engine integer --events ev.csv -o integer.csv
check "writes classes, too" awk -F, 'NR > 1 && $2 != 0 && $2 != 1 { bad = 1 } END { exit bad || NR != 3 }' integer.csv
finish
