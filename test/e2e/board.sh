#!/usr/bin/env bash
# Designs on a board: packaged, linted, and simulated through their AXI tops with two clocks, pauses and soft resets. Usage: board.sh [NAME...]
set -uo pipefail
cd "$(dirname "$0")/../.."
tessera=$PWD/${TESSERA:-build/tessera}
here=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '%s\n' '{"inputs": [{"column": "a"}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$scratch/abc.json"
awk 'BEGIN { print "event_id,hit_id,a,b,c"
    for (e = 0; e < 3; e++) for (h = 0; h < 5 + 17 * e; h++) { k = 31 * e + 7 * h
        print e "," h "," (k * 13 % 97) / 32 - 1.5 "," (k * 29 % 89) / 32 - 1.25 "," (k * 53 % 101) / 32 - 1.75 } }' >"$scratch/abc.csv"
small=(--events "$scratch/abc.csv" --inputs "$scratch/abc.json" --max-tokens 24)
seeded=(models/seeded.onnx --events models/seeded.csv --inputs models/seeded.inputs.json --max-tokens 24)

passed=0 failed=0
wanted=("$@")
# try OPTIONS WHAT COMPILE-ARGUMENTS...: into $dir, and its package, with every pair of clocks
try() {
    local options=$1 part=$2 clocks
    shift 2
    # shellcheck disable=SC2086
    "$tessera" compile "$@" -o "$dir" && "$tessera" package "$dir$part" --target yosys $options -o "$dir-board" && cd "$dir-board" && make lint &&
        verilator --binary --timing -Wno-fatal -Wno-lint -j 1 --top-module tb -y rtl -y tb -Itb tb/board_tb.v -Mdir sim || return 1
    for clocks in "+stalls=0" "+stalls=30 +bus=3700 +engine=4000 +seed=2" "+stalls=30 +bus=9100 +engine=2000 +seed=3 +passes=3" "+stalls=30 +bus=1900 +engine=7300 +seed=4"; do
        # shellcheck disable=SC2086
        sim/Vtb $clocks >"$scratch/sim.log" 2>&1
        grep -q '^PASS' "$scratch/sim.log" || { echo "with $clocks:"; tail -n 5 "$scratch/sim.log"; return 1; }
    done
}
# board NAME PACKAGE-OPTIONS PART COMPILE-ARGUMENTS...: PART is what is packaged, below the compiled directory
board() {
    local name=$1 start=$SECONDS dir=$scratch/$1
    shift
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return
    if (try "$@") >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      $name: $(head -n 1 "$scratch/sim.log") ($((SECONDS - start)) s)"; else
        failed=$((failed + 1)); echo "FAILED  $name"; tail -n 20 "$scratch/log"
    fi
}
board whole "" "" test/models/torch_pre.onnx "${small[@]}" --device zcu102 --target-ii 40
# The crossings of a whole top.
crossings() {
    cd "$scratch/whole-board" && "$here/scripts/check_crossings.py" "$(basename rtl/*_board.v .v)" rtl/*_board.v rtl/*_board_registers.v rtl/*_top.v
}
if [ -d "$scratch/whole" ]; then
    if (crossings) >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      crossings: $(tail -n 1 "$scratch/log")"; else
        failed=$((failed + 1)); echo "FAILED  crossings"; tail -n 20 "$scratch/log"
    fi
fi
board pooled "--bus-bits 32 --bus-clock 333 --status word" "" test/models/torch_mean.onnx "${small[@]}" --device pynq-z2 --target-ii 40 --parity all
board tokens "--bus-bits 128" /part1 test/models/torch_pre.onnx "${small[@]}" --device pynq-z2,pynq-z2 --mode split
board paged "" "" "${seeded[@]}" --device pynq-z2 --mode paged
board rings "" "" test/models/torch_pre.onnx "${small[@]}" --device u250 --mode replicated --target-ii 40 --parity all
# Two devices together, each clock its own; and a word that is lost on the way.
together() {
    local dir=$scratch/split clocks
    "$tessera" compile test/models/torch_pre.onnx "${small[@]}" --device pynq-z2,pynq-z2 --mode split --target-ii 40 -o "$dir" &&
        "$tessera" package "$dir" --target yosys -o "$dir-board" && cd "$dir-board" && make -C device0 lint && make -C device1 lint &&
        make fast SIM="+stalls=30 +clocks=1 +lane_pauses=10" || return 1
    for clocks in "+stalls=0" "+stalls=30 +clocks=2 +lane_pauses=30 +passes=3" "+lane_fault=0 +lane_word=30 +clocks=4" "+lane_fault=1 +lane_word=3"; do
        # shellcheck disable=SC2086
        sim/Vtb $clocks >"$scratch/sim.log" 2>&1
        grep -q '^PASS' "$scratch/sim.log" && ! grep -q FAIL "$scratch/sim.log" || { echo "with $clocks:"; tail -n 5 "$scratch/sim.log"; return 1; }
    done
    for device in 0 1; do
        (cd "device$device" && "$here/scripts/check_crossings.py" "$(basename rtl/*_board.v .v)" rtl/*_board.v rtl/*_board_registers.v rtl/torch*_top.v) || return 1
    done
}
if [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" split "* ]]; then
    if (together) >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      split: $(head -n 1 "$scratch/sim.log")"; else
        failed=$((failed + 1)); echo "FAILED  split"; tail -n 20 "$scratch/log"
    fi
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
