#!/usr/bin/env bash
# The host library on packages: the same program on the emulator and on the simulated devices gives the bits of `tessera run`; sequences with hangs and
# resets. Usage: run.sh [--all | NAME...]   (names: below; without any: tiny)
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD build=${BUILD:-$PWD/build}
tessera=$build/tessera
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LD_LIBRARY_PATH=$build/lib
command -v ccache >/dev/null && export OBJCACHE=ccache
printf '%s\n' '{"inputs": [{"column": "a", "mean": 0.1, "std": 2}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$scratch/abc.json"
awk 'BEGIN { print "event_id,hit_id,a,b,c"
    for (e = 0; e < 5; e++) for (h = 0; h < 3 + 6 * e; h++) { k = 31 * e + 7 * h
        print e "," h "," (k * 13 % 97) / 32 - 1.5 "," (k * 29 % 89) / 32 - 1.25 "," (k * 53 % 101) / 32 - 1.75 } }' >"$scratch/abc.csv"
abc=(test/models/torch_pre.onnx --events "$scratch/abc.csv" --inputs "$scratch/abc.json" --max-tokens 24)

passed=0 failed=0
wanted=("$@")
[ $# -gt 0 ] || wanted=(tiny)
# try PACKAGE-OPTIONS BACK-ENDS... -- COMPILE-ARGUMENTS...: in $dir
try() {
    local options=$1 backends=() backend
    shift
    while [ "$1" != -- ]; do backends+=("$1"); shift; done
    shift
    # shellcheck disable=SC2086
    "$tessera" compile "$@" -o "$dir" && "$tessera" package "$dir" $options -o "$dir-board" || return 1
    "$tessera" run "$dir" --engine integer --events "$events" -o "$dir.csv" || [ $? = 3 ] || return 1 # 3: some were refused
    tail -n +2 "$dir.csv" >"$dir.rows"
    [ -s "$dir.rows" ] || return 1
    make -s -C "$dir-board" -f tb/sim_library.mk || return 1
    for backend in "${backends[@]}"; do
        "$build/src/run/board_events" "$dir-board" "$backend" "$events" 60 >"$dir.got" && cmp "$dir.got" "$dir.rows" || { echo "with $backend"; return 1; }
    done
    "$build/test/sequences" "$dir-board" sim:stalls=20 emulator 8 1 2 && "$build/test/sequences" "$dir-board" emulator sim 20
}
package() { # NAME PACKAGE-OPTIONS BACK-ENDS... -- COMPILE-ARGUMENTS...
    local name=$1 start=$SECONDS dir=$scratch/$1
    shift
    [ "${wanted[0]}" = --all ] || [[ " ${wanted[*]} " == *" $name "* ]] || return
    if (try "$@") >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      $name: $(tail -n 2 "$scratch/log" | head -n 1) ($((SECONDS - start)) s)"; else
        failed=$((failed + 1)); echo "FAILED  $name"; tail -n 20 "$scratch/log"
    fi
}
# Weights that are loaded: the emulator's and the simulated board's are those of `tessera run`.
weights() {
    local m=test/models/weights few=$scratch/few.csv backend
    awk -F, '$1 != last { last = $1; n = 0 } NR == 1 || (++n <= 20 && $1 < 6)' models/seeded.csv >"$few"
    "$tessera" compile $m/first.onnx --device zcu102 --events "$few" --inputs models/seeded.inputs.json --max-tokens 24 --target-ii 60 --acc-margin 3 -o "$dir" &&
        "$tessera" weights $m/second.onnx "$dir" --events "$few" -o "$dir.tsw" && "$tessera" package "$dir" -o "$dir-board" &&
        "$tessera" run "$dir" --engine integer --weights "$dir.tsw" --events "$few" -o "$dir.csv" && make -s -C "$dir-board" -f tb/sim_library.mk || return 1
    tail -n +2 "$dir.csv" >"$dir.rows"
    for backend in emulator sim; do
        "$build/src/run/board_events" "$dir-board" $backend "$few" 60 "$dir.tsw" >"$dir.got" && cmp "$dir.got" "$dir.rows" || { echo "with $backend"; return 1; }
        "$build/src/run/board_events" "$dir-board" $backend "$few" 60 >"$dir.old" && ! cmp -s "$dir.old" "$dir.rows" || return 1
    done
    dd if=/dev/zero of="$dir.tsw" bs=1 seek=3000 count=1 conv=notrunc status=none
    "$build/src/run/board_events" "$dir-board" sim "$few" 60 "$dir.tsw" 2>"$dir.err"
    grep 'damaged: its check sum is wrong' "$dir.err"
}
if [[ " ${wanted[*]} " == *" weights "* || ${wanted[0]} = --all ]]; then
    dir=$scratch/weights
    if (weights) >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      weights"; else failed=$((failed + 1)); echo "FAILED  weights"; tail -n 20 "$scratch/log"; fi
fi
events=$scratch/abc.csv
package tiny "" emulator sim "sim:stalls=40,bus=9100,engine=2500,seed=4" -- "${abc[@]}" --device zcu102 --target-ii 40
package status "--status word" emulator sim "sim:stalls=40" -- "${abc[@]}" --device zcu102 --target-ii 40
package wide "--bus-bits 512" emulator sim -- "${abc[@]}" --device zcu102 --target-ii 40
package replicated "" emulator sim -- "${abc[@]}" --device u250 --mode replicated --target-ii 40
package slice "" emulator sim -- "${abc[@]}" --device zcu102 --target-ii 40 --hardware layers.0.ffn-2.attention
package split "" emulator sim "sim:stalls=30" -- "${abc[@]}" --device pynq-z2,pynq-z2 --mode split
package pooled "--bus-bits 32" emulator sim -- test/models/torch_mean.onnx "${abc[@]:1}" --device pynq-z2 --target-ii 40
events=$scratch/few.csv
awk -F, '$1 != last { last = $1; n = 0 } NR == 1 || (++n <= 20 + $1 % 6 && $1 < 6)' models/seeded.csv >"$events"
package paged "" emulator sim "sim:memory_stalls=30,stalls=10" -- models/seeded.onnx --events "$events" --inputs models/seeded.inputs.json --max-tokens 24 --device pynq-z2 --mode paged
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
