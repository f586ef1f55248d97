#!/bin/bash
# Builds and runs the RTL benches: test/rtl/run.sh [-j JOBS] [-k] [-c PARAMETERS] [-f] [module...], from the repository root.
# Cases are lines of test/rtl/cases.txt; without modules, all of them run. Work goes to $BUILD (build/rtl). A case is rebuilt when
# its sources are newer. -k keeps the case's output on the screen when it passes. -c runs only the first
# case of each module whose parameters begin so (-c "": its first case). -f is for designs with an injected fault: no lint, no
# replay in Icarus, a quick build, and a case ends with its first failure.
# Exit status: 0 only if every case passed, 3 if a case did not compile, 1 otherwise.
set -u
jobs=1
keep=0
one=0
only=
faults=0
while getopts "j:kc:f" option; do
    case $option in
    j) jobs=$OPTARG ;;
    k) keep=1 ;;
    c) one=1 only=$OPTARG ;;
    f) faults=1 ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
build=$(realpath -m "${BUILD:-build/rtl}")
root=$(pwd)
rtl=${RTL:-$root/rtl} # another directory for the script that injects faults
bench=$root/test/rtl
checks=(-DTS_CHECK -y "$rtl/check") # protocol checkers inside of the modules
[ -f "$bench/bench.h" ] || { echo "run from the repository root" >&2; exit 2; }
mkdir -p "$build/results"
rm -f "$build"/results/*
: "${CXX:=g++}" "${CC:=gcc}"
verilator_root=$(verilator --getenv VERILATOR_ROOT)
cxxflags=(-std=c++17 -O1 -I"$root/src" -I"$bench" -isystem "$verilator_root/include" -isystem "$verilator_root/include/vltstd"
          -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TRACE=0 -DVL_IGNORE_UNKNOWN_ARCH)
warnings=(-Wall)
[ $faults = 0 ] || cxxflags+=(-O0) warnings=(-Wno-fatal)

# What all benches share, compiled once.
common() {
    local out=$build/common
    mkdir -p "$out"
    if [ ! -f "$out/ok" ] || [ -n "$(find "$bench/bench.cpp" "$bench/bench.h" src/num/fixed.c src/base/err.c src/base/crc.c "$bench/run.sh" -newer "$out/ok")" ]; then
        rm -f "$out"/*.o
        $CC -std=c11 -O1 -Isrc -c src/num/fixed.c -o "$out/fixed.o" && $CC -std=c11 -O1 -Isrc -c src/base/err.c -o "$out/err.o" &&
            $CC -std=c11 -O1 -Isrc -c src/base/crc.c -o "$out/crc.o" &&
            $CXX "${cxxflags[@]}" -Wall -Wextra -c "$bench/bench.cpp" -o "$out/bench.o" &&
            $CXX "${cxxflags[@]}" -c "$verilator_root/include/verilated.cpp" -o "$out/verilated.o" &&
            $CXX "${cxxflags[@]}" -c "$verilator_root/include/verilated_threads.cpp" -o "$out/verilated_threads.o" &&
            echo '#include "bench.h"' >"$out/headers.h" && $CXX "${cxxflags[@]}" -x c++-header "$out/headers.h" -o "$out/headers.h.gch" &&
            touch "$out/ok"
    fi
}

# compile DIR MODULE PARAMS: lint, Verilator and Icarus front ends, one C++ translation unit.
compile() {
    local dir=$1 module=$2 params=$3 flags=() icarus=() connect="" list
    # Verilator lists the Verilog files that it read in a make rule.
    list=$( (cut -d: -f2 "$dir/Vtop__ver.d" | tr ' ' '\n' | grep '\.v$'
        ls "$bench/${module}_tb.cpp" "$bench"/*.h "$bench/waivers.vlt" src/emit/page_image.[ch] src/ring/page_format.h "$build/common/ok") 2>/dev/null |
        xargs -I{} find {} -newer "$dir/ok" 2>&1)
    [ -f "$dir/ok" ] && [ -z "$list" ] && return 0
    rm -rf "$dir"
    mkdir -p "$dir"
    : >"$dir/params.h"
    if [ "$params" != - ]; then
        local p
        for p in ${params//,/ }; do
            flags+=("-G$p")
            icarus+=("-P$module.$p")
            echo "#define P_${p%%=*} ${p#*=}" >>"$dir/params.h"
            connect+="${connect:+, }.${p%%=*}(${p#*=})"
        done
    fi
    echo "$module ${connect:+#($connect) }dut" >"$dir/dut.vh"
    verilator --cc --prefix Vtop --top-module "$module" --Mdir "$dir" "${warnings[@]}" --language 1364-2005 -O3 --x-assign unique \
        --x-initial unique --output-split 20000 -y "$rtl" "${checks[@]}" "${flags[@]}" "$bench/waivers.vlt" "$rtl/$module.v" || return 1
    if [ $faults = 0 ]; then
        iverilog -g2005 -Wall -Wno-timescale -y "$rtl" "${checks[@]}" -s "$module" "${icarus[@]}" -o "$dir/lint.vvp" "$rtl/$module.v" \
            >"$dir/iverilog.log" 2>&1
        local status=$?
        if [ $status != 0 ] || [ -s "$dir/iverilog.log" ]; then
            cat "$dir/iverilog.log"
            return 1
        fi
    fi
    {
        echo '#include "params.h"'
        echo "#include \"$bench/${module}_tb.cpp\""
        for f in "$dir"/Vtop*.cpp; do echo "#include \"$f\""; done
    } >"$dir/unity.cpp"
    $CXX "${cxxflags[@]}" -I"$dir" -include "$build/common/headers.h" "$dir/unity.cpp" "$build"/common/*.o -pthread -o "$dir/bench" && touch "$dir/ok"
}

# run_case NAME MODULE PARAMS STALLS SEEDS FLAG
run_case() {
    local name=$1 module=$2 params=$3 stalls=$4 seeds=$5 flag=${6:-} set seed bad=0 first=1 status
    local dir=$build/$module-$(echo "$params" | md5sum | cut -c1-10)
    (
        # Lines with equal parameters share a build.
        flock 9
        compile "$dir" "$module" "$params" || exit 3
        cd "$dir" || exit 1
        for set in ${stalls//;/ }; do
            for seed in ${seeds//,/ }; do
                local args=(--seed "$seed")
                [ "$set" = - ] || args+=(--stall "$set")
                [ $first = 1 ] && [ "$flag" = icarus ] && args+=(--record .)
                timeout 300 ./bench "${args[@]}" || { bad=1; echo "FAIL: $dir/bench ${args[*]}"; }
                [ $faults = 1 ] && [ $bad = 1 ] && exit 1
                if [ $first = 1 ] && [ "$flag" = icarus ] && [ $bad = 0 ]; then
                    iverilog -g2005 -I. -y "$rtl" "${checks[@]}" -o tb.vvp tb.v && timeout 300 vvp -n tb.vvp >tb.log 2>&1
                    head -c 3000 tb.log
                    grep -q '^PASS' tb.log || { bad=1; echo "FAIL: replay in Icarus"; }
                fi
                first=0
            done
        done
        exit $bad
    ) 9>"$build/lock-$(basename "$dir")" >"$build/results/$name.log" 2>&1
    status=$?
    [ $status != 3 ] || touch "$build/results/broken"
    if [ $status = 0 ]; then
        echo "$module $params" >"$build/results/$name.pass"
        echo "pass  $module $params"
        [ $keep = 1 ] && cat "$build/results/$name.log"
    else
        echo "$module $params" >"$build/results/$name.fail"
        echo "FAIL  $module $params"
        tail -n 25 "$build/results/$name.log" | cut -c 1-400
    fi
    return 0
}

common || exit 1
n=0
declare -A common_params ran
while read -r module params stalls seeds flag; do
    case $module in
    '' | '#'*) continue ;;
    common)
        common_params[$params]=$stalls
        continue
        ;;
    esac
    [ -z "${common_params[$module]:-}" ] || params=$params,${common_params[$module]}
    if [ $# -gt 0 ]; then
        case " $* " in *" $module "*) ;; *) continue ;; esac
    fi
    [[ $params == "$only"* ]] && [ "$one${ran[$module]:-}" != 11 ] || continue
    ran[$module]=1
    [ $faults = 0 ] || flag=
    n=$((n + 1))
    run_case "$(printf %04d $n)" "$module" "$params" "$stalls" "$seeds" "$flag" &
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
done <"$bench/cases.txt"
wait
passed=$(find "$build/results" -name '*.pass' | wc -l)
failed=$(find "$build/results" -name '*.fail' | wc -l)
[ "$failed" = 0 ] || cat "$build"/results/*.fail | sed 's/^/failed: /'
[ $((passed + failed)) = "$n" ] || { echo "cases were lost: $n started" >&2; failed=$((failed + 1)); }
echo "$passed passed, $failed failed"
[ ! -f "$build/results/broken" ] || exit 3
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
