#!/usr/bin/env bash
# Every module of rtl/ is described in docs/hardware.md, has a bench of its own (test/rtl/cases.txt) or inside of a module that has one,
# and has an injected fault (test/mutations.txt). Says which one has not. Usage, from anywhere: scripts/check_modules.sh
set -uo pipefail
cd "$(dirname "$0")/.."
declare -A tested parents
modules=()
for file in rtl/ts_*.v; do
    module=$(basename "$file" .v)
    modules+=("$module")
    grep -q "^$module " test/rtl/cases.txt && tested[$module]=1
    for child in $(sed 's,//.*,,' "$file" | grep -oE '\bts_[a-z0-9_]+ +(#|u_|[a-z])' | awk '{print $1}' | sort -u); do
        [ "$child" = "$module" ] || parents[$child]="${parents[$child]-} $module"
    done
done

has_bench() { # MODULE: itself or a module around it
    local parent
    [ -n "${tested[$1]-}" ] && return 0
    for parent in ${parents[$1]-}; do has_bench "$parent" && return 0; done
    return 1
}

status=0
missing() { echo "$1: $2"; status=1; }
for module in "${modules[@]}"; do
    grep -q "\`$module\`" docs/hardware.md || missing "rtl/$module.v" "not in the table of docs/hardware.md"
    has_bench "$module" || missing "rtl/$module.v" "neither it nor a module around it is in test/rtl/cases.txt"
    grep -q "^rtl/$module.v " test/mutations.txt || missing "rtl/$module.v" "no fault in test/mutations.txt"
done
for named in $(grep -oE '`ts_[a-z0-9_]+`' docs/hardware.md | tr -d '`' | sort -u); do
    [ -f "rtl/$named.v" ] || grep -qrE "\b$named\b" src || missing "docs/hardware.md" "names $named, which is not there"
done
[ $status = 0 ] && echo "${#modules[@]} modules are described, simulated and have faults injected"
exit $status
