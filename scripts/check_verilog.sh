#!/usr/bin/env bash
# Every Verilog file given (all of rtl/, else) reads as Verilog-2005 and as SystemVerilog: as IEEE 1364-2005 and 1800-2012 by Icarus, and by
# Verilator in both languages. Tools that take .v for SystemVerilog (Verilator by default, cocotb with Icarus) stop at an identifier that is
# a reserved word there: context, inside, final, before ... Usage, from anywhere: scripts/check_verilog.sh [-y DIR] [FILE...]
set -u
rtl=$(dirname "$0")/../rtl
if [ "${1-}" = -y ]; then rtl=$2; shift 2; fi
[ $# -gt 0 ] || set -- "$rtl"/*.v
status=0
for file in "$@"; do
    for language in -g2005 -g2012; do
        iverilog $language -t null -y "$rtl" "$file" 2>&1 | head -n 5 | sed "s/^/iverilog $language: /" | grep . && status=1 # anything said
    done
    for language in 1364-2005 1800-2012; do
        verilator --lint-only -Wno-fatal --language $language -y "$rtl" "$file" 2>&1 | grep %Error | head -n 5 | sed "s/^/verilator --language $language: /" | grep . && status=1
    done
done
[ $status = 0 ] && echo "$# Verilog files read as Verilog-2005 and as SystemVerilog"
exit $status
