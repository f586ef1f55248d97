#!/usr/bin/env bash
# A thousand random sequences of submit, time-out, reset and reload, on devices that fail and on the emulator, under AddressSanitizer (with leaks) and under
# ThreadSanitizer. Builds what is needed of build-asan and build-tsan. Usage: sanitize.sh [SEQUENCES]
set -uo pipefail
cd "$(dirname "$0")/../.."
count=${1:-1000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$scratch/log" 2>&1; then passed=$((passed + 1)); echo "ok      $what: $(tail -n 1 "$scratch/log")"; else failed=$((failed + 1)); echo "FAILED  $what"; tail -n 30 "$scratch/log"; fi
}
printf '%s\n' '{"inputs": [{"column": "a"}, {"column": "b"}, {"column": "c"}], "task": "regression", "outputs": ["u", "v"]}' >"$scratch/abc.json"
awk 'BEGIN { print "event_id,hit_id,a,b,c"; for (h = 0; h < 20; h++) print "0," h "," h / 10 - 1 "," h * 7 % 11 / 5 - 1 "," h * 3 % 13 / 6 - 1 }' >"$scratch/abc.csv"
build/tessera compile test/models/torch_pre.onnx --events "$scratch/abc.csv" --inputs "$scratch/abc.json" --max-tokens 24 --device zcu102 --target-ii 40 -o "$scratch/d" >"$scratch/log" 2>&1 &&
    build/tessera package "$scratch/d" -o "$scratch/p" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
export OMP_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=1 TSAN_OPTIONS=halt_on_error=1
for kind in asan tsan; do
    if ! { cmake --preset $kind && cmake --build build-$kind -j2 --target runner_test random_test threads_test sequences shared; } >"$scratch/log" 2>&1; then
        tail -n 20 "$scratch/log"; failed=$((failed + 1)); continue
    fi
    export LD_LIBRARY_PATH=$PWD/build-$kind/lib
    check "$kind: promises" build-$kind/test/runner_test
    check "$kind: failing devices" build-$kind/test/random_test "$count"
    check "$kind: threads" build-$kind/test/threads_test 3000
    check "$kind: emulator" build-$kind/test/sequences "$scratch/p" emulator emulator "$count" 7
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
