#!/usr/bin/env bash
# Weights that come later: two models of one shape, swapped between events in one run of one simulator, with weights on chip and in pages; what fits and
# what does not; damaged files. Usage: weights.sh [--board] (TESSERA=build/tessera)
#   --board   instead, on boards: through AXI4-Lite, with WEIGHT_CRC and pages fetched anew (a minute of CPU for each of two simulators)
with_board=${1-}
. "$(dirname "$0")/../cases/lib.sh"
models=$root/test/models/weights
if [ "$with_board" = --board ]; then
    for design in chip paged; do
        case $design in chip) how=(--device zcu102) ;; *) how=(--device pynq-z2 --mode paged) ;; esac
        works "$design" "$tessera" compile "$models/first.onnx" "${how[@]}" --events "$seeded_csv" --inputs "$seeded_inputs" --max-tokens 24 --target-ii 60 --acc-margin 3 -o $design
        works "$design: weights" "$tessera" weights "$models/second.onnx" $design --events "$seeded_csv" -o $design.tsw
        works "$design: package" "$tessera" package $design --weights $design.tsw --target yosys -o $design-board
        cd $design-board || exit 1
        works "$design: lint" make lint
        works "$design: bench" verilator --binary --timing -Wno-fatal -Wno-lint -j 1 --top-module tb -y rtl -y tb -Itb tb/board_tb.v -Mdir sim
        works "$design: loaded between events" sim/Vtb +stalls=20
        check "$design: two passes with the old weights, one with the new, every word equal" grep -q '^PASS: 3 times' "$dir/.out"
        cd ..
    done
    # Without the reset old pages are used.
    sed -i '/WEIGHT_REFUSED, 32/{n;s/soft_reset;//}' paged-board/tb/board_tb.v
    (cd paged-board && verilator --binary --timing -Wno-fatal -Wno-lint -j 1 --top-module tb -y rtl -y tb -Itb tb/board_tb.v -Mdir sim) >.out 2>&1
    check "without the reset, pages are the old ones" sh -c 'cd paged-board && sim/Vtb +passes=1 | grep -q ^FAIL'
    finish
fi
options=(--events "$seeded_csv" --inputs "$seeded_inputs" --limit 5)
works "compile, with room" "$tessera" compile "$models/first.onnx" --device zcu102 --parity all "${options[@]::4}" --max-tokens 400 --target-ii 60 --acc-margin 3 -o chip
works "compile, paged" "$tessera" compile "$models/first.onnx" --device pynq-z2 --mode paged "${options[@]::4}" --max-tokens 400 --target-ii 60 --acc-margin 3 -o paged
works "compile, without room" "$tessera" compile "$models/first.onnx" --device zcu102 "${options[@]::4}" --max-tokens 400 --target-ii 60 -o tight
check "the manifest says so" grep -q '"acc_margin": 3' chip/manifest.json
check "and not otherwise" sh -c '! grep -q acc_margin tight/manifest.json'

for design in chip paged; do
    works "$design: weights" "$tessera" weights "$models/second.onnx" $design "${options[@]::4}" -o $design.tsw
    works "$design: swapped between events" "$tessera" simulate $design --weights $design.tsw --after 2 "${options[@]}" --stalls 20
    check "$design: two events, then three, every word equal" grep -q "2 events with the weights of first, then 3 with those of second .* 0 differ" .out
    works "$design: the new model's integers" "$tessera" run $design --engine integer --weights $design.tsw "${options[@]}" -o $design-new.csv
    works "$design: the old one's" "$tessera" run $design --engine integer "${options[@]}" -o $design-old.csv
done
works "from the beginning" "$tessera" run chip --engine rtl --weights chip.tsw --events "$seeded_csv" --limit 3 -o rtl.csv
check "results of simulated hardware are those of the integer model" sh -c 'head -n "$(wc -l <rtl.csv)" chip-new.csv | cmp -s - rtl.csv'
check "the two models differ" sh -c '! cmp -s chip-old.csv chip-new.csv'
works "the same model as float" "$tessera" run "$models/second.onnx" --engine float "${options[@]}" -o float.csv
check "the new results are the new model's" /usr/bin/python3 -c '
import csv, sys
new, old, want = ([[float(x) for x in r[2:]] for r in list(csv.reader(open(p)))[2:] if r[0].isdigit()] for p in ("chip-new.csv", "chip-old.csv", "float.csv"))
rms = lambda a: (sum((x - y) ** 2 for p, q in zip(a, want) for x, y in zip(p, q)) / sum(y * y for q in want for y in q)) ** 0.5
print(rms(new), rms(old))
sys.exit(not (len(new) == len(want) > 100 and rms(new) < 0.01 and rms(old) > 0.2))'

STATUS=7 fails "what does not fit is named" "hardware is up to [0-9] bits? too small .*--acc-margin [0-9]" "$tessera" weights "$models/second.onnx" tight "${options[@]::4}" -o no.tsw
check "and nothing is written" test ! -e no.tsw
STATUS=6 fails "another shape" "width: 32, the design was made for 12" "$tessera" weights "$seeded_model" chip "${options[@]::4}" -o no.tsw
STATUS=5 fails "a file for another design" "made for another design" "$tessera" simulate paged --weights chip.tsw "${options[@]}"
head -c 5000 chip.tsw >cut.tsw
STATUS=5 fails "a file that is cut off" "damaged or truncated" "$tessera" run chip --engine integer --weights cut.tsw "${options[@]}" -o no.csv
STATUS=5 fails "no such file at all" "not a file of weights" "$tessera" run chip --engine integer --weights chip/model.tsm "${options[@]}" -o no.csv
STATUS=2 fails "one directory" "MODEL.onnx DIR" "$tessera" weights chip -o no.tsw
STATUS=2 fails "--after beyond the events" "none would see the new weights" "$tessera" simulate chip --weights chip.tsw --after 5 "${options[@]}"
STATUS=2 fails "--after alone" "belongs to --weights" "$tessera" simulate chip --after 1 "${options[@]}"
STATUS=2 fails "the float engine has none" "weights of a file are for the integer engine" "$tessera" run chip --engine float --weights chip.tsw "${options[@]}" -o no.csv
finish
