#!/bin/bash
# Proves by induction the assertions inside `ifdef FORMAL` of the modules in proofs.txt: rtl/formal/prove.sh [module...], from the
# repository root. Every module that has such a section must be listed. Exit status 0 only if every proof succeeds.
set -u
rtl=${RTL:-rtl} # another directory for the script that injects faults
list=rtl/formal/proofs.txt
[ -f "$list" ] || { echo "run from the repository root" >&2; exit 2; }
leaves="ts_watch ts_fifo_lut ts_collect"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
proved=0 failed=0
while read -r module params; do
    case $module in '' | '#'*) continue ;; esac
    if [ $# -gt 0 ]; then
        case " $* " in *" $module "*) ;; *) continue ;; esac
    fi
    sets=""
    for p in ${params//,/ }; do
        [ "$p" = - ] || sets+="-chparam ${p%%=*} ${p#*=} "
    done
    # Modules inside bring their own properties, on which what is proved of the whole leans; what they assume of those around them is then
    # to be proved (FORMAL_INSIDE). -libdir reads the others without.
    inside=""
    for m in $leaves; do [ "$m" = "$module" ] || inside+=" $rtl/$m.v"; done
    # An assumption that rst is up in the first cycle stands in for the power-up state; -verify makes a counterexample an error.
    # Outputs go, and with them all that no property looks at: data.
    if timeout 120 yosys -q -p "read_verilog -formal $rtl/$module.v; read_verilog -formal -D FORMAL_INSIDE $inside;
        hierarchy -libdir $rtl -top $module $sets; proc; flatten; delete -output o:*; opt -purge; memory; opt -purge; sat -tempinduct -prove-asserts -set-assumes -maxsteps 20 -verify" >"$log" 2>&1; then
        echo "proved  $module $params"
        proved=$((proved + 1))
    else
        echo "FAILED  $module $params"
        tail -n 20 "$log"
        failed=$((failed + 1))
    fi
done <"$list"
if [ $# = 0 ]; then
    for file in $(grep -l 'ifdef FORMAL' "$rtl"/*.v); do
        module=$(basename "$file" .v)
        [ "$module" = ts_watch ] && continue # speaks for the modules around it
        grep -q "^$module " "$list" || { echo "FAILED  $module has properties, but no line in $list"; failed=$((failed + 1)); }
    done
fi
echo "$proved proved, $failed failed"
[ "$failed" = 0 ] && [ "$proved" -gt 0 ]
