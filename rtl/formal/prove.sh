#!/bin/bash
# Proves by induction the assertions inside `ifdef FORMAL` of the modules in proofs.txt: rtl/formal/prove.sh [--faults] [module...], from
# the repository root. Every module that has such a section must be listed. Exit status 0 only if every proof succeeds.
# --faults: instead, with each fault of faults.txt (a credit too many, a place too few) in its module, the proof must fail.
set -u
rtl=${RTL:-rtl} # another directory for the script that injects faults
list=rtl/formal/proofs.txt
[ -f "$list" ] || { echo "run from the repository root" >&2; exit 2; }
faults=0
[ "${1-}" != --faults ] || { faults=1; shift; }
leaves="ts_watch ts_fifo_lut ts_collect ts_sync ts_async_fifo check/ts_axis_check check/ts_axil_check check/ts_axi_burst_check check/ts_axi_read_check check/ts_axi_stream_check"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
passed=0 failed=0

wanted() { # MODULE [MODULE...]: the first is among the others, or there are no others
    local module=$1
    shift
    [ $# = 0 ] || [[ " $* " == *" $module "* ]]
}

# prove DIR MODULE PARAMETERS: what Yosys says goes to the log.
prove() {
    local dir=$1 module=$2 sets="" inside="" clocks="" steps=12 p m
    for p in ${3//,/ }; do
        [ "$p" = - ] || sets+="-chparam ${p%%=*} ${p#*=} "
    done
    # Modules inside bring their own properties, on which what is proved of the whole leans; what they assume of those around them is then
    # to be proved (FORMAL_INSIDE). -libdir reads the others without.
    for m in $leaves; do [ "$m" = "$module" ] || inside+=" $dir/$m.v"; done
    # Several clocks are data, with edges in any order. More steps would not help: a clock may stand still through all of them.
    ! grep -q 'wire *s_clk,' "$dir/$module.v" || clocks="clk2fflogic; opt -purge;" steps=2
    # An assumption that rst is up in the first cycle stands in for the power-up state; -verify makes a counterexample an error.
    # Outputs go, and with them all that no property looks at: data.
    timeout 900 yosys -q -p "read_verilog -formal -D TS_CHECK $dir/$module.v; read_verilog -formal -D FORMAL_INSIDE $inside;
        hierarchy -libdir $dir -top $module $sets; proc; flatten; delete -output o:*; opt -purge; memory; opt -purge; $clocks
        sat -tempinduct -prove-asserts -set-assumes -maxsteps $steps -verify" >"$log" 2>&1
}

if [ $faults = 1 ]; then
    while read -r module fault; do
        case $module in '' | '#'*) continue ;; esac
        wanted "$module" "$@" || continue
        rm -rf "$work/rtl"
        cp -r "$rtl" "$work/rtl"
        sed -i -e "$fault" "$work/rtl/$module.v"
        params=$(grep "^$module " "$list" | tail -n 1 | cut -d' ' -f2)
        if [ "$(diff "$rtl/$module.v" "$work/rtl/$module.v" | grep -c '^>')" != 1 ]; then
            echo "error   $module $fault: does not change one line" && failed=$((failed + 1))
        elif prove "$work/rtl" "$module" "$params"; then
            echo "PROVED  $module $fault" && failed=$((failed + 1))
        elif ! grep -q 'proof did fail' "$log"; then
            echo "error   $module $fault: $(tail -n 1 "$log")" && failed=$((failed + 1))
        else
            echo "noticed $module $fault" && passed=$((passed + 1))
        fi
    done <rtl/formal/faults.txt
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
fi

while read -r module params; do
    case $module in '' | '#'*) continue ;; esac
    wanted "$module" "$@" || continue
    if prove "$rtl" "$module" "$params"; then
        echo "proved  $module $params"
        passed=$((passed + 1))
    else
        echo "FAILED  $module $params"
        tail -n 20 "$log"
        failed=$((failed + 1))
    fi
done <"$list"
if [ $# = 0 ]; then
    for file in $(grep -l 'ifdef FORMAL' "$rtl"/*.v); do
        module=$(basename "$file" .v)
        case $module in ts_watch | ts_sync) continue ;; esac # for the modules around them: what they watch, and their inner registers
        grep -q "^$module " "$list" || { echo "FAILED  $module has properties, but no line in $list"; failed=$((failed + 1)); }
    done
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
