#!/usr/bin/env bash
# Every Verilog file given (all of rtl/, else) reads as Verilog-2005 and as SystemVerilog: as IEEE 1364-2005 and 1800-2012 by Icarus, and by
# Verilator in both languages. Tools that take .v for SystemVerilog (Verilator by default, cocotb with Icarus) stop at an identifier that is
# a reserved word there: context, inside, final, before ... -d: a compiled design, from its bench on down.
# Usage, from anywhere: scripts/check_verilog.sh [FILE...|-d DESIGN]
set -u
rtl=$(cd "$(dirname "$0")/../rtl" && pwd)
from=(-y "$rtl" -y "$rtl/check") timing=()
if [ "${1-}" = -d ]; then
    cd "$2" || exit 1 # Verilator takes a path with a $ for a variable
    shopt -s nullglob
    from=(-Itb -y rtl -y tb) timing=(--timing)
    for part in part*/rtl; do from+=(-y "$part"); done
    set -- tb/tb.v
fi
[ $# -gt 0 ] || set -- "$rtl"/*.v "$rtl"/check/*.v "$rtl"/../src/sim/templates/ts_*.v
status=0
for file in "$@"; do
    for language in -g2005 -g2012; do
        iverilog $language -t null "${from[@]}" "$file" 2>&1 | head -n 5 | sed "s/^/iverilog $language: /" | grep . && status=1 # anything said
    done
    for language in 1364-2005 1800-2012; do
        verilator --lint-only -Wno-fatal "${timing[@]}" --language $language "${from[@]}" "$file" 2>&1 | grep %Error | head -n 5 | sed "s/^/verilator --language $language: /" | grep . && status=1
    done
done
[ $status = 0 ] && echo "$# Verilog file(s) read, with what they use, as Verilog-2005 and as SystemVerilog"
exit $status
