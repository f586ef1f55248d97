#!/usr/bin/env bash
# Installs what is missing, builds with gcc and clang, and runs every test. Usage: ./test.sh [-j N] [STEP...]   (steps: ./test.sh --help)
# Behind the build, N steps (2) run at the same time: many of them wait for one process. A line comes when a step ends: how long it took, and
# how many seconds of processors.
set -uo pipefail
cd "$(dirname "$0")"

steps=(
    "install   packages, through scripts/install.sh"
    "style     how the tree is written: formatting, includes, what comments and documents cite; the checks notice what they are for"
    "build     gcc, warnings are errors"
    "unit      unit tests and ONNX's operator tests"
    "clang     clang, warnings are errors"
    "asan      the same tests under AddressSanitizer and UndefinedBehaviorSanitizer"
    "threads   the library from two threads at once under ThreadSanitizer"
    "bad       wrong files and wrong usage through the command line"
    "cases     kinds of failure that real files and habits have found, test/cases"
    "package   the library installed: its names, examples built by pkg-config and CMake, Python; all give the command's bits"
    "python    the Python package: structures against the headers, every call and error, types; the example that draws tracks"
    "host      the host library on a package: one program, emulated and simulated, the same bits; hangs, resets, 200 of them at random"
    "fuzz      every fuzzer for a minute, from its committed corpus"
    "rtl       every Verilog module against its C kernel, random stalls; none without a description, a bench and an injected fault"
    "formal    stream handshakes and credits proved by induction; none with a credit too many"
    "e2e       the seeded model through compile, simulate and run"
    "real      published models on real events, where ../shared is there"
)
more=( # run when named, or all with --full
    "synth     a small build through Yosys: resources against the prediction"
    "hosts     the host library on more packages; a thousand random sequences under both sanitizers; for other processors below qemu"
    "deb       Debian packages, looked at by lintian, installed and used in a minimal Debian"
    "mutate    a one-bit fault in each kernel and module is noticed"
)
lanes=2
if [ "${1-}" = -j ]; then lanes=$2; shift 2; fi
if [ "${1-}" = --help ]; then printf '%s\n' "${steps[@]}" "" "with --full, or by name:" "${more[@]}"; exit 0; fi
if [ "${1-}" = --full ]; then steps+=("${more[@]}"); shift; elif [ $# -gt 0 ]; then steps+=("${more[@]}"); fi

run_install() { scripts/install.sh --all; }
run_style() {
    local status=0
    test/style/run.sh &
    scripts/check_style.sh && scripts/check_tree.sh && scripts/mutate.sh --check || status=1
    wait $! || status=1
    return $status
}
run_build() { cmake --preset release >/dev/null && cmake --build build; }
run_unit() { ctest --test-dir build --output-on-failure -j2; }
run_clang() { cmake --preset clang >/dev/null && cmake --build build-clang; }
run_asan() { cmake --preset asan >/dev/null && cmake --build build-asan && ctest --test-dir build-asan --output-on-failure -j2; }
run_bad() { test/bad/run.sh; }
run_cases() { test/cases/run.sh; }
run_threads() {
    cmake --preset tsan >/dev/null && cmake --build build-tsan --target api_threads_test api_run_test && test/threads/run.sh build-tsan
}
run_package() { test/install/run.sh; }
run_python() { test/python/run.sh; }
run_host() { test/run/run.sh; }
run_fuzz() { test/fuzz/run.sh -m 1 -s 1; } # the same inputs everywhere, as far as a minute goes
run_rtl() { scripts/check_verilog.sh && scripts/check_modules.sh && scripts/check_extension.sh && scripts/check_crossings.py --self-test && test/rtl/run.sh -j 2; }
run_formal() { rtl/formal/prove.sh && rtl/formal/prove.sh --faults; }
run_e2e() { test/e2e/run.sh && test/e2e/extensions.sh && test/e2e/weights.sh && test/e2e/parity.sh; }
run_real() {
    [ -d ../shared/data ] || { echo "skipped: ../shared is not there"; return 0; }
    local dir status
    dir=$(mktemp -d)
    test/e2e/real.sh "$PWD/build/tessera" "$PWD/../shared/data" "$dir"
    status=$?
    rm -rf "$dir"
    return $status
}
run_hosts() { scripts/install.sh --cross && test/run/run.sh --all && test/run/sanitize.sh && scripts/cross.sh && test/python/sim.sh; }
run_synth() { test/e2e/synth.sh && test/e2e/extensions.sh --synth; }
run_deb() { test/deb/run.sh; }
run_mutate() { scripts/mutate.sh --quick; }

passed=0 failed=0 names=()
log=$(mktemp -d)
command -v ccache >/dev/null && export OBJCACHE=ccache # Verilator's makefiles take it

run_step() { # STEP: leaves its output, times and verdict in $log
    local verdict=FAILED start=$SECONDS
    "run_$1" >"$log/$1" 2>&1 </dev/null && verdict=ok
    times >"$log/$1.times" # not in a pipe, which would be another shell
    echo "$verdict $((SECONDS - start)) $(awk -F '[ms ]+' 'NR == 2 { printf "%.0f", 60 * $1 + $2 + 60 * $3 + $4 }' "$log/$1.times")" >"$log/$1.end"
}
show_step() { # STEP
    local verdict seconds processor
    read -r verdict seconds processor <"$log/$1.end" || { verdict=FAILED seconds=0 processor=0; echo "it was ended" >>"$log/$1"; }
    printf '%-8s %-6s %5d s %5d s   ' "$1" "$verdict" "$seconds" "$processor"
    if [ "$verdict" = ok ]; then
        passed=$((passed + 1))
        grep -E 'tests passed|(passed|proved), [0-9]+ failed|skipped' "$log/$1" | tail -n 1 | grep . || echo
        grep -hE '^(skipped|notice):' "$log/$1" | sed 's/^/         /' | sort -u
    else
        failed=$((failed + 1)) names+=("$1")
        echo
        tail -n 40 "$log/$1" | sed 's/^/         /'
    fi
}

queue=()
for line in "${steps[@]}"; do
    step=${line%% *}
    [ $# -eq 0 ] || [[ " $* " == *" $step "* ]] || continue
    case $step in
    install | build) # everything else needs them
        [ $failed -eq 0 ] || continue
        (run_step "$step")
        show_step "$step"
        ;;
    *) queue+=("$step") ;;
    esac
done
[ $failed -eq 0 ] || queue=()

# The longest first, so that no lane is left alone with one in the end.
order=(mutate deb synth e2e real rtl asan threads fuzz)
declare -A running=()
next_step() {
    local step i
    for step in "${order[@]}" "${queue[@]}"; do
        for i in "${!queue[@]}"; do
            [ "${queue[$i]}" = "$step" ] || continue
            unset "queue[$i]"
            run_step "$step" &
            running[$!]=$step
            return
        done
    done
}
while [ ${#queue[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
    while [ ${#queue[@]} -gt 0 ] && [ ${#running[@]} -lt "$lanes" ]; do next_step; done
    wait -n "${!running[@]}" || true
    for process in "${!running[@]}"; do
        kill -0 "$process" 2>/dev/null && continue
        wait "$process" || true
        show_step "${running[$process]}"
        unset "running[$process]"
    done
done
[ $failed -eq 0 ] && rm -rf "$log" || echo "whole logs: $log (${names[*]})"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
