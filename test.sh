#!/usr/bin/env bash
# Installs what is missing, builds with gcc and clang, and runs every test. Usage: ./test.sh [STEP...]   (steps: ./test.sh --help)
set -uo pipefail
cd "$(dirname "$0")"

steps=(
    "install   packages, through scripts/install.sh"
    "build     gcc, warnings are errors"
    "unit      unit tests and ONNX's operator tests"
    "clang     clang, warnings are errors"
    "asan      the same tests under AddressSanitizer and UndefinedBehaviorSanitizer"
    "bad       wrong files and wrong usage through the command line"
    "cases     kinds of failure that real files and habits have found, test/cases"
    "fuzz      every fuzzer for a minute, from its committed corpus"
    "rtl       every Verilog module against its C kernel, random stalls; none without a description, a bench and an injected fault"
    "formal    stream handshakes proved by induction"
    "e2e       the seeded model through compile, simulate and run"
    "real      published models on real events, where ../shared is there"
)
more=( # run when named, or all with --full
    "synth     a small build through Yosys: resources against the prediction"
    "mutate    a one-bit fault in each kernel and module is noticed"
)
if [ "${1-}" = --help ]; then printf '%s\n' "${steps[@]}" "" "with --full, or by name:" "${more[@]}"; exit 0; fi
if [ "${1-}" = --full ]; then steps+=("${more[@]}"); shift; elif [ $# -gt 0 ]; then steps+=("${more[@]}"); fi

run_install() { scripts/install.sh --all; }
run_build() { cmake --preset release >/dev/null && cmake --build build; }
run_unit() { ctest --test-dir build --output-on-failure -j2; }
run_clang() { cmake --preset clang >/dev/null && cmake --build build-clang; }
run_asan() { cmake --preset asan >/dev/null && cmake --build build-asan && ctest --test-dir build-asan --output-on-failure -j2; }
run_bad() { test/bad/run.sh; }
run_cases() { test/cases/run.sh; }
run_fuzz() { test/fuzz/run.sh -m 1; }
run_rtl() { scripts/check_verilog.sh && scripts/check_modules.sh && test/rtl/run.sh -j 2; }
run_formal() { rtl/formal/prove.sh; }
run_e2e() { test/e2e/run.sh; }
run_real() {
    [ -d ../shared/data ] || { echo "skipped: ../shared is not there"; return 0; }
    local dir status
    dir=$(mktemp -d)
    test/e2e/real.sh "$PWD/build/tessera" "$PWD/../shared/data" "$dir"
    status=$?
    rm -rf "$dir"
    return $status
}
run_synth() { test/e2e/synth.sh; }
run_mutate() { scripts/mutate.sh --quick; }

passed=0 failed=0 names=()
log=$(mktemp -d)
for line in "${steps[@]}"; do
    step=${line%% *}
    [ $# -eq 0 ] || [[ " $* " == *" $step "* ]] || continue
    printf '%-8s ' "$step"
    start=$SECONDS
    command -v ccache >/dev/null && export OBJCACHE=ccache # Verilator's makefiles take it
    if "run_$step" >"$log/$step" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %4d s   %s\n' $((SECONDS - start)) "$(grep -E 'tests passed|passed, [0-9]+ failed|skipped' "$log/$step" | tail -n 1)"
        grep -hE '^(skipped|notice):' "$log/$step" | sed 's/^/         /' | sort -u
    else
        failed=$((failed + 1)) names+=("$step")
        printf 'FAILED  %4d s\n' $((SECONDS - start))
        tail -n 40 "$log/$step" | sed 's/^/         /'
        case $step in install | build) break ;; esac
    fi
done
[ $failed -eq 0 ] && rm -rf "$log" || echo "whole logs: $log (${names[*]})"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
