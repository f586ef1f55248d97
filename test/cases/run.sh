#!/usr/bin/env bash
# Kinds of failure that real files and habits have found, one file each: every test/cases/*.sh runs (but this one, and those that they source), two at a
# time. Usage: test/cases/run.sh [-j JOBS] [NAME...]. Needs build/tessera (or $TESSERA).
#
# A file sources lib.sh, which gives it a scratch directory, the small models and the checks, and stays below about ten seconds. Its first
# comment says which kind of failure it is for. Lines that begin with `skipped:` or `notice:` are shown.
set -uo pipefail
cd "$(dirname "$0")"
jobs=2
if [ "${1-}" = -j ]; then jobs=$2; shift 2; fi
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    for file in *.sh; do
        case $file in lib.sh | run.sh | whole.sh) ;; *) names+=("${file%.sh}") ;; esac
    done
fi
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

one() { # name: prints its line and, where it failed, what it said
    local name=$1 start=$SECONDS verdict=ok
    bash "$name.sh" >"$logs/$name" 2>&1 </dev/null || verdict=FAILED
    {
        printf '%-28s %-6s %4d s\n' "$name" $verdict $((SECONDS - start))
        grep -E '^(skipped|notice):' "$logs/$name"
        [ $verdict = ok ] || { tail -n 40 "$logs/$name" | sed 's/^/    /'; echo "$name" >>"$logs/failed."; }
    } >"$logs/$name.shown"
    cat "$logs/$name.shown"
}

running=0
for name in "${names[@]}"; do
    [ $running -lt "$jobs" ] || { wait -n; running=$((running - 1)); }
    one "$name" &
    running=$((running + 1))
done
wait
failed=$(cat "$logs/failed." 2>/dev/null | wc -l)
echo "$((${#names[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
